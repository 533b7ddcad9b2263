//! A table as Auth0 writes it: a text is quoted and begins with an apostrophe, so that no
//! spreadsheet takes it for a formula; numbers and flags stand bare, what is absent is empty.

use serde_json::Value;

/// One row. `None` is absent.
pub(super) fn put_row<'a>(cells: impl Iterator<Item = Option<&'a Value>>, out: &mut Vec<u8>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match cell {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => put_quoted("'", text, out),
            Some(bare @ (Value::Bool(_) | Value::Number(_))) => {
                out.extend_from_slice(bare.to_string().as_bytes());
            }
            Some(nested) => put_quoted("'", &nested.to_string(), out),
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The first row: names, quoted only where they must be.
pub(super) fn put_head<'a>(names: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    for (index, name) in names.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if name.contains([',', '"', '\r', '\n']) || name.starts_with(['=', '+', '-', '@']) {
            put_quoted("", name, out);
        } else {
            out.extend_from_slice(name.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn put_quoted(prefix: &str, text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_quoted_and_nothing_is_a_formula() {
        let row = [
            json!("=1+1"),
            json!("a \"b\", c\nd"),
            json!(7),
            json!(true),
            json!(null),
            json!({"a": [1, "x"]}),
        ];
        let mut out = Vec::new();
        put_head(["name", "a,b", "=x"].into_iter(), &mut out);
        put_row(row.iter().map(Some).chain([None]), &mut out);
        let expected = "name,\"a,b\",\"=x\"\r\n\"'=1+1\",\"'a \"\"b\"\", c\nd\",7,true,,\
                        \"'{\"\"a\"\":[1,\"\"x\"\"]}\",\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
