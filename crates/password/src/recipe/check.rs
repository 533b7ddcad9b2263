//! The tree of calls gets its meaning: names, types, sizes and cost. Owns every rule of the
//! language but the spelling of functions' arguments (`functions`); refuses what could make a hash
//! that fits every password or shows the password.

use super::cost::Cost;
use super::syntax::{Form, Node};
use super::tree::{Ending, Expr, Kind, Op, Variable};
use super::{LONGEST_INPUT, Position, RecipeError};
use crate::limits::Limits;

/// Bytes that a value may grow to.
const LARGEST: usize = 64 * 1024;
/// Loops within loops.
const MOST_LOOPS: usize = 3;

/// A checked recipe.
pub(super) struct Checked {
    pub(super) ending: Ending,
    pub(super) expr: Expr,
    pub(super) cost: Cost,
}

/// Gives a tree its meaning.
pub(super) fn check(node: &Node<'_>, limits: &Limits) -> Result<Checked, RecipeError> {
    let mut checker = Checker {
        limits,
        cost: Cost::default(),
        times: 1,
        running: Vec::new(),
    };
    let (ending, inner) = ending_of(node)?;
    let expr = checker.expr(inner)?;
    if expr.uses & Variable::Password.bit() == 0 {
        let message = "the recipe does not use the password, so every password would fit";
        return Err(node.place.refuses(message));
    }
    if ending == Ending::Value && expr.is_open {
        let message = "the password reaches the end without a one-way function";
        return Err(node.place.refuses(message));
    }
    Ok(Checked {
        ending,
        expr,
        cost: checker.cost,
    })
}

/// Gives a part of a recipe its meaning.
pub(super) fn part(node: &Node<'_>, limits: &Limits) -> Result<Expr, RecipeError> {
    Checker {
        limits,
        cost: Cost::default(),
        times: 1,
        running: Vec::new(),
    }
    .expr(node)
}

fn ending_of<'n, 'a>(node: &'n Node<'a>) -> Result<(Ending, &'n Node<'a>), RecipeError> {
    let Form::Call(name, given) = &node.form else {
        return Ok((Ending::Value, node));
    };
    let verifiers = Ending::VERIFIERS;
    let Some((_, ending)) = verifiers.iter().find(|(known, _)| known == name) else {
        return Ok((Ending::Value, node));
    };
    match given.as_slice() {
        [inner] => Ok((*ending, inner)),
        _ => Err(node.place.refuses(format!("{name} takes one value"))),
    }
}

pub(super) struct Checker<'c> {
    pub(super) limits: &'c Limits,
    pub(super) cost: Cost,
    /// How often what is looked at runs.
    pub(super) times: u64,
    /// Names and knowledge of the running values, outermost first.
    running: Vec<(String, Known)>,
}

/// What is known of a running value.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    kind: Kind,
    most: usize,
    is_exact: bool,
    is_ascii: bool,
    uses: u8,
    is_open: bool,
}

impl Known {
    fn of(expr: &Expr) -> Self {
        Self {
            kind: expr.kind,
            most: expr.most,
            is_exact: expr.is_exact,
            is_ascii: expr.is_ascii,
            uses: expr.uses,
            is_open: expr.is_open,
        }
    }

    /// What holds before and after a round.
    fn or(self, other: Self) -> Self {
        let is_text = self.kind == Kind::Text && other.kind == Kind::Text;
        Self {
            kind: if is_text { Kind::Text } else { Kind::Bytes },
            most: self.most.max(other.most),
            is_exact: self.is_exact && other.is_exact && self.most == other.most,
            is_ascii: self.is_ascii && other.is_ascii,
            uses: self.uses | other.uses,
            is_open: self.is_open || other.is_open,
        }
    }
}

impl Checker<'_> {
    /// A value at a place.
    pub(super) fn expr(&mut self, node: &Node<'_>) -> Result<Expr, RecipeError> {
        let expr = match &node.form {
            Form::Text(text) => Expr {
                kind: Kind::Text,
                most: text.len(),
                is_exact: true,
                is_ascii: text.is_ascii(),
                uses: 0,
                is_open: false,
                op: Op::Text(text.clone()),
            },
            Form::Bytes(bytes) => Expr {
                kind: Kind::Bytes,
                most: bytes.len(),
                is_exact: true,
                is_ascii: false,
                uses: 0,
                is_open: false,
                op: Op::Bytes(bytes.clone()),
            },
            Form::Name(name) => self.name(name, node.place)?,
            Form::Join(parts) => self.join(parts)?,
            Form::Call("iterate", given) => self.iterate(node.place, given)?,
            Form::Call("concat", given) if !given.is_empty() => self.join(given)?,
            Form::Call(name, given) => self.call(name, node.place, given)?,
            Form::Number(_) => return Err(node.place.refuses("a number is no value here")),
            Form::Step(..) => return Err(node.place.refuses("-> belongs into iterate")),
        };
        if expr.most > LARGEST {
            let message = format!("this may have more than {LARGEST} bytes");
            return Err(node.place.refuses(message));
        }
        self.cost.check(self.limits, node.place)?;
        Ok(expr)
    }

    fn name(&self, name: &str, place: Position) -> Result<Expr, RecipeError> {
        let running = self.running.iter().enumerate().rev();
        let found = running.into_iter().find(|(_, (known, _))| known == name);
        if let Some((level, (_, known))) = found {
            return Ok(Expr {
                op: Op::Running(level),
                kind: known.kind,
                most: known.most,
                is_exact: known.is_exact,
                is_ascii: known.is_ascii,
                uses: known.uses,
                is_open: known.is_open,
            });
        }
        let Some(variable) = Variable::parse(name) else {
            let message = format!("{} is no variable", super::shown(name));
            return Err(place.refuses(message));
        };
        Ok(Expr {
            op: Op::Variable(variable),
            kind: variable.kind(),
            most: LONGEST_INPUT,
            is_exact: false,
            is_ascii: false,
            uses: variable.bit(),
            is_open: variable == Variable::Password,
        })
    }

    fn join(&mut self, nodes: &[Node<'_>]) -> Result<Expr, RecipeError> {
        // `concat` of one: written as a join it would gain brackets at every reading.
        if let [only] = nodes {
            return self.expr(only);
        }
        let parts: Vec<Expr> = nodes
            .iter()
            .map(|node| self.expr(node))
            .collect::<Result<_, _>>()?;
        let most = parts.iter().map(|part| part.most).sum();
        self.cost.digest(most / 4, self.times);
        let is_text = parts.iter().all(|part| part.kind == Kind::Text);
        Ok(Expr {
            kind: if is_text { Kind::Text } else { Kind::Bytes },
            most,
            is_exact: parts.iter().all(|part| part.is_exact),
            is_ascii: parts.iter().all(|part| part.is_ascii),
            uses: parts.iter().fold(0, |uses, part| uses | part.uses),
            is_open: parts.iter().any(|part| part.is_open),
            op: Op::Join(parts),
        })
    }

    /// `iterate(count, start, x -> step)`: the step is read twice, since the running value is
    /// what `start` makes at first and what the step makes afterwards.
    fn iterate(&mut self, place: Position, given: &[Node<'_>]) -> Result<Expr, RecipeError> {
        let [count, start, step] = given else {
            return Err(place.refuses("iterate takes a count, a start and x -> …"));
        };
        let Form::Step(name, body) = &step.form else {
            return Err(step.place.refuses("the last of iterate is x -> …"));
        };
        if Variable::parse(name).is_some() || self.running.iter().any(|(known, _)| known == name) {
            return Err(step.place.refuses("this name is taken"));
        }
        if self.running.len() >= MOST_LOOPS {
            let message = format!("loops nest at most {MOST_LOOPS} deep");
            return Err(place.refuses(message));
        }
        let count = super::functions::number(count, 1, u32::MAX.into())?;
        let start = self.expr(start)?;
        let (cost, times) = (self.cost.clone(), self.times);
        self.times = times.saturating_mul(count);
        let first = self.step(name, Known::of(&start), body)?;
        let running = Known::of(&start).or(Known::of(&first));
        self.cost = cost;
        let step = self.step(name, running, body)?;
        self.times = times;
        if step.most > running.most {
            return Err(body.place.refuses("this grows with every round"));
        }
        if running.kind == Kind::Text && step.kind == Kind::Bytes {
            return Err(body
                .place
                .refuses("this is text first and bytes afterwards"));
        }
        Ok(Expr {
            kind: running.kind,
            most: step.most,
            is_exact: step.is_exact,
            is_ascii: step.is_ascii && running.kind == Kind::Text,
            uses: step.uses,
            is_open: step.is_open,
            op: Op::Iterate {
                count: u32::try_from(count).unwrap_or(u32::MAX),
                start: Box::new(start),
                step: Box::new(step),
                level: self.running.len(),
            },
        })
    }

    fn step(&mut self, name: &str, known: Known, body: &Node<'_>) -> Result<Expr, RecipeError> {
        self.running.push((name.to_owned(), known));
        let step = self.expr(body);
        self.running.pop();
        step
    }
}
