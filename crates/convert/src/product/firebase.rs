//! Firebase: `firebase auth:export users.json` or `users.csv`, with the project's hash parameters.

use domain::Json;
use serde_json::Value;

use super::Converter;
use crate::hash::{self, Hash};
use crate::options::FirebaseHash;
use crate::person::Person;
use crate::record::{self, Record};
use crate::refusal::Refusal;
use crate::rows::Rows;

pub(super) struct Firebase;

/// The CSV has no line of names; these are its columns in order.
const COLUMNS: &[&str] = &[
    "localId",
    "email",
    "emailVerified",
    "passwordHash",
    "salt",
    "displayName",
    "photoUrl",
    "google_id",
    "google_email",
    "google_displayName",
    "google_photoUrl",
    "facebook_id",
    "facebook_email",
    "facebook_displayName",
    "facebook_photoUrl",
    "twitter_id",
    "twitter_email",
    "twitter_displayName",
    "twitter_photoUrl",
    "github_id",
    "github_email",
    "github_displayName",
    "github_photoUrl",
    "createdAt",
    "lastSignedInAt",
    "phoneNumber",
    "disabled",
    "customAttributes",
    "",
];

impl Converter for Firebase {
    fn wrapper(&self) -> Option<&'static str> {
        Some("users")
    }

    fn columns(&self, head: &[u8]) -> Option<&'static [&'static str]> {
        let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
        // Over twenty commas, and no names: what the tool itself writes.
        let is_bare = line.split(|b| *b == b',').count() > 21;
        (is_bare && !line.starts_with(b"localId") && !line.starts_with(b"\"localId"))
            .then_some(COLUMNS)
    }

    fn is_ours(&self, record: &Record) -> bool {
        record.has("localId")
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        let mut person = Person {
            id: record.text("localId"),
            email: record.text("email"),
            email_verified: record.flag("emailVerified").unwrap_or_default(),
            name: record.text("displayName"),
            picture: record.text("photoUrl"),
            phone_number: record.text("phoneNumber"),
            // Firebase keeps a number only once a code to it was typed.
            phone_verified: true,
            blocked: record.flag("disabled").unwrap_or_default(),
            ..Person::default()
        };
        let (value, salt) = (record.text("passwordHash"), record.text("salt"));
        if let Some(value) = value {
            let parameters = rows.options.firebase.as_ref().ok_or_else(|| {
                Refusal::Options(
                    "these people have passwords, and without the project's hash parameters \
                     nobody can check them: give --hash-config (console, Authentication, ⋮, \
                     Password hash parameters)"
                        .to_owned(),
                )
            })?;
            match firescrypt(&value, salt.as_deref().unwrap_or_default(), parameters) {
                Some(text) => person.hash = Some(Hash::Field(text)),
                None => rows.warn(
                    place,
                    "passwordHash",
                    "hash or salt is no base64; not carried over",
                ),
            }
        }
        if let Some(claims) = record.object("customAttributes") {
            record
                .members
                .insert("customAttributes".to_owned(), claims.into());
        }
        if !record.list("mfaInfo").is_empty() {
            rows.warn(
                place,
                "mfaInfo",
                "second factors of Firebase are not carried over",
            );
        }
        record.members.retain(|name, _| !name.is_empty());
        keep_providers(&mut record.members);
        person.kept = record.rest();
        rows.write(place, person)
    }
}

fn firescrypt(value: &str, salt: &str, parameters: &FirebaseHash) -> Option<String> {
    // The tool writes standard base64; other copies of the same data are URL-safe.
    let standard = |text: &str| {
        let text = text.replace('-', "+").replace('_', "/");
        hash::bytes(&text).map(|bytes| hash::padded(&bytes))
    };
    let FirebaseHash {
        signer_key,
        salt_separator,
        rounds,
        mem_cost,
    } = parameters;
    let (value, salt) = (standard(value)?, standard(salt)?);
    let (key, separator) = (standard(signer_key)?, standard(salt_separator)?);
    Some(format!(
        "$firescrypt$ln={mem_cost},r={rounds},p=1${salt}${value}${separator}${key}"
    ))
}

/// `password` is no other provider.
fn keep_providers(members: &mut Json) {
    if let Some(Value::Array(mut providers)) = record::take(members, "providerUserInfo") {
        providers.retain(|provider| provider.get("providerId").is_none_or(|id| id != "password"));
        members.insert("providerUserInfo".to_owned(), providers.into());
    }
}
