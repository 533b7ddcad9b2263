//! What ties an answer to the login and the browser that it is for: `state`, `nonce` and the code
//! verifier (RFC 9700 §2.1.1, §4.7).
//!
//! They are not stored but computed, from the 256 random bits of the browser's cookie and from the
//! names of login and connection: so a link to a provider changes nothing here, may be followed
//! twice or in two windows, and still nobody without the cookie knows them. What is computed for one
//! connection is worth nothing for another.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use domain::{BrowserToken, ConnectionId, Token, TransactionId};

use super::callback::State;
use crate::jwt::encode;

/// The three of them.
pub struct Bonds {
    /// Goes out and comes back through the browser.
    pub state: String,
    /// Goes out through the browser and comes back signed, in the ID token.
    pub nonce: String,
    /// Proves to the provider that whoever exchanges the code asked for it (RFC 7636).
    pub verifier: Token,
}

impl Bonds {
    /// Those of a login with a provider, in a browser.
    pub fn of(browser: &BrowserToken, login: &TransactionId, connection: &ConnectionId) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, browser.expose().as_bytes());
        let derived = |what: &str| {
            let text = format!("ferry {what}\n{login}\n{connection}");
            encode(hmac::sign(&key, text.as_bytes()).as_ref())
        };
        let state = State {
            login: login.clone(),
            connection: connection.clone(),
            proof: derived("state"),
        };
        Self {
            state: state.to_string(),
            nonce: derived("nonce"),
            verifier: Token::from(derived("verifier")),
        }
    }

    /// The challenge that goes with the verifier, by SHA-256.
    pub fn challenge(&self) -> String {
        encode(digest(&SHA256, self.verifier.expose().as_bytes()).as_ref())
    }

    /// Whether a state that came back is ours.
    pub fn is_ours(&self, state: &str) -> bool {
        let same = aws_lc_rs::constant_time::verify_slices_are_equal;
        same(self.state.as_bytes(), state.as_bytes()).is_ok()
    }
}
