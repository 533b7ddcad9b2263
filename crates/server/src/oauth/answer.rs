//! An answer on its way to a client, through the browser: in the query or the fragment of its
//! redirect URI, as a form that posts itself, or as a message to the window that asked.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::authorize::Answer;
use oidc::authorize::ResponseMode;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cookies::set_session;
use crate::state::AppState;

const POST_IT: &str = "document.forms[0].submit()";

/// What single-page applications listen for: the frame's parent, or the window that opened a popup.
const SAY_IT: &str = "var d=document.getElementById('answer').dataset;\
     var w=window.opener||(window.parent!==window?window.parent:null);\
     if(w)w.postMessage({type:'authorization_response',response:JSON.parse(d.response)},d.origin)";

/// Sends an answer; `status` is that of a redirect.
pub fn send(state: &AppState, answer: Answer, status: StatusCode) -> Response {
    let mut response = match answer.mode {
        ResponseMode::Query => redirect(&answer, '?', status),
        ResponseMode::Fragment => redirect(&answer, '#', status),
        ResponseMode::FormPost => form(&answer),
        ResponseMode::WebMessage => message(&answer),
    };
    if let Some(token) = &answer.session {
        set_session(state, &mut response, token);
    }
    response
}

fn redirect(answer: &Answer, joint: char, status: StatusCode) -> Response {
    let pairs = serde_urlencoded::to_string(&answer.parameters).unwrap_or_default();
    let uri = &answer.redirect_uri;
    let joint = match (joint, uri.contains('?')) {
        ('?', true) => '&',
        (joint, _) => joint,
    };
    match HeaderValue::from_str(&format!("{uri}{joint}{pairs}")) {
        Ok(location) => {
            let mut response = status.into_response();
            let headers = response.headers_mut();
            headers.insert(header::LOCATION, location);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn form(answer: &Answer) -> Response {
    let input = |(name, value): &(&str, String)| {
        let value = escaped(value);
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
    };
    let inputs: String = answer.parameters.iter().map(input).collect();
    let action = escaped(&answer.redirect_uri);
    let body = format!(
        "<form method=\"post\" action=\"{action}\">{inputs}<button>Continue</button></form>\
         <script>{POST_IT}</script>"
    );
    page(&body, POST_IT, "'none'")
}

fn message(answer: &Answer) -> Response {
    let members = answer.parameters.iter();
    let members = members.map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
    let members = Value::Object(members.collect()).to_string();
    let (origin, members) = (origin_of(&answer.redirect_uri), escaped(&members));
    let body = format!(
        "<p id=\"answer\" data-origin=\"{0}\" data-response=\"{members}\">Signed in. This window \
         can be closed.</p><script>{SAY_IT}</script>",
        escaped(&origin)
    );
    page(&body, SAY_IT, &origin)
}

/// The scheme and authority of a URI.
fn origin_of(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", ""));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{authority}")
}

fn page(body: &str, script: &str, ancestors: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Continue</title>\
         </head><body>{body}</body></html>\n"
    );
    let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; base-uri 'none'; \
         frame-ancestors {ancestors}"
    );
    let mut response = html.into_response();
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, &policy),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(uri: &str, mode: ResponseMode) -> Answer {
        Answer {
            redirect_uri: uri.into(),
            mode,
            parameters: vec![("code", "c".into()), ("state", "\"><script>&".into())],
            session: None,
        }
    }

    #[test]
    fn an_answer_goes_where_its_mode_says() {
        for (uri, joint, expected) in [
            (
                "https://x/cb",
                '?',
                "https://x/cb?code=c&state=%22%3E%3Cscript%3E%26",
            ),
            (
                "https://x/cb?a=b",
                '?',
                "https://x/cb?a=b&code=c&state=%22%3E%3Cscript%3E%26",
            ),
            (
                "https://x/cb",
                '#',
                "https://x/cb#code=c&state=%22%3E%3Cscript%3E%26",
            ),
        ] {
            let answer = answer(uri, ResponseMode::Query);
            let response = redirect(&answer, joint, StatusCode::FOUND);
            assert_eq!(response.headers()["location"], expected);
        }
    }

    #[tokio::test]
    async fn nothing_of_an_answer_becomes_markup() {
        for page in [form, message] {
            let response = page(&answer("https://x:8/cb", ResponseMode::FormPost));
            let policy = response.headers()["content-security-policy"]
                .to_str()
                .unwrap();
            assert!(policy.contains("script-src 'sha256-"), "{policy}");
            let body = axum::body::to_bytes(response.into_body(), 9999)
                .await
                .unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert_eq!(body.matches("<script>").count(), 1, "{body}");
        }
        assert_eq!(origin_of("https://x:8/cb?y"), "https://x:8");
    }
}
