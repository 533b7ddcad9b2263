//! An engine on a database of its own, with one plain connection, for import tests.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::clock::ManualClock;
use domain::page::Page;
use domain::secret::Key32;
use domain::{Connection, ConnectionId, Entropy, ImportJob, JobId, Json, User};
use engine::import::ImportRequest;
use engine::{Context, Engine, Result, Settings};
use store::{Store, UserFilter, UserSort};
use tempfile::TempDir;
use testkit::{Database, Postgres};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Runs the tests named on both databases.
#[macro_export]
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::import_rig::Kind::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::import_rig::Kind::Postgres).await;
            })+
        }
    };
}

pub struct Random(AtomicU64);

impl Entropy for Random {
    fn fill(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(8) {
            // SplitMix64.
            let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            part.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..part.len()]);
        }
    }
}

pub struct Rig {
    pub engine: Arc<Engine>,
    pub clock: Arc<ManualClock>,
    pub connection: ConnectionId,
    pub dir: Arc<TempDir>,
    pub database: Option<Arc<Database>>,
    worker: Option<(JoinHandle<()>, CancellationToken)>,
}

/// The secret of the old application, as every rig's connection holds it.
pub const PEPPER: &str = "p3pper";

/// 2027-01-15: file times lie before it.
const NOW: i64 = 1_800_000_000_000;

impl Rig {
    pub async fn open(kind: Kind) -> Self {
        Self::open_with(kind, |_| {}).await
    }

    pub async fn open_with(kind: Kind, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let database = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Arc::new(Postgres::shared().unwrap().database().unwrap())),
        };
        let engine = start(&dir, database.as_deref(), NOW, change).await;
        let connection = Connection {
            id: ConnectionId::generate(&*engine.0.entropy),
            name: "legacy".into(),
            display_name: None,
            realms: vec!["legacy".into()],
            options: Json::new(),
            configuration: [("PASSWORD_PEPPER".to_owned(), PEPPER.into())].into(),
            metadata: Json::new(),
            attributes: Json::new(),
            enabled_clients: vec!["some-client".into()],
            version: 1,
        };
        let mut write = engine.0.store.write();
        write
            .insert_connection(&connection, engine.0.now())
            .unwrap();
        engine.0.store.commit(write).await.unwrap();
        Self {
            engine: engine.0,
            clock: engine.1,
            connection: connection.id,
            dir,
            database,
            worker: None,
        }
    }

    /// Another process on the same database and folder.
    pub async fn reopen(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let now = self.engine.now().millis();
        let engine = start(&self.dir, self.database.as_deref(), now, change).await;
        Self {
            engine: engine.0,
            clock: engine.1,
            connection: self.connection.clone(),
            dir: Arc::clone(&self.dir),
            database: self.database.clone(),
            worker: None,
        }
    }

    pub fn request(&self) -> ImportRequest {
        ImportRequest {
            connection: self.connection.to_string(),
            upsert: false,
            external_id: None,
            send_completion_email: false,
            options: domain::ImportOptions::default(),
            idempotency_key: None,
        }
    }

    pub async fn accept(&self, file: &[u8], request: ImportRequest) -> Result<ImportJob> {
        let mut spool = self.engine.open_spool().await?;
        for part in file.chunks(700_001) {
            spool.write(Bytes::copy_from_slice(part)).await?;
        }
        self.engine
            .accept_import(&Context::default(), request, spool)
            .await
    }

    /// Starts the workers, as a server would.
    pub fn work(&mut self) {
        let stop = CancellationToken::new();
        let worker = Arc::clone(&self.engine).run_import_jobs(stop.clone());
        self.worker = Some((tokio::spawn(worker), stop));
    }

    /// Stops the workers in order.
    pub async fn rest(&mut self) {
        let (worker, stop) = self.worker.take().unwrap();
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(30), worker)
            .await
            .unwrap()
            .unwrap();
    }

    /// Stops the workers as a crash does: wherever they are, the lease kept.
    pub async fn crash(&mut self) {
        let (worker, _) = self.worker.take().unwrap();
        worker.abort();
        let _ = worker.await;
    }

    pub async fn job(&self, id: &JobId) -> ImportJob {
        self.engine.find_job(id).await.unwrap()
    }

    pub async fn ended(&self, id: &JobId) -> ImportJob {
        self.until(id, |job| job.status.is_final()).await
    }

    pub async fn until(&self, id: &JobId, is: impl Fn(&ImportJob) -> bool) -> ImportJob {
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(job) = self.engine.find_job(id).await
                && is(&job)
            {
                return job;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "job {id} does not get on"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Accepts a file, works, waits for the end.
    pub async fn import(&mut self, file: &[u8]) -> ImportJob {
        let request = self.request();
        self.import_as(file, request).await
    }

    pub async fn import_as(&mut self, file: &[u8], request: ImportRequest) -> ImportJob {
        let job = self.accept(file, request).await.unwrap();
        if self.worker.is_none() {
            self.work();
        }
        self.ended(&job.id).await
    }

    /// The report: number, code, path, message, a line for each error.
    pub async fn report(&self, id: &JobId) -> String {
        let rows = self
            .engine
            .list_row_errors_after(id, 0, 100_000)
            .await
            .unwrap();
        let lines = rows.iter().flat_map(|row| {
            row.errors
                .iter()
                .map(|e| format!("{} {} [{}] {}", row.row, e.code.as_str(), e.path, e.message))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    pub async fn users(&self) -> Vec<User> {
        let filter = UserFilter::Connection(self.connection.clone());
        let mut users = Vec::new();
        loop {
            let page = Page {
                number: u32::try_from(users.len() / 1000).unwrap(),
                size: 1000,
            };
            let listing = self
                .engine
                .store
                .list_users(&filter, UserSort::UserId, false, page);
            let items = listing.await.unwrap().items;
            let is_last = items.len() < 1000;
            users.extend(items);
            if is_last {
                return users;
            }
        }
    }

    /// What an end state is compared by: everything but times and internal numbers.
    pub async fn state(&self) -> Vec<String> {
        let shown = |user: &User| {
            format!(
                "{} {:?} {:?} v{}",
                user.user_id, user.attributes, user.factors, user.version
            )
        };
        self.users().await.iter().map(shown).collect()
    }

    /// Whether none is left: a job's file goes right after the job's end is committed.
    pub async fn has_no_uploads(&self) -> bool {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while self.uploads() > 0 && std::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.uploads() == 0
    }

    /// Uploads that are still kept.
    pub fn uploads(&self) -> usize {
        match &self.database {
            None => std::fs::read_dir(self.dir.path().join("spool")).map_or(0, Iterator::count),
            Some(database) => database
                .psql("select count(*) from spool_chunks")
                .unwrap()
                .trim()
                .parse()
                .unwrap(),
        }
    }
}

async fn start(
    dir: &TempDir,
    database: Option<&Database>,
    now: i64,
    change: impl FnOnce(&mut Settings),
) -> (Arc<Engine>, Arc<ManualClock>) {
    let key = Key32::from([7; 32]);
    let store = match database {
        None => Store::open_sqlite(&dir.path().join("ferry.db"), &key)
            .await
            .unwrap(),
        Some(database) => Store::open_postgres(database.url(), 8, &key).await.unwrap(),
    };
    let issuer = oidc::Issuer::parse("https://ferry.example/").unwrap();
    let mut settings = Settings::new(issuer, dir.path().to_owned());
    settings.import.batch_rows = 50;
    change(&mut settings);
    let node = script::NodeRuntime {
        command: "/nowhere/node".into(),
        modules: None,
    };
    let scripts = script::PoolSettings::new("/nowhere/ferry".into(), script::Runtime::Node(node));
    let clock = Arc::new(ManualClock::at(now));
    let seed = RandomState::new().hash_one(std::process::id());
    let entropy = Arc::new(Random(AtomicU64::new(seed)));
    let engine = Engine::new(store, settings, scripts, clock.clone(), entropy)
        .await
        .unwrap();
    (Arc::new(engine), clock)
}

/// A file of `count` users as an array; ids, addresses and names follow from the number.
pub fn file(count: usize) -> Vec<u8> {
    let rows: Vec<String> = (1..=count).map(row).collect();
    format!("[{}]", rows.join(",\n")).into_bytes()
}

pub fn row(number: usize) -> String {
    format!(
        r#"{{"user_id":"{number:07}","email":"User{number}@Example.com","email_verified":true,"name":"User {number}","username":"u{number}","user_metadata":{{"number":{number},"tags":["a","b"]}},"app_metadata":{{"plan":"pro"}},"password_hash":"$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"}}"#
    )
}
