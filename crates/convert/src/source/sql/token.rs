//! The words, names, texts and signs of SQL, byte by byte. Comments are skipped.

use super::super::gauge::{Gauge, Metered};
use crate::refusal::Refusal;

/// One token.
pub(super) enum Token {
    /// A keyword, a bare name, a number.
    Word(String),
    /// A name in back quotes, double quotes or square brackets.
    Name(String),
    /// A text in single or dollar quotes, without them.
    Text(Vec<u8>),
    /// Anything else, one byte.
    Sign(u8),
}

/// The tokens of a dump.
pub(super) struct Tokens<'a> {
    input: Metered<'a>,
    gauge: Gauge,
    /// Whether a backslash escapes in a text: in `MySQL`'s and MariaDB's dumps, told by their first
    /// comment or by back quotes; in no other.
    has_backslashes: bool,
    /// Whether texts are of use; those of a skipped statement may be longer than a record.
    keeps: bool,
}

impl<'a> Tokens<'a> {
    pub fn new(input: Metered<'a>, gauge: Gauge) -> Self {
        Self {
            input,
            gauge,
            has_backslashes: false,
            keeps: true,
        }
    }

    /// Whether texts are held in memory.
    pub fn keep(&mut self, keeps: bool) {
        self.keeps = keeps;
    }

    fn byte(&mut self) -> Result<Option<u8>, Refusal> {
        let line = self.gauge.line();
        self.input
            .next_byte()
            .map_err(|error| Refusal::input(line, error.to_string()))
    }

    fn peek(&mut self) -> Result<Option<u8>, Refusal> {
        let line = self.gauge.line();
        self.input
            .peek()
            .map_err(|error| Refusal::input(line, error.to_string()))
    }

    fn cut<T>(&self, what: &str) -> Result<T, Refusal> {
        Err(Refusal::input(
            self.gauge.line(),
            format!("the dump ends inside {what}"),
        ))
    }

    /// A whole line, as COPY has its rows.
    pub fn line(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let line = self.gauge.line();
        self.input
            .next_line()
            .map_err(|error| Refusal::input(line, error.to_string()))
    }

    /// What is left of this line.
    pub fn rest_of_line(&mut self) -> Result<Vec<u8>, Refusal> {
        Ok(self.line()?.unwrap_or_default())
    }

    /// The next token; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Token>, Refusal> {
        while let Some(byte) = self.byte()? {
            let token = match byte {
                b if b.is_ascii_whitespace() => continue,
                b'-' if self.peek()? == Some(b'-') => {
                    self.comment()?;
                    continue;
                }
                b'#' => {
                    self.rest_of_line()?;
                    continue;
                }
                b'/' if self.peek()? == Some(b'*') => {
                    self.block_comment()?;
                    continue;
                }
                b'`' => {
                    self.has_backslashes = true;
                    self.name(b'`')?
                }
                b'"' => self.name(b'"')?,
                b'[' => self.name(b']')?,
                b'\'' => Token::Text(self.text(self.has_backslashes)?),
                b'$' => self.dollar()?,
                b if is_word(b) => self.word(b)?,
                b => Token::Sign(b),
            };
            return Ok(Some(token));
        }
        Ok(None)
    }

    fn comment(&mut self) -> Result<(), Refusal> {
        let text = self.rest_of_line()?;
        let text = String::from_utf8_lossy(&text).to_ascii_lowercase();
        let known = ["mysql dump", "mariadb dump", "phpmyadmin"];
        self.has_backslashes |= known.iter().any(|name| text.contains(name));
        Ok(())
    }

    fn block_comment(&mut self) -> Result<(), Refusal> {
        self.byte()?;
        let mut last = 0;
        while let Some(byte) = self.byte()? {
            if (last, byte) == (b'*', b'/') {
                return Ok(());
            }
            last = byte;
        }
        self.cut("a comment")
    }

    fn name(&mut self, end: u8) -> Result<Token, Refusal> {
        let mut name = Vec::new();
        while let Some(byte) = self.byte()? {
            if byte != end {
                name.push(byte);
            } else if self.peek()? == Some(end) {
                self.byte()?;
                name.push(end);
            } else {
                return Ok(Token::Name(String::from_utf8_lossy(&name).into_owned()));
            }
        }
        self.cut("a name")
    }

    fn text(&mut self, has_backslashes: bool) -> Result<Vec<u8>, Refusal> {
        let mut text = Vec::new();
        while let Some(byte) = self.byte()? {
            if !self.keeps {
                self.gauge.begin();
                text.clear();
            }
            match byte {
                b'\'' if self.peek()? == Some(b'\'') => {
                    self.byte()?;
                    text.push(b'\'');
                }
                b'\'' => return Ok(text),
                b'\\' if has_backslashes => match self.byte()? {
                    Some(escaped) => text.push(unescaped(escaped)),
                    None => break,
                },
                byte => text.push(byte),
            }
        }
        self.cut("a text")
    }

    /// `$tag$ … $tag$` of PostgreSQL's functions; anything else is a sign.
    fn dollar(&mut self) -> Result<Token, Refusal> {
        let mut tag = vec![b'$'];
        while let Some(byte) = self.peek()? {
            if byte != b'$' && !is_word(byte) {
                return Ok(Token::Sign(b'$'));
            }
            self.byte()?;
            tag.push(byte);
            if byte == b'$' {
                break;
            }
        }
        let mut body: Vec<u8> = Vec::new();
        while let Some(byte) = self.byte()? {
            body.push(byte);
            if !self.keeps && body.len() > tag.len() {
                self.gauge.begin();
                body.remove(0);
            }
            if body.ends_with(&tag) {
                body.truncate(body.len() - tag.len());
                return Ok(Token::Text(body));
            }
        }
        self.cut("a text")
    }

    fn word(&mut self, first: u8) -> Result<Token, Refusal> {
        let mut word = vec![first];
        while let Some(byte) = self.peek()? {
            if byte == b'\'' && word.eq_ignore_ascii_case(b"e") {
                self.byte()?;
                return Ok(Token::Text(self.text(true)?));
            }
            let is_fraction = byte == b'.' && first.is_ascii_digit();
            if !is_word(byte) && !is_fraction {
                break;
            }
            self.byte()?;
            word.push(byte);
        }
        Ok(Token::Word(String::from_utf8_lossy(&word).into_owned()))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// What `MySQL` means by a backslash and this byte.
fn unescaped(byte: u8) -> u8 {
    match byte {
        b'0' => 0,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'Z' => 26,
        other => other,
    }
}

/// A field of COPY's text format, without its escapes.
pub(super) fn unescaped_copy(field: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            text.push(*byte);
            continue;
        }
        match bytes.next() {
            Some(b'b') => text.push(8),
            Some(b'f') => text.push(12),
            Some(b'n') => text.push(b'\n'),
            Some(b'r') => text.push(b'\r'),
            Some(b't') => text.push(b'\t'),
            Some(b'v') => text.push(11),
            Some(other) => text.push(*other),
            None => text.push(b'\\'),
        }
    }
    text
}
