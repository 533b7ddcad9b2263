//! bcrypt: `$2b$10$` and 53 letters of salt and digest.
//!
//! `$2a$`, `$2b$` and `$2y$` are one algorithm; `$2$` (the key without its closing zero byte)
//! comes through the `password_hash` field only, whose pattern lets it in. Refuses `$2x$`, whose
//! sign-extension bug makes other digests, and `$sha1$`.
//!
//! As in node's bcrypt since 5.0: the key is the first 72 bytes of the password and a closing zero
//! byte while there is room; a zero byte inside the password is a byte like any other (C
//! implementations stop there, PHP refuses it); the wrap-around of old `$2a$` at 255 bytes is not
//! imitated. The bits of salt and digest that their last letters do not use are ignored.

mod eksblowfish;
mod pi;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use constant_time_eq::constant_time_eq;
use domain::{RowError, RowErrorCode};
use zeroize::Zeroizing;

use crate::canonical::Canonical;
use crate::limits::{Limits, bounded};
use crate::record::{Record, Salt, VALUE};
use crate::{HashError, refusal};

/// The published check of `password_hash`.
const FIELD_PATTERN: &str = r"^\$2[ab]?\$10+\$[./A-Za-z0-9]{53}$";
/// Our check of a custom bcrypt string.
const PATTERN: &str = r"^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$";
/// Letters of salt, and of salt and digest together.
const SALT_LETTERS: usize = 22;
const LETTERS: usize = 53;
/// Bytes of password that the algorithm can take.
const LONGEST_KEY: usize = 72;
const SALT: usize = 16;
const DIGEST: usize = 23;

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::BCRYPT, CONFIG);

/// A bcrypt string, kept as its letters: an import writes millions and verifies few.
pub(crate) struct BcryptHash {
    /// `2`, `2a`, `2b` or `2y`.
    version: &'static str,
    cost: u8,
    letters: Zeroizing<[u8; LETTERS]>,
}

/// Version, cost and the letters, without judging the cost.
fn split(text: &str) -> Option<(&'static str, &str, [u8; LETTERS])> {
    let (version, rest) = text.strip_prefix('$')?.split_once('$')?;
    let version = ["2", "2a", "2b", "2y"]
        .into_iter()
        .find(|known| *known == version)?;
    let (cost, letters) = rest.split_once('$')?;
    let plain = letters
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"./".contains(&byte));
    let letters = letters.as_bytes().try_into().ok().filter(|_| plain)?;
    Some((version, cost, letters))
}

impl BcryptHash {
    /// The `password_hash` field. Its pattern allows `$100$` too, a cost that no bcrypt has.
    pub(crate) fn parse_field(text: &str) -> Result<Self, RowError> {
        let Some((version @ ("2" | "2a" | "2b"), "10", letters)) = split(text) else {
            let message = format!("String does not match pattern {FIELD_PATTERN}");
            return Err(RowError::new(
                RowErrorCode::Pattern,
                "password_hash",
                message,
            ));
        };
        Ok(Self {
            version,
            cost: 10,
            letters: Zeroizing::new(letters),
        })
    }

    /// A string of any cost within the limits.
    pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Self, RowError> {
        let read = || {
            let (version, cost, letters) = split(text)?;
            let digits = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
            let cost: u8 = cost
                .parse()
                .ok()
                .filter(|cost| digits && (4..=31).contains(cost))?;
            Some(Self {
                version,
                cost,
                letters: Zeroizing::new(letters),
            })
        };
        let hash = read().ok_or_else(|| refusal::pattern(VALUE, PATTERN))?;
        bounded(
            VALUE,
            "bcrypt cost",
            u64::from(hash.cost),
            limits.bcrypt_cost,
        )?;
        Ok(hash)
    }

    /// A new hash of our own.
    pub(crate) fn create(password: &[u8], salt: [u8; SALT], cost: u32) -> Result<Self, HashError> {
        let out_of_range = || HashError::Parameters("bcrypt cost".to_owned());
        let cost = u8::try_from(cost)
            .ok()
            .filter(|cost| (4..=31).contains(cost));
        let mut hash = Self {
            version: "2b",
            cost: cost.ok_or_else(out_of_range)?,
            letters: Zeroizing::new([0; LETTERS]),
        };
        let digest = hash.compute(salt, password);
        let (salt_letters, digest_letters) = hash.letters.split_at_mut(SALT_LETTERS);
        let written = BASE64
            .encode_slice(salt, salt_letters)
            .and_then(|_| BASE64.encode_slice(digest.as_slice(), digest_letters));
        written.map_err(|error| HashError::Failed(error.to_string()))?;
        Ok(hash)
    }

    fn compute(&self, salt: [u8; SALT], password: &[u8]) -> Zeroizing<[u8; DIGEST]> {
        let mut key = Zeroizing::new(Vec::with_capacity(LONGEST_KEY));
        key.extend(password.iter().copied().take(LONGEST_KEY));
        if key.len() < LONGEST_KEY && self.version != "2" {
            key.push(0);
        }
        let mut digest = Zeroizing::new([0; DIGEST]);
        // Only an empty `$2$` password has no key at all, and no bcrypt can hash it.
        if !key.is_empty() {
            let output = eksblowfish::digest(self.cost, &salt, &key);
            if let Some(kept) = output.first_chunk() {
                *digest = *kept;
            }
        }
        digest
    }

    /// Salt and digest as bytes; `None` cannot occur, the letters were checked.
    fn decode(&self) -> Option<([u8; SALT], Zeroizing<Vec<u8>>)> {
        let (salt, digest) = self.letters.split_at(SALT_LETTERS);
        let salt = BASE64.decode(salt).ok()?.try_into().ok()?;
        Some((salt, Zeroizing::new(BASE64.decode(digest).ok()?)))
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let hashable = self.version != "2" || !password.is_empty();
        self.decode().is_some_and(|(salt, digest)| {
            let same = constant_time_eq(self.compute(salt, password).as_slice(), &digest);
            hashable && same
        })
    }

    /// Whether our own scheme at this cost would make such a hash, the letter of its version
    /// aside.
    pub(crate) fn is_own(&self, cost: u32) -> bool {
        self.version != "2" && u32::from(self.cost) == cost
    }

    pub(crate) fn to_text(&self) -> String {
        let letters = std::str::from_utf8(self.letters.as_slice()).unwrap_or_default();
        format!("${}${:02}${letters}", self.version, self.cost)
    }
}

/// An imported bcrypt whose password was joined with another salt first (Devise's pepper). That
/// salt counts towards the 72 bytes.
pub(crate) struct SaltedBcrypt {
    hash: BcryptHash,
    salt: Option<Salt>,
}

impl SaltedBcrypt {
    pub(crate) fn read(record: Record, limits: &Limits) -> Result<Self, RowError> {
        let hash = BcryptHash::parse(record.text_value()?, limits)?;
        if hash.version == "2" {
            return Err(refusal::pattern(VALUE, PATTERN));
        }
        Ok(Self {
            hash,
            salt: record.salt,
        })
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        self.hash.verify(&Salt::join(self.salt.as_ref(), password))
    }

    pub(crate) fn canonical(&self) -> Canonical {
        let mut canonical = Canonical::new("bcrypt");
        canonical.text_hash(&Zeroizing::new(self.hash.to_text()));
        canonical.salt(self.salt.as_ref());
        canonical
    }
}
