//! Auth0: the users export (lines of JSON) joined with the password export that its support gives.
//!
//! The password export is read first and held in memory, some 150 bytes a person.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Converter;
use crate::hash::Hash;
use crate::person::Person;
use crate::record::{Place, Record};
use crate::refusal::Refusal;
use crate::rows::Rows;

#[derive(Default)]
pub(super) struct Auth0 {
    /// Id without `auth0|` → what the password export says.
    passwords: BTreeMap<String, Password>,
}

struct Password {
    place: Place,
    email: Option<String>,
    hash: String,
}

impl Auth0 {
    fn take_password(&mut self, mut record: Record, rows: &mut Rows<'_>) {
        let place = record.place;

        let id = record.object("_id").or_else(|| record.object("_ID"));
        let id = id.and_then(|id| id.get("$oid").and_then(Value::as_str).map(str::to_owned));
        let id = id.or_else(|| record.text("_id"));
        match (id, record.text("passwordHash")) {
            (Some(id), Some(hash)) => {
                let email = record.text("email");
                self.passwords.insert(id, Password { place, email, hash });
            }
            _ => rows.warn(
                place,
                "passwordHash",
                "a hash without an id, or an id without a hash",
            ),
        }
    }
}

impl Converter for Auth0 {
    fn comes_first(&self, head: &[u8]) -> bool {
        String::from_utf8_lossy(head).contains("\"passwordHash\"")
    }

    fn is_ours(&self, record: &Record) -> bool {
        record.has("passwordHash") || record.has("user_id") || record.has("identities")
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        if record.has("passwordHash") {
            self.take_password(record, rows);
            return Ok(());
        }
        let user_id = record.text("user_id").unwrap_or_default();
        let Some(id) = user_id.strip_prefix("auth0|").map(str::to_owned) else {
            let why = "of another provider than a database; it comes by that provider";
            rows.leave_out(place, "user_id", why);
            return Ok(());
        };
        let mut person = Person {
            hash: self
                .passwords
                .remove(&id)
                .map(|found| Hash::from_text(found.hash)),
            id: Some(id),
            email: record.text("email"),
            email_verified: record.flag("email_verified").unwrap_or_default(),
            username: record.text("username"),
            phone_number: record.text("phone_number"),
            phone_verified: record.flag("phone_verified").unwrap_or_default(),
            given_name: record.text("given_name"),
            family_name: record.text("family_name"),
            name: record.text("name"),
            nickname: record.text("nickname"),
            picture: record.text("picture"),
            blocked: record.flag("blocked").unwrap_or_default(),
            user_metadata: record.object("user_metadata").unwrap_or_default(),
            app_metadata: record.object("app_metadata").unwrap_or_default(),
            ..Person::default()
        };
        if !record.list("multifactor").is_empty() {
            rows.warn(
                place,
                "multifactor",
                "the export says that there is one, not its secret",
            );
        }
        // One identity is the person's own, of the database they leave; more of them are linked.
        let identities = record.list("identities");
        if identities.len() > 1 {
            record
                .members
                .insert("identities".to_owned(), identities.into());
        }
        person.kept = record.rest();
        rows.write(place, person)
    }

    fn finish(&mut self, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        for (id, password) in std::mem::take(&mut self.passwords) {
            let why = "not in the users export; the row has nothing but address and password";
            rows.warn(password.place, "_id", why);
            let person = Person {
                id: Some(id),
                email: password.email,
                hash: Some(Hash::from_text(password.hash)),
                ..Person::default()
            };
            rows.write(password.place, person)?;
        }
        Ok(())
    }
}
