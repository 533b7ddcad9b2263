//! A factor is proven: its code is taken once, and each attempt is counted before it is looked at,
//! so that attempts at the same moment are not free.

use std::time::Duration;

use constant_time_eq::constant_time_eq;
use domain::{AuthenticationMethod, Client, EventKind, LogEvent, RecoveryCode, User};
use store::{StoreError, Write};

use crate::error::Error;
use crate::issue::token_hash;
use crate::{Context, Engine};

/// Wrong answers before a user's factors rest, whichever login they came from.
const MAX_FAILURES: i64 = 10;
const FAILURES_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Who is asked, and for whose sake.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// Who.
    pub user: &'a User,
    /// The application that they log in to.
    pub client: Option<&'a Client>,
}

/// What a person brings.
pub enum Answer<'a> {
    /// A code of an authenticator application.
    Otp(&'a str),
    /// A code that came by mail.
    Mailed {
        /// What [`Engine::mail_code`] gave.
        oob_code: &'a str,
        /// The digits.
        code: &'a str,
    },
    /// The recovery code.
    RecoveryCode(&'a str),
}

/// A factor was proven.
#[derive(Debug)]
pub struct Proven {
    /// How.
    pub method: AuthenticationMethod,
    /// The recovery code that follows the one just used: to be shown once.
    pub next_recovery_code: Option<RecoveryCode>,
}

/// An answer that is right, and the batch that takes it: proven once that is committed.
pub(super) struct Proof {
    pub write: Write,
    pub kind: EventKind,
    pub proven: Proven,
}

/// It was not.
#[derive(Debug)]
pub enum FactorError {
    /// A wrong code, one that was used before, or one too late.
    Wrong,
    /// Too many wrong ones: nothing was looked at.
    TooMany,
    /// Anything that is not the person's fault.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for FactorError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Engine {
    /// Proves a factor. `also` adds to the batch that takes the code: both become true or none.
    pub async fn prove_factor(
        &self,
        context: &Context,
        person: Person<'_>,
        answer: &Answer<'_>,
        also: impl FnOnce(&mut Write) + Send,
    ) -> Result<Proven, FactorError> {
        let mut proof = match answer {
            Answer::Otp(code) => self.prove_otp(context, person, code).await?,
            Answer::Mailed { oob_code, code } => {
                self.prove_mailed(context, person, (oob_code, code)).await?
            }
            Answer::RecoveryCode(code) => self.prove_recovery(context, person, code).await?,
        };
        also(&mut proof.write);
        self.take(context, person, proof.kind, proof.write).await?;
        Ok(proof.proven)
    }

    async fn prove_otp(
        &self,
        context: &Context,
        person: Person<'_>,
        code: &str,
    ) -> Result<Proof, FactorError> {
        self.count_attempt(context, person, None).await?;
        let enrolled = self.enrolled(person.user.row).await?;
        let now = self.now();
        let found = enrolled.totps().find_map(|(stored, secret)| {
            let step = secret.matching_step(code, now)?;
            (step > stored.last_step).then_some((stored.position, step))
        });
        let Some((position, step)) = found else {
            return Err(self
                .refuse_factor(context, person, EventKind::MfaFailed)
                .await);
        };
        let mut write = self.store.write();
        write.advance_step(person.user.row, position, step, now);
        Ok(Proof {
            write,
            kind: EventKind::MfaSucceeded,
            proven: Proven {
                method: AuthenticationMethod::Otp,
                next_recovery_code: None,
            },
        })
    }

    async fn prove_recovery(
        &self,
        context: &Context,
        person: Person<'_>,
        code: &str,
    ) -> Result<Proof, FactorError> {
        self.count_attempt(context, person, None).await?;
        let typed = token_hash(RecoveryCode::typed(code).expose());
        let stored = self.store.find_recovery(person.user.row).await?;
        let stored =
            stored.filter(|stored| constant_time_eq(stored.code_hash.as_bytes(), typed.as_bytes()));
        let Some(stored) = stored else {
            let kind = EventKind::RecoveryFailed;
            return Err(self.refuse_factor(context, person, kind).await);
        };
        let next = RecoveryCode::generate(&*self.entropy);
        let hashes = (stored.code_hash.as_str(), token_hash(next.expose()));
        let mut write = self.store.write();
        write.use_recovery(person.user.row, (hashes.0, &hashes.1), self.now());
        Ok(Proof {
            write,
            kind: EventKind::RecoverySucceeded,
            proven: Proven {
                method: AuthenticationMethod::RecoveryCode,
                next_recovery_code: Some(next),
            },
        })
    }

    /// Counts an attempt at a user's factors, and at a challenge where there is one, before
    /// anything is compared.
    pub(super) async fn count_attempt(
        &self,
        context: &Context,
        person: Person<'_>,
        challenge: Option<(&str, i64)>,
    ) -> Result<(), FactorError> {
        let (counter, now) = (attempts_of(person.user), self.now());
        let mut write = self.store.write();
        write.count(&counter, now, now.plus(FAILURES_WINDOW));
        if let Some((id_hash, limit)) = challenge {
            write.try_challenge(id_hash, limit, now);
        }
        match self.store.commit(write).await {
            Ok(()) => {}
            Err(StoreError::Stale { .. }) => {
                return Err(self
                    .refuse_factor(context, person, EventKind::MfaFailed)
                    .await);
            }
            Err(error) => return Err(error.into()),
        }
        let attempts = self.store.find_counter(&counter, now).await?;
        if attempts.is_none_or(|counter| counter.count <= MAX_FAILURES) {
            return Ok(());
        }
        self.log_only(self.factor_event(context, person, EventKind::MfaLimited))
            .await?;
        Err(FactorError::TooMany)
    }

    /// Commits a proof. Who comes second to the same code brought a wrong one.
    pub(super) async fn take(
        &self,
        context: &Context,
        person: Person<'_>,
        kind: EventKind,
        mut write: Write,
    ) -> Result<(), FactorError> {
        write.reset_counter(&attempts_of(person.user));
        write.log(&self.factor_event(context, person, kind));
        match self.store.commit(write).await {
            Ok(()) => Ok(()),
            Err(StoreError::Stale { .. }) => Err(self
                .refuse_factor(context, person, EventKind::MfaFailed)
                .await),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn refuse_factor(
        &self,
        context: &Context,
        person: Person<'_>,
        kind: EventKind,
    ) -> FactorError {
        match self
            .log_only(self.factor_event(context, person, kind))
            .await
        {
            Ok(()) => FactorError::Wrong,
            Err(error) => error.into(),
        }
    }

    /// A log event about somebody's factors.
    pub(crate) fn factor_event(
        &self,
        context: &Context,
        person: Person<'_>,
        kind: EventKind,
    ) -> LogEvent {
        let mut event = self.event(context, kind);
        let user = person.user;
        event.user_id = Some(user.user_id.clone());
        event.user_name = user.attributes.email.as_ref().map(ToString::to_string);
        let client = person.client;
        event.client = client.map(|client| (client.client_id.clone(), client.name.clone()));
        let identity = user.identities.first();
        event.connection = identity.map(|identity| {
            (
                identity.connection.clone(),
                identity.connection_name.clone(),
            )
        });
        event
    }
}

fn attempts_of(user: &User) -> String {
    format!("mfa/{}", user.row.0)
}
