//! A new authenticator application: a secret is shown, and becomes a factor when a first code of it
//! comes back. Until then nothing of the user changes.

use std::time::Duration;

use domain::{AuthenticationMethod, EventKind, MfaFactor, RecoveryCode, TotpSecret};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use store::{NewChallenge, Write};
use zeroize::Zeroizing;

use super::prove::{FactorError, Person, Proven};
use crate::error::{Error, Result};
use crate::issue::token_hash;
use crate::{Context, Engine};

const KIND: &str = "enrol-otp";
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// What the person must take over into their application.
#[derive(Debug)]
pub struct TotpEnrolment {
    /// To be typed where no camera is at hand.
    pub secret: TotpSecret,
    /// What the QR code says.
    pub uri: Zeroizing<String>,
    /// The QR code, an `<svg>` element.
    pub qr_svg: Zeroizing<String>,
    /// The recovery code that comes with a first factor.
    pub recovery_code: Option<RecoveryCode>,
}

#[derive(Serialize, Deserialize)]
struct Pending {
    secret: String,
    recovery: Option<String>,
}

impl Engine {
    /// Begins to enrol an application. The handle is known to the person's browser or client alone;
    /// another beginning under it replaces this one.
    pub async fn begin_totp_enrolment(
        &self,
        context: &Context,
        person: Person<'_>,
        handle: &str,
    ) -> Result<TotpEnrolment> {
        if !self.guardian().await?.allows("otp") {
            return Err(Error::invalid("The factor otp is not enabled."));
        }
        let recovery_code = self.first_recovery_code(person).await?;
        let secret = TotpSecret::generate(&*self.entropy);
        let pending = Pending {
            secret: secret.expose().to_owned(),
            recovery: recovery_code.as_ref().map(|code| code.expose().to_owned()),
        };
        let body = Zeroizing::new(serde_json::to_string(&pending).map_err(Error::internal)?);
        let now = self.now();
        let mut write = self.store.write();
        let challenge = NewChallenge {
            id_hash: &id_of(handle),
            kind: KIND,
            user: Some(person.user.row),
            body: &body,
            expires_at: now.plus(LIFETIME),
        };
        write.insert_challenge(&challenge, now)?;
        write.log(&self.factor_event(context, person, EventKind::MfaEnrolmentStarted));
        self.store.commit(write).await?;
        self.shown_enrolment(person, secret, recovery_code)
    }

    /// The enrolment that was begun under a handle, to be shown again.
    pub async fn pending_totp_enrolment(
        &self,
        person: Person<'_>,
        handle: &str,
    ) -> Result<Option<TotpEnrolment>> {
        let Some(pending) = self.pending(person, handle).await? else {
            return Ok(None);
        };
        let code = pending.recovery.map(|code| RecoveryCode::typed(&code));
        self.shown_enrolment(person, TotpSecret::from(pending.secret.as_str()), code)
            .map(Some)
    }

    /// Makes the application a factor when the code is one of its own. The recovery code in the
    /// answer is to be shown once.
    pub async fn confirm_totp_enrolment(
        &self,
        context: &Context,
        person: Person<'_>,
        (handle, code): (&str, &str),
        also: impl FnOnce(&mut Write) + Send,
    ) -> Result<Proven, FactorError> {
        self.count_attempt(context, person, None).await?;
        let (user, now) = (person.user, self.now());
        let pending = self.pending(person, handle).await?;
        let step = pending
            .as_ref()
            .and_then(|pending| TotpSecret::from(pending.secret.as_str()).matching_step(code, now));
        let (Some(pending), Some(step)) = (pending, step) else {
            return Err(self
                .refuse_factor(context, person, EventKind::MfaFailed)
                .await);
        };
        let position = self.enrolled(user.row).await?.next_position();
        let factor = MfaFactor::Totp(TotpSecret::from(pending.secret.as_str()));
        let recovery = pending.recovery.map(|code| RecoveryCode::typed(&code));
        let mut write = self.store.write();
        write.change_factors_of(user.row, now);
        write.add_factor(user.row, position, &factor, now)?;
        write.advance_step(user.row, position, step, now);
        if let Some(code) = &recovery {
            write.set_recovery(user.row, &token_hash(code.expose()), now);
        }
        write.use_challenge(&id_of(handle), now);
        also(&mut write);
        self.take(context, person, EventKind::MfaEnrolled, write)
            .await?;
        Ok(Proven {
            method: AuthenticationMethod::Otp,
            next_recovery_code: recovery,
        })
    }

    /// Whether an enrolment waits under a handle.
    pub(super) async fn is_enrolling(&self, person: Person<'_>, handle: &str) -> Result<bool> {
        Ok(self.pending(person, handle).await?.is_some())
    }

    /// A recovery code for whoever has none yet.
    pub(super) async fn first_recovery_code(
        &self,
        person: Person<'_>,
    ) -> Result<Option<RecoveryCode>> {
        let is_on = self.guardian().await?.allows("recovery-code");
        let has_one = self.store.find_recovery(person.user.row).await?.is_some();
        Ok((is_on && !has_one).then(|| RecoveryCode::generate(&*self.entropy)))
    }

    async fn pending(&self, person: Person<'_>, handle: &str) -> Result<Option<Pending>> {
        let id_hash = id_of(handle);
        let found = self
            .store
            .find_challenge(&id_hash, KIND, self.now())
            .await?;
        found
            .filter(|challenge| challenge.user == Some(person.user.row))
            .map(|challenge| serde_json::from_str(&challenge.body).map_err(Error::internal))
            .transpose()
    }

    fn shown_enrolment(
        &self,
        person: Person<'_>,
        secret: TotpSecret,
        recovery_code: Option<RecoveryCode>,
    ) -> Result<TotpEnrolment> {
        let user = person.user;
        let account = user.attributes.email.as_ref().map(ToString::to_string);
        let account = account.unwrap_or_else(|| user.user_id.to_string());
        let issuer = crate::passkeys::host_of(&self.settings.issuer);
        let uri = Zeroizing::new(secret.uri(issuer, &account));
        let code = QrCode::new(uri.as_bytes()).map_err(Error::internal)?;
        let mut picture = code.render::<svg::Color<'_>>();
        let picture = picture.min_dimensions(200, 200).quiet_zone(true).build();
        // The element alone stands in a page; the XML declaration belongs to files.
        let element = picture.find("<svg").and_then(|at| picture.get(at..));
        let qr_svg = Zeroizing::new(element.unwrap_or_default().to_owned());
        Ok(TotpEnrolment {
            secret,
            uri,
            qr_svg,
            recovery_code,
        })
    }
}

fn id_of(handle: &str) -> String {
    token_hash(&format!("{handle}/otp"))
}
