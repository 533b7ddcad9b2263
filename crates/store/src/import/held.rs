//! Rows all of whose keys are one stored user's, found on SQLite by one statement: the way of a file
//! that comes again.
//!
//! Keys are unique, so that whoever holds all of them holds them alone, and nobody else has to be
//! looked for. Refuses every other row: [`one_by_one`](super::one_by_one) asks who holds which key.
//! Not for connections with legacy ids, which are held beside these keys.

use domain::conflict::ClaimedKey;
use rusqlite::{Statement, params};

use super::settle::Holder;
use super::stored::{COLUMNS, Stored};
use super::{ImportBatch, ImportRow};
use crate::db::Row;
use crate::error::Result;
use crate::sqlite::{classify, read_row};

/// The user who holds the address `?2` in the connection `?1`, with the other keys.
pub(super) fn select() -> String {
    format!(
        "select i.username_key, i.phone_key, i.foreign_id, coalesce(i.import_job, ''), {COLUMNS} \
         from identities i join users u on u.id = i.user_row \
         where i.connection_id = ?1 and i.email_key = ?2 and i.provider = 'auth0'"
    )
}

/// The holders of all keys of a row, who are one user, and that user.
pub(super) fn find(
    statement: &mut Statement<'_>,
    batch: &ImportBatch,
    row: &ImportRow,
) -> Result<Option<(Vec<Holder>, Stored)>> {
    let mut found = statement
        .query(params![batch.connection.as_str(), row.email])
        .map_err(classify)?;
    let Some(found) = found.next().map_err(classify)? else {
        return Ok(None);
    };
    let mut found = read_row(found)?;
    let Some((keys, is_of_this_job)) = keys(&mut found, batch, row)? else {
        return Ok(None);
    };
    let stored = Stored::read(&mut found)?;
    let holder = |key| Holder {
        user: stored.user,
        key,
        is_of_this_job,
    };
    Ok(Some((keys.into_iter().map(holder).collect(), stored)))
}

/// The keys that the row brings, when all are held, and whether by this very job.
fn keys(
    found: &mut Row,
    batch: &ImportBatch,
    row: &ImportRow,
) -> Result<Option<(Vec<ClaimedKey>, bool)>> {
    let others = [
        (
            ClaimedKey::Username,
            found.text_or_null("username_key")?,
            row.username.as_ref(),
        ),
        (
            ClaimedKey::PhoneNumber,
            found.text_or_null("phone_key")?,
            row.phone_number.as_ref(),
        ),
        (
            ClaimedKey::ForeignId,
            found.text_or_null("foreign_id")?,
            Some(&row.foreign_id),
        ),
    ];
    let is_of_this_job = found.text("import_job")? == batch.job().as_str();
    let mut keys = vec![ClaimedKey::Email];
    for (key, held, brought) in others {
        if brought.is_none() {
            continue;
        }
        if held.as_ref() == brought {
            keys.push(key);
        } else if key != ClaimedKey::ForeignId || !row.is_id_generated {
            return Ok(None);
        }
    }
    Ok(Some((keys, is_of_this_job)))
}
