//! Signed assertions of clients.

use std::time::Duration;

use domain::{ClientId, Instant};
use oidc::client_assertion::{Asserted, AssertionError, JWT_BEARER};
use oidc::jwt::{Algorithm, ForeignKey};
use oidc::{ClientAssertion, Issuer, TokenError};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ISSUER, NOW, current, next};

fn key() -> ForeignKey {
    let jwk = serde_json::to_value(current().jwk()).unwrap();
    ForeignKey::from_jwk(jwk.as_object().unwrap()).unwrap()
}

fn claims() -> Value {
    let now = NOW.seconds();
    json!({
        "iss": "app", "sub": "app", "aud": ISSUER, "jti": "1", "iat": now, "exp": now + 60,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn assertion(text: &str) -> ClientAssertion {
    let read = ClientAssertion::read(Some(JWT_BEARER.into()), Some(text.into()));
    read.unwrap().unwrap()
}

fn verify_text(text: &str) -> Result<Asserted, AssertionError> {
    let issuer = Issuer::parse(ISSUER).unwrap();
    assertion(text).verify(&ClientId::from("app"), &[key()], &issuer, NOW)
}

fn verify(claims: &Value) -> Result<Asserted, AssertionError> {
    verify_text(&current().sign(None, claims).unwrap())
}

#[test]
fn a_good_assertion_is_believed_and_remembered_to_its_end() {
    let asserted = verify(&claims()).unwrap();
    let end = NOW.plus(Duration::from_secs(60 + 61));
    assert_eq!(
        asserted,
        Asserted {
            id: "1".into(),
            expires_at: end
        }
    );
    let (token, par) = (format!("{ISSUER}oauth/token"), format!("{ISSUER}oauth/par"));
    for audience in [
        json!(token),
        json!(par),
        json!([ISSUER]),
        json!([par]),
        json!([ISSUER, token, par]),
    ] {
        assert!(verify(&with("aud", audience.clone())).is_ok(), "{audience}");
    }
}

#[test]
fn what_is_not_quite_right_is_refused() {
    let now = NOW.seconds();
    let cases = [
        ("iss", json!("other"), AssertionError::Client),
        ("sub", json!("other"), AssertionError::Client),
        ("sub", Value::Null, AssertionError::Client),
        (
            "aud",
            json!("https://other.example/"),
            AssertionError::Audience,
        ),
        (
            "aud",
            json!(ISSUER.trim_end_matches('/')),
            AssertionError::Audience,
        ),
        (
            "aud",
            json!([ISSUER, "https://other.example/"]),
            AssertionError::Audience,
        ),
        ("aud", json!([]), AssertionError::Audience),
        ("aud", json!([ISSUER, 1]), AssertionError::Audience),
        (
            "aud",
            json!(format!("{ISSUER}oauth/revoke")),
            AssertionError::Audience,
        ),
        ("aud", Value::Null, AssertionError::Audience),
        ("exp", json!(now - 60), AssertionError::Expiry),
        ("exp", json!(now + 361), AssertionError::Expiry),
        ("exp", json!(i64::MAX), AssertionError::Expiry),
        ("exp", json!("1"), AssertionError::Expiry),
        ("exp", Value::Null, AssertionError::Expiry),
        ("iat", json!(now + 61), AssertionError::Begin),
        ("nbf", json!(now + 61), AssertionError::Begin),
        ("nbf", json!("soon"), AssertionError::Begin),
        ("jti", json!(""), AssertionError::Id),
        ("jti", json!(1), AssertionError::Id),
        ("jti", json!("x".repeat(257)), AssertionError::Id),
    ];
    for (name, value, expected) in cases {
        let claims = with(name, value);
        assert_eq!(verify(&claims), Err(expected), "{claims}");
    }
    // The clocks may differ a little.
    for (name, value) in [("exp", now - 59), ("iat", now + 60), ("exp", now + 360)] {
        assert!(verify(&with(name, json!(value))).is_ok(), "{name}");
    }
}

#[test]
fn only_the_clients_own_key_counts() {
    let token = |error| Err(AssertionError::Token(error));
    let strangers = next().sign(None, &claims()).unwrap();
    assert_eq!(verify_text(&strangers), token(TokenError::Signature));
    // The key is for RS256.
    let other = current()
        .sign_by(Algorithm::Ps256, None, &claims())
        .unwrap();
    assert_eq!(verify_text(&other), token(TokenError::UnknownKey));
    assert_eq!(verify_text("x"), token(TokenError::Malformed));
    let secret = domain::ClientSecret::from("secret");
    let hmac = oidc::jwt::sign_with_secret(&secret, None, &claims()).unwrap();
    assert_eq!(verify_text(&hmac), token(TokenError::Algorithm));
}

#[test]
fn an_assertion_names_its_client_and_prints_nothing() {
    let good = assertion(&current().sign(None, &claims()).unwrap());
    assert_eq!(good.subject().as_deref(), Some("app"));
    assert_eq!(format!("{good:?}"), "ClientAssertion(…)");
    assert_eq!(assertion("a.b.c").subject(), None);
}

#[test]
fn both_parameters_belong_together() {
    let refused = |kind: Option<&str>, text: Option<&str>| {
        let read = ClientAssertion::read(kind.map(Into::into), text.map(Into::into));
        read.unwrap_err().description
    };
    assert_eq!(
        refused(None, Some("x")),
        "Missing required parameter: client_assertion_type"
    );
    assert_eq!(
        refused(Some(JWT_BEARER), None),
        "Missing required parameter: client_assertion"
    );
    assert_eq!(
        refused(Some("saml"), Some("x")),
        "The client_assertion_type is not supported."
    );
    assert!(ClientAssertion::read(None, None).unwrap().is_none());
}

proptest! {
    #[test]
    fn strangers_bytes_prove_nobody(
        text in "\\PC*|[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,4}",
        now in any::<i64>(),
    ) {
        let issuer = Issuer::parse(ISSUER).unwrap();
        let _ = assertion(&text).subject();
        let now = Instant::from_millis(now);
        let client = ClientId::from("app");
        prop_assert!(assertion(&text).verify(&client, &[key()], &issuer, now).is_err());
    }

    /// Whatever times a client signs, what is believed is remembered for as long as it is.
    #[test]
    fn what_is_believed_is_remembered(exp in -1000i64..1000, iat in -1000i64..1000) {
        let now = NOW.seconds();
        let mut claims = with("exp", json!(now + exp));
        claims["iat"] = json!(now + iat);
        if let Ok(asserted) = verify(&claims) {
            prop_assert!((-60..=360).contains(&exp) && iat <= 60);
            prop_assert!(asserted.expires_at.seconds() > now + exp + 60);
        }
    }
}
