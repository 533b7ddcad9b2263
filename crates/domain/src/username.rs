//! Usernames: the documented letters, lower-cased, and never an e-mail address in disguise.

use crate::email;

/// Longest username of the wire.
pub const MAX_LENGTH: usize = 128;

/// A username as it is stored: lower case.
#[derive(Clone, Debug)]
pub struct Username {
    text: String,
    typed: String,
}

/// The pattern that [`is_well_formed`] checks, as messages print it.
pub const PATTERN: &str = r"^[A-Za-z0-9@`^$!\-#.+'~_]{1,128}$";

impl Username {
    /// Reads and folds a username; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        is_well_formed(text).then(|| Self::folded(text))
    }

    /// A username as a legacy store spells it: any text, folded. Stores that we do not own keep
    /// names of other letters, and a person must still get in.
    pub fn foreign(text: &str) -> Option<Self> {
        let is_plain = !text.is_empty()
            && text.chars().count() <= MAX_LENGTH
            && !text.chars().any(char::is_control);
        is_plain.then(|| Self::folded(text))
    }

    fn folded(text: &str) -> Self {
        Self {
            text: email::fold(text),
            typed: text.to_owned(),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text as it was read: a store that we do not own may tell letter case apart.
    pub fn as_typed(&self) -> &str {
        &self.typed
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Username {}

impl serde::Serialize for Username {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Whether the text may be a username of our own store.
pub fn is_well_formed(text: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"@`^$!-#.+'~_".contains(&b);
    !text.is_empty()
        && text.len() <= MAX_LENGTH
        && text.bytes().all(is_letter)
        && !email::is_well_formed(text)
}

/// Whether the text is a phone number in the wire's form, `^\+[0-9]{1,15}$`.
pub fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The pattern of [`is_phone_number`], as messages print it.
pub const PHONE_PATTERN: &str = r"^\+[0-9]{1,15}$";
