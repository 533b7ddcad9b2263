//! `ferry hash`: what made a hash, whether a password is behind it, what a recipe means. Works
//! without a server and without configuration.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use domain::{ConfigurationValue, HashText, Password};
use password::identify::{Budget, Question, Report, Sample, Verdict, identify};
use password::{Limits, PasswordHash, Recipe};

use super::passwords;

#[derive(Subcommand)]
pub(super) enum HashCommand {
    /// Names the format or recipe that makes a stored value of a known password.
    Identify(Box<IdentifyArguments>),
    /// Says whether a password is behind a hash string that names its own format.
    Verify {
        /// The string.
        hash: String,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Checks a recipe; prints it written out, what it makes and what it costs.
    Recipe {
        /// Its text.
        text: String,
    },
}

#[derive(Args)]
pub(super) struct IdentifyArguments {
    /// Stored values. The password belongs to the first one.
    values: Vec<String>,
    /// Samples as CSV without a head: hash, then perhaps salt, password, username, e-mail address,
    /// id. `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "values")]
    samples: Option<PathBuf>,
    /// The first value's salt, when it stands in a column of its own.
    #[arg(long)]
    salt: Option<String>,
    /// The name of the first value's user there.
    #[arg(long)]
    username: Option<String>,
    /// The address of the first value's user there.
    #[arg(long)]
    email: Option<String>,
    /// The id of the first value's user there.
    #[arg(long)]
    user_id: Option<String>,
    /// The variable that holds the application's secret.
    #[arg(long, value_name = "VARIABLE")]
    pepper_env: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Give no password: names only what the values look like.
    #[arg(long, conflicts_with = "password_stdin")]
    no_password: bool,
    /// How long to search.
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    seconds: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: HashCommand) -> Result<ExitCode> {
    match command {
        HashCommand::Identify(arguments) => find(*arguments),
        HashCommand::Verify {
            hash,
            password_stdin,
        } => {
            let hash = PasswordHash::from_known(hash.trim(), &Limits::default())?;
            let verified = hash.verify(&passwords::read(password_stdin, "Password: ")?);
            let words = if verified {
                "verifies"
            } else {
                "does not verify"
            };
            println!("{words}");
            Ok(code(verified))
        }
        HashCommand::Recipe { text } => {
            let recipe = Recipe::parse(&text, &Limits::default())?;
            println!("{}", recipe.canonical());
            println!("makes {}", recipe.makes());
            println!(
                "costs {:.2}% of what one hash may cost",
                recipe.cost_percent()
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn code(is_good: bool) -> ExitCode {
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a secret that the caller names, not a setting"
)]
fn find(arguments: IdentifyArguments) -> Result<ExitCode> {
    let pepper = arguments.pepper_env.as_ref().map(|name| {
        let value = std::env::var(name);
        value.with_context(|| format!("the variable {name} is not set"))
    });
    let pepper = pepper.transpose()?.map(ConfigurationValue::from);
    let (seconds, as_json) = (arguments.seconds, arguments.json);
    let samples = samples(arguments)?;
    let question = Question { samples, pepper };
    let started = Instant::now();
    let budget = Budget {
        is_over: &|| started.elapsed() > Duration::from_secs(seconds),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let report = identify(&question, &Limits::default(), &budget);
    if as_json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report)?;
    }
    Ok(code(report.verdict != Verdict::Nothing))
}

fn samples(arguments: IdentifyArguments) -> Result<Vec<Sample>> {
    let mut samples = match &arguments.samples {
        Some(path) => read_csv(path)?,
        None => arguments.values.iter().map(|value| bare(value)).collect(),
    };
    let has_password = samples.iter().any(|sample| sample.password.is_some());
    let Some(first) = samples.first_mut() else {
        bail!("give a stored value, or --samples FILE");
    };
    first.salt = arguments.salt.or(first.salt.take());
    first.username = arguments.username.or(first.username.take());
    first.email = arguments.email.or(first.email.take());
    first.user_id = arguments.user_id.or(first.user_id.take());
    if !has_password && !arguments.no_password {
        let prompt = "Password of the first user: ";
        first.password = Some(passwords::read(arguments.password_stdin, prompt)?);
    }
    Ok(samples)
}

fn bare(hash: &str) -> Sample {
    Sample {
        hash: HashText::from(hash),
        salt: None,
        username: None,
        email: None,
        user_id: None,
        password: None,
    }
}

fn read_csv(path: &PathBuf) -> Result<Vec<Sample>> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        let shown = path.display();
        text = std::fs::read_to_string(path).with_context(|| format!("{shown} can't be read"))?;
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(sample).collect())
}

/// Fields between commas; a field in `"…"` may hold commas, and `""` for a quotation mark.
fn sample(line: &str) -> Sample {
    let mut fields = Vec::new();
    let (mut field, mut is_quoted) = (String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    fields.push(field);
    let mut fields = fields.into_iter();
    let mut sample = bare(&fields.next().unwrap_or_default());
    let mut next = || fields.next().filter(|field| !field.is_empty());
    sample.salt = next();
    sample.password = next().map(Password::from);
    sample.username = next();
    sample.email = next();
    sample.user_id = next();
    sample
}

/// The report for people.
fn print(report: &Report) -> Result<()> {
    if let Some(name) = &report.name {
        println!("{name}");
    }
    if let Some(hint) = report.hint {
        println!("hint: {hint} hashes like this, and others may");
    }
    for candidate in &report.candidates {
        println!("looks like {candidate}");
    }
    for note in &report.notes {
        println!("note: {note}");
    }
    if let Some(nearest) = &report.nearest {
        println!("{nearest}");
    }
    if let Some(fragment) = &report.fragment {
        println!("{}", serde_json::to_string_pretty(fragment)?);
    }
    if let Some(options) = &report.options {
        println!("or, for rows without \"recipe\", the connection's options:");
        println!("{}", serde_json::to_string_pretty(options)?);
    }
    if !report.is_complete {
        println!("the time was up after {} comparisons", report.tried);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_sample() {
        let read = sample(r#"abc,"s,""x",secret,,a@b.example"#);
        assert_eq!(read.hash.expose(), "abc");
        assert_eq!(read.salt.as_deref(), Some("s,\"x"));
        assert_eq!(read.password.unwrap().expose(), "secret");
        assert_eq!(
            (read.username, read.email.as_deref()),
            (None, Some("a@b.example"))
        );
    }
}
