//! Whether the time of a refusal tells who exists: logins of unknown users, with wrong passwords and
//! of barred users, one at a time and in random order, compared by Welch's t-test.
//!
//! The hash is made as cheap as it may be: what is left to differ then stands out the more.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;
use testkit::{Api, Server};

use crate::ferry::{PASSWORD_REALM, application, connection, expect, login, port, server};
use crate::generator::{Connection, post};
use crate::setup::Setup;
use crate::statistics::{median, percentile, shown, welch};
use crate::table::Table;

/// Logins of each kind.
const SAMPLES: usize = 2_000;
/// The first ones warm up.
const WARMING: usize = 50;
const USERS: usize = 20;
const PASSWORD: &str = "Correct horse battery 1";
/// Slowest part of the samples, which the machine's own pauses make, in percent.
const CUT: usize = 5;
/// Beyond this the difference is taken for real; the usual bound of tests for leaks by time.
const BOUND: f64 = 4.5;

/// Who logs in, the answer, and how long each took, in microseconds.
struct Kind {
    name: &'static str,
    status: u16,
    times: Vec<f64>,
}

const fn kind(name: &'static str, status: u16) -> Kind {
    Kind {
        name,
        status,
        times: Vec::new(),
    }
}

/// The lines of each pair.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let ferry = server(setup)
        .env("FERRY_PASSWORDS_SCHEME", "argon2id:7168,1,1")
        .start()
        .await?;
    let application = prepare(&ferry).await?;
    let mut connection = Connection::open(port(&ferry)?)?;
    let mut kinds = [
        kind("unknown user", 403),
        kind("wrong password", 403),
        kind("blocked user", 403),
    ];
    let mut chosen = [0; 2];
    for round in 0..SAMPLES + WARMING {
        // Any order, and not only where each begins: what came before may be felt.
        getrandom::fill(&mut chosen)?;
        kinds.swap(0, usize::from(chosen[0]) % 3);
        kinds.swap(1, 1 + usize::from(chosen[1]) % 2);
        for kind in &mut kinds {
            let request = request(&application, kind.name, round);
            let begun = Instant::now();
            connection.send(&request)?;
            let status = connection.status()?;
            let took = begun.elapsed().as_secs_f64() * 1e6;
            ensure!(status == kind.status, "{} was answered {status}", kind.name);
            if round >= WARMING {
                kind.times.push(took);
            }
        }
    }
    kinds.sort_by_key(|kind| kind.name);
    let [blocked, unknown, wrong] = &kinds;
    for (one, other) in [(unknown, wrong), (wrong, blocked), (unknown, blocked)] {
        let t = welch(&without_slowest(&one.times), &without_slowest(&other.times));
        let name = format!(
            "|t| of Welch's test, {} against {}, {SAMPLES} logins each",
            one.name, other.name
        );
        let (first, second) = (shown(median(&one.times)), shown(median(&other.times)));
        let bare = format!("medians {first} and {second} µs");
        table.below(&name, &[t.abs()], &bare, BOUND, "");
    }
    Ok(())
}

/// An application, and users of whom half are barred. Counting failures would end the test early.
async fn prepare(ferry: &Server) -> Result<Api> {
    let application = application(ferry, &[PASSWORD_REALM]).await?;
    let options = json!({"brute_force_protection": false});
    connection(ferry, &application, "people", options).await?;
    let admin = ferry.api()?;
    let off = json!({"enabled": false});
    for shield in ["suspicious-ip-throttling", "brute-force-protection"] {
        let path = format!("/api/v2/attack-protection/{shield}");
        expect(200, admin.patch(&path, &off).await?)?;
    }
    for number in 0..USERS {
        for (name, is_blocked) in [("known", false), ("barred", true)] {
            let user = json!({
                "connection": "people", "email": format!("{name}{number:03}@example.com"),
                "password": PASSWORD, "blocked": is_blocked,
            });
            expect(201, admin.post("/api/v2/users", &user).await?)?;
        }
    }
    Ok(application)
}

/// A login of a kind. Nobody's name comes twice among the unknown.
fn request(application: &Api, kind: &str, round: usize) -> Vec<u8> {
    let number = round % USERS;
    let (email, password) = match kind {
        "unknown user" => (format!("other{round:04}@example.com"), PASSWORD),
        "wrong password" => (
            format!("known{number:03}@example.com"),
            "Another password of hers",
        ),
        _ => (format!("barred{number:03}@example.com"), PASSWORD),
    };
    post(
        "/oauth/token",
        &login(application, "people", &email, password),
    )
}

fn without_slowest(times: &[f64]) -> Vec<f64> {
    let ceiling = percentile(times, 100 - CUT);
    times
        .iter()
        .copied()
        .filter(|time| *time <= ceiling)
        .collect()
}
