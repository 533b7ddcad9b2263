//! What a bearer's token says: to the userinfo endpoint, to introspection (RFC 7662), and to the
//! Management API.
//!
//! A token that hangs on an authorization names it in its `jti`; when that was revoked, the token
//! is refused here, although its signature is good.

use domain::{AuthorizationId, ClientId, Json};
use oidc::claims::{UserInfo, audience_contains, machine_subject};
use oidc::{OAuthError, PresentedToken, Scopes};
use serde_json::{Value, json};
use store::StoredRefreshToken;

use crate::Engine;
use crate::issue::token_hash;
use crate::token::{outage, subject_of};

/// Claims that introspection passes on.
const TOLD: &[&str] = &[
    "scope",
    "sub",
    "aud",
    "iss",
    "iat",
    "exp",
    "jti",
    "cnf",
    "permissions",
];

impl Engine {
    /// What the userinfo endpoint says to the bearer of an access token; `key` is the thumbprint of
    /// the key that was proven.
    pub async fn user_info(&self, token: &str, key: Option<&str>) -> Result<Json, OAuthError> {
        let claims = self.access_claims(token).await?;
        let issuer = &self.settings.issuer;
        if !audience_contains(&claims, &issuer.userinfo_audience()) {
            return Err(OAuthError::invalid_token("the token is not for userinfo"));
        }
        check_key(&claims, key)?;
        let subject = text(&claims, "sub");
        let user = self.store.find_user(&subject.into()).await;
        let user = user.map_err(outage)?.filter(|user| !user.is_blocked());
        let user = user.ok_or_else(|| OAuthError::invalid_token("the user is gone or blocked"))?;
        let subject = subject_of(&user);
        match serde_json::to_value(UserInfo::new(&subject, &Scopes::of_claims(&claims))) {
            Ok(Value::Object(body)) => Ok(body),
            _ => Err(OAuthError::server_error("userinfo is no object")),
        }
    }

    /// The claims of an access token, in either form, whose authorization still stands.
    pub(crate) async fn access_claims(&self, token: &str) -> Result<Json, OAuthError> {
        let now = self.now();
        let claims = if token.contains('.') {
            let issuer = self.settings.issuer.as_str();
            self.keys.current().verify(token, now, issuer)?
        } else {
            let found = self.store.find_opaque_token(&token_hash(token), now).await;
            let unknown = || OAuthError::invalid_token("unknown opaque token");
            found.map_err(outage)?.ok_or_else(unknown)?
        };
        // ID tokens and logout tokens are signed with the same keys.
        if !claims.contains_key("azp") && !claims.contains_key("client_id") {
            return Err(OAuthError::invalid_token("not an access token"));
        }
        if let Some(id) = authorization_of(&claims) {
            let found = self.store.find_authorization(&id).await.map_err(outage)?;
            if found.is_none_or(|found| found.revoked_at.is_some()) {
                return Err(OAuthError::invalid_token("the login was revoked"));
            }
        }
        Ok(claims)
    }

    /// Answers `POST /oauth/introspect`: clients with a secret learn what a token says. Whatever is
    /// wrong with the token, or with whom it speaks of, is one answer.
    pub async fn introspect(&self, request: &PresentedToken) -> Result<Value, OAuthError> {
        let client = self.proven_client(&request.client).await?;
        if client.auth == domain::TokenEndpointAuth::None {
            let detail = "public clients may not introspect";
            return Err(OAuthError::invalid_client(detail));
        }
        let token = request.token.expose();
        match self.access_claims(token).await {
            Ok(claims) if self.is_served(&claims).await? => return Ok(told(&claims)),
            Err(refusal) if refusal.status >= 500 => return Err(refusal),
            Ok(_) | Err(_) => {}
        }
        let found = self.store.find_refresh_token(&token_hash(token)).await;
        // A refresh token is nobody's business but its client's.
        let found = found
            .map_err(outage)?
            .filter(|found| found.authorization.client_id == client.client_id);
        let inactive = json!({"active": false});
        let Some(found) = found.filter(|found| self.is_alive(found)) else {
            return Ok(inactive);
        };
        let row = found.authorization.authentication.user;
        let user = self.store.find_user_by_row(row).await.map_err(outage)?;
        Ok(match user.filter(|user| !user.is_blocked()) {
            Some(_) => told_of_refresh_token(&found),
            None => inactive,
        })
    }

    /// Whether whom a token speaks of is still there: the client itself, or a user whom nobody
    /// barred.
    async fn is_served(&self, claims: &Json) -> Result<bool, OAuthError> {
        let client = client_of(claims).and_then(Value::as_str);
        let client: ClientId = client.unwrap_or_default().into();
        let subject = text(claims, "sub");
        if subject == machine_subject(&client) {
            let found = self.store.find_client(&client).await.map_err(outage)?;
            return Ok(found.is_some());
        }
        let found = self.store.find_user(&subject.into()).await;
        let found = found.map_err(outage)?;
        Ok(found.is_some_and(|user| !user.is_blocked()))
    }

    fn is_alive(&self, token: &StoredRefreshToken) -> bool {
        let now = self.now();
        let ends = [token.expires_at, token.idle_expires_at];
        token.used_at.is_none()
            && token.authorization.revoked_at.is_none()
            && ends.iter().flatten().all(|end| now < *end)
    }

    /// What a bearer of a Management API token may do; `key` is the thumbprint of the key that was
    /// proven.
    pub async fn authorize_management(
        &self,
        (token, key): (&str, Option<&str>),
    ) -> Result<(ClientId, Scopes), OAuthError> {
        let claims = self.access_claims(token).await?;
        check_key(&claims, key)?;
        if !audience_contains(&claims, &self.settings.management_audience()) {
            return Err(OAuthError::invalid_token(
                "the token is not for the Management API",
            ));
        }
        Ok((text(&claims, "azp").into(), Scopes::of_claims(&claims)))
    }
}

/// The key that a token is bound to.
pub(crate) fn bound_key(claims: &Json) -> Option<&str> {
    claims.get("cnf")?.get("jkt")?.as_str()
}

/// Sees that a token comes with the key that it is bound to, and with none when it is bound to none
/// (RFC 9449 §7).
pub(crate) fn check_key(claims: &Json, key: Option<&str>) -> Result<(), OAuthError> {
    if bound_key(claims) == key {
        Ok(())
    } else {
        let detail = "the token is bound to another key";
        Err(OAuthError::invalid_token(detail))
    }
}

fn text<'a>(claims: &'a Json, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// For whom a token was made out.
fn client_of(claims: &Json) -> Option<&Value> {
    claims.get("client_id").or_else(|| claims.get("azp"))
}

/// What a token hangs on, if it says so.
pub(crate) fn authorization_of(claims: &Json) -> Option<AuthorizationId> {
    let (id, _) = text(claims, "jti").split_once('.')?;
    Some(id.into())
}

fn told(claims: &Json) -> Value {
    let client = client_of(claims);
    let is_bound = claims.contains_key("cnf");
    let mut answer = json!({
        "active": true,
        "client_id": client,
        "token_type": if is_bound { "DPoP" } else { "Bearer" },
    });
    if let Some(members) = answer.as_object_mut() {
        let known = TOLD.iter().filter_map(|name| claims.get_key_value(*name));
        members.extend(known.map(|(name, value)| (name.clone(), value.clone())));
    }
    answer
}

fn told_of_refresh_token(token: &StoredRefreshToken) -> Value {
    let ends = [token.expires_at, token.idle_expires_at];
    let mut answer = json!({
        "active": true,
        "client_id": token.authorization.client_id,
        "scope": token.authorization.scope,
        "sub": token.authorization.authentication.user_id,
        "iat": token.created_at.seconds(),
    });
    if let (Some(members), Some(end)) = (answer.as_object_mut(), ends.iter().flatten().min()) {
        members.insert("exp".into(), end.seconds().into());
    }
    answer
}
