//! Whoever signs up is mailed a link that proves the address.

use domain::connection::Mode;
use domain::{Connection, NewUser};
use store::{Mail, Purpose, Ticket};

use super::issue::Addressee;
use crate::{Context, Engine};

impl Engine {
    /// The link that proves the address of somebody who signs up, and its mail: unless there is
    /// nothing to prove, the legacy store could not be told, or the operator switched the template off.
    pub(crate) async fn sign_up_mail(
        &self,
        context: &Context,
        connection: &Connection,
        user: &NewUser,
    ) -> Option<(Ticket, Mail)> {
        let attributes = &user.attributes;
        let email = attributes.email.as_ref()?;
        let is_told = connection.mode() != Mode::Legacy || connection.script("verify").is_some();
        if attributes.email_verified || !is_told || self.is_switched_off("verify_email").await {
            return None;
        }
        let addressee = Addressee {
            user: Some((user.row, user.foreign_id.user_id())),
            email: email.to_string(),
        };
        let link = self.mailed_ticket(context, connection, &addressee, Purpose::Email);
        Some(link.await)
    }

    /// The same where the user is there already: a mail that can't be written fails nothing.
    pub(crate) async fn mail_newcomer(
        &self,
        context: &Context,
        connection: &Connection,
        user: &NewUser,
    ) {
        let Some((ticket, mail)) = self.sign_up_mail(context, connection, user).await else {
            return;
        };
        let mut write = self.store.write();
        write.require_connection(&connection.id);
        write.insert_ticket(&ticket, self.now());
        let written = match write.post(&mail, self.now()) {
            Ok(_) => self.store.commit(write).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => self.outbox_wake.notify_one(),
            Err(error) => tracing::warn!(%error, "no verification mail was sent"),
        }
    }
}
