//! How the columns of a CSV file become members of an import row.
//!
//! Owns the mapping's shape and its faults. Whether a file's columns fit it is for the import to
//! say, once the file's first line is read; whether the row it makes is a user, for the row's own
//! checks, which are those of JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::metadata::Json;
use crate::row_error::{RowError, RowErrorCode as Code};
use crate::schema::type_of;

/// Members of a row that hold one value.
const PLAIN: &[&str] = &[
    "email",
    "email_verified",
    "phone_number",
    "phone_verified",
    "user_id",
    "username",
    "given_name",
    "family_name",
    "name",
    "nickname",
    "picture",
    "blocked",
    "password_hash",
];
/// Members of a row that hold others.
const OBJECTS: &[&str] = &["user_metadata", "app_metadata", "custom_password_hash"];
/// The one that holds a list.
const LISTS: &[&str] = &["mfa_factors"];
/// Names between the row and a value.
const MOST_NAMES: usize = 16;

/// Where a value goes: the names of members, from the row inwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPath(Vec<String>);

impl MemberPath {
    /// Reads `user_metadata.plan`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::of(text.split('.').map(str::to_owned).collect())
    }

    fn of(names: Vec<String>) -> Result<Self, String> {
        let first = names.first().map(String::as_str).unwrap_or_default();
        let is_plain = PLAIN.contains(&first) || LISTS.contains(&first);
        if !is_plain && !OBJECTS.contains(&first) {
            return Err(format!("There is no member {first:?} in a row"));
        }
        if is_plain && names.len() > 1 {
            return Err(format!("{first:?} has no members of its own"));
        }
        if names.len() > MOST_NAMES || names.iter().any(String::is_empty) {
            return Err(format!(
                "Expected 1 to {MOST_NAMES} names, none of them empty"
            ));
        }
        Ok(Self(names))
    }

    /// Reads a path as text or as a list of names, which may hold dots.
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Array(names) => {
                let names: Option<Vec<String>> = names
                    .iter()
                    .map(|name| name.as_str().map(str::to_owned))
                    .collect();
                Self::of(names.ok_or("Expected a list of names")?)
            }
            other => Err(expected("string", other)),
        }
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// As messages show it.
    pub fn shown(&self) -> String {
        self.0.join(".")
    }

    /// What its values are unless the mapping says otherwise.
    fn usual_kind(&self) -> ValueKind {
        match self.shown().as_str() {
            "email_verified" | "phone_verified" | "blocked" => ValueKind::Bool,
            "user_metadata" | "app_metadata" | "custom_password_hash" | "mfa_factors" => {
                ValueKind::Json
            }
            _ => ValueKind::Text,
        }
    }

    /// Whether one of the two would stand inside the other, or in its place.
    fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, two)| one == two)
    }
}

/// What a column's texts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Themselves.
    Text,
    /// `true` or `false` in one of their usual spellings.
    Bool,
    /// A number as JSON writes it; its digits are kept as they stand.
    Number,
    /// Any JSON.
    Json,
}

impl ValueKind {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "bool" => Some(Self::Bool),
            "number" => Some(Self::Number),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Where a column goes, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The member.
    pub path: MemberPath,
    /// What its texts are.
    pub kind: ValueKind,
}

impl Target {
    /// The target of a column whose name is a member's; `None` when it is none.
    pub fn of_name(name: &str) -> Option<Self> {
        let path = MemberPath::parse(name).ok()?;
        let kind = path.usual_kind();
        Some(Self { path, kind })
    }

    fn read(value: &Value) -> Result<Self, String> {
        let Value::Object(members) = value else {
            let path = MemberPath::read(value)?;
            let kind = path.usual_kind();
            return Ok(Self { path, kind });
        };
        if let Some(name) = members
            .keys()
            .find(|name| !["path", "type"].contains(&name.as_str()))
        {
            return Err(format!("Additional properties not allowed: {name}"));
        }
        let path = MemberPath::read(members.get("path").unwrap_or(&Value::Null))?;
        let kind = match members.get("type") {
            None => path.usual_kind(),
            Some(name) => name
                .as_str()
                .and_then(ValueKind::parse)
                .ok_or("\"type\" is one of text, bool, number, json")?,
        };
        Ok(Self { path, kind })
    }
}

/// A mapping that is well-formed. Its text is kept as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct CsvMapping {
    source: Json,
    delimiter: Option<u8>,
    lacks_header: bool,
    absent: Option<Vec<String>>,
    columns: Vec<(String, Option<Target>)>,
    constants: Vec<(MemberPath, Value)>,
    ignores_others: bool,
}

impl CsvMapping {
    /// Reads a mapping; the error names the member at fault.
    pub fn parse(value: &Value) -> Result<Self, RowError> {
        let Value::Object(source) = value else {
            return Err(fault("", expected("object", value)));
        };
        let mut mapping = Self {
            source: source.clone(),
            ..Self::default()
        };
        for (name, value) in source {
            mapping.take(name, value)?;
        }
        mapping.refuse_meetings()?;
        Ok(mapping)
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), RowError> {
        let object = || {
            let found = value.as_object();
            found.ok_or_else(|| fault(name, expected("object", value)))
        };
        match name {
            "delimiter" => self.delimiter = Some(delimiter(value).map_err(|e| fault(name, e))?),
            "header" => {
                let has_header = value.as_bool();
                self.lacks_header =
                    !has_header.ok_or_else(|| fault(name, expected("boolean", value)))?;
            }
            "null" => self.absent = Some(texts(value).map_err(|e| fault(name, e))?),
            "others" => match value.as_str() {
                Some("ignore") => self.ignores_others = true,
                Some("refuse") => {}
                _ => return Err(fault(name, "Expected \"refuse\" or \"ignore\"")),
            },
            "columns" => {
                for (column, target) in object()? {
                    let read = |target| Target::read(target).map_err(|e| fault(name, e));
                    let target = Some(target).filter(|target| !target.is_null());
                    let target = target.map(read).transpose()?;
                    self.columns.push((column.clone(), target));
                }
            }
            "constants" => {
                for (path, constant) in object()? {
                    let path = MemberPath::parse(path).map_err(|e| fault(name, e))?;
                    self.constants.push((path, constant.clone()));
                }
            }
            _ => {
                let problem = format!("Additional properties not allowed: {name}");
                return Err(RowError::new(Code::ObjectAdditionalProperties, "", problem));
            }
        }
        Ok(())
    }

    fn refuse_meetings(&self) -> Result<(), RowError> {
        let columns = self
            .columns
            .iter()
            .filter_map(|(_, target)| target.as_ref());
        let columns = columns.map(|target| &target.path);
        let paths: Vec<_> = columns
            .chain(self.constants.iter().map(|(path, _)| path))
            .collect();
        match first_meeting(&paths) {
            Some(problem) => Err(fault("columns", problem)),
            None => Ok(()),
        }
    }

    /// What separates columns; told from the file's first line when the mapping does not say.
    pub const fn delimiter(&self) -> Option<u8> {
        self.delimiter
    }

    /// Whether the first line names the columns. Otherwise their names are `1`, `2`, ….
    pub const fn has_header(&self) -> bool {
        !self.lacks_header
    }

    /// Whether a text says that there is no value. Without a word on it the empty text does.
    pub fn is_absent(&self, text: &[u8]) -> bool {
        match &self.absent {
            None => text.is_empty(),
            Some(texts) => texts.iter().any(|absent| absent.as_bytes() == text),
        }
    }

    /// What the mapping says of a column: nothing, to leave it out, or where it goes.
    pub fn column(&self, name: &str) -> Option<Option<&Target>> {
        let mut columns = self.columns.iter();
        columns
            .find(|(found, _)| found == name)
            .map(|(_, target)| target.as_ref())
    }

    /// Names of the columns that the mapping knows.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// What every row has besides.
    pub fn constants(&self) -> &[(MemberPath, Value)] {
        &self.constants
    }

    /// Whether columns that nothing is said of are left out; otherwise they refuse the file.
    pub const fn ignores_others(&self) -> bool {
        self.ignores_others
    }
}

/// The first two paths of which one stands in the other's way.
pub fn first_meeting(paths: &[&MemberPath]) -> Option<String> {
    paths.iter().enumerate().find_map(|(place, path)| {
        let others = paths.get(place + 1..).unwrap_or_default();
        let other = others.iter().find(|other| path.meets(other))?;
        let (path, other) = (path.shown(), other.shown());
        Some(if path == other {
            format!("Two values for {path:?}")
        } else {
            format!("{path:?} and {other:?} exclude each other")
        })
    })
}

impl TryFrom<Value> for CsvMapping {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        Self::parse(&value).map_err(|error| format!("{}: {}", error.path, error.message))
    }
}

impl From<CsvMapping> for Value {
    fn from(mapping: CsvMapping) -> Self {
        Self::Object(mapping.source)
    }
}

fn fault(path: &str, problem: impl Into<String>) -> RowError {
    RowError::new(Code::InvalidType, path, problem)
}

fn expected(kind: &str, found: &Value) -> String {
    format!("Expected type {kind} but found type {}", type_of(found))
}

fn delimiter(value: &Value) -> Result<u8, String> {
    let problem = "Expected one ASCII character that is no quote, letter, digit or line break";
    match value.as_str().map(str::as_bytes) {
        Some([byte]) if is_delimiter(*byte) => Ok(*byte),
        _ => Err(problem.into()),
    }
}

fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\r' | b'\n' | 0)
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let list = match value {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let text = |value: &&Value| {
        let text = value.as_str();
        text.map(str::to_owned)
            .ok_or_else(|| expected("string", value))
    };
    list.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_it_wrote() {
        let text = json!({
            "delimiter": ";", "header": false, "null": ["", "\\N"], "others": "ignore",
            "columns": {"1": "email", "2": {"path": ["user_metadata", "a.b"], "type": "number"}, "3": null},
            "constants": {"email_verified": true},
        });
        let mapping = CsvMapping::parse(&text).unwrap();
        assert_eq!(mapping.delimiter(), Some(b';'));
        assert!(!mapping.has_header() && mapping.ignores_others());
        assert!(mapping.is_absent(b"\\N") && mapping.is_absent(b"") && !mapping.is_absent(b"-"));
        assert_eq!(mapping.column("3"), Some(None));
        let target = mapping.column("2").unwrap().unwrap();
        assert_eq!(target.path.names(), ["user_metadata", "a.b"]);
        assert_eq!(mapping.column("4"), None);
        let stored = serde_json::to_string(&mapping).unwrap();
        assert_eq!(
            serde_json::from_str::<CsvMapping>(&stored).unwrap(),
            mapping
        );
    }

    #[test]
    fn names_what_is_wrong() {
        let faults: Vec<String> = [
            json!([]),
            json!({"colums": {}}),
            json!({"delimiter": "ab"}),
            json!({"header": "yes"}),
            json!({"null": 1}),
            json!({"others": "drop"}),
            json!({"columns": {"a": "e-mail"}}),
            json!({"columns": {"a": "email.b"}}),
            json!({"columns": {"a": "user_metadata."}}),
            json!({"columns": {"a": {"path": "email", "type": "date"}}}),
            json!({"columns": {"a": {"path": "email", "kind": "text"}}}),
            json!({"columns": {"a": "user_metadata", "b": "user_metadata.plan"}}),
            json!({"columns": {"a": "email"}, "constants": {"email": "x"}}),
        ]
        .iter()
        .map(|value| {
            let error = CsvMapping::parse(value).unwrap_err();
            format!("{} {}", error.path, error.message)
        })
        .collect();
        insta::assert_snapshot!(faults.join("\n"), @r#"
         Expected type object but found type array
         Additional properties not allowed: colums
        delimiter Expected one ASCII character that is no quote, letter, digit or line break
        header Expected type boolean but found type string
        null Expected type string but found type integer
        others Expected "refuse" or "ignore"
        columns There is no member "e-mail" in a row
        columns "email" has no members of its own
        columns Expected 1 to 16 names, none of them empty
        columns "type" is one of text, bool, number, json
        columns Additional properties not allowed: kind
        columns "user_metadata" and "user_metadata.plan" exclude each other
        columns Two values for "email"
        "#);
    }
}
