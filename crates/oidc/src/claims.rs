//! What tokens and the userinfo endpoint say. Scopes decide which claims of a person leave the
//! house; a claim that is not known is left out, never `null`.
//!
//! Two of Auth0's habits are kept on purpose: `updated_at` is RFC 3339 text where OpenID Connect
//! Core §5.1 has a number, and the claims of scopes stand in the ID token itself, not only in
//! userinfo.

mod dialect;

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Authentication, ClientId, Instant, SessionId, UserId};
use serde::Serialize;
use serde_json::{Map, Value};

pub use dialect::Dialect;

use crate::issuer::Issuer;
use crate::scopes::{EMAIL, OPENID, PHONE, PROFILE, Scopes};
use crate::token::GrantType;

/// How long an access token is good unless the API says otherwise: Auth0's default.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// The `acr` of a login with more than one factor: the value that Auth0's applications ask for.
pub const MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

/// How long an ID token is good unless the client says otherwise: Auth0's default.
pub const ID_TOKEN_LIFETIME: Duration = Duration::from_hours(10);

/// What is known of a person who logged in.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Who it is: the `sub` claim.
    pub user_id: UserId,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether the address was proven.
    pub email_verified: bool,
    /// Full name.
    pub name: Option<String>,
    /// Nickname.
    pub nickname: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Picture URL.
    pub picture: Option<String>,
    /// Phone number.
    pub phone_number: Option<String>,
    /// Whether the number was proven; absent when never said.
    pub phone_verified: Option<bool>,
    /// When the profile changed last.
    pub updated_at: Option<Instant>,
}

impl Subject {
    /// A person of whom only the id is known.
    pub fn new(user_id: UserId) -> Self {
        Self {
            user_id,
            email: None,
            email_verified: false,
            name: None,
            nickname: None,
            given_name: None,
            family_name: None,
            picture: None,
            phone_number: None,
            phone_verified: None,
            updated_at: None,
        }
    }
}

/// Claims by scope (OpenID Connect Core §5.4).
#[derive(Debug, Default, Serialize)]
struct ScopedClaims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number_verified: Option<bool>,
}

impl<'a> ScopedClaims<'a> {
    fn of(subject: &'a Subject, scope: &Scopes) -> Self {
        let mut claims = Self::default();
        if scope.contains(PROFILE) {
            claims.given_name = subject.given_name.as_deref();
            claims.family_name = subject.family_name.as_deref();
            claims.nickname = subject.nickname.as_deref();
            claims.name = subject.name.as_deref();
            claims.picture = subject.picture.as_deref();
            claims.updated_at = subject.updated_at;
        }
        if scope.contains(EMAIL) {
            claims.email = subject.email.as_deref();
            claims.email_verified = subject.email.as_ref().map(|_| subject.email_verified);
        }
        if scope.contains(PHONE) {
            claims.phone_number = subject.phone_number.as_deref();
            claims.phone_number_verified =
                subject.phone_number.as_ref().and(subject.phone_verified);
        }
        claims
    }
}

/// The body of the userinfo endpoint (OpenID Connect Core §5.3.2).
#[derive(Debug, Serialize)]
pub struct UserInfo<'a> {
    sub: &'a str,
    #[serde(flatten)]
    scoped: ScopedClaims<'a>,
}

impl<'a> UserInfo<'a> {
    /// What the scopes of an access token let out.
    pub fn new(subject: &'a Subject, scope: &Scopes) -> Self {
        Self {
            sub: subject.user_id.as_str(),
            scoped: ScopedClaims::of(subject, scope),
        }
    }
}

/// Whom an access token is for (RFC 7519 §4.1.3): text for one, an array for several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Audience {
    /// One audience.
    One(String),
    /// Several audiences.
    Many(Vec<String>),
}

impl Audience {
    /// The audience of a grant: the API that was asked for, and the userinfo endpoint besides when
    /// `openid` was granted. Without an API it is userinfo alone.
    pub fn granted(api: Option<&str>, scope: &Scopes, issuer: &Issuer) -> Self {
        let userinfo = issuer.userinfo_audience();
        match api {
            Some(api) if api != userinfo && scope.contains(OPENID) => {
                Self::Many(vec![api.to_owned(), userinfo])
            }
            Some(api) => Self::One(api.to_owned()),
            None => Self::One(userinfo),
        }
    }
}

/// Whether the claims of a verified token name an audience.
pub fn audience_contains(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(many)) => many.iter().any(|one| one == audience),
        _ => false,
    }
}

/// The `sub` of a client that acts for itself: Auth0's form.
pub fn machine_subject(client_id: &ClientId) -> String {
    format!("{client_id}@clients")
}

/// What somebody's proof of identity says in tokens.
#[derive(Debug, Default, Serialize)]
struct AuthenticationClaims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
}

impl<'a> AuthenticationClaims<'a> {
    fn of(authentication: &'a Authentication) -> Self {
        let methods = &authentication.methods;
        let is_multi = methods.len() > 1 && methods.iter().any(|method| method.is_second_factor());
        // `mfa` is what applications were told to look for.
        let also = is_multi.then_some("mfa");
        Self {
            auth_time: Some(authentication.at.seconds()),
            acr: is_multi.then_some(MULTI_FACTOR),
            amr: methods
                .iter()
                .map(|method| method.as_amr())
                .chain(also)
                .collect(),
            sid: authentication.session.as_ref().map(SessionId::as_str),
        }
    }
}

/// What goes into an access token.
#[derive(Clone, Debug)]
pub struct AccessToken<'a> {
    /// Who issues it.
    pub issuer: &'a Issuer,
    /// Whom it speaks for: a user id, or [`machine_subject`].
    pub subject: &'a str,
    /// Whom it is for.
    pub audience: Audience,
    /// The client that gets it.
    pub client_id: &'a ClientId,
    /// What it allows.
    pub scope: &'a Scopes,
    /// The grant it came from.
    pub grant_type: GrantType,
    /// Now.
    pub issued_at: Instant,
    /// How long it is good.
    pub lifetime: Duration,
    /// How it is spelled.
    pub dialect: Dialect,
    /// Its own name.
    pub id: Option<&'a str>,
    /// How its subject proved who it is.
    pub authentication: Option<&'a Authentication>,
    /// Thumbprint of the key that it is bound to.
    pub key: Option<&'a str>,
}

/// The claims of an access token: in Auth0's order, or those of RFC 9068 §2.2.
#[derive(Debug, Serialize)]
pub struct AccessTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a Audience,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(flatten)]
    authentication: AuthenticationClaims<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'a>>,
}

/// What an access token is bound to (RFC 9449 §6.1).
#[derive(Debug, Serialize)]
struct Confirmation<'a> {
    jkt: &'a str,
}

impl AccessToken<'_> {
    /// The claims to sign.
    pub fn claims(&self) -> AccessTokenClaims<'_> {
        let is_auth0 = !self.dialect.is_rfc9068;
        // A machine's permissions are its scopes; a person's come with roles, which are not yet.
        let is_machine = self.grant_type == GrantType::ClientCredentials;
        let permissions = || self.scope.iter().filter(|_| is_machine).collect();
        let authentication = self.authentication.filter(|_| !is_auth0);
        let authentication = authentication.map(AuthenticationClaims::of);
        AccessTokenClaims {
            iss: self.issuer.as_str(),
            sub: self.subject,
            aud: &self.audience,
            iat: self.issued_at.seconds(),
            exp: self.issued_at.plus(self.lifetime).seconds(),
            scope: (!self.scope.is_empty()).then(|| self.scope.to_string()),
            gty: self.grant_type.gty().filter(|_| is_auth0),
            azp: is_auth0.then_some(self.client_id.as_str()),
            jti: self.id,
            client_id: (!is_auth0).then_some(self.client_id.as_str()),
            authentication: authentication.unwrap_or_default(),
            permissions: self.dialect.has_permissions.then(permissions),
            cnf: self.key.map(|jkt| Confirmation { jkt }),
        }
    }
}

/// What goes into an ID token.
#[derive(Clone, Debug)]
pub struct IdToken<'a> {
    /// Who issues it.
    pub issuer: &'a Issuer,
    /// The person it speaks of.
    pub subject: &'a Subject,
    /// The client it is for.
    pub client_id: &'a ClientId,
    /// What the client may know.
    pub scope: &'a Scopes,
    /// Now.
    pub issued_at: Instant,
    /// How long it is good.
    pub lifetime: Duration,
    /// The authorization request's own mark.
    pub nonce: Option<&'a str>,
    /// How the person proved who it is.
    pub authentication: Option<&'a Authentication>,
    /// The access token that goes out beside it.
    pub access_token: Option<&'a str>,
    /// The code that goes out beside it.
    pub code: Option<&'a str>,
}

/// The claims of an ID token (OpenID Connect Core §2).
#[derive(Debug, Serialize)]
pub struct IdTokenClaims<'a> {
    #[serde(flatten)]
    scoped: ScopedClaims<'a>,
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    authentication: AuthenticationClaims<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c_hash: Option<String>,
}

impl IdToken<'_> {
    /// The claims to sign.
    pub fn claims(&self) -> IdTokenClaims<'_> {
        let authentication = self.authentication.map(AuthenticationClaims::of);
        IdTokenClaims {
            scoped: ScopedClaims::of(self.subject, self.scope),
            iss: self.issuer.as_str(),
            aud: self.client_id.as_str(),
            sub: self.subject.user_id.as_str(),
            iat: self.issued_at.seconds(),
            exp: self.issued_at.plus(self.lifetime).seconds(),
            authentication: authentication.unwrap_or_default(),
            nonce: self.nonce,
            at_hash: self.access_token.map(half_hash),
            c_hash: self.code.map(half_hash),
        }
    }
}

/// The left half of a SHA-256, base64url (OpenID Connect Core §3.1.3.6): the hash of every
/// algorithm that signs here.
fn half_hash(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let half = hash.as_ref().get(..16).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(half)
}
