//! What waits for an answer: kept under the hash of a text that only its holder knows, answered
//! once, within its time and a number of attempts.

use domain::{Instant, UserRow};
use zeroize::Zeroizing;

use crate::db::{any, one};
use crate::error::Result;
use crate::{Store, Write, first};

/// A challenge about to be written.
#[derive(Debug)]
pub struct NewChallenge<'a> {
    /// SHA-256 of its holder's text, hexadecimal.
    pub id_hash: &'a str,
    /// What it is for, in the caller's words.
    pub kind: &'static str,
    /// Whose answer it waits for, when that is known.
    pub user: Option<UserRow>,
    /// What the caller must remember; sealed in the store.
    pub body: &'a str,
    /// When its time is over.
    pub expires_at: Instant,
}

/// An open challenge.
#[derive(Debug)]
pub struct StoredChallenge {
    /// Whose answer it waits for.
    pub user: Option<UserRow>,
    /// What the caller remembers.
    pub body: Zeroizing<String>,
    /// Attempts so far.
    pub attempts: i64,
}

impl Store {
    /// The open challenge of that kind, if it is in time.
    pub async fn find_challenge(
        &self,
        id_hash: &str,
        kind: &str,
        now: Instant,
    ) -> Result<Option<StoredChallenge>> {
        let sql = "select user_row, body, attempts from mfa_challenges \
                   where id_hash = $1 and kind = $2 and used_at is null and expires_at > $3";
        let params = vec![id_hash.into(), kind.into(), now.into()];
        let row = first(self.db.lookup(sql, params).await?);
        row.map(|mut row| {
            let user = row.int_or_null("mfa_challenges.user_row")?.map(UserRow);
            let sealed = row.bytes("mfa_challenges.body")?;
            Ok(StoredChallenge {
                user,
                body: self
                    .seal
                    .open_text("mfa_challenges.body", id_hash, &sealed)?,
                attempts: row.int("mfa_challenges.attempts")?,
            })
        })
        .transpose()
    }
}

impl Write {
    /// Writes a challenge, in place of an earlier one of the same holder.
    pub fn insert_challenge(
        &mut self,
        challenge: &NewChallenge<'_>,
        now: Instant,
    ) -> Result<&mut Self> {
        let body = self.sealed(
            "mfa_challenges.body",
            challenge.id_hash,
            challenge.body.as_bytes(),
        )?;
        Ok(self.push(one(
            "insert into mfa_challenges (id_hash, kind, user_row, body, attempts, created_at, \
             expires_at) values ($1, $2, $3, $4, 0, $5, $6) on conflict (id_hash) do update set \
             kind = excluded.kind, user_row = excluded.user_row, body = excluded.body, \
             attempts = 0, used_at = null, created_at = excluded.created_at, \
             expires_at = excluded.expires_at",
            vec![
                challenge.id_hash.into(),
                challenge.kind.into(),
                challenge.user.into(),
                body.into(),
                now.into(),
                challenge.expires_at.into(),
            ],
        )))
    }

    /// Counts an attempt: stale when there were too many, or the challenge is over.
    pub fn try_challenge(&mut self, id_hash: &str, limit: i64, now: Instant) -> &mut Self {
        self.push(one(
            "update mfa_challenges set attempts = attempts + 1 where id_hash = $1 \
             and attempts < $2 and used_at is null and expires_at > $3",
            vec![id_hash.into(), limit.into(), now.into()],
        ))
    }

    /// Uses a challenge up: stale when it was answered before, or its time is over.
    pub fn use_challenge(&mut self, id_hash: &str, now: Instant) -> &mut Self {
        self.push(one(
            "update mfa_challenges set used_at = $2 \
             where id_hash = $1 and used_at is null and expires_at > $2",
            vec![id_hash.into(), now.into()],
        ))
    }

    /// Forgets challenges whose time is over.
    pub fn forget_challenges(&mut self, now: Instant) -> &mut Self {
        self.push(any(
            "delete from mfa_challenges where expires_at <= $1",
            vec![now.into()],
        ))
    }
}
