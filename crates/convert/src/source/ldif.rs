//! LDIF (RFC 2849): entries with continued lines, base64 values and comments. Attribute names are
//! folded to lower case and lose their options; an attribute with several values is a list.

use domain::Json;
use serde_json::Value;

use super::Each;
use super::gauge::{Gauge, Metered};
use crate::hash;
use crate::record::{Place, Record};
use crate::refusal::Refusal;

/// Values that are bytes, not text: here as base64.
const BINARY: &[&str] = &[
    "objectguid",
    "objectsid",
    "jpegphoto",
    "usercertificate",
    "thumbnailphoto",
];

pub(super) fn read(
    mut input: Metered<'_>,
    gauge: &Gauge,
    each: &mut Each<'_>,
) -> Result<(), Refusal> {
    let mut entry = empty(1);
    let mut line = Vec::new();
    loop {
        let at = gauge.line();
        let next = input
            .next_line()
            .map_err(|error| Refusal::input(at, error.to_string()))?;
        match next {
            Some(more) if more.first() == Some(&b' ') && !line.is_empty() => {
                line.extend_from_slice(more.get(1..).unwrap_or_default());
            }
            next => {
                take(&mut entry, &line, at.saturating_sub(1))?;
                line = next.clone().unwrap_or_default();
                if line.is_empty() && !entry.members.is_empty() {
                    gauge.begin();
                    each(std::mem::replace(&mut entry, empty(at + 1)))?;
                } else if entry.members.is_empty() {
                    entry.place.line = at;
                }
                if next.is_none() {
                    return Ok(());
                }
            }
        }
    }
}

fn empty(line: u64) -> Record {
    Record {
        place: Place { record: 0, line },
        table: None,
        members: Json::new(),
        fault: None,
    }
}

fn take(entry: &mut Record, line: &[u8], at: u64) -> Result<(), Refusal> {
    if line.is_empty() || line.first() == Some(&b'#') {
        return Ok(());
    }
    let colon = line.iter().position(|b| *b == b':');
    let Some((name, value)) = colon.and_then(|colon| line.split_at_checked(colon)) else {
        return Err(Refusal::input(
            at,
            "neither `attribute: value` nor a continued line",
        ));
    };
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let name = name.split(';').next().unwrap_or_default().to_owned();
    if name == "version" && entry.members.is_empty() {
        return Ok(());
    }
    let value = value.get(1..).unwrap_or_default();
    let (bytes, is_text) = match value.first() {
        Some(b':') => {
            let text = String::from_utf8_lossy(value.get(1..).unwrap_or_default());
            let bytes = hash::bytes(text.trim());
            (
                bytes.ok_or_else(|| Refusal::input(at, "the value is no base64"))?,
                false,
            )
        }
        Some(b'<') => {
            // The value is in another file, which is not read; where, is kept.
            let place = String::from_utf8_lossy(value.get(1..).unwrap_or_default());
            add(
                &mut entry.members,
                format!("{name}<"),
                place.trim().to_owned(),
            );
            return Ok(());
        }
        _ => (value.trim_ascii_start().to_vec(), true),
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) if is_text || !BINARY.contains(&name.as_str()) => text,
        Ok(text) => hash::padded(text.as_bytes()),
        Err(error) => hash::padded(error.as_bytes()),
    };
    add(&mut entry.members, name, text);
    Ok(())
}

fn add(members: &mut Json, name: String, text: String) {
    match members.get_mut(&name) {
        Some(Value::Array(values)) => values.push(text.into()),
        Some(value) => *value = Value::Array(vec![value.take(), text.into()]),
        None => drop(members.insert(name, text.into())),
    }
}
