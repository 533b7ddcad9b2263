//! APIs and scopes that a person's tokens may be for.

use std::time::Duration;

use domain::{Client, ResourceServer};
use oidc::{GrantType, OAuthError, Scopes};
use serde_json::Value;

use super::outage;
use crate::Engine;

/// Scopes of OpenID Connect that any user token may carry.
const OPENID_SCOPES: &str = "openid profile email phone address name given_name family_name nickname picture created_at \
     identities email_verified";

/// Asks for a refresh token.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

impl Engine {
    /// The API that a request for a user's token means: the default one, where it names none.
    pub(crate) async fn requested_api(
        &self,
        audience: Option<&str>,
    ) -> Result<Option<ResourceServer>, OAuthError> {
        let default = self.settings.default_audience.as_deref();
        self.api_for_user(audience.or(default)).await
    }

    /// The API of a user's token: none, where the token is for userinfo alone. The Management API is
    /// no API for users.
    pub(crate) async fn api_for_user(
        &self,
        audience: Option<&str>,
    ) -> Result<Option<ResourceServer>, OAuthError> {
        let Some(audience) = audience else {
            return Ok(None);
        };
        if audience == self.settings.issuer.userinfo_audience() {
            return Ok(None);
        }
        if let Some(api) = self.mfa_api(audience) {
            return Ok(Some(api));
        }
        let api = self
            .store
            .find_resource_server(audience)
            .await
            .map_err(outage)?;
        let api = api.ok_or_else(|| OAuthError::unknown_audience(audience))?;
        if api.is_system {
            return Err(OAuthError::audience_not_granted(audience));
        }
        Ok(Some(api))
    }

    /// How long an access token for an API is good; less when it travels through a browser.
    pub(crate) fn lifetime(&self, api: Option<&ResourceServer>, grant_type: GrantType) -> Duration {
        let seconds = match api {
            Some(api) if grant_type == GrantType::Implicit => api.token_lifetime_for_web(),
            Some(api) => api.token_lifetime,
            None => self.settings.token_lifetime,
        };
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }
}

/// Scopes that a person's token carries: those of OpenID Connect, those that the API knows, and
/// `offline_access` where a refresh token may be had.
pub(crate) fn user_scope(client: &Client, asked: &Scopes, api: Option<&ResourceServer>) -> Scopes {
    let mut known: Vec<&str> = OPENID_SCOPES.split(' ').collect();
    if may_be_offline(client, api) {
        known.push(OFFLINE_ACCESS);
    }
    // An API that enforces policies grants a user what roles allow; there are no roles yet.
    let is_open = |api: &&ResourceServer| !is_set(api, "enforce_policies");
    let open = api.filter(is_open);
    known.extend(
        open.iter()
            .flat_map(|api| api.scopes.iter().map(|(value, _)| value.as_str())),
    );
    asked.intersect(&known.into_iter().collect())
}

/// Whether the client may have refresh tokens for an API.
fn may_be_offline(client: &Client, api: Option<&ResourceServer>) -> bool {
    client.may_use(GrantType::RefreshToken.as_str())
        && api.is_none_or(|api| is_set(api, "allow_offline_access"))
}

fn is_set(api: &ResourceServer, member: &str) -> bool {
    api.attributes.get(member) == Some(&Value::Bool(true))
}
