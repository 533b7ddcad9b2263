//! `ferry convert`: another product's export in, a file for `ferry import` out. Opens the files;
//! what they mean is the crate `convert`'s.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use convert::{FirebaseHash, Options, Product, Summary, Warning};
use domain::Clock as _;
use flate2::read::MultiGzDecoder;
use tempfile::NamedTempFile;

use crate::boot::SystemClock;

/// Warnings of one kind that are shown one by one; the rest is counted.
const SHOWN: u64 = 20;

#[derive(Args)]
pub(super) struct ConvertArguments {
    /// Whose export it is: keycloak, firebase, django, wordpress, aspnet, kratos, supabase, cognito,
    /// okta, auth0, ldap, clerk, table.
    #[arg(value_parser = product)]
    product: Product,
    /// The files that belong together, plain or gzip; none or `-` is standard input.
    files: Vec<PathBuf>,
    /// Where to write; standard output when left out. The file appears when it is whole.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What stands before the legacy id in `user_id`, instead of the product's name; may be empty.
    #[arg(long, value_name = "TEXT")]
    user_id_prefix: Option<String>,
    /// Take addresses for proven where the product does not say.
    #[arg(long)]
    emails_are_verified: bool,
    /// Table or Django model that holds the people.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// What `WordPress` puts before its tables' names [default: wp_].
    #[arg(long, value_name = "TEXT")]
    table_prefix: Option<String>,
    /// File with Firebase's `hash_config { … }`, as its console shows it.
    #[arg(long, value_name = "FILE")]
    hash_config: Option<PathBuf>,
    /// For a plain table: a member of the import record and its column. May be repeated.
    #[arg(long, value_name = "MEMBER=COLUMN", value_parser = pair)]
    map: Vec<(String, String)>,
    /// For a plain table: a `custom_password_hash` without the values of hash and salt.
    #[arg(long, value_name = "JSON")]
    custom_hash: Option<String>,
}

fn product(name: &str) -> Result<Product, String> {
    Product::parse(name).ok_or_else(|| {
        let names: Vec<&str> = Product::ALL.into_iter().map(Product::name).collect();
        format!("no such product; there are {}", names.join(", "))
    })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').ok_or("MEMBER=COLUMN is expected")?;
    Ok((parts.0.to_owned(), parts.1.to_owned()))
}

pub(super) fn run(arguments: &ConvertArguments) -> Result<ExitCode> {
    let options = options(arguments)?;
    let inputs: Result<Vec<_>> = if arguments.files.is_empty() {
        Ok(vec![open(Path::new("-"))?])
    } else {
        arguments.files.iter().map(|path| open(path)).collect()
    };
    let mut kinds = HashMap::new();
    let mut warn = |warning: &Warning| show(warning, &mut kinds);
    let summary = match &arguments.output {
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            convert::convert(arguments.product, inputs?, &options, &mut out, &mut warn)?
        }
        Some(path) => {
            // Beside the place where it goes, so that it gets there in one step or not at all. Only
            // its owner may read it: it holds password hashes.
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let shown = path.display().to_string();
            let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
                .with_context(|| shown.clone())?;
            let mut out = BufWriter::new(file);
            let summary =
                convert::convert(arguments.product, inputs?, &options, &mut out, &mut warn)?;
            let file = out
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            file.persist(path).with_context(|| shown)?;
            summary
        }
    };
    Ok(report(&summary, &kinds))
}

fn options(arguments: &ConvertArguments) -> Result<Options> {
    let firebase = arguments.hash_config.as_ref().map(|path| {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        FirebaseHash::parse(&text).map_err(anyhow::Error::from)
    });
    let custom_hash = arguments.custom_hash.as_deref().map(serde_json::from_str);
    Ok(Options {
        user_id_prefix: arguments.user_id_prefix.clone(),
        emails_are_verified: arguments.emails_are_verified,
        table: arguments.table.clone(),
        table_prefix: arguments.table_prefix.clone(),
        firebase: firebase.transpose()?,
        mapping: arguments.map.clone(),
        custom_hash: custom_hash
            .transpose()
            .context("--custom-hash is no JSON object")?,
        now: Some(SystemClock.now()),
    })
}

/// A file or standard input, decompressed where it is gzip.
fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(File::open(path).with_context(|| format!("{} can't be read", path.display()))?)
    };
    let mut file = BufReader::with_capacity(1 << 16, file);
    let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzip {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

/// Warnings by field and reason, with their counts.
type Kinds = HashMap<(String, String, bool), u64>;

fn show(warning: &Warning, kinds: &mut Kinds) {
    let kind = (
        warning.field.clone(),
        warning.why.clone(),
        warning.is_left_out,
    );
    let count = kinds.entry(kind).or_default();
    *count += 1;
    if *count <= SHOWN {
        // Whoever closed standard error does not want to know.
        let _ = writeln!(std::io::stderr(), "{warning}");
    }
}

/// The counts; 2 when somebody was left out.
fn report(summary: &Summary, kinds: &Kinds) -> ExitCode {
    let mut more: Vec<_> = kinds.iter().filter(|(_, count)| **count > SHOWN).collect();
    more.sort();
    for ((field, why, is_left_out), count) in more {
        let more = count - SHOWN;
        let end = if *is_left_out { "; left out" } else { "" };
        eprintln!("and {more} more records, {field}: {why}{end}");
    }
    let Summary {
        read,
        written,
        left_out,
        without_password,
        ignored,
        warnings,
    } = summary;
    eprintln!(
        "{read} people: {written} written ({without_password} without a password), \
         {left_out} left out, {warnings} warnings; {ignored} other records ignored"
    );
    if summary.left_out == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}
