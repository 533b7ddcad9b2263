//! Why a conversion ended before its input did.

use crate::product::Product;

/// The input is not what it was said to be, or a stream broke.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The input cannot be read from some place on.
    #[error("line {line}: {why}")]
    Input {
        /// Where, from 1.
        line: u64,
        /// What is wrong there; never a value of the input.
        why: String,
    },
    /// The first records are not this product's.
    #[error("{}", wrong_product(*.named, *.likely))]
    WrongProduct {
        /// Whose export the caller said it is.
        named: Product,
        /// Whose it looks like.
        likely: Option<Product>,
    },
    /// The options do not say what the input needs.
    #[error("{0}")]
    Options(String),
    /// The output broke.
    #[error("the output can't be written: {0}")]
    Write(#[from] std::io::Error),
}

impl Refusal {
    pub(crate) fn input(line: u64, why: impl Into<String>) -> Self {
        let why = why.into();
        Self::Input { line, why }
    }
}

fn wrong_product(named: Product, likely: Option<Product>) -> String {
    let name = named.name();
    match likely {
        Some(other) => format!(
            "this is no export of {name}; it looks like one of {0}: ferry convert {0}",
            other.name()
        ),
        None => format!("this is no export of {name}: no record has the members that it writes"),
    }
}
