//! Entry points for fuzzers: bytes of an upload in, invariants checked.
//!
//! The first bytes of an input say how the rest is read (in what pieces, with what ceiling), so
//! that a fuzzer may choose. What is checked holds for every file: pieces change nothing, a job
//! that goes on at the end of any row reads the same rest, and what a row becomes can be read back.

mod csv;
mod json;
mod row;
mod unpack;

#[cfg(test)]
mod tests;

pub use csv::csv;
pub use json::json;
pub use row::row;
pub use unpack::unpack;

use bytes::BytesMut;
use domain::ImportOptions;

use super::rows::{Content, Row, Rows};
use super::window::{Problem, Source, SourceError};

/// A file in memory, handed out a few bytes at a time.
struct Slice<'a> {
    bytes: &'a [u8],
    at: usize,
    step: usize,
}

impl Source for Slice<'_> {
    fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let part = rest.get(..rest.len().min(self.step)).unwrap_or_default();
        buffer.extend_from_slice(part);
        self.at += part.len();
        Ok(part.len())
    }

    fn seek(&mut self, offset: i64) {
        self.at = usize::try_from(offset).unwrap_or(usize::MAX);
    }
}

/// How an input asks to be read.
#[derive(Clone, Copy)]
struct Control {
    /// Bytes that come at a time.
    step: usize,
    /// Bytes that a row may have.
    max_row: usize,
    /// Whether the format is for the reader to find out.
    is_format_open: bool,
}

impl Control {
    /// Takes it off the input.
    fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (control, rest) = bytes.split_at_checked(2)?;
        let [step, row] = *<&[u8; 2]>::try_from(control).ok()?;
        let control = Self {
            step: 1 + usize::from(step % 24),
            max_row: 16 << (row % 8),
            is_format_open: row >= 128,
        };
        Some((control, rest))
    }
}

/// A file and what is said of it.
struct File<'a> {
    text: &'a [u8],
    options: &'a ImportOptions,
    control: Control,
}

/// Places at which a file is left and gone on with; more would make long files slow.
const MOST_RESTARTS: usize = 16;

impl File<'_> {
    /// Its rows after some of them, and what ended them, if not the file.
    fn read(&self, step: usize, offset: i64, rows: i64) -> (Vec<Row>, Option<Problem>) {
        let source = Slice {
            bytes: self.text,
            at: 0,
            step,
        };
        let mut found = Vec::new();
        let mut file = match Rows::open(source, self.options, offset, rows, self.control.max_row) {
            Ok(file) => file,
            Err(problem) => return (found, Some(problem)),
        };
        loop {
            match file.next() {
                Ok(Some(row)) => found.push(row),
                Ok(None) => return (found, None),
                Err(problem) => return (found, Some(problem)),
            }
        }
    }

    /// Reads it in every way; panics when they differ, or when a row is out of its place.
    fn check(&self) -> (Vec<Row>, Option<Problem>) {
        let (rows, problem) = self.read(self.text.len().max(1), 0, 0);
        self.check_places(&rows, problem.as_ref());
        let (pieces, end) = self.read(self.control.step, 0, 0);
        assert!(pieces == rows, "the size of reads changes a row");
        assert_eq!(end, problem, "the size of reads changes the end");
        let skipped = rows.len() / MOST_RESTARTS + 1;
        for (place, row) in rows.iter().enumerate().step_by(skipped) {
            let (rest, end) = self.read(self.control.step, row.end, row.number);
            let expected = rows.get(place + 1..).unwrap_or_default();
            assert!(rest == expected, "another rest after row {}", row.number);
            assert_eq!(end, problem, "another end after row {}", row.number);
        }
        (rows, problem)
    }

    fn check_places(&self, rows: &[Row], problem: Option<&Problem>) {
        let size = i64::try_from(self.text.len()).unwrap_or(i64::MAX);
        let (mut number, mut at) = (0, 0);
        for row in rows {
            number += 1;
            assert_eq!(row.number, number, "a number is skipped");
            let is_placed = at <= row.offset && row.offset < row.end && row.end <= size;
            assert!(is_placed, "row {number} is out of its place");
            at = row.end;
            if matches!(row.content, Content::TooLarge) {
                let most = i64::try_from(self.control.max_row).unwrap_or(i64::MAX);
                assert!(row.end - row.offset > most, "row {number} is not too large");
            }
        }
        if let Some(Problem::Fault(fault)) = problem {
            assert!((at..=size).contains(&fault.offset), "a fault elsewhere");
        }
    }
}
