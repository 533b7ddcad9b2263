//! The record of one user in an import file (wire section 1.4): a closed table, and the rules that
//! a table can't say. Names every fault of a row; never repeats a secret.
//!
//! Lengths of `name` and `nickname` are the wider of the two that Auth0 publishes. A username may
//! come to any connection, whether or not it requires one: an export has usernames of users that
//! never signed in with them.

use domain::metadata::RESERVED_APP_METADATA;
use domain::schema::{self, Field, Kind, optional, required};
use domain::username::{self, PHONE_PATTERN, is_phone_number};
use domain::{Json, RowError, RowErrorCode as Code, mfa_factor};
use password::{Owner, PasswordHash};

use super::json_shape::{self, Members};
use crate::recipes::HashingThere;

/// Any text: `check_hashes` reads it.
const PASSWORD_HASH: Kind = Kind::Text(0, usize::MAX);

/// Every member of a row.
pub(super) const USER: &[Field] = &[
    required("email", Kind::Email),
    optional("email_verified", Kind::Boolean),
    optional(
        "phone_number",
        Kind::Pattern(PHONE_PATTERN, is_phone_number),
    ),
    optional("phone_verified", Kind::Boolean),
    optional("user_id", Kind::Pattern(USER_ID_PATTERN, is_user_id)),
    optional(
        "username",
        Kind::Pattern(username::PATTERN, username::is_well_formed),
    ),
    optional("given_name", Kind::Text(1, GIVEN_NAME)),
    optional("family_name", Kind::Text(1, FAMILY_NAME)),
    optional("name", Kind::Text(1, NAME)),
    optional("nickname", Kind::Text(1, NICKNAME)),
    optional("picture", Kind::Uri),
    optional("blocked", Kind::Boolean),
    optional("password_hash", PASSWORD_HASH),
    optional("custom_password_hash", Kind::FreeObject),
    optional("user_metadata", Kind::FreeObject),
    optional("app_metadata", Kind::FreeObject),
    optional(
        "mfa_factors",
        Kind::Array(&Kind::Object(mfa_factor::SHAPE), 1, 10),
    ),
];

pub(super) const GIVEN_NAME: usize = 150;
pub(super) const FAMILY_NAME: usize = 150;
pub(super) const NAME: usize = 300;
pub(super) const NICKNAME: usize = 350;

/// Faults that a row's report lists; a row of a thousand unknown members needs no more.
const MOST_FAULTS: usize = 50;

const USER_ID_PATTERN: &str = r"^(auth0\|)?[^\x00-\x1f\x7f]{1,255}$";

/// Whether the text may be an id inside the provider, with or without its prefix.
pub(super) fn is_user_id(text: &str) -> bool {
    let id = text.strip_prefix("auth0|").unwrap_or(text);
    let is_short = id.len() <= 255 || id.chars().count() <= 255;
    !id.is_empty() && is_short && !id.bytes().any(|byte| byte.is_ascii_control())
}

/// What an operator allows.
#[derive(Clone, Debug)]
pub(super) struct RowLimits {
    /// Bytes of `user_metadata` and of `app_metadata`, each.
    pub metadata: usize,
    /// Ceilings of imported hashes.
    pub hash: password::Limits,
    /// What the connection says of hashes.
    pub hashing: HashingThere,
}

/// Every way in which a row does not fit; empty when it does.
pub(super) fn check(row: &Json, members: &Members<'_>, limits: &RowLimits) -> Vec<RowError> {
    let mut errors = schema::check(row, USER);
    for name in members.twice() {
        let message = format!("Property given twice: {name}");
        errors.push(RowError::new(Code::NotPassed, name, message));
    }
    errors.extend(check_metadata("user_metadata", members, &[], limits));
    errors.extend(check_metadata(
        "app_metadata",
        members,
        RESERVED_APP_METADATA,
        limits,
    ));
    errors.extend(check_hashes(row, members, limits));
    if !errors
        .iter()
        .any(|error| error.path.starts_with("mfa_factors"))
    {
        let factors = row.get("mfa_factors").map(mfa_factor::parse_all);
        errors.extend(factors.and_then(Result::err));
    }
    errors.truncate(MOST_FAULTS);
    errors
}

fn check_metadata(
    name: &str,
    members: &Members<'_>,
    forbidden: &[&str],
    limits: &RowLimits,
) -> Vec<RowError> {
    let Some(text) = members.get(name) else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    if text.len() > limits.metadata {
        let (found, most) = (text.len(), limits.metadata);
        let message = format!("{name} has {found} bytes, more than the {most} allowed");
        errors.push(RowError::new(Code::ProfileSizeExceeded, name, message));
    }
    let Ok(shape) = json_shape::read(text, forbidden) else {
        return errors;
    };
    if !shape.is_object {
        return errors;
    }
    errors.extend(shape.forbidden.iter().map(|member| {
        let message = format!("Property not allowed in {name}: {member}");
        RowError::new(Code::NotPassed, format!("{name}.{member}"), message)
    }));
    if let Some(member) = shape.twice {
        let message = format!("Property given twice: {member}");
        errors.push(RowError::new(Code::NotPassed, name, message));
    }
    if shape.is_too_deep {
        let most = domain::metadata::MAX_DEPTH;
        let message = format!("{name} nests deeper than {most} levels");
        errors.push(RowError::new(Code::NotPassed, name, message));
    }
    errors
}

/// Who a row is about, as a hash may need it: exactly as the row has it.
pub(super) fn owner<'a>(
    username: Option<&'a str>,
    email: Option<&'a str>,
    user_id: Option<&'a str>,
) -> Owner<'a> {
    Owner {
        username,
        email,
        user_id: user_id.map(|id| id.strip_prefix("auth0|").unwrap_or(id)),
    }
}

fn check_hashes(row: &Json, members: &Members<'_>, limits: &RowLimits) -> Vec<RowError> {
    let mut errors = Vec::new();
    let custom = row.get("custom_password_hash");
    if row.contains_key("password_hash") && custom.is_some() {
        let message = "Forbidden attribute in appUser: password_hash and custom_password_hash \
                       exclude each other";
        errors.push(RowError::new(
            Code::NotPassed,
            "custom_password_hash",
            message,
        ));
    }
    let field = row.get("password_hash").and_then(serde_json::Value::as_str);
    if let Some(text) = field.filter(|text| !text.contains('\0')) {
        errors.extend(PasswordHash::from_field(text, &limits.hash).err());
    }
    if custom.is_some_and(serde_json::Value::is_object) {
        let text = members.get("custom_password_hash").unwrap_or_default();
        let name = |member: &str| row.get(member).and_then(serde_json::Value::as_str);
        let person = owner(name("username"), name("email"), name("user_id"));
        let context = limits.hashing.context(person);
        let refused = PasswordHash::from_import(text, &context, &limits.hash).err();
        errors.extend(refused.map(|error| error.under("custom_password_hash")));
    }
    errors
}
