//! Authorization requests that a client sends ahead (RFC 9126). Here the client proves itself and
//! the parameters are kept under seal; whether they are right is checked where they are used.

use std::time::Duration;

use domain::ClientId;
use domain::entropy::alphanumeric;
use oidc::{OAuthError, PushedRequest};
use serde::Serialize;

use crate::Engine;
use crate::issue::{CODE_LENGTH, token_hash};
use crate::token::{defect, outage};

/// How a pushed request is named (RFC 9126 §2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// Seconds that a request is kept unless the client says otherwise: Auth0's default.
const LIFETIME: u64 = 30;

/// What the client is told.
#[derive(Serialize)]
pub struct PushedAnswer {
    request_uri: String,
    expires_in: u64,
}

impl Engine {
    /// Answers `POST /oauth/par`.
    pub async fn push_request(&self, request: PushedRequest) -> Result<PushedAnswer, OAuthError> {
        let client = self.proven_client(&request.client).await?;
        let expiry = client.attributes.get("par_request_expiry");
        let seconds = expiry.and_then(serde_json::Value::as_u64);
        let expires_in = seconds.unwrap_or(LIFETIME).clamp(1, 600);
        let request_uri = format!("{PREFIX}{}", alphanumeric(&*self.entropy, CODE_LENGTH));
        let parameters = serde_json::to_string(&request.parameters).map_err(defect)?;
        let now = self.now();
        let mut write = self.store.write();
        write
            .insert_pushed_request(
                &token_hash(&request_uri),
                &client.client_id,
                &parameters,
                now,
                now.plus(Duration::from_secs(expires_in)),
            )
            .map_err(outage)?;
        self.store.commit(write).await.map_err(outage)?;
        Ok(PushedAnswer {
            request_uri,
            expires_in,
        })
    }

    /// The parameters that a client pushed, once; `None` when there are none, their time is over,
    /// or they were taken before.
    pub async fn take_pushed_request(
        &self,
        request_uri: &str,
        client: &ClientId,
    ) -> Result<Option<Vec<(String, String)>>, OAuthError> {
        let taken = self
            .store
            .take_pushed_request(&token_hash(request_uri), client, self.now())
            .await
            .map_err(outage)?;
        taken
            .map(|text| serde_json::from_str(&text).map_err(defect))
            .transpose()
    }
}
