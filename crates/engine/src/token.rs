//! The token endpoint: who asks, what for, and the tokens that come of it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Client, ClientId, Connection, Json, ResourceServer, User};
use oidc::claims::{AccessToken, ID_TOKEN_LIFETIME, IdToken, UserInfo, audience_contains};
use oidc::{
    Audience, ClientAuthentication, GrantType, OAuthError, PasswordGrant, Scopes, Subject,
    TokenRequest, TokenResponse,
};

use crate::error::Error;
use crate::login::{LoginCommand, LoginError};
use crate::{Context, Engine};

/// Scopes of OpenID Connect that any user token may carry.
const OPENID_SCOPES: &str = "openid profile email phone address name given_name family_name nickname picture created_at \
     identities email_verified";

/// What a token for an API is made of.
pub(crate) struct TokenGrant<'a> {
    /// For whom.
    pub client: &'a Client,
    /// The API, if one was named.
    pub api: Option<ResourceServer>,
    /// What is allowed.
    pub scope: Scopes,
    /// Through which grant.
    pub kind: GrantType,
}

impl Engine {
    /// Answers `POST /oauth/token`.
    pub async fn token(
        &self,
        context: &Context,
        authentication: ClientAuthentication,
        request: TokenRequest,
    ) -> Result<TokenResponse, OAuthError> {
        let grant_type = request.grant_type();
        let (client, access) = match &request {
            TokenRequest::ClientCredentials { audience, .. } => {
                self.machine(&authentication, audience.as_deref()).await?
            }
            TokenRequest::Password(_) => (self.named_client(&authentication).await?, None),
        };
        prove(&client, &authentication)?;
        if !client.may_use(grant_type.as_str()) {
            return Err(OAuthError::grant_not_allowed(grant_type.as_str()));
        }
        if grant_type == GrantType::ClientCredentials
            && client.auth == domain::TokenEndpointAuth::None
        {
            return Err(OAuthError::grant_not_allowed(grant_type.as_str()));
        }
        match request {
            TokenRequest::Password(grant) => self.password_token(context, client, grant).await,
            TokenRequest::ClientCredentials { scope, .. } => {
                let access = access.ok_or_else(OAuthError::audience_required)?;
                self.client_token(context, &client, access, &scope).await
            }
        }
    }

    pub(crate) async fn named_client(
        &self,
        proof: &ClientAuthentication,
    ) -> Result<Client, OAuthError> {
        let client_id: ClientId = proof.require_client_id()?;
        let client = self.store.find_client(&client_id).await.map_err(outage)?;
        client.ok_or_else(unknown_client)
    }

    async fn password_token(
        &self,
        context: &Context,
        client: Client,
        grant: PasswordGrant,
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
        let scope = user_scope(&grant.scope, api.as_ref());
        let response = self.user_token(
            &TokenGrant {
                client: &login.client,
                api,
                scope: scope.clone(),
                kind: grant.grant_type,
            },
            &user,
        )?;
        let is_as_asked = scope == grant.scope;
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
        if connection.serves(&client.client_id) {
            Ok(connection)
        } else {
            let detail = format!("the connection {realm} is not enabled for the client");
            Err(OAuthError::unknown_realm(realm).with_detail(detail))
        }
    }

    /// The API of a user's token. The Management API is no API for users.
    pub(crate) async fn api_for_user(
        &self,
        audience: Option<&str>,
    ) -> Result<Option<ResourceServer>, OAuthError> {
        let Some(audience) = audience.or(self.settings.default_audience.as_deref()) else {
            return Ok(None);
        };
        if audience == self.settings.issuer.userinfo_audience() {
            return Ok(None);
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

    pub(crate) fn user_token(
        &self,
        grant: &TokenGrant<'_>,
        user: &User,
    ) -> Result<TokenResponse, OAuthError> {
        let now = self.now();
        let subject = subject_of(user);
        let lifetime = self.lifetime(grant.api.as_ref());
        let audience = grant.api.as_ref().map(|api| api.identifier.as_str());
        let keys = self.keys.current();
        let access = AccessToken {
            issuer: &self.settings.issuer,
            subject: user.user_id.as_str(),
            audience: Audience::granted(audience, &grant.scope, &self.settings.issuer),
            client_id: &grant.client.client_id,
            scope: &grant.scope,
            grant_type: grant.kind,
            issued_at: now,
            lifetime,
        };
        let access = keys
            .current()
            .sign(Some(oidc::jwt::JWT), &access.claims())
            .map_err(defect)?;
        let response = TokenResponse::new(access, lifetime);
        if !grant.scope.contains("openid") {
            return Ok(response);
        }
        let id_token = IdToken {
            issuer: &self.settings.issuer,
            subject: &subject,
            client_id: &grant.client.client_id,
            scope: &grant.scope,
            issued_at: now,
            lifetime: ID_TOKEN_LIFETIME,
        };
        let id_token = keys
            .current()
            .sign(Some(oidc::jwt::JWT), &id_token.claims())
            .map_err(defect)?;
        Ok(response.with_id_token(id_token))
    }

    pub(crate) fn lifetime(&self, api: Option<&ResourceServer>) -> Duration {
        let seconds = api.map_or(self.settings.token_lifetime, |api| api.token_lifetime);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }

    /// What the userinfo endpoint says to the bearer of an access token.
    pub async fn user_info(&self, token: &str) -> Result<Json, OAuthError> {
        let issuer = &self.settings.issuer;
        let claims = self
            .keys
            .current()
            .verify(token, self.now(), issuer.as_str())?;
        if !audience_contains(&claims, &issuer.userinfo_audience()) {
            return Err(OAuthError::invalid_token("the token is not for userinfo"));
        }
        let subject = claims
            .get("sub")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let user = self
            .store
            .find_user(&subject.into())
            .await
            .map_err(outage)?;
        let user = user.filter(|user| !user.is_blocked());
        let user = user.ok_or_else(|| OAuthError::invalid_token("the user is gone or blocked"))?;
        let subject = subject_of(&user);
        match serde_json::to_value(UserInfo::new(&subject, &Scopes::of_claims(&claims))) {
            Ok(serde_json::Value::Object(body)) => Ok(body),
            _ => Err(OAuthError::server_error("userinfo is no object")),
        }
    }

    /// What a bearer of a Management API token may do.
    pub fn authorize_management(&self, token: &str) -> Result<(ClientId, Scopes), OAuthError> {
        let issuer = &self.settings.issuer;
        let claims = self
            .keys
            .current()
            .verify(token, self.now(), issuer.as_str())?;
        if !audience_contains(&claims, &self.settings.management_audience()) {
            return Err(OAuthError::invalid_token(
                "the token is not for the Management API",
            ));
        }
        let client = claims
            .get("azp")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        Ok((client.into(), Scopes::of_claims(&claims)))
    }
}

pub(crate) fn unknown_client() -> OAuthError {
    OAuthError::invalid_client("unknown client")
}

/// Sees that the request comes from the client.
fn prove(client: &Client, proof: &ClientAuthentication) -> Result<(), OAuthError> {
    let is_public = client.auth == domain::TokenEndpointAuth::None;
    match &proof.secret {
        Some(secret) if !is_public && is_same(secret.expose(), client.secret.expose()) => Ok(()),
        _ if is_public => Ok(()),
        _ => Err(OAuthError::invalid_client("wrong or missing client secret")),
    }
}

/// Compares without telling where the difference is.
fn is_same(one: &str, other: &str) -> bool {
    constant_time_eq::constant_time_eq(one.as_bytes(), other.as_bytes())
}

/// Scopes a user's token carries: those of OpenID Connect and those that the API knows.
fn user_scope(asked: &Scopes, api: Option<&ResourceServer>) -> Scopes {
    let mut known: Vec<&str> = OPENID_SCOPES.split(' ').collect();
    // An API that enforces policies grants a user what roles allow; there are no roles yet.
    let is_open = |api: &&ResourceServer| {
        api.attributes.get("enforce_policies") != Some(&serde_json::Value::Bool(true))
    };
    let open = api.filter(is_open);
    known.extend(
        open.iter()
            .flat_map(|api| api.scopes.iter().map(|(value, _)| value.as_str())),
    );
    asked.intersect(&known.into_iter().collect())
}

/// A user as tokens speak of one.
pub(crate) fn subject_of(user: &User) -> Subject {
    let shown = crate::profile_view::ShownProfile::of(&user.attributes);
    let mut subject = Subject::new(user.user_id.clone());
    subject.email = user.attributes.email.as_ref().map(ToString::to_string);
    subject.email_verified = user.attributes.email_verified;
    subject.name = shown.name;
    subject.nickname = shown.nickname;
    subject.picture = shown.picture;
    subject.given_name.clone_from(&user.attributes.given_name);
    subject.family_name.clone_from(&user.attributes.family_name);
    subject
        .phone_number
        .clone_from(&user.attributes.phone_number);
    subject.phone_verified = user.attributes.phone_verified;
    subject.updated_at = Some(user.updated_at);
    subject
}

fn login_refusal(error: LoginError) -> OAuthError {
    match error {
        LoginError::Denied => OAuthError::wrong_credentials(),
        LoginError::Blocked => OAuthError::user_blocked(),
        LoginError::TooManyAttempts => OAuthError::too_many_attempts(),
        LoginError::Throttled => OAuthError::too_many_requests(),
        LoginError::Refused(message) => OAuthError::unauthorized(message),
        LoginError::Conflict(message) => {
            OAuthError::denied(format!("The account could not be moved: {message}."))
        }
        LoginError::Failed(error) => engine_refusal(error),
    }
}

pub(crate) fn engine_refusal(error: Error) -> OAuthError {
    match &error {
        Error::Unavailable { detail } => OAuthError::temporarily_unavailable(detail.clone()),
        other => OAuthError::server_error(other.to_string()),
    }
}

pub(crate) fn outage(error: store::StoreError) -> OAuthError {
    engine_refusal(error.into())
}

pub(crate) fn defect(error: impl ToString) -> OAuthError {
    OAuthError::server_error(error.to_string())
}
