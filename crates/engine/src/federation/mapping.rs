//! From a provider's claims to what we keep of a person (`options.attribute_map`).
//!
//! `basic_profile` takes OpenID Connect's standard claims. `bind_all`, the default, keeps every other
//! claim as a root attribute too. `use_map` takes nothing but what the operator names, by templates
//! such as `${context.tokenset.email}` and `${context.userinfo.groups}`.
//!
//! An address counts as proven only where the same document says so that names the address.

use domain::metadata::is_shallow;
use domain::{Attributes, EmailAddress, Json, Username};
use serde_json::Value;

use crate::body::misfit;
use crate::error::Result;

/// Longest text of a name or a picture's address, in characters.
const LONGEST_TEXT: usize = 1024;

/// Most that all other root attributes may hold, in bytes of JSON.
const MOST_EXTRA: usize = 32 << 10;

/// TABLE: claims that speak of the token and not of the person.
const OF_THE_TOKEN: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "nonce",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "auth_time",
    "acr",
    "amr",
    "sid",
    "updated_at",
    "cnf",
    "typ",
];

/// TABLE: root members that are ours alone.
const OURS: &[&str] = &[
    "_id",
    "access_token",
    "app_metadata",
    "blocked",
    "created_at",
    "ferry",
    "identities",
    "last_ip",
    "last_login",
    "last_password_reset",
    "logins_count",
    "metadata",
    "multifactor",
    "password",
    "password_hash",
    "refresh_token",
    "updated_at",
    "user_id",
    "user_metadata",
];

/// TABLE: claims that have a place of their own.
const PLACED: &[&str] = &[
    "email",
    "email_verified",
    "username",
    "phone_number",
    "phone_number_verified",
    "phone_verified",
    "name",
    "nickname",
    "given_name",
    "family_name",
    "picture",
];

/// What a provider said of a person.
pub(crate) struct Said {
    /// In the ID token.
    pub id_token: Json,
    /// At the userinfo endpoint.
    pub userinfo: Option<Json>,
}

/// How claims become attributes.
#[derive(Debug)]
pub(crate) enum Mapping {
    /// Standard claims.
    Standard,
    /// Standard claims, and all others as they are.
    All,
    /// What is named.
    Named(Vec<(String, Template)>),
}

impl Mapping {
    /// Reads `attribute_map`.
    pub(super) fn read(map: Option<&Json>) -> Result<Self> {
        let text = |name: &str| map?.get(name)?.as_str();
        let attributes = map.and_then(|map| map.get("attributes"));
        let attributes = attributes.and_then(Value::as_object);
        match text("mapping_mode") {
            Some("basic_profile") => Ok(Self::Standard),
            Some("use_map") => {
                let named = attributes.filter(|attributes| !attributes.is_empty());
                let named = named.ok_or_else(|| {
                    misfit("options.attribute_map.attributes", "Needed with use_map")
                })?;
                let read = |(name, value): (&String, &Value)| -> Result<(String, Template)> {
                    Ok((name.clone(), template(name, value)?))
                };
                named
                    .iter()
                    .map(read)
                    .collect::<Result<_>>()
                    .map(Self::Named)
            }
            _ => Ok(Self::All),
        }
    }

    /// What we keep of a person.
    pub(crate) fn apply(&self, said: &Said) -> Attributes {
        let (claims, is_proven) = match self {
            Self::Named(templates) => {
                let claims = named(templates, said);
                let is_proven = claims.get("email_verified").is_some_and(is_true);
                (claims, is_proven)
            }
            Self::Standard | Self::All => {
                let mut claims = said.userinfo.clone().unwrap_or_default();
                claims.extend(said.id_token.clone());
                let is_proven = is_address_proven(said, claims.get("email"));
                (claims, is_proven)
            }
        };
        let text = |name: &str| take_text(claims.get(name)?);
        let email = text("email").and_then(|text| EmailAddress::parse_folded(&text).ok());
        let is_proven = is_proven && email.is_some();
        let phone_verified = claims.get("phone_number_verified");
        Attributes {
            email_verified: is_proven,
            email,
            username: text("username").and_then(|text| Username::foreign(&text)),
            phone_number: text("phone_number"),
            phone_verified: phone_verified.map(is_true),
            name: text("name"),
            nickname: text("nickname"),
            given_name: text("given_name"),
            family_name: text("family_name"),
            picture: text("picture"),
            extra: match self {
                Self::Standard => Json::new(),
                Self::All | Self::Named(_) => others(&claims),
            },
            ..Attributes::default()
        }
    }
}

fn is_true(value: &Value) -> bool {
    // Some providers write it as text.
    value == &Value::Bool(true) || value == "true"
}

/// Whether a document that names this very address says that it was proven.
fn is_address_proven(said: &Said, email: Option<&Value>) -> bool {
    let documents = [Some(&said.id_token), said.userinfo.as_ref()];
    documents.into_iter().flatten().any(|document| {
        email.is_some()
            && document.get("email") == email
            && document.get("email_verified").is_some_and(is_true)
    })
}

fn take_text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_fit = !text.is_empty() && !text.contains('\0') && text.chars().count() <= LONGEST_TEXT;
    is_fit.then(|| text.to_owned())
}

/// Claims without a place of their own. What is too much is left out whole: half of it would look
/// like all of it.
fn others(claims: &Json) -> Json {
    let is_kept = |name: &str, value: &Value| {
        let is_taken = [OF_THE_TOKEN, OURS, PLACED]
            .iter()
            .any(|table| table.contains(&name));
        !is_taken && !value.is_null() && !name.contains('\0') && is_shallow(value)
    };
    let extra: Json = claims
        .iter()
        .filter(|(name, value)| is_kept(name, value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let size = serde_json::to_vec(&extra).map_or(usize::MAX, |bytes| bytes.len());
    if size <= MOST_EXTRA {
        return extra;
    }
    tracing::warn!(size, "a provider says too much of a person to be kept");
    Json::new()
}

fn named(templates: &[(String, Template)], said: &Said) -> Json {
    let value = |(name, template): &(String, Template)| Some((name.clone(), template.fill(said)?));
    templates.iter().filter_map(value).collect()
}

/// Text with places for claims.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Claim(Document, Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Document {
    IdToken,
    Userinfo,
}

fn template(name: &str, value: &Value) -> Result<Template> {
    let path = format!("options.attribute_map.attributes.{name}");
    if OURS.contains(&name) {
        return Err(misfit(&path, "This attribute can't come from a provider"));
    }
    let parsed = value.as_str().and_then(Template::parse);
    parsed.ok_or_else(|| {
        let text = "Expected text with ${context.tokenset.CLAIM} or ${context.userinfo.CLAIM}";
        misfit(&path, text)
    })
}

impl Template {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (place, after) = after.split_once('}')?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let place = place.trim().strip_prefix("context.")?;
            let (document, claim) = place.split_once('.')?;
            let document = match document {
                "tokenset" => Document::IdToken,
                "userinfo" => Document::Userinfo,
                _ => return None,
            };
            let claim: Vec<String> = claim.split('.').map(str::to_owned).collect();
            if claim.iter().any(String::is_empty) {
                return None;
            }
            parts.push(Part::Claim(document, claim));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Some(Self(parts))
    }

    /// A lone claim keeps its type; in a text every claim must be there.
    fn fill(&self, said: &Said) -> Option<Value> {
        if let [Part::Claim(document, claim)] = self.0.as_slice() {
            return find(said, *document, claim).cloned();
        }
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Claim(document, claim) => match find(said, *document, claim)? {
                    Value::String(part) => text.push_str(part),
                    Value::Null => return None,
                    other => text.push_str(&other.to_string()),
                },
            }
        }
        Some(text.into())
    }
}

/// A claim by its path. A claim's name may itself hold dots: the whole is tried first.
fn find<'a>(said: &'a Said, document: Document, claim: &[String]) -> Option<&'a Value> {
    let document = match document {
        Document::IdToken => &said.id_token,
        Document::Userinfo => said.userinfo.as_ref()?,
    };
    if let Some(whole) = document.get(&claim.join(".")) {
        return Some(whole);
    }
    let (first, rest) = claim.split_first()?;
    rest.iter()
        .try_fold(document.get(first)?, |value, name| value.get(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Json {
        value.as_object().unwrap().clone()
    }

    fn said(id_token: Value, userinfo: Value) -> Said {
        Said {
            id_token: object(id_token),
            userinfo: userinfo.as_object().cloned(),
        }
    }

    fn mapping(map: Value) -> Mapping {
        Mapping::read(map.as_object()).unwrap()
    }

    #[test]
    fn claims_find_their_places() {
        let said = said(
            json!({"iss": "x", "sub": "1", "exp": 1, "name": "Ann", "user_id": "auth0|2",
                "app_metadata": {"admin": true}, "blocked": true, "email": "Ann@Example.com"}),
            json!({"sub": "1", "email": "Ann@Example.com", "email_verified": true, "name": "Other",
                "groups": ["a"], "phone_number": "+49", "phone_number_verified": false}),
        );
        let all = mapping(Value::Null).apply(&said);
        assert_eq!(all.email.as_ref().unwrap().as_str(), "ann@example.com");
        assert!(all.email_verified);
        assert_eq!(all.name.as_deref(), Some("Ann"));
        assert_eq!(all.phone_verified, Some(false));
        assert_eq!(Value::Object(all.extra), json!({"groups": ["a"]}));
        assert_eq!((all.blocked, all.app_metadata), (None, None));
        let basic = mapping(json!({"mapping_mode": "basic_profile"})).apply(&said);
        assert!(basic.extra.is_empty() && basic.email_verified);
    }

    #[test]
    fn one_document_does_not_prove_the_address_of_another() {
        for (id_token, userinfo, expected) in [
            (
                json!({"email": "a@x.org"}),
                json!({"email": "b@x.org", "email_verified": true}),
                false,
            ),
            (
                json!({"email": "a@x.org"}),
                json!({"email_verified": true}),
                false,
            ),
            (
                json!({"email": "a@x.org"}),
                json!({"email": "a@x.org", "email_verified": "true"}),
                true,
            ),
            (
                json!({"email": "a@x.org", "email_verified": 1}),
                Value::Null,
                false,
            ),
            (
                json!({"email": "nobody", "email_verified": true}),
                Value::Null,
                false,
            ),
            (json!({"email_verified": true}), Value::Null, false),
        ] {
            let proven = Mapping::All
                .apply(&said(id_token.clone(), userinfo))
                .email_verified;
            assert_eq!(proven, expected, "{id_token}");
        }
    }

    #[test]
    fn templates_take_what_they_name_and_no_more() {
        let mapping = mapping(json!({"mapping_mode": "use_map", "attributes": {
            "name": "${context.tokenset.given_name} ${context.tokenset.family_name}",
            "email": "${context.tokenset.upn}",
            "groups": "${context.userinfo.realm.groups}",
            "role": "${context.tokenset.https://x.example/role}",
            "nickname": "${context.tokenset.nothing}!",
        }}));
        let attributes = mapping.apply(&said(
            json!({"given_name": "Ann", "family_name": "Lee", "upn": "ann@x.org", "picture": "p",
                "email": "other@x.org", "email_verified": true, "https://x.example/role": "boss"}),
            json!({"realm": {"groups": [1, 2]}}),
        ));
        assert_eq!(attributes.name.as_deref(), Some("Ann Lee"));
        assert_eq!(attributes.email.unwrap().as_str(), "ann@x.org");
        assert!(!attributes.email_verified);
        assert_eq!((attributes.picture, attributes.nickname), (None, None));
        assert_eq!(
            Value::Object(attributes.extra),
            json!({"groups": [1, 2], "role": "boss"})
        );
    }

    #[test]
    fn a_flood_of_claims_is_not_kept() {
        let claims = json!({"name": "Ann", "flood": "x".repeat(MOST_EXTRA)});
        let attributes = Mapping::All.apply(&said(claims, Value::Null));
        assert!(attributes.extra.is_empty());
        assert_eq!(attributes.name.as_deref(), Some("Ann"));
    }
}
