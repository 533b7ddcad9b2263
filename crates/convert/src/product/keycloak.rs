//! Keycloak: a realm's export in one file, or the `…-users-N.json` files of a folder.

use domain::Json;
use serde_json::{Value, json};

use super::{Converter, full_name};
use crate::hash::{self, Hash};
use crate::person::Person;
use crate::record::{self, Place, Record};
use crate::refusal::Refusal;
use crate::rows::Rows;

pub(super) struct Keycloak;

impl Converter for Keycloak {
    fn wrapper(&self) -> Option<&'static str> {
        Some("users")
    }

    fn is_ours(&self, record: &Record) -> bool {
        let marks = ["enabled", "credentials", "requiredActions", "emailVerified"];
        record.has("username") && marks.iter().any(|name| record.has(name))
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        if let Some(client) = record.text("serviceAccountClientId") {
            rows.leave_out(
                place,
                "serviceAccountClientId",
                format!("an account of client {client}, no person"),
            );
            return Ok(());
        }
        let mut person = Person {
            id: record.text("id"),
            email: record.text("email"),
            email_verified: record.flag("emailVerified").unwrap_or_default(),
            username: record.text("username"),
            given_name: record.text("firstName"),
            family_name: record.text("lastName"),
            blocked: record.flag("enabled") == Some(false),
            ..Person::default()
        };
        person.name = full_name(person.given_name.as_deref(), person.family_name.as_deref());
        for credential in record.list("credentials") {
            if let Value::Object(credential) = credential {
                take_credential(credential, &mut person, place, rows);
            }
        }
        if !record.list("federatedIdentities").is_empty() && person.hash.is_none() {
            rows.warn(
                place,
                "federatedIdentities",
                "signs in by another provider only; no password comes",
            );
        }
        record.drop_all(&["totp", "disableableCredentialTypes", "access", "notBefore"]);
        person.kept = record.rest();
        rows.write(place, person)
    }
}

/// `secretData` and `credentialData` are JSON inside a text; before Keycloak 8 their members stood
/// in the credential itself.
fn nested(credential: &mut Json, name: &str) -> Json {
    match record::take(credential, name) {
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        Some(Value::Object(object)) => object,
        _ => Json::new(),
    }
}

fn take_credential(mut credential: Json, person: &mut Person, place: Place, rows: &mut Rows<'_>) {
    let mut secret = nested(&mut credential, "secretData");
    let mut data = nested(&mut credential, "credentialData");
    for (old, new) in [("hashedSaltedValue", "value"), ("salt", "salt")] {
        if let Some(value) = record::take(&mut credential, old) {
            secret.entry(new).or_insert(value);
        }
    }
    for name in ["algorithm", "hashIterations", "digits", "period", "counter"] {
        if let Some(value) = record::take(&mut credential, name) {
            data.entry(name).or_insert(value);
        }
    }
    match record::text(&mut credential, "type").as_deref() {
        Some("password") => match password(&mut secret, &mut data) {
            Ok(hash) => person.hash = Some(hash),
            Err(why) => rows.warn(place, "credentials.password", why),
        },
        Some("otp" | "totp") => match totp(&mut secret, &mut data) {
            Ok(secret) => person.totp.push(secret),
            Err(why) => rows.warn(place, "credentials.otp", why),
        },
        Some(kind @ ("webauthn" | "webauthn-passwordless" | "recovery-authn-codes" | "hotp")) => {
            rows.warn(
                place,
                "credentials",
                format!("{kind} has no place in an import row; not carried over"),
            );
        }
        _ => rows.warn(
            place,
            "credentials",
            "a credential of a type that we do not know",
        ),
    }
}

fn password(secret: &mut Json, data: &mut Json) -> Result<Hash, &'static str> {
    let value = record::text(secret, "value").ok_or("a password credential without a value")?;
    let algorithm = record::text(data, "algorithm").unwrap_or_else(|| "pbkdf2".to_owned());
    if value.starts_with("$2") || value.starts_with("$argon2") {
        // What add-on hash providers keep: a text that says itself what it is.
        return Ok(Hash::from_text(value));
    }
    let salt = record::text(secret, "salt").ok_or("a password credential without a salt")?;
    let iterations = record::text(data, "hashIterations").and_then(|number| number.parse().ok());
    let digest = match algorithm.as_str() {
        "pbkdf2" => "sha1",
        "pbkdf2-sha256" => "sha256",
        "pbkdf2-sha512" => "sha512",
        "argon2" => return argon2(&value, &salt, iterations, data),
        _ => return Err("hashed with an algorithm that is not Keycloak's own"),
    };
    let iterations = iterations.ok_or("a password credential without iterations")?;
    Hash::pbkdf2(digest, iterations, &salt, &value).ok_or("salt or value is no base64")
}

/// The parameters are lists of one text each.
fn argon2(
    value: &str,
    salt: &str,
    passes: Option<u64>,
    data: &mut Json,
) -> Result<Hash, &'static str> {
    let broken = "Argon2 parameters are missing";
    let mut more = nested(data, "additionalParameters");
    let mut parameter = |name: &str| match record::take(&mut more, name) {
        Some(Value::Array(values)) => values.first().and_then(Value::as_str).map(str::to_owned),
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let kind = parameter("type").unwrap_or_else(|| "id".to_owned());
    let version = if parameter("version").as_deref() == Some("1.0") {
        16
    } else {
        19
    };
    let memory = parameter("memory").ok_or(broken)?;
    let lanes = parameter("parallelism").ok_or(broken)?;
    let passes = passes.ok_or(broken)?;
    let unpadded = |text: &str| {
        hash::bytes(text).map(|bytes| hash::padded(&bytes).trim_end_matches('=').to_owned())
    };
    let (Some(salt), Some(value)) = (unpadded(salt), unpadded(value)) else {
        return Err("salt or value is no base64");
    };
    let text = format!("$argon2{kind}$v={version}$m={memory},t={passes},p={lanes}${salt}${value}");
    Ok(Hash::custom(
        &json!({"algorithm": "argon2", "hash": {"value": text}}),
    ))
}

/// Keycloak keeps the key itself and shows its base32; newer ones say when it is base32 already.
fn totp(secret: &mut Json, data: &mut Json) -> Result<String, &'static str> {
    let value = record::text(secret, "value").ok_or("a second factor without a secret")?;
    let usual = |name: &str, most_usual: &str, data: &mut Json| {
        record::text(data, name).is_none_or(|found| found == most_usual)
    };
    let is_usual = usual("digits", "6", data)
        && usual("period", "30", data)
        && usual("algorithm", "HmacSHA1", data)
        && usual("subType", "totp", data);
    if !is_usual {
        return Err(
            "a second factor that is no TOTP of six digits, 30 seconds and SHA-1; not carried over",
        );
    }
    Ok(match record::text(data, "secretEncoding").as_deref() {
        Some("BASE32") => value,
        _ => data_encoding::BASE32_NOPAD.encode(value.as_bytes()),
    })
}
