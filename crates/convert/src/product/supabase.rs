//! Supabase: the table `auth.users` as `pg_dump`, CSV or JSON gives it, and `auth.mfa_factors`, which
//! a dump writes before it.

use std::collections::HashMap;

use super::Converter;
use crate::hash::Hash;
use crate::person::Person;
use crate::record::{self, Record};
use crate::refusal::Refusal;
use crate::rows::Rows;

#[derive(Default)]
pub(super) struct Supabase {
    /// Person → secrets of verified authenticators.
    factors: HashMap<String, Vec<String>>,
}

/// One-time tokens and the state of changes under way.
const TOKENS: &[&str] = &[
    "instance_id",
    "aud",
    "confirmation_token",
    "recovery_token",
    "email_change_token_new",
    "email_change_token_current",
    "email_change",
    "email_change_confirm_status",
    "phone_change",
    "phone_change_token",
    "reauthentication_token",
    "confirmed_at",
    "confirmation_sent_at",
    "recovery_sent_at",
    "email_change_sent_at",
    "phone_change_sent_at",
    "reauthentication_sent_at",
];

impl Converter for Supabase {
    fn wants_table(&self, table: &str) -> bool {
        ["users", "mfa_factors"].contains(&table)
    }

    fn comes_first(&self, head: &[u8]) -> bool {
        let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
        String::from_utf8_lossy(line).contains("factor_type")
    }

    fn is_ours(&self, record: &Record) -> bool {
        record.has("encrypted_password") || record.has("factor_type")
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        if record.has("factor_type") {
            let is_ready = record.text("status").as_deref() == Some("verified")
                && record.text("factor_type").as_deref() == Some("totp");
            if let (true, Some(user), Some(secret)) =
                (is_ready, record.text("user_id"), record.text("secret"))
            {
                self.factors.entry(user).or_default().push(secret);
            }
            return Ok(());
        }
        if record.text("deleted_at").is_some() {
            rows.leave_out(place, "deleted_at", "deleted there");
            return Ok(());
        }
        let mut metadata = record.object("raw_user_meta_data").unwrap_or_default();
        let id = record.text("id");
        let factors = id.as_ref().and_then(|id| self.factors.remove(id));
        let mut person = Person {
            id,
            email: record.text("email"),
            email_verified: record.text("email_confirmed_at").is_some(),
            phone_number: record.text("phone").map(with_plus),
            phone_verified: record.text("phone_confirmed_at").is_some(),
            name: record::text(&mut metadata, "full_name")
                .or_else(|| record::text(&mut metadata, "name")),
            picture: record::text(&mut metadata, "avatar_url")
                .or_else(|| record::text(&mut metadata, "picture")),
            totp: factors.unwrap_or_default(),
            ..Person::default()
        };
        person.hash = record.text("encrypted_password").map(Hash::from_text);
        if let Some(end) = record.text("banned_until") {
            person.blocked = rows.options.is_ahead(&end);
            record.members.insert("banned_until".to_owned(), end.into());
        }
        if let Some(more) = record.object("raw_app_meta_data") {
            record
                .members
                .insert("raw_app_meta_data".to_owned(), more.into());
        }
        // What the person's providers repeat of the row.
        for name in ["email", "email_verified", "phone_verified", "sub"] {
            metadata.shift_remove(name);
        }
        record.drop_all(TOKENS);
        person.user_metadata = metadata;
        person.kept = record.rest();
        rows.write(place, person)
    }
}

/// Supabase keeps numbers without the plus sign.
fn with_plus(number: String) -> String {
    if number.starts_with('+') {
        number
    } else {
        format!("+{number}")
    }
}
