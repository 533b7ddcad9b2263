//! A sign-up where a legacy store is the authority: `get_user` → `create` → `login`, then a copy
//! here without a password hash.

use domain::user::{Attributes, NewUser};
use domain::{Client, Connection, EventKind, Password, Profile, Username};
use script::{LoginOutcome, ScriptRefusal, UserToCreate};

use crate::deeds::{Deed, DeedError, Subject};
use crate::error::Error;
use crate::legacy::wanted_username;
use crate::signup::{SignUp, SignUpError};
use crate::{Context, Engine};

/// Why the new user is not known here.
enum Unknown {
    Refused(ScriptRefusal),
    Failed(Error),
}

impl Engine {
    pub(crate) async fn sign_up_there(
        &self,
        context: &Context,
        connection: &Connection,
        client: &Client,
        sign_up: SignUp,
    ) -> Result<NewUser, SignUpError> {
        self.check_sign_up(connection, &sign_up).await?;
        let email = sign_up.email.to_string();
        // Two who sign up at once take turns: the second one finds the first one's user.
        let _turn = self.arrivals.turn(connection, &email).await?;
        let asked = Attributes {
            email: Some(sign_up.email),
            username: sign_up.username,
            ..sign_up.attributes
        };
        self.refuse_known(context, connection, &email, &asked)
            .await?;
        let members = self.user_to_create(connection, Some(client.client_id.as_str()), &asked);
        let user = UserToCreate {
            members: &members,
            password: Some(&sign_up.password),
        };
        let deed = Deed::Create(&user);
        let subject = Subject {
            user_id: None,
            user_name: Some(email.clone()),
            client: None,
        }
        .asked_by(client);
        self.change_there(context, connection, &subject, &deed)
            .await
            .map_err(refusal)?;
        let event = self.deed_event(context, connection, &subject, EventKind::SignUp);
        let copied = match self
            .profile_by_login(context, connection, &email, &sign_up.password)
            .await
        {
            Ok(profile) => self
                .cache_created(connection, profile, asked, &event)
                .await
                .map_err(Unknown::Failed),
            Err(unknown) => Err(unknown),
        };
        match copied {
            Ok(user) => Ok(user),
            Err(Unknown::Refused(refusal)) => {
                let detail = format!("login: {}: {}", refusal.name, refusal.message);
                self.out_of_step(context, connection, &subject, &deed, &detail)
                    .await;
                Err(SignUpError::Refused(refusal))
            }
            Err(Unknown::Failed(error)) => Err(SignUpError::DeedFailed(
                self.out_of_step(context, connection, &subject, &deed, &error.detail())
                    .await,
            )),
        }
    }

    /// Who is known, there or here, signs in and does not sign up.
    async fn refuse_known(
        &self,
        context: &Context,
        connection: &Connection,
        email: &str,
        asked: &Attributes,
    ) -> Result<(), SignUpError> {
        let names = (email, asked.username.as_ref());
        self.refuse_known_there(context, connection, names).await?;
        match self.refuse_existing_here(connection, asked).await {
            Err(Error::Conflict { .. }) => Err(SignUpError::UserExists),
            other => Ok(other?),
        }
    }

    /// Who is known to the legacy store by an address or a username could not get in any more if
    /// somebody else had it here.
    pub(crate) async fn refuse_known_there(
        &self,
        context: &Context,
        connection: &Connection,
        (email, username): (&str, Option<&Username>),
    ) -> Result<(), SignUpError> {
        let username = username.map(|username| wanted_username(connection, username));
        let asked_for = [
            (Some(email), SignUpError::UserExists),
            (username, SignUpError::UsernameExists),
        ];
        for (name, taken) in asked_for {
            let Some(name) = name else { continue };
            if self.is_in_legacy_store(context, connection, name).await? {
                return Err(taken);
            }
        }
        Ok(())
    }

    /// What `login` says of a user who was just made.
    async fn profile_by_login(
        &self,
        context: &Context,
        connection: &Connection,
        email: &str,
        password: &Password,
    ) -> Result<Profile, Unknown> {
        let program = self.programs.of(connection).map_err(Unknown::Failed)?;
        let call = self.scripts.login(&program, email, password).await;
        self.log_console(context, connection, "login", &call.log)
            .await
            .map_err(Unknown::Failed)?;
        let failed = |detail: String| Err(Unknown::Failed(Error::unavailable(detail)));
        match call.outcome {
            LoginOutcome::Found(raw) => Profile::normalise(raw, connection.email_case())
                .map_err(|error| Unknown::Failed(Error::unavailable(error))),
            LoginOutcome::Refused {
                name,
                code,
                message,
            } => Err(Unknown::Refused(ScriptRefusal {
                name,
                code,
                message,
            })),
            LoginOutcome::WrongPassword { .. } => {
                failed("login does not accept the new user's password".into())
            }
            LoginOutcome::NoSuchUser => failed("login does not find the new user".into()),
            LoginOutcome::Failed(failure) => failed(failure.to_string()),
        }
    }
}

fn refusal(error: DeedError) -> SignUpError {
    match error {
        DeedError::Refused(refusal) => SignUpError::Refused(refusal),
        error => SignUpError::DeedFailed(error.into()),
    }
}
