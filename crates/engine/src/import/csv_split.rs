//! Where a record of a CSV file ends, and what its fields are (RFC 4180, any delimiter).
//!
//! Line breaks inside of quotes belong to their field. A quote that stands inside of an unquoted
//! field is a character like any other; text after a closing quote makes the record malformed, but
//! does not hide where it ends.

use std::borrow::Cow;

/// A scan that may be interrupted at any byte.
#[derive(Clone, Copy, Default)]
pub(super) struct RecordScan {
    place: Place,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Before the first byte of a field.
    #[default]
    Begin,
    /// In a field without quotes.
    Bare,
    /// Between quotes.
    Quoted,
    /// After a quote that closes, unless a second one follows.
    Closed,
}

impl RecordScan {
    /// Goes on with the next bytes; says where the line break is that ends the record.
    pub fn run(&mut self, bytes: &[u8], delimiter: u8) -> Option<usize> {
        for (place, byte) in bytes.iter().copied().enumerate() {
            if self.place == Place::Quoted {
                if byte == b'"' {
                    self.place = Place::Closed;
                }
                continue;
            }
            self.place = match (self.place, byte) {
                (_, b'\n') => return Some(place),
                (Place::Begin | Place::Closed, b'"') => Place::Quoted,
                (_, byte) if byte == delimiter => Place::Begin,
                (Place::Closed, b'\r') => Place::Closed,
                _ => Place::Bare,
            };
        }
        None
    }

    /// Whether a quote was opened and not closed.
    pub fn is_quoted(self) -> bool {
        self.place == Place::Quoted
    }
}

/// The fields of one record without its line break; `Err` says at which of its bytes text follows
/// a closing quote.
pub(super) fn split(record: &[u8], delimiter: u8) -> Result<Vec<Cow<'_, [u8]>>, usize> {
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        let rest = record.get(at..).unwrap_or_default();
        let (field, length) = if rest.first() == Some(&b'"') {
            quoted(rest, delimiter).map_err(|place| at + place)?
        } else {
            let end = rest.iter().position(|byte| *byte == delimiter);
            let length = end.unwrap_or(rest.len());
            (
                Cow::Borrowed(rest.get(..length).unwrap_or_default()),
                length,
            )
        };
        fields.push(field);
        at += length;
        if at >= record.len() {
            return Ok(fields);
        }
        // The delimiter. One that ends the record opens a last, empty field.
        at += 1;
        if at == record.len() {
            fields.push(Cow::Borrowed(&[]));
            return Ok(fields);
        }
    }
}

/// A field that begins with a quote, and the bytes up to the delimiter after it.
fn quoted(rest: &[u8], delimiter: u8) -> Result<(Cow<'_, [u8]>, usize), usize> {
    let mut field = Cow::Borrowed(&[] as &[u8]);
    let mut at = 1;
    loop {
        let tail = rest.get(at..).unwrap_or_default();
        let length = tail.iter().position(|byte| *byte == b'"');
        let length = length.unwrap_or(tail.len());
        let part = tail.get(..length).unwrap_or_default();
        if field.is_empty() {
            field = Cow::Borrowed(part);
        } else {
            field.to_mut().extend_from_slice(part);
        }
        at += length + 1;
        match rest.get(at) {
            Some(b'"') => {
                field.to_mut().push(b'"');
                at += 1;
            }
            Some(byte) if *byte == delimiter => return Ok((field, at)),
            None => return Ok((field, rest.len())),
            Some(_) => return Err(at),
        }
    }
}

/// The delimiter that a first line has most of, outside of quotes; a comma when it has none.
pub(super) fn guess_delimiter(line: &[u8]) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut is_quoted = false;
    for byte in line {
        is_quoted ^= *byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(!is_quoted && delimiter == byte);
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let found = counts.iter().find(|(_, count)| *count == most);
    found.map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Our reading of a whole text: records of fields.
    fn ours(text: &[u8], step: usize) -> Option<Vec<Vec<Vec<u8>>>> {
        let mut records = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let mut scan = RecordScan::default();
            let mut at = 0;
            let mut end = None;
            for part in rest.chunks(step) {
                if let Some(found) = scan.run(part, b',') {
                    end = Some(at + found);
                    break;
                }
                at += part.len();
            }
            if end.is_none() && scan.is_quoted() {
                return None;
            }
            let length = end.unwrap_or(rest.len());
            let line = &rest[..length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            rest = rest.get(length + 1..).unwrap_or_default();
            if !line.is_empty() {
                let fields = split(line, b',').ok()?;
                records.push(fields.into_iter().map(Cow::into_owned).collect());
            }
        }
        Some(records)
    }

    proptest::proptest! {
        /// What another writer of CSV wrote, we read as it was meant, however the bytes come.
        #[test]
        fn reads_what_another_program_writes(
            records in proptest::collection::vec(
                proptest::collection::vec("[a\"', ;\\r\\n\\x00é]{0,6}", 2..4), 1..6),
            step in 1_usize..9,
            crlf in proptest::bool::ANY,
        ) {
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new()
                .flexible(true)
                .terminator(terminator)
                .from_writer(Vec::new());
            for record in &records {
                writer.write_record(record).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let expected: Vec<Vec<Vec<u8>>> = records
                .iter()
                .map(|record| record.iter().map(|field| field.clone().into_bytes()).collect())
                .collect();
            assert_eq!(ours(&text, step), Some(expected));
        }

        /// On any text that we read, another reader finds the same.
        #[test]
        fn reads_as_another_program_reads(text in "[ab\", \\n]{0,40}", step in 1_usize..9) {
            if let Some(found) = ours(text.as_bytes(), step) {
                let mut reader = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .flexible(true)
                    .terminator(csv::Terminator::Any(b'\n'))
                    .from_reader(text.as_bytes());
                let expected: Vec<Vec<Vec<u8>>> = reader
                    .byte_records()
                    .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
                    .collect();
                assert_eq!(found, expected, "{text:?}");
            }
        }
    }

    #[test]
    fn text_after_a_closing_quote_is_malformed() {
        assert_eq!(split(b"a,\"b\"c,d", b','), Err(5));
        assert_eq!(split(b"\"a\" ,b", b','), Err(3));
    }

    #[test]
    fn the_first_line_tells_the_delimiter() {
        assert_eq!(guess_delimiter(b"email;\"a,b,c,d\";name"), b';');
        assert_eq!(guess_delimiter(b"email\tname"), b'\t');
        assert_eq!(guess_delimiter(b"email"), b',');
    }
}
