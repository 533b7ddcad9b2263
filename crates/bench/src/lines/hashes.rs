//! Verifications on one core, each format beside the fastest C that is kept well: libxcrypt,
//! OpenSSL, the Argon2 reference. C runs in a Python process of its own, in turns with us.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::Password;
use password::{ForeignOptions, Limits, verify_foreign};

use crate::setup::Setup;
use crate::statistics::rate;
use crate::table::Table;

const SPAN: Duration = Duration::from_secs(2);
const PASSWORD: &str = "correct horse battery";

/// The lines of hashes, of one format each.
pub fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let mut peer = Peer::start()?;
    let formats = std::mem::take(&mut peer.formats);
    for (name, hash) in &formats {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..setup.turns {
            ours.push(verify(hash)?);
            theirs.push(peer.rate(name)?);
        }
        table.compare(&format!("{name}, one core, beside C"), &ours, &theirs, 0.95);
    }
    for name in ["bcrypt", "Argon2id"] {
        if !formats.contains_key(name) {
            table.remark(format!("{name}: this machine has no C library for it."));
        }
    }
    Ok(())
}

fn verify(hash: &str) -> Result<f64> {
    let password = Password::from(PASSWORD.to_owned());
    let (options, limits) = (ForeignOptions::default(), Limits::default());
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < SPAN {
        ensure!(
            verify_foreign(&password, hash, &options, &limits)?,
            "{hash}"
        );
        count += 1;
    }
    Ok(rate(count, started.elapsed()))
}

/// The process that computes in C.
struct Peer {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    formats: BTreeMap<String, String>,
}

impl Peer {
    fn start() -> Result<Self> {
        let mut child = Command::new("python3")
            .args(["-c", include_str!("../peers/hashes.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("python3")?;
        let mut peer = Self {
            questions: child.stdin.take().context("a pipe")?,
            answers: BufReader::new(child.stdout.take().context("a pipe")?),
            child,
            formats: BTreeMap::new(),
        };
        peer.formats = serde_json::from_str(&peer.line()?)?;
        Ok(peer)
    }

    fn rate(&mut self, name: &str) -> Result<f64> {
        writeln!(self.questions, "{name} {}", SPAN.as_secs_f64())?;
        Ok(self.line()?.trim().parse()?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.answers.read_line(&mut line)? > 0, "the C side ended");
        Ok(line)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ignored = self.child.kill();
        let _ignored = self.child.wait();
    }
}
