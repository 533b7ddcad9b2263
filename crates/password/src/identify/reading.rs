//! How a stored value may be read: where its hash and its salt are, and in which letters.
//!
//! A reading is found on one sample and applied to all of them, so it says how and not what.

use serde_json::{Map, Value, json};

use super::Sample;
use crate::encoding::{SecretBytes, TextEncoding, to_base64};

/// Where the hash and the salt are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// The value is the hash; a salt stands in a column of its own.
    Whole,
    /// `hash:salt`.
    HashFirst(char),
    /// `salt:hash`.
    SaltFirst(char),
    /// The bytes of the hash, then those of the salt.
    Head(usize),
    /// The bytes of the salt, then those of the hash.
    Tail(usize),
    /// The letters of the salt, then those of a hash in hex.
    TailLetters(usize),
    /// The letters of a hash in hex, then those of the salt.
    HeadLetters(usize),
}

/// Letters of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    Hex,
    Base64,
    /// passlib's base64 with a dot for the plus.
    Dotted,
}

impl Letters {
    fn decode(self, text: &str) -> Option<SecretBytes> {
        match self {
            Self::Hex => TextEncoding::Hex.decode("", text).ok(),
            Self::Base64 => TextEncoding::Base64.decode("", text).ok(),
            Self::Dotted if text.contains('.') => TextEncoding::Base64
                .decode("", &text.replace('.', "+"))
                .ok(),
            Self::Dotted => None,
        }
    }
}

/// One way to read a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) split: Split,
    pub(super) hash: Letters,
    /// How the salt's text becomes bytes.
    pub(super) salt: TextEncoding,
}

/// A value that was read.
pub(super) struct Parts {
    pub(super) hash: SecretBytes,
    pub(super) salt: Option<SecretBytes>,
    record: Map<String, Value>,
}

impl Reading {
    /// The parts of a sample; `None` when it can't be read so.
    pub(super) fn read(self, sample: &Sample) -> Option<Parts> {
        let text = sample.hash.expose().trim();
        let column = sample.salt.as_deref();
        let (hash_text, salt_text) = match self.split {
            Split::Whole => (text, column),
            Split::HashFirst(mark) => {
                let (hash, salt) = text.split_once(mark)?;
                (hash, Some(salt))
            }
            Split::SaltFirst(mark) => {
                let (salt, hash) = text.rsplit_once(mark)?;
                (hash, Some(salt))
            }
            Split::Head(size) | Split::Tail(size) => return self.cut(text, size),
            Split::TailLetters(size) => {
                let (salt, hash) = text.split_at_checked(text.len().checked_sub(size * 2)?)?;
                (hash, Some(salt))
            }
            Split::HeadLetters(size) => {
                let (hash, salt) = text.split_at_checked(size * 2)?;
                (hash, Some(salt))
            }
        };
        let hash = self.hash.decode(hash_text)?;
        let salt = match salt_text {
            None | Some("") => None,
            Some(text) => Some((text, self.salt.decode("", text).ok()?)),
        };
        let mut record = Map::new();
        let written = match self.hash {
            Letters::Hex => json!({"value": hash_text, "encoding": "hex"}),
            Letters::Base64 => json!({"value": hash_text, "encoding": "base64"}),
            Letters::Dotted => json!({"value": *to_base64(&hash), "encoding": "base64"}),
        };
        record.insert("hash".into(), written);
        if let Some((text, _)) = &salt {
            let encoding = encoding_name(self.salt);
            record.insert("salt".into(), json!({"value": text, "encoding": encoding}));
        }
        Some(Parts {
            hash,
            salt: salt.map(|(_, bytes)| bytes),
            record,
        })
    }

    fn cut(self, text: &str, size: usize) -> Option<Parts> {
        let bytes = self.hash.decode(text)?;
        let (hash, salt) = match self.split {
            Split::Tail(_) => {
                let (salt, hash) = bytes.split_at_checked(bytes.len().checked_sub(size)?)?;
                (hash, salt)
            }
            _ => bytes.split_at_checked(size)?,
        };
        if salt.is_empty() {
            return None;
        }
        let member = |bytes: &[u8]| json!({"value": *to_base64(bytes), "encoding": "base64"});
        let mut record = Map::new();
        record.insert("hash".into(), member(hash));
        record.insert("salt".into(), member(salt));
        Some(Parts {
            hash: hash.to_vec().into(),
            salt: Some(salt.to_vec().into()),
            record,
        })
    }

    /// What the file has to do with a value, in words.
    pub(super) fn in_words(self) -> Option<String> {
        let words = match self.split {
            Split::Whole => None,
            Split::HashFirst(mark) => Some(format!("the value is hash{mark}salt")),
            Split::SaltFirst(mark) => Some(format!("the value is salt{mark}hash")),
            Split::Head(size) => Some(format!(
                "the value is {size} bytes of hash and then the salt"
            )),
            Split::Tail(size) => Some(format!("the value is a salt and then {size} bytes of hash")),
            Split::TailLetters(size) => Some(format!(
                "the value is a salt and then {} hex letters of hash",
                size * 2
            )),
            Split::HeadLetters(size) => Some(format!(
                "the value is {} hex letters of hash and then the salt",
                size * 2
            )),
        };
        match (words, self.hash) {
            (None, Letters::Dotted) => Some("the value is base64 with . in place of +".to_owned()),
            (words, _) => words,
        }
    }
}

impl Parts {
    /// The members `hash` and `salt` of a `custom_password_hash`.
    pub(super) fn record(&self) -> Map<String, Value> {
        self.record.clone()
    }
}

/// Sizes of digests.
const SIZES: [usize; 6] = [32, 20, 16, 64, 48, 28];
const MARKS: [char; 8] = [':', '$', '|', ',', ';', '#', '.', '-'];

/// Where the hash of a sample may be.
fn splits(sample: &Sample) -> Vec<Split> {
    let text = sample.hash.expose().trim();
    let is_hex = |text: &str| {
        text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let mut splits = vec![Split::Whole];
    if sample.salt.is_none() {
        for mark in MARKS.into_iter().filter(|mark| text.contains(*mark)) {
            splits.extend([Split::HashFirst(mark), Split::SaltFirst(mark)]);
        }
        let decoded = Letters::Hex
            .decode(text)
            .or_else(|| Letters::Base64.decode(text));
        if let Some(bytes) = &decoded
            && !SIZES.contains(&bytes.len())
        {
            for size in SIZES.into_iter().filter(|size| *size < bytes.len()) {
                splits.extend([Split::Head(size), Split::Tail(size)]);
            }
        }
        for size in SIZES.into_iter().filter(|size| size * 2 < text.len()) {
            let at = text.len() - size * 2;
            if text.get(at..).is_some_and(is_hex) {
                splits.push(Split::TailLetters(size));
            }
            if text.get(..size * 2).is_some_and(is_hex) {
                splits.push(Split::HeadLetters(size));
            }
        }
    }
    splits
}

/// Every reading that fits the first sample, likely ones first.
pub(super) fn readings(sample: &Sample) -> Vec<Reading> {
    let splits = splits(sample);
    let mut readings = Vec::new();
    let mut seen: Vec<(SecretBytes, Option<SecretBytes>)> = Vec::new();
    for split in splits {
        for hash in [Letters::Hex, Letters::Base64, Letters::Dotted] {
            for salt in [TextEncoding::Utf8, TextEncoding::Hex, TextEncoding::Base64] {
                let reading = Reading { split, hash, salt };
                let Some(parts) = reading.read(sample).filter(|parts| parts.hash.len() >= 8) else {
                    continue;
                };
                // Hex letters are base64 letters too, and mean hex.
                let in_hex = |reading: Reading| reading.read(sample).is_some();
                let shadowed = hash != Letters::Hex
                    && in_hex(Reading {
                        hash: Letters::Hex,
                        ..reading
                    })
                    || salt == TextEncoding::Base64
                        && in_hex(Reading {
                            salt: TextEncoding::Hex,
                            ..reading
                        });
                let both = (parts.hash, parts.salt);
                if !shadowed && !seen.contains(&both) {
                    seen.push(both);
                    readings.push(reading);
                }
            }
        }
    }
    // Where one part has a digest's size, what has not is the salt.
    let has_size = |reading: &Reading| {
        let parts = reading.read(sample);
        parts.is_some_and(|parts| SIZES.contains(&parts.hash.len()))
    };
    if readings.iter().any(has_size) {
        readings.retain(has_size);
    }
    readings
}

impl Reading {
    /// The salt's bytes alone.
    pub(super) fn salt_of(self, sample: &Sample) -> Option<SecretBytes> {
        self.salt.decode("", sample.salt.as_deref()?).ok()
    }

    /// The members of a hash that is a string of its own.
    pub(super) fn string_record(self, sample: &Sample) -> Option<Map<String, Value>> {
        let mut record = Map::new();
        let text = sample.hash.expose().trim();
        record.insert("hash".into(), json!({"value": text, "encoding": "utf8"}));
        if let Some(text) = sample.salt.as_deref() {
            self.salt.decode("", text).ok()?;
            record.insert(
                "salt".into(),
                json!({"value": text, "encoding": encoding_name(self.salt)}),
            );
        }
        Some(record)
    }
}

/// The readings of a string's salt column.
pub(super) fn of_strings(sample: &Sample) -> Vec<Reading> {
    let all = [TextEncoding::Utf8, TextEncoding::Hex, TextEncoding::Base64];
    let count = if sample.salt.is_some() { 3 } else { 1 };
    let readings = all.into_iter().take(count).map(|salt| Reading {
        split: Split::Whole,
        hash: Letters::Hex,
        salt,
    });
    readings
        .filter(|reading| sample.salt.is_none() || reading.salt_of(sample).is_some())
        .collect()
}

fn encoding_name(encoding: TextEncoding) -> &'static str {
    match encoding {
        TextEncoding::Hex => "hex",
        TextEncoding::Base64 => "base64",
        TextEncoding::Utf8 => "utf8",
    }
}
