//! SIGKILL at random moments of an import and of a stream of first logins, on both databases: the
//! end state is that of an undisturbed run. None lost, none doubled, none half-made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::{Page, User};
use rand::Rng as _;
use serde_json::{Value, json};
use store::{Store, UserFilter, UserSort};
use testkit::{Api, Server, ServerBuilder};
use tokio::time::{Instant, sleep};

use crate::stage::{self, On};

/// On each database.
const KILLS: usize = 50;
const KILLS_OF_LOGINS: usize = 25;
pub const ROWS: usize = 50_000;
const NEWCOMERS: usize = 250;

/// Rows of every kind: good ones, bad ones, and ones that repeat an earlier row far before.
pub fn file() -> Vec<u8> {
    let rows = (0..ROWS).map(|n| match n % 1000 {
        7 => json!({"email": "not an address"}),
        8 => json!({"email": format!("user{}@example.com", n - 8), "name": "again"}),
        _ => json!({
            "email": format!("user{n}@example.com"), "user_id": format!("legacy-{n}"),
            "name": format!("Ürsula Nº{n}"), "user_metadata": {"n": n, "text": "\u{1F6A2}"},
            "app_metadata": {"plan": "pro"},
            "password_hash": "$2b$10$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K",
        }),
    });
    serde_json::to_vec(&rows.collect::<Vec<_>>()).unwrap_or_default()
}

/// Everything of a user that must not depend on what happened on the way.
fn canonical(user: &User) -> String {
    let identities: Vec<_> = user
        .identities
        .iter()
        .map(|i| {
            (
                i.provider.clone(),
                i.foreign_id.clone(),
                i.origin,
                i.is_primary,
            )
        })
        .collect();
    format!(
        "{} {:?} {:?} {:?}",
        user.user_id, user.attributes, identities, user.factors
    )
}

pub async fn end_state(store: &Store) -> Result<Vec<String>> {
    let mut users = Vec::new();
    for number in 0.. {
        let page = Page { number, size: 5000 };
        let found = store
            .list_users(&UserFilter::default(), UserSort::Arrival, false, page)
            .await?;
        if found.items.is_empty() {
            break;
        }
        users.extend(found.items.iter().map(canonical));
    }
    users.sort();
    Ok(users)
}

pub async fn server(on: &On) -> Result<Server> {
    builder(on).start().await
}

pub fn builder(on: &On) -> ServerBuilder {
    on.builder()
        .env("FERRY_IMPORT_BATCH_ROWS", "100")
        .env("FERRY_IMPORT_LEASE_MS", "200")
        .env("FERRY_PASSWORDS_SCHEME", "argon2id:64,1,1")
}

/// What an import came to, and between which kills it had gone on.
pub struct Outcome {
    pub users: Vec<String>,
    pub summary: Value,
    pub errors: Value,
    pub moved: usize,
}

/// One whole import; with `kills`, the server dies so often on the way.
pub async fn run_import(on: &On, kills: usize) -> Result<Outcome> {
    let mut server = server(on).await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    let admin = server.api()?;
    let id = stage::start_import(&admin, &connection, file()).await?;
    let (mut total, mut moved) = (0, 0);
    for kill in 0..kills {
        let share = (ROWS - total) / (kills - kill + 1);
        let reached = some_way_on(&admin, &id, total, share).await?;
        moved += usize::from(reached != total);
        total = reached;
        server.kill()?;
        server.restart().await?;
    }
    let outcome = end_of(&mut server, &admin, &id).await?;
    let store = on.store(&server).await?;
    let users = end_state(&store).await?;
    Ok(Outcome {
        users,
        moved,
        ..outcome
    })
}

/// Waits for a while that chance decides, but no longer than the job takes for some of its rows, of
/// which there are to be enough for all kills. Gives the rows that it has come to.
async fn some_way_on(admin: &Api, id: &str, from: usize, share: usize) -> Result<usize> {
    let rows = from + rand::rng().random_range(0..=2 * share);
    let end = Instant::now() + Duration::from_millis(rand::rng().random_range(5..250));
    loop {
        let (_, job) = admin.get(&format!("/api/v2/jobs/{id}")).await?;
        assert_eq!(job["status"], "pending", "over before the last kill: {job}");
        let total = rows_of(&job)?;
        if total >= rows || Instant::now() >= end {
            return Ok(total);
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// How many rows a job has come to; none before it is begun.
pub fn rows_of(job: &Value) -> Result<usize> {
    Ok(usize::try_from(
        job["summary"]["total"].as_u64().unwrap_or(0),
    )?)
}

/// Waits for the job's end and stops the server; the users are still to be read.
pub async fn end_of(server: &mut Server, admin: &Api, id: &str) -> Result<Outcome> {
    let job = admin.finished_job(id).await?;
    let (_, errors) = admin.get(&format!("/api/v2/jobs/{id}/errors")).await?;
    server.terminate().await?;
    Ok(Outcome {
        users: Vec::new(),
        summary: job["summary"].clone(),
        errors,
        moved: 0,
    })
}

/// The same users, numbers and errors; nobody lost, nobody doubled.
pub fn assert_same(found: &Outcome, expected: &Outcome) {
    assert_eq!(expected.summary["total"], ROWS);
    assert_eq!(expected.users.len(), ROWS - 2 * ROWS / 1000);
    assert_eq!(found.summary, expected.summary);
    assert_eq!(found.errors, expected.errors);
    assert!(
        found.users == expected.users,
        "{} users instead of {}",
        found.users.len(),
        expected.users.len()
    );
}

async fn an_import_survives(name: &str, calm: On, rough: On) -> Result<()> {
    let expected = run_import(&calm, 0).await?;
    let found = run_import(&rough, KILLS).await?;
    assert_same(&found, &expected);
    println!(
        "kills: {KILLS} SIGKILLs during an import of {ROWS} rows on {name}, between {} of which it \
         had gone on: exactly the undisturbed result",
        found.moved
    );
    Ok(())
}

#[tokio::test]
async fn an_import_survives_sigkill_on_sqlite() -> Result<()> {
    an_import_survives("SQLite", On::Sqlite, On::Sqlite).await
}

#[tokio::test]
async fn an_import_survives_sigkill_on_postgres() -> Result<()> {
    an_import_survives("PostgreSQL", On::postgres()?, On::postgres()?).await
}

const LOGIN: &str = r"
function login(email, password, callback) {
  const id = email.split('@')[0];
  if (password !== 'pass-' + id) return callback(new WrongUsernameOrPasswordError(id));
  callback(null, {
    user_id: id, email: email, email_verified: true, name: 'Người ' + id,
    user_metadata: { id: id }, app_metadata: { from: 'legacy' },
    mfa_factors: [{ totp: { secret: 'JBSWY3DPEHPK3PXP' } }, { phone: { value: '+4912345' } }],
  });
}";

/// Newcomers log in, each again and again until it works; the server dies meanwhile.
async fn run_logins(on: &On, kills: usize) -> Result<Vec<String>> {
    let mut server = server(on).await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "old", stage::scripted(LOGIN)).await?;
    let shop = Arc::new(shop);
    let next = Arc::new(AtomicUsize::new(0));
    let is_over = Arc::new(AtomicBool::new(kills == 0));
    let crowd: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn(newcomers(
                Arc::clone(&shop),
                Arc::clone(&next),
                Arc::clone(&is_over),
            ))
        })
        .collect();
    for _ in 0..kills {
        let pause = rand::rng().random_range(5..150);
        sleep(Duration::from_millis(pause)).await;
        server.kill()?;
        server.restart().await?;
    }
    is_over.store(true, Ordering::SeqCst);
    for member in crowd {
        member.await??;
    }
    server.terminate().await?;
    let store = on.store(&server).await?;
    let arrived = next.load(Ordering::SeqCst).min(NEWCOMERS);
    assert_eq!(arrived, NEWCOMERS);
    whole_log(&store, &connection).await?;
    end_state(&store).await
}

/// Logs newcomers in until all are here. While the server still dies, the last ones wait, so that
/// the stream does not run dry before the last kill.
async fn newcomers(shop: Arc<Api>, next: Arc<AtomicUsize>, is_over: Arc<AtomicBool>) -> Result<()> {
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= NEWCOMERS {
            return Ok(());
        }
        while number > NEWCOMERS / 2 && !is_over.load(Ordering::SeqCst) && number.is_multiple_of(2)
        {
            sleep(Duration::from_millis(5)).await;
        }
        let (email, password) = (format!("n{number}@example.com"), format!("pass-n{number}"));
        let mut tries = 0;
        // Their factors arrive with them and are asked for at once: the password was right.
        let is_in = |(status, body): (u16, Value)| status == 403 && body["error"] == "mfa_required";
        while !shop.login("old", &email, &password).await.is_ok_and(is_in) {
            tries += 1;
            anyhow::ensure!(tries < 2000, "{email} never gets in");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Each arrival was logged once, in the write that made it.
async fn whole_log(store: &Store, connection: &str) -> Result<()> {
    let mut arrivals = Vec::new();
    for number in 0.. {
        let events = store.list_logs(Page { number, size: 1000 }, true).await?;
        if events.is_empty() {
            break;
        }
        let arrived = events
            .iter()
            .filter(|event| event.get("type") == Some(&json!("ferry_sum")));
        arrivals.extend(arrived.map(|event| event["user_id"].to_string()));
    }
    arrivals.sort();
    let count = arrivals.len();
    arrivals.dedup();
    assert_eq!((count, arrivals.len()), (NEWCOMERS, NEWCOMERS));
    let found = store
        .find_login(&connection.into(), "n0@example.com")
        .await?;
    let (user, credential) = found.context("a user")?;
    assert_eq!(user.factors.len(), 2);
    assert!(credential.hash.is_some());
    Ok(())
}

async fn first_logins_survive(calm: On, rough: On) -> Result<()> {
    let expected = run_logins(&calm, 0).await?;
    assert_eq!(expected.len(), NEWCOMERS);
    let found = run_logins(&rough, KILLS_OF_LOGINS).await?;
    assert!(
        found == expected,
        "{} users instead of {}",
        found.len(),
        expected.len()
    );
    Ok(())
}

#[tokio::test]
async fn first_logins_survive_sigkill_on_sqlite() -> Result<()> {
    first_logins_survive(On::Sqlite, On::Sqlite).await
}

#[tokio::test]
async fn first_logins_survive_sigkill_on_postgres() -> Result<()> {
    first_logins_survive(On::postgres()?, On::postgres()?).await
}
