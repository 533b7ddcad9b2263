//! The reading half of a job: on a thread of its own, a few batches ahead of the writing half.

use bytes::BytesMut;
use domain::{Counters, RowError, RowErrorCode as Code};
use store::StoredRowError;
use store::import::ImportRow;
use tokio::sync::mpsc::Sender;

use super::mask;
use super::row::RowReader;
use super::window::{Element, Problem, Source, SourceError, Window};

/// Rows read, to be written together.
#[derive(Default)]
pub(super) struct Parsed {
    pub rows: Vec<ImportRow>,
    pub refused: Vec<StoredRowError>,
    /// After the last of them.
    pub end: i64,
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
}

/// Bytes of a batch: what bounds memory when rows are large.
const BATCH_BYTES: usize = 4 << 20;

/// Reads from where the job stands until the end, or until nobody listens any more.
pub(super) fn parse<S: Source>(
    source: S,
    offset: i64,
    counters: Counters,
    limits: BatchLimits,
    mut reader: RowReader,
    sender: &Sender<Message>,
) {
    let mut send = |message| sender.blocking_send(message).is_ok();
    let source = Heard { source, sender };
    let opened = Window::open(source, offset, counters.total, limits.row_bytes);
    let last = match opened {
        Ok(mut window) => read_all(&mut window, limits, &mut reader, &mut send),
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
}

fn unheard() -> SourceError {
    SourceError::Unavailable("the writing half went away".into())
}

fn read_all<S: Source>(
    window: &mut Window<S>,
    limits: BatchLimits,
    reader: &mut RowReader,
    send: &mut impl FnMut(Message) -> bool,
) -> Message {
    let mut batch = Parsed::default();
    let mut bytes = 0;
    loop {
        let last = match window.next() {
            Ok(Some(element)) => {
                bytes += batch.add(element, limits, reader);
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
    /// Takes an element in; says how many bytes it holds in memory.
    fn add(&mut self, element: Element, limits: BatchLimits, reader: &mut RowReader) -> usize {
        self.end = element.end;
        let Some(raw) = element.raw else {
            let size = element.end - element.offset;
            let most = limits.row_bytes;
            let (number, offset) = (element.number, element.offset);
            let message = format!(
                "Row {number}, begun at byte {offset}, has {size} bytes, more than the {most} allowed"
            );
            self.refused.push(StoredRowError {
                row: number,
                offset,
                record: mask::oversized(size),
                errors: vec![RowError::new(Code::ProfileSizeExceeded, "", message)],
            });
            return 0;
        };
        match reader.read(&raw, element.offset) {
            Ok(mut row) => {
                row.number = element.number;
                self.rows.push(row);
            }
            Err(errors) => self.refused.push(StoredRowError {
                row: element.number,
                offset: element.offset,
                record: mask::mask(&raw),
                errors,
            }),
        }
        raw.len()
    }
}
