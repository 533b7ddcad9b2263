//! CSV: a first line of names, or names that the product is known for. Quotes as in RFC 4180.

use csv::{ByteRecord, ReaderBuilder};
use domain::Json;
use serde_json::Value;

use super::Each;
use super::gauge::{Gauge, Metered};
use crate::record::{Place, Record};
use crate::refusal::Refusal;

pub(super) fn read(
    input: Metered<'_>,
    gauge: &Gauge,
    delimiter: u8,
    columns: Option<&[&str]>,
    each: &mut Each<'_>,
) -> Result<(), Refusal> {
    let mut table = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(input);
    let mut row = ByteRecord::new();
    let mut names: Option<Vec<String>> =
        columns.map(|columns| columns.iter().map(|name| (*name).to_owned()).collect());
    let is_exact = columns.is_none();
    loop {
        gauge.begin();
        let line = table.position().line();
        let more = table
            .read_byte_record(&mut row)
            .map_err(|error| Refusal::input(line, reason(&error)))?;
        if !more {
            return Ok(());
        }
        let Some(names) = &names else {
            names = Some(header(&row)?);
            continue;
        };
        let line = row.position().map_or(line, csv::Position::line);
        each(record(&row, names, is_exact, line))?;
    }
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => "no CSV".to_owned(),
    }
}

fn header(row: &ByteRecord) -> Result<Vec<String>, Refusal> {
    let names = row
        .iter()
        .map(|name| std::str::from_utf8(name).map(|name| name.trim().to_owned()));
    let names: Result<Vec<String>, _> = names.collect();
    let names = names.map_err(|_| Refusal::input(1, "the first line is not UTF-8"))?;
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Refusal::input(1, "two columns have one name"));
    }
    Ok(names)
}

fn record(row: &ByteRecord, names: &[String], is_exact: bool, line: u64) -> Record {
    let mut record = Record {
        place: Place { record: 0, line },
        table: None,
        members: Json::new(),
        fault: None,
    };
    if row.len() > names.len() || (is_exact && row.len() < names.len()) {
        record.fault = Some(("row".to_owned(), "has not as many fields as the first line"));
    }
    for (name, field) in names.iter().zip(row) {
        match std::str::from_utf8(field) {
            Ok(text) => drop(record.members.insert(name.clone(), Value::from(text))),
            Err(_) => record.fault = Some((name.clone(), "not UTF-8")),
        }
    }
    record
}
