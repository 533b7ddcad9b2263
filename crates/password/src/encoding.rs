//! How bytes are written as text (`hex`, `base64`, `utf8`), and how a typed password becomes
//! bytes (`password.encoding`, Node's `Buffer.from(text, encoding)`).
//!
//! Hex is taken in both cases; base64 standard or URL-safe, padded or not. Node skips what it
//! cannot decode; here it is refused, because a hash read by halves never verifies.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use domain::RowError;
use zeroize::Zeroizing;

use crate::refusal;

/// Bytes that must be wiped: digests, salts, keys, encoded passwords.
pub(crate) type SecretBytes = Zeroizing<Vec<u8>>;

const HEX_PATTERN: &str = "^([0-9A-Fa-f]{2})*$";
const BASE64_PATTERN: &str = "^[A-Za-z0-9+/_-]*={0,2}$";

// Some exporters leave the unused low bits of the last letter set; the bytes are the same.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The encoding of a hash, a salt or a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextEncoding {
    Base64,
    Hex,
    Utf8,
}

impl TextEncoding {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "base64" => Some(Self::Base64),
            "hex" => Some(Self::Hex),
            "utf8" => Some(Self::Utf8),
            _ => None,
        }
    }

    /// The canonical name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Utf8 => "utf8",
        }
    }

    /// The bytes behind the text; `path` names the member in a refusal.
    pub(crate) fn decode(self, path: &str, text: &str) -> Result<SecretBytes, RowError> {
        let (bytes, shape) = match self {
            Self::Utf8 => (Some(text.as_bytes().to_vec()), ""),
            Self::Hex => (hex::decode(text).ok(), HEX_PATTERN),
            Self::Base64 => (from_base64(text), BASE64_PATTERN),
        };
        bytes
            .map(Zeroizing::new)
            .ok_or_else(|| refusal::pattern(path, shape))
    }
}

/// Either alphabet, padded or not; not a mixture of both alphabets.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let url_safe = text.bytes().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url_safe { &BASE64_URL } else { &BASE64 };
    engine.decode(text).ok()
}

/// Standard base64, padded: how canonical records write bytes.
pub(crate) fn to_base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE64_STANDARD.encode(bytes))
}

/// The "B64" of PHC strings: standard alphabet, no padding, no stray bits.
pub(crate) fn from_phc(text: &str) -> Option<SecretBytes> {
    BASE64_STANDARD_NO_PAD.decode(text).ok().map(Zeroizing::new)
}

/// The inverse of [`from_phc`].
pub(crate) fn to_phc(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(bytes))
}

/// A decimal number of a PHC string: digits only, no leading zero. A number too large for 64 bits
/// saturates, so that it meets its ceiling rather than a parse error.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    (digits && !leading_zero).then(|| text.parse().unwrap_or(u64::MAX))
}

/// How the typed password becomes bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PasswordEncoding {
    #[default]
    Utf8,
    /// `utf16le` and `ucs2`: UTF-16 code units, low byte first, no mark in front.
    Utf16Le,
    /// `latin1`, `binary` and `ascii`: the low byte of each UTF-16 code unit. Node encodes
    /// `ascii` exactly as `latin1`; the two differ in decoding only.
    Latin1,
}

impl PasswordEncoding {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "utf8" => Some(Self::Utf8),
            "utf16le" | "ucs2" => Some(Self::Utf16Le),
            "latin1" | "binary" | "ascii" => Some(Self::Latin1),
            _ => None,
        }
    }

    /// The canonical name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf8",
            Self::Utf16Le => "utf16le",
            Self::Latin1 => "latin1",
        }
    }

    pub(crate) fn encode(self, password: &str) -> SecretBytes {
        // Reserved in one piece: a growing buffer would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(password.len() * 2));
        match self {
            Self::Utf8 => bytes.extend_from_slice(password.as_bytes()),
            Self::Utf16Le => bytes.extend(password.encode_utf16().flat_map(u16::to_le_bytes)),
            Self::Latin1 => {
                bytes.extend(password.encode_utf16().map(|unit| unit.to_le_bytes()[0]));
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_have_one_spelling() {
        assert_eq!(decimal("100000"), Some(100_000));
        assert_eq!(decimal("99999999999999999999999"), Some(u64::MAX));
        for wrong in ["", "+1", "-1", "01", "1 ", "0x1"] {
            assert_eq!(decimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn latin1_keeps_the_low_byte_of_each_code_unit() {
        // Buffer.from('é€😀', 'latin1') in Node is e9 ac 3d 00.
        assert_eq!(
            *PasswordEncoding::Latin1.encode("é€😀"),
            [0xe9, 0xac, 0x3d, 0x00]
        );
    }
}
