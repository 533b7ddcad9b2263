//! An authorization request that passed every check. It is kept with the login transaction until the
//! browser goes back to the client, so each part has a stored form.

use domain::ClientId;
use serde::{Deserialize, Serialize};

use super::response::ReplyTo;
use crate::issuer::Issuer;
use crate::scopes::Scopes;

/// What the client wants back (OAuth 2.0 Multiple Response Type Encoding Practices): any
/// combination but none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseType {
    /// An authorization code.
    pub code: bool,
    /// An ID token, at once.
    pub id_token: bool,
    /// An access token, at once.
    pub token: bool,
}

impl ResponseType {
    /// Whether something is issued that must not stand in a query, which servers and browsers keep.
    pub const fn has_token(self) -> bool {
        self.id_token || self.token
    }
}

/// How it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    Query,
    /// In its fragment.
    Fragment,
    /// As a form that posts itself (OAuth 2.0 Form Post Response Mode).
    FormPost,
    /// As a message to the window that opened the frame: silent authentication of single-page
    /// applications.
    WebMessage,
}

/// How a code challenge was made (RFC 7636 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeMethod {
    /// SHA-256, base64url.
    S256,
    /// The verifier itself.
    #[serde(rename = "plain")]
    Plain,
}

/// What the redeemer of the code must know the origin of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChallenge {
    /// The `code_challenge` parameter.
    pub challenge: String,
    /// How it was made.
    pub method: ChallengeMethod,
}

/// What the person must, or must not, be asked (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Nothing: answer at once or fail. Stands alone.
    None,
    /// Who they are, session or not.
    Login,
    /// Whether the client may.
    Consent,
    /// Which account.
    SelectAccount,
}

/// An authorization request that passed every check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes: one of the client's own.
    pub redirect_uri: String,
    /// Whether the request named it; then the token request must too (RFC 6749 §4.1.3).
    pub names_redirect_uri: bool,
    /// What is wanted.
    pub response_type: ResponseType,
    /// How it comes back.
    pub response_mode: ResponseMode,
    /// What is asked for.
    pub scope: Scopes,
    /// The API that the access token shall be for.
    pub audience: Option<String>,
    /// The client's own note, given back unread.
    pub state: Option<String>,
    /// Goes into the ID token.
    pub nonce: Option<String>,
    /// Binds the code to whoever asked for it.
    pub code_challenge: Option<CodeChallenge>,
    /// What the person must, or must not, be asked.
    pub prompt: Vec<Prompt>,
    /// Seconds since the person proved who they are, at most.
    pub max_age: Option<u64>,
    /// Who the client thinks it is.
    pub login_hint: Option<String>,
    /// An ID token of ours that says so; not yet verified.
    #[serde(default)]
    pub id_token_hint: Option<String>,
    /// `signup`: begin on the sign-up page.
    pub screen_hint: Option<String>,
    /// Languages of the pages, best first (BCP 47).
    pub ui_locales: Vec<String>,
    /// Wished-for levels of proof, best first.
    pub acr_values: Vec<String>,
    /// The connection to sign in with.
    pub connection: Option<String>,
    /// Thumbprint of the key that the tokens shall be bound to (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
}

impl AuthorizationRequest {
    /// Where the answer goes.
    pub fn reply_to(&self, issuer: &Issuer) -> ReplyTo {
        ReplyTo {
            redirect_uri: self.redirect_uri.clone(),
            mode: self.response_mode,
            state: self.state.clone(),
            issuer: issuer.clone(),
        }
    }

    /// Whether something must be asked.
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }
}
