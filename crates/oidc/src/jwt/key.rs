//! RSA keys, parsed once and kept: the pair that signs, the public half that verifies, the JWK that
//! the world sees.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
};
use domain::KeyId;
use domain::secret::PrivateKeyDer;
use serde::Serialize;

use super::{RS256, der, encode};

/// The key cannot be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The crypto library could not make a key.
    #[error("no RSA key could be generated")]
    Generate,
    /// The bytes are not an RSA private key of 2048 to 8192 bits as PKCS#8 DER.
    #[error("not an RSA private key")]
    Malformed,
}

/// A token could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The claims have no JSON form.
    #[error("the claims have no JSON form")]
    Claims,
    /// The crypto library failed.
    #[error("the signature failed")]
    Signature,
}

/// A public key in the form of RFC 7517 and RFC 7518 §6.3.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    kty: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    n: String,
    e: String,
    kid: KeyId,
    alg: &'static str,
}

/// The public half of a signing key.
#[derive(Clone)]
pub struct VerifyingKey {
    jwk: Jwk,
    key: ParsedPublicKey,
}

impl VerifyingKey {
    fn of(kid: KeyId, pair: &KeyPair) -> Result<Self, KeyError> {
        let public = pair.public_key().as_ref();
        let (n, e) = der::modulus_and_exponent(public).ok_or(KeyError::Malformed)?;
        let jwk = Jwk {
            kty: "RSA",
            usage: "sig",
            n: encode(n),
            e: encode(e),
            kid,
            alg: RS256,
        };
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .map_err(|_| KeyError::Malformed)?;
        Ok(Self { jwk, key })
    }

    /// The key's id.
    pub fn kid(&self) -> &KeyId {
        &self.jwk.kid
    }

    /// The key as the JWKS shows it.
    pub fn jwk(&self) -> Jwk {
        self.jwk.clone()
    }

    /// Whether the signature is this key's, by RS256.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.kid())
    }
}

/// A key that signs tokens.
pub struct SigningKey {
    pair: KeyPair,
    public: VerifyingKey,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
    kid: &'a KeyId,
}

impl SigningKey {
    /// Makes an RSA-2048 key, and the PKCS#8 DER to keep it by. This is the one place that draws on
    /// the crypto library's own randomness: it lets nobody bring another.
    pub fn generate(kid: KeyId) -> Result<(Self, PrivateKeyDer), KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generate)?;
        let der = PrivateKeyDer::from(der.as_ref().to_vec());
        Ok((Self::of(kid, pair)?, der))
    }

    /// Reads a key that [`generate`](Self::generate) made.
    pub fn from_der(kid: KeyId, der: &PrivateKeyDer) -> Result<Self, KeyError> {
        let pair = KeyPair::from_pkcs8(der.expose()).map_err(|_| KeyError::Malformed)?;
        Self::of(kid, pair)
    }

    fn of(kid: KeyId, pair: KeyPair) -> Result<Self, KeyError> {
        let public = VerifyingKey::of(kid, &pair)?;
        Ok(Self { pair, public })
    }

    /// The key's id.
    pub fn kid(&self) -> &KeyId {
        self.public.kid()
    }

    /// The public half as the JWKS shows it.
    pub fn jwk(&self) -> Jwk {
        self.public.jwk()
    }

    /// The public half: what remains of a key that signs no longer.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Writes a compact JWS (RFC 7515 §7.1) over the claims. `typ` is [`JWT`](super::JWT) or
    /// [`AT_JWT`](super::AT_JWT).
    pub fn sign<C: Serialize>(&self, typ: Option<&str>, claims: &C) -> Result<String, SignError> {
        let header = Header {
            alg: RS256,
            typ,
            kid: self.kid(),
        };
        let header = serde_json::to_vec(&header).map_err(|_| SignError::Claims)?;
        let claims = serde_json::to_vec(claims).map_err(|_| SignError::Claims)?;
        let mut token = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        // PKCS#1 v1.5 needs no randomness; the argument is there for other paddings.
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .map_err(|_| SignError::Signature)?;
        token.push('.');
        token.push_str(&encode(&signature));
        Ok(token)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid())
    }
}
