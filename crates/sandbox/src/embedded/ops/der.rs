//! As much DER as certificates and keys need: reading and writing of tagged, counted bytes.

/// Tags.
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OID: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;

/// One element: its tag, what it holds, and all of it with its head.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    pub tag: u8,
    pub inside: &'a [u8],
    pub whole: &'a [u8],
}

/// Reads elements one after the other.
#[derive(Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next element; `None` at the end and where there is none.
    pub fn next(&mut self) -> Option<Element<'a>> {
        let all = self.0;
        let (&tag, rest) = all.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first & 0x7f);
        if first & 0x80 != 0 {
            let count = length;
            if count == 0 || count > 4 {
                return None;
            }
            length = 0;
            for _ in 0..count {
                let (&byte, left) = rest.split_first()?;
                length = length << 8 | usize::from(byte);
                rest = left;
            }
        }
        let (inside, after) = rest.split_at_checked(length)?;
        let whole = all.get(..all.len() - after.len())?;
        self.0 = after;
        Some(Element { tag, inside, whole })
    }

    /// The next element, which must have a tag.
    pub fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// A reader of what the next element holds, which must have a tag.
    pub fn enter(&mut self, tag: u8) -> Option<Reader<'a>> {
        self.take(tag).map(|element| Reader(element.inside))
    }
}

/// An element of a tag and the parts it holds.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        bytes.push(short);
    } else {
        let digits = length.to_be_bytes();
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        let digits = digits.get(leading..).unwrap_or_default();
        bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
        bytes.extend_from_slice(digits);
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A positive integer of big-endian bytes.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let leading = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(leading..).unwrap_or_default();
    match digits.first() {
        None => element(INTEGER, &[&[0]]),
        Some(0x80..) => element(INTEGER, &[&[0], digits]),
        Some(_) => element(INTEGER, &[digits]),
    }
}

/// Whether a certificate names itself as its issuer.
pub fn is_self_issued(certificate: &[u8]) -> bool {
    issuer_and_subject(certificate).is_some_and(|(issuer, subject)| issuer == subject)
}

fn issuer_and_subject(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut body = Reader(certificate).enter(SEQUENCE)?.enter(SEQUENCE)?;
    let mut first = body.next()?;
    if first.tag == 0xa0 {
        first = body.next()?;
    }
    // Serial number, then the signature's algorithm.
    if first.tag != INTEGER {
        return None;
    }
    body.take(SEQUENCE)?;
    let issuer = body.take(SEQUENCE)?;
    body.take(SEQUENCE)?;
    let subject = body.take(SEQUENCE)?;
    Some((issuer.inside, subject.inside))
}
