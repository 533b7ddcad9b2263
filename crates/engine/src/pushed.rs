//! Authorization requests that a client sends ahead (RFC 9126). Here the client proves itself and is
//! told what is wrong with them; then the parameters are kept under seal. They are checked once more
//! where they are used: the client may have changed meanwhile.

use std::time::Duration;

use domain::entropy::alphanumeric;
use domain::{Client, ClientId, EventKind};
use oidc::authorize::{AuthorizeRefusal, PUSHED_REQUEST_URI, Source};
use oidc::dpop::Proof;
use oidc::{OAuthError, Params, PushedRequest};
use serde::Serialize;

use crate::issue::{CODE_LENGTH, token_hash};
use crate::token::{defect, outage};
use crate::{Context, Engine};

/// Most seconds that a request is kept: Auth0's limit.
const LONGEST: u64 = 600;

/// What the client is told.
#[derive(Serialize)]
pub struct PushedAnswer {
    request_uri: String,
    expires_in: u64,
}

impl Engine {
    /// Answers `POST /oauth/par`. `proof` is that of a key which the client holds: it binds as
    /// `dpop_jkt` does (RFC 9449 §10.1).
    pub async fn push_request(
        &self,
        context: &Context,
        request: PushedRequest,
        proof: Option<Proof>,
    ) -> Result<PushedAnswer, OAuthError> {
        let client = self.proven_client(&request.client).await?;
        let key = self.use_proof(proof).await?;
        let key = key.map(|key| key.as_str().to_owned());
        let parameters = match self.checked_push(&client, request.parameters, key) {
            Ok(parameters) => parameters,
            Err(refusal) => {
                let kind = EventKind::PushedRequestFailed;
                let event = self.exchange_event(context, &client, kind);
                return Err(self.refuse_exchange(event, refusal).await);
            }
        };
        let expires_in = client.pushed_request_lifetime().clamp(1, LONGEST);
        let random = alphanumeric(&*self.entropy, CODE_LENGTH);
        let request_uri = format!("{PUSHED_REQUEST_URI}{random}");
        let parameters = serde_json::to_string(&parameters).map_err(defect)?;
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

    fn checked_push(
        &self,
        client: &Client,
        parameters: Vec<(String, String)>,
        key: Option<String>,
    ) -> Result<Vec<(String, String)>, OAuthError> {
        let parameters = bound(parameters, key)?;
        let params = Params::from_query(parameters.clone());
        self.checked(params, client, Source::Pushing)
            .map_err(AuthorizeRefusal::into_error)?;
        Ok(parameters)
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

/// The parameters, bound to the key.
fn bound(
    mut parameters: Vec<(String, String)>,
    key: Option<String>,
) -> Result<Vec<(String, String)>, OAuthError> {
    let Some(key) = key else {
        return Ok(parameters);
    };
    match parameters.iter().find(|(name, _)| name == "dpop_jkt") {
        Some((_, named)) if *named == key => {}
        Some(_) => {
            let detail = "dpop_jkt names another key";
            return Err(OAuthError::invalid_dpop_proof(detail));
        }
        None => parameters.push(("dpop_jkt".into(), key)),
    }
    Ok(parameters)
}
