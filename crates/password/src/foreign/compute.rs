//! A hash that one function makes of the password: what most formats come down to.

use constant_time_eq::constant_time_eq;
use zeroize::Zeroizing;

use super::{Check, UnreadableHash};
use crate::digest::Digest;
use crate::encoding::SecretBytes;
use crate::wrapped::{FEW_ROUNDS, Fast};

struct Computed<F> {
    hash: SecretBytes,
    rounds: u32,
    compute: F,
}

impl<F: Fn(&[u8]) -> SecretBytes + Send + Sync> Check for Computed<F> {
    fn verify(&self, password: &[u8]) -> bool {
        let computed = (self.compute)(password);
        !self.hash.is_empty() && constant_time_eq(&computed, &self.hash)
    }

    fn fast(&self) -> Option<&dyn Fast> {
        (self.rounds <= FEW_ROUNDS).then_some(self)
    }
}

impl<F: Fn(&[u8]) -> SecretBytes + Send + Sync> Fast for Computed<F> {
    fn compute(&self, password: &[u8]) -> SecretBytes {
        (self.compute)(password)
    }

    fn digest(&self) -> &[u8] {
        &self.hash
    }
}

/// The hash, and what makes it of a password: a digest or a few.
pub(super) fn computed(
    hash: SecretBytes,
    compute: impl Fn(&[u8]) -> SecretBytes + Send + Sync + 'static,
) -> Box<dyn Check> {
    in_rounds(1, hash, compute)
}

/// The same of a function that was made to be slow.
pub(super) fn slow(
    hash: SecretBytes,
    compute: impl Fn(&[u8]) -> SecretBytes + Send + Sync + 'static,
) -> Box<dyn Check> {
    in_rounds(u32::MAX, hash, compute)
}

/// The same of so many digests.
pub(super) fn in_rounds(
    rounds: u32,
    hash: SecretBytes,
    compute: impl Fn(&[u8]) -> SecretBytes + Send + Sync + 'static,
) -> Box<dyn Check> {
    Box::new(Computed {
        hash,
        rounds,
        compute,
    })
}

/// So many bytes behind hex.
pub(super) fn hex_of_size(
    text: &str,
    size: usize,
    format: &str,
) -> Result<SecretBytes, UnreadableHash> {
    let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == size);
    bytes
        .map(Zeroizing::new)
        .ok_or_else(|| UnreadableHash::malformed(format))
}

/// Pieces in one buffer.
pub(super) fn join(pieces: &[&[u8]]) -> SecretBytes {
    Zeroizing::new(pieces.concat())
}

/// The lower-case hex of a digest, as most scripts of the web pass it on.
pub(super) fn hexed(digest: Digest, message: &[u8]) -> SecretBytes {
    super::prepare::hex_of(&digest.hash(message))
}

/// A password in UTF-16, low byte first.
pub(super) fn utf16(password: &[u8]) -> SecretBytes {
    let text = Zeroizing::new(String::from_utf8_lossy(password).into_owned());
    Zeroizing::new(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
}
