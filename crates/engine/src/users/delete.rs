//! A user goes.
//!
//! Only what is stored here goes. In import mode the legacy record remains and the user arrives
//! again at its next login, as documented. In legacy mode the documented order is the `delete`
//! script, then the store; this version does not run that script, so the cached copy goes and the
//! event says that the legacy store still holds the user.

use domain::connection::Mode;
use domain::{ConnectionId, EventKind, User, UserId};

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
        if let Some(identity) = user.identities.first() {
            let connection = self.store.find_connection(&identity.connection).await?;
            if connection.is_some_and(|connection| connection.mode() != Mode::Plain) {
                event.description =
                    Some("User deleted here; the legacy store may still hold the user".into());
            }
            event.connection = Some((
                identity.connection.clone(),
                identity.connection_name.clone(),
            ));
        }
        let mut write = self.store.write();
        write.delete_user(user.row);
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }
}
