//! Two records that claim the same key: a pure decision from what is stored and what arrives.
//!
//! The default policy is the documented one: a record whose immutable id is already here is the
//! same person; a record that claims another's e-mail, username or number is refused. Merging
//! policies join here; nothing else decides a collision.

use crate::id::ForeignId;
use crate::user::{Origin, UserRow};

/// A stored identity that shares a key with the one arriving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The user that holds it.
    pub row: UserRow,
    /// Its id inside the provider.
    pub foreign_id: ForeignId,
    /// Whether it lives in the connection that the newcomer comes through.
    pub same_connection: bool,
    /// How it came.
    pub origin: Origin,
    /// Whether a password is stored for it.
    pub has_password: bool,
    /// The key it shares.
    pub key: ClaimedKey,
}

/// Which key two records share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimedKey {
    /// The immutable id in the provider.
    ForeignId,
    /// The e-mail address, in any letter case.
    Email,
    /// The username.
    Username,
    /// The phone number.
    PhoneNumber,
}

impl ClaimedKey {
    /// The attribute's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForeignId => "user_id",
            Self::Email => "email",
            Self::Username => "username",
            Self::PhoneNumber => "phone_number",
        }
    }
}

/// What to do with the newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Nobody claims its keys: write a new user.
    Create,
    /// The same person is here already: write into that user.
    Attach(UserRow),
    /// Another person holds one of its keys.
    Refuse(ClaimedKey),
}

/// Decides by the claims found for the newcomer's keys.
pub fn resolve(arriving: &ForeignId, claims: &[Claim]) -> Resolution {
    let is_same_person = |claim: &&Claim| claim.foreign_id == *arriving && claim.same_connection;
    let same = claims.iter().find(is_same_person);
    let other = claims.iter().find(|claim| !is_same_person(claim));
    match (same, other) {
        (_, Some(other)) => Resolution::Refuse(other.key),
        (Some(same), None) => Resolution::Attach(same.row),
        (None, None) => Resolution::Create,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(row: i64, foreign: &str, same_connection: bool, key: ClaimedKey) -> Claim {
        Claim {
            row: UserRow(row),
            foreign_id: foreign.into(),
            same_connection,
            origin: Origin::Cached,
            has_password: false,
            key,
        }
    }

    #[test]
    fn the_immutable_id_decides_who_is_who() {
        let me: ForeignId = "7".into();
        let mine = claim(1, "7", true, ClaimedKey::ForeignId);
        assert_eq!(resolve(&me, &[]), Resolution::Create);
        assert_eq!(
            resolve(&me, std::slice::from_ref(&mine)),
            Resolution::Attach(UserRow(1))
        );
        let theirs = claim(2, "8", true, ClaimedKey::Email);
        assert_eq!(
            resolve(&me, &[mine, theirs]),
            Resolution::Refuse(ClaimedKey::Email)
        );
        let elsewhere = claim(3, "7", false, ClaimedKey::ForeignId);
        assert_eq!(
            resolve(&me, &[elsewhere]),
            Resolution::Refuse(ClaimedKey::ForeignId)
        );
    }
}
