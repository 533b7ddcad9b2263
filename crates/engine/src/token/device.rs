//! Devices whose person has a browser elsewhere (RFC 8628): the device asks for two codes, shows
//! one of them, and asks with the other whether somebody has allowed it.
//!
//! The code that a person types is short, so that wrong ones are counted for each address, and the
//! page shows which client asks. The person's side is `authorize::device`.

use std::time::Duration;

use domain::entropy::alphanumeric;
use domain::{Client, Entropy, EventKind, Token};
use oidc::{DeviceRequest, GrantType, OAuthError, Scopes, TokenResponse};
use serde::Serialize;
use store::{DeviceState, Key, StoreError, StoredDevice};

use super::code::of_user;
use super::{defect, outage};
use crate::error::{Error, Result};
use crate::issue::{CODE_LENGTH, Issue, token_hash};
use crate::protection::counted;
use crate::{Context, Engine};

/// How long a person has.
const LIFETIME: Duration = Duration::from_secs(900);

/// Seconds between two questions, and how many more after a question that came too early.
const INTERVAL: i64 = 5;

/// Letters that make no words and are not taken for each other (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LETTER_COUNT: usize = 8;

/// Wrong codes from one address within the window before it must wait.
const MAX_WRONG_CODES: i64 = 20;
const WRONG_CODES_WINDOW: Duration = Duration::from_secs(900);

/// What a device is told (RFC 8628 §3.2).
#[derive(Serialize)]
pub struct DeviceAnswer {
    device_code: String,
    user_code: String,
    verification_uri: String,
    expires_in: u64,
    interval: i64,
    verification_uri_complete: String,
}

/// A device that waits for a person, as the page shows it.
#[derive(Debug)]
pub struct WaitingDevice {
    /// The client that asks.
    pub client: Client,
    /// The code as it is shown: `XXXX-XXXX`.
    pub user_code: String,
    /// The API that the tokens shall be for.
    pub audience: Option<String>,
    /// What it asks for.
    pub scope: Scopes,
}

impl Engine {
    /// Answers `POST /oauth/device/code`.
    pub async fn start_device(&self, request: DeviceRequest) -> Result<DeviceAnswer, OAuthError> {
        let client = self.proven_client(&request.client).await?;
        if !client.may_use(GrantType::DeviceCode.as_str()) {
            return Err(OAuthError::grant_not_allowed(
                GrantType::DeviceCode.as_str(),
            ));
        }
        // An API that is not there is told now, not to the person.
        self.requested_api(request.audience.as_deref()).await?;
        let now = self.now();
        // Two codes of the same letters at once: one in ten thousand million.
        for _ in 0..3 {
            let device_code = alphanumeric(&*self.entropy, CODE_LENGTH);
            let device = StoredDevice {
                device_code_hash: token_hash(&device_code),
                user_code: random_letters(&*self.entropy),
                client_id: client.client_id.clone(),
                audience: request.audience.clone(),
                scope: request.scope.to_string(),
                state: DeviceState::Waiting,
                authorization: None,
                seconds_between: INTERVAL,
                polled_at: None,
                expires_at: now.plus(LIFETIME),
            };
            let mut write = self.store.write();
            write.insert_device(&device, now);
            match self.store.commit(write).await {
                Ok(()) => return Ok(self.device_answer(device_code, &device.user_code)),
                Err(error) if error.is_conflict_on(Key::UserCode) => {}
                Err(error) => return Err(outage(error)),
            }
        }
        Err(defect("no user code is free"))
    }

    fn device_answer(&self, device_code: String, user_code: &str) -> DeviceAnswer {
        let user_code = shown(user_code);
        let verification_uri = self.settings.issuer.join("activate");
        DeviceAnswer {
            device_code,
            verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
            user_code,
            verification_uri,
            expires_in: LIFETIME.as_secs(),
            interval: INTERVAL,
        }
    }

    /// The device that waits for a code, as typed by a person; `None` when no device does. Too many
    /// wrong codes from an address are refused whatever they are.
    pub async fn find_device(
        &self,
        context: &Context,
        user_code: &str,
    ) -> Result<Option<WaitingDevice>> {
        Ok(match self.waiting(context, user_code).await? {
            None => None,
            Some((device, client)) => Some(WaitingDevice {
                client,
                user_code: shown(&device.user_code),
                audience: device.audience,
                scope: Scopes::parse(&device.scope).unwrap_or_default(),
            }),
        })
    }

    async fn waiting(
        &self,
        context: &Context,
        user_code: &str,
    ) -> Result<Option<(StoredDevice, Client)>> {
        let now = self.now();
        let ip = context.ip.as_deref().map(counted);
        let counter = format!("device/{}", ip.as_deref().unwrap_or("-"));
        let failed = self.store.find_counter(&counter, now).await?;
        if failed.is_some_and(|failed| failed.count >= MAX_WRONG_CODES) {
            let message = "Too many wrong codes. Try again later.";
            return Err(Error::TooMany(message.into()));
        }
        if let Some(typed) = normalized(user_code)
            && let Some(device) = self.store.find_waiting_device(&typed, now).await?
            && let Some(client) = self.store.find_client(&device.client_id).await?
        {
            return Ok(Some((device, client)));
        }
        let mut write = self.store.write();
        write.count(&counter, now, now.plus(WRONG_CODES_WINDOW));
        write.log(&self.event(context, EventKind::DeviceActivationFailed));
        self.store.commit(write).await?;
        Ok(None)
    }

    /// Answers a device that asks.
    pub(super) async fn device_token(
        &self,
        context: &Context,
        client: &Client,
        device_code: &Token,
        key: Option<String>,
    ) -> Result<TokenResponse, OAuthError> {
        let hash = token_hash(device_code.expose());
        let device = self.store.find_device(&hash).await.map_err(outage)?;
        let device = device.filter(|device| device.client_id == client.client_id);
        let unknown = || OAuthError::invalid_device_code("unknown device code");
        let device = device.ok_or_else(unknown)?;
        let now = self.now();
        match device.state {
            DeviceState::Done => Err(unknown()),
            DeviceState::Denied => {
                let refusal = OAuthError::denied("User cancelled the confirmation prompt.");
                self.end_device(context, client, &device, refusal).await
            }
            _ if device.expires_at <= now => {
                let refusal = OAuthError::expired_device_code();
                self.end_device(context, client, &device, refusal).await
            }
            DeviceState::Waiting => Err(self.wait_longer(&device).await),
            DeviceState::Allowed => self.allowed_token(context, client, &device, key).await,
        }
    }

    /// Tells a device its end, once.
    async fn end_device(
        &self,
        context: &Context,
        client: &Client,
        device: &StoredDevice,
        refusal: OAuthError,
    ) -> Result<TokenResponse, OAuthError> {
        let mut write = self.store.write();
        write.end_device(&device.device_code_hash, device.state);
        let mut event = self.exchange_event(context, client, EventKind::DeviceCodeExchangeFailed);
        event.description = Some(refusal.description.clone());
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => Err(refusal),
            Err(StoreError::Stale { .. }) => {
                Err(OAuthError::invalid_device_code("the end was told before"))
            }
            Err(error) => Err(outage(error)),
        }
    }

    async fn wait_longer(&self, device: &StoredDevice) -> OAuthError {
        let now = self.now();
        let pause = u64::try_from(device.seconds_between).unwrap_or(0);
        let is_early = device
            .polled_at
            .is_some_and(|polled| now < polled.plus(Duration::from_secs(pause)));
        let (between, answer) = if is_early {
            (device.seconds_between + INTERVAL, OAuthError::slow_down())
        } else {
            (device.seconds_between, OAuthError::authorization_pending())
        };
        let mut write = self.store.write();
        write.poll_device(&device.device_code_hash, between, now);
        match self.store.commit(write).await {
            Ok(()) => answer,
            Err(error) => outage(error),
        }
    }

    async fn allowed_token(
        &self,
        context: &Context,
        client: &Client,
        device: &StoredDevice,
        key: Option<String>,
    ) -> Result<TokenResponse, OAuthError> {
        let unknown = |detail: &str| OAuthError::invalid_device_code(detail);
        let id = device.authorization.as_ref();
        let id = id.ok_or_else(|| unknown("allowed by nobody"))?;
        let found = self.store.find_authorization(id).await.map_err(outage)?;
        let found = found.filter(|found| found.revoked_at.is_none());
        let mut authorization = found.ok_or_else(|| unknown("the login was revoked"))?;
        authorization.dpop_key = key;
        let user = self
            .present_user(authorization.authentication.user)
            .await??;
        let proven_at = authorization.authentication.at;
        if !user.accepts_proof_of(proven_at) {
            return Err(unknown("the login counts no longer"));
        }
        let api = self.api_for_user(authorization.audience.as_deref()).await?;
        let scope = Scopes::parse(&authorization.scope)?;
        let issue = Issue {
            client,
            user: &user,
            authorization: &authorization,
            grant_type: GrantType::DeviceCode,
            nonce: None,
            code: None,
            access_token: true,
            id_token: true,
        };
        let mut write = self.store.write();
        write.require_proof(user.row, proven_at);
        let response = self.add_first_tokens(&mut write, &issue, api.as_ref())?;
        write.end_device(&device.device_code_hash, DeviceState::Allowed);
        let event = self.exchange_event(context, client, EventKind::DeviceCodeExchanged);
        write.log(&of_user(event, &user));
        match self.store.commit(write).await {
            Ok(()) => Ok(response.with_scope(&scope, !device.scope.is_empty())),
            Err(StoreError::Stale { .. }) => Err(unknown("used or revoked meanwhile")),
            Err(error) => Err(outage(error)),
        }
    }
}

/// Letters, each equally likely: 240 is twelve times twenty.
fn random_letters(entropy: &dyn Entropy) -> String {
    let mut text = String::with_capacity(LETTER_COUNT);
    let mut bytes = [0_u8; 16];
    while text.len() < LETTER_COUNT {
        entropy.fill(&mut bytes);
        let letters = bytes.iter().filter(|byte| **byte < 240);
        let letters = letters.filter_map(|byte| LETTERS.get(usize::from(byte % 20)));
        let wanted = LETTER_COUNT - text.len();
        text.extend(letters.take(wanted).map(|letter| char::from(*letter)));
    }
    text
}

/// As a device shows it.
fn shown(user_code: &str) -> String {
    let (one, other) = user_code
        .split_at_checked(LETTER_COUNT / 2)
        .unwrap_or((user_code, ""));
    format!("{one}-{other}")
}

/// As it is stored, whatever a person typed between the letters and in whatever letter case.
pub(crate) fn normalized(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let letters: String = letters.take(LETTER_COUNT + 1).collect();
    let letters = letters.to_ascii_uppercase();
    let is_code = letters.len() == LETTER_COUNT && letters.bytes().all(|b| LETTERS.contains(&b));
    is_code.then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            for byte in buffer {
                *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "b-c-d-f-g-h-j-k"] {
            assert_eq!(normalized(typed).as_deref(), Some("BCDFGHJK"), "{typed}");
        }
        for typed in [
            "",
            "BCDF-GHJ",
            "BCDF-GHJKL",
            "ACDF-GHJK",
            "BCDF-GHJ\u{212a}",
        ] {
            assert_eq!(normalized(typed), None, "{typed}");
        }
        assert_eq!(shown("BCDFGHJK"), "BCDF-GHJK");
    }

    #[test]
    fn every_letter_is_equally_likely() {
        let entropy = Counting(0.into());
        let mut counts = std::collections::BTreeMap::new();
        // Sixteen bytes are drawn for eight letters: every other one is looked at.
        for _ in 0..480 {
            for letter in random_letters(&entropy).chars() {
                *counts.entry(letter).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(counts.len(), 20);
    }
}
