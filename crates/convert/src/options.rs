//! What a caller says beside the files.

use domain::{Instant, Json};

use crate::refusal::Refusal;

/// Settings of one conversion. [`Default`] is right for every product but Firebase.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What stands before the legacy id in `user_id`, without the hyphen. `None`: the product's
    /// name, as the starter scripts have it, so that whoever came at a login and whoever comes by
    /// the file are one. Empty: the bare id.
    pub user_id_prefix: Option<String>,
    /// For products that do not prove addresses: whether to take them for proven.
    pub emails_are_verified: bool,
    /// Name of the table (SQL) or model (Django) that holds the people.
    pub table: Option<String>,
    /// What `WordPress` puts before its tables' names. `None`: `wp_`.
    pub table_prefix: Option<String>,
    /// Firebase's hash parameters.
    pub firebase: Option<FirebaseHash>,
    /// For plain tables: member of the import record → column.
    pub mapping: Vec<(String, String)>,
    /// For plain tables: a `custom_password_hash` into which the mapped `password_hash` goes as
    /// `hash.value` and the mapped `salt` as `salt.value`.
    pub custom_hash: Option<Json>,
    /// The present: bans and lockouts that end later block. `None`: all of them do.
    pub now: Option<Instant>,
}

impl Options {
    /// Whether a moment of an export (RFC 3339 or SQL text) lies ahead.
    pub(crate) fn is_ahead(&self, moment: &str) -> bool {
        let seconds = |text: &str| {
            text.chars()
                .take(19)
                .collect::<String>()
                .replacen('T', " ", 1)
        };
        let now = self.now.map(|now| seconds(&now.to_string()));
        moment == "infinity" || now.is_none_or(|now| seconds(moment) > now)
    }
}

/// Firebase's project-wide parameters of its scrypt, as the console shows them.
#[derive(Clone)]
pub struct FirebaseHash {
    /// `base64_signer_key`: a secret of the project.
    pub signer_key: String,
    /// `base64_salt_separator`.
    pub salt_separator: String,
    /// `rounds`.
    pub rounds: u32,
    /// `mem_cost`: the logarithm of scrypt's N.
    pub mem_cost: u32,
}

impl std::fmt::Debug for FirebaseHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FirebaseHash(…)")
    }
}

impl FirebaseHash {
    /// Reads the text that the console shows: `hash_config { algorithm: SCRYPT, … }`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let member = |name: &str| {
            let mut lines = text.split(['\n', ',', '{', '}']).map(str::trim);
            let found = lines.find_map(|line| line.strip_prefix(name)?.trim().strip_prefix(':'));
            found
                .map(|value| value.trim().trim_matches('"').to_owned())
                .ok_or_else(|| Refusal::Options(format!("the hash parameters have no {name}")))
        };
        let number = |name: &str| {
            let wrong = |_| Refusal::Options(format!("{name} of the hash parameters is no number"));
            member(name)?.parse().map_err(wrong)
        };
        let algorithm = member("algorithm")?;
        if algorithm != "SCRYPT" {
            let message = format!("the hash parameters are of {algorithm}, not of SCRYPT");
            return Err(Refusal::Options(message));
        }
        Ok(Self {
            signer_key: member("base64_signer_key")?,
            salt_separator: member("base64_salt_separator")?,
            rounds: number("rounds")?,
            mem_cost: number("mem_cost")?,
        })
    }
}
