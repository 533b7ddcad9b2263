//! Expansion that knows whether the data's end was reached, in its three wrappings.

use std::io;

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// How much room is made at once.
const ROOM: usize = 32 << 10;

/// Zlib or raw data.
pub struct Inflate {
    state: Decompress,
    pub has_ended: bool,
}

impl Inflate {
    pub fn new(has_header: bool) -> Self {
        Self {
            state: Decompress::new(has_header),
            has_ended: false,
        }
    }

    /// Takes bytes; gives what follows the data's end.
    pub fn push<'a>(&mut self, mut bytes: &'a [u8], output: &mut Vec<u8>) -> io::Result<&'a [u8]> {
        while !self.has_ended {
            output.reserve(ROOM);
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress_vec(bytes, output, FlushDecompress::None)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            self.has_ended = status == Status::StreamEnd;
            let taken = usize::try_from(self.state.total_in() - read).unwrap_or(usize::MAX);
            bytes = bytes.get(taken..).unwrap_or_default();
            let is_stuck = taken == 0 && self.state.total_out() == written;
            if is_stuck || (bytes.is_empty() && output.len() < output.capacity()) {
                break;
            }
        }
        Ok(bytes)
    }
}

/// Gzip data (RFC 1952), one member after the other.
pub struct Gunzip {
    part: Part,
    /// What has come of a head or a trailer.
    pending: Vec<u8>,
    /// A whole member has been read.
    has_ended: bool,
}

enum Part {
    Head,
    Body(Inflate, Crc),
    Trailer(Crc),
    /// After the last member there is something else, which is ignored.
    Rest,
}

impl Gunzip {
    pub fn new() -> Self {
        Self {
            part: Part::Head,
            pending: Vec::new(),
            has_ended: false,
        }
    }

    pub fn push(&mut self, bytes: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        let mut bytes = bytes.to_vec();
        while !bytes.is_empty() {
            match &mut self.part {
                Part::Rest => return Ok(()),
                Part::Head => {
                    self.pending.append(&mut bytes);
                    let is_gzip = self
                        .pending
                        .iter()
                        .zip([0x1f, 0x8b, 8])
                        .all(|(a, b)| *a == b);
                    if !is_gzip && self.has_ended {
                        self.part = Part::Rest;
                        return Ok(());
                    }
                    if !is_gzip {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    let Some(length) = head_length(&self.pending) else {
                        return Ok(());
                    };
                    bytes = self.pending.split_off(length);
                    self.pending.clear();
                    self.has_ended = false;
                    self.part = Part::Body(Inflate::new(false), Crc::new());
                }
                Part::Body(inflate, crc) => {
                    let before = output.len();
                    bytes = inflate.push(&bytes, output)?.to_vec();
                    crc.update(output.get(before..).unwrap_or_default());
                    if inflate.has_ended {
                        self.part = Part::Trailer(std::mem::take(crc));
                    }
                }
                Part::Trailer(crc) => {
                    self.pending.append(&mut bytes);
                    let Some((trailer, rest)) = self.pending.split_first_chunk::<8>() else {
                        return Ok(());
                    };
                    let (sum, amount) = (crc.sum().to_le_bytes(), crc.amount().to_le_bytes());
                    if *trailer != *[sum, amount].as_flattened() {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    bytes = rest.to_vec();
                    self.pending.clear();
                    self.has_ended = true;
                    self.part = Part::Head;
                }
            }
        }
        Ok(())
    }

    /// Whether the data ended where a member does.
    pub fn is_whole(&self) -> bool {
        self.has_ended
    }
}

/// The length of a member's head; `None` while it is not all there.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut length = 10;
    if flags & 4 != 0 {
        let extra = bytes.get(length..)?.first_chunk::<2>()?;
        length += 2 + usize::from(u16::from_le_bytes(*extra));
    }
    // A name and a comment, each ended by a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            length += 1 + bytes.get(length..)?.iter().position(|byte| *byte == 0)?;
        }
    }
    if flags & 2 != 0 {
        length += 2;
    }
    (length <= bytes.len()).then_some(length)
}
