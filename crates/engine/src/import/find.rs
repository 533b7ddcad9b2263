//! One row of an import file on this machine, found by its user's e-mail address, username or id.
//!
//! The file is read by the import's own reader, so that packing, encoding, format and mapping mean
//! here what they mean there. Reads to the end when it must; keeps one row.

use std::borrow::Cow;
use std::io::{ErrorKind, Read, Seek, SeekFrom};

use bytes::{Bytes, BytesMut};
use domain::{ImportOptions, RowError, email};
use serde::Deserialize;

use super::rows::{Content, Row, Rows};
use super::unpack::Unpacked;
use super::window::{Problem, Source, SourceError};
use crate::settings::ImportSettings;

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;

/// What a row is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowKey {
    /// Its e-mail address, in any letter case.
    Email(String),
    /// Its username, in any letter case.
    Username(String),
    /// Its id, with or without `auth0|`.
    UserId(String),
}

impl RowKey {
    /// Reads `email=…`, `username=…` or `user_id=…`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('=')? {
            ("email", address) => Some(Self::Email(email::fold(address))),
            ("username", name) => Some(Self::Username(email::fold(name))),
            ("user_id", id) => Some(Self::UserId(unprefixed(id).to_owned())),
            _ => None,
        }
    }

    fn fits(&self, row: &Keys<'_>) -> bool {
        let folded = |text: &Option<Cow<'_, str>>| text.as_deref().map(email::fold);
        match self {
            Self::Email(address) => folded(&row.email).as_ref() == Some(address),
            Self::Username(name) => folded(&row.username).as_ref() == Some(name),
            Self::UserId(id) => row.user_id.as_deref().map(unprefixed) == Some(id),
        }
    }
}

pub(super) fn unprefixed(id: &str) -> &str {
    id.strip_prefix("auth0|").unwrap_or(id)
}

/// The members that find a row; the others are passed over.
#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow, default)]
    email: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    username: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
}

/// A row that was found.
#[derive(Debug)]
pub struct FoundRow {
    /// From 1.
    pub number: i64,
    /// Of its first byte in the unpacked text.
    pub offset: i64,
    /// The row as JSON, whatever the file is.
    pub text: String,
    /// What an import would refuse it for before it looks at the row itself: fields that are not of
    /// their column's type.
    pub errors: Vec<RowError>,
}

/// What a search came to.
#[derive(Debug)]
pub struct RowSearch {
    /// The first row with the key.
    pub found: Option<FoundRow>,
    /// Rows before it that say nothing of their user: larger than allowed, or malformed.
    pub unreadable: i64,
}

/// A file on this machine.
struct Local<R> {
    file: R,
    /// Why it did not go back.
    lost: Option<String>,
}

impl<R: Read + Seek> Source for Local<R> {
    fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        if let Some(why) = &self.lost {
            return Err(SourceError::Lost(why.clone()));
        }
        let before = buffer.len();
        buffer.resize(before + CHUNK, 0);
        let read = loop {
            match self.file.read(buffer.get_mut(before..).unwrap_or_default()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        read.map_err(|error| SourceError::Lost(error.to_string()))
    }

    fn seek(&mut self, offset: i64) {
        let place = SeekFrom::Start(offset.unsigned_abs());
        self.lost = self.file.seek(place).err().map(|error| error.to_string());
    }
}

/// Searches a file for the first row with a key, as an import with these options would read it.
///
/// # Errors
/// The file can't be read up to such a row, in words.
pub fn find_row(
    file: impl Read + Seek,
    key: &RowKey,
    options: &ImportOptions,
    settings: &ImportSettings,
) -> Result<RowSearch, String> {
    let source = Local { file, lost: None };
    let source = Unpacked::new(source, settings.largest_unpacked());
    let mut rows =
        Rows::open(source, options, 0, 0, settings.max_row_bytes).map_err(|why| in_words(&why))?;
    let mut unreadable = 0;
    while let Some(row) = rows.next().map_err(|why| in_words(&why))? {
        let Row {
            number,
            offset,
            content,
            ..
        } = row;
        let Some((raw, errors)) = text_of(content) else {
            unreadable += 1;
            continue;
        };
        match serde_json::from_slice::<Keys<'_>>(&raw) {
            Ok(keys) if key.fits(&keys) => {
                let text = String::from_utf8_lossy(&raw).into_owned();
                let found = Some(FoundRow {
                    number,
                    offset,
                    text,
                    errors,
                });
                return Ok(RowSearch { found, unreadable });
            }
            Ok(_) => {}
            Err(_) => unreadable += 1,
        }
    }
    Ok(RowSearch {
        found: None,
        unreadable,
    })
}

fn text_of(content: Content) -> Option<(Bytes, Vec<RowError>)> {
    match content {
        Content::Row(raw) => Some((raw, Vec::new())),
        Content::Wrong { raw, errors, .. } => Some((raw?, errors)),
        Content::TooLarge => None,
    }
}

fn in_words(problem: &Problem) -> String {
    match problem {
        Problem::Fault(fault) => format!("byte {}: {}", fault.offset, fault.problem),
        Problem::Source(
            SourceError::Lost(why) | SourceError::Unavailable(why) | SourceError::Broken(why),
        ) => why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use domain::{CsvMapping, FileFormat};
    use serde_json::json;

    use super::*;

    fn search(file: &[u8], key: &str, options: &ImportOptions) -> Result<RowSearch, String> {
        let settings = ImportSettings {
            max_row_bytes: 1000,
            ..ImportSettings::default()
        };
        find_row(
            Cursor::new(file),
            &RowKey::parse(key).unwrap(),
            options,
            &settings,
        )
    }

    fn number(file: &[u8], key: &str) -> Option<i64> {
        let found = search(file, key, &ImportOptions::default()).unwrap().found;
        found.map(|row| row.number)
    }

    type Pack = fn(&str) -> Vec<u8>;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn utf16(text: &str) -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_row_is_found_by_any_of_its_keys() {
        let file = br#"[{"email":"A@x.example","n":1}, {"email":"b@x.example","username":"Bob","user_id":"auth0|7"}]"#;
        assert_eq!(number(file, "email=a@X.example"), Some(1));
        assert_eq!(number(file, "username=bob"), Some(2));
        assert_eq!(number(file, "user_id=7"), Some(2));
        assert_eq!(number(file, "email=c@x.example"), None);
        assert_eq!(RowKey::parse("phone=1"), None);
        let lines = b"{\"email\":\"a@x.example\"}\n{\"email\":\"b@x.example\"}\n";
        assert_eq!(number(lines, "email=b@x.example"), Some(2));
        assert!(search(b"nothing", "email=a", &ImportOptions::default()).is_err());
    }

    #[test]
    fn a_packed_file_is_read_as_an_import_reads_it() {
        let lines = "{\"email\":\"a@x.example\"}\n{\"email\":\"b@x.example\",\"n\":\"é\"}\n";
        let csv = "email;username\na@x.example;ann\nb@x.example;bob\n";
        // What UTF-16 begins with counts as the three bytes that it is in UTF-8.
        let packings: [(usize, Pack); 5] = [
            (0, |text| text.as_bytes().to_vec()),
            (0, |text| gzip(text.as_bytes())),
            (0, |text| zstd::encode_all(text.as_bytes(), 1).unwrap()),
            (3, utf16),
            (3, |text| gzip(&utf16(text))),
        ];
        for (mark, pack) in packings {
            for file in [lines, csv] {
                let found = search(&pack(file), "email=b@x.example", &ImportOptions::default());
                let row = found.unwrap().found.unwrap();
                let before = if file == lines { 10 } else { 0 };
                let offset = mark + file.find("b@x").unwrap() - before;
                assert_eq!(
                    (row.number, row.offset),
                    (2, i64::try_from(offset).unwrap())
                );
                assert_eq!(
                    row.text,
                    if file == csv {
                        r#"{"email":"b@x.example","username":"bob"}"#
                    } else {
                        "{\"email\":\"b@x.example\",\"n\":\"é\"}"
                    }
                );
            }
        }
        let cut = gzip(lines.as_bytes());
        let cut = &cut[..cut.len() - 9];
        let problem = search(cut, "email=c@x.example", &ImportOptions::default()).unwrap_err();
        assert!(problem.contains("its end is missing"), "{problem}");
    }

    #[test]
    fn format_and_mapping_count() {
        let mapping = CsvMapping::parse(&json!({
            "columns": {"Mail": "email", "pw": "custom_password_hash.hash.value", "on": "blocked"},
            "constants": {"custom_password_hash.algorithm": "md5"},
        }));
        let options = ImportOptions {
            mapping: Some(mapping.unwrap()),
            ..ImportOptions::default()
        };
        let file = b"Mail,pw,on\na@x.example,0a,no\na,b\nb@x.example,0b,perhaps\n";
        let found = search(file, "email=a@x.example", &options).unwrap().found;
        assert_eq!(
            found.unwrap().text,
            r#"{"email":"a@x.example","custom_password_hash":{"hash":{"value":"0a"},"algorithm":"md5"},"blocked":false}"#
        );
        let wrong = search(file, "email=b@x.example", &options).unwrap();
        assert_eq!(wrong.unreadable, 1);
        let errors = wrong.found.unwrap().errors;
        assert_eq!(errors.first().unwrap().path, "blocked");
        // Without the mapping these columns are nobody's, and said to be JSON the file is none.
        let plain = ImportOptions {
            format: Some(FileFormat::Csv),
            ..ImportOptions::default()
        };
        let problem = search(file, "email=a@x.example", &plain).unwrap_err();
        assert!(
            problem.contains("\"Mail\" is mapped to nothing"),
            "{problem}"
        );
        let json = ImportOptions {
            format: Some(FileFormat::Json),
            ..ImportOptions::default()
        };
        assert!(search(file, "email=a@x.example", &json).is_err());
    }

    #[test]
    fn rows_that_say_nothing_are_counted() {
        let large = "x".repeat(2000);
        let file = format!("{{\"email\":\"{large}\"}}\n{{\"email\":7}}\n{{\"email\":\"a@b\"}}\n");
        let search = search(file.as_bytes(), "email=none", &ImportOptions::default()).unwrap();
        assert!(search.found.is_none());
        assert_eq!(search.unreadable, 2);
    }
}
