//! Passkeys and security keys: public keys of authenticators, with the counter by which a copied
//! one is told.

use domain::{Instant, UserRow};

use crate::db::{Row, any, one};
use crate::error::Result;
use crate::write::texts;
use crate::{Store, Write, first};

/// A stored credential of an authenticator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPasskey {
    /// Its id, base64url.
    pub credential_id: String,
    /// Whose it is.
    pub user: UserRow,
    /// The public key as COSE has it.
    pub public_key: Vec<u8>,
    /// The authenticator's counter at its last use; 0 when it does not count.
    pub sign_count: i64,
    /// How browsers reach it.
    pub transports: Vec<String>,
    /// Whether it is kept in more than one place.
    pub backed_up: bool,
    /// Whether it was enrolled as a second factor, and is asked for as one.
    pub second_factor: bool,
    /// What its owner calls it.
    pub name: Option<String>,
    /// Since when.
    pub created_at: Instant,
    /// When it last let its owner in.
    pub last_used_at: Option<Instant>,
}

const COLUMNS: &str = "select credential_id, user_row, public_key, sign_count, transports, \
    backed_up, second_factor, name, created_at, last_used_at from passkeys";

impl Store {
    /// A passkey by its id.
    pub async fn find_passkey(&self, credential_id: &str) -> Result<Option<StoredPasskey>> {
        let sql = format!("{COLUMNS} where credential_id = $1");
        first(self.db.lookup(sql, vec![credential_id.into()]).await?)
            .map(passkey)
            .transpose()
    }

    /// A user's passkeys, the oldest first.
    pub async fn list_passkeys(&self, user: UserRow) -> Result<Vec<StoredPasskey>> {
        let sql = format!("{COLUMNS} where user_row = $1 order by created_at, credential_id");
        let rows = self.db.lookup(sql, vec![user.into()]).await?;
        rows.into_iter().map(passkey).collect()
    }
}

fn passkey(mut row: Row) -> Result<StoredPasskey> {
    Ok(StoredPasskey {
        credential_id: row.text("passkeys.credential_id")?,
        user: UserRow(row.int("passkeys.user_row")?),
        public_key: row.bytes("passkeys.public_key")?,
        sign_count: row.int("passkeys.sign_count")?,
        transports: row.json("passkeys.transports")?,
        backed_up: row.flag("passkeys.backed_up")?,
        second_factor: row.flag("passkeys.second_factor")?,
        name: row.text_or_null("passkeys.name")?,
        created_at: row.time("passkeys.created_at")?,
        last_used_at: row.time_or_null("passkeys.last_used_at")?,
    })
}

impl Write {
    /// Writes a passkey. Stale when another user, or the same, holds its id. Follows
    /// [`Write::change_factors_of`].
    pub fn insert_passkey(&mut self, passkey: &StoredPasskey) -> &mut Self {
        self.push(one(
            "insert into passkeys (credential_id, user_row, public_key, sign_count, transports, \
             backed_up, second_factor, name, created_at) \
             select $1, id, $3, $4, $5, $6, $7, $8, $9 from users where id = $2 \
             on conflict (credential_id) do nothing",
            vec![
                (&passkey.credential_id).into(),
                passkey.user.into(),
                passkey.public_key.clone().into(),
                passkey.sign_count.into(),
                texts(&passkey.transports).into(),
                passkey.backed_up.into(),
                passkey.second_factor.into(),
                passkey.name.clone().into(),
                passkey.created_at.into(),
            ],
        ))
    }

    /// Notes a use: stale when another use moved the counter meanwhile, or the passkey is gone.
    pub fn use_passkey(
        &mut self,
        passkey: &StoredPasskey,
        (sign_count, backed_up): (i64, bool),
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "update passkeys set sign_count = $3, backed_up = $4, last_used_at = $5 \
             where credential_id = $1 and sign_count = $2",
            vec![
                (&passkey.credential_id).into(),
                passkey.sign_count.into(),
                sign_count.into(),
                backed_up.into(),
                now.into(),
            ],
        ))
    }

    /// Calls a passkey by a name.
    pub fn name_passkey(&mut self, user: UserRow, id: &str, name: Option<&str>) -> &mut Self {
        self.push(one(
            "update passkeys set name = $3 where user_row = $1 and credential_id = $2",
            vec![user.into(), id.into(), name.map(str::to_owned).into()],
        ))
    }

    /// Takes a passkey away.
    pub fn remove_passkey(&mut self, user: UserRow, credential_id: &str) -> &mut Self {
        self.push(any(
            "delete from passkeys where user_row = $1 and credential_id = $2",
            vec![user.into(), credential_id.into()],
        ))
    }
}
