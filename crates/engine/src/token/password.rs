//! A person's password, by a client's hand: both password grants, and those of the second factor
//! that may follow.

use std::sync::Arc;

use domain::{Authentication, Client, Connection, ResourceServer, User};
use oidc::{GrantType, MfaGrant, OAuthError, PasswordGrant, Scopes, TokenResponse};

use super::scope::user_scope;
use super::{engine_refusal, outage};
use crate::issue::{Issue, new_authorization};
use crate::login::{LoginCommand, LoginError};
use crate::mfa::{PasswordProven, password_authentication};
use crate::{Context, Engine};

/// A login that is over, and what it asked for.
struct LoggedIn {
    /// The client that brought it.
    client: Client,
    /// Who logged in.
    user: User,
    /// How.
    authentication: Authentication,
    /// Which of the grants.
    grant_type: GrantType,
    /// The API, if one was named.
    api: Option<ResourceServer>,
    /// What was asked for.
    asked: Scopes,
    /// Thumbprint of the key that the tokens are bound to.
    key: Option<String>,
}

impl Engine {
    pub(super) async fn password_token(
        &self,
        context: &Context,
        client: Client,
        grant: PasswordGrant,
        key: Option<String>,
    ) -> Result<TokenResponse, OAuthError> {
        let connection = self.connection_of(&client, grant.realm.as_deref()).await?;
        let api = self.requested_api(grant.audience.as_deref()).await?;
        let login = LoginCommand {
            client,
            connection,
            identifier: grant.username,
            password: Arc::new(grant.password),
        };
        // As of before the password was looked at: one that is set meanwhile is the younger.
        let at = self.now();
        let user = self.login(context, &login).await.map_err(login_refusal)?;
        let authentication = password_authentication(&user, &login.connection.id, at);
        let proven = PasswordProven {
            client: &login.client,
            user: &user,
            authentication: &authentication,
            scope: &grant.scope,
            audience: grant.audience.as_deref(),
        };
        self.after_password(context, &proven).await?;
        let login = LoggedIn {
            client: login.client,
            user,
            authentication,
            grant_type: grant.grant_type,
            api,
            asked: grant.scope,
            key,
        };
        self.login_tokens(login).await
    }

    /// A second factor after `mfa_required`.
    pub(super) async fn mfa_token(
        &self,
        context: &Context,
        client: Client,
        grant: &MfaGrant,
        key: Option<String>,
    ) -> Result<TokenResponse, OAuthError> {
        let proven = self
            .after_factor(context, &client, (grant, key.as_deref()))
            .await?;
        let login = LoggedIn {
            api: self.requested_api(proven.audience.as_deref()).await?,
            client,
            user: proven.user,
            authentication: proven.authentication,
            grant_type: grant.grant_type,
            asked: proven.scope,
            key,
        };
        let tokens = self.login_tokens(login).await?;
        Ok(match proven.recovery_code {
            Some(code) => tokens.with_recovery_code(code),
            None => tokens,
        })
    }

    async fn login_tokens(&self, login: LoggedIn) -> Result<TokenResponse, OAuthError> {
        let LoggedIn {
            client, user, api, ..
        } = login;
        let scope = user_scope(&client, &login.asked, api.as_ref());
        let mut authorization = new_authorization(self, &client, login.authentication, &scope);
        authorization.audience = api.as_ref().map(|api| api.identifier.clone());
        authorization.dpop_key = login.key;
        let issue = Issue {
            client: &client,
            user: &user,
            authorization: &authorization,
            grant_type: login.grant_type,
            nonce: None,
            code: None,
            access_token: true,
            id_token: true,
        };
        let mut write = self.store.write();
        let response = self.add_login_tokens(&mut write, &issue, api.as_ref())?;
        if !write.is_empty() {
            self.store.commit(write).await.map_err(outage)?;
        }
        let is_as_asked = scope == login.asked;
        Ok(if is_as_asked {
            response
        } else {
            response.with_scope(&scope, !login.asked.is_empty())
        })
    }

    /// The connection of a realm, or the default directory; it must serve the client.
    async fn connection_of(
        &self,
        client: &Client,
        realm: Option<&str>,
    ) -> Result<Connection, OAuthError> {
        let default = self.settings.default_directory.as_deref();
        let realm = realm
            .or(default)
            .ok_or_else(OAuthError::no_default_connection)?;
        let found = self
            .store
            .find_connection_by_realm(realm)
            .await
            .map_err(outage)?;
        let connection = found.ok_or_else(|| OAuthError::unknown_realm(realm))?;
        if connection.serves(&client.client_id) && connection.is_database() {
            Ok(connection)
        } else {
            let detail = format!("the connection {realm} is not enabled for the client");
            Err(OAuthError::unknown_realm(realm).with_detail(detail))
        }
    }
}

fn login_refusal(error: LoginError) -> OAuthError {
    match error {
        LoginError::Denied => OAuthError::wrong_credentials(),
        LoginError::Blocked => OAuthError::user_blocked(),
        LoginError::TooManyAttempts => OAuthError::too_many_attempts(),
        LoginError::Throttled => OAuthError::too_many_requests(),
        LoginError::Leaked => OAuthError::password_leaked(),
        LoginError::Refused(message) => OAuthError::unauthorized(message),
        LoginError::Conflict(message) => {
            OAuthError::denied(format!("The account could not be moved: {message}."))
        }
        LoginError::Failed(error) => engine_refusal(error),
    }
}
