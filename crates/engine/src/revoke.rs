//! Tokens that a client gives back (RFC 7009). A refresh token takes its whole authorization with
//! it; an opaque access token goes alone. A token that is not known, or another client's, is as
//! good as gone: the answer is the same.

use domain::EventKind;
use oidc::{OAuthError, PresentedToken};

use crate::issue::token_hash;
use crate::token::outage;
use crate::{Context, Engine};

impl Engine {
    /// Answers `POST /oauth/revoke`.
    pub async fn revoke(
        &self,
        context: &Context,
        request: &PresentedToken,
    ) -> Result<(), OAuthError> {
        let client = self.proven_client(&request.client).await?;
        let (token, now) = (request.token.expose(), self.now());
        let hash = token_hash(token);
        let found = self.store.find_refresh_token(&hash).await.map_err(outage)?;
        if let Some(found) = found {
            let authorization = found.authorization;
            if authorization.client_id == client.client_id {
                let mut event =
                    self.exchange_event(context, &client, EventKind::RefreshTokenRevoked);
                event.user_id = Some(authorization.authentication.user_id);
                let mut write = self.store.write();
                write.revoke_authorization(&authorization.id, now);
                write.log(&event);
                self.store.commit(write).await.map_err(outage)?;
            }
            return Ok(());
        }
        let opaque = self.store.find_opaque_token(&hash, now).await;
        if let Some(claims) = opaque.map_err(outage)? {
            let of = claims.get("azp").or_else(|| claims.get("client_id"));
            if of.and_then(serde_json::Value::as_str) == Some(client.client_id.as_str()) {
                let mut write = self.store.write();
                write.delete_opaque_token(&hash);
                self.store.commit(write).await.map_err(outage)?;
            }
            return Ok(());
        }
        let issuer = self.settings.issuer.as_str();
        match self.keys.current().verify(token, now, issuer) {
            Ok(_) => Err(OAuthError::unsupported_token_type()),
            Err(_) => Ok(()),
        }
    }
}
