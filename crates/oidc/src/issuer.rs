//! The server's own name. Tokens carry it byte for byte, so there is one spelling: with a slash at
//! the end, as Auth0 has it.

use std::fmt;

/// An issuer identifier: `https://host/`, without query or fragment (OpenID Connect Discovery §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

/// The text cannot name an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an issuer is an http or https URL without query and fragment")]
pub struct NotAnIssuer;

impl Issuer {
    /// Reads a URL and adds the slash at its end when it lacks.
    ///
    /// Plain `http` is let through for development; the server's configuration decides on it.
    pub fn parse(text: &str) -> Result<Self, NotAnIssuer> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(NotAnIssuer)?;
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '?' && c != '#';
        if rest.is_empty() || rest.starts_with('/') || !rest.chars().all(is_plain) {
            return Err(NotAnIssuer);
        }
        let slash = if rest.ends_with('/') { "" } else { "/" };
        Ok(Self(format!("{text}{slash}")))
    }

    /// The identifier with its slash, as the `iss` claim holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A URL under the issuer; `path` comes without a slash in front.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The host, with its port if one is named.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// The audience of access tokens that the userinfo endpoint takes.
    pub fn userinfo_audience(&self) -> String {
        self.join("userinfo")
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
