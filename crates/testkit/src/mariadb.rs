//! MariaDB for tests: one private server per value, with one empty database and one account.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::checkout;
use crate::held::Held;

#[derive(Deserialize)]
struct Started {
    port: u16,
    ca: PathBuf,
    socket: PathBuf,
    user: String,
    password: String,
    database: String,
}

/// A MariaDB server that nobody else uses. Dropping it is an outage: its port refuses connections.
pub struct MariaDb {
    started: Started,
    _server: Held,
}

impl MariaDb {
    /// Starts a server; takes about three seconds.
    pub fn start() -> Result<Self> {
        let mut command = checkout::python()?;
        command.arg(checkout::top().join("crates/testkit/private_server.py"));
        let (server, first, _) = Held::start(command.arg("mariadb"))?;
        let started = serde_json::from_str(&first).context("the server's first line")?;
        Ok(Self {
            started,
            _server: server,
        })
    }

    /// `mysql://user:password@127.0.0.1:port/database`, as drivers take it.
    pub fn url(&self) -> String {
        let Started {
            port,
            user,
            password,
            database,
            ..
        } = &self.started;
        format!("mysql://{user}:{password}@127.0.0.1:{port}/{database}")
    }

    /// The certificate of the authority that signed the server's, for `localhost` and
    /// `127.0.0.1`, as PEM.
    pub fn ca_file(&self) -> &Path {
        &self.started.ca
    }

    /// Runs SQL as the superuser in the account's database; gives rows as lines, columns
    /// separated by tabs.
    pub fn sql(&self, sql: &str) -> Result<String> {
        let mut client = self.client();
        checkout::output_of(client.args(["--execute", sql]))
    }

    /// Runs a file of SQL, of any length.
    pub fn run_file(&self, sql: &str) -> Result<()> {
        let mut client = self.client().stdin(Stdio::piped()).spawn()?;
        let mut input = client.stdin.take().context("no pipe")?;
        std::io::Write::write_all(&mut input, sql.as_bytes())?;
        drop(input);
        let status = client.wait()?;
        if !status.success() {
            bail!("mariadb: {status}");
        }
        Ok(())
    }

    /// What `mariadb-dump` writes of the whole database.
    pub fn dump(&self) -> Result<String> {
        let mut command = Command::new("mariadb-dump");
        command
            .args(["--no-defaults", "--user=root"])
            .arg(format!("--socket={}", self.started.socket.display()))
            .arg(&self.started.database);
        checkout::output_of(&mut command)
    }

    fn client(&self) -> Command {
        let mut command = Command::new("mariadb");
        command
            .args(["--no-defaults", "--user=root", "--batch", "--raw"])
            .args(["--skip-column-names", "--default-character-set=utf8mb4"])
            .arg(format!("--socket={}", self.started.socket.display()))
            .arg(&self.started.database);
        command
    }
}
