//! The process of a worker: how it is started, how large it is, how it is ended.
//!
//! It gets one socket on descriptor 3, pipes that are read and thrown away, an empty environment
//! and a process group of its own. It is ended by killing that group, so that nothing a script
//! started outlives it. The group is always killed *before* the leader is reaped: until then its
//! number cannot belong to anybody else.
//!
//! **Where confinement goes.** [`command`] is the one place that makes a command line. The sandbox
//! will put its launcher stage in front of it (resource limits, user, Landlock, seccomp, the
//! parent-death signal) and nothing else here changes. Processes are started on the runtime's own
//! threads, not on the pool for blocking work: the parent-death signal comes when the *thread*
//! that forked ends, and threads of that pool end after ten idle seconds.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream as Socket;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;
use tokio::process::Child;

use crate::settings::{NodeRuntime, Runtime};

/// The runner, file by file. The server is one binary: its scripts' runner is inside.
const RUNNER: [(&str, &str); 4] = [
    (
        "runner.cjs",
        include_str!("../../../runtimes/node/runner.cjs"),
    ),
    (
        "evaluate.cjs",
        include_str!("../../../runtimes/node/evaluate.cjs"),
    ),
    (
        "modules.cjs",
        include_str!("../../../runtimes/node/modules.cjs"),
    ),
    (
        "password.js",
        include_str!("../../../runtimes/shared/password.js"),
    ),
];

/// The descriptor that both sides agree on.
const CHANNEL: i32 = 3;

/// A running worker process. Dropping it kills its whole group.
pub struct Process {
    child: Child,
    /// The runner's files; may go as soon as the worker has read them.
    files: Option<TempDir>,
}

/// Starts a process; gives it and our end of its socket.
pub fn launch(runtime: &Runtime) -> io::Result<(Process, UnixStream)> {
    let Runtime::Node(node) = runtime;
    let files = write_runner()?;
    let (ours, theirs) = Socket::pair()?;
    ours.set_nonblocking(true)?;
    let ours = UnixStream::from_std(ours)?;
    let mut command = command(node, &files)?;
    command
        .env_clear()
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let channel = FdMapping {
        parent_fd: OwnedFd::from(theirs),
        child_fd: CHANNEL,
    };
    command
        .fd_mappings(vec![channel])
        .map_err(|_| io::Error::other("descriptor 3 is mapped twice"))?;
    let mut command = tokio::process::Command::from(command);
    let mut child = command.spawn().map_err(|error| {
        io::Error::new(error.kind(), format!("{}: {error}", node.command.display()))
    })?;
    let pid = child.id();
    if let Some(stream) = child.stdout.take() {
        tokio::spawn(drain(stream, "stdout", pid));
    }
    if let Some(stream) = child.stderr.take() {
        tokio::spawn(drain(stream, "stderr", pid));
    }
    let process = Process {
        child,
        files: Some(files),
    };
    Ok((process, ours))
}

/// The command line of a worker.
fn command(node: &NodeRuntime, files: &TempDir) -> io::Result<Command> {
    for path in [Some(&node.command), node.modules.as_ref()]
        .into_iter()
        .flatten()
    {
        if !path.is_absolute() {
            let message = format!("{} is not an absolute path", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
    }
    let mut command = Command::new(&node.command);
    command
        .args(["--no-warnings", "--max-old-space-size=64"])
        .arg(files.path().join("runner.cjs"));
    Ok(command)
}

/// Writes the runner where only we can read it.
fn write_runner() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("ferry-runner-").tempdir()?;
    for (name, text) in RUNNER {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.path().join(name))?
            .write_all(text.as_bytes())?;
    }
    Ok(folder)
}

/// Reads what a worker prints, so that it never blocks on a full pipe.
async fn drain(mut from: impl AsyncRead + Unpin, stream: &'static str, pid: Option<u32>) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let text = String::from_utf8_lossy(bytes.get(..length).unwrap_or_default());
        tracing::debug!(pid, stream, text = %text.trim_end(), "a script's worker printed");
    }
}

impl Process {
    /// The worker has started: its files are not needed any more.
    pub fn forget_files(&mut self) {
        self.files = None;
    }

    /// Resident memory in bytes; `None` where the system does not tell.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    }

    fn kill(&self) {
        // There is no id once the leader is reaped; its group was killed before that.
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // A group that is gone already is what we want.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Kills the group and waits for the leader.
    pub async fn end(&mut self) -> Option<ExitStatus> {
        self.kill();
        self.child.wait().await.ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
