//! A `custom_password_hash` whose `algorithm` is one of our own names, beyond the eleven documented
//! ones: the same object with a few members more.
//!
//! Owns the object's shape and its stored spelling. What each name means, and which members it
//! takes, is `foreign`'s. What a hash needs to know of its user is frozen here: names change.

use domain::RowError;
use zeroize::Zeroizing;

use crate::Owner;
use crate::canonical::Canonical;
use crate::encoding::{SecretBytes, TextEncoding};
use crate::foreign::{Check, ForeignOptions, LONGEST_PASSWORD, blanked, is_blank, known_name};
use crate::json::ClosedObject;
use crate::limits::Limits;
use crate::record::{read_key, read_password, read_salt};
use crate::refusal;
use crate::wrapped::Fast;

/// The members of such an object.
pub(crate) const MEMBERS: [&str; 10] = [
    "algorithm",
    "hash",
    "salt",
    "password",
    "iterations",
    "cost",
    "blockSize",
    "parallelization",
    "username",
    "prehash",
];

pub(crate) struct Named {
    algorithm: Zeroizing<String>,
    value: Zeroizing<String>,
    options: ForeignOptions,
    check: Box<dyn Check>,
}

impl Named {
    pub(crate) fn read(
        mut object: ClosedObject,
        owner: &Owner<'_>,
        limits: &Limits,
    ) -> Result<Self, RowError> {
        let algorithm = object.required_text("algorithm")?;
        let mut hash = object
            .object("hash", "hash", &["value", "encoding", "key"])?
            .ok_or_else(|| refusal::missing("", "hash"))?;
        let mut options = ForeignOptions::named(&algorithm)?;
        if let Some(encoding) = read_password(&mut object)? {
            options.password_encoding = encoding;
        }
        options.salt = read_salt(&mut object)?;
        options.key = read_key(&mut hash)?;
        options.encoding = hash.word("encoding", TextEncoding::parse)?;
        options.iterations = object.positive("iterations")?;
        options.cost = object.positive("cost")?;
        options.block_size = object.positive("blockSize")?;
        options.parallelization = object.positive("parallelization")?;
        options.read_prehash(&mut object)?;
        options.username = object.text("username")?;
        if options.username.is_none() && options.needs_username() {
            let name = owner.username.or(owner.email);
            options.username = name.map(|name| Zeroizing::new(name.to_owned()));
        }
        let value = hash.required_text("value")?;
        let check = options.read(&value, limits)?;
        Ok(Self {
            algorithm,
            value,
            options,
            check,
        })
    }

    pub(crate) fn verify(&self, password: &str) -> bool {
        password.len() <= LONGEST_PASSWORD
            && self
                .check
                .verify(&self.options.password_encoding.encode(password))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.options.family() {
            "known" => known_name(&self.value),
            family => family,
        }
    }

    /// The check taken apart, where it is fast.
    pub(crate) fn fast(&self) -> Option<&dyn Fast> {
        self.check.fast()
    }

    /// Whether it can be put under a slow hash.
    pub(crate) fn is_fast(&self) -> bool {
        let fast = self.check.fast();
        fast.is_some_and(|fast| blanked(&self.value, fast.digest()).is_some())
    }

    /// The digest of a password, where it is fast and the password is not too long.
    pub(crate) fn compute(&self, password: &str) -> Option<SecretBytes> {
        let fast = self.check.fast()?;
        let fits = password.len() <= LONGEST_PASSWORD;
        fits.then(|| fast.compute(&self.options.password_encoding.encode(password)))
    }

    /// Puts zeros in the digest's place, once it is proven that what is left makes the same of a
    /// password as before.
    pub(crate) fn forget(&mut self) -> bool {
        const PROBE: &[u8] = b"a probe";
        let proven = || {
            let before = self.check.fast()?;
            let blank = blanked(&self.value, before.digest())?;
            let check = self.options.read(&blank, &Limits::NONE).ok()?;
            let after = check.fast()?;
            let is_same = after.compute(PROBE) == before.compute(PROBE);
            (is_same && is_blank(after.digest())).then_some((blank, check))
        };
        let Some((blank, check)) = proven() else {
            return false;
        };
        self.value = blank;
        self.check = check;
        true
    }

    /// The stored text, prefix included.
    pub(crate) fn to_text(&self) -> String {
        let options = &self.options;
        let mut canonical = Canonical::new(&self.algorithm);
        canonical.open("hash");
        canonical.text("value", &self.value);
        if let Some(encoding) = options.encoding {
            canonical.word("encoding", encoding.name());
        }
        if let Some(key) = &options.key {
            canonical.open("key");
            canonical.bytes(key);
            canonical.close();
        }
        canonical.close();
        canonical.salt(options.salt.as_ref());
        let numbers = [
            ("iterations", options.iterations),
            ("cost", options.cost),
            ("blockSize", options.block_size),
            ("parallelization", options.parallelization),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                canonical.number(name, number);
            }
        }
        if let Some(username) = &options.username {
            canonical.text("username", username);
        }
        if let Some(prehash) = &options.prehash_name {
            canonical.word("prehash", prehash);
        }
        canonical.finish(options.password_encoding)
    }
}

impl From<crate::foreign::UnreadableHash> for RowError {
    fn from(refused: crate::foreign::UnreadableHash) -> Self {
        refused.into_row_error()
    }
}
