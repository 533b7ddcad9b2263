//! Our own keys, parsed once and kept: the pairs that sign, the public halves that verify, the JWKs
//! that the world sees.
//!
//! One signing key is two pairs that live and die together: RSA-2048 for RS256 and PS256, and P-256
//! for ES256. The world sees three keys with names of their own, `kid`, `kid-PS256` and `kid-ES256`,
//! so that each name stands for one algorithm.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding,
};
use domain::secret::{ClientSecret, PrivateKeyDer};
use domain::{Instant, KeyId};
use serde::Serialize;

use super::certificate::Certificate;
use super::{Algorithm, der, encode};

/// The key cannot be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The crypto library could not make a key.
    #[error("no key could be generated")]
    Generate,
    /// The bytes are not what [`SigningKey::generate`] gave out.
    #[error("not a private key")]
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
    /// Our keys do not sign by this algorithm.
    #[error("no key for this algorithm")]
    Algorithm,
}

/// A public key in the form of RFC 7517 and RFC 7518 §6.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    kty: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    #[serde(flatten)]
    numbers: Numbers,
    kid: KeyId,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5t: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5c: Option<[String; 1]>,
    alg: Algorithm,
}

impl Jwk {
    /// What it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.alg
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Numbers {
    Rsa {
        n: String,
        e: String,
    },
    Ec {
        crv: &'static str,
        x: String,
        y: String,
    },
}

#[derive(Clone)]
pub(super) struct Published {
    jwk: Jwk,
    key: ParsedPublicKey,
}

impl Published {
    fn new(
        kid: &KeyId,
        algorithm: Algorithm,
        numbers: Numbers,
        key: &[u8],
    ) -> Result<Self, KeyError> {
        let kty = match numbers {
            Numbers::Rsa { .. } => "RSA",
            Numbers::Ec { .. } => "EC",
        };
        let jwk = Jwk {
            kty,
            usage: "sig",
            numbers,
            kid: name(kid, algorithm),
            x5t: None,
            x5c: None,
            alg: algorithm,
        };
        let key =
            ParsedPublicKey::new(algorithm.verification(), key).map_err(|_| KeyError::Malformed)?;
        Ok(Self { jwk, key })
    }

    pub(super) fn kid(&self) -> &KeyId {
        &self.jwk.kid
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.jwk.alg
    }

    /// Whether the signature is this key's, by its own algorithm.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

fn name(kid: &KeyId, algorithm: Algorithm) -> KeyId {
    match algorithm {
        Algorithm::Rs256 => kid.clone(),
        other => KeyId::from(format!("{kid}-{}", other.as_str())),
    }
}

/// The public half of a signing key.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: KeyId,
    published: [Published; 3],
}

impl VerifyingKey {
    fn of(kid: KeyId, rsa: &KeyPair, ec: &EcdsaKeyPair) -> Result<Self, KeyError> {
        let public = rsa.public_key().as_ref();
        let (n, e) = der::modulus_and_exponent(public).ok_or(KeyError::Malformed)?;
        let rsa = Numbers::Rsa {
            n: encode(n),
            e: encode(e),
        };
        let point = ec.public_key().as_ref();
        let coordinates = point.get(1..).unwrap_or_default().split_at_checked(32);
        let (x, y) = coordinates.ok_or(KeyError::Malformed)?;
        let ec = Numbers::Ec {
            crv: "P-256",
            x: encode(x),
            y: encode(y),
        };
        Ok(Self {
            published: [
                Published::new(&kid, Algorithm::Rs256, rsa.clone(), public)?,
                Published::new(&kid, Algorithm::Ps256, rsa, public)?,
                Published::new(&kid, Algorithm::Es256, ec, point)?,
            ],
            kid,
        })
    }

    /// The key's id.
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The key for RS256 as the JWKS shows it.
    pub fn jwk(&self) -> Jwk {
        let [rs256, ..] = &self.published;
        rs256.jwk.clone()
    }

    /// All that the JWKS shows of it.
    pub fn jwks(&self) -> impl Iterator<Item = Jwk> {
        self.published.iter().map(|key| key.jwk.clone())
    }

    pub(super) fn published(&self) -> &[Published] {
        &self.published
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.kid())
    }
}

/// A key that signs tokens.
pub struct SigningKey {
    rsa: KeyPair,
    ec: EcdsaKeyPair,
    public: VerifyingKey,
    certificate: Option<Certificate>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a KeyId>,
}

impl SigningKey {
    /// Makes a key, and the bytes to keep it by: two PKCS#8 documents, RSA's first. This is the one
    /// place that draws on the crypto library's own randomness: it lets nobody bring another.
    pub fn generate(kid: KeyId) -> Result<(Self, PrivateKeyDer), KeyError> {
        let rsa = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| KeyError::Generate)?;
        let first: Pkcs8V1Der<'_> = rsa.as_der().map_err(|_| KeyError::Generate)?;
        let second = ec.to_pkcs8v1().map_err(|_| KeyError::Generate)?;
        let der = PrivateKeyDer::from([first.as_ref(), second.as_ref()].concat());
        Ok((Self::of(kid, rsa, ec)?, der))
    }

    /// Reads a key that [`generate`](Self::generate) made.
    pub fn from_der(kid: KeyId, der: &PrivateKeyDer) -> Result<Self, KeyError> {
        let mut both = der::Reader(der.expose());
        let rsa = both.take_whole(der::SEQUENCE).ok_or(KeyError::Malformed)?;
        let rsa = KeyPair::from_pkcs8(rsa).map_err(|_| KeyError::Malformed)?;
        let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, both.0)
            .map_err(|_| KeyError::Malformed)?;
        Self::of(kid, rsa, ec)
    }

    fn of(kid: KeyId, rsa: KeyPair, ec: EcdsaKeyPair) -> Result<Self, KeyError> {
        let public = VerifyingKey::of(kid, &rsa, &ec)?;
        Ok(Self {
            rsa,
            ec,
            public,
            certificate: None,
        })
    }

    /// The key with its certificate, which JWKS and administrators see.
    pub fn certified(mut self, subject: &str, since: Instant) -> Result<Self, KeyError> {
        let public = self.rsa.public_key().as_ref();
        let sign = |body: &[u8]| self.sign_rsa(&RSA_PKCS1_SHA256, body);
        let certificate = Certificate::new(self.public.kid.as_str(), subject, since, public, sign)
            .map_err(|_| KeyError::Generate)?;
        let [rs256, ..] = &mut self.public.published;
        rs256.jwk.x5t = Some(certificate.x5t());
        rs256.jwk.x5c = Some([certificate.x5c()]);
        self.certificate = Some(certificate);
        Ok(self)
    }

    /// Its certificate, once it has one.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The key's id.
    pub fn kid(&self) -> &KeyId {
        self.public.kid()
    }

    /// The public half for RS256 as the JWKS shows it.
    pub fn jwk(&self) -> Jwk {
        self.public.jwk()
    }

    /// The public half: what remains of a key that signs no longer.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Writes a compact JWS (RFC 7515 §7.1) over the claims by RS256. `typ` is
    /// [`JWT`](super::JWT) or [`AT_JWT`](super::AT_JWT).
    pub fn sign<C: Serialize>(&self, typ: Option<&str>, claims: &C) -> Result<String, SignError> {
        self.sign_by(Algorithm::Rs256, typ, claims)
    }

    /// The same by one of [`Algorithm::OURS`].
    pub fn sign_by<C: Serialize>(
        &self,
        algorithm: Algorithm,
        typ: Option<&str>,
        claims: &C,
    ) -> Result<String, SignError> {
        let key = self.public.published.iter();
        let key = key.into_iter().find(|key| key.algorithm() == algorithm);
        let key = key.ok_or(SignError::Algorithm)?;
        let header = Header {
            alg: algorithm.as_str(),
            typ,
            kid: Some(key.kid()),
        };
        compact(&header, claims, |message| match algorithm {
            Algorithm::Es256 => {
                let signature = self.ec.sign(&SystemRandom::new(), message);
                let signature = signature.map_err(|_| SignError::Signature)?;
                Ok(signature.as_ref().to_vec())
            }
            Algorithm::Ps256 => self.sign_rsa(&RSA_PSS_SHA256, message),
            _ => self.sign_rsa(&RSA_PKCS1_SHA256, message),
        })
    }

    fn sign_rsa(
        &self,
        padding: &'static dyn RsaEncoding,
        message: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa
            .sign(padding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SignError::Signature)?;
        Ok(signature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid())
    }
}

/// Writes a compact JWS by HS256, for the one who shares the secret. Nothing here believes such a
/// token.
pub fn sign_with_secret<C: Serialize>(
    secret: &ClientSecret,
    typ: Option<&str>,
    claims: &C,
) -> Result<String, SignError> {
    let header = Header {
        alg: "HS256",
        typ,
        kid: None,
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    compact(&header, claims, |message| {
        Ok(hmac::sign(&key, message).as_ref().to_vec())
    })
}

fn compact<C: Serialize>(
    header: &Header<'_>,
    claims: &C,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, SignError>,
) -> Result<String, SignError> {
    let header = serde_json::to_vec(header).map_err(|_| SignError::Claims)?;
    let claims = serde_json::to_vec(claims).map_err(|_| SignError::Claims)?;
    let mut token = format!("{}.{}", encode(&header), encode(&claims));
    let signature = sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&encode(&signature));
    Ok(token)
}
