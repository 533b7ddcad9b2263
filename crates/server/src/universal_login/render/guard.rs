//! The headers of a page. No inline script or style, no frame, nothing kept.
//!
//! `form-action` is left out on purpose: browsers apply it to redirects after a form was sent, and
//! a login ends with a redirect to the application, which may be any `https:` address and any
//! scheme of a native application. Values of pages are escaped, so nobody puts a form into one.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use engine::branding::Look;
use sha2::{Digest as _, Sha256};

use super::{header_value, theme};

const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
                      img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'";

/// Guards a page.
pub fn page(response: &mut Response, look: &Look, template: Option<&str>) {
    let styles: String = template.map(styles).into_iter().flatten().collect();
    let font = theme::font_url(look).and_then(origin);
    let font = font.map_or_else(String::new, |origin| format!(" {origin}"));
    let policy = format!("{POLICY}; style-src 'self'{styles}; font-src 'self'{font}");
    always(response);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, header_value(&policy));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

/// What every page carries. Within this server the referrer stays: without one browsers send no
/// `Origin` with a form, and handlers look at it.
pub fn always(response: &mut Response) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The style blocks that the operator wrote into the page, by their hashes. They are taken from the
/// template and not from the page: what a value put into a block is not let through.
fn styles(template: &str) -> Vec<String> {
    let mut hashes = Vec::new();
    let mut rest = template;
    while let Some((_, from)) = rest.split_once("<style") {
        let Some((block, after)) = from.split_once("</style>") else {
            break;
        };
        if let Some((_, text)) = block.split_once('>') {
            let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
            hashes.push(format!(" 'sha256-{hash}'"));
        }
        rest = after;
    }
    hashes
}

/// `https://host` of an address.
fn origin(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    url.get(.."https://".len() + host)
}
