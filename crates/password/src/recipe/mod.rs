//! Hash recipes: a small language for how an old application made its password hashes, where no
//! known format says it. `docs/hash-recipes.md` is its reference.
//!
//! Total: a recipe is calls, joins and counted loops, and ends for every input. Its types, sizes
//! and cost are settled when it is read, with the line and column of what is refused; what was
//! read can be computed within the [`Limits`] it was read under.

mod check;
mod cost;
mod eval;
mod functions;
mod lexer;
mod stored;
mod syntax;
mod tree;

use std::fmt;

pub(crate) use eval::Inputs;
pub use stored::ImportContext;
pub(crate) use stored::{RECIPE_PREFIX, RecipeHash, is_recipe_record};
pub(crate) use tree::Ending;
pub use tree::Variable;
use tree::{Expr, Kind};

use crate::encoding::SecretBytes;
use crate::limits::Limits;

/// Bytes of a password, a salt or another input. A longer password never verifies.
pub(crate) const LONGEST_INPUT: usize = 512;

/// A place in a recipe, both counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    line: usize,
    column: usize,
}

impl Position {
    fn refuses(self, message: impl Into<String>) -> RecipeError {
        RecipeError {
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }
}

/// Why a text is no recipe, and where. Repeats names of the recipe only, never a literal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct RecipeError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// A name as a message may show it.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

/// A recipe that was read and checked.
#[derive(Clone)]
pub struct Recipe {
    source: String,
    ending: Ending,
    expr: Expr,
    share: u128,
    is_fast: bool,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// The text is no recipe, has a type error, could fit every password, shows the password, or
    /// costs more than the limits grant one hash.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, RecipeError> {
        let node = syntax::parse(text)?;
        let checked = check::check(&node, limits)?;
        Ok(Self {
            source: text.trim().to_owned(),
            ending: checked.ending,
            expr: checked.expr,
            share: checked.cost.share(limits),
            is_fast: checked.cost.is_small(),
        })
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text with its shorthands written out: one text for one meaning.
    pub fn canonical(&self) -> String {
        tree::canonical(self.ending, &self.expr)
    }

    /// Whether the recipe refers to a variable.
    pub fn uses(&self, variable: Variable) -> bool {
        self.expr.uses & variable.bit() != 0
    }

    /// What it makes, in words: `16 bytes`, `a text of 32 letters`, `a value for bcrypt`.
    pub fn makes(&self) -> String {
        let most = self.expr.most;
        let size = if self.expr.is_exact {
            most.to_string()
        } else {
            format!("at most {most}")
        };
        match (self.ending, self.expr.kind) {
            (Ending::Bcrypt, _) => "a value for bcrypt".to_owned(),
            (Ending::Argon2, _) => "a value for argon2".to_owned(),
            (Ending::Known, _) => "a value for a known hash".to_owned(),
            (Ending::Value, Kind::Bytes) => format!("{size} bytes"),
            (Ending::Value, Kind::Text) => format!("a text of {size} bytes"),
        }
    }

    /// What it costs, in percent of what one hash may cost; what a bcrypt or argon2 string asks
    /// for comes on top.
    pub fn cost_percent(&self) -> f64 {
        let share = u32::try_from(self.share).unwrap_or(u32::MAX);
        f64::from(share) / 10_000.0
    }

    /// The bytes that every value has, if it always has as many.
    pub(crate) fn exact_size(&self) -> Option<usize> {
        self.expr.is_exact.then_some(self.expr.most)
    }

    /// Whether a guess costs next to nothing: a few digests, and a value of its own at the end.
    pub(crate) fn is_fast(&self) -> bool {
        self.is_fast && self.ending == Ending::Value
    }

    pub(crate) fn ending(&self) -> Ending {
        self.ending
    }

    pub(crate) fn makes_text(&self) -> bool {
        self.expr.kind == Kind::Text
    }

    /// The value for given inputs; `None` when one of them can't be decoded or is too long.
    pub(crate) fn value(&self, inputs: &Inputs<'_>) -> Option<SecretBytes> {
        let all = [
            inputs.password,
            inputs.salt,
            inputs.pepper,
            inputs.username,
            inputs.email,
            inputs.user_id,
        ];
        if all.iter().any(|input| input.len() > LONGEST_INPUT) {
            return None;
        }
        eval::value(&self.expr, inputs)
    }
}

/// The value of a part of a recipe, which need not be a recipe by itself.
pub(crate) fn evaluate(text: &str, inputs: &Inputs<'_>) -> Option<SecretBytes> {
    let node = syntax::parse(text).ok()?;
    let expr = check::part(&node, &Limits::default()).ok()?;
    eval::value(&expr, inputs)
}

/// Prints what is used and not the text: its literals may be an application's secret.
impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipe({})", self.makes())
    }
}
