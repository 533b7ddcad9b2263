//! What a search says: a name, the ready import fragment, or what came nearest.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::reading::Reading;
use super::{Sample, shape};
use crate::limits::Limits;
use crate::recipe::{Recipe, Variable};

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A format or recipe verifies.
    Found,
    /// No password was given: these formats look like it.
    Candidates,
    /// Nothing fits.
    Nothing,
}

/// What was found out. Its `fragment` repeats the sample's hash and salt; nothing else does.
#[derive(Clone, Serialize)]
pub struct Report {
    /// How it ended.
    pub verdict: Verdict,
    /// The format, or the recipe in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An application that is known to hash so; others may too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
    /// The recipe, where the format has no name of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// The member of an import row for the sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragment: Option<Value>,
    /// `options` of a connection whose rows then need no `recipe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
    /// What the maker of the import file has to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Formats that look like the sample.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    /// What came nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// Comparisons made.
    pub tried: u64,
    /// Whether the search ended before its time did.
    pub is_complete: bool,
}

impl Report {
    fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            name: None,
            hint: None,
            recipe: None,
            fragment: None,
            options: None,
            notes: Vec::new(),
            candidates: Vec::new(),
            nearest: None,
            tried: 0,
            is_complete: true,
        }
    }

    pub(super) fn nothing(nearest: &str) -> Self {
        Self {
            nearest: Some(nearest.to_owned()),
            ..Self::new(Verdict::Nothing)
        }
    }

    pub(super) fn candidates(candidates: Vec<String>) -> Self {
        Self {
            candidates,
            nearest: Some(
                "with the password of one of these users the search can prove which it is"
                    .to_owned(),
            ),
            ..Self::new(Verdict::Candidates)
        }
    }

    /// A string that says what it is, and verifies.
    pub(super) fn known(text: &str) -> Self {
        Self {
            name: Some(shape::name(text).to_owned()),
            fragment: Some(json!({"password_hash": text})),
            tried: 1,
            ..Self::new(Verdict::Found)
        }
    }

    /// A format that verifies under one of our names.
    pub(super) fn named(name: &str, record: Value) -> Self {
        Self {
            name: Some(name.to_owned()),
            fragment: Some(json!({"custom_password_hash": record})),
            tried: 1,
            ..Self::new(Verdict::Found)
        }
    }

    /// A recipe that verifies, and perhaps the same in Auth0's own members.
    pub(super) fn recipe(
        sample: &Sample,
        reading: Reading,
        recipe: &str,
        native: Option<Value>,
    ) -> Self {
        let mut notes: Vec<String> = reading.in_words().into_iter().collect();
        let parsed = Recipe::parse(recipe, &Limits::default());
        if parsed.is_ok_and(|parsed| parsed.uses(Variable::Pepper)) {
            let note =
                "put the pepper into the connection's options.configuration as PASSWORD_PEPPER";
            notes.push(note.to_owned());
        }
        if recipe.contains("truncate(") {
            notes.push("the stored hash was cut off: the column was too short".to_owned());
        }
        if recipe.contains("(trim(password")
            || recipe.contains("(lower(password")
            || recipe.contains("(upper(password")
        {
            notes.push("the password as given does not fit, only this spelling of it".to_owned());
        }
        let is_native = native.is_some();
        let fragment = native.or_else(|| record_value(sample, reading, recipe).map(Value::Object));
        Self {
            name: Some(recipe.to_owned()),
            hint: shape::application(recipe),
            recipe: Some(recipe.to_owned()),
            fragment: fragment.map(|record| json!({"custom_password_hash": record})),
            options: (!is_native).then(|| json!({"ferry": {"password_recipe": recipe}})),
            notes,
            ..Self::new(Verdict::Found)
        }
    }

    pub(super) fn with_effort(mut self, tried: u64, is_complete: bool) -> Self {
        self.tried = tried;
        // Whatever was left undone was less likely than what was found.
        self.is_complete = is_complete || self.verdict == Verdict::Found;
        self
    }
}

/// The `custom_password_hash` of a sample under a recipe.
pub(super) fn record(sample: &Sample, reading: Reading, recipe: &str) -> Option<String> {
    record_value(sample, reading, recipe).map(|record| Value::Object(record).to_string())
}

fn record_value(sample: &Sample, reading: Reading, recipe: &str) -> Option<Map<String, Value>> {
    let mut members = if shape::VERIFIERS.iter().any(|name| recipe.starts_with(name)) {
        reading.string_record(sample)?
    } else {
        reading.read(sample)?.record()
    };
    let uses_salt =
        Recipe::parse(recipe, &Limits::default()).is_ok_and(|recipe| recipe.uses(Variable::Salt));
    if !uses_salt {
        members.shift_remove("salt");
    }
    let mut record = Map::new();
    record.insert("algorithm".into(), "recipe".into());
    record.insert("recipe".into(), recipe.into());
    record.extend(members);
    Some(record)
}

/// One round of a digest, in the members that Auth0 documents.
pub(super) fn native(sample: &Sample, reading: Reading, recipe: &str) -> Option<Value> {
    let (digest, inner) = recipe.strip_suffix(')')?.split_once('(')?;
    if !["md4", "md5", "sha1", "sha256", "sha512"].contains(&digest) {
        return None;
    }
    let (is_wide, position) = match inner {
        "password" => (false, None),
        "utf16le(password)" => (true, None),
        "password + salt" => (false, Some("suffix")),
        "salt + password" => (false, Some("prefix")),
        "utf16le(password) + salt" => (true, Some("suffix")),
        "salt + utf16le(password)" => (true, Some("prefix")),
        _ => return None,
    };
    let mut members = reading.read(sample)?.record();
    if let (Some(position), Some(Value::Object(salt))) = (position, members.get_mut("salt")) {
        salt.insert("position".into(), position.into());
    }
    if position.is_none() {
        members.shift_remove("salt");
    }
    let mut record = Map::new();
    record.insert("algorithm".into(), digest.into());
    record.extend(members);
    if is_wide {
        record.insert("password".into(), json!({"encoding": "utf16le"}));
    }
    Some(Value::Object(record))
}
