//! The process of a worker: how it is started, how large it is, how it is ended.
//!
//! It gets one socket as its standard input, pipes that are read and thrown away, an empty environment
//! and a process group of its own. It is ended by killing that group, so that nothing a script
//! started outlives it. The group is always killed *before* the leader is reaped: until then its
//! number cannot belong to anybody else.
//!
//! What is started is our own binary in its `worker` stage (the crate `sandbox`): it gives up what
//! scripts must not have, then becomes the runtime. The stage takes its parent's death signal, which
//! comes when the *thread* that forked ends: processes are therefore started on the runtime's own
//! threads, not on the pool for blocking work, whose threads end after ten idle seconds.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as Socket;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;
use tokio::process::Child;

use crate::policy::{Guest, Policy};
use crate::settings::{PoolSettings, Runtime};

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

/// A running worker process. Dropping it kills its whole group.
pub struct Process {
    child: Child,
    /// The runner's files, where there are any; may go as soon as the worker has read them.
    files: Option<TempDir>,
}

/// Starts a process that may connect to these TCP ports only, if some are given; gives it and our
/// end of its socket.
pub fn launch(
    settings: &PoolSettings,
    runtime: &Runtime,
    ports: Option<Vec<u16>>,
) -> io::Result<(Process, UnixStream)> {
    let (guest, files) = guest(runtime)?;
    let policy = Policy {
        guest,
        host: std::process::id(),
        uid: settings.uid,
        ports,
        require: settings.require_isolation,
    };
    let (ours, theirs) = Socket::pair()?;
    ours.set_nonblocking(true)?;
    let ours = UnixStream::from_std(ours)?;
    let mut command = stage(&settings.launcher, &policy)?;
    command
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command)
        .spawn()
        .map_err(|error| {
            let message = format!("{}: {error}", settings.launcher.display());
            io::Error::new(error.kind(), message)
        })?;
    let pid = child.id();
    if let Some(stream) = child.stdout.take() {
        tokio::spawn(drain(stream, "stdout", pid));
    }
    if let Some(stream) = child.stderr.take() {
        tokio::spawn(drain(stream, "stderr", pid));
    }
    Ok((Process { child, files }, ours))
}

/// The command line of a confined process.
pub fn stage(launcher: &Path, policy: &Policy) -> io::Result<Command> {
    let mut command = Command::new(launcher);
    command
        .arg("worker")
        .arg(serde_json::to_string(policy)?)
        .env_clear()
        // The allocator of our binary begins by taking a gigabyte, before anybody can bound it: here
        // it must ask for each part, so that the system can refuse one. Node does not inherit this.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .current_dir("/")
        .process_group(0);
    Ok(command)
}

/// What the worker becomes, and the files that it needs for that.
fn guest(runtime: &Runtime) -> io::Result<(Guest, Option<TempDir>)> {
    let modules = runtime.modules();
    check_absolute(modules)?;
    let modules = modules.map(Path::to_owned);
    match runtime {
        Runtime::Embedded(_) => Ok((Guest::Embedded { modules }, None)),
        Runtime::Node(node) => {
            check_absolute(Some(&node.command))?;
            let files = write_runner()?;
            let guest = Guest::Node {
                command: node.command.clone(),
                runner: files.path().join("runner.cjs"),
                modules,
            };
            Ok((guest, Some(files)))
        }
    }
}

fn check_absolute(path: Option<&Path>) -> io::Result<()> {
    match path {
        Some(path) if !path.is_absolute() => {
            let message = format!("{} is not an absolute path", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
        _ => Ok(()),
    }
}

/// Writes the runner where the workers' user can read it and nobody else can write. It is no secret.
fn write_runner() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("ferry-runner-").tempdir()?;
    // Whatever the mask of the process is.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    for (name, text) in RUNNER {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
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

    /// Whether the leader has not ended. Only looks: it is reaped after its group was killed.
    pub fn is_alive(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let is_running = |id| matches!(waitid(WaitId::Pid(id), options), Ok(None));
        self.id().is_some_and(is_running)
    }

    /// There is no id once the leader is reaped.
    fn id(&self) -> Option<Pid> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        id.and_then(Pid::from_raw)
    }

    fn kill(&self) {
        // What has no id was killed before it was reaped.
        if let Some(group) = self.id() {
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
