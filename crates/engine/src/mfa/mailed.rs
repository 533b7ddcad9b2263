//! Codes by mail: six digits, five minutes, five attempts. The code is kept as a hash together with
//! the text that names its sending, which only the asker has: whoever reads the store can't try all
//! million codes.

use std::time::Duration;

use constant_time_eq::constant_time_eq;
use domain::entropy::alphanumeric;
use domain::{AuthenticationMethod, EventKind, MfaFactor};
use serde::{Deserialize, Serialize};
use store::NewChallenge;
use zeroize::Zeroizing;

use super::prove::{FactorError, Person, Proof, Proven};
use crate::error::{Error, Result};
use crate::issue::token_hash;
use crate::letters::Occasion;
use crate::{Context, Engine};

const KIND: &str = "mail";
const LIFETIME: Duration = Duration::from_secs(5 * 60);
const ATTEMPTS: i64 = 5;

/// Mails to one user before they must wait: nobody's letter box is to be filled.
const MAX_MAILS: i64 = 10;
const MAILS_WINDOW: Duration = Duration::from_secs(60 * 60);

#[derive(Serialize, Deserialize)]
struct Sending {
    /// Of `oob_code` and the digits.
    code_hash: String,
    /// The address becomes a factor when the code comes back, with this recovery code.
    enrols: Option<(String, Option<String>)>,
}

impl Engine {
    /// Mails a code to a user who has a factor of that kind; gives the text that names the sending.
    pub async fn mail_code(
        &self,
        context: &Context,
        person: Person<'_>,
    ) -> Result<String, FactorError> {
        let enrolled = self.enrolled(person.user.row).await?;
        let address = enrolled.address(person.user).ok_or(FactorError::Wrong)?;
        self.send_code(context, person, &address, None).await
    }

    /// Mails a code to a user's own address, which becomes a factor once the code comes back.
    pub(crate) async fn mail_enrolment_code(
        &self,
        context: &Context,
        person: Person<'_>,
    ) -> Result<String, FactorError> {
        let guardian = self.guardian().await?;
        let address = person.user.attributes.email.as_ref();
        let address = address.filter(|_| guardian.allows("email"));
        let address = address.ok_or(FactorError::Wrong)?;
        self.send_code(context, person, address.as_str(), Some(None))
            .await
    }

    /// Mails a code to an address; with `enrols` the address becomes a factor once it comes back, and
    /// the recovery code in it, if there is one, the user's.
    #[expect(
        clippy::option_option,
        reason = "whether it enrols, and whether a code comes with it"
    )]
    pub(super) async fn send_code(
        &self,
        context: &Context,
        person: Person<'_>,
        address: &str,
        enrols: Option<Option<String>>,
    ) -> Result<String, FactorError> {
        let now = self.now();
        let counter = format!("mfa-mail/{}", person.user.row.0);
        let sent = self.store.find_counter(&counter, now).await?;
        if sent.is_some_and(|sent| sent.count >= MAX_MAILS) {
            return Err(FactorError::TooMany);
        }
        let oob_code = alphanumeric(&*self.entropy, 43);
        let code = self.six_digits();
        let sending = Sending {
            code_hash: hash_of(&oob_code, &code),
            enrols: enrols.map(|recovery| (address.to_owned(), recovery)),
        };
        let body = serde_json::to_string(&sending).map_err(Error::internal)?;
        let occasion = Occasion {
            code: Some(&code),
            application: person.client.map(|client| client.name.as_str()),
            ..Occasion::of("mfa_oob_code", address, context)
        };
        let mail = self.letter(&occasion).await;
        let mut write = self.store.write();
        let challenge = NewChallenge {
            id_hash: &token_hash(&oob_code),
            kind: KIND,
            user: Some(person.user.row),
            body: &body,
            expires_at: now.plus(LIFETIME),
        };
        write.insert_challenge(&challenge, now)?;
        write.count(&counter, now, now.plus(MAILS_WINDOW));
        write.post(&mail, now)?;
        write.log(&self.factor_event(context, person, EventKind::MfaMailSent));
        self.store.commit(write).await?;
        self.outbox_wake.notify_one();
        Ok(oob_code)
    }

    fn six_digits(&self) -> Zeroizing<String> {
        let mut bytes = [0_u8; 8];
        self.entropy.fill(&mut bytes);
        Zeroizing::new(format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000))
    }

    /// Whether a code that was mailed to this user is good for another attempt.
    pub(crate) async fn is_awaited(&self, person: Person<'_>, oob_code: &str) -> Result<bool> {
        let id_hash = token_hash(oob_code);
        let found = self.store.find_challenge(&id_hash, KIND, self.now());
        Ok(found.await?.is_some_and(|challenge| {
            challenge.user == Some(person.user.row) && challenge.attempts < ATTEMPTS
        }))
    }

    /// A sending to this user whose code may still come back.
    async fn sending(&self, person: Person<'_>, oob_code: &str) -> Result<Option<Sending>> {
        let id_hash = token_hash(oob_code);
        let found = self.store.find_challenge(&id_hash, KIND, self.now());
        found
            .await?
            .filter(|challenge| challenge.user == Some(person.user.row))
            .map(|challenge| serde_json::from_str(&challenge.body).map_err(Error::internal))
            .transpose()
    }

    /// Whether a sending makes an address a factor of this user's.
    pub(super) async fn is_enrolling_address(
        &self,
        person: Person<'_>,
        oob_code: &str,
    ) -> Result<bool> {
        let sending = self.sending(person, oob_code).await?;
        Ok(sending.is_some_and(|sending| sending.enrols.is_some()))
    }

    pub(super) async fn prove_mailed(
        &self,
        context: &Context,
        person: Person<'_>,
        (oob_code, code): (&str, &str),
    ) -> Result<Proof, FactorError> {
        let (user, now) = (person.user, self.now());
        let id_hash = token_hash(oob_code);
        self.count_attempt(context, person, Some((&id_hash, ATTEMPTS)))
            .await?;
        let sending = self.sending(person, oob_code).await?;
        let typed = hash_of(oob_code, code.trim());
        let sending = sending
            .filter(|sending| constant_time_eq(sending.code_hash.as_bytes(), typed.as_bytes()));
        let Some(sending) = sending else {
            return Err(self
                .refuse_factor(context, person, EventKind::MfaFailed)
                .await);
        };
        let mut write = self.store.write();
        let mut kind = EventKind::MfaSucceeded;
        if let Some((address, recovery)) = &sending.enrols {
            let position = self.enrolled(user.row).await?.next_position();
            write.change_factors_of(user.row, now);
            write.add_factor(user.row, position, &MfaFactor::Email(address.clone()), now)?;
            if let Some(hash) = recovery {
                write.set_recovery(user.row, hash, now);
            }
            kind = EventKind::MfaEnrolled;
        }
        write.use_challenge(&id_hash, now);
        Ok(Proof {
            write,
            kind,
            proven: Proven {
                method: AuthenticationMethod::OutOfBand,
                next_recovery_code: None,
            },
        })
    }
}

fn hash_of(oob_code: &str, code: &str) -> String {
    token_hash(&format!("{oob_code}/{code}"))
}
