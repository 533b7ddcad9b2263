//! Reading the members of a body whose shape was checked.

use domain::schema::{self, Field};
use domain::{Json, RowError, RowErrorCode};
use serde_json::Value;

use crate::error::{Error, Result};

/// Refuses a body that does not fit; names the first fault.
pub(crate) fn check_shape(body: &Json, shape: &[Field]) -> Result<()> {
    match schema::check(body, shape).first() {
        None => Ok(()),
        Some(fault) => Err(Error::payload(fault)),
    }
}

/// A member that does not fit for a reason beyond its shape.
pub(crate) fn misfit(path: &str, message: impl Into<String>) -> Error {
    Error::payload(&RowError::new(RowErrorCode::NotPassed, path, message))
}

/// A member of which not every value can be honoured, and the test for those that can.
pub(crate) type Supported = (&'static str, fn(&Value) -> bool);

/// Refuses members whose value would be kept without effect, and let more through than was asked
/// for.
pub(crate) fn check_supported(body: &Json, members: &[Supported]) -> Result<()> {
    for (name, is_supported) in members {
        if let Some(value) = body.get(*name).filter(|value| !is_supported(value)) {
            let what = match value {
                Value::Object(_) | Value::Array(_) => String::new(),
                scalar => format!(": {scalar}"),
            };
            return Err(misfit(name, format!("Not supported by this server{what}")));
        }
    }
    Ok(())
}

/// Texts of an array.
pub(crate) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Takes out a text.
pub(crate) fn take_text(body: &mut Json, name: &str) -> Option<String> {
    match body.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Takes out an object.
pub(crate) fn take_object(body: &mut Json, name: &str) -> Option<Json> {
    match body.shift_remove(name) {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// Sets the members that are given; a `null` takes one away.
pub(crate) fn set_members(stored: &mut Json, given: &Json) {
    for (name, value) in given {
        if value.is_null() {
            stored.shift_remove(name);
        } else {
            stored.insert(name.clone(), value.clone());
        }
    }
}

/// The first text that comes twice.
pub(crate) fn repeated(texts: &[String]) -> Option<&String> {
    texts
        .iter()
        .enumerate()
        .find(|(index, text)| texts.iter().take(*index).any(|earlier| earlier == *text))
        .map(|(_, text)| text)
}

/// What is wrong with an array that names something twice.
pub(crate) fn not_unique(text: &str) -> String {
    format!("Array items are not unique: {text}")
}
