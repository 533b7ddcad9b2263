//! What becomes of a row whose keys are taken: an upsert, or a documented error. Pure.

use std::collections::HashSet;

use domain::conflict::ClaimedKey;
use domain::user::UserRow;
use domain::{RowError, RowErrorCode as Code};

use super::ImportRow;

/// A stored identity that holds one of the row's keys.
#[derive(Debug)]
pub(super) struct Holder {
    pub user: UserRow,
    pub key: ClaimedKey,
    /// Written or updated by this very job.
    pub is_of_this_job: bool,
    pub has_password: bool,
    pub is_password_imported: bool,
}

/// What to do with the row.
#[derive(Debug, PartialEq)]
pub(super) enum Fate {
    Update(UserRow),
    Refuse(RowError),
}

/// Decides. `touched` are the users that this batch has updated before.
pub(super) fn decide(
    row: &ImportRow,
    holders: &[Holder],
    upsert: bool,
    touched: &HashSet<UserRow>,
) -> Fate {
    let is_ours = |holder: &&Holder| holder.is_of_this_job || touched.contains(&holder.user);
    if let Some(holder) = holders.iter().find(is_ours) {
        return Fate::Refuse(duplicated(holder.key));
    }
    let by_email = holders
        .iter()
        .find(|holder| holder.key == ClaimedKey::Email);
    match (upsert, by_email) {
        (true, Some(holder)) => update(row, holder),
        _ => Fate::Refuse(conflict(holders)),
    }
}

fn update(row: &ImportRow, holder: &Holder) -> Fate {
    let is_defined = holder.has_password && !holder.is_password_imported;
    if row.is_custom_hash && is_defined {
        let message =
            "A custom_password_hash was provided, but the user already has password hash defined";
        return Fate::Refuse(RowError::new(
            Code::Conflict,
            "custom_password_hash",
            message,
        ));
    }
    Fate::Update(holder.user)
}

fn duplicated(key: ClaimedKey) -> RowError {
    let key = key.as_str();
    let message = format!("A user with this {key} was already provided.");
    RowError::new(Code::DuplicatedUser, key, message)
}

fn conflict(holders: &[Holder]) -> RowError {
    let holds = |key| holders.iter().any(|holder| holder.key == key);
    let (code, key) = if holds(ClaimedKey::Email) {
        (Code::ConflictEmail, "email")
    } else if holds(ClaimedKey::Username) {
        (Code::ConflictUsername, "username")
    } else if holds(ClaimedKey::PhoneNumber) {
        (Code::Conflict, "phone_number")
    } else {
        (Code::Conflict, "user_id")
    };
    RowError::new(code, key, format!("A user with this {key} already exists."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(key: ClaimedKey) -> Holder {
        Holder {
            user: UserRow(1),
            key,
            is_of_this_job: false,
            has_password: true,
            is_password_imported: true,
        }
    }

    fn code(fate: Fate) -> &'static str {
        match fate {
            Fate::Update(_) => "update",
            Fate::Refuse(error) => error.code.as_str(),
        }
    }

    #[test]
    fn twice_in_the_file_is_never_an_upsert() {
        let row = ImportRow::default();
        let ours = Holder {
            is_of_this_job: true,
            ..holder(ClaimedKey::Email)
        };
        assert_eq!(
            code(decide(&row, &[ours], true, &HashSet::new())),
            "DUPLICATED_USER"
        );
        let touched = HashSet::from([UserRow(1)]);
        let stored = [holder(ClaimedKey::Email)];
        assert_eq!(
            code(decide(&row, &stored, true, &touched)),
            "DUPLICATED_USER"
        );
        assert_eq!(code(decide(&row, &stored, true, &HashSet::new())), "update");
        assert_eq!(
            code(decide(&row, &stored, false, &HashSet::new())),
            "CONFLICT_EMAIL"
        );
    }

    #[test]
    fn a_proven_password_is_never_replaced() {
        let row = ImportRow {
            is_custom_hash: true,
            ..ImportRow::default()
        };
        let proven = Holder {
            is_password_imported: false,
            ..holder(ClaimedKey::Email)
        };
        assert_eq!(
            code(decide(&row, &[proven], true, &HashSet::new())),
            "CONFLICT"
        );
        let unproven = [holder(ClaimedKey::Email)];
        assert_eq!(
            code(decide(&row, &unproven, true, &HashSet::new())),
            "update"
        );
    }

    #[test]
    fn an_upsert_matches_by_email_alone() {
        let row = ImportRow::default();
        for (key, expected) in [
            (ClaimedKey::Username, "CONFLICT_USERNAME"),
            (ClaimedKey::ForeignId, "CONFLICT"),
            (ClaimedKey::PhoneNumber, "CONFLICT"),
        ] {
            assert_eq!(
                code(decide(&row, &[holder(key)], true, &HashSet::new())),
                expected
            );
        }
    }
}
