//! The real `ferry` binary as a child process: started, asked, killed, started again.
//!
//! It sees a clean environment (`PATH` and what the test sets), a data folder of its own and a port
//! that was free. Killing it is what it is for: nothing is flushed, nothing is said, and a restart
//! meets the same folder, the same port and the same database.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::api::Api;
use crate::{checkout, open};

/// A debug build that migrates a database on a busy machine takes a while.
const START: Duration = Duration::from_mins(1);
const END: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

const CLIENT_ID: &str = "test-bootstrap";
const CLIENT_SECRET: &str = "test-bootstrap-secret-0123456789abcdef";

/// What the server is to be started with.
#[derive(Clone)]
pub struct ServerBuilder {
    binary: PathBuf,
    environment: Vec<(OsString, OsString)>,
    packages: Option<PathBuf>,
    host: &'static str,
}

impl ServerBuilder {
    /// Keeps Ferry's own data in this PostgreSQL database rather than in a file.
    #[must_use]
    pub fn database_url(self, url: &str) -> Self {
        self.env("FERRY_DATABASE_URL", url)
    }

    /// Sets a variable of the server's environment, over what the test kit would set.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Names the server `localhost`, not by its number: browsers make passkeys for names only.
    #[must_use]
    pub const fn on_localhost(mut self) -> Self {
        self.host = "localhost";
        self
    }

    /// Lets scripts require the packages of a `node_modules` folder. The server gets a copy that
    /// its workers, who are another user, can read wherever the original lies.
    #[must_use]
    pub fn node_modules(mut self, folder: PathBuf) -> Self {
        self.packages = Some(folder);
        self
    }

    /// Starts the server and waits until it says that it is ready.
    pub async fn start(self) -> Result<Server> {
        let folder = TempDir::with_prefix("ferry-test-")?;
        // Workers run as another user and find their runner and packages in it.
        open::to_all(folder.path())?;
        if let Some(packages) = &self.packages {
            open::copy(packages, &folder.path().join("modules/node_modules"))?;
        }
        let mut server = Server {
            settings: self,
            folder,
            port: 0,
            child: None,
        };
        let mut tries = 3;
        loop {
            server.port = checkout::free_port()?;
            tries -= 1;
            match server.launch().await {
                // Somebody else took the port between our look and the server's bind.
                Err(_) if tries > 0 && server.log().contains("in use") => {}
                outcome => return outcome.map(|()| server),
            }
        }
    }
}

/// A `ferry` process and its data folder; dropping the value kills the one and removes the other.
pub struct Server {
    settings: ServerBuilder,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Prepares a server: `Server::builder(env!("CARGO_BIN_EXE_ferry")).start().await?`.
    pub fn builder(binary: impl Into<PathBuf>) -> ServerBuilder {
        ServerBuilder {
            binary: binary.into(),
            environment: Vec::new(),
            packages: None,
            host: "127.0.0.1",
        }
    }

    /// `http://127.0.0.1:port`, or of the name it was given, without a slash at the end.
    pub fn public_url(&self) -> String {
        format!("http://{}:{}", self.settings.host, self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url())
    }

    /// The folder that holds the server's data across restarts.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A client of this server with the bootstrap application's rights. It stays good across
    /// restarts.
    pub fn api(&self) -> Result<Api> {
        Api::new(&self.public_url(), CLIENT_ID, CLIENT_SECRET)
    }

    /// Everything the server has printed, over all its lives.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// SIGKILL: the server gets no chance to finish anything.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// SIGTERM: the server finishes what it is doing. Gives back how it ended.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        let mut child = self.child.take().context("the server does not run")?;
        checkout::output_of(Command::new("kill").args(["-TERM", &child.id().to_string()]))?;
        let deadline = Instant::now() + END;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            sleep(POLL).await;
        }
        child.kill()?;
        child.wait()?;
        bail!("the server did not end on SIGTERM\n{}", self.log());
    }

    /// Starts the server again on the same port with the same data, killing it if it still runs.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.launch().await
    }

    /// The same with other variables, which stay for later restarts.
    pub async fn restart_with(&mut self, name: &str, value: &str) -> Result<()> {
        self.settings.environment.push((name.into(), value.into()));
        self.restart().await
    }

    fn modules(&self) -> Option<PathBuf> {
        let folder = self.folder.path().join("modules");
        self.settings.packages.as_ref().map(|_| folder)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    async fn launch(&mut self) -> Result<()> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())?;
        let child = Command::new(&self.settings.binary)
            .arg("serve")
            .env_clear()
            .env("PATH", checkout::path())
            // What a killed server leaves behind goes away with the folder.
            .env("TMPDIR", self.folder.path())
            .env("FERRY_DATA_DIR", self.data_dir())
            .envs(
                self.modules()
                    .map(|folder| ("FERRY_SCRIPTS_MODULES", folder)),
            )
            .env("FERRY_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("FERRY_PUBLIC_URL", self.public_url())
            .env("FERRY_BOOTSTRAP_CLIENT_ID", CLIENT_ID)
            .env("FERRY_BOOTSTRAP_CLIENT_SECRET", CLIENT_SECRET)
            .envs(
                self.settings
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| self.settings.binary.display().to_string())?;
        self.child = Some(child);
        self.ready().await
    }

    async fn ready(&mut self) -> Result<()> {
        let api = self.api()?;
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            let ended = self
                .child
                .as_mut()
                .map(Child::try_wait)
                .transpose()?
                .flatten();
            if let Some(status) = ended {
                self.child = None;
                bail!("the server ended at start: {status}\n{}", self.log());
            }
            if api.is_ready().await {
                return Ok(());
            }
            sleep(POLL).await;
        }
        bail!("the server did not become ready\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Too late to tell anybody.
        let _ignored = self.kill();
    }
}
