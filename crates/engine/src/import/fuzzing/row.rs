//! Bytes, read as one row.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Entropy, HashText, Json, email, metadata};
use password::{Limits, PasswordHash};
use serde_json::Value;

use crate::import::mask::mask;
use crate::import::row::{RowReader, takes_alike};
use crate::import::user_schema::RowLimits;
use crate::recipes::HashingThere;

/// Randomness is not what is tested.
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn limits() -> RowLimits {
    RowLimits {
        metadata: 1 << 12,
        hash: Limits::default(),
        hashing: HashingThere {
            recipe: None,
            has_pepper: true,
        },
    }
}

/// Takes the bytes for a row. Panics when the reader breaks a promise; says whether it is taken.
pub fn row(bytes: &[u8]) -> bool {
    check(&Bytes::copy_from_slice(bytes), 0)
}

/// Reads a row; panics when it is taken and can't be read back, when the two ways of reading
/// differ, when it is refused without a reason, or when its report shows its hash.
pub(super) fn check(raw: &Bytes, offset: i64) -> bool {
    if let Ok(text) = std::str::from_utf8(raw) {
        assert!(takes_alike(text, &limits()), "the two ways differ");
    }
    let mut reader = RowReader::new(limits(), Arc::new(Fixed));
    let row = match reader.read(raw, offset) {
        Ok(row) => row,
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason");
            check_report(raw);
            return false;
        }
    };
    assert!(row.offset == offset && row.raw == *raw, "another row");
    assert!(!row.foreign_id.is_empty(), "no id");
    assert!(email::is_well_formed(&row.email), "no address");
    for text in [&row.user_metadata, &row.app_metadata]
        .into_iter()
        .flatten()
    {
        let object = serde_json::from_str::<Json>(text).map(Value::from);
        let is_kept = object.is_ok_and(|object| metadata::is_shallow(&object));
        assert!(is_kept, "metadata that can't be read back");
    }
    if let Some(stored) = &row.password {
        let again = PasswordHash::from_stored(stored);
        let again = again.as_ref().map(PasswordHash::to_stored);
        let again = again.as_ref().map(HashText::expose);
        assert!(again.ok() == Some(stored.expose()), "a hash that changed");
    }
    true
}

/// A hash that stands in one place only stands nowhere in the report.
fn check_report(raw: &[u8]) {
    let Ok(Value::Object(mut row)) = serde_json::from_slice(raw) else {
        return;
    };
    let Some(Value::String(hash)) = row.shift_remove("password_hash") else {
        return;
    };
    let is_alone = !Value::Object(row).to_string().contains(&hash);
    if hash.len() >= 12 && is_alone {
        assert!(!mask(raw).contains(&hash), "the report shows a hash");
    }
}
