//! Which signature algorithm a key, a digest and a padding make together; signing and verifying.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self as s, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair,
    VerificationAlgorithm,
};

use super::digests::Algorithm;
use super::material::{Curve, Key, Kind};

/// How a signature is to look.
#[derive(Clone, Copy)]
pub struct Style {
    /// RSA with PSS instead of PKCS#1 v1.5.
    pub is_pss: bool,
    /// ECDSA as two numbers in a row instead of DER.
    pub is_flat: bool,
}

/// Signs a message; `None` when key and digest do not make an algorithm that is supported.
pub fn sign(key: &Key, digest: Option<Algorithm>, style: Style, message: &[u8]) -> Option<Vec<u8>> {
    let private = key.private.as_ref()?;
    match key.kind {
        Kind::Rsa => {
            let encoding: &'static dyn s::RsaEncoding = match (digest?, style.is_pss) {
                (Algorithm::Sha256, false) => &s::RSA_PKCS1_SHA256,
                (Algorithm::Sha384, false) => &s::RSA_PKCS1_SHA384,
                (Algorithm::Sha512, false) => &s::RSA_PKCS1_SHA512,
                (Algorithm::Sha256, true) => &s::RSA_PSS_SHA256,
                (Algorithm::Sha384, true) => &s::RSA_PSS_SHA384,
                (Algorithm::Sha512, true) => &s::RSA_PSS_SHA512,
                _ => return None,
            };
            let pair = RsaKeyPair::from_pkcs8(private).ok()?;
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
                .ok()?;
            Some(signature)
        }
        Kind::Ec(curve) => {
            let algorithm = ecdsa_signing(curve, digest, style.is_flat)?;
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, private).ok()?;
            Some(
                pair.sign(&SystemRandom::new(), message)
                    .ok()?
                    .as_ref()
                    .to_vec(),
            )
        }
        Kind::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private).ok()?;
            Some(pair.sign(message).as_ref().to_vec())
        }
    }
}

/// Whether a signature is right; `None` when key and digest make no supported algorithm.
pub fn verify(
    key: &Key,
    digest: Option<Algorithm>,
    style: Style,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let algorithm: &'static dyn VerificationAlgorithm = match key.kind {
        Kind::Rsa => rsa_verification(digest?, style.is_pss)?,
        Kind::Ec(curve) => ecdsa_verification(curve, digest, style.is_flat)?,
        Kind::Ed25519 => &s::ED25519,
    };
    Some(key.verifier(algorithm).verify(message, signature).is_ok())
}

fn rsa_verification(digest: Algorithm, is_pss: bool) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (digest, is_pss) {
        (Algorithm::Sha1, false) => &s::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Algorithm::Sha256, false) => &s::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (Algorithm::Sha384, false) => &s::RSA_PKCS1_2048_8192_SHA384,
        (Algorithm::Sha512, false) => &s::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (Algorithm::Sha256, true) => &s::RSA_PSS_2048_8192_SHA256,
        (Algorithm::Sha384, true) => &s::RSA_PSS_2048_8192_SHA384,
        (Algorithm::Sha512, true) => &s::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// By curve and digest; without a digest, the curve's own.
pub fn ecdsa_signing(
    curve: Curve,
    digest: Option<Algorithm>,
    is_flat: bool,
) -> Option<&'static EcdsaSigningAlgorithm> {
    use Algorithm::{Sha224, Sha256, Sha384, Sha512};
    let digest = digest.unwrap_or_else(|| own(curve));
    Some(match (curve, digest, is_flat) {
        (Curve::P256, Sha256, false) => &s::ECDSA_P256_SHA256_ASN1_SIGNING,
        (Curve::P256, Sha256, true) => &s::ECDSA_P256_SHA256_FIXED_SIGNING,
        (Curve::P384, Sha384, false) => &s::ECDSA_P384_SHA384_ASN1_SIGNING,
        (Curve::P384, Sha384, true) => &s::ECDSA_P384_SHA384_FIXED_SIGNING,
        (Curve::P521, Sha224, false) => &s::ECDSA_P521_SHA224_ASN1_SIGNING,
        (Curve::P521, Sha256, false) => &s::ECDSA_P521_SHA256_ASN1_SIGNING,
        (Curve::P521, Sha256, true) => &s::ECDSA_P521_SHA256_FIXED_SIGNING,
        (Curve::P521, Sha384, false) => &s::ECDSA_P521_SHA384_ASN1_SIGNING,
        (Curve::P521, Sha384, true) => &s::ECDSA_P521_SHA384_FIXED_SIGNING,
        (Curve::P521, Sha512, false) => &s::ECDSA_P521_SHA512_ASN1_SIGNING,
        (Curve::P521, Sha512, true) => &s::ECDSA_P521_SHA512_FIXED_SIGNING,
        (Curve::K256, Sha256, false) => &s::ECDSA_P256K1_SHA256_ASN1_SIGNING,
        (Curve::K256, Sha256, true) => &s::ECDSA_P256K1_SHA256_FIXED_SIGNING,
        _ => return None,
    })
}

fn ecdsa_verification(
    curve: Curve,
    digest: Option<Algorithm>,
    is_flat: bool,
) -> Option<&'static dyn VerificationAlgorithm> {
    use Algorithm::{Sha256, Sha384, Sha512};
    let digest = digest.unwrap_or_else(|| own(curve));
    Some(match (curve, digest, is_flat) {
        (Curve::P256, Sha256, false) => &s::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Sha256, true) => &s::ECDSA_P256_SHA256_FIXED,
        (Curve::P256, Sha384, false) => &s::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Sha512, false) => &s::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Sha256, false) => &s::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Sha384, false) => &s::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Sha384, true) => &s::ECDSA_P384_SHA384_FIXED,
        (Curve::P384, Sha512, false) => &s::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Sha256, false) => &s::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Sha384, false) => &s::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Sha512, false) => &s::ECDSA_P521_SHA512_ASN1,
        (Curve::P521, Sha512, true) => &s::ECDSA_P521_SHA512_FIXED,
        (Curve::K256, Sha256, false) => &s::ECDSA_P256K1_SHA256_ASN1,
        (Curve::K256, Sha256, true) => &s::ECDSA_P256K1_SHA256_FIXED,
        _ => return None,
    })
}

const fn own(curve: Curve) -> Algorithm {
    match curve {
        Curve::P256 | Curve::K256 => Algorithm::Sha256,
        Curve::P384 => Algorithm::Sha384,
        Curve::P521 => Algorithm::Sha512,
    }
}
