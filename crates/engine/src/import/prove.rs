//! One row of an import file, proven with its user's password before anything is uploaded: read as
//! an import would read it, verified as a login would. `find` finds it. Writes nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{ConfigurationValue, ConnectionId, HashText, Password, RowError};
use password::identify::{Question, Report, Sample};
use serde_json::Value;

use super::find::unprefixed;
use super::row::RowReader;
use super::user_schema::RowLimits;
use crate::error::Result;
use crate::{Engine, recipes};

/// How long a search for the nearest miss may take.
const SEARCH: Duration = Duration::from_secs(10);

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
