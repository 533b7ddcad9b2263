//! Public keys by which clients prove themselves.

use domain::{ClientCredential, ClientId, CredentialId, Instant};

use crate::db::{Row, any, one};
use crate::error::Result;
use crate::{Store, Write};

impl Store {
    /// All credentials of a client, oldest first.
    pub async fn list_client_credentials(
        &self,
        client: &ClientId,
    ) -> Result<Vec<ClientCredential>> {
        let sql = "select id, client_id, name, kid, algorithm, pem, created_at, updated_at, \
                   expires_at from client_credentials where client_id = $1 \
                   order by created_at, id";
        let rows = self.db.lookup(sql, vec![client.into()]).await?;
        rows.into_iter().map(credential).collect()
    }
}

fn credential(mut row: Row) -> Result<ClientCredential> {
    Ok(ClientCredential {
        id: row.text("client_credentials.id")?.into(),
        client_id: row.text("client_credentials.client_id")?.into(),
        name: row.text_or_null("client_credentials.name")?,
        kid: row.text("client_credentials.kid")?,
        algorithm: row.text("client_credentials.algorithm")?,
        pem: row.text("client_credentials.pem")?,
        created_at: row.time("client_credentials.created_at")?,
        updated_at: row.time("client_credentials.updated_at")?,
        expires_at: row.time_or_null("client_credentials.expires_at")?,
    })
}

impl Write {
    /// Writes a new credential.
    pub fn insert_client_credential(&mut self, credential: &ClientCredential) -> &mut Self {
        self.push(one(
            "insert into client_credentials (id, client_id, name, kid, algorithm, pem, \
             created_at, updated_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            vec![
                (&credential.id).into(),
                (&credential.client_id).into(),
                credential.name.as_ref().into(),
                (&credential.kid).into(),
                (&credential.algorithm).into(),
                (&credential.pem).into(),
                credential.created_at.into(),
                credential.updated_at.into(),
                credential.expires_at.into(),
            ],
        ))
    }

    /// Gives a credential another end. The batch fails when it is gone.
    pub fn set_credential_expiry(
        &mut self,
        id: &CredentialId,
        expires_at: Option<Instant>,
        now: Instant,
    ) -> &mut Self {
        self.push(one(
            "update client_credentials set expires_at = $2, updated_at = $3 where id = $1",
            vec![id.into(), expires_at.into(), now.into()],
        ))
    }

    /// Deletes a credential.
    pub fn delete_client_credential(&mut self, id: &CredentialId) -> &mut Self {
        self.push(any(
            "delete from client_credentials where id = $1",
            vec![id.into()],
        ))
    }
}
