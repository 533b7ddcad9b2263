//! What the person at the keyboard may set, and where the binary is.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// Every section, in the order in which they run.
pub const SECTIONS: &[&str] = &[
    "start", "hashes", "scripts", "crossing", "hanging", "login", "tokens", "codes", "timing",
    "beside", "sqlite", "postgres",
];

/// The settings of a run.
pub struct Setup {
    /// Rows of the import file.
    pub rows: u64,
    /// Turns of each measurement.
    pub turns: usize,
    /// Cores of the machine.
    pub cores: usize,
    /// The release build of `ferry`.
    pub ferry: PathBuf,
    only: Vec<String>,
}

impl Setup {
    /// Reads the environment; the binary stands beside our own.
    pub fn from_environment() -> Result<Self> {
        let only = variable("BENCH_ONLY").unwrap_or_default();
        let only: Vec<String> = only
            .split(',')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        if let Some(name) = only.iter().find(|name| !SECTIONS.contains(&name.as_str())) {
            bail!("BENCH_ONLY: {name} is none of {}", SECTIONS.join(","));
        }
        Ok(Self {
            rows: number("BENCH_ROWS", 1_000_000)?.max(50_000),
            turns: usize::try_from(number("BENCH_TURNS", 3)?.max(1))?,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            ferry: binary()?,
            only,
        })
    }

    /// Whether a section is to be run.
    pub fn wants(&self, section: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == section)
    }
}

fn binary() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let ferry = own.parent().unwrap_or(Path::new(".")).join("ferry");
    if !ferry.is_file() {
        bail!(
            "{} is missing: cargo build --release --bin ferry",
            ferry.display()
        );
    }
    Ok(ferry)
}

fn number(name: &str, otherwise: u64) -> Result<u64> {
    match variable(name) {
        None => Ok(otherwise),
        Some(text) => text
            .replace('_', "")
            .parse()
            .with_context(|| format!("{name}: {text:?}")),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how a bench run is set up is not Ferry's configuration"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
