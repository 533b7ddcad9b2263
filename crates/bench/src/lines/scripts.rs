//! Action scripts on the embedded engine, and on Node in turns with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use domain::Password;
use script::{LoginOutcome, Program, Runtime, ScriptName, ScriptPool, try_start};
use testkit::Postgres;

use crate::ferry::{cpu_seconds, memory_mib};
use crate::runtimes::{Runtimes, children, cpu_of, end, none_left, settings};
use crate::setup::Setup;
use crate::statistics::{float, median, median_ms, rate, ratio, shown, spread};
use crate::table::Table;

/// Starts in each turn.
const STARTS: usize = 10;
/// Callers of one connection, which has four workers unless somebody says otherwise.
const CALLERS: usize = 16;
const WARM: Duration = Duration::from_secs(2);
const SPAN: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_secs(1);
/// A worker and the spare beside it.
const AT_REST: usize = 2;
const MEGABYTES_PER_MIB: f64 = 1.048_576;

const TRIVIAL: &str = "function login(email, password, callback) {
  callback(null, { user_id: email, email: email });
}";
const QUERY: &str = "function login(email, password, callback) {
  if (!global.pool) {
    const { Pool } = require('pg');
    global.pool = new Pool({ connectionString: configuration.URL, max: 1 });
  }
  global.pool.query('SELECT id, email FROM users WHERE email = $1', [email], (error, result) => {
    if (error) return callback(error);
    const [user] = result.rows;
    callback(null, { user_id: String(user.id), email: user.email });
  });
}";
const USERS: &str = "create table users (id serial primary key, email text unique); \
    insert into users (email) select 'user' || n || '@example.com' from generate_series(0, 999) n;";

/// The lines of action scripts.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let runtimes = Runtimes::new()?;
    start(setup, &runtimes, table).await?;
    memory(setup, &runtimes, table).await?;
    let trivial = program("con_trivial", TRIVIAL, &[])?;
    let name = "trivial script, warm, 16 in flight on 4 workers";
    calls(setup, &runtimes, &trivial, name, table).await?;
    let cluster = Postgres::start()?;
    let database = cluster.database()?;
    database.psql(USERS)?;
    let query = program("con_query", QUERY, &[("URL", database.url())])?;
    let name = "script with a kept `pg` pool, one query, 16 in flight on 4 workers";
    calls(setup, &runtimes, &query, name, table).await
}

/// From a pool without a worker to its first answer.
async fn start(setup: &Setup, runtimes: &Runtimes, table: &mut Table) -> Result<()> {
    let program = program("con_start", TRIVIAL, &[])?;
    let (mut embedded, mut node) = (Vec::new(), Vec::new());
    let (mut bare_embedded, mut bare_node) = (Vec::new(), Vec::new());
    for _ in 0..setup.turns {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let (mut our_starts, mut their_starts) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            ours.push(first_answer(setup, &runtimes.embedded, &program).await?);
            theirs.push(first_answer(setup, &runtimes.node, &program).await?);
            our_starts.push(start_and_end(setup, &runtimes.embedded).await?);
            their_starts.push(start_and_end(setup, &runtimes.node).await?);
        }
        embedded.push(median_ms(&ours));
        node.push(median_ms(&theirs));
        bare_embedded.push(median_ms(&our_starts));
        bare_node.push(median_ms(&their_starts));
    }
    table.at_most(
        "script worker: no worker to first answer, ms; Node beside it",
        &embedded,
        &node,
        0.3,
    );
    table.remark(format!(
        "Script workers: started, ready and gone again in {} ms embedded, {} ms on Node ({:.2}).",
        spread(&bare_embedded),
        spread(&bare_node),
        ratio(&bare_embedded, &bare_node),
    ));
    Ok(())
}

async fn first_answer(
    setup: &Setup,
    runtime: &Runtime,
    program: &Arc<Program>,
) -> Result<Duration> {
    let pool = ScriptPool::new(settings(setup, runtime));
    let started = Instant::now();
    call(&pool, program, "user0@example.com").await?;
    let took = started.elapsed();
    end(pool).await?;
    Ok(took)
}

async fn start_and_end(setup: &Setup, runtime: &Runtime) -> Result<Duration> {
    let settings = settings(setup, runtime);
    let started = Instant::now();
    let is_started = try_start(&settings).await;
    is_started.map_err(|failure| anyhow!("{failure}"))?;
    let took = started.elapsed();
    none_left().await?;
    Ok(took)
}

/// What a worker holds that has answered and has nothing to do.
async fn memory(setup: &Setup, runtimes: &Runtimes, table: &mut Table) -> Result<()> {
    let program = program("con_memory", TRIVIAL, &[])?;
    let (mut embedded, mut node, mut spares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setup.turns {
        let (spare, used) = resident(setup, &runtimes.embedded, &program).await?;
        spares.push(spare);
        embedded.push(used);
        node.push(resident(setup, &runtimes.node, &program).await?.1);
    }
    let beside = format!("{} MB", spread(&node));
    let name = "script worker: resident memory at rest; Node beside it";
    table.below(name, &embedded, &beside, 10.0, "MB");
    table.remark(format!(
        "A spare embedded worker, which has run nothing, holds {} MB.",
        spread(&spares)
    ));
    Ok(())
}

/// Megabytes of the spare and of the worker that answered.
async fn resident(setup: &Setup, runtime: &Runtime, program: &Arc<Program>) -> Result<(f64, f64)> {
    let pool = ScriptPool::new(settings(setup, runtime));
    call(&pool, program, "user0@example.com").await?;
    tokio::time::sleep(REST).await;
    let pids = children()?;
    ensure!(pids.len() == AT_REST, "{} workers", pids.len());
    let sizes: Result<Vec<f64>> = pids.iter().map(|pid| memory_mib(*pid, "VmRSS")).collect();
    let sizes: Vec<f64> = sizes?.iter().map(|mib| mib * MEGABYTES_PER_MIB).collect();
    end(pool).await?;
    let least = sizes.iter().copied().fold(f64::INFINITY, f64::min);
    let most = sizes.iter().copied().fold(0.0, f64::max);
    Ok((least, most))
}

/// A pool at work, and what its calls cost.
struct Side {
    pool: ScriptPool,
    workers: Vec<u32>,
    rates: Vec<f64>,
    /// Microseconds of processor time of a call, in the worker and in the host.
    worker_micros: Vec<f64>,
    host_micros: Vec<f64>,
}

impl Side {
    /// A pool with warm workers.
    async fn warm(setup: &Setup, runtime: &Runtime, program: &Arc<Program>) -> Result<Self> {
        let before = children()?;
        let pool = ScriptPool::new(settings(setup, runtime));
        load(&pool, program, WARM).await?;
        let mut workers = children()?;
        workers.retain(|pid| !before.contains(pid));
        Ok(Self {
            pool,
            workers,
            rates: Vec::new(),
            worker_micros: Vec::new(),
            host_micros: Vec::new(),
        })
    }

    async fn turn(&mut self, program: &Arc<Program>) -> Result<()> {
        let own = std::process::id();
        let (worker, host) = (cpu_of(&self.workers)?, cpu_seconds(own)?);
        let (count, took) = load(&self.pool, program, SPAN).await?;
        let calls = float(count);
        let worker = cpu_of(&self.workers)? - worker;
        let host = cpu_seconds(own)? - host;
        self.rates.push(rate(count, took));
        self.worker_micros.push(worker / calls * 1e6);
        self.host_micros.push(host / calls * 1e6);
        Ok(())
    }
}

/// A line of calls a second.
async fn calls(
    setup: &Setup,
    runtimes: &Runtimes,
    program: &Arc<Program>,
    name: &str,
    table: &mut Table,
) -> Result<()> {
    let mut embedded = Side::warm(setup, &runtimes.embedded, program).await?;
    let mut node = Side::warm(setup, &runtimes.node, program).await?;
    for _ in 0..setup.turns {
        embedded.turn(program).await?;
        node.turn(program).await?;
    }
    let line = format!("{name}; Node beside it");
    table.compare(&line, &embedded.rates, &node.rates, 0.5);
    table.remark(format!(
        "{name}: of processor time, a call costs the worker {} µs and the host {} µs; with Node {} and {} µs.",
        shown(median(&embedded.worker_micros)),
        shown(median(&embedded.host_micros)),
        shown(median(&node.worker_micros)),
        shown(median(&node.host_micros)),
    ));
    embedded.pool.shut_down().await;
    node.pool.shut_down().await;
    Ok(())
}

/// Calls by all callers for a while: how many, and how long it took.
async fn load(
    pool: &ScriptPool,
    program: &Arc<Program>,
    span: Duration,
) -> Result<(u64, Duration)> {
    let started = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (pool, program) = (pool.clone(), Arc::clone(program));
            tokio::spawn(async move {
                let mut count = 0_u64;
                while started.elapsed() < span {
                    let email = format!("user{}@example.com", (caller * 61 + 7) % 1000);
                    call(&pool, &program, &email).await?;
                    count += 1;
                }
                anyhow::Ok(count)
            })
        })
        .collect();
    let mut count = 0;
    for caller in callers {
        count += caller.await.context("a caller")??;
    }
    Ok((count, started.elapsed()))
}

async fn call(pool: &ScriptPool, program: &Arc<Program>, email: &str) -> Result<()> {
    let password = Password::from("secret".to_owned());
    let outcome = pool.login(program, email, &password).await.outcome;
    let is_found = matches!(outcome, LoginOutcome::Found(_));
    ensure!(is_found, "the script found nobody: {outcome:?}");
    Ok(())
}

fn program(name: &str, login: &str, configuration: &[(&str, &str)]) -> Result<Arc<Program>> {
    let scripts = BTreeMap::from([(ScriptName::Login, login.to_owned())]);
    let configuration = configuration.iter();
    let configuration = configuration
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    Ok(Arc::new(Program::new(
        name.into(),
        scripts,
        configuration,
        false,
    )?))
}
