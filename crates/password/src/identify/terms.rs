//! What compositions are made of: the password in its spellings and nestings, and what may stand
//! beside it.

use crate::encoding::SecretBytes;
use crate::recipe::{Inputs, evaluate};

/// A piece of a recipe and its value.
#[derive(Clone)]
pub(super) struct Term {
    pub(super) text: String,
    pub(super) bytes: SecretBytes,
}

/// The pieces.
pub(super) struct Ground {
    /// The password: as it is, in UTF-16, trimmed, ….
    pub(super) plain: Vec<Term>,
    /// One digest over it.
    pub(super) hashed: Vec<Term>,
    /// Two digests, or one under a key.
    pub(super) twice: Vec<Term>,
    /// Salt, pepper, username, e-mail, id.
    pub(super) sides: Vec<Term>,
    /// The same, hashed or in other letters: rarer.
    pub(super) rare: Vec<Term>,
    /// Everything in UTF-16: the password first, then the sides.
    pub(super) wide: Vec<Term>,
}

/// What stands between pieces.
pub(super) const MARKS: [&str; 16] = [
    "", ":", "-", "--", "$", ".", "|", "_", " ", "@", "/", ",", "#", ";", "\n", "\0",
];
/// The common ones.
pub(super) const COMMON_MARKS: [&str; 5] = ["", ":", "-", "--", "|"];

const COMMON: [&str; 4] = ["md5", "sha1", "sha256", "sha512"];
const ALL: [&str; 9] = [
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "sha384",
    "sha224",
    "md4",
    "ripemd160",
    "whirlpool",
];

/// What may stand beside a password.
const SIDES: [&str; 8] = [
    "salt",
    "pepper",
    "username",
    "lower(username)",
    "email",
    "lower(email)",
    "user_id",
    "upper(username)",
];
/// The same, rarer.
const RARE: [&str; 11] = [
    "'{' + salt + '}'",
    "md5hex(salt)",
    "sha1hex(salt)",
    "md5(salt)",
    "hex(salt)",
    "HEX(salt)",
    "b64(salt)",
    "sha256hex(salt)",
    "md5hex(pepper)",
    "md5hex(lower(username))",
    "md5hex(email)",
];
/// Everything in UTF-16.
const WIDE: [&str; 5] = [
    "utf16le(password)",
    "utf16le(text(salt))",
    "utf16le(pepper)",
    "utf16le(username)",
    "utf16le(email)",
];

/// A digest in its four spellings.
fn spelt(digest: &str, value: &str) -> [String; 4] {
    [
        format!("{digest}hex({value})"),
        format!("{digest}({value})"),
        format!("{digest}HEX({value})"),
        format!("{digest}b64({value})"),
    ]
}

/// Terms without two of equal value: the simpler text comes first and stays.
fn terms<S: AsRef<str>>(texts: impl IntoIterator<Item = S>, inputs: &Inputs<'_>) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for text in texts {
        let text = text.as_ref();
        let Some(bytes) = evaluate(text, inputs) else {
            continue;
        };
        if !bytes.is_empty() && terms.iter().all(|term| term.bytes != bytes) {
            terms.push(Term {
                text: text.to_owned(),
                bytes,
            });
        }
    }
    terms
}

impl Ground {
    pub(super) fn new(inputs: &Inputs<'_>) -> Self {
        let plain = terms(
            [
                "password",
                "utf16le(password)",
                "trim(password)",
                "lower(password)",
                "upper(password)",
                "nfc(password)",
                "nfkc(password)",
                "latin1(password)",
            ],
            inputs,
        );
        let hashed = ["password", "utf16le(password)"]
            .iter()
            .flat_map(|value| ALL.iter().flat_map(move |digest| spelt(digest, value)));
        let mut twice = Vec::new();
        for outer in COMMON {
            for inner in COMMON {
                twice.push(format!("{outer}hex({inner}hex(password))"));
                twice.push(format!("{outer}({inner}(password))"));
                twice.push(format!("{outer}hex({inner}(password))"));
            }
        }
        let sides = terms(SIDES, inputs);
        for side in &sides {
            for digest in ["sha256", "sha512", "sha1", "md5"] {
                twice.extend(spelt(
                    &format!("hmac_{digest}"),
                    &format!("{}, password", side.text),
                ));
            }
        }
        Self {
            plain,
            hashed: terms(hashed, inputs),
            twice: terms(twice, inputs),
            rare: terms(RARE, inputs)
                .into_iter()
                .filter(|term| sides.iter().all(|side| side.bytes != term.bytes))
                .collect(),
            wide: terms(WIDE, inputs),
            sides,
        }
    }
}

/// A mark as a recipe writes it.
pub(super) fn quoted(mark: &str) -> &'static str {
    match mark {
        ":" => "':'",
        "-" => "'-'",
        "--" => "'--'",
        "$" => "'$'",
        "." => "'.'",
        "|" => "'|'",
        "_" => "'_'",
        " " => "' '",
        "@" => "'@'",
        "/" => "'/'",
        "," => "','",
        "#" => "'#'",
        ";" => "';'",
        "\n" => "'\\n'",
        "\0" => "'\\0'",
        _ => "''",
    }
}

/// Pieces in order with a mark between them, as a recipe.
pub(super) fn joined_text(pieces: &[(&str, &[u8])], mark: &str) -> String {
    let between = if mark.is_empty() {
        " + ".to_owned()
    } else {
        format!(" + {} + ", quoted(mark))
    };
    let texts: Vec<&str> = pieces.iter().map(|(text, _)| *text).collect();
    texts.join(&between)
}

/// The same as bytes, into a buffer.
pub(super) fn join(pieces: &[(&str, &[u8])], mark: &str, buffer: &mut SecretBytes) {
    buffer.clear();
    for (place, (_, bytes)) in pieces.iter().enumerate() {
        if place > 0 {
            buffer.extend_from_slice(mark.as_bytes());
        }
        buffer.extend_from_slice(bytes);
    }
}

/// Every order of the pieces.
pub(super) fn orders<'p>(pieces: &[(&'p str, &'p [u8])]) -> Vec<Vec<(&'p str, &'p [u8])>> {
    let Some((first, rest)) = pieces.split_first() else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in orders(rest) {
        for place in (0..=order.len()).rev() {
            let mut longer = order.clone();
            longer.insert(place, *first);
            all.push(longer);
        }
    }
    all
}
