//! The one place where a legacy store's claims become ours.
//!
//! A script's reply is loose JSON. [`Profile::normalise`] turns it into typed attributes or names
//! the member that does not fit. Members that we do not know are kept as root attributes: a lost
//! attribute is our failure.

use serde_json::Value;

use crate::conflict::Arriving;
use crate::email::EmailAddress;
use crate::id::ForeignId;
use crate::metadata::{Json, is_shallow};
use crate::mfa_factor::{self, MfaFactor};
use crate::schema;
use crate::user::Attributes;
use crate::username::Username;

/// A normalised legacy profile.
#[derive(Debug)]
pub struct Profile {
    /// The immutable id in the legacy store, without the `auth0|` prefix.
    pub foreign_id: ForeignId,
    /// Everything else.
    pub attributes: Attributes,
    /// Whether the address is proven; absent when the store does not say.
    pub email_verified: Option<bool>,
    /// Second factors that come along.
    pub factors: Vec<MfaFactor>,
}

/// A reply that cannot become a user. Private detail for the tenant log; holds no values.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the script's profile does not fit: {member}: {problem}")]
pub struct ProfileError {
    /// The member at fault.
    pub member: String,
    /// What is wrong with it.
    pub problem: String,
}

fn fault(member: &str, problem: impl Into<String>) -> ProfileError {
    ProfileError {
        member: member.to_owned(),
        problem: problem.into(),
    }
}

/// How addresses of a store are spelled (wire section 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailCase {
    /// Our own store: lower case.
    Folded,
    /// A store that stays the authority: as it spells them.
    AsGiven,
}

impl Profile {
    /// What a merge sees of it.
    pub const fn arriving(&self) -> Arriving<'_> {
        Arriving {
            attributes: &self.attributes,
            email_verified: self.email_verified,
        }
    }

    /// Reads a script's reply.
    pub fn normalise(mut raw: Json, case: EmailCase) -> Result<Self, ProfileError> {
        if raw.values().any(|value| !is_shallow(value)) {
            return Err(fault("profile", "nested too deeply"));
        }
        let foreign_id = take_user_id(&mut raw)?;
        let email = take_email(&mut raw, case)?;
        let username = take_username(&mut raw)?;
        if email.is_none() && username.is_none() {
            return Err(fault("email", "missing"));
        }
        let factors = take_factors(&mut raw)?;
        let email_verified = take_flag(&mut raw, "email_verified")?;
        let attributes = Attributes {
            email,
            username,
            email_verified: email_verified.unwrap_or(false),
            phone_number: take_text(&mut raw, "phone_number")?,
            phone_verified: take_flag(&mut raw, "phone_verified")?,
            name: take_text(&mut raw, "name")?,
            nickname: take_text(&mut raw, "nickname")?,
            given_name: take_text(&mut raw, "given_name")?,
            family_name: take_text(&mut raw, "family_name")?,
            picture: take_text(&mut raw, "picture")?,
            blocked: take_flag(&mut raw, "blocked")?,
            user_metadata: take_object(&mut raw, "user_metadata")?,
            app_metadata: take_app_metadata(&mut raw)?,
            extra: take_extra(raw),
        };
        Ok(Self {
            foreign_id,
            attributes,
            email_verified,
            factors,
        })
    }
}

fn take(raw: &mut Json, member: &str) -> Option<Value> {
    raw.shift_remove(member).filter(|value| !value.is_null())
}

/// Text, or a number that a store keeps where text is meant.
fn take_text(raw: &mut Json, member: &str) -> Result<Option<String>, ProfileError> {
    match take(raw, member) {
        None => Ok(None),
        Some(Value::String(text)) if text.contains('\0') => {
            Err(fault(member, "contains the character U+0000"))
        }
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(fault(
            member,
            format!("expected string, found {}", schema::type_of(&other)),
        )),
    }
}

/// A boolean, or the 0 and 1 that some databases give for one.
fn take_flag(raw: &mut Json, member: &str) -> Result<Option<bool>, ProfileError> {
    match take(raw, member) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(flag)),
        Some(Value::Number(number)) if number.as_i64() == Some(0) => Ok(Some(false)),
        Some(Value::Number(number)) if number.as_i64() == Some(1) => Ok(Some(true)),
        Some(other) => Err(fault(
            member,
            format!("expected boolean, found {}", schema::type_of(&other)),
        )),
    }
}

fn take_object(raw: &mut Json, member: &str) -> Result<Option<Json>, ProfileError> {
    match take(raw, member) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(other) => Err(fault(
            member,
            format!("expected object, found {}", schema::type_of(&other)),
        )),
    }
}

/// `app_metadata`, or `metadata` as older scripts call it.
fn take_app_metadata(raw: &mut Json) -> Result<Option<Json>, ProfileError> {
    match take_object(raw, "app_metadata")? {
        Some(object) => Ok(Some(object)),
        None if raw.get("metadata").is_some_and(Value::is_object) => take_object(raw, "metadata"),
        None => Ok(None),
    }
}

fn take_user_id(raw: &mut Json) -> Result<ForeignId, ProfileError> {
    let Some(text) = take_text(raw, "user_id")? else {
        return Err(fault("user_id", "missing"));
    };
    let is_plain = text.chars().count() <= 255 && !text.chars().any(char::is_control);
    if is_plain {
        Ok(ForeignId::unprefixed(&text))
    } else {
        Err(fault(
            "user_id",
            "longer than 255 or with control characters",
        ))
    }
}

fn take_email(raw: &mut Json, case: EmailCase) -> Result<Option<EmailAddress>, ProfileError> {
    let Some(text) = take_text(raw, "email")? else {
        return Ok(None);
    };
    let parsed = match case {
        EmailCase::Folded => EmailAddress::parse_folded(&text),
        EmailCase::AsGiven => EmailAddress::parse(&text),
    };
    parsed
        .map(Some)
        .map_err(|_| fault("email", "not an e-mail address"))
}

fn take_username(raw: &mut Json) -> Result<Option<Username>, ProfileError> {
    let Some(text) = take_text(raw, "username")? else {
        return Ok(None);
    };
    Username::foreign(&text)
        .map(Some)
        .ok_or_else(|| fault("username", "longer than 128 or with control characters"))
}

fn take_factors(raw: &mut Json) -> Result<Vec<MfaFactor>, ProfileError> {
    let Some(value) = take(raw, "mfa_factors") else {
        return Ok(Vec::new());
    };
    let shape = [schema::optional(
        "mfa_factors",
        schema::Kind::Array(&schema::Kind::Object(mfa_factor::SHAPE), 0, 10),
    )];
    let wrapped = Json::from_iter([("mfa_factors".to_owned(), value)]);
    if let Some(error) = schema::check(&wrapped, &shape).into_iter().next() {
        return Err(fault(&error.path, error.message));
    }
    let value = wrapped.get("mfa_factors").unwrap_or(&Value::Null);
    mfa_factor::parse_all(value).map_err(|error| fault(&error.path, error.message))
}

/// Members of ours that a script must not set, and provider tokens that identities would hold.
const NOT_EXTRA: &[&str] = &[
    "identities",
    "created_at",
    "updated_at",
    "last_login",
    "last_ip",
    "logins_count",
    "last_password_reset",
    "multifactor",
    "password",
    "password_hash",
    "custom_password_hash",
    "access_token",
    "refresh_token",
];

fn take_extra(raw: Json) -> Json {
    raw.into_iter()
        .filter(|(name, value)| !value.is_null() && !NOT_EXTRA.contains(&name.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn normalise(raw: Value) -> Result<Profile, ProfileError> {
        Profile::normalise(raw.as_object().unwrap().clone(), EmailCase::Folded)
    }

    #[test]
    fn keeps_what_it_does_not_know_and_folds_what_it_does() {
        let profile = normalise(json!({
            "user_id": 42, "email": "MiXed@Example.com", "email_verified": 1, "blocked": 0,
            "metadata": {"plan": "pro"}, "department": "R&D", "picture": null, "password": "x",
        }))
        .unwrap();
        assert_eq!(profile.foreign_id.user_id().as_str(), "auth0|42");
        let attributes = profile.attributes;
        assert_eq!(attributes.email.unwrap().as_str(), "mixed@example.com");
        assert!(attributes.email_verified);
        assert_eq!(attributes.blocked, Some(false));
        assert_eq!(
            Value::Object(attributes.app_metadata.unwrap()),
            json!({"plan": "pro"})
        );
        assert_eq!(
            Value::Object(attributes.extra),
            json!({"department": "R&D"})
        );
    }

    #[test]
    fn names_the_member_at_fault() {
        let member = |raw| normalise(raw).unwrap_err().member;
        assert_eq!(member(json!({"email": "a@b.co"})), "user_id");
        assert_eq!(member(json!({"user_id": "1"})), "email");
        assert_eq!(member(json!({"user_id": "1", "email": "nope"})), "email");
        assert_eq!(
            member(json!({"user_id": "1", "email": "a@b.co", "email_verified": "yes"})),
            "email_verified"
        );
        let factors = json!([{"totp": {"secret": "lower"}}]);
        assert_eq!(
            member(json!({"user_id": "1", "email": "a@b.co", "mfa_factors": factors})),
            "mfa_factors[0].totp.secret"
        );
    }
}
