//! Tokens for machines (`client_credentials`): one read, one signature, one logged write.

use domain::{Client, ClientGrant, ClientId, EventKind, Json, LogEvent, ResourceServer};
use oidc::claims::{AccessToken, machine_subject};
use oidc::{Audience, ClientAuthentication, GrantType, OAuthError, Scopes, TokenResponse};

use crate::issue::{dialect_of, is_opaque};
use crate::token::{engine_refusal, outage, unknown_client};
use crate::{Context, Engine};

/// What a client may do at an audience.
pub(crate) struct Access {
    audience: String,
    api: Option<ResourceServer>,
    grant: Option<ClientGrant>,
}

impl Engine {
    /// The client, and what it may do at the audience, if one is named: one read for both.
    pub(crate) async fn machine(
        &self,
        proof: &ClientAuthentication,
        audience: Option<&str>,
    ) -> Result<(Client, Option<Access>), OAuthError> {
        let default = self.settings.default_audience.as_deref();
        let Some(audience) = audience.or(default) else {
            return Ok((self.named_client(proof).await?, None));
        };
        let client_id: ClientId = proof.require_client_id()?;
        let found = self.store.find_machine_access(&client_id, audience);
        let found = found.await.map_err(outage)?.ok_or_else(unknown_client)?;
        let access = Access {
            audience: audience.to_owned(),
            api: found.api,
            grant: found.grant,
        };
        Ok((found.client, Some(access)))
    }

    pub(crate) async fn client_token(
        &self,
        context: &Context,
        client: &Client,
        access: Access,
        asked: &Scopes,
        key: Option<&str>,
    ) -> Result<TokenResponse, OAuthError> {
        let audience = access.audience;
        let api = access
            .api
            .ok_or_else(|| OAuthError::unknown_audience(&audience))?;
        let Some(grant) = access.grant else {
            let kind = EventKind::ClientCredentialsFailed;
            let event = self.client_token_event(context, client, kind, &audience);
            self.log_only(event).await.map_err(engine_refusal)?;
            return Err(OAuthError::audience_not_granted(&audience));
        };
        let scope = machine_scope(&grant, asked);
        let lifetime = self.lifetime(Some(&api), GrantType::ClientCredentials);
        let dialect = dialect_of(Some(&api));
        let id = self.token_id(dialect, None);
        let subject = machine_subject(&client.client_id);
        let access = AccessToken {
            issuer: &self.settings.issuer,
            subject: &subject,
            audience: Audience::One(audience.clone()),
            client_id: &client.client_id,
            scope: &scope,
            grant_type: GrantType::ClientCredentials,
            issued_at: self.now(),
            lifetime,
            dialect,
            id: id.as_deref(),
            authentication: None,
            key,
        };
        let mut write = self.store.write();
        let access = if is_opaque(Some(&api)) {
            self.add_opaque_token(&mut write, &access, None, None)?
        } else {
            self.sign_access_token(Some(&api), &access)?
        };
        write.log(&self.client_token_event(
            context,
            client,
            EventKind::ClientCredentials,
            &audience,
        ));
        self.store.commit(write).await.map_err(outage)?;
        let response = TokenResponse::new(access, lifetime);
        let response = response.with_scope(&scope, !asked.is_empty());
        Ok(match key {
            Some(_) => response.bound_to_key(),
            None => response,
        })
    }

    fn client_token_event(
        &self,
        context: &Context,
        client: &Client,
        kind: EventKind,
        audience: &str,
    ) -> LogEvent {
        let mut event = self.exchange_event(context, client, kind);
        event.details = Json::from_iter([("audience".to_owned(), audience.into())]);
        event
    }
}

/// What is asked for, of what is granted; all of that when nothing is.
fn machine_scope(grant: &ClientGrant, asked: &Scopes) -> Scopes {
    let granted: Scopes = grant.scope.iter().map(String::as_str).collect();
    if asked.is_empty() {
        granted
    } else {
        asked.intersect(&granted)
    }
}
