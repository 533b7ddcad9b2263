//! Entry points for fuzzers: foreign text in, invariants checked.

mod hash;
mod recipe;

pub use hash::read_any;
pub use recipe::recipe;
