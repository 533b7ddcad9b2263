//! Through which of their connections a passkey lets its owner in. A key belongs to a user, and a
//! user may have identities in connections that are none of an application's business.

use domain::{Client, Connection, EventKind, User};

use super::PasskeyError;
use super::response::Unfit;
use crate::error::Result;
use crate::mfa::Person;
use crate::{Context, Engine};

/// The login that a passkey is to open.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    /// What its challenges are bound to.
    pub bound_to: &'a str,
    /// The application.
    pub client: &'a Client,
    /// The name of the connection that the application asked for.
    pub connection: Option<&'a str>,
}

impl Door<'_> {
    /// Whether people of a connection come in by passkey.
    fn admits(&self, connection: &Connection) -> bool {
        connection.has_passkeys()
            && connection.serves(&self.client.client_id)
            && self.connection.is_none_or(|asked| asked == connection.name)
    }
}

impl Engine {
    /// The first connection of a user that a door admits.
    pub(super) async fn admitted_by(
        &self,
        door: &Door<'_>,
        user: &User,
    ) -> Result<Option<Connection>> {
        for identity in &user.identities {
            let found = self.store.find_connection(&identity.connection).await?;
            if let Some(connection) = found.filter(|connection| door.admits(connection)) {
                return Ok(Some(connection));
            }
        }
        Ok(None)
    }

    /// Writes down why a key was refused.
    pub(super) async fn key_refused(
        &self,
        context: &Context,
        user: &User,
        unfit: &Unfit,
    ) -> PasskeyError {
        let person = Person { user, client: None };
        let mut event = self.factor_event(context, person, EventKind::MfaFailed);
        event.description = Some(format!("Passkey refused: {}", unfit.0));
        match self.log_only(event).await {
            Ok(()) => PasskeyError::Refused,
            Err(error) => error.into(),
        }
    }
}
