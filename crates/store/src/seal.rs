//! Secrets at rest: AES-256-GCM under the master key, bound to the place where they are stored.
//!
//! A sealed value is `1 ‖ nonce (12) ‖ ciphertext ‖ tag`. The place (table and row) is the
//! additional data, so that a value copied to another row does not open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use domain::secret::Key32;
use zeroize::Zeroizing;

use crate::error::{Result, StoreError};

const VERSION: u8 = 1;

/// Seals and opens values.
pub struct Seal {
    key: RandomizedNonceKey,
}

impl Seal {
    /// Takes the master key.
    pub fn new(key: &Key32) -> Result<Self> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.expose())
            .map_err(|_| StoreError::Schema("the master key is not usable".into()))?;
        Ok(Self { key })
    }

    /// Seals a value for a place.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = Zeroizing::new(plain.to_vec());
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut *sealed)
            .map_err(|_| StoreError::Schema("sealing failed".into()))?;
        let mut out = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(nonce.as_ref());
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens a value of a place.
    pub fn open(
        &self,
        place: &'static str,
        row: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let fault = |problem: &str| StoreError::Corrupt {
            column: place,
            problem: problem.into(),
        };
        let (head, body) = sealed
            .split_at_checked(1 + NONCE_LEN)
            .filter(|(head, _)| head.first() == Some(&VERSION))
            .ok_or_else(|| fault("not a sealed value"))?;
        let nonce = head
            .get(1..)
            .and_then(|bytes| Nonce::try_assume_unique_for_key(bytes).ok());
        let nonce = nonce.ok_or_else(|| fault("not a sealed value"))?;
        let mut plain = Zeroizing::new(body.to_vec());
        let length = self
            .key
            .open_in_place(
                nonce,
                Aad::from(format!("{place}/{row}").as_bytes()),
                &mut plain,
            )
            .map_err(|_| fault("sealed under another master key, or moved"))?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// Opens text.
    pub fn open_text(
        &self,
        place: &'static str,
        row: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<String>> {
        let plain = self.open(place, row, sealed)?;
        let text = std::str::from_utf8(&plain);
        let text = text.map_err(|e| StoreError::Corrupt {
            column: place,
            problem: e.to_string(),
        })?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_in_its_place_and_under_its_key() {
        let seal = Seal::new(&Key32::from([7; 32])).unwrap();
        let sealed = seal.seal("clients.secret/a", b"hush").unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"hush"));
        assert_eq!(
            &**seal.open("clients.secret", "a", &sealed).unwrap(),
            b"hush"
        );
        assert!(seal.open("clients.secret", "b", &sealed).is_err());
        let other = Seal::new(&Key32::from([8; 32])).unwrap();
        assert!(other.open("clients.secret", "a", &sealed).is_err());
        assert_ne!(sealed, seal.seal("clients.secret/a", b"hush").unwrap());
    }
}
