//! How pages and mails look: logo, colours, font, the operator's own page around the form.
//!
//! | file | what |
//! |---|---|
//! | `look` | everything that a page or a mail asks for, kept for a few seconds |
//! | `color` | colours, made readable |
//! | `page_template` | the operator's own page |
//! | `theme` | the theme, stored whole |
//!
//! All of it are rows of the settings; whoever reads one, changes it and writes it again does not
//! overwrite what somebody else wrote meanwhile.

mod color;
mod look;
mod page_template;
mod theme;

pub use color::Color;
pub(crate) use look::TENANT;
pub use look::{Look, Looks};
pub use page_template::{check_page_template, page_template_source};

use domain::schema::{Field, Kind, optional};
use domain::{EventKind, Json};
use serde_json::Value;
use store::StoreError;

use crate::body::{check_shape, misfit, set_members};
use crate::error::{Error, Result};
use crate::{Context, Engine};

pub(crate) const BRANDING: &str = "branding";

/// Lost races before we give up.
const TRIES: usize = 5;

const COLOR: Kind = Kind::Nullable(&Kind::Pattern(
    "^#[0-9a-fA-F]{3}$|^#[0-9a-fA-F]{6}$",
    is_color,
));
const LINK: Kind = Kind::Nullable(&Kind::Pattern("^https://", is_secure));

const SHAPE: &[Field] = &[
    optional(
        "colors",
        Kind::Nullable(&Kind::Object(&[
            optional("primary", COLOR),
            optional("page_background", Kind::Any),
        ])),
    ),
    optional("favicon_url", LINK),
    optional("logo_url", LINK),
    optional(
        "font",
        Kind::Nullable(&Kind::Object(&[optional("url", LINK)])),
    ),
];

const GRADIENT: &[Field] = &[
    optional("type", Kind::Enum(&["linear-gradient"])),
    optional("start", COLOR),
    optional("end", COLOR),
    optional("angle_deg", Kind::Integer(0, 360)),
];

pub(crate) fn is_color(text: &str) -> bool {
    Color::parse(text).is_some()
}

/// An address that can stand in a header and a style sheet as it is.
pub fn is_secure(text: &str) -> bool {
    let plain = |c: char| {
        c.is_ascii_graphic()
            && !matches!(
                c,
                '"' | '\'' | '\\' | '<' | '>' | '(' | ')' | ';' | ',' | '`'
            )
    };
    let host = text.strip_prefix("https://").unwrap_or_default();
    !host.is_empty() && !host.starts_with('/') && text.chars().all(plain)
}

impl Engine {
    /// What is set of logo, colours and font.
    pub async fn branding(&self) -> Result<Json> {
        Ok(self.find_json(BRANDING).await?.unwrap_or_default())
    }

    /// Sets members; `null` takes one away.
    pub async fn update_branding(&self, context: &Context, body: Json) -> Result<Json> {
        check_shape(&body, SHAPE)?;
        check_background(&body)?;
        let changed = |stored: Option<Json>| Ok(merged(stored.unwrap_or_default(), &body));
        self.change_json(context, BRANDING, "Update the branding settings", changed)
            .await
    }

    /// A setting that holds an object.
    pub(crate) async fn find_json(&self, name: &str) -> Result<Option<Json>> {
        let text = self.store.find_setting(name).await?;
        Ok(text.as_deref().and_then(read))
    }

    /// Changes such a setting; tells the log.
    pub(crate) async fn change_json(
        &self,
        context: &Context,
        name: &str,
        description: &str,
        change: impl Fn(Option<Json>) -> Result<Json>,
    ) -> Result<Json> {
        for _ in 0..TRIES {
            let before = self.store.find_setting(name).await?;
            let after = change(before.as_deref().and_then(read))?;
            let kind = EventKind::Management;
            let event = self.management_event(context, kind, description).await?;
            let mut write = self.store.write();
            let text = Value::Object(after.clone()).to_string();
            write.change_setting(name, before.as_deref(), &text);
            write.log(&event);
            match self.store.commit(write).await {
                Ok(()) => {
                    self.looks.forget();
                    return Ok(after);
                }
                // Somebody else was faster: look again.
                Err(StoreError::Conflict(_) | StoreError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::unavailable("the settings kept changing"))
    }
}

fn read(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

/// Members over members; a `null` takes one away, on the first two levels.
fn merged(mut stored: Json, body: &Json) -> Json {
    for (name, value) in body {
        match (stored.get_mut(name), value) {
            (_, Value::Null) => drop(stored.shift_remove(name)),
            (Some(Value::Object(inner)), Value::Object(change)) => {
                set_members(inner, change);
            }
            _ => drop(stored.insert(name.clone(), value.clone())),
        }
    }
    stored
}

fn check_background(body: &Json) -> Result<()> {
    let colors = body.get("colors").and_then(Value::as_object);
    match colors.and_then(|colors| colors.get("page_background")) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if is_color(text) => Ok(()),
        Some(Value::Object(gradient)) => check_shape(gradient, GRADIENT),
        Some(_) => Err(misfit(
            "colors.page_background",
            "Not a colour and not a gradient",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_can_break_out_of_nothing() {
        for good in ["https://cdn.example/logo.svg?v=1&w=2", "https://x"] {
            assert!(is_secure(good), "{good}");
        }
        for bad in [
            "http://x",
            "https://",
            "https:///x",
            "https://x\" onerror=",
            "https://x;script-src *",
            "https://x)}",
            "https://x y",
            "https://ü",
            "javascript:alert(1)",
            "https://a,b",
        ] {
            assert!(!is_secure(bad), "{bad}");
        }
    }

    #[test]
    fn members_merge_and_null_takes_away() {
        let object = |value: Value| value.as_object().unwrap().clone();
        let stored = object(
            serde_json::json!({"colors": {"primary": "#000000", "page_background": "#ffffff"}, "logo_url": "https://x"}),
        );
        let body = object(
            serde_json::json!({"colors": {"primary": null}, "logo_url": null, "favicon_url": "https://y"}),
        );
        let expected = serde_json::json!({"colors": {"page_background": "#ffffff"}, "favicon_url": "https://y"});
        assert_eq!(Value::Object(merged(stored, &body)), expected);
    }
}
