use oidc::authorize::{is_callback, may_call, may_message, origin_of};
use serde_json::json;

use super::{client, refused};

fn accepts(app_type: &str, registered: &str, presented: &str) -> bool {
    let client = client(json!({"callbacks": [registered], "app_type": app_type}));
    is_callback(&client, presented)
}

#[test]
fn a_redirect_uri_is_compared_letter_by_letter() {
    let registered = "https://app.example.com/cb?a=1";
    assert!(accepts("spa", registered, registered));
    for other in [
        "https://app.example.com/cb",
        "https://app.example.com/cb?a=1&b=2",
        "https://app.example.com/cb/?a=1",
        "https://app.example.com/CB?a=1",
        "https://APP.example.com/cb?a=1",
        "https://app.example.com:443/cb?a=1",
        "http://app.example.com/cb?a=1",
        "https://app.example.com/x/../cb?a=1",
        "https://app.example.com/cb?a=1#",
        "https://app.example.com.evil.example/cb?a=1",
        "https://app.example.com@evil.example/cb?a=1",
        "",
    ] {
        assert!(!accepts("spa", registered, other), "{other}");
    }
}

/// Registered by mistake, they still lead nowhere.
#[test]
fn what_browsers_read_differently_is_refused_even_when_registered() {
    for trick in [
        "https://a.example@b.example/cb",
        "https://user:pass@a.example/cb",
        "https://a.example\\@b.example/cb",
        "https://a.example/\\b.example",
        "https:\\\\a.example/cb",
        "https:/a.example/cb",
        "https:///a.example/cb",
        "https://a.exam\tple/cb",
        " https://a.example/cb",
        "https://a.example/cb\n",
        "https://a.example/cb#fragment",
        "https://a.example/cb#",
        "https://b\u{fc}cher.example/cb",
        "https://a.example%2eb.example/cb",
        "https://a.example/x/%2e%2e/cb",
        "https://a.example/x/%2E./cb",
        "https://a.example/./cb",
        "https://a.example/..",
        "https://a.example/%5c",
        "https://a.example/%00",
        "https://a.example/%",
        "https://a.example/%zz",
        "https://a..example/cb",
        "https://.a.example/cb",
        "https://a.example./cb",
        "https://a.example:/cb",
        "https://a.example:0/cb",
        "https://a.example:65536/cb",
        "https://a.example:8a/cb",
        "https://2130706433/cb",
        "https://0x7f.1/cb",
        "https://127.1/cb",
        "https://[::1/cb",
        "https://[::g]/cb",
        "https://{organization_name}.example.com/cb",
        "https://*.example.com/cb",
        "HTTPS://a.example/cb",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript://a.example/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://a.example/x",
        "//a.example/cb",
        "/cb",
        "a.example/cb",
        "app:",
    ] {
        assert!(!accepts("native", trick, trick), "{trick}");
    }
}

#[test]
fn one_star_stands_for_one_part_of_one_subdomain() {
    let accepted = [
        ("https://*.example.com/cb", "https://a.example.com/cb"),
        ("https://*.example.com/cb", "https://a-1.example.com/cb"),
        (
            "https://pr-*-app.example.com/cb",
            "https://pr-7-app.example.com/cb",
        ),
        ("http://*.example.com:3000", "http://a.example.com:3000"),
    ];
    for (registered, presented) in accepted {
        assert!(
            accepts("spa", registered, presented),
            "{registered} {presented}"
        );
    }
    let refused = [
        ("https://*.example.com/cb", "https://a.b.example.com/cb"),
        ("https://*.example.com/cb", "https://example.com/cb"),
        ("https://*.example.com/cb", "https://.example.com/cb"),
        ("https://*.example.com/cb", "https://a.example.com/other"),
        ("https://*.example.com/cb", "https://a.example.com/cb?x"),
        ("https://*.example.com/cb", "http://a.example.com/cb"),
        ("https://*.example.com/cb", "https://a.example.com:8443/cb"),
        (
            "https://*.example.com/cb",
            "https://evil.example/.example.com/cb",
        ),
        (
            "https://*.example.com/cb",
            "https://evil.example?.example.com/cb",
        ),
        (
            "https://*.example.com/cb",
            "https://a.example.com.evil.example/cb",
        ),
        ("https://*.com/cb", "https://a.com/cb"),
        ("https://*/cb", "https://a.example.com/cb"),
        ("https://*.*.example.com/cb", "https://a.b.example.com/cb"),
        (
            "https://sub.*.example.com/cb",
            "https://sub.a.example.com/cb",
        ),
        ("https://a.example.com/*", "https://a.example.com/x"),
        (
            "https://a.example.com*/cb",
            "https://a.example.com.evil.example/cb",
        ),
        ("https://a.example.com:*/cb", "https://a.example.com:1/cb"),
        ("app://*.example.com/cb", "app://a.example.com/cb"),
    ];
    for (registered, presented) in refused {
        assert!(
            !accepts("native", registered, presented),
            "{registered} {presented}"
        );
    }
}

#[test]
fn a_native_client_takes_any_port_of_the_loopback_address() {
    let registered = "http://127.0.0.1/cb";
    for port in [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1024/cb",
        "http://127.0.0.1:65535/cb",
    ] {
        assert!(accepts("native", registered, port), "{port}");
    }
    assert!(accepts("native", "http://[::1]:1/cb", "http://[::1]:2/cb"));
    assert!(!accepts("spa", registered, "http://127.0.0.1:1024/cb"));
    for other in [
        "http://localhost:1024/cb",
        "http://127.0.0.2:1024/cb",
        "https://127.0.0.1:1024/cb",
        "http://127.0.0.1:1024/other",
        "http://127.0.0.1:1024/cb?x",
        "http://127.0.0.1:1024@evil.example/cb",
        "http://127.0.0.1.evil.example:1024/cb",
    ] {
        assert!(!accepts("native", registered, other), "{other}");
    }
    assert!(!accepts(
        "native",
        "http://localhost/cb",
        "http://localhost:1024/cb"
    ));
}

#[test]
fn schemes_of_applications_are_for_native_clients() {
    for uri in [
        "com.example.App://id.example.com/ios/com.example.App/callback",
        "app:/cb",
    ] {
        assert!(accepts("native", uri, uri), "{uri}");
        assert!(!accepts("spa", uri, uri), "{uri}");
    }
    assert!(!accepts("native", "app://cb", "app://other"));
}

#[test]
fn messages_go_to_registered_origins_only() {
    let client = client(json!({
        "callbacks": ["https://app.example.com/cb", "https://b.example/cb", "app://cb"],
        "web_origins": ["https://app.example.com/", "https://*.example.org", "http://localhost:3000"],
    }));
    assert!(may_message(&client, "https://app.example.com/cb"));
    assert!(may_message(&client, "https://a.example.org/cb"));
    assert!(may_message(&client, "http://localhost:3000/"));
    for other in [
        "https://b.example/cb",
        "https://a.b.example.org/cb",
        "http://localhost/",
        "app://cb",
    ] {
        assert!(!may_message(&client, other), "{other}");
    }
    let changes = [
        ("redirect_uri", "https://b.example/cb"),
        ("response_mode", "web_message"),
    ];
    insta::assert_snapshot!(refused(&client, &changes), @"page 400 invalid_request: The specified redirect_uri does not have a registered origin.");
}

#[test]
fn scripts_may_call_from_origins_and_callbacks() {
    let client = client(json!({
        "callbacks": ["https://app.example.com/cb"], "web_origins": ["https://w.example"],
        "allowed_origins": ["https://*.example.org"],
    }));
    for origin in [
        "https://app.example.com",
        "https://w.example",
        "https://a.example.org",
    ] {
        assert!(may_call(&client, origin), "{origin}");
    }
    for other in [
        "https://evil.example",
        "null",
        "https://app.example.com/",
        "http://w.example",
        "*",
    ] {
        assert!(!may_call(&client, other), "{other}");
    }
    assert_eq!(
        origin_of("https://A.example:443/x").as_deref(),
        Some("https://a.example")
    );
}
