//! What an operator can set: one table of names, defaults and meanings; a file and the environment
//! over it; and the typed result that goes inward.
//!
//! The example file is printed from the table, so that text and value can't differ.

mod read;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::secret::{ClientSecret, Key32};

pub(crate) use read::variable;
pub use table::{SETTINGS, Setting, example};

/// Which database holds the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// The embedded one, in this file.
    Sqlite(PathBuf),
    /// A server: its URL holds a password.
    Postgres(DatabaseUrl),
}

/// A database URL. `Debug` hides it: it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL, password and all.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// The whole configuration, checked.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The issuer.
    pub public_url: oidc::Issuer,
    /// Keys, the embedded store, the spool, undelivered mail.
    pub data_dir: PathBuf,
    /// The store.
    pub database: Database,
    /// Connections to PostgreSQL.
    pub database_connections: usize,
    /// The key that seals secrets; a file of the data folder when absent.
    pub master_key: Option<Key32>,
    /// The first administrator client's id and secret.
    pub bootstrap: Option<(String, ClientSecret)>,
    /// Whether `X-Forwarded-For` names the caller.
    pub trusts_proxy: bool,
    /// Whether `/metrics` answers.
    pub serves_metrics: bool,
    /// Log lines as JSON.
    pub log_json: bool,
    /// Which log lines.
    pub log_filter: String,
    /// How long a drain may take.
    pub drain: Duration,
    /// Root certificates beside those that browsers trust.
    pub outbound_roots: Option<PathBuf>,
    /// Action scripts.
    pub scripts: ScriptConfig,
    /// What the engine takes.
    pub engine: engine::Settings,
}

/// The `[scripts]` section.
#[derive(Clone, Debug)]
pub struct ScriptConfig {
    /// What runs scripts unless a connection asks for another.
    pub runtime: script::RuntimeName,
    /// Node, by name or path.
    pub node: PathBuf,
    /// The folder that holds `node_modules`.
    pub modules: Option<PathBuf>,
    /// User and group that workers become when the server is root; 0 keeps root.
    pub uid: u32,
    /// Workers that are held less well than this do not run, nor does the server.
    pub require_isolation: script::Isolation,
    /// Wall time of a call.
    pub timeout: Duration,
    /// Workers of one connection.
    pub workers_per_connection: usize,
    /// Workers of all connections.
    pub workers_total: usize,
    /// Where a bare program name is looked up.
    pub search_path: std::ffi::OsString,
}

/// A configuration that can't be used: names the setting.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {setting}: {problem}")]
pub struct ConfigError {
    /// The setting, or the file.
    pub setting: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Config {
    /// Reads the file, if there is one, and the environment over it.
    pub fn load(file: Option<&std::path::Path>) -> Result<Self, ConfigError> {
        let mut values = match file {
            Some(path) => read::file(path)?,
            None => BTreeMap::new(),
        };
        values.extend(read::environment());
        let mut config = read::config(&values)?;
        config.scripts.search_path = read::search_path();
        Ok(config)
    }

    /// Reads settings from text, as a test or a tool would.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        read::config(&read::toml_text("text", text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_a_whole_configuration() {
        let config = Config::from_toml("").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.public_url.as_str(), "http://127.0.0.1:3000/");
        assert_eq!(
            config.database,
            Database::Sqlite("./ferry-data/ferry.sqlite".into())
        );
    }

    #[test]
    fn the_example_file_sets_every_setting_to_its_default() {
        let example = example();
        let uncommented: Vec<_> = example
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .collect();
        Config::from_toml(&uncommented.join("\n")).unwrap();
        let committed = include_str!("../../../../config.example.toml");
        assert_eq!(
            example, committed,
            "run `ferry config example > config.example.toml`"
        );
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let name = |text: &str| Config::from_toml(text).unwrap_err().setting;
        assert_eq!(name("listen = \"nowhere\""), "listen");
        assert_eq!(name("lisen = \"127.0.0.1:1\""), "lisen");
        assert_eq!(name("[import]\nmax_bytes = -1"), "import.max_bytes");
        assert_eq!(
            name("[scripts]\nrequire_isolation = \"some\""),
            "scripts.require_isolation"
        );
        assert_eq!(name("[passwords]\nscheme = \"md5\""), "passwords.scheme");
        assert_eq!(name("database_url = \"mysql://x\""), "database_url");
        for seconds in ["0", "-1", "2592001"] {
            let text = format!("token_lifetime = {seconds}");
            assert_eq!(name(&text), "token_lifetime", "{seconds}");
        }
        let config = Config::from_toml("token_lifetime = 2592000").unwrap();
        assert_eq!(config.engine.token_lifetime, 2_592_000);
        for url in [
            "https://login.example.com",
            "http://localhost:80@evil.example",
            "http://127.0.0.1.example",
        ] {
            let text = format!("public_url = \"{url}\"\n[mail]\nviewer = true");
            assert_eq!(name(&text), "mail.viewer", "{url}");
        }
        for url in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:80/",
        ] {
            let text = format!("public_url = \"{url}\"\n[mail]\nviewer = true");
            assert!(
                Config::from_toml(&text).unwrap().engine.mail.viewer,
                "{url}"
            );
        }
        assert!(Config::from_toml("listen = [").is_err());
    }

    #[test]
    fn secrets_do_not_print() {
        let text = "database_url = \"postgres://u:hush@h/d\"\n[bootstrap]\nclient_id = \"a\"\nclient_secret = \"hush-hush-hush-hush\"";
        let printed = format!("{:?}", Config::from_toml(text).unwrap());
        assert!(!printed.contains("hush"), "{printed}");
    }
}
