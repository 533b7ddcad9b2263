//! A password that is proven at a login and is in the operator's list of leaked ones.
//!
//! Whoever moves in with it is let in: it was good enough over there, and the owner is told by mail.
//! Anybody else is let in too, unless the operator sets `block`.

use std::time::Duration;

use domain::connection::Mode;
use domain::{EventKind, Json, User};

use super::has;
use crate::error::Result;
use crate::login::{LoginCommand, LoginError};
use crate::{Context, Engine};

/// How long somebody who was told is left alone.
const TOLD: Duration = Duration::from_hours(24);

/// What a leaked password means at a login.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtLogin {
    blocks: bool,
    tells: bool,
}

impl AtLogin {
    /// `None` when it means nothing.
    pub(super) fn of(setting: &Json) -> Option<Self> {
        let (blocks, tells) = (has(setting, "block"), has(setting, "user_notification"));
        let is_told = tells || has(setting, "admin_notification");
        (blocks || is_told).then_some(Self { blocks, tells })
    }
}

impl Engine {
    /// Looks at a proven password. `user` is whose it is, when it is somebody here; an arrival is
    /// never refused.
    pub(crate) async fn heed_leak(
        &self,
        context: &Context,
        login: &LoginCommand,
        user: Option<&User>,
        arrives: bool,
    ) -> Result<(), LoginError> {
        if self.settings.leaked_passwords.is_none() {
            return Ok(());
        }
        let Some(means) = self.protection_now().await?.at_login else {
            return Ok(());
        };
        match self.is_leaked(&login.password).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // A list that can't be read keeps nobody out who proved who it is.
            Err(error) => {
                tracing::error!(%error, "a proven password could not be looked up");
                return Ok(());
            }
        }
        let mut event = self.login_event(context, login, EventKind::LeakedPassword);
        event.user_id = user.map(|user| user.user_id.clone());
        event.description = Some("This password is in the list of leaked passwords.".into());
        let mut write = self.store.write();
        write.log(&event);
        if let Some(user) = user.filter(|_| means.tells) {
            self.add_leak_mail(login, user, &mut write).await?;
        }
        self.store.commit(write).await?;
        if means.blocks && !arrives {
            return Err(LoginError::Leaked);
        }
        Ok(())
    }

    /// The same where the legacy store proved the password and keeps it.
    pub(crate) async fn heed_leak_there(
        &self,
        context: &Context,
        login: &LoginCommand,
    ) -> Result<(), LoginError> {
        if login.connection.mode() != Mode::Legacy || self.settings.leaked_passwords.is_none() {
            return Ok(());
        }
        let copy = self
            .store
            .find_login(&login.connection.id, &login.identifier)
            .await?;
        let copy = copy.as_ref().map(|(user, _)| user);
        self.heed_leak(context, login, copy, false).await
    }

    /// A mail with a link to a new password, once a day.
    async fn add_leak_mail(
        &self,
        login: &LoginCommand,
        user: &User,
        write: &mut store::Write,
    ) -> Result<()> {
        let (now, told) = (self.now(), format!("leak/{}", user.row.0));
        if self.store.find_counter(&told, now).await?.is_some() {
            return Ok(());
        }
        let mail = self.leak_mail(&login.connection, user).await;
        if let Some((ticket, mail)) = mail {
            write.count(&told, now, now.plus(TOLD));
            write.insert_ticket(&ticket, now);
            write.post(&mail, now)?;
        }
        Ok(())
    }
}
