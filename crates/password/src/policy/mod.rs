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

use domain::connection::Connection;
use domain::{Json, Password};
use serde_json::Value;

pub use rules::{Assessment, Rule};

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
    forbids_personal_data: bool,
    history: usize,
}

/// Words about the person whose password it shall be: addresses, names.
#[derive(Clone, Debug, Default)]
pub struct Personal(Vec<String>);

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
    /// The policy in a connection's options.
    pub fn of(connection: &Connection) -> Self {
        let options = &connection.options;
        let dictionary = options.get("password_dictionary");
        let own = dictionary.and_then(|value| value.get("dictionary"));
        let words = own.and_then(Value::as_array).into_iter().flatten();
        let history = options.get("password_history");
        let size = history.and_then(|value| value.get("size"));
        let size = size.and_then(Value::as_u64).unwrap_or(5);
        Self {
            rules: rules::of(
                connection.password_policy(),
                connection.password_min_length(),
            ),
            has_dictionary: is_enabled(dictionary),
            forbidden: words
                .filter_map(Value::as_str)
                .map(str::to_lowercase)
                .collect(),
            forbids_personal_data: is_enabled(options.get("password_no_personal_info")),
            history: if is_enabled(history) {
                usize::try_from(size.min(24)).unwrap_or(0)
            } else {
                0
            },
        }
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
        if self.forbids_personal_data && personal.is_in(&folded) {
            return Err(Fault::Personal);
        }
        Ok(())
    }

    fn is_common(&self, folded: &str) -> bool {
        COMMON.contains(folded) || self.forbidden.iter().any(|word| word == folded)
    }
}

fn is_enabled(option: Option<&Value>) -> bool {
    option
        .and_then(|value| value.get("enable"))
        .and_then(Value::as_bool)
        .unwrap_or(false)
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
            email,
            local,
            username,
            attributes.name.as_deref(),
            attributes.nickname.as_deref(),
            attributes.given_name.as_deref(),
            attributes.family_name.as_deref(),
            attributes.phone_number.as_deref(),
        ];
        let metadata = attributes.user_metadata.iter().flat_map(Json::values);
        let words = names.into_iter().flatten();
        let words = words.chain(metadata.filter_map(Value::as_str));
        let long = |word: &&str| word.chars().count() >= LEAST_PERSONAL;
        Self(words.filter(long).map(str::to_lowercase).collect())
    }

    fn is_in(&self, folded: &str) -> bool {
        self.0.iter().any(|word| folded.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use domain::ConnectionId;
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
    fn history_is_off_unless_enabled() {
        assert_eq!(policy(json!({})).history(), 0);
        let on = policy(json!({"password_history": {"enable": true, "size": 3}}));
        assert_eq!(on.history(), 3);
        let default = policy(json!({"password_history": {"enable": true}}));
        assert_eq!(default.history(), 5);
    }
}
