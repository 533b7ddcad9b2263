//! Pages that hand an authorization response on: by a form that sends itself (`form_post`), or to
//! the window that asked (`web_message`).

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use domain::Json;
use engine::messages::Language;
use minijinja::Value;
use serde_json::json;

use super::{guard, header_value, links, templates};
use crate::state::AppState;
use crate::universal_login::page::Reader;

/// A form with the fields, sent to the target by a script, or by a button where none runs
/// (OAuth 2.0 Form Post Response Mode).
pub async fn render_form_post(
    state: &AppState,
    reader: &Reader,
    fields: &[(&str, String)],
    target: &str,
) -> Response {
    let look = state.engine.look().await;
    let accepted = reader.accept_language.as_deref();
    let language = Language::choose(&reader.ui_locales, accepted, &look.locales());
    let tenant = state.engine.tenant_name(&look);
    let client = reader.client.as_ref().map_or(&tenant, |(name, _)| name);
    let mut texts = language.section("common").clone();
    texts.extend(language.section("form-post").clone());
    let values = Json::from_iter([("clientName".to_owned(), client.as_str().into())]);
    let description = language
        .text("form-post", "description")
        .unwrap_or_default();
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let values = json!({
        "lang": language.tag, "dir": language.direction(), "screen": "form-post", "t": texts,
        "description": engine::messages::filled(description, &values), "companyName": client,
        "branding": look.branding, "logo": look.logo(), "body": "form-post.html",
        "fields": fields, "target": target, "assets": links(state, &look),
    });
    let (html, _) = templates::page(&Value::from_serialize(values), None);
    let mut response = (StatusCode::OK, Html(html)).into_response();
    guard::page(&mut response, &look, None);
    response
}

/// A page for a frame or a pop-up: gives the message to the opener or parent of that origin and to
/// nobody else.
pub async fn render_web_message(state: &AppState, message: &Json, origin: &str) -> Response {
    let look = state.engine.look().await;
    let links = links(state, &look);
    let values = json!({
        "lang": "en", "title": state.engine.tenant_name(&look), "origin": origin,
        "message": serde_json::Value::Object(message.clone()).to_string(),
        "script": links.get("web_message"),
    });
    let html = templates::one("web-message.html", &Value::from_serialize(values));
    let mut response = (StatusCode::OK, Html(html)).into_response();
    guard::always(&mut response);
    // The origin was registered by the client; what could end the directive is not one.
    let is_plain = !origin.contains([';', ',', ' ', '\'', '"']) && origin.is_ascii();
    let frame = if is_plain { origin } else { "'none'" };
    let policy = format!(
        "default-src 'none'; script-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors {frame}"
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, header_value(&policy));
    response
}
