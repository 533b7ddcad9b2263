//! What the forms of the login pages do to a login under way. Each checks where the login stands,
//! changes it, and leaves what comes next to the dispatcher: a form that comes a second time, or
//! from a page that is out of date, changes nothing.

use std::sync::Arc;

use domain::connection::Mode;
use domain::{
    Attributes, Authentication, AuthenticationMethod, Client, Connection, EmailAddress, Password,
    Username,
};
use oidc::OAuthError;

use crate::error::Error;
use crate::login::{LoginCommand, LoginError};
use crate::transaction::{Lost, Proven, Transaction};
use crate::{Context, Engine, SignUp, SignUpError};

/// Why a form was not taken. The login stays where it was.
#[derive(Debug)]
pub enum Problem {
    /// Wrong password or unknown user: one answer for both.
    WrongCredentials,
    /// An administrator barred the user.
    Blocked,
    /// Too many failures on this account from this address.
    TooManyAttempts,
    /// Too many failures from this address, on whatever accounts.
    Throttled,
    /// The password is right, leaked, and not let in.
    Leaked,
    /// A script refused with a message for the person.
    Refused(String),
    /// The user proved who it is, yet another record holds one of its keys.
    Conflict,
    /// Another provider says that the person may not, or they said no there.
    ProviderDenied,
    /// Another provider's answer does not hold.
    ProviderFailed,
    /// The sign-up was refused.
    SignUp(SignUpError),
    /// The login can't go on.
    Lost(Lost),
}

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Lost(Lost::Failed(error.into()))
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Denied => Self::WrongCredentials,
            LoginError::Blocked => Self::Blocked,
            LoginError::TooManyAttempts => Self::TooManyAttempts,
            LoginError::Throttled => Self::Throttled,
            LoginError::Leaked => Self::Leaked,
            LoginError::Refused(message) => Self::Refused(message),
            LoginError::Conflict(_) => Self::Conflict,
            LoginError::Failed(error) => Self::Lost(Lost::Failed(error)),
        }
    }
}

/// What a person sends to sign up.
pub struct SignUpForm {
    /// The address.
    pub email: EmailAddress,
    /// The username, where the connection has them.
    pub username: Option<Username>,
    /// The password.
    pub password: Arc<Password>,
}

impl Engine {
    /// A name and a password. Who is in the legacy store only arrives here now.
    pub async fn submit_password(
        &self,
        context: &Context,
        transaction: &mut Transaction,
        identifier: String,
        password: Arc<Password>,
    ) -> Result<(), Problem> {
        if transaction.progress.is_answered() {
            return Ok(());
        }
        let (client, connection) = self.sign_in_through(transaction).await?;
        let login = LoginCommand {
            client,
            connection,
            identifier,
            password,
        };
        // As of before the password was looked at: one that is set meanwhile is the younger.
        let at = self.now();
        let user = self.login(context, &login).await?;
        let whom = (user.row, user.user_id, at);
        self.note_proven(transaction, whom, &login.connection).await
    }

    /// A name, where it comes first. Whoever it names, the password is asked for next; only a
    /// legacy store that does not answer is told at once.
    pub async fn submit_identifier(
        &self,
        context: &Context,
        transaction: &mut Transaction,
        identifier: String,
    ) -> Result<(), Problem> {
        if !transaction.progress.is_answered() {
            self.ask_who_that_is(context, transaction, &identifier)
                .await?;
            transaction.progress.identifier = Some(identifier);
            transaction.progress.signs_up = false;
            self.advance(transaction).await.map_err(Problem::Lost)?;
        }
        Ok(())
    }

    /// Asks the legacy store about a name that nobody has here. Neither an account nor an address
    /// that is kept out makes it work.
    async fn ask_who_that_is(
        &self,
        context: &Context,
        transaction: &Transaction,
        identifier: &str,
    ) -> Result<(), Problem> {
        let client = self.client_of(transaction).await?;
        let Ok(connection) = self.signing_in(&client, &transaction.request).await? else {
            // The next page says so.
            return Ok(());
        };
        let can_ask = connection.is_database()
            && connection.mode() != Mode::Plain
            && connection.script("get_user").is_some();
        if !can_ask
            || self
                .store
                .find_login(&connection.id, identifier)
                .await?
                .is_some()
        {
            return Ok(());
        }
        let attempts = self.attempts(context, &connection, identifier).await?;
        if !attempts.keep_out() {
            self.find_in_legacy_store(context, &connection, identifier)
                .await?;
        }
        Ok(())
    }

    /// A new account. Who exists in the legacy store must sign in, not sign up.
    pub async fn submit_sign_up(
        &self,
        context: &Context,
        transaction: &mut Transaction,
        form: SignUpForm,
    ) -> Result<(), Problem> {
        if transaction.progress.is_answered() {
            return Ok(());
        }
        let (client, connection) = self.sign_in_through(transaction).await?;
        let sign_up = SignUp {
            client_id: client.client_id.clone(),
            connection: connection.name.clone(),
            email: form.email,
            password: form.password,
            username: form.username,
            attributes: Attributes::default(),
        };
        let user = self.sign_up(context, sign_up).await;
        let user = user.map_err(|error| match error {
            SignUpError::Failed(error) => error.into(),
            other => Problem::SignUp(other),
        })?;
        let whom = (user.row, user.foreign_id.user_id(), self.now());
        self.note_proven(transaction, whom, &connection).await
    }

    /// Whether the client may.
    pub async fn submit_consent(
        &self,
        transaction: &mut Transaction,
        is_allowed: bool,
    ) -> Result<(), Problem> {
        if transaction.progress.proven.is_some() && transaction.progress.consent.is_none() {
            transaction.progress.consent = Some(is_allowed);
            self.advance(transaction).await.map_err(Problem::Lost)?;
        }
        Ok(())
    }

    /// The client of a login, and the connection that people sign in with there.
    pub async fn sign_in_through(
        &self,
        transaction: &Transaction,
    ) -> Result<(Client, Connection), Problem> {
        let client = self.client_of(transaction).await?;
        let found = self.signing_in(&client, &transaction.request).await?;
        let connection =
            found.map_err(|refusal: OAuthError| Error::invalid(refusal.description))?;
        Ok((client, connection))
    }

    async fn note_proven(
        &self,
        transaction: &mut Transaction,
        (user, user_id, at): (domain::UserRow, domain::UserId, domain::Instant),
        connection: &Connection,
    ) -> Result<(), Problem> {
        let authentication = Authentication {
            user,
            user_id,
            connection: Some(connection.id.clone()),
            session: None,
            at,
            methods: vec![AuthenticationMethod::Password],
        };
        transaction.progress.proven = Some(Proven::from(&authentication));
        self.advance(transaction).await.map_err(Problem::Lost)
    }
}
