//! With what the browser comes back (RFC 6749 §4.1.2, OpenID Connect Core §3.2.2.5, RFC 9207).

use std::fmt;

use domain::{ConnectionId, Token, TransactionId};

/// Longest parameter: an ID token may be long.
const LONGEST: usize = 64 << 10;

/// What a state says of itself; it proves nothing before [`Bonds::is_ours`](super::Bonds::is_ours).
pub(super) struct State {
    pub login: TransactionId,
    pub connection: ConnectionId,
    pub proof: String,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.login, self.connection, self.proof)
    }
}

/// Which login and which connection a state claims to be for.
pub fn state_of(state: &str) -> Option<(TransactionId, ConnectionId)> {
    let mut parts = state.split('.');
    let (login, connection) = (parts.next()?, parts.next()?);
    let is_word = |text: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (1..=64).contains(&text.len()) && text.bytes().all(is_letter)
    };
    let is_one = parts.next().is_some() && parts.next().is_none();
    (is_one && is_word(login) && is_word(connection)).then(|| (login.into(), connection.into()))
}

/// What a provider answers.
#[derive(Debug)]
pub enum Callback {
    /// A code to be exchanged.
    Code(Token),
    /// An ID token, at once.
    IdToken(Token),
    /// No.
    Refused {
        /// Its reason, as the specification has it.
        error: String,
        /// Its words; for the log.
        description: String,
    },
}

/// An answer, whose state is not looked at yet.
#[derive(Debug)]
pub struct Returned {
    /// Ours, if it is.
    pub state: String,
    /// Who says to answer.
    pub issuer: Option<String>,
    /// The answer.
    pub answer: Callback,
}

/// An answer that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// A parameter comes twice: two readers might take different ones.
    #[error("a parameter comes twice")]
    Twice,
    /// A parameter is too long, or holds U+0000.
    #[error("a parameter can't be read")]
    Unreadable,
    /// There is no state.
    #[error("there is no state")]
    Stateless,
    /// Neither code nor ID token nor error.
    #[error("neither a code nor an ID token nor an error")]
    Empty,
}

impl Returned {
    /// Reads the parameters of the query or of the form.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self, CallbackError> {
        let [
            mut state,
            mut issuer,
            mut code,
            mut id_token,
            mut error,
            mut description,
        ] = [const { None }; 6];
        for (name, value) in pairs {
            let place = match name.as_str() {
                "state" => &mut state,
                "iss" => &mut issuer,
                "code" => &mut code,
                "id_token" => &mut id_token,
                "error" => &mut error,
                "error_description" => &mut description,
                // Others are to be passed over (RFC 6749 §4.1.2).
                _ => continue,
            };
            if value.len() > LONGEST || value.contains('\0') {
                return Err(CallbackError::Unreadable);
            }
            if place.replace(value).is_some() {
                return Err(CallbackError::Twice);
            }
        }
        let is_there = |text: &String| !text.is_empty();
        let answer = match (
            error.filter(is_there),
            code.filter(is_there),
            id_token.filter(is_there),
        ) {
            (Some(error), _, _) => Callback::Refused {
                error,
                description: description.unwrap_or_default(),
            },
            (None, Some(code), _) => Callback::Code(Token::from(code)),
            (None, None, Some(token)) => Callback::IdToken(Token::from(token)),
            (None, None, None) => return Err(CallbackError::Empty),
        };
        Ok(Self {
            state: state.filter(is_there).ok_or(CallbackError::Stateless)?,
            issuer: issuer.filter(is_there),
            answer,
        })
    }
}
