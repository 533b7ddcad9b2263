//! Exports of other products, turned into the import format: one JSON object a line.
//!
//! Owns: reading what a product's own tool wrote, and saying in the import's words what it means.
//! Refuses: files, sockets, clocks, passwords in clear. It reads what it is given a `Read` for and
//! writes to the `Write` it is given; one record at a time is in memory, and where a product splits
//! a person over two tables, the smaller one too (each product's file says so).
//!
//! Nothing is lost silently. What the import record has no member for goes to
//! `app_metadata.<product>`; what cannot be carried over is a [`Warning`]; who cannot come at all
//! (no e-mail address) is left out with a warning that says so, and counted in the [`Summary`]. No
//! warning repeats a hash or a secret.

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod hash;
mod options;
mod person;
mod product;
mod record;
mod refusal;
mod rows;
mod source;

use std::io::{Read, Write};

pub use options::{FirebaseHash, Options};
pub use product::Product;
pub use refusal::Refusal;
pub use rows::{Summary, Warning};

/// The longest record that is read, in bytes. An import row is at most 1 MiB by default.
pub const MAX_RECORD: u64 = 16 << 20;

/// Reads a product's export and writes import rows, one JSON object a line.
///
/// `inputs` are the files that belong together, read one after the other: the parts of one export,
/// or the two halves of Auth0's. `on_warning` hears of everything that was not carried over.
///
/// Rows before a [`Refusal`] are written already: whoever gives a file as `out` should give it
/// its name only after success.
pub fn convert<'a>(
    product: Product,
    inputs: Vec<Box<dyn Read + 'a>>,
    options: &Options,
    out: &mut dyn Write,
    on_warning: &mut dyn FnMut(&Warning),
) -> Result<Summary, Refusal> {
    let mut rows = rows::Rows::new(product, options, out, on_warning);
    product::run(product, inputs, &mut rows)?;
    rows.finish()
}
