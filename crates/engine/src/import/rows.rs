//! The rows of a file, whatever its format: JSON by `window`, CSV by `csv_rows`.

use bytes::{Bytes, BytesMut};
use domain::csv_mapping::{CsvMapping, Target};
use domain::{FileFormat, ImportOptions, RowError};

use super::csv_rows::CsvRows;
use super::csv_split::{guess_delimiter, split};
use super::window::{Problem, Source, Window};

/// One row of a file.
#[derive(PartialEq)]
pub(super) struct Row {
    /// From 1.
    pub number: i64,
    /// Of its first byte.
    pub offset: i64,
    /// After its last byte: where a restart may go on.
    pub end: i64,
    pub content: Content,
}

/// What stands there.
#[derive(PartialEq)]
pub(super) enum Content {
    /// A value in JSON, or what claims to be one.
    Row(Bytes),
    /// More bytes than allowed.
    TooLarge,
    /// No row: what the report shows of it, what is kept of it, and why.
    Wrong {
        record: String,
        raw: Option<Bytes>,
        errors: Vec<RowError>,
    },
}

/// The rows of one file.
pub(super) enum Rows<S> {
    Json(Window<S>),
    Csv(Box<CsvRows<S>>),
}

impl<S: Source> Rows<S> {
    /// Opens the file, and goes on after `rows` rows that end at `offset`.
    pub fn open(
        mut source: S,
        options: &ImportOptions,
        offset: i64,
        rows: i64,
        max_row: usize,
    ) -> Result<Self, Problem> {
        let is_csv = match options.format {
            Some(format) => format == FileFormat::Csv,
            None => options.mapping.is_some() || looks_like_csv(&mut source)?,
        };
        if !is_csv {
            return Window::open(source, offset, rows, max_row).map(Self::Json);
        }
        let usual = CsvMapping::default();
        let mapping = options.mapping.as_ref().unwrap_or(&usual);
        let opened = CsvRows::open(source, mapping, offset, rows, max_row);
        opened.map(Box::new).map(Self::Csv)
    }

    /// The next row; `None` after the last.
    pub fn next(&mut self) -> Result<Option<Row>, Problem> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(window) => {
                let element = window.next()?;
                Ok(element.map(|element| Row {
                    number: element.number,
                    offset: element.offset,
                    end: element.end,
                    content: element.raw.map_or(Content::TooLarge, Content::Row),
                }))
            }
        }
    }

    /// Bytes of the upload that were taken, when offsets do not say it.
    pub fn consumed(&self) -> Option<i64> {
        match self {
            Self::Json(window) => window.consumed(),
            Self::Csv(rows) => rows.consumed(),
        }
    }
}

/// Bytes that are looked at to tell a file's format.
const HEAD: usize = 64 << 10;

/// Whether the first line has a column that is named `email`. The source goes back to its begin.
fn looks_like_csv<S: Source>(source: &mut S) -> Result<bool, Problem> {
    let mut head = BytesMut::new();
    let length = loop {
        let end = head.iter().position(|byte| *byte == b'\n');
        if end.is_some() || head.len() >= HEAD || source.fill(&mut head)? == 0 {
            break end.unwrap_or(head.len());
        }
    };
    source.seek(0);
    let line = head.get(..length).unwrap_or_default();
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let is_email = |name: &[u8]| {
        let name = std::str::from_utf8(name).map(str::trim).unwrap_or_default();
        Target::of_name(name).is_some_and(|target| target.path.names() == ["email"])
    };
    let names = split(line, guess_delimiter(line));
    Ok(names.is_ok_and(|names| names.iter().any(|name| is_email(name))))
}
