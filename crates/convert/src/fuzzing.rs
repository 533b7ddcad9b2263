//! The entry point for fuzzers: bytes of an export in, invariants checked.

use serde_json::Value;

use crate::{FirebaseHash, Options, Product, Refusal, Summary, Warning};

/// Reads the bytes after the first two as an export: the first byte says of which product, the
/// second what the caller says beside it. Panics when the converter breaks a promise: a row is one
/// line and one object with an address, what is counted is what was written and said, a reading
/// repeats itself, and no warning repeats a hash. Gives the rows that were written, a line each.
pub fn convert(bytes: &[u8]) -> Vec<String> {
    let Some(([which, said], input)) = bytes.split_first_chunk().map(|(two, rest)| (*two, rest))
    else {
        return Vec::new();
    };
    let product = Product::ALL.iter().cycle().nth(usize::from(which));
    let product = product.copied().unwrap_or(Product::Table);
    let options = options(said);
    // The parts of one export, when the input says that it has some.
    let parts: Vec<&[u8]> = if said >= 128 {
        input.splitn(2, |byte| *byte == 0x1E).collect()
    } else {
        vec![input]
    };
    let done = run(product, &parts, &options);
    let again = run(product, &parts, &options);
    assert!(done.written == again.written, "another reading, other rows");
    let text = std::str::from_utf8(&done.written).unwrap_or_default();
    assert_eq!(text.len(), done.written.len(), "rows are no UTF-8");
    let is_whole = text.is_empty() || text.ends_with('\n');
    assert!(is_whole, "half a row");
    let rows: Vec<String> = text.lines().map(str::to_owned).collect();
    for row in &rows {
        check_row(row, &done);
    }
    if let Ok(summary) = &done.end {
        assert_eq!(summary.written, rows.len() as u64, "rows");
        assert_eq!(summary.read, summary.written + summary.left_out, "people");
        assert_eq!(summary.warnings, done.warnings.len() as u64, "warnings");
        let left_out = done.warnings.iter().filter(|warning| warning.is_left_out);
        assert_eq!(summary.left_out, left_out.count() as u64, "left out");
    }
    rows
}

struct Done {
    written: Vec<u8>,
    warnings: Vec<Warning>,
    end: Result<Summary, Refusal>,
}

fn run(product: Product, parts: &[&[u8]], options: &Options) -> Done {
    let inputs = parts
        .iter()
        .map(|part| Box::new(*part) as Box<dyn std::io::Read>);
    let (mut written, mut warnings) = (Vec::new(), Vec::new());
    let mut hear = |warning: &Warning| warnings.push(warning.clone());
    let end = crate::convert(product, inputs.collect(), options, &mut written, &mut hear);
    Done {
        written,
        warnings,
        end,
    }
}

fn options(said: u8) -> Options {
    let is_said = |bit: u8| said >> bit & 1 == 1;
    let mapping = [("email", "mail"), ("password_hash", "pw"), ("salt", "salt")];
    let mapping = mapping.map(|(member, column)| (member.to_owned(), column.to_owned()));
    let custom = serde_json::json!({"algorithm": "md5", "hash": {"encoding": "hex"}});
    Options {
        emails_are_verified: is_said(0),
        user_id_prefix: is_said(1).then(String::new),
        mapping: if is_said(2) {
            mapping.to_vec()
        } else {
            Vec::new()
        },
        custom_hash: is_said(3).then(|| custom.as_object().cloned()).flatten(),
        firebase: is_said(4).then(|| FirebaseHash {
            signer_key: "amtoc3NpZ25lcmtleQ==".to_owned(),
            salt_separator: "Bw==".to_owned(),
            rounds: 8,
            mem_cost: 14,
        }),
        table: is_said(5).then(|| "t".to_owned()),
        ..Options::default()
    }
}

fn check_row(row: &str, done: &Done) {
    let Ok(Value::Object(members)) = serde_json::from_str(row) else {
        unreachable!("a row that is no object");
    };
    assert!(
        members.get("email").is_some_and(Value::is_string),
        "no address"
    );
    let hash = members.get("password_hash").and_then(Value::as_str);
    let Some(hash) = hash.filter(|hash| hash.len() >= 16) else {
        return;
    };
    for warning in &done.warnings {
        let is_shown = warning.why.contains(hash) || warning.field.contains(hash);
        assert!(!is_shown, "a warning shows a hash");
    }
}
