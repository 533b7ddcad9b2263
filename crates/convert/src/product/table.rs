//! Any table — CSV, a dump of SQL, JSON — with a mapping from the import's members to its columns.

use domain::Json;
use serde_json::{Value, json};

use super::Converter;
use crate::hash::Hash;
use crate::options::Options;
use crate::person::Person;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;

/// What a column can be mapped to.
const MEMBERS: &[&str] = &[
    "user_id",
    "email",
    "email_verified",
    "username",
    "phone_number",
    "phone_verified",
    "given_name",
    "family_name",
    "name",
    "nickname",
    "picture",
    "blocked",
    "password_hash",
    "salt",
    "totp",
    "user_metadata",
    "app_metadata",
];

pub(super) struct Table {
    wanted: Option<String>,
    mapping: Vec<(String, String)>,
    custom_hash: Option<Json>,
}

impl Table {
    pub fn new(options: &Options) -> Result<Self, Refusal> {
        for (member, _) in &options.mapping {
            if !MEMBERS.contains(&member.as_str()) {
                let known = MEMBERS.join(", ");
                return Err(Refusal::Options(format!(
                    "no member {member}; there are {known}"
                )));
            }
        }
        Ok(Self {
            wanted: options.table.clone(),
            mapping: options.mapping.clone(),
            custom_hash: options.custom_hash.clone(),
        })
    }

    /// The column of a member: the mapped one, or the one of the same name.
    fn column<'c>(&'c self, member: &'c str) -> &'c str {
        let mapped = self.mapping.iter().find(|(name, _)| name == member);
        mapped.map_or(member, |(_, column)| column)
    }

    fn hash(&self, value: String, salt: Option<String>) -> Hash {
        let Some(custom) = &self.custom_hash else {
            return Hash::from_text(value);
        };
        let mut custom = custom.clone();
        put(&mut custom, "hash", value);
        if let Some(salt) = salt {
            put(&mut custom, "salt", salt);
        }
        Hash::Custom(custom)
    }
}

fn put(custom: &mut Json, name: &str, value: String) {
    let object = custom.entry(name).or_insert_with(|| json!({}));
    if let Value::Object(object) = object {
        object.insert("value".to_owned(), value.into());
    }
}

impl Converter for Table {
    fn wants_table(&self, table: &str) -> bool {
        self.wanted
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(table))
    }

    fn is_ours(&self, record: &Record) -> bool {
        record.has(self.column("email"))
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        let mut text = |member: &str| record.text(self.column(member));
        let mut person = Person {
            id: text("user_id"),
            email: text("email"),
            username: text("username"),
            phone_number: text("phone_number"),
            given_name: text("given_name"),
            family_name: text("family_name"),
            name: text("name"),
            nickname: text("nickname"),
            picture: text("picture"),
            totp: text("totp").into_iter().collect(),
            ..Person::default()
        };
        let (value, salt) = (text("password_hash"), text("salt"));
        person.hash = value.map(|value| self.hash(value, salt));
        let mut flag = |member: &str| record.flag(self.column(member));
        person.email_verified = flag("email_verified").unwrap_or(rows.options.emails_are_verified);
        person.phone_verified = flag("phone_verified").unwrap_or_default();
        person.blocked = flag("blocked").unwrap_or_default();
        person.user_metadata = record
            .object(self.column("user_metadata"))
            .unwrap_or_default();
        person.app_metadata = record
            .object(self.column("app_metadata"))
            .unwrap_or_default();
        person.kept = record.rest();
        rows.write(place, person)
    }
}
