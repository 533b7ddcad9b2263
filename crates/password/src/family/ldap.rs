//! RFC 2307 `userPassword`: `{SSHA}` and base64 of the digest, everything after it being the salt.
//!
//! Schemes MD5, SMD5, SHA, SHA256, SHA384, SHA512 and their salted forms, in any case. Refuses
//! `{CRYPT}` and every other scheme: each would be a family of its own.

use constant_time_eq::constant_time_eq;
use domain::RowError;
use zeroize::Zeroizing;

use crate::canonical::Canonical;
use crate::digest::Digest;
use crate::encoding::{SecretBytes, from_base64, to_base64};
use crate::record::VALUE;
use crate::refusal;
use crate::wrapped::Fast;

const PATTERN: &str = r"^\{(S?MD5|S?SHA(256|384|512)?)\}[A-Za-z0-9+/_-]+={0,2}$";

/// Scheme, digest, and whether a salt follows.
const SCHEMES: [(&str, Digest, bool); 10] = [
    ("MD5", Digest::Md5, false),
    ("SMD5", Digest::Md5, true),
    ("SHA", Digest::Sha1, false),
    ("SHA256", Digest::Sha256, false),
    ("SHA384", Digest::Sha384, false),
    ("SHA512", Digest::Sha512, false),
    ("SSHA", Digest::Sha1, true),
    ("SSHA256", Digest::Sha256, true),
    ("SSHA384", Digest::Sha384, true),
    ("SSHA512", Digest::Sha512, true),
];

pub(crate) struct LdapHash {
    scheme: &'static str,
    digest: Digest,
    /// The digest, then the salt.
    bytes: SecretBytes,
}

impl LdapHash {
    pub(crate) fn parse(text: &str) -> Result<Self, RowError> {
        let split = || {
            let (scheme, base64) = text.strip_prefix('{')?.split_once('}')?;
            let known = SCHEMES
                .into_iter()
                .find(|(name, ..)| name.eq_ignore_ascii_case(scheme))?;
            Some((known, Zeroizing::new(from_base64(base64)?)))
        };
        let ((scheme, digest, salted), bytes) =
            split().ok_or_else(|| refusal::pattern(VALUE, PATTERN))?;
        let size = digest.size();
        if bytes.len() == size || (salted && bytes.len() > size) {
            return Ok(Self {
                scheme,
                digest,
                bytes,
            });
        }
        let expected = u64::try_from(size).unwrap_or(u64::MAX);
        Err(refusal::length(VALUE, scheme, expected, bytes.len()))
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        constant_time_eq(&self.compute(password), self.digest())
    }

    pub(crate) fn canonical(&self) -> Canonical {
        let mut canonical = Canonical::new("ldap");
        let value = format!("{{{}}}{}", self.scheme, *to_base64(&self.bytes));
        canonical.text_hash(&Zeroizing::new(value));
        canonical
    }

    /// Puts zeros in the digest's place.
    pub(crate) fn forget(&mut self) {
        let size = self.digest.size();
        self.bytes.iter_mut().take(size).for_each(|byte| *byte = 0);
    }
}

impl Fast for LdapHash {
    fn compute(&self, password: &[u8]) -> SecretBytes {
        let salt = self.bytes.get(self.digest.size()..).unwrap_or_default();
        let message = Zeroizing::new([password, salt].concat());
        self.digest.hash(&message)
    }

    fn digest(&self) -> &[u8] {
        self.bytes.get(..self.digest.size()).unwrap_or_default()
    }
}
