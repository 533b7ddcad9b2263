//! Codes and tokens that come of an authorization, whichever endpoint hands them out.

use std::time::Duration;

use domain::entropy::alphanumeric;
use domain::{
    Authentication, Authorization, AuthorizationId, Client, Instant, ResourceServer, User,
};
use oidc::authorize::CodeChallenge;
use oidc::claims::{AccessToken, Dialect, ID_TOKEN_LIFETIME, IdToken};
use oidc::{Audience, GrantType, OAuthError, Scopes, TokenResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{OpaqueToken, StoredCode, Write};

use crate::Engine;
use crate::token::defect;

/// How long a code may be redeemed (RFC 6749 §4.1.2 advises ten minutes at most).
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// How long an authorization is remembered at least: longer than any access token lives, so that
/// a token whose authorization is not there was revoked, and so that a replayed code is still told.
pub(crate) const AUTHORIZATION_LIFETIME: Duration = Duration::from_hours(31 * 24);

/// Letters and digits of what lets in: 256 bits.
pub(crate) const CODE_LENGTH: usize = 43;

/// What the redeemer of a code must show again, and what its tokens repeat.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CodeBinding {
    /// The redirect URI, where the authorization request named one.
    pub redirect_uri: Option<String>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// Whose verifier must fit.
    pub code_challenge: Option<CodeChallenge>,
    /// Whether scopes were asked for.
    #[serde(default)]
    pub asks_scope: bool,
}

/// What tokens are to be made of.
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

/// An authorization of this moment for no API; it is not stored yet.
pub(crate) fn new_authorization(
    engine: &Engine,
    client: &Client,
    authentication: Authentication,
    scope: &Scopes,
) -> Authorization {
    Authorization {
        id: AuthorizationId::generate(&*engine.entropy),
        client_id: client.client_id.clone(),
        authentication,
        audience: None,
        scope: scope.to_string(),
        dpop_key: None,
        created_at: engine.now(),
        revoked_at: None,
    }
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
        let binding = serde_json::to_string(binding).map_err(defect)?;
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

    /// The tokens that are wanted, of an authorization that is stored.
    pub(crate) async fn issue_tokens(
        &self,
        issue: &Issue<'_>,
    ) -> Result<TokenResponse, OAuthError> {
        let audience = issue.authorization.audience.as_deref();
        let api = self.api_for_user(audience).await?;
        let mut write = self.store.write();
        let response = self.add_tokens(&mut write, issue, api.as_ref(), true)?;
        if !write.is_empty() {
            let committed = self.store.commit(write).await;
            committed.map_err(crate::token::outage)?;
        }
        Ok(response)
    }

    /// Signs what is wanted. An opaque token is a row of the batch; it is good once that is
    /// committed. `is_kept` says whether the authorization is stored: only then its tokens name it.
    pub(crate) fn add_tokens(
        &self,
        write: &mut Write,
        issue: &Issue<'_>,
        api: Option<&ResourceServer>,
        is_kept: bool,
    ) -> Result<TokenResponse, OAuthError> {
        let scope = Scopes::parse(&issue.authorization.scope)?;
        let lifetime = self.lifetime(api, issue.grant_type);
        let access = issue
            .access_token
            .then(|| self.add_access_token(write, issue, api, &scope, is_kept))
            .transpose()?;
        let id_token = (issue.id_token && scope.contains("openid"))
            .then(|| self.sign_id_token(issue, &scope, access.as_deref()))
            .transpose()?;
        let mut response = match access {
            Some(access) => TokenResponse::new(access, lifetime),
            None => TokenResponse::without_access_token(lifetime),
        };
        if issue.authorization.dpop_key.is_some() {
            response = response.bound_to_key();
        }
        Ok(match id_token {
            Some(id_token) => response.with_id_token(id_token),
            None => response,
        })
    }

    fn add_access_token(
        &self,
        write: &mut Write,
        issue: &Issue<'_>,
        api: Option<&ResourceServer>,
        scope: &Scopes,
        is_kept: bool,
    ) -> Result<String, OAuthError> {
        let authorization = issue.authorization;
        let dialect = dialect_of(api);
        let id = self.token_id(dialect, is_kept.then_some(&authorization.id));
        let audience = api.map(|api| api.identifier.as_str());
        let token = AccessToken {
            issuer: &self.settings.issuer,
            subject: issue.user.user_id.as_str(),
            audience: Audience::granted(audience, scope, &self.settings.issuer),
            client_id: &issue.client.client_id,
            scope,
            grant_type: issue.grant_type,
            issued_at: self.now(),
            lifetime: self.lifetime(api, issue.grant_type),
            dialect,
            id: id.as_deref(),
            authentication: Some(&authorization.authentication),
            key: authorization.dpop_key.as_deref(),
        };
        if !is_opaque(api) {
            return self.sign_access_token(api, &token);
        }
        let of = is_kept.then_some(&authorization.id);
        self.add_opaque_token(write, &token, of, Some(issue.user.row))
    }

    /// A token's own name: it begins with what it hangs on, so that a revoked one is found out.
    pub(crate) fn token_id(
        &self,
        dialect: Dialect,
        authorization: Option<&AuthorizationId>,
    ) -> Option<String> {
        let random = || alphanumeric(&*self.entropy, 22);
        match authorization {
            Some(id) => Some(format!("{id}.{}", random())),
            None => dialect.is_rfc9068.then(random),
        }
    }

    pub(crate) fn sign_access_token(
        &self,
        api: Option<&ResourceServer>,
        token: &AccessToken<'_>,
    ) -> Result<String, OAuthError> {
        let typ = token.dialect.token_type();
        self.sign_for_api(api, typ, &token.claims()).map_err(defect)
    }

    /// Adds an opaque token to a batch; it stands for what a JWT would say.
    pub(crate) fn add_opaque_token(
        &self,
        write: &mut Write,
        token: &AccessToken<'_>,
        authorization: Option<&AuthorizationId>,
        user: Option<domain::UserRow>,
    ) -> Result<String, OAuthError> {
        let text = alphanumeric(&*self.entropy, CODE_LENGTH);
        let Ok(Value::Object(claims)) = serde_json::to_value(token.claims()) else {
            return Err(defect("claims are no object"));
        };
        let stored = OpaqueToken {
            token_hash: &token_hash(&text),
            authorization,
            user,
            claims: &claims,
            expires_at: token.issued_at.plus(token.lifetime),
        };
        write.insert_opaque_token(&stored, token.issued_at);
        Ok(text)
    }

    fn sign_id_token(
        &self,
        issue: &Issue<'_>,
        scope: &Scopes,
        access_token: Option<&str>,
    ) -> Result<String, OAuthError> {
        let subject = crate::token::subject_of(issue.user);
        let token = IdToken {
            issuer: &self.settings.issuer,
            subject: &subject,
            client_id: &issue.client.client_id,
            scope,
            issued_at: self.now(),
            lifetime: id_token_lifetime(issue.client),
            nonce: issue.nonce,
            authentication: Some(&issue.authorization.authentication),
            access_token,
            code: issue.code,
        };
        self.sign_for_client(issue.client, &token.claims())
            .map_err(defect)
    }
}

/// How an API wants its access tokens spelled.
pub(crate) fn dialect_of(api: Option<&ResourceServer>) -> Dialect {
    let member = api.and_then(|api| api.attributes.get("token_dialect"));
    Dialect::parse(member.and_then(Value::as_str))
}

/// Whether an API wants tokens that say nothing by themselves.
pub(crate) fn is_opaque(api: Option<&ResourceServer>) -> bool {
    let member = api.and_then(|api| api.attributes.get("token_format"));
    member.and_then(Value::as_str) == Some("opaque")
}

/// How long a client's ID tokens are good.
fn id_token_lifetime(client: &Client) -> Duration {
    let member = client.attributes.get("jwt_configuration");
    let seconds = member.and_then(|member| member.get("lifetime_in_seconds"));
    let seconds = seconds.and_then(Value::as_u64);
    seconds.map_or(ID_TOKEN_LIFETIME, Duration::from_secs)
}

/// Until when an authorization must be remembered whose refresh token ends at one of two moments.
pub(crate) fn remembered_until(
    now: Instant,
    (expires_at, idle_expires_at): (Option<Instant>, Option<Instant>),
) -> Instant {
    /// The year 9999.
    const NEVER: Instant = Instant::from_millis(253_370_764_800_000);
    let ends = match (expires_at, idle_expires_at) {
        (Some(one), Some(other)) => one.min(other),
        (one, other) => one.or(other).unwrap_or(NEVER),
    };
    ends.max(now).plus(AUTHORIZATION_LIFETIME)
}

/// How a code or token is kept: SHA-256, hexadecimal. They are long and random, so that a slow hash
/// would protect nothing more.
pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
