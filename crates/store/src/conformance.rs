//! What the conformance suite (`tests/it`) needs beyond the store's own verbs: raw access to the
//! database, orphan rows, a dump, and a store as an older release left it. For tests only.

use std::fmt::Write as _;
use std::path::PathBuf;

use domain::secret::Key32;

use crate::db::{Db, Row, Value};
use crate::error::{KEYS, Key, Result};
use crate::{Store, migrate, postgres, sqlite};

/// Where a store lives.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

impl Place {
    /// Opens the store as a program does.
    pub async fn open(&self, key: &Key32) -> Result<Store> {
        match self {
            Self::Sqlite(path) => Store::open_sqlite(path, key).await,
            Self::Postgres(url) => Store::open_postgres(url, 8, key).await,
        }
    }

    /// Makes the database as the release of a migration left it, with the rows of its fixture.
    /// `{{bytes:00ff}}` in the fixture stands for bytes.
    pub async fn fill(&self, version: i64, fixture: &str) -> Result<()> {
        let db = match self {
            Self::Sqlite(path) => Db::Sqlite(sqlite::Sqlite::open(path)?),
            Self::Postgres(url) => Db::Postgres(postgres::Postgres::open(url, 1)?),
        };
        migrate::run_to(&db, version).await?;
        let (open, close) = match &db {
            Db::Sqlite(_) => ("x'", "'"),
            Db::Postgres(_) => ("'\\x", "'::bytea"),
        };
        let mut parts = fixture.split("{{bytes:");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (digits, rest) = part.split_once("}}").unwrap_or((part, ""));
            text.extend([open, digits, close, rest]);
        }
        migrate::apply(&db, text, None).await
    }
}

/// Every key that a conflict can be on, but for [`Key::Id`].
pub fn keys() -> Vec<Key> {
    KEYS.iter().map(|(key, _, _)| *key).collect()
}

/// Every table, and the columns that its rows are ordered by.
const TABLES: &[(&str, &str)] = &[
    ("settings", "name"),
    ("sequences", "name"),
    ("connections", "id"),
    ("connection_realms", "realm"),
    ("connection_clients", "connection_id, client_id"),
    ("clients", "client_id"),
    ("resource_servers", "id"),
    ("client_grants", "id"),
    ("client_credentials", "id"),
    ("signing_keys", "kid"),
    ("users", "id"),
    ("identities", "provider, foreign_id"),
    ("legacy_ids", "connection_id, foreign_id"),
    ("mfa_factors", "user_row, position"),
    ("factor_states", "user_row, position"),
    ("recovery_codes", "user_row"),
    ("passkeys", "credential_id"),
    ("mfa_challenges", "id_hash"),
    ("jobs", "id"),
    ("job_errors", "job_id, row_number"),
    ("job_error_codes", "job_id, code"),
    ("uploads", "id"),
    ("job_merges", "job_id, row_number"),
    ("job_marks", "job_id, chunk"),
    ("spool_chunks", "job_id, position"),
    ("exports", "job_id"),
    ("export_chunks", "job_id, attempt, position"),
    ("log_events", "log_id"),
    ("sessions", "id"),
    ("session_clients", "session_id, client_id"),
    ("login_transactions", "id"),
    ("consents", "id"),
    ("logout_notices", "id"),
    ("tickets", "token_hash"),
    ("authorizations", "id"),
    ("authorization_codes", "code_hash"),
    ("password_history", "user_row, created_at"),
    ("used_tokens", "name"),
    ("refresh_tokens", "token_hash"),
    ("opaque_tokens", "token_hash"),
    ("device_codes", "device_code_hash"),
    ("pushed_requests", "uri_hash"),
    ("outbox", "id"),
    ("rate_counters", "name"),
    ("block_notices", "name"),
];

/// Rows that lost what they belong to: the name of each relation, and how to count them.
const ORPHANS: &[(&str, &str)] = &[
    (
        "identities without a user",
        "identities where user_row not in (select id from users)",
    ),
    (
        "identities without a connection",
        "identities where connection_id not in (select id from connections)",
    ),
    (
        "users without an identity",
        "users where id not in (select user_row from identities)",
    ),
    (
        "factors without a user",
        "mfa_factors where user_row not in (select id from users)",
    ),
    (
        "passkeys without a user",
        "passkeys where user_row not in (select id from users)",
    ),
    (
        "recovery codes without a user",
        "recovery_codes where user_row not in (select id from users)",
    ),
    (
        "sessions without a user",
        "sessions where user_row not in (select id from users)",
    ),
    (
        "clients of no session",
        "session_clients where session_id not in (select id from sessions)",
    ),
    (
        "consents without a user",
        "consents where user_row not in (select id from users)",
    ),
    (
        "authorizations without a user",
        "authorizations where user_row not in (select id from users)",
    ),
    (
        "refresh tokens without an authorization",
        "refresh_tokens where authorization_id not in (select id from authorizations)",
    ),
    (
        "earlier passwords without a user",
        "password_history where user_row not in (select id from users)",
    ),
    (
        "realms without a connection",
        "connection_realms where connection_id not in (select id from connections)",
    ),
    (
        "enabled clients without a connection",
        "connection_clients where connection_id not in (select id from connections)",
    ),
    (
        "credentials without a client",
        "client_credentials where client_id not in (select client_id from clients)",
    ),
    (
        "row errors without a job",
        "job_errors where job_id not in (select id from jobs)",
    ),
    (
        "counted errors without a job",
        "job_error_codes where job_id not in (select id from jobs)",
    ),
    (
        "records of merges without a job",
        "job_merges where job_id not in (select id from jobs)",
    ),
    (
        "marks without a job that runs",
        "job_marks where job_id not in (select id from jobs where ended_at is null)",
    ),
    (
        "legacy ids without a user",
        "legacy_ids where user_row not in (select id from users)",
    ),
    (
        "chunks without a job",
        "spool_chunks where job_id not in (select id from jobs)",
    ),
];

impl Store {
    /// The database itself.
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// What is left of things that are gone: one line a relation that is broken.
    pub async fn orphans(&self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for (name, source) in ORPHANS {
            let sql = format!("select count(*) from {source}");
            let count = self.db.count(sql, vec![]).await?;
            if count != 0 {
                lines.push(format!("{count} {name}"));
            }
        }
        Ok(lines)
    }

    /// All rows of all tables as text, the same on both databases. Bytes are hexadecimal.
    pub async fn dump(&self) -> Result<String> {
        let mut text = String::new();
        for (table, order) in TABLES {
            let sql = format!("select * from {table} order by {order}");
            for row in self.db.query(sql, vec![]).await? {
                let _ = writeln!(text, "{table}: {}", line(row));
            }
        }
        Ok(text)
    }
}

impl Store {
    /// All rows of all tables as a fixture for [`Place::fill`]; to be made on PostgreSQL, which
    /// tells flags from numbers.
    pub async fn fixture(&self) -> Result<String> {
        let mut text = String::from("delete from sequences;\n");
        for (table, order) in TABLES {
            let sql = format!("select * from {table} order by {order}");
            for row in self.db.query(sql, vec![]).await? {
                let values: Vec<String> = row.into_values().map(|value| literal(&value)).collect();
                let _ = writeln!(text, "insert into {table} values ({});", values.join(", "));
            }
        }
        Ok(text)
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Int(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Bytes(bytes) => format!("{{{{bytes:{}}}}}", hex::encode(bytes)),
    }
}

fn line(row: Row) -> String {
    let values = row.into_values().map(|value| match value {
        Value::Null => "null".into(),
        Value::Text(text) => format!("{text:?}"),
        Value::Int(number) => number.to_string(),
        // SQLite has no flags, only numbers.
        Value::Bool(flag) => i64::from(flag).to_string(),
        Value::Bytes(bytes) => hex::encode(bytes),
    });
    values.collect::<Vec<_>>().join(", ")
}
