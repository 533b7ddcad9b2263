//! HMAC of the password under a key of the record: `hash.digest` and `hash.key` are required.
//!
//! A salt, which the schema allows, joins the message and not the key. Refuses a hash that has not
//! the digest's length.

use constant_time_eq::constant_time_eq;
use domain::RowError;

use crate::canonical::Canonical;
use crate::digest::Digest;
use crate::encoding::SecretBytes;
use crate::record::{Record, Salt};
use crate::refusal;
use crate::wrapped::Fast;

pub(crate) struct HmacHash {
    digest: Digest,
    key: SecretBytes,
    salt: Option<Salt>,
    hash: SecretBytes,
}

impl HmacHash {
    pub(crate) fn read(record: Record) -> Result<Self, RowError> {
        let digest = record
            .digest
            .ok_or_else(|| refusal::missing("hash", "digest"))?;
        let hash = record.digest_value(digest)?;
        let key = record.key.ok_or_else(|| refusal::missing("hash", "key"))?;
        Ok(Self {
            digest,
            key,
            salt: record.salt,
            hash,
        })
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        constant_time_eq(&self.compute(password), &self.hash)
    }

    pub(crate) fn canonical(&self) -> Canonical {
        let mut canonical = Canonical::new("hmac");
        canonical.open("hash");
        canonical.bytes(&self.hash);
        canonical.word("digest", self.digest.name());
        canonical.open("key");
        canonical.bytes(&self.key);
        canonical.close();
        canonical.close();
        canonical.salt(self.salt.as_ref());
        canonical
    }

    /// Puts zeros in the digest's place.
    pub(crate) fn forget(&mut self) {
        self.hash.fill(0);
    }
}

impl Fast for HmacHash {
    fn compute(&self, password: &[u8]) -> SecretBytes {
        let message = Salt::join(self.salt.as_ref(), password);
        self.digest.hmac(&self.key, &message)
    }

    fn digest(&self) -> &[u8] {
        &self.hash
    }
}
