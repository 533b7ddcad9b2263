//! Okta: people as its API lists them (`GET /api/v1/users`, JSON) or as CSV. Okta gives nobody its
//! hashes: these people sign in through the connection's `login` script.

use super::{Converter, full_name};
use crate::person::Person;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;

pub(super) struct Okta;

impl Converter for Okta {
    fn is_ours(&self, record: &Record) -> bool {
        let is_listed = record.has("profile") && record.has("status");
        is_listed || (record.has("login") && record.has("email"))
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        let id = record.text("id");
        let status = record.text("status");
        if let Some(profile) = record.object("profile") {
            record.members.extend(profile);
        }
        // Who never was active proved no address; the others did, when they were.
        let is_new =
            |status: &str| ["STAGED", "PROVISIONED", "PENDING_ACTIVATION"].contains(&status);
        let is_out = |status: &str| ["SUSPENDED", "DEPROVISIONED", "DEACTIVATED"].contains(&status);
        let mut person = Person {
            id,
            username: record.text("login"),
            email: record.text("email"),
            email_verified: rows.options.emails_are_verified
                && !status.as_deref().is_some_and(is_new),
            given_name: record.text("firstName"),
            family_name: record.text("lastName"),
            name: record.text("displayName"),
            nickname: record.text("nickName"),
            phone_number: record.text("mobilePhone"),
            blocked: status.as_deref().is_some_and(is_out),
            ..Person::default()
        };
        let full = full_name(person.given_name.as_deref(), person.family_name.as_deref());
        person.name = person.name.or(full);
        if let Some(status) = status {
            record.members.insert("status".to_owned(), status.into());
        }
        record.drop_all(&["_links", "credentials"]);
        person.kept = record.rest();
        rows.write(place, person)
    }
}
