//! A link that lifts the block of an account after too many failures.

use domain::{Connection, EventKind, User};
use store::{Mail, Purpose, Ticket};

use super::issue::Addressee;
use super::{Landing, Opened, Problem, came_second};
use crate::deeds::Subject;
use crate::{Context, Engine};

impl Engine {
    /// Whether a link could be used now: what its page shows.
    pub async fn look_at_unblock_link(&self, token: &str) -> Landing {
        match self.open_ticket(token, Purpose::Unblock).await {
            Ok(opened) => Landing::of(Some(&opened.ticket), None),
            Err(landing) => landing,
        }
    }

    /// Lifts the block of whom a link is for.
    pub async fn unblock_by_link(&self, context: &Context, token: &str) -> Landing {
        let opened = match self.open_ticket(token, Purpose::Unblock).await {
            Ok(opened) => opened,
            Err(landing) => return landing,
        };
        let done = self.try_unblock(context, &opened).await;
        Landing::of(Some(&opened.ticket), done.err())
    }

    async fn try_unblock(&self, context: &Context, opened: &Opened) -> Result<(), Problem> {
        let user = self.copy_of(opened).await?.ok_or(Problem::Unknown)?;
        let (ticket, connection, now) = (&opened.ticket, &opened.connection, self.now());
        let mut write = self.store.write();
        write.use_ticket(&ticket.token_hash, now);
        write.void_tickets(Purpose::Unblock, &connection.id, &ticket.email, now);
        self.lift_blocks(&mut write, connection, &user);
        let subject = Subject::of(&user);
        let mut event = self.deed_event(context, connection, &subject, EventKind::Unblocked);
        event.description = Some("The block was lifted by the link that was mailed.".into());
        write.log(&event);
        match self.store.commit(write).await {
            Err(error) if came_second(&error) => Err(Problem::Used),
            other => Ok(other?),
        }
    }

    /// A link to a new password for whoever has a leaked one, and its mail.
    pub(crate) async fn leak_mail(
        &self,
        connection: &Connection,
        user: &User,
    ) -> Option<(Ticket, Mail)> {
        let addressee = Addressee::of(user, connection)?;
        let (template, purpose) = ("stolen_credentials", Purpose::Password);
        // Whoever typed the password may be somebody else: their languages are not the owner's.
        let nobody = Context::default();
        let words = (template, &nobody);
        let link = self.ticket_mailed_as(words, connection, &addressee, purpose);
        Some(link.await)
    }

    /// The link for a user, and its mail; none without an address to send it to.
    pub(crate) async fn unblock_mail(
        &self,
        connection: &Connection,
        user: &User,
    ) -> Option<(Ticket, Mail)> {
        let addressee = Addressee::of(user, connection)?;
        let nobody = Context::default();
        let link = self.mailed_ticket(&nobody, connection, &addressee, Purpose::Unblock);
        Some(link.await)
    }
}
