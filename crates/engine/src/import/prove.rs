//! One row of an import file, proven with its user's password before anything is uploaded: found
//! in the file by its e-mail address, username or id, read as an import would read it, verified as
//! a login would. Writes nothing.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{ConfigurationValue, ConnectionId, HashText, Password, RowError, email};
use password::identify::{Question, Report, Sample};
use serde::Deserialize;
use serde_json::Value;

use super::row::RowReader;
use super::user_schema::RowLimits;
use super::window::{Problem, Source, SourceError, Window};
use crate::error::Result;
use crate::{Engine, recipes};

/// How long a search for the nearest miss may take.
const SEARCH: Duration = Duration::from_secs(10);
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

fn unprefixed(id: &str) -> &str {
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
    /// Of its first byte in the file.
    pub offset: i64,
    /// Its text.
    pub text: String,
}

/// A file on this machine.
struct Local<R>(R);

impl<R: Read> Source for Local<R> {
    fn fill(&mut self, buffer: &mut BytesMut) -> std::result::Result<usize, SourceError> {
        let before = buffer.len();
        buffer.resize(before + CHUNK, 0);
        let space = buffer.get_mut(before..).unwrap_or_default();
        let read = self.0.read(space);
        buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        read.map_err(|error| SourceError::Lost(error.to_string()))
    }

    // A search begins at the beginning and goes on to the end.
    fn seek(&mut self, _: i64) {}
}

/// The first row of a file (a JSON array or an object a line) with a key.
///
/// # Errors
/// The file can't be read to the end, in words.
pub fn find_row(
    file: impl Read,
    key: &RowKey,
    max_row_bytes: usize,
) -> std::result::Result<Option<FoundRow>, String> {
    let in_words = |problem| match problem {
        Problem::Fault(fault) => format!("byte {}: {}", fault.offset, fault.problem),
        Problem::Source(
            SourceError::Lost(why) | SourceError::Unavailable(why) | SourceError::Broken(why),
        ) => why,
    };
    let mut window = Window::open(Local(file), 0, 0, max_row_bytes).map_err(in_words)?;
    while let Some(element) = window.next().map_err(in_words)? {
        let Some(raw) = element.raw else { continue };
        let keys = serde_json::from_slice::<Keys<'_>>(&raw);
        if keys.is_ok_and(|keys| key.fits(&keys)) {
            return Ok(Some(FoundRow {
                number: element.number,
                offset: element.offset,
                text: String::from_utf8_lossy(&raw).into_owned(),
            }));
        }
    }
    Ok(None)
}

/// What a proof came to.
pub enum Proof {
    /// An import would refuse the row.
    Refused(Vec<RowError>),
    /// The row has no password.
    NoPassword,
    /// The password verifies; this algorithm was recognised.
    Verified(&'static str),
    /// It does not; this is what a search says of the hash.
    Mismatch(&'static str, Box<Report>),
}

impl Engine {
    /// Reads a row as an import into the connection would, and verifies a password as a login
    /// would.
    pub async fn prove_row(
        &self,
        connection: &ConnectionId,
        row: &str,
        password: Password,
    ) -> Result<Proof> {
        let connection = self.connection(connection).await?.connection;
        let limits = RowLimits {
            metadata: self.settings.import.max_metadata_bytes,
            hash: self.settings.hash_limits.clone(),
            hashing: recipes::hashing_there(&connection, &self.settings.hash_limits)?,
        };
        let mut reader = RowReader::new(limits, Arc::clone(&self.entropy));
        let read = match reader.read(&Bytes::copy_from_slice(row.as_bytes()), 0) {
            Ok(read) => read,
            Err(errors) => return Ok(Proof::Refused(errors)),
        };
        let Some(stored) = read.password else {
            return Ok(Proof::NoPassword);
        };
        let hash = Arc::new(recipes::read_stored(&connection, &stored)?);
        let password = Arc::new(password);
        if self.hashing.verify(Arc::clone(&hash), &password).await? {
            return Ok(Proof::Verified(hash.algorithm()));
        }
        let pepper = recipes::pepper(&connection).cloned();
        let report = match question(row, pepper, &password) {
            Some(question) => self.identify_hash(question, SEARCH).await?,
            None => return Ok(Proof::NoPassword),
        };
        Ok(Proof::Mismatch(hash.algorithm(), Box::new(report)))
    }

    /// Searches for what made some hashes, for at most so long.
    pub async fn identify_hash(&self, question: Question, time: Duration) -> Result<Report> {
        let (limits, clock) = (self.settings.hash_limits.clone(), Arc::clone(&self.clock));
        self.hashing.identify(question, limits, clock, time).await
    }
}

/// The row's hash as a sample of the detector.
fn question(
    row: &str,
    pepper: Option<ConfigurationValue>,
    password: &Password,
) -> Option<Question> {
    let row: Value = serde_json::from_str(row).ok()?;
    let text = |pointer: &str| row.pointer(pointer).and_then(Value::as_str);
    let hash = text("/password_hash").or_else(|| text("/custom_password_hash/hash/value"))?;
    let owned = |name: &str| text(name).map(str::to_owned);
    Some(Question {
        samples: vec![Sample {
            hash: HashText::from(hash),
            salt: owned("/custom_password_hash/salt/value"),
            username: owned("/username"),
            email: owned("/email"),
            user_id: text("/user_id").map(|id| unprefixed(id).to_owned()),
            password: Some(Password::from(password.expose())),
        }],
        pepper,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_by_any_of_its_keys() {
        let file = br#"[{"email":"A@x.example","n":1}, {"email":"b@x.example","username":"Bob","user_id":"auth0|7"}]"#;
        let find = |key: &str| {
            let found = find_row(&file[..], &RowKey::parse(key).unwrap(), 1000).unwrap();
            found.map(|row| row.number)
        };
        assert_eq!(find("email=a@X.example"), Some(1));
        assert_eq!(find("username=bob"), Some(2));
        assert_eq!(find("user_id=7"), Some(2));
        assert_eq!(find("email=c@x.example"), None);
        assert_eq!(RowKey::parse("phone=1"), None);
        let lines = b"{\"email\":\"a@x.example\"}\n{\"email\":\"b@x.example\"}\n";
        let key = RowKey::parse("email=b@x.example").unwrap();
        assert_eq!(find_row(&lines[..], &key, 1000).unwrap().unwrap().number, 2);
        assert!(find_row(&b"nothing"[..], &key, 1000).is_err());
    }
}
