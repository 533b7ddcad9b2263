//! The mail server that an administrator sets at `/api/v2/emails/provider`. It stands before the one
//! of the configuration. Only SMTP is spoken: a provider of another name is refused, not kept. The
//! password goes in and never comes out again.

use domain::schema::{Field, Kind, optional, required};
use domain::{EventKind, Json};
use lettre::message::Mailbox;
use serde_json::Value;
use store::StoreError;

use crate::body::{Supported, check_shape, check_supported, misfit};
use crate::error::{Error, Result};
use crate::{Context, Engine};

const NAME: &str = "email_provider";

/// The one credential that nobody is shown.
const PASSWORD: &str = "smtp_pass";

/// The providers, by Auth0's names.
const NAMES: Kind = Kind::Enum(&[
    "smtp",
    "mailgun",
    "mandrill",
    "sendgrid",
    "resend",
    "ses",
    "sparkpost",
    "azure_cs",
    "ms365",
    "custom",
]);

const CREDENTIALS: Kind = Kind::Object(&[
    required("smtp_host", Kind::Pattern("hostname", is_host)),
    required("smtp_port", Kind::Integer(1, 65_535)),
    optional("smtp_user", Kind::Text(0, 320)),
    optional(PASSWORD, Kind::SecretPattern("secret", is_secret)),
]);

const CREATE: &[Field] = &[
    required("name", NAMES),
    optional("enabled", Kind::Boolean),
    optional("default_from_address", Kind::Pattern("mailbox", is_mailbox)),
    required("credentials", CREDENTIALS),
    optional("settings", Kind::Nullable(&Kind::FreeObject)),
];

const UPDATE: &[Field] = &[
    optional("name", NAMES),
    optional("enabled", Kind::Boolean),
    optional("default_from_address", Kind::Pattern("mailbox", is_mailbox)),
    optional("credentials", CREDENTIALS),
    optional("settings", Kind::Nullable(&Kind::FreeObject)),
];

const SUPPORTED: &[Supported] = &[
    ("name", |name| name == "smtp"),
    ("settings", |settings| {
        settings.as_object().is_none_or(Json::is_empty)
    }),
];

/// Lost races before the caller is told.
const TRIES: usize = 5;

/// A provider as it is used.
pub(crate) struct Provider {
    pub host: String,
    pub port: u16,
    /// User and password.
    pub credentials: Option<(String, String)>,
    pub from: Option<String>,
}

impl Provider {
    /// `None` when it is switched off.
    pub(crate) fn read(stored: &str) -> Result<Option<Self>> {
        let stored: Json = serde_json::from_str(stored).map_err(Error::internal)?;
        if stored.get("enabled") == Some(&Value::Bool(false)) {
            return Ok(None);
        }
        let member = |name: &str| stored.get("credentials").and_then(|all| all.get(name));
        let text = |name: &str| member(name).and_then(Value::as_str).map(str::to_owned);
        let port = member("smtp_port").and_then(Value::as_u64);
        let user = text("smtp_user").filter(|user| !user.is_empty());
        let from = stored.get("default_from_address").and_then(Value::as_str);
        Ok(Some(Self {
            host: text("smtp_host").unwrap_or_default(),
            port: port.and_then(|port| port.try_into().ok()).unwrap_or(587),
            credentials: user.map(|user| (user, text(PASSWORD).unwrap_or_default())),
            from: from.map(str::to_owned),
        }))
    }
}

impl Engine {
    /// The provider, as it may be shown.
    pub async fn email_provider(&self) -> Result<Json> {
        let stored = self.stored_provider().await?;
        let (_, provider) =
            stored.ok_or_else(|| missing("Email provider has not been configured."))?;
        Ok(shown(provider))
    }

    /// Sets the first provider.
    pub async fn create_email_provider(&self, context: &Context, body: Json) -> Result<Json> {
        check(&body, CREATE)?;
        let mut provider = Json::from_iter([("enabled".to_owned(), Value::Bool(true))]);
        provider.extend(body);
        let conflict = || Error::Conflict {
            message: "Email provider is already configured.".into(),
            code: "email_provider_conflict",
        };
        if self.stored_provider().await?.is_some() {
            return Err(conflict());
        }
        let description = "Configure the email provider";
        match self
            .write_provider(context, description, None, &provider)
            .await
        {
            Ok(()) => Ok(shown(provider)),
            Err(StoreError::Conflict(_) | StoreError::Stale { .. }) => Err(conflict()),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes members. A password that is not sent stays, as long as it goes to whom it went.
    pub async fn update_email_provider(&self, context: &Context, body: Json) -> Result<Json> {
        check(&body, UPDATE)?;
        for _ in 0..TRIES {
            let stored = self.stored_provider().await?;
            let (before, mut provider) =
                stored.ok_or_else(|| missing("Email provider has not been configured."))?;
            change(&mut provider, body.clone());
            let description = "Update the email provider";
            match self
                .write_provider(context, description, Some(&before), &provider)
                .await
            {
                Ok(()) => return Ok(shown(provider)),
                // Somebody else was faster: look again.
                Err(StoreError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::unavailable("the email provider kept changing"))
    }

    /// Goes back to the configuration's mail server.
    pub async fn delete_email_provider(&self, context: &Context) -> Result<()> {
        let stored = self.stored_provider().await?;
        let (before, _) = stored.ok_or_else(|| missing("Email provider does not exist."))?;
        let kind = EventKind::Management;
        let event = self
            .management_event(context, kind, "Delete the email provider")
            .await?;
        let mut write = self.store.write();
        write.remove_setting(NAME, &before);
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }

    /// The provider as it is stored, and opened.
    pub(crate) async fn sealed_provider(
        &self,
    ) -> Result<Option<(String, zeroize::Zeroizing<String>)>> {
        Ok(self.store.find_sealed_setting(NAME).await?)
    }

    async fn stored_provider(&self) -> Result<Option<(String, Json)>> {
        let Some((stored, text)) = self.sealed_provider().await? else {
            return Ok(None);
        };
        let provider = serde_json::from_str(&text).map_err(Error::internal)?;
        Ok(Some((stored, provider)))
    }

    async fn write_provider(
        &self,
        context: &Context,
        description: &str,
        before: Option<&str>,
        provider: &Json,
    ) -> Result<(), StoreError> {
        let kind = EventKind::Management;
        let event = self.management_event(context, kind, description).await;
        let event = event.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let text = zeroize::Zeroizing::new(Value::Object(provider.clone()).to_string());
        let mut write = self.store.write();
        write.change_sealed_setting(NAME, before, &text)?;
        write.log(&event);
        self.store.commit(write).await
    }
}

fn check(body: &Json, shape: &[Field]) -> Result<()> {
    check_shape(body, shape)?;
    check_supported(body, SUPPORTED)?;
    let credentials = body.get("credentials").and_then(Value::as_object);
    let has = |name: &str| credentials.is_some_and(|all| all.contains_key(name));
    if has(PASSWORD) && !has("smtp_user") {
        return Err(misfit("credentials.smtp_user", "A password needs a user"));
    }
    Ok(())
}

fn change(provider: &mut Json, mut body: Json) {
    let known = provider.get("credentials").and_then(Value::as_object);
    let password = known.and_then(|known| known.get(PASSWORD)).cloned();
    if let (Some(Value::Object(sent)), Some(known)) = (body.get_mut("credentials"), known) {
        let is_same = ["smtp_host", "smtp_user", "smtp_port"]
            .iter()
            .all(|name| sent.get(*name) == known.get(*name));
        if let (Some(password), true, false) = (password, is_same, sent.contains_key(PASSWORD)) {
            sent.insert(PASSWORD.into(), password);
        }
    }
    provider.extend(body);
}

fn shown(mut provider: Json) -> Json {
    if let Some(Value::Object(credentials)) = provider.get_mut("credentials") {
        credentials.shift_remove(PASSWORD);
    }
    provider
}

fn missing(message: &str) -> Error {
    Error::Missing {
        message: message.into(),
        code: "inexistent_email_provider",
    }
}

fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    (1..=255).contains(&text.len()) && text.chars().all(plain)
}

fn is_secret(text: &str) -> bool {
    text.len() <= 2048 && !text.contains('\0')
}

fn is_mailbox(text: &str) -> bool {
    text.len() <= 512 && text.parse::<Mailbox>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Json {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_password_stays_with_whom_it_was_given_for() {
        let stored = object(json!({
            "name": "smtp", "credentials": {
                "smtp_host": "h", "smtp_port": 25, "smtp_user": "u", "smtp_pass": "p",
            },
        }));
        for (sent, kept) in [
            (
                json!({"smtp_host": "h", "smtp_port": 25, "smtp_user": "u"}),
                true,
            ),
            (
                json!({"smtp_host": "evil", "smtp_port": 25, "smtp_user": "u"}),
                false,
            ),
            (
                json!({"smtp_host": "h", "smtp_port": 26, "smtp_user": "u"}),
                false,
            ),
            (json!({"smtp_host": "h", "smtp_port": 25}), false),
        ] {
            let mut provider = stored.clone();
            change(&mut provider, object(json!({"credentials": sent})));
            let has = provider["credentials"].get(PASSWORD).is_some();
            assert_eq!(has, kept, "{sent}");
        }
        assert!(shown(stored)["credentials"].get(PASSWORD).is_none());
    }
}
