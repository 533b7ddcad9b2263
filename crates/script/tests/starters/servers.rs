//! `ldap` and `http`; and `mongodb`, `sqlserver`, `aspnet-identity`, whose servers cannot be had
//! here: they load, and say clearly that nobody listens.

use script::ScriptName;
use serde_json::{Value, json};
use testkit::{Slapd, WebService};

use crate::checks::{
    PEOPLE, an_outage_is_a_failure, everybody_logs_in, failure, found, nobody_is_nobody,
    user_names_work,
};
use crate::on_every_runtime;
use crate::rig::Starter;

#[tokio::test]
async fn ldap_searches_and_binds() {
    let mut server = Some(Slapd::start().unwrap());
    on_every_runtime!(|runtime| {
        let slapd = server.take().unwrap_or_else(|| Slapd::start().unwrap());
        let url = slapd.url();
        let mut settings = [
            ("LDAP_URL", url.as_str()),
            ("BASE_DN", Slapd::PEOPLE),
            ("BIND_DN", Slapd::READER),
            ("BIND_PASSWORD", Slapd::READER_PASSWORD),
        ];
        let starter = Starter::new(&runtime, "ldap", &settings);
        let people = &PEOPLE[..4];
        everybody_logs_in(&starter, people, |person| {
            let n = person.id;
            let uuid = "NNNNNNNN-NNNN-4NNN-8NNN-NNNNNNNNNNNN".replace('N', n);
            format!("ldap-{uuid}")
        })
        .await;
        user_names_work(&starter, people).await;
        nobody_is_nobody(&starter).await;
        let tls_url = slapd.tls_url();
        let ca = std::fs::read_to_string(slapd.ca_file()).unwrap();
        let mut secure = vec![("LDAP_CA", ca.as_str()), ("LDAP_URL", &tls_url)];
        secure.extend(&settings[1..]);
        let over_tls = Starter::new(&runtime, "ldap", &secure);
        found(over_tls.login("ann", "correct horse").await, "over TLS");
        let unknown = Starter::new(&runtime, "ldap", &secure[1..]);
        an_outage_is_a_failure(&unknown, "").await;
        settings[3].1 = "not the reader's";
        let misconfigured = Starter::new(&runtime, "ldap", &settings);
        failure(misconfigured.login("ann", "correct horse").await);
        drop(slapd);
        an_outage_is_a_failure(&starter, "ECONNREFUSED").await;
    });
}

fn of_the_service() -> Vec<Value> {
    let person = |(index, person): (usize, &crate::checks::Person)| {
        json!({
            "id": index + 1, "email": person.email, "username": person.username,
            "password": person.password, "email_verified": true,
        })
    };
    PEOPLE.iter().enumerate().map(person).collect()
}

#[tokio::test]
async fn http_with_basic_authentication() {
    on_every_runtime!(|runtime| {
        let service = WebService::start(of_the_service()).await.unwrap();
        let url = service.url();
        let (user, password) = WebService::ACCOUNT;
        let mut settings = [
            ("BASE_URL", url.as_str()),
            ("SERVICE_USER", user),
            ("SERVICE_PASSWORD", password),
        ];
        let starter = Starter::new(&runtime, "http", &settings);
        everybody_logs_in(&starter, &PEOPLE, |person| format!("http-{}", person.id)).await;
        nobody_is_nobody(&starter).await;
        http_changes(&starter).await;
        settings[2].1 = "not the service's";
        let misconfigured = Starter::new(&runtime, "http", &settings);
        match misconfigured.get_user("ann@example.org").await {
            script::LookupOutcome::Failed(failure) => {
                assert!(failure.message.contains("401"), "{failure}");
            }
            other => panic!("{other:?}"),
        }
        service.stop().await;
        an_outage_is_a_failure(&starter, "").await;
    });
}

async fn http_changes(starter: &Starter) {
    let new = "new.o'user+1@example.org";
    let user = json!([{ "email": new, "password": "first", "username": "neo" }]);
    assert_eq!(
        starter.call(ScriptName::Create, user.clone()).await,
        Ok(json!(null))
    );
    let again = starter.call(ScriptName::Create, user).await;
    assert_eq!(again, Err("user_exists".to_owned()));
    assert_eq!(
        starter.call(ScriptName::Verify, json!([new])).await,
        Ok(json!(true))
    );
    let change = json!([new, "second: password"]);
    assert_eq!(
        starter.call(ScriptName::ChangePassword, change).await,
        Ok(json!(true))
    );
    let profile = found(starter.login(new, "second: password").await, new);
    assert_eq!(profile["email_verified"], true);
    let moved = json!([new, "moved@example.org", false]);
    assert_eq!(
        starter.call(ScriptName::ChangeEmail, moved.clone()).await,
        Ok(json!(true))
    );
    assert_eq!(
        starter.call(ScriptName::ChangeEmail, moved).await,
        Ok(json!(false))
    );
    let id = &profile["user_id"];
    assert_eq!(
        starter.call(ScriptName::Delete, json!([id])).await,
        Ok(json!(null))
    );
    let gone = starter.login("moved@example.org", "second: password").await;
    assert_eq!(gone, script::LoginOutcome::NoSuchUser);
}

#[tokio::test]
async fn stores_that_cannot_be_had_here_fail_clearly() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mongo = format!("mongodb://127.0.0.1:{port}/legacy");
    let mssql =
        format!("Server=127.0.0.1,{port};Database=legacy;User Id=reader;Password=x;Encrypt=false");
    on_every_runtime!(|runtime| {
        for (template, url) in [
            ("mongodb", &mongo),
            ("sqlserver", &mssql),
            ("aspnet-identity", &mssql),
        ] {
            let starter = Starter::new(&runtime, template, &[("DATABASE_URL", url)]);
            let message = failure(starter.login("ann@example.org", "x").await);
            let clear = message.contains("ECONNREFUSED") || message.contains("Failed to connect");
            assert!(clear, "{template}: {message}");
            an_outage_is_a_failure(&starter, "").await;
        }
    });
}
