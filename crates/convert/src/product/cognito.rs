//! Amazon Cognito: `aws cognito-idp list-users` as JSON, or a CSV with the header of its import.
//! Cognito gives nobody its hashes: these people sign in through the connection's `login` script.

use serde_json::Value;

use super::{Converter, full_name};
use crate::person::Person;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;

pub(super) struct Cognito;

impl Converter for Cognito {
    fn wrapper(&self) -> Option<&'static str> {
        Some("Users")
    }

    fn is_ours(&self, record: &Record) -> bool {
        record.has("cognito:username") || (record.has("Username") && record.has("UserStatus"))
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        for attribute in record.list("Attributes") {
            let part = |name: &str| attribute.get(name).and_then(Value::as_str);
            if let (Some(name), Some(value)) = (part("Name"), part("Value")) {
                record.members.insert(name.to_owned(), value.into());
            }
        }
        let username = record
            .text("cognito:username")
            .or_else(|| record.text("Username"));
        let mut person = Person {
            id: record.text("sub").or_else(|| username.clone()),
            username,
            email: record.text("email"),
            email_verified: record.flag("email_verified").unwrap_or_default(),
            phone_number: record.text("phone_number"),
            phone_verified: record.flag("phone_number_verified").unwrap_or_default(),
            given_name: record.text("given_name"),
            family_name: record.text("family_name"),
            name: record.text("name"),
            nickname: record.text("nickname"),
            picture: record.text("picture"),
            blocked: record.flag("Enabled") == Some(false),
            ..Person::default()
        };
        // Pools without names of their own give everybody their id for one.
        if person.username == person.id {
            person.username = None;
        }
        let full = full_name(person.given_name.as_deref(), person.family_name.as_deref());
        person.name = person.name.or(full);
        if record.flag("cognito:mfa_enabled") == Some(true) || !record.list("MFAOptions").is_empty()
        {
            rows.warn(place, "mfa", "Cognito gives nobody its second factors");
        }
        person.kept = record.rest();
        rows.write(place, person)
    }
}
