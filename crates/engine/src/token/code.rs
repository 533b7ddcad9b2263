//! The code of a login in a browser: used once, by the client and the key that asked for it.
//!
//! A code that comes a second time was stolen, by whoever came first or second: all that was
//! issued for it is revoked (RFC 6749 §4.1.2), also when both come at once.

use domain::{Authorization, Client, EventKind, LogEvent, Token, User};
use oidc::token::{VerifierError, check_verifier};
use oidc::{GrantType, OAuthError, Scopes, TokenResponse};
use store::{StoreError, StoredCode};

use super::scope::user_scope;
use super::{defect, outage};
use crate::issue::{CodeBinding, Issue, token_hash};
use crate::{Context, Engine};

/// What the redeemer of a code shows.
pub(super) struct Redeemed {
    pub code: Token,
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<Token>,
    /// Thumbprint of the key that was proven.
    pub key: Option<String>,
}

/// Why no tokens come of a code.
enum Refusal {
    /// For the caller, and for the log.
    Plain(OAuthError),
    /// The code was used before.
    Replayed(Box<Authorization>),
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::Plain(error)
    }
}

impl Engine {
    pub(super) async fn code_token(
        &self,
        context: &Context,
        client: &Client,
        redeemed: &Redeemed,
    ) -> Result<TokenResponse, OAuthError> {
        let code_hash = token_hash(redeemed.code.expose());
        // Twice: whoever loses the race for a code reads how it ended.
        for _ in 0..2 {
            match self.redeem(context, client, redeemed, &code_hash).await {
                Ok(Some(response)) => return Ok(response),
                Ok(None) => {}
                Err(Refusal::Plain(refusal)) if refusal.status >= 500 => return Err(refusal),
                Err(Refusal::Plain(refusal)) => {
                    let kind = EventKind::CodeExchangeFailed;
                    let event = self.exchange_event(context, client, kind);
                    return Err(self.refuse_exchange(event, refusal).await);
                }
                Err(Refusal::Replayed(authorization)) => {
                    return Err(self.refuse_replay(context, client, &authorization).await);
                }
            }
        }
        Err(OAuthError::invalid_code("the code was redeemed meanwhile"))
    }

    /// None when somebody else changed what was read.
    async fn redeem(
        &self,
        context: &Context,
        client: &Client,
        redeemed: &Redeemed,
        code_hash: &str,
    ) -> Result<Option<TokenResponse>, Refusal> {
        let (code, mut authorization) = self.living_code(client, code_hash).await?;
        let binding: CodeBinding = serde_json::from_str(&code.binding).map_err(defect)?;
        check_binding(&binding, &authorization, redeemed)?;
        authorization.dpop_key = redeemed.key.clone();
        let user = self
            .present_user(authorization.authentication.user)
            .await??;
        let proven_at = authorization.authentication.at;
        if !user.accepts_proof_of(proven_at) {
            return Err(OAuthError::invalid_code("the login counts no longer").into());
        }
        let api = self.api_for_user(authorization.audience.as_deref()).await?;
        let asked = Scopes::parse(&authorization.scope).map_err(OAuthError::from)?;
        let scope = user_scope(client, &asked, api.as_ref());
        authorization.scope = scope.to_string();
        let issue = Issue {
            client,
            user: &user,
            authorization: &authorization,
            grant_type: GrantType::AuthorizationCode,
            nonce: binding.nonce.as_deref(),
            code: None,
            access_token: true,
            id_token: true,
        };
        let mut write = self.store.write();
        write.require_proof(user.row, proven_at);
        let response = self.add_first_tokens(&mut write, &issue, api.as_ref())?;
        write.use_code(code_hash, self.now());
        let event = self.exchange_event(context, client, EventKind::CodeExchanged);
        write.log(&of_user(event, &user));
        match self.store.commit(write).await {
            Ok(()) => Ok(Some(response.with_scope(&scope, binding.asks_scope))),
            Err(StoreError::Stale { .. }) => Ok(None),
            Err(error) => Err(outage(error).into()),
        }
    }

    async fn living_code(
        &self,
        client: &Client,
        code_hash: &str,
    ) -> Result<(StoredCode, Authorization), Refusal> {
        let unknown = || OAuthError::invalid_code("unknown code");
        let code = self.store.find_code(code_hash).await.map_err(outage)?;
        let code = code.ok_or_else(unknown)?;
        let found = self.store.find_authorization(&code.authorization).await;
        let authorization = found.map_err(outage)?.ok_or_else(unknown)?;
        if authorization.client_id != client.client_id {
            return Err(OAuthError::invalid_code("the code is another client's").into());
        }
        if code.used_at.is_some() {
            return Err(Refusal::Replayed(Box::new(authorization)));
        }
        if code.expires_at <= self.now() {
            return Err(OAuthError::invalid_code("the code has expired").into());
        }
        if authorization.revoked_at.is_some() {
            return Err(OAuthError::invalid_code("the login was revoked").into());
        }
        Ok((code, authorization))
    }

    async fn refuse_replay(
        &self,
        context: &Context,
        client: &Client,
        authorization: &Authorization,
    ) -> OAuthError {
        let mut event = self.exchange_event(context, client, EventKind::CodeExchangeFailed);
        event.description =
            Some("The code was redeemed before: all its tokens are revoked.".into());
        event.user_id = Some(authorization.authentication.user_id.clone());
        let mut write = self.store.write();
        write.revoke_authorization(&authorization.id, self.now());
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => OAuthError::invalid_code("the code was redeemed before"),
            Err(error) => outage(error),
        }
    }
}

fn check_binding(
    binding: &CodeBinding,
    authorization: &Authorization,
    redeemed: &Redeemed,
) -> Result<(), OAuthError> {
    if binding.redirect_uri.is_some() && binding.redirect_uri != redeemed.redirect_uri {
        return Err(OAuthError::wrong_redirect_uri());
    }
    let verifier = redeemed.code_verifier.as_ref().map(Token::expose);
    check_verifier(binding.code_challenge.as_ref(), verifier).map_err(|error| match error {
        VerifierError::Missing => OAuthError::missing_parameter("code_verifier"),
        other => OAuthError::wrong_verifier(other.to_string()),
    })?;
    if authorization.dpop_key.is_some() && authorization.dpop_key != redeemed.key {
        return Err(OAuthError::wrong_key());
    }
    Ok(())
}

/// The event names whom it is about.
pub(super) fn of_user(mut event: LogEvent, user: &User) -> LogEvent {
    event.user_id = Some(user.user_id.clone());
    event.user_name = user.attributes.email.as_ref().map(ToString::to_string);
    event
}
