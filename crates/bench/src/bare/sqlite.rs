//! Bare import to SQLite: one thread parses, one inserts with prepared statements.

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use rusqlite::{Connection, params};

use super::parse::{User, parse};

const BATCHES_IN_TRANSACTION: usize = 10;

const SCHEMA: &str = "
    pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -200000;
    create table users (
        id integer primary key, connection text not null, email text not null,
        email_verified integer not null, user_id text not null, given_name text, family_name text,
        name text, nickname text, picture text, user_metadata text, app_metadata text,
        created_at integer not null);
    create unique index users_user_id on users (user_id);
    create unique index users_email on users (connection, email);
    create table credentials (user_row integer primary key, hash text not null);";

const USER: &str = "insert into users (id, connection, email, email_verified, user_id, given_name, \
    family_name, name, nickname, picture, user_metadata, app_metadata, created_at) \
    values (?1, 'con_bare', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0) on conflict do nothing";

const CREDENTIAL: &str =
    "insert into credentials (user_row, hash) values (?1, ?2) on conflict do nothing";

/// Rows committed so far, and when.
pub type Marks = Vec<(i64, Duration)>;

/// File to committed, into a database that did not exist; a mark for each commit.
pub fn import(file: &Path, rows: u64, database: &Path) -> Result<Marks> {
    let started = Instant::now();
    let mut connection = Connection::open(database)?;
    connection.execute_batch(SCHEMA)?;
    let (sender, batches) = sync_channel(16);
    let path = file.to_owned();
    let reading = std::thread::spawn(move || parse(&path, &sender));
    let mut marks = write(&mut connection, &batches, started)?;
    reading
        .join()
        .map_err(|_| anyhow!("the parser panicked"))??;
    marks.push((i64::try_from(rows)?, started.elapsed()));
    let written: i64 =
        connection.query_row("select count(*) from credentials", [], |row| row.get(0))?;
    ensure!(
        written == i64::try_from(rows)?,
        "bare SQLite wrote {written} of {rows} rows"
    );
    Ok(marks)
}

fn write(
    connection: &mut Connection,
    batches: &Receiver<Vec<User>>,
    started: Instant,
) -> Result<Marks> {
    let (mut is_over, mut rows, mut marks) = (false, 0, Marks::new());
    while !is_over {
        let transaction = connection.transaction()?;
        {
            let mut user = transaction.prepare_cached(USER)?;
            let mut credential = transaction.prepare_cached(CREDENTIAL)?;
            for _ in 0..BATCHES_IN_TRANSACTION {
                let Ok(batch) = batches.recv() else {
                    is_over = true;
                    break;
                };
                rows += i64::try_from(batch.len())?;
                for row in batch {
                    let [
                        email,
                        id,
                        given,
                        family,
                        name,
                        nickname,
                        picture,
                        theirs,
                        ours,
                    ] = &row.texts;
                    user.execute(params![
                        row.id,
                        email,
                        row.email_verified,
                        id,
                        given,
                        family,
                        name,
                        nickname,
                        picture,
                        theirs,
                        ours
                    ])?;
                    credential.execute(params![row.id, row.password])?;
                }
            }
        }
        transaction.commit()?;
        marks.push((rows, started.elapsed()));
    }
    Ok(marks)
}
