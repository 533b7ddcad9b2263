//! One record of an export: loose members, taken one by one. What nobody took is kept whole.

use domain::Json;
use serde_json::Value;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1, over all inputs.
    pub record: u64,
    /// Where it begins, from 1, in its own input.
    pub line: u64,
}

/// An object, a row of a table, or an entry of a directory.
pub(crate) struct Record {
    pub place: Place,
    /// The table of a row of SQL, without its schema.
    pub table: Option<String>,
    pub members: Json,
    /// A field that cannot be read, and why.
    pub fault: Option<(String, &'static str)>,
}

impl Record {
    /// Takes a member by its name, in whatever letter case. Null, the empty text, and what dumps
    /// write for null are nothing.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        take(&mut self.members, name)
    }

    /// A text, or a number as text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        text(&mut self.members, name)
    }

    /// A truth, as JSON, SQL or a spreadsheet spells it.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        flag(&mut self.members, name)
    }

    /// A nested object; in a table, JSON inside the cell.
    pub fn object(&mut self, name: &str) -> Option<Json> {
        match self.take(name)? {
            Value::Object(object) => Some(object),
            Value::String(text) => serde_json::from_str(&text).ok(),
            _ => None,
        }
    }

    /// A list; in a table, JSON inside the cell.
    pub fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(elements)) => elements,
            Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Drops what is of no use elsewhere or must not leave the old system: stamps, one-time tokens.
    pub fn drop_all(&mut self, names: &[&str]) {
        for name in names {
            self.take(name);
        }
    }

    /// Whether there is a member of that name, whatever it holds.
    pub fn has(&self, name: &str) -> bool {
        self.members
            .keys()
            .any(|key| key.eq_ignore_ascii_case(name))
    }

    /// Everything that nobody took, without the nothings.
    pub fn rest(self) -> Json {
        let members = self.members.into_iter();
        members.filter(|(_, value)| !is_nothing(value)).collect()
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "\\N" || text == "NULL",
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// [`Record::take`] on a nested object.
pub(crate) fn take(members: &mut Json, name: &str) -> Option<Value> {
    let exact = members.shift_remove(name);
    let found = exact.or_else(|| {
        let key = members.keys().find(|key| key.eq_ignore_ascii_case(name))?;
        let key = key.clone();
        members.shift_remove(&key)
    });
    found.filter(|value| !is_nothing(value))
}

/// [`Record::text`] on a nested object.
pub(crate) fn text(members: &mut Json, name: &str) -> Option<String> {
    match take(members, name)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        other => {
            // Not a text: whoever keeps the rest keeps it.
            members.insert(name.to_owned(), other);
            None
        }
    }
}

/// [`Record::flag`] on a nested object.
pub(crate) fn flag(members: &mut Json, name: &str) -> Option<bool> {
    match take(members, name)? {
        Value::Bool(truth) => Some(truth),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        Value::String(ref text) => match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" | "yes" | "y" | "\u{1}" => Some(true),
            "f" | "false" | "0" | "no" | "n" | "\0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
