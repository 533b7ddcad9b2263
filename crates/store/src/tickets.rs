//! One-time links: kept as the hash of their token, used once, and void after a time.
//!
//! A use whose work is all ours is one statement of the batch that does it. A use whose work is
//! done elsewhere is committed first, and given back when the work was not done.

use domain::{ConnectionId, Instant, UserRow};

use crate::db::{Row, any, one};
use crate::error::{Result, StoreError};
use crate::{Store, Write, first};

/// What a ticket is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Setting a new password.
    Password,
    /// Proving an address.
    Email,
    /// Lifting a block after failures.
    Unblock,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
            Self::Unblock => "unblock",
        }
    }
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketState {
    /// It may be used.
    Open,
    /// It was used.
    Used,
    /// Its time is over.
    Expired,
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// SHA-256 of the token, hexadecimal: the token itself is never stored.
    pub token_hash: String,
    /// What it is good for.
    pub purpose: Purpose,
    /// In which connection.
    pub connection: ConnectionId,
    /// For whom; `None` for a legacy user who is not here yet.
    pub user: Option<UserRow>,
    /// The address that it is about, as it is spelled where it was found.
    pub email: String,
    /// Where the browser goes afterwards.
    pub result_url: Option<String>,
    /// Whether that URL is told the address.
    pub tells_email: bool,
    /// Whether using it proves the address.
    pub proves_email: bool,
    /// When its time is over.
    pub expires_at: Instant,
}

impl Store {
    /// A ticket by the hash of its token, and where it stands.
    pub async fn find_ticket(
        &self,
        token_hash: &str,
        now: Instant,
    ) -> Result<Option<(Ticket, TicketState)>> {
        let sql = "select token_hash, purpose, connection_id, user_row, email, result_url, \
                   tells_email, proves_email, expires_at, used_at from tickets \
                   where token_hash = $1";
        let row = first(self.db.lookup(sql, vec![token_hash.into()]).await?);
        row.map(|row| ticket(row, now)).transpose()
    }
}

fn ticket(mut row: Row, now: Instant) -> Result<(Ticket, TicketState)> {
    let ticket = Ticket {
        token_hash: row.text("token_hash")?,
        purpose: purpose(row.text("purpose")?)?,
        connection: row.text("connection_id")?.into(),
        user: row.int_or_null("user_row")?.map(UserRow),
        email: row.text("email")?,
        result_url: row.text_or_null("result_url")?,
        tells_email: row.flag("tells_email")?,
        proves_email: row.flag("proves_email")?,
        expires_at: row.time("expires_at")?,
    };
    let state = match row.time_or_null("used_at")? {
        Some(_) => TicketState::Used,
        None if ticket.expires_at <= now => TicketState::Expired,
        None => TicketState::Open,
    };
    Ok((ticket, state))
}

fn purpose(text: String) -> Result<Purpose> {
    [Purpose::Password, Purpose::Email, Purpose::Unblock]
        .into_iter()
        .find(|purpose| purpose.as_str() == text)
        .ok_or(StoreError::Corrupt {
            column: "tickets.purpose",
            problem: text,
        })
}

impl Write {
    /// Writes a new ticket.
    pub fn insert_ticket(&mut self, ticket: &Ticket, now: Instant) -> &mut Self {
        self.push(one(
            "insert into tickets (token_hash, purpose, connection_id, user_row, email, \
             result_url, tells_email, proves_email, created_at, expires_at, email_key) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            vec![
                (&ticket.token_hash).into(),
                ticket.purpose.as_str().into(),
                (&ticket.connection).into(),
                ticket.user.into(),
                (&ticket.email).into(),
                ticket.result_url.clone().into(),
                ticket.tells_email.into(),
                ticket.proves_email.into(),
                now.into(),
                ticket.expires_at.into(),
                domain::email::fold(&ticket.email).into(),
            ],
        ))
    }

    /// Uses a ticket up: the batch fails when somebody used it before, or its time is over.
    pub fn use_ticket(&mut self, token_hash: &str, now: Instant) -> &mut Self {
        self.push(one(
            "update tickets set used_at = $2 \
             where token_hash = $1 and used_at is null and expires_at > $2",
            vec![token_hash.into(), now.into()],
        ))
    }

    /// Gives a used ticket back: what it was used for was not done.
    pub fn give_back_ticket(&mut self, token_hash: &str) -> &mut Self {
        self.push(any(
            "update tickets set used_at = null where token_hash = $1",
            vec![token_hash.into()],
        ))
    }

    /// Uses up whatever other tickets of this kind there are about an address, however each spells it.
    pub fn void_tickets(
        &mut self,
        purpose: Purpose,
        connection: &ConnectionId,
        email: &str,
        now: Instant,
    ) -> &mut Self {
        self.push(any(
            "update tickets set used_at = $4 where connection_id = $1 and email_key = $2 \
             and purpose = $3 and used_at is null",
            vec![
                connection.into(),
                domain::email::fold(email).into(),
                purpose.as_str().into(),
                now.into(),
            ],
        ))
    }

    /// Forgets tickets whose time was over before a moment.
    pub fn forget_tickets(&mut self, before: Instant) -> &mut Self {
        self.push(any(
            "delete from tickets where expires_at < $1",
            vec![before.into()],
        ))
    }
}
