//! The single place where all parts meet: folder, key, store, scripts, engine. Also where the
//! system's clock and randomness come from.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use domain::secret::Key32;
use domain::{Clock, Entropy, Instant};
use engine::Engine;
use script::{EmbeddedRuntime, NodeRuntime, PoolSettings, Runtime, RuntimeName};
use store::Store;

use crate::config::{Config, Database, ScriptConfig};
use crate::isolation;
use crate::outbound::{self, Outward};

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one clock of the process")]
    fn now(&self) -> Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Instant::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// The system's randomness.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            // Without randomness every id and salt would be guessable: better no process.
            tracing::error!(%error, "the system gives no randomness");
            std::process::abort();
        }
    }
}

/// How often and how long a lock is waited for.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Holds data folder and database for one process, as long as it lives.
pub struct Claim(#[expect(dead_code, reason = "held, not read")] Vec<File>);

/// Puts everything together.
pub async fn engine(config: &Config) -> Result<(Engine, Claim)> {
    let claim = claim(config).await?;
    let key = match &config.master_key {
        Some(key) => Key32::from(*key.expose()),
        None => master_key(&config.data_dir.join("master.key"))?,
    };
    let store = open_store(config, &key)
        .await
        .context("the store could not be opened")?;
    let scripts = pool_settings(&config.scripts);
    let settings = engine::Settings {
        own_database: own_database(&config.database).await?,
        ..config.engine.clone()
    };
    let reach = oidc::relying_party::Reach::of(&settings.issuer);
    let roots = match &config.outbound_roots {
        Some(path) => outbound::roots_in(path)?,
        None => Vec::new(),
    };
    let outward = Outward::new(reach, settings.own_database.clone(), roots)?;
    let engine = Engine::new(
        store,
        settings,
        scripts,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
    )
    .await?;
    Ok((engine.reaching_by(Arc::new(outward)), claim))
}

async fn open_store(config: &Config, key: &Key32) -> Result<Store> {
    Ok(match &config.database {
        Database::Sqlite(path) => Store::open_sqlite(path, key).await?,
        Database::Postgres(url) => {
            Store::open_postgres(url.expose(), config.database_connections, key).await?
        }
    })
}

/// Where the server keeps its users, as far as a script could reach it.
async fn own_database(database: &Database) -> Result<Vec<SocketAddr>> {
    let Database::Postgres(url) = database else {
        return Ok(Vec::new());
    };
    let mut addresses = Vec::new();
    for (host, port) in store::postgres_hosts(url.expose())? {
        addresses.extend(tokio::net::lookup_host((host, port)).await?);
    }
    Ok(addresses)
}

fn make_folder(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the folder {} could not be made", path.display()))
}

/// Makes the data folder and claims it, and the embedded database too: two servers on one would
/// each believe to be its only writer. On PostgreSQL servers may share a folder for the key.
async fn claim(config: &Config) -> Result<Claim> {
    make_folder(&config.data_dir)?;
    let folder = config.data_dir.join("lock");
    match &config.database {
        Database::Postgres(_) => Ok(Claim(vec![lock(&folder, File::try_lock_shared).await?])),
        Database::Sqlite(path) => {
            if let Some(parent) = path.parent() {
                make_folder(parent)?;
            }
            let beside = path.with_extension("lock");
            let folder = lock(&folder, File::try_lock).await?;
            Ok(Claim(vec![folder, lock(&beside, File::try_lock).await?]))
        }
    }
}

/// Locks a file. A server that was killed may leave the lock to a script worker that is just
/// starting, for the blink of an eye: so it is tried for a while.
async fn lock(path: &Path, how: fn(&File) -> Result<(), TryLockError>) -> Result<File> {
    let shown = path.display();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{shown} is not writable"))?;
    for _ in 0..LOCK_TRIES {
        match how(&file) {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    bail!("another Ferry holds {shown}")
}

/// Reads 64 hexadecimal digits.
pub(crate) fn parse_master_key(text: &str) -> Option<Key32> {
    let mut key = [0_u8; 32];
    hex::decode_to_slice(text.trim(), &mut key).ok()?;
    Some(Key32::from(key))
}

/// The key of the data folder, made at the first start.
fn master_key(path: &Path) -> Result<Key32> {
    if !path.exists() {
        let mut key = [0_u8; 32];
        SystemEntropy.fill(&mut key);
        write_private(path, &hex::encode(key))?;
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the master key {} can't be read", path.display()))?;
    parse_master_key(&text).with_context(|| {
        format!(
            "the master key {} is not 64 hexadecimal digits",
            path.display()
        )
    })
}

/// Writes a file that only we may read, all of it or nothing; an existing one stays.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let partial = path.with_extension(format!("new{}", std::process::id()));
    let mut file = File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // A link fails when the name is taken: of two processes that start at once, the first one wins.
    let linked = std::fs::hard_link(&partial, path);
    std::fs::remove_file(&partial)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        other => other.with_context(|| format!("{} can't be written", path.display()))?,
    }
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// What the pool of script workers takes.
pub(crate) fn pool_settings(config: &ScriptConfig) -> PoolSettings {
    let modules = config
        .modules
        .as_ref()
        .map(|path| std::path::absolute(path).unwrap_or(path.clone()));
    let embedded = Runtime::Embedded(EmbeddedRuntime {
        modules: modules.clone(),
    });
    let command = NodeRuntime::locate(&config.node, &config.search_path);
    let is_there = command.is_some();
    let node = Runtime::Node(NodeRuntime {
        command: command.unwrap_or_else(|| config.node.clone()),
        modules,
    });
    let (runtime, alternative) = match config.runtime {
        RuntimeName::Embedded => (embedded, is_there.then_some(node)),
        RuntimeName::Node => (node, Some(embedded)),
    };
    if config.runtime == RuntimeName::Node && !is_there {
        tracing::warn!(node = %config.node.display(), "no Node found: action scripts will not run");
    }
    PoolSettings {
        alternatives: alternative.into_iter().collect(),
        timeout: config.timeout,
        workers_per_connection: config.workers_per_connection,
        workers_total: match (config.workers_total, config.runtime) {
            (0, RuntimeName::Embedded) => 64,
            (0, RuntimeName::Node) => 16,
            (total, _) => total,
        },
        uid: config.uid,
        require_isolation: config.require_isolation,
        ..PoolSettings::new(isolation::launcher(), runtime)
    }
}
