//! Tokens to a tree of calls, before anything has a meaning. Owns the grammar and the bound on
//! nesting, which is refused before the parser goes down that far.
//!
//! ```text
//! join   = term { "+" term }
//! term   = text | bytes | number | name | name "(" [ given { "," given } ] ")" | "(" join ")"
//! given  = join | name "->" join
//! ```

use super::lexer::{Lexer, Token};
use super::{Position, RecipeError};

/// Levels of brackets.
const DEEPEST: usize = 64;
/// Nodes of a tree.
const MOST_NODES: usize = 1000;

/// A piece of a recipe and where it begins.
pub(super) struct Node<'a> {
    pub(super) place: Position,
    pub(super) form: Form<'a>,
}

/// What a piece looks like.
pub(super) enum Form<'a> {
    Text(String),
    Bytes(Vec<u8>),
    Number(u64),
    Name(&'a str),
    Call(&'a str, Vec<Node<'a>>),
    Join(Vec<Node<'a>>),
    /// `x -> body`.
    Step(&'a str, Box<Node<'a>>),
}

/// Reads a whole recipe.
pub(super) fn parse(text: &str) -> Result<Node<'_>, RecipeError> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        token: Token::End,
        place: Position { line: 1, column: 1 },
        nodes: 0,
    };
    parser.advance()?;
    let node = parser.join(0)?;
    match parser.token {
        Token::End => Ok(node),
        _ => Err(parser.place.refuses("expected + or the end of the recipe")),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token<'a>,
    place: Position,
    nodes: usize,
}

impl<'a> Parser<'a> {
    /// Takes the current token and reads the next.
    fn advance(&mut self) -> Result<(Token<'a>, Position), RecipeError> {
        let (token, place) = self.lexer.next()?;
        Ok((
            std::mem::replace(&mut self.token, token),
            std::mem::replace(&mut self.place, place),
        ))
    }

    fn join(&mut self, depth: usize) -> Result<Node<'a>, RecipeError> {
        if depth > DEEPEST {
            let message = format!("a recipe nests at most {DEEPEST} deep");
            return Err(self.place.refuses(message));
        }
        let first = self.term(depth)?;
        if self.token != Token::Plus {
            return Ok(first);
        }
        let place = first.place;
        let mut parts = vec![first];
        while self.token == Token::Plus {
            self.advance()?;
            parts.push(self.term(depth)?);
        }
        let form = Form::Join(parts);
        Ok(Node { place, form })
    }

    fn term(&mut self, depth: usize) -> Result<Node<'a>, RecipeError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let message = format!("a recipe has at most {MOST_NODES} parts");
            return Err(self.place.refuses(message));
        }
        let (token, place) = self.advance()?;
        let form = match token {
            Token::Text(text) => Form::Text(text),
            Token::Bytes(bytes) => Form::Bytes(bytes),
            Token::Number(number) => Form::Number(number),
            Token::Name(name) if self.token == Token::Open => {
                self.advance()?;
                Form::Call(name, self.given(depth + 1)?)
            }
            Token::Name(name) => Form::Name(name),
            Token::Open => {
                let inner = self.join(depth + 1)?;
                self.close()?;
                return Ok(inner);
            }
            Token::End => return Err(place.refuses("the recipe ends too early")),
            _ => return Err(place.refuses("expected a name, a text in '…', 0x… or (")),
        };
        Ok(Node { place, form })
    }

    fn given(&mut self, depth: usize) -> Result<Vec<Node<'a>>, RecipeError> {
        let mut given = Vec::new();
        if self.token == Token::Close {
            self.advance()?;
            return Ok(given);
        }
        loop {
            let mut node = self.join(depth)?;
            if let (Token::Arrow, Form::Name(name)) = (&self.token, &node.form) {
                let name = *name;
                self.advance()?;
                let body = Box::new(self.join(depth)?);
                node.form = Form::Step(name, body);
            }
            given.push(node);
            if self.token != Token::Comma {
                self.close()?;
                return Ok(given);
            }
            self.advance()?;
        }
    }

    fn close(&mut self) -> Result<(), RecipeError> {
        if self.token != Token::Close {
            return Err(self.place.refuses("expected , or )"));
        }
        self.advance().map(drop)
    }
}
