//! How far a login has come, as it is kept.

use domain::{Authentication, AuthenticationMethod, ConnectionId, Instant, SessionId, UserRow};
use serde::{Deserialize, Serialize};

use crate::federation::Newcomer;

/// How far the person has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What was typed as name, where that comes first.
    pub identifier: Option<String>,
    /// Whether the person would rather sign up.
    pub signs_up: bool,
    /// Who proved to be there, and how.
    pub proven: Option<Proven>,
    /// Whether the person allowed the client what it asks for; none before they were asked.
    pub consent: Option<bool>,
    /// What names the sending of the code by mail that this login waits for.
    #[serde(default)]
    pub mailed_code: Option<String>,
    /// Whether a passkey was offered.
    #[serde(default)]
    pub passkey_offered: bool,
    /// Somebody whom another provider vouches for and who may be here already: linked, when the
    /// login ends, to the account that said so, and to no other.
    #[serde(default)]
    pub newcomer: Option<Newcomer>,
    /// The device that the login is for; none where the browser goes back to a client.
    #[serde(default)]
    pub device: Option<WaitingCode>,
}

impl Progress {
    /// Whether it is known who is there, or asked on a page of its own. Forms that would prove
    /// somebody, from a page that is out of date, come too late then.
    pub const fn is_answered(&self) -> bool {
        self.proven.is_some() || self.newcomer.is_some()
    }
}

/// A device that a login is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingCode {
    /// The code that the device shows and the person typed: `XXXX-XXXX`.
    pub user_code: String,
    /// Whether the person said that the device is theirs; none before they were asked.
    pub is_theirs: Option<bool>,
}

/// Who is there and how that was proven, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    user: i64,
    user_id: String,
    connection: Option<ConnectionId>,
    /// The session that vouches; none when the proof was given in this transaction.
    session: Option<SessionId>,
    at: i64,
    methods: Vec<AuthenticationMethod>,
}

impl From<&Authentication> for Proven {
    fn from(authentication: &Authentication) -> Self {
        Self {
            user: authentication.user.0,
            user_id: authentication.user_id.to_string(),
            connection: authentication.connection.clone(),
            session: authentication.session.clone(),
            at: authentication.at.millis(),
            methods: authentication.methods.clone(),
        }
    }
}

impl From<&Proven> for Authentication {
    fn from(proven: &Proven) -> Self {
        Self {
            user: UserRow(proven.user),
            user_id: proven.user_id.as_str().into(),
            connection: proven.connection.clone(),
            session: proven.session.clone(),
            at: Instant::from_millis(proven.at),
            methods: proven.methods.clone(),
        }
    }
}
