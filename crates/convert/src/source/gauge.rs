//! A reader that knows its line, and that a record of endless length cannot fill the memory.

use std::cell::Cell;
use std::io::{BufRead, Error, Read, Result};
use std::rc::Rc;

use crate::MAX_RECORD;

/// What a [`Metered`] reader and whoever reads records from it both know.
#[derive(Clone)]
pub(crate) struct Gauge(Rc<Counts>);

struct Counts {
    line: Cell<u64>,
    record: Cell<u64>,
    is_bounded: Cell<bool>,
}

impl Default for Gauge {
    fn default() -> Self {
        Self(Rc::new(Counts {
            line: Cell::new(1),
            record: Cell::new(0),
            is_bounded: Cell::new(true),
        }))
    }
}

impl Gauge {
    /// A record begins here.
    pub fn begin(&self) {
        self.0.record.set(0);
    }

    /// Whether what comes is held in memory, and so bounded; what is skipped is not.
    pub fn bound(&self, is_bounded: bool) {
        self.0.is_bounded.set(is_bounded);
        self.begin();
    }

    /// The line of the next byte, from 1.
    pub fn line(&self) -> u64 {
        self.0.line.get()
    }

    fn count(&self, bytes: &[u8]) -> Result<()> {
        let lines: u64 = bytes.iter().map(|b| u64::from(*b == b'\n')).sum();
        self.0.line.set(self.0.line.get() + lines);
        let length = self.0.record.get() + bytes.len() as u64;
        self.0.record.set(length);
        if self.0.is_bounded.get() && length > MAX_RECORD {
            return Err(Error::other("a record is longer than 16 MiB"));
        }
        Ok(())
    }
}

/// An input under a [`Gauge`].
pub(crate) struct Metered<'a> {
    input: Box<dyn BufRead + 'a>,
    gauge: Gauge,
}

impl<'a> Metered<'a> {
    pub fn new(input: Box<dyn BufRead + 'a>, gauge: Gauge) -> Self {
        Self { input, gauge }
    }

    /// The next byte, not taken.
    pub fn peek(&mut self) -> Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    /// The next byte.
    pub fn next_byte(&mut self) -> Result<Option<u8>> {
        let next = self.peek()?;
        if let Some(byte) = next {
            self.input.consume(1);
            self.gauge.count(&[byte])?;
        }
        Ok(next)
    }

    /// The rest of the line, without its end; `None` after the last.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            let piece = self.input.fill_buf()?;
            let end = piece.iter().position(|b| *b == b'\n');
            let taken = piece
                .get(..end.map_or(piece.len(), |end| end + 1))
                .unwrap_or_default();
            let length = taken.len();
            self.gauge.count(taken)?;
            line.extend_from_slice(taken);
            self.input.consume(length);
            if length == 0 && line.is_empty() {
                return Ok(None);
            }
            if length == 0 || end.is_some() {
                break;
            }
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some(line))
    }
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let length = self.input.read(buffer)?;
        self.gauge.count(buffer.get(..length).unwrap_or_default())?;
        Ok(length)
    }
}
