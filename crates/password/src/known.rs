//! A hash that says itself what it is: the `password_hash` member of an import row.
//!
//! Kept as it came, behind `known:`, until the first successful login. Owns which spellings are our
//! own already: bcrypt and argon2id are what the store writes itself, and are kept without a mark.

use domain::RowError;
use zeroize::Zeroizing;

use crate::Kind;
use crate::family::argon2::Argon2Hash;
use crate::family::bcrypt::BcryptHash;
use crate::foreign::{
    Check, LONGEST_PASSWORD, UnreadableHash, blanked, is_nobody, known_name, recognise,
};
use crate::limits::Limits;
use crate::refusal;

/// What a stored hash of a known format begins with.
pub(crate) const KNOWN_PREFIX: &str = "known:";

/// The published check of `password_hash`: the refusal of a text that nobody recognises.
const FIELD_PATTERN: &str = r"^\$2[ab]?\$10+\$[./A-Za-z0-9]{53}$";

pub(crate) struct Known {
    text: Zeroizing<String>,
    check: Box<dyn Check>,
}

impl Known {
    pub(crate) fn read(text: &str, limits: &Limits) -> Result<Self, UnreadableHash> {
        Ok(Self {
            check: recognise(text, limits)?,
            text: Zeroizing::new(text.to_owned()),
        })
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        password.len() <= LONGEST_PASSWORD && self.check.verify(password)
    }

    pub(crate) fn to_text(&self) -> String {
        format!("{KNOWN_PREFIX}{}", *self.text)
    }

    /// The format's own name.
    pub(crate) fn name(&self) -> &'static str {
        known_name(&self.text)
    }

    /// Whether it can be put under a slow hash.
    pub(crate) fn is_fast(&self) -> bool {
        let fast = self.check.fast();
        fast.is_some_and(|fast| blanked(&self.text, fast.digest()).is_some())
    }
}

/// Reads the member; `None` is an account without a password. Paths are the member's own.
pub(crate) fn read_field(text: &str, limits: &Limits) -> Result<Option<Kind>, RowError> {
    const MEMBER: &str = "password_hash";
    let here = |refused: RowError| RowError {
        path: MEMBER.to_owned(),
        ..refused
    };
    if let Ok(hash) = BcryptHash::parse_field(text) {
        return Ok(Some(Kind::Bcrypt(hash)));
    }
    if is_nobody(text) {
        return Ok(None);
    }
    if text.is_empty() || text.contains('\0') {
        return Err(refusal::pattern(MEMBER, FIELD_PATTERN));
    }
    read(text, limits).map(Some).map_err(|refused| {
        if refused.is_unrecognised() {
            refusal::pattern(MEMBER, FIELD_PATTERN)
        } else {
            here(refused.into_row_error())
        }
    })
}

/// Reads a text that names its format.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Kind, UnreadableHash> {
    if text.starts_with("$argon2id$") {
        return Ok(Kind::Argon2(Argon2Hash::parse(text, limits)?));
    }
    if text.starts_with("$2a$") || text.starts_with("$2b$") || text.starts_with("$2y$") {
        return Ok(Kind::Bcrypt(BcryptHash::parse(text, limits)?));
    }
    let known = Known::read(text, limits)?;
    Ok(Kind::Known(Box::new(known)))
}
