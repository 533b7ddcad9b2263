//! The way out: rows written, warnings said, everything counted.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;

use crate::options::Options;
use crate::person::Person;
use crate::product::Product;
use crate::record::Place;
use crate::refusal::Refusal;

/// Something of a record that was not carried over as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Which record, from 1, over all inputs.
    pub record: u64,
    /// Where it begins, from 1, in its own input.
    pub line: u64,
    /// The member or column.
    pub field: String,
    /// What is wrong; never a secret.
    pub why: String,
    /// Whether the whole record was left out for it.
    pub is_left_out: bool,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (record, line, field, why) = (self.record, self.line, &self.field, &self.why);
        let end = if self.is_left_out { "; left out" } else { "" };
        write!(f, "record {record}, line {line}, {field}: {why}{end}")
    }
}

/// What became of the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records of people.
    pub read: u64,
    /// Rows written.
    pub written: u64,
    /// People without a row.
    pub left_out: u64,
    /// Rows without a password hash: their people sign in through the connection's `login` script,
    /// or reset.
    pub without_password: u64,
    /// Records that are no people: other tables, models, entries.
    pub ignored: u64,
    /// Warnings said.
    pub warnings: u64,
}

/// Above this many, twins are left to the import to find: the marks below take memory.
const MOST_MARKS: usize = 4_000_000;

/// The sink of all converters.
pub(crate) struct Rows<'a> {
    pub product: Product,
    pub options: &'a Options,
    out: &'a mut dyn Write,
    on_warning: &'a mut dyn FnMut(&Warning),
    summary: Summary,
    /// Marks of addresses and ids already written.
    marks: HashSet<u64>,
}

impl<'a> Rows<'a> {
    pub fn new(
        product: Product,
        options: &'a Options,
        out: &'a mut dyn Write,
        on_warning: &'a mut dyn FnMut(&Warning),
    ) -> Self {
        Self {
            product,
            options,
            out,
            on_warning,
            summary: Summary::default(),
            marks: HashSet::new(),
        }
    }

    /// A record that is no person.
    pub fn ignore(&mut self) {
        self.summary.ignored += 1;
    }

    /// Says that something stays behind; the person comes.
    pub fn warn(&mut self, place: Place, field: &str, why: impl Into<String>) {
        self.say(place, field, why.into(), false);
    }

    /// Says why a person stays behind.
    pub fn leave_out(&mut self, place: Place, field: &str, why: impl Into<String>) {
        self.summary.read += 1;
        self.summary.left_out += 1;
        self.say(place, field, why.into(), true);
    }

    fn say(&mut self, place: Place, field: &str, why: String, is_left_out: bool) {
        self.summary.warnings += 1;
        (self.on_warning)(&Warning {
            record: place.record,
            line: place.line,
            field: field.to_owned(),
            why,
            is_left_out,
        });
    }

    /// Writes a person's row, or says why there is none.
    pub fn write(&mut self, place: Place, person: Person) -> Result<(), Refusal> {
        let had_no_hash = person.hash.is_none();
        let finished = person.into_row(self.product, self.options);
        for (field, why) in &finished.complaints {
            self.warn(place, field, why.as_str());
        }
        let row = match finished.row {
            Ok(row) => row,
            Err((field, why)) => {
                self.leave_out(place, &field, why);
                return Ok(());
            }
        };
        for field in ["email", "user_id", "username", "phone_number"] {
            let value = row.get(field).and_then(serde_json::Value::as_str);
            if value.is_some_and(|value| self.is_twin(field, value)) {
                let why = "given to an earlier record too: the import takes only the first";
                self.warn(place, field, why);
            }
        }
        self.summary.read += 1;
        self.summary.written += 1;
        self.summary.without_password += u64::from(had_no_hash);
        serde_json::to_writer(&mut *self.out, &row).map_err(std::io::Error::from)?;
        self.out.write_all(b"\n")?;
        Ok(())
    }

    fn is_twin(&mut self, field: &str, value: &str) -> bool {
        if self.marks.len() >= MOST_MARKS {
            return false;
        }
        let mut hasher = DefaultHasher::new();
        (field, value.to_lowercase()).hash(&mut hasher);
        !self.marks.insert(hasher.finish())
    }

    /// Flushes and gives the counts.
    pub fn finish(self) -> Result<Summary, Refusal> {
        self.out.flush()?;
        Ok(self.summary)
    }
}
