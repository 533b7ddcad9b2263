//! The seam: one SQL text for both databases behind two verbs, `query` and `batch`.
//!
//! A write is a list of statements with the number of rows each must touch; all of it is committed
//! or none. There is no open transaction to hold: what must be read first is checked again by the
//! batch itself (versions, `where used_at is null`, unique keys).

use std::borrow::Cow;

use crate::error::{Result, StoreError};
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::traffic::Traffic;

/// A value on its way in or out.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// Text.
    Text(String),
    /// Integers, times (ms), and SQLite's booleans.
    Int(i64),
    /// A flag.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// PostgreSQL's text has no U+0000; SQLite's would, so the seam refuses it for both.
    fn holds_nul(&self) -> bool {
        matches!(self, Self::Text(text) if holds_nul(text))
    }
}

pub(crate) fn holds_nul(text: &str) -> bool {
    text.as_bytes().contains(&0)
}

/// A text with U+0000 was to be written.
pub(crate) fn unstorable() -> StoreError {
    StoreError::Statement("a text with U+0000 can't be stored".into())
}

macro_rules! from {
    ($($type:ty => $variant:ident($convert:expr)),+ $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant($convert(value))
            }
        }
    )+};
}
from! {
    String => Text(|v| v),
    &str => Text(str::to_owned),
    &String => Text(String::clone),
    i64 => Int(|v| v),
    bool => Bool(|v| v),
    Vec<u8> => Bytes(|v| v),
    domain::Instant => Int(domain::Instant::millis),
    domain::UserRow => Int(|v: domain::UserRow| v.0),
    &domain::ConnectionId => Text(ToString::to_string),
    &domain::ClientId => Text(ToString::to_string),
    &domain::JobId => Text(ToString::to_string),
    &domain::UserId => Text(ToString::to_string),
    &domain::ForeignId => Text(ToString::to_string),
    &domain::LogId => Text(ToString::to_string),
    &domain::GrantId => Text(ToString::to_string),
    &domain::CredentialId => Text(ToString::to_string),
    &domain::ResourceServerId => Text(ToString::to_string),
    &domain::KeyId => Text(ToString::to_string),
    &domain::SessionId => Text(ToString::to_string),
    &domain::AuthorizationId => Text(ToString::to_string),
    &domain::TransactionId => Text(ToString::to_string),
    &domain::ConsentId => Text(ToString::to_string),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// How many rows a statement must touch for the batch to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Exactly one.
    One,
    /// None or one.
    AtMostOne,
    /// Any number.
    Any,
}

impl Expect {
    fn allows(self, affected: u64) -> bool {
        match self {
            Self::One => affected == 1,
            Self::AtMostOne => affected <= 1,
            Self::Any => true,
        }
    }
}

/// One statement of a batch.
#[derive(Debug)]
pub struct Stmt {
    /// Text with `$1`, `$2`… for parameters.
    pub sql: Cow<'static, str>,
    /// Its parameters.
    pub params: Vec<Value>,
    /// How many rows it must touch (or return).
    pub expect: Expect,
}

/// Builds a [`Stmt`] that must touch exactly one row.
pub fn one(sql: &'static str, params: Vec<Value>) -> Stmt {
    Stmt {
        sql: Cow::Borrowed(sql),
        params,
        expect: Expect::One,
    }
}

/// Builds a [`Stmt`] that may touch any number of rows.
pub fn any(sql: &'static str, params: Vec<Value>) -> Stmt {
    Stmt {
        sql: Cow::Borrowed(sql),
        params,
        expect: Expect::Any,
    }
}

/// What a statement did.
#[derive(Debug, Default)]
pub struct Done {
    /// Rows that it touched.
    pub affected: u64,
    /// Rows that it returned.
    pub rows: Vec<Row>,
}

impl Done {
    pub(crate) fn check(self, statement: usize, expect: Expect) -> Result<Self> {
        if expect.allows(self.affected) {
            Ok(self)
        } else {
            Err(StoreError::Stale {
                statement,
                affected: self.affected,
            })
        }
    }
}

/// One row, read from the left: each getter names the column for the error's sake.
#[derive(Debug)]
pub struct Row {
    values: std::vec::IntoIter<Value>,
}

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self {
            values: values.into_iter(),
        }
    }

    /// All values, for a dump.
    #[cfg(feature = "conformance")]
    pub(crate) fn into_values(self) -> impl Iterator<Item = Value> {
        self.values
    }

    fn next(&mut self, column: &'static str) -> Result<Value> {
        self.values.next().ok_or_else(|| StoreError::Corrupt {
            column,
            problem: "not selected".into(),
        })
    }

    /// The next column as text or NULL.
    pub fn text_or_null(&mut self, column: &'static str) -> Result<Option<String>> {
        match self.next(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(mismatch(column, "text", &other)),
        }
    }

    /// The next column as text.
    pub fn text(&mut self, column: &'static str) -> Result<String> {
        self.text_or_null(column)?
            .ok_or_else(|| mismatch(column, "text", &Value::Null))
    }

    /// The next column as an integer or NULL.
    pub fn int_or_null(&mut self, column: &'static str) -> Result<Option<i64>> {
        match self.next(column)? {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(number)),
            other => Err(mismatch(column, "integer", &other)),
        }
    }

    /// The next column as an integer.
    pub fn int(&mut self, column: &'static str) -> Result<i64> {
        self.int_or_null(column)?
            .ok_or_else(|| mismatch(column, "integer", &Value::Null))
    }

    /// The next column as a flag or NULL.
    pub fn flag_or_null(&mut self, column: &'static str) -> Result<Option<bool>> {
        match self.next(column)? {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(flag)),
            Value::Int(number) => Ok(Some(number != 0)),
            other => Err(mismatch(column, "boolean", &other)),
        }
    }

    /// The next column as a flag.
    pub fn flag(&mut self, column: &'static str) -> Result<bool> {
        self.flag_or_null(column)?
            .ok_or_else(|| mismatch(column, "boolean", &Value::Null))
    }

    /// Bytes, or null.
    pub fn bytes_or_null(&mut self, column: &'static str) -> Result<Option<Vec<u8>>> {
        match self.next(column)? {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            other => Err(mismatch(column, "bytes", &other)),
        }
    }

    /// The next column as bytes.
    pub fn bytes(&mut self, column: &'static str) -> Result<Vec<u8>> {
        match self.next(column)? {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(mismatch(column, "bytes", &other)),
        }
    }

    /// The next column as a time.
    pub fn time(&mut self, column: &'static str) -> Result<domain::Instant> {
        self.int(column).map(domain::Instant::from_millis)
    }

    /// The next column as a time or NULL.
    pub fn time_or_null(&mut self, column: &'static str) -> Result<Option<domain::Instant>> {
        Ok(self.int_or_null(column)?.map(domain::Instant::from_millis))
    }

    /// The next column as a JSON object or NULL.
    pub fn json_or_null(&mut self, column: &'static str) -> Result<Option<domain::Json>> {
        self.text_or_null(column)?
            .map(|text| parse(column, &text))
            .transpose()
    }

    /// The next column as a JSON value.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self, column: &'static str) -> Result<T> {
        let text = self.text(column)?;
        parse(column, &text)
    }
}

fn parse<T: serde::de::DeserializeOwned>(column: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt {
        column,
        problem: error.to_string(),
    })
}

fn mismatch(column: &'static str, wanted: &str, found: &Value) -> StoreError {
    let found = match found {
        Value::Null => "null",
        Value::Text(_) => "text",
        Value::Int(_) => "integer",
        Value::Bool(_) => "boolean",
        Value::Bytes(_) => "bytes",
    };
    StoreError::Corrupt {
        column,
        problem: format!("expected {wanted}, found {found}"),
    }
}

/// One of the two databases.
#[derive(Clone)]
pub enum Db {
    /// The embedded one.
    Sqlite(Sqlite),
    /// A server, or a cluster that speaks its protocol.
    Postgres(Postgres),
}

impl Db {
    /// Reads. Sees only committed data.
    pub async fn query(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>> {
        // What can't be stored can't be found: PostgreSQL would call it an error.
        if params.iter().any(Value::holds_nul) {
            return Ok(Vec::new());
        }
        match self {
            Self::Sqlite(db) => db.query(sql.into(), params).await,
            Self::Postgres(db) => db.query(sql.into(), params).await,
        }
    }

    /// Reads a few rows by their keys. On SQLite that happens where it is asked for: the way to
    /// another thread and back takes longer than the read.
    pub async fn lookup(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(_) if params.iter().any(Value::holds_nul) => Ok(Vec::new()),
            Self::Sqlite(db) => db.lookup(&sql.into(), &params),
            Self::Postgres(_) => self.query(sql, params).await,
        }
    }

    /// Reads a `select count(*)`.
    pub async fn count(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: Vec<Value>,
    ) -> Result<i64> {
        let row = self.query(sql, params).await?.into_iter().next();
        row.map_or(Ok(0), |mut row| row.int("count"))
    }

    /// Writes all statements or none.
    pub async fn batch(&self, statements: Vec<Stmt>) -> Result<Vec<Done>> {
        let mut params = statements.iter().flat_map(|statement| &statement.params);
        if params.any(Value::holds_nul) {
            return Err(unstorable());
        }
        match self {
            Self::Sqlite(db) => db.batch(statements).await,
            Self::Postgres(db) => db.batch(statements).await,
        }
    }

    /// Who writes besides imports.
    pub(crate) const fn traffic(&self) -> &Traffic {
        match self {
            Self::Sqlite(db) => &db.traffic,
            Self::Postgres(db) => &db.traffic,
        }
    }

    /// The database's name, for logs and reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}
