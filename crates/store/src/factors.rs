//! Second factors as logins need them: the factors with what is known of their use, and recovery
//! codes. The factors are rows of `mfa_factors`, imported or enrolled here alike, so that an export
//! holds them all; what only logins need stands in `factor_states`.

use domain::{Instant, MfaFactor, TotpSecret, UserRow};

use crate::db::{Row, Stmt, any, one};
use crate::error::{Result, StoreError};
use crate::{Store, Write, first};

/// A factor of a user. Every stored one was confirmed, here or where it came from.
#[derive(Debug)]
pub struct StoredFactor {
    /// Its place among the user's factors.
    pub position: i64,
    /// The factor.
    pub factor: MfaFactor,
    /// What the user or an administrator calls it.
    pub name: Option<String>,
    /// The last step whose code was taken.
    pub last_step: i64,
    /// When it last let its user in.
    pub last_used_at: Option<Instant>,
    /// Since when it is here.
    pub created_at: Instant,
}

/// What is kept of a recovery code: never the code itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecovery {
    /// SHA-256, hexadecimal.
    pub code_hash: String,
    /// Since when.
    pub created_at: Instant,
}

impl Store {
    /// A user's factors in their order.
    pub async fn list_factors(&self, user: UserRow) -> Result<Vec<StoredFactor>> {
        let sql = "select f.position, f.kind, f.secret, f.created_at, \
                   case when s.enrolled_at = f.created_at then s.name end, \
                   coalesce(s.last_step, 0), s.last_used_at from mfa_factors f \
                   left join factor_states s \
                   on s.user_row = f.user_row and s.position = f.position \
                   where f.user_row = $1 order by f.position";
        let rows = self.db.lookup(sql, vec![user.into()]).await?;
        rows.into_iter().map(|row| self.factor(user, row)).collect()
    }

    fn factor(&self, user: UserRow, mut row: Row) -> Result<StoredFactor> {
        let position = row.int("mfa_factors.position")?;
        let kind = row.text("mfa_factors.kind")?;
        let sealed = row.bytes("mfa_factors.secret")?;
        let factor = self.opened_factor((user, position), kind, &sealed)?;
        Ok(StoredFactor {
            position,
            factor,
            created_at: row.time("mfa_factors.created_at")?,
            name: row.text_or_null("factor_states.name")?,
            last_step: row.int("factor_states.last_step")?,
            last_used_at: row.time_or_null("factor_states.last_used_at")?,
        })
    }

    /// A factor whose secret was under seal, each for its own place.
    pub(crate) fn opened_factor(
        &self,
        (user, position): (UserRow, i64),
        kind: String,
        sealed: &[u8],
    ) -> Result<MfaFactor> {
        let place = format!("{}/{position}", user.0);
        let secret = self.seal.open_text("mfa_factors.secret", &place, sealed)?;
        Ok(match kind.as_str() {
            "totp" => MfaFactor::Totp(TotpSecret::from(secret.as_str())),
            "phone" => MfaFactor::Phone(secret.to_string()),
            "email" => MfaFactor::Email(secret.to_string()),
            _ => {
                return Err(StoreError::Corrupt {
                    column: "mfa_factors.kind",
                    problem: kind,
                });
            }
        })
    }

    /// A user's recovery code.
    pub async fn find_recovery(&self, user: UserRow) -> Result<Option<StoredRecovery>> {
        let sql = "select code_hash, created_at from recovery_codes where user_row = $1";
        let row = first(self.db.lookup(sql, vec![user.into()]).await?);
        row.map(|mut row| {
            Ok(StoredRecovery {
                code_hash: row.text("recovery_codes.code_hash")?,
                created_at: row.time("recovery_codes.created_at")?,
            })
        })
        .transpose()
    }
}

impl Write {
    /// Fails the batch unless the user is here; the next change of the same user waits for this
    /// one. Goes before every write of factors and passkeys.
    pub fn change_factors_of(&mut self, user: UserRow, now: Instant) -> &mut Self {
        self.push(one(
            "update users set updated_at = $2, version = version + 1 where id = $1",
            vec![user.into(), now.into()],
        ))
    }

    /// Adds a confirmed factor at a free place. Stale when the place was taken meanwhile. Follows
    /// [`Write::change_factors_of`].
    pub fn add_factor(
        &mut self,
        user: UserRow,
        position: i64,
        factor: &MfaFactor,
        now: Instant,
    ) -> Result<&mut Self> {
        let place = format!("{}/{position}", user.0);
        let sealed = self.sealed("mfa_factors.secret", &place, factor.expose().as_bytes())?;
        Ok(self.push(one(
            "insert into mfa_factors (user_row, position, kind, secret, created_at) \
             select id, $2, $3, $4, $5 from users where id = $1 and not exists (select 1 \
             from mfa_factors where user_row = $1 and position = $2)",
            vec![
                user.into(),
                position.into(),
                factor.kind().into(),
                sealed.into(),
                now.into(),
            ],
        )))
    }

    /// Removes the factor that came at that time. Its last step stays known.
    pub fn remove_factor(
        &mut self,
        user: UserRow,
        position: i64,
        created_at: Instant,
    ) -> &mut Self {
        self.push(one(
            "delete from mfa_factors where user_row = $1 and position = $2 and created_at = $3",
            vec![user.into(), position.into(), created_at.into()],
        ))
    }

    /// Calls a factor by a name, or by none.
    pub fn name_factor(
        &mut self,
        user: UserRow,
        (position, created_at): (i64, Instant),
        name: Option<&str>,
    ) -> &mut Self {
        self.push(one(
            "insert into factor_states (user_row, position, last_step, name, enrolled_at) \
             select user_row, position, 0, $4, created_at from mfa_factors \
             where user_row = $1 and position = $2 and created_at = $3 \
             on conflict (user_row, position) do update set \
             name = excluded.name, enrolled_at = excluded.enrolled_at",
            vec![
                user.into(),
                position.into(),
                created_at.into(),
                name.map(str::to_owned).into(),
            ],
        ))
    }

    /// Takes the code of a step: stale when it, or a later one, was taken before, also by another
    /// server at the same moment.
    pub fn advance_step(
        &mut self,
        user: UserRow,
        position: i64,
        step: i64,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "insert into factor_states (user_row, position, last_step, last_used_at) \
             select id, $2, $3, $4 from users where id = $1 \
             on conflict (user_row, position) do update set last_step = excluded.last_step, \
             last_used_at = excluded.last_used_at \
             where factor_states.last_step < excluded.last_step",
            vec![user.into(), position.into(), step.into(), now.into()],
        ))
    }

    /// Gives a user a recovery code, in place of an earlier one. Follows
    /// [`Write::change_factors_of`].
    pub fn set_recovery(&mut self, user: UserRow, code_hash: &str, now: Instant) -> &mut Self {
        self.push(one(
            "insert into recovery_codes (user_row, code_hash, created_at) \
             select id, $2, $3 from users where id = $1 on conflict (user_row) do update set \
             code_hash = excluded.code_hash, created_at = excluded.created_at",
            vec![user.into(), code_hash.into(), now.into()],
        ))
    }

    /// Uses a recovery code up and puts the next in its place. Stale when it was used before.
    pub fn use_recovery(
        &mut self,
        user: UserRow,
        (spent, next): (&str, &str),
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "update recovery_codes set code_hash = $3, created_at = $4 \
             where user_row = $1 and code_hash = $2",
            vec![user.into(), spent.into(), next.into(), now.into()],
        ))
    }

    /// Takes a user's recovery code away.
    pub fn remove_recovery(&mut self, user: UserRow) -> &mut Self {
        self.push(any(
            "delete from recovery_codes where user_row = $1",
            vec![user.into()],
        ))
    }

    /// Takes every factor, recovery code and passkey of a user away.
    pub fn remove_all_factors(&mut self, user: UserRow) -> &mut Self {
        for table in ["mfa_factors", "recovery_codes", "passkeys"] {
            self.push(Stmt {
                sql: format!("delete from {table} where user_row = $1").into(),
                params: vec![user.into()],
                expect: crate::db::Expect::Any,
            });
        }
        self
    }
}
