//! A file of users, from the upload to the last commit; bare in turns with it.
//!
//! The clock of the compared line runs from the 202 (the file is durable on the server's side, as
//! the bare pipeline finds it) until the last row is committed. A second line counts the upload
//! over HTTP as well.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use rusqlite::OpenFlags;
use testkit::{Database, Postgres, Server};
use tokio_postgres::NoTls;
use tokio_util::io::ReaderStream;

use crate::bare;
use crate::ferry::{application, connection, expect, memory_mib, server, text};
use crate::rows::RowsFile;
use crate::setup::Setup;
use crate::statistics::{float, median, rate, shown};
use crate::table::Table;

const POLL: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_mins(15);
const JOB: &str = "select total, status from jobs order by created_at desc limit 1";

/// What one import came to.
struct Run {
    upload: Duration,
    /// From the 202 to the last commit.
    work: Duration,
    first: f64,
    last: f64,
    peak_mib: f64,
    /// The same file again, as an upsert: nothing changes.
    again: Duration,
}

/// Where a job can be watched, beside the server.
pub(super) enum Watch {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Watch {
    pub(super) fn sqlite(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Ok(Self::Sqlite(rusqlite::Connection::open_with_flags(
            path, flags,
        )?))
    }

    pub(super) async fn postgres(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self::Postgres(client))
    }

    /// Rows committed so far, and the job's state.
    pub(super) async fn look(&self) -> Result<(i64, String)> {
        Ok(match self {
            Self::Sqlite(db) => db.query_row(JOB, [], |row| Ok((row.get(0)?, row.get(1)?)))?,
            Self::Postgres(client) => {
                let row = client.query_one(JOB, &[]).await?;
                (row.get(0), row.get(1))
            }
        })
    }
}

/// The lines of SQLite.
pub async fn on_sqlite(setup: &Setup, table: &mut Table) -> Result<()> {
    for is_ordered in [true, false] {
        sqlite(setup, is_ordered, table).await?;
    }
    Ok(())
}

async fn sqlite(setup: &Setup, is_ordered: bool, table: &mut Table) -> Result<()> {
    let file = RowsFile::write(setup.rows, is_ordered)?;
    let (mut runs, mut bares, mut constancies) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..setup.turns {
        settle_disk();
        let database = file.folder().join(format!("bare-{turn}.sqlite"));
        let marks = bare::sqlite::import(&file.path(), file.rows, &database)?;
        bares.push(rate(file.rows, marks.last().context("a mark")?.1));
        let (first, last) = ends(&marks, i64::try_from(file.rows / 10)?).context("few commits")?;
        constancies.push(last / first);
        std::fs::remove_file(&database)?;
        settle_disk();
        let ferry = server(setup).start().await?;
        let watch = Watch::sqlite(&ferry.data_dir().join("ferry.sqlite"))?;
        runs.push(import(&ferry, &watch, &file).await?);
    }
    let name = named("SQLite", is_ordered);
    report(&name, 0.85, &file, &runs, &bares, table);
    table.remark(format!(
        "{name}: the bare pipeline's own rate of the last tenth to that of the first is {:.2}.",
        median(&constancies)
    ));
    Ok(())
}

/// The lines of PostgreSQL.
pub async fn on_postgres(setup: &Setup, table: &mut Table) -> Result<()> {
    let cluster = Postgres::start_durable()?;
    for is_ordered in [true, false] {
        postgres(setup, &cluster, is_ordered, table).await?;
    }
    Ok(())
}

async fn postgres(
    setup: &Setup,
    cluster: &Postgres,
    is_ordered: bool,
    table: &mut Table,
) -> Result<()> {
    let file = RowsFile::write(setup.rows, is_ordered)?;
    let (mut runs, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..setup.turns {
        settle_disk();
        let database: Database = cluster.database()?;
        let took = bare::postgres::import(&file.path(), file.rows, database.url()).await?;
        bares.push(rate(file.rows, took));
        drop(database);
        settle_disk();
        let database: Database = cluster.database()?;
        let ferry = server(setup).database_url(database.url()).start().await?;
        let watch = Watch::postgres(database.url()).await?;
        runs.push(import(&ferry, &watch, &file).await?);
    }
    report(
        &named("PostgreSQL", is_ordered),
        1.2,
        &file,
        &runs,
        &bares,
        table,
    );
    Ok(())
}

/// Nobody pays for what the one before left to be written.
fn settle_disk() {
    // Without the command the measurement is only less fair.
    let _ignored = std::process::Command::new("sync").status();
}

fn named(database: &str, is_ordered: bool) -> String {
    let order = if is_ordered { "ordered" } else { "in no order" };
    format!("{database}, addresses {order}")
}

async fn import(ferry: &Server, watch: &Watch, file: &RowsFile) -> Result<Run> {
    let application = application(ferry, &["client_credentials"]).await?;
    let id = connection(ferry, &application, "bench", serde_json::json!({})).await?;
    let started = Instant::now();
    upload(ferry, &id, file, false).await?;
    let upload_took = started.elapsed();
    let rows = i64::try_from(file.rows)?;
    let marks = follow(ferry, watch, rows).await?;
    let work = marks.last().context("a mark")?.1;
    let (first, last) = ends(&marks, rows / 10).context("too few batches")?;
    let pid = ferry.pid().context("a process")?;
    let peak_mib = memory_mib(pid, "VmHWM")?;
    settle(ferry, watch).await?;
    upload(ferry, &id, file, true).await?;
    let again = follow(ferry, watch, rows).await?;
    let again = again.last().context("a mark")?.1;
    settle(ferry, watch).await?;
    Ok(Run {
        upload: upload_took,
        work,
        first,
        last,
        peak_mib,
        again,
    })
}

/// Watches the newest job from now on until its last row is committed.
async fn follow(ferry: &Server, watch: &Watch, rows: i64) -> Result<Vec<(i64, Duration)>> {
    let accepted = Instant::now();
    let mut marks: Vec<(i64, Duration)> = Vec::new();
    loop {
        let (total, status) = watch.look().await?;
        let at = accepted.elapsed();
        if marks.last().is_none_or(|(before, _)| total > *before) {
            marks.push((total, at));
        }
        if status == "failed" || at > LONGEST {
            bail!(
                "the import stands at {total} rows, {status}\n{}",
                ferry.log()
            );
        }
        if total == rows {
            return Ok(marks);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The job must end as completed, with every row written.
async fn settle(ferry: &Server, watch: &Watch) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let (_, status) = watch.look().await?;
        if status == "completed" {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "the job stays {status}\n{}",
            ferry.log()
        );
        tokio::time::sleep(POLL).await;
    }
}

pub(super) async fn upload(
    ferry: &Server,
    connection: &str,
    file: &RowsFile,
    is_upsert: bool,
) -> Result<()> {
    let admin = ferry.api()?;
    let source = tokio::fs::File::open(file.path()).await?;
    let body = Body::wrap_stream(ReaderStream::with_capacity(source, 1 << 18));
    let users = Part::stream_with_length(body, file.bytes).file_name("users.json");
    let form = Form::new()
        .text("connection_id", connection.to_owned())
        .text("send_completion_email", "false")
        .text("upsert", is_upsert.to_string())
        .part("users", users);
    let request = admin
        .http()
        .post(admin.url("/api/v2/jobs/users-imports"))
        .bearer_auth(admin.management_token().await?)
        .timeout(LONGEST)
        .multipart(form);
    let job = expect(202, admin.send(request).await?)?;
    text(&job, "id").map(drop)
}

/// Rates over the first and the last `block` rows, between commits.
fn ends(marks: &[(i64, Duration)], block: i64) -> Option<(f64, f64)> {
    let total = marks.last()?.0;
    let first = marks.iter().find(|(rows, _)| *rows > 0)?;
    let after = marks
        .iter()
        .find(|(rows, _)| *rows >= block && *rows > first.0)?;
    let before = marks
        .iter()
        .rev()
        .find(|(rows, _)| *rows <= total - block)?;
    let speed = |from: &(i64, Duration), to: &(i64, Duration)| {
        let rows = u64::try_from(to.0 - from.0).unwrap_or_default();
        rate(rows, to.1.saturating_sub(from.1))
    };
    Some((speed(first, after), speed(before, marks.last()?)))
}

fn report(
    name: &str,
    target: f64,
    file: &RowsFile,
    runs: &[Run],
    bares: &[f64],
    table: &mut Table,
) {
    let rows = file.rows;
    let of = |value: fn(&Run) -> f64| runs.iter().map(value).collect::<Vec<f64>>();
    let works: Vec<f64> = runs.iter().map(|run| rate(rows, run.work)).collect();
    let whole: Vec<f64> = runs
        .iter()
        .map(|run| rate(rows, run.upload + run.work))
        .collect();
    let count = shown(float(rows));
    table.compare(
        &format!("import {count} rows, {name}: accepted file to committed"),
        &works,
        bares,
        target,
    );
    table.compare(
        &format!("import {count} rows, {name}: with the upload over HTTP"),
        &whole,
        bares,
        0.6,
    );
    let (first, last) = (of(|run| run.first), of(|run| run.last));
    let block = shown(float(rows / 10));
    let constancy = median(&of(|run| run.last / run.first));
    let rates = format!("{} then {}", shown(median(&first)), shown(median(&last)));
    // Of ten million rows, the last million; of fewer, more is asked.
    let floor = if rows < 10_000_000 { 0.8 } else { 0.7 };
    table.at_least(
        &format!("import, {name}: rate of the last {block} rows to that of the first"),
        constancy,
        rates,
        floor,
    );
    table.below(
        &format!("import, {name}: most memory of the server"),
        &of(|run| run.peak_mib),
        "–",
        100.0,
        "MiB",
    );
    let again: Vec<f64> = runs.iter().map(|run| rate(rows, run.again)).collect();
    table.compare(
        &format!("import, {name}: the same file again, as an upsert that changes nothing; beside its first import"),
        &again,
        &works,
        0.5,
    );
    let upload = shown(median(&of(|run| run.upload.as_secs_f64())));
    table.remark(format!(
        "{name}: the upload of {} MB took {upload} s (HTTP, spool, sync).",
        file.bytes / 1_000_000
    ));
}
