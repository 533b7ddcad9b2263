//! Fifty first logins of one user at once, on two server processes over one PostgreSQL.

use anyhow::Result;
use futures_util::future::try_join_all;
use serde_json::json;
use testkit::{Api, Legacy};

use crate::stage::{self, On, expect};

#[tokio::test]
async fn fifty_first_logins_on_two_servers_are_one_user() -> Result<()> {
    let on = On::postgres()?;
    let legacy = Legacy::start()?;
    // How fast this machine hashes is not the question here.
    let patient = || on.builder().env("FERRY_SCRIPTS_TIMEOUT_MS", "60000");
    let one = patient().start().await?;
    // The same issuer, as two nodes behind one name have.
    let two = patient()
        .env("FERRY_PUBLIC_URL", one.public_url())
        .start()
        .await?;
    let shop = stage::application(&one).await?;
    stage::connection(&one, &shop, "django", on.django(&legacy, true)?).await?;
    let other = Api::new(&two.public_url(), shop.client_id(), shop.client_secret())?;
    let person = legacy
        .ordinary()
        .next()
        .cloned()
        .unwrap_or_else(|| unreachable!());
    let password = person.password.clone().unwrap_or_default();
    let logins = (0..50).map(|number| {
        let api = if number % 2 == 0 { &shop } else { &other };
        api.login("django", &person.email, &password)
    });
    let answers = try_join_all(logins).await?;
    let successes = answers.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(
        successes,
        50,
        "{:?}",
        answers.iter().find(|(status, _)| *status != 200)
    );

    let admin = one.api()?;
    let found = admin
        .get(&format!("/api/v2/users-by-email?email={}", person.email))
        .await?;
    let users = expect(200, found)?;
    assert_eq!(users.as_array().map(Vec::len), Some(1), "{users}");
    assert_eq!(users[0]["logins_count"], 50);
    assert_eq!(users[0]["identities"].as_array().map(Vec::len), Some(1));
    let all = expect(200, admin.get("/api/v2/users?include_totals=true").await?)?;
    assert_eq!(all["total"], json!(1));
    let codes = stage::log_codes(&admin).await?;
    assert_eq!(codes.iter().filter(|code| *code == "ferry_sum").count(), 1);
    Ok(())
}
