//! Sign-up through `POST /dbconnections/signup`.
//!
//! A connection with its own database is asked first, in both modes: who exists there must sign
//! in, not sign up. In legacy mode the user is made there: `get_user` → `create` → `login`, and a
//! copy without a password hash is kept here.

use std::sync::Arc;

use domain::connection::Mode;
use domain::user::{Attributes, Credential, NewUser, Origin};
use domain::{ClientId, Connection, EmailAddress, EventKind, ForeignId, Json, Password, Username};
use password::policy::Fault;
use script::ScriptRefusal;
use store::{Key, StoreError};

use crate::error::{Error, Result};
use crate::password_choice::{ChoiceError, Occasion, Unfit};
use crate::{Context, Engine};

/// What a person sent, checked for shape.
pub struct SignUp {
    /// The application.
    pub client_id: ClientId,
    /// The connection's name.
    pub connection: String,
    /// The address.
    pub email: EmailAddress,
    /// The password.
    pub password: Arc<Password>,
    /// The username, where the connection has them.
    pub username: Option<Username>,
    /// Names, picture and `user_metadata`.
    pub attributes: Attributes,
}

/// Why a sign-up was refused.
#[derive(Debug)]
pub enum SignUpError {
    /// No such client, or the connection does not serve it, or there is no such connection.
    UnknownConnection,
    /// The connection takes no sign-ups.
    Disabled,
    /// Too many sign-ups from this address.
    Throttled,
    /// The user exists, here or in the legacy store.
    UserExists,
    /// The username is taken.
    UsernameExists,
    /// A username is required and missing.
    UsernameRequired,
    /// The connection has no usernames.
    UsernameUnwanted,
    /// The password may not be chosen.
    UnfitPassword(Unfit),
    /// A script refused with a message for the person.
    Refused(ScriptRefusal),
    /// A script could not do what it was asked.
    DeedFailed(Error),
    /// Anything else that is not the person's fault.
    Failed(Error),
}

impl SignUpError {
    /// What a deed in a legacy store came to is in the log already.
    const fn is_logged(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::DeedFailed(_))
    }

    /// The event that tells of it.
    const fn event(&self) -> EventKind {
        match self {
            Self::UnfitPassword(Unfit {
                fault: Fault::Leaked,
                ..
            }) => EventKind::LeakedPasswordAtSignUp,
            Self::Throttled => EventKind::AddressBlocked,
            _ => EventKind::SignUpFailed,
        }
    }

    /// For the log.
    fn summary(&self) -> String {
        let text = match self {
            Self::UnfitPassword(unfit) => unfit.fault.name().to_owned(),
            Self::Throttled => "Too many sign-ups from this address.".to_owned(),
            other => format!("{other:?}"),
        };
        text.chars().take(300).collect()
    }
}

impl From<ChoiceError> for SignUpError {
    fn from(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Unfit(unfit) => Self::UnfitPassword(unfit),
            ChoiceError::Failed(error) => Self::Failed(error),
        }
    }
}

impl<E: Into<Error>> From<E> for SignUpError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Engine {
    /// Creates a user for a person who signs up. Answers the user as it was written.
    pub async fn sign_up(
        &self,
        context: &Context,
        sign_up: SignUp,
    ) -> Result<NewUser, SignUpError> {
        let client = self.store.find_client(&sign_up.client_id).await?;
        let connection = self
            .store
            .find_connection_by_name(&sign_up.connection)
            .await?;
        let (Some(client), Some(connection)) = (client, connection) else {
            return Err(SignUpError::UnknownConnection);
        };
        if !connection.serves(&client.client_id) || !connection.is_database() {
            return Err(SignUpError::UnknownConnection);
        }
        let (email, name) = (sign_up.email.to_string(), connection.name.clone());
        let outcome = if !self.may_sign_up(context).await? {
            Err(SignUpError::Throttled)
        } else if connection.mode() == Mode::Legacy {
            let there = self.sign_up_there(context, &connection, &client, sign_up);
            let there = there.await;
            if let Ok(user) = &there {
                self.mail_newcomer(context, &connection, user).await;
            }
            there
        } else {
            self.create_signed_up(context, &connection, sign_up).await
        };
        if let Err(error) = &outcome
            && !error.is_logged()
        {
            let mut event = self.event(context, error.event());
            event.connection = Some((connection.id, name));
            event.client = Some((client.client_id, client.name));
            event.user_name = Some(email);
            event.description = Some(error.summary());
            self.log_only(event).await?;
        }
        outcome
    }

    async fn create_signed_up(
        &self,
        context: &Context,
        connection: &Connection,
        sign_up: SignUp,
    ) -> Result<NewUser, SignUpError> {
        self.check_sign_up(connection, &sign_up).await?;
        if connection.mode() != Mode::Plain {
            let names = (sign_up.email.as_str(), sign_up.username.as_ref());
            self.refuse_known_there(context, connection, names).await?;
        }
        let user = self.new_signed_up(connection, sign_up).await?;
        let mut event = self.event(context, EventKind::SignUp);
        event.connection = Some((connection.id.clone(), connection.name.clone()));
        event.user_id = Some(user.foreign_id.user_id());
        event.user_name = user.attributes.email.as_ref().map(ToString::to_string);
        let mut write = self.store.write();
        write.require_connection(&connection.id);
        write.insert_user(&user)?;
        write.log(&event);
        let mail = self.sign_up_mail(context, connection, &user).await;
        if let Some((ticket, mail)) = &mail {
            write.insert_ticket(ticket, self.now());
            write.post(mail, self.now())?;
        }
        match self.store.commit(write).await {
            Ok(()) => {
                self.outbox_wake.notify_one();
                Ok(user)
            }
            Err(StoreError::Conflict(Key::Email)) => Err(SignUpError::UserExists),
            Err(StoreError::Conflict(Key::Username)) => Err(SignUpError::UsernameExists),
            Err(StoreError::Stale { .. }) => Err(SignUpError::UnknownConnection),
            Err(error) => Err(error.into()),
        }
    }

    /// What a connection asks of whoever signs up.
    pub(crate) async fn check_sign_up(
        &self,
        connection: &Connection,
        sign_up: &SignUp,
    ) -> Result<(), SignUpError> {
        if connection.is_signup_disabled() {
            return Err(SignUpError::Disabled);
        }
        if connection.requires_username() && sign_up.username.is_none() {
            return Err(SignUpError::UsernameRequired);
        }
        if sign_up.username.is_some() && !connection.takes_usernames() {
            return Err(SignUpError::UsernameUnwanted);
        }
        let attributes = Attributes {
            email: Some(sign_up.email.clone()),
            username: sign_up.username.clone(),
            ..sign_up.attributes.clone()
        };
        let occasion = Occasion::SignUp;
        self.judge_choice(connection, (&attributes, None), occasion, &sign_up.password)
            .await?;
        Ok(())
    }

    async fn new_signed_up(&self, connection: &Connection, sign_up: SignUp) -> Result<NewUser> {
        let hash = self.hashing.hash(&sign_up.password).await?;
        let attributes = Attributes {
            email: Some(sign_up.email.folded()),
            username: sign_up.username,
            ..sign_up.attributes
        };
        Ok(NewUser {
            row: self.store.next_user_row().await?,
            connection: connection.id.clone(),
            foreign_id: ForeignId::generate(&*self.entropy),
            attributes,
            credential: Some(Credential {
                hash,
                is_imported: false,
            }),
            factors: Vec::new(),
            origin: Origin::Native,
            import_job: None,
            created_at: self.now(),
        })
    }
}

/// What a sign-up answers: the user without its prefix (wire section 5).
pub fn signed_up_body(user: &NewUser) -> Json {
    let attributes = &user.attributes;
    let mut body = Json::new();
    body.insert("_id".into(), user.foreign_id.to_string().into());
    body.insert("email_verified".into(), attributes.email_verified.into());
    let texts = [
        ("email", attributes.email.as_ref().map(EmailAddress::as_str)),
        (
            "username",
            attributes.username.as_ref().map(Username::as_str),
        ),
        ("given_name", attributes.given_name.as_deref()),
        ("family_name", attributes.family_name.as_deref()),
        ("name", attributes.name.as_deref()),
        ("nickname", attributes.nickname.as_deref()),
        ("picture", attributes.picture.as_deref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            body.insert(name.into(), text.into());
        }
    }
    if let Some(metadata) = &attributes.user_metadata {
        body.insert("user_metadata".into(), metadata.clone().into());
    }
    body
}
