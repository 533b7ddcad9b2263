//! Who answers a login: a hash that is stored here, or the connection's `login` script.

use std::sync::Arc;

use domain::{EventKind, HashText, Profile, User, UserId, UserRow};
use script::LoginOutcome;

use crate::error::{Error, Result};
use crate::login::{Entering, LoginCommand, LoginError};
use crate::{Context, Engine, recipes};

/// The documented reason of a mismatch under an imported hash (wire section 1.6).
const IMPORTED_MISMATCH: &str = "Verification failed for the provided custom_password_hash";

impl Engine {
    /// Checks the stored hash. A hash that is not of the current scheme is replaced in the login's
    /// own write; failing to make the fresh one never fails the login.
    pub(crate) async fn login_by_hash(
        &self,
        context: &Context,
        login: &LoginCommand,
        user: User,
        (stored, is_imported): (&HashText, bool),
    ) -> Result<User, LoginError> {
        let hash = match recipes::read_stored(&login.connection, stored) {
            Ok(hash) => Arc::new(hash),
            Err(error) => return Err(self.unreadable(context, login, &user, error).await),
        };
        if !self
            .hashing
            .verify(Arc::clone(&hash), &login.password)
            .await?
        {
            let mut event = self.login_event(context, login, EventKind::WrongPassword);
            event.user_id = Some(user.user_id.clone());
            if hash.is_custom() {
                event.description = Some("Password change required".into());
                let error = serde_json::json!({
                    "message": "Password change required", "reason": IMPORTED_MISMATCH,
                });
                event.details.insert("error".into(), error);
            }
            return Err(self.refuse(context, login, event).await);
        }
        self.look_again(context, login).await?;
        if user.is_blocked() {
            return Err(self.refuse_blocked(context, login, user.user_id).await);
        }
        // Whoever was imported arrives now, as a newcomer of the legacy store does.
        let arrives = is_imported && user.logins_count == 0;
        self.heed_leak(context, login, Some(&user), arrives).await?;
        let mut write = self.store.write();
        // The user's row first: an administrator's change locks in the same order.
        self.note_login(context, login, &Entering::from(&user), &mut write);
        if !self.hashing.is_current(&hash) {
            match self.hashing.hash(&login.password).await {
                Ok(fresh) => {
                    write.refresh_password(user.row, &login.connection.id, stored, &fresh);
                }
                Err(error) => tracing::warn!(%error, "a proven password could not be re-hashed"),
            }
        } else if is_imported {
            // It stays as it is, and is proven now.
            write.refresh_password(user.row, &login.connection.id, stored, stored);
        }
        match self.store.commit(write).await {
            // Deleted while the password was checked.
            Err(store::StoreError::Stale { .. }) => Err(LoginError::Denied),
            other => Ok(other.map(|()| user)?),
        }
    }

    /// Whom the legacy store just found has moved here before: its password is the one that is kept
    /// here, whatever the legacy store still takes. `None` when it is gone again.
    pub(crate) async fn login_known(
        &self,
        context: &Context,
        login: &LoginCommand,
        row: UserRow,
    ) -> Result<Option<User>, LoginError> {
        let user = self.store.find_user_by_row(row).await?;
        let connection = &login.connection.id;
        let credential = self.store.find_credential(row, connection).await?;
        let hash = credential.and_then(|stored| Some((stored.hash?, stored.is_imported)));
        let (Some(user), Some((hash, is_imported))) = (user, hash) else {
            return Ok(None);
        };
        let kept = (&hash, is_imported);
        // Boxed, or every arrival would hold the room of this rare way.
        let by_hash = Box::pin(self.login_by_hash(context, login, user, kept));
        by_hash.await.map(Some)
    }

    /// A hash that can't be verified is nobody's wrong password: logged by name, never counted.
    async fn unreadable(
        &self,
        context: &Context,
        login: &LoginCommand,
        user: &User,
        error: Error,
    ) -> LoginError {
        let mut event = self.login_event(context, login, EventKind::LoginFailed);
        event.user_id = Some(user.user_id.clone());
        event.description = Some(error.detail());
        match self.log_only(event).await {
            Ok(()) => LoginError::Failed(error),
            Err(error) => error.into(),
        }
    }

    /// Asks the legacy store. Only an explicit, well-formed profile goes on.
    pub(crate) async fn login_by_script(
        &self,
        context: &Context,
        login: &LoginCommand,
    ) -> Result<User, LoginError> {
        let program = self.programs.of(&login.connection)?;
        let call = self
            .scripts
            .login(&program, &login.identifier, &login.password)
            .await;
        self.log_console(context, &login.connection, "login", &call.log)
            .await?;
        match call.outcome {
            LoginOutcome::Found(raw) => {
                match Profile::normalise(raw, login.connection.email_case()) {
                    Ok(profile) => self.let_in(context, login, profile).await,
                    Err(error) => Err(self.outage(context, login, &error.to_string()).await),
                }
            }
            LoginOutcome::WrongPassword { user, message } => Err(self
                .wrong_password_there(context, login, user, message)
                .await),
            LoginOutcome::NoSuchUser => Err(self
                .deny(context, login, EventKind::UnknownUser, None)
                .await),
            LoginOutcome::Refused { message, .. } => {
                // Scripts that refuse may have looked at the password first.
                self.look_again(context, login).await?;
                let mut event = self.login_event(context, login, EventKind::LoginFailed);
                event.description = Some(message.clone());
                self.log_only(event).await?;
                Err(LoginError::Refused(message))
            }
            LoginOutcome::Failed(failure) => {
                Err(self.outage(context, login, &failure.to_string()).await)
            }
        }
    }

    /// The legacy store proved the password.
    async fn let_in(
        &self,
        context: &Context,
        login: &LoginCommand,
        profile: Profile,
    ) -> Result<User, LoginError> {
        self.look_again(context, login).await?;
        self.heed_leak_there(context, login).await?;
        self.welcome(context, login, profile).await
    }

    /// `WrongUsernameOrPasswordError`: with a user it is a wrong password, without an unknown user.
    async fn wrong_password_there(
        &self,
        context: &Context,
        login: &LoginCommand,
        user: Option<String>,
        message: Option<String>,
    ) -> LoginError {
        if let Err(error) = self.hashing.verify_nothing(&login.password).await {
            return error.into();
        }
        let kind = if user.is_some() {
            EventKind::WrongPassword
        } else {
            EventKind::UnknownUser
        };
        let mut event = self.login_event(context, login, kind);
        event.user_id = user.map(|id| UserId::from(format!("auth0|{id}")));
        event.description = message.filter(|text| !text.is_empty());
        self.refuse(context, login, event).await
    }

    /// The script or the legacy store failed: logged by name, never counted, never "wrong".
    pub(crate) async fn outage(
        &self,
        context: &Context,
        login: &LoginCommand,
        detail: &str,
    ) -> LoginError {
        tracing::warn!(connection = %login.connection.name, detail, "the login script failed");
        let mut event = self.login_event(context, login, EventKind::LoginFailed);
        event.description = Some(detail.to_owned());
        let error = serde_json::json!({"message": detail, "kind": "custom_database_outage"});
        event.details.insert("error".into(), error);
        match self.log_only(event).await {
            Ok(()) => LoginError::Failed(Error::unavailable(detail)),
            Err(error) => error.into(),
        }
    }
}
