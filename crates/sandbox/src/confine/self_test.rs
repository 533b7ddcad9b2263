//! What no script may do, tried by a confined process that is going to end anyway.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;

use rustix::process::{geteuid, getppid, test_kill_process};
use script::{Attempt, Guest, Isolation, IsolationReport, Policy};

use super::{Confined, rights};

/// A port that the policy of the self-test does not list; nobody needs to listen on it.
const PORT: u16 = 9;
const SCRATCH: &str = "/tmp";

/// Tries everything and says at which level this process is held: what is in force is not
/// believed before it was seen to refuse.
pub fn report(policy: &Policy, confined: Confined) -> IsolationReport {
    debug_assert_eq!(policy.guest, Guest::SelfTest);
    let by_landlock = [
        attempt("reading /etc/passwd", read_users),
        attempt("listing /proc", || fs::read_dir("/proc").map(drop)),
        attempt("writing a file", write_file),
        attempt("connecting to a port that is not listed", connect),
    ];
    let by_the_rest = [
        attempt("starting a process", || {
            Command::new("/bin/true").status().map(drop)
        }),
        attempt("listening on a port", || {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map(drop)
        }),
        attempt("signalling the server", signal_parent),
        attempt("taking more memory than allowed", take_memory),
    ];
    let held = |attempts: &[Attempt]| attempts.iter().all(|attempt| attempt.refusal.is_some());
    let seen = match (held(&by_the_rest), held(&by_landlock)) {
        (true, true) => Isolation::Full,
        (true, false) => Isolation::NoLandlock,
        (false, _) => Isolation::RlimitsOnly,
    };
    IsolationReport {
        level: seen.min(confined.level),
        landlock: confined.landlock,
        seccomp: confined.seccomp,
        uid: geteuid().as_raw(),
        attempts: by_landlock.into_iter().chain(by_the_rest).collect(),
    }
}

/// Only the system's "you may not" is a refusal, and that there is nothing to be had.
fn attempt(what: &str, act: impl FnOnce() -> io::Result<()>) -> Attempt {
    let refusal = match act() {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::NotFound
            ) =>
        {
            Some(error.to_string())
        }
        _ => None,
    };
    Attempt {
        what: what.to_owned(),
        refusal,
    }
}

fn read_users() -> io::Result<()> {
    File::open("/etc/passwd")?.read_exact(&mut [0])
}

fn write_file() -> io::Result<()> {
    let path = format!("{SCRATCH}/ferry-self-test-{}", std::process::id());
    File::create(&path)?;
    fs::remove_file(path)
}

fn connect() -> io::Result<()> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)).map(drop)
}

fn take_memory() -> io::Result<()> {
    let bytes = usize::try_from(rights::EMBEDDED_DATA).unwrap_or(usize::MAX);
    Vec::<u8>::new()
        .try_reserve_exact(bytes)
        .map_err(|error| io::Error::new(ErrorKind::PermissionDenied, error))
}

fn signal_parent() -> io::Result<()> {
    match getppid() {
        Some(parent) => Ok(test_kill_process(parent)?),
        None => Ok(()),
    }
}
