//! Things that are used once, and proofs of possession (`DPoP`).

use domain::Instant;
use oidc::dpop::{self, ProofRequest};
use oidc::{OAuthError, Thumbprint};
use store::StoreError;

use crate::Engine;
use crate::issue::token_hash;
use crate::token::outage;

impl Engine {
    /// Uses a name up: `false` when it was used before, by whichever process. The parts are what
    /// kind of name it is, whose, and the name.
    pub(crate) async fn use_once(
        &self,
        name: &[&str],
        expires_at: Instant,
    ) -> Result<bool, OAuthError> {
        // Parts of any text, joined so that no two lists give one name.
        let joined = serde_json::json!(name).to_string();
        let mut write = self.store.write();
        write.use_once(&token_hash(&joined), expires_at);
        match self.store.commit(write).await {
            Ok(()) => Ok(true),
            Err(StoreError::Stale { .. }) => Ok(false),
            Err(error) => Err(outage(error)),
        }
    }

    /// The key that a request proves to hold by its `DPoP` headers: none when it has no such header.
    /// `request.url` is the URL under the issuer, not what a proxy made of it.
    pub async fn dpop_key(
        &self,
        headers: &[&str],
        request: &ProofRequest<'_>,
    ) -> Result<Option<Thumbprint>, OAuthError> {
        let proof = match headers {
            [] => return Ok(None),
            [proof] => proof,
            _ => return Err(OAuthError::invalid_dpop_proof("more than one DPoP header")),
        };
        let proof = dpop::verify(proof, request, self.now())?;
        let name = ["dpop", proof.key.as_str(), &proof.id];
        if self.use_once(&name, proof.expires_at).await? {
            Ok(Some(proof.key))
        } else {
            Err(OAuthError::invalid_dpop_proof("the proof was used before"))
        }
    }
}
