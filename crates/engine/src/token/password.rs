//! A person's password, by a client's hand: both password grants.

use std::sync::Arc;

use domain::{Authentication, AuthenticationMethod, Client, Connection, ResourceServer, User};
use oidc::{GrantType, OAuthError, PasswordGrant, Scopes, TokenResponse};

use super::scope::user_scope;
use super::{engine_refusal, outage};
use crate::issue::{Issue, new_authorization};
use crate::login::{LoginCommand, LoginError};
use crate::{Context, Engine};

/// What a proven password asks for.
pub(crate) struct ProvenPassword {
    /// The client that brought it.
    pub client: Client,
    /// Where the password lives.
    pub connection: Connection,
    /// Which of the grants.
    pub grant_type: GrantType,
    /// The API, if one was named.
    pub api: Option<ResourceServer>,
    /// What was asked for.
    pub asked: Scopes,
    /// Thumbprint of the key that the tokens are bound to.
    pub key: Option<String>,
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
        let api = self.api_for_user(grant.audience.as_deref()).await?;
        let login = LoginCommand {
            client,
            connection,
            identifier: grant.username,
            password: Arc::new(grant.password),
        };
        let user = self.login(context, &login).await.map_err(login_refusal)?;
        let proven = ProvenPassword {
            client: login.client,
            connection: login.connection,
            grant_type: grant.grant_type,
            api,
            asked: grant.scope,
            key,
        };
        self.after_password(context, &user, proven).await
    }

    /// What follows a proven password: the tokens, at once.
    async fn after_password(
        &self,
        _context: &Context,
        user: &User,
        proven: ProvenPassword,
    ) -> Result<TokenResponse, OAuthError> {
        let methods = vec![AuthenticationMethod::Password];
        self.password_tokens(user, proven, methods).await
    }

    /// The tokens of a password login, and of the second factor that followed it.
    pub(crate) async fn password_tokens(
        &self,
        user: &User,
        proven: ProvenPassword,
        methods: Vec<AuthenticationMethod>,
    ) -> Result<TokenResponse, OAuthError> {
        let scope = user_scope(&proven.client, &proven.asked, proven.api.as_ref());
        let authentication = Authentication {
            user: user.row,
            user_id: user.user_id.clone(),
            connection: Some(proven.connection.id),
            session: None,
            at: self.now(),
            methods,
        };
        let mut authorization = new_authorization(self, &proven.client, authentication, &scope);
        authorization.audience = proven.api.as_ref().map(|api| api.identifier.clone());
        authorization.dpop_key = proven.key;
        let issue = Issue {
            client: &proven.client,
            user,
            authorization: &authorization,
            grant_type: proven.grant_type,
            nonce: None,
            code: None,
            access_token: true,
            id_token: true,
        };
        let mut write = self.store.write();
        let response = self.add_login_tokens(&mut write, &issue, proven.api.as_ref())?;
        if !write.is_empty() {
            self.store.commit(write).await.map_err(outage)?;
        }
        let is_as_asked = scope == proven.asked;
        Ok(if is_as_asked {
            response
        } else {
            response.with_scope(&scope)
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
        LoginError::Refused(message) => OAuthError::unauthorized(message),
        LoginError::Conflict(message) => {
            OAuthError::denied(format!("The account could not be moved: {message}."))
        }
        LoginError::Failed(error) => engine_refusal(error),
    }
}
