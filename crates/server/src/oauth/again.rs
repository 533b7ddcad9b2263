//! Requests that another site's page posts. Browsers send the cookie that binds logins under way only
//! with what comes from here, or by a link: such a post looks like that of a browser that has none,
//! and a new cookie would end every login that is under way in it. So the browser is sent round once,
//! and brings the cookie then, if it has one.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::state::AppState;
use crate::universal_login::render::render_form_post;
use crate::universal_login::visit::Visit;

/// Says that a form was posted from here.
const AGAIN: &str = "ferry_again";

/// Longest address that is built; proxies take no longer ones.
const LONGEST: usize = 8 << 10;

/// Takes the mark of a form that was posted from here; whether there was one.
pub fn take_mark(pairs: &mut Vec<(String, String)>) -> bool {
    let before = pairs.len();
    pairs.retain(|(name, _)| name != AGAIN);
    pairs.len() < before
}

/// The same request by a link; none when that would be too long.
pub fn by_link(path: &str, pairs: &[(String, String)]) -> Option<Response> {
    let query = serde_urlencoded::to_string(pairs).ok()?;
    let target = format!("{path}?{query}");
    let location = HeaderValue::from_str(&target).ok()?;
    (target.len() <= LONGEST).then(|| {
        let headers = [
            (header::LOCATION, location),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (StatusCode::SEE_OTHER, headers).into_response()
    })
}

/// The same request by a link, or by a form of ours when it is too long for that.
pub async fn sent_round(
    state: &AppState,
    visit: &Visit,
    path: &str,
    pairs: &[(String, String)],
) -> Response {
    if let Some(response) = by_link(path, pairs) {
        return response;
    }
    let mut fields: Vec<(&str, String)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    fields.push((AGAIN, "1".to_owned()));
    let target = state
        .engine
        .settings
        .issuer
        .join(path.trim_start_matches('/'));
    render_form_post(state, &visit.reader(), &fields, &target).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_for_a_link_is_told_and_marks_are_taken() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let short = by_link("/authorize", &[pair("a", "b&c"), pair("a", "")]).unwrap();
        assert_eq!(short.status(), StatusCode::SEE_OTHER);
        assert_eq!(short.headers()[header::LOCATION], "/authorize?a=b%26c&a=");
        assert!(by_link("/authorize", &[pair("a", &"x".repeat(LONGEST))]).is_none());
        let mut pairs = vec![pair("a", "b"), pair(AGAIN, "1")];
        assert!(take_mark(&mut pairs));
        assert!(!take_mark(&mut pairs) && pairs.len() == 1);
    }
}
