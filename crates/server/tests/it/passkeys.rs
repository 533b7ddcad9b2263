//! Passkeys with an authenticator in software: enrolled, used to sign in, refused when they lie.

use domain::{AuthenticationMethod, User};
use engine::Context;
use engine::mfa::{ChallengeKind, FactorNeed};
use engine::passkeys::{CredentialResponse, KeyUse, PasskeyError};
use serde_json::{Value, json};
use testkit::Authenticator;

use crate::app::{App, on_both};

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
        app.connection("plain", json!({})).await;
    }
    let body = json!({
        "connection": "plain", "email": format!("{id}@example.com"), "user_id": id,
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
    let (context, response) = (Context::default(), read(response));
    let done = app
        .engine
        .finish_passkey_sign_in(&context, bound_to, &response);
    match done.await {
        Ok((user, authentication)) => {
            assert_eq!(authentication.methods, [AuthenticationMethod::WebAuthn]);
            user.user_id.to_string()
        }
        Err(PasskeyError::Refused) => "refused".into(),
        Err(error) => format!("{error:?}"),
    }
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
        let response = read(anns.get(&options).unwrap());
        let context = Context::default();
        let done = app.engine.finish_passkey_sign_in(&context, "tx", &response);
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
