//! One record at a time out of a CSV file of any size, as a row of JSON.
//!
//! A record that is malformed, or has more or fewer fields than the file has columns, costs one
//! row; a record above the limit is passed over without being held. A quote that nothing closes is
//! a break in the file: where the next record begins can't be told any more.

use bytes::{Buf as _, BytesMut};
use domain::csv_mapping::CsvMapping;
use domain::{RowError, RowErrorCode as Code};
use serde_json::json;

use super::csv_columns::Columns;
use super::csv_split::{RecordScan, guess_delimiter, split};
use super::rows::{Content, Row};
use super::window::{Problem, Source, SourceError};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// What a line of names may have.
const MOST_HEADER: usize = 256 << 10;

/// The records of a file.
pub(super) struct CsvRows<S> {
    records: Records<S>,
    number: i64,
    delimiter: u8,
    max_row: usize,
    columns: Columns,
}

/// A record as it stands in the file; no bytes when there are more than allowed.
struct Record {
    offset: i64,
    end: i64,
    bytes: Option<BytesMut>,
}

/// A source with what was read ahead of it.
struct Records<S> {
    source: S,
    buffer: BytesMut,
    /// Of the buffer's first byte.
    offset: i64,
}

impl<S: Source> CsvRows<S> {
    /// Opens the file, and goes on after `rows` records that end at `offset`.
    pub fn open(
        source: S,
        mapping: &CsvMapping,
        offset: i64,
        rows: i64,
        max_row: usize,
    ) -> Result<Self, Problem> {
        let mut records = Records {
            source,
            buffer: BytesMut::new(),
            offset: 0,
        };
        let line = records.first_line()?;
        let delimiter = mapping
            .delimiter()
            .unwrap_or_else(|| guess_delimiter(&line));
        let begin = records.offset;
        let Some(first) = records.next(delimiter, MOST_HEADER, 1)? else {
            return Err(fault(records.offset, "the file holds nothing"));
        };
        let Some(bytes) = &first.bytes else {
            return Err(fault(first.offset, "the first line is too long"));
        };
        let fields = split(bytes, delimiter)
            .map_err(|_| fault(first.offset, "text follows a closing quote"))?;
        let names = if mapping.has_header() {
            let name = |field: &std::borrow::Cow<'_, [u8]>| {
                String::from_utf8_lossy(field).trim().to_owned()
            };
            fields.iter().map(name).collect()
        } else {
            (1..=fields.len())
                .map(|number| number.to_string())
                .collect()
        };
        let columns = Columns::new(mapping, names).map_err(|e| fault(first.offset, &e))?;
        if rows > 0 {
            records.seek(offset);
        } else if !mapping.has_header() {
            records.seek(begin);
        }
        Ok(Self {
            records,
            number: rows,
            delimiter,
            max_row,
            columns,
        })
    }

    /// Bytes of the upload that were taken, when offsets do not say it.
    pub fn consumed(&self) -> Option<i64> {
        self.records.source.consumed()
    }

    /// The next row; `None` after the last.
    pub fn next(&mut self) -> Result<Option<Row>, Problem> {
        let record = self
            .records
            .next(self.delimiter, self.max_row, self.number + 1)?;
        let Some(record) = record else {
            return Ok(None);
        };
        self.number += 1;
        let content = match record.bytes {
            None => Content::TooLarge,
            Some(bytes) => self.content(record.offset, &bytes),
        };
        Ok(Some(Row {
            number: self.number,
            offset: record.offset,
            end: record.end,
            content,
        }))
    }

    fn content(&self, offset: i64, bytes: &[u8]) -> Content {
        let wrong = |errors, fields: usize| Content::Wrong {
            record: json!({"_columns": fields, "_bytes": bytes.len()}).to_string(),
            raw: None,
            errors,
        };
        let fields = match split(bytes, self.delimiter) {
            Ok(fields) => fields,
            Err(place) => {
                let place = offset.saturating_add(i64::try_from(place).unwrap_or(0));
                let message = format!(
                    "Object didn't pass validation for format csv: byte {place}: text follows a \
                     closing quote"
                );
                return wrong(vec![RowError::new(Code::Format, "", message)], 0);
            }
        };
        let (found, expected) = (fields.len(), self.columns.count());
        if found != expected {
            let code = if found < expected {
                Code::ArrayLengthShort
            } else {
                Code::ArrayLengthLong
            };
            let message = format!("Expected {expected} columns but found {found}");
            return wrong(vec![RowError::new(code, "", message)], found);
        }
        let (row, errors) = self.columns.render(&fields);
        if errors.is_empty() {
            return Content::Row(row.into());
        }
        Content::Wrong {
            record: super::mask::mask(&row),
            raw: Some(row.into()),
            errors,
        }
    }
}

impl<S: Source> Records<S> {
    /// The bytes up to the first line break, which stay; passes over the byte order mark.
    fn first_line(&mut self) -> Result<Vec<u8>, Problem> {
        while self.buffer.len() < BYTE_ORDER_MARK.len() && self.fill()? {}
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.advance(BYTE_ORDER_MARK.len());
        }
        loop {
            let end = self.buffer.iter().position(|byte| *byte == b'\n');
            if end.is_some() || self.buffer.len() > MOST_HEADER || !self.fill()? {
                let end = end.unwrap_or(self.buffer.len());
                return Ok(self.buffer.get(..end).unwrap_or_default().to_vec());
            }
        }
    }

    fn seek(&mut self, offset: i64) {
        self.buffer = BytesMut::new();
        self.source.seek(offset);
        self.offset = offset;
    }

    /// The next record that is no empty line.
    fn next(
        &mut self,
        delimiter: u8,
        max_row: usize,
        number: i64,
    ) -> Result<Option<Record>, Problem> {
        loop {
            if self.buffer.is_empty() && !self.fill()? {
                return Ok(None);
            }
            let record = self.take(delimiter, max_row, number)?;
            if record.bytes.as_ref().is_none_or(|bytes| !bytes.is_empty()) {
                return Ok(Some(record));
            }
        }
    }

    fn take(&mut self, delimiter: u8, max_row: usize, number: i64) -> Result<Record, Problem> {
        let start = self.offset;
        let mut scan = RecordScan::default();
        let mut at = 0;
        let line_break = loop {
            let fresh = self.buffer.get(at..).unwrap_or_default();
            if let Some(length) = scan.run(fresh, delimiter) {
                at += length;
                break 1;
            }
            at = self.buffer.len();
            if self.offset != start || at > max_row {
                self.advance(at);
                at = 0;
            }
            if !self.fill()? {
                if scan.is_quoted() {
                    let problem =
                        format!("a quote is not closed in row {number}, begun at byte {start}");
                    return Err(fault(self.offset + width(at), &problem));
                }
                break 0;
            }
        };
        let is_held = self.offset == start && at <= max_row;
        let bytes = if is_held {
            let mut bytes = self.buffer.split_to(at);
            self.offset += width(at);
            if bytes.ends_with(b"\r") {
                bytes.truncate(bytes.len() - 1);
            }
            Some(bytes)
        } else {
            self.advance(at);
            None
        };
        self.advance(line_break);
        Ok(Record {
            offset: start,
            end: self.offset,
            bytes,
        })
    }

    fn fill(&mut self) -> Result<bool, Problem> {
        Ok(self.source.fill(&mut self.buffer)? > 0)
    }

    fn advance(&mut self, length: usize) {
        self.buffer.advance(length);
        self.offset += width(length);
    }
}

fn fault(offset: i64, problem: &str) -> Problem {
    Problem::Source(SourceError::Broken(format!(
        "Failed to read the users file as CSV. Byte {offset}: {problem}."
    )))
}

fn width(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
