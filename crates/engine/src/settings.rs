//! What an operator can set, as the engine needs it. `server::config` reads and documents it.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of the engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer.
    pub issuer: oidc::Issuer,
    /// Where the embedded store, the spool and undelivered mail live.
    pub data_dir: PathBuf,
    /// How new passwords are hashed.
    pub scheme: password::Scheme,
    /// Ceilings of imported hashes.
    pub hash_limits: password::Limits,
    /// Whether fast imported hashes are put under a slow one in the background.
    pub wrap_imported: bool,
    /// Passwords hashed at the same time.
    pub hash_threads: usize,
    /// Seconds that a token lives when its API says nothing.
    pub token_lifetime: i64,
    /// How long a signing key signs; half of it passes before the next one is published.
    pub key_lifetime: Duration,
    /// The connection of the plain `password` grant.
    pub default_directory: Option<String>,
    /// The audience of a request that names none.
    pub default_audience: Option<String>,
    /// Whether sign-up tells that a user exists (`enable_public_signup_user_exists_error`).
    pub signup_tells_existing: bool,
    /// Failed attempts on one account from one address before it is blocked.
    pub max_attempts: i64,
    /// How long such a block lasts.
    pub attempts_window: Duration,
    /// Leaked passwords, a file or a folder; see `leaked_passwords`.
    pub leaked_passwords: Option<PathBuf>,
    /// Import settings.
    pub import: ImportSettings,
    /// How long the file of an export can be fetched.
    pub export_lifetime: Duration,
    /// Where mail about jobs goes.
    pub admin_email: Option<String>,
    /// How mail leaves.
    pub mail: MailSettings,
    /// How long a browser session lives without being of use.
    pub session_idle: Duration,
    /// How long it lives in any case, from the last time that somebody proved who they are.
    pub session_lifetime: Duration,
    /// Whether a browser keeps its session when it is closed.
    pub session_persistent: bool,
    /// How long log events are kept.
    pub log_retention: Duration,
    /// Addresses of the server's own database, which no script reaches unless a rule names them.
    pub own_database: Vec<std::net::SocketAddr>,
}

/// Settings of import jobs.
#[derive(Clone, Debug)]
pub struct ImportSettings {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Most that a packed file may hold once it is unpacked, in bytes.
    pub max_unpacked_bytes: u64,
    /// Largest row, in bytes.
    pub max_row_bytes: usize,
    /// Largest `user_metadata` and `app_metadata` of a row, in bytes.
    pub max_metadata_bytes: usize,
    /// The documented limits: 512,000 bytes, two jobs.
    pub auth0_compatible_limits: bool,
    /// Rows of a batch.
    pub batch_rows: usize,
    /// How long a worker may be silent before another takes its job.
    pub lease: Duration,
    /// How long ended jobs are kept.
    pub retention: Duration,
    /// How long the errors of ended jobs are kept; never longer than the jobs.
    pub errors_retention: Duration,
    /// How long failed rows are kept as they were sent, under seal; never longer than the errors.
    pub failed_rows_retention: Duration,
    /// How long an upload is kept that nobody goes on with or makes a job of.
    pub uploads_retention: Duration,
}

impl ImportSettings {
    /// The documented size of a request, 500 KiB.
    const COMPATIBLE_BYTES: u64 = 512_000;

    /// The largest file that is taken in.
    pub fn largest_file(&self) -> u64 {
        self.bounded(self.max_bytes)
    }

    /// Most that a packed file may hold.
    pub fn largest_unpacked(&self) -> u64 {
        self.bounded(self.max_unpacked_bytes)
    }

    fn bounded(&self, bytes: u64) -> u64 {
        if self.auth0_compatible_limits {
            bytes.min(Self::COMPATIBLE_BYTES)
        } else {
            bytes
        }
    }
}

/// How mail leaves the house.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The sender.
    pub from: String,
    /// SMTP server, `smtp://user:password@host:port`, `smtps://…`; a file drop when absent.
    pub smtp_url: Option<String>,
    /// Whether sent mails are kept for the viewer. Only for development.
    pub viewer: bool,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            max_bytes: 5 << 30,
            max_unpacked_bytes: 50 << 30,
            max_row_bytes: 1 << 20,
            max_metadata_bytes: 256 << 10,
            auth0_compatible_limits: false,
            // Large enough for the rate; small enough that a login which waits for the batch before
            // it does not feel it.
            batch_rows: 2500,
            lease: Duration::from_secs(30),
            retention: Duration::from_secs(30 * 86_400),
            errors_retention: Duration::from_secs(30 * 86_400),
            failed_rows_retention: Duration::from_secs(7 * 86_400),
            uploads_retention: Duration::from_secs(86_400),
        }
    }
}

impl Settings {
    /// Defaults for an issuer and a data folder.
    pub fn new(issuer: oidc::Issuer, data_dir: PathBuf) -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            issuer,
            data_dir,
            scheme: password::Scheme::default(),
            hash_limits: password::Limits::default(),
            wrap_imported: true,
            hash_threads: threads,
            token_lifetime: 86_400,
            key_lifetime: Duration::from_secs(90 * 86_400),
            default_directory: None,
            default_audience: None,
            signup_tells_existing: true,
            max_attempts: 10,
            attempts_window: Duration::from_secs(30 * 60),
            leaked_passwords: None,
            import: ImportSettings::default(),
            export_lifetime: Duration::from_secs(24 * 3600),
            admin_email: None,
            mail: MailSettings {
                from: "ferry@localhost".into(),
                smtp_url: None,
                viewer: false,
            },
            session_idle: Duration::from_secs(72 * 3600),
            session_lifetime: Duration::from_secs(168 * 3600),
            session_persistent: true,
            log_retention: Duration::from_secs(90 * 86_400),
            own_database: Vec::new(),
        }
    }

    /// The audience of the Management API.
    pub fn management_audience(&self) -> String {
        self.issuer.join("api/v2/")
    }
}
