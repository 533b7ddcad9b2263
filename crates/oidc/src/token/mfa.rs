//! Second factors at the token endpoint and at `/mfa`: what a client sends, read once.

use std::fmt;

use zeroize::Zeroizing;

use super::GrantType;
use super::client_authentication::ClientAuthentication;
use super::params::Params;
use crate::error::OAuthError;

/// One of the three MFA grants.
pub struct MfaGrant {
    /// Which.
    pub grant_type: GrantType,
    /// The token of the interrupted login.
    pub mfa_token: Zeroizing<String>,
    /// What the person brought.
    pub answer: MfaAnswer,
}

/// What proves a second factor.
pub enum MfaAnswer {
    /// A code of an authenticator application.
    Otp(Zeroizing<String>),
    /// A code that was sent.
    OutOfBand {
        /// Names the sending.
        oob_code: Zeroizing<String>,
        /// The code that arrived.
        binding_code: Zeroizing<String>,
    },
    /// The recovery code.
    RecoveryCode(Zeroizing<String>),
}

/// A request to `/mfa/challenge`.
pub struct MfaChallengeRequest {
    /// The token of the interrupted login.
    pub mfa_token: Zeroizing<String>,
    /// `otp`, `oob` or both, split by spaces; none is as good as both.
    pub challenge_type: Option<String>,
    /// Which authenticator shall be asked.
    pub authenticator_id: Option<String>,
}

/// Codes and tokens stay out of logs.
impl fmt::Debug for MfaGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MfaGrant({:?})", self.grant_type)
    }
}

/// The token stays out of logs.
impl fmt::Debug for MfaChallengeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MfaChallengeRequest({:?})", self.challenge_type)
    }
}

pub(super) fn mfa_grant(
    grant_type: GrantType,
    params: &mut Params,
) -> Result<MfaGrant, OAuthError> {
    let mfa_token = params.require("mfa_token")?.into();
    let answer = match grant_type {
        GrantType::MfaOob => MfaAnswer::OutOfBand {
            oob_code: params.require("oob_code")?.into(),
            binding_code: params.require("binding_code")?.into(),
        },
        GrantType::MfaRecoveryCode => {
            MfaAnswer::RecoveryCode(params.require("recovery_code")?.into())
        }
        _ => MfaAnswer::Otp(params.require("otp")?.into()),
    };
    Ok(MfaGrant {
        grant_type,
        mfa_token,
        answer,
    })
}

/// Reads a request to `/mfa/challenge`; `basic` is its `Authorization` header.
pub fn parse_mfa_challenge(
    mut params: Params,
    basic: Option<&str>,
) -> Result<(ClientAuthentication, MfaChallengeRequest), OAuthError> {
    let client = ClientAuthentication::read(&mut params, basic)?;
    let request = MfaChallengeRequest {
        mfa_token: params.require("mfa_token")?.into(),
        challenge_type: params.take("challenge_type")?,
        authenticator_id: params.take("authenticator_id")?,
    };
    Ok((client, request))
}
