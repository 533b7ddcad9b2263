//! A verification link is followed: the address is proven, here or by the `verify` script.

use domain::User;
use domain::connection::Mode;
use domain::{EmailAddress, EventKind};
use store::{Purpose, StoreError};

use super::{Landing, Opened, Problem, came_second};
use crate::deeds::{Deed, Subject};
use crate::{Context, Engine};

/// Lost races before the person is told to try again.
const TRIES: usize = 5;

impl Engine {
    /// Marks the address that a link is about as proven.
    pub async fn verify_email(&self, context: &Context, token: &str) -> Landing {
        let opened = match self.open_ticket(token, Purpose::Email).await {
            Ok(opened) => opened,
            Err(landing) => return landing,
        };
        let done = self.try_verify(context, &opened).await;
        Landing::of(Some(&opened.ticket), done.err())
    }

    async fn try_verify(&self, context: &Context, opened: &Opened) -> Result<(), Problem> {
        let user = self.copy_of(opened).await?.ok_or(Problem::Unknown)?;
        if user.is_linked_in(&opened.connection.id) {
            // Its address is not the account's, and says nothing of that.
            return Err(Problem::Unknown);
        }
        if opened.connection.mode() == Mode::Legacy {
            return self.verify_there(context, opened, user).await;
        }
        let mut user = user;
        for _ in 0..TRIES {
            let mut write = self.store.write();
            write.use_ticket(&opened.ticket.token_hash, self.now());
            mark(&mut write, opened, &mut user, self.now());
            let (kind, subject) = (EventKind::EmailVerified, Subject::of(&user));
            write.log(&self.deed_event(context, &opened.connection, &subject, kind));
            match self.store.commit(write).await {
                Ok(()) => return Ok(()),
                Err(error) if came_second(&error) => return Err(Problem::Used),
                Err(StoreError::Stale { .. }) => {
                    user = self.copy_of(opened).await?.ok_or(Problem::Unknown)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::NotChanged)
    }

    async fn verify_there(
        &self,
        context: &Context,
        opened: &Opened,
        mut user: User,
    ) -> Result<(), Problem> {
        let connection = &opened.connection;
        let subject = Subject::of(&user);
        let email = user.attributes.email.as_ref().map(EmailAddress::to_string);
        let email = email.ok_or(Problem::Unknown)?;
        self.claim_ticket(&opened.ticket).await?;
        let deed = Deed::Verify { email: &email };
        if let Err(error) = self
            .change_there(context, connection, &subject, &deed)
            .await
        {
            self.give_back(&opened.ticket).await;
            return Err(error.into());
        }
        let mut detail = "the user kept changing".to_owned();
        for _ in 0..TRIES {
            let mut write = self.store.write();
            mark(&mut write, opened, &mut user, self.now());
            write.log(&self.deed_event(context, connection, &subject, deed.done()));
            match self.store.commit(write).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Stale { .. }) => match self.copy_of(opened).await {
                    Ok(Some(again)) => user = again,
                    _ => break,
                },
                Err(error) => {
                    detail = error.to_string();
                    break;
                }
            }
        }
        let error = self
            .out_of_step(context, connection, &subject, &deed, &detail)
            .await;
        Err(Problem::Failed(error))
    }
}

fn mark(write: &mut store::Write, opened: &Opened, user: &mut User, now: domain::Instant) {
    if !user.attributes.email_verified {
        user.attributes.email_verified = true;
        write.update_user(user, &opened.connection.id, now);
    }
}
