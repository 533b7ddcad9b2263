//! Entry points for fuzzers. Each takes any bytes and asserts what must hold for all of them.

use std::sync::LazyLock;

use domain::{ClientId, Instant, KeyId};
use serde_json::Value;

use crate::dpop::{self, ProofRequest};
use crate::jwt::{Algorithm, ForeignKey, foreign};
use crate::{ClientAssertion, Issuer, KeySet, SigningKey};

const NOW: Instant = Instant::from_millis(1_772_359_200_000);
const ISSUER: &str = "https://id.example.com/";

static KEYS: LazyLock<Option<KeySet>> = LazyLock::new(|| {
    let (key, _) = SigningKey::generate(KeyId::from("current")).ok()?;
    Some(KeySet::new(key.into(), None, Vec::new()))
});

/// As a token, as a hint, as a proof, as a JWK, as a JWKS and as PEM: read or refused.
pub fn jwt(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(keys) = &*KEYS {
        assert!(keys.verify(&text, NOW, ISSUER).is_err());
        assert!(keys.verify_hint(&text, NOW, ISSUER).is_err());
    }
    let request = ProofRequest {
        method: "POST",
        url: ISSUER,
        access_token: None,
    };
    let _ = dpop::verify(&text, &request, NOW);
    if let Ok(key) = ForeignKey::from_pem(&text) {
        assert_eq!(key.thumbprint().as_str().len(), 43);
    }
    if let Ok(json) = serde_json::from_slice::<Value>(bytes) {
        let _ = ForeignKey::from_jwks(&json);
        if let Some(Ok(key)) = json.as_object().map(ForeignKey::from_jwk) {
            assert_eq!(key.thumbprint().as_str().len(), 43);
            assert!(foreign::verify(&text, &[key], &Algorithm::ALL).is_err());
        }
    }
}

/// As a client's assertion: whom it names may be asked, and nobody is proven.
pub fn client_assertion(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let kind = crate::client_assertion::JWT_BEARER.to_owned();
    let assertion = ClientAssertion::read(Some(kind), Some(text));
    let (Ok(Some(assertion)), Ok(issuer)) = (assertion, Issuer::parse(ISSUER)) else {
        return;
    };
    let client = assertion.subject().unwrap_or_default();
    let jwk = KEYS.as_ref().and_then(|keys| {
        let jwk = serde_json::to_value(keys.current().jwk()).ok()?;
        ForeignKey::from_jwk(jwk.as_object()?).ok()
    });
    let keys: Vec<ForeignKey> = jwk.into_iter().collect();
    let proven = assertion.verify(&ClientId::from(client), &keys, &issuer, NOW);
    assert!(proven.is_err());
}
