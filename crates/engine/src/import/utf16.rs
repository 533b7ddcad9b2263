//! UTF-16 with a byte order mark, as some programs of Windows write it, into UTF-8.
//!
//! A unit that makes no character becomes a byte that no UTF-8 has, so that the row it stands in
//! is refused as such, and no other.

use bytes::{BufMut as _, BytesMut};

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    /// What a byte order mark says.
    pub fn of_mark(bytes: &[u8]) -> Option<Self> {
        match bytes.get(..2)? {
            [0xFF, 0xFE] => Some(Self::Little),
            [0xFE, 0xFF] => Some(Self::Big),
            _ => None,
        }
    }

    const fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }
}

/// Stands for what is no character.
const NO_CHARACTER: u8 = 0xFF;

/// A transcoding that may be interrupted at any byte.
pub(super) struct Transcoder {
    endian: Endian,
    /// Half a unit.
    half: Option<u8>,
    /// Half a character.
    high: Option<u16>,
}

impl Transcoder {
    pub const fn new(endian: Endian) -> Self {
        Self {
            endian,
            half: None,
            high: None,
        }
    }

    /// Goes on with the next bytes; `is_end` says that none follow.
    pub fn run(&mut self, bytes: &[u8], is_end: bool, out: &mut BytesMut) {
        out.reserve(bytes.len() + bytes.len() / 2);
        for &byte in bytes {
            match self.half.take() {
                None => self.half = Some(byte),
                Some(first) => self.take(self.endian.unit([first, byte]), out),
            }
        }
        if is_end && (self.half.take().is_some() | self.high.take().is_some()) {
            out.put_u8(NO_CHARACTER);
        }
    }

    fn take(&mut self, unit: u16, out: &mut BytesMut) {
        if let Some(high) = self.high.take() {
            if (0xDC00..0xE000).contains(&unit) {
                let point =
                    0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
                return put(char::from_u32(point), out);
            }
            out.put_u8(NO_CHARACTER);
        }
        match unit {
            0xD800..0xDC00 => self.high = Some(unit),
            _ => put(char::from_u32(u32::from(unit)), out),
        }
    }
}

fn put(character: Option<char>, out: &mut BytesMut) {
    match character {
        Some(character) => out.put_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.put_u8(NO_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(units: &[u16], endian: Endian, step: usize) -> Vec<u8> {
        let bytes: Vec<u8> = units
            .iter()
            .flat_map(|unit| match endian {
                Endian::Little => unit.to_le_bytes(),
                Endian::Big => unit.to_be_bytes(),
            })
            .collect();
        let (mut transcoder, mut out) = (Transcoder::new(endian), BytesMut::new());
        for part in bytes.chunks(step) {
            transcoder.run(part, false, &mut out);
        }
        transcoder.run(&[], true, &mut out);
        out.to_vec()
    }

    proptest::proptest! {
        /// The standard library says the same, however the bytes are cut.
        #[test]
        fn any_text_comes_out_as_it_was(text in "\\PC{0,30}", step in 1_usize..7) {
            let units: Vec<u16> = text.encode_utf16().collect();
            for endian in [Endian::Little, Endian::Big] {
                assert_eq!(run(&units, endian, step), text.as_bytes());
            }
        }

        #[test]
        fn any_units_come_out_as_the_standard_library_says(
            units in proptest::collection::vec(0xD700_u16..0xE100, 0..20), step in 1_usize..5,
        ) {
            let expected: Vec<u8> = char::decode_utf16(units.iter().copied())
                .flat_map(|found| match found {
                    Ok(character) => character.to_string().into_bytes(),
                    Err(_) => vec![NO_CHARACTER],
                })
                .collect();
            assert_eq!(run(&units, Endian::Little, step), expected);
        }
    }

    #[test]
    fn half_a_unit_at_the_end_is_no_character() {
        let mut out = BytesMut::new();
        Transcoder::new(Endian::Big).run(&[0, b'a', 0], true, &mut out);
        assert_eq!(&out[..], b"a\xFF");
    }
}
