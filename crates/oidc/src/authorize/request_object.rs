//! Parameters that come by another way than the request itself: pushed ones are taken, request objects
//! are refused until they are read honestly, with their signature checked.

use domain::Client;

use super::{Draft, Rules, Source};
use crate::error::OAuthError;
use crate::token::Params;

/// How the names of pushed requests begin.
pub const PUSHED_REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";

/// The name of the pushed request that stands for all parameters of this one. The caller takes it out
/// of the store, once and for this client only, and checks what was pushed as [`Source::Pushed`].
pub fn pushed_request_of(params: &Params) -> Option<&str> {
    params
        .peek("request_uri")
        .filter(|uri| uri.starts_with(PUSHED_REQUEST_URI))
}

/// A request object by value: OpenID Connect Core §6.1.
pub(super) fn request(draft: &mut Draft, client: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    if draft.params.peek("request").is_some() {
        return Err(OAuthError::request_not_supported());
    }
    if client.requires_signed_requests() {
        let text = "The client's requests must be signed, and signed requests are not supported.";
        return Err(OAuthError::invalid_request(text));
    }
    Ok(())
}

/// A request object by reference. A pushed request cannot stand for another one (RFC 9126 §2.1), and
/// one that comes as far as here was not in the store.
pub(super) fn request_uri(
    draft: &mut Draft,
    _: &Client,
    rules: &Rules<'_>,
) -> Result<(), OAuthError> {
    if draft.params.peek("request_uri").is_none() {
        return Ok(());
    }
    let is_ours = pushed_request_of(&draft.params).is_some();
    Err(match rules.source {
        Source::Browser if is_ours => {
            OAuthError::invalid_request("The pushed request is not known, used or expired.")
        }
        Source::Browser => OAuthError::request_uri_not_supported(),
        Source::Pushing | Source::Pushed => {
            OAuthError::invalid_request("The request_uri parameter is not allowed here.")
        }
    })
}

/// A client that pushes its requests does so always (RFC 9126 §6).
pub(super) fn pushed_only(
    _: &mut Draft,
    client: &Client,
    rules: &Rules<'_>,
) -> Result<(), OAuthError> {
    if rules.source == Source::Browser && client.requires_pushed_requests() {
        let text = "The client must push its authorization requests.";
        return Err(OAuthError::invalid_request(text));
    }
    Ok(())
}
