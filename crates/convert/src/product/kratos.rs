//! Ory Kratos: the list of identities with their credentials, as its API and its command line give
//! it.

use domain::Json;
use serde_json::{Value, json};

use super::{Converter, full_name};
use crate::hash::{self, Hash};
use crate::person::Person;
use crate::record::{self, Place, Record};
use crate::refusal::Refusal;
use crate::rows::Rows;

pub(super) struct Kratos;

impl Converter for Kratos {
    fn wrapper(&self) -> Option<&'static str> {
        Some("identities")
    }

    fn is_ours(&self, record: &Record) -> bool {
        record.has("traits") && (record.has("schema_id") || record.has("credentials"))
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        let mut traits = record.object("traits").unwrap_or_default();
        let mut person = Person {
            id: record.text("id"),
            email: record::text(&mut traits, "email"),
            username: record::text(&mut traits, "username"),
            phone_number: record::text(&mut traits, "phone")
                .or_else(|| record::text(&mut traits, "phone_number")),
            picture: record::text(&mut traits, "picture"),
            blocked: record.text("state").is_some_and(|state| state != "active"),
            ..Person::default()
        };
        names(&mut traits, &mut person);
        for address in record.list("verifiable_addresses") {
            let is_verified = address.get("verified") == Some(&Value::Bool(true));
            let value = address.get("value").and_then(Value::as_str);
            let is = |own: &Option<String>| {
                own.as_deref()
                    .zip(value)
                    .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
            };
            person.email_verified |= is_verified && is(&person.email);
            person.phone_verified |= is_verified && is(&person.phone_number);
        }
        let credentials = record.object("credentials").unwrap_or_default();
        for (kind, credential) in credentials {
            take_credential(&kind, &credential, &mut person, place, rows);
        }
        if !traits.is_empty() {
            record.members.insert("traits".to_owned(), traits.into());
        }
        record.drop_all(&["schema_url", "recovery_addresses"]);
        person.kept = record.rest();
        rows.write(place, person)
    }
}

/// A name is a text or `{first, last}`, as schemas have it.
fn names(traits: &mut Json, person: &mut Person) {
    person.given_name =
        record::text(traits, "given_name").or_else(|| record::text(traits, "first_name"));
    person.family_name =
        record::text(traits, "family_name").or_else(|| record::text(traits, "last_name"));
    match record::take(traits, "name") {
        Some(Value::String(name)) => person.name = Some(name),
        Some(Value::Object(mut parts)) => {
            person.given_name =
                record::text(&mut parts, "first").or_else(|| person.given_name.take());
            person.family_name =
                record::text(&mut parts, "last").or_else(|| person.family_name.take());
            if !parts.is_empty() {
                traits.insert("name".to_owned(), parts.into());
            }
        }
        _ => {}
    }
    let full = full_name(person.given_name.as_deref(), person.family_name.as_deref());
    person.name = person.name.take().or(full);
}

fn take_credential(
    kind: &str,
    credential: &Value,
    person: &mut Person,
    place: Place,
    rows: &mut Rows<'_>,
) {
    let config = |name: &str| {
        credential
            .pointer(&format!("/config/{name}"))
            .and_then(Value::as_str)
    };
    match kind {
        "password" => match config("hashed_password").filter(|text| !text.is_empty()) {
            None => {
                let why = "no hash in it: list with include_credential=password";
                rows.warn(place, "credentials.password", why);
            }
            Some(text) => match hash_of(text) {
                Some(hash) => person.hash = Some(hash),
                None => rows.warn(
                    place,
                    "credentials.password",
                    "a hash of a form that we do not know",
                ),
            },
        },
        "totp" => match config("totp_url").and_then(secret_of) {
            Some(secret) => person.totp.push(secret),
            None => rows.warn(
                place,
                "credentials.totp",
                "no secret in it: list with include_credential=totp",
            ),
        },
        "oidc" | "code" => {}
        _ => rows.warn(
            place,
            "credentials",
            format!("{kind} has no place in an import row; not carried over"),
        ),
    }
}

/// `otpauth://totp/…?secret=…&…`; other digits, periods and sums than the usual ones have no place.
fn secret_of(url: &str) -> Option<String> {
    let parameters: Vec<(&str, &str)> = url
        .split_once('?')?
        .1
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let value = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    };
    let is_usual = value("digits").is_none_or(|digits| digits == "6")
        && value("period").is_none_or(|period| period == "30")
        && value("algorithm").is_none_or(|sum| sum.eq_ignore_ascii_case("SHA1"));
    value("secret").filter(|_| is_usual).map(str::to_owned)
}

/// Kratos's own spellings, in the import's words.
fn hash_of(text: &str) -> Option<Hash> {
    for (word, sign) in [("md5", "1"), ("sha256", "5"), ("sha512", "6")] {
        if let Some(rest) = text.strip_prefix(&format!("${word}-crypt$")) {
            return Some(Hash::Field(format!("${sign}${rest}")));
        }
    }
    let parts: Vec<&str> = text.split('$').skip(1).collect();
    match parts.as_slice() {
        ["scrypt", numbers, salt, derived] => scrypt(numbers, salt, derived),
        [digest @ ("md5" | "sha1" | "sha256" | "sha512"), value] => {
            Some(Hash::digest(digest, value, "base64"))
        }
        [
            digest @ ("md5" | "sha1" | "sha256" | "sha512"),
            form,
            salt,
            value,
        ] => salted(digest, form, salt, value),
        [hmac, value, key] if hmac.starts_with("hmac-") => {
            let hex = String::from_utf8(hash::bytes(value)?).ok()?;
            let digest = hmac.trim_start_matches("hmac-");
            Some(Hash::custom(&json!({
                "algorithm": "hmac",
                "hash": {"value": hex, "encoding": "hex", "digest": digest,
                         "key": {"value": key, "encoding": "base64"}},
            })))
        }
        _ => Some(Hash::from_text(text.to_owned())),
    }
}

/// `ln` is N itself here, not its logarithm.
fn scrypt(numbers: &str, salt: &str, derived: &str) -> Option<Hash> {
    let number = |name: &str| -> Option<u64> {
        let pair = numbers.split(',').find_map(|pair| pair.strip_prefix(name));
        pair?.strip_prefix('=')?.parse().ok()
    };
    let length = hash::bytes(derived)?.len();
    Some(Hash::custom(&json!({
        "algorithm": "scrypt",
        "hash": {"value": derived, "encoding": "base64"},
        "salt": {"value": salt, "encoding": "base64"},
        "keylen": length, "cost": number("ln")?, "blockSize": number("r")?, "parallelization": number("p")?,
    })))
}

/// `pf=` and the base64 of `{SALT}{PASSWORD}` or the other way round; other templates cannot be said.
fn salted(digest: &str, form: &str, salt: &str, value: &str) -> Option<Hash> {
    let form = hash::bytes(form.strip_prefix("pf=")?)?;
    let position = match form.as_slice() {
        b"{SALT}{PASSWORD}" => "prefix",
        b"{PASSWORD}{SALT}" => "suffix",
        _ => return None,
    };
    Some(Hash::custom(&json!({
        "algorithm": digest,
        "hash": {"value": value, "encoding": "base64"},
        "salt": {"value": salt, "encoding": "base64", "position": position},
    })))
}
