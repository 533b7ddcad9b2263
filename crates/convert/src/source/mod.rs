//! The ways in: JSON, CSV, SQL dumps and LDIF, told apart by how they begin, read record by record.

mod csv;
mod gauge;
mod json;
mod ldif;
mod sql;

use std::io::{BufRead, BufReader, Read};

use crate::record::Record;
use crate::refusal::Refusal;
use gauge::Gauge;
pub(crate) use gauge::Metered;

/// Where the records of a product are.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    /// The member of the outermost object that holds the list, where the product wraps it.
    pub wrapper: Option<&'a str>,
    /// For CSV without a line of names: the names.
    pub columns: Option<&'a [&'a str]>,
    /// Which tables of a dump of SQL to read, by their names without schema.
    pub wants_table: &'a dyn Fn(&str) -> bool,
}

/// What happens with each record.
pub(crate) type Each<'e> = dyn FnMut(Record) -> Result<(), Refusal> + 'e;

const LOOK: usize = 64 * 1024;

/// An input whose first bytes can be looked at.
pub(crate) struct Input<'a>(BufReader<Box<dyn Read + 'a>>);

impl<'a> Input<'a> {
    /// Takes a mark of UTF-8 away; refuses UTF-16.
    pub fn open(input: Box<dyn Read + 'a>) -> Result<Self, Refusal> {
        // A pipe gives its first bytes in pieces: gather enough to tell a format by.
        let mut head = Vec::new();
        let mut input = input;
        (&mut input)
            .take(LOOK as u64)
            .read_to_end(&mut head)
            .map_err(|error| Refusal::input(1, error.to_string()))?;
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(Refusal::input(1, "the file is UTF-16; save it as UTF-8"));
        }
        if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            return Err(Refusal::input(1, "the file is compressed"));
        }
        if head.starts_with(b"PGDMP") {
            let why = "a dump in pg_dump's own format; make a plain one: pg_dump --format=plain";
            return Err(Refusal::input(1, why));
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        let whole = std::io::Cursor::new(head).chain(input);
        Ok(Self(BufReader::with_capacity(LOOK, Box::new(whole))))
    }

    /// The first bytes, up to 64 KiB.
    pub fn head(&mut self) -> &[u8] {
        self.0.fill_buf().unwrap_or_default()
    }

    /// Gives every record to `each`; the first is number `first`. Gives the number of the next one.
    pub fn records(
        mut self,
        shape: &Shape<'_>,
        first: u64,
        each: &mut Each<'_>,
    ) -> Result<u64, Refusal> {
        let format = Format::of(self.head());
        let gauge = Gauge::default();
        let metered = Metered::new(Box::new(self.0), gauge.clone());
        let mut number = first;
        let counted = &mut |mut record: Record| {
            record.place.record = number;
            number += 1;
            each(record)
        };
        match format {
            Format::Json => json::read(metered, &gauge, shape.wrapper, counted)?,
            Format::Sql => sql::read(metered, &gauge, shape.wants_table, counted)?,
            Format::Ldif => ldif::read(metered, &gauge, counted)?,
            Format::Csv { delimiter } => {
                csv::read(metered, &gauge, delimiter, shape.columns, counted)?;
            }
        }
        Ok(number)
    }
}

enum Format {
    Json,
    Sql,
    Ldif,
    Csv { delimiter: u8 },
}

impl Format {
    fn of(head: &[u8]) -> Self {
        let start = head.iter().position(|b| !b.is_ascii_whitespace());
        let head = start
            .and_then(|start| head.get(start..))
            .unwrap_or_default();
        let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
        let word: String = line
            .iter()
            .take_while(|b| b.is_ascii_alphabetic())
            .map(|b| char::from(b.to_ascii_lowercase()))
            .collect();
        let after = line.get(word.len());
        let statements = [
            "insert", "create", "copy", "set", "pragma", "begin", "drop", "use", "lock", "start",
            "alter", "select",
        ];
        if head.starts_with(b"{") || head.starts_with(b"[") {
            Self::Json
        } else if head.starts_with(b"--")
            || head.starts_with(b"/*")
            || head.starts_with(b"\\")
            || (statements.contains(&word.as_str()) && matches!(after, Some(b' ' | b';')))
        {
            Self::Sql
        } else if head.starts_with(b"#")
            || (["dn", "version"].contains(&word.as_str()) && after == Some(&b':'))
        {
            Self::Ldif
        } else {
            Self::Csv {
                delimiter: delimiter_of(line),
            }
        }
    }
}

/// What stands most often between the names of the first line, outside quotes.
fn delimiter_of(line: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut is_quoted = false;
    for byte in line {
        is_quoted ^= *byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(!is_quoted && byte == delimiter);
        }
    }
    // The comma wins a tie: the last of the greatest is taken, so it goes last.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(delimiter, _)| *delimiter)
}
