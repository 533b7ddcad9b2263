//! Logins through three connections' scripts, one of which hangs: what the others feel of it.
//!
//! The script that hangs asks a store that accepts and never speaks. Each turn brings a connection
//! that nobody has called yet, so that the time until its breaker opens is part of what is measured.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use testkit::{Api, Server};

use crate::arrivals::{Answered, Flow, Running, begin};
use crate::ferry::{PASSWORD_REALM, application, connection, expect, login, port, server};
use crate::generator::{self, Pressure, Requests, post};
use crate::setup::Setup;
use crate::statistics::{float, median, percentile, shown, spread};
use crate::table::Table;

const USERS: usize = 16;
const PASSWORD: &str = "correct horse battery";
const HEALTHY: [&str; 2] = ["first", "second"];
/// The one that hangs, as long as it does not.
const THIRD: &str = "third";
const ALL: [&str; 3] = ["first", "second", THIRD];
/// The share of the machine's capacity that arrives.
const SHARE: f64 = 0.6;
const SPAN: Duration = Duration::from_secs(10);
const CAPACITY_SPAN: Duration = Duration::from_secs(4);
const TIMEOUT: Duration = Duration::from_secs(2);
/// Enough for all that can be under way: the hanging connection has 4 workers and a queue of 100.
const CLIENTS: usize = 64;
const CLIENTS_THAT_HANG: usize = 160;

const LOGIN: &str = "function login(email, password, callback) {
  callback(null, { user_id: email, email: email, email_verified: true, name: 'A B' });
}";

/// A store that accepts connections and never says a word.
struct Silent {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Silent {
    fn open() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        // It ends with the program.
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                counter.fetch_add(1, Ordering::Relaxed);
                kept.push(stream);
            }
        });
        Ok(Self { port, asked })
    }

    fn login(&self) -> String {
        format!(
            "function login(email, password, callback) {{
  const socket = require('net').connect({}, '127.0.0.1');
  socket.once('data', (answer) => callback(null, JSON.parse(answer)));
  socket.write(email);
}}",
            self.port
        )
    }
}

/// Healthy logins' p99 in each turn, in milliseconds, and what came of the rest.
#[derive(Default)]
struct Series {
    capacity: Vec<f64>,
    calm: Vec<f64>,
    beside: Vec<f64>,
    calm_median: Vec<f64>,
    beside_median: Vec<f64>,
    asked: Vec<f64>,
    refused_at_once: Vec<f64>,
}

/// The line of the healthy logins' 99th percentile.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let timeout = TIMEOUT.as_millis().to_string();
    let ferry = server(setup).env("FERRY_SCRIPTS_TIMEOUT_MS", timeout);
    let ferry = ferry.start().await?;
    let application = application(&ferry, &[PASSWORD_REALM]).await?;
    for name in ALL {
        scripted(&ferry, &application, name, LOGIN).await?;
        for user in 0..USERS {
            let body = login(&application, name, &email(name, user), PASSWORD);
            expect(200, application.post_public("/oauth/token", &body).await?)?;
        }
    }
    let port = port(&ferry)?;
    let mut series = Series::default();
    for turn in 0..setup.turns {
        let silent = Silent::open()?;
        let hanging = format!("hanging{turn}");
        scripted(&ferry, &application, &hanging, &silent.login()).await?;
        // What others take of the machine changes, so each turn has a look of its own.
        let capacity = capacity(setup, port, &application)?;
        series.capacity.push(capacity);
        let load = |third: &str, clients| {
            let seed = u64::try_from(turn)? * 2;
            let rate = capacity * SHARE;
            let two = requests(&application, &HEALTHY);
            let healthy = flow(rate * 2.0 / 3.0, CLIENTS, seed);
            let healthy = begin(port, &two, healthy)?;
            let third = requests(&application, &[third]);
            let third = begin(port, &third, flow(rate / 3.0, clients, seed + 1))?;
            both(healthy, third)
        };
        let (calm, _) = load(THIRD, CLIENTS)?;
        let (beside, hung) = load(&hanging, CLIENTS_THAT_HANG)?;
        note(&mut series, &calm, &beside, &hung)?;
        series
            .asked
            .push(float(u64::try_from(silent.asked.load(Ordering::Relaxed))?));
    }
    report(table, &series);
    Ok(())
}

fn report(table: &mut Table, series: &Series) {
    table.at_most(
        "logins at 60 %, one of three connections hangs: p99 of the others, ms; without it",
        &series.beside,
        &series.calm,
        1.5,
    );
    table.remark(format!(
        "Capacity {} logins/s. Healthy logins' median {} ms beside the hanging connection, {} ms without; \
         of that one's logins {} reached its store and hung, {} were refused within 100 ms (medians).",
        spread(&series.capacity),
        spread(&series.beside_median),
        spread(&series.calm_median),
        shown(median(&series.asked)),
        shown(median(&series.refused_at_once)),
    ));
}

fn flow(rate: f64, clients: usize, seed: u64) -> Flow {
    Flow {
        rate,
        span: SPAN,
        clients,
        seed,
    }
}

fn both(healthy: Running, third: Running) -> Result<(Vec<Answered>, Vec<Answered>)> {
    let healthy = healthy.finish()?;
    let odd = healthy.iter().find(|answer| answer.status != 200);
    ensure!(
        odd.is_none(),
        "a healthy login got {:?}",
        odd.map(|answer| answer.status)
    );
    Ok((healthy, third.finish()?))
}

fn note(
    series: &mut Series,
    calm: &[Answered],
    beside: &[Answered],
    hung: &[Answered],
) -> Result<()> {
    let longest = hung.iter().map(|answer| answer.after).max();
    ensure!(
        longest >= Some(TIMEOUT) && hung.iter().all(|answer| answer.status != 200),
        "the hanging connection did not hang: {longest:?}"
    );
    let at_once = hung.iter().filter(|answer| answer.after < TIMEOUT / 20);
    let at_once = u64::try_from(at_once.count())?;
    series.refused_at_once.push(float(at_once));
    let (calm, beside) = (millis(calm), millis(beside));
    series.calm.push(percentile(&calm, 99));
    series.beside.push(percentile(&beside, 99));
    series.calm_median.push(median(&calm));
    series.beside_median.push(median(&beside));
    Ok(())
}

fn millis(answers: &[Answered]) -> Vec<f64> {
    let of = |answer: &Answered| answer.after.as_secs_f64() * 1000.0;
    answers.iter().map(of).collect()
}

/// Logins a second of all three connections, as many as the server takes.
fn capacity(setup: &Setup, port: u16, application: &Api) -> Result<f64> {
    let all = requests(application, &ALL);
    let pressure = Pressure {
        connections: 6 * setup.cores,
        ahead: 1,
    };
    generator::run(port, &all, pressure, Duration::from_secs(1))?;
    let load = generator::run(port, &all, pressure, CAPACITY_SPAN).context("capacity")?;
    Ok(load.rate)
}

/// Logins of all users, through these connections in turn.
fn requests(application: &Api, realms: &[&str]) -> Requests {
    let of = |user: usize, realm: &str| {
        post(
            "/oauth/token",
            &login(application, realm, &email(realm, user), PASSWORD),
        )
    };
    let users = 0..USERS;
    let all = users.flat_map(|user| realms.iter().map(move |realm| of(user, realm)));
    Arc::new(all.collect())
}

/// A connection whose every login asks its script.
async fn scripted(ferry: &Server, application: &Api, name: &str, login: &str) -> Result<()> {
    let options = json!({
        "enabledDatabaseCustomization": true, "import_mode": false,
        "customScripts": {"login": login},
    });
    connection(ferry, application, name, options).await?;
    Ok(())
}

/// Legacy ids, which are addresses here, are unique over all connections.
fn email(realm: &str, number: usize) -> String {
    format!("{realm}{number}@example.com")
}
