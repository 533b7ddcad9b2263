//! Second factors that arrive with a user: from an import row or from an action script.

use serde_json::Value;

use crate::row_error::{RowError, RowErrorCode as Code};
use crate::schema::{Field, Kind, optional, required};
use crate::secret::TotpSecret;
use crate::username::{PHONE_PATTERN, is_phone_number};

/// One enrolled factor.
#[derive(Debug)]
pub enum MfaFactor {
    /// An authenticator application.
    Totp(TotpSecret),
    /// Codes by text message.
    Phone(String),
    /// Codes by e-mail.
    Email(String),
}

impl MfaFactor {
    /// The member name on the wire, and the kind in the store.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Totp(_) => "totp",
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
        }
    }

    /// What the factor needs: the shared secret, the number, the address.
    pub fn expose(&self) -> &str {
        match self {
            Self::Totp(secret) => secret.expose(),
            Self::Phone(value) | Self::Email(value) => value,
        }
    }
}

fn is_base32(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b))
}

/// The shape of one element of `mfa_factors`.
pub const SHAPE: &[Field] = &[
    optional(
        "totp",
        Kind::Object(&[required(
            "secret",
            Kind::SecretPattern("^[A-Z2-7]+$", is_base32),
        )]),
    ),
    optional(
        "phone",
        Kind::Object(&[required(
            "value",
            Kind::Pattern(PHONE_PATTERN, is_phone_number),
        )]),
    ),
    optional("email", Kind::Object(&[required("value", Kind::Email)])),
];

/// Reads `mfa_factors`, after its shape was checked; each element holds exactly one factor.
pub fn parse_all(value: &Value) -> Result<Vec<MfaFactor>, RowError> {
    let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
    elements
        .iter()
        .enumerate()
        .map(|(index, element)| parse_one(element, index))
        .collect()
}

fn parse_one(element: &Value, index: usize) -> Result<MfaFactor, RowError> {
    let path = format!("mfa_factors[{index}]");
    let Some(object) = element.as_object().filter(|object| object.len() == 1) else {
        let message = "Exactly one of totp, phone, email is expected";
        return Err(RowError::new(Code::AnyOfMissing, path, message));
    };
    let text = |kind: &str, member: &str| {
        object
            .get(kind)
            .and_then(|factor| factor.get(member))
            .and_then(Value::as_str)
    };
    if let Some(secret) = text("totp", "secret") {
        Ok(MfaFactor::Totp(TotpSecret::from(secret)))
    } else if let Some(number) = text("phone", "value") {
        Ok(MfaFactor::Phone(number.to_owned()))
    } else if let Some(address) = text("email", "value") {
        Ok(MfaFactor::Email(address.to_owned()))
    } else {
        Err(RowError::new(
            Code::AnyOfMissing,
            path,
            "No factor that we know",
        ))
    }
}
