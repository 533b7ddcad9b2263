//! What becomes of a row whose keys are taken: whose it is, and what of it is stored there, or a
//! documented error. Pure; the policy and the merge are `domain::conflict`'s.

use domain::conflict::{
    Arriving, ClaimedKey, Field, Match, PasswordRule, Policy, Rule, Trail, matching, merge,
    obstacle,
};
use domain::user::{Attributes, UserRow};
use domain::{EmailAddress, HashText, RowError, RowErrorCode as Code, Username};

use super::ImportRow;
use super::marks::Marks;
use super::stored::Stored;
use crate::error::{Result, StoreError};

/// A stored identity that holds one of the row's keys.
#[derive(Debug)]
pub(super) struct Holder {
    pub user: UserRow,
    pub key: ClaimedKey,
    /// Written by this very job.
    pub is_of_this_job: bool,
}

/// What is to be written into a stored user.
#[derive(Debug)]
pub(super) struct Change {
    pub attributes: Attributes,
    /// JSON text, as the row or the store spells it where either is taken whole.
    pub user_metadata: Option<String>,
    /// The same.
    pub app_metadata: Option<String>,
    /// Whether a unique key moves.
    pub is_key_changed: bool,
    pub takes_password: bool,
    pub takes_factors: bool,
}

/// What a row and its stored user come to.
#[derive(Debug)]
pub(super) struct Settled {
    /// Absent when both say the same.
    pub change: Option<Change>,
    pub trail: Trail,
}

fn pairs(holders: &[Holder]) -> impl Iterator<Item = (UserRow, ClaimedKey)> + Clone {
    holders.iter().map(|holder| (holder.user, holder.key))
}

/// The stored user that the row may be, before anything is known of this job's earlier rows.
pub(super) fn candidate(holders: &[Holder], policy: &Policy) -> Option<UserRow> {
    match matching(pairs(holders), policy) {
        Match::One(user) => Some(user),
        Match::Nobody | Match::Two(..) => None,
    }
}

/// The stored user that the row is. A user who was given by an earlier row is never changed again.
pub(super) fn target(
    holders: &[Holder],
    policy: &Policy,
    marks: &Marks,
) -> Result<UserRow, RowError> {
    let is_ours = |holder: &&Holder| holder.is_of_this_job || marks.is_set(holder.user);
    if let Some(holder) = holders.iter().find(is_ours) {
        return Err(duplicated(holder.key));
    }
    match matching(pairs(holders), policy) {
        Match::One(user) => Ok(user),
        Match::Nobody => Err(conflict(holders)),
        Match::Two(one, other) => Err(crossed(one, other)),
    }
}

/// Merges the row into the stored user, or says why not. The outer error is the store's.
pub(super) fn settle(
    row: &ImportRow,
    stored: &Stored,
    holders: &[Holder],
    policy: &Policy,
) -> Result<Result<Settled, RowError>> {
    let is_documented = policy.password() == PasswordRule::Documented;
    let is_proven = stored.password.is_some() && !stored.is_password_imported;
    if is_documented && row.is_custom_hash && is_proven {
        return Ok(Err(defined()));
    }
    if stored.is_linked {
        return Ok(Ok(settle_linked(row, stored, policy)?));
    }
    let has_id = stored.has_id(row, holders);
    if stored.says_the_same(row, policy, has_id) {
        return Ok(Ok(Settled {
            change: None,
            trail: Trail::default(),
        }));
    }
    let (before, then) = (stored.attributes()?, attributes_of(row)?);
    let arriving = Arriving {
        attributes: &then,
        email_verified: row.email_verified,
    };
    let merged = merge(&before, arriving, policy);
    if let Some(key) = obstacle(stored.user, &before, &merged.attributes, pairs(holders)) {
        let is_matched =
            |holder: &&Holder| holder.user == stored.user && policy.matches_on(holder.key);
        let by = holders.iter().find(is_matched);
        return Ok(Err(crossed(
            by.map_or(ClaimedKey::ForeignId, |h| h.key),
            key,
        )));
    }
    let mut trail = merged.trail;
    let takes_password = takes_password(row, stored, policy, &mut trail);
    let takes_factors = takes_factors(row, stored, policy, &mut trail);
    if !has_id {
        trail.left_over.push("user_id");
    }
    let after = merged.attributes;
    let are_attributes_changed = after != before;
    let (user_metadata, app_metadata) = spelled_metadata(&after, (&before, stored), (&then, row));
    let change = Change {
        is_key_changed: stored.is_key_changed(&after),
        user_metadata,
        app_metadata,
        attributes: after,
        takes_password,
        takes_factors,
    };
    let is_changed = are_attributes_changed || takes_password || takes_factors;
    Ok(Ok(Settled {
        change: is_changed.then_some(change),
        trail,
    }))
}

/// A linked identity takes a password and nothing else: names, keys and factors are the account's,
/// and that is somebody whom the row does not describe.
fn settle_linked(row: &ImportRow, stored: &Stored, policy: &Policy) -> Result<Settled> {
    let mut trail = Trail::default();
    let change = if takes_password(row, stored, policy, &mut trail) {
        Some(Change {
            attributes: stored.attributes()?,
            user_metadata: stored.user_metadata.clone(),
            app_metadata: stored.app_metadata.clone(),
            is_key_changed: false,
            takes_password: true,
            takes_factors: false,
        })
    } else {
        None
    };
    Ok(Settled { change, trail })
}

fn takes_factors(row: &ImportRow, stored: &Stored, policy: &Policy, trail: &mut Trail) -> bool {
    if row.factors.is_empty() {
        return false;
    }
    let takes = policy.takes_factors(stored.has_factors);
    let list = if takes {
        &mut trail.taken
    } else {
        &mut trail.left_over
    };
    list.push(Field::MfaFactors.as_str());
    takes
}

fn takes_password(row: &ImportRow, stored: &Stored, policy: &Policy, trail: &mut Trail) -> bool {
    let is_meant = row.is_custom_hash || policy.password() != PasswordRule::Documented;
    if row.password.is_none() || stored.has_password_of(row) {
        return false;
    }
    let takes =
        is_meant && policy.takes_password(stored.password.is_some(), stored.is_password_imported);
    let list = if takes {
        &mut trail.taken
    } else {
        &mut trail.left_over
    };
    list.push("password");
    takes
}

/// The texts of `user_metadata` and `app_metadata`.
fn spelled_metadata(
    after: &Attributes,
    (before, stored): (&Attributes, &Stored),
    (then, row): (&Attributes, &ImportRow),
) -> (Option<String>, Option<String>) {
    let user = spelled(
        after.user_metadata.as_ref(),
        (before.user_metadata.as_ref(), stored.user_metadata.as_ref()),
        (then.user_metadata.as_ref(), row.user_metadata.as_ref()),
    );
    let app = spelled(
        after.app_metadata.as_ref(),
        (before.app_metadata.as_ref(), stored.app_metadata.as_ref()),
        (then.app_metadata.as_ref(), row.app_metadata.as_ref()),
    );
    (user, app)
}

/// JSON text of a merged object: as it was spelled by the side that it equals.
fn spelled(
    merged: Option<&domain::Json>,
    stored: (Option<&domain::Json>, Option<&String>),
    arriving: (Option<&domain::Json>, Option<&String>),
) -> Option<String> {
    if merged == stored.0 {
        return stored.1.cloned();
    }
    if merged == arriving.0 {
        return arriving.1.cloned();
    }
    merged.map(crate::write::json)
}

/// The row as the merge sees it. The row was validated: what does not fit is the store's fault.
fn attributes_of(row: &ImportRow) -> Result<Attributes> {
    let unfit = |column: &'static str| StoreError::Corrupt {
        column,
        problem: "a row of an import does not fit".into(),
    };
    let name = |text: &String| Username::foreign(text).ok_or_else(|| unfit("username"));
    let json = |text: &Option<String>, column| {
        let read = text.as_deref().map(serde_json::from_str::<domain::Json>);
        read.transpose().map_err(|_| unfit(column))
    };
    Ok(Attributes {
        email: Some(EmailAddress::parse(&row.email).map_err(|_| unfit("email"))?),
        email_verified: row.email_verified.unwrap_or(false),
        username: row.username.as_ref().map(name).transpose()?,
        phone_number: row.phone_number.clone(),
        phone_verified: row.phone_verified,
        name: row.name.clone(),
        nickname: row.nickname.clone(),
        given_name: row.given_name.clone(),
        family_name: row.family_name.clone(),
        picture: row.picture.clone(),
        blocked: row.blocked,
        extra: domain::Json::new(),
        user_metadata: json(&row.user_metadata, "user_metadata")?,
        app_metadata: json(&row.app_metadata, "app_metadata")?,
    })
}

impl Stored {
    /// Whether nothing of the row would change the stored user or be worth a record: decided by
    /// comparing texts, before anything is parsed. A file that comes again takes this way.
    fn says_the_same(&self, row: &ImportRow, policy: &Policy, has_id: bool) -> bool {
        fn is_same<T: PartialEq + ?Sized>(now: Option<&T>, then: Option<&T>, rule: Rule) -> bool {
            match then {
                Some(_) => now == then,
                None => now.is_none() || rule != Rule::Mirror,
            }
        }
        let text = |now: &Option<String>, then: &Option<String>, field| {
            is_same(now.as_deref(), then.as_deref(), policy.rule(field))
        };
        let flag = |now: Option<bool>, then: Option<bool>, field| {
            is_same(now.as_ref(), then.as_ref(), policy.rule(field))
        };
        let proof =
            Some(self.email_verified).filter(|proven| *proven || row.email_verified.is_some());
        self.email.as_deref() == Some(row.email.as_str())
            && flag(proof, row.email_verified, Field::EmailVerified)
            && text(&self.username, &row.username, Field::Username)
            && text(&self.phone_number, &row.phone_number, Field::PhoneNumber)
            && flag(
                self.phone_verified,
                row.phone_verified,
                Field::PhoneVerified,
            )
            && text(&self.name, &row.name, Field::Name)
            && text(&self.nickname, &row.nickname, Field::Nickname)
            && text(&self.given_name, &row.given_name, Field::GivenName)
            && text(&self.family_name, &row.family_name, Field::FamilyName)
            && text(&self.picture, &row.picture, Field::Picture)
            && flag(self.blocked, row.blocked, Field::Blocked)
            && text(&self.user_metadata, &row.user_metadata, Field::UserMetadata)
            && text(&self.app_metadata, &row.app_metadata, Field::AppMetadata)
            && row.factors.is_empty()
            && (row.password.is_none() || self.has_password_of(row))
            && (has_id || policy.preset().is_some())
    }

    fn has_password_of(&self, row: &ImportRow) -> bool {
        let (ours, theirs) = (self.password.as_ref(), row.password.as_ref());
        ours.map(HashText::expose) == theirs.map(HashText::expose)
    }

    /// Whether the row's id is the user's, be it the one by which a legacy store knows them.
    fn has_id(&self, row: &ImportRow, holders: &[Holder]) -> bool {
        let is_by_id =
            |holder: &Holder| holder.user == self.user && holder.key == ClaimedKey::ForeignId;
        row.is_id_generated
            || self.user_id.strip_prefix("auth0|") == Some(&row.foreign_id)
            || holders.iter().any(is_by_id)
    }

    fn is_key_changed(&self, after: &Attributes) -> bool {
        let email = self.email.as_deref().map(domain::email::fold);
        email != after.email.as_ref().map(EmailAddress::key)
            || self.username.as_deref() != after.username.as_ref().map(Username::as_str)
            || self.phone_number != after.phone_number
    }
}

fn duplicated(key: ClaimedKey) -> RowError {
    let key = key.as_str();
    let message = format!("A user with this {key} was already provided.");
    RowError::new(Code::DuplicatedUser, key, message)
}

fn defined() -> RowError {
    let message =
        "A custom_password_hash was provided, but the user already has password hash defined";
    RowError::new(Code::Conflict, "custom_password_hash", message)
}

const fn code_of(key: ClaimedKey) -> Code {
    match key {
        ClaimedKey::Email => Code::ConflictEmail,
        ClaimedKey::Username => Code::ConflictUsername,
        ClaimedKey::PhoneNumber | ClaimedKey::ForeignId => Code::Conflict,
    }
}

/// The row's keys are two users': writing it would make one of the two the other.
fn crossed(one: ClaimedKey, other: ClaimedKey) -> RowError {
    let message = format!(
        "A user with this {} already exists, and another one with this {}; neither was changed.",
        one.as_str(),
        other.as_str()
    );
    RowError::new(code_of(other), other.as_str(), message)
}

fn conflict(holders: &[Holder]) -> RowError {
    let order = [
        ClaimedKey::Email,
        ClaimedKey::Username,
        ClaimedKey::PhoneNumber,
    ];
    let held = order
        .into_iter()
        .find(|key| holders.iter().any(|holder| holder.key == *key));
    let key = held.unwrap_or(ClaimedKey::ForeignId);
    let message = format!("A user with this {} already exists.", key.as_str());
    RowError::new(code_of(key), key.as_str(), message)
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
