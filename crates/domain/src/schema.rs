//! Shapes of JSON bodies as tables, and the check that names what does not fit.
//!
//! The wire's validation messages are z-schema's; this module speaks them. A shape is a constant
//! table, so that a newcomer reads which members exist, and an unknown member is never swallowed.

use serde_json::{Map, Value};

use crate::row_error::{RowError, RowErrorCode as Code};

/// What a member may hold.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Anything at all.
    Any,
    /// `true` or `false`.
    Boolean,
    /// A whole number between the two, both included.
    Integer(i64, i64),
    /// Text with so many characters at least and at most.
    Text(usize, usize),
    /// Text that passes a named test: the name of its pattern, and the test.
    Pattern(&'static str, fn(&str) -> bool),
    /// The same for a secret: a message never repeats the text.
    SecretPattern(&'static str, fn(&str) -> bool),
    /// Text that is an e-mail address.
    Email,
    /// Text that is an absolute URI.
    Uri,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// An object whose members are free.
    FreeObject,
    /// An object of this shape and nothing else.
    Object(&'static [Field]),
    /// An object whose values all are of this kind.
    MapOf(&'static Kind),
    /// An array of so many elements, each of this kind.
    Array(&'static Kind, usize, usize),
    /// This kind or `null`.
    Nullable(&'static Kind),
}

/// One member of an object.
#[derive(Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
}

/// A member that may be left out.
pub const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

/// A member that must be there.
pub const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

/// Every way in which an object does not fit its shape; empty when it fits.
pub fn check(object: &Map<String, Value>, shape: &[Field]) -> Vec<RowError> {
    let mut errors = Vec::new();
    check_object(object, shape, "", &mut errors);
    errors
}

fn check_object(object: &Map<String, Value>, shape: &[Field], path: &str, out: &mut Vec<RowError>) {
    for field in shape
        .iter()
        .filter(|field| field.required && !object.contains_key(field.name))
    {
        let message = format!("Missing required property: {}", field.name);
        out.push(RowError::new(
            Code::ObjectMissingRequiredProperty,
            join(path, field.name),
            message,
        ));
    }
    for (name, value) in object {
        match shape.iter().find(|field| field.name == name) {
            Some(field) => check_value(value, &field.kind, &join(path, name), out),
            None => out.push(RowError::new(
                Code::ObjectAdditionalProperties,
                join(path, name),
                format!("Additional properties not allowed: {name}"),
            )),
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn check_value(value: &Value, kind: &Kind, path: &str, out: &mut Vec<RowError>) {
    match (kind, value) {
        (Kind::Any, _)
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::FreeObject, Value::Object(_))
        | (Kind::Nullable(_), Value::Null) => {}
        (Kind::Nullable(inner), _) => check_value(value, inner, path, out),
        (Kind::Integer(low, high), Value::Number(number)) => {
            out.extend(check_integer(number, *low, *high, path));
        }
        (Kind::Object(shape), Value::Object(object)) => check_object(object, shape, path, out),
        (Kind::MapOf(inner), Value::Object(object)) => {
            for (name, value) in object {
                check_value(value, inner, &join(path, name), out);
            }
        }
        (Kind::Array(inner, low, high), Value::Array(elements)) => {
            out.extend(check_length(elements.len(), *low, *high, path));
            for (index, element) in elements.iter().enumerate() {
                check_value(element, inner, &format!("{path}[{index}]"), out);
            }
        }
        (
            Kind::Text(..)
            | Kind::Pattern(..)
            | Kind::SecretPattern(..)
            | Kind::Email
            | Kind::Uri
            | Kind::Enum(_),
            Value::String(text),
        ) => out.extend(check_text(text, kind, path)),
        _ => {
            let message = format!(
                "Expected type {} but found type {}",
                expected(kind),
                type_of(value)
            );
            out.push(RowError::new(Code::InvalidType, path, message));
        }
    }
}

fn check_integer(number: &serde_json::Number, low: i64, high: i64, path: &str) -> Option<RowError> {
    let Some(whole) = number.as_i64() else {
        let message = "Expected type integer but found type number";
        return Some(RowError::new(Code::InvalidType, path, message));
    };
    if whole < low {
        let message = format!("Value {whole} is less than minimum {low}");
        Some(RowError::new(Code::Minimum, path, message))
    } else if whole > high {
        let message = format!("Value {whole} is greater than maximum {high}");
        Some(RowError::new(Code::Maximum, path, message))
    } else {
        None
    }
}

fn check_length(length: usize, low: usize, high: usize, path: &str) -> Option<RowError> {
    if length < low {
        let message = format!("Array is too short ({length}), minimum {low}");
        Some(RowError::new(Code::ArrayLengthShort, path, message))
    } else if length > high {
        let message = format!("Array is too long ({length}), maximum {high}");
        Some(RowError::new(Code::ArrayLengthLong, path, message))
    } else {
        None
    }
}

fn check_text(text: &str, kind: &Kind, path: &str) -> Option<RowError> {
    if text.contains('\0') {
        let message = "Text must not contain the character U+0000";
        return Some(RowError::new(Code::Pattern, path, message));
    }
    match kind {
        Kind::Text(low, high) => check_text_length(text, *low, *high, path),
        Kind::Pattern(pattern, fits) if !fits(text) => {
            let message = format!("String does not match pattern {pattern}: {}", shown(text));
            Some(RowError::new(Code::Pattern, path, message))
        }
        Kind::SecretPattern(pattern, fits) if !fits(text) => {
            let message = format!("String does not match pattern {pattern}");
            Some(RowError::new(Code::Pattern, path, message))
        }
        Kind::Email if !crate::email::is_well_formed(text) => {
            let message = format!(
                "Object didn't pass validation for format email: {}",
                shown(text)
            );
            Some(RowError::new(Code::Format, path, message))
        }
        Kind::Uri if !is_uri(text) => {
            let message = format!(
                "Object didn't pass validation for format uri: {}",
                shown(text)
            );
            Some(RowError::new(Code::Format, path, message))
        }
        Kind::Enum(words) if !words.contains(&text) => {
            let message = format!("No enum match for: {}", shown(text));
            Some(RowError::new(Code::EnumMismatch, path, message))
        }
        _ => None,
    }
}

fn check_text_length(text: &str, low: usize, high: usize, path: &str) -> Option<RowError> {
    let length = text.chars().count();
    if length < low {
        let message = format!("String is too short ({length} chars), minimum {low}");
        Some(RowError::new(Code::MinLength, path, message))
    } else if length > high {
        let message = format!("String is too long ({length} chars), maximum {high}");
        Some(RowError::new(Code::MaxLength, path, message))
    } else {
        None
    }
}

/// The first 100 characters: an error names the text, it does not carry it whole.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

/// An absolute URI as far as the wire asks for one: a scheme, a colon, no spaces.
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme_letter = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    scheme
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_scheme_letter)
        && !rest.is_empty()
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn expected(kind: &Kind) -> &'static str {
    match kind {
        Kind::Any => "any",
        Kind::Boolean => "boolean",
        Kind::Integer(..) => "integer",
        Kind::FreeObject | Kind::Object(_) | Kind::MapOf(_) => "object",
        Kind::Array(..) => "array",
        Kind::Nullable(inner) => expected(inner),
        _ => "string",
    }
}

/// The JSON type's name as z-schema spells it.
pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_fault() {
        const SHAPE: &[Field] = &[
            required("email", Kind::Email),
            optional("name", Kind::Text(1, 3)),
            optional("tags", Kind::Array(&Kind::Enum(&["a"]), 1, 2)),
        ];
        let body = serde_json::json!({"name": "long", "tags": ["b", 1], "x": 1});
        let errors = check(body.as_object().unwrap(), SHAPE);
        let lines: Vec<_> = errors
            .iter()
            .map(|e| format!("{} {} {}", e.code.as_str(), e.path, e.message))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        OBJECT_MISSING_REQUIRED_PROPERTY email Missing required property: email
        MAX_LENGTH name String is too long (4 chars), maximum 3
        ENUM_MISMATCH tags[0] No enum match for: b
        INVALID_TYPE tags[1] Expected type string but found type integer
        OBJECT_ADDITIONAL_PROPERTIES x Additional properties not allowed: x
        ");
    }
}
