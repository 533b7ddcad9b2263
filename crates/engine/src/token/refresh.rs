//! Refresh tokens. A rotating one is used once and replaced; one that comes back after that, and
//! after the client's leeway, was copied, and its whole family is revoked (RFC 9700 §4.14.2).
//!
//! The family is the authorization. What the user may and is called is read anew each time.
//!
//! A public client's tokens are bound to the key that it proved; others are bound to the client
//! already, which proves itself, and take whatever key it has by then (RFC 9449 §5).

use domain::entropy::alphanumeric;
use domain::{Authorization, Client, EventKind, Instant, ResourceServer, Token, User};
use oidc::{GrantType, OAuthError, Scopes, TokenResponse};
use store::{StoreError, StoredRefreshToken, Write};

use super::code::of_user;
use super::outage;
use super::refresh_policy::RefreshPolicy;
use super::scope::{OFFLINE_ACCESS, user_scope};
use crate::issue::{CODE_LENGTH, Issue, remembered_until, token_hash};
use crate::{Context, Engine};

/// How often a race is lost before we give up: the first time tells how it ended.
const TRIES: usize = 3;

/// How exactly the time of the last exchange is kept.
const TOUCH_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// Why no tokens come of a refresh token.
enum Refusal {
    /// For the caller, and for the log.
    Plain(OAuthError),
    /// It was replaced before.
    Reused(Box<StoredRefreshToken>),
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::Plain(error)
    }
}

impl Engine {
    pub(super) async fn refreshed_token(
        &self,
        context: &Context,
        client: &Client,
        token: &Token,
        asked: &Scopes,
        key: Option<String>,
    ) -> Result<TokenResponse, OAuthError> {
        let hash = token_hash(token.expose());
        for _ in 0..TRIES {
            match self
                .refresh(context, client, &hash, asked, key.as_deref())
                .await
            {
                Ok(Some(response)) => return Ok(response),
                Ok(None) => {}
                Err(Refusal::Plain(refusal)) if refusal.status >= 500 => return Err(refusal),
                Err(Refusal::Plain(refusal)) => {
                    let kind = EventKind::RefreshTokenExchangeFailed;
                    let event = self.exchange_event(context, client, kind);
                    return Err(self.refuse_exchange(event, refusal).await);
                }
                Err(Refusal::Reused(found)) => {
                    return Err(self.refuse_reuse(context, client, &found).await);
                }
            }
        }
        Err(OAuthError::invalid_refresh_token("the token kept changing"))
    }

    /// None when somebody else changed what was read.
    async fn refresh(
        &self,
        context: &Context,
        client: &Client,
        hash: &str,
        asked: &Scopes,
        key: Option<&str>,
    ) -> Result<Option<TokenResponse>, Refusal> {
        let policy = RefreshPolicy::of(client);
        let found = self.living_refresh_token(client, hash, policy).await?;
        let mut authorization = found.authorization.clone();
        let bound_to = authorization.dpop_key.as_deref();
        if client.is_public() && bound_to.is_some() && bound_to != key {
            return Err(OAuthError::wrong_key().into());
        }
        authorization.dpop_key = key.map(str::to_owned);
        let user = self
            .present_user(authorization.authentication.user)
            .await??;
        let api = self.api_for_user(authorization.audience.as_deref()).await?;
        let scope = shrunk_scope(client, &authorization.scope, asked, api.as_ref())?;
        authorization.scope = scope.to_string();
        let issue = Issue {
            client,
            user: &user,
            authorization: &authorization,
            grant_type: GrantType::RefreshToken,
            nonce: None,
            code: None,
            access_token: true,
            id_token: true,
        };
        let mut write = self.store.write();
        let next_key = key.filter(|_| client.is_public() && policy.rotates);
        let next = self.add_exchange(&mut write, &found, policy, next_key);
        let response = self.add_tokens(&mut write, &issue, api.as_ref(), true)?;
        let event = self.exchange_event(context, client, EventKind::RefreshTokenExchanged);
        write.log(&of_user(event, &user));
        match self.store.commit(write).await {
            Ok(()) => {
                let had_scope = !found.authorization.scope.is_empty();
                let response = response.with_scope(&scope, had_scope);
                Ok(Some(response.with_refresh_token(next)))
            }
            Err(StoreError::Stale { .. }) => Ok(None),
            Err(error) => Err(outage(error).into()),
        }
    }

    async fn living_refresh_token(
        &self,
        client: &Client,
        hash: &str,
        policy: RefreshPolicy,
    ) -> Result<StoredRefreshToken, Refusal> {
        let refused = |detail: &str| OAuthError::invalid_refresh_token(detail);
        let found = self.store.find_refresh_token(hash).await.map_err(outage)?;
        let found = found.ok_or_else(|| refused("unknown refresh token"))?;
        let now = self.now();
        if found.authorization.client_id != client.client_id {
            return Err(refused("the refresh token is another client's").into());
        }
        if found.authorization.revoked_at.is_some() {
            return Err(refused("the refresh token was revoked").into());
        }
        let is_over = |end: Option<Instant>| end.is_some_and(|end| end <= now);
        if is_over(found.expires_at) || is_over(found.idle_expires_at) {
            return Err(refused("the refresh token has expired").into());
        }
        match found.used_at {
            Some(used_at) if now >= used_at.plus(policy.leeway) => {
                Err(Refusal::Reused(Box::new(found)))
            }
            _ => Ok(found),
        }
    }

    /// Adds what an exchange does to the token: the next one takes its place, bound to a key where
    /// one is named, or it stays.
    fn add_exchange(
        &self,
        write: &mut Write,
        found: &StoredRefreshToken,
        policy: RefreshPolicy,
        next_key: Option<&str>,
    ) -> Option<String> {
        let now = self.now();
        let id = &found.authorization.id;
        let idle = policy.idle_lifetime.map(|lifetime| now.plus(lifetime));
        let until = remembered_until(now, (found.expires_at, idle));
        let binds = next_key.is_some() && found.authorization.dpop_key.is_none();
        if until > found.remembered_until || binds {
            write.extend_authorization(id, until, next_key);
        } else {
            write.require_authorization(id);
        }
        if !policy.rotates {
            if idle.is_some() || found.touched_at.plus(TOUCH_EVERY) <= now {
                write.touch_refresh_token(&found.token_hash, idle, now);
            }
            return None;
        }
        // Within the leeway the token was used before: it gets a sibling of its successor.
        if found.used_at.is_none() {
            write.use_refresh_token(&found.token_hash, now);
        }
        let next = alphanumeric(&*self.entropy, CODE_LENGTH);
        let user = found.authorization.authentication.user;
        let ends = (found.expires_at, idle);
        write.insert_refresh_token(&token_hash(&next), id, user, ends, now);
        Some(next)
    }

    async fn refuse_reuse(
        &self,
        context: &Context,
        client: &Client,
        found: &StoredRefreshToken,
    ) -> OAuthError {
        let mut event = self.exchange_event(context, client, EventKind::RefreshTokenReused);
        event.description =
            Some("The refresh token was used before: its whole family is revoked.".into());
        event.user_id = Some(found.authorization.authentication.user_id.clone());
        let mut write = self.store.write();
        write.revoke_authorization(&found.authorization.id, self.now());
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => OAuthError::invalid_refresh_token("the refresh token was used before"),
            Err(error) => outage(error),
        }
    }

    /// Adds the first tokens of an authorization that is stored, a refresh token among them where
    /// one was granted. The batch fails when the authorization was revoked meanwhile.
    pub(super) fn add_first_tokens(
        &self,
        write: &mut Write,
        issue: &Issue<'_>,
        api: Option<&ResourceServer>,
    ) -> Result<TokenResponse, OAuthError> {
        let authorization = issue.authorization;
        let refresh_token = is_offline(&authorization.scope).then(|| {
            let (token, until) = self.new_refresh_token(issue.client);
            write.extend_authorization(&authorization.id, until, binding_key(issue));
            self.add_refresh_token(write, issue, &token);
            token
        });
        if refresh_token.is_none() {
            write.require_authorization(&authorization.id);
        }
        let response = self.add_tokens(write, issue, api, true)?;
        Ok(response.with_refresh_token(refresh_token))
    }

    /// Adds the tokens of a login that has no authorization yet. One is stored only when something
    /// hangs on it: a refresh token, or an opaque one.
    pub(super) fn add_login_tokens(
        &self,
        write: &mut Write,
        issue: &Issue<'_>,
        api: Option<&ResourceServer>,
    ) -> Result<TokenResponse, OAuthError> {
        let authorization = issue.authorization;
        let is_offline = is_offline(&authorization.scope);
        if !is_offline && !crate::issue::is_opaque(api) {
            return self.add_tokens(write, issue, api, false);
        }
        let (token, until) = self.new_refresh_token(issue.client);
        let kept = Authorization {
            dpop_key: binding_key(issue).map(str::to_owned),
            ..authorization.clone()
        };
        write.insert_authorization(&kept, until);
        if is_offline {
            self.add_refresh_token(write, issue, &token);
        }
        let response = self.add_tokens(write, issue, api, true)?;
        Ok(response.with_refresh_token(is_offline.then_some(token)))
    }

    /// A refresh token, and until when its authorization must be remembered.
    fn new_refresh_token(&self, client: &Client) -> (String, Instant) {
        let now = self.now();
        let ends = RefreshPolicy::of(client).ends(now);
        let token = alphanumeric(&*self.entropy, CODE_LENGTH);
        (token, remembered_until(now, ends))
    }

    fn add_refresh_token(&self, write: &mut Write, issue: &Issue<'_>, token: &str) {
        let now = self.now();
        let ends = RefreshPolicy::of(issue.client).ends(now);
        let user: &User = issue.user;
        let id = &issue.authorization.id;
        write.insert_refresh_token(&token_hash(token), id, user.row, ends, now);
    }
}

/// The key that a refresh token is bound to.
fn binding_key<'a>(issue: &'a Issue<'_>) -> Option<&'a str> {
    let key = issue.authorization.dpop_key.as_deref();
    key.filter(|_| issue.client.is_public())
}

fn is_offline(scope: &str) -> bool {
    scope.split(' ').any(|scope| scope == OFFLINE_ACCESS)
}

/// What was granted, less what is not asked for and what is not to be had any more.
fn shrunk_scope(
    client: &Client,
    granted: &str,
    asked: &Scopes,
    api: Option<&ResourceServer>,
) -> Result<Scopes, OAuthError> {
    let granted = user_scope(client, &Scopes::parse(granted)?, api);
    if asked.is_empty() {
        return Ok(granted);
    }
    let scope = asked.intersect(&granted);
    if scope.is_empty() {
        let message = "None of the scopes was granted with the refresh token.";
        return Err(OAuthError::invalid_scope(message));
    }
    Ok(scope)
}
