//! What is asked for. Whether the person, the client and the API let it happen is not decided here.

use domain::Client;

use super::{Draft, Rules};
use crate::error::OAuthError;
use crate::scopes::{OPENID, Scopes};

/// Scopes that nobody knows are no reason to refuse (OpenID Connect Core §3.1.2.1). An ID token is for
/// requests of OpenID Connect, and those say so.
pub(super) fn scope(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    let text = draft.take("scope")?.unwrap_or_default();
    let scope = Scopes::parse(&text)?;
    if draft.request.response_type.id_token && !scope.contains(OPENID) {
        let text = "The response type id_token needs the scope openid.";
        return Err(OAuthError::invalid_request(text));
    }
    draft.request.scope = scope;
    Ok(())
}

pub(super) fn audience(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    draft.request.audience = draft.take("audience")?;
    Ok(())
}
