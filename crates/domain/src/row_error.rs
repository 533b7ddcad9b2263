//! Why one row of an import file was not written, in the documented codes.

use serde::Serialize;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// A documented row error code (z-schema's names and the importer's own).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum RowErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl RowErrorCode {
            /// The code as the wire spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads a code; `None` when it is none of ours.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    /// None of the allowed alternatives is present.
    AnyOfMissing = "ANY_OF_MISSING",
    /// Too many elements.
    ArrayLengthLong = "ARRAY_LENGTH_LONG",
    /// Too few elements.
    ArrayLengthShort = "ARRAY_LENGTH_SHORT",
    /// Collides with a stored user by `user_id` or phone number.
    Conflict = "CONFLICT",
    /// Collides with a stored user by e-mail.
    ConflictEmail = "CONFLICT_EMAIL",
    /// Collides with a stored user by username.
    ConflictUsername = "CONFLICT_USERNAME",
    /// The connection was deleted while the job ran.
    ConnectionNotFound = "CONNECTION_NOT_FOUND",
    /// Appears twice in the file.
    DuplicatedUser = "DUPLICATED_USER",
    /// Not one of the allowed words.
    EnumMismatch = "ENUM_MISMATCH",
    /// Not in the format named (email, uri).
    Format = "FORMAT",
    /// Not of the JSON type expected.
    InvalidType = "INVALID_TYPE",
    /// Number above its maximum.
    Maximum = "MAXIMUM",
    /// Text longer than allowed.
    MaxLength = "MAX_LENGTH",
    /// The factors could not be enrolled.
    MfaFactorsFailed = "MFA_FACTORS_FAILED",
    /// Number below its minimum.
    Minimum = "MINIMUM",
    /// Text shorter than allowed.
    MinLength = "MIN_LENGTH",
    /// Two members that exclude each other, or a member that must not be there.
    NotPassed = "NOT_PASSED",
    /// A member that the schema does not know (z-schema).
    ObjectAdditionalProperties = "OBJECT_ADDITIONAL_PROPERTIES",
    /// A member that must be there (z-schema).
    ObjectMissingRequiredProperty = "OBJECT_MISSING_REQUIRED_PROPERTY",
    /// The row is not an object.
    ObjectRequired = "OBJECT_REQUIRED",
    /// Text not in the pattern named.
    Pattern = "PATTERN",
    /// The row or its profile is larger than allowed.
    ProfileSizeExceeded = "PROFILE_SIZE_EXCEEDED",
}

/// One reason, with the member it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// The documented code.
    pub code: RowErrorCode,
    /// A sentence naming what is wrong. Never contains a secret.
    pub message: String,
    /// The member, e.g. `custom_password_hash.hash.encoding`; empty for the whole row.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

impl RowError {
    /// A reason at a member.
    pub fn new(code: RowErrorCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: path.into(),
        }
    }

    /// The same reason inside a member one level up: `hash` becomes `custom_password_hash.hash`.
    #[must_use]
    pub fn under(mut self, parent: &str) -> Self {
        self.path = if self.path.is_empty() {
            parent.to_owned()
        } else {
            format!("{parent}.{}", self.path)
        };
        self
    }
}
