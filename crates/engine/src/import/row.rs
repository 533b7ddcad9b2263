//! From the bytes of one element to a user about to be written, or to every fault that it has.
//!
//! Two ways lead there. The first reads borrowed text straight into the members and takes rows
//! that fit, nearly all of them. Whatever it hesitates at goes the second way: the whole row as
//! JSON, checked against the table of `user_schema`, which alone decides and explains. A property
//! test holds the two together.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use domain::metadata::RESERVED_APP_METADATA;
use domain::schema::is_uri;
use domain::{Entropy, ForeignId, HashText, MfaFactor, RowError, RowErrorCode as Code};
use domain::{email, mfa_factor, username};
use password::{Owner, PasswordHash};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer};
use serde_json::value::RawValue;
use store::import::ImportRow;

use super::json_shape::{self, Members, Name};
use super::user_schema::{self, RowLimits};

/// Reads rows.
pub(super) struct RowReader {
    limits: RowLimits,
    ids: Ids,
}

impl RowReader {
    pub fn new(limits: RowLimits, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            limits,
            ids: Ids::new(entropy),
        }
    }

    /// Reads the element that begins at `offset`. Its number is the caller's to set.
    pub fn read(&mut self, raw: &Bytes, offset: i64) -> Result<ImportRow, Vec<RowError>> {
        let text = std::str::from_utf8(raw).map_err(|error| {
            let place = at(offset, error.valid_up_to());
            vec![not_json(place, "invalid UTF-8")]
        })?;
        let mut row = match read_plain(text, &self.limits) {
            Some(row) => row,
            None => read_with_care(text, offset, &self.limits)?,
        };
        row.offset = offset;
        row.raw = raw.clone();
        if row.foreign_id.is_empty() {
            row.foreign_id = self.ids.next();
            row.is_id_generated = true;
        }
        Ok(row)
    }
}

/// The members of a row as they stand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'a> {
    #[serde(borrow)]
    email: Text<'a>,
    #[serde(default, deserialize_with = "given")]
    email_verified: Option<bool>,
    #[serde(borrow, default, deserialize_with = "given")]
    phone_number: Option<Text<'a>>,
    #[serde(default, deserialize_with = "given")]
    phone_verified: Option<bool>,
    #[serde(borrow, default, deserialize_with = "given")]
    user_id: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    username: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    given_name: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    family_name: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    name: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    nickname: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    picture: Option<Text<'a>>,
    #[serde(default, deserialize_with = "given")]
    blocked: Option<bool>,
    #[serde(borrow, default, deserialize_with = "given")]
    password_hash: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    custom_password_hash: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    user_metadata: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    app_metadata: Option<&'a RawValue>,
}

/// Text that is borrowed when it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Name.deserialize(json).map(Self)
    }
}

impl Text<'_> {
    fn as_str(&self) -> &str {
        &self.0
    }

    fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

/// `null` is a value here, and a wrong one: a plain `Option` would take it for absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(json: D) -> Result<Option<T>, D::Error> {
    T::deserialize(json).map(Some)
}

/// The first way: `None` says "look with care", not "wrong".
fn read_plain(text: &str, limits: &RowLimits) -> Option<ImportRow> {
    let row: Plain<'_> = serde_json::from_str(text).ok()?;
    let is_length =
        |text: &Option<Text<'_>>, most| text.as_ref().is_none_or(|text| is_short(&text.0, most));
    let passes = |text: &Option<Text<'_>>, test: fn(&str) -> bool| {
        text.as_ref().is_none_or(|text| test(&text.0))
    };
    let is_clean = |raw: Option<&RawValue>, forbidden: &[&str]| {
        raw.is_none_or(|raw| is_clean_metadata(raw.get(), forbidden, limits))
    };
    let fits = email::is_well_formed(&row.email.0)
        && passes(&row.phone_number, username::is_phone_number)
        && passes(&row.username, username::is_well_formed)
        && passes(&row.user_id, user_schema::is_user_id)
        && passes(&row.picture, is_uri)
        && is_length(&row.given_name, user_schema::GIVEN_NAME)
        && is_length(&row.family_name, user_schema::FAMILY_NAME)
        && is_length(&row.name, user_schema::NAME)
        && is_length(&row.nickname, user_schema::NICKNAME)
        && is_clean(row.user_metadata, &[])
        && is_clean(row.app_metadata, RESERVED_APP_METADATA)
        && (row.password_hash.is_none() || row.custom_password_hash.is_none());
    if !fits {
        return None;
    }
    let person = user_schema::owner(
        row.username.as_ref().map(Text::as_str),
        Some(row.email.as_str()),
        row.user_id.as_ref().map(Text::as_str),
    );
    let field = row.password_hash.as_ref().map(Text::as_str);
    let custom = row.custom_password_hash.map(RawValue::get);
    let password = read_hash(field, custom, &person, limits).ok()?;
    let owned = |text: Option<Text<'_>>| text.map(Text::into_owned);
    let raw = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
    Some(ImportRow {
        foreign_id: row.user_id.map_or_else(String::new, |id| unprefixed(&id.0)),
        email: email::fold(&row.email.0),
        email_verified: row.email_verified,
        username: row.username.map(|name| email::fold(&name.0)),
        phone_number: owned(row.phone_number),
        phone_verified: row.phone_verified,
        name: owned(row.name),
        nickname: owned(row.nickname),
        given_name: owned(row.given_name),
        family_name: owned(row.family_name),
        picture: owned(row.picture),
        blocked: row.blocked,
        user_metadata: raw(row.user_metadata),
        app_metadata: raw(row.app_metadata),
        password,
        is_custom_hash: row.custom_password_hash.is_some(),
        ..ImportRow::default()
    })
}

/// Whether the second way makes the same of every row that the first one takes.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn takes_alike(text: &str, limits: &RowLimits) -> bool {
    let shown = |row: &ImportRow| {
        let hash = row.password.as_ref().map(HashText::expose);
        format!("{row:?} {hash:?}")
    };
    let Some(plain) = read_plain(text, limits) else {
        return true;
    };
    read_with_care(text, 0, limits).is_ok_and(|careful| shown(&plain) == shown(&careful))
}

/// Between 1 and `most` characters, and none of them U+0000, which PostgreSQL does not keep.
fn is_short(text: &str, most: usize) -> bool {
    !text.is_empty()
        && (text.len() <= most || text.chars().count() <= most)
        && !text.as_bytes().contains(&0)
}

fn is_clean_metadata(text: &str, forbidden: &[&str], limits: &RowLimits) -> bool {
    text.len() <= limits.metadata
        && json_shape::read(text, forbidden).is_ok_and(|shape| shape.is_clean_object())
}

fn unprefixed(id: &str) -> String {
    ForeignId::unprefixed(id).as_str().to_owned()
}

/// The second way: decides, and says why not.
fn read_with_care(text: &str, offset: i64, limits: &RowLimits) -> Result<ImportRow, Vec<RowError>> {
    let broken = |error: serde_json::Error| {
        let place = at(offset, byte_of(text, &error));
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        vec![not_json(place, reason)]
    };
    let value: serde_json::Value = serde_json::from_str(text).map_err(broken)?;
    let serde_json::Value::Object(row) = &value else {
        let found = domain::schema::type_of(&value);
        let message = format!("Expected type object but found type {found}");
        return Err(vec![RowError::new(Code::ObjectRequired, "", message)]);
    };
    let members = Members::read(text).map_err(broken)?;
    let errors = user_schema::check(row, &members, limits);
    if !errors.is_empty() {
        return Err(errors);
    }
    build(row, &members, limits).map_err(|error| vec![error])
}

/// The row, which is known to fit.
fn build(
    row: &domain::Json,
    members: &Members<'_>,
    limits: &RowLimits,
) -> Result<ImportRow, RowError> {
    let text = |name: &str| row.get(name).and_then(serde_json::Value::as_str);
    let owned = |name: &str| text(name).map(str::to_owned);
    let flag = |name: &str| row.get(name).and_then(serde_json::Value::as_bool);
    let raw = |name: &str| members.get(name).map(str::to_owned);
    let custom = members.get("custom_password_hash");
    let person = user_schema::owner(text("username"), text("email"), text("user_id"));
    let factors = row
        .get("mfa_factors")
        .map(mfa_factor::parse_all)
        .transpose()?;
    Ok(ImportRow {
        foreign_id: text("user_id").map_or_else(String::new, unprefixed),
        email: email::fold(text("email").unwrap_or_default()),
        email_verified: flag("email_verified"),
        username: text("username").map(email::fold),
        phone_number: owned("phone_number"),
        phone_verified: flag("phone_verified"),
        name: owned("name"),
        nickname: owned("nickname"),
        given_name: owned("given_name"),
        family_name: owned("family_name"),
        picture: owned("picture"),
        blocked: flag("blocked"),
        user_metadata: raw("user_metadata"),
        app_metadata: raw("app_metadata"),
        password: read_hash(text("password_hash"), custom, &person, limits)?,
        is_custom_hash: custom.is_some(),
        factors: factors
            .unwrap_or_default()
            .into_iter()
            .map(folded)
            .collect(),
        ..ImportRow::default()
    })
}

/// The text to store; `None` when the account has no password.
fn read_hash(
    field: Option<&str>,
    custom: Option<&str>,
    owner: &Owner<'_>,
    limits: &RowLimits,
) -> Result<Option<HashText>, RowError> {
    let hash = match (field, custom) {
        (Some(text), _) => PasswordHash::from_field(text, &limits.hash)?,
        (None, Some(text)) => {
            let context = limits.hashing.context(*owner);
            Some(PasswordHash::from_import(text, &context, &limits.hash)?)
        }
        (None, None) => None,
    };
    Ok(hash.as_ref().map(PasswordHash::to_stored))
}

/// Addresses are lower case in our own store, those of factors too.
fn folded(factor: MfaFactor) -> MfaFactor {
    match factor {
        MfaFactor::Email(address) => MfaFactor::Email(email::fold(&address)),
        other => other,
    }
}

fn not_json(place: i64, reason: &str) -> RowError {
    let message = format!("Object didn't pass validation for format json: byte {place}: {reason}");
    RowError::new(Code::Format, "", message)
}

/// A place in the row as a place in the file.
fn at(offset: i64, place: usize) -> i64 {
    offset.saturating_add(i64::try_from(place).unwrap_or(i64::MAX))
}

/// Where in the text the error is: `serde_json` counts lines and columns, both from 1.
fn byte_of(text: &str, error: &serde_json::Error) -> usize {
    let lines = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1)
}

/// Ids for rows that bring none: 24 hexadecimal digits, their randomness drawn by the block.
struct Ids {
    entropy: Arc<dyn Entropy>,
    drawn: Bytes,
}

const ID_BYTES: usize = 12;

impl Ids {
    fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            entropy,
            drawn: Bytes::new(),
        }
    }

    fn next(&mut self) -> String {
        if self.drawn.is_empty() {
            let mut block = vec![0; ID_BYTES * 64];
            self.entropy.fill(&mut block);
            self.drawn = block.into();
        }
        hex::encode(self.drawn.split_to(ID_BYTES))
    }
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
