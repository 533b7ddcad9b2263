//! Second factors: who is asked for one, how it is proven, how one is enrolled.
//!
//! Owns what a factor is worth and what counts as an attempt. Nobody with a factor is let in by a
//! password alone, imported factors included; a code is taken once.
//!
//! | file | what |
//! |---|---|
//! | `guardian` | which factors may be enrolled, who must have one |
//! | `need` | what a user has, and what this login asks for |
//! | `prove` | codes of applications, by mail, recovery codes: taken once, counted when wrong |
//! | `mailed` | codes by mail |
//! | `enrol` | a new factor, confirmed by its first code |
//! | `token` | the token of an interrupted login, the MFA grants |
//! | `own` | a factor that people enrol by an access token |
//! | `api` | `/mfa` |
//! | `methods` | a user's factors by an administrator's hand |

mod api;
mod enrol;
pub mod guardian;
mod mailed;
mod methods;
mod need;
mod own;
mod prove;
mod token;

pub use api::veiled;
pub use enrol::TotpEnrolment;
pub use need::{ChallengeKind, Enrolled, FactorNeed};
pub use prove::{Answer, FactorError, Person, Proven};
pub(crate) use token::{PasswordProven, password_authentication};

/// The id of a factor on the wire.
pub(crate) fn factor_id(factor: &store::StoredFactor) -> String {
    let kind = match factor.factor {
        domain::MfaFactor::Totp(_) => "totp",
        domain::MfaFactor::Phone(_) => "sms",
        domain::MfaFactor::Email(_) => "email",
    };
    format!("{kind}|dev_{}", factor.position)
}

/// The id of a user's recovery code on the wire: there is one.
pub(crate) const RECOVERY_ID: &str = "recovery-code|dev_0";

/// The id of a passkey or security key on the wire.
pub(crate) fn passkey_id(passkey: &store::StoredPasskey) -> String {
    let kind = if passkey.second_factor {
        "webauthn-roaming"
    } else {
        "passkey"
    };
    format!("{kind}|dev_{}", passkey.credential_id)
}
