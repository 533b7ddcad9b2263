//! What a worker gives up before it reads a byte of a script.
//!
//! The host starts our own binary as `PROGRAM worker POLICY`, with an empty environment, a process
//! group of its own and its channel as standard input. [`worker`] must be called before anything
//! else is: before threads (a thread keeps the rights that it had) and before files are open. The
//! order of the stage is the order in which each step still has the rights it needs:
//!
//! | step | what | why here |
//! |---|---|---|
//! | 1 | [`rights`]: bounds on memory, descriptors, dumps | needs nothing |
//! | 2 | [`rights`]: another user, without groups | only root may |
//! | 3 | [`rights`]: to die with the host | a change of user forgets it |
//! | 4 | [`rights`]: no new privileges | the next two need it |
//! | 5 | [`files`]: Landlock: what may be read and run, which ports may be reached | still opens those paths |
//! | 6 | [`calls`]: seccomp: which system calls are refused | step 5 makes such calls |
//! | 7 | become the runtime | |
//!
//! What the kernel does not know of steps 5 and 6 is left out, and the worker runs if its policy is
//! content with what was reached. Everything else that fails ends the process: it says why in a
//! `fatal` frame and exits with 126. Refused here: to unconfine anything, to read a secret, to decide
//! who may reach what.

mod calls;
mod elf;
mod files;
mod rights;
mod self_test;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use script::{Guest, Isolation, Policy};

use crate::embedded;

/// The exit code of a worker that could not be confined, or could not become what it should.
pub const REFUSED: u8 = 126;

/// The descriptor on which the Node runner expects its channel.
const NODE_CHANNEL: i32 = 3;

/// What is in force once a worker is confined.
struct Confined {
    /// Landlock's own account.
    landlock: String,
    /// Whether the filter of system calls is in force.
    seccomp: bool,
    level: Isolation,
}

/// Confines this process and becomes the worker that its policy asks for. Returns when the worker
/// is done, and at once when it was refused. `policy` is the argument behind `worker`.
pub fn worker(policy: Option<&str>) -> ExitCode {
    let ended = take_channel().and_then(|channel| {
        let reporter = channel.try_clone()?;
        stage(policy, channel).inspect_err(|error| {
            // The host may be gone; then nobody is interested.
            let _ = say(&reporter, error);
        })
    });
    ended.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(REFUSED)
    })
}

/// The channel out of the way of scripts that read their standard input.
fn take_channel() -> io::Result<UnixStream> {
    let channel = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(UnixStream::from(channel))
}

fn stage(policy: Option<&str>, channel: UnixStream) -> io::Result<ExitCode> {
    let policy = policy.ok_or_else(|| io::Error::other("a worker is started by a server only"))?;
    let policy: Policy = serde_json::from_str(policy)?;
    rights::limit(&policy.guest)?;
    rights::become_user(policy.uid)?;
    rights::die_with(policy.host)?;
    check_readable(&policy.guest)?;
    rights::gain_nothing()?;
    let fence = files::restrict(&policy)?;
    let runs_programs = matches!(policy.guest, Guest::Node { .. });
    let seccomp = calls::restrict(runs_programs);
    let level = match (fence.is_whole, seccomp) {
        (true, true) => Isolation::Full,
        (false, true) => Isolation::NoLandlock,
        (_, false) => Isolation::RlimitsOnly,
    };
    if level < policy.require {
        let message = format!(
            "isolation is {level} here and {} is required",
            policy.require
        );
        return Err(io::Error::other(message));
    }
    let confined = Confined {
        landlock: fence.account,
        seccomp,
        level,
    };
    run(&policy, confined, channel)
}

/// What the guest will need must be there for the user that it has become.
fn check_readable(guest: &Guest) -> io::Result<()> {
    let (modules, runner) = match guest {
        Guest::Node {
            modules, runner, ..
        } => (
            modules.as_ref().map(|folder| folder.join("node_modules")),
            Some(runner),
        ),
        Guest::Embedded { modules } => (modules.clone(), None),
        Guest::SelfTest => (None, None),
    };
    if let Some(folder) = modules {
        match std::fs::read_dir(&folder) {
            // Scripts that require nothing do without; the others say what they miss.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => drop(result.map_err(|error| unreadable("modules folder", &folder, &error))?),
        }
    }
    if let Some(runner) = runner {
        File::open(runner).map_err(|error| unreadable("runner", runner, &error))?;
    }
    Ok(())
}

fn unreadable(what: &str, path: &Path, error: &io::Error) -> io::Error {
    let user = rustix::process::geteuid().as_raw();
    let message = format!(
        "the {what} {} cannot be read by user {user}, as which action scripts run: {error}",
        path.display()
    );
    io::Error::new(error.kind(), message)
}

fn run(policy: &Policy, confined: Confined, channel: UnixStream) -> io::Result<ExitCode> {
    match &policy.guest {
        Guest::Node {
            command, runner, ..
        } => Err(become_node(command, runner, channel)),
        Guest::Embedded { .. } => Ok(embedded::run(channel)),
        Guest::SelfTest => {
            let report = self_test::report(policy, confined);
            let mut out = io::stdout().lock();
            serde_json::to_writer(&mut out, &report)?;
            out.flush()?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Replaces this process; gives the reason when that fails.
fn become_node(command: &Path, runner: &Path, channel: UnixStream) -> io::Error {
    let mut node = Command::new(command);
    node.args(["--no-warnings", "--max-old-space-size=64"])
        .arg(runner)
        .env_clear()
        .stdin(Stdio::inherit());
    let channel = FdMapping {
        parent_fd: OwnedFd::from(channel),
        child_fd: NODE_CHANNEL,
    };
    if node.fd_mappings(vec![channel]).is_err() {
        return io::Error::other("descriptor 3 is mapped twice");
    }
    let error = node.exec();
    io::Error::new(error.kind(), format!("{}: {error}", command.display()))
}

/// Tells the host why there will be no worker.
fn say(mut channel: &UnixStream, error: &io::Error) -> io::Result<()> {
    let frame = serde_json::json!({"t": "fatal", "msg": error.to_string()}).to_string();
    let length = u32::try_from(frame.len()).unwrap_or_default();
    channel.write_all(&[&length.to_be_bytes(), frame.as_bytes()].concat())
}
