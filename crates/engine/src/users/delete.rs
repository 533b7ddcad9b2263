//! A user goes.
//!
//! In import mode only what is stored here goes: the legacy record remains and the user arrives
//! again at its next login, as documented. In legacy mode the `delete` script is called first, and
//! what is here goes when it said that it was done.

use domain::connection::Mode;
use domain::{ConnectionId, EventKind, LogEvent, SessionEnd, User, UserId};

use crate::deeds::{Deed, Subject};
use crate::error::Result;
use crate::{Context, Engine};

impl Engine {
    /// Deletes a user with all that is theirs. Nobody by that id is fine.
    pub async fn delete_user(&self, context: &Context, user_id: &UserId) -> Result<()> {
        match self.store.find_user(user_id).await? {
            Some(user) => self.delete_stored(context, &user).await,
            None => Ok(()),
        }
    }

    /// Deletes the user who holds an address in a connection. Nobody is fine.
    pub async fn delete_user_by_email(
        &self,
        context: &Context,
        connection: &ConnectionId,
        email: &domain::EmailAddress,
    ) -> Result<()> {
        match self.store.find_user_by_email(connection, email).await? {
            Some(user) => self.delete_stored(context, &user).await,
            None => Ok(()),
        }
    }

    async fn delete_stored(&self, context: &Context, user: &User) -> Result<()> {
        let mut event = self
            .management_event(context, EventKind::UserDeleted, "User deleted")
            .await?;
        event.user_id = Some(user.user_id.clone());
        event.user_name = user.attributes.email.as_ref().map(ToString::to_string);
        let Some(identity) = user.identities.first() else {
            return self.delete_here(user, &event).await;
        };
        event.connection = Some((
            identity.connection.clone(),
            identity.connection_name.clone(),
        ));
        let connection = self.store.find_connection(&identity.connection).await?;
        match connection {
            Some(connection) if connection.mode() == Mode::Legacy => {
                let known_as = self.store.find_legacy_id(user.row, &connection.id).await?;
                let id = known_as.as_ref().unwrap_or(&identity.foreign_id).as_str();
                let deed = Deed::Delete { id };
                let mut subject = Subject::of(user);
                subject.client.clone_from(&event.client);
                self.change_there(context, &connection, &subject, &deed)
                    .await?;
                match self.delete_here(user, &event).await {
                    Ok(()) => Ok(()),
                    Err(error) => Err(self
                        .out_of_step(context, &connection, &subject, &deed, &error.detail())
                        .await),
                }
            }
            Some(connection) if connection.mode() == Mode::Import => {
                event.description =
                    Some("User deleted here; the legacy store may still hold the user".into());
                self.delete_here(user, &event).await
            }
            _ => self.delete_here(user, &event).await,
        }
    }

    async fn delete_here(&self, user: &User, event: &LogEvent) -> Result<()> {
        let mut write = self.store.write();
        // First, since the notices name the user.
        write.delete_sessions(user.row, &self.ending(SessionEnd::AccountDeleted));
        write.delete_user(user.row);
        write.log(event);
        Ok(self.store.commit(write).await?)
    }
}
