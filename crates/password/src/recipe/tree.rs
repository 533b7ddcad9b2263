//! What a recipe means: a typed tree, and its canonical text.

use std::fmt::{self, Write as _};

use crate::digest::Digest;

/// The kinds of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Unicode text; as bytes it is UTF-8.
    Text,
    Bytes,
}

/// What a recipe may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variable {
    /// The typed password.
    Password,
    /// The row's salt, as bytes.
    Salt,
    /// The secret of the old application, which the connection's configuration holds.
    Pepper,
    /// The row's username.
    Username,
    /// The row's e-mail address.
    Email,
    /// The row's id, without the prefix `auth0|`.
    UserId,
}

impl Variable {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Password,
        Self::Salt,
        Self::Pepper,
        Self::Username,
        Self::Email,
        Self::UserId,
    ];

    /// Its name in a recipe.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Salt => "salt",
            Self::Pepper => "pepper",
            Self::Username => "username",
            Self::Email => "email",
            Self::UserId => "user_id",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|variable| variable.name() == name)
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Salt => Kind::Bytes,
            _ => Kind::Text,
        }
    }

    pub(super) fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

/// Functions of one value that change its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    Hex,
    HexUpper,
    Base64,
    Base64Unpadded,
    Base64Url,
    Unhex,
    Unbase64,
    Utf8,
    /// Bytes as the UTF-8 text that they are.
    Decoded,
    Utf16Le,
    Utf16Be,
    Latin1,
    Lower,
    Upper,
    Trim,
    Nfc,
    Nfkc,
}

/// Names, and what each takes and makes.
pub(super) const CONVERSIONS: [(&str, Conversion, Kind, Kind); 17] = [
    ("hex", Conversion::Hex, Kind::Bytes, Kind::Text),
    ("HEX", Conversion::HexUpper, Kind::Bytes, Kind::Text),
    ("b64", Conversion::Base64, Kind::Bytes, Kind::Text),
    (
        "b64raw",
        Conversion::Base64Unpadded,
        Kind::Bytes,
        Kind::Text,
    ),
    ("b64url", Conversion::Base64Url, Kind::Bytes, Kind::Text),
    ("unhex", Conversion::Unhex, Kind::Text, Kind::Bytes),
    ("unb64", Conversion::Unbase64, Kind::Text, Kind::Bytes),
    ("utf8", Conversion::Utf8, Kind::Text, Kind::Bytes),
    ("text", Conversion::Decoded, Kind::Bytes, Kind::Text),
    ("utf16le", Conversion::Utf16Le, Kind::Text, Kind::Bytes),
    ("utf16be", Conversion::Utf16Be, Kind::Text, Kind::Bytes),
    ("latin1", Conversion::Latin1, Kind::Text, Kind::Bytes),
    ("lower", Conversion::Lower, Kind::Text, Kind::Text),
    ("upper", Conversion::Upper, Kind::Text, Kind::Text),
    ("trim", Conversion::Trim, Kind::Text, Kind::Text),
    ("nfc", Conversion::Nfc, Kind::Text, Kind::Text),
    ("nfkc", Conversion::Nfkc, Kind::Text, Kind::Text),
];

/// A value's computation.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Text(String),
    Bytes(Vec<u8>),
    Variable(Variable),
    /// The running value of the loop at this level, counted from the outermost.
    Running(usize),
    Join(Vec<Expr>),
    Digest(Digest, Box<Expr>),
    /// Key, message.
    Hmac(Digest, Box<Expr>, Box<Expr>),
    Pbkdf2 {
        digest: Digest,
        password: Box<Expr>,
        salt: Box<Expr>,
        iterations: u32,
        length: usize,
    },
    Scrypt {
        password: Box<Expr>,
        salt: Box<Expr>,
        /// log₂ of N.
        log_n: u8,
        r: u32,
        p: u32,
        length: usize,
    },
    Convert(Conversion, Box<Expr>),
    /// The first so many letters or bytes.
    Truncate(Box<Expr>, usize),
    /// All but the first so many.
    Skip(Box<Expr>, usize),
    Iterate {
        count: u32,
        start: Box<Expr>,
        step: Box<Expr>,
        level: usize,
    },
}

/// A computation and what is known about its value.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) op: Op,
    pub(super) kind: Kind,
    /// The most bytes that it makes, as UTF-8 for a text.
    pub(super) most: usize,
    /// Whether it always makes so many.
    pub(super) is_exact: bool,
    /// Whether every letter of a text is ASCII.
    pub(super) is_ascii: bool,
    /// Variables, as bits.
    pub(super) uses: u8,
    /// Whether the password could be read back from the value.
    pub(super) is_open: bool,
}

/// How a recipe ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The value is compared with the stored bytes.
    Value,
    /// The value is verified against a bcrypt string.
    Bcrypt,
    /// … against an argon2 string.
    Argon2,
    /// … against any string that says itself what it is.
    Known,
}

impl Ending {
    pub(super) const VERIFIERS: [(&'static str, Self); 3] = [
        ("bcrypt", Self::Bcrypt),
        ("argon2", Self::Argon2),
        ("known", Self::Known),
    ];
}

/// The canonical text: shorthands written out, one space around `+` and after commas.
pub(super) fn canonical(ending: Ending, expr: &Expr) -> String {
    let verifier = Ending::VERIFIERS.iter().find(|(_, known)| *known == ending);
    match verifier {
        Some((name, _)) => format!("{name}({})", Bare(expr)),
        None => expr.to_string(),
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.op {
            Op::Text(text) => quoted(f, text),
            Op::Bytes(bytes) => write!(f, "0x{}", hex::encode(bytes)),
            Op::Variable(variable) => f.write_str(variable.name()),
            Op::Running(level) => write!(f, "d{level}"),
            Op::Join(_) => write!(f, "({})", Bare(self)),
            Op::Digest(digest, message) => write!(f, "{}({})", digest.name(), Bare(message)),
            Op::Hmac(digest, key, message) => {
                let (key, message) = (Bare(key), Bare(message));
                write!(f, "hmac_{}({key}, {message})", digest.name())
            }
            Op::Pbkdf2 {
                digest,
                password,
                salt,
                iterations,
                length,
            } => {
                let (password, salt) = (Bare(password), Bare(salt));
                let name = digest.name();
                write!(
                    f,
                    "pbkdf2_{name}({password}, {salt}, {iterations}, {length})"
                )
            }
            Op::Scrypt {
                password,
                salt,
                log_n,
                r,
                p,
                length,
            } => {
                let (password, salt, n) = (Bare(password), Bare(salt), 1_u64 << log_n);
                write!(f, "scrypt({password}, {salt}, {n}, {r}, {p}, {length})")
            }
            Op::Convert(conversion, value) => {
                let name = CONVERSIONS
                    .iter()
                    .find(|(_, known, ..)| known == conversion)
                    .map_or("", |(name, ..)| name);
                write!(f, "{name}({})", Bare(value))
            }
            Op::Truncate(value, count) => write!(f, "truncate({}, {count})", Bare(value)),
            Op::Skip(value, count) => write!(f, "skip({}, {count})", Bare(value)),
            Op::Iterate {
                count,
                start,
                step,
                level,
            } => {
                let (start, step) = (Bare(start), Bare(step));
                write!(f, "iterate({count}, {start}, d{level} -> {step})")
            }
        }
    }
}

/// A value between commas or brackets, where a join needs none of its own.
struct Bare<'a>(&'a Expr);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Op::Join(parts) = &self.0.op else {
            return self.0.fmt(f);
        };
        for (place, part) in parts.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " + " })?;
            part.fmt(f)?;
        }
        Ok(())
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for letter in text.chars() {
        match letter {
            '\\' => f.write_str(r"\\")?,
            '\'' => f.write_str(r"\'")?,
            '\n' => f.write_str(r"\n")?,
            '\r' => f.write_str(r"\r")?,
            '\t' => f.write_str(r"\t")?,
            '\0' => f.write_str(r"\0")?,
            letter => f.write_char(letter)?,
        }
    }
    f.write_char('\'')
}
