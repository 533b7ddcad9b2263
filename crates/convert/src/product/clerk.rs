//! Clerk: the CSV of its dashboard, with digests and the names of their hashers.

use super::{Converter, full_name};
use crate::hash::{self, Hash};
use crate::person::Person;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;

pub(super) struct Clerk;

impl Converter for Clerk {
    fn is_ours(&self, record: &Record) -> bool {
        record.has("primary_email_address") || (record.has("password_digest") && record.has("id"))
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        let listed = |list: Option<String>, one: &Option<String>| {
            let is_one = |found: &str| {
                one.as_deref()
                    .is_some_and(|one| one.eq_ignore_ascii_case(found.trim()))
            };
            list.is_some_and(|list| list.split([',', '|', ';', ' ']).any(is_one))
        };
        let email = record.text("primary_email_address");
        let phone_number = record.text("primary_phone_number");
        let verified = record.text("verified_email_addresses");
        let others: Vec<String> = verified
            .iter()
            .flat_map(|list| list.split([',', '|', ';', ' ']))
            .map(str::to_owned)
            .filter(|other| !other.is_empty() && Some(other) != email.as_ref())
            .collect();
        let mut person = Person {
            id: record.text("id"),
            email_verified: listed(verified, &email),
            phone_verified: listed(record.text("verified_phone_numbers"), &phone_number),
            email,
            phone_number,
            username: record.text("username"),
            given_name: record.text("first_name"),
            family_name: record.text("last_name"),
            totp: record.text("totp_secret").into_iter().collect(),
            ..Person::default()
        };
        person.name = full_name(person.given_name.as_deref(), person.family_name.as_deref());
        let hasher = record.text("password_hasher").unwrap_or_default();
        if let Some(digest) = record.text("password_digest") {
            match hash_of(&hasher, digest) {
                Some(hash) => person.hash = Some(hash),
                None => rows.warn(
                    place,
                    "password_hasher",
                    "a digest that we cannot carry over",
                ),
            }
        }
        if !others.is_empty() {
            record
                .members
                .insert("verified_email_addresses".to_owned(), others.into());
        }
        person.kept = record.rest();
        rows.write(place, person)
    }
}

/// Digests in the import's words. Most say themselves what they are.
fn hash_of(hasher: &str, digest: String) -> Option<Hash> {
    match hasher {
        "bcrypt"
        | "argon2i"
        | "argon2id"
        | "phpass"
        | "md5_phpass"
        | "ldap_ssha"
        | "pbkdf2_sha256_django"
        | "scrypt_werkzeug" => Some(Hash::from_text(digest)),
        "bcrypt_sha256_django" if digest.starts_with("bcrypt_sha256$") => Some(Hash::Field(digest)),
        "md5" | "sha256" => Some(Hash::digest(hasher, &digest, "hex")),
        "pbkdf2_sha1" | "pbkdf2_sha256" | "pbkdf2_sha512" => pbkdf2(hasher, &digest),
        "scrypt_firebase" => firebase(&digest),
        _ => None,
    }
}

/// `pbkdf2_sha256$iterations$salt$hash`, both base64 (Django's has a plain salt, and another name).
fn pbkdf2(hasher: &str, digest: &str) -> Option<Hash> {
    if digest.starts_with("$pbkdf2") {
        return Some(Hash::from_text(digest.to_owned()));
    }
    let parts: Vec<&str> = digest.split('$').collect();
    let [.., iterations, salt, derived] = parts.as_slice() else {
        return None;
    };
    Hash::pbkdf2(
        hasher.strip_prefix("pbkdf2_")?,
        iterations.parse().ok()?,
        salt,
        derived,
    )
}

/// `hash$salt$signerKey$saltSeparator$rounds$memCost`.
fn firebase(digest: &str) -> Option<Hash> {
    let parts: Vec<&str> = digest.split('$').collect();
    let [derived, salt, key, separator, rounds, cost] = parts.as_slice() else {
        return None;
    };
    let all = [*derived, salt, key, separator];
    all.iter()
        .all(|part| hash::bytes(part).is_some())
        .then_some(())?;
    let _: (u32, u32) = (rounds.parse().ok()?, cost.parse().ok()?);
    Some(Hash::Field(format!(
        "$firescrypt$ln={cost},r={rounds},p=1${salt}${derived}${separator}${key}"
    )))
}
