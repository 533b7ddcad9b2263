//! What the operator may set: the runtime and the size of the pool.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::ask::Verifier;
use crate::isolation::Isolation;

/// User and group of workers when nothing is set: `nobody` on every Linux.
pub const WORKER_UID: u32 = 65_534;

/// How many workers there are, how long they live and how long a call may take.
#[derive(Clone)]
pub struct PoolSettings {
    /// What runs the scripts of connections that ask for nothing else.
    pub runtime: Runtime,
    /// What a connection may ask for instead, by name.
    pub alternatives: Vec<Runtime>,
    /// The absolute path of the program that confines itself when it is started as
    /// `PROGRAM worker POLICY`: the server's own binary.
    pub launcher: PathBuf,
    /// User and group that workers become when the server is root; 0 keeps root. 65534.
    pub uid: u32,
    /// Workers that are held less well than this do not run. Anything will do.
    pub require_isolation: Isolation,
    /// Wall time of a call, time in the queue included. 20 s.
    pub timeout: Duration,
    /// Workers, and so calls in flight, of one connection. 4.
    pub workers_per_connection: usize,
    /// Workers of all connections together. 16; one spare comes on top.
    pub workers_total: usize,
    /// Calls that may wait for a worker of one connection. 100.
    pub queue_per_connection: usize,
    /// How long an unused worker is kept. 5 min.
    pub idle: Duration,
    /// How long any worker is kept. 1 h.
    pub max_age: Duration,
    /// How many calls a worker serves. 10 000.
    pub max_calls: u64,
    /// Who verifies passwords for scripts that ask; without one they are told that nobody does.
    pub verifier: Option<Verifier>,
}

impl PoolSettings {
    /// What runs a program's scripts; `None` when it asks for a runtime that is not here.
    pub(crate) fn runtime_of(&self, asked: Option<RuntimeName>) -> Option<&Runtime> {
        let Some(name) = asked else {
            return Some(&self.runtime);
        };
        let all = std::iter::once(&self.runtime).chain(&self.alternatives);
        all.into_iter().find(|runtime| runtime.name() == name)
    }

    /// The defaults, on a runtime.
    pub fn new(launcher: PathBuf, runtime: Runtime) -> Self {
        Self {
            runtime,
            alternatives: Vec::new(),
            launcher,
            uid: WORKER_UID,
            require_isolation: Isolation::RlimitsOnly,
            timeout: Duration::from_secs(20),
            workers_per_connection: 4,
            workers_total: 16,
            queue_per_connection: 100,
            idle: Duration::from_mins(5),
            max_age: Duration::from_hours(1),
            max_calls: 10_000,
            verifier: None,
        }
    }
}

/// The name of a runtime, in settings, options, logs and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeName {
    /// `embedded`.
    Embedded,
    /// `node`.
    Node,
}

impl RuntimeName {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Node => "node",
        }
    }
}

impl FromStr for RuntimeName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "node" => Ok(Self::Node),
            _ => Err("expected embedded or node"),
        }
    }
}

/// What runs the scripts.
#[derive(Clone, Debug)]
pub enum Runtime {
    /// The engine inside our own binary.
    Embedded(EmbeddedRuntime),
    /// The operator's Node.
    Node(NodeRuntime),
}

impl Runtime {
    /// Its name.
    pub const fn name(&self) -> RuntimeName {
        match self {
            Self::Embedded(_) => RuntimeName::Embedded,
            Self::Node(_) => RuntimeName::Node,
        }
    }

    /// The folder of what scripts may require.
    pub fn modules(&self) -> Option<&Path> {
        match self {
            Self::Embedded(embedded) => embedded.modules.as_deref(),
            Self::Node(node) => node.modules.as_deref(),
        }
    }
}

/// The embedded engine, and what the operator adds to the packages that it brings.
#[derive(Clone, Debug, Default)]
pub struct EmbeddedRuntime {
    /// The absolute path of the folder that holds the operator's bundles.
    pub modules: Option<PathBuf>,
}

/// Node 20 or newer, and the packages that scripts may require.
#[derive(Clone, Debug)]
pub struct NodeRuntime {
    /// The program, as an absolute path: workers have no `PATH` to find it by.
    /// [`NodeRuntime::locate`] turns a bare name into one.
    pub command: PathBuf,
    /// The absolute path of the folder that holds `node_modules`; without one, scripts can
    /// require Node's own modules only.
    pub modules: Option<PathBuf>,
}

impl NodeRuntime {
    /// The absolute path of a command: itself, or the first file of that name in `search_path`,
    /// which is written like the `PATH` variable.
    pub fn locate(command: &Path, search_path: &OsStr) -> Option<PathBuf> {
        if command.is_absolute() {
            return command.is_file().then(|| command.to_owned());
        }
        let folders = search_path.as_bytes().split(|byte| *byte == b':');
        folders
            .map(|folder| Path::new(OsStr::from_bytes(folder)).join(command))
            .find(|path| path.is_absolute() && path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_found_in_the_search_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node");
        std::fs::write(&file, "").unwrap();
        let mut search = std::ffi::OsString::from("/nonexistent::");
        search.push(folder.path());
        assert_eq!(
            NodeRuntime::locate(Path::new("node"), &search).as_ref(),
            Some(&file)
        );
        assert_eq!(NodeRuntime::locate(&file, OsStr::new("")), Some(file));
        assert_eq!(NodeRuntime::locate(Path::new("deno"), &search), None);
    }
}
