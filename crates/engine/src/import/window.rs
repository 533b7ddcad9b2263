//! One element at a time out of a file of any size: a bounded window over a [`Source`].
//!
//! Owns where elements begin and end: a JSON array, or one value a line (NDJSON). It finds ends by
//! counting brackets outside of strings; whether an element is JSON, and a user, is for `row` to
//! say. So a malformed element costs one row, while a break in the file's own structure (its end
//! missing, a comma missing, a bracket closed by the wrong one) is a [`Fault`]: nothing after it
//! can be told apart, and the rows before it stand. An element above the limit is passed over
//! without being held.

use bytes::{Buf, Bytes, BytesMut};

use super::scan::{Scan, Step};

/// Where the bytes come from.
pub(super) trait Source {
    /// Adds some bytes to the buffer; 0 says that there are no more.
    fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError>;
    /// Goes on at an absolute offset.
    fn seek(&mut self, offset: i64);
    /// Bytes of the upload that were taken, when offsets count in something else.
    fn consumed(&self) -> Option<i64> {
        None
    }
}

/// The bytes can't be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceError {
    /// Trying later may help.
    Unavailable(String),
    /// They are gone.
    Lost(String),
    /// The file itself is at fault; the text is for its owner.
    Broken(String),
}

/// The file is no file of users from here on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The byte at fault.
    pub offset: i64,
    /// What is wrong with it.
    pub problem: String,
}

/// Why there is no next element.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Fault(Fault),
    Source(SourceError),
}

impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

type Result<T, E = Problem> = std::result::Result<T, E>;

/// One element of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// From 1.
    pub number: i64,
    /// Of its first byte.
    pub offset: i64,
    /// After its last byte: where a restart may go on.
    pub end: i64,
    /// Its bytes; `None` when there are more than allowed.
    pub raw: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Array,
    Lines,
}

/// What may follow in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    ElementOrEnd,
    CommaOrEnd,
    Nothing,
}

/// The window.
pub(super) struct Window<S> {
    source: S,
    buffer: BytesMut,
    /// Of the buffer's first byte.
    offset: i64,
    number: i64,
    format: Format,
    next: Next,
    max_row: usize,
}

impl<S: Source> Window<S> {
    /// Opens the file, and goes on after `rows` elements that end at `offset`.
    pub fn open(source: S, offset: i64, rows: i64, max_row: usize) -> Result<Self> {
        let mut window = Self {
            source,
            buffer: BytesMut::new(),
            offset: 0,
            number: rows,
            format: Format::Lines,
            next: Next::ElementOrEnd,
            max_row,
        };
        window.format = window.read_format()?;
        if rows > 0 {
            window.buffer = BytesMut::new();
            window.source.seek(offset);
            window.offset = offset;
            window.next = Next::CommaOrEnd;
        }
        Ok(window)
    }

    /// Bytes of the upload that were taken, when offsets do not say it.
    pub fn consumed(&self) -> Option<i64> {
        self.source.consumed()
    }

    /// The next element; `None` after the last.
    pub fn next(&mut self) -> Result<Option<Element>> {
        match self.format {
            Format::Array => self.next_in_array(),
            Format::Lines => self.next_line(),
        }
    }

    /// Tells an array from lines by the first byte that is no space; passes over the byte order
    /// mark that some programs write.
    fn read_format(&mut self) -> Result<Format> {
        while self.buffer.len() < BYTE_ORDER_MARK.len() && self.fill()? {}
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.advance(BYTE_ORDER_MARK.len());
        }
        match self.peek()? {
            Some(b'[') => {
                self.advance(1);
                Ok(Format::Array)
            }
            Some(b'{') => Ok(Format::Lines),
            Some(_) => self.fault("neither '[' nor '{' begins the file"),
            None => self.fault("the file holds nothing"),
        }
    }

    fn next_in_array(&mut self) -> Result<Option<Element>> {
        if self.next == Next::Nothing {
            return Ok(None);
        }
        let mut byte = self.peek()?;
        if byte == Some(b']') {
            return self.close();
        }
        if self.next == Next::CommaOrEnd {
            match byte {
                Some(b',') => self.advance(1),
                Some(_) => return self.fault("',' or ']' is expected"),
                None => return self.fault("the file ends before its closing ']'"),
            }
            byte = self.peek()?;
        }
        match byte {
            Some(b',' | b':' | b']' | b'}') => self.fault("a row is expected"),
            Some(_) => self.take_value().map(Some),
            None => self.fault("the file ends before its closing ']'"),
        }
    }

    fn close(&mut self) -> Result<Option<Element>> {
        self.advance(1);
        if self.peek()?.is_some() {
            return self.fault("something follows the closing ']'");
        }
        self.next = Next::Nothing;
        Ok(None)
    }

    fn take_value(&mut self) -> Result<Element> {
        let start = self.offset;
        let mut scan = Scan::default();
        let mut at = 0;
        loop {
            match scan.run(self.buffer.get(at..).unwrap_or_default()) {
                Step::End(length) => {
                    at += length;
                    break;
                }
                Step::Mismatch(length) => {
                    let row = self.number + 1;
                    self.advance(at + length);
                    let problem =
                        format!("a wrong bracket closes row {row}, begun at byte {start}");
                    return self.fault(problem);
                }
                Step::More => at = self.buffer.len(),
            }
            at = self.pass_over(start, at);
            if !self.fill()? {
                self.advance(at);
                return self.fault_inside(start);
            }
        }
        self.next = Next::CommaOrEnd;
        Ok(self.take(start, at))
    }

    fn next_line(&mut self) -> Result<Option<Element>> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        let start = self.offset;
        let mut at = 0;
        loop {
            let fresh = self.buffer.get(at..).unwrap_or_default();
            if let Some(length) = fresh.iter().position(|byte| *byte == b'\n') {
                at += length;
                break;
            }
            at = self.pass_over(start, self.buffer.len());
            if !self.fill()? {
                // A line that nothing closes may be half a row: one that lost its end in transit.
                self.require_whole(start, at)?;
                break;
            }
        }
        // A file that is one value over many lines is no file of lines.
        if self.number == 0 {
            self.require_whole(start, at)?;
        }
        let line = self.buffer.get(..at).unwrap_or_default();
        // How much of a line that is too long is still here depends on how it was read. The first
        // byte is no space, so that a row always has one.
        let last = line.iter().rposition(|byte| !is_space(*byte));
        let is_held = self.is_held(start, at);
        let length = last.filter(|_| is_held).map_or(at, |last| last + 1);
        Ok(Some(self.take(start, length)))
    }

    /// Refuses a line whose brackets or quotes stay open. One that is too long is none anyway.
    fn require_whole(&mut self, start: i64, length: usize) -> Result<()> {
        let is_held = self.is_held(start, length);
        let line = self.buffer.get(..length).unwrap_or_default();
        if is_held && matches!(Scan::default().run(line), Step::More) && !line.is_empty() {
            self.advance(length);
            return self.fault_inside(start);
        }
        Ok(())
    }

    /// Whether so many bytes of an element are all that it has so far, and not too many.
    fn is_held(&self, start: i64, length: usize) -> bool {
        self.offset == start && length <= self.max_row
    }

    /// Lets go of what was scanned of an element that is too large to be held.
    fn pass_over(&mut self, start: i64, scanned: usize) -> usize {
        if self.is_held(start, scanned) {
            return scanned;
        }
        self.advance(scanned);
        0
    }

    fn take(&mut self, start: i64, length: usize) -> Element {
        self.number += 1;
        let raw = if self.is_held(start, length) {
            self.offset += width(length);
            Some(self.buffer.split_to(length).freeze())
        } else {
            self.advance(length);
            None
        };
        Element {
            number: self.number,
            offset: start,
            end: self.offset,
            raw,
        }
    }

    /// The next byte that is no space; it stays.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            let spaces = self.buffer.iter().take_while(|byte| is_space(**byte));
            let spaces = spaces.count();
            self.advance(spaces);
            if let Some(byte) = self.buffer.first() {
                return Ok(Some(*byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn fill(&mut self) -> Result<bool> {
        Ok(self.source.fill(&mut self.buffer)? > 0)
    }

    fn advance(&mut self, length: usize) {
        self.buffer.advance(length);
        self.offset += width(length);
    }

    fn fault<T>(&self, problem: impl Into<String>) -> Result<T> {
        Err(Problem::Fault(Fault {
            offset: self.offset,
            problem: problem.into(),
        }))
    }

    fn fault_inside<T>(&self, start: i64) -> Result<T> {
        let row = self.number + 1;
        self.fault(format!(
            "the end is missing of row {row}, begun at byte {start}"
        ))
    }
}

/// What may stand between rows; a form feed, for one, may not.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A length in memory as a length in the file.
fn width(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
