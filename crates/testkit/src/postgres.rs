//! PostgreSQL for tests: one private cluster for many tests, one fresh database for each.
//!
//! `make test` starts a cluster for the whole run and names it in `FERRY_TEST_POSTGRES`. Without
//! that (`cargo test -p store`), each test process starts its own, which costs about a second.
//! Either way it is `tools/with-postgres` that knows how.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result, anyhow};

use crate::checkout;
use crate::held::Held;

/// A PostgreSQL cluster that nobody else uses.
pub struct Postgres {
    admin_url: String,
    ca_file: Option<PathBuf>,
    /// None when the cluster belongs to the whole test run.
    server: Option<Running>,
}

/// A cluster of our own, and what it answers.
struct Running {
    held: Held,
    answers: BufReader<ChildStdout>,
}

impl Postgres {
    /// The cluster of this test run, or else of this test process.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        let start = || match checkout::postgres_url() {
            Some(admin_url) => Ok(Self {
                admin_url,
                ca_file: None,
                server: None,
            }),
            None => Self::start().map_err(|error| format!("{error:#}")),
        };
        SHARED
            .get_or_init(start)
            .as_ref()
            .map_err(|error| anyhow!("{error}"))
    }

    /// A cluster for this value alone, for tests that stop or burden the server.
    pub fn start() -> Result<Self> {
        Self::start_with(&["--hold"])
    }

    /// Like [`start`](Self::start), with the durability of a real server: for measurements.
    pub fn start_durable() -> Result<Self> {
        Self::start_with(&["--durable", "--hold"])
    }

    /// A cluster that takes SCRAM over TLS and nothing else; its certificate, for `localhost` and
    /// `127.0.0.1`, is signed by [`ca_file`](Self::ca_file).
    pub fn start_tls() -> Result<Self> {
        let command = &mut checkout::tool("with-postgres");
        let (held, admin_url, mut answers) = Held::start(command.args(["--tls", "--hold"]))?;
        let mut ca_file = String::new();
        answers.read_line(&mut ca_file)?;
        Ok(Self {
            admin_url,
            ca_file: Some(PathBuf::from(ca_file.trim_end())),
            server: Some(Running { held, answers }),
        })
    }

    /// The certificate of the authority of a cluster with TLS, as PEM.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    fn start_with(arguments: &[&str]) -> Result<Self> {
        let (held, admin_url, answers) =
            Held::start(checkout::tool("with-postgres").args(arguments))?;
        Ok(Self {
            admin_url,
            ca_file: None,
            server: Some(Running { held, answers }),
        })
    }

    /// A crash of a cluster of one's own: the server ends with nothing finished, and comes back on
    /// the same port once it has recovered.
    pub fn crash(&mut self) -> Result<()> {
        let server = self.server.as_mut().context("a cluster of one's own")?;
        server.held.tell("restart")?;
        let mut answer = String::new();
        server.answers.read_line(&mut answer)?;
        anyhow::ensure!(answer == "restarted\n", "the cluster did not come back");
        Ok(())
    }

    /// A new, empty database whose files lie under this folder; for root, who may give folders
    /// away.
    pub fn database_in(&self, folder: &Path) -> Result<Database> {
        let place = folder.join("tablespace");
        std::fs::create_dir(&place)?;
        // The account that `tools/with-postgres` runs the server as.
        let given = ["postgres", "nobody"].into_iter().any(|account| {
            let command = &mut Command::new("chown");
            checkout::output_of(command.arg(account).arg(&place)).is_ok()
        });
        anyhow::ensure!(given, "{} stays ours", place.display());
        let path = place.display();
        psql(
            &self.admin_url,
            &[&format!("create tablespace elsewhere location '{path}'")],
        )?;
        self.new_database(" tablespace elsewhere")
    }

    /// The superuser's URL.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// A new, empty database, owned by a new role that may do nothing else.
    pub fn database(&self) -> Result<Database> {
        self.new_database("")
    }

    fn new_database(&self, place: &str) -> Result<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Test processes share a cluster, so the process is part of the name.
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        let at = self
            .admin_url
            .rsplit_once('@')
            .context("a URL with a user")?
            .1;
        let server = at.split_once('/').context("a URL with a database")?.0;
        let database = Database {
            url: format!("postgres://{name}:secret@{server}/{name}"),
            admin_url: self.admin_url.clone(),
            name,
        };
        database.create(place)?;
        Ok(database)
    }
}

/// A database of its own; dropping the value drops it, whoever is still connected.
pub struct Database {
    name: String,
    url: String,
    admin_url: String,
}

impl Database {
    fn create(&self, place: &str) -> Result<()> {
        let name = &self.name;
        // template0: nobody can be connected to it, which would make CREATE DATABASE fail.
        self.admin(&[
            &format!("create role {name} login password 'secret'"),
            &format!("create database {name} owner {name} template template0{place}"),
        ])?;
        Ok(())
    }

    /// `postgres://user:password@127.0.0.1:port/name`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:port`, as a rule about hosts names it.
    pub fn address(&self) -> &str {
        let after_user = self.url.rsplit_once('@').map_or("", |(_, at)| at);
        after_user.split('/').next().unwrap_or_default()
    }

    /// The database's name, which is also its owner's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL as the owner; gives rows as lines and columns separated by `|`.
    pub fn psql(&self, sql: &str) -> Result<String> {
        psql(&self.url, &[sql])
    }

    /// What `pg_dump` writes of some tables, as plain SQL.
    pub fn dump(&self, tables: &[&str]) -> Result<String> {
        let mut command = Command::new("pg_dump");
        command.arg("--no-owner");
        for table in tables {
            command.arg(format!("--table={table}"));
        }
        checkout::output_of(command.arg(&self.url))
    }

    /// An outage: ends all connections and refuses new ones.
    pub fn stop(&self) -> Result<()> {
        let name = &self.name;
        self.admin(&[
            &format!("alter database {name} allow_connections false"),
            &format!(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
            ),
        ])?;
        Ok(())
    }

    /// The end of an outage.
    pub fn resume(&self) -> Result<()> {
        self.admin(&[&format!(
            "alter database {} allow_connections true",
            self.name
        )])?;
        Ok(())
    }

    /// How many statements this database has been sent so far, by anybody.
    pub fn statements(&self) -> Result<u64> {
        let sql = format!(
            "select coalesce(sum(calls), 0) from pg_stat_statements join pg_database on oid = dbid \
             where datname = '{}'",
            self.name
        );
        Ok(self.admin(&[&sql])?.parse()?)
    }

    fn admin(&self, statements: &[&str]) -> Result<String> {
        psql(&self.admin_url, statements)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        // Too late to tell anybody; a cluster that is gone has taken the database along.
        let _ignored = self.admin(&[
            &format!("drop database if exists {name} with (force)"),
            &format!("drop role if exists {name}"),
        ]);
    }
}

/// Each statement on its own: CREATE DATABASE refuses to be part of a transaction.
fn psql(url: &str, statements: &[&str]) -> Result<String> {
    let mut command = Command::new("psql");
    command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", url]);
    for statement in statements {
        command.args(["-c", statement]);
    }
    checkout::output_of(&mut command)
}
