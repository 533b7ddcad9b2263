//! One-time links: a new password, a proven address, an account that is free again.
//!
//! | file | what |
//! |---|---|
//! | `issue` | a link, for an administrator or by mail |
//! | `newcomer` | the link for somebody who signs up |
//! | `request` | somebody forgot a password |
//! | `reset` | the link is followed and a password typed |
//! | `arrival` | whoever follows it is in the legacy store alone |
//! | `verify` | the link is followed |
//! | `unblock` | a block after failures is lifted |
//!
//! A link is used once, also by two browsers at once. It is about an address: when the user has
//! another one by then, it is void. Who asks for a link learns nothing about who exists.

mod arrival;
mod issue;
mod newcomer;
mod request;
mod reset;
mod unblock;
mod verify;

pub use issue::{About, TicketWish};
pub use request::{PasswordRequest, RequestError};

use domain::{Connection, User};
use sha2::{Digest, Sha256};
use store::{Purpose, StoreError, Ticket, TicketState};

use crate::Engine;
use crate::deeds::DeedError;
use crate::error::{Error, Result};
use crate::password_choice::{ChoiceError, Unfit};

/// What a followed link came to.
#[derive(Debug)]
pub struct Landing {
    /// Where the browser goes; a page of ours when absent.
    pub result_url: Option<String>,
    /// The address, where that URL is told it.
    pub email: Option<String>,
    /// Why nothing was done.
    pub problem: Option<Problem>,
}

/// Why a followed link did nothing.
#[derive(Debug)]
pub enum Problem {
    /// There is no such link, or it is void.
    Unknown,
    /// It was used before.
    Used,
    /// Its time is over.
    Expired,
    /// The password may not be chosen; the link stays good.
    UnfitPassword(Unfit),
    /// A script refused with a message for the person.
    Refused(String),
    /// Another record here holds what the legacy user is known by; trying again is of no use.
    Conflict,
    /// Nothing was changed; the link stays good.
    NotChanged,
    /// Anything that is not the person's fault; the link stays good.
    Failed(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<ChoiceError> for Problem {
    fn from(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Unfit(unfit) => Self::UnfitPassword(unfit),
            ChoiceError::Failed(error) => Self::Failed(error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<DeedError> for Problem {
    fn from(error: DeedError) -> Self {
        match error {
            DeedError::Refused(refusal) => Self::Refused(refusal.message),
            DeedError::NotChanged(_) | DeedError::Missing(_) => Self::NotChanged,
            DeedError::Failed(error) => Self::Failed(error),
        }
    }
}

/// A link that may be used, and the connection that it is about.
struct Opened {
    ticket: Ticket,
    connection: Connection,
}

impl Landing {
    fn of(ticket: Option<&Ticket>, problem: Option<Problem>) -> Self {
        let told = ticket.filter(|ticket| ticket.tells_email);
        Self {
            result_url: ticket.and_then(|ticket| ticket.result_url.clone()),
            email: told.map(|ticket| ticket.email.clone()),
            problem,
        }
    }
}

fn hash_of(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Whether a user still has the address that a link is about, in the link's connection.
fn is_about(ticket: &Ticket, user: &User) -> bool {
    let attributes = user.attributes_in(&ticket.connection);
    let key = attributes.email.as_ref().map(domain::EmailAddress::key);
    key == Some(domain::email::fold(&ticket.email))
}

/// The first statement of these batches uses the ticket up: whoever fails there came second.
const fn came_second(error: &StoreError) -> bool {
    matches!(error, StoreError::Stale { statement: 0, .. })
}

impl Engine {
    /// Whether a link could be used now: what its page shows.
    pub async fn look_at_password_link(&self, token: &str) -> Landing {
        match self.open_ticket(token, Purpose::Password).await {
            Ok(opened) => Landing::of(Some(&opened.ticket), None),
            Err(landing) => landing,
        }
    }

    async fn open_ticket(&self, token: &str, purpose: Purpose) -> Result<Opened, Landing> {
        let failed = |ticket: Option<&Ticket>, problem| Landing::of(ticket, Some(problem));
        let found = self.store.find_ticket(&hash_of(token), self.now()).await;
        let (ticket, state) = match found {
            Ok(Some((ticket, state))) if ticket.purpose == purpose => (ticket, state),
            Ok(_) => return Err(failed(None, Problem::Unknown)),
            Err(error) => return Err(failed(None, error.into())),
        };
        match state {
            TicketState::Open => {}
            TicketState::Used => return Err(failed(Some(&ticket), Problem::Used)),
            TicketState::Expired => return Err(failed(Some(&ticket), Problem::Expired)),
        }
        match self.store.find_connection(&ticket.connection).await {
            Ok(Some(connection)) => Ok(Opened { ticket, connection }),
            Ok(None) => Err(failed(Some(&ticket), Problem::Unknown)),
            Err(error) => Err(failed(Some(&ticket), error.into())),
        }
    }

    /// Uses a link up before a script is called: of two who follow it, one calls.
    async fn claim_ticket(&self, ticket: &Ticket) -> Result<(), Problem> {
        let mut write = self.store.write();
        write.use_ticket(&ticket.token_hash, self.now());
        match self.store.commit(write).await {
            Err(error) if came_second(&error) => Err(Problem::Used),
            claimed => Ok(claimed?),
        }
    }

    /// The script changed nothing: the link is good again.
    async fn give_back(&self, ticket: &Ticket) {
        let mut write = self.store.write();
        write.give_back_ticket(&ticket.token_hash);
        if let Err(error) = self.store.commit(write).await {
            tracing::error!(%error, "a one-time link is lost, although nothing came of it");
        }
    }
}
