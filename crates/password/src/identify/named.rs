//! Formats that no recipe says and whose text does not name them: each of our own names that needs
//! nothing besides the hash and its user is tried once.

use serde_json::{Value, json};

use super::report::Report;
use super::{Sample, Search};

/// In the order of `docs/hash-formats.md`. Names that a recipe says as well are left to recipes.
const NAMES: [&str; 14] = [
    "des-crypt",
    "bigcrypt",
    "crypt16",
    "lm",
    "dcc",
    "dcc2",
    "postgres-md5",
    "mysql323",
    "oracle10",
    "werkzeug",
    "magento",
    "netscaler",
    "better-auth",
    "clerk-firebase",
];

fn record(name: &str, sample: &Sample) -> Value {
    json!({"algorithm": name, "hash": {"value": sample.hash.expose().trim()}})
}

/// A Magento hash without a version is a salted digest, which Auth0's members say.
fn is_worth_a_try(name: &str, text: &str) -> bool {
    name != "magento" || text.split(':').count() > 2
}

impl Search<'_> {
    /// The first name under which all samples verify.
    pub(super) fn under_a_name(&self) -> Option<Report> {
        let text = self.sample.hash.expose().trim();
        let fits = |name: &str| {
            let known = self.question.samples.iter();
            let known = known.filter_map(|sample| Some((sample, sample.password.as_ref()?)));
            let mut records = known.map(|(sample, password)| {
                let record = record(name, sample).to_string();
                self.verifies(sample, &record, password)
            });
            records.all(|verified| verified)
        };
        let mut names = NAMES.into_iter().filter(|name| is_worth_a_try(name, text));
        let name = names.find(|name| fits(name))?;
        Some(Report::named(name, record(name, self.sample)))
    }
}
