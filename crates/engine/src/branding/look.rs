//! Everything that a page or a mail asks for, read together and kept for a few seconds: a change by
//! this server is seen at once, one by another server when the time is over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Instant, Json};
use serde_json::Value;

use super::{Color, page_template, theme};
use crate::Engine;
use crate::error::Result;
use crate::{email_templates, prompts};

/// How long another server's change may go unnoticed.
const KEPT: Duration = Duration::from_secs(5);

/// The tenant's settings, as far as pages show them.
const TENANT: &str = "tenant_settings";

/// The colour of buttons when nobody chose one.
const PRIMARY: &str = "#14617a";

/// How pages and mails look and what operators changed of their words.
#[derive(Debug, Default)]
pub struct Look {
    /// Logo, colours, font.
    pub branding: Json,
    /// The theme.
    pub theme: Json,
    /// The operator's own page.
    pub page_template: Option<String>,
    /// The operator's own words: prompt, then language, then screen, then key.
    pub texts: Json,
    /// The tenant: `friendly_name`, `support_url`, `enabled_locales`.
    pub tenant: Json,
    /// The operator's own mails, by name.
    pub mails: Json,
}

/// The look that was read last.
#[derive(Default)]
pub struct Looks(Mutex<Option<(Instant, Arc<Look>)>>);

impl Looks {
    /// The next page reads again.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn get(&self) -> Option<(Instant, Arc<Look>)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }

    fn keep(&self, now: Instant, look: &Arc<Look>) {
        let kept = Some((now, Arc::clone(look)));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}

impl Look {
    /// A text at a path of members.
    pub fn text<'a>(object: &'a Json, path: &[&str]) -> Option<&'a str> {
        let (last, before) = path.split_last()?;
        let inner = before.iter().try_fold(object, |object, name| {
            object.get(*name).and_then(Value::as_object)
        })?;
        let text = inner.get(*last).and_then(Value::as_str)?;
        (!text.is_empty()).then_some(text)
    }

    /// The colour of buttons.
    pub fn primary(&self) -> Color {
        let chosen = Self::text(&self.theme, &["colors", "primary_button"])
            .or_else(|| Self::text(&self.branding, &["colors", "primary"]));
        let chosen = chosen.and_then(Color::parse);
        chosen
            .or_else(|| Color::parse(PRIMARY))
            .unwrap_or(Color::INK)
    }

    /// The logo.
    pub fn logo(&self) -> Option<&str> {
        Self::text(&self.theme, &["widget", "logo_url"])
            .or_else(|| Self::text(&self.branding, &["logo_url"]))
    }

    /// The languages that are switched on, the tenant's own first; none said: all.
    pub fn locales(&self) -> Vec<String> {
        let listed = self.tenant.get("enabled_locales").and_then(Value::as_array);
        let texts = listed.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// The words that an operator put in the place of a screen's own.
    pub fn texts_of(&self, prompt: &str, language: &str, screen: &str) -> Option<&Json> {
        [prompt, language, screen]
            .iter()
            .try_fold(&self.texts, |object, name| {
                object.get(*name).and_then(Value::as_object)
            })
    }
}

impl Engine {
    /// The look of this moment. When the store fails, pages look as they last did: a page that tells
    /// of an outage must not need what is out.
    pub async fn look(&self) -> Arc<Look> {
        let (now, kept) = (self.now(), self.looks.get());
        if let Some((then, look)) = &kept
            && now < then.plus(KEPT)
            && *then <= now
        {
            return Arc::clone(look);
        }
        match self.read_look().await {
            Ok(look) => {
                let look = Arc::new(look);
                self.looks.keep(now, &look);
                look
            }
            Err(error) => {
                tracing::warn!(%error, "the look of the pages can't be read");
                kept.map_or_else(Arc::default, |(_, look)| look)
            }
        }
    }

    async fn read_look(&self) -> Result<Look> {
        let template = self.find_json(page_template::NAME).await?;
        Ok(Look {
            branding: self.branding().await?,
            theme: self.find_json(theme::NAME).await?.unwrap_or_default(),
            page_template: template
                .as_ref()
                .and_then(|object| Look::text(object, &["body"]))
                .map(str::to_owned),
            texts: self.find_json(prompts::TEXTS).await?.unwrap_or_default(),
            tenant: self.find_json(TENANT).await?.unwrap_or_default(),
            mails: self
                .find_json(email_templates::NAME)
                .await?
                .unwrap_or_default(),
        })
    }

    /// What the tenant calls itself: its friendly name, else the issuer's host.
    pub fn tenant_name(&self, look: &Look) -> String {
        Look::text(&look.tenant, &["friendly_name"]).map_or_else(|| self.tenant(), str::to_owned)
    }
}
