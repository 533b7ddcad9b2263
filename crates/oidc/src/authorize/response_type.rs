//! What is wanted, and how it comes back (OAuth 2.0 Multiple Response Type Encoding Practices).

use domain::Client;

use super::request::{ResponseMode, ResponseType};
use super::{Draft, Rules};
use crate::error::{OAuthError, shown};

/// Reads a response type: `code`, `id_token` and `token` in any order, each once.
pub(super) fn read_type(text: &str) -> Option<ResponseType> {
    let mut read = ResponseType {
        code: false,
        id_token: false,
        token: false,
    };
    for word in text.split(' ') {
        let part = match word {
            "code" => &mut read.code,
            "id_token" => &mut read.id_token,
            "token" => &mut read.token,
            _ => return None,
        };
        if std::mem::replace(part, true) {
            return None;
        }
    }
    Some(read)
}

/// Reads a response mode.
pub(super) fn read_mode(text: &str) -> Option<ResponseMode> {
    match text {
        "query" => Some(ResponseMode::Query),
        "fragment" => Some(ResponseMode::Fragment),
        "form_post" => Some(ResponseMode::FormPost),
        "web_message" => Some(ResponseMode::WebMessage),
        _ => None,
    }
}

/// The mode of a response type that comes without one.
pub(super) fn default_mode(wanted: Option<ResponseType>) -> ResponseMode {
    match wanted {
        Some(wanted) if wanted.has_token() => ResponseMode::Fragment,
        _ => ResponseMode::Query,
    }
}

pub(super) fn response_type(
    draft: &mut Draft,
    _: &Client,
    _: &Rules<'_>,
) -> Result<(), OAuthError> {
    let text = draft
        .take("response_type")?
        .ok_or_else(|| OAuthError::missing_parameter("response_type"))?;
    draft.request.response_type =
        read_type(&text).ok_or_else(|| OAuthError::unsupported_response_type(&text))?;
    Ok(())
}

/// Tokens never stand in a query, which servers and browsers keep in logs and histories.
pub(super) fn response_mode(
    draft: &mut Draft,
    _: &Client,
    _: &Rules<'_>,
) -> Result<(), OAuthError> {
    let wanted = draft.request.response_type;
    draft.request.response_mode = match draft.take("response_mode")? {
        None => default_mode(Some(wanted)),
        Some(text) => match read_mode(&text) {
            Some(ResponseMode::Query) if wanted.has_token() => {
                let text = "response_mode query is not allowed with tokens.";
                return Err(OAuthError::invalid_request(text));
            }
            Some(mode) => mode,
            None => {
                let text = format!("Unsupported response mode: {}", shown(&text));
                return Err(OAuthError::invalid_request(text));
            }
        },
    };
    Ok(())
}

/// Each part of the response type is a grant that the client must have.
pub(super) fn grant(draft: &mut Draft, client: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    let wanted = draft.request.response_type;
    for (is_wanted, grant) in [
        (wanted.code, "authorization_code"),
        (wanted.has_token(), "implicit"),
    ] {
        if is_wanted && !client.may_use(grant) {
            return Err(OAuthError::grant_not_allowed(grant));
        }
    }
    Ok(())
}
