//! Changes of a legacy store: one script call each, with one meaning for every way it can end.
//!
//! Nothing is written here before the script said that it was done. A deed that was done there and
//! cannot be followed here is told to the log: the legacy store is the authority, and the next
//! login repairs the copy.

use domain::{Client, ClientId, Connection, EventKind, LogEvent, Password, UserId};
use script::{ActionOutcome, Call, Failure, FailureKind, ScriptRefusal, UserToCreate};

use crate::error::{Error, Result};
use crate::{Context, Engine};

/// What is asked of a legacy store.
pub(crate) enum Deed<'a> {
    /// Add a user.
    Create(&'a UserToCreate<'a>),
    /// Mark an address as proven.
    Verify { email: &'a str },
    /// Set a password.
    ChangePassword {
        identifier: &'a str,
        password: &'a Password,
    },
    /// Set an address.
    ChangeEmail {
        identifier: &'a str,
        email: &'a str,
        is_verified: bool,
    },
    /// Set a username, or take it away.
    ChangeUsername {
        id: &'a str,
        username: Option<&'a str>,
    },
    /// Set a number, or take it away.
    ChangePhoneNumber {
        id: &'a str,
        number: Option<&'a str>,
        is_verified: bool,
    },
    /// Remove a user.
    Delete { id: &'a str },
}

/// Whom a deed concerns, for the log.
#[derive(Clone, Default)]
pub(crate) struct Subject {
    /// The user, when it is known here.
    pub user_id: Option<UserId>,
    /// The name it is known by.
    pub user_name: Option<String>,
    /// The application behind it.
    pub client: Option<(ClientId, String)>,
}

/// Why a deed was not done.
#[derive(Debug)]
pub(crate) enum DeedError {
    /// The connection has no such script.
    Missing(&'static str),
    /// The script has a message for the person.
    Refused(ScriptRefusal),
    /// The script said that nothing was changed.
    NotChanged(&'static str),
    /// Anything that is not the person's fault.
    Failed(Error),
}

impl Deed<'_> {
    /// The script's key, and its title in messages.
    const fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Create(_) => ("create", "Create"),
            Self::Verify { .. } => ("verify", "Verify"),
            Self::ChangePassword { .. } => ("change_password", "Change Password"),
            Self::ChangeEmail { .. } => ("change_email", "Change Email"),
            Self::ChangeUsername { .. } => ("change_username", "Change Username"),
            Self::ChangePhoneNumber { .. } => ("change_phone_number", "Change Phone Number"),
            Self::Delete { .. } => ("delete", "Delete"),
        }
    }

    /// The event that tells that it was done.
    pub(crate) const fn done(&self) -> EventKind {
        match self {
            Self::Create(_) => EventKind::SignUp,
            Self::Verify { .. } => EventKind::EmailVerified,
            Self::ChangePassword { .. } => EventKind::PasswordChanged,
            Self::ChangeEmail { .. } => EventKind::EmailChanged,
            Self::ChangeUsername { .. } => EventKind::UsernameChanged,
            Self::ChangePhoneNumber { .. } => EventKind::PhoneNumberChanged,
            Self::Delete { .. } => EventKind::UserDeleted,
        }
    }

    /// The event that tells that it was not.
    pub(crate) const fn failed(&self) -> EventKind {
        match self {
            Self::Create(_) => EventKind::SignUpFailed,
            Self::Verify { .. } => EventKind::EmailVerificationFailed,
            Self::ChangePassword { .. } => EventKind::PasswordChangeFailed,
            Self::ChangeEmail { .. } => EventKind::EmailChangeFailed,
            Self::ChangeUsername { .. } => EventKind::UsernameChangeFailed,
            Self::ChangePhoneNumber { .. } => EventKind::PhoneNumberChangeFailed,
            Self::Delete { .. } => EventKind::UserDeletionFailed,
        }
    }
}

impl Engine {
    /// Changes the legacy store. Whatever keeps it from being done is in the log afterwards.
    pub(crate) async fn change_there(
        &self,
        context: &Context,
        connection: &Connection,
        subject: &Subject,
        deed: &Deed<'_>,
    ) -> Result<(), DeedError> {
        let (key, title) = deed.names();
        let outcome = match self.call_there(connection, deed).await {
            Ok(call) => {
                self.log_console(context, connection, key, &call.log)
                    .await?;
                verdict(call.outcome, title)
            }
            Err(error) => Err(DeedError::Failed(error)),
        };
        if let Err(error) = &outcome {
            tracing::warn!(connection = %connection.name, script = key, ?error, "a deed failed");
            let mut event = self.deed_event(context, connection, subject, deed.failed());
            event.description = Some(error.detail());
            let details = serde_json::json!({"message": error.detail(), "kind": error.kind()});
            event.details.insert("error".into(), details);
            event.details.insert("script".into(), key.into());
            self.log_only(event).await?;
        }
        outcome
    }

    async fn call_there(
        &self,
        connection: &Connection,
        deed: &Deed<'_>,
    ) -> Result<Call<ActionOutcome>> {
        let program = self.programs.of(connection)?;
        let scripts = &self.scripts;
        Ok(match deed {
            Deed::Create(user) => scripts.create(&program, user).await,
            Deed::Verify { email } => scripts.verify(&program, email).await,
            Deed::ChangePassword {
                identifier,
                password,
            } => {
                scripts
                    .change_password(&program, identifier, password)
                    .await
            }
            Deed::ChangeEmail {
                identifier,
                email,
                is_verified,
            } => {
                scripts
                    .change_email(&program, identifier, email, *is_verified)
                    .await
            }
            Deed::ChangeUsername { id, username } => {
                scripts.change_username(&program, id, *username).await
            }
            Deed::ChangePhoneNumber {
                id,
                number,
                is_verified,
            } => {
                scripts
                    .change_phone_number(&program, id, *number, *is_verified)
                    .await
            }
            Deed::Delete { id } => scripts.delete(&program, id).await,
        })
    }

    /// The legacy store was changed and the copy here was not: said in the log, and an outage to
    /// the caller, whatever kept us from writing.
    pub(crate) async fn out_of_step(
        &self,
        context: &Context,
        connection: &Connection,
        subject: &Subject,
        deed: &Deed<'_>,
        detail: &str,
    ) -> Error {
        let (script, title) = deed.names();
        tracing::error!(connection = %connection.name, script, detail, "the copy here is out of step");
        let mut event = self.deed_event(context, connection, subject, deed.failed());
        event.description = Some(format!(
            "The {title} script changed the legacy store, the copy here could not follow: \
             {detail}. The next login repairs it."
        ));
        let details = serde_json::json!({"message": detail, "kind": "copy_out_of_step"});
        event.details.insert("error".into(), details);
        event.details.insert("script".into(), script.into());
        if let Err(error) = self.log_only(event).await {
            tracing::error!(%error, "and the tenant log does not know of it");
        }
        Error::unavailable(detail)
    }

    /// An event about a change of a legacy store.
    pub(crate) fn deed_event(
        &self,
        context: &Context,
        connection: &Connection,
        subject: &Subject,
        kind: EventKind,
    ) -> LogEvent {
        let mut event = self.event(context, kind);
        event.connection = Some((connection.id.clone(), connection.name.clone()));
        event.client.clone_from(&subject.client);
        event.user_id.clone_from(&subject.user_id);
        event.user_name.clone_from(&subject.user_name);
        event
    }
}

fn verdict(outcome: ActionOutcome, title: &'static str) -> Result<(), DeedError> {
    match outcome {
        ActionOutcome::Done => Ok(()),
        ActionOutcome::NotChanged => Err(DeedError::NotChanged(title)),
        ActionOutcome::Refused(refusal) => Err(DeedError::Refused(refusal)),
        ActionOutcome::Failed(Failure {
            kind: FailureKind::Missing,
            ..
        }) => Err(DeedError::Missing(title)),
        ActionOutcome::Failed(failure) => Err(DeedError::Failed(Error::unavailable(failure))),
    }
}

impl Subject {
    /// A stored user.
    pub(crate) fn of(user: &domain::User) -> Self {
        Self {
            user_id: Some(user.user_id.clone()),
            user_name: user.attributes.email.as_ref().map(ToString::to_string),
            client: None,
        }
    }

    /// The same, asked for by a client.
    pub(crate) fn asked_by(self, client: &Client) -> Self {
        Self {
            client: Some((client.client_id.clone(), client.name.clone())),
            ..self
        }
    }
}

impl DeedError {
    /// For the tenant log.
    fn detail(&self) -> String {
        match self {
            Self::Missing(title) => missing(title),
            Self::Refused(refusal) => format!("{}: {}", refusal.name, refusal.message),
            Self::NotChanged(title) => not_changed(title),
            Self::Failed(error) => error.detail(),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Missing(_) => "script_missing",
            Self::Refused(_) => "script_refusal",
            Self::NotChanged(_) => "not_changed",
            Self::Failed(_) => "custom_database_outage",
        }
    }
}

fn missing(title: &str) -> String {
    format!("Please implement the {title} script for this database connection.")
}

fn not_changed(title: &str) -> String {
    format!("The {title} script changed nothing.")
}

impl From<Error> for DeedError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The face of a deed that was not done to an administrator.
impl From<DeedError> for Error {
    fn from(error: DeedError) -> Self {
        match error {
            DeedError::Missing(title) => Self::Invalid {
                message: missing(title),
                code: "operation_not_supported",
            },
            DeedError::Refused(ScriptRefusal { message, .. }) => Self::Invalid {
                message,
                code: "auth0_idp_error",
            },
            DeedError::NotChanged(title) => Self::Invalid {
                message: not_changed(title),
                code: "auth0_idp_error",
            },
            DeedError::Failed(error) => error,
        }
    }
}
