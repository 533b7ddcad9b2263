//! The reading half of a job: on a thread of its own, a few batches ahead of the writing half.

use bytes::BytesMut;
use domain::{ImportOptions, RowError, RowErrorCode as Code};
use store::StoredRowError;
use store::import::ImportRow;
use tokio::sync::mpsc::Sender;

use super::mask;
use super::row::RowReader;
use super::rows::{Content, Row, Rows};
use super::unpack::Unpacked;
use super::window::{Problem, Source, SourceError};

/// Rows read, to be written together.
#[derive(Default)]
pub(super) struct Parsed {
    pub rows: Vec<ImportRow>,
    pub refused: Vec<StoredRowError>,
    /// After the last of them.
    pub end: i64,
    /// Bytes of the file as it was sent that were read for them.
    pub consumed: i64,
}

/// What the reading half sends.
pub(super) enum Message {
    Batch(Parsed),
    /// All rows were read.
    End,
    /// The rest can't be read, now or ever.
    Broken(Problem),
}

/// How much is held at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchLimits {
    pub rows: usize,
    pub row_bytes: usize,
    /// Of a packed file, once it is unpacked.
    pub unpacked_bytes: u64,
}

/// Bytes of a batch: what bounds memory when rows are large.
const BATCH_BYTES: usize = 4 << 20;

/// Where a job's reading begins.
#[derive(Debug)]
pub(super) struct Begin {
    /// What the file is said to be.
    pub options: ImportOptions,
    /// After the rows that were written.
    pub offset: i64,
    /// How many they were.
    pub rows: i64,
}

/// Reads from where the job stands until the end, or until nobody listens any more.
pub(super) fn parse<S: Source>(
    source: S,
    begin: &Begin,
    limits: BatchLimits,
    mut reader: RowReader,
    sender: &Sender<Message>,
) {
    let mut send = |message| sender.blocking_send(message).is_ok();
    let source = Unpacked::new(Heard { source, sender }, limits.unpacked_bytes);
    let (offset, rows) = (begin.offset, begin.rows);
    let opened = Rows::open(source, &begin.options, offset, rows, limits.row_bytes);
    let last = match opened {
        Ok(mut rows) => read_all(&mut rows, limits, &mut reader, &mut send),
        Err(problem) => Message::Broken(problem),
    };
    send(last);
}

/// A source that ends when nobody listens any more: a shutdown does not wait until a row of
/// gigabytes is passed over.
struct Heard<'a, S> {
    source: S,
    sender: &'a Sender<Message>,
}

impl<S: Source> Source for Heard<'_, S> {
    fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        if self.sender.is_closed() {
            return Err(unheard());
        }
        self.source.fill(buffer)
    }

    fn seek(&mut self, offset: i64) {
        self.source.seek(offset);
    }

    fn consumed(&self) -> Option<i64> {
        self.source.consumed()
    }
}

fn unheard() -> SourceError {
    SourceError::Unavailable("the writing half went away".into())
}

fn read_all<S: Source>(
    file: &mut Rows<S>,
    limits: BatchLimits,
    reader: &mut RowReader,
    send: &mut impl FnMut(Message) -> bool,
) -> Message {
    let mut batch = Parsed::default();
    let mut bytes = 0;
    loop {
        let last = match file.next() {
            Ok(Some(row)) => {
                bytes += batch.add(row, limits, reader);
                None
            }
            Ok(None) => Some(Message::End),
            Err(problem) => Some(Message::Broken(problem)),
        };
        let count = batch.rows.len() + batch.refused.len();
        let is_full = count >= limits.rows || bytes >= BATCH_BYTES;
        if count > 0 && (is_full || last.is_some()) {
            let rows = Vec::with_capacity(batch.rows.len());
            let next = Parsed {
                rows,
                ..Parsed::default()
            };
            bytes = 0;
            batch.consumed = file.consumed().unwrap_or(batch.end);
            if !send(Message::Batch(std::mem::replace(&mut batch, next))) {
                return Message::Broken(Problem::Source(unheard()));
            }
        }
        if let Some(last) = last {
            return last;
        }
    }
}

impl Parsed {
    /// Takes a row in; says how many bytes it holds in memory.
    fn add(&mut self, row: Row, limits: BatchLimits, reader: &mut RowReader) -> usize {
        let Row {
            number,
            offset,
            end,
            content,
        } = row;
        self.end = end;
        let raw = match content {
            Content::Row(raw) => raw,
            Content::Wrong {
                record,
                raw,
                errors,
            } => {
                let held = record.len() + raw.as_ref().map_or(0, bytes::Bytes::len);
                self.refused.push(StoredRowError {
                    row: number,
                    offset,
                    record,
                    errors,
                    raw,
                });
                return held;
            }
            Content::TooLarge => {
                let size = end - offset;
                self.refused
                    .push(too_large(number, offset, size, limits.row_bytes));
                return 0;
            }
        };
        match reader.read(&raw, offset) {
            Ok(mut read) => {
                read.number = number;
                read.end = end;
                self.rows.push(read);
            }
            Err(errors) => self.refused.push(StoredRowError {
                row: number,
                offset,
                record: mask::mask(&raw),
                errors,
                raw: Some(raw.clone()),
            }),
        }
        raw.len()
    }
}

fn too_large(number: i64, offset: i64, size: i64, most: usize) -> StoredRowError {
    let message = format!(
        "Row {number}, begun at byte {offset}, has {size} bytes, more than the {most} allowed"
    );
    StoredRowError {
        row: number,
        offset,
        record: mask::oversized(size),
        errors: vec![RowError::new(Code::ProfileSizeExceeded, "", message)],
        raw: None,
    }
}
