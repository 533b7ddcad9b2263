//! Things that are used once, and proofs of possession (`DPoP`).

use domain::Instant;
use oidc::dpop::{self, Proof, ProofRequest};
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

    /// The proof that a request brings in its `DPoP` headers: none when it has no such header. It holds,
    /// but may have been used before. `request.url` is the URL under the issuer, not what a proxy made
    /// of it.
    pub fn dpop_proof(
        &self,
        headers: &[&str],
        request: &ProofRequest<'_>,
    ) -> Result<Option<Proof>, OAuthError> {
        match headers {
            [] => Ok(None),
            [proof] => Ok(Some(dpop::verify(proof, request, self.now())?)),
            _ => Err(OAuthError::invalid_dpop_proof("more than one DPoP header")),
        }
    }

    /// The key that a request proves to hold by its `DPoP` headers. The proof is used up.
    pub async fn dpop_key(
        &self,
        headers: &[&str],
        request: &ProofRequest<'_>,
    ) -> Result<Option<Thumbprint>, OAuthError> {
        let proof = self.dpop_proof(headers, request)?;
        self.use_proof(proof).await
    }

    /// Uses a proof up, if there is one. Where a client has to prove itself, that comes first: nobody
    /// else's proofs are written down.
    pub(crate) async fn use_proof(
        &self,
        proof: Option<Proof>,
    ) -> Result<Option<Thumbprint>, OAuthError> {
        let Some(proof) = proof else {
            return Ok(None);
        };
        let name = ["dpop", proof.key.as_str(), &proof.id];
        if self.use_once(&name, proof.expires_at).await? {
            Ok(Some(proof.key))
        } else {
            Err(OAuthError::invalid_dpop_proof("the proof was used before"))
        }
    }
}
