//! Packs the guest side into the binary: the modules of `runtimes/embedded` as they are, and the
//! bundles of npm packages and their licences compressed. The bundles are made by `make setup` and never committed.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../..");
    let out = PathBuf::from(variable("OUT_DIR")?);
    let mut table = String::from(
        "/// Internal modules: name and text.\npub const MODULES: &[(&str, &str)] = &[\n",
    );
    let runtimes = root.join("runtimes");
    for folder in ["embedded", "shared"] {
        for path in files(&runtimes.join(folder), "js")? {
            add_module(&mut table, &path)?;
        }
    }
    add_module(&mut table, &runtimes.join("node/evaluate.cjs"))?;
    table.push_str("];\n/// Package bundles: file and deflated text.\npub const BUNDLES: &[(&str, &[u8])] = &[\n");
    let packages = root.join(".local/packages");
    println!("cargo::rerun-if-changed={}", packages.display());
    let mut index = String::from("[]");
    if packages.join("packages.json").is_file() {
        index = fs::read_to_string(packages.join("packages.json"))?;
        let mut bundles = Vec::new();
        collect(&packages, &mut bundles)?;
        for (number, path) in bundles.iter().enumerate() {
            let packed = out.join(format!("bundle-{number}.deflate"));
            let mut encoder = DeflateEncoder::new(fs::File::create(&packed)?, Compression::best());
            encoder.write_all(&fs::read(path)?)?;
            encoder.finish()?;
            let name = path.strip_prefix(&packages).unwrap_or(path);
            let _ = writeln!(
                table,
                "    ({name:?}, include_bytes!({:?})),",
                packed.display().to_string(),
                name = name.display().to_string()
            );
        }
    } else {
        println!(
            "cargo::error=the bundles of npm packages (.local/packages) are missing: run `make setup`"
        );
    }
    let _ = writeln!(
        table,
        "];\n/// `packages.json`: name, version and file of each.\npub const INDEX: &str = {index:?};"
    );
    fs::write(out.join("packed.rs"), table)
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells build scripts everything by the environment"
)]
fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn add_module(table: &mut String, path: &Path) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", path.display());
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let path = path.canonicalize()?.display().to_string();
    let _ = writeln!(table, "    ({name:?}, include_str!({path:?})),");
    Ok(())
}

/// The files of a folder with an extension, in order; none when there is no folder.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|given| given == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|given| given == "js" || given == "txt")
        {
            found.push(path);
        }
    }
    Ok(())
}
