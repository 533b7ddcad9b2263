//! A login in a browser: what was asked for, how far the person has come, and the next step.
//!
//! The next step is computed anew each time from what is stored ([`next_step`], pure). Steps never
//! route to each other: each changes the transaction and goes back to the dispatcher. That is why a
//! page can be reloaded, a form sent twice and the back button pressed. A transaction belongs to one
//! browser, moves on over the version that was read, and ends once.

mod progress;

use std::time::Duration;

use domain::{BrowserToken, Instant, TransactionId};
use oidc::authorize::AuthorizationRequest;
use sha2::{Digest as _, Sha256};
use store::{StoreError, StoredTransaction};

pub use progress::{Progress, Proven, WaitingCode};

use crate::Engine;
use crate::error::{Error, Result};
use crate::issue::token_hash;

/// How long somebody may take to sign in.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);

/// What the next step depends on beyond the transaction itself. What concerns a person is asked
/// only when it is known who is there.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent facts")]
pub struct Facts {
    /// Whether the name is asked for on a page of its own.
    pub identifier_first: bool,
    /// Whether another provider asks who is there, and not a page of ours.
    pub goes_elsewhere: bool,
    /// Whether a second factor is missing.
    pub second_factor_due: bool,
    /// Whether a passkey may be offered.
    pub passkey_offer_due: bool,
    /// Whether the person must say that the client may.
    pub consent_due: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Name and password on one page.
    Login,
    /// The name, on a page of its own.
    LoginIdentifier,
    /// Then the password.
    LoginPassword,
    /// A new account.
    SignUp,
    /// To another provider.
    Provider,
    /// Whether an account that is here already is the same person's.
    LinkAccount,
    /// A second factor.
    Mfa,
    /// An offer to make a passkey.
    PasskeyOffer,
    /// Whether the device that shows the code is the person's.
    Device,
    /// Whether the client may.
    Consent,
    /// Back to the client with what it asked for.
    Finish,
    /// Back to the client: the person said no.
    ErrorToClient,
}

/// The dispatcher.
pub fn next_step(progress: &Progress, facts: Facts) -> Step {
    if progress.proven.is_none() {
        if progress.newcomer.is_some() {
            return Step::LinkAccount;
        }
        if facts.goes_elsewhere {
            return Step::Provider;
        }
        return match (
            progress.signs_up,
            facts.identifier_first,
            &progress.identifier,
        ) {
            (true, _, _) => Step::SignUp,
            (false, false, _) => Step::Login,
            (false, true, None) => Step::LoginIdentifier,
            (false, true, Some(_)) => Step::LoginPassword,
        };
    }
    let is_theirs = progress.device.as_ref().map(|device| device.is_theirs);
    match progress.consent {
        Some(false) => Step::ErrorToClient,
        _ if is_theirs == Some(Some(false)) => Step::ErrorToClient,
        _ if facts.second_factor_due => Step::Mfa,
        _ if facts.passkey_offer_due && !progress.passkey_offered => Step::PasskeyOffer,
        _ if is_theirs == Some(None) => Step::Device,
        None if facts.consent_due => Step::Consent,
        _ => Step::Finish,
    }
}

/// A login in a browser.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Its id: the `state` of its pages.
    pub id: TransactionId,
    /// What the client asked for.
    pub request: AuthorizationRequest,
    /// How far the person has come.
    pub progress: Progress,
    pub(crate) version: i64,
    pub(crate) browser_hash: String,
    pub(crate) expires_at: Instant,
}

/// Why a transaction can't go on.
#[derive(Debug)]
pub enum Lost {
    /// There is none of this name, or it belongs to another browser: the two are told alike.
    Unknown,
    /// Its time is over.
    Expired,
    /// The browser was sent back to the client already.
    Finished,
    /// Anything that is not the person's fault.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Lost {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a form of ours must bring back: only who can read the page and has the browser's cookie
/// knows it. The cookie's 256 random bits are the key.
pub fn csrf(browser: &BrowserToken, form: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["ferry csrf", form, browser.expose()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

impl Engine {
    /// A transaction, when it is this browser's and may go on.
    pub async fn open_transaction(
        &self,
        id: &TransactionId,
        browser: Option<&BrowserToken>,
    ) -> Result<Transaction, Lost> {
        let stored = self.store.find_transaction(id).await?;
        let hash = browser.map(|token| token_hash(token.expose()));
        let is_same = |stored: &StoredTransaction| {
            hash.as_ref().is_some_and(|hash| {
                constant_time_eq::constant_time_eq(hash.as_bytes(), stored.browser_hash.as_bytes())
            })
        };
        let stored = stored.filter(is_same).ok_or(Lost::Unknown)?;
        if stored.finished_at.is_some() {
            return Err(Lost::Finished);
        }
        if stored.expires_at <= self.now() {
            return Err(Lost::Expired);
        }
        Ok(Transaction {
            id: stored.id,
            request: serde_json::from_str(&stored.request).map_err(Error::internal)?,
            progress: serde_json::from_str(&stored.progress).map_err(Error::internal)?,
            version: stored.version,
            browser_hash: stored.browser_hash,
            expires_at: stored.expires_at,
        })
    }

    pub(crate) async fn begin_transaction(&self, transaction: &Transaction) -> Result<()> {
        let mut write = self.store.write();
        write.insert_transaction(&stored(transaction)?, self.now())?;
        Ok(self.store.commit(write).await?)
    }

    /// Writes a step. Where another one was faster the transaction is read anew: whatever that one
    /// did decides what comes next.
    pub(crate) async fn advance(&self, transaction: &mut Transaction) -> Result<(), Lost> {
        let mut write = self.store.write();
        write.advance_transaction(&stored(transaction)?, self.now())?;
        match self.store.commit(write).await {
            Ok(()) => transaction.version += 1,
            Err(StoreError::Stale { .. }) => *transaction = self.read_again(transaction).await?,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn read_again(&self, transaction: &Transaction) -> Result<Transaction, Lost> {
        let found = self.store.find_transaction(&transaction.id).await?;
        let found = found.ok_or(Lost::Unknown)?;
        if found.finished_at.is_some() {
            return Err(Lost::Finished);
        }
        if found.expires_at <= self.now() {
            return Err(Lost::Expired);
        }
        Ok(Transaction {
            progress: serde_json::from_str(&found.progress).map_err(Error::internal)?,
            version: found.version,
            ..transaction.clone()
        })
    }
}

fn stored(transaction: &Transaction) -> Result<StoredTransaction> {
    Ok(StoredTransaction {
        id: transaction.id.clone(),
        browser_hash: transaction.browser_hash.clone(),
        request: serde_json::to_string(&transaction.request).map_err(Error::internal)?,
        progress: serde_json::to_string(&transaction.progress).map_err(Error::internal)?,
        version: transaction.version,
        finished_at: None,
        expires_at: transaction.expires_at,
    })
}

#[cfg(test)]
mod tests {
    use domain::{Authentication, AuthenticationMethod, UserRow};

    use super::*;
    use crate::federation::newcomer;

    fn proven() -> Proven {
        Proven::from(&Authentication {
            user: UserRow(1),
            user_id: "auth0|1".into(),
            connection: None,
            session: None,
            at: Instant::from_millis(0),
            methods: vec![AuthenticationMethod::Password],
        })
    }

    #[test]
    fn the_next_step_follows_from_what_is_stored() {
        let typed = Some("ann".to_owned());
        let facts = |text: &str| Facts {
            identifier_first: text.contains('i'),
            goes_elsewhere: text.contains('e'),
            second_factor_due: text.contains('m'),
            passkey_offer_due: text.contains('k'),
            consent_due: text.contains('c'),
        };
        // signs up, typed a name, proven, consent; facts; what comes next
        let table = [
            (false, false, false, None, "", Step::Login),
            (false, true, false, None, "", Step::Login),
            (false, false, false, None, "i", Step::LoginIdentifier),
            (false, true, false, None, "i", Step::LoginPassword),
            (true, false, false, None, "i", Step::SignUp),
            (true, true, false, None, "", Step::SignUp),
            // Nothing that was decided earlier lets anybody in.
            (false, false, false, Some(true), "", Step::Login),
            (false, false, false, Some(false), "", Step::Login),
            (false, false, true, None, "imc", Step::Mfa),
            (false, false, true, Some(true), "m", Step::Mfa),
            (false, false, true, None, "mk", Step::Mfa),
            (false, false, true, None, "kc", Step::PasskeyOffer),
            (false, false, false, None, "k", Step::Login),
            (false, false, true, None, "c", Step::Consent),
            (true, true, true, None, "ic", Step::Consent),
            (false, false, true, Some(true), "c", Step::Finish),
            (false, false, true, None, "i", Step::Finish),
            (false, false, true, Some(false), "mc", Step::ErrorToClient),
            (true, true, false, None, "ei", Step::Provider),
            (true, false, false, Some(true), "nei", Step::LinkAccount),
            (false, false, true, None, "nem", Step::Mfa),
            (false, false, true, None, "ne", Step::Finish),
        ];
        for (number, (signs_up, is_typed, is_proven, consent, known, step)) in
            table.into_iter().enumerate()
        {
            let progress = Progress {
                identifier: typed.clone().filter(|_| is_typed),
                signs_up,
                proven: Some(proven()).filter(|_| is_proven),
                consent,
                mailed_code: None,
                passkey_offered: false,
                device: None,
                newcomer: Some(newcomer()).filter(|_| known.contains('n')),
            };
            assert_eq!(next_step(&progress, facts(known)), step, "row {number}");
        }
    }

    #[test]
    fn a_device_is_confirmed_after_the_login_and_before_consent() {
        let step = |is_proven: bool, is_theirs, known: &str| {
            let progress = Progress {
                proven: Some(proven()).filter(|_| is_proven),
                device: Some(WaitingCode {
                    user_code: "BCDF-GHJK".into(),
                    is_theirs,
                }),
                ..Progress::default()
            };
            let facts = Facts {
                second_factor_due: known.contains('m'),
                consent_due: known.contains('c'),
                ..Facts::default()
            };
            next_step(&progress, facts)
        };
        assert_eq!(step(false, Some(true), ""), Step::Login);
        assert_eq!(step(true, None, "m"), Step::Mfa);
        assert_eq!(step(true, None, "c"), Step::Device);
        assert_eq!(step(true, Some(true), "c"), Step::Consent);
        assert_eq!(step(true, Some(true), ""), Step::Finish);
        assert_eq!(step(true, Some(false), "mc"), Step::ErrorToClient);
    }

    #[test]
    fn a_form_of_one_page_is_no_form_of_another() {
        let (one, other) = (BrowserToken::from("one"), BrowserToken::from("other"));
        assert_eq!(csrf(&one, "a"), csrf(&one, "a"));
        assert_ne!(csrf(&one, "a"), csrf(&one, "b"));
        assert_ne!(csrf(&one, "a"), csrf(&other, "a"));
    }
}
