//! From lines to the bytes of the file, on a thread of its own: compressed first, then encrypted.
//!
//! The end has to be said. A reading half that goes away leaves a file that is broken, not one that
//! looks whole and lacks users.

use std::io::{Error, Read, Write};

use domain::Entropy;
use flate2::Compression;
use flate2::read::GzEncoder;
use tokio::sync::mpsc::Receiver;
use zeroize::Zeroizing;

use super::recipient::Recipient;

/// What the reading half sends.
pub(super) enum Part {
    Lines(Zeroizing<Vec<u8>>),
    End,
}

/// Lines as they come.
pub(super) struct Lines {
    parts: Receiver<Part>,
    current: Zeroizing<Vec<u8>>,
    at: usize,
    is_over: bool,
}

impl Lines {
    pub(super) fn new(parts: Receiver<Part>) -> Self {
        Self {
            parts,
            current: Zeroizing::default(),
            at: 0,
            is_over: false,
        }
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.current.len() && !self.is_over {
            match self.parts.blocking_recv() {
                Some(Part::Lines(lines)) => (self.current, self.at) = (lines, 0),
                Some(Part::End) => self.is_over = true,
                None => return Err(Error::other("the reading half went away")),
            }
        }
        let mut rest = self.current.get(self.at..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

/// Writes the whole file.
pub(super) fn write_file(
    lines: impl Read,
    recipient: Option<&Recipient>,
    mut out: impl Write,
    entropy: &dyn Entropy,
) -> std::io::Result<()> {
    let mut packed = GzEncoder::new(lines, Compression::default());
    match recipient {
        None => std::io::copy(&mut packed, &mut out).map(drop),
        Some(recipient) => recipient.encrypt(packed, out, entropy),
    }
}
