//! What we know of a provider: from its discovery document (OpenID Connect Discovery §3), from the
//! operator's own words, or from both. The operator's words win.

use std::fmt;

use serde_json::{Map, Value};

use crate::authorize::uri::Uri;

/// Where a discovery document stands under its issuer.
pub const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Which addresses of a provider are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// `https` only.
    Https,
    /// Plain `http` to this very machine too: for development.
    Loopback,
}

impl Reach {
    /// A server that is itself reached by plain http on its own machine is under development.
    pub fn of(issuer: &crate::Issuer) -> Self {
        match Uri::parse(issuer.as_str()) {
            Some(uri) if uri.scheme == "http" && is_here(&uri) => Self::Loopback,
            _ => Self::Https,
        }
    }
}

fn is_here(uri: &Uri<'_>) -> bool {
    uri.authority
        .is_some_and(|place| place.is_loopback() || place.host.eq_ignore_ascii_case("localhost"))
}

/// An address of a provider that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Reads an address: absolute, without a user, without a fragment, of a scheme that is taken.
    pub fn parse(text: &str, reach: Reach) -> Option<Self> {
        let uri = Uri::parse(text)?;
        let is_taken = match uri.scheme {
            "https" => true,
            "http" => reach == Reach::Loopback && is_here(&uri),
            _ => false,
        };
        is_taken.then(|| Self(text.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A member that is missing or does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {problem}")]
pub struct ProviderError {
    /// Its name.
    pub member: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name: what `iss` must be, letter by letter.
    pub issuer: String,
    /// Where the browser is sent.
    pub authorization_endpoint: Endpoint,
    /// Where codes are exchanged.
    pub token_endpoint: Option<Endpoint>,
    /// Where more can be learnt of a person.
    pub userinfo_endpoint: Option<Endpoint>,
    /// Its keys.
    pub jwks_uri: Endpoint,
    /// Whether each of its answers names it (RFC 9207).
    pub names_itself: bool,
    /// Methods of code challenges, where it says which.
    pub challenge_methods: Option<Vec<String>>,
    /// How clients prove themselves, where it says how.
    pub client_proofs: Option<Vec<String>>,
}

/// TABLE: members that an operator may give instead of, or beside, a discovery document.
pub const GIVEN: &[&str] = &[
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
];

impl Provider {
    /// Reads a document over which the operator's members were laid.
    pub fn read(document: &Map<String, Value>, reach: Reach) -> Result<Self, ProviderError> {
        let endpoint = |member: &'static str| match document.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => match Endpoint::parse(text, reach) {
                Some(endpoint) => Ok(Some(endpoint)),
                None => Err(wrong(member, "must be an https URL")),
            },
            Some(_) => Err(wrong(member, "must be a text")),
        };
        let needed = |member| endpoint(member)?.ok_or_else(|| wrong(member, "is missing"));
        let issuer = document.get("issuer").and_then(Value::as_str);
        let issuer = issuer.filter(|issuer| !issuer.is_empty() && issuer.len() <= 2048);
        let texts = |member: &str| {
            let list = document.get(member)?.as_array()?;
            let texts = list.iter().filter_map(Value::as_str);
            Some(texts.map(str::to_owned).collect())
        };
        Ok(Self {
            issuer: issuer
                .ok_or_else(|| wrong("issuer", "is missing"))?
                .to_owned(),
            authorization_endpoint: needed("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            userinfo_endpoint: endpoint("userinfo_endpoint")?,
            jwks_uri: needed("jwks_uri")?,
            names_itself: document.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
            challenge_methods: texts("code_challenge_methods_supported"),
            client_proofs: texts("token_endpoint_auth_methods_supported"),
        })
    }
}

/// Sees whether a discovery document is that of the issuer under which it stands (OpenID Connect
/// Discovery §4.3): else anybody's document could speak for anybody.
pub fn check_place(discovery_url: &str, issuer: &str) -> Result<(), ProviderError> {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    if discovery_url.strip_suffix(WELL_KNOWN) == Some(issuer) {
        Ok(())
    } else {
        Err(wrong(
            "issuer",
            "is not the one that the document belongs to",
        ))
    }
}

const fn wrong(member: &'static str, problem: &'static str) -> ProviderError {
    ProviderError { member, problem }
}
