//! A password login as a straight list of steps.

use std::sync::{Arc, MutexGuard, PoisonError};

use domain::connection::Mode;
use domain::{
    Client, Connection, ConnectionId, EventKind, Json, LogEvent, Password, User, UserId, UserRow,
};
use store::{StoredCredential, Write};

use crate::error::{Error, Result};
use crate::protection::Attempts;
use crate::{Context, Engine};

/// What a login needs.
pub(crate) struct LoginCommand {
    /// The application that asks.
    pub client: Client,
    /// Where the user's credentials live.
    pub connection: Connection,
    /// An e-mail address or a username, as typed.
    pub identifier: String,
    /// The password, as typed.
    pub password: Arc<Password>,
}

/// The user whom a login lets in.
pub(crate) struct Entering<'a> {
    /// The store's number.
    pub row: UserRow,
    /// The public id.
    pub user_id: &'a UserId,
    /// Logins before this one.
    pub earlier_logins: i64,
}

impl<'a> From<&'a User> for Entering<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            row: user.row,
            user_id: &user.user_id,
            earlier_logins: user.logins_count,
        }
    }
}

/// Why nobody was let in.
#[derive(Debug)]
pub(crate) enum LoginError {
    /// Wrong password or unknown user: one answer for both.
    Denied,
    /// An administrator barred the user.
    Blocked,
    /// Too many failures on this account from this address.
    TooManyAttempts,
    /// Too many failures from this address, on whatever accounts.
    Throttled,
    /// The password is proven, leaked, and not let in.
    Leaked,
    /// The script refused with a message for the person.
    Refused(String),
    /// The user proved who it is, yet another record holds one of its keys.
    Conflict(String),
    /// Anything that is not the person's fault.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for LoginError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Engine {
    /// Lets a user in, bringing it here first when it is still in the legacy store.
    pub(crate) async fn login(
        &self,
        context: &Context,
        login: &LoginCommand,
    ) -> Result<User, LoginError> {
        let (connection, identifier) = (&login.connection, &login.identifier);
        let attempts = self.look_first(context, login).await?;
        let user = self.authenticate(context, login).await?;
        if attempts == Attempts::Failed {
            let mut write = self.store.write();
            self.forget_failures(context, connection, identifier, &mut write)
                .await?;
            if !write.is_empty() {
                self.store.commit(write).await?;
            }
        }
        Ok(user)
    }

    /// Looks at the failures before any work is done. Being kept out costs the time of a wrong
    /// password.
    async fn look_first(
        &self,
        context: &Context,
        login: &LoginCommand,
    ) -> Result<Attempts, LoginError> {
        let (connection, identifier) = (&login.connection, &login.identifier);
        let attempts = self.attempts(context, connection, identifier).await?;
        if attempts.keep_out() {
            self.hashing.verify_nothing(&login.password).await?;
        }
        self.heed_attempts(context, login, attempts).await?;
        Ok(attempts)
    }

    /// Keeps out whoever failed too often, and logs it.
    async fn heed_attempts(
        &self,
        context: &Context,
        login: &LoginCommand,
        attempts: Attempts,
    ) -> Result<(), LoginError> {
        let (kind, error) = match attempts {
            Attempts::Blocked => (EventKind::AccountBlocked, LoginError::TooManyAttempts),
            Attempts::Throttled => (EventKind::AddressBlocked, LoginError::Throttled),
            Attempts::Clean | Attempts::Failed => return Ok(()),
        };
        self.log_only(self.login_event(context, login, kind))
            .await?;
        Err(error)
    }

    /// Looks at the failures once more, now that the password was looked at: of many guesses at one
    /// moment no more are answered than of as many in a row. A right one is told no more than a
    /// wrong one.
    pub(crate) async fn look_again(
        &self,
        context: &Context,
        login: &LoginCommand,
    ) -> Result<(), LoginError> {
        let (connection, identifier) = (&login.connection, &login.identifier);
        let attempts = self.attempts(context, connection, identifier).await?;
        self.heed_attempts(context, login, attempts).await
    }

    async fn authenticate(
        &self,
        context: &Context,
        login: &LoginCommand,
    ) -> Result<User, LoginError> {
        let connection = &login.connection;
        if connection.mode() == Mode::Legacy {
            return self.login_by_script(context, login).await;
        }
        let found = self
            .store
            .find_login(&connection.id, &login.identifier)
            .await?;
        if found.is_some() {
            let login = (connection.id.clone(), login.identifier.clone());
            *self.last_found() = Some(login);
        }
        match found {
            Some((
                user,
                StoredCredential {
                    hash: Some(hash),
                    is_imported,
                },
            )) => {
                let kept = (&hash, is_imported);
                self.login_by_hash(context, login, user, kept).await
            }
            _ if connection.mode() == Mode::Import => self.arrive(context, login).await,
            Some((user, _)) => Err(self
                .deny(context, login, EventKind::WrongPassword, Some(&user))
                .await),
            None => {
                self.look_somebody_up().await?;
                Err(self
                    .deny(context, login, EventKind::UnknownUser, None)
                    .await)
            }
        }
    }

    /// Spends the time of reading a user where there is none to be read: whoever was found last is
    /// looked up again.
    async fn look_somebody_up(&self) -> Result<(), LoginError> {
        let last = self.last_found().clone();
        if let Some((connection, identifier)) = last {
            self.store.find_login(&connection, &identifier).await?;
        }
        Ok(())
    }

    fn last_found(&self) -> MutexGuard<'_, Option<(ConnectionId, String)>> {
        self.last_found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Not here yet, or here without a password: its turn at the legacy store. Whom somebody
    /// brought here while we waited is found here.
    async fn arrive(&self, context: &Context, login: &LoginCommand) -> Result<User, LoginError> {
        let connection = &login.connection;
        let turn = self.arrivals.turn(connection, &login.identifier).await?;
        if turn.has_waited {
            self.look_first(context, login).await?;
            let found = self
                .store
                .find_login(&connection.id, &login.identifier)
                .await?;
            if let Some((
                user,
                StoredCredential {
                    hash: Some(hash),
                    is_imported,
                },
            )) = found
            {
                let kept = (&hash, is_imported);
                return self.login_by_hash(context, login, user, kept).await;
            }
        }
        self.login_by_script(context, login).await
    }

    /// Spends the time of one verification, then refuses and counts the failure.
    pub(crate) async fn deny(
        &self,
        context: &Context,
        login: &LoginCommand,
        kind: EventKind,
        user: Option<&User>,
    ) -> LoginError {
        if let Err(error) = self.hashing.verify_nothing(&login.password).await {
            return error.into();
        }
        let mut event = self.login_event(context, login, kind);
        event.user_id = user.map(|user| user.user_id.clone());
        self.refuse(context, login, event).await
    }

    /// Refuses and counts the failure, in one write, unless there were too many by now.
    pub(crate) async fn refuse(
        &self,
        context: &Context,
        login: &LoginCommand,
        mut event: LogEvent,
    ) -> LoginError {
        if let Err(kept_out) = self.look_again(context, login).await {
            return kept_out;
        }
        event
            .description
            .get_or_insert_with(|| "Wrong email or password.".into());
        let mut write = self.store.write();
        write.log(&event);
        let (connection, identifier) = (&login.connection, &login.identifier);
        let counted = self.count_failure(context, connection, identifier, &mut write);
        if let Err(error) = counted.await {
            return error.into();
        }
        match self.store.commit(write).await {
            Ok(()) => LoginError::Denied,
            Err(error) => error.into(),
        }
    }

    /// Refuses a user who proved the password but is barred. Not a failed attempt.
    pub(crate) async fn refuse_blocked(
        &self,
        context: &Context,
        login: &LoginCommand,
        user_id: UserId,
    ) -> LoginError {
        let mut event = self.login_event(context, login, EventKind::LoginFailed);
        event.user_id = Some(user_id);
        event.description = Some("user is blocked".into());
        match self.log_only(event).await {
            Ok(()) => LoginError::Blocked,
            Err(error) => error.into(),
        }
    }

    /// Adds a proven login to a batch: its counter and its event.
    pub(crate) fn note_login(
        &self,
        context: &Context,
        login: &LoginCommand,
        who: &Entering<'_>,
        write: &mut Write,
    ) {
        write.record_login(who.row, context.ip.as_deref(), self.now());
        let mut event = self.login_event(context, login, EventKind::Login);
        event.user_id = Some(who.user_id.clone());
        let stats = serde_json::json!({"loginsCount": who.earlier_logins + 1});
        event.details = Json::from_iter([("stats".to_owned(), stats)]);
        write.log(&event);
    }

    /// A log event that names the login's connection, client and typed identifier.
    pub(crate) fn login_event(
        &self,
        context: &Context,
        login: &LoginCommand,
        kind: EventKind,
    ) -> LogEvent {
        let mut event = self.event(context, kind);
        event.connection = Some((login.connection.id.clone(), login.connection.name.clone()));
        event.client = Some((login.client.client_id.clone(), login.client.name.clone()));
        event.user_name = Some(login.identifier.chars().take(320).collect());
        event
    }

    /// Writes an event and nothing else.
    pub(crate) async fn log_only(&self, event: LogEvent) -> Result<()> {
        let mut write = self.store.write();
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }
}
