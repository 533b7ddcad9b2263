//! Slow functions: PBKDF2 of every count at once, scrypt by a grid, and strings of bcrypt, argon2
//! and others behind something that was done to the password first.

use ::scrypt::Params;
use zeroize::Zeroizing;

use super::probe::{DIGESTS, Probe};
use super::terms::{Ground, Term, join, joined_text, orders};
use crate::digest::Digest;
use crate::encoding::SecretBytes;
use crate::recipe::{Inputs, evaluate};

/// Passwords as slow functions take them.
fn passwords(ground: &Ground) -> Vec<(String, SecretBytes)> {
    let mut all: Vec<(String, SecretBytes)> = Vec::new();
    let mut add = |text: String, bytes: SecretBytes| {
        if all.iter().all(|(_, known)| *known != bytes) {
            all.push((text, bytes));
        }
    };
    for term in ground.plain.iter().take(1) {
        add(term.text.clone(), term.bytes.clone());
        for side in ground.sides.iter().filter(|side| side.text == "pepper") {
            both_orders(term, side, &mut add);
        }
    }
    for term in ground.plain.iter().skip(1) {
        add(term.text.clone(), term.bytes.clone());
    }
    let hashed = [
        "sha256hex(password)",
        "md5hex(password)",
        "sha1hex(password)",
        "sha512hex(password)",
        "sha256(password)",
        "sha512(password)",
    ];
    for term in ground
        .hashed
        .iter()
        .filter(|term| hashed.contains(&term.text.as_str()))
    {
        add(term.text.clone(), term.bytes.clone());
    }
    for term in ground
        .twice
        .iter()
        .filter(|term| term.text.starts_with("hmac_sha256") && term.text.contains("(pepper"))
    {
        add(term.text.clone(), term.bytes.clone());
    }
    all
}

fn both_orders(term: &Term, side: &Term, add: &mut dyn FnMut(String, SecretBytes)) {
    let pieces: [(&str, &[u8]); 2] = [(&term.text, &term.bytes), (&side.text, &side.bytes)];
    for order in orders(&pieces) {
        let mut bytes = SecretBytes::default();
        join(&order, "", &mut bytes);
        add(joined_text(&order, ""), bytes);
    }
}

/// Salts as slow functions take them.
fn salts(ground: &Ground) -> Vec<(String, SecretBytes)> {
    let mut all: Vec<(String, SecretBytes)> = Vec::new();
    let mut add = |text: String, bytes: SecretBytes| {
        if all.iter().all(|(_, known)| *known != bytes) {
            all.push((text, bytes));
        }
    };
    let (salt, others): (Vec<&Term>, Vec<&Term>) =
        ground.sides.iter().partition(|side| side.text == "salt");
    for term in &salt {
        add(term.text.clone(), term.bytes.clone());
        for other in &others {
            both_orders(term, other, &mut add);
        }
        for term in ground
            .rare
            .iter()
            .filter(|term| ["hex(salt)", "b64(salt)"].contains(&term.text.as_str()))
        {
            add(term.text.clone(), term.bytes.clone());
        }
    }
    for term in &others {
        add(term.text.clone(), term.bytes.clone());
    }
    all
}

/// Whether slow functions are mostly given such a password.
fn is_likely(password: &str) -> bool {
    password == "password" || password.contains(" + ")
}

/// PBKDF2 under one digest: each chain is walked once, and whatever its count is, the target is met
/// on the way.
pub(super) fn pbkdf2(
    ground: &Ground,
    digest: Digest,
    iterations: u32,
    is_wide: bool,
    probe: &mut Probe<'_>,
) {
    let (passwords, salts) = (passwords(ground), salts(ground));
    for (password, key) in &passwords {
        for (place, (salt, bytes)) in salts.iter().enumerate() {
            let is_likely = place == 0 && is_likely(password);
            if is_likely == is_wide {
                continue;
            }
            if probe.is_late() {
                return;
            }
            let size = probe.target.len();
            let mut found = None;
            digest.pbkdf2_rounds(key, bytes, iterations, &mut |round, block| {
                if probe.is_first_block(block) {
                    found = Some(round);
                }
                found.is_none() && !probe.is_over()
            });
            if let Some(round) = found {
                let name = digest.name();
                let recipe = format!("pbkdf2_{name}({password}, {salt}, {round}, {size})");
                probe.hit(size, &recipe);
            }
        }
    }
}

/// log₂ N, r, p as they are met.
const SCRYPT: [(u8, u32, u32); 16] = [
    (14, 8, 1),
    (15, 8, 1),
    (14, 16, 1),
    (16, 8, 1),
    (12, 8, 1),
    (10, 8, 1),
    (13, 8, 1),
    (11, 8, 1),
    (14, 8, 5),
    (15, 8, 3),
    (17, 8, 1),
    (10, 8, 2),
    (14, 8, 2),
    (12, 8, 2),
    (14, 1, 1),
    (10, 1, 1),
];

/// scrypt by the usual parameters.
pub(super) fn scrypt(ground: &Ground, is_wide: bool, probe: &mut Probe<'_>) {
    let size = probe.target.len();
    let (passwords, salts) = (passwords(ground), salts(ground));
    for (log_n, r, p) in SCRYPT {
        for (password, key) in passwords.iter().filter(|(text, _)| is_likely(text)) {
            for (place, (salt, bytes)) in salts.iter().take(3).enumerate() {
                let is_first = password == "password" && place == 0;
                if is_first == is_wide {
                    continue;
                }
                if probe.is_late() {
                    return;
                }
                let mut output: SecretBytes = Zeroizing::new(vec![0; size]);
                let made = Params::new(log_n, r, p)
                    .is_ok_and(|params| ::scrypt::scrypt(key, bytes, &params, &mut output).is_ok());
                if made && probe.is_hit(&output) {
                    let n = 1_u64 << log_n;
                    probe.hit(
                        size,
                        &format!("scrypt({password}, {salt}, {n}, {r}, {p}, {size})"),
                    );
                }
            }
        }
    }
}

/// Digests over the password and one thing beside it.
fn salted(given: &[&str]) -> Vec<String> {
    let mut texts = Vec::new();
    for digest in ["sha256", "sha512", "sha384", "sha1", "md5"] {
        texts.push(format!("{digest}b64(password)"));
        for side in given {
            for message in [format!("password + {side}"), format!("{side} + password")] {
                texts.push(format!("{digest}hex({message})"));
                texts.push(format!("{digest}b64({message})"));
            }
            for spelling in ["hex", "b64", ""] {
                texts.push(format!("hmac_{digest}{spelling}({side}, password)"));
            }
            texts.push(format!("{digest}hex({digest}hex(password) + {side})"));
            texts.push(format!("{digest}hex({side} + {digest}hex(password))"));
            texts.push(format!("{digest}hex(password) + {side}"));
            texts.push(format!("{side} + {digest}hex(password)"));
        }
    }
    texts
}

/// What may have been done to a password before a hash string was made of it, likely things first.
pub(super) fn prehashes(inputs: &Inputs<'_>) -> Vec<(String, SecretBytes)> {
    let mut texts: Vec<String> = [
        "password",
        "sha256hex(password)",
        "md5hex(password)",
        "sha1hex(password)",
        "sha512hex(password)",
    ]
    .map(str::to_owned)
    .into();
    let given: Vec<&str> = [
        ("pepper", inputs.pepper),
        ("salt", inputs.salt),
        ("lower(username)", inputs.username),
        ("username", inputs.username),
        ("email", inputs.email),
        ("user_id", inputs.user_id),
    ]
    .into_iter()
    .filter(|(_, bytes)| !bytes.is_empty())
    .map(|(name, _)| name)
    .collect();
    for side in &given {
        texts.push(format!("password + {side}"));
        texts.push(format!("{side} + password"));
    }
    texts.extend(salted(&given));
    for digest in DIGESTS {
        let name = digest.name();
        for spelling in ["hex", "HEX", "", "b64"] {
            texts.push(format!("{name}{spelling}(password)"));
        }
    }
    for outer in ["md5", "sha1", "sha256", "sha512"] {
        for inner in ["md5", "sha1", "sha256", "sha512"] {
            texts.push(format!("{outer}hex({inner}hex(password))"));
        }
    }
    for text in [
        "trim(password)",
        "lower(password)",
        "upper(password)",
        "nfc(password)",
        "nfkc(password)",
        "utf16le(password)",
        "latin1(password)",
        "md5hex(lower(password))",
    ] {
        texts.push(text.to_owned());
    }
    let mut all: Vec<(String, SecretBytes)> = Vec::new();
    for text in texts {
        if let Some(bytes) = evaluate(&text, inputs)
            && all.iter().all(|(_, known)| *known != bytes)
        {
            all.push((text, bytes));
        }
    }
    all
}
