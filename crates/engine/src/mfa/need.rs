//! What a user has, and what this login asks for.

use domain::{Authentication, MfaFactor, TotpSecret, User, UserRow};
use store::{StoredFactor, StoredPasskey, StoredRecovery};

use crate::Engine;
use crate::error::Result;

/// A way to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeKind {
    /// A code of the authenticator application.
    Otp,
    /// A passkey or security key.
    WebAuthn,
    /// A code by mail.
    Email,
    /// The recovery code.
    RecoveryCode,
    /// A code by text message, which nobody sends here: the person can't be asked, and is not let
    /// in.
    Phone,
}

/// What a login still lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorNeed {
    /// Nothing.
    None,
    /// One of these, the best first.
    Challenge(Vec<ChallengeKind>),
    /// A factor is due and the person has none yet.
    Enrol,
}

/// What a user has.
#[derive(Debug)]
pub struct Enrolled {
    /// Imported or enrolled here.
    pub factors: Vec<StoredFactor>,
    /// Passkeys and security keys.
    pub passkeys: Vec<StoredPasskey>,
    /// The recovery code.
    pub recovery: Option<StoredRecovery>,
}

impl Enrolled {
    /// Whether the user has a factor that every login asks for. A passkey alone is another way
    /// in, not a second factor of the password's.
    pub fn asks(&self) -> bool {
        !self.factors.is_empty() || self.passkeys.iter().any(|key| key.second_factor)
    }

    /// The authenticator applications.
    pub fn totps(&self) -> impl Iterator<Item = (&StoredFactor, &TotpSecret)> {
        self.factors
            .iter()
            .filter_map(|stored| match &stored.factor {
                MfaFactor::Totp(secret) => Some((stored, secret)),
                _ => None,
            })
    }

    /// Where a code is mailed to: the address of an e-mail factor. Whoever has a phone factor and
    /// nothing that can be asked gets it at the address that was proven to be theirs.
    pub fn address(&self, user: &User) -> Option<String> {
        let of_factor = self.factors.iter().find_map(|stored| match &stored.factor {
            MfaFactor::Email(address) => Some(address.clone()),
            _ => None,
        });
        let has_other = self.totps().next().is_some() || !self.passkeys.is_empty();
        let proven = || {
            let address = user.attributes.email.as_ref();
            let address = address.filter(|_| user.attributes.email_verified);
            address.map(ToString::to_string)
        };
        of_factor.or_else(|| (self.asks() && !has_other).then(proven).flatten())
    }

    /// The ways to ask this user, the best first.
    pub fn kinds(&self, user: &User) -> Vec<ChallengeKind> {
        let mut kinds = Vec::new();
        if !self.passkeys.is_empty() {
            kinds.push(ChallengeKind::WebAuthn);
        }
        if self.totps().next().is_some() {
            kinds.push(ChallengeKind::Otp);
        }
        if self.address(user).is_some() {
            kinds.push(ChallengeKind::Email);
        }
        if self.recovery.is_some() {
            kinds.push(ChallengeKind::RecoveryCode);
        }
        if kinds.is_empty() && self.asks() {
            kinds.push(ChallengeKind::Phone);
        }
        kinds
    }

    /// The place of the next factor.
    pub(super) fn next_position(&self) -> i64 {
        let last = self.factors.iter().map(|stored| stored.position).max();
        last.map_or(0, |last| last + 1)
    }
}

impl Engine {
    /// What a user has.
    pub async fn enrolled(&self, user: UserRow) -> Result<Enrolled> {
        Ok(Enrolled {
            factors: self.store.list_factors(user).await?,
            passkeys: self.store.list_passkeys(user).await?,
            recovery: self.store.find_recovery(user).await?,
        })
    }

    /// What a login still lacks. `demanded` says that the application asked for a second factor
    /// (`acr_values`). A passkey with user verification was two factors already.
    pub async fn required_factor(
        &self,
        user: &User,
        authentication: &Authentication,
        demanded: bool,
    ) -> Result<FactorNeed> {
        let methods = &authentication.methods;
        if methods.iter().any(|method| method.is_second_factor()) {
            return Ok(FactorNeed::None);
        }
        let enrolled = self.enrolled(user.row).await?;
        if enrolled.asks() {
            return Ok(FactorNeed::Challenge(enrolled.kinds(user)));
        }
        if !demanded && !self.guardian().await?.asks_everybody() {
            return Ok(FactorNeed::None);
        }
        if enrolled.passkeys.is_empty() {
            Ok(FactorNeed::Enrol)
        } else {
            Ok(FactorNeed::Challenge(vec![ChallengeKind::WebAuthn]))
        }
    }
}
