//! Who is who: the stored users that hold a newcomer's keys, and which of them it is.

use super::policy::Policy;
use crate::email::EmailAddress;
use crate::id::ForeignId;
use crate::user::{Attributes, Origin, UserRow};

/// A key of the one arriving that a stored identity holds. An identity that holds several of them
/// makes several claims.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five facts that do not exclude each other"
)]
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
    /// Whether that password came by an import and no login has proven it yet.
    pub is_password_imported: bool,
    /// Whether its own address is proven.
    pub is_email_proven: bool,
    /// Whether its own number is proven.
    pub is_phone_proven: bool,
    /// The key it shares.
    pub key: ClaimedKey,
}

/// Which key two records share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// All of them, in the order in which a conflict names them.
    pub const ALL: [Self; 4] = [
        Self::ForeignId,
        Self::Email,
        Self::Username,
        Self::PhoneNumber,
    ];

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

/// Whom the keys of `match_on` find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// None of them is held.
    Nobody,
    /// All that are held are held by this user.
    One(UserRow),
    /// Two of them are held by two users: both keys.
    Two(ClaimedKey, ClaimedKey),
}

/// Finds the user whom the newcomer's keys name, by the policy's `match_on`.
pub fn matching(
    holders: impl Iterator<Item = (UserRow, ClaimedKey)> + Clone,
    policy: &Policy,
) -> Match {
    let mut found = Match::Nobody;
    let mut by = ClaimedKey::ForeignId;
    for key in ClaimedKey::ALL {
        if !policy.matches_on(key) {
            continue;
        }
        for (row, _) in holders.clone().filter(|(_, held)| *held == key) {
            match found {
                Match::Nobody => (found, by) = (Match::One(row), key),
                Match::One(same) if same == row => {}
                _ => return Match::Two(by, key),
            }
        }
    }
    found
}

/// What to do with a newcomer at a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Nobody claims its keys: write a new user.
    Create,
    /// The same person is here already: write into that user, as far as [`obstacle`] allows.
    Attach(UserRow),
    /// Another person holds one of its keys.
    Refuse(ClaimedKey),
}

/// Decides by the claims found for the newcomer's keys.
///
/// An address or a number names a person only when both sides have proven it, unless the policy
/// says `match_unproven`: otherwise whoever registered somebody else's address first, here or in
/// the legacy store, would be let into that person's account. A stored user without a password is
/// nobody's yet, so its side needs no proof.
pub fn resolve(arriving: &Attributes, claims: &[Claim], policy: &Policy) -> Resolution {
    let is_proven = |claim: &Claim| match claim.key {
        ClaimedKey::Email => {
            arriving.email_verified && (claim.is_email_proven || !claim.has_password)
        }
        ClaimedKey::PhoneNumber => {
            arriving.phone_verified == Some(true) && (claim.is_phone_proven || !claim.has_password)
        }
        ClaimedKey::ForeignId | ClaimedKey::Username => true,
    };
    let counts =
        |claim: &&Claim| claim.same_connection && (policy.matches_unproven() || is_proven(claim));
    let holders = claims
        .iter()
        .filter(counts)
        .map(|claim| (claim.row, claim.key));
    match matching(holders, policy) {
        Match::One(row) => Resolution::Attach(row),
        Match::Two(_, key) => Resolution::Refuse(key),
        Match::Nobody => claims
            .iter()
            .map(|claim| claim.key)
            .min()
            .map_or(Resolution::Create, Resolution::Refuse),
    }
}

/// A key that a merge would give to `row` though another user holds it.
pub fn obstacle(
    row: UserRow,
    before: &Attributes,
    after: &Attributes,
    mut holders: impl Iterator<Item = (UserRow, ClaimedKey)>,
) -> Option<ClaimedKey> {
    let is_taken = |key: ClaimedKey| match key {
        ClaimedKey::ForeignId => false,
        ClaimedKey::Email => {
            let key = |of: &Attributes| of.email.as_ref().map(EmailAddress::key);
            key(before) != key(after)
        }
        ClaimedKey::Username => before.username != after.username,
        ClaimedKey::PhoneNumber => before.phone_number != after.phone_number,
    };
    holders
        .find(|(holder, key)| *holder != row && is_taken(*key))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(row: i64, same_connection: bool, key: ClaimedKey) -> Claim {
        Claim {
            row: UserRow(row),
            foreign_id: "x".into(),
            same_connection,
            origin: Origin::Cached,
            has_password: true,
            is_password_imported: false,
            is_email_proven: true,
            is_phone_proven: false,
            key,
        }
    }

    #[test]
    fn without_a_policy_the_immutable_id_decides_who_is_who() {
        let (me, policy) = (Attributes::default(), Policy::arrival());
        let mine = claim(1, true, ClaimedKey::ForeignId);
        assert_eq!(resolve(&me, &[], &policy), Resolution::Create);
        let attach = Resolution::Attach(UserRow(1));
        assert_eq!(resolve(&me, std::slice::from_ref(&mine), &policy), attach);
        let theirs = claim(2, true, ClaimedKey::Email);
        let refused = resolve(&me, std::slice::from_ref(&theirs), &policy);
        assert_eq!(refused, Resolution::Refuse(ClaimedKey::Email));
        let elsewhere = claim(3, false, ClaimedKey::ForeignId);
        let refused = resolve(&me, &[elsewhere], &policy);
        assert_eq!(refused, Resolution::Refuse(ClaimedKey::ForeignId));
        // The id is ours; whether the address may be taken is the merge's to say.
        assert_eq!(resolve(&me, &[mine, theirs], &policy), attach);
    }

    #[test]
    fn an_address_names_a_person_when_both_sides_have_proven_it() {
        let policy: Policy = serde_json::from_str(r#"{"match_on":["email"]}"#).unwrap();
        let proven = Attributes {
            email_verified: true,
            ..Attributes::default()
        };
        let theirs = claim(2, true, ClaimedKey::Email);
        let of = |me: &Attributes, claim: &Claim, policy: &Policy| {
            resolve(me, std::slice::from_ref(claim), policy)
        };
        assert_eq!(
            of(&proven, &theirs, &policy),
            Resolution::Attach(UserRow(2))
        );
        let refused = Resolution::Refuse(ClaimedKey::Email);
        assert_eq!(of(&Attributes::default(), &theirs, &policy), refused);
        let squatted = Claim {
            is_email_proven: false,
            ..theirs.clone()
        };
        assert_eq!(of(&proven, &squatted, &policy), refused);
        let nobodys = Claim {
            has_password: false,
            ..squatted.clone()
        };
        assert_eq!(
            of(&proven, &nobodys, &policy),
            Resolution::Attach(UserRow(2))
        );
        let text = r#"{"match_on":["email"],"match_unproven":true}"#;
        let bold: Policy = serde_json::from_str(text).unwrap();
        assert_eq!(
            of(&proven, &squatted, &bold),
            Resolution::Attach(UserRow(2))
        );
    }

    #[test]
    fn keys_of_two_users_match_nobody() {
        let policy: Policy = serde_json::from_str(r#"{"match_on":["email","username"]}"#).unwrap();
        let holders = [
            (UserRow(1), ClaimedKey::Email),
            (UserRow(2), ClaimedKey::Username),
            (UserRow(3), ClaimedKey::PhoneNumber),
        ];
        let found = matching(holders.into_iter(), &policy);
        assert_eq!(found, Match::Two(ClaimedKey::Email, ClaimedKey::Username));
        let one = holders.into_iter().filter(|(row, _)| *row != UserRow(2));
        assert_eq!(matching(one, &policy), Match::One(UserRow(1)));
    }
}
