//! Every format that other programs can make at this moment, of new random passwords: through one
//! import job of the real server, then through the login form.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use testkit::{Api, HashVector, Server};

use crate::stage::{self, On, expect};

/// The hash of an import row. Rows that share a name keep it with the hash alone: it belongs to one user.
fn row(vector: &HashVector, email: &str, names: &mut HashSet<String>) -> Value {
    let mut row = vector.record.clone();
    let name = row.get("username").and_then(Value::as_str);
    let name = name.map(str::to_owned);
    if let Some(name) = name.filter(|name| !names.insert(name.clone())) {
        row.remove("username");
        row["custom_password_hash"]["username"] = name.into();
    }
    row.insert("email".into(), email.into());
    Value::Object(row)
}

/// Waits until nothing is left that can be guessed at full speed; gives back how many were.
async fn wrapped_at_rest(server: &Server) -> Result<u64> {
    let admin = server.api()?;
    loop {
        let answer = admin.get("/api/v2/ferry/password-hashes").await?;
        let hashes = expect(200, answer)?;
        if hashes["fast"] == 0 {
            return hashes["wrapped"].as_u64().context("a number");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether the right password is let in and another is not.
async fn rounds(shop: &Api, email: &str, vector: &HashVector) -> Result<(bool, bool)> {
    let wrong = format!("!{}", vector.password);
    let refused = shop.login("plain", email, &wrong).await?.0 == 403;
    let entered = shop.login("plain", email, &vector.password).await?.0 == 200;
    Ok((entered, refused))
}

/// What other programs made a moment ago, of new random passwords: one job, then everybody comes.
async fn what_other_programs_make_logs_in(on: On, wrap: bool) -> Result<()> {
    let vectors = testkit::hash_vectors(None)?;
    let builder = on
        .builder()
        .env("FERRY_PASSWORDS_SCHEME", "argon2id:64,1,1")
        .env("FERRY_PASSWORDS_WRAP_IMPORTED", wrap.to_string());
    let mut server = builder.start().await?;
    stage::spare_this_machine(&server).await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    let email = |index: usize| format!("vector{index}@example.com");
    let mut names = HashSet::new();
    let rows = vectors.iter().enumerate();
    let lines = rows.map(|(index, vector)| format!("{}\n", row(vector, &email(index), &mut names)));
    let file: String = lines.collect();
    let id = stage::start_import(&server.api()?, &connection, file.into_bytes()).await?;
    let job = server.api()?.finished_job(&id).await?;
    assert_eq!(job["summary"]["inserted"], vectors.len(), "{job}");
    let wrapped = if wrap {
        wrapped_at_rest(&server).await?
    } else {
        0
    };
    let answers = stream::iter(vectors.iter().enumerate().map(|(index, vector)| {
        let (shop, email) = (&shop, email(index));
        async move { (vector, rounds(shop, &email, vector).await) }
    }));
    let answers: Vec<_> = answers.buffer_unordered(8).collect().await;
    let (mut entered, mut refused, mut formats) = (0, 0, BTreeSet::new());
    for (vector, answer) in answers {
        let (right, wrong) = answer?;
        ensure!(
            right && wrong,
            "{vector:?}: let in {right}, refused {wrong}"
        );
        entered += usize::from(right);
        refused += usize::from(wrong);
        formats.insert(vector.format.as_str());
    }
    println!(
        "vectors: {} of {} formats, {entered} logged in, {refused} wrong refused; {}, {wrapped} wrapped",
        vectors.len(),
        formats.len(),
        if wrap { "PostgreSQL" } else { "SQLite" },
    );
    server.terminate().await?;
    Ok(())
}

#[tokio::test]
async fn what_other_programs_make_logs_in_on_sqlite() -> Result<()> {
    what_other_programs_make_logs_in(On::Sqlite, false).await
}

/// The same with every fast hash put under Argon2id before its user comes.
#[tokio::test]
async fn what_other_programs_make_logs_in_wrapped_on_postgres() -> Result<()> {
    what_other_programs_make_logs_in(On::postgres()?, true).await
}
