//! The token endpoint: who asks, what for, and the tokens that come of it.
//!
//! | file | what |
//! |---|---|
//! | `password` | a person's password, by a client's hand, and the second factor after it |
//! | `code` | the code of a login in a browser |
//! | `refresh`, `refresh_policy` | a token that stands for an earlier login, and how long it does |
//! | `device` | a device whose person has a browser elsewhere |
//! | `scope` | APIs and scopes that a person's tokens may be for |
//!
//! Tokens of clients for themselves are in `machine_token`; the tokens themselves in `issue`.

mod code;
pub(crate) mod device;
pub(crate) mod password;
mod refresh;
mod refresh_policy;
pub(crate) mod scope;

use domain::{Client, ClientId, EventKind, LogEvent, User};
use oidc::dpop::Proof;
use oidc::{ClientAuthentication, GrantType, OAuthError, Subject, TokenRequest, TokenResponse};

use crate::error::Error;
use crate::{Context, Engine};

pub use device::{DeviceAnswer, WaitingDevice};

/// A request to the token endpoint, and what came in its headers.
#[derive(Debug)]
pub struct TokenCall {
    /// Who says to be the client.
    pub authentication: ClientAuthentication,
    /// What it asks for.
    pub request: TokenRequest,
    /// The person's address, as a backend that logs people in names it (`auth0-forwarded-for`).
    pub forwarded_for: Option<String>,
    /// The proof of a key that the caller holds (RFC 9449).
    pub dpop_proof: Option<Proof>,
}

impl Engine {
    /// Answers `POST /oauth/token`.
    pub async fn token(
        &self,
        context: &Context,
        call: TokenCall,
    ) -> Result<TokenResponse, OAuthError> {
        let grant_type = call.request.grant_type();
        let (client, access) = match &call.request {
            TokenRequest::ClientCredentials { audience, .. } => {
                self.machine(&call.authentication, audience.as_deref())
                    .await?
            }
            _ => (self.named_client(&call.authentication).await?, None),
        };
        self.prove(&client, &call.authentication).await?;
        check_grant(&client, grant_type)?;
        let key = self.use_proof(call.dpop_proof).await?;
        let key = key.map(|key| key.as_str().to_owned());
        match call.request {
            TokenRequest::Password(grant) => {
                let context = on_behalf(context, &client, call.forwarded_for);
                self.password_token(&context, client, grant, key).await
            }
            TokenRequest::ClientCredentials { scope, .. } => {
                let access = access.ok_or_else(OAuthError::audience_required)?;
                self.client_token(context, &client, access, &scope, key.as_deref())
                    .await
            }
            TokenRequest::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => {
                let redeemed = code::Redeemed {
                    code,
                    redirect_uri,
                    code_verifier,
                    key,
                };
                self.code_token(context, &client, &redeemed).await
            }
            TokenRequest::RefreshToken {
                refresh_token,
                scope,
            } => {
                self.refreshed_token(context, &client, &refresh_token, &scope, key)
                    .await
            }
            TokenRequest::DeviceCode { device_code } => {
                self.device_token(context, &client, &device_code, key).await
            }
            // No exchange is set up: that is a client's own error, not a wrong token.
            TokenRequest::TokenExchange(exchange) => Err(OAuthError::invalid_request(format!(
                "No token exchange is configured for the subject_token_type {}",
                oidc::error::shown(&exchange.subject_token_type)
            ))),
            TokenRequest::Mfa(grant) => self.mfa_token(context, client, &grant, key).await,
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

    /// The client, when it proved itself.
    pub(crate) async fn proven_client(
        &self,
        proof: &ClientAuthentication,
    ) -> Result<Client, OAuthError> {
        let client = self.named_client(proof).await?;
        self.prove(&client, proof).await?;
        Ok(client)
    }

    /// The user of a login, when there still is one and nobody barred it.
    pub(crate) async fn present_user(
        &self,
        row: domain::UserRow,
    ) -> Result<Result<User, OAuthError>, OAuthError> {
        let user = self.store.find_user_by_row(row).await.map_err(outage)?;
        Ok(match user {
            None => Err(OAuthError::invalid_code("the user is gone")),
            Some(user) if user.is_blocked() => Err(OAuthError::user_blocked()),
            Some(user) => Ok(user),
        })
    }

    /// An event about a client's exchange.
    pub(crate) fn exchange_event(
        &self,
        context: &Context,
        client: &Client,
        kind: EventKind,
    ) -> LogEvent {
        let mut event = self.event(context, kind);
        event.client = Some((client.client_id.clone(), client.name.clone()));
        event
    }

    /// Logs that an exchange was refused; gives the refusal back.
    pub(crate) async fn refuse_exchange(
        &self,
        mut event: LogEvent,
        refusal: OAuthError,
    ) -> OAuthError {
        event.description = Some(
            refusal
                .detail
                .clone()
                .unwrap_or_else(|| refusal.description.clone()),
        );
        match self.log_only(event).await {
            Ok(()) => refusal,
            Err(error) => engine_refusal(error),
        }
    }
}

/// Sees that the client may use the grant.
fn check_grant(client: &Client, grant_type: GrantType) -> Result<(), OAuthError> {
    let is_public = client.auth == domain::TokenEndpointAuth::None;
    let is_machine = grant_type == GrantType::ClientCredentials;
    if client.may_use(grant_type.as_str()) && !(is_machine && is_public) {
        Ok(())
    } else {
        Err(OAuthError::grant_not_allowed(grant_type.as_str()))
    }
}

/// The caller, with the person's own address where the client is trusted to name it.
fn on_behalf(context: &Context, client: &Client, address: Option<String>) -> Context {
    let is_trusted = client.auth != domain::TokenEndpointAuth::None
        && client.attributes.get("is_token_endpoint_ip_header_trusted")
            == Some(&serde_json::Value::Bool(true));
    let address = address
        .filter(|text| is_trusted && text.trim().parse::<std::net::IpAddr>().is_ok())
        .map(|text| text.trim().to_owned());
    let mut context = context.clone();
    context.ip = address.or(context.ip);
    context
}

pub(crate) fn unknown_client() -> OAuthError {
    OAuthError::invalid_client("unknown client")
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
