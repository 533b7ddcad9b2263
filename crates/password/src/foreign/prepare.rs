//! What happens to a typed password before the hash proper: trimmed, peppered, hashed once.

use zeroize::Zeroizing;

use super::Check;
use crate::digest::Digest;
use crate::encoding::{SecretBytes, to_base64};
use crate::wrapped::Fast;

/// One step.
pub(super) enum Step {
    /// The lower-case hex of the digest.
    Hex(Digest),
    /// The padded base64 of the digest.
    Base64(Digest),
    /// The padded base64 of the HMAC under a key.
    Base64Hmac(Digest, SecretBytes),
    /// A secret of the application behind the password (Devise's pepper).
    Append(SecretBytes),
    /// PHP's `trim`: ASCII white space and zero bytes, at both ends.
    TrimPhp,
    /// What old bcrypts of PHP read of a password.
    SignExtend,
}

impl Step {
    fn apply(&self, password: &[u8]) -> SecretBytes {
        match self {
            Self::Hex(digest) => hex_of(&digest.hash(password)),
            Self::Base64(digest) => bytes_of(&to_base64(&digest.hash(password))),
            Self::Base64Hmac(digest, key) => bytes_of(&to_base64(&digest.hmac(key, password))),
            Self::Append(pepper) => Zeroizing::new([password, pepper.as_slice()].concat()),
            Self::SignExtend => super::crypt_rare::sign_extend(password),
            Self::TrimPhp => Zeroizing::new(trim_php(password).to_vec()),
        }
    }
}

/// Bytes as lower-case hex.
pub(super) fn hex_of(bytes: &[u8]) -> SecretBytes {
    Zeroizing::new(hex::encode(bytes).into_bytes())
}

fn bytes_of(text: &str) -> SecretBytes {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn trim_php(mut text: &[u8]) -> &[u8] {
    const SPACE: &[u8] = b" \t\n\r\0\x0b";
    while let [first, rest @ ..] = text {
        if !SPACE.contains(first) {
            break;
        }
        text = rest;
    }
    while let [rest @ .., last] = text {
        if !SPACE.contains(last) {
            break;
        }
        text = rest;
    }
    text
}

/// A check behind a step.
pub(super) struct Prepared {
    step: Step,
    inner: Box<dyn Check>,
}

impl Prepared {
    pub(super) fn boxed(step: Step, inner: Box<dyn Check>) -> Box<dyn Check> {
        Box::new(Self { step, inner })
    }
}

impl Check for Prepared {
    fn verify(&self, password: &[u8]) -> bool {
        self.inner.verify(&self.step.apply(password))
    }

    fn fast(&self) -> Option<&dyn Fast> {
        self.inner.fast().map(|_| self as &dyn Fast)
    }
}

/// Of an inner check that is fast; of another, nothing equals anything.
impl Fast for Prepared {
    fn compute(&self, password: &[u8]) -> SecretBytes {
        let password = self.step.apply(password);
        let inner = self.inner.fast().map(|fast| fast.compute(&password));
        inner.unwrap_or_default()
    }

    fn digest(&self) -> &[u8] {
        self.inner.fast().map_or(&[], Fast::digest)
    }
}
