//! Logins for a device that waits elsewhere (RFC 8628): the person types the code that the device
//! shows, signs in as anywhere, and says that the device is theirs. A login belongs to one browser, so
//! nobody else's form can say it.

use domain::EventKind;
use oidc::authorize::{AuthorizationRequest, ResponseMode, ResponseType};
use store::{StoredDevice, Write};

use super::Outcome;
use super::finish::{Finished, kind_of};
use crate::error::{Error, Result};
use crate::issue::AUTHORIZATION_LIFETIME;
use crate::sessions::Browser;
use crate::tenant_settings::NewSession;
use crate::token::WaitingDevice;
use crate::token::device::normalized;
use crate::transaction::{Lost, Progress, Proven, Transaction, WaitingCode};
use crate::{Context, Engine};

/// What became of a device.
#[derive(Debug)]
pub enum DeviceEnd {
    /// It may go on.
    Allowed {
        /// The new token of the browser's session, when it has a new one.
        session: Option<NewSession>,
    },
    /// It may not.
    Denied,
    /// It waits no longer.
    Gone,
}

impl Engine {
    /// A person typed a code: a login begins for the device that shows it. None when no device does.
    pub async fn begin_device_login(
        &self,
        context: &Context,
        browser: &Browser,
        typed: &str,
    ) -> Result<Option<Outcome>> {
        let Some(device) = self.find_device(context, typed).await? else {
            return Ok(None);
        };
        let client = device.client.clone();
        let user_code = device.user_code.clone();
        let request = request_of(device);
        let found = self.signing_in(&client, &request).await?;
        found.map_err(|refusal| Error::invalid(refusal.description))?;
        let session = self.usable_session(browser, &client, &request).await?;
        let progress = Progress {
            proven: session.map(|(session, _)| Proven::from(&session.authentication)),
            device: Some(WaitingCode {
                user_code,
                is_theirs: None,
            }),
            ..Progress::default()
        };
        let (transaction, new_token) = self.new_transaction(browser, request, progress);
        let step = self.step(&client, &transaction).await?;
        self.begin_transaction(&transaction).await?;
        Ok(Some(Outcome::Page {
            transaction: transaction.id,
            step,
            browser: new_token,
        }))
    }

    /// Whether the device is the person's.
    pub async fn submit_device(
        &self,
        transaction: &mut Transaction,
        is_theirs: bool,
    ) -> Result<(), Lost> {
        let is_proven = transaction.progress.proven.is_some();
        match &mut transaction.progress.device {
            Some(device) if is_proven && device.is_theirs.is_none() => {
                device.is_theirs = Some(is_theirs);
            }
            _ => return Ok(()),
        }
        self.advance(transaction).await
    }

    /// The end of a login for a device that the person does not want.
    pub(super) async fn refuse_device(
        &self,
        context: &Context,
        transaction: &Transaction,
    ) -> Result<(Finished, Write)> {
        let (mut write, device) = self.end_of(transaction).await?;
        let Some(device) = device else {
            return Ok((Finished::Device(DeviceEnd::Gone), write));
        };
        write.answer_device(&device.user_code, None, self.now());
        let client = self.client_of(transaction).await?;
        let mut event = self.exchange_event(context, &client, EventKind::DeviceDenied);
        let proven = transaction.progress.proven.as_ref();
        event.user_id = proven.map(|proven| domain::Authentication::from(proven).user_id);
        write.log(&event);
        Ok((Finished::Device(DeviceEnd::Denied), write))
    }

    /// The end of a login for a device that is the person's.
    pub(super) async fn admit_device(
        &self,
        context: &Context,
        browser: &Browser,
        client: &domain::Client,
        transaction: &Transaction,
    ) -> Result<(Finished, Write)> {
        let (mut write, device) = self.end_of(transaction).await?;
        let Some(device) = device else {
            return Ok((Finished::Device(DeviceEnd::Gone), write));
        };
        let Some((user, authentication)) = self.who_is_there(transaction).await? else {
            return self.refuse_device(context, transaction).await;
        };
        let making = self.making(client, transaction, &user).await;
        let making = making.map_err(|refusal| Error::invalid(refusal.description))?;
        let kept = self.keep_session(context, browser, authentication, &mut write);
        let (authentication, renewed) = kept.await?;
        if transaction.progress.consent == Some(true) {
            let whom = (user.row, &user.user_id);
            self.keep_consent(whom, &making.wish(), &mut write).await?;
        }
        self.link_newcomer(context, client, &transaction.progress, &user, &mut write)
            .await?;
        let kind = kind_of(renewed.as_ref());
        let authorization = self
            .authorization_of(context, &making, authentication, kind, &mut write)
            .await;
        let now = self.now();
        write.insert_authorization(&authorization, now.plus(AUTHORIZATION_LIFETIME));
        let allowed = Some((&authorization.id, user.row));
        write.answer_device(&device.user_code, allowed, now);
        let session = renewed.map(|renewed| renewed.cookie);
        Ok((Finished::Device(DeviceEnd::Allowed { session }), write))
    }

    /// The end of the login as a batch, and the device if it still waits.
    async fn end_of(&self, transaction: &Transaction) -> Result<(Write, Option<StoredDevice>)> {
        let now = self.now();
        let mut write = self.store.write();
        write.finish_transaction(&transaction.id, transaction.version, now);
        let device = transaction.progress.device.as_ref();
        let code = device.and_then(|device| normalized(&device.user_code));
        let found = match code {
            Some(code) => self.store.find_waiting_device(&code, now).await?,
            None => None,
        };
        let is_same = |found: &StoredDevice| found.client_id == transaction.request.client_id;
        Ok((write, found.filter(is_same)))
    }
}

/// What a device asked for, as a login carries it. Its answer goes to no address.
fn request_of(device: WaitingDevice) -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: device.client.client_id,
        redirect_uri: String::new(),
        names_redirect_uri: false,
        response_type: ResponseType {
            code: false,
            id_token: false,
            token: false,
        },
        response_mode: ResponseMode::Query,
        scope: device.scope,
        audience: device.audience,
        state: None,
        nonce: None,
        code_challenge: None,
        prompt: Vec::new(),
        max_age: None,
        login_hint: None,
        id_token_hint: None,
        screen_hint: None,
        ui_locales: Vec::new(),
        acr_values: Vec::new(),
        connection: None,
        dpop_jkt: None,
    }
}
