//! Devices that wait for a person with a browser (RFC 8628). A device goes from waiting to allowed
//! or denied once, and from there to done once.

use domain::{AuthorizationId, ClientId, Instant, UserRow};

use crate::db::{Row, any, one};
use crate::error::{Result, StoreError};
use crate::{Store, Write, first};

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Nobody has answered yet.
    Waiting,
    /// A person allowed it.
    Allowed,
    /// A person refused it.
    Denied,
    /// The device knows the end: tokens, refusal, or that it came too late.
    Done,
}

impl DeviceState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Done => "done",
        }
    }
}

/// A device that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDevice {
    /// SHA-256 of the device code, hexadecimal.
    pub device_code_hash: String,
    /// What the person types, without its dash.
    pub user_code: String,
    /// The client.
    pub client_id: ClientId,
    /// The API that the token shall be for.
    pub audience: Option<String>,
    /// What is asked for, split by spaces.
    pub scope: String,
    /// Where it stands.
    pub state: DeviceState,
    /// What the person allowed.
    pub authorization: Option<AuthorizationId>,
    /// Seconds that must pass between two questions.
    pub seconds_between: i64,
    /// When the device asked last.
    pub polled_at: Option<Instant>,
    /// When its time is over.
    pub expires_at: Instant,
}

const COLUMNS: &str = "select device_code_hash, user_code, client_id, audience, scope, state, \
     authorization_id, seconds_between, polled_at, expires_at from device_codes";

impl Store {
    /// A device by its own code.
    pub async fn find_device(&self, device_code_hash: &str) -> Result<Option<StoredDevice>> {
        let sql = format!("{COLUMNS} where device_code_hash = $1");
        first(self.db.lookup(sql, vec![device_code_hash.into()]).await?)
            .map(device)
            .transpose()
    }

    /// A device that waits, by the code that a person typed.
    pub async fn find_waiting_device(
        &self,
        user_code: &str,
        now: Instant,
    ) -> Result<Option<StoredDevice>> {
        let sql =
            format!("{COLUMNS} where user_code = $1 and state = 'waiting' and expires_at > $2");
        let params = vec![user_code.into(), now.into()];
        first(self.db.lookup(sql, params).await?)
            .map(device)
            .transpose()
    }
}

fn device(mut row: Row) -> Result<StoredDevice> {
    Ok(StoredDevice {
        device_code_hash: row.text("device_codes.device_code_hash")?,
        user_code: row.text("device_codes.user_code")?,
        client_id: row.text("device_codes.client_id")?.into(),
        audience: row.text_or_null("device_codes.audience")?,
        scope: row.text("device_codes.scope")?,
        state: state(row.text("device_codes.state")?)?,
        authorization: row
            .text_or_null("device_codes.authorization_id")?
            .map(Into::into),
        seconds_between: row.int("device_codes.seconds_between")?,
        polled_at: row.time_or_null("device_codes.polled_at")?,
        expires_at: row.time("device_codes.expires_at")?,
    })
}

fn state(text: String) -> Result<DeviceState> {
    use DeviceState::{Allowed, Denied, Done, Waiting};
    [Waiting, Allowed, Denied, Done]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or(StoreError::Corrupt {
            column: "device_codes.state",
            problem: text,
        })
}

impl Write {
    /// Writes a new device.
    pub fn insert_device(&mut self, device: &StoredDevice, now: Instant) -> &mut Self {
        self.push(one(
            "insert into device_codes (device_code_hash, user_code, client_id, audience, scope, \
             state, seconds_between, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8)",
            vec![
                (&device.device_code_hash).into(),
                (&device.user_code).into(),
                (&device.client_id).into(),
                device.audience.clone().into(),
                (&device.scope).into(),
                device.seconds_between.into(),
                now.into(),
                device.expires_at.into(),
            ],
        ))
    }

    /// Notes that a device asked, and how long it must wait from now on.
    pub fn poll_device(
        &mut self,
        device_code_hash: &str,
        seconds_between: i64,
        now: Instant,
    ) -> &mut Self {
        self.push(any(
            "update device_codes set polled_at = $2, seconds_between = $3 \
             where device_code_hash = $1",
            vec![device_code_hash.into(), now.into(), seconds_between.into()],
        ))
    }

    /// Answers a device that waits: the batch fails when it does not wait any more.
    pub fn answer_device(
        &mut self,
        user_code: &str,
        allowed: Option<(&AuthorizationId, UserRow)>,
        now: Instant,
    ) -> &mut Self {
        let state = if allowed.is_some() {
            DeviceState::Allowed
        } else {
            DeviceState::Denied
        };
        self.push(one(
            "update device_codes set state = $2, authorization_id = $3, user_row = $4 \
             where user_code = $1 and state = 'waiting' and expires_at > $5",
            vec![
                user_code.into(),
                state.as_str().into(),
                allowed.map(|(id, _)| id).into(),
                allowed.map(|(_, user)| user).into(),
                now.into(),
            ],
        ))
    }

    /// Ends a device: the batch fails when it stands elsewhere than was read.
    pub fn end_device(&mut self, device_code_hash: &str, from: DeviceState) -> &mut Self {
        self.push(one(
            "update device_codes set state = 'done' where device_code_hash = $1 and state = $2",
            vec![device_code_hash.into(), from.as_str().into()],
        ))
    }
}
