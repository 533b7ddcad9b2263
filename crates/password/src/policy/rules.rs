//! The rules of a level, and what a password makes of each: the wire's `description.rules`.

use serde::Serialize;
use serde_json::{Value, json};

/// One thing that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Characters, at least.
    Length(usize),
    /// All of these kinds.
    AllOf(Kinds),
    /// Three of: lower-case, upper-case letters, digits, others.
    ThreeOfFour,
    /// No more than two of the same in a row.
    NoRows,
    /// No more than two in a row that follow each other: `abc`, `321`.
    NoSequences,
}

/// Kinds of characters: lower-case, upper-case letters, digits, others.
pub type Kinds = [bool; 4];

/// What `fair` asks for.
pub const LETTERS_AND_DIGITS: Kinds = [true, true, true, false];

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
        "fair" => vec![length, Rule::AllOf(LETTERS_AND_DIGITS)],
        "good" => vec![length, Rule::ThreeOfFour],
        "excellent" => vec![length, Rule::ThreeOfFour, Rule::NoRows],
        _ => vec![length],
    }
}

/// The rules of `password_options.complexity`.
pub(super) fn flexible(complexity: &Value) -> Vec<Rule> {
    let text = |name: &str| complexity.get(name).and_then(Value::as_str);
    let least = complexity.get("min_length").and_then(Value::as_u64);
    let least = least.and_then(|least| usize::try_from(least).ok());
    let mut rules = vec![Rule::Length(least.unwrap_or(1))];
    let asked = complexity.get("character_types").and_then(Value::as_array);
    let is_asked = |name: &str| asked.is_some_and(|asked| asked.iter().any(|one| one == name));
    let kinds = ["lowercase", "uppercase", "number", "special"].map(is_asked);
    if text("character_type_rule") == Some("three_of_four") {
        rules.push(Rule::ThreeOfFour);
    } else if kinds.contains(&true) {
        rules.push(Rule::AllOf(kinds));
    }
    if text("identical_characters") == Some("block") {
        rules.push(Rule::NoRows);
    }
    if text("sequential_characters") == Some("block") {
        rules.push(Rule::NoSequences);
    }
    rules
}

impl Rule {
    fn classes(self) -> impl Iterator<Item = &'static Class> {
        let asked = match self {
            Self::AllOf(kinds) => kinds,
            Self::ThreeOfFour => [true; 4],
            Self::Length(_) | Self::NoRows | Self::NoSequences => [false; 4],
        };
        let classes = CLASSES.iter().zip(asked);
        classes.filter_map(|(class, is_asked)| is_asked.then_some(class))
    }

    fn holds(self, password: &str) -> bool {
        let met = |class: &&Class| password.chars().any(class.2);
        match self {
            Self::Length(least) => password.chars().count() >= least,
            Self::AllOf(_) => self.classes().all(|class| met(&class)),
            Self::ThreeOfFour => self.classes().filter(met).count() >= 3,
            Self::NoRows => !has_row(password, |one, next| one == next),
            Self::NoSequences => {
                let up = |one, next| u32::from(one) + 1 == u32::from(next);
                !has_row(password, up) && !has_row(password, |one, next| up(next, one))
            }
        }
    }

    fn assessed(self, password: &str) -> Value {
        let verified = self.holds(password);
        let items: Vec<Value> = self
            .classes()
            .map(|(code, message, is_of)| {
                json!({"message": message, "code": code, "verified": password.chars().any(is_of)})
            })
            .collect();
        match self {
            Self::Length(least) => json!({
                "message": "At least %d characters in length", "format": [least],
                "code": "lengthAtLeast", "verified": verified,
            }),
            Self::AllOf(_) => json!({
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
            Self::NoSequences => json!({
                "message": "No more than %d sequential characters in a row (e.g., \"%s\" not allowed)",
                "code": "sequentialChars", "format": [2, "abc"], "verified": verified,
            }),
        }
    }

    fn words(self) -> String {
        let list = |head: &str| {
            let items = self.classes().map(|(_, words, _)| format!("\n * {words}"));
            items.fold(head.to_owned(), |text, item| text + &item)
        };
        match self {
            Self::Length(least) => format!("* At least {least} characters in length"),
            Self::AllOf(_) => list("* Should contain:"),
            Self::ThreeOfFour => {
                list("* Contain at least 3 of the following 4 types of characters:")
            }
            Self::NoRows => {
                "* No more than 2 identical characters in a row (e.g., \"aaa\" not allowed)".into()
            }
            Self::NoSequences => {
                "* No more than 2 sequential characters in a row (e.g., \"abc\" not allowed)".into()
            }
        }
    }
}

/// Whether three characters in a row are each followed so by the next.
fn has_row(password: &str, follows: impl Fn(char, char) -> bool) -> bool {
    let letters: Vec<char> = password.chars().collect();
    letters
        .windows(3)
        .any(|three| matches!(three, [a, b, c] if follows(*a, *b) && follows(*b, *c)))
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
