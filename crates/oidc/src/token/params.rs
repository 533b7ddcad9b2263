//! The parameters of a request, from a form or from a JSON object, before anyone trusts them.
//!
//! No parameter stands twice but `resource`, which may (RFC 8707 §2) and is not read; an empty one is
//! as good as absent (both RFC 6749 §3.2), and so is a JSON `null`: Auth0's own Python SDK sends `"realm": null` for what its caller left out. A value
//! that is not text is refused only when its parameter is asked for.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::OAuthError;

/// Where a token shall be of use; it may stand more than once.
pub(crate) const RESOURCE: &str = "resource";

/// Parameters by name. Values are wiped when dropped: one of them is a password.
pub struct Params(BTreeMap<String, Given>);

enum Given {
    Text(Zeroizing<String>),
    Null,
    Other,
    /// More than once; [`Params::from_query`] lets that in, others for `resource` alone.
    Twice,
}

impl Params {
    /// From the pairs of a form.
    pub fn from_pairs<I>(pairs: I) -> Result<Self, OAuthError>
    where
        I: IntoIterator<Item = (String, String)>,
    {
        Self::collect(
            pairs
                .into_iter()
                .map(|(name, text)| (name, Given::Text(text.into()))),
        )
    }

    /// From the pairs of a query or form whose refusal may have to go to a redirect URI: a parameter
    /// that stands twice is refused when it is taken, or by who asks for [`Params::duplicate`].
    pub fn from_query<I>(pairs: I) -> Self
    where
        I: IntoIterator<Item = (String, String)>,
    {
        let mut params = BTreeMap::new();
        for (name, text) in pairs {
            params
                .entry(name)
                .and_modify(|given| *given = Given::Twice)
                .or_insert_with(|| Given::Text(text.into()));
        }
        Self(params)
    }

    /// The first parameter that stands twice.
    pub(crate) fn duplicate(&self) -> Option<&str> {
        let is_twice = |given: &Given| matches!(given, Given::Twice);
        self.0
            .iter()
            .find(|(_, given)| is_twice(given))
            .map(|(name, _)| name.as_str())
    }

    /// Whether a parameter was sent at all, without a value too.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a parameter stands twice.
    pub(crate) fn stands_twice(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Given::Twice))
    }

    /// Drops a parameter that is not read.
    pub(crate) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// A parameter's text, left where it is. Nothing is said of one that [`Params::take`] refuses.
    pub(crate) fn peek(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Given::Text(text) if !text.is_empty() && !text.contains('\0') => Some(text.as_str()),
            _ => None,
        }
    }

    /// From a JSON body, which must be an object.
    pub fn from_json(body: &[u8]) -> Result<Self, OAuthError> {
        let members: Members = serde_json::from_slice(body).map_err(|error| {
            // The error's own text may quote the body, and with it a password.
            let (kind, line, column) = (error.classify(), error.line(), error.column());
            OAuthError::invalid_request("The body is not a JSON object.")
                .with_detail(format!("{kind:?} error at line {line}, column {column}"))
        })?;
        Self::collect(members.0.into_iter().map(|(name, value)| {
            let given = match value {
                Value::String(text) => Given::Text(text.into()),
                Value::Null => Given::Null,
                _ => Given::Other,
            };
            (name, given)
        }))
    }

    fn collect(members: impl Iterator<Item = (String, Given)>) -> Result<Self, OAuthError> {
        let mut params = BTreeMap::new();
        for (name, given) in members {
            let is_first = !params.contains_key(&name);
            if !is_first && name != RESOURCE {
                return Err(OAuthError::duplicate_parameter(&name));
            }
            params.insert(name, if is_first { given } else { Given::Twice });
        }
        Ok(Self(params))
    }

    /// Takes a parameter out; `None` when it is absent or empty.
    ///
    /// U+0000 is refused everywhere: no database keeps it in text, and some hashes end at it.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, OAuthError> {
        match self.0.remove(name) {
            Some(Given::Text(text)) if text.contains('\0') => Err(OAuthError::invalid_request(
                format!("Invalid character in parameter: {name}"),
            )),
            Some(Given::Text(mut text)) if !text.is_empty() => Ok(Some(std::mem::take(&mut *text))),
            Some(Given::Twice) => Err(OAuthError::duplicate_parameter(name)),
            Some(Given::Other) => Err(OAuthError::invalid_request(format!(
                "Parameter must be a string: {name}"
            ))),
            Some(Given::Text(_) | Given::Null) | None => Ok(None),
        }
    }

    /// Takes a parameter out that must be there.
    pub(crate) fn require(&mut self, name: &str) -> Result<String, OAuthError> {
        self.take(name)?
            .ok_or_else(|| OAuthError::missing_parameter(name))
    }
}

impl Params {
    /// The client that they name, left where it is.
    pub fn client_id(&self) -> Option<&str> {
        self.peek("client_id")
    }

    /// All that is left, by name; empty ones are left out.
    pub(crate) fn into_pairs(mut self) -> Result<Vec<(String, String)>, OAuthError> {
        let names: Vec<String> = self.0.keys().cloned().collect();
        let mut pairs = Vec::with_capacity(names.len());
        for name in names {
            if let Some(text) = self.take(&name)? {
                pairs.push((name, text));
            }
        }
        Ok(pairs)
    }
}

/// Names only.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params ")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The members of a JSON object in order, twice the same name included: a map would swallow the
/// first.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
