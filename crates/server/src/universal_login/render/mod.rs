//! From a page as handlers describe it to HTML: texts in the reader's language, the tenant's look,
//! the headers that guard it. Pages work without scripts; what scripts add is in `login/assets`.
//!
//! | file | what |
//! |---|---|
//! | `screens` | each screen's template and names |
//! | `words` | the texts of a page |
//! | `templates` | the templates, and the operator's own page around them |
//! | `theme` | the tenant's colours as a style sheet |
//! | `answers` | pages that hand an authorization response on |
//! | `guard` | headers |

mod answers;
mod guard;
mod screens;
mod templates;
pub mod theme;
mod words;

pub use answers::{render_form_post, render_web_message};

use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use engine::branding::Look;
use engine::messages::Language;
use minijinja::Value;
use serde_json::json;

use super::page::{Page, Reader, Screen};
use crate::assets;
use crate::state::AppState;

/// Renders a page.
pub(super) async fn respond(state: &AppState, reader: &Reader, page: Page) -> Response {
    let look = state.engine.look().await;
    let status = page.status;
    let (html, template) = html(state, reader, &page, &look);
    let mut response = (status, axum::response::Html(html)).into_response();
    guard::page(&mut response, &look, template.as_deref());
    response
}

/// A page's HTML, and the operator's template when it is around it.
fn html(state: &AppState, reader: &Reader, page: &Page, look: &Look) -> (String, Option<String>) {
    let language = Language::choose(
        &reader.ui_locales,
        reader.accept_language.as_deref(),
        &look.locales(),
    );
    let names = screens::names(page.screen);
    let tenant = state.engine.tenant_name(look);
    let client = reader.client.as_ref().map(|(name, _)| name.as_str());
    let words = words::of(page, names, language, look, &tenant, client);
    let mut shown = page.shown.clone();
    if let Some(options) = shown
        .get_mut("options")
        .filter(|options| !options.is_string())
    {
        *options = options.to_string().into();
    }
    let hidden: Vec<_> = page
        .hidden
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let client_logo = reader.client.as_ref().and_then(|(_, logo)| logo.as_deref());
    let values = json!({
        "lang": language.tag, "dir": language.direction(),
        "screen": names.screen, "prompt": names.prompt,
        "t": words.texts, "description": words.description, "problem": words.problem,
        "companyName": client.unwrap_or(&tenant), "logo": client_logo.or(look.logo()),
        "branding": look.branding, "hidden_fields": hidden, "shown": shown,
        "qr": page.shown.get("qr").and_then(|qr| qr.as_str()).map(picture),
        "uses_passkeys": uses_passkeys(page), "body": names.template,
        "assets": links(state, look),
        "tenant": {"friendly_name": tenant, "name": tenant},
        "application": {"name": client, "logo_url": client_logo}, "locale": language.tag,
    });
    templates::page(
        &Value::from_serialize(values),
        look.page_template.as_deref(),
    )
}

/// The developer's view of mails.
pub fn mail_viewer(state: &AppState, mut values: serde_json::Value) -> String {
    let issuer = &state.engine.settings.issuer;
    if let Some(values) = values.as_object_mut() {
        values.insert("assets".into(), links(state, &Look::default()));
        values.insert("base".into(), issuer.join("ferry/mail").into());
    }
    templates::one("mail-viewer.html", &Value::from_serialize(values))
}

/// Where the static files are.
fn links(state: &AppState, look: &Look) -> serde_json::Value {
    let issuer = &state.engine.settings.issuer;
    let path = |path: String| {
        // Without the host: the page may be served under another name of the same server.
        let url = issuer.join(&path);
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/')
            .and_then(|at| rest.get(at..))
            .unwrap_or_default()
            .to_owned()
    };
    json!({
        "style": path(assets::STYLE.path()),
        "script": path(assets::SCRIPT.path()),
        "passkeys": path(assets::PASSKEYS.path()),
        "web_message": path(assets::WEB_MESSAGE.path()),
        "theme": path(format!("assets/{}", theme::name(&theme::sheet(look)))),
    })
}

fn uses_passkeys(page: &Page) -> bool {
    matches!(
        page.screen,
        Screen::MfaWebAuthnChallenge | Screen::MfaWebAuthnEnrollment | Screen::PasskeyEnrollment
    ) || page.shown.get("passkey") == Some(&serde_json::Value::Bool(true))
}

/// A QR code as an image's address; SVG text becomes one.
fn picture(qr: &str) -> String {
    if !qr.contains("<svg") {
        return qr.to_owned();
    }
    let encoded = base64::engine::general_purpose::STANDARD.encode(qr);
    format!("data:image/svg+xml;base64,{encoded}")
}

/// Text as a header; what can't be one is left out.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
