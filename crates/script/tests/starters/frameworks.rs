//! `wordpress`, `django`, `devise`: tables that their own software made.

use serde_json::Value;
use testkit::{Kind, Legacy, MariaDb, Postgres};

use crate::checks::{
    PEOPLE, an_outage_is_a_failure, everybody_logs_in, found, nobody_is_nobody, user_names_work,
};
use crate::on_every_runtime;
use crate::rig::Starter;

const WORDPRESS: &str = include_str!("../../../testkit/stores/wordpress.sql");
const DEVISE: &str = include_str!("../../../testkit/stores/devise.sql");
/// Hashes of Django's own hashers, among others.
const VECTORS: &str = include_str!("../../../password/tests/vectors/foreign.json");

#[tokio::test]
async fn wordpress_old_and_new() {
    let mut server = Some(MariaDb::start().unwrap());
    on_every_runtime!(|runtime| {
        let mariadb = server.take().unwrap_or_else(|| MariaDb::start().unwrap());
        mariadb.run_file(WORDPRESS).unwrap();
        let url = mariadb.url();
        let starter = Starter::new(&runtime, "wordpress", &[("DATABASE_URL", &url)]);
        everybody_logs_in(&starter, &PEOPLE, |person| {
            format!("wordpress-{}", person.id)
        })
        .await;
        user_names_work(&starter, &PEOPLE).await;
        nobody_is_nobody(&starter).await;
        let profile = found(
            starter.login("ohara", " pässwörd (1)* ").await,
            "typed with spaces",
        );
        assert_eq!(profile["given_name"], "Zoë");
        assert_eq!(profile["app_metadata"]["roles"][0], "subscriber");
        let settings = [("DATABASE_URL", url.as_str()), ("TABLE_PREFIX", "wp_; --")];
        let hostile = Starter::new(&runtime, "wordpress", &settings);
        an_outage_is_a_failure(&hostile, "TABLE_PREFIX").await;
        drop(mariadb);
        an_outage_is_a_failure(&starter, "").await;
    });
}

#[tokio::test]
async fn devise_with_a_pepper() {
    on_every_runtime!(|runtime| {
        let database = Postgres::shared().unwrap().database().unwrap();
        database.psql(DEVISE).unwrap();
        let settings = [
            ("DATABASE_URL", database.url()),
            ("PEPPER", "pepper of the shop"),
        ];
        let starter = Starter::new(&runtime, "devise", &settings);
        everybody_logs_in(&starter, &PEOPLE, |person| format!("devise-{}", person.id)).await;
        nobody_is_nobody(&starter).await;
        let without = Starter::new(&runtime, "devise", &settings[..1]);
        let outcome = without.login("ann@example.org", "correct horse").await;
        assert!(
            matches!(outcome, script::LoginOutcome::WrongPassword { .. }),
            "{outcome:?}"
        );
        database.stop().unwrap();
        an_outage_is_a_failure(&starter, "").await;
    });
}

#[tokio::test]
async fn django_with_every_hasher() {
    on_every_runtime!(|runtime| {
        let legacy = Legacy::start().unwrap();
        let starter = Starter::new(&runtime, "django", &[("DATABASE_URL", legacy.url())]);
        nobody_is_nobody(&starter).await;
        for kind in [
            Kind::Ordinary,
            Kind::OddAddress,
            Kind::MixedCase,
            Kind::SpacedPassword,
        ] {
            let person = legacy.person(kind).unwrap();
            let password = person.password.as_deref().unwrap();
            for name in [person.email.as_str(), &person.username] {
                let profile = found(starter.login(name, password).await, name);
                assert_eq!(profile["user_id"], format!("django-{}", person.id));
            }
            let outcome = starter.login(&person.email, "wrong").await;
            assert!(
                matches!(outcome, script::LoginOutcome::WrongPassword { .. }),
                "{outcome:?}"
            );
        }
        let unusable = legacy.person(Kind::NoPassword).unwrap();
        let outcome = starter.login(&unusable.username, "!").await;
        assert!(
            matches!(outcome, script::LoginOutcome::WrongPassword { .. }),
            "{outcome:?}"
        );

        // One person, each of Django's hashers in turn.
        let person = legacy.ordinary().next().unwrap();
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let mut kinds = 0;
        for vector in vectors["examples"].as_array().unwrap() {
            let text = |member: &str| vector[member].as_str().unwrap();
            if !text("id").starts_with("Django") || !text("password").is_ascii() {
                continue;
            }
            kinds += 1;
            let hash = text("stored").replace('\'', "''");
            let sql = format!(
                "update auth_user set password = '{hash}' where id = {}",
                person.id
            );
            legacy.database().psql(&sql).unwrap();
            let profile = found(
                starter.login(&person.username, text("password")).await,
                text("id"),
            );
            assert_eq!(profile["user_id"], format!("django-{}", person.id));
        }
        assert!(kinds > 15, "{kinds}");
        legacy.stop().unwrap();
        an_outage_is_a_failure(&starter, "").await;
    });
}
