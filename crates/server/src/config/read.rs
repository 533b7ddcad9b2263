//! From loose texts to the typed configuration: each value is read once and named when wrong.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use domain::secret::{ClientSecret, Key32};

use super::table::SETTINGS;
use super::{Config, ConfigError, Database, DatabaseUrl, ScriptConfig};

/// Seconds that an access token may live: thirty days.
const LONGEST_TOKEN: i64 = 2_592_000;

/// Settings by name, as text.
pub(super) type Values = BTreeMap<&'static str, String>;

fn fault(setting: &str, problem: impl ToString) -> ConfigError {
    ConfigError {
        setting: setting.to_owned(),
        problem: problem.to_string(),
    }
}

/// Reads a TOML file.
pub(super) fn file(path: &Path) -> Result<Values, ConfigError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| fault(&shown, error))?;
    toml_text(&shown, &text)
}

/// Reads TOML text; a name that the table does not know is refused.
pub(super) fn toml_text(source: &str, text: &str) -> Result<Values, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error| fault(source, error))?;
    let mut values = Values::new();
    flatten("", &table, &mut values)?;
    Ok(values)
}

fn flatten(prefix: &str, table: &toml::Table, values: &mut Values) -> Result<(), ConfigError> {
    for (key, value) in table {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, values)?,
            toml::Value::String(text) => insert(&name, text.clone(), values)?,
            toml::Value::Integer(number) => insert(&name, number.to_string(), values)?,
            toml::Value::Boolean(flag) => insert(&name, flag.to_string(), values)?,
            _ => return Err(fault(&name, "expected text, a whole number, true or false")),
        }
    }
    Ok(())
}

fn insert(name: &str, text: String, values: &mut Values) -> Result<(), ConfigError> {
    let known = SETTINGS.iter().find(|setting| setting.name == name);
    let setting = known.ok_or_else(|| fault(name, "there is no such setting"))?;
    values.insert(setting.name, text);
    Ok(())
}

/// Reads the variables that the table names.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(super) fn environment() -> Values {
    let read = |setting: &'static super::Setting| {
        std::env::var(setting.variable)
            .ok()
            .map(|text| (setting.name, text))
    };
    SETTINGS.iter().filter_map(read).collect()
}

/// A variable that a file of a tool names; none when it is absent or no UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Where programs are looked up.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(super) fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Reads texts by name, with the table's defaults under them.
struct Reader<'a>(&'a Values);

impl Reader<'_> {
    fn text(&self, name: &'static str) -> Option<String> {
        let default = || {
            let setting = SETTINGS.iter().find(|setting| setting.name == name)?;
            Some(setting.default.trim_matches('"').to_owned())
        };
        self.0
            .get(name)
            .cloned()
            .or_else(default)
            .filter(|text| !text.is_empty())
    }

    fn get<T: FromStr<Err: std::fmt::Display>>(
        &self,
        name: &'static str,
    ) -> Result<T, ConfigError> {
        let text = self.text(name).unwrap_or_default();
        text.parse()
            .map_err(|error| fault(name, format!("{error}: {text:?}")))
    }

    fn hours(&self, name: &'static str) -> Result<Duration, ConfigError> {
        let hours: u32 = self.get(name)?;
        Ok(Duration::from_secs(u64::from(hours) * 3600))
    }

    fn days(&self, name: &'static str) -> Result<Duration, ConfigError> {
        let days: u32 = self.get(name)?;
        Ok(Duration::from_secs(u64::from(days) * 86_400))
    }
}

/// Checks everything and gives it types.
pub(super) fn config(values: &Values) -> Result<Config, ConfigError> {
    let reader = Reader(values);
    let listen: std::net::SocketAddr = reader.get("listen")?;
    let data_dir: PathBuf = reader.get("data_dir")?;
    let public_url = reader
        .text("public_url")
        .unwrap_or_else(|| format!("http://{listen}/"));
    let public_url =
        oidc::Issuer::parse(&public_url).map_err(|error| fault("public_url", error))?;
    Ok(Config {
        listen,
        database: database(&reader, &data_dir)?,
        database_connections: reader.get("database_connections")?,
        master_key: master_key(&reader)?,
        bootstrap: bootstrap(&reader)?,
        trusts_proxy: reader.get("trust_proxy")?,
        serves_metrics: reader.get("metrics")?,
        log_json: log_json(&reader)?,
        log_filter: reader.get("log.filter")?,
        drain: Duration::from_secs(reader.get("drain_seconds")?),
        outbound_roots: reader.text("outbound.ca_file").map(PathBuf::from),
        scripts: scripts(&reader)?,
        engine: engine_settings(&reader, public_url.clone(), data_dir.clone())?,
        public_url,
        data_dir,
    })
}

fn database(reader: &Reader<'_>, data_dir: &Path) -> Result<Database, ConfigError> {
    let Some(url) = reader.text("database_url") else {
        return Ok(Database::Sqlite(data_dir.join("ferry.sqlite")));
    };
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return Ok(Database::Sqlite(path.into()));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Database::Postgres(DatabaseUrl(url)));
    }
    Err(fault("database_url", "expected sqlite:… or postgres://…"))
}

fn master_key(reader: &Reader<'_>) -> Result<Option<Key32>, ConfigError> {
    let Some(text) = reader.text("master_key") else {
        return Ok(None);
    };
    crate::boot::parse_master_key(&text)
        .map(Some)
        .ok_or_else(|| fault("master_key", "expected 64 hexadecimal digits"))
}

fn bootstrap(reader: &Reader<'_>) -> Result<Option<(String, ClientSecret)>, ConfigError> {
    match (
        reader.text("bootstrap.client_id"),
        reader.text("bootstrap.client_secret"),
    ) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) if secret.len() >= 16 => Ok(Some((id, secret.into()))),
        (Some(_), Some(_)) => Err(fault(
            "bootstrap.client_secret",
            "shorter than 16 characters",
        )),
        (Some(_), None) => Err(fault(
            "bootstrap.client_secret",
            "missing beside the client id",
        )),
        (None, Some(_)) => Err(fault(
            "bootstrap.client_id",
            "missing beside the client secret",
        )),
    }
}

fn log_json(reader: &Reader<'_>) -> Result<bool, ConfigError> {
    match reader.text("log.format").as_deref() {
        Some("json") => Ok(true),
        Some("text") => Ok(false),
        other => Err(fault(
            "log.format",
            format!("expected text or json, found {other:?}"),
        )),
    }
}

fn scripts(reader: &Reader<'_>) -> Result<ScriptConfig, ConfigError> {
    Ok(ScriptConfig {
        runtime: reader.get("scripts.runtime")?,
        node: reader.get("scripts.node")?,
        modules: reader.text("scripts.modules").map(PathBuf::from),
        uid: reader.get("scripts.uid")?,
        require_isolation: reader.get("scripts.require_isolation")?,
        timeout: Duration::from_millis(reader.get("scripts.timeout_ms")?),
        workers_per_connection: reader.get("scripts.workers_per_connection")?,
        workers_total: reader.get("scripts.workers_total")?,
        search_path: OsString::new(),
    })
}

fn engine_settings(
    reader: &Reader<'_>,
    issuer: oidc::Issuer,
    data_dir: PathBuf,
) -> Result<engine::Settings, ConfigError> {
    let mut settings = engine::Settings::new(issuer, data_dir);
    settings.scheme = scheme(&reader.get::<String>("passwords.scheme")?)?;
    settings.hash_limits.memory_bytes =
        reader.get::<u64>("passwords.max_imported_memory_mib")? << 20;
    match reader.get("passwords.threads")? {
        0 => {}
        threads => settings.hash_threads = threads,
    }
    settings.wrap_imported = reader.get("passwords.wrap_imported")?;
    settings.max_attempts = reader.get("passwords.max_attempts")?;
    settings.leaked_passwords = reader.text("passwords.leaked").map(Into::into);
    settings.token_lifetime = token_lifetime(reader)?;
    settings.key_lifetime = reader.days("signing_key_days")?;
    settings.default_directory = reader.text("default_directory");
    settings.default_audience = reader.text("default_audience");
    settings.signup_tells_existing = reader.get("signup_tells_existing")?;
    settings.log_retention = reader.days("log.retention_days")?;
    settings.export_lifetime = reader.hours("export.hours")?;
    settings.session_lifetime = reader.hours("session.lifetime_hours")?;
    settings.session_idle = reader.hours("session.idle_hours")?;
    settings.session_persistent = reader.get("session.persistent")?;
    settings.admin_email = reader.text("mail.admin");
    settings.mail.from = reader.get("mail.from")?;
    settings.mail.smtp_url = reader.text("mail.smtp_url");
    settings.mail.viewer = reader.get("mail.viewer")?;
    if settings.mail.viewer && !is_loopback(settings.issuer.host()) {
        let problem =
            "one-time links would be shown to everybody: public_url is not this machine's own";
        return Err(fault("mail.viewer", problem));
    }
    settings.import.max_bytes = reader.get("import.max_bytes")?;
    settings.import.max_unpacked_bytes = reader.get("import.max_unpacked_bytes")?;
    settings.import.max_row_bytes = reader.get("import.max_row_bytes")?;
    settings.import.auth0_compatible_limits = reader.get("import.auth0_compatible_limits")?;
    settings.import.batch_rows = reader
        .get::<std::num::NonZeroUsize>("import.batch_rows")?
        .get();
    settings.import.lease = Duration::from_millis(reader.get("import.lease_ms")?);
    settings.import.retention = reader.days("import.retention_days")?;
    settings.import.errors_retention = reader.days("import.errors_retention_days")?;
    settings.import.failed_rows_retention = reader.days("import.failed_rows_retention_days")?;
    settings.import.uploads_retention = reader.days("import.uploads_retention_days")?;
    Ok(settings)
}

/// A token that outlives what is kept of the key that signed it can be verified by nobody: no longer
/// than an API may ask for.
fn token_lifetime(reader: &Reader<'_>) -> Result<i64, ConfigError> {
    let seconds = reader.get("token_lifetime")?;
    if (1..=LONGEST_TOKEN).contains(&seconds) {
        return Ok(seconds);
    }
    let problem = format!("expected 1 to {LONGEST_TOKEN} seconds (30 days), found {seconds}");
    Err(fault("token_lifetime", problem))
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn scheme(text: &str) -> Result<password::Scheme, ConfigError> {
    let wrong = || fault("passwords.scheme", format!("not a scheme: {text:?}"));
    if text == "argon2id" {
        return Ok(password::Scheme::default());
    }
    if let Some(cost) = text.strip_prefix("bcrypt:") {
        let cost = cost
            .parse()
            .ok()
            .filter(|cost| (4..=16).contains(cost))
            .ok_or_else(wrong)?;
        return Ok(password::Scheme::Bcrypt { cost });
    }
    let numbers = text.strip_prefix("argon2id:").ok_or_else(wrong)?;
    let numbers: Vec<u32> = numbers
        .split(',')
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers.as_slice() {
        [memory_kib, iterations, parallelism]
            if *memory_kib >= 8 * parallelism && *iterations > 0 =>
        {
            Ok(password::Scheme::Argon2id {
                memory_kib: *memory_kib,
                iterations: *iterations,
                parallelism: *parallelism,
            })
        }
        _ => Err(wrong()),
    }
}
