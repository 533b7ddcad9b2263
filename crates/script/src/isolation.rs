//! How well the operating system holds workers, found out by trying.
//!
//! Kernels, containers and their defaults differ, so nothing is concluded from version numbers: one
//! worker confines itself as all do, then tries what no script may do and tells what happened.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::launch::stage;
use crate::outcome::Failure;
use crate::policy::{Guest, Policy};
use crate::settings::PoolSettings;
use crate::watch::Watchers;
use crate::worker::Worker;

/// How long the self-test may take.
const SELF_TEST: Duration = Duration::from_secs(20);

/// How well workers are held, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Memory and descriptors are bounded; system calls are not.
    RlimitsOnly,
    /// Dangerous system calls are refused; files or ports are open as far as the user's rights go.
    NoLandlock,
    /// Files, ports and system calls are refused unless a worker needs them.
    Full,
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RlimitsOnly => "rlimits-only",
            Self::NoLandlock => "no-landlock",
            Self::Full => "full",
        })
    }
}

impl FromStr for Isolation {
    type Err = &'static str;

    /// What an operator requires: `none` is content with anything.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "full" => Ok(Self::Full),
            "no-landlock" => Ok(Self::NoLandlock),
            "none" => Ok(Self::RlimitsOnly),
            _ => Err("expected full, no-landlock or none"),
        }
    }
}

/// What the self-test found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolationReport {
    /// The level, of what is in force and of what was tried the lower one.
    pub level: Isolation,
    /// Landlock's own account.
    pub landlock: String,
    /// Whether the filter of system calls is in force.
    pub seccomp: bool,
    /// The user that workers run as.
    pub uid: u32,
    /// What was tried.
    pub attempts: Vec<Attempt>,
}

/// One thing that no script may do, tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What was tried.
    pub what: String,
    /// The system's refusal; `None` when it let it happen.
    pub refusal: Option<String>,
}

impl IsolationReport {
    /// What was tried and let happen.
    pub fn let_happen(&self) -> Vec<&str> {
        self.attempts
            .iter()
            .filter(|attempt| attempt.refusal.is_none())
            .map(|attempt| attempt.what.as_str())
            .collect()
    }
}

impl fmt::Display for IsolationReport {
    /// One line for logs and the doctor.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seccomp = if self.seccomp { "on" } else { "off" };
        let Self {
            level,
            landlock,
            uid,
            ..
        } = self;
        write!(
            f,
            "{level} (Landlock: {landlock}; seccomp: {seccomp}; user {uid})"
        )?;
        match self.let_happen().as_slice() {
            [] => Ok(()),
            open => write!(f, "; NOT refused: {}", open.join(", ")),
        }
    }
}

/// Starts one worker that tries to get out.
///
/// `launcher` and `uid` are those of [`PoolSettings`](crate::PoolSettings). Fails when that worker
/// cannot be started or cannot confine itself at all: then none can.
pub async fn self_test(launcher: &Path, uid: u32) -> io::Result<IsolationReport> {
    let policy = Policy {
        guest: Guest::SelfTest,
        host: std::process::id(),
        uid,
        ports: Some(vec![1]),
        require: Isolation::RlimitsOnly,
    };
    let running = Command::from(stage(launcher, &policy)?)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(SELF_TEST, running)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let message = format!("it ended with {}: {}", output.status, words.trim());
        return Err(io::Error::other(message));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Starts one worker and lets it go, to hear what keeps workers from starting: no such program, a
/// folder that they cannot read, a version that is too old.
pub async fn try_start(settings: &PoolSettings) -> Result<(), Failure> {
    let worker = Worker::start(settings, &settings.runtime, None, &Watchers::default()).await?;
    worker.retire().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_a_report_names_what_is_open() {
        assert!(Isolation::Full > Isolation::NoLandlock);
        assert!(Isolation::NoLandlock > Isolation::RlimitsOnly);
        assert_eq!("none".parse(), Ok(Isolation::RlimitsOnly));
        assert!("rlimits-only".parse::<Isolation>().is_err());
        let attempt = |what: &str, refusal: Option<&str>| Attempt {
            what: what.into(),
            refusal: refusal.map(Into::into),
        };
        let report = IsolationReport {
            level: Isolation::NoLandlock,
            landlock: "not in this kernel".into(),
            seccomp: true,
            uid: 65534,
            attempts: vec![attempt("a", None), attempt("b", Some("EPERM"))],
        };
        assert_eq!(
            report.to_string(),
            "no-landlock (Landlock: not in this kernel; seccomp: on; user 65534); NOT refused: a"
        );
    }
}
