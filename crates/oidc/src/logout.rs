//! Logging out: OpenID Connect RP-Initiated Logout 1.0 (`/oidc/logout`), Auth0's older `/v2/logout`,
//! and what the back-channel tells other clients.
//!
//! Two things are decided: where the browser may go afterwards, and whether the person is asked first.
//! Any page of the world can send a browser here; only a client that holds one of the person's ID
//! tokens, or knows their session, logs them out unasked. A refused request ends nothing.

use std::time::Duration;

use domain::{Client, ClientId, Instant, SessionId, UserId};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::authorize::{MAX_PARAMETER, is_logout_url, origin_of, with_query};
use crate::error::{OAuthError, shown};
use crate::issuer::Issuer;
use crate::token::Params;

/// The `typ` header of logout tokens (Back-Channel Logout §2.4).
pub const LOGOUT_JWT: &str = "logout+jwt";

/// How long a logout token is good: enough for clocks that differ, too short to be kept.
pub const LOGOUT_TOKEN_LIFETIME: Duration = Duration::from_secs(120);

/// Longest ID token that is taken as a hint.
const MAX_ID_TOKEN: usize = 16 * 1024;

/// A request to `/oidc/logout`, read but not believed.
#[derive(Clone, PartialEq, Eq)]
pub struct EndSessionRequest {
    /// An ID token that the client got; whoever has the keys verifies it, expired or not.
    pub id_token_hint: Option<String>,
    /// The session's id, as the `sid` claim has it.
    pub logout_hint: Option<String>,
    /// Where the browser shall go.
    pub post_logout_redirect_uri: Option<String>,
    /// Who asks; must be the ID token's client if both are there.
    pub client_id: Option<ClientId>,
    /// The client's own note, given back unread.
    pub state: Option<String>,
    /// Languages of the pages, best first.
    pub ui_locales: Vec<String>,
    /// Whether the foreign identity provider's session shall end too.
    pub federated: bool,
}

/// What a verified ID token says of a logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutHint {
    /// The client that it was issued to.
    pub client_id: ClientId,
    /// Whom it is about.
    pub user_id: UserId,
}

/// The session of the browser that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
}

/// What is known when a logout is decided.
#[derive(Clone, Copy, Debug)]
pub struct LogoutFacts<'a> {
    /// The verified ID token; none when there was none, or when it was not good.
    pub hint: Option<&'a LogoutHint>,
    /// The client that [`EndSessionRequest::client`] named.
    pub client: Option<&'a Client>,
    /// The tenant's own `allowed_logout_urls`, for requests of no client.
    pub tenant_urls: &'a [String],
    /// The browser's session.
    pub session: Option<&'a LiveSession>,
}

/// A logout that may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logout {
    /// Whether the person must say yes first.
    pub must_ask: bool,
    /// Where the browser goes then; none: a page that says it is done.
    pub redirect_to: Option<String>,
}

impl LogoutHint {
    /// From the claims of a verified ID token. Its audience is one client.
    pub fn of_claims(claims: &Map<String, Value>) -> Option<Self> {
        let text = |name| claims.get(name).and_then(Value::as_str);
        Some(Self {
            client_id: ClientId::from(text("aud")?),
            user_id: UserId::from(text("sub")?),
        })
    }
}

impl EndSessionRequest {
    /// Reads the parameters of a query or form.
    pub fn read(mut params: Params) -> Result<Self, OAuthError> {
        if let Some(name) = params.duplicate() {
            return Err(OAuthError::duplicate_parameter(name));
        }
        let federated = params.is_given("federated");
        let locales = take(&mut params, "ui_locales", MAX_PARAMETER)?.unwrap_or_default();
        Ok(Self {
            id_token_hint: take(&mut params, "id_token_hint", MAX_ID_TOKEN)?,
            logout_hint: take(&mut params, "logout_hint", MAX_PARAMETER)?,
            post_logout_redirect_uri: take(&mut params, "post_logout_redirect_uri", MAX_PARAMETER)?,
            client_id: take(&mut params, "client_id", MAX_PARAMETER)?.map(ClientId::from),
            state: take(&mut params, "state", MAX_PARAMETER)?,
            ui_locales: locales
                .split_ascii_whitespace()
                .take(20)
                .map(str::to_owned)
                .collect(),
            federated,
        })
    }

    /// Who asks, for the caller to look up: by its name, or by the verified ID token.
    pub fn client<'a>(&'a self, hint: Option<&'a LogoutHint>) -> Option<&'a ClientId> {
        self.client_id.as_ref().or(hint.map(|hint| &hint.client_id))
    }

    /// Decides. An error is a page; nothing ends.
    pub fn decide(&self, facts: &LogoutFacts<'_>) -> Result<Logout, OAuthError> {
        if self.id_token_hint.is_some() && facts.hint.is_none() {
            return Err(OAuthError::invalid_request(
                "The id_token_hint is not valid.",
            ));
        }
        if let (Some(named), Some(hint)) = (&self.client_id, facts.hint)
            && *named != hint.client_id
        {
            let text = "The id_token_hint was not issued to the client.";
            return Err(OAuthError::invalid_request(text));
        }
        if let Some(wanted) = self.client(facts.hint)
            && facts.client.is_none_or(|found| found.client_id != *wanted)
        {
            return Err(OAuthError::unknown_client(wanted.as_str()));
        }
        Ok(Logout {
            must_ask: facts
                .session
                .is_some_and(|session| !self.proves(facts.hint, session)),
            redirect_to: self.redirect(facts)?,
        })
    }

    /// Whether whoever asks holds something that only the person's clients have.
    fn proves(&self, hint: Option<&LogoutHint>, session: &LiveSession) -> bool {
        hint.is_some_and(|hint| hint.user_id == session.user_id)
            || self.logout_hint.as_deref() == Some(session.id.as_str())
    }

    fn redirect(&self, facts: &LogoutFacts<'_>) -> Result<Option<String>, OAuthError> {
        let Some(uri) = &self.post_logout_redirect_uri else {
            return Ok(None);
        };
        let is_allowed = if let Some(client) = facts.client {
            is_logout_url(client.logout_urls(), uri, true, client.is_native())
        } else {
            let urls = facts.tenant_urls.iter().map(String::as_str);
            is_logout_url(urls, uri, true, false)
        };
        if !is_allowed {
            let text = "The post_logout_redirect_uri is not one of the allowed logout URLs.";
            return Err(OAuthError::invalid_request(text)
                .with_detail(format!("post_logout_redirect_uri: {}", shown(uri))));
        }
        let state = self.state.iter().map(|state| ("state", state.clone()));
        Ok(Some(with_query(uri, &state.collect::<Vec<_>>())))
    }
}

/// A request to `/v2/logout`. It logs out unasked, as at Auth0: a nuisance that any page can cause, and
/// no more, since it leads only to registered places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainLogoutRequest {
    /// Who asks.
    pub client_id: Option<ClientId>,
    /// Where the browser shall go: `returnTo`.
    pub return_to: Option<String>,
    /// Whether the foreign identity provider's session shall end too.
    pub federated: bool,
}

impl PlainLogoutRequest {
    /// Reads the parameters of a query.
    pub fn read(mut params: Params) -> Result<Self, OAuthError> {
        if let Some(name) = params.duplicate() {
            return Err(OAuthError::duplicate_parameter(name));
        }
        Ok(Self {
            federated: params.is_given("federated"),
            client_id: take(&mut params, "client_id", MAX_PARAMETER)?.map(ClientId::from),
            return_to: take(&mut params, "returnTo", MAX_PARAMETER)?,
        })
    }

    /// Where the browser goes. With `client_id` the client's URLs count, without it the tenant's; when
    /// none is named, the first of them that is a URL. An error is a page; nothing ends.
    pub fn redirect(
        &self,
        client: Option<&Client>,
        tenant_urls: &[String],
    ) -> Result<Option<String>, OAuthError> {
        let allowed: Vec<&str> = match (&self.client_id, client) {
            (Some(id), Some(client)) if client.client_id == *id => client.logout_urls().collect(),
            (Some(id), _) => return Err(OAuthError::unknown_client(id.as_str())),
            (None, _) => tenant_urls.iter().map(String::as_str).collect(),
        };
        let is_native = client.is_some_and(Client::is_native) && self.client_id.is_some();
        let Some(wanted) = &self.return_to else {
            let first = allowed.into_iter().find(|url| origin_of(url).is_some());
            return Ok(first.map(str::to_owned));
        };
        if !is_logout_url(allowed.into_iter(), wanted, false, is_native) {
            let text = "The returnTo parameter is not one of the allowed logout URLs.";
            return Err(OAuthError::invalid_request(text)
                .with_detail(format!("returnTo: {}", shown(wanted))));
        }
        Ok(Some(wanted.clone()))
    }
}

/// The claims of a logout token (Back-Channel Logout §2.4). Never a `nonce`: that is how one tells it
/// from an ID token.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutTokenClaims {
    iss: String,
    sub: UserId,
    aud: ClientId,
    iat: i64,
    exp: i64,
    jti: String,
    events: Value,
    sid: SessionId,
}

impl LogoutTokenClaims {
    /// Tells a client that a person's session ended. `jti` is fresh randomness.
    pub fn new(
        issuer: &Issuer,
        client_id: &ClientId,
        ended: &LiveSession,
        jti: String,
        now: Instant,
    ) -> Self {
        let iat = now.seconds();
        Self {
            iss: issuer.as_str().to_owned(),
            sub: ended.user_id.clone(),
            aud: client_id.clone(),
            iat,
            exp: iat.saturating_add(LOGOUT_TOKEN_LIFETIME.as_secs().cast_signed()),
            jti,
            events: json!({"http://schemas.openid.net/event/backchannel-logout": {}}),
            sid: ended.id.clone(),
        }
    }
}

fn take(params: &mut Params, name: &str, longest: usize) -> Result<Option<String>, OAuthError> {
    match params.take(name)? {
        Some(text) if text.len() > longest => Err(OAuthError::invalid_request(format!(
            "Parameter is too long: {name}"
        ))),
        taken => Ok(taken),
    }
}

/// Hints are credentials of a kind.
impl std::fmt::Debug for EndSessionRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndSessionRequest")
            .field("client_id", &self.client_id)
            .field("post_logout_redirect_uri", &self.post_logout_redirect_uri)
            .finish_non_exhaustive()
    }
}
