//! `postgres` and `mysql`: a plain table of users.

use script::{Runtime, ScriptName};
use serde_json::json;
use testkit::{MariaDb, Postgres, Slapd};

use crate::checks::{
    PEOPLE, an_outage_is_a_failure, everybody_logs_in, found, nobody_is_nobody, user_names_work,
};
use crate::on_every_runtime;
use crate::rig::Starter;

const USERS: &str = include_str!("../../../testkit/stores/users.sql");

#[tokio::test]
async fn postgres_over_tls_with_scram() {
    let postgres = Postgres::start_tls().unwrap();
    let ca = std::fs::read_to_string(postgres.ca_file().unwrap()).unwrap();
    on_every_runtime!(|runtime| {
        let database = postgres.database().unwrap();
        database.psql(USERS).unwrap();
        let settings = [("DATABASE_URL", database.url()), ("DATABASE_CA", &ca)];
        let starter = Starter::new(&runtime, "postgres", &settings);
        everybody_logs_in(&starter, &PEOPLE, |person| {
            format!("postgres-1{}", person.id)
        })
        .await;
        user_names_work(&starter, &PEOPLE).await;
        nobody_is_nobody(&starter).await;
        table_changes(&starter, "postgres").await;
        a_bad_hash_is_a_failure(&starter, |sql| database.psql(sql).map(drop)).await;
        without_tls(&runtime, database.url()).await;
        database.stop().unwrap();
        an_outage_is_a_failure(&starter, "").await;
        database.resume().unwrap();
        found(
            starter.login("ann@example.org", "correct horse").await,
            "after the outage",
        );
    });
}

/// Without the authority's certificate, or without TLS, there is no connection.
async fn without_tls(runtime: &Runtime, url: &str) {
    let verifying = format!("{url}?sslmode=verify-full");
    for url in [url, verifying.as_str()] {
        let starter = Starter::new(runtime, "postgres", &[("DATABASE_URL", url)]);
        an_outage_is_a_failure(&starter, "").await;
    }
}

#[tokio::test]
async fn mysql_on_mariadb() {
    let mut server = Some(MariaDb::start().unwrap());
    on_every_runtime!(|runtime| {
        let mariadb = server.take().unwrap_or_else(|| MariaDb::start().unwrap());
        mariadb.run_file(USERS).unwrap();
        let starter = Starter::new(&runtime, "mysql", &[("DATABASE_URL", &mariadb.url())]);
        everybody_logs_in(&starter, &PEOPLE, |person| format!("mysql-1{}", person.id)).await;
        user_names_work(&starter, &PEOPLE).await;
        nobody_is_nobody(&starter).await;
        table_changes(&starter, "mysql").await;
        a_bad_hash_is_a_failure(&starter, |sql| mariadb.sql(sql).map(drop)).await;
        mysql_over_tls(&runtime, &mariadb).await;
        drop(mariadb);
        an_outage_is_a_failure(&starter, "").await;
    });
}

async fn mysql_over_tls(runtime: &Runtime, mariadb: &MariaDb) {
    mariadb
        .sql("alter user 'reader'@'127.0.0.1' require ssl")
        .unwrap();
    let (url, ca) = (
        mariadb.url(),
        std::fs::read_to_string(mariadb.ca_file()).unwrap(),
    );
    let plain = Starter::new(runtime, "mysql", &[("DATABASE_URL", &url)]);
    an_outage_is_a_failure(&plain, "Access denied").await;
    let settings = [("DATABASE_URL", url.as_str()), ("DATABASE_CA", &ca)];
    let starter = Starter::new(runtime, "mysql", &settings);
    found(starter.login("ann", "correct horse").await, "over TLS");
    let stranger = Slapd::start().unwrap();
    let ca = std::fs::read_to_string(stranger.ca_file()).unwrap();
    let settings = [("DATABASE_URL", url.as_str()), ("DATABASE_CA", &ca)];
    let starter = Starter::new(runtime, "mysql", &settings);
    an_outage_is_a_failure(&starter, "").await;
}

/// `create`, `verify`, `change_password`, `change_email`, `delete`, as far as a login sees them.
async fn table_changes(starter: &Starter, prefix: &str) {
    let new = "new.o'user+1@example.org";
    let call = |script, arguments| starter.call(script, arguments);
    let user = json!([{ "email": new, "password": "first password", "username": "neo" }]);
    assert_eq!(
        call(ScriptName::Create, user.clone()).await,
        Ok(json!(null))
    );
    assert_eq!(
        call(ScriptName::Create, user).await,
        Err("user_exists".to_owned())
    );
    let taken = json!([{ "email": "ANN@example.org", "password": "x" }]);
    assert_eq!(
        call(ScriptName::Create, taken).await,
        Err("user_exists".to_owned())
    );

    let profile = found(starter.login(new, "first password").await, new);
    assert_eq!(profile["email_verified"], false);
    assert_eq!(
        call(ScriptName::Verify, json!([new])).await,
        Ok(json!(true))
    );
    let change = json!([new, "second password"]);
    assert_eq!(
        call(ScriptName::ChangePassword, change).await,
        Ok(json!(true))
    );
    let profile = found(starter.login(new, "second password").await, new);
    assert_eq!(profile["email_verified"], true);

    let nobody = json!(["nöbody@example.org", "x"]);
    assert_eq!(
        call(ScriptName::ChangePassword, nobody).await,
        Ok(json!(false))
    );
    let lookalike = json!(["änn@example.org", "taken over"]);
    assert_eq!(
        call(ScriptName::ChangePassword, lookalike).await,
        Ok(json!(false))
    );
    found(
        starter.login("ann@example.org", "correct horse").await,
        "unharmed",
    );

    let moved = json!([new, "moved@example.org", false]);
    assert_eq!(call(ScriptName::ChangeEmail, moved).await, Ok(json!(true)));
    let profile = found(
        starter.login("moved@example.org", "second password").await,
        "moved",
    );
    let id = profile["user_id"].as_str().unwrap();
    assert!(id.starts_with(&format!("{prefix}-")), "{id}");
    assert_eq!(profile["email_verified"], false);
    let other = call(ScriptName::Delete, json!(["other-1"])).await;
    assert_eq!(other, Err("this user is not of this store".to_owned()));
    assert_eq!(call(ScriptName::Delete, json!([id])).await, Ok(json!(null)));
    let gone = starter.login("moved@example.org", "second password").await;
    assert_eq!(gone, script::LoginOutcome::NoSuchUser);
}

/// A hash that nobody can read is the store's fault and not the person's.
async fn a_bad_hash_is_a_failure<E: std::fmt::Debug>(
    starter: &Starter,
    sql: impl Fn(&str) -> Result<(), E>,
) {
    sql("update users set password_hash = 'rot13:pbeerpg' where username = 'plus'").unwrap();
    let outcome = starter.login("plus", "plus+plus").await;
    let message = crate::checks::failure(outcome);
    assert!(
        message.contains("its format is not recognised"),
        "{message}"
    );
    assert!(!message.contains("pbeerpg"), "{message}");
    sql("update users set password_hash = null where username = 'plus'").unwrap();
    let outcome = starter.login("plus", "plus+plus").await;
    assert!(
        matches!(outcome, script::LoginOutcome::WrongPassword { .. }),
        "{outcome:?}"
    );
}
