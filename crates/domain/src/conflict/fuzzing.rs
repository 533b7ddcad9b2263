//! Entry points for fuzzers: a policy and two people in, the laws of a merge checked.

use serde_json::{Value, json};

use super::claims::{Claim, ClaimedKey, Match, Resolution, matching, obstacle, resolve};
use super::merge::{Arriving, Merged, merge};
use super::policy::{Field, Policy};
use crate::email::EmailAddress;
use crate::metadata::Json;
use crate::user::{Attributes, Origin, UserRow};

/// Takes the first line for a policy, and the rest for two people and those who hold their keys.
/// Panics when a promise is broken: a policy comes back as it was written, a merge repeated changes
/// nothing, a proof stays with its address, and nobody is attached whom the policy does not name.
pub fn policy(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let mut choices = Choices(lines.next().unwrap_or_default());
    let text = std::str::from_utf8(line).unwrap_or_default();
    let (stored, then) = (person(&mut choices), person(&mut choices));
    let said = choices.flag();
    let claims = claims(&mut choices);
    let composed = Policy::from_json(&composed(&mut choices));
    assert!(composed.is_ok(), "{composed:?}");
    let read = Policy::parse(text);
    if let Err(error) = &read {
        assert!(!error.problem.is_empty(), "no reason");
    }
    for policy in [read, composed].into_iter().flatten() {
        check_text(&policy);
        for policy in [policy.clone(), policy.at_login()] {
            check_merge(&stored, &then, said, &policy);
            check_claims(&then, &claims, &policy);
        }
    }
    let untouched = merged(&stored, &then, said, &Policy::reject());
    assert_eq!(untouched.attributes, stored, "a refused one changed a user");
}

fn check_text(policy: &Policy) {
    let text = serde_json::to_string(policy).unwrap_or_default();
    assert_eq!(Policy::parse(&text).as_ref(), Ok(policy), "{text}");
}

fn merged(stored: &Attributes, then: &Attributes, said: Option<bool>, by: &Policy) -> Merged {
    let arriving = Arriving {
        attributes: then,
        email_verified: said,
    };
    merge(stored, arriving, by)
}

fn check_merge(stored: &Attributes, then: &Attributes, said: Option<bool>, policy: &Policy) {
    let once = merged(stored, then, said, policy);
    let after = &once.attributes;
    let twice = merged(after, then, said, policy);
    assert_eq!(twice.attributes, *after, "a merge is not done at once");
    assert!(twice.trail.taken.is_empty(), "{:?}", twice.trail);
    let is_changed = after != stored;
    assert_eq!(is_changed, !once.trail.taken.is_empty(), "{:?}", once.trail);
    for field in Field::ALL {
        let is_in = |names: &[&str]| usize::from(names.contains(&field.as_str()));
        let count = is_in(&once.trail.kept) + is_in(&once.trail.taken);
        assert!(count < 2, "kept and taken: {field:?}");
    }
    let address = |of: &Attributes| of.email.as_ref().map(EmailAddress::key);
    let is_proven_here = stored.email_verified && address(stored) == address(after);
    let is_about_it = then.email.is_none() || address(then) == address(after);
    let is_said_of_it = said == Some(true) && is_about_it;
    let is_proof = is_proven_here || is_said_of_it;
    assert!(
        !after.email_verified || is_proof,
        "an address proves another"
    );
    let is_number_kept = stored.phone_number == after.phone_number;
    let is_number_taken = then.phone_number.is_none() || then.phone_number == after.phone_number;
    let is_proof = (is_number_kept && stored.phone_verified == Some(true))
        || (is_number_taken && then.phone_verified == Some(true));
    assert!(
        after.phone_verified != Some(true) || is_proof,
        "a number proves another"
    );
}

fn check_claims(then: &Attributes, claims: &[Claim], policy: &Policy) {
    match resolve(then, claims, policy) {
        Resolution::Create => assert!(claims.is_empty(), "a key would be held twice"),
        Resolution::Attach(row) => {
            let names = |claim: &Claim| {
                claim.row == row && claim.same_connection && policy.matches_on(claim.key)
            };
            assert!(claims.iter().any(names), "attached to a stranger");
        }
        Resolution::Refuse(key) => assert!(claims.iter().any(|claim| claim.key == key)),
    }
    let holders = claims.iter().map(|claim| (claim.row, claim.key));
    let named = holders.clone().filter(|(_, key)| policy.matches_on(*key));
    let mut rows: Vec<_> = named.map(|(row, _)| row).collect();
    rows.sort_unstable();
    rows.dedup();
    let count = match matching(holders.clone(), policy) {
        Match::Nobody => 0,
        Match::One(row) => {
            assert_eq!(rows, [row]);
            1
        }
        Match::Two(..) => 2,
    };
    assert_eq!(rows.len().min(2), count, "not those whom the keys name");
    // Whoever gets no new key stands in nobody's way.
    let blocked = obstacle(UserRow(0), then, then, holders);
    assert_eq!(blocked, None);
}

/// Bytes as choices; what is beyond them is zero.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn of(&mut self, count: u8) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first % count.max(1)
    }

    fn flag(&mut self) -> Option<bool> {
        [None, Some(false), Some(true)]
            .get(usize::from(self.of(3)))
            .copied()
            .flatten()
    }

    fn text(&mut self) -> Option<String> {
        let texts = [None, Some("+1"), Some("+2"), Some("")];
        let text = texts.get(usize::from(self.of(4))).copied().flatten();
        text.map(str::to_owned)
    }

    fn object(&mut self, depth: u8) -> Json {
        let mut object = Json::new();
        for _ in 0..self.of(4) {
            let name = ["a", "b", "c"].get(usize::from(self.of(3)));
            let value = match self.of(5) {
                0 => Value::Null,
                1 => json!([self.of(2), null]),
                2 if depth > 0 => self.object(depth - 1).into(),
                _ => self.of(3).into(),
            };
            object.insert(name.copied().unwrap_or("a").to_owned(), value);
        }
        object
    }

    fn maybe_object(&mut self) -> Option<Json> {
        (self.of(3) > 0).then(|| self.object(3))
    }
}

fn person(choices: &mut Choices<'_>) -> Attributes {
    let addresses = [None, Some("a@x.org"), Some("A@x.org"), Some("b@x.org")];
    let address = addresses.get(usize::from(choices.of(4))).copied().flatten();
    Attributes {
        email: address.and_then(|address| EmailAddress::parse(address).ok()),
        email_verified: choices.flag() == Some(true),
        phone_number: choices.text(),
        phone_verified: choices.flag(),
        name: choices.text(),
        nickname: choices.text(),
        blocked: choices.flag(),
        extra: choices.object(2),
        user_metadata: choices.maybe_object(),
        app_metadata: choices.maybe_object(),
        ..Attributes::default()
    }
}

fn claims(choices: &mut Choices<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for _ in 0..choices.of(5) {
        let key = ClaimedKey::ALL.get(usize::from(choices.of(4)));
        claims.push(Claim {
            row: UserRow(i64::from(choices.of(3))),
            foreign_id: "x".into(),
            same_connection: choices.of(4) > 0,
            origin: Origin::Cached,
            has_password: choices.of(2) > 0,
            is_password_imported: choices.of(2) > 0,
            is_email_proven: choices.of(2) > 0,
            is_phone_proven: choices.of(2) > 0,
            key: key.copied().unwrap_or(ClaimedKey::Email),
        });
    }
    claims
}

/// A policy that is well formed.
fn composed(choices: &mut Choices<'_>) -> Value {
    const RULES: [&str; 6] = [
        "keep",
        "replace",
        "only_if_empty",
        "mirror",
        "merge",
        "merge_top",
    ];
    let mut rule = |count| RULES.get(usize::from(choices.of(count))).copied();
    let mut fields = Json::new();
    fields.insert("default".to_owned(), rule(6).into());
    for field in Field::ALL {
        let objects = [
            Field::UserMetadata,
            Field::AppMetadata,
            Field::RootAttributes,
        ];
        let count = if objects.contains(field) { 6 } else { 4 };
        fields.insert(field.as_str().to_owned(), rule(count).into());
    }
    let passwords = ["never", "until_proven", "always"];
    let keys: Vec<_> = ClaimedKey::ALL
        .into_iter()
        .filter(|_| choices.of(2) > 0)
        .map(ClaimedKey::as_str)
        .collect();
    json!({
        "match_on": keys, "match_unproven": choices.of(2) > 0, "fields": fields,
        "password": passwords.get(usize::from(choices.of(3))),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn no_policy_breaks_the_laws(
            line in "(reject|upsert|[{}\":,a-z_ ]{0,30}|\\{\"match_on\":\\[\"email\"\\]\\})",
            choices in prop::collection::vec(any::<u8>(), 0..140),
        ) {
            super::policy(&[line.as_bytes(), b"\n", &choices].concat());
        }
    }
}
