//! What ties the answer to whoever asked: nonce, code challenge, key.

use domain::Client;

use super::request::{ChallengeMethod, CodeChallenge};
use super::{Draft, Rules};
use crate::error::{OAuthError, shown};

/// Letters of a SHA-256 in base64url without padding.
const DIGEST_LENGTH: usize = 43;

/// Longest nonce: it goes into each ID token.
const MAX_NONCE: usize = 1024;

/// An ID token that comes through the browser is worth nothing without (OpenID Connect Core
/// §3.2.2.1, §3.3.2.11).
pub(super) fn nonce(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    let nonce = super::take(&mut draft.params, "nonce", MAX_NONCE)?;
    if nonce.is_none() && draft.request.response_type.id_token {
        return Err(OAuthError::missing_parameter("nonce"));
    }
    draft.request.nonce = nonce;
    Ok(())
}

/// PKCE (RFC 7636). Clients without a secret must use it (RFC 9700 §2.1.1), and with S256; the
/// verifier itself as challenge protects from nobody who sees the request.
pub(super) fn code_challenge(
    draft: &mut Draft,
    client: &Client,
    _: &Rules<'_>,
) -> Result<(), OAuthError> {
    let challenge = draft.take("code_challenge")?;
    let method = draft.take("code_challenge_method")?;
    if !draft.request.response_type.code {
        return Ok(());
    }
    let Some(challenge) = challenge else {
        if client.is_public() || method.is_some() {
            return Err(OAuthError::missing_parameter("code_challenge"));
        }
        return Ok(());
    };
    let method = match method.as_deref() {
        Some("S256") => ChallengeMethod::S256,
        // What RFC 7636 §4.3 takes for plain when nothing is said.
        Some("plain") | None => ChallengeMethod::Plain,
        Some(other) => {
            let text = format!("Unsupported code_challenge_method: {}", shown(other));
            return Err(OAuthError::invalid_request(text));
        }
    };
    if method == ChallengeMethod::Plain && !client.allows_plain_pkce() {
        let text = "code_challenge_method must be S256.";
        return Err(OAuthError::invalid_request(text));
    }
    let is_well_formed = match method {
        ChallengeMethod::S256 => is_digest(&challenge),
        ChallengeMethod::Plain => is_verifier(&challenge),
    };
    if !is_well_formed {
        return Err(OAuthError::invalid_request("Malformed code_challenge."));
    }
    draft.request.code_challenge = Some(CodeChallenge { challenge, method });
    Ok(())
}

/// The thumbprint of a key, as RFC 9449 §10 has it.
pub(super) fn dpop_jkt(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    let thumbprint = draft.take("dpop_jkt")?;
    if thumbprint.as_deref().is_some_and(|text| !is_digest(text)) {
        return Err(OAuthError::invalid_request("Malformed dpop_jkt."));
    }
    draft.request.dpop_jkt = thumbprint;
    Ok(())
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// RFC 7636 §4.1.
fn is_verifier(text: &str) -> bool {
    (DIGEST_LENGTH..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}
