//! What an upload is packed in: gzip (also several members), zstd (also several frames), UTF-16.
//!
//! All three are told from the file's first bytes, whatever its name. What comes out is UTF-8 text,
//! and every offset of a job counts in that text. Going on at an offset of a plain file is a seek;
//! a packed one is unpacked again from its begin, which costs time but keeps nothing on disk.
//! Memory is bounded by the window of the format (zstd: 128 MiB at most, 8 MiB is usual), and what
//! comes out by a limit of its own: a bomb ends the job.

use std::io::{self, BufRead, Read};

use bytes::{Buf as _, BytesMut};
use flate2::bufread::MultiGzDecoder;

use super::utf16::{Endian, Transcoder};
use super::window::{Source, SourceError};

/// Bytes that come out at a time.
const STEP: usize = 256 << 10;
const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// A frame of zstd's that holds no data may come first: 0x184D2A50 to 0x184D2A5F.
const ZSTD_SKIPPABLE: &[u8] = &[0x2A, 0x4D, 0x18];
/// The largest window of a zstd file, as a power of two: 128 MiB, the format's own advice.
const ZSTD_WINDOW: u32 = 27;

/// A source of text over a source of bytes.
pub(super) struct Unpacked<S> {
    stage: Stage<S>,
    transcoder: Option<Transcoder>,
    /// Of the text so far, in bytes.
    position: i64,
    /// Text to be passed over first.
    skip: i64,
    /// Most text that may come out of a packed file.
    limit: u64,
    is_open: bool,
}

enum Stage<S> {
    Plain(Raw<S>),
    Gzip(Box<MultiGzDecoder<Raw<S>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Raw<S>>>),
    /// Between two stages.
    Gone,
}

impl<S: Source> Unpacked<S> {
    /// `limit` bounds what a packed file may hold.
    pub fn new(source: S, limit: u64) -> Self {
        Self {
            stage: Stage::Plain(Raw::new(source)),
            transcoder: None,
            position: 0,
            skip: 0,
            limit,
            is_open: false,
        }
    }

    /// Bytes of the upload itself that were taken so far.
    fn taken(&self) -> i64 {
        match &self.stage {
            Stage::Plain(raw) => raw.consumed(),
            Stage::Gzip(decoder) => decoder.get_ref().consumed(),
            Stage::Zstd(decoder) => decoder.get_ref().consumed(),
            Stage::Gone => 0,
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self.stage, Stage::Plain(_)) && self.transcoder.is_none()
    }

    /// Looks at the first bytes, of the upload and then of the text.
    fn open(&mut self) -> Result<(), SourceError> {
        if self.is_open {
            return Ok(());
        }
        self.is_open = true;
        let Stage::Plain(mut raw) = std::mem::replace(&mut self.stage, Stage::Gone) else {
            return Err(defect());
        };
        raw.hold(4)?;
        let is_skippable = raw.held().get(1..4) == Some(ZSTD_SKIPPABLE)
            && raw.held().first().is_some_and(|byte| byte >> 4 == 5);
        self.stage = if raw.held().starts_with(GZIP) {
            Stage::Gzip(Box::new(MultiGzDecoder::new(raw)))
        } else if raw.held().starts_with(ZSTD) || is_skippable {
            let decoder = zstd::stream::read::Decoder::with_buffer(raw);
            let mut decoder = decoder.map_err(|error| broken(0, &error))?;
            decoder
                .window_log_max(ZSTD_WINDOW)
                .map_err(|error| broken(0, &error))?;
            Stage::Zstd(Box::new(decoder))
        } else {
            let endian = Endian::of_mark(raw.held());
            self.transcoder = endian.map(Transcoder::new);
            Stage::Plain(raw)
        };
        Ok(())
    }

    /// Adds bytes as they come out of the packing; 0 at the end.
    fn unpack(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        let place = self.taken();
        let read = match &mut self.stage {
            Stage::Plain(raw) => return raw.take(buffer),
            Stage::Gzip(decoder) => read_step(decoder, buffer),
            Stage::Zstd(decoder) => read_step(decoder, buffer),
            Stage::Gone => return Err(defect()),
        };
        read.map_err(|error| broken(place, &error))
    }

    fn fill_text(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        let is_first = self.position == 0;
        let held = buffer.len();
        if let Some(mut transcoder) = self.transcoder.take() {
            let mut packed = BytesMut::new();
            let read = self.unpack(&mut packed);
            let is_end = matches!(read, Ok(0));
            transcoder.run(&packed, is_end, buffer);
            self.transcoder = Some(transcoder);
            read?;
            // One byte alone makes no text yet.
            if buffer.len() == held && !is_end {
                return self.fill_text(buffer);
            }
        } else {
            self.unpack(buffer)?;
            if is_first && !matches!(self.stage, Stage::Plain(_)) {
                self.look_at_text(held, buffer)?;
            }
        }
        let count = buffer.len() - held;
        self.position += i64::try_from(count).unwrap_or(i64::MAX);
        let is_packed = !matches!(self.stage, Stage::Plain(_));
        if is_packed && self.position.unsigned_abs() > self.limit {
            let limit = self.limit;
            return Err(SourceError::Broken(format!(
                "The users file holds more than the {limit} bytes allowed once it is unpacked."
            )));
        }
        Ok(count)
    }

    /// The mark of a packed text is seen only once the first of it is unpacked.
    fn look_at_text(&mut self, held: usize, buffer: &mut BytesMut) -> Result<(), SourceError> {
        while buffer.len() < held + 2 && self.unpack(buffer)? > 0 {}
        if let Some(endian) = Endian::of_mark(buffer.get(held..).unwrap_or_default()) {
            let packed = buffer.split_off(held);
            let mut transcoder = Transcoder::new(endian);
            transcoder.run(&packed, false, buffer);
            self.transcoder = Some(transcoder);
        }
        Ok(())
    }

    /// Back to the first byte.
    fn rewind(&mut self) {
        let raw = match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Plain(raw) => raw,
            Stage::Gzip(decoder) => decoder.into_inner(),
            Stage::Zstd(decoder) => decoder.finish(),
            Stage::Gone => return,
        };
        let mut source = raw.source;
        source.seek(0);
        let limit = self.limit;
        *self = Self::new(source, limit);
    }
}

impl<S: Source> Source for Unpacked<S> {
    fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        self.open()?;
        while self.skip > 0 {
            let mut passed = BytesMut::new();
            let count = self.fill_text(&mut passed)?;
            if count == 0 {
                let offset = self.position + self.skip;
                let detail = format!("the text ends before byte {offset}, which was read once");
                return Err(SourceError::Lost(detail));
            }
            let skipped = self.skip.min(i64::try_from(count).unwrap_or(i64::MAX));
            self.skip -= skipped;
            passed.advance(usize::try_from(skipped).unwrap_or(count));
            if !passed.is_empty() {
                let count = passed.len();
                buffer.unsplit(passed);
                return Ok(count);
            }
        }
        self.fill_text(buffer)
    }

    fn seek(&mut self, offset: i64) {
        if self.is_open && self.is_plain() {
            if let Stage::Plain(raw) = &mut self.stage {
                raw.seek(offset);
            }
            self.position = offset;
            self.skip = 0;
            return;
        }
        self.rewind();
        self.skip = offset;
    }

    fn consumed(&self) -> Option<i64> {
        (self.is_open && !self.is_plain()).then(|| self.taken())
    }
}

fn read_step(decoder: &mut impl Read, buffer: &mut BytesMut) -> io::Result<usize> {
    let held = buffer.len();
    buffer.resize(held + STEP, 0);
    let read = loop {
        match decoder.read(buffer.get_mut(held..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    buffer.truncate(held + read.as_ref().copied().unwrap_or(0));
    read
}

fn defect() -> SourceError {
    SourceError::Unavailable("an upload is being opened twice".into())
}

/// A fault of the packing, or of what is below it.
fn broken(place: i64, error: &io::Error) -> SourceError {
    let below = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(below) = below.map(|Below(error)| error.clone()) {
        return below;
    }
    let problem = match error.kind() {
        io::ErrorKind::UnexpectedEof => "its end is missing".to_owned(),
        _ => error.to_string(),
    };
    SourceError::Broken(format!(
        "The users file could not be unpacked: after byte {place}: {problem}."
    ))
}

/// A source's error on its way through a decoder.
#[derive(Debug, thiserror::Error)]
#[error("{0:?}")]
struct Below(SourceError);

/// The upload's own bytes, as decoders read them.
struct Raw<S> {
    source: S,
    buffer: BytesMut,
    /// Bytes that came from the source.
    filled: i64,
}

impl<S: Source> Raw<S> {
    fn new(source: S) -> Self {
        Self {
            source,
            buffer: BytesMut::new(),
            filled: 0,
        }
    }

    fn held(&self) -> &[u8] {
        &self.buffer
    }

    fn consumed(&self) -> i64 {
        self.filled - i64::try_from(self.buffer.len()).unwrap_or(0)
    }

    /// Fetches until so many bytes are there, or no more come.
    fn hold(&mut self, count: usize) -> Result<(), SourceError> {
        while self.buffer.len() < count && self.fetch()? > 0 {}
        Ok(())
    }

    fn fetch(&mut self) -> Result<usize, SourceError> {
        let count = self.source.fill(&mut self.buffer)?;
        self.filled += i64::try_from(count).unwrap_or(i64::MAX);
        Ok(count)
    }

    /// Hands bytes over, without a copy where it can.
    fn take(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        if self.buffer.is_empty() {
            let count = self.source.fill(buffer)?;
            self.filled += i64::try_from(count).unwrap_or(i64::MAX);
            return Ok(count);
        }
        let held = self.buffer.split();
        let count = held.len();
        buffer.unsplit(held);
        Ok(count)
    }

    fn seek(&mut self, offset: i64) {
        self.buffer.clear();
        self.filled = offset;
        self.source.seek(offset);
    }
}

impl<S: Source> Read for Raw<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl<S: Source> BufRead for Raw<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffer.is_empty() {
            self.fetch()
                .map_err(|error| io::Error::other(Below(error)))?;
        }
        Ok(&self.buffer)
    }

    fn consume(&mut self, count: usize) {
        self.buffer.advance(count);
    }
}

#[cfg(test)]
#[path = "unpack_tests.rs"]
mod tests;
