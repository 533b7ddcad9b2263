//! Signing keys: one current, one next that is published before use, and retired ones.

use domain::secret::PrivateKeyDer;
use domain::{Instant, KeyId};

use crate::db::{any, one};
use crate::error::{Result, StoreError};
use crate::{Store, Write};

const PLACE: &str = "signing_keys.private_key";

/// A key's place in the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, not yet used.
    Next,
    /// Signs.
    Current,
    /// Only verifies.
    Previous,
}

impl KeyState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
        }
    }
}

/// A stored key.
#[derive(Debug)]
pub struct StoredKey {
    /// Its public name.
    pub kid: KeyId,
    /// Its place in the rotation.
    pub state: KeyState,
    /// PKCS#8 DER.
    pub private_key: PrivateKeyDer,
    /// When it was made.
    pub created_at: Instant,
    /// When it stopped signing.
    pub retired_at: Option<Instant>,
    /// When it began to sign.
    pub current_since: Option<Instant>,
    /// When an administrator withdrew it: nothing that it signed is believed.
    pub revoked_at: Option<Instant>,
}

impl Store {
    /// Whether a client or an API has its tokens signed by an algorithm that is not everybody's.
    pub async fn signs_by(&self, algorithm: &str) -> Result<bool> {
        let sql = "select (select count(*) from clients where attributes like $1) \
                   + (select count(*) from resource_servers where attributes like $1) as count";
        let named = format!("%\"{algorithm}\"%");
        Ok(self.db.count(sql, vec![named.into()]).await? > 0)
    }

    /// All keys, newest first.
    pub async fn list_signing_keys(&self) -> Result<Vec<StoredKey>> {
        let sql = "select kid, state, private_key, created_at, retired_at, current_since, \
                   revoked_at from signing_keys order by created_at desc, kid";
        let mut keys = Vec::new();
        for mut row in self.db.query(sql, vec![]).await? {
            let kid = row.text("kid")?;
            let state = row.text("state")?;
            let der = self.seal.open(PLACE, &kid, &row.bytes("private_key")?)?;
            keys.push(StoredKey {
                kid: kid.into(),
                state: [KeyState::Next, KeyState::Current, KeyState::Previous]
                    .into_iter()
                    .find(|known| known.as_str() == state)
                    .ok_or(StoreError::Corrupt {
                        column: "signing_keys.state",
                        problem: state,
                    })?,
                private_key: PrivateKeyDer::from(der.to_vec()),
                created_at: row.time("created_at")?,
                retired_at: row.time_or_null("retired_at")?,
                current_since: row.time_or_null("current_since")?,
                revoked_at: row.time_or_null("revoked_at")?,
            });
        }
        Ok(keys)
    }
}

impl Write {
    /// Writes a new key.
    pub fn insert_signing_key(
        &mut self,
        kid: &KeyId,
        state: KeyState,
        private_key: &PrivateKeyDer,
        now: Instant,
    ) -> Result<&mut Self> {
        let sealed = self.sealed(PLACE, kid.as_str(), private_key.expose())?;
        Ok(self.push(one(
            "insert into signing_keys (kid, state, private_key, created_at, current_since) \
             values ($1, $2, $3, $4, $5)",
            vec![
                kid.into(),
                state.as_str().into(),
                sealed.into(),
                now.into(),
                (state == KeyState::Current).then_some(now).into(),
            ],
        )))
    }

    /// Current becomes previous, next becomes current. Fails when another process rotated first.
    pub fn rotate_signing_keys(
        &mut self,
        current: &KeyId,
        next: &KeyId,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "update signing_keys set state = 'previous', retired_at = $2 \
             where kid = $1 and state = 'current'",
            vec![current.into(), now.into()],
        ));
        self.push(one(
            "update signing_keys set state = 'current', current_since = $2 \
             where kid = $1 and state = 'next'",
            vec![next.into(), now.into()],
        ))
    }

    /// Withdraws a key that does not sign: a next key leaves its place to another. Fails when the
    /// key signs, is gone or was withdrawn before.
    pub fn revoke_signing_key(&mut self, kid: &KeyId, now: Instant) -> &mut Self {
        self.push(one(
            "update signing_keys set revoked_at = $2, state = 'previous', \
             retired_at = coalesce(retired_at, $2) \
             where kid = $1 and state <> 'current' and revoked_at is null",
            vec![kid.into(), now.into()],
        ))
    }

    /// Forgets keys that no living token was signed with.
    pub fn forget_signing_keys(&mut self, retired_before: Instant) -> &mut Self {
        self.push(any(
            "delete from signing_keys where state = 'previous' and retired_at < $1",
            vec![retired_before.into()],
        ))
    }
}
