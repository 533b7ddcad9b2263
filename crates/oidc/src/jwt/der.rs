//! The little of DER (X.690) that keys and certificates need: elements are split off or joined.
//!
//! Reading takes strangers' bytes: each step either splits within the input or says no. What the
//! numbers mean is the crypto library's to judge.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8: u8 = 0x0c;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(super) const CONTEXT: u8 = 0xa0;

/// `rsaEncryption`, `id-ecPublicKey` and the two curves.
pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
pub(super) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(super) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
pub(super) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// What is left to read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// Splits off the next element, which must have this tag: its content.
    pub fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (content, rest) = element(tag, self.0)?;
        self.0 = rest;
        Some(content)
    }

    /// Splits off the next element with its tag and length.
    pub fn take_whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let before = self.0;
        self.take(tag)?;
        before.get(..before.len().checked_sub(self.0.len())?)
    }

    /// The tag of the next element.
    pub fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Nothing must be left.
    pub fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Modulus and exponent of `SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 §A.1.1),
/// big-endian without leading zeros as JWK wants them (RFC 7518 §6.3.1).
pub(super) fn modulus_and_exponent(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Reader(der);
    let mut body = Reader(outer.take(SEQUENCE)?);
    let (modulus, exponent) = (body.take(INTEGER)?, body.take(INTEGER)?);
    outer.end().and(body.end())?;
    Some((unsigned(modulus), unsigned(exponent)))
}

/// Splits off one element with the given tag: its content, and what follows.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, input) = input.split_first()?;
    let (&length, input) = input.split_first()?;
    let (length, input) = match length {
        0..=0x7f => (usize::from(length), input),
        0x81..=0x84 => {
            let (digits, input) = input.split_at_checked(usize::from(length & 0x7f))?;
            let length = digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            (length, input)
        }
        _ => return None,
    };
    (found == tag)
        .then(|| input.split_at_checked(length))
        .flatten()
}

/// A number without the zeros in front.
pub(super) fn unsigned(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// One element made of its parts.
pub(super) fn join(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let digits = content.len().to_be_bytes();
    let digits = unsigned(&digits);
    let mut whole = vec![tag];
    match (content.len(), u8::try_from(digits.len())) {
        (length @ 0..=0x7f, _) => whole.push(u8::try_from(length).unwrap_or_default()),
        (_, count) => {
            whole.push(0x80 | count.unwrap_or_default());
            whole.extend_from_slice(digits);
        }
    }
    whole.extend_from_slice(&content);
    whole
}

/// A number that is not negative.
pub(super) fn integer(number: &[u8]) -> Vec<u8> {
    match unsigned(number) {
        digits @ [0..=0x7f, ..] => join(INTEGER, &[digits]),
        digits => join(INTEGER, &[&[0], digits]),
    }
}
