//! One round of a hash function over the password, with a salt on either side or none: `md4`,
//! `md5`, `sha1`, `sha256`, `sha512`. Refuses a hash that has not the digest's length.

use constant_time_eq::constant_time_eq;
use domain::RowError;

use crate::canonical::Canonical;
use crate::digest::Digest;
use crate::encoding::SecretBytes;
use crate::record::{Record, Salt};

pub(crate) struct PlainHash {
    digest: Digest,
    salt: Option<Salt>,
    hash: SecretBytes,
}

impl PlainHash {
    pub(crate) fn read(record: Record, digest: Digest) -> Result<Self, RowError> {
        let hash = record.digest_value(digest)?;
        Ok(Self {
            digest,
            salt: record.salt,
            hash,
        })
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let message = Salt::join(self.salt.as_ref(), password);
        constant_time_eq(&self.digest.hash(&message), &self.hash)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.digest.name()
    }

    pub(crate) fn canonical(&self) -> Canonical {
        let mut canonical = Canonical::new(self.digest.name());
        canonical.binary_hash(&self.hash);
        canonical.salt(self.salt.as_ref());
        canonical
    }
}
