//! Django: `manage.py dumpdata`, or the table `auth_user` as SQL or CSV.

use domain::Json;
use serde_json::Value;

use super::{Converter, full_name};
use crate::hash::{self, Hash};
use crate::options::Options;
use crate::person::Person;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;

pub(super) struct Django {
    /// A table, or a model `app.model`; `None`: whatever has Django's columns.
    table: Option<String>,
}

impl Django {
    pub fn new(options: &Options) -> Self {
        Self {
            table: options.table.clone(),
        }
    }

    fn fields(record: &Record) -> &Json {
        match record.members.get("fields") {
            Some(Value::Object(fields)) => fields,
            _ => &record.members,
        }
    }
}

impl Converter for Django {
    fn wants_table(&self, table: &str) -> bool {
        self.table
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(table))
    }

    fn is_ours(&self, record: &Record) -> bool {
        let model = record.members.get("model").and_then(Value::as_str);
        if let (Some(wanted), Some(model)) = (&self.table, model) {
            return wanted.eq_ignore_ascii_case(model);
        }
        // What AbstractBaseUser gives to every model of users, whatever its name.
        let fields = Self::fields(record);
        fields.contains_key("password") && fields.contains_key("last_login")
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        let key = record.text("pk").or_else(|| record.text("id"));
        if let Some(fields) = record.object("fields") {
            record.members = fields;
        }
        let mut person = Person {
            id: key,
            email: record.text("email"),
            // Django itself does not prove addresses.
            email_verified: rows.options.emails_are_verified,
            username: record.text("username"),
            given_name: record.text("first_name"),
            family_name: record.text("last_name"),
            blocked: record.flag("is_active") == Some(false),
            ..Person::default()
        };
        person.name = full_name(person.given_name.as_deref(), person.family_name.as_deref());
        // An exclamation mark: nobody can sign in with a password.
        let stored = record
            .text("password")
            .filter(|stored| !stored.starts_with('!'));
        person.hash = stored.map(hash_of);
        for name in ["is_staff", "is_superuser"] {
            if let Some(truth) = record.flag(name) {
                record.members.insert(name.to_owned(), truth.into());
            }
        }
        person.kept = record.rest();
        rows.write(place, person)
    }
}

fn hash_of(stored: String) -> Hash {
    // Django's first version wrote the bare sum.
    if hash::is_hex(&stored, 32) {
        return Hash::digest("md5", &stored, "hex");
    }
    match stored
        .strip_prefix("argon2$")
        .or_else(|| stored.strip_prefix("bcrypt$"))
    {
        Some(inner) => Hash::from_text(format!("${}", inner.trim_start_matches('$'))),
        None => Hash::Field(stored),
    }
}
