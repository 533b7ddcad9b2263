//! A link is made: its token leaves, its hash stays.

use std::time::Duration;

use domain::conflict::{Claim, ClaimedKey};
use domain::connection::Mode;
use domain::entropy::alphanumeric;
use domain::profile::EmailCase;
use domain::{
    Attributes, ClientId, Connection, ConnectionId, EmailAddress, EventKind, ForeignId, JobId,
    LogEvent, User, UserId, UserRow,
};
use store::{Mail, Purpose, Ticket, Write};

use super::hash_of;
use crate::error::{Error, Result};
use crate::letters::Occasion;
use crate::users::{concerning, no_such_connection};
use crate::{Context, Engine};

/// How long a link is good unless something else is asked for: the documented five days.
pub(super) const LIFETIME: Duration = Duration::from_secs(432_000);

/// Letters and digits of a token: 256 bits.
const TOKEN_LENGTH: usize = 43;

/// Whom a link is for.
#[derive(Debug)]
pub enum About {
    /// A user who is here.
    User(UserId),
    /// Whoever has an address in a connection.
    Address(ConnectionId, EmailAddress),
}

/// What an administrator asks for.
#[derive(Debug)]
pub struct TicketWish {
    /// Whom the link is for.
    pub about: About,
    /// Where the browser goes afterwards.
    pub result_url: Option<String>,
    /// The application behind it.
    pub client_id: Option<ClientId>,
    /// How long the link is good.
    pub lifetime: Option<Duration>,
    /// Whether using it proves the address.
    pub proves_email: bool,
    /// Whether the URL is told the address.
    pub tells_email: bool,
}

/// Somebody who can get a link.
pub(super) struct Addressee {
    pub user: Option<(UserRow, UserId)>,
    pub email: String,
}

impl Addressee {
    /// A user by the address that they have in a connection.
    pub(super) fn of(user: &User, connection: &Connection) -> Option<Self> {
        let attributes = user.attributes_in(&connection.id);
        Some(Self {
            user: Some((user.row, user.user_id.clone())),
            email: attributes.email.as_ref()?.to_string(),
        })
    }
}

impl Engine {
    /// A link that sets a new password.
    pub async fn password_change_ticket(
        &self,
        context: &Context,
        wish: TicketWish,
    ) -> Result<String> {
        let description = "Create a password change ticket";
        self.issue(context, wish, Purpose::Password, description)
            .await
    }

    /// A link that proves an address.
    pub async fn verification_ticket(&self, context: &Context, wish: TicketWish) -> Result<String> {
        let description = "Create an email verification ticket";
        self.issue(context, wish, Purpose::Email, description).await
    }

    /// Mails such a link; gives the job's id.
    pub async fn send_verification_mail(
        &self,
        context: &Context,
        user_id: UserId,
        client_id: Option<&ClientId>,
    ) -> Result<JobId> {
        self.require_client(client_id).await?;
        let about = About::User(user_id);
        let (connection, addressee) = match self.addressee(context, about).await {
            Err(Error::Invalid { code, .. }) if code == NO_ADDRESS => {
                return Err(no_address("User does not have an email address."));
            }
            found => found?,
        };
        let (ticket, mail) = self
            .mailed_ticket(context, &connection, &addressee, Purpose::Email)
            .await;
        let event = self
            .management_event(
                context,
                EventKind::VerificationRequested,
                "Send a verification email",
            )
            .await?;
        let job = JobId::generate(&*self.entropy);
        let mut write = self.ticket_write(&connection, &addressee, &ticket, event, &mail)?;
        write.insert_mail_job(&job, &connection.id, self.now());
        self.store.commit(write).await?;
        self.outbox_wake.notify_one();
        Ok(job)
    }

    /// Mails such a link after a user was made or changed with `verify_email`. The user is there
    /// by then: a mail that can't be written is told to the log and fails nothing.
    pub(crate) async fn mail_verification_to(&self, context: &Context, user: &User) {
        let attributes = &user.attributes;
        if attributes.email_verified || attributes.email.is_none() {
            return;
        }
        let sent = self
            .send_verification_mail(context, user.user_id.clone(), None)
            .await;
        if let Err(error) = sent {
            let detail = error.detail();
            tracing::warn!(user = %user.user_id, detail, "no verification mail was sent");
            let mut event = self.event(context, EventKind::VerificationRequestFailed);
            event.user_id = Some(user.user_id.clone());
            event.description = Some(detail);
            if let Err(error) = self.log_only(event).await {
                tracing::error!(%error, "and the tenant log does not know of it");
            }
        }
    }

    async fn issue(
        &self,
        context: &Context,
        wish: TicketWish,
        purpose: Purpose,
        description: &str,
    ) -> Result<String> {
        self.require_client(wish.client_id.as_ref()).await?;
        let (connection, addressee) = self.addressee(context, wish.about).await?;
        let lifetime = wish.lifetime.unwrap_or(LIFETIME);
        let (ticket, url) = self.new_ticket(&connection, &addressee, purpose, lifetime);
        let ticket = Ticket {
            result_url: wish.result_url,
            tells_email: wish.tells_email,
            proves_email: wish.proves_email,
            ..ticket
        };
        let event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        let mut write = self.store.write();
        write.require_connection(&connection.id);
        write.insert_ticket(&ticket, self.now());
        write.log(&about(event, &connection, &addressee));
        self.store.commit(write).await?;
        Ok(url)
    }

    async fn require_client(&self, client_id: Option<&ClientId>) -> Result<()> {
        match client_id {
            Some(id) if self.store.find_client(id).await?.is_none() => Err(Error::Invalid {
                message: "The client does not exist".into(),
                code: "inexistent_client",
            }),
            _ => Ok(()),
        }
    }

    async fn addressee(&self, context: &Context, about: About) -> Result<(Connection, Addressee)> {
        let (connection, email) = match about {
            About::User(user_id) => {
                let user = self.store.find_user(&user_id).await?;
                let user = user.ok_or_else(no_such_addressee)?;
                let identity = user.identities.first().ok_or_else(no_such_connection)?;
                let connection = self.store.find_connection(&identity.connection).await?;
                let connection = connection.ok_or_else(no_such_connection)?;
                refuse_other_provider(&connection)?;
                let addressee = Addressee::of(&user, &connection)
                    .ok_or_else(|| no_address("The user does not have an email address."))?;
                return Ok((connection, addressee));
            }
            About::Address(connection, email) => (connection, email),
        };
        let Some(found) = self.store.find_connection(&connection).await? else {
            return Err(Error::Invalid {
                message: format!("The connection with id {connection} does not exist."),
                code: "inexistent_connection",
            });
        };
        refuse_other_provider(&found)?;
        let addressee = self.find_addressee(context, &found, email.as_str()).await?;
        Ok((found, addressee.ok_or_else(no_such_addressee)?))
    }

    /// Whoever an identifier names, here or in the legacy store. The address is spelled as it is
    /// stored, never as it was typed: mail must not go where somebody's look-alike letters lead.
    pub(super) async fn find_addressee(
        &self,
        context: &Context,
        connection: &Connection,
        identifier: &str,
    ) -> Result<Option<Addressee>> {
        let here = self.store.find_login(&connection.id, identifier).await?;
        let here = here
            .as_ref()
            .and_then(|(user, _)| Addressee::of(user, connection));
        match (connection.mode(), here) {
            (Mode::Plain | Mode::Import, Some(here)) => return Ok(Some(here)),
            (Mode::Plain, None) => return Ok(None),
            _ => {}
        }
        let profile = self
            .find_spelled_there(context, connection, identifier, EmailCase::AsGiven)
            .await?;
        let Some(profile) = profile else {
            return Ok(None);
        };
        let Some(email) = profile.attributes.email else {
            return Ok(None);
        };
        let user = self.copy_with(connection, &profile.foreign_id).await?;
        // A copy that still has an earlier address is not what this link is about.
        let has_it = |user: &User| {
            let own = user.attributes_in(&connection.id);
            own.email.as_ref().map(EmailAddress::key) == Some(email.key())
        };
        let user = user.filter(has_it);
        Ok(Some(Addressee {
            user: user.map(|user| (user.row, user.user_id)),
            email: email.to_string(),
        }))
    }

    /// Whom a legacy store's id names here: by their own id in the connection, linked or not, or by
    /// one that was recorded beside it.
    async fn copy_with(
        &self,
        connection: &Connection,
        foreign_id: &ForeignId,
    ) -> Result<Option<User>> {
        let nothing_else = Attributes::default();
        let claims = self
            .store
            .claims_of(&connection.id, foreign_id, &nothing_else)
            .await?;
        let own = |claim: &&Claim| claim.same_connection && claim.key == ClaimedKey::ForeignId;
        match claims.iter().find(own) {
            Some(claim) => Ok(self.store.find_user_by_row(claim.row).await?),
            None => Ok(None),
        }
    }

    pub(super) fn new_ticket(
        &self,
        connection: &Connection,
        addressee: &Addressee,
        purpose: Purpose,
        lifetime: Duration,
    ) -> (Ticket, String) {
        let token = alphanumeric(&*self.entropy, TOKEN_LENGTH);
        let page = match purpose {
            Purpose::Password => "u/reset-verify",
            Purpose::Email => "u/email-verification",
            Purpose::Unblock => "u/unblock",
        };
        let url = format!("{}?ticket={token}#", self.settings.issuer.join(page));
        let ticket = Ticket {
            token_hash: hash_of(&token),
            purpose,
            connection: connection.id.clone(),
            user: addressee.user.as_ref().map(|(row, _)| *row),
            email: addressee.email.clone(),
            result_url: None,
            tells_email: false,
            proves_email: true,
            expires_at: self.now().plus(lifetime),
        };
        (ticket, url)
    }

    /// A link as the operator's template of its mail wishes it, and that mail.
    pub(super) async fn mailed_ticket(
        &self,
        context: &Context,
        connection: &Connection,
        addressee: &Addressee,
        purpose: Purpose,
    ) -> (Ticket, Mail) {
        let template = match purpose {
            Purpose::Password => "reset_email",
            Purpose::Email => "verify_email",
            Purpose::Unblock => "blocked_account",
        };
        self.ticket_mailed_as((template, context), connection, addressee, purpose)
            .await
    }

    /// The same in the words of another template, and in the languages of a context.
    pub(super) async fn ticket_mailed_as(
        &self,
        (template, context): (&str, &Context),
        connection: &Connection,
        addressee: &Addressee,
        purpose: Purpose,
    ) -> (Ticket, Mail) {
        let wish = self.link_wish(template).await;
        let lifetime = wish.lifetime.unwrap_or(LIFETIME);
        let (ticket, url) = self.new_ticket(connection, addressee, purpose, lifetime);
        let occasion = Occasion {
            url: Some(&url),
            connection: Some(&connection.name),
            ..Occasion::of(template, &addressee.email, context)
        };
        let mail = self.letter(&occasion).await;
        let ticket = Ticket {
            result_url: wish.result_url,
            tells_email: wish.tells_email,
            ..ticket
        };
        (ticket, mail)
    }

    /// Link, mail and event: one write.
    pub(super) fn ticket_write(
        &self,
        connection: &Connection,
        addressee: &Addressee,
        ticket: &Ticket,
        event: LogEvent,
        mail: &Mail,
    ) -> Result<Write> {
        let mut write = self.store.write();
        write.require_connection(&connection.id);
        write.insert_ticket(ticket, self.now());
        write.post(mail, self.now())?;
        write.log(&about(event, connection, addressee));
        Ok(write)
    }
}

fn about(event: LogEvent, connection: &Connection, addressee: &Addressee) -> LogEvent {
    let Some((_, user_id)) = &addressee.user else {
        let connection = (connection.id.clone(), connection.name.clone());
        return LogEvent {
            connection: Some(connection),
            user_name: Some(addressee.email.clone()),
            ..event
        };
    };
    let user = (user_id.clone(), Some(addressee.email.clone()));
    concerning(event, connection, user)
}

const NO_ADDRESS: &str = "no_email_address";

fn no_address(message: &str) -> Error {
    Error::Invalid {
        message: message.into(),
        code: NO_ADDRESS,
    }
}

fn no_such_addressee() -> Error {
    Error::Missing {
        message: "User not found.".into(),
        code: "inexistent_user",
    }
}

/// Passwords and proofs of addresses are the business of whoever vouches for the person.
fn refuse_other_provider(connection: &Connection) -> Result<()> {
    if connection.is_database() {
        return Ok(());
    }
    Err(Error::Invalid {
        message: "Connection is not supported for this operation.".into(),
        code: "operation_not_supported",
    })
}
