//! Sets of scopes. Order is kept because people read it, and no scope stands twice.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::OAuthError;

/// Asks for an ID token.
pub const OPENID: &str = "openid";
/// Asks for names and picture.
pub const PROFILE: &str = "profile";
/// Asks for the e-mail address.
pub const EMAIL: &str = "email";
/// Asks for the phone number.
pub const PHONE: &str = "phone";

/// An ordered set of scope tokens (RFC 6749 §3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// The text holds a character that no scope may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is made of printable ASCII characters without quote and backslash")]
pub struct InvalidScope;

impl From<InvalidScope> for OAuthError {
    fn from(_: InvalidScope) -> Self {
        Self::invalid_scope("The scope contains a character that is not allowed.")
    }
}

impl Scopes {
    /// Reads scopes separated by spaces. More than one space in a row separates like one: clients
    /// join lists that have empty elements.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let mut scopes = Self::default();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            if !token.bytes().all(is_scope_letter) {
                return Err(InvalidScope);
            }
            scopes.insert(token);
        }
        Ok(scopes)
    }

    /// The `scope` claim of a token that was verified; empty when there is none.
    pub fn of_claims(claims: &Map<String, Value>) -> Self {
        let claim = claims.get("scope").and_then(Value::as_str);
        claim
            .and_then(|text| Self::parse(text).ok())
            .unwrap_or_default()
    }

    /// Adds a scope at the end unless it is there.
    fn insert(&mut self, token: &str) {
        if !self.contains(token) {
            self.0.push(token.to_owned());
        }
    }

    /// Whether a scope is in the set. Letter case counts (RFC 6749 §3.3).
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|scope| scope == token)
    }

    /// What both sets hold, in the order of this one.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|scope| other.contains(scope))
                .cloned()
                .collect(),
        )
    }

    /// Whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Takes the tokens as they are and drops those that are no scopes: lists that were stored have
/// been checked before.
impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(tokens: I) -> Self {
        let mut scopes = Self::default();
        let is_scope = |token: &&str| !token.is_empty() && token.bytes().all(is_scope_letter);
        tokens
            .into_iter()
            .filter(is_scope)
            .for_each(|token| scopes.insert(token));
        scopes
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// Text split by spaces, as on the wire.
impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// NQCHAR of RFC 6749, appendix A.
fn is_scope_letter(byte: u8) -> bool {
    byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte)
}
