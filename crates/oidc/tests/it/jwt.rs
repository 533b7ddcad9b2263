use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::KeyId;
use domain::secret::{ClientSecret, PrivateKeyDer};
use oidc::jwt::{JWT, KeyError, SignError, sign_with_secret};
use oidc::{Algorithm, KeySet, RetiredKey, SigningKey, TokenError};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{CURRENT, ISSUER, NOW, current, keys, next};

fn good_claims() -> Value {
    let now = NOW.seconds();
    json!({"iss": ISSUER, "sub": "auth0|42", "aud": "api", "iat": now, "exp": now + 86_400})
}

fn signed(claims: &Value) -> String {
    current().sign(Some(JWT), claims).unwrap()
}

/// The good claims with one of them changed.
fn signed_with(name: &str, value: Value) -> String {
    let mut claims = good_claims();
    claims[name] = value;
    signed(&claims)
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn refusal(token: &str) -> TokenError {
    keys().verify(token, NOW, ISSUER).unwrap_err()
}

/// A good token under another header.
fn with_header(header: &Value) -> String {
    let token = signed(&good_claims());
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", part(header))
}

#[test]
fn what_is_signed_verifies() {
    let token = signed(&good_claims());
    let claims = keys().verify(&token, NOW, ISSUER).unwrap();
    assert_eq!(Value::Object(claims), good_claims());

    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    let header = String::from_utf8(header).unwrap();
    insta::assert_snapshot!(header, @r#"{"alg":"RS256","typ":"JWT","kid":"current"}"#);
}

#[test]
fn a_stored_key_signs_the_same() {
    let stored = SigningKey::from_der(KeyId::from("current"), &CURRENT.1).unwrap();
    assert_eq!(
        stored.sign(Some(JWT), &good_claims()).unwrap(),
        signed(&good_claims())
    );
    assert_eq!(stored.jwk(), current().jwk());

    let nonsense = PrivateKeyDer::from(b"nonsense".to_vec());
    let error = SigningKey::from_der(KeyId::from("x"), &nonsense).unwrap_err();
    assert_eq!(error, KeyError::Malformed);
}

#[test]
fn keys_print_their_name_only() {
    let retired = RetiredKey {
        key: next().verifying_key().clone(),
        until: NOW,
    };
    insta::assert_snapshot!(
        format!("{:?}", KeySet::new(current(), Some(next()), vec![retired])),
        @"KeySet { current: SigningKey(current), next: Some(SigningKey(next)), previous: [RetiredKey { key: VerifyingKey(next), until: Instant(1772359200000) }] }"
    );
}

#[test]
fn the_header_does_not_choose_the_algorithm() {
    for alg in [
        "none", "None", "HS256", "HS512", "RS384", "PS256", "ES256", "EdDSA", "rs256", "",
    ] {
        let token = with_header(&json!({"alg": alg, "kid": "current"}));
        assert_eq!(refusal(&token), TokenError::Algorithm, "{alg}");
    }
    let unsigned = format!(
        "{}.{}.",
        part(&json!({"alg": "none"})),
        part(&good_claims())
    );
    assert_eq!(refusal(&unsigned), TokenError::Algorithm);
    let unsigned = json!({"alg": "RS256", "kid": "current"});
    let unsigned = format!("{}.{}.", part(&unsigned), part(&good_claims()));
    assert_eq!(refusal(&unsigned), TokenError::Signature);
}

#[test]
fn an_extension_that_must_be_understood_is_not() {
    let header = json!({"alg": "RS256", "kid": "current", "crit": ["b64"], "b64": false});
    assert_eq!(refusal(&with_header(&header)), TokenError::Algorithm);
}

/// The classic: the public key, which everybody knows, as the secret of an HMAC.
#[test]
fn a_public_key_is_no_secret() {
    let jwk = serde_json::to_value(current().jwk()).unwrap();
    let certified = SigningKey::from_der(KeyId::from("current"), &CURRENT.1).unwrap();
    let certified = certified.certified("id.example.com", NOW).unwrap();
    let spellings = [
        jwk.to_string(),
        jwk["n"].as_str().unwrap().to_owned(),
        certified.certificate().unwrap().pem(),
    ];
    for secret in spellings {
        let secret = ClientSecret::from(secret);
        let token = sign_with_secret(&secret, Some(JWT), &good_claims()).unwrap();
        assert_eq!(refusal(&token), TokenError::Algorithm);
        // The same signature under a header that names our key.
        let (_, rest) = token.split_once('.').unwrap();
        for alg in ["HS256", "RS256"] {
            let header = part(&json!({"alg": alg, "kid": "current"}));
            assert!(
                keys()
                    .verify(&format!("{header}.{rest}"), NOW, ISSUER)
                    .is_err()
            );
        }
    }
}

#[test]
fn each_algorithm_has_a_name_of_its_own() {
    for (algorithm, kid) in [
        (Algorithm::Rs256, "current"),
        (Algorithm::Ps256, "current-PS256"),
        (Algorithm::Es256, "current-ES256"),
    ] {
        let token = current().sign_by(algorithm, Some(JWT), &good_claims());
        let token = token.unwrap();
        assert!(keys().verify(&token, NOW, ISSUER).is_ok(), "{kid}");
        let (_, rest) = token.split_once('.').unwrap();
        // One of our names with another of our algorithms.
        for other in Algorithm::ALL {
            let header = json!({"alg": other.as_str(), "kid": kid});
            let swapped = format!("{}.{rest}", part(&header));
            let expected = if other == algorithm {
                // The header is under the signature.
                TokenError::Signature
            } else {
                TokenError::Algorithm
            };
            assert_eq!(refusal(&swapped), expected, "{kid} as {}", other.as_str());
        }
    }
    for foreign in [Algorithm::Rs384, Algorithm::Es384] {
        let refused = current().sign_by(foreign, None, &good_claims());
        assert_eq!(refused.unwrap_err(), SignError::Algorithm);
    }
}

#[test]
fn keys_that_a_header_brings_along_are_ignored() {
    let stranger = SigningKey::generate(KeyId::from("mine")).unwrap().0;
    let token = stranger.sign(Some(JWT), &good_claims()).unwrap();
    let (_, rest) = token.split_once('.').unwrap();
    for kid in ["mine", "current"] {
        let header = json!({
            "alg": "RS256", "kid": kid, "jwk": stranger.jwk(),
            "jku": "https://evil.example/jwks.json", "x5u": "https://evil.example/cert",
            "x5c": ["AAAA"],
        });
        let expected = match kid {
            "mine" => TokenError::UnknownKey,
            _ => TokenError::Signature,
        };
        assert_eq!(refusal(&format!("{}.{rest}", part(&header))), expected);
    }
}

#[test]
fn no_member_stands_twice() {
    let token = signed(&good_claims());
    let (_, rest) = token.split_once('.').unwrap();
    for header in [
        r#"{"alg":"none","alg":"RS256","kid":"current"}"#,
        r#"{"alg":"RS256","kid":"current","x":1,"x":1}"#,
    ] {
        let twice = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
        assert_eq!(refusal(&twice), TokenError::Malformed);
    }
}

#[test]
fn a_hint_may_be_old_but_not_forged() {
    let now = NOW.seconds();
    let old = signed_with("exp", json!(now - 1_000_000));
    assert_eq!(refusal(&old), TokenError::Expired);
    let claims = keys().verify_hint(&old, NOW, ISSUER).unwrap();
    assert_eq!(claims["sub"], "auth0|42");
    assert_eq!(
        keys().verify_hint(&old, NOW, "https://other/").unwrap_err(),
        TokenError::Issuer
    );
    let forged = next().sign(Some(JWT), &good_claims()).unwrap();
    assert!(keys().verify_hint(&forged, NOW, ISSUER).is_err());
}

#[test]
fn a_key_must_be_named_and_known() {
    for header in [
        json!({"alg": "RS256"}),
        json!({"alg": "RS256", "kid": "other"}),
    ] {
        assert_eq!(refusal(&with_header(&header)), TokenError::UnknownKey);
    }
    // A known name on a signature of another key.
    let forged = SigningKey::from_der(KeyId::from("current"), &crate::NEXT.1).unwrap();
    let forged = forged.sign(Some(JWT), &good_claims()).unwrap();
    assert_eq!(refusal(&forged), TokenError::Signature);
}

#[test]
fn a_changed_payload_is_found_out() {
    let token = signed(&good_claims());
    let mut parts = token.split('.');
    let (header, _, signature) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    let mut claims = good_claims();
    claims["sub"] = json!("auth0|1");
    let forged = format!("{header}.{}.{signature}", part(&claims));
    assert_eq!(refusal(&forged), TokenError::Signature);
    // Another spelling of the same bytes is another token.
    assert_eq!(refusal(&format!("{token}=")), TokenError::Malformed);
    assert_eq!(refusal(&format!("{token}.")), TokenError::Malformed);
}

#[test]
fn time_bounds() {
    let now = NOW.seconds();
    let verified = |name: &str, value: Value| {
        keys()
            .verify(&signed_with(name, value), NOW, ISSUER)
            .map(drop)
    };
    assert_eq!(verified("exp", json!(now + 1)), Ok(()));
    assert_eq!(verified("exp", json!(now)), Err(TokenError::Expired));
    assert_eq!(verified("exp", Value::Null), Err(TokenError::Malformed));
    assert_eq!(
        verified("exp", json!("9999999999")),
        Err(TokenError::Malformed)
    );
    for start in ["iat", "nbf"] {
        assert_eq!(verified(start, json!(now + 60)), Ok(()), "{start}");
        assert_eq!(
            verified(start, json!(now + 61)),
            Err(TokenError::NotYetValid),
            "{start}"
        );
        assert_eq!(
            verified(start, json!(i64::MAX)),
            Err(TokenError::NotYetValid),
            "{start}"
        );
    }
    let mut claims = good_claims();
    claims.as_object_mut().unwrap().remove("exp");
    assert_eq!(refusal(&signed(&claims)), TokenError::Malformed);
}

#[test]
fn the_issuer_matches_to_the_letter() {
    for issuer in ["https://id.example.com", "https://ID.example.com/", ""] {
        assert_eq!(
            refusal(&signed_with("iss", json!(issuer))),
            TokenError::Issuer,
            "{issuer}"
        );
    }
    assert_eq!(
        refusal(&signed_with("iss", json!([ISSUER]))),
        TokenError::Issuer
    );
}

#[test]
fn rotation_forgets_nobody_too_early() {
    let old = current().sign(Some(JWT), &good_claims()).unwrap();
    let until = NOW.plus(Duration::from_hours(24));
    let retired = RetiredKey {
        key: current().verifying_key().clone(),
        until,
    };
    let rotated = KeySet::new(next(), None, vec![retired]);
    assert!(rotated.verify(&old, NOW, ISSUER).is_ok());
    assert_eq!(
        rotated.verify(&old, until, ISSUER),
        Err(TokenError::UnknownKey)
    );

    // A node that has not rotated yet believes the tokens of one that has.
    let early = next().sign(Some(JWT), &good_claims()).unwrap();
    let waiting = KeySet::new(current(), Some(next()), Vec::new());
    assert!(waiting.verify(&early, NOW, ISSUER).is_ok());
    assert_eq!(
        keys().verify(&early, NOW, ISSUER),
        Err(TokenError::UnknownKey)
    );

    let published = |set: &KeySet, now| {
        let jwks = serde_json::to_value(set.jwks(now)).unwrap();
        let kids = jwks["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].clone());
        kids.collect::<Value>()
    };
    assert_eq!(
        published(&waiting, NOW),
        json!([
            "current",
            "current-PS256",
            "current-ES256",
            "next",
            "next-PS256",
            "next-ES256"
        ])
    );
    assert_eq!(
        published(&rotated, NOW),
        json!([
            "next",
            "next-PS256",
            "next-ES256",
            "current",
            "current-PS256",
            "current-ES256"
        ])
    );
    assert_eq!(
        published(&rotated, until),
        json!(["next", "next-PS256", "next-ES256"])
    );
}

proptest! {
    #[test]
    fn strangers_bytes_are_refused(token in "\\PC*|[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,4}") {
        prop_assert!(keys().verify(&token, NOW, ISSUER).is_err());
    }

    #[test]
    fn one_changed_letter_is_enough(place in any::<proptest::sample::Index>(), letter in "[A-Za-z0-9_.-]") {
        let token = signed(&good_claims());
        let place = place.index(token.len());
        prop_assume!(token[place..=place] != letter);
        let mut changed = token;
        changed.replace_range(place..=place, &letter);
        prop_assert!(keys().verify(&changed, NOW, ISSUER).is_err());
    }
}
