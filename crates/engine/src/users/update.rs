//! A user changes: rules of the connection → legacy store → one batch, tried again when another
//! change was faster.

use domain::connection::{Mode, RootAttributes};
use domain::user::Credential;
use domain::{Connection, EmailAddress, EventKind, HashText, LogEvent, SessionEnd, User, UserId};
use store::{Key, StoreError, Write};

use super::change::{Change, UserChange};
use super::{concerning, no_such_connection, no_such_user, rules};
use crate::error::{Error, Result};
use crate::legacy::{spellings, wanted_username};
use crate::password_choice::Occasion;
use crate::{Context, Engine};

/// Lost races before the caller is told.
const TRIES: usize = 8;

impl Engine {
    /// Changes a user. Answers it as it is stored. A verification mail leaves when it was asked for
    /// and the address is not proven.
    pub async fn update_user(
        &self,
        context: &Context,
        user_id: &UserId,
        change: UserChange,
    ) -> Result<User> {
        let wants_mail = change.verify_email;
        let user = self.make_change(context, user_id, change).await?;
        if wants_mail {
            self.mail_verification_to(context, &user).await;
        }
        Ok(user)
    }

    async fn make_change(
        &self,
        context: &Context,
        user_id: &UserId,
        mut change: UserChange,
    ) -> Result<User> {
        change.check_pairs()?;
        let user = self.user(user_id).await?;
        let connection = self
            .connection_to_change(&user, change.connection.as_deref())
            .await?;
        check_vouched(&connection, &change)?;
        check_root_attributes(&connection, &change)?;
        check_identifiers(&connection, &change)?;
        rules::check_metadata(change.user_metadata.value(), change.app_metadata.value())?;
        if let Some(password) = &change.password {
            // As they will be: a name of this very change may not be the password, either.
            let mut attributes = user.attributes.clone();
            change.apply(&mut attributes);
            let person = (&attributes, Some(user.row));
            self.judge_choice(&connection, person, Occasion::Change, password)
                .await
                .map_err(rules::refused_choice)?;
        }
        if connection.mode() == Mode::Legacy {
            return self
                .update_user_there(context, &connection, user, change)
                .await;
        }
        self.refuse_clash_there(context, &connection, &user, &change)
            .await?;
        fold_email(&mut change);
        let fresh = match &change.password {
            Some(password) => Some(self.hashing.hash(password).await?),
            None => None,
        };
        let event = self
            .management_event(context, EventKind::Management, "Update a User")
            .await?;
        let events = [event];
        self.write_change(&connection, user, &change, fresh.as_ref(), &events)
            .await
    }

    /// The connection whose identity changes: the primary one's, or the one that was named.
    async fn connection_to_change(&self, user: &User, named: Option<&str>) -> Result<Connection> {
        let primary = user.identities.first().ok_or_else(no_such_connection)?;
        let Some(name) = named else {
            let found = self.store.find_connection(&primary.connection).await?;
            return found.ok_or_else(no_such_connection);
        };
        let found = self.store.find_connection_by_name(name).await?;
        let connection = found.ok_or_else(no_such_connection)?;
        if connection.id == primary.connection {
            return Ok(connection);
        }
        Err(Error::Invalid {
            message: "Connection is not supported for this operation.".into(),
            code: "operation_not_supported",
        })
    }

    /// In import mode the newcomers of the legacy store must not meet a taken identifier here.
    pub(super) async fn refuse_clash_there(
        &self,
        context: &Context,
        connection: &Connection,
        user: &User,
        change: &UserChange,
    ) -> Result<()> {
        if connection.mode() == Mode::Plain {
            return Ok(());
        }
        let email = change
            .email
            .value()
            .filter(|_| changes_email(user, &change.email));
        let username = change
            .username
            .value()
            .filter(|_| changes(user.attributes.username.as_ref(), &change.username));
        let asked = [
            (email.map(EmailAddress::as_str), Key::Email),
            (
                username.map(|username| wanted_username(connection, username)),
                Key::Username,
            ),
        ];
        let asked = asked.into_iter().flat_map(|(identifier, key)| {
            let spellings = identifier.map(|typed| spellings(connection, typed));
            spellings.into_iter().flatten().map(move |name| (name, key))
        });
        for (identifier, key) in asked {
            let there = self
                .find_in_legacy_store(context, connection, &identifier)
                .await?;
            let Some(id) = there.map(|profile| profile.foreign_id) else {
                continue;
            };
            let is_own = user
                .identities
                .iter()
                .any(|identity| identity.foreign_id == id);
            // Or the user is known there by another id than here.
            if !is_own
                && !self
                    .store
                    .is_legacy_id(user.row, &connection.id, &id)
                    .await?
            {
                return Err(taken(key));
            }
        }
        Ok(())
    }

    /// Makes a change here, with its log events.
    pub(super) async fn write_change(
        &self,
        connection: &Connection,
        mut user: User,
        change: &UserChange,
        fresh: Option<&HashText>,
        events: &[LogEvent],
    ) -> Result<User> {
        let name = user.attributes.email.as_ref().map(ToString::to_string);
        let about = |event: &LogEvent| {
            concerning(
                event.clone(),
                connection,
                (user.user_id.clone(), name.clone()),
            )
        };
        let events: Vec<LogEvent> = events.iter().map(about).collect();
        for _ in 0..TRIES {
            let was_blocked = user.is_blocked();
            change.apply(&mut user.attributes);
            let mut write = self.store.write();
            if connection.is_database() {
                rules::check_identified(&user.attributes)?;
                write.update_user(&user, &connection.id, self.now());
            } else {
                write.update_person(&user, self.now());
            }
            if user.is_blocked() && !was_blocked {
                let ending = self.ending(SessionEnd::AccountDeactivated);
                write.delete_sessions(user.row, &ending);
            }
            if change.password.is_some() {
                self.write_new_password(&mut write, connection, &user, fresh);
            }
            for event in &events {
                write.log(event);
            }
            let written = self.store.commit(write).await;
            let is_lost = matches!(written, Err(StoreError::Stale { .. }));
            match written {
                Err(StoreError::Conflict(key)) => return Err(taken(key)),
                Err(StoreError::Stale { .. }) => {}
                written => written?,
            }
            let stored = self.store.find_user_by_row(user.row).await?;
            user = stored.ok_or_else(no_such_user)?;
            if !is_lost {
                self.notices_wake.notify_one();
                return Ok(user);
            }
        }
        Err(StoreError::Stale {
            statement: 0,
            affected: 0,
        }
        .into())
    }

    /// A password was set: here when there is a hash of it, else in the legacy store.
    fn write_new_password(
        &self,
        write: &mut Write,
        connection: &Connection,
        user: &User,
        fresh: Option<&HashText>,
    ) {
        if let Some(fresh) = fresh {
            let credential = Credential {
                hash: HashText::from(fresh.expose()),
                is_imported: false,
            };
            self.remember_password(write, connection, user.row);
            write.set_password(user.row, &connection.id, &credential, self.now());
        } else {
            write.note_password_reset(user.row, self.now());
        }
        self.end_by_password(write, connection, user);
    }
}

/// Our own store keeps addresses in lower case.
fn fold_email(change: &mut UserChange) {
    if let Change::Set(email) = std::mem::take(&mut change.email) {
        change.email = Change::Set(email.folded());
    }
}

pub(super) fn changes_email(user: &User, change: &Change<EmailAddress>) -> bool {
    let key = user.attributes.email.as_ref().map(EmailAddress::key);
    change.is_asked() && change.value().map(EmailAddress::key) != key
}

pub(super) fn changes<T: Clone + PartialEq>(stored: Option<&T>, change: &Change<T>) -> bool {
    change.is_asked() && change.value() != stored
}

/// A username must be wanted, and what the connection asks for must not go.
fn check_identifiers(connection: &Connection, change: &UserChange) -> Result<()> {
    match &change.username {
        Change::Set(_) => rules::check_takes_username(connection)?,
        Change::Unset if connection.requires_username() => {
            return Err(rules::missing_username(connection));
        }
        _ => {}
    }
    if change.email == Change::Unset && rules::requires_email(connection) {
        return Err(rules::missing_email());
    }
    Ok(())
}

/// Who somebody is, where another provider vouches for them, is the provider's to say.
fn check_vouched(connection: &Connection, change: &UserChange) -> Result<()> {
    if connection.is_database() {
        return Ok(());
    }
    let message = if change.email.is_asked() {
        "Cannot update email for non-database user."
    } else if change.email_verified.is_asked()
        || change.username.is_asked()
        || change.phone_number.is_asked()
        || change.phone_verified.is_asked()
        || change.password.is_some()
    {
        "Connection is not supported for this operation."
    } else {
        return Ok(());
    };
    Err(Error::Invalid {
        message: message.into(),
        code: "operation_not_supported",
    })
}

/// Names that a legacy store or another provider overwrites at each login can't be changed here.
fn check_root_attributes(connection: &Connection, change: &UserChange) -> Result<()> {
    let is_ours = connection.is_database() && connection.mode() != Mode::Legacy;
    if is_ours || connection.root_attributes() != RootAttributes::OnEachLogin {
        return Ok(());
    }
    let asked = |wanted: fn(&Change<String>) -> bool| {
        let members = change
            .root_attributes()
            .into_iter()
            .filter(|(_, change)| wanted(change));
        members.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    };
    let updated = asked(|change| matches!(change, Change::Set(_)));
    let removed = asked(|change| *change == Change::Unset);
    let message = if !updated.is_empty() {
        format!(
            "The following user attributes cannot be updated: {updated}. The connection must \
             either be a database connection (using the Auth0 store), a passwordless connection \
             (email or sms) or has disabled 'Sync user profile attributes at each login'."
        )
    } else if !removed.is_empty() {
        let name = &connection.name;
        format!(
            "The following user attributes cannot be removed: {removed}. The connection ({name}) \
             should have disabled 'Sync user profile attributes at each login' (see Configuring \
             Connection Sync with Auth0) or defined these attributes in \
             'options.non_persistent_attrs' array (see Add User Attributes to DenyList)."
        )
    } else {
        return Ok(());
    };
    Err(Error::Invalid {
        message,
        code: "operation_not_supported",
    })
}

pub(super) fn taken(key: Key) -> Error {
    let attribute = match key {
        Key::Email => "email",
        Key::Username => "username",
        Key::PhoneNumber => "phone_number",
        other => return Error::internal(format!("a change of a user violates {other:?}")),
    };
    let message = format!("The specified new {attribute} already exists");
    Error::Invalid {
        message,
        code: "auth0_idp_error",
    }
}
