//! Bytes, read as a file of CSV.

use domain::{CsvMapping, FileFormat, ImportOptions};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::row::check;
use super::{Control, File};
use crate::import::json_shape::Members;
use crate::import::rows::{Content, Row};

/// Takes the bytes after the first two for a file of CSV; a first line that begins with a brace is
/// its mapping. Panics when the reader breaks a promise: also, a mapping comes back from the store
/// unchanged, and every record becomes one object of JSON or has an error.
pub fn csv(bytes: &[u8]) {
    let Some((control, text)) = Control::split(bytes) else {
        return;
    };
    let mut parts = text.splitn(2, |byte| *byte == b'\n');
    let is_mapped = text.starts_with(b"{");
    let mapping = is_mapped.then(|| parts.next()).flatten();
    let mapping = mapping.and_then(|line| serde_json::from_slice::<Value>(line).ok());
    let text = if is_mapped {
        parts.next().unwrap_or_default()
    } else {
        text
    };
    let mapping = match mapping.map(|value| CsvMapping::parse(&value)) {
        None => None,
        Some(Ok(mapping)) => {
            let stored = serde_json::to_string(&mapping).unwrap_or_default();
            let again = serde_json::from_str::<CsvMapping>(&stored).ok();
            assert!(
                again.as_ref() == Some(&mapping),
                "the store changed a mapping"
            );
            Some(mapping)
        }
        Some(Err(error)) => {
            assert!(!error.message.is_empty());
            return;
        }
    };
    let options = ImportOptions {
        format: (!control.is_format_open).then_some(FileFormat::Csv),
        mapping,
        ..ImportOptions::default()
    };
    let file = File {
        text,
        options: &options,
        control,
    };
    let is_csv = options.format.is_some() || options.mapping.is_some();
    for row in file.check().0 {
        if let Content::Row(raw) = &row.content {
            assert!(!is_csv || is_object(raw), "row {} is no object", row.number);
        }
        check_row(&row);
    }
}

fn check_row(row: &Row) {
    match &row.content {
        Content::Row(raw) => _ = check(raw, row.offset),
        Content::Wrong {
            record,
            raw,
            errors,
        } => {
            assert!(!errors.is_empty(), "no reason for row {}", row.number);
            let is_shown = serde_json::from_str::<IgnoredAny>(record).is_ok();
            assert!(is_shown, "row {} can't be shown", row.number);
            let is_kept = raw.as_ref().is_none_or(|raw| is_object(raw));
            assert!(is_kept, "row {} can't be sent again", row.number);
        }
        Content::TooLarge => {}
    }
}

/// Whether the bytes are one object, no member of which is given twice.
fn is_object(raw: &[u8]) -> bool {
    let text = std::str::from_utf8(raw).unwrap_or_default();
    Members::read(text).is_ok_and(|members| members.twice().is_empty())
}
