//! A recipe's value for given inputs. Types, sizes and cost were settled before: all that can fail
//! here is `unhex` and `unb64` of what is neither, an argument that is no valid scrypt on this
//! machine, and memory.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::tree::{Conversion, Expr, Kind, Op, Variable};
use crate::encoding::{PasswordEncoding, SecretBytes, TextEncoding, to_base64, to_phc};

/// What the variables stand for. Those that a recipe does not use may be empty.
#[derive(Clone, Copy, Default)]
pub(crate) struct Inputs<'a> {
    pub(crate) password: &'a [u8],
    pub(crate) salt: &'a [u8],
    pub(crate) pepper: &'a [u8],
    pub(crate) username: &'a [u8],
    pub(crate) email: &'a [u8],
    pub(crate) user_id: &'a [u8],
}

impl Inputs<'_> {
    fn of(&self, variable: Variable) -> &[u8] {
        match variable {
            Variable::Password => self.password,
            Variable::Salt => self.salt,
            Variable::Pepper => self.pepper,
            Variable::Username => self.username,
            Variable::Email => self.email,
            Variable::UserId => self.user_id,
        }
    }
}

/// The value as bytes; a text's are UTF-8.
pub(super) fn value(expr: &Expr, inputs: &Inputs<'_>) -> Option<SecretBytes> {
    let mut running = Vec::new();
    eval(expr, inputs, &mut running)
}

fn eval(expr: &Expr, inputs: &Inputs<'_>, running: &mut Vec<SecretBytes>) -> Option<SecretBytes> {
    Some(match &expr.op {
        Op::Text(text) => Zeroizing::new(text.as_bytes().to_vec()),
        Op::Bytes(bytes) => Zeroizing::new(bytes.clone()),
        Op::Variable(variable) => Zeroizing::new(inputs.of(*variable).to_vec()),
        Op::Running(level) => running.get(*level)?.clone(),
        Op::Join(parts) => {
            let mut joined = Zeroizing::new(Vec::with_capacity(expr.most.min(4096)));
            for part in parts {
                joined.extend_from_slice(&eval(part, inputs, running)?);
            }
            joined
        }
        Op::Digest(digest, message) => digest.hash(&eval(message, inputs, running)?),
        Op::Hmac(digest, key, message) => {
            let key = eval(key, inputs, running)?;
            digest.hmac(&key, &eval(message, inputs, running)?)
        }
        Op::Pbkdf2 { .. } | Op::Scrypt { .. } => slow(&expr.op, inputs, running)?,
        Op::Convert(conversion, value) => convert(*conversion, &eval(value, inputs, running)?)?,
        Op::Truncate(value, count) => {
            let bytes = eval(value, inputs, running)?;
            let at = boundary(&bytes, value.kind, *count);
            Zeroizing::new(bytes.get(..at)?.to_vec())
        }
        Op::Skip(value, count) => {
            let bytes = eval(value, inputs, running)?;
            let at = boundary(&bytes, value.kind, *count);
            Zeroizing::new(bytes.get(at..)?.to_vec())
        }
        Op::Iterate {
            count, start, step, ..
        } => {
            let mut now = eval(start, inputs, running)?;
            for _ in 0..*count {
                running.push(now);
                let next = eval(step, inputs, running);
                running.pop();
                now = next?;
            }
            now
        }
    })
}

/// Key derivations.
fn slow(op: &Op, inputs: &Inputs<'_>, running: &mut Vec<SecretBytes>) -> Option<SecretBytes> {
    match op {
        Op::Pbkdf2 {
            digest,
            password,
            salt,
            iterations,
            length,
        } => {
            let password = eval(password, inputs, running)?;
            let salt = eval(salt, inputs, running)?;
            Some(digest.pbkdf2(&password, &salt, *iterations, *length))
        }
        Op::Scrypt {
            password,
            salt,
            log_n,
            r,
            p,
            length,
        } => {
            let password = eval(password, inputs, running)?;
            let salt = eval(salt, inputs, running)?;
            let params = ::scrypt::Params::new(*log_n, *r, *p).ok()?;
            let mut output = Zeroizing::new(vec![0; *length]);
            ::scrypt::scrypt(&password, &salt, &params, &mut output).ok()?;
            Some(output)
        }
        _ => None,
    }
}

/// Where the first so many letters or bytes end.
fn boundary(bytes: &[u8], kind: Kind, count: usize) -> usize {
    match kind {
        Kind::Bytes => count.min(bytes.len()),
        Kind::Text => {
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            let after = text.char_indices().nth(count);
            after.map_or(text.len(), |(at, _)| at)
        }
    }
}

fn convert(conversion: Conversion, bytes: &[u8]) -> Option<SecretBytes> {
    // Empty only where the bytes are no text, and then the conversion takes none.
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let of_text = |text: String| Some(Zeroizing::new(text.into_bytes()));
    let decoded = |encoding: TextEncoding| encoding.decode("", text).ok();
    match conversion {
        Conversion::Hex => of_text(hex::encode(bytes)),
        Conversion::HexUpper => of_text(hex::encode_upper(bytes)),
        Conversion::Base64 => of_text(to_base64(bytes).to_string()),
        Conversion::Base64Unpadded => of_text(to_phc(bytes).to_string()),
        Conversion::Base64Url => of_text(to_phc(bytes).replace('+', "-").replace('/', "_")),
        Conversion::Unhex => decoded(TextEncoding::Hex),
        Conversion::Unbase64 => decoded(TextEncoding::Base64),
        Conversion::Decoded if std::str::from_utf8(bytes).is_err() => None,
        Conversion::Utf8 | Conversion::Decoded => Some(Zeroizing::new(bytes.to_vec())),
        Conversion::Utf16Le => Some(PasswordEncoding::Utf16Le.encode(text)),
        Conversion::Utf16Be => Some(Zeroizing::new(
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        )),
        Conversion::Latin1 => Some(PasswordEncoding::Latin1.encode(text)),
        Conversion::Lower => of_text(text.to_lowercase()),
        Conversion::Upper => of_text(text.to_uppercase()),
        Conversion::Trim => {
            let space = |letter: char| letter.is_whitespace() || letter == '\0';
            of_text(text.trim_matches(space).to_owned())
        }
        Conversion::Nfc => of_text(text.nfc().collect()),
        Conversion::Nfkc => of_text(text.nfkc().collect()),
    }
}
