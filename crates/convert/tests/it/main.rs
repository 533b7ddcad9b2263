//! The converters from outside: documented samples of each product, input that is broken, and what
//! holds for any input. Files of real products are converted in the server's tests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy.toml spares #[test] functions only"
)]

mod broken;
#[cfg(feature = "fuzzing")]
mod fuzz;
mod samples;

use std::io::Read;

use convert::{Options, Product, Refusal, Summary};
use domain::Password;
use password::{Limits, PasswordHash};
use serde_json::Value;

/// What a conversion gave.
struct Done {
    rows: Vec<Value>,
    warnings: Vec<String>,
    end: Result<Summary, Refusal>,
}

impl Done {
    fn summary(&self) -> &Summary {
        match &self.end {
            Ok(summary) => summary,
            Err(refusal) => panic!("{refusal}"),
        }
    }

    fn refusal(&self) -> String {
        self.end.as_ref().expect_err("a refusal").to_string()
    }
}

fn convert(product: Product, inputs: &[&[u8]], options: &Options) -> Done {
    let inputs = inputs.iter().map(|input| Box::new(*input) as Box<dyn Read>);
    let (mut out, mut warnings) = (Vec::new(), Vec::new());
    let mut hear = |warning: &convert::Warning| warnings.push(warning.to_string());
    let end = convert::convert(product, inputs.collect(), options, &mut out, &mut hear);
    let text = String::from_utf8(out).expect("UTF-8");
    let rows = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let rows = rows.collect();
    Done {
        rows,
        warnings,
        end,
    }
}

fn plain(product: Product, input: &str) -> Done {
    convert(product, &[input.as_bytes()], &Options::default())
}

/// Whether the hash of a row is of this password and of no other.
fn opens(row: &Value, typed: &str) -> bool {
    let limits = Limits::default();
    let hash = if let Some(text) = row["password_hash"].as_str() {
        PasswordHash::from_field(text, &limits).unwrap().unwrap()
    } else {
        PasswordHash::from_custom(&row["custom_password_hash"].to_string(), &limits).unwrap()
    };
    let wrong = Password::from(format!("{typed}x"));
    hash.verify(&Password::from(typed.to_owned())) && !hash.verify(&wrong)
}
