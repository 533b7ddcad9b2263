//! Bare import to PostgreSQL: one thread parses, one connection copies to a staging table and
//! inserts from there.

use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::SinkExt as _;
use tokio_postgres::{Client, NoTls};

use super::parse::{User, parse};

const BATCHES_IN_TRANSACTION: usize = 10;

const SCHEMA: &str = "
    drop table if exists users; drop table if exists credentials;
    create table users (
        id bigint primary key, connection text not null, email text not null,
        email_verified boolean not null, user_id text not null, given_name text, family_name text,
        name text, nickname text, picture text, user_metadata text, app_metadata text,
        created_at bigint not null);
    create unique index users_user_id on users (user_id);
    create unique index users_email on users (connection, email);
    create table credentials (user_row bigint primary key, hash text not null);
    create temp table stage (
        id bigint not null, email_verified boolean not null, email text, user_id text,
        given_name text, family_name text, name text, nickname text, picture text,
        user_metadata text, app_metadata text, hash text) on commit delete rows;";

const COPY: &str = "copy stage from stdin (format binary)";
const COLUMNS: i16 = 12;

const INSERT: &str = "insert into users (id, connection, email, email_verified, user_id, given_name, \
    family_name, name, nickname, picture, user_metadata, app_metadata, created_at) \
    select id, 'con_bare', email, email_verified, user_id, given_name, family_name, name, nickname, \
    picture, user_metadata, app_metadata, 0 from stage on conflict do nothing";

const CREDENTIALS: &str = "insert into credentials (user_row, hash) select id, hash from stage \
    on conflict do nothing";

/// File to committed, into empty tables.
pub async fn import(file: &Path, rows: u64, url: &str) -> Result<Duration> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driver = tokio::spawn(connection);
    client.batch_execute(SCHEMA).await?;
    let started = Instant::now();
    let (sender, batches) = std::sync::mpsc::sync_channel(16);
    let path = file.to_owned();
    let reading = std::thread::spawn(move || parse(&path, &sender));
    loop {
        let mut users = Vec::new();
        for _ in 0..BATCHES_IN_TRANSACTION {
            match tokio::task::block_in_place(|| batches.recv()) {
                Ok(batch) => users.extend(batch),
                Err(_) => break,
            }
        }
        if users.is_empty() {
            break;
        }
        write(&client, &users).await?;
    }
    reading
        .join()
        .map_err(|_| anyhow!("the parser panicked"))??;
    let took = started.elapsed();
    let written: i64 = client
        .query_one("select count(*) from credentials", &[])
        .await?
        .get(0);
    ensure!(
        written == i64::try_from(rows)?,
        "bare PostgreSQL wrote {written} of {rows} rows"
    );
    drop(client);
    driver.await??;
    Ok(took)
}

async fn write(client: &Client, users: &[User]) -> Result<()> {
    client.batch_execute("begin").await?;
    let mut sink = pin!(client.copy_in::<_, Bytes>(COPY).await?);
    let mut buffer = BytesMut::with_capacity(1 << 18);
    buffer.put_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
    for user in users {
        put(&mut buffer, user)?;
        if buffer.len() > 1 << 17 {
            sink.send(buffer.split().freeze()).await?;
        }
    }
    buffer.put_i16(-1);
    sink.send(buffer.freeze()).await?;
    sink.finish().await?;
    client.execute(INSERT, &[]).await?;
    client.execute(CREDENTIALS, &[]).await?;
    client.batch_execute("commit").await?;
    Ok(())
}

fn put(out: &mut BytesMut, user: &User) -> Result<()> {
    out.put_i16(COLUMNS);
    out.put_i32(8);
    out.put_i64(user.id);
    out.put_i32(1);
    out.put_u8(u8::from(user.email_verified));
    for text in user.texts.iter().chain([&user.password]) {
        out.put_i32(i32::try_from(text.len())?);
        out.put_slice(text.as_bytes());
    }
    Ok(())
}
