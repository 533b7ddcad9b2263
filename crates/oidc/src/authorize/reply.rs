//! Who asks, and where the answer goes. All that is refused here is a page.

use domain::{Client, ClientId};

use super::redirect_uri::{is_callback, may_message, only_callback};
use super::refusal::AuthorizeRefusal;
use super::request::{AuthorizationRequest, ResponseMode, ResponseType};
use super::response_type::{default_mode, read_mode, read_type};
use super::{Draft, MAX_PARAMETER, Rules, Source, take};
use crate::error::OAuthError;
use crate::scopes::Scopes;
use crate::token::Params;

/// The client that a request names, for the caller to look up. Nothing is taken.
pub fn client_id_of(params: &Params) -> Result<ClientId, AuthorizeRefusal> {
    let refused = |error| Err(AuthorizeRefusal::Page(error));
    match params.peek("client_id") {
        Some(id) if id.len() > MAX_PARAMETER => refused(OAuthError::unknown_client(id)),
        Some(id) => Ok(ClientId::from(id)),
        None if params.stands_twice("client_id") => {
            refused(OAuthError::duplicate_parameter("client_id"))
        }
        None => refused(OAuthError::missing_parameter("client_id")),
    }
}

/// A request of which nothing is known but where its answer goes.
pub(super) fn begin(
    params: &mut Params,
    client: &Client,
    rules: &Rules<'_>,
) -> Result<AuthorizationRequest, OAuthError> {
    check_client(params, client, rules)?;
    let (redirect_uri, names_redirect_uri) = redirect_uri(params, client)?;
    let response_mode = mode(params, client, &redirect_uri)?;
    Ok(AuthorizationRequest {
        client_id: client.client_id.clone(),
        redirect_uri,
        names_redirect_uri,
        response_type: ResponseType {
            code: false,
            id_token: false,
            token: false,
        },
        response_mode,
        scope: Scopes::default(),
        audience: None,
        // So that a refusal of any other parameter gives it back.
        state: params
            .peek("state")
            .filter(|state| state.len() <= MAX_PARAMETER)
            .map(str::to_owned),
        nonce: None,
        code_challenge: None,
        prompt: Vec::new(),
        max_age: None,
        login_hint: None,
        id_token_hint: None,
        screen_hint: None,
        ui_locales: Vec::new(),
        acr_values: Vec::new(),
        connection: None,
        dpop_jkt: None,
    })
}

/// The client was found by this very parameter; a pushed request was pushed by this very client.
fn check_client(params: &mut Params, client: &Client, rules: &Rules<'_>) -> Result<(), OAuthError> {
    match take(params, "client_id", MAX_PARAMETER)? {
        Some(id) if id == client.client_id.as_str() => Ok(()),
        // It proved itself otherwise.
        None if rules.source != Source::Browser => Ok(()),
        None => Err(OAuthError::missing_parameter("client_id")),
        Some(id) => Err(OAuthError::unknown_client(&id)),
    }
}

/// The URI, and whether the request named it. One that is not named is the only one there is.
fn redirect_uri(params: &mut Params, client: &Client) -> Result<(String, bool), OAuthError> {
    match take(params, "redirect_uri", MAX_PARAMETER)? {
        Some(uri) if is_callback(client, &uri) => Ok((uri, true)),
        Some(uri) => Err(OAuthError::callback_mismatch(&uri)),
        None => only_callback(client)
            .map(|uri| (uri.to_owned(), false))
            .ok_or_else(|| OAuthError::missing_parameter("redirect_uri")),
    }
}

/// How refusals travel. The request's own mode may turn out to be wrong; then it is the mode that
/// its response type has by itself, and never the query for what might have asked for tokens.
fn mode(params: &Params, client: &Client, uri: &str) -> Result<ResponseMode, OAuthError> {
    let wanted = params.peek("response_type").and_then(read_type);
    let by_itself = default_mode(wanted);
    match params.peek("response_mode").and_then(read_mode) {
        Some(ResponseMode::WebMessage) if !may_message(client, uri) => {
            // There is nobody whom the message may be given to.
            let error = "The specified redirect_uri does not have a registered origin.";
            Err(OAuthError::invalid_request(error)
                .with_detail(format!("redirect_uri: {}", crate::error::shown(uri))))
        }
        Some(ResponseMode::Query) | None => Ok(by_itself),
        Some(mode) => Ok(mode),
    }
}

/// No parameter stands twice (RFC 6749 §3.1), known or not. `resource` may (RFC 8707), and is not
/// read.
pub(super) fn duplicates(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    draft.params.forget("resource");
    match draft.params.duplicate() {
        Some(name) => Err(OAuthError::duplicate_parameter(name)),
        None => Ok(()),
    }
}

/// It is given back as it came, so it is as short as a place in a URL is.
pub(super) fn state(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    draft.request.state = draft.take("state")?;
    Ok(())
}
