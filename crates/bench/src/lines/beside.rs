//! Logins while an import runs: the 99th percentile beside what it is on an idle server.
//!
//! Logins come at random moments, few enough that an idle server answers each at once: what is
//! measured is how long the import makes one wait, not how many it leaves room for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::json;
use testkit::{Api, Postgres, Server};

use super::import::{Watch, upload};
use crate::arrivals::{Answered, Flow, begin};
use crate::ferry::{PASSWORD_REALM, application, connection, expect, login, port, server};
use crate::generator::{Requests, post};
use crate::rows::RowsFile;
use crate::setup::Setup;
use crate::statistics::percentile;
use crate::table::Table;

const USERS: usize = 4;
const PASSWORD: &str = "Correct horse battery 1";
/// Logins a second: a tenth of what two cores can.
const RATE: f64 = 8.0;
const IDLE: Duration = Duration::from_secs(15);
/// A stretch of logins beside the import; the last one, which its end falls into, does not count.
const STRETCH: Duration = Duration::from_secs(2);
const CLIENTS: usize = 16;

/// The lines of both databases.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let file = RowsFile::write(setup.rows, true)?;
    let cluster = Postgres::start_durable()?;
    for name in ["SQLite", "PostgreSQL"] {
        let (mut calm, mut beside) = (Vec::new(), Vec::new());
        for turn in 0..setup.turns {
            let seed = u64::try_from(turn)?;
            let (idle, busy) = if name == "SQLite" {
                let ferry = server(setup).start().await?;
                let watch = Watch::sqlite(&ferry.data_dir().join("ferry.sqlite"))?;
                run(&ferry, &watch, &file, seed).await?
            } else {
                let database = cluster.database()?;
                let ferry = server(setup).database_url(database.url()).start().await?;
                let watch = Watch::postgres(database.url()).await?;
                run(&ferry, &watch, &file, seed).await?
            };
            calm.push(idle);
            beside.push(busy);
        }
        let line =
            format!("p99 of logins while an import runs, {name}, ms; beside an idle server's");
        table.at_most(&line, &beside, &calm, 2.0);
    }
    Ok(())
}

/// The percentile idle, and while the file is imported, in milliseconds.
async fn run(ferry: &Server, watch: &Watch, file: &RowsFile, seed: u64) -> Result<(f64, f64)> {
    let application = application(ferry, &[PASSWORD_REALM]).await?;
    connection(ferry, &application, "known", json!({})).await?;
    let empty = connection(ferry, &application, "empty", json!({})).await?;
    let requests = requests(ferry, &application).await?;
    let port = port(ferry)?;
    let idle = times(port, &requests, seed, IDLE)?;
    upload(ferry, &empty, file, false).await?;
    let mut busy = Vec::new();
    for stretch in 1.. {
        let spans = times(port, &requests, seed + 100 * stretch, STRETCH)?;
        match watch.look().await?.1.as_str() {
            "completed" => break,
            "failed" => bail!("the import failed\n{}", ferry.log()),
            _ => busy.extend(spans),
        }
    }
    if busy.is_empty() {
        bail!("the import was over in one stretch: BENCH_ROWS is too small");
    }
    Ok((percentile(&idle, 99), percentile(&busy, 99)))
}

async fn requests(ferry: &Server, application: &Api) -> Result<Requests> {
    let admin = ferry.api()?;
    let mut requests = Vec::new();
    for number in 0..USERS {
        let email = format!("known{number}@example.com");
        let body = json!({"connection": "known", "email": email, "password": PASSWORD});
        expect(201, admin.post("/api/v2/users", &body).await?)?;
        let body = login(application, "known", &email, PASSWORD);
        requests.push(post("/oauth/token", &body));
    }
    Ok(Arc::new(requests))
}

/// How long each login of a stretch took, in milliseconds.
fn times(port: u16, requests: &Requests, seed: u64, span: Duration) -> Result<Vec<f64>> {
    let flow = Flow {
        rate: RATE,
        span,
        clients: CLIENTS,
        seed,
    };
    let answers = begin(port, requests, flow)?.finish()?;
    let failed = answers.iter().find(|answer| answer.status != 200);
    if let Some(failed) = failed {
        bail!("a login was answered {}", failed.status);
    }
    let millis = |answer: &Answered| answer.after.as_secs_f64() * 1000.0;
    Ok(answers.iter().map(millis).collect())
}
