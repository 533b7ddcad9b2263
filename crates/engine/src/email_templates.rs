//! The operator's own mails: a Liquid template for each occasion.

use domain::Json;
use domain::schema::{Field, Kind, optional, required};
use serde_json::{Value, json};

use crate::body::{check_shape, misfit};
use crate::error::{Error, Result};
use crate::letters::one_line;
use crate::{Context, Engine, liquid, sender};

pub(crate) const NAME: &str = "email_templates";

/// The occasions, by Auth0's names.
const NAMES: &[&str] = &[
    "verify_email",
    "verify_email_by_code",
    "reset_email",
    "reset_email_by_code",
    "welcome_email",
    "blocked_account",
    "stolen_credentials",
    "enrollment_email",
    "mfa_oob_code",
    "change_password",
    "password_reset",
    "user_invitation",
    "async_approval",
];

const BODY: Kind = Kind::Nullable(&Kind::Text(0, 200_000));
const LINE: Kind = Kind::Nullable(&Kind::Text(0, 2048));

const CREATE: &[Field] = &[
    required("template", Kind::Enum(NAMES)),
    required("body", BODY),
    required("from", LINE),
    required("subject", LINE),
    required("syntax", Kind::Nullable(&Kind::Enum(&["liquid"]))),
    required("enabled", Kind::Boolean),
    optional("resultUrl", LINE),
    optional("urlLifetimeInSeconds", LIFETIME),
    optional("includeEmailInRedirect", Kind::Boolean),
];

const UPDATE: &[Field] = &[
    optional("template", Kind::Enum(NAMES)),
    optional("body", BODY),
    optional("from", LINE),
    optional("subject", LINE),
    optional("syntax", Kind::Nullable(&Kind::Enum(&["liquid"]))),
    optional("enabled", Kind::Nullable(&Kind::Boolean)),
    optional("resultUrl", LINE),
    optional("urlLifetimeInSeconds", LIFETIME),
    optional("includeEmailInRedirect", Kind::Boolean),
];

/// Up to thirty days.
const LIFETIME: Kind = Kind::Nullable(&Kind::Integer(0, 2_592_000));

impl Engine {
    /// A template by name.
    pub async fn email_template(&self, name: &str) -> Result<Json> {
        check_name(name)?;
        let stored = self.find_json(NAME).await?.unwrap_or_default();
        let found = stored.get(name).and_then(Value::as_object).cloned();
        found.ok_or_else(|| missing("Template not found."))
    }

    /// A new template.
    pub async fn create_email_template(&self, context: &Context, body: Json) -> Result<Json> {
        check_shape(&body, CREATE)?;
        check_content(&body)?;
        let name = body.get("template").and_then(Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        self.change_json(context, NAME, "Create an email template", |stored| {
            let mut stored = stored.unwrap_or_default();
            if stored.contains_key(&name) {
                return Err(Error::Conflict {
                    message: "Template already exists.".into(),
                    code: "template_conflict",
                });
            }
            stored.insert(name.clone(), body.clone().into());
            Ok(stored)
        })
        .await?;
        Ok(body)
    }

    /// Puts a template in the place of another, or there where was none.
    pub async fn replace_email_template(
        &self,
        context: &Context,
        name: &str,
        mut body: Json,
    ) -> Result<Json> {
        check_name(name)?;
        body.entry("template").or_insert_with(|| name.into());
        check_shape(&body, CREATE)?;
        check_same_name(&body, name)?;
        check_content(&body)?;
        self.change_json(context, NAME, "Update an email template", |stored| {
            let mut stored = stored.unwrap_or_default();
            stored.insert(name.to_owned(), body.clone().into());
            Ok(stored)
        })
        .await?;
        Ok(body)
    }

    /// Changes members of a template.
    pub async fn update_email_template(
        &self,
        context: &Context,
        name: &str,
        body: Json,
    ) -> Result<Json> {
        check_name(name)?;
        check_shape(&body, UPDATE)?;
        check_same_name(&body, name)?;
        check_content(&body)?;
        let stored = self
            .change_json(context, NAME, "Patch an email template", |stored| {
                let mut stored = stored.unwrap_or_default();
                let Some(Value::Object(template)) = stored.get_mut(name) else {
                    return Err(missing("Template not found and cannot be updated."));
                };
                template.extend(body.clone());
                Ok(stored)
            })
            .await?;
        let changed = stored.get(name).and_then(Value::as_object).cloned();
        Ok(changed.unwrap_or_default())
    }
}

fn missing(message: &str) -> Error {
    Error::Missing {
        message: message.into(),
        code: "inexistent_email_template",
    }
}

fn check_name(name: &str) -> Result<()> {
    if NAMES.contains(&name) {
        return Ok(());
    }
    Err(misfit("templateName", format!("No enum match for: {name}")))
}

fn check_same_name(body: &Json, name: &str) -> Result<()> {
    match body.get("template").and_then(Value::as_str) {
        Some(other) if other != name => Err(misfit("template", "Another template's name")),
        _ => Ok(()),
    }
}

/// Templates that can't be rendered are refused now, not when a mail is due.
fn check_content(body: &Json) -> Result<()> {
    for member in ["body", "subject", "from", "resultUrl"] {
        if let Some(text) = body.get(member).and_then(Value::as_str) {
            liquid::check(text).map_err(|error| misfit(member, error))?;
        }
    }
    match body.get("from").and_then(Value::as_str) {
        Some(from) if !from.trim().is_empty() => check_sender(from),
        _ => Ok(()),
    }
}

/// A sender that is no mailbox would hold back every mail of the template.
fn check_sender(from: &str) -> Result<()> {
    let sample = json!({
        "user": {"email": "ann@example.com"}, "url": "https://example.com/", "code": "123456",
        "application": {"name": "Application"}, "client": {"name": "Application"},
        "connection": {"name": "connection"}, "tenant": "tenant", "friendly_name": "Tenant",
        "support_url": "https://example.com/", "support_email": "support@example.com",
        "request_language": "en", "branding": {},
    });
    let values = minijinja::Value::from_serialize(sample);
    let shown = liquid::render(from, &values, false).map_err(|error| misfit("from", error))?;
    let shown = one_line(&shown);
    if sender::mailbox(&shown).is_some() {
        return Ok(());
    }
    let problem = format!("String does not match pattern mailbox: {shown}");
    Err(misfit("from", problem))
}
