//! TABLE: every setting, its variable, its default and its meaning.

use std::fmt::Write as _;

/// One setting.
pub struct Setting {
    /// Name in the file; a dot stands for a section.
    pub name: &'static str,
    /// Variable in the environment.
    pub variable: &'static str,
    /// Default as TOML; empty when there is none.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn setting(
    name: &'static str,
    variable: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting {
        name,
        variable,
        default,
        meaning,
    }
}

/// All settings, sections together.
pub const SETTINGS: &[Setting] = &[
    setting(
        "listen",
        "FERRY_LISTEN",
        "\"127.0.0.1:3000\"",
        "Address and port to listen on.",
    ),
    setting(
        "public_url",
        "FERRY_PUBLIC_URL",
        "",
        "The issuer: the URL under which browsers and SDKs reach this server. http:// and the \
         listen address when absent.",
    ),
    setting(
        "data_dir",
        "FERRY_DATA_DIR",
        "\"./ferry-data\"",
        "Folder of the embedded database, the master key, uploads and undelivered mail.",
    ),
    setting(
        "database_url",
        "FERRY_DATABASE_URL",
        "",
        "sqlite:PATH or postgres://user:password@host/name?sslmode=require. SQLite in the data \
         folder when absent.",
    ),
    setting(
        "database_connections",
        "FERRY_DATABASE_CONNECTIONS",
        "16",
        "Connections to PostgreSQL.",
    ),
    setting(
        "master_key",
        "FERRY_MASTER_KEY",
        "",
        "64 hexadecimal digits: the key that seals secrets at rest. All servers of one database \
         share it. A file of the data folder, made at the first start, when absent.",
    ),
    setting(
        "trust_proxy",
        "FERRY_TRUST_PROXY",
        "false",
        "Take the caller's address from X-Forwarded-For. Only behind a proxy that sets it.",
    ),
    setting(
        "metrics",
        "FERRY_METRICS",
        "false",
        "Answer GET /metrics in the Prometheus text format; it names connections.",
    ),
    setting(
        "default_directory",
        "FERRY_DEFAULT_DIRECTORY",
        "",
        "Connection of the plain password grant.",
    ),
    setting(
        "default_audience",
        "FERRY_DEFAULT_AUDIENCE",
        "",
        "Audience of token requests that name none.",
    ),
    setting(
        "token_lifetime",
        "FERRY_TOKEN_LIFETIME",
        "86400",
        "Seconds that an access token lives when its API says nothing: at most 2592000, 30 days.",
    ),
    setting(
        "signing_key_days",
        "FERRY_SIGNING_KEY_DAYS",
        "90",
        "Days that a signing key signs before the next one takes over.",
    ),
    setting(
        "signup_tells_existing",
        "FERRY_SIGNUP_TELLS_EXISTING",
        "true",
        "Whether a sign-up says that the user exists (enable_public_signup_user_exists_error).",
    ),
    setting(
        "drain_seconds",
        "FERRY_DRAIN_SECONDS",
        "20",
        "How long requests under way may take after SIGTERM.",
    ),
    setting(
        "bootstrap.client_id",
        "FERRY_BOOTSTRAP_CLIENT_ID",
        "",
        "The first administrator client's id, on an empty store. Random when absent.",
    ),
    setting(
        "bootstrap.client_secret",
        "FERRY_BOOTSTRAP_CLIENT_SECRET",
        "",
        "Its secret, at least 16 characters. Random when absent.",
    ),
    setting(
        "log.format",
        "FERRY_LOG_FORMAT",
        "\"text\"",
        "text or json.",
    ),
    setting(
        "log.filter",
        "FERRY_LOG",
        "\"info\"",
        "Level, or levels by module: info,store=debug.",
    ),
    setting(
        "log.retention_days",
        "FERRY_LOG_RETENTION_DAYS",
        "90",
        "Days that tenant log events are kept.",
    ),
    setting(
        "passwords.scheme",
        "FERRY_PASSWORDS_SCHEME",
        "\"argon2id\"",
        "How new passwords are hashed: argon2id (OWASP parameters), argon2id:MEMORY_KIB,\
         ITERATIONS,PARALLELISM, or bcrypt:COST.",
    ),
    setting(
        "passwords.threads",
        "FERRY_PASSWORDS_THREADS",
        "0",
        "Passwords hashed at the same time; 0 is one for each core.",
    ),
    setting(
        "passwords.max_attempts",
        "FERRY_PASSWORDS_MAX_ATTEMPTS",
        "10",
        "Wrong passwords on one account from one address before it is blocked for 30 minutes.",
    ),
    setting(
        "passwords.leaked",
        "FERRY_PASSWORDS_LEAKED",
        "",
        "Leaked passwords that may not be chosen: a sorted file of SHA-1 digests, or a folder with one \
         for each prefix. Used where attack protection says so.",
    ),
    setting(
        "passwords.max_imported_memory_mib",
        "FERRY_PASSWORDS_MAX_IMPORTED_MEMORY_MIB",
        "256",
        "Memory that an imported hash may ask for.",
    ),
    setting(
        "passwords.wrap_imported",
        "FERRY_PASSWORDS_WRAP_IMPORTED",
        "true",
        "Put imported MD5, SHA and HMAC sums under Argon2id in the background, long before their \
         users come back.",
    ),
    setting(
        "scripts.runtime",
        "FERRY_SCRIPTS_RUNTIME",
        "\"embedded\"",
        "What runs action scripts: embedded, the engine in this program, or node. A connection may \
         ask for the other one (options.ferry.runtime).",
    ),
    setting(
        "scripts.node",
        "FERRY_SCRIPTS_NODE",
        "\"node\"",
        "Node 20 or newer, by name or path, for the runtime of that name.",
    ),
    setting(
        "scripts.modules",
        "FERRY_SCRIPTS_MODULES",
        "",
        "Folder of what scripts may require: bundles NAME.js for the embedded runtime, node_modules for \
         node.",
    ),
    setting(
        "scripts.uid",
        "FERRY_SCRIPTS_UID",
        "65534",
        "User and group number that script workers become when the server runs as root; 0 keeps \
         root.",
    ),
    setting(
        "scripts.require_isolation",
        "FERRY_SCRIPTS_REQUIRE_ISOLATION",
        "\"none\"",
        "How well the system must hold script workers, or else the server does not start: full, \
         no-landlock or none.",
    ),
    setting(
        "scripts.timeout_ms",
        "FERRY_SCRIPTS_TIMEOUT_MS",
        "20000",
        "Wall time of a script call, milliseconds.",
    ),
    setting(
        "scripts.workers_per_connection",
        "FERRY_SCRIPTS_WORKERS_PER_CONNECTION",
        "4",
        "Script calls of one connection at the same time.",
    ),
    setting(
        "scripts.workers_total",
        "FERRY_SCRIPTS_WORKERS_TOTAL",
        "0",
        "Script calls of all connections at the same time; 0 is 64 with the embedded runtime and 16 \
         with node, whose workers are five times as large.",
    ),
    setting(
        "import.max_bytes",
        "FERRY_IMPORT_MAX_BYTES",
        "5368709120",
        "Largest import file.",
    ),
    setting(
        "import.max_unpacked_bytes",
        "FERRY_IMPORT_MAX_UNPACKED_BYTES",
        "53687091200",
        "Most that a packed import file (gzip, zstd) may hold.",
    ),
    setting(
        "import.max_row_bytes",
        "FERRY_IMPORT_MAX_ROW_BYTES",
        "1048576",
        "Largest row of an import file.",
    ),
    setting(
        "import.auth0_compatible_limits",
        "FERRY_IMPORT_AUTH0_COMPATIBLE_LIMITS",
        "false",
        "The documented limits: 512,000 bytes a file, two jobs at a time.",
    ),
    setting(
        "import.batch_rows",
        "FERRY_IMPORT_BATCH_ROWS",
        "2500",
        "Rows that are committed together.",
    ),
    setting(
        "import.lease_ms",
        "FERRY_IMPORT_LEASE_MS",
        "30000",
        "How long a server may be silent before another takes its job over, milliseconds.",
    ),
    setting(
        "import.retention_days",
        "FERRY_IMPORT_RETENTION_DAYS",
        "30",
        "Days that ended jobs are kept.",
    ),
    setting(
        "import.errors_retention_days",
        "FERRY_IMPORT_ERRORS_RETENTION_DAYS",
        "30",
        "Days that the errors of ended jobs are kept; never longer than the jobs.",
    ),
    setting(
        "import.failed_rows_retention_days",
        "FERRY_IMPORT_FAILED_ROWS_RETENTION_DAYS",
        "7",
        "Days that failed rows are kept as they were sent, sealed; never longer than the errors.",
    ),
    setting(
        "import.uploads_retention_days",
        "FERRY_IMPORT_UPLOADS_RETENTION_DAYS",
        "1",
        "Days that an upload in parts is kept when nobody goes on with it.",
    ),
    setting(
        "session.lifetime_hours",
        "FERRY_SESSION_LIFETIME_HOURS",
        "168",
        "Hours that a browser session lives from the last login on. The tenant's session_lifetime wins.",
    ),
    setting(
        "session.idle_hours",
        "FERRY_SESSION_IDLE_HOURS",
        "72",
        "Hours that it lives without being of use. The tenant's idle_session_lifetime wins.",
    ),
    setting(
        "session.persistent",
        "FERRY_SESSION_PERSISTENT",
        "true",
        "Whether a browser keeps its session when it is closed. The tenant's session_cookie.mode wins.",
    ),
    setting(
        "export.hours",
        "FERRY_EXPORT_HOURS",
        "24",
        "Hours that the file of an export can be fetched.",
    ),
    setting(
        "outbound.ca_file",
        "FERRY_OUTBOUND_CA_FILE",
        "",
        "Root certificates (PEM) by which other OpenID providers may prove their names, beside those that \
         browsers trust.",
    ),
    setting(
        "mail.smtp_url",
        "FERRY_MAIL_SMTP_URL",
        "",
        "smtp://user:password@host:port or smtps://…; mail is dropped as files in the data folder \
         when absent.",
    ),
    setting(
        "mail.from",
        "FERRY_MAIL_FROM",
        "\"ferry@localhost\"",
        "Sender of mail.",
    ),
    setting(
        "mail.viewer",
        "FERRY_MAIL_VIEWER",
        "false",
        "For development: shows the last mails at /ferry/mail, links and all, to whoever asks. Refused \
         unless public_url is this machine's own.",
    ),
    setting(
        "mail.admin",
        "FERRY_MAIL_ADMIN",
        "",
        "Who is told when an import job ends.",
    ),
];

/// The documented example file: every setting, commented out, at its default.
pub fn example() -> String {
    let mut text = String::from(
        "# Ferry's configuration. Every line is a default; `ferry config example` prints this file.\n\
         # Each setting can also be given by the variable named beside it, which wins over the file.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        let (own, key) = setting.name.rsplit_once('.').unwrap_or(("", setting.name));
        if own != section {
            section = own;
            let _ = write!(text, "\n[{section}]\n");
        }
        let _ = write!(text, "\n# {}\n# {}\n", setting.meaning, setting.variable);
        let _ = if setting.default.is_empty() {
            writeln!(text, "# {key} = …")
        } else {
            writeln!(text, "#: {key} = {}", setting.default)
        };
    }
    text
}
