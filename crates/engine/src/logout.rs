//! A person signs out of this browser: the session ends, and the browser goes to one of the
//! client's own pages or to ours. A stranger's link must not sign people out unasked: OpenID
//! Connect's endpoint wants an ID token of ours as a hint, else it asks. `/v2/logout` never asks, as
//! Auth0's does not.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Client, ClientId, EventKind, Instant, Json};
use oidc::OAuthError;
use serde_json::Value;

use crate::sessions::Browser;
use crate::token::{engine_refusal, outage};
use crate::{Context, Engine};

/// What a request to sign out says.
#[derive(Debug, Default)]
pub struct LogoutRequest {
    /// The client, where it is named.
    pub client_id: Option<ClientId>,
    /// Where the browser goes afterwards.
    pub return_to: Option<String>,
    /// The client's own note, given back there.
    pub state: Option<String>,
    /// An ID token of ours: proof that a client of the person's asks.
    pub id_token_hint: Option<String>,
    /// Whether the person confirmed it on our page, or need not.
    pub is_confirmed: bool,
}

/// What comes of it.
#[derive(Debug)]
pub enum LoggedOut {
    /// Signed out; the browser goes there, or sees our page.
    Done(Option<String>),
    /// The person must say so first.
    Ask,
}

impl Engine {
    /// Signs a browser out.
    pub async fn log_out(
        &self,
        context: &Context,
        browser: &Browser,
        request: LogoutRequest,
    ) -> Result<LoggedOut, OAuthError> {
        let hint = match &request.id_token_hint {
            Some(hint) => Some(self.read_hint(hint)?),
            None => None,
        };
        let hinted = hint.as_ref().and_then(|claims| text(claims, "aud"));
        let client_id = match (request.client_id, hinted) {
            (Some(named), Some(hinted)) if named.as_str() != hinted => {
                return Err(OAuthError::invalid_request("The client is not the hint's"));
            }
            (Some(named), _) => Some(named),
            (None, hinted) => hinted.map(ClientId::from),
        };
        let client = match client_id {
            Some(id) => {
                let found = self.store.find_client(&id).await.map_err(outage)?;
                Some(found.ok_or_else(|| OAuthError::invalid_request("Unknown client"))?)
            }
            None => None,
        };
        let target = checked_target(client.as_ref(), request.return_to, request.state)?;
        let session = self.session_of(browser).await.map_err(engine_refusal)?;
        let Some(session) = session else {
            return Ok(LoggedOut::Done(target));
        };
        let is_theirs = hint.as_ref().and_then(|claims| text(claims, "sub"))
            == Some(session.authentication.user_id.as_str());
        if !request.is_confirmed && !is_theirs {
            return Ok(LoggedOut::Ask);
        }
        let mut event = self.event(context, EventKind::Logout);
        event.user_id = Some(session.authentication.user_id.clone());
        event.client = client.map(|client| (client.client_id, client.name));
        let id = session.id.to_string();
        event.details.insert("session_id".into(), id.into());
        let mut write = self.store.write();
        write.delete_session(&session.id).log(&event);
        match self.store.commit(write).await {
            // It ended by itself, or in another window.
            Ok(()) | Err(store::StoreError::Stale { .. }) => Ok(LoggedOut::Done(target)),
            Err(error) => Err(outage(error)),
        }
    }

    /// The claims of an ID token of ours. That its time is over is no fault here (OpenID Connect
    /// RP-Initiated Logout §2).
    fn read_hint(&self, hint: &str) -> Result<Json, OAuthError> {
        let wrong = || OAuthError::invalid_request("Invalid id_token_hint");
        let at = last_moment(hint).ok_or_else(wrong)?.min(self.now());
        let keys = self.keys.current();
        keys.verify(hint, at, self.settings.issuer.as_str())
            .map_err(|_| wrong())
    }
}

fn text<'a>(claims: &'a Json, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// The last second in which a token is good, unproven.
fn last_moment(token: &str) -> Option<Instant> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Json = serde_json::from_slice(&payload).ok()?;
    let expires = claims.get("exp").and_then(Value::as_i64)?;
    Some(Instant::from_millis(
        expires.checked_sub(1)?.checked_mul(1000)?,
    ))
}

/// One of the client's own, letter by letter.
fn checked_target(
    client: Option<&Client>,
    asked: Option<String>,
    state: Option<String>,
) -> Result<Option<String>, OAuthError> {
    let Some(asked) = asked else { return Ok(None) };
    let allowed = client.and_then(|client| client.attributes.get("allowed_logout_urls"));
    let mut allowed = allowed.and_then(Value::as_array).into_iter().flatten();
    if !allowed.any(|url| url.as_str() == Some(asked.as_str())) {
        let text = "The return URL is not one of the client's allowed_logout_urls";
        return Err(OAuthError::invalid_request(text));
    }
    let Some(state) = state else {
        return Ok(Some(asked));
    };
    let joint = if asked.contains('?') { '&' } else { '?' };
    let mut escaped = String::new();
    for byte in state.bytes() {
        let _infallible = if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            write!(escaped, "{}", char::from(byte))
        } else {
            write!(escaped, "%{byte:02X}")
        };
    }
    Ok(Some(format!("{asked}{joint}state={escaped}")))
}
