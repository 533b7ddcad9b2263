//! A code for tokens (OpenID Connect Core §3.1.3), and what the userinfo endpoint says (§5.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{ClientSecret, Token};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::authorize::encoded;

/// How we prove ourselves to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientProof {
    /// Not at all: a public client, whose code is bound by its challenge.
    None,
    /// The secret in the form.
    Post,
    /// The secret in the header.
    Basic,
}

impl ClientProof {
    /// The way for a provider that takes some: what the operator says, else the form, as Auth0 does
    /// it, unless the provider takes the header alone.
    pub fn choose(has_secret: bool, asked: Option<Self>, offered: Option<&[String]>) -> Self {
        let offers = |name: &str| offered.is_none_or(|list| list.iter().any(|way| way == name));
        match (has_secret, asked) {
            (false, _) => Self::None,
            (true, Some(asked)) => asked,
            (true, None) if !offers("client_secret_post") && offers("client_secret_basic") => {
                Self::Basic
            }
            (true, None) => Self::Post,
        }
    }
}

/// What is exchanged.
pub struct Exchange<'a> {
    /// The code that came back.
    pub code: &'a Token,
    /// The address to which it came back.
    pub redirect_uri: &'a str,
    /// The verifier, where there was a challenge.
    pub verifier: Option<&'a Token>,
    /// Our name there.
    pub client_id: &'a str,
    /// Our secret there.
    pub secret: Option<&'a ClientSecret>,
    /// How it travels.
    pub proof: ClientProof,
}

impl Exchange<'_> {
    /// The form, and the `Authorization` header where there is one.
    pub fn form(&self) -> (Zeroizing<String>, Option<Zeroizing<String>>) {
        let mut members = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", self.code.expose().to_owned()),
            ("redirect_uri", self.redirect_uri.to_owned()),
        ];
        if let Some(verifier) = self.verifier {
            members.push(("code_verifier", verifier.expose().to_owned()));
        }
        let header = match (self.proof, self.secret) {
            (ClientProof::Basic, Some(secret)) => Some(basic(self.client_id, secret)),
            (ClientProof::Post, Some(secret)) => {
                members.push(("client_id", self.client_id.to_owned()));
                members.push(("client_secret", secret.expose().to_owned()));
                None
            }
            _ => {
                members.push(("client_id", self.client_id.to_owned()));
                None
            }
        };
        (Zeroizing::new(encoded(&members)), header)
    }
}

/// Name and secret, each encoded as in a form first (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &ClientSecret) -> Zeroizing<String> {
    let escaped = |text: &str| {
        let pair = encoded(&[("", text.to_owned())]);
        Zeroizing::new(pair.trim_start_matches('=').to_owned())
    };
    let pair = Zeroizing::new(format!(
        "{}:{}",
        *escaped(client_id),
        *escaped(secret.expose())
    ));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// What came of an exchange.
#[derive(Debug)]
pub struct Tokens {
    /// Says who it is.
    pub id_token: Token,
    /// Opens the userinfo endpoint.
    pub access_token: Option<Token>,
}

/// Why there are no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The provider says no, and why.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// What it says can't be read.
    #[error("the provider's answer can't be read")]
    Unreadable,
    /// There is no ID token.
    #[error("the provider sent no ID token")]
    NoIdToken,
    /// The userinfo endpoint speaks of somebody else (OpenID Connect Core §5.3.2).
    #[error("the userinfo endpoint speaks of somebody else")]
    OtherSubject,
}

impl Tokens {
    /// Reads the token endpoint's answer.
    pub fn read(status: u16, body: &[u8]) -> Result<Self, ExchangeError> {
        let answer: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
        let text = |name: &str| {
            let text = answer.as_ref()?.get(name)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        if let Some(error) = text("error") {
            return Err(ExchangeError::Refused(shown(&error)));
        }
        if status != 200 || answer.is_none() {
            return Err(ExchangeError::Unreadable);
        }
        Ok(Self {
            id_token: Token::from(text("id_token").ok_or(ExchangeError::NoIdToken)?),
            access_token: text("access_token").map(Token::from),
        })
    }
}

/// Reads the userinfo endpoint's answer, which must speak of the person whom the ID token names.
pub fn userinfo(
    status: u16,
    body: &[u8],
    subject: &str,
) -> Result<Map<String, Value>, ExchangeError> {
    if status != 200 {
        return Err(ExchangeError::Unreadable);
    }
    let claims: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| ExchangeError::Unreadable)?;
    if claims.get("sub").and_then(Value::as_str) == Some(subject) {
        Ok(claims)
    } else {
        Err(ExchangeError::OtherSubject)
    }
}

/// A provider's words as they may stand in a log.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
