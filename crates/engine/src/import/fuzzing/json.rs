//! Bytes, read as a file of JSON.

use domain::{FileFormat, ImportOptions};
use serde::de::IgnoredAny;

use super::row::check;
use super::{Control, File};
use crate::import::rows::Content;

/// Takes the bytes after the first two for a file of JSON, or of whatever it looks like. Panics
/// when the reader breaks a promise: also, a row is what stands in the file, and an array that is
/// JSON is never called broken.
pub fn json(bytes: &[u8]) {
    let Some((control, text)) = Control::split(bytes) else {
        return;
    };
    let options = ImportOptions {
        format: (!control.is_format_open).then_some(FileFormat::Json),
        ..ImportOptions::default()
    };
    let file = File {
        text,
        options: &options,
        control,
    };
    let (rows, problem) = file.check();
    for row in &rows {
        if let Content::Row(raw) = &row.content {
            check(raw, row.offset);
        }
    }
    if control.is_format_open {
        return;
    }
    for row in &rows {
        let place = usize::try_from(row.offset)
            .ok()
            .zip(usize::try_from(row.end).ok());
        let stands = place.and_then(|(offset, end)| text.get(offset..end));
        if let Content::Row(raw) = &row.content {
            assert!(stands == Some(&raw[..]), "row {} is another", row.number);
        }
    }
    if let Ok(elements) = serde_json::from_slice::<Vec<IgnoredAny>>(text) {
        assert_eq!(problem, None, "a whole array");
        assert_eq!(rows.len(), elements.len(), "a whole array");
    }
}
