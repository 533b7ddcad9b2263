//! `POST /oauth/token` and its neighbours: the parameters, read once into a typed request. What arrives here is a
//! stranger's; what leaves has every parameter that its grant needs and nothing else.
//!
//! Steps: [`Params`] from a form or JSON body → who says to be the client
//! ([`ClientAuthentication`]) → which grant, with what ([`TokenRequest`]). Whether any of it is
//! true is not decided here.

mod client_authentication;
mod mfa;
mod params;
mod proof_key;
mod response;

use std::fmt;

use domain::{Password, Token};

pub use client_authentication::ClientAuthentication;
pub use mfa::{MfaAnswer, MfaChallengeRequest, MfaGrant, parse_mfa_challenge};
pub use params::Params;
pub use proof_key::{VerifierError, check_verifier};
pub use response::TokenResponse;

use crate::error::OAuthError;
use crate::scopes::Scopes;

/// The grants that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// Resource owner password (RFC 6749 §4.3); the connection is the tenant's default directory
    /// unless a realm is given.
    Password,
    /// Auth0's extension of it, where a realm names the connection.
    PasswordRealm,
    /// The client for itself (RFC 6749 §4.4).
    ClientCredentials,
    /// The code of a login in a browser (RFC 6749 §4.1).
    AuthorizationCode,
    /// A token that stands for an earlier login (RFC 6749 §6).
    RefreshToken,
    /// A device whose person has a browser elsewhere (RFC 8628).
    DeviceCode,
    /// A token of somebody else's (RFC 8693).
    TokenExchange,
    /// A second factor: a code of an authenticator application.
    MfaOtp,
    /// A second factor: a code that was sent.
    MfaOob,
    /// A second factor: the recovery code.
    MfaRecoveryCode,
    /// Tokens at once, from the authorization endpoint (RFC 6749 §4.2). The token endpoint does
    /// not know it.
    Implicit,
}

impl GrantType {
    /// All that the token endpoint takes, as discovery lists them.
    pub const ALL: [Self; 10] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::Password,
        Self::PasswordRealm,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::MfaOtp,
        Self::MfaOob,
        Self::MfaRecoveryCode,
    ];

    /// Whether tokens come of it here: an exchange needs a configuration that nobody can make yet.
    pub const fn is_served(self) -> bool {
        !matches!(self, Self::TokenExchange)
    }

    /// The `grant_type` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordRealm => "http://auth0.com/oauth/grant-type/password-realm",
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::MfaOtp => "http://auth0.com/oauth/grant-type/mfa-otp",
            Self::MfaOob => "http://auth0.com/oauth/grant-type/mfa-oob",
            Self::MfaRecoveryCode => "http://auth0.com/oauth/grant-type/mfa-recovery-code",
            Self::Implicit => "implicit",
        }
    }

    /// Reads the parameter.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }

    /// The `gty` claim of access tokens, in Auth0's own spelling; those of a browser have none.
    pub const fn gty(self) -> Option<&'static str> {
        match self {
            Self::Password | Self::PasswordRealm => Some("password"),
            Self::MfaOtp => Some("mfa-otp"),
            Self::MfaOob => Some("mfa-oob"),
            Self::MfaRecoveryCode => Some("mfa-recovery-code"),
            Self::ClientCredentials => Some("client-credentials"),
            Self::RefreshToken => Some("refresh_token"),
            Self::DeviceCode => Some("device_code"),
            Self::TokenExchange => Some("token-exchange"),
            Self::AuthorizationCode | Self::Implicit => None,
        }
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A person's name and password, brought by a client.
#[derive(Debug)]
pub struct PasswordGrant {
    /// Which of the two password grants: clients are allowed each by itself.
    pub grant_type: GrantType,
    /// E-mail address, username or phone number, as typed.
    pub username: String,
    /// The password, as typed.
    pub password: Password,
    /// Name of the connection or one of its realms; always there with the password-realm grant.
    pub realm: Option<String>,
    /// What is asked for.
    pub scope: Scopes,
    /// The API that the token shall be for.
    pub audience: Option<String>,
}

/// What a client asks of the token endpoint.
#[derive(Debug)]
pub enum TokenRequest {
    /// Both password grants.
    Password(PasswordGrant),
    /// A token for the client itself.
    ClientCredentials {
        /// The API that the token shall be for.
        audience: Option<String>,
        /// What is asked for; empty means all that was granted.
        scope: Scopes,
    },
    /// The code of a login in a browser.
    AuthorizationCode {
        /// The code.
        code: Token,
        /// Where it was sent.
        redirect_uri: Option<String>,
        /// Proof of who asked for it (RFC 7636 §4.5).
        code_verifier: Option<Token>,
    },
    /// A refresh token.
    RefreshToken {
        /// The token.
        refresh_token: Token,
        /// What is asked for, of what was granted; empty means all.
        scope: Scopes,
    },
    /// A device asks whether it was allowed.
    DeviceCode {
        /// The device's own code.
        device_code: Token,
    },
    /// A token of somebody else's, boxed for its size.
    TokenExchange(Box<TokenExchange>),
    /// A second factor after `mfa_required`.
    Mfa(MfaGrant),
}

/// A token of somebody else's (RFC 8693 §2.1).
#[derive(Debug)]
pub struct TokenExchange {
    /// Whose token shall be issued.
    pub subject_token: Token,
    /// What kind of token that is.
    pub subject_token_type: String,
    /// The API that the token shall be for.
    pub audience: Option<String>,
    /// What is asked for.
    pub scope: Scopes,
}

impl TokenRequest {
    /// The grant, as the client's `grant_types` must list it.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::Password(grant) => grant.grant_type,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
            Self::AuthorizationCode { .. } => GrantType::AuthorizationCode,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
            Self::DeviceCode { .. } => GrantType::DeviceCode,
            Self::TokenExchange(_) => GrantType::TokenExchange,
            Self::Mfa(grant) => grant.grant_type,
        }
    }
}

/// A request that only proves the client and brings one token: revocation and introspection.
#[derive(Debug)]
pub struct PresentedToken {
    /// Who asks.
    pub client: ClientAuthentication,
    /// The token that it is about.
    pub token: Token,
}

impl PresentedToken {
    /// Reads a request; `basic` is its `Authorization` header. `token_type_hint` is ignored, as
    /// RFC 7009 §2.1 allows: tokens of ours are told apart by their look.
    pub fn read(mut params: Params, basic: Option<&str>) -> Result<Self, OAuthError> {
        let client = ClientAuthentication::read(&mut params, basic)?;
        let token = token(&mut params, "token")?;
        Ok(Self { client, token })
    }
}

/// A device that asks for a code (RFC 8628 §3.1).
#[derive(Debug)]
pub struct DeviceRequest {
    /// Who asks.
    pub client: ClientAuthentication,
    /// What is asked for.
    pub scope: Scopes,
    /// The API that the token shall be for.
    pub audience: Option<String>,
}

impl DeviceRequest {
    /// Reads a request; `basic` is its `Authorization` header.
    pub fn read(mut params: Params, basic: Option<&str>) -> Result<Self, OAuthError> {
        Ok(Self {
            client: ClientAuthentication::read(&mut params, basic)?,
            scope: scope(&mut params)?,
            audience: params.take("audience")?,
        })
    }
}

/// An authorization request that comes ahead (RFC 9126 §2.1).
#[derive(Debug)]
pub struct PushedRequest {
    /// Who asks.
    pub client: ClientAuthentication,
    /// The parameters for the authorization endpoint, without the client's proof.
    pub parameters: Vec<(String, String)>,
}

impl PushedRequest {
    /// Reads a request; `basic` is its `Authorization` header.
    pub fn read(mut params: Params, basic: Option<&str>) -> Result<Self, OAuthError> {
        let client = ClientAuthentication::read(&mut params, basic)?;
        if params.take("request_uri")?.is_some() {
            return Err(OAuthError::invalid_request(
                "The parameter request_uri is not allowed here.",
            ));
        }
        for proof in ["client_assertion", "client_assertion_type"] {
            params.take(proof)?;
        }
        params.forget(params::RESOURCE);
        let mut parameters = params.into_pairs()?;
        parameters.push(("client_id".into(), client.require_client_id()?.to_string()));
        Ok(Self { client, parameters })
    }
}

/// Reads a request to the token endpoint; `basic` is its `Authorization` header.
///
/// Parameters that the grant does not know are ignored (RFC 6749 §3.2).
pub fn parse_token_request(
    mut params: Params,
    basic: Option<&str>,
) -> Result<(ClientAuthentication, TokenRequest), OAuthError> {
    let client = ClientAuthentication::read(&mut params, basic)?;
    let name = params.require("grant_type")?;
    let grant_type =
        GrantType::parse(&name).ok_or_else(|| OAuthError::unsupported_grant_type(&name))?;
    let request = match grant_type {
        GrantType::Password | GrantType::PasswordRealm => {
            TokenRequest::Password(password_grant(grant_type, &mut params)?)
        }
        GrantType::ClientCredentials => TokenRequest::ClientCredentials {
            audience: params.take("audience")?,
            scope: scope(&mut params)?,
        },
        GrantType::AuthorizationCode => TokenRequest::AuthorizationCode {
            code: token(&mut params, "code")?,
            redirect_uri: params.take("redirect_uri")?,
            code_verifier: params.take("code_verifier")?.map(Token::from),
        },
        GrantType::RefreshToken => TokenRequest::RefreshToken {
            refresh_token: token(&mut params, "refresh_token")?,
            scope: scope(&mut params)?,
        },
        GrantType::DeviceCode => TokenRequest::DeviceCode {
            device_code: token(&mut params, "device_code")?,
        },
        GrantType::TokenExchange => TokenRequest::TokenExchange(Box::new(TokenExchange {
            subject_token: token(&mut params, "subject_token")?,
            subject_token_type: params.require("subject_token_type")?,
            audience: params.take("audience")?,
            scope: scope(&mut params)?,
        })),
        GrantType::MfaOtp | GrantType::MfaOob | GrantType::MfaRecoveryCode => {
            TokenRequest::Mfa(mfa::mfa_grant(grant_type, &mut params)?)
        }
        GrantType::Implicit => return Err(OAuthError::unsupported_grant_type(&name)),
    };
    Ok((client, request))
}

fn token(params: &mut Params, name: &str) -> Result<Token, OAuthError> {
    params.require(name).map(Token::from)
}

fn password_grant(grant_type: GrantType, params: &mut Params) -> Result<PasswordGrant, OAuthError> {
    Ok(PasswordGrant {
        grant_type,
        username: name(&params.require("username")?)?,
        password: Password::from(params.require("password")?),
        realm: match grant_type {
            GrantType::PasswordRealm => Some(params.require("realm")?),
            _ => params.take("realm")?,
        },
        scope: scope(params)?,
        audience: params.take("audience")?,
    })
}

/// Who logs in, as the login pages take it: without what is around it.
fn name(text: &str) -> Result<String, OAuthError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(OAuthError::missing_parameter("username"));
    }
    Ok(name.to_owned())
}

fn scope(params: &mut Params) -> Result<Scopes, OAuthError> {
    let text = params.take("scope")?.unwrap_or_default();
    Ok(Scopes::parse(&text)?)
}
