//! Letters to tokens, each with its place. Owns the spelling of literals; refuses what no token
//! begins with, and texts longer than anybody writes.

use super::{Position, RecipeError};

/// Bytes of text that are read before the rest is refused.
const LONGEST_TEXT: usize = 8192;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Name(&'a str),
    Number(u64),
    Text(String),
    Bytes(Vec<u8>),
    Plus,
    Comma,
    Open,
    Close,
    Arrow,
    End,
}

/// Reads tokens one by one, so that what comes after a fault is never looked at.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    place: Position,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            place: Position { line: 1, column: 1 },
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        if letter == '\n' {
            self.place.line += 1;
            self.place.column = 1;
        } else {
            self.place.column += 1;
        }
        Some(letter)
    }

    fn take_while(&mut self, test: fn(char) -> bool) -> &'a str {
        let from = self.at;
        while self.peek().is_some_and(test) {
            self.bump();
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// The next token and where it begins.
    pub(super) fn next(&mut self) -> Result<(Token<'a>, Position), RecipeError> {
        self.take_while(char::is_whitespace);
        let place = self.place;
        if self.at > LONGEST_TEXT {
            let message = format!("a recipe has at most {LONGEST_TEXT} bytes");
            return Err(place.refuses(message));
        }
        let Some(letter) = self.peek() else {
            return Ok((Token::End, place));
        };
        let token = match letter {
            '+' => self.single(Token::Plus),
            ',' => self.single(Token::Comma),
            '(' => self.single(Token::Open),
            ')' => self.single(Token::Close),
            '-' if self.rest().starts_with("->") => {
                self.bump();
                self.single(Token::Arrow)
            }
            '\'' => self.literal(place)?,
            '0' if self.rest().starts_with("0x") => self.bytes(place)?,
            '0'..='9' => self.number(place)?,
            'a'..='z' | 'A'..='Z' | '_' => Token::Name(
                self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_'),
            ),
            _ => return Err(place.refuses("this character begins nothing in a recipe")),
        };
        Ok((token, place))
    }

    fn single(&mut self, token: Token<'a>) -> Token<'a> {
        self.bump();
        token
    }

    /// `'…'`, with `\\`, `\'`, `\n`, `\r`, `\t` and `\0` inside.
    fn literal(&mut self, place: Position) -> Result<Token<'a>, RecipeError> {
        self.bump();
        let mut text = String::new();
        loop {
            let here = self.place;
            match self.bump() {
                None => return Err(place.refuses("this text has no closing '")),
                Some('\'') => return Ok(Token::Text(text)),
                Some('\\') => text.push(match self.bump() {
                    Some('\\') => '\\',
                    Some('\'') => '\'',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('0') => '\0',
                    _ => return Err(here.refuses(r"after \ comes one of \ ' n r t 0")),
                }),
                Some(letter) => text.push(letter),
            }
        }
    }

    fn bytes(&mut self, place: Position) -> Result<Token<'a>, RecipeError> {
        let word = self.take_while(|letter| letter.is_ascii_alphanumeric());
        let digits = word.strip_prefix("0x").unwrap_or_default();
        let bytes = hex::decode(digits);
        bytes
            .map(Token::Bytes)
            .map_err(|_| place.refuses("after 0x comes an even number of hex digits"))
    }

    fn number(&mut self, place: Position) -> Result<Token<'a>, RecipeError> {
        let word = self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let digits: String = word.chars().filter(|letter| *letter != '_').collect();
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(place.refuses("a number has digits only"));
        }
        // Too large for 64 bits is too large for every ceiling.
        Ok(Token::Number(digits.parse().unwrap_or(u64::MAX)))
    }
}
