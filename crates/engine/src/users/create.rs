//! A new user, as an administrator asks for one.
//!
//! A connection with its own database is asked first, in both modes: who exists there arrives by
//! logging in, or by an import.

use std::sync::Arc;

use domain::connection::Mode;
use domain::user::{Attributes, Credential, NewUser, Origin};
use domain::{Connection, EmailAddress, EventKind, ForeignId, Password, User};
use store::{Key, StoreError};

use super::{concerning, no_such_connection, no_such_user, rules};
use crate::error::{Error, Result};
use crate::legacy::wanted_username;
use crate::password_choice::Occasion;
use crate::{Context, Engine};

/// What an administrator sent, checked for shape.
pub struct UserToCreate {
    /// The connection's name.
    pub connection: String,
    /// The id inside the provider, with or without `auth0|`; a random one when absent.
    pub user_id: Option<String>,
    /// The password; without one nobody gets in until one is set.
    pub password: Option<Arc<Password>>,
    /// Whether a verification mail is wanted.
    pub verify_email: bool,
    /// Everything else.
    pub attributes: Attributes,
}

impl Engine {
    /// Creates a user. Answers it as it is stored. A verification mail leaves when it was asked
    /// for and the address is not proven.
    pub async fn create_user(&self, context: &Context, asked: UserToCreate) -> Result<User> {
        let wants_mail = asked.verify_email;
        let user = self.create_asked(context, asked).await?;
        if wants_mail {
            self.mail_verification_to(context, &user).await;
        }
        Ok(user)
    }

    async fn create_asked(&self, context: &Context, asked: UserToCreate) -> Result<User> {
        let found = self
            .store
            .find_connection_by_name(&asked.connection)
            .await?;
        let connection = found.ok_or_else(no_such_connection)?;
        if !connection.is_database() {
            return Err(Error::invalid(
                "Connection does not support user creation through the API. It must either be a \
                 database or passwordless connection.",
            ));
        }
        let attributes = &asked.attributes;
        rules::check_identifiers(&connection, attributes)?;
        rules::check_metadata(
            attributes.user_metadata.as_ref(),
            attributes.app_metadata.as_ref(),
        )?;
        if let Some(password) = &asked.password {
            let person = (attributes, None);
            self.judge_choice(&connection, person, Occasion::SignUp, password)
                .await
                .map_err(rules::refused_choice)?;
        }
        if connection.mode() == Mode::Legacy {
            return self.create_user_there(context, &connection, asked).await;
        }
        self.refuse_existing_there(context, &connection, attributes)
            .await?;
        let user = self.new_user(&connection, asked).await?;
        self.write_new_user(context, &connection, &user).await?;
        self.store
            .find_user_by_row(user.row)
            .await?
            .ok_or_else(no_such_user)
    }

    /// Asks the legacy store for everything that the newcomer could be known by there.
    pub(super) async fn refuse_existing_there(
        &self,
        context: &Context,
        connection: &Connection,
        attributes: &Attributes,
    ) -> Result<()> {
        if connection.mode() == Mode::Plain {
            return Ok(());
        }
        let email = attributes.email.as_ref().map(EmailAddress::as_str);
        let username = attributes.username.as_ref();
        let username = username.map(|username| wanted_username(connection, username));
        let phone = attributes.phone_number.as_deref();
        let phone = phone.filter(|_| email.is_none() && username.is_none());
        for identifier in [email, username, phone].into_iter().flatten() {
            if self
                .is_in_legacy_store(context, connection, identifier)
                .await?
            {
                return Err(user_exists());
            }
        }
        Ok(())
    }

    async fn new_user(&self, connection: &Connection, asked: UserToCreate) -> Result<NewUser> {
        let credential = match &asked.password {
            Some(password) => {
                let hash = self.hashing.hash(password).await?;
                Some(Credential {
                    hash,
                    is_imported: false,
                })
            }
            None => None,
        };
        let foreign_id = asked.user_id.as_deref().map(ForeignId::unprefixed);
        Ok(NewUser {
            row: self.store.next_user_row().await?,
            connection: connection.id.clone(),
            foreign_id: foreign_id.unwrap_or_else(|| ForeignId::generate(&*self.entropy)),
            attributes: Attributes {
                email: asked.attributes.email.map(EmailAddress::folded),
                ..asked.attributes
            },
            credential,
            factors: Vec::new(),
            origin: Origin::Native,
            import_job: None,
            created_at: self.now(),
        })
    }

    async fn write_new_user(
        &self,
        context: &Context,
        connection: &Connection,
        user: &NewUser,
    ) -> Result<()> {
        let event = self
            .management_event(context, EventKind::Management, "Create a User")
            .await?;
        let name = user.attributes.email.as_ref().map(ToString::to_string);
        let event = concerning(event, connection, (user.foreign_id.user_id(), name));
        let mut write = self.store.write();
        write.require_connection(&connection.id);
        write.insert_user(user)?;
        write.log(&event);
        match self.store.commit(write).await {
            Err(StoreError::Conflict(
                Key::ForeignId | Key::Email | Key::Username | Key::PhoneNumber,
            )) => Err(user_exists()),
            // The connection was deleted meanwhile.
            Err(StoreError::Stale { .. }) => Err(no_such_connection()),
            written => Ok(written?),
        }
    }
}

pub(super) fn user_exists() -> Error {
    Error::Conflict {
        message: "The user already exists.".into(),
        code: "auth0_idp_error",
    }
}
