//! A password link is followed and a password typed.
//!
//! Where the password is kept here, link, password and log are one write. A legacy user who is not
//! here yet arrives in that write, with the legacy profile. Where the legacy store keeps it, the
//! link is used up, then the `change_password` script is called.

use std::borrow::Cow;
use std::sync::Arc;

use domain::connection::Mode;
use domain::user::{Attributes, Credential};
use domain::{EmailAddress, EventKind, HashText, Password, Profile, User};
use password::policy::Fault;
use store::{Purpose, StoreError, Write};

use super::{Landing, Opened, Problem, came_second, is_about};
use crate::deeds::{Deed, Subject};
use crate::password_choice::{ChoiceError, Occasion};
use crate::{Context, Engine};

/// Lost races before the person is told to try again.
const TRIES: usize = 5;

/// Whom a link is for.
enum Holder {
    /// A user.
    Here(User),
    /// Somebody whom only the legacy store knows.
    There(Profile),
}

impl Engine {
    /// Sets the password of whom a link is for.
    pub async fn reset_password(
        &self,
        context: &Context,
        token: &str,
        password: &Arc<Password>,
    ) -> Landing {
        let opened = match self.open_ticket(token, Purpose::Password).await {
            Ok(opened) => opened,
            Err(landing) => return landing,
        };
        let done = self.try_reset(context, &opened, password).await;
        if done.is_ok() {
            self.notices_wake.notify_one();
        }
        Landing::of(Some(&opened.ticket), done.err())
    }

    async fn try_reset(
        &self,
        context: &Context,
        opened: &Opened,
        password: &Arc<Password>,
    ) -> Result<(), Problem> {
        let (connection, change) = (&opened.connection, Occasion::Change);
        if connection.mode() == Mode::Legacy {
            return self.reset_there(context, opened, password).await;
        }
        let mut hash = None;
        for _ in 0..TRIES {
            let holder = match self.holder(opened).await? {
                Some(user) => Holder::Here(user),
                None => Holder::There(self.newcomer(context, opened).await?),
            };
            let judged = {
                let (attributes, row) = match &holder {
                    Holder::Here(user) => (user.attributes_in(&connection.id), Some(user.row)),
                    Holder::There(profile) => (Cow::Borrowed(&profile.attributes), None),
                };
                self.judge_choice(connection, (&attributes, row), change, password)
                    .await
            };
            self.heed_leaked_choice(context, opened, judged).await?;
            let hash = match &hash {
                Some(hash) => hash,
                None => hash.insert(self.hashing.hash(password).await?),
            };
            let write = match holder {
                Holder::Here(user) => Some(self.set_here(context, opened, user, hash)),
                Holder::There(profile) => self.arrive_with(context, opened, profile, hash).await?,
            };
            let Some(write) = write else {
                continue;
            };
            match self.store.commit(write).await {
                Ok(()) => return Ok(()),
                Err(error) if came_second(&error) => return Err(Problem::Used),
                // Changed or arrived meanwhile: look again.
                Err(StoreError::Stale { .. } | StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::NotChanged)
    }

    /// A leaked password that was chosen is told to the log.
    async fn heed_leaked_choice(
        &self,
        context: &Context,
        opened: &Opened,
        judged: Result<(), ChoiceError>,
    ) -> Result<(), Problem> {
        if let Err(ChoiceError::Unfit(unfit)) = &judged
            && unfit.fault == Fault::Leaked
        {
            let subject = Subject {
                user_name: Some(opened.ticket.email.clone()),
                ..Subject::default()
            };
            let kind = EventKind::LeakedPasswordAtReset;
            let event = self.deed_event(context, &opened.connection, &subject, kind);
            self.log_only(event).await?;
        }
        Ok(judged?)
    }

    /// Whom the link is for, when it is somebody here.
    async fn holder(&self, opened: &Opened) -> Result<Option<User>, Problem> {
        let ticket = &opened.ticket;
        let user = if let Some(row) = ticket.user {
            let user = self.store.find_user_by_row(row).await?;
            Some(user.ok_or(Problem::Unknown)?)
        } else {
            let found = self
                .store
                .find_login(&opened.connection.id, &ticket.email)
                .await?;
            found.map(|(user, _)| user)
        };
        match user {
            Some(user) if !is_about(ticket, &user) => Err(Problem::Unknown),
            user => Ok(user),
        }
    }

    fn set_here(
        &self,
        context: &Context,
        opened: &Opened,
        mut user: User,
        hash: &HashText,
    ) -> Write {
        let (ticket, connection) = (&opened.ticket, &opened.connection);
        let mut write = self.spend(context, opened, &Subject::of(&user));
        // A linked identity's address is not the account's: there the password alone is set.
        let is_own = !user.is_linked_in(&connection.id);
        if is_own && ticket.proves_email && !user.attributes.email_verified {
            user.attributes.email_verified = true;
            write.update_user(&user, &connection.id, self.now());
        }
        let credential = Credential {
            hash: HashText::from(hash.expose()),
            is_imported: false,
        };
        self.remember_password(&mut write, connection, user.row);
        write.set_password(user.row, &connection.id, &credential, self.now());
        self.end_by_password(&mut write, connection, &user);
        write
    }

    /// Link, other links, and the event of a changed password; the link comes first.
    pub(super) fn spend(&self, context: &Context, opened: &Opened, subject: &Subject) -> Write {
        let (ticket, connection, now) = (&opened.ticket, &opened.connection, self.now());
        let mut write = self.store.write();
        write.use_ticket(&ticket.token_hash, now);
        write.void_tickets(Purpose::Password, &connection.id, &ticket.email, now);
        // Whoever holds the mailbox and a new password starts anew.
        self.lift_block_of(&mut write, connection, &ticket.email);
        let kind = EventKind::PasswordChanged;
        write.log(&self.deed_event(context, connection, subject, kind));
        write
    }

    async fn reset_there(
        &self,
        context: &Context,
        opened: &Opened,
        password: &Arc<Password>,
    ) -> Result<(), Problem> {
        let (ticket, connection) = (&opened.ticket, &opened.connection);
        let user = self.copy_of(opened).await?;
        let attributes = match &user {
            Some(user) => user.attributes_in(&connection.id).into_owned(),
            // Nothing is known of whom there is no copy of, but the address.
            None => Attributes {
                email: EmailAddress::parse(&ticket.email).ok(),
                ..Attributes::default()
            },
        };
        // Passwords that were used before are known to the legacy store alone.
        let person = (&attributes, None);
        let judged = self.judge_choice(connection, person, Occasion::Change, password);
        self.heed_leaked_choice(context, opened, judged.await)
            .await?;
        let subject = user.as_ref().map_or_else(
            || Subject {
                user_name: Some(ticket.email.clone()),
                ..Subject::default()
            },
            Subject::of,
        );
        self.claim_ticket(ticket).await?;
        let deed = Deed::ChangePassword {
            identifier: &ticket.email,
            password,
        };
        if let Err(error) = self
            .change_there(context, connection, &subject, &deed)
            .await
        {
            self.give_back(ticket).await;
            return Err(error.into());
        }
        let now = self.now();
        let mut write = self.store.write();
        write.void_tickets(Purpose::Password, &connection.id, &ticket.email, now);
        self.lift_block_of(&mut write, connection, &ticket.email);
        if let Some(user) = &user {
            write.note_password_reset(user.row, now);
            self.end_by_password(&mut write, connection, user);
        }
        write.log(&self.deed_event(context, connection, &subject, deed.done()));
        match self.store.commit(write).await {
            Ok(()) => Ok(()),
            Err(error) => Err(Problem::Failed(
                self.out_of_step(context, connection, &subject, &deed, &error.to_string())
                    .await,
            )),
        }
    }

    /// The copy of a legacy user whom a link is for, when there is one.
    pub(super) async fn copy_of(&self, opened: &Opened) -> Result<Option<User>, Problem> {
        let Some(row) = opened.ticket.user else {
            return Ok(None);
        };
        match self.store.find_user_by_row(row).await? {
            Some(user) if is_about(&opened.ticket, &user) => Ok(Some(user)),
            _ => Err(Problem::Unknown),
        }
    }
}
