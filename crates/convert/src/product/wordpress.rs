//! `WordPress`: a dump of `wp_users` and `wp_usermeta` in SQL, or both tables as CSV.
//!
//! `mysqldump` writes `wp_usermeta` first. Of it, the few keys below are held in memory, some
//! hundred bytes a person, until the person comes.

use std::collections::HashMap;

use serde_json::Value;

use super::{Converter, full_name};
use crate::hash::{self, Hash};
use crate::options::Options;
use crate::person::Person;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;

/// Keys of `wp_usermeta` that say something about the person; the rest is the state of screens.
const KEYS: &[&str] = &[
    "first_name",
    "last_name",
    "nickname",
    "description",
    "locale",
];
const LONGEST_VALUE: usize = 16 * 1024;

pub(super) struct Wordpress {
    prefix: String,
    meta: HashMap<String, Vec<(String, String)>>,
    /// People that came before their part of `wp_usermeta`.
    waiting: Vec<Record>,
}

impl Wordpress {
    pub fn new(options: &Options) -> Self {
        Self {
            prefix: options
                .table_prefix
                .clone()
                .unwrap_or_else(|| "wp_".to_owned()),
            meta: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    fn take_meta(&mut self, mut record: Record) {
        let (user, key) = (record.text("user_id"), record.text("meta_key"));
        let (Some(user), Some(key), Some(value)) = (user, key, record.text("meta_value")) else {
            return;
        };
        let roles = format!("{}capabilities", self.prefix);
        if (KEYS.contains(&key.as_str()) || key == roles) && value.len() <= LONGEST_VALUE {
            self.meta.entry(user).or_default().push((key, value));
        }
    }

    /// Whether the person's part of `wp_usermeta` was read. It is written in one go.
    fn is_known(&self, record: &Record) -> bool {
        match record.members.get("ID") {
            Some(Value::String(id)) => self.meta.contains_key(id),
            Some(id) => self.meta.contains_key(&id.to_string()),
            None => false,
        }
    }

    fn write(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        let id = record.text("ID");
        let meta = id
            .as_ref()
            .and_then(|id| self.meta.remove(id))
            .unwrap_or_default();
        let roles = format!("{}capabilities", self.prefix);
        let mut person = Person {
            id,
            email: record.text("user_email"),
            email_verified: rows.options.emails_are_verified,
            username: record.text("user_login"),
            ..Person::default()
        };
        for (key, value) in meta {
            match key.as_str() {
                "first_name" => person.given_name = Some(value),
                "last_name" => person.family_name = Some(value),
                "nickname" => person.nickname = Some(value),
                "locale" => drop(person.user_metadata.insert(key, value.into())),
                _ if key == roles => {
                    drop(record.members.insert("roles".to_owned(), roles_of(&value)));
                }
                _ => drop(record.members.insert(key, value.into())),
            }
        }
        let shown = record.text("display_name");
        let full = full_name(person.given_name.as_deref(), person.family_name.as_deref());
        person.nickname = person.nickname.or_else(|| shown.clone());
        person.name = full.or(shown);
        person.hash = record.text("user_pass").map(hash_of);
        record.drop_all(&["user_activation_key", "session_tokens"]);
        person.kept = record.rest();
        rows.write(place, person)
    }
}

impl Converter for Wordpress {
    fn wants_table(&self, table: &str) -> bool {
        let name = table.strip_prefix(self.prefix.as_str());
        matches!(name, Some("users" | "usermeta"))
    }

    fn comes_first(&self, head: &[u8]) -> bool {
        let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
        String::from_utf8_lossy(line).contains("meta_key")
    }

    fn is_ours(&self, record: &Record) -> bool {
        record.has("user_login") || record.has("meta_key")
    }

    fn take(&mut self, record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        if record.has("meta_key") {
            self.take_meta(record);
        } else if record.table.is_none() || self.is_known(&record) {
            // A CSV of people is read after the one of wp_usermeta.
            self.write(record, rows)?;
        } else {
            self.waiting.push(record);
        }
        Ok(())
    }

    fn finish(&mut self, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        for record in std::mem::take(&mut self.waiting) {
            self.write(record, rows)?;
        }
        Ok(())
    }
}

fn hash_of(stored: String) -> Hash {
    // Versions before 2.5 wrote the bare sum, and administrators still do by hand.
    if hash::is_hex(&stored, 32) {
        Hash::digest("md5", &stored, "hex")
    } else {
        Hash::from_text(stored)
    }
}

/// Roles are serialised PHP: `a:1:{s:10:"subscriber";b:1;}`.
fn roles_of(serialised: &str) -> Value {
    let pieces = serialised.split('"').collect::<Vec<_>>();
    let pairs = pieces.windows(2).skip(1).step_by(2);
    let granted = pairs.filter_map(|pair| match pair {
        [role, after] if after.starts_with(";b:1") => Some(Value::from(*role)),
        _ => None,
    });
    Value::Array(granted.collect())
}
