//! Proofs of possession.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oidc::dpop::{Proof, ProofError, ProofRequest, verify};
use oidc::jwt::ForeignKey;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::NOW;

const URL: &str = "https://id.example.com/oauth/token";

static KEY: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

fn jwk() -> Value {
    let point = KEY.public_key().as_ref();
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "EC", "crv": "P-256", "x": coordinate(&point[1..33]), "y": coordinate(&point[33..]),
    })
}

fn header() -> Value {
    json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk()})
}

fn claims() -> Value {
    json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW.seconds()})
}

fn signed(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = KEY.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

fn ask<'a>(url: &'a str, access_token: Option<&'a str>) -> ProofRequest<'a> {
    ProofRequest {
        method: "POST",
        url,
        access_token,
    }
}

fn check(header: &Value, claims: &Value) -> Result<Proof, ProofError> {
    verify(&signed(header, claims), &ask(URL, None), NOW)
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

#[test]
fn a_good_proof_names_its_key() {
    let proof = check(&header(), &claims()).unwrap();
    let key = ForeignKey::from_jwk(jwk().as_object().unwrap()).unwrap();
    assert_eq!((&proof.key, proof.id.as_str()), (key.thumbprint(), "1"));
    assert_eq!(proof.expires_at.seconds(), NOW.seconds() + 301);
}

#[test]
fn the_header_must_be_right() {
    let with = |name: &str, value: Value| with(header(), name, value);
    let mut private = jwk();
    private["d"] = json!("AAAA");
    for header in [
        with("typ", json!("JWT")),
        with("typ", Value::Null),
        with("alg", json!("none")),
        with("alg", json!("HS256")),
        with("jwk", Value::Null),
        with("jwk", private),
        with("jwk", json!({"kty": "oct", "k": "AAAA"})),
        with("crit", json!(["x"])),
    ] {
        assert_eq!(
            check(&header, &claims()),
            Err(ProofError::Malformed),
            "{header}"
        );
    }
    // The key's algorithm is another one, and the signature another key's.
    assert_eq!(
        check(&with("alg", json!("RS256")), &claims()),
        Err(ProofError::Signature)
    );
    let stranger = serde_json::to_value(crate::current().verifying_key().jwks().nth(2)).unwrap();
    assert_eq!(
        check(&with("jwk", stranger), &claims()),
        Err(ProofError::Signature)
    );
}

#[test]
fn the_claims_must_be_about_this_request_and_of_now() {
    let now = NOW.seconds();
    let cases = [
        ("htm", json!("GET"), ProofError::Request),
        ("htm", json!("post"), ProofError::Request),
        (
            "htu",
            json!("https://id.example.com/userinfo"),
            ProofError::Request,
        ),
        (
            "htu",
            json!("https://id.example.com:8443/oauth/token"),
            ProofError::Request,
        ),
        (
            "htu",
            json!("http://id.example.com/oauth/token"),
            ProofError::Request,
        ),
        ("htu", json!("/oauth/token"), ProofError::Request),
        (
            "htu",
            json!("https://id.example.com/OAuth/token"),
            ProofError::Request,
        ),
        ("htu", Value::Null, ProofError::Request),
        ("iat", json!(now - 301), ProofError::Time),
        ("iat", json!(now + 61), ProofError::Time),
        ("iat", json!(i64::MIN), ProofError::Time),
        ("iat", Value::Null, ProofError::Time),
        ("jti", Value::Null, ProofError::Id),
        ("jti", json!(""), ProofError::Id),
    ];
    for (name, value, expected) in cases {
        let claims = with(claims(), name, value);
        assert_eq!(check(&header(), &claims), Err(expected), "{claims}");
    }
    for (name, value) in [
        ("htu", json!(format!("{URL}?a=b#c"))),
        ("htu", json!("HTTPS://ID.example.com:443/oauth/token")),
        ("iat", json!(now - 300)),
        ("iat", json!(now + 60)),
    ] {
        let claims = with(claims(), name, value);
        assert!(check(&header(), &claims).is_ok(), "{claims}");
    }
}

#[test]
fn at_a_resource_the_proof_names_the_access_token() {
    // base64url of the SHA-256 of "token".
    let hash = json!("PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A");
    let good = signed(&header(), &with(claims(), "ath", hash));
    assert!(verify(&good, &ask(URL, Some("token")), NOW).is_ok());
    assert_eq!(
        verify(&good, &ask(URL, Some("other")), NOW),
        Err(ProofError::Token)
    );
    let bare = signed(&header(), &claims());
    assert_eq!(
        verify(&bare, &ask(URL, Some("token")), NOW),
        Err(ProofError::Token)
    );
}

proptest! {
    #[test]
    fn strangers_bytes_prove_nothing(
        text in "\\PC*|[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,4}",
        url in "\\PC*",
    ) {
        prop_assert!(verify(&text, &ask(&url, None), NOW).is_err());
    }
}
