//! What runs action scripts in a measurement: the engine inside `ferry`, and Node beside it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use script::{EmbeddedRuntime, NodeRuntime, PoolSettings, Runtime, ScriptPool};
use tempfile::TempDir;
use testkit::open;

use crate::ferry::cpu_seconds;
use crate::setup::Setup;

/// The driver that scripts require here, as `tools/setup` bundled it for the embedded engine.
const DRIVER: &str = "pg@8.";
const GONE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

/// Both runtimes, and the packages that Node is to find.
pub struct Runtimes {
    /// The engine inside our own binary.
    pub embedded: Runtime,
    /// The operator's Node.
    pub node: Runtime,
    _packages: TempDir,
}

impl Runtimes {
    /// Finds Node, and lays the embedded engine's own bundle out as Node looks for packages: both
    /// run the same JavaScript.
    pub fn new() -> Result<Self> {
        let packages = TempDir::with_prefix("ferry-bench-")?;
        let staged = TempDir::new()?;
        std::fs::copy(bundle()?, staged.path().join("bundle.js"))?;
        // A bundle gives a function for each path inside its package.
        let index = "module.exports = require('./bundle.js')['']();";
        std::fs::write(staged.path().join("index.js"), index)?;
        open::copy(staged.path(), &packages.path().join("node_modules/pg"))?;
        open::to_all(packages.path())?;
        Ok(Self {
            embedded: Runtime::Embedded(EmbeddedRuntime::default()),
            node: Runtime::Node(NodeRuntime {
                command: node()?,
                modules: Some(packages.path().to_owned()),
            }),
            _packages: packages,
        })
    }
}

/// The bundle of the driver in the checkout that this program was built from.
fn bundle() -> Result<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let folder = checkout.context("a checkout")?.join(".local/packages");
    let missing = || format!("no {DRIVER}* in {}; run tools/setup", folder.display());
    for entry in std::fs::read_dir(&folder).with_context(missing)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(DRIVER) {
            return Ok(entry.path());
        }
    }
    anyhow::bail!(missing())
}

/// Node, as an absolute path.
pub fn node() -> Result<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a bench run is set up is not Ferry's configuration"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    NodeRuntime::locate(Path::new("node"), &path).context("no node in PATH")
}

/// Settings as they come, except that warm workers are not replaced while they are measured.
pub fn settings(setup: &Setup, runtime: &Runtime) -> PoolSettings {
    PoolSettings {
        max_calls: u64::MAX,
        ..PoolSettings::new(setup.ferry.clone(), runtime.clone())
    }
}

/// Ends a pool and waits until its last process is gone: a spare may still be starting.
pub async fn end(pool: ScriptPool) -> Result<()> {
    pool.shut_down().await;
    none_left().await
}

/// Waits until we have no child process.
pub async fn none_left() -> Result<()> {
    let started = Instant::now();
    while !children()?.is_empty() {
        ensure!(started.elapsed() < GONE, "workers stay");
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Our child processes.
pub fn children() -> Result<Vec<u32>> {
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Whoever ended meanwhile is no child of ours any more.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        if fields.split_whitespace().nth(1) == Some(own.as_str()) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// Processor time of these processes together.
pub fn cpu_of(pids: &[u32]) -> Result<f64> {
    pids.iter().copied().map(cpu_seconds).sum()
}
