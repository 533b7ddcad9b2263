//! Refusals of `/authorize`, and where each of them may be told. Before the client and its redirect
//! URI are proven there is nobody to redirect to, and the type has no place for a URI.

use super::response::ReplyTo;
use crate::error::{OAuthError, shown};

/// A refused authorization request.
#[derive(Debug)]
pub enum AuthorizeRefusal {
    /// To be shown to the person: there is no proven place to go to.
    Page(OAuthError),
    /// To be told to the client, at its own redirect URI.
    Redirect {
        /// What is told.
        error: Box<OAuthError>,
        /// Where, and how.
        to: ReplyTo,
    },
}

impl AuthorizeRefusal {
    /// What was refused, wherever it is told.
    pub fn error(&self) -> &OAuthError {
        match self {
            Self::Page(error) => error,
            Self::Redirect { error, .. } => error,
        }
    }

    /// The refusal as a direct answer: that of the endpoint for pushed requests, which has no browser
    /// to redirect, nor a page that nobody may see (RFC 9126 §2.3).
    pub fn into_error(self) -> OAuthError {
        match self {
            Self::Page(error) if error.status == 403 => OAuthError {
                status: 400,
                ..error
            },
            Self::Page(error) => error,
            Self::Redirect { error, .. } => *error,
        }
    }
}

/// Refusals of authorization requests.
impl OAuthError {
    fn refused(status: u16, code: &'static str, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            detail: None,
            status,
            mfa_token: None,
        }
    }

    /// 400, a page: no client has this id. The text is Auth0's.
    pub fn unknown_client(client_id: &str) -> Self {
        Self::invalid_request(format!("Unknown client: {}", shown(client_id)))
    }

    /// 403, a page: the redirect URI is not one of the client's. The text is Auth0's; the URI itself
    /// is for the log, because the page would be the stranger's otherwise.
    pub fn callback_mismatch(redirect_uri: &str) -> Self {
        let description = "Callback URL mismatch. The provided redirect_uri is not in the list of \
                           allowed callback URLs.";
        Self::refused(403, "invalid_request", description)
            .with_detail(format!("redirect_uri: {}", shown(redirect_uri)))
    }

    /// The server has no such response type, or the request names none.
    pub fn unsupported_response_type(response_type: &str) -> Self {
        let description = format!("Unsupported response type: {}", shown(response_type));
        Self::refused(400, "unsupported_response_type", description)
    }

    /// Request objects are not read (OpenID Connect Core §3.1.2.6).
    pub fn request_not_supported() -> Self {
        let description = "The request parameter is not supported.";
        Self::refused(400, "request_not_supported", description)
    }

    /// Only URIs that the endpoint for pushed requests made are read.
    pub fn request_uri_not_supported() -> Self {
        let description = "The request_uri parameter takes pushed authorization requests only.";
        Self::refused(400, "request_uri_not_supported", description)
    }

    /// There is nowhere to sign in.
    pub fn no_connection() -> Self {
        let description = "no connections enabled for the client";
        Self::refused(400, "unauthorized_client", description)
    }

    /// A pushed request that was never pushed, was taken before, or came too late.
    pub fn unknown_pushed_request() -> Self {
        let description = "The pushed request is not known, used or expired.";
        Self::invalid_request(description)
    }

    /// `prompt=none`, and nobody is signed in, or not in the way that was asked for.
    pub fn login_required() -> Self {
        Self::refused(400, "login_required", "Login required")
    }

    /// `prompt=none`, and the person must agree first.
    pub fn consent_required() -> Self {
        Self::refused(400, "consent_required", "Consent required")
    }

    /// `prompt=none`, and something else must be asked: a second factor, a new password.
    pub fn interaction_required(what: impl Into<String>) -> Self {
        Self::refused(400, "interaction_required", what)
    }

    /// `prompt=none`, and the person must choose an account.
    pub fn account_selection_required() -> Self {
        let description = "Account selection required";
        Self::refused(400, "account_selection_required", description)
    }
}
