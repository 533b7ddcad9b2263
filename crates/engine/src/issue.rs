//! Codes and tokens that come of an authorization, whichever endpoint hands them out.

use std::time::Duration;

use domain::entropy::alphanumeric;
use domain::{Authorization, Client, User};
use oidc::authorize::CodeChallenge;
use oidc::{GrantType, OAuthError, TokenResponse};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{StoredCode, Write};

use crate::Engine;

/// How long a code may be redeemed (RFC 6749 §4.1.2 advises ten minutes at most).
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// How long a code and what it stands for are remembered: a replay must still be told.
pub(crate) const AUTHORIZATION_LIFETIME: Duration = Duration::from_hours(24);

const CODE_LENGTH: usize = 43;

/// What the redeemer of a code must show again, and what its tokens repeat.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CodeBinding {
    /// The redirect URI, where the authorization request named one.
    pub redirect_uri: Option<String>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// Whose verifier must fit.
    pub code_challenge: Option<CodeChallenge>,
}

/// What tokens are to be made of.
#[expect(
    dead_code,
    reason = "the ID token learns of them with the token endpoint"
)]
pub(crate) struct Issue<'a> {
    /// For whom.
    pub client: &'a Client,
    /// Of whom.
    pub user: &'a User,
    /// On what ground.
    pub authorization: &'a Authorization,
    /// Through which grant.
    pub grant_type: GrantType,
    /// For the ID token.
    pub nonce: Option<&'a str>,
    /// The code that goes out beside them: its hash stands in the ID token (`c_hash`).
    pub code: Option<&'a str>,
    /// Whether an access token is wanted.
    pub access_token: bool,
    /// Whether an ID token is wanted; there is none without the scope `openid`.
    pub id_token: bool,
}

impl Engine {
    /// Adds an authorization and its code to a batch; returns the code.
    pub(crate) fn add_code(
        &self,
        write: &mut Write,
        authorization: &Authorization,
        binding: &CodeBinding,
    ) -> Result<String, OAuthError> {
        let now = self.now();
        let code = alphanumeric(&*self.entropy, CODE_LENGTH);
        let binding = serde_json::to_string(binding).map_err(crate::token::defect)?;
        write.insert_authorization(authorization, now.plus(AUTHORIZATION_LIFETIME));
        let stored = StoredCode {
            code_hash: token_hash(&code),
            authorization: authorization.id.clone(),
            binding,
            used_at: None,
            expires_at: now.plus(CODE_LIFETIME),
        };
        write.insert_code(&stored, now);
        Ok(code)
    }

    /// Signs what is wanted.
    pub(crate) async fn issue_tokens(
        &self,
        issue: &Issue<'_>,
    ) -> Result<TokenResponse, OAuthError> {
        let scope = oidc::Scopes::parse(&issue.authorization.scope)?;
        let api = self
            .api_for_user(issue.authorization.audience.as_deref())
            .await?;
        let grant = crate::token::TokenGrant {
            client: issue.client,
            api,
            scope,
            kind: issue.grant_type,
        };
        self.user_token(&grant, issue.user)
    }
}

/// How a code or token is kept: SHA-256, hexadecimal. They are long and random, so that a slow hash
/// would protect nothing more.
pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
