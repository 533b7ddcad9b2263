//! Bytes, unpacked.

use std::io::Write as _;

use bytes::BytesMut;

use super::Slice;
use crate::import::unpack::Unpacked;
use crate::import::window::{Source, SourceError};

/// What may come out of a packed file.
const LIMIT: u64 = 1 << 20;

/// Takes the bytes after the first three for an upload, or for the text of one: the first byte says
/// how it is packed here, the second in what pieces it is read, the third which byte is damaged and
/// where the reader goes on. Panics when unpacking breaks a promise: pieces change nothing, what
/// was packed comes out, and going on at an offset gives what stands there.
pub fn unpack(bytes: &[u8]) {
    let Some((control, rest)) = bytes.split_at_checked(3) else {
        return;
    };
    let Ok([packing, step, place]) = <[u8; 3]>::try_from(control) else {
        return;
    };
    let step = 1 + usize::from(step % 64);
    let (mut file, text) = pack(packing, rest);
    let is_damaged = packing >= 128;
    if is_damaged && !file.is_empty() {
        let at = usize::from(place) % file.len();
        if let Some(byte) = file.get_mut(at) {
            *byte ^= 1 | step.to_le_bytes().first().copied().unwrap_or(0);
        }
    }
    let whole = read(&mut open(&file, file.len().max(1)));
    let mut source = open(&file, step);
    let pieces = read(&mut source);
    check_same(&file, &whole, &pieces);
    let (Ok(found), Ok(_)) = (whole, pieces) else {
        assert!(is_damaged || text.is_none(), "what was packed is lost");
        return;
    };
    if let Some(text) = text.filter(|_| !is_damaged) {
        assert!(found == text, "another text comes out");
    }
    if let Some(consumed) = source.consumed() {
        assert_eq!(consumed.unsigned_abs(), file.len() as u64, "bytes left");
        let is_text = file.starts_with(&[0xFF, 0xFE]) || file.starts_with(&[0xFE, 0xFF]);
        assert!(is_text || found.len() as u64 <= LIMIT, "above the limit");
    }
    let middle = found.len() * usize::from(place) / 255;
    for offset in [middle, 0, found.len(), middle] {
        let offset_there = i64::try_from(offset).unwrap_or(i64::MAX);
        let expected = found.get(offset..);
        source.seek(offset_there);
        let rest = read(&mut source);
        assert!(rest.as_deref().ok() == expected, "another rest at {offset}");
        let mut fresh = open(&file, step);
        fresh.seek(offset_there);
        let rest = read(&mut fresh);
        assert!(
            rest.as_deref().ok() == expected,
            "another start at {offset}"
        );
    }
}

type Text = Result<Vec<u8>, SourceError>;

/// Both succeed alike, or fail in one way.
fn check_same(file: &[u8], whole: &Text, pieces: &Text) {
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert!(whole == pieces, "pieces change the text"),
        // A frame of zstd's that is there as a whole is held to the size that it names; one that
        // comes in pieces and brings no checksum is not.
        (Ok(_), Err(SourceError::Broken(_))) | (Err(SourceError::Broken(_)), Ok(_))
            if is_zstd(file) => {}
        // Where a fault is seen depends on what was read ahead.
        (Err(SourceError::Broken(_)), Err(SourceError::Broken(_))) => {}
        (whole, pieces) => {
            let (whole, pieces) = (whole.as_ref().err(), pieces.as_ref().err());
            assert_eq!(whole, pieces, "pieces change the end");
        }
    }
}

fn is_zstd(file: &[u8]) -> bool {
    file.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) || file.get(1..4) == Some(&[0x2A, 0x4D, 0x18])
}

fn open(file: &[u8], step: usize) -> Unpacked<Slice<'_>> {
    let source = Slice {
        bytes: file,
        at: 0,
        step,
    };
    Unpacked::new(source, LIMIT)
}

fn read(source: &mut Unpacked<Slice<'_>>) -> Text {
    let mut text = BytesMut::new();
    while source.fill(&mut text)? > 0 {}
    Ok(text.to_vec())
}

/// The upload, and the text in it when that is known.
fn pack(packing: u8, bytes: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let is_marked = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let known = (!is_marked).then(|| bytes.to_vec());
    let text = String::from_utf8_lossy(bytes);
    let marked = || format!("\u{feff}{text}").into_bytes();
    match packing % 7 {
        0 => (bytes.to_vec(), None),
        1 => (gzip(bytes), known),
        2 => (zstd_of(bytes), known),
        3 => {
            let (head, tail) = bytes.split_at(bytes.len() / 2);
            ([gzip(head), gzip(b""), gzip(tail)].concat(), known)
        }
        4 => {
            let (head, tail) = bytes.split_at(bytes.len() / 3);
            ([zstd_of(head), zstd_of(tail)].concat(), known)
        }
        5 => (utf16(&text), Some(marked())),
        _ => (gzip(&utf16(&text)), Some(marked())),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.unwrap_or_default()
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap_or_default()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}
