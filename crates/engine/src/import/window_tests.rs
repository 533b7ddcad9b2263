use std::fmt::Write as _;

use super::*;

/// A file in memory, handed out a few bytes at a time.
pub(super) struct Slice {
    pub bytes: &'static [u8],
    pub at: usize,
    pub step: usize,
}

impl Source for Slice {
    fn fill(&mut self, buffer: &mut BytesMut) -> std::result::Result<usize, SourceError> {
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

fn open(text: &'static [u8], step: usize, offset: i64, rows: i64) -> Result<Window<Slice>> {
    let source = Slice {
        bytes: text,
        at: 0,
        step,
    };
    Window::open(source, offset, rows, 40)
}

/// All elements and how the file ends, as lines.
fn read(text: &'static [u8], step: usize) -> String {
    let mut lines = Vec::new();
    let mut window = match open(text, step, 0, 0) {
        Ok(window) => window,
        Err(problem) => return format!("{problem:?}"),
    };
    loop {
        match window.next() {
            Ok(Some(element)) => {
                let raw = element.raw.as_deref().map(String::from_utf8_lossy);
                let raw = raw.as_deref().unwrap_or("(too long)").to_owned();
                lines.push(format!(
                    "{} {}..{} {raw}",
                    element.number, element.offset, element.end
                ));
            }
            Ok(None) => lines.push("end".into()),
            Err(Problem::Fault(fault)) => {
                lines.push(format!("{}: {}", fault.offset, fault.problem));
            }
            Err(other) => lines.push(format!("{other:?}")),
        }
        if !lines.last().is_some_and(|line| line.contains("..")) {
            return lines.join("\n");
        }
    }
}

const FILES: &[&[u8]] = &[
    b"[]",
    b" [ ] ",
    b"\xEF\xBB\xBF[{\"a\":1}]",
    b"[{\"a\":1},{\"b\":\"]}\\\"\"} , 7,\"x,y\", null,[1,{}]\n]\n",
    b"[{bad json},{\"a\":{\"b\":[]}}]",
    b"[{\"a\":1}",
    b"[{\"a\":1},",
    b"[{\"a\":1},]",
    b"[{\"a\":1} {\"a\":2}]",
    b"[{\"a\":1},{\"b\":\"tru",
    b"[{\"a\":1},{\"b\":[1}]",
    b"[{\"a\":1}] x",
    b"[{\"a\":\"12345678901234567890123456789012345678901234567890\"},{\"b\":1}]",
    b"{\"a\":1}\n\n{\"b\":2}\r\n  {bad}\n{\"c\":3}",
    b"{\"a\":1}\n{\"b\":\"12345678901234567890123456789012345678901234567890\"}\n{\"c\":3}\n",
    b"{\"a\":1}\n{\"b\":2",
    b"{\n\"a\":1\n}",
    b"",
    b" \n ",
    b"\xFF\xFE[",
    b"\"x\"",
];

#[test]
fn finds_elements_and_names_breaks() {
    let mut report = String::new();
    for file in FILES {
        let text = String::from_utf8_lossy(file).into_owned();
        writeln!(report, "--- {text:?}\n{}", read(file, 1 << 20)).unwrap();
    }
    insta::assert_snapshot!(report, @r###"
    --- "[]"
    end
    --- " [ ] "
    end
    --- "\u{feff}[{\"a\":1}]"
    1 4..11 {"a":1}
    end
    --- "[{\"a\":1},{\"b\":\"]}\\\"\"} , 7,\"x,y\", null,[1,{}]\n]\n"
    1 1..8 {"a":1}
    2 9..21 {"b":"]}\""}
    3 24..25 7
    4 26..31 "x,y"
    5 33..37 null
    6 38..44 [1,{}]
    end
    --- "[{bad json},{\"a\":{\"b\":[]}}]"
    1 1..11 {bad json}
    2 12..26 {"a":{"b":[]}}
    end
    --- "[{\"a\":1}"
    1 1..8 {"a":1}
    8: the file ends before its closing ']'
    --- "[{\"a\":1},"
    1 1..8 {"a":1}
    9: the file ends before its closing ']'
    --- "[{\"a\":1},]"
    1 1..8 {"a":1}
    9: a row is expected
    --- "[{\"a\":1} {\"a\":2}]"
    1 1..8 {"a":1}
    9: ',' or ']' is expected
    --- "[{\"a\":1},{\"b\":\"tru"
    1 1..8 {"a":1}
    18: the end is missing of row 2, begun at byte 9
    --- "[{\"a\":1},{\"b\":[1}]"
    1 1..8 {"a":1}
    16: a wrong bracket closes row 2, begun at byte 9
    --- "[{\"a\":1}] x"
    1 1..8 {"a":1}
    10: something follows the closing ']'
    --- "[{\"a\":\"12345678901234567890123456789012345678901234567890\"},{\"b\":1}]"
    1 1..59 (too long)
    2 60..67 {"b":1}
    end
    --- "{\"a\":1}\n\n{\"b\":2}\r\n  {bad}\n{\"c\":3}"
    1 0..7 {"a":1}
    2 9..16 {"b":2}
    3 20..25 {bad}
    4 26..33 {"c":3}
    end
    --- "{\"a\":1}\n{\"b\":\"12345678901234567890123456789012345678901234567890\"}\n{\"c\":3}\n"
    1 0..7 {"a":1}
    2 8..66 (too long)
    3 67..74 {"c":3}
    end
    --- "{\"a\":1}\n{\"b\":2"
    1 0..7 {"a":1}
    14: the end is missing of row 2, begun at byte 8
    --- "{\n\"a\":1\n}"
    1: the end is missing of row 1, begun at byte 0
    --- ""
    Fault(Fault { offset: 0, problem: "the file holds nothing" })
    --- " \n "
    Fault(Fault { offset: 3, problem: "the file holds nothing" })
    --- "��["
    Fault(Fault { offset: 0, problem: "neither '[' nor '{' begins the file" })
    --- "\"x\""
    Fault(Fault { offset: 0, problem: "neither '[' nor '{' begins the file" })
    "###);
}

#[test]
fn the_size_of_reads_changes_nothing() {
    for file in FILES {
        for step in 1..20 {
            assert_eq!(
                read(file, step),
                read(file, 1 << 20),
                "{:?}",
                String::from_utf8_lossy(file)
            );
        }
    }
}

/// Found by a fuzzer: whether such lines were too long, and where they ended, hung on the reads.
#[test]
fn a_long_line_is_long_however_it_is_read() {
    let spaces = " ".repeat(40);
    let files = [
        format!("{{\"a\":1}}\n{{\"b\":2}}{spaces}\n{{\"c\":3}}\n"),
        format!("{{\"a\":1}}\n{{\"b\":\"{spaces}\"}}{spaces}\n{{\"c\":3}}\n"),
        format!("{{\"a\":\"{spaces}\n\"}}\n"),
    ];
    let files: Vec<&'static [u8]> = files.map(|file| &*file.into_bytes().leak()).to_vec();
    for file in &files {
        for step in 1..60 {
            assert_eq!(read(file, step), read(file, 1 << 20));
        }
    }
    insta::assert_snapshot!(read(files[0], 3), @r#"
    1 0..7 {"a":1}
    2 8..55 (too long)
    3 56..63 {"c":3}
    end
    "#);
}

/// Found by a fuzzer: a line with nothing but a form feed was an empty row, again and again.
#[test]
fn every_row_has_a_byte() {
    let rows = "1 0..7 {\"a\":1}\n2 8..9 \x0c\n3 10..18 {\"b\":2}\x0c\nend";
    assert_eq!(read(b"{\"a\":1}\n\x0c\n{\"b\":2}\x0c \n", 3), rows);
}

#[test]
fn goes_on_where_any_element_ended() {
    for file in FILES {
        let Ok(mut whole) = open(file, 7, 0, 0) else {
            continue;
        };
        let mut elements = Vec::new();
        while let Ok(Some(element)) = whole.next() {
            elements.push(element);
        }
        for done in &elements {
            let mut rest = open(file, 5, done.end, done.number).unwrap();
            for expected in &elements[usize::try_from(done.number).unwrap()..] {
                assert_eq!(rest.next().unwrap().as_ref(), Some(expected));
            }
        }
    }
}

proptest::proptest! {
    /// No input makes the window fail otherwise than by a fault that lies within the file.
    #[test]
    fn never_leaves_the_file(
        text in "[\\[\\]{},:\"\\\\ \nab1]{0,60}", step in 1_usize..9,
    ) {
        let text: &'static [u8] = text.into_bytes().leak();
        let source = Slice { bytes: text, at: 0, step };
        let size = i64::try_from(text.len()).unwrap();
        let mut opened = Window::open(source, 0, 0, 16);
        let problem = loop {
            match &mut opened {
                Err(problem) => break Some(format!("{problem:?}")),
                Ok(window) => match window.next() {
                    Ok(Some(element)) => assert!(element.offset < element.end && element.end <= size),
                    Ok(None) => break None,
                    Err(Problem::Fault(fault)) => {
                        assert!((0..=size).contains(&fault.offset));
                        break Some(fault.problem);
                    }
                    Err(other) => panic!("{other:?}"),
                },
            }
        };
        // A whole array is never called broken.
        if serde_json::from_slice::<Vec<serde_json::Value>>(text).is_ok() {
            assert_eq!(problem, None);
        }
    }
}
