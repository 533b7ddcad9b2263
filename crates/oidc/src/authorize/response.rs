//! The answer of `/authorize` in each response mode. The HTML around forms and messages is the
//! server's; what stands in them is decided here.
//!
//! Every answer names its issuer (RFC 9207), success or not, so that a client of several servers
//! cannot be made to take one's code to another. `state` goes back as it came.

use serde::Serialize;
use serde_json::{Map, Value};

use super::redirect_uri::origin_of;
use super::request::ResponseMode;
use crate::error::OAuthError;
use crate::issuer::Issuer;
use crate::scopes::Scopes;

/// Where an answer goes: a redirect URI that was proven to be the client's, never another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// The client's own redirect URI.
    pub redirect_uri: String,
    /// How the answer travels.
    pub mode: ResponseMode,
    /// The client's own note, given back unread.
    pub state: Option<String>,
    /// Who answers.
    pub issuer: Issuer,
}

/// What a client gets. Which of it is there depends on the response type.
#[derive(Clone, Default)]
pub struct Granted {
    /// An authorization code.
    pub code: Option<String>,
    /// An access token.
    pub access_token: Option<FrontChannelToken>,
    /// An ID token.
    pub id_token: Option<String>,
}

/// An access token that goes through the browser.
#[derive(Clone)]
pub struct FrontChannelToken {
    /// The token.
    pub token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Seconds that it is good.
    pub expires_in: u64,
    /// What it allows; nothing is said where nothing was asked for.
    pub scope: Option<Scopes>,
}

/// An answer, ready for the browser.
#[derive(Clone, PartialEq, Eq)]
pub enum Response {
    /// 302 (303 after a POST) to this URL.
    Redirect(String),
    /// A page with a form that posts itself.
    FormPost {
        /// Where the form goes.
        action: String,
        /// Its hidden fields, in order.
        fields: Vec<(&'static str, String)>,
    },
    /// A page that hands a message to the window that opened it.
    WebMessage {
        /// The only origin that may read it: the second argument of `postMessage`.
        target_origin: String,
        /// The first.
        message: WebMessage,
    },
}

/// What a single-page application's SDK waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebMessage {
    /// Always `authorization_response`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The members of the answer; `expires_in` is a number.
    response: Map<String, Value>,
}

type Members = Vec<(&'static str, String)>;

impl ReplyTo {
    /// The answer to a request that was granted.
    pub fn granted(&self, granted: Granted) -> Response {
        let mut members = Members::new();
        if let Some(code) = granted.code {
            members.push(("code", code));
        }
        if let Some(token) = granted.access_token {
            members.push(("access_token", token.token));
            members.push(("token_type", token.token_type.to_owned()));
            members.push(("expires_in", token.expires_in.to_string()));
            if let Some(scope) = token.scope {
                members.push(("scope", scope.to_string()));
            }
        }
        if let Some(token) = granted.id_token {
            members.push(("id_token", token));
        }
        self.answer(members)
    }

    /// The answer to a request that was refused.
    pub fn refused(&self, error: &OAuthError) -> Response {
        self.answer(vec![
            ("error", error.code.to_owned()),
            ("error_description", error.description.clone()),
        ])
    }

    fn answer(&self, mut members: Members) -> Response {
        if let Some(state) = &self.state {
            members.push(("state", state.clone()));
        }
        members.push(("iss", self.issuer.as_str().to_owned()));
        match (self.mode, origin_of(&self.redirect_uri)) {
            (ResponseMode::Query, _) => {
                Response::Redirect(with_query(&self.redirect_uri, &members))
            }
            (ResponseMode::FormPost, _) => Response::FormPost {
                action: self.redirect_uri.clone(),
                fields: members,
            },
            (ResponseMode::WebMessage, Some(target_origin)) => Response::WebMessage {
                target_origin,
                message: WebMessage::of(members),
            },
            // A URI without an origin has no page that waits for a message; the checks refuse it.
            (ResponseMode::Fragment | ResponseMode::WebMessage, _) => {
                Response::Redirect(format!("{}#{}", self.redirect_uri, encoded(&members)))
            }
        }
    }
}

impl WebMessage {
    fn of(members: Members) -> Self {
        let typed = |(name, text): (&'static str, String)| {
            let number = text.parse::<u64>().ok().filter(|_| name == "expires_in");
            (
                name.to_owned(),
                number.map_or(Value::String(text), Value::from),
            )
        };
        Self {
            kind: "authorization_response",
            response: members.into_iter().map(typed).collect(),
        }
    }
}

/// Adds parameters to a URI's query. What stands there stays, letter by letter (RFC 6749 §3.1.2).
pub(crate) fn with_query<N: AsRef<str>>(uri: &str, members: &[(N, String)]) -> String {
    if members.is_empty() {
        return uri.to_owned();
    }
    let (uri, fragment) = match uri.split_once('#') {
        Some((uri, fragment)) => (uri, format!("#{fragment}")),
        None => (uri, String::new()),
    };
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{}{fragment}", encoded(members))
}

/// `name=value` pairs. All but unreserved letters are percent-encoded, the space too: then it does not
/// matter whether the reader takes a plus for a space.
pub(crate) fn encoded<N: AsRef<str>>(members: &[(N, String)]) -> String {
    let mut text = String::new();
    for (name, value) in members {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name.as_ref());
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push('%');
                text.extend([byte >> 4, byte & 15].map(digit));
            }
        }
    }
    text
}

fn digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

/// Codes and tokens stay out of logs.
impl std::fmt::Debug for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Granted")
            .field("code", &self.code.is_some())
            .field("access_token", &self.access_token.is_some())
            .field("id_token", &self.id_token.is_some())
            .finish()
    }
}

/// Where it goes, not what it holds.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Redirect(url) => {
                let place = url.split(['?', '#']).next().unwrap_or_default();
                f.debug_tuple("Redirect").field(&place).finish()
            }
            Self::FormPost { action, .. } => f.debug_tuple("FormPost").field(action).finish(),
            Self::WebMessage { target_origin, .. } => {
                f.debug_tuple("WebMessage").field(target_origin).finish()
            }
        }
    }
}
