//! What can go wrong in a use-case: a public text each, and a private detail that never leaves the
//! log. HTTP statuses are decided in `server`.

use domain::RowError;
use store::StoreError;

/// A use-case that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A body or parameter does not fit. The text is the wire's.
    #[error("invalid: {message}")]
    Invalid {
        /// Public text.
        message: String,
        /// The wire's `errorCode`.
        code: &'static str,
    },
    /// What was asked for is not here.
    #[error("missing: {message}")]
    Missing {
        /// Public text.
        message: String,
        /// The wire's `errorCode`.
        code: &'static str,
    },
    /// Collides with something stored.
    #[error("conflict: {message}")]
    Conflict {
        /// Public text.
        message: String,
        /// The wire's `errorCode`.
        code: &'static str,
    },
    /// Too much, too often.
    #[error("too many: {0}")]
    TooMany(String),
    /// Larger than allowed.
    #[error("too large: {0}")]
    TooLarge(String),
    /// Something that we depend on does not answer; trying later may help. Never "wrong password".
    #[error("unavailable: {detail}")]
    Unavailable {
        /// For the log only.
        detail: String,
    },
    /// A defect of ours.
    #[error("internal: {detail}")]
    Internal {
        /// For the log only.
        detail: String,
    },
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A body that does not fit its shape, in the wire's words.
    pub fn payload(error: &RowError) -> Self {
        let at = if error.path.is_empty() {
            String::new()
        } else {
            format!(" on property {}", error.path)
        };
        let message = format!("Payload validation error: '{}'{at}.", error.message);
        Self::Invalid {
            message,
            code: "invalid_body",
        }
    }

    /// A body that is refused for what it asks.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid {
            message: message.into(),
            code: "invalid_body",
        }
    }

    /// A defect of ours.
    pub fn internal(detail: impl ToString) -> Self {
        Self::Internal {
            detail: detail.to_string(),
        }
    }

    /// What happened, for the log.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Unavailable { detail } | Self::Internal { detail } => detail.clone(),
            Self::Invalid { message, .. }
            | Self::Missing { message, .. }
            | Self::Conflict { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }

    /// Something that we depend on does not answer.
    pub fn unavailable(detail: impl ToString) -> Self {
        Self::Unavailable {
            detail: detail.to_string(),
        }
    }
}

/// Conflicts that a use-case expects are handled where they arise; what is left is no caller's
/// fault.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(detail) => Self::Unavailable { detail },
            StoreError::Stale { .. } => Self::Conflict {
                message: "The resource was changed by another request. Please try again.".into(),
                code: "conflict",
            },
            other => Self::Internal {
                detail: other.to_string(),
            },
        }
    }
}
