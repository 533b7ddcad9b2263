//! The static files of the login pages: named by what is in them, so that a browser keeps them for
//! good, and the tenant's theme.

use std::sync::LazyLock;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use crate::state::AppState;
use crate::universal_login::render::theme;

/// A file of `login/assets`.
pub struct Asset {
    name: String,
    kind: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, content: &'static str) -> Self {
        let kind = match extension {
            "css" => "text/css; charset=utf-8",
            _ => "text/javascript; charset=utf-8",
        };
        Self {
            name: format!("{stem}-{}.{extension}", digest(content)),
            kind,
            content,
        }
    }

    /// Where it is served, as a path of the issuer.
    pub fn path(&self) -> String {
        format!("assets/{}", self.name)
    }
}

/// The style of all pages.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "login",
        "css",
        include_str!("../../../login/assets/login.css"),
    )
});
/// What makes pages nicer.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "login",
        "js",
        include_str!("../../../login/assets/login.js"),
    )
});
/// Passkeys.
pub static PASSKEYS: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../../login/assets/passkeys.js");
    Asset::new("passkeys", "js", content)
});
/// The answer to a window that asked.
pub static WEB_MESSAGE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../../login/assets/web-message.js");
    Asset::new("web-message", "js", content)
});

/// The first half of a text's SHA-256.
pub fn digest(text: &str) -> String {
    let mut digits = hex::encode(Sha256::digest(text.as_bytes()));
    digits.truncate(32);
    digits
}

const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// `GET /assets/{name}`.
pub async fn get(State(state): State<AppState>, Path(name): Path<String>) -> Response {
    let files = [&*STYLE, &*SCRIPT, &*PASSKEYS, &*WEB_MESSAGE];
    if let Some(asset) = files.into_iter().find(|asset| asset.name == name) {
        return served(asset.kind, FOR_GOOD, asset.content.to_owned());
    }
    if name.starts_with("theme-") {
        let look = state.engine.look().await;
        let sheet = theme::sheet(&look);
        // Another server may know a newer theme, or an older one: its name is not for this one.
        let keep = if theme::name(&sheet) == name {
            FOR_GOOD
        } else {
            "no-store"
        };
        return served("text/css; charset=utf-8", keep, sheet);
    }
    StatusCode::NOT_FOUND.into_response()
}

fn served(kind: &'static str, keep: &'static str, content: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, keep),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}
