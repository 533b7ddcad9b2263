//! A password link is followed and a password typed.
//!
//! Where the password is kept here, link, password and log are one write. A legacy user who is not
//! here yet arrives in that write, with the legacy profile. Where the legacy store keeps it, the
//! link is used up, then the `change_password` script is called.

use std::sync::Arc;

use domain::connection::Mode;
use domain::user::{Credential, NewUser, Origin};
use domain::{EventKind, HashText, Password, SessionEnd, User};
use store::{Purpose, StoreError, Write};

use super::{Landing, Opened, Problem, came_second, is_about};
use crate::deeds::{Deed, Subject};
use crate::migrate_user::{drop_unwanted_names, keep_persistent, own_credential};
use crate::signup::check_strength;
use crate::{Context, Engine};

/// Lost races before the person is told to try again.
const TRIES: usize = 5;

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
        Landing::of(Some(&opened.ticket), done.err())
    }

    async fn try_reset(
        &self,
        context: &Context,
        opened: &Opened,
        password: &Arc<Password>,
    ) -> Result<(), Problem> {
        if let Err((min_length, _)) = check_strength(&opened.connection, password) {
            return Err(Problem::WeakPassword { min_length });
        }
        if opened.connection.mode() == Mode::Legacy {
            return self.reset_there(context, opened, password).await;
        }
        let hash = self.hashing.hash(password).await?;
        for _ in 0..TRIES {
            let write = match self.holder(opened).await? {
                Some(user) => self.set_here(context, opened, user, &hash),
                None => self.arrive_with(context, opened, &hash).await?,
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
        if ticket.proves_email && !user.attributes.email_verified {
            user.attributes.email_verified = true;
            write.update_user(&user, &connection.id, self.now());
        }
        let credential = Credential {
            hash: HashText::from(hash.expose()),
            is_imported: false,
        };
        write.set_password(user.row, &connection.id, &credential, self.now());
        write.delete_sessions(user.row, &self.ending(SessionEnd::PasswordChanged));
        write
    }

    /// Link, other links, and the event of a changed password; the link comes first.
    fn spend(&self, context: &Context, opened: &Opened, subject: &Subject) -> Write {
        let (ticket, connection, now) = (&opened.ticket, &opened.connection, self.now());
        let mut write = self.store.write();
        write.use_ticket(&ticket.token_hash, now);
        write.void_tickets(Purpose::Password, &connection.id, &ticket.email, now);
        let kind = EventKind::PasswordChanged;
        write.log(&self.deed_event(context, connection, subject, kind));
        write
    }

    /// A legacy user arrives with the new password.
    async fn arrive_with(
        &self,
        context: &Context,
        opened: &Opened,
        hash: &HashText,
    ) -> Result<Write, Problem> {
        let (ticket, connection) = (&opened.ticket, &opened.connection);
        if connection.mode() != Mode::Import {
            return Err(Problem::Unknown);
        }
        let found = self
            .find_in_legacy_store(context, connection, &ticket.email)
            .await?;
        let mut profile = found.ok_or(Problem::Unknown)?;
        let key = profile
            .attributes
            .email
            .as_ref()
            .map(domain::EmailAddress::key);
        if key != Some(domain::email::fold(&ticket.email)) {
            return Err(Problem::Unknown);
        }
        keep_persistent(connection, &mut profile.attributes);
        drop_unwanted_names(connection, &mut profile.attributes);
        profile.attributes.email_verified |= ticket.proves_email;
        let user = NewUser {
            row: self.store.next_user_row().await?,
            connection: connection.id.clone(),
            foreign_id: profile.foreign_id.clone(),
            attributes: profile.attributes,
            credential: Some(own_credential(hash)),
            factors: Vec::new(),
            origin: Origin::Login,
            import_job: None,
            created_at: self.now(),
        };
        let subject = Subject {
            user_id: Some(profile.foreign_id.user_id()),
            user_name: Some(ticket.email.clone()),
            client: None,
        };
        let mut write = self.spend(context, opened, &subject);
        write.require_connection(&connection.id);
        write.insert_user(&user)?;
        write.replace_factors(user.row, &profile.factors, user.created_at)?;
        let mut event = self.deed_event(context, connection, &subject, EventKind::UserMigrated);
        event.description = Some("A legacy user arrived with a new password.".into());
        write.log(&event);
        Ok(write)
    }

    async fn reset_there(
        &self,
        context: &Context,
        opened: &Opened,
        password: &Password,
    ) -> Result<(), Problem> {
        let (ticket, connection) = (&opened.ticket, &opened.connection);
        let user = self.copy_of(opened).await?;
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
        if let Some(user) = &user {
            write.note_password_reset(user.row, now);
            write.delete_sessions(user.row, &self.ending(SessionEnd::PasswordChanged));
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
