use std::fmt::Write as _;

use super::*;

/// A file in memory, handed out a few bytes at a time.
struct Slice {
    bytes: &'static [u8],
    at: usize,
    step: usize,
}

impl Source for Slice {
    fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        let rest = &self.bytes[self.at..];
        let part = &rest[..rest.len().min(self.step)];
        buffer.extend_from_slice(part);
        self.at += part.len();
        Ok(part.len())
    }

    fn seek(&mut self, offset: i64) {
        self.at = usize::try_from(offset).unwrap();
    }
}

fn open(
    text: &'static [u8],
    step: usize,
    offset: i64,
    rows: i64,
) -> Result<CsvRows<Slice>, Problem> {
    let source = Slice {
        bytes: text,
        at: 0,
        step,
    };
    let mapping =
        serde_json::json!({"columns": {"n": {"path": "user_metadata.n", "type": "number"}}});
    let has_n = text
        .windows(3)
        .any(|three| matches!(three, b",n\n" | b",n\r"));
    let mapping = if has_n {
        CsvMapping::parse(&mapping).unwrap()
    } else {
        CsvMapping::default()
    };
    CsvRows::open(source, &mapping, offset, rows, 40)
}

fn shown(row: &Row) -> String {
    let place = format!("{} {}..{}", row.number, row.offset, row.end);
    match &row.content {
        Content::Row(raw) => format!("{place} {}", String::from_utf8_lossy(raw)),
        Content::TooLarge => format!("{place} (too long)"),
        Content::Wrong { record, errors, .. } => {
            let errors = errors
                .iter()
                .map(|e| format!("{} {}", e.code.as_str(), e.message));
            format!(
                "{place} {record}: {}",
                errors.collect::<Vec<_>>().join("; ")
            )
        }
    }
}

fn read(text: &'static [u8], step: usize) -> String {
    let mut rows = match open(text, step, 0, 0) {
        Ok(rows) => rows,
        Err(problem) => return format!("{problem:?}"),
    };
    let mut lines = Vec::new();
    loop {
        match rows.next() {
            Ok(Some(row)) => lines.push(shown(&row)),
            Ok(None) => lines.push("end".into()),
            Err(problem) => lines.push(format!("{problem:?}")),
        }
        if !lines.last().is_some_and(|line| line.contains("..")) {
            return lines.join("\n");
        }
    }
}

const FILES: &[&[u8]] = &[
    b"email\n",
    b"email\na@x.org",
    b"\xEF\xBB\xBFemail,n\r\na@x.org,1\r\n\r\nb@x.org,9007199254740993\r\n",
    b"email;name\n\"a@x.org\";\"A \"\"B\"\";\nC\"\nb@x.org;\n",
    b"email,name\na@x.org\nb@x.org,B,C\n\"c\"x,C\nd@x.org,D\n",
    b"email,name\na@x.org,12345678901234567890123456789012345678901234567890\nb@x.org,B\n",
    b"email,name\na@x.org,A\nb@x.org,\"B\nc@x.org,C\n",
    b"email,n\na@x.org,x\n",
    b"email,name\na@x.org,\0\nb\xFF@x.org,B\n",
    b"email,age\n",
    b"",
    b"\n\n",
];

#[test]
fn finds_records_and_names_breaks() {
    let mut report = String::new();
    for file in FILES {
        let text = String::from_utf8_lossy(file).into_owned();
        writeln!(report, "--- {text:?}\n{}", read(file, 1 << 20)).unwrap();
    }
    insta::assert_snapshot!(report, @r#"
    --- "email\n"
    end
    --- "email\na@x.org"
    1 6..13 {"email":"a@x.org"}
    end
    --- "\u{feff}email,n\r\na@x.org,1\r\n\r\nb@x.org,9007199254740993\r\n"
    1 12..23 {"email":"a@x.org","user_metadata":{"n":1}}
    2 25..51 {"email":"b@x.org","user_metadata":{"n":9007199254740993}}
    end
    --- "email;name\n\"a@x.org\";\"A \"\"B\"\";\nC\"\nb@x.org;\n"
    1 11..34 {"email":"a@x.org","name":"A \"B\";\nC"}
    2 34..43 {"email":"b@x.org"}
    end
    --- "email,name\na@x.org\nb@x.org,B,C\n\"c\"x,C\nd@x.org,D\n"
    1 11..19 {"_columns":1,"_bytes":7}: ARRAY_LENGTH_SHORT Expected 2 columns but found 1
    2 19..31 {"_columns":3,"_bytes":11}: ARRAY_LENGTH_LONG Expected 2 columns but found 3
    3 31..38 {"_columns":0,"_bytes":6}: FORMAT Object didn't pass validation for format csv: byte 34: text follows a closing quote
    4 38..48 {"email":"d@x.org","name":"D"}
    end
    --- "email,name\na@x.org,12345678901234567890123456789012345678901234567890\nb@x.org,B\n"
    1 11..70 (too long)
    2 70..80 {"email":"b@x.org","name":"B"}
    end
    --- "email,name\na@x.org,A\nb@x.org,\"B\nc@x.org,C\n"
    1 11..21 {"email":"a@x.org","name":"A"}
    Source(Broken("Failed to read the users file as CSV. Byte 42: a quote is not closed in row 2, begun at byte 21."))
    --- "email,n\na@x.org,x\n"
    1 8..18 {"email":"a@x.org","user_metadata":{"n":"x"}}: INVALID_TYPE The text of column "n" is no number
    end
    --- "email,name\na@x.org,\0\nb�@x.org,B\n"
    1 11..21 {"email":"a@x.org","name":"\u0000"}
    2 21..32 {"email":"b�@x.org","name":"B"}: FORMAT The text of column "email" is no UTF-8
    end
    --- "email,age\n"
    Source(Broken("Failed to read the users file as CSV. Byte 0: column \"age\" is mapped to nothing; map it, map it to null, or say \"others\": \"ignore\"."))
    --- ""
    Source(Broken("Failed to read the users file as CSV. Byte 0: the file holds nothing."))
    --- "\n\n"
    Source(Broken("Failed to read the users file as CSV. Byte 2: the file holds nothing."))
    "#);
}

#[test]
fn the_size_of_reads_changes_nothing() {
    for file in FILES {
        for step in 1..20 {
            assert_eq!(read(file, step), read(file, 1 << 20));
        }
    }
}

#[test]
fn goes_on_where_any_record_ended() {
    for file in FILES {
        let Ok(mut whole) = open(file, 7, 0, 0) else {
            continue;
        };
        let mut rows = Vec::new();
        while let Ok(Some(row)) = whole.next() {
            rows.push((row.number, row.end, shown(&row)));
        }
        for (number, end, _) in &rows {
            let mut rest = open(file, 5, *end, *number).unwrap();
            for (_, _, expected) in &rows[usize::try_from(*number).unwrap()..] {
                assert_eq!(shown(&rest.next().unwrap().unwrap()), *expected);
            }
        }
    }
}

#[test]
fn a_file_without_names_counts_its_columns() {
    let mapping = serde_json::json!({"header": false, "columns": {"1": "email", "2": "name"}});
    let source = Slice {
        bytes: b"\xEF\xBB\xBFa@x.org,\"A\n\"\nb@x.org,B\n",
        at: 0,
        step: 3,
    };
    let mapping = CsvMapping::parse(&mapping).unwrap();
    let mut rows = CsvRows::open(source, &mapping, 0, 0, 100).unwrap();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        lines.push(shown(&row));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    1 3..16 {"email":"a@x.org","name":"A\n"}
    2 16..26 {"email":"b@x.org","name":"B"}
    "#);
}
