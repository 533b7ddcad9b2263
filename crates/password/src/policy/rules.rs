//! The rules of a level, and what a password makes of each: the wire's `description.rules`.

use serde::Serialize;
use serde_json::{Value, json};

/// One thing that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Characters, at least.
    Length(usize),
    /// Lower-case, upper-case letters and digits: all of them.
    AllOfThree,
    /// Three of: lower-case, upper-case letters, digits, others.
    ThreeOfFour,
    /// No more than two of the same in a row.
    NoRows,
}

/// What a password makes of the rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    rules: Vec<Value>,
    verified: bool,
    #[serde(skip)]
    broken: Option<Rule>,
}

/// A kind of character: its code, its words, and what belongs to it.
type Class = (&'static str, &'static str, fn(char) -> bool);

const CLASSES: [Class; 4] = [
    ("lowerCase", "lower case letters (a-z)", |c| {
        c.is_lowercase()
    }),
    ("upperCase", "upper case letters (A-Z)", |c| {
        c.is_uppercase()
    }),
    ("numbers", "numbers (i.e. 0-9)", |c| c.is_ascii_digit()),
    (
        "specialCharacters",
        "special characters (e.g. !@#$%^&*)",
        |c| !c.is_alphanumeric(),
    ),
];

/// The rules of a level (`passwordPolicy`), with the least length that holds.
pub(super) fn of(level: &str, min_length: usize) -> Vec<Rule> {
    let length = Rule::Length(min_length);
    match level {
        "fair" => vec![length, Rule::AllOfThree],
        "good" => vec![length, Rule::ThreeOfFour],
        "excellent" => vec![length, Rule::ThreeOfFour, Rule::NoRows],
        _ => vec![length],
    }
}

impl Rule {
    fn classes(self) -> &'static [Class] {
        match self {
            Self::AllOfThree => CLASSES.get(..3).unwrap_or(&CLASSES),
            Self::ThreeOfFour => &CLASSES,
            Self::Length(_) | Self::NoRows => &[],
        }
    }

    fn holds(self, password: &str) -> bool {
        let met = |class: &&Class| password.chars().any(class.2);
        match self {
            Self::Length(least) => password.chars().count() >= least,
            Self::AllOfThree | Self::ThreeOfFour => self.classes().iter().filter(met).count() >= 3,
            Self::NoRows => !has_row(password),
        }
    }

    fn assessed(self, password: &str) -> Value {
        let verified = self.holds(password);
        let items: Vec<Value> = self
            .classes()
            .iter()
            .map(|(code, message, is_of)| {
                json!({"message": message, "code": code, "verified": password.chars().any(is_of)})
            })
            .collect();
        match self {
            Self::Length(least) => json!({
                "message": "At least %d characters in length", "format": [least],
                "code": "lengthAtLeast", "verified": verified,
            }),
            Self::AllOfThree => json!({
                "message": "Should contain:", "code": "shouldContain",
                "items": items, "verified": verified,
            }),
            Self::ThreeOfFour => json!({
                "message": "Contain at least %d of the following %d types of characters:",
                "code": "containsAtLeast", "format": [3, 4], "items": items, "verified": verified,
            }),
            Self::NoRows => json!({
                "message": "No more than %d identical characters in a row (e.g., \"%s\" not allowed)",
                "code": "identicalChars", "format": [2, "aaa"], "verified": verified,
            }),
        }
    }

    fn words(self) -> String {
        let list = |head: String| {
            let items = self
                .classes()
                .iter()
                .map(|(_, words, _)| format!("\n * {words}"));
            items.fold(head, |text, item| text + &item)
        };
        match self {
            Self::Length(least) => format!("* At least {least} characters in length"),
            Self::AllOfThree => list("* Should contain:".into()),
            Self::ThreeOfFour => {
                list("* Contain at least 3 of the following 4 types of characters:".into())
            }
            Self::NoRows => {
                "* No more than 2 identical characters in a row (e.g., \"aaa\" not allowed)".into()
            }
        }
    }
}

fn has_row(password: &str) -> bool {
    let letters: Vec<char> = password.chars().collect();
    letters
        .windows(3)
        .any(|three| matches!(three, [a, b, c] if a == b && b == c))
}

/// All rules in words.
pub(super) fn words(rules: &[Rule]) -> String {
    let lines: Vec<String> = rules.iter().map(|rule| rule.words()).collect();
    lines.join("\n")
}

impl Assessment {
    pub(super) fn of(rules: &[Rule], password: &str) -> Self {
        Self {
            rules: rules.iter().map(|rule| rule.assessed(password)).collect(),
            verified: rules.iter().all(|rule| rule.holds(password)),
            broken: rules.iter().find(|rule| !rule.holds(password)).copied(),
        }
    }

    /// The first rule that does not hold.
    pub const fn broken(&self) -> Option<Rule> {
        self.broken
    }

    /// Whether every rule holds.
    pub const fn is_verified(&self) -> bool {
        self.verified
    }
}
