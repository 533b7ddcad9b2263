//! Entry points for fuzzers: whatever a stranger sends, answers go to the client's own addresses, and
//! what passed keeps the promises of the table.

use domain::secret::ClientSecret;
use domain::{Client, ClientId, Instant, TokenEndpointAuth};
use serde_json::json;
use url::Url;

use super::redirect_uri::{is_callback, matches_any};
use super::refusal::AuthorizeRefusal;
use super::request::{AuthorizationRequest, ChallengeMethod, Prompt, ResponseMode};
use super::response::{Granted, Response};
use super::uri::Uri;
use super::{Rules, Source, check};
use crate::issuer::Issuer;
use crate::token::Params;

/// Takes the first line for a registered URI, the second for a presented one. Panics when a match is
/// not what a browser would take for the same place.
pub fn redirect_uri(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (registered, presented) = text.split_once('\n').unwrap_or((&text, &text));
    for is_native in [false, true] {
        if matches_any(std::iter::once(registered), presented, is_native) {
            check_match(registered, presented, is_native);
        }
    }
    if let Some(uri) = Uri::parse(presented) {
        check_parts(&uri, presented);
    }
}

/// What a browser makes of it is what we made of it.
fn check_parts(uri: &Uri<'_>, text: &str) {
    assert!(
        !text.contains(['#', '\\', ' ', '\t', '\r', '\n']),
        "{text:?}"
    );
    let Some(there) = uri.authority else {
        return;
    };
    // A browser that reads no URL goes nowhere. It does so with punycode that encodes nothing.
    let Ok(url) = Url::parse(text) else {
        assert!(text.contains("xn--"), "a browser reads no URL: {text:?}");
        return;
    };
    assert_eq!(url.scheme(), uri.scheme, "{text:?}");
    assert_eq!((url.username(), url.password()), ("", None), "{text:?}");
    let host = there.host.to_ascii_lowercase();
    if !host.starts_with('[') {
        assert_eq!(url.host_str(), Some(host.as_str()), "{text:?}");
        assert_eq!(
            Some(url.origin().ascii_serialization()),
            uri.origin(),
            "{text:?}"
        );
    }
    let path = if uri.path().is_empty() {
        "/"
    } else {
        uri.path()
    };
    assert_eq!(url.path(), path, "{text:?}");
    assert_eq!(url.fragment(), None, "{text:?}");
}

fn check_match(registered: &str, presented: &str, is_native: bool) {
    if registered == presented {
        return;
    }
    let urls = (
        Url::parse(&registered.replace('*', "x")),
        Url::parse(presented),
    );
    let (Ok(here), Ok(there)) = urls else {
        assert!(
            presented.contains("xn--"),
            "matched, and no URL: {presented:?}"
        );
        return;
    };
    assert_eq!(
        here.scheme(),
        there.scheme(),
        "{registered:?} {presented:?}"
    );
    assert_eq!(here.path(), there.path(), "{registered:?} {presented:?}");
    assert_eq!(here.query(), there.query(), "{registered:?} {presented:?}");
    let below = |url: &Url| {
        let (_, rest) = url.host_str()?.split_once('.')?;
        Some(rest.to_owned())
    };
    if registered.contains('*') {
        assert_eq!(below(&here), below(&there), "{registered:?} {presented:?}");
        assert_eq!(here.port(), there.port(), "{registered:?} {presented:?}");
    } else {
        assert!(is_native, "{registered:?} {presented:?}");
        assert_eq!(here.host_str(), there.host_str());
        assert!(
            matches!(here.host_str(), Some("127.0.0.1" | "[::1]")),
            "{registered:?}"
        );
    }
}

/// Takes the first byte for the client's settings, the rest for a query. Panics when an answer would go
/// to a stranger, or a request passed that should not.
pub fn authorize(bytes: &[u8]) {
    let (settings, query) = bytes.split_first().unwrap_or((&0, &[]));
    let client = client(*settings);
    let pairs = || url::form_urlencoded::parse(query).into_owned();
    let Ok(issuer) = Issuer::parse("https://id.example.com/") else {
        return;
    };
    for source in [Source::Browser, Source::Pushing, Source::Pushed] {
        let rules = Rules {
            issuer: &issuer,
            source,
        };
        match check(Params::from_query(pairs()), &client, &rules) {
            Ok(request) => check_request(&request, &client, &issuer),
            Err(AuthorizeRefusal::Page(error)) => assert!(error.status >= 400),
            Err(AuthorizeRefusal::Redirect { error, to }) => {
                assert!(is_callback(&client, &to.redirect_uri), "{to:?}");
                check_answer(&to.refused(&error), &to.redirect_uri);
            }
        }
    }
}

fn check_request(request: &AuthorizationRequest, client: &Client, issuer: &Issuer) {
    assert!(is_callback(client, &request.redirect_uri), "{request:?}");
    let wanted = request.response_type;
    assert!(wanted.code || wanted.has_token(), "nothing wanted");
    assert!(!(wanted.has_token() && request.response_mode == ResponseMode::Query));
    assert!(!wanted.has_token() || client.may_use("implicit"));
    assert!(!wanted.id_token || request.nonce.is_some());
    assert!(!request.prompts(Prompt::None) || request.prompt.len() == 1);
    match &request.code_challenge {
        Some(challenge) => assert!(
            challenge.method == ChallengeMethod::S256 || client.allows_plain_pkce(),
            "plain"
        ),
        None => assert!(!(wanted.code && client.is_public()), "no challenge"),
    }
    let stored = serde_json::to_string(request).unwrap_or_default();
    assert_eq!(
        serde_json::from_str::<AuthorizationRequest>(&stored)
            .ok()
            .as_ref(),
        Some(request)
    );
    let to = request.reply_to(issuer);
    let granted = Granted {
        code: Some("c o/d+e".into()),
        ..Granted::default()
    };
    check_answer(&to.granted(granted), &request.redirect_uri);
}

fn check_answer(answer: &Response, redirect_uri: &str) {
    match answer {
        Response::Redirect(url) => {
            assert!(url.starts_with(redirect_uri), "{url:?}");
            assert!(url.bytes().all(|b| (0x21..0x7f).contains(&b)), "{url:?}");
        }
        Response::FormPost { action, .. } => assert_eq!(action, redirect_uri),
        Response::WebMessage { target_origin, .. } => {
            assert!(
                redirect_uri.starts_with(target_origin.as_str()),
                "{target_origin:?}"
            );
        }
    }
}

/// Each bit is a setting.
fn client(settings: u8) -> Client {
    let is = |bit: u8| settings & (1 << bit) != 0;
    let mut grants = vec!["authorization_code".to_owned()];
    if is(0) {
        grants.push("implicit".into());
    }
    let attributes = json!({
        "callbacks": ["https://app.example.com/cb", "https://*.example.org/cb?a=1",
                      "http://127.0.0.1/cb", "app://cb"],
        "web_origins": if is(1) { vec!["https://app.example.com"] } else { vec![] },
        "app_type": if is(2) { "native" } else { "spa" },
        "require_pushed_authorization_requests": is(4),
        "client_metadata": {"allow_plain_pkce": is(5).to_string()},
    });
    Client {
        client_id: ClientId::from("app"),
        name: "App".into(),
        secret: ClientSecret::from("secret"),
        auth: if is(3) {
            TokenEndpointAuth::ClientSecretPost
        } else {
            TokenEndpointAuth::None
        },
        grant_types: grants,
        attributes: attributes.as_object().cloned().unwrap_or_default(),
        version: 1,
        created_at: Instant::from_millis(0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of which tricks are made.
    const PIECE: &str = r"https://|http://|app\.example\.com|example\.org|\*\.|a\.|\.|@|:|:443|/cb|/|\\|\?a=1|#|%2e|%5c|\.\./|127\.0\.0\.1|\[::1\]|:8080|localhost|xn--|app://|javascript:|data:|0x7f|[a-zA-Z0-9]|é|\t| |\{x\}|%|-|_";

    fn uri() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => prop::collection::vec(PIECE, 0..8).prop_map(|pieces| pieces.concat()),
            1 => any::<String>(),
        ]
    }

    const NAME: &str = "client_id|redirect_uri|response_type|response_mode|scope|state|nonce|prompt|max_age|code_challenge|code_challenge_method|request|request_uri|audience|dpop_jkt|ui_locales|x";

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            2 => any::<String>(),
            6 => "app|https://app\\.example\\.com/cb|https://a\\.example\\.org/cb\\?a=1|app://cb|http://127\\.0\\.0\\.1:[0-9]{1,6}/cb|code|token|id_token|code id_token|query|fragment|form_post|web_message|openid|none|login|none login|S256|plain|[0-9]{1,30}|[A-Za-z0-9_-]{43}",
        ]
    }

    /// A request that passes more often than not, spoiled here and there.
    fn query() -> impl Strategy<Value = Vec<(String, String)>> {
        let base = prop::collection::vec(any::<bool>(), 6);
        (base, prop::collection::vec((NAME, value()), 0..5)).prop_map(|(keep, more)| {
            let good = [
                ("client_id", "app"),
                ("redirect_uri", "https://app.example.com/cb"),
                ("response_type", "code"),
                ("code_challenge_method", "S256"),
                (
                    "code_challenge",
                    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                ),
                ("state", "x y"),
            ];
            let good = good.into_iter().zip(keep).filter(|(_, keep)| *keep);
            let good = good.map(|((name, text), _)| (name.to_owned(), text.to_owned()));
            good.chain(more).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn no_uri_leads_elsewhere(registered in uri(), presented in uri()) {
            redirect_uri(format!("{registered}\n{presented}").as_bytes());
            redirect_uri(format!("{registered}\n{registered}").as_bytes());
        }

        #[test]
        fn no_star_leads_elsewhere(sub in "[a-z.@:/\\\\%-]{0,8}", tail in "(\\.example\\.org|\\.org|:80|/cb|@x|/){0,4}") {
            redirect_uri(format!("https://*.example.org/cb\nhttps://{sub}{tail}").as_bytes());
        }

        #[test]
        fn no_request_breaks_the_table(settings in any::<u8>(), pairs in query()) {
            let text = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            let mut bytes = vec![settings];
            bytes.extend_from_slice(text.as_bytes());
            authorize(&bytes);
        }

        #[test]
        fn no_bytes_break_the_table(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            authorize(&bytes);
            redirect_uri(&bytes);
        }
    }
}
