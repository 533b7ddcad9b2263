//! A text with its digest taken out: what may be kept beside a slow hash of that digest.
//!
//! Every format spells its digest in one of a few ways, so the digest that was read is looked for in
//! the text and zeros are put in its place. Who uses the result reads it again and sees that nothing
//! else has changed; a spelling that is not found is refused.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::encoding::{from_base64, to_base64};

type Text = Zeroizing<String>;

/// What stands for a digest that is kept as letters of crypt(3).
const NO_LETTER: u8 = b'.';

/// Whether a digest is what [`blanked`] leaves.
pub(crate) fn is_blank(digest: &[u8]) -> bool {
    !digest.is_empty()
        && [0, NO_LETTER]
            .iter()
            .any(|nothing| digest.iter().all(|byte| byte == nothing))
}

/// The text with zeros for its digest; `None` when the digest is not found.
pub(crate) fn blanked(text: &str, digest: &[u8]) -> Option<Text> {
    let text = without_second(text);
    if digest.is_empty() {
        return None;
    }
    in_letters(text, digest)
        .or_else(|| in_hex(text, digest))
        .or_else(|| in_base64(text, digest))
        .or_else(|| in_base64_of_hex(text, digest))
        .or_else(|| in_front_of_salt(text, digest))
}

/// Some texts hold a second digest of the password, which nobody needs: SQL Server 2000's of the
/// capitals, Oracle's beside `S:`.
fn without_second(text: &str) -> &str {
    /// Version, salt and one SHA-1 in hex.
    const ONE: usize = 2 + 2 * (2 + 4 + 20);
    if text.starts_with("0x0100") {
        return text.get(..ONE).unwrap_or(text);
    }
    let is_oracles = text.starts_with("S:") || text.contains(";S:");
    let part = text.split(';').find(|part| part.starts_with("S:"));
    part.filter(|_| is_oracles).unwrap_or(text)
}

/// Every place of `needle`, replaced by something of the same length.
fn replaced(text: &str, found_in: &str, needle: &str, with: &str) -> Option<Text> {
    let mut places = found_in.match_indices(needle).peekable();
    places.peek()?;
    let mut blank = Zeroizing::new(text.to_owned());
    for (at, _) in places {
        let range = at..at.checked_add(needle.len())?;
        blank.get(range.clone())?;
        blank.replace_range(range, with);
    }
    Some(blank)
}

fn in_letters(text: &str, digest: &[u8]) -> Option<Text> {
    let letters = std::str::from_utf8(digest).ok()?;
    let is_written = letters.bytes().all(|letter| letter.is_ascii_graphic());
    let nothing = char::from(NO_LETTER).to_string().repeat(letters.len());
    is_written.then(|| replaced(text, text, letters, &nothing))?
}

fn in_hex(text: &str, digest: &[u8]) -> Option<Text> {
    let hex = Zeroizing::new(hex::encode(digest));
    let folded = Zeroizing::new(text.to_ascii_lowercase());
    replaced(text, &folded, &hex, &"0".repeat(hex.len()))
}

fn in_base64(text: &str, digest: &[u8]) -> Option<Text> {
    [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD]
        .iter()
        .find_map(|base64| {
            let needle = Zeroizing::new(base64.encode(digest));
            replaced(text, text, &needle, &"A".repeat(needle.len()))
        })
}

/// Ory Kratos's HMACs.
fn in_base64_of_hex(text: &str, digest: &[u8]) -> Option<Text> {
    let spelt = |digest: &[u8]| {
        let hex = Zeroizing::new(hex::encode(digest));
        Zeroizing::new(BASE64_STANDARD.encode(hex.as_bytes()))
    };
    let nothing = spelt(&vec![0; digest.len()]);
    replaced(text, text, &spelt(digest), &nothing)
}

/// LDAP's: the digest, then the salt, in one piece of base64 behind a scheme in braces.
fn in_front_of_salt(text: &str, digest: &[u8]) -> Option<Text> {
    let (scheme, base64) = text.split_once('}')?;
    let mut bytes = Zeroizing::new(from_base64(base64)?);
    if !bytes.starts_with(digest) {
        return None;
    }
    bytes
        .iter_mut()
        .take(digest.len())
        .for_each(|byte| *byte = 0);
    Some(Zeroizing::new(format!("{scheme}}}{}", *to_base64(&bytes))))
}
