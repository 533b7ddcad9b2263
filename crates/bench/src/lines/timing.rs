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
const USERS: usize = 20;
const PASSWORD: &str = "Correct horse battery 1";
/// Slowest part of the samples, which the machine's own pauses make, in percent.
const CUT: usize = 5;
/// Beyond this the difference is taken for real; the usual bound of tests for leaks by time.
const BOUND: f64 = 4.5;

/// TABLE: who logs in, and the answer.
const KINDS: [(&str, u16); 3] = [
    ("unknown user", 403),
    ("wrong password", 403),
    ("blocked user", 401),
];

/// The lines of each pair.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let ferry = server(setup)
        .env("FERRY_PASSWORDS_SCHEME", "argon2id:7168,1,1")
        .start()
        .await?;
    let application = prepare(&ferry).await?;
    let mut connection = Connection::open(port(&ferry)?)?;
    let mut times: [Vec<f64>; 3] = Default::default();
    let mut seed = [0; 1];
    for round in 0..SAMPLES + 50 {
        getrandom::fill(&mut seed)?;
        for turn in 0..KINDS.len() {
            let kind = (turn + usize::from(seed[0])) % KINDS.len();
            let request = request(&application, kind, round);
            let begun = Instant::now();
            connection.send(&request)?;
            let status = connection.status()?;
            let took = begun.elapsed().as_secs_f64() * 1e6;
            let (name, expected) = KINDS[kind];
            ensure!(status == expected, "{name} was answered {status}");
            // The first ones warm up.
            if round >= 50 {
                times[kind].push(took);
            }
        }
    }
    let medians: Vec<String> = times.iter().map(|times| shown(median(times))).collect();
    let kept: Vec<Vec<f64>> = times.iter().map(|times| without_slowest(times)).collect();
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let t = welch(&kept[one], &kept[other]).abs();
        let name = format!(
            "|t| of Welch's test, {} against {}, {SAMPLES} logins each",
            KINDS[one].0, KINDS[other].0
        );
        let bare = format!("medians {} and {} µs", medians[one], medians[other]);
        table.below(&name, &[t], &bare, BOUND, "");
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
fn request(application: &Api, kind: usize, round: usize) -> Vec<u8> {
    let number = round % USERS;
    let (email, password) = match kind {
        0 => (format!("other{round:04}@example.com"), PASSWORD),
        1 => (
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
