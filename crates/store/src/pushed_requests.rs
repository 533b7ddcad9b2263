//! Authorization requests that a client sent ahead (RFC 9126): sealed, and taken once.

use domain::{ClientId, Instant};

use crate::db::one;
use crate::error::{Result, StoreError};
use crate::{Store, Write, first};

const PLACE: &str = "pushed_requests.parameters";

impl Store {
    /// Takes a request of a client out: its parameters in the caller's own text. None when there
    /// is none, its time is over, or somebody took it before.
    pub async fn take_pushed_request(
        &self,
        uri_hash: &str,
        client: &ClientId,
        now: Instant,
    ) -> Result<Option<String>> {
        let sql = "select parameters from pushed_requests where uri_hash = $1 and client_id = $2 \
                   and used_at is null and expires_at > $3";
        let params = vec![uri_hash.into(), client.into(), now.into()];
        let Some(mut row) = first(self.db.lookup(sql, params).await?) else {
            return Ok(None);
        };
        let sealed = row.bytes(PLACE)?;
        let text = self.seal.open_text(PLACE, uri_hash, &sealed)?;
        let mut write = self.write();
        write.push(one(
            "update pushed_requests set used_at = $2 where uri_hash = $1 and used_at is null",
            vec![uri_hash.into(), now.into()],
        ));
        match self.commit(write).await {
            Ok(()) => Ok(Some(text.as_str().to_owned())),
            Err(StoreError::Stale { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Write {
    /// Keeps a request.
    pub fn insert_pushed_request(
        &mut self,
        uri_hash: &str,
        client: &ClientId,
        parameters: &str,
        now: Instant,
        expires_at: Instant,
    ) -> Result<&mut Self> {
        let sealed = self.sealed(PLACE, uri_hash, parameters.as_bytes())?;
        Ok(self.push(one(
            "insert into pushed_requests (uri_hash, client_id, parameters, created_at, \
             expires_at) values ($1, $2, $3, $4, $5)",
            vec![
                uri_hash.into(),
                client.into(),
                sealed.into(),
                now.into(),
                expires_at.into(),
            ],
        )))
    }
}
