//! `POST /oauth/token`: the parameters, read once into a typed request. What arrives here is a
//! stranger's; what leaves has every parameter that its grant needs and nothing else.
//!
//! Steps: [`Params`] from a form or JSON body → who says to be the client
//! ([`ClientAuthentication`]) → which grant, with what ([`TokenRequest`]). Whether any of it is
//! true is not decided here.

mod client_authentication;
mod mfa;
mod params;
mod response;

use std::fmt;

use domain::Password;

pub use client_authentication::ClientAuthentication;
pub use mfa::{MfaAnswer, MfaChallengeRequest, MfaGrant, parse_mfa_challenge};
pub use params::Params;
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
    /// Auth0's: a code of an authenticator application after `mfa_required`.
    MfaOtp,
    /// Auth0's: a code that was sent after `mfa_required`.
    MfaOob,
    /// Auth0's: the recovery code after `mfa_required`.
    MfaRecoveryCode,
}

impl GrantType {
    /// All of them, as discovery lists them.
    pub const ALL: [Self; 6] = [
        Self::ClientCredentials,
        Self::Password,
        Self::PasswordRealm,
        Self::MfaOtp,
        Self::MfaOob,
        Self::MfaRecoveryCode,
    ];

    /// The `grant_type` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordRealm => "http://auth0.com/oauth/grant-type/password-realm",
            Self::ClientCredentials => "client_credentials",
            Self::MfaOtp => "http://auth0.com/oauth/grant-type/mfa-otp",
            Self::MfaOob => "http://auth0.com/oauth/grant-type/mfa-oob",
            Self::MfaRecoveryCode => "http://auth0.com/oauth/grant-type/mfa-recovery-code",
        }
    }

    /// Reads the parameter.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }

    /// The `gty` claim of access tokens: Auth0's own spelling.
    pub const fn gty(self) -> &'static str {
        match self {
            Self::Password | Self::PasswordRealm => "password",
            Self::ClientCredentials => "client-credentials",
            Self::MfaOtp => "mfa-otp",
            Self::MfaOob => "mfa-oob",
            Self::MfaRecoveryCode => "mfa-recovery-code",
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
    /// A second factor after `mfa_required`.
    Mfa(MfaGrant),
}

impl TokenRequest {
    /// The grant, as the client's `grant_types` must list it.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::Password(grant) => grant.grant_type,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
            Self::Mfa(grant) => grant.grant_type,
        }
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
        GrantType::MfaOtp | GrantType::MfaOob | GrantType::MfaRecoveryCode => {
            TokenRequest::Mfa(mfa::mfa_grant(grant_type, &mut params)?)
        }
    };
    Ok((client, request))
}

fn password_grant(grant_type: GrantType, params: &mut Params) -> Result<PasswordGrant, OAuthError> {
    Ok(PasswordGrant {
        grant_type,
        username: params.require("username")?,
        password: Password::from(params.require("password")?),
        realm: match grant_type {
            GrantType::PasswordRealm => Some(params.require("realm")?),
            _ => params.take("realm")?,
        },
        scope: scope(params)?,
        audience: params.take("audience")?,
    })
}

fn scope(params: &mut Params) -> Result<Scopes, OAuthError> {
    let text = params.take("scope")?.unwrap_or_default();
    Ok(Scopes::parse(&text)?)
}
