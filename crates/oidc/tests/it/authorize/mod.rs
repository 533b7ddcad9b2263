//! Authorization requests: each bad input has its answer.

mod redirect_uri;
mod refusals;
mod requests;
mod responses;

use domain::secret::ClientSecret;
use domain::{Client, ClientId, Instant, TokenEndpointAuth};
use oidc::authorize::{AuthorizationRequest, AuthorizeRefusal, Rules, Source, check};
use oidc::{Issuer, Params};
use serde_json::{Value, json};

use crate::ISSUER;

pub const CALLBACK: &str = "https://app.example.com/cb";
/// Of the verifier in RFC 7636, appendix B.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A confidential web application that may use code and implicit.
pub fn client(attributes: Value) -> Client {
    let mut all = json!({
        "callbacks": [CALLBACK], "web_origins": ["https://app.example.com"],
        "app_type": "regular_web",
    });
    for (name, value) in attributes.as_object().unwrap() {
        all[name] = value.clone();
    }
    Client {
        client_id: ClientId::from("app"),
        name: "App".into(),
        secret: ClientSecret::from("secret"),
        auth: TokenEndpointAuth::ClientSecretPost,
        grant_types: vec!["authorization_code".into(), "implicit".into()],
        attributes: all.as_object().unwrap().clone(),
        version: 1,
        created_at: Instant::from_millis(0),
    }
}

/// The same without a secret.
pub fn public(attributes: Value) -> Client {
    Client {
        auth: TokenEndpointAuth::None,
        ..client(attributes)
    }
}

/// The parameters of a good request; `changes` replace them, and `""` leaves one out.
pub fn params(changes: &[(&str, &str)]) -> Params {
    let good = [
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s"),
    ];
    let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    let kept = good.into_iter().filter(|(name, _)| !is_changed(name));
    let added = changes
        .iter()
        .copied()
        .filter(|(_, value)| !value.is_empty());
    let pairs = kept.chain(added);
    Params::from_query(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

pub fn checked_from(
    source: Source,
    client: &Client,
    changes: &[(&str, &str)],
) -> Result<AuthorizationRequest, AuthorizeRefusal> {
    let issuer = Issuer::parse(ISSUER).unwrap();
    let rules = Rules {
        issuer: &issuer,
        source,
    };
    check(params(changes), client, &rules)
}

pub fn checked(
    client: &Client,
    changes: &[(&str, &str)],
) -> Result<AuthorizationRequest, AuthorizeRefusal> {
    checked_from(Source::Browser, client, changes)
}

pub fn good(client: &Client, changes: &[(&str, &str)]) -> AuthorizationRequest {
    checked(client, changes).unwrap()
}

/// A refusal in one line: where it is told, and what.
pub fn told(result: Result<AuthorizationRequest, AuthorizeRefusal>) -> String {
    match result.unwrap_err() {
        AuthorizeRefusal::Page(error) => format!("page {} {error}", error.status),
        AuthorizeRefusal::Redirect { error, to } => {
            let state = to.state.as_deref().map_or(0, str::len);
            format!("{:?} state:{state} {error}", to.mode)
        }
    }
}

pub fn refused(client: &Client, changes: &[(&str, &str)]) -> String {
    told(checked(client, changes))
}
