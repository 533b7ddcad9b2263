//! What is set for the whole tenant: its name, its languages, where a logout of no client may lead, how
//! long sessions live. Members that do nothing here are refused, not kept.

use std::time::Duration;

use domain::schema::{Field, Kind, optional};
use domain::{Json, SessionToken};
use serde_json::{Value, json};

use crate::body::{check_shape, set_members};
use crate::branding::{TENANT, is_secure};
use crate::error::Result;
use crate::messages::Language;
use crate::{Context, Engine};

const HOUR: u64 = 3600;

/// Hours that a session may live: a year.
const HOURS: Kind = Kind::Integer(1, 8760);

const LINK: Kind = Kind::Nullable(&Kind::Pattern("^https://", is_secure));

const SHAPE: &[Field] = &[
    optional("friendly_name", Kind::Nullable(&Kind::Text(0, 255))),
    optional("picture_url", LINK),
    optional("support_email", Kind::Nullable(&Kind::Email)),
    optional("support_url", LINK),
    optional(
        "enabled_locales",
        Kind::Nullable(&Kind::Array(
            &Kind::Pattern("a language of the pages", is_language),
            1,
            50,
        )),
    ),
    optional(
        "allowed_logout_urls",
        Kind::Nullable(&Kind::Array(&Kind::Text(1, 2048), 0, 1000)),
    ),
    optional("session_lifetime", Kind::Nullable(&HOURS)),
    optional("idle_session_lifetime", Kind::Nullable(&HOURS)),
    optional(
        "session_cookie",
        Kind::Nullable(&Kind::Object(&[optional(
            "mode",
            Kind::Enum(&["persistent", "non-persistent"]),
        )])),
    ),
];

fn is_language(text: &str) -> bool {
    Language::find(text).is_some()
}

/// How long browser sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without being of use.
    pub idle: Duration,
    /// In any case, from the last proof on.
    pub lifetime: Duration,
    /// Whether the browser keeps its cookie when it is closed.
    pub is_persistent: bool,
}

/// The new token of a browser's session.
#[derive(Debug)]
pub struct NewSession {
    /// The cookie's value.
    pub token: SessionToken,
    /// How long the browser keeps it; until it is closed when nothing is said.
    pub kept: Option<Duration>,
}

impl Engine {
    /// What is set, and the defaults of what has one.
    pub async fn tenant_settings(&self) -> Result<Json> {
        Ok(self.shown_tenant(self.find_json(TENANT).await?.unwrap_or_default()))
    }

    /// Sets members; `null` takes one away.
    pub async fn update_tenant_settings(&self, context: &Context, body: Json) -> Result<Json> {
        check_shape(&body, SHAPE)?;
        let change = |stored: Option<Json>| {
            let mut stored = stored.unwrap_or_default();
            set_members(&mut stored, &body);
            Ok(stored)
        };
        let text = "Update tenant settings";
        let stored = self.change_json(context, TENANT, text, change).await?;
        Ok(self.shown_tenant(stored))
    }

    fn shown_tenant(&self, stored: Json) -> Json {
        let limits = self.limits_of(&Json::new());
        let mode = if limits.is_persistent {
            "persistent"
        } else {
            "non-persistent"
        };
        let mut shown = Json::from_iter([
            (
                "session_lifetime".to_owned(),
                (limits.lifetime.as_secs() / HOUR).into(),
            ),
            (
                "idle_session_lifetime".to_owned(),
                (limits.idle.as_secs() / HOUR).into(),
            ),
            ("session_cookie".to_owned(), json!({"mode": mode})),
        ]);
        shown.extend(stored);
        shown
    }

    /// How long browser sessions live: what the tenant says, else the configuration.
    pub(crate) async fn session_limits(&self) -> SessionLimits {
        self.limits_of(&self.look().await.tenant)
    }

    fn limits_of(&self, tenant: &Json) -> SessionLimits {
        let hours = |name: &str, default: Duration| {
            let hours = tenant.get(name).and_then(Value::as_u64);
            hours.map_or(default, |hours| Duration::from_secs(hours * HOUR))
        };
        let mode = tenant.get("session_cookie").and_then(|c| c.get("mode"));
        let settings = &self.settings;
        SessionLimits {
            idle: hours("idle_session_lifetime", settings.session_idle),
            lifetime: hours("session_lifetime", settings.session_lifetime),
            is_persistent: mode
                .and_then(Value::as_str)
                .map_or(settings.session_persistent, |mode| mode == "persistent"),
        }
    }
}
