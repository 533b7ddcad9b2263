//! An e-mail address: its text as shown, and the key by which two addresses are the same.
//!
//! Letter case never tells two people apart. The key is folded here, in Rust, so that both
//! databases compare the very same bytes; SQL never folds case.

use std::fmt;

/// The longest address that the wire accepts, in characters.
pub const MAX_LENGTH: usize = 254;
const MAX_LOCAL: usize = 64;

/// A well-formed address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    text: String,
}

/// The text is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NotAnEmail;

impl EmailAddress {
    /// Reads an address and keeps its letter case, as stores that we do not own spell it.
    pub fn parse(text: &str) -> Result<Self, NotAnEmail> {
        if is_well_formed(text) {
            Ok(Self {
                text: text.to_owned(),
            })
        } else {
            Err(NotAnEmail)
        }
    }

    /// Reads an address for our own store, which keeps addresses in lower case.
    pub fn parse_folded(text: &str) -> Result<Self, NotAnEmail> {
        Self::parse(text).map(Self::folded)
    }

    /// The same address in lower case.
    #[must_use]
    pub fn folded(self) -> Self {
        Self {
            text: fold(&self.text),
        }
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What two spellings of one address share.
    pub fn key(&self) -> String {
        fold(&self.text)
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.text
            .rsplit_once('@')
            .map_or(self.text.as_str(), |(local, _)| local)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for EmailAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Lower case by Unicode's simple rules: the one letter case rule of the whole product.
pub fn fold(text: &str) -> String {
    if text
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase())
    {
        text.to_owned()
    } else {
        text.to_lowercase()
    }
}

/// The documented check: local part ≤ 64, whole ≤ 254, a dotted domain, no spaces or controls.
pub fn is_well_formed(text: &str) -> bool {
    if text.len() > MAX_LENGTH && text.chars().count() > MAX_LENGTH {
        return false;
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    is_local_part(local) && is_domain(domain)
}

fn is_local_part(local: &str) -> bool {
    let is_allowed = |c: char| {
        c.is_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(c)
            || (!c.is_ascii() && !c.is_control())
    };
    !local.is_empty()
        && local.chars().count() <= MAX_LOCAL
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| is_allowed(c) && !c.is_whitespace())
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63 * 4
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_addresses_from_other_text() {
        for good in [
            "a@b.co",
            "MiXed.Case+tag@Example.com",
            "дмитрий@пример.рф",
            "o'neil@x.org",
        ] {
            assert!(is_well_formed(good), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "", "a", "a@", "@b.co", "a@b", "a b@c.de", "a@b..c", "a@-b.c", "a\0@b.co", &long,
        ] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn letter_case_does_not_tell_two_people_apart() {
        let one = EmailAddress::parse("MiXed@Example.com").unwrap();
        assert_eq!(
            one.key(),
            EmailAddress::parse("mixed@example.COM").unwrap().key()
        );
        assert_eq!(one.as_str(), "MiXed@Example.com");
    }
}
