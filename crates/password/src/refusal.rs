//! The sentences of refusal, in z-schema's words. Owns what may be echoed: names of algorithms,
//! encodings and members, short and plain; never a hash, a salt or a key.

use std::fmt::Display;

use domain::{RowError, RowErrorCode};

/// Longest name echoed. A digest in the wrong member is longer (MD5 in hex has 32 letters).
const LONGEST_NAME: usize = 28;

/// The name, when it looks like one.
fn plain(name: &str) -> Option<&str> {
    let fits = name.len() <= LONGEST_NAME
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    fits.then_some(name)
}

pub(crate) fn invalid_type(path: &str, expected: &str, found: &str) -> RowError {
    let message = format!("Expected type {expected} but found type {found}");
    RowError::new(RowErrorCode::InvalidType, path, message)
}

/// `path` is the object that lacks the member.
pub(crate) fn missing(path: &str, member: &str) -> RowError {
    let message = format!("Missing required property: {member}");
    RowError::new(RowErrorCode::ObjectMissingRequiredProperty, path, message)
}

/// `path` is the object that has the member.
pub(crate) fn unknown_member(path: &str, member: &str) -> RowError {
    let member = plain(member).unwrap_or("(not a plain name)");
    let message = format!("Additional properties not allowed: {member}");
    RowError::new(RowErrorCode::ObjectAdditionalProperties, path, message)
}

/// `path` is the object that has the member twice.
pub(crate) fn twice(path: &str, member: &str) -> RowError {
    let member = plain(member).unwrap_or("(not a plain name)");
    RowError::new(
        RowErrorCode::NotPassed,
        path,
        format!("Property given twice: {member}"),
    )
}

pub(crate) fn no_such_word(path: &str, word: &str) -> RowError {
    let word = plain(word).unwrap_or("(not a plain name)");
    RowError::new(
        RowErrorCode::EnumMismatch,
        path,
        format!("No enum match for: {word}"),
    )
}

pub(crate) fn unsupported(path: &str, word: &str, why: &str) -> RowError {
    let message = format!("No enum match for: {word} ({why})");
    RowError::new(RowErrorCode::EnumMismatch, path, message)
}

/// Stops after the pattern: the text is a secret.
pub(crate) fn pattern(path: &str, pattern: &str) -> RowError {
    let message = format!("String does not match pattern {pattern}");
    RowError::new(RowErrorCode::Pattern, path, message)
}

/// The right alphabet, and a length that can never verify.
pub(crate) fn length(path: &str, format: &str, expected: u64, found: usize) -> RowError {
    let message = format!(
        "Object didn't pass validation for format {format}: {expected} bytes expected, {found} found"
    );
    RowError::new(RowErrorCode::Format, path, message)
}

pub(crate) fn not_json() -> RowError {
    RowError::new(
        RowErrorCode::Format,
        "",
        "Object didn't pass validation for format json",
    )
}

pub(crate) fn forbidden(path: &str, why: &str) -> RowError {
    RowError::new(RowErrorCode::NotPassed, path, why)
}

pub(crate) fn maximum(path: &str, what: &str, value: u64, ceiling: u64) -> RowError {
    let message = format!("Value {value} is greater than maximum {ceiling} ({what})");
    RowError::new(RowErrorCode::Maximum, path, message)
}

pub(crate) fn minimum(path: &str, what: &str, value: impl Display, floor: u64) -> RowError {
    let message = format!("Value {value} is less than minimum {floor} ({what})");
    RowError::new(RowErrorCode::Minimum, path, message)
}
