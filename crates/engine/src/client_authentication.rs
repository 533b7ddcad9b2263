//! Sees that a request comes from the client that it names: by secret, or by a signed assertion; and
//! from which origins its pages may.

use domain::{Client, ClientCredential, ClientId, TokenEndpointAuth};
use oidc::authorize::may_call;
use oidc::client_assertion::Asserted;
use oidc::jwt::{Algorithm, ForeignKey};
use oidc::{ClientAssertion, ClientAuthentication, OAuthError};

use crate::Engine;
use crate::client_credentials::chosen;
use crate::token::outage;

impl Engine {
    /// Proves the client, whichever endpoint it asks. An assertion is used up by this.
    pub(crate) async fn prove(
        &self,
        client: &Client,
        proof: &ClientAuthentication,
    ) -> Result<(), OAuthError> {
        match (client.auth, &proof.assertion) {
            // A public client has nothing to prove; what it sends besides is not looked at.
            (TokenEndpointAuth::None, None) => Ok(()),
            (TokenEndpointAuth::PrivateKeyJwt, Some(assertion)) => {
                self.prove_by_key(client, assertion).await
            }
            (TokenEndpointAuth::PrivateKeyJwt, None) => Err(OAuthError::invalid_client(
                "the client must bring a client_assertion",
            )),
            (_, Some(_)) => Err(OAuthError::invalid_client(
                "the client has no keys for a client_assertion",
            )),
            (_, None) => match &proof.secret {
                Some(secret) if is_same(secret.expose(), client.secret.expose()) => Ok(()),
                _ => Err(OAuthError::invalid_client("wrong or missing client secret")),
            },
        }
    }

    /// Whether pages of an origin may read by script what a client is answered. A store that is away
    /// allows nothing.
    pub async fn may_be_called_from(&self, client: &ClientId, origin: &str) -> bool {
        let found = self.store.find_client(client).await;
        found.is_ok_and(|found| found.is_some_and(|client| may_call(&client, origin)))
    }

    async fn prove_by_key(
        &self,
        client: &Client,
        assertion: &ClientAssertion,
    ) -> Result<(), OAuthError> {
        let credentials = self.store.list_client_credentials(&client.client_id);
        let credentials = credentials.await.map_err(outage)?;
        let now = self.now();
        let chosen = chosen(client);
        let keys: Vec<ForeignKey> = credentials
            .iter()
            .filter(|credential| chosen.contains(&credential.id.as_str()))
            .filter(|credential| credential.expires_at.is_none_or(|end| now < end))
            .filter_map(key_of)
            .collect();
        let issuer = &self.settings.issuer;
        let asserted = assertion.verify(&client.client_id, &keys, issuer, now)?;
        let Asserted { id, expires_at } = asserted;
        let name = ["assertion", client.client_id.as_str(), &id];
        if self.use_once(&name, expires_at).await? {
            Ok(())
        } else {
            Err(OAuthError::invalid_client(
                "the client assertion was used before",
            ))
        }
    }
}

/// The key as it was checked when it was stored.
fn key_of(credential: &ClientCredential) -> Option<ForeignKey> {
    let algorithm = Algorithm::parse(&credential.algorithm)?;
    let key = ForeignKey::from_pem(&credential.pem).ok()?;
    Some(key.only(algorithm).ok()?.named(&credential.kid))
}

/// Compares without telling where the difference is.
fn is_same(one: &str, other: &str) -> bool {
    constant_time_eq::constant_time_eq(one.as_bytes(), other.as_bytes())
}
