//! Other people's keys.

use domain::KeyId;
use oidc::jwt::foreign::verify;
use oidc::jwt::{Algorithm, ForeignKey, ForeignKeyError};
use oidc::{SigningKey, TokenError};
use serde_json::{Map, Value, json};

use crate::{CURRENT, NOW, current, next};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn jwks() -> Vec<Map<String, Value>> {
    let key = current();
    let jwks = key.verifying_key().jwks();
    jwks.map(|jwk| object(serde_json::to_value(jwk).unwrap()))
        .collect()
}

fn keys() -> Vec<ForeignKey> {
    jwks()
        .iter()
        .map(|jwk| ForeignKey::from_jwk(jwk).unwrap())
        .collect()
}

fn without(name: &str) -> Map<String, Value> {
    let mut jwk = jwks().remove(0);
    jwk.shift_remove(name);
    jwk
}

/// The example of RFC 7638 §3.1.
#[test]
fn a_thumbprint_is_as_in_the_specification() {
    let jwk = json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    });
    let key = ForeignKey::from_jwk(&object(jwk)).unwrap();
    assert_eq!(
        key.thumbprint().as_str(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(
        (key.kid(), key.algorithm()),
        (Some("2011-04-29"), Some(Algorithm::Rs256))
    );
}

#[test]
fn a_certificate_and_a_jwk_are_the_same_key() {
    let key = SigningKey::from_der(KeyId::from("x"), &CURRENT.1).unwrap();
    let key = key.certified("client.example", NOW).unwrap();
    let pem = key.certificate().unwrap().pem();
    let read = ForeignKey::from_pem(&format!("\n{pem}\r\n")).unwrap();
    assert_eq!(read.thumbprint(), keys()[0].thumbprint());
    let ten_years = std::time::Duration::from_secs(10 * 365 * 86_400);
    assert_eq!(read.not_after(), Some(NOW.plus(ten_years)));
}

#[test]
fn keys_that_are_not_safe_do_not_come_to_be() {
    let refused = |jwk: Value| ForeignKey::from_jwk(&object(jwk)).unwrap_err();
    let [rsa, _, ec] = <[_; 3]>::try_from(jwks()).unwrap();
    let with = |jwk: &Map<String, Value>, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk.insert(name.into(), value);
        Value::Object(jwk)
    };
    for name in ["d", "p", "k"] {
        assert_eq!(
            refused(with(&rsa, name, json!("AQ"))),
            ForeignKeyError::Private
        );
    }
    assert_eq!(
        refused(with(&rsa, "use", json!("enc"))),
        ForeignKeyError::Unsupported
    );
    assert_eq!(
        refused(with(&rsa, "alg", json!("ES256"))),
        ForeignKeyError::Unsupported
    );
    assert_eq!(
        refused(with(&rsa, "alg", json!("HS256"))),
        ForeignKeyError::Unsupported
    );
    assert_eq!(refused(with(&rsa, "e", json!("AQ"))), ForeignKeyError::Weak);
    assert_eq!(refused(with(&rsa, "e", json!("BA"))), ForeignKeyError::Weak);
    let short = rsa["n"].as_str().unwrap()[..168].to_owned();
    assert_eq!(
        refused(with(&rsa, "n", json!(short))),
        ForeignKeyError::Weak
    );
    assert_eq!(
        refused(with(&ec, "x", ec["y"].clone())),
        ForeignKeyError::Malformed
    );
    assert_eq!(
        refused(with(&ec, "crv", json!("P-521"))),
        ForeignKeyError::Unsupported
    );
    assert_eq!(
        refused(with(&ec, "crv", json!("P-384"))),
        ForeignKeyError::Malformed
    );
    assert_eq!(
        refused(json!({"kty": "oct", "x": "AA"})),
        ForeignKeyError::Unsupported
    );
    assert_eq!(refused(json!({})), ForeignKeyError::Malformed);
    assert_eq!(
        refused(Value::Object(without("n"))),
        ForeignKeyError::Malformed
    );
    for pem in [
        "",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ] {
        assert_eq!(
            ForeignKey::from_pem(pem).unwrap_err(),
            ForeignKeyError::Malformed
        );
    }
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    assert_eq!(
        ForeignKey::from_pem(private).unwrap_err(),
        ForeignKeyError::Private
    );
}

#[test]
fn a_jwks_gives_the_keys_that_can_be_used() {
    let mut all: Vec<Value> = jwks().into_iter().map(Value::Object).collect();
    all.push(json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}));
    assert_eq!(
        ForeignKey::from_jwks(&json!({"keys": all})).unwrap().len(),
        3
    );
    assert!(ForeignKey::from_jwks(&json!({})).is_err());
}

#[test]
fn the_caller_says_which_algorithms_it_believes_in() {
    let claims = json!({"sub": "x"});
    for algorithm in Algorithm::OURS {
        let token = current().sign_by(algorithm, None, &claims).unwrap();
        let signed = verify(&token, &keys(), &[algorithm]).unwrap();
        assert_eq!(
            (signed.algorithm, Value::Object(signed.claims)),
            (algorithm, claims.clone())
        );
        let others: Vec<_> = Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
            .collect();
        let refused = verify(&token, &keys(), &others).unwrap_err();
        assert_eq!(refused, TokenError::Algorithm);
    }
}

#[test]
fn a_key_is_found_by_its_name_or_by_trying() {
    let token = current().sign(None, &json!({})).unwrap();
    let key = |jwk: &Map<String, Value>| ForeignKey::from_jwk(jwk).unwrap();
    let mut other = object(serde_json::to_value(next().jwk()).unwrap());
    let mut right = without("kid");
    let (stranger, unnamed) = (key(&other), key(&right));
    assert!(verify(&token, &[stranger, unnamed], &Algorithm::ALL).is_ok());
    // A key by the name in the header is the only one that is asked.
    other.insert("kid".into(), json!("current"));
    let keys = [key(&other), key(&right)];
    assert_eq!(
        verify(&token, &keys, &Algorithm::ALL).unwrap_err(),
        TokenError::Signature
    );
    // One that is bound to another algorithm is not asked at all.
    right.insert("alg".into(), json!("PS256"));
    let bound = [key(&right)];
    assert_eq!(
        verify(&token, &bound, &Algorithm::ALL).unwrap_err(),
        TokenError::UnknownKey
    );
    assert_eq!(
        verify(&token, &[], &Algorithm::ALL).unwrap_err(),
        TokenError::UnknownKey
    );
}
