//! SQLite inside: one writer thread, a few readers, WAL.
//!
//! A unit of work crosses to a thread once, never once per statement, and units that wait share a
//! commit (`writer`). `synchronous = full`: what was answered to a caller survives a power cut.

mod checkpoint;
mod writer;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, ToSql};
use tokio::sync::Semaphore;

use self::writer::{Manner, Writer};
use crate::db::{Done, Row, Stmt, Value};
use crate::error::{KEYS, Key, Result, StoreError};
use crate::traffic::Traffic;

/// Statements kept prepared on each connection.
const PREPARED: usize = 128;
const IDLE_READERS: usize = 16;

/// A SQLite database file.
#[derive(Clone)]
pub struct Sqlite {
    writer: Writer,
    readers: Arc<Readers>,
    /// Reads on threads of their own at a time.
    turns: Arc<Semaphore>,
    pub(crate) traffic: Traffic,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// Opens the file, making it when absent.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path).map_err(unavailable)?;
        prepare_connection(&connection)?;
        let traffic = Traffic::default();
        let writer = Writer::start(connection, traffic.clone())?;
        let readers = Readers {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
        };
        Ok(Self {
            writer,
            readers: Arc::new(readers),
            turns: Arc::new(Semaphore::new(IDLE_READERS / 2)),
            traffic,
        })
    }

    /// Runs a closure on the writer thread, inside one immediate transaction.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.writer.write(Manner::Shared, work).await
    }

    /// The same, in a transaction that nobody shares: for work that takes long.
    pub(crate) async fn write_alone<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.writer.write(Manner::Alone, work).await
    }

    /// The same, without waiting for the disk: for work that says in the same transaction how far
    /// it came, so that after a power cut it goes on from there.
    pub(crate) async fn write_unsynced<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.writer.write(Manner::Unsynced, work).await
    }

    /// A connection of the caller's own that reads the file and can't write it.
    pub(crate) fn open_apart(&self) -> Result<Connection> {
        self.readers.open()
    }

    pub(crate) async fn query(
        &self,
        sql: Cow<'static, str>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let readers = Arc::clone(&self.readers);
        // More at a time would only share the same cores, and open connections to close them.
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let work = move || {
            let rows = readers.read(&sql, &params);
            drop(turn);
            rows
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Reads on the caller's thread.
    pub(crate) fn lookup(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        self.readers.read(sql, params)
    }

    pub(crate) async fn batch(&self, statements: Vec<Stmt>) -> Result<Vec<Done>> {
        self.write(move |connection| {
            let run_checked = |(place, statement): (usize, &Stmt)| {
                run(connection, &statement.sql, &statement.params)?.check(place, statement.expect)
            };
            statements.iter().enumerate().map(run_checked).collect()
        })
        .await
    }
}

impl Readers {
    fn read(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let connection = self.take()?;
        let rows = run(&connection, sql, params).map(|done| done.rows);
        self.give_back(connection);
        rows
    }

    fn take(&self) -> Result<Connection> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        self.open()
    }

    fn open(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(unavailable)?;
        keep_statements(&connection)?;
        connection
            .busy_timeout(Duration::from_secs(10))
            .map_err(unavailable)?;
        Ok(connection)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
    }
}

/// How long an opener waits for others that open the same new file.
const OPENING: Duration = Duration::from_secs(30);

fn prepare_connection(connection: &Connection) -> Result<()> {
    write_ahead(connection)?;
    connection
        .execute_batch(
            "pragma synchronous = full;
             pragma temp_store = memory;
             pragma cache_size = -24576;
             pragma wal_autocheckpoint = 32000;
             pragma mmap_size = 0;",
        )
        .map_err(unavailable)?;
    connection
        .busy_timeout(Duration::from_secs(30))
        .map_err(unavailable)?;
    keep_statements(connection)
}

/// Switches the journal. Of several first openers of a file all but one are told that it is busy,
/// at once and whatever the busy timeout: SQLite will not wait where two could wait for each other.
fn write_ahead(connection: &Connection) -> Result<()> {
    let start = Instant::now();
    loop {
        match connection.execute_batch("pragma journal_mode = wal") {
            Ok(()) => return Ok(()),
            Err(error) if is_busy(&error) && start.elapsed() < OPENING => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(unavailable(error)),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

/// A statement is planned once, whatever values it meets later: without that guarantee SQLite may
/// plan it anew at each use.
fn keep_statements(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
        .map_err(unavailable)
}

/// Runs one statement with the seam's `$n` parameters.
pub(crate) fn run(connection: &Connection, sql: &str, params: &[Value]) -> Result<Done> {
    let mut statement = connection
        .prepare_cached(&numbered(sql))
        .map_err(classify)?;
    let columns = statement.column_count();
    let bound = rusqlite::params_from_iter(params.iter());
    if columns == 0 {
        let affected = statement.execute(bound).map_err(classify)?;
        return Ok(Done {
            affected: affected as u64,
            rows: Vec::new(),
        });
    }
    let mut found = statement.query(bound).map_err(classify)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(classify)? {
        rows.push(read_row(row)?);
    }
    Ok(Done {
        affected: rows.len() as u64,
        rows,
    })
}

/// All columns of a row.
pub(crate) fn read_row(row: &rusqlite::Row<'_>) -> Result<Row> {
    let columns = row.as_ref().column_count();
    let value = |column| row.get_ref(column).map(read_value).map_err(classify)?;
    Ok(Row::new((0..columns).map(value).collect::<Result<_>>()?))
}

fn read_value(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => Value::Text(
            std::str::from_utf8(text)
                .map_err(|error| StoreError::Corrupt {
                    column: "?",
                    problem: error.to_string(),
                })?
                .to_owned(),
        ),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => {
            return Err(StoreError::Corrupt {
                column: "?",
                problem: "a real number".into(),
            });
        }
    })
}

/// `$n` becomes `?n`: rusqlite binds `$2, $1` in order of appearance, the seam means numbers.
/// Only `$` before a digit is touched, so that JSON paths stay whole.
pub(crate) fn numbered(sql: &str) -> String {
    let mut text = sql.as_bytes().to_vec();
    for (byte, next) in text.iter_mut().zip(sql.bytes().skip(1)) {
        if *byte == b'$' && next.is_ascii_digit() {
            *byte = b'?';
        }
    }
    // One ASCII letter for another: it is as well-formed as it was.
    String::from_utf8(text).unwrap_or_default()
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::ToSqlOutput;
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Bool(flag) => ValueRef::Integer(i64::from(*flag)),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the SQLite writer has stopped".into())
}

fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

pub(crate) fn classify(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return StoreError::Statement(error.to_string());
    };
    match failure.code {
        ErrorCode::ConstraintViolation => {
            let columns = message.as_deref().and_then(|text| text.rsplit_once(": "));
            match columns.and_then(|(_, columns)| violated(columns)) {
                Some(key) => StoreError::Conflict(key),
                None if is_unique(failure.extended_code) => StoreError::Conflict(Key::Id),
                None => StoreError::Statement(error.to_string()),
            }
        }
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::CannotOpen
        | ErrorCode::SystemIoFailure
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Statement(error.to_string()),
    }
}

fn violated(columns: &str) -> Option<Key> {
    KEYS.iter()
        .find(|(_, _, sqlite)| *sqlite == columns)
        .map(|(key, _, _)| *key)
}

fn is_unique(extended_code: i32) -> bool {
    extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
        || extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        || extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_ROWID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbers_and_json_paths_are_left_alone() {
        assert_eq!(
            numbered("select $2, $1, '$.plan'"),
            "select ?2, ?1, '$.plan'"
        );
        let db = Connection::open_in_memory().unwrap();
        let mut done = run(&db, "select $2, $1", &[Value::Int(1), Value::Int(2)]).unwrap();
        let row = &mut done.rows[0];
        assert_eq!((row.int("a").unwrap(), row.int("b").unwrap()), (2, 1));
    }
}
