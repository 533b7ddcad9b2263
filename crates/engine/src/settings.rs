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
    /// Import settings.
    pub import: ImportSettings,
    /// Where mail about jobs goes.
    pub admin_email: Option<String>,
    /// How mail leaves.
    pub mail: MailSettings,
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
    /// How long ended jobs and their errors are kept.
    pub retention: Duration,
}

/// How mail leaves the house.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The sender.
    pub from: String,
    /// SMTP server, `smtp://user:password@host:port`, `smtps://…`; a file drop when absent.
    pub smtp_url: Option<String>,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            max_bytes: 5 << 30,
            max_row_bytes: 1 << 20,
            max_metadata_bytes: 256 << 10,
            auth0_compatible_limits: false,
            // Large enough for the rate; small enough that a login which waits for the batch before
            // it does not feel it.
            batch_rows: 2500,
            lease: Duration::from_secs(30),
            retention: Duration::from_secs(30 * 86_400),
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
            hash_threads: threads,
            token_lifetime: 86_400,
            key_lifetime: Duration::from_secs(90 * 86_400),
            default_directory: None,
            default_audience: None,
            signup_tells_existing: true,
            max_attempts: 10,
            attempts_window: Duration::from_secs(30 * 60),
            import: ImportSettings::default(),
            admin_email: None,
            mail: MailSettings {
                from: "ferry@localhost".into(),
                smtp_url: None,
            },
            log_retention: Duration::from_secs(90 * 86_400),
            own_database: Vec::new(),
        }
    }

    /// The audience of the Management API.
    pub fn management_audience(&self) -> String {
        self.issuer.join("api/v2/")
    }
}
