//! What a connection asks of a new password: length, kinds of letters, rows of the same letter,
//! common passwords, the person's own data. Pure; that a password was used before is for the engine
//! to find out, which can ask the old hashes.
//!
//! The levels, the words and the shape of an [`Assessment`] are Auth0's. A policy is asked when a
//! password is chosen, never when one is proven: nobody's move here fails for a password that was
//! good enough over there.

mod rules;

use std::collections::HashSet;
use std::sync::LazyLock;

use domain::Password;
use domain::connection::Connection;
use serde_json::Value;

pub use rules::{Assessment, LETTERS_AND_DIGITS, Rule};

/// TABLE: passwords that are tried first, lower-case, one a line: those of Django's
/// `CommonPasswordValidator` (Royce Williams' list of breached passwords).
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Shorter words are no personal data: they stand in every other password by chance.
const LEAST_PERSONAL: usize = 3;

/// What a connection asks of a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    rules: Vec<Rule>,
    has_dictionary: bool,
    /// Words of the operator's own that no password may be, lower-case.
    forbidden: Vec<String>,
    /// Whose words no password may hold: all when the list is empty, none without a list.
    personal: Option<Vec<String>>,
    history: usize,
}

/// Words about the person whose password it shall be: addresses, names. Each with its member.
#[derive(Clone, Debug, Default)]
pub struct Personal(Vec<(String, String)>);

/// Why a password may not be.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Too short, too uniform.
    Weak(Assessment),
    /// Everybody's, or forbidden by the operator.
    Common,
    /// It holds the person's own data.
    Personal,
    /// It is in the operator's list of leaked passwords.
    Leaked,
    /// The person had it before.
    Used,
}

impl Fault {
    /// The wire's name of the refusal.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Weak(_) => "PasswordStrengthError",
            Self::Common => "PasswordDictionaryError",
            Self::Personal => "PasswordNoUserInfoError",
            Self::Leaked => "PasswordLeakedError",
            Self::Used => "PasswordHistoryError",
        }
    }

    /// What is wrong, in the wire's words.
    pub const fn message(&self) -> &'static str {
        match self {
            Self::Weak(_) => "Password is too weak",
            Self::Common => "Password is too common",
            Self::Personal => "Password contains user information",
            Self::Leaked => "Password has been leaked",
            Self::Used => "Password has previously been used",
        }
    }
}

impl PasswordPolicy {
    /// The policy in a connection's options. Where `password_options`, the newer spelling, says
    /// something, that holds.
    pub fn of(connection: &Connection) -> Self {
        let options = &connection.options;
        let newer = options.get("password_options");
        let newer = |name: &str| newer.and_then(|newer| newer.get(name));
        let complexity = newer("complexity").filter(|complexity| complexity.is_object());
        let rules = complexity.map_or_else(
            || {
                rules::of(
                    connection.password_policy(),
                    connection.password_min_length(),
                )
            },
            rules::flexible,
        );
        let older = |name: &str| options.get(name);
        let dictionary = either(newer("dictionary"), older("password_dictionary"));
        let own = dictionary.and_then(|value| {
            let own = value.get("custom").or_else(|| value.get("dictionary"));
            own.and_then(Value::as_array)
        });
        let personal = either(newer("profile_data"), older("password_no_personal_info"));
        let fields = personal.map(|value| texts(value.get("blocked_fields")));
        let history = either(newer("history"), older("password_history"));
        let size = history.map(|value| value.get("size").and_then(Value::as_u64).unwrap_or(5));
        Self {
            rules,
            has_dictionary: dictionary.is_some(),
            forbidden: own
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_lowercase)
                .collect(),
            personal: fields,
            history: size.map_or(0, |size| usize::try_from(size.min(24)).unwrap_or(0)),
        }
    }

    /// The least number of characters.
    pub fn min_length(&self) -> usize {
        let least = self.rules.iter().map(|rule| match rule {
            Rule::Length(least) => *least,
            _ => 0,
        });
        least.max().unwrap_or(0)
    }

    /// How many earlier passwords may not be used again.
    pub const fn history(&self) -> usize {
        self.history
    }

    /// The policy in words, a line for each rule: for pages and for `policy` on the wire.
    pub fn words(&self) -> String {
        rules::words(&self.rules)
    }

    /// Whether a password may be chosen.
    pub fn judge(&self, password: &Password, personal: &Personal) -> Result<(), Fault> {
        let assessment = Assessment::of(&self.rules, password.expose());
        if !assessment.is_verified() {
            return Err(Fault::Weak(assessment));
        }
        let folded = password.expose().to_lowercase();
        if self.has_dictionary && self.is_common(&folded) {
            return Err(Fault::Common);
        }
        if let Some(fields) = &self.personal
            && personal.is_in(&folded, fields)
        {
            return Err(Fault::Personal);
        }
        Ok(())
    }

    fn is_common(&self, folded: &str) -> bool {
        COMMON.contains(folded) || self.forbidden.iter().any(|word| word == folded)
    }
}

/// The newer option when it says whether it is on, else the older one; none when that one is off.
fn either<'a>(newer: Option<&'a Value>, older: Option<&'a Value>) -> Option<&'a Value> {
    let flag = |option: Option<&Value>, name: &str| option.and_then(|o| o.get(name)?.as_bool());
    match flag(newer, "active") {
        Some(is_on) => newer.filter(|_| is_on),
        None => older.filter(|_| flag(older, "enable") == Some(true)),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Personal {
    /// The words of a person's attributes: address and its local part, username, names, and the
    /// texts in `user_metadata`.
    pub fn of(attributes: &domain::Attributes) -> Self {
        let email = attributes.email.as_ref().map(domain::EmailAddress::as_str);
        let local = email
            .and_then(|email| email.rsplit_once('@'))
            .map(|(local, _)| local);
        let username = attributes.username.as_ref().map(domain::Username::as_str);
        let names = [
            ("email", email),
            ("email", local),
            ("username", username),
            ("name", attributes.name.as_deref()),
            ("nickname", attributes.nickname.as_deref()),
            ("given_name", attributes.given_name.as_deref()),
            ("family_name", attributes.family_name.as_deref()),
            ("phone_number", attributes.phone_number.as_deref()),
        ];
        let names = names
            .into_iter()
            .filter_map(|(name, word)| Some((name.to_owned(), word?.to_lowercase())));
        let metadata = attributes.user_metadata.iter().flatten();
        let metadata = metadata.filter_map(|(name, value)| {
            let word = value.as_str()?.to_lowercase();
            Some((format!("user_metadata.{name}"), word))
        });
        let is_long = |(_, word): &(String, String)| word.chars().count() >= LEAST_PERSONAL;
        Self(names.chain(metadata).filter(is_long).collect())
    }

    fn is_in(&self, folded: &str, fields: &[String]) -> bool {
        let counts = |name: &String| fields.is_empty() || fields.contains(name);
        let mut words = self.0.iter().filter(|(name, _)| counts(name));
        words.any(|(_, word)| folded.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use domain::{ConnectionId, Json};
    use serde_json::json;

    use super::*;

    fn policy(options: Value) -> PasswordPolicy {
        let Value::Object(options) = options else {
            panic!("options are an object")
        };
        PasswordPolicy::of(&Connection {
            id: ConnectionId::from("con_1"),
            name: "c".into(),
            display_name: None,
            realms: Vec::new(),
            options,
            configuration: [].into(),
            metadata: Json::new(),
            attributes: Json::new(),
            enabled_clients: Vec::new(),
            version: 1,
        })
    }

    fn judged(policy: &PasswordPolicy, text: &str) -> Result<(), Fault> {
        let ada = domain::Attributes {
            given_name: Some("Ada".into()),
            family_name: Some("Li".into()),
            user_metadata: Some(Json::from_iter([("city".to_owned(), "Turin".into())])),
            ..domain::Attributes::default()
        };
        policy.judge(&Password::from(text), &Personal::of(&ada))
    }

    #[test]
    fn each_level_asks_what_it_says() {
        for (level, good, bad) in [
            ("none", "x", ""),
            ("low", "sixsix", "fives"),
            ("fair", "Abcdefg1", "abcdefg1"),
            ("good", "abcdef1!", "abcdefg1"),
            ("excellent", "abcdefg1!Z", "abcdefggg1!Z"),
        ] {
            let policy = policy(json!({"passwordPolicy": level}));
            assert_eq!(judged(&policy, good), Ok(()), "{level}");
            assert!(
                matches!(judged(&policy, bad), Err(Fault::Weak(_))),
                "{level}"
            );
        }
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        let policy = policy(json!({"passwordPolicy": "low"}));
        assert!(judged(&policy, "ééé").is_err());
        assert_eq!(judged(&policy, "日本語日本語"), Ok(()));
    }

    #[test]
    fn common_and_forbidden_words_are_refused_in_any_case() {
        let off = policy(json!({}));
        assert_eq!(judged(&off, "PassWord1"), Ok(()));
        let on = policy(json!({
            "password_dictionary": {"enable": true, "dictionary": ["Ferryman"]},
        }));
        assert_eq!(judged(&on, "PassWord1"), Err(Fault::Common));
        assert_eq!(judged(&on, "fErryMan"), Err(Fault::Common));
        assert_eq!(judged(&on, "ferrymann"), Ok(()));
    }

    #[test]
    fn own_data_is_refused_where_it_is_long_enough() {
        let policy = policy(json!({"password_no_personal_info": {"enable": true}}));
        assert_eq!(judged(&policy, "xxADAxx"), Err(Fault::Personal));
        assert_eq!(judged(&policy, "in-turin-1"), Err(Fault::Personal));
        assert_eq!(judged(&policy, "lightning"), Ok(()));
    }

    #[test]
    fn the_newer_spelling_is_followed_where_it_says_something() {
        let policy = policy(json!({
            "passwordPolicy": "excellent",
            "password_history": {"enable": true, "size": 3},
            "password_dictionary": {"enable": true},
            "password_options": {
                "complexity": {
                    "min_length": 5, "character_types": ["lowercase", "special"],
                    "identical_characters": "block", "sequential_characters": "block",
                },
                "history": {"active": true, "size": 7},
                "dictionary": {"active": false},
                "profile_data": {"active": true, "blocked_fields": ["family_name"]},
            },
        }));
        assert_eq!(policy.history(), 7);
        for good in ["pa-da", "pass-word", "ada-ax"] {
            assert_eq!(judged(&policy, good), Ok(()), "{good}");
        }
        for weak in [
            "pa-d", "padda", "PADDA-", "xx-aaa", "x-abc", "x-cba", "x-123",
        ] {
            assert!(
                matches!(judged(&policy, weak), Err(Fault::Weak(_))),
                "{weak}"
            );
        }
        let by_name = super::PasswordPolicy {
            personal: Some(vec!["given_name".into()]),
            ..policy
        };
        assert_eq!(judged(&by_name, "ada-ax"), Err(Fault::Personal));
        assert_eq!(judged(&by_name, "turin-x"), Ok(()));
    }

    #[test]
    fn history_is_off_unless_enabled() {
        assert_eq!(policy(json!({})).history(), 0);
        let on = policy(json!({"password_history": {"enable": true, "size": 3}}));
        assert_eq!(on.history(), 3);
        let default = policy(json!({"password_history": {"enable": true}}));
        assert_eq!(default.history(), 5);
    }
}
