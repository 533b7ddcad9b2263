//! Public keys as authenticators send them (COSE, RFC 9053) and their signatures: ES256, `EdDSA` with
//! Ed25519, RS256.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::cbor::{self, Cbor};

/// The algorithms, the best first, by their COSE numbers.
pub(super) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// A public key that can verify.
pub(super) enum PublicKey {
    /// An uncompressed point of P-256.
    P256(Vec<u8>),
    /// 32 bytes.
    Ed25519(Vec<u8>),
    /// Modulus and exponent.
    Rsa(Vec<u8>, Vec<u8>),
}

impl PublicKey {
    /// Reads a COSE key of one of our algorithms, and nothing behind it.
    pub(super) fn parse(cose: &[u8]) -> Option<Self> {
        let (map, rest) = cbor::read(cose)?;
        let number = |key| map.at(key).and_then(Cbor::int);
        let bytes = |key| map.at(key).and_then(Cbor::bytes);
        if !rest.is_empty() {
            return None;
        }
        match (number(1)?, number(3)?) {
            (2, ES256) if number(-1)? == 1 => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                let fits = x.len() == 32 && y.len() == 32;
                fits.then(|| Self::P256([&[4], x, y].concat()))
            }
            (1, EDDSA) if number(-1)? == 6 => {
                let x = bytes(-2)?;
                (x.len() == 32).then(|| Self::Ed25519(x.to_vec()))
            }
            (3, RS256) => Some(Self::Rsa(bytes(-1)?.to_vec(), bytes(-2)?.to_vec())),
            _ => None,
        }
    }

    /// Whether this key signed the message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                .verify(message, signature)
                .is_ok(),
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key)
                .verify(message, signature)
                .is_ok(),
            Self::Rsa(n, e) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}
