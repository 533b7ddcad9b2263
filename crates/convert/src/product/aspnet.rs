//! ASP.NET Identity: the table `AspNetUsers` as CSV, JSON or SQL, and `AspNetUserTokens`, which
//! holds the keys of authenticators.

use std::collections::HashMap;

use super::Converter;
use crate::hash::Hash;
use crate::person::Person;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;

#[derive(Default)]
pub(super) struct Aspnet {
    /// Person → the key of their authenticator. Tokens are read first.
    keys: HashMap<String, String>,
}

impl Converter for Aspnet {
    fn wants_table(&self, table: &str) -> bool {
        ["aspnetusers", "aspnetusertokens"].contains(&table.to_ascii_lowercase().as_str())
    }

    fn comes_first(&self, head: &[u8]) -> bool {
        let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
        String::from_utf8_lossy(line).contains("LoginProvider")
    }

    fn is_ours(&self, record: &Record) -> bool {
        let is_person = record.has("UserName") && record.has("PasswordHash");
        is_person || (record.has("LoginProvider") && record.has("UserId"))
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        if record.has("LoginProvider") {
            let (user, name) = (record.text("UserId"), record.text("Name"));
            let key = record
                .text("Value")
                .filter(|_| name.as_deref() == Some("AuthenticatorKey"));
            if let (Some(user), Some(key)) = (user, key) {
                self.keys.insert(user, key);
            }
            return Ok(());
        }
        let place = record.place;
        let id = record.text("Id");
        let username = record.text("UserName");
        let has_factor = record.flag("TwoFactorEnabled").unwrap_or_default();
        let key = id.as_ref().and_then(|id| self.keys.remove(id));
        let mut person = Person {
            name: username.clone(),
            id,
            username,
            email: record.text("Email"),
            email_verified: record.flag("EmailConfirmed").unwrap_or_default(),
            phone_number: record.text("PhoneNumber"),
            phone_verified: record.flag("PhoneNumberConfirmed").unwrap_or_default(),
            hash: record.text("PasswordHash").map(Hash::Field),
            ..Person::default()
        };
        match (has_factor, key) {
            (true, Some(key)) => person.totp.push(key),
            (true, None) => {
                let why = "no key of an authenticator for this person (AspNetUserTokens)";
                rows.warn(place, "TwoFactorEnabled", why);
            }
            _ => {}
        }
        if let Some(end) = record.text("LockoutEnd") {
            person.blocked = rows.options.is_ahead(&end);
            record.members.insert("LockoutEnd".to_owned(), end.into());
        }
        record.drop_all(&[
            "NormalizedUserName",
            "NormalizedEmail",
            "SecurityStamp",
            "ConcurrencyStamp",
            "LockoutEnabled",
            "AccessFailedCount",
        ]);
        person.kept = record.rest();
        rows.write(place, person)
    }
}
