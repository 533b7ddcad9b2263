//! The two cookies: a browser's session, and what binds logins under way to the browser.
//!
//! Over https both have the prefix `__Host-`: no other host and no plain connection can set them.
//! Browsers refuse the prefix over http, which exists for development on localhost; there the names
//! go without. The session's is `SameSite=None`, since single-page applications renew silently in a
//! frame on their own site; it proves nothing that a stranger's site could misuse, as forms need the
//! other cookie, which is `Lax`, and a token made of it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use domain::{BrowserToken, SessionToken};
use engine::sessions::Browser;

use crate::state::AppState;

const SESSION: &str = "ferry-session";
const BROWSER: &str = "ferry-browser";

/// Longest value that can be one of ours.
const LONGEST: usize = 64;

/// The cookies of a request.
pub struct Cookies(pub Browser);

impl FromRequestParts<AppState> for Cookies {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(read(&parts.headers, is_https(state))))
    }
}

/// Whether browsers reach us over https.
pub fn is_https(state: &AppState) -> bool {
    state
        .engine
        .settings
        .issuer
        .as_str()
        .starts_with("https://")
}

fn read(headers: &HeaderMap, is_https: bool) -> Browser {
    let value = |name: &str| {
        let name = named(name, is_https);
        let lines = headers.get_all(header::COOKIE).iter();
        let pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let mut values = pairs.filter_map(|pair| {
            let (found, value) = pair.trim().split_once('=')?;
            (found == name).then_some(value)
        });
        values.find(|value| {
            !value.is_empty()
                && value.len() <= LONGEST
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    };
    Browser {
        session: value(SESSION).map(SessionToken::from),
        token: value(BROWSER).map(BrowserToken::from),
    }
}

fn named(name: &str, is_https: bool) -> String {
    let prefix = if is_https { "__Host-" } else { "" };
    format!("{prefix}{name}")
}

/// Gives the browser its session's new token.
pub fn set_session(state: &AppState, response: &mut Response, token: &SessionToken) {
    let seconds = state.engine.settings.session_lifetime.as_secs();
    set(state, response, SESSION, token.expose(), Some(seconds));
}

/// Takes the session's token away.
pub fn clear_session(state: &AppState, response: &mut Response) {
    set(state, response, SESSION, "", Some(0));
}

/// Binds the browser.
pub fn set_browser(state: &AppState, response: &mut Response, token: &BrowserToken) {
    set(state, response, BROWSER, token.expose(), None);
}

fn set(state: &AppState, response: &mut Response, name: &str, value: &str, age: Option<u64>) {
    let line = line(name, value, age, is_https(state));
    if let Ok(line) = HeaderValue::from_str(&line) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
}

fn line(name: &str, value: &str, age: Option<u64>, is_https: bool) -> String {
    let site = match (name, is_https) {
        (SESSION, true) => "None",
        _ => "Lax",
    };
    let secure = if is_https { "; Secure" } else { "" };
    let age = age.map_or_else(String::new, |age| format!("; Max-Age={age}"));
    let name = named(name, is_https);
    format!("{name}={value}; Path=/; HttpOnly{secure}; SameSite={site}{age}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_cookies_are_read() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", "a=b; __Host-ferry-session=S1".parse().unwrap());
        headers.append(
            "cookie",
            "ferry-browser=B0;__Host-ferry-browser=B1".parse().unwrap(),
        );
        let browser = read(&headers, true);
        assert_eq!(browser.session.unwrap().expose(), "S1");
        assert_eq!(browser.token.unwrap().expose(), "B1");
        let plain = read(&headers, false);
        assert!(plain.session.is_none());
        assert_eq!(plain.token.unwrap().expose(), "B0");
        headers.insert("cookie", "__Host-ferry-session=\"; x".parse().unwrap());
        assert!(read(&headers, true).session.is_none());
    }

    #[test]
    fn a_cookie_is_as_closed_as_its_scheme_allows() {
        assert_eq!(
            line(SESSION, "x", Some(9), true),
            "__Host-ferry-session=x; Path=/; HttpOnly; Secure; SameSite=None; Max-Age=9"
        );
        assert_eq!(
            line(BROWSER, "x", None, true),
            "__Host-ferry-browser=x; Path=/; HttpOnly; Secure; SameSite=Lax"
        );
        assert_eq!(
            line(SESSION, "", Some(0), false),
            "ferry-session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
