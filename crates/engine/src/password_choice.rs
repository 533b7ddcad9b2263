//! A password that somebody chooses, against all that its connection asks: the policy, the
//! operator's list of leaked passwords, the person's own earlier ones.
//!
//! A password that is *proven* at a login is never judged here: whoever moves in keeps theirs. What a
//! new password ends is said here, too.

use std::sync::Arc;

use domain::user::{Attributes, UserRow};
use domain::{Connection, Password, SessionEnd, User};
use password::policy::{Fault, PasswordPolicy, Personal};
use store::{Purpose, Write};

use crate::Engine;
use crate::error::Error;
use crate::leaked_passwords::LeakedPasswords;
use crate::recipes;

/// A password that may not be chosen.
#[derive(Debug)]
pub struct Unfit {
    /// What is wrong with it.
    pub fault: Fault,
    /// What is asked, in words, a line for each rule.
    pub policy: String,
}

/// Why a choice does not stand.
#[derive(Debug)]
pub(crate) enum ChoiceError {
    /// The password may not be.
    Unfit(Unfit),
    /// It could not be judged.
    Failed(Error),
}

impl From<Error> for ChoiceError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Where a password is chosen, as attack protection tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    SignUp,
    Change,
}

impl Engine {
    /// Judges a password. `row` is whose earlier passwords count, when they are here.
    pub(crate) async fn judge_choice(
        &self,
        connection: &Connection,
        (attributes, row): (&Attributes, Option<UserRow>),
        occasion: Occasion,
        password: &Arc<Password>,
    ) -> Result<(), ChoiceError> {
        let policy = PasswordPolicy::of(connection);
        let unfit = |fault| {
            ChoiceError::Unfit(Unfit {
                fault,
                policy: policy.words(),
            })
        };
        policy
            .judge(password, &Personal::of(attributes))
            .map_err(unfit)?;
        if self.refuses_leaked(occasion).await? && self.is_leaked(password).await? {
            return Err(unfit(Fault::Leaked));
        }
        if let Some(row) = row
            && policy.history() > 0
            && self
                .was_used(connection, row, policy.history(), password)
                .await?
        {
            return Err(unfit(Fault::Used));
        }
        Ok(())
    }

    /// Adds the password that is about to be replaced to those remembered, where any are.
    pub(crate) fn remember_password(
        &self,
        write: &mut Write,
        connection: &Connection,
        row: UserRow,
    ) {
        let keep = PasswordPolicy::of(connection).history();
        if keep > 0 {
            write.remember_password(row, &connection.id, keep, self.now());
        }
    }

    /// Adds to a batch what a new password ends, whoever set it: the sessions and refresh tokens that
    /// the old one opened, the links to a new one, the blocks after failures. What writes the user's
    /// row comes before it.
    pub(crate) fn end_by_password(&self, write: &mut Write, connection: &Connection, user: &User) {
        let now = self.now();
        write.delete_sessions(user.row, &self.ending(SessionEnd::PasswordChanged));
        write.revoke_refresh_tokens_of(user.row, now);
        if let Some(email) = &user.attributes_in(&connection.id).email {
            write.void_tickets(Purpose::Password, &connection.id, email.as_str(), now);
        }
        self.lift_blocks(write, connection, user);
    }

    pub(crate) async fn is_leaked(&self, password: &Arc<Password>) -> Result<bool, Error> {
        let Some(path) = self.settings.leaked_passwords.clone() else {
            return Ok(false);
        };
        let password = Arc::clone(password);
        let looked =
            tokio::task::spawn_blocking(move || LeakedPasswords::at(path).contains(&password));
        looked
            .await
            .map_err(Error::internal)?
            .map_err(|error| Error::unavailable(format!("the list of leaked passwords: {error}")))
    }

    async fn was_used(
        &self,
        connection: &Connection,
        row: UserRow,
        depth: usize,
        password: &Arc<Password>,
    ) -> Result<bool, Error> {
        let hashes = self
            .store
            .list_passwords(row, &connection.id, depth)
            .await?;
        for stored in hashes {
            // A hash that nobody can read any more tells nothing.
            let Ok(hash) = recipes::read_stored(connection, &stored) else {
                continue;
            };
            if self.hashing.verify(Arc::new(hash), password).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
