//! Passkeys with an authenticator in software: enrolled, used to sign in, refused when they lie.

use domain::{Authentication, AuthenticationMethod, User};
use engine::Context;
use engine::mfa::{ChallengeKind, FactorNeed};
use engine::passkeys::{CredentialResponse, Door, KeyUse, PasskeyError};
use serde_json::{Value, json};
use testkit::Authenticator;

use crate::app::{App, on_both};
use crate::browser::{codes, serve};

const ORIGIN: &str = "https://ferry.example";

async fn user(app: &App, id: &str) -> User {
    if app
        .engine
        .store
        .find_connection_by_realm("plain")
        .await
        .unwrap()
        .is_none()
    {
        let connection = app.connection("plain", with_passkeys()).await.to_string();
        serve(app, &connection, json!({})).await;
    }
    user_of(app, "plain", id).await
}

fn with_passkeys() -> Value {
    json!({"authentication_methods": {"passkey": {"enabled": true}}})
}

async fn user_of(app: &App, connection: &str, id: &str) -> User {
    let body = json!({
        "connection": connection, "email": format!("{id}@example.com"), "user_id": id,
        "password": "right",
    });
    assert_eq!(app.quietly("POST", "/api/v2/users", body).await.status, 201);
    let id = format!("auth0|{id}");
    app.engine.user(&id.as_str().into()).await.unwrap()
}

fn read(value: Value) -> CredentialResponse {
    serde_json::from_value(value).unwrap()
}

async fn enrol(
    app: &App,
    user: &User,
    authenticator: &mut Authenticator,
    purpose: KeyUse,
) -> Result<(), PasskeyError> {
    let begun = app.engine.begin_passkey_enrolment(user, "tx", purpose);
    let response = authenticator.create(&begun.await.unwrap()).unwrap();
    let engine = &app.engine;
    engine
        .finish_passkey_enrolment(
            &Context::default(),
            (user, "tx", purpose),
            &read(response),
            Some("laptop"),
        )
        .await
        .map(drop)
}

async fn sign_in(app: &App, authenticator: &mut Authenticator) -> String {
    let options = app.engine.begin_passkey_sign_in("tx").await.unwrap();
    let response = authenticator.get(&options).unwrap();
    finish(app, "tx", response).await
}

async fn finish(app: &App, bound_to: &str, response: Value) -> String {
    match finish_at(app, (bound_to, None), response).await {
        Ok((user, authentication)) => {
            assert_eq!(authentication.methods, [AuthenticationMethod::WebAuthn]);
            user.user_id.to_string()
        }
        Err(PasskeyError::Refused) => "refused".into(),
        Err(error) => format!("{error:?}"),
    }
}

/// Ends a sign-in at the application, which may have named a connection.
async fn finish_at(
    app: &App,
    (bound_to, connection): (&str, Option<&str>),
    response: Value,
) -> Result<(User, Authentication), PasskeyError> {
    let client = app.engine.store.find_client(&app.client().into()).await;
    let client = client.unwrap().unwrap();
    let door = Door {
        bound_to,
        client: &client,
        connection,
    };
    let (context, response) = (Context::default(), read(response));
    let done = app
        .engine
        .finish_passkey_sign_in(&context, &door, &response);
    done.await
}

#[tokio::test]
async fn a_passkey_signs_its_owner_in() {
    on_both(async |app: &App| {
        let (ann, bob) = (user(app, "ann").await, user(app, "bob").await);
        let mut anns = Authenticator::new(ORIGIN, "ann's").unwrap();
        let mut bobs = Authenticator::new(ORIGIN, "bob's").unwrap();
        enrol(app, &ann, &mut anns, KeyUse::Passkey).await.unwrap();
        enrol(app, &bob, &mut bobs, KeyUse::Passkey).await.unwrap();
        assert_eq!(sign_in(app, &mut anns).await, "auth0|ann");
        assert_eq!(sign_in(app, &mut bobs).await, "auth0|bob");
        // Two factors already; and a password beside it is asked for nothing more.
        let options = app.engine.begin_passkey_sign_in("tx").await.unwrap();
        let response = anns.get(&options).unwrap();
        let done = finish_at(app, ("tx", None), response);
        let (ann, mut authentication) = done.await.unwrap();
        let need = app
            .engine
            .required_factor(&ann, &authentication, true)
            .await;
        assert_eq!(need.unwrap(), FactorNeed::None);
        authentication.methods = vec![AuthenticationMethod::Password];
        let need = app
            .engine
            .required_factor(&ann, &authentication, false)
            .await;
        assert_eq!(need.unwrap(), FactorNeed::None);
        let need = app
            .engine
            .required_factor(&ann, &authentication, true)
            .await;
        let asked = FactorNeed::Challenge(vec![ChallengeKind::WebAuthn]);
        assert_eq!(need.unwrap(), asked);
        // A key is enrolled once, whoever comes with it.
        let twice = enrol(app, &bob, &mut anns, KeyUse::Passkey).await;
        assert!(matches!(twice, Err(PasskeyError::Refused)));
        let path = "/api/v2/users/auth0%7Cann/authentication-methods";
        let listed = app.quietly("GET", path, json!(null)).await.body;
        assert_eq!(listed["authenticators"][0]["type"], "passkey");
        assert_eq!(listed["authenticators"][0]["name"], "laptop");
        assert_eq!(app.quietly("DELETE", path, json!(null)).await.status, 204);
        assert_eq!(sign_in(app, &mut anns).await, "refused");
    })
    .await;
}

#[tokio::test]
async fn a_lying_response_is_refused() {
    on_both(async |app: &App| {
        let ann = user(app, "ann").await;
        let mut key = Authenticator::new(ORIGIN, "key").unwrap();
        let options = app
            .engine
            .begin_passkey_enrolment(&ann, "tx", KeyUse::Passkey);
        let options = options.await.unwrap();
        for lie in ["origin", "site", "verification"] {
            let mut liar = Authenticator::new(ORIGIN, "liar").unwrap();
            match lie {
                "origin" => liar.origin = "https://ferry.example.evil".into(),
                "site" => liar.rp_id = Some("evil".into()),
                _ => liar.verifies_user = false,
            }
            let response = read(liar.create(&options).unwrap());
            let context = Context::default();
            let place = (&ann, "tx", KeyUse::Passkey);
            let done = app
                .engine
                .finish_passkey_enrolment(&context, place, &response, None);
            assert!(matches!(done.await, Err(PasskeyError::Refused)), "{lie}");
        }
        enrol(app, &ann, &mut key, KeyUse::Passkey).await.unwrap();
        assert_eq!(sign_in(app, &mut key).await, "auth0|ann");
        key.origin = "https://evil.example".into();
        assert_eq!(sign_in(app, &mut key).await, "refused");
        key.origin = ORIGIN.into();
        key.rp_id = Some("evil.example".into());
        assert_eq!(sign_in(app, &mut key).await, "refused");
        key.rp_id = None;
        key.verifies_user = false;
        assert_eq!(sign_in(app, &mut key).await, "refused");
        key.verifies_user = true;
        // Another login's challenge, one used before, one too late, another signature.
        let options = app.engine.begin_passkey_sign_in("tx").await.unwrap();
        let response = key.get(&options).unwrap();
        assert_eq!(finish(app, "other", response.clone()).await, "refused");
        let mut bent = response.clone();
        bent["response"]["signature"] = "MEUCIQ".into();
        assert_eq!(finish(app, "tx", bent).await, "refused");
        // Nobody was asked for, so the response must say whose it is.
        let mut nameless = response.clone();
        nameless["response"]["userHandle"] = Value::Null;
        assert_eq!(finish(app, "tx", nameless).await, "refused");
        assert_eq!(finish(app, "tx", response.clone()).await, "auth0|ann");
        assert_eq!(finish(app, "tx", response).await, "refused");
        let options = app.engine.begin_passkey_sign_in("tx").await.unwrap();
        app.later(300);
        let late = key.get(&options).unwrap();
        assert_eq!(finish(app, "tx", late).await, "refused");
        // A copy counts from where it was made.
        key.count = 0;
        assert_eq!(sign_in(app, &mut key).await, "refused");
        key.count = 100;
        assert_eq!(sign_in(app, &mut key).await, "auth0|ann");
    })
    .await;
}

#[tokio::test]
async fn a_security_key_is_a_second_factor_and_no_first() {
    on_both(async |app: &App| {
        let (ann, bob) = (user(app, "ann").await, user(app, "bob").await);
        let mut key = Authenticator::new(ORIGIN, "stick").unwrap();
        key.verifies_user = false;
        enrol(app, &ann, &mut key, KeyUse::SecurityKey)
            .await
            .unwrap();
        key.verifies_user = true;
        assert_eq!(sign_in(app, &mut key).await, "refused");
        key.verifies_user = false;
        let context = Context::default();
        for (who, expected) in [(&bob, false), (&ann, true)] {
            let options = app.engine.begin_key_challenge(who, "tx").await.unwrap();
            // A key that keeps nothing of its user says no handle.
            let mut response = key.get(&options).unwrap();
            response["response"]["userHandle"] = Value::Null;
            let response = read(response);
            let done = app
                .engine
                .finish_key_challenge(&context, (who, "tx"), &response, |_| {});
            assert_eq!(done.await.is_ok(), expected);
        }
    })
    .await;
}

/// Who signs in, and through which connection; at an application that may have named one.
async fn through(app: &App, key: &mut Authenticator, connection: Option<&str>) -> String {
    let options = app.engine.begin_passkey_sign_in("tx").await.unwrap();
    let response = key.get(&options).unwrap();
    match finish_at(app, ("tx", connection), response).await {
        Ok((user, authentication)) => {
            let connection = authentication.connection.unwrap();
            format!("{} {connection}", user.user_id)
        }
        Err(PasskeyError::Refused) => "refused".into(),
        Err(error) => format!("{error:?}"),
    }
}

#[tokio::test]
async fn a_passkey_opens_the_door_of_its_owners_connection_alone() {
    on_both(async |app: &App| {
        let ann = user(app, "ann").await;
        let other = app.connection("other", with_passkeys()).await;
        let bob = user_of(app, "other", "bob").await;
        let [mut anns, mut bobs, mut carls] =
            ["ann's", "bob's", "carl's"].map(|name| Authenticator::new(ORIGIN, name).unwrap());
        enrol(app, &ann, &mut anns, KeyUse::Passkey).await.unwrap();
        enrol(app, &bob, &mut bobs, KeyUse::Passkey).await.unwrap();
        // Bob's connection is none of the application's business, and nothing is written of him.
        assert_eq!(through(app, &mut bobs, None).await, "refused");
        assert!(!codes(app).await.contains(&"s".to_owned()));
        let bob = app.engine.user(&bob.user_id).await.unwrap();
        assert_eq!(bob.logins_count, 0);
        let plain = "auth0|ann con_0000000000000001";
        assert_eq!(through(app, &mut anns, None).await, plain);
        assert_eq!(through(app, &mut anns, Some("plain")).await, plain);
        assert_eq!(through(app, &mut anns, Some("other")).await, "refused");
        let serves = async |connection: &str| {
            let path = format!("/api/v2/connections/{connection}/clients");
            let served = json!([{"client_id": app.client(), "status": true}]);
            assert_eq!(app.quietly("PATCH", &path, served).await.status, 204);
        };
        serves(other.as_str()).await;
        let his = format!("auth0|bob {other}");
        assert_eq!(through(app, &mut bobs, None).await, his);
        assert_eq!(through(app, &mut bobs, Some("plain")).await, "refused");
        // Of two identities the one counts whose connection the application named.
        let link = json!({"provider": "auth0", "user_id": "bob"});
        let path = "/api/v2/users/auth0%7Cann/identities";
        assert_eq!(app.quietly("POST", path, link).await.status, 201);
        let hers = format!("auth0|ann {other}");
        assert_eq!(through(app, &mut anns, Some("other")).await, hers);
        // Where a legacy store says who may sign in, a key does not.
        let mut options = with_passkeys();
        options["enabledDatabaseCustomization"] = true.into();
        let there = app.connection("there", options).await;
        serves(there.as_str()).await;
        app.cache("carl", &there, "carl@example.com").await;
        let carl = app.engine.user(&"auth0|carl".into()).await.unwrap();
        enrol(app, &carl, &mut carls, KeyUse::Passkey)
            .await
            .unwrap();
        assert_eq!(through(app, &mut carls, None).await, "refused");
    })
    .await;
}
