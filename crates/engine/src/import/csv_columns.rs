//! A mapping made fit for one file: which field of a record becomes which member of a row.
//!
//! What a record becomes is JSON text, read by the same checks as a row of a JSON file. A value
//! that is not of its type is put in as text, so that the report and the file of failed rows show
//! what stood there.

use std::borrow::Cow;

use domain::csv_mapping::{CsvMapping, MemberPath, Target, ValueKind, first_meeting};
use domain::{RowError, RowErrorCode as Code};
use serde::de::IgnoredAny;

/// The columns of one file.
pub(super) struct Columns {
    mapping: CsvMapping,
    /// As messages call them.
    names: Vec<String>,
    row: Vec<(String, Node)>,
}

/// What stands at a member.
enum Node {
    Members(Vec<(String, Node)>),
    Cell(Cell),
    /// JSON text.
    Constant(String),
}

struct Cell {
    column: usize,
    path: String,
    kind: ValueKind,
}

/// Where a hash's own text goes: a row that has none has no password.
const HASH_VALUE: &[&str] = &["hash", "value"];

impl Columns {
    /// Fits the mapping to the columns that a file has; `Err` says what is wrong with them.
    pub fn new(mapping: &CsvMapping, names: Vec<String>) -> Result<Self, String> {
        if let Some(unknown) = mapping
            .column_names()
            .find(|name| !names.iter().any(|found| found == name))
        {
            return Err(format!("there is no column {unknown:?}"));
        }
        let mut targets = Vec::new();
        for (column, name) in names.iter().enumerate() {
            let target = match mapping.column(name) {
                Some(target) => target.cloned(),
                None => match Target::of_name(name) {
                    Some(target) => Some(target),
                    None if mapping.ignores_others() => None,
                    None => {
                        return Err(format!(
                            "column {name:?} is mapped to nothing; map it, map it to null, or say \
                             \"others\": \"ignore\""
                        ));
                    }
                },
            };
            targets.extend(target.map(|target| (column, target)));
        }
        let paths: Vec<&MemberPath> = targets.iter().map(|(_, target)| &target.path).collect();
        let constants = mapping.constants();
        let all: Vec<_> = paths
            .into_iter()
            .chain(constants.iter().map(|(path, _)| path))
            .collect();
        if let Some(problem) = first_meeting(&all) {
            return Err(problem);
        }
        let mut row = Vec::new();
        for (column, target) in targets {
            let cell = Cell {
                column,
                path: target.path.shown(),
                kind: target.kind,
            };
            put(&mut row, target.path.names(), Node::Cell(cell));
        }
        for (path, value) in constants {
            put(&mut row, path.names(), Node::Constant(value.to_string()));
        }
        Ok(Self {
            mapping: mapping.clone(),
            names,
            row,
        })
    }

    /// How many columns a record has.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// The row as JSON text, and what is wrong with its values.
    pub fn render(&self, fields: &[Cow<'_, [u8]>]) -> (Vec<u8>, Vec<RowError>) {
        let mut writer = Writer {
            columns: self,
            fields,
            out: Vec::with_capacity(256),
            errors: Vec::new(),
        };
        writer.members(&self.row, true);
        (writer.out, writer.errors)
    }
}

fn put(members: &mut Vec<(String, Node)>, names: &[String], node: Node) {
    let Some((name, rest)) = names.split_first() else {
        return;
    };
    if rest.is_empty() {
        members.push((name.clone(), node));
        return;
    }
    let place = members.iter().position(|(found, _)| found == name);
    let place = place.unwrap_or_else(|| {
        members.push((name.clone(), Node::Members(Vec::new())));
        members.len() - 1
    });
    if let Some((_, Node::Members(inner))) = members.get_mut(place) {
        put(inner, rest, node);
    }
}

struct Writer<'a> {
    columns: &'a Columns,
    fields: &'a [Cow<'a, [u8]>],
    out: Vec<u8>,
    errors: Vec<RowError>,
}

impl Writer<'_> {
    fn members(&mut self, members: &[(String, Node)], is_row: bool) {
        self.out.push(b'{');
        let mut is_first = true;
        for (name, node) in members {
            if !self.is_present(node) || is_row && self.is_hash_absent(name, node) {
                continue;
            }
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.text(name);
            self.out.push(b':');
            match node {
                Node::Members(inner) => self.members(inner, false),
                Node::Constant(text) => self.out.extend_from_slice(text.as_bytes()),
                Node::Cell(cell) => self.cell(cell),
            }
        }
        self.out.push(b'}');
    }

    fn field(&self, column: usize) -> &[u8] {
        self.fields
            .get(column)
            .map(AsRef::as_ref)
            .unwrap_or_default()
    }

    fn is_present(&self, node: &Node) -> bool {
        match node {
            Node::Constant(_) => true,
            Node::Cell(cell) => !self.columns.mapping.is_absent(self.field(cell.column)),
            Node::Members(inner) => inner.iter().any(|(_, node)| self.is_present(node)),
        }
    }

    /// A user without a password has no use for the words that tell of its hash.
    fn is_hash_absent(&self, name: &str, node: &Node) -> bool {
        if name != "custom_password_hash" {
            return false;
        }
        let value = HASH_VALUE.iter().try_fold(node, |node, name| match node {
            Node::Members(inner) => inner
                .iter()
                .find(|(found, _)| found == name)
                .map(|(_, node)| node),
            _ => None,
        });
        value.is_some_and(|value| !self.is_present(value))
    }

    fn cell(&mut self, cell: &Cell) {
        let field = self.fields.get(cell.column).cloned().unwrap_or_default();
        let Ok(text) = std::str::from_utf8(&field) else {
            self.refuse(cell, Code::Format, "is no UTF-8");
            return self.text(&String::from_utf8_lossy(&field));
        };
        match cell.kind {
            ValueKind::Text => self.text(text),
            ValueKind::Bool => match read_bool(text) {
                Some(true) => self.out.extend_from_slice(b"true"),
                Some(false) => self.out.extend_from_slice(b"false"),
                None => self.mistyped(cell, text, "is not one of true, false, yes, no, 1, 0"),
            },
            ValueKind::Number if is_number(text.trim()) => {
                self.out.extend_from_slice(text.trim().as_bytes());
            }
            ValueKind::Number => self.mistyped(cell, text, "is no number"),
            ValueKind::Json => match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => self.out.extend_from_slice(text.as_bytes()),
                Err(_) => self.mistyped(cell, text, "is no JSON"),
            },
        }
    }

    fn mistyped(&mut self, cell: &Cell, text: &str, problem: &str) {
        self.refuse(cell, Code::InvalidType, problem);
        self.text(text);
    }

    /// The text itself stays out of messages: it may be a secret.
    fn refuse(&mut self, cell: &Cell, code: Code, problem: &str) {
        let name = self.columns.names.get(cell.column);
        let name = name.map(String::as_str).unwrap_or_default();
        let message = format!("The text of column {name:?} {problem}");
        self.errors.push(RowError::new(code, &cell.path, message));
    }

    fn text(&mut self, text: &str) {
        // Text into memory does not fail.
        let _ = serde_json::to_writer(&mut self.out, text);
    }
}

fn read_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "t", "yes", "y", "1"]) {
        return Some(true);
    }
    is(&["false", "f", "no", "n", "0"]).then_some(false)
}

/// Whether a text is a number as JSON writes one.
fn is_number(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    begins && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(line: &str) -> Vec<Cow<'_, [u8]>> {
        super::super::csv_split::split(line.as_bytes(), b',').unwrap()
    }

    fn render(mapping: &serde_json::Value, header: &str, lines: &[&str]) -> String {
        let mapping = CsvMapping::parse(mapping).unwrap();
        let names = header.split(',').map(str::to_owned).collect();
        let columns = match Columns::new(&mapping, names) {
            Ok(columns) => columns,
            Err(problem) => return problem,
        };
        let rows = lines.iter().map(|line| {
            let (row, errors) = columns.render(&fields(line));
            let errors = errors
                .iter()
                .map(|e| format!(" {} [{}] {}", e.code.as_str(), e.path, e.message));
            let errors = errors.collect::<Vec<_>>().concat();
            format!("{}{errors}", String::from_utf8(row).unwrap())
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn columns_named_as_members_need_no_mapping() {
        let header = "email,email_verified,user_metadata.plan,app_metadata,blocked";
        let lines = [
            "a@x.org,Yes,gold,\"{\"\"n\"\":9007199254740993}\",",
            "b@x.org,2,,[,0",
        ];
        insta::assert_snapshot!(render(&json!({}), header, &lines), @r#"
        {"email":"a@x.org","email_verified":true,"user_metadata":{"plan":"gold"},"app_metadata":{"n":9007199254740993}}
        {"email":"b@x.org","email_verified":"2","app_metadata":"[","blocked":false} INVALID_TYPE [email_verified] The text of column "email_verified" is not one of true, false, yes, no, 1, 0 INVALID_TYPE [app_metadata] The text of column "app_metadata" is no JSON
        "#);
    }

    #[test]
    fn a_mapping_builds_nested_members() {
        let mapping = json!({
            "columns": {
                "Mail": "email", "pw": "custom_password_hash.hash.value",
                "salt": "custom_password_hash.salt.value",
                "n": {"path": ["user_metadata", "a.b"], "type": "number"}, "id": null,
            },
            "constants": {
                "custom_password_hash.algorithm": "md5",
                "custom_password_hash.hash.encoding": "hex",
                "app_metadata.source": "old",
            },
            "null": ["NULL"],
        });
        let lines = [
            "a@x.org,0a,NULL,12345678901234567890.10,7",
            "b@x.org,NULL,s,x,8",
        ];
        insta::assert_snapshot!(render(&mapping, "Mail,pw,salt,n,id", &lines), @r#"
        {"email":"a@x.org","custom_password_hash":{"hash":{"value":"0a","encoding":"hex"},"algorithm":"md5"},"user_metadata":{"a.b":12345678901234567890.10},"app_metadata":{"source":"old"}}
        {"email":"b@x.org","user_metadata":{"a.b":"x"},"app_metadata":{"source":"old"}} INVALID_TYPE [user_metadata.a.b] The text of column "n" is no number
        "#);
    }

    #[test]
    fn columns_that_do_not_fit_refuse_the_file() {
        let problems = [
            render(&json!({}), "email,age", &[]),
            render(&json!({"columns": {"mail": "email"}}), "email", &[]),
            render(&json!({"columns": {"mail": "email"}}), "mail,email", &[]),
            render(&json!({"others": "ignore"}), "email,age", &["a,b"]),
        ];
        insta::assert_snapshot!(problems.join("\n"), @r#"
        column "age" is mapped to nothing; map it, map it to null, or say "others": "ignore"
        there is no column "mail"
        Two values for "email"
        {"email":"a"}
        "#);
    }
}
