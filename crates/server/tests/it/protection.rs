//! Attack protection: blocked accounts and who lifts the block, throttled addresses.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use server::state::AppState;
use tower::ServiceExt as _;

use crate::app::{Answer, App, on_both};
use crate::legacy_store::{LegacyStore, REALM};
use crate::talk::Talk;

const BRUTE_FORCE: &str = "/api/v2/attack-protection/brute-force-protection";
const THROTTLING: &str = "/api/v2/attack-protection/suspicious-ip-throttling";
const BLOCKS: &str = "/api/v2/user-blocks";

/// A plain connection that serves a public client, and two users.
async fn prepare(app: &App) {
    let client = json!({
        "name": "shop", "app_type": "spa", "grant_types": ["password", REALM],
        "token_endpoint_auth_method": "none",
    });
    let client = app.quietly("POST", "/api/v2/clients", client).await.body;
    let client_id = client["client_id"].as_str().unwrap();
    let connection = app.connection("plain", json!({})).await;
    let enable = json!([{"client_id": client_id, "status": true}]);
    let path = format!("/api/v2/connections/{connection}/clients");
    assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
    app.log_in_with(client_id);
    for id in ["ann", "bob"] {
        let user = json!({
            "connection": "plain", "email": format!("{id}@example.com"), "user_id": id,
            "password": "right", "email_verified": true, "verify_email": false,
        });
        assert_eq!(app.quietly("POST", "/api/v2/users", user).await.status, 201);
    }
}

/// A request from an address.
async fn from(app: &App, ip: &str, path: &str, body: Value) -> Answer {
    let mut request = Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let address: SocketAddr = format!("{ip}:1").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(address));
    app.receive(request).await
}

async fn login_in(app: &App, realm: &str, ip: &str, name: &str, password: &str) -> String {
    let body = json!({
        "grant_type": REALM, "realm": realm, "client_id": app.client(), "username": name,
        "password": password,
    });
    let answer = from(app, ip, "/oauth/token", body).await;
    let error = &answer.body["error"];
    format!("{} {}", answer.status, error.as_str().unwrap_or("in"))
}

async fn login(app: &App, ip: &str, name: &str, password: &str) -> String {
    login_in(app, "plain", ip, name, password).await
}

async fn fail(app: &App, ip: &str, name: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(login(app, ip, name, "wrong").await, "403 invalid_grant");
    }
}

/// How often each code of an event is in the log.
async fn count(app: &App, code: &str) -> usize {
    let token = app.token_for(None).await;
    let events = app.ask_as(&token, "GET", "/api/v2/logs?per_page=100", Value::Null);
    let events = events.await.body;
    let events = events.as_array().unwrap().iter();
    events.filter(|event| event["type"] == code).count()
}

async fn set(app: &App, path: &str, body: Value) {
    let answer = app.quietly("PATCH", path, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn ticket(link: &str) -> &str {
    link.split_once("ticket=").unwrap().1
}

fn says(answer: &Answer, status: u16, words: &str) {
    let page = answer.body.as_str().unwrap();
    assert!(
        answer.status == status && page.contains(words),
        "{} {page}",
        answer.status
    );
}

#[tokio::test]
async fn a_blocked_account_is_told_and_freed_by_its_link() {
    const IP: &str = "192.0.2.1";
    on_both(async |app: &App| {
        prepare(app).await;
        for name in ["ann@example.com", "nobody@example.com"] {
            fail(app, IP, name, 9).await;
            assert_eq!(app.engine.tell_blocked().await.unwrap(), 0);
            fail(app, IP, name, 1).await;
            assert_eq!(login(app, IP, name, "right").await, "429 too_many_attempts");
            assert_eq!(app.engine.tell_blocked().await.unwrap(), 1);
            // Once a block.
            assert_eq!(login(app, IP, name, "right").await, "429 too_many_attempts");
            assert_eq!(app.engine.tell_blocked().await.unwrap(), 0);
        }
        assert_eq!(count(app, "limit_wc").await, 4);
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        assert!(link.starts_with("/u/unblock?ticket="), "{link}");
        let dump = app.engine.store.dump().await.unwrap();
        assert!(!dump.contains(ticket(&link)));
        // Nobody else was told.
        let (now, later) = (app.engine.now(), app.engine.now());
        let rest = app.engine.store.claim_mail(now, later, 9).await.unwrap();
        assert!(rest.is_empty());
        // Looking changes nothing: mail scanners follow links.
        let page = app.quietly("GET", &link, Value::Null).await;
        says(&page, 200, "Lift the block?");
        assert_eq!(
            login(app, IP, "ann@example.com", "right").await,
            "429 too_many_attempts"
        );
        let form = [("ticket", ticket(&link))];
        says(
            &app.post_form("/u/unblock", &[("ticket", "x")]).await,
            400,
            "not valid",
        );
        says(
            &app.post_form("/u/unblock", &form).await,
            200,
            "Block lifted",
        );
        assert_eq!(login(app, IP, "ann@example.com", "right").await, "200 in");
        assert_eq!(
            login(app, IP, "nobody@example.com", "x").await,
            "429 too_many_attempts"
        );
        says(&app.post_form("/u/unblock", &form).await, 400, "only once");
        says(
            &app.quietly("GET", &link, Value::Null).await,
            400,
            "only once",
        );
        assert_eq!(count(app, "ublkdu").await, 1);
        // The next block is told again.
        fail(app, IP, "ANN@example.com", 10).await;
        assert_eq!(app.engine.tell_blocked().await.unwrap(), 1);
        let (_, link) = app.mailed_link().await;
        app.later(432_001);
        says(
            &app.post_form("/u/unblock", &[("ticket", ticket(&link))])
                .await,
            400,
            "expired",
        );
    })
    .await;
}

#[tokio::test]
async fn a_new_password_by_mail_lifts_the_block_too() {
    const IP: &str = "192.0.2.1";
    on_both(async |app: &App| {
        prepare(app).await;
        fail(app, IP, "ann@example.com", 10).await;
        assert_eq!(
            login(app, IP, "ann@example.com", "right").await,
            "429 too_many_attempts"
        );
        let body = json!({
            "client_id": app.client(), "connection": "plain", "email": "ann@example.com",
        });
        from(app, IP, "/dbconnections/change_password", body).await;
        let (_, link) = app.mailed_link().await;
        let form = [
            ("ticket", ticket(&link)),
            ("newPassword", "new"),
            ("confirmNewPassword", "new"),
        ];
        assert_eq!(app.post_form("/u/reset-verify", &form).await.status, 200);
        assert_eq!(login(app, IP, "ann@example.com", "new").await, "200 in");
    })
    .await;
}

#[tokio::test]
async fn blocks_are_counted_listed_and_lifted_as_it_is_set() {
    let said = on_both(async |app: &App| {
        let (one, other) = ("192.0.2.1", "2001:db8::1");
        prepare(app).await;
        let talk = Talk { app };
        set(app, BRUTE_FORCE, json!({"max_attempts": 3})).await;
        fail(app, one, "ann@example.com", 3).await;
        let ann = "ann@example.com";
        assert_eq!(login(app, one, ann, "right").await, "429 too_many_attempts");
        // Per account and address.
        assert_eq!(login(app, "[2001:db8::1]", ann, "right").await, "200 in");
        assert_eq!(login(app, one, "bob@example.com", "right").await, "200 in");
        let by_name = format!("{BLOCKS}?identifier=ANN%40example.com");
        let by_id = format!("{BLOCKS}/auth0%7Cann");
        talk.tell("GET", &by_name, Value::Null).await;
        talk.tell("GET", &by_id, Value::Null).await;
        talk.tell("GET", &format!("{BLOCKS}/auth0%7Cbob"), Value::Null)
            .await;
        talk.tell("GET", &format!("{BLOCKS}/auth0%7Ccyd"), Value::Null)
            .await;
        talk.tell("GET", BLOCKS, Value::Null).await;
        talk.tell_with("read:logs", "GET", &by_name, Value::Null)
            .await;
        talk.tell_with("read:users", "DELETE", &by_id, Value::Null)
            .await;
        talk.tell("DELETE", &by_id, Value::Null).await;
        talk.tell("GET", &by_name, Value::Null).await;
        assert_eq!(login(app, one, ann, "right").await, "200 in");
        // Wherever it is tried from.
        set(app, BRUTE_FORCE, json!({"mode": "count_per_identifier"})).await;
        fail(app, one, ann, 2).await;
        fail(app, "[2001:db8::1]", ann, 1).await;
        assert_eq!(
            login(app, "198.51.100.7", ann, "right").await,
            "429 too_many_attempts"
        );
        talk.tell("GET", &by_name, Value::Null).await;
        talk.tell("DELETE", &by_name, Value::Null).await;
        // Only told, not blocked; then spared by address; then off.
        set(app, BRUTE_FORCE, json!({"shields": ["user_notification"]})).await;
        fail(app, one, ann, 4).await;
        assert_eq!(app.engine.tell_blocked().await.unwrap(), 1);
        assert_eq!(login(app, one, ann, "right").await, "200 in");
        let spared = json!({"shields": ["block"], "allowlist": ["192.0.2.0/24", other]});
        set(app, BRUTE_FORCE, spared).await;
        fail(app, one, ann, 4).await;
        fail(app, "[2001:db8::1]", ann, 4).await;
        set(app, BRUTE_FORCE, json!({"enabled": false})).await;
        fail(app, "198.51.100.7", ann, 4).await;
        assert_eq!(count(app, "ublkdu").await, 2);
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /api/v2/user-blocks?identifier=ANN%40example.com
      200 {"blocked_for":[{"identifier":"ANN@example.com","connection":"plain","ip":"192.0.2.1"}]}
    GET /api/v2/user-blocks/auth0%7Cann
      200 {"blocked_for":[{"identifier":"ann@example.com","connection":"plain","ip":"192.0.2.1"}]}
    GET /api/v2/user-blocks/auth0%7Cbob
      200 {"blocked_for":[]}
    GET /api/v2/user-blocks/auth0%7Ccyd
      404 {"statusCode":404,"error":"Not Found","message":"User not found.","errorCode":"inexistent_user"}
    GET /api/v2/user-blocks
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Missing required property: identifier'.","errorCode":"invalid_body"}
    GET /api/v2/user-blocks?identifier=ANN%40example.com
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:users","errorCode":"insufficient_scope"}
    DELETE /api/v2/user-blocks/auth0%7Cann
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:users","errorCode":"insufficient_scope"}
    DELETE /api/v2/user-blocks/auth0%7Cann
      204
    GET /api/v2/user-blocks?identifier=ANN%40example.com
      200 {"blocked_for":[]}
    GET /api/v2/user-blocks?identifier=ANN%40example.com
      200 {"blocked_for":[{"identifier":"ANN@example.com","connection":"plain"}]}
    DELETE /api/v2/user-blocks?identifier=ANN%40example.com
      204
    "#);
}

#[tokio::test]
async fn the_settings_speak_the_wire() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        for name in [
            "brute-force-protection",
            "suspicious-ip-throttling",
            "breached-password-detection",
            "bot-detection",
            "captcha",
            "phone-provider-protection",
        ] {
            let path = format!("/api/v2/attack-protection/{name}");
            talk.tell("GET", &path, Value::Null).await;
        }
        let change = json!({"stage": {"pre-login": {"max_attempts": 7}}, "shields": ["block"]});
        talk.tell("PATCH", THROTTLING, change).await;
        talk.tell("GET", THROTTLING, Value::Null).await;
        talk.tell("PATCH", BRUTE_FORCE, json!({"allowlist": ["127.0.0.1"]}))
            .await;
        let bodies = [
            json!({"max_attempts": 0}),
            json!({"mode": "count"}),
            json!({"shields": ["admin_notification"]}),
            json!({"enabled": "yes"}),
            json!({"unknown": 1}),
            json!({"allowlist": ["10.0.0.0/33"]}),
            json!({"allowlist": ["everybody"]}),
        ];
        talk.refusals("PATCH", BRUTE_FORCE, &bodies).await;
        let path = "/api/v2/attack-protection/captcha";
        talk.refusals("PATCH", path, &[json!({"selected": "auth0"})])
            .await;
        talk.tell_with("read:attack_protection", "PATCH", BRUTE_FORCE, json!({}))
            .await;
        talk.tell_with("update:attack_protection", "GET", BRUTE_FORCE, Value::Null)
            .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /api/v2/attack-protection/brute-force-protection
      200 {"enabled":true,"shields":["block","user_notification"],"allowlist":[],"mode":"count_per_identifier_and_ip","max_attempts":10}
    GET /api/v2/attack-protection/suspicious-ip-throttling
      200 {"enabled":true,"shields":["admin_notification","block"],"allowlist":[],"stage":{"pre-login":{"max_attempts":100,"rate":864000},"pre-user-registration":{"max_attempts":50,"rate":1200},"pre-custom-token-exchange":{"max_attempts":10,"rate":600000}}}
    GET /api/v2/attack-protection/breached-password-detection
      200 {"enabled":false,"shields":[],"admin_notification_frequency":[],"method":"standard","stage":{"pre-user-registration":{"shields":[]},"pre-change-password":{"shields":[]}}}
    GET /api/v2/attack-protection/bot-detection
      200 {"bot_detection_level":"low","allowlist":[]}
    GET /api/v2/attack-protection/captcha
      200 {"active_provider_id":""}
    GET /api/v2/attack-protection/phone-provider-protection
      404 {"statusCode":404,"error":"Not Found","message":"Not Found"}
    PATCH /api/v2/attack-protection/suspicious-ip-throttling
      200 {"enabled":true,"shields":["block"],"allowlist":[],"stage":{"pre-login":{"max_attempts":7,"rate":864000},"pre-user-registration":{"max_attempts":50,"rate":1200},"pre-custom-token-exchange":{"max_attempts":10,"rate":600000}}}
    GET /api/v2/attack-protection/suspicious-ip-throttling
      200 {"enabled":true,"shields":["block"],"allowlist":[],"stage":{"pre-login":{"max_attempts":7,"rate":864000},"pre-user-registration":{"max_attempts":50,"rate":1200},"pre-custom-token-exchange":{"max_attempts":10,"rate":600000}}}
    PATCH /api/v2/attack-protection/brute-force-protection
      200 {"enabled":true,"shields":["block","user_notification"],"allowlist":["127.0.0.1"],"mode":"count_per_identifier_and_ip","max_attempts":10}
    400 Payload validation error: 'Value 0 is less than minimum 1' on property max_attempts.
    400 Payload validation error: 'No enum match for: count' on property mode.
    400 Payload validation error: 'No enum match for: admin_notification' on property shields[0].
    400 Payload validation error: 'Expected type boolean but found type string' on property enabled.
    400 Payload validation error: 'Additional properties not allowed: unknown' on property unknown.
    400 Payload validation error: 'String does not match pattern address or network: 10.0.0.0/33' on property allowlist[0].
    400 Payload validation error: 'String does not match pattern address or network: everybody' on property allowlist[0].
    400 Payload validation error: 'Additional properties not allowed: selected' on property selected.
    PATCH /api/v2/attack-protection/brute-force-protection
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:attack_protection","errorCode":"insufficient_scope"}
    GET /api/v2/attack-protection/brute-force-protection
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:attack_protection","errorCode":"insufficient_scope"}
    "#);
}

#[tokio::test]
async fn an_address_from_which_too_much_fails_is_throttled() {
    const IP: &str = "192.0.2.1";
    on_both(async |app: &App| {
        prepare(app).await;
        let limits = json!({"stage": {
            "pre-login": {"max_attempts": 3, "rate": 600_000},
            "pre-user-registration": {"max_attempts": 2, "rate": 60_000},
        }});
        set(app, THROTTLING, limits).await;
        for number in 0..3 {
            fail(app, IP, &format!("guess{number}@example.com"), 1).await;
        }
        let before = app.engine.hashing.verifications();
        assert_eq!(
            login(app, IP, "ann@example.com", "right").await,
            "429 too_many_requests"
        );
        // It costs what a wrong password costs.
        assert_eq!(app.engine.hashing.verifications() - before, 1);
        assert_eq!(count(app, "limit_mu").await, 1);
        assert_eq!(
            login(app, "192.0.2.2", "ann@example.com", "right").await,
            "200 in"
        );
        // One more failure in ten minutes.
        app.later(601);
        fail(app, IP, "guess@example.com", 1).await;
        assert_eq!(
            login(app, IP, "ann@example.com", "right").await,
            "429 too_many_requests"
        );
        set(app, THROTTLING, json!({"allowlist": [IP]})).await;
        assert_eq!(login(app, IP, "ann@example.com", "right").await, "200 in");
        set(app, THROTTLING, json!({"allowlist": []})).await;
        let sign_up = async |ip: &str, name: &str| {
            let body = json!({
                "client_id": app.client(), "connection": "plain", "password": "right",
                "email": format!("{name}@example.com"),
            });
            let answer = from(app, ip, "/dbconnections/signup", body).await;
            format!("{} {}", answer.status, answer.body["code"])
        };
        assert_eq!(sign_up(IP, "one").await, "200 null");
        assert_eq!(sign_up(IP, "one").await, "400 \"user_exists\"");
        assert_eq!(sign_up(IP, "two").await, "429 \"too_many_requests\"");
        assert_eq!(sign_up("192.0.2.2", "two").await, "200 null");
        assert_eq!(count(app, "limit_mu").await, 3);
        app.later(121);
        assert_eq!(sign_up(IP, "three").await, "200 null");
    })
    .await;
}

#[tokio::test]
async fn a_network_of_ipv6_counts_as_one_address() {
    on_both(async |app: &App| {
        prepare(app).await;
        set(app, BRUTE_FORCE, json!({"max_attempts": 3})).await;
        let ann = "ann@example.com";
        fail(app, "[2001:db8::1]", ann, 2).await;
        fail(app, "[2001:db8::2]", ann, 1).await;
        assert_eq!(
            login(app, "[2001:db8::ffff:0:0:3]", ann, "right").await,
            "429 too_many_attempts"
        );
        assert_eq!(
            login(app, "[2001:db8:0:1::1]", ann, "right").await,
            "200 in"
        );
        let path = format!("{BLOCKS}?identifier=ann%40example.com");
        let blocks = app.quietly("GET", &path, Value::Null).await.body;
        assert_eq!(blocks["blocked_for"][0]["ip"], "2001:db8::/64");
        // The log keeps the address itself.
        let events = app.quietly("GET", "/api/v2/logs?per_page=100", Value::Null);
        let events = events.await.body;
        let mut events = events.as_array().unwrap().iter();
        let blocked = events.find(|event| event["type"] == "limit_wc").unwrap();
        assert_eq!(blocked["ip"], "2001:db8::ffff:0:0:3");
        // Sign-ups and logins of whatever names are counted so too.
        let limits = json!({"stage": {
            "pre-login": {"max_attempts": 3, "rate": 600_000},
            "pre-user-registration": {"max_attempts": 1, "rate": 60_000},
        }});
        set(app, THROTTLING, limits).await;
        for number in 1..=3 {
            let (ip, name) = (
                format!("[2001:db8:0:2::{number}]"),
                format!("guess{number}@example.com"),
            );
            fail(app, &ip, &name, 1).await;
        }
        assert_eq!(
            login(app, "[2001:db8:0:2::4]", "bob@example.com", "right").await,
            "429 too_many_requests"
        );
        let sign_up = async |ip: &str, name: &str| {
            let body = json!({
                "client_id": app.client(), "connection": "plain", "password": "right",
                "email": format!("{name}@example.com"),
            });
            from(app, ip, "/dbconnections/signup", body).await.status
        };
        assert_eq!(sign_up("[2001:db8::6]", "one").await, 200);
        assert_eq!(sign_up("[2001:db8::7]", "two").await, 429);
        assert_eq!(sign_up("[2001:db8:0:1::1]", "two").await, 200);
    })
    .await;
}

#[tokio::test]
async fn behind_a_proxy_its_last_word_names_the_caller() {
    let app = App::on_sqlite().await;
    prepare(&app).await;
    let behind = server::routes::app(AppState {
        engine: Arc::clone(&app.engine),
        draining: tokio_util::sync::CancellationToken::new(),
        trusts_proxy: true,
        serves_metrics: false,
        isolation: None,
    });
    let alone = server::routes::app(AppState {
        engine: Arc::clone(&app.engine),
        draining: tokio_util::sync::CancellationToken::new(),
        trusts_proxy: false,
        serves_metrics: false,
        isolation: None,
    });
    for (router, lines, expected) in [
        (&behind, &["203.0.113.9"] as &[_], "203.0.113.9"),
        (&behind, &["198.51.100.7, 203.0.113.9:80"], "203.0.113.9"),
        // Whoever sends a line of their own gains nothing.
        (&behind, &["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        (&behind, &["[2001:db8::1]:80"], "2001:db8::1"),
        (&behind, &["203.0.113.9", "a name"], "192.0.2.1"),
        (&behind, &[], "192.0.2.1"),
        (&alone, &["203.0.113.9"], "192.0.2.1"),
    ] {
        app.later(1);
        let body = json!({
            "grant_type": REALM, "realm": "plain", "client_id": app.client(),
            "username": "ann@example.com", "password": "wrong",
        });
        let mut request = Request::post("/oauth/token").header("content-type", "application/json");
        for line in lines {
            request = request.header("x-forwarded-for", *line);
        }
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        let peer: SocketAddr = "[::ffff:192.0.2.1]:1".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 403);
        let events = app.quietly("GET", "/api/v2/logs?per_page=100", Value::Null);
        let events = events.await.body;
        let mut events = events.as_array().unwrap().iter();
        let failed = events.find(|event| event["type"] == "fp").unwrap();
        assert_eq!(failed["ip"], expected, "{lines:?}");
    }
}

#[tokio::test]
async fn a_blocked_account_never_reaches_the_legacy_store() {
    const IP: &str = "192.0.2.1";
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        legacy.put("7", "ann@example.com", "right");
        let login = async |password| login_in(app, "legacy", IP, "ann@example.com", password).await;
        assert_eq!(login("right").await, "200 in");
        // An outage is nobody's failure.
        let outage = json!({"error": {"name": "Error", "message": "ECONNREFUSED"}});
        legacy.answers("login", outage);
        for _ in 0..12 {
            assert_eq!(login("right").await, "503 temporarily_unavailable");
        }
        legacy.answers("login", Value::Null);
        for _ in 0..10 {
            assert_eq!(login("wrong").await, "403 invalid_grant");
        }
        legacy.calls();
        for password in ["right", "wrong"] {
            assert_eq!(login(password).await, "429 too_many_attempts");
        }
        // Whoever has a copy here is told; the store is not asked for that either.
        assert_eq!(app.engine.tell_blocked().await.unwrap(), 1);
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        let form = [("ticket", ticket(&link))];
        says(
            &app.post_form("/u/unblock", &form).await,
            200,
            "Block lifted",
        );
        assert_eq!(legacy.calls(), "");
        assert_eq!(login("right").await, "200 in");
    })
    .await;
}

#[tokio::test]
async fn guesses_at_one_moment_are_no_more_than_guesses_in_a_row() {
    const IP: &str = "192.0.2.1";
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        let import = legacy.attach(app, "import", true).await;
        let enable = json!([{"client_id": app.client(), "status": true}]);
        let path = format!("/api/v2/connections/{import}/clients");
        assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
        legacy.put("7", "ann@example.com", "right");
        let login = async |password| login_in(app, "legacy", IP, "ann@example.com", password).await;
        // It begins before ten others have failed and is answered after them: right or wrong, it is
        // told the same.
        for late in ["right", "wrong"] {
            let pause = legacy.pause("login");
            let others = async {
                pause.arrival().await;
                for _ in 0..10 {
                    assert_eq!(login("wrong").await, "403 invalid_grant");
                }
                pause.release();
            };
            let (late, ()) = join(login(late), others).await;
            assert_eq!(late, "429 too_many_attempts");
            app.later(31 * 60);
        }
        assert_eq!(count(app, "limit_wc").await, 2);
        assert_eq!(login("right").await, "200 in");
        // In import mode they take turns, and whoever had to wait is looked at once more.
        legacy.calls();
        let pause = legacy.pause("login");
        let open = async {
            pause.arrival().await;
            pause.release();
        };
        let guesses = (0..14).map(|_| login_in(app, "import", IP, "bob@example.com", "wrong"));
        let (told, ()) = join(join_all(guesses), open).await;
        let answered = told.iter().filter(|told| *told == "403 invalid_grant");
        assert_eq!(answered.count(), 10, "{told:?}");
        assert_eq!(legacy.calls().matches("login").count(), 10);
    })
    .await;
}

#[tokio::test]
async fn sign_ups_at_one_moment_are_no_more_than_allowed() {
    on_both(async |app: &App| {
        prepare(app).await;
        let limits = json!({"stage": {
            "pre-user-registration": {"max_attempts": 2, "rate": 60_000},
        }});
        set(app, THROTTLING, limits).await;
        let sign_ups = (0..8).map(|number| {
            let body = json!({
                "client_id": app.client(), "connection": "plain", "password": "right",
                "email": format!("newcomer{number}@example.com"),
            });
            from(app, "192.0.2.1", "/dbconnections/signup", body)
        });
        let answers = join_all(sign_ups).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 429, 429, 429, 429, 429, 429]);
    })
    .await;
}

#[tokio::test]
async fn however_a_name_is_spelled_it_is_one_account() {
    const IP: &str = "192.0.2.1";
    on_both(async |app: &App| {
        prepare(app).await;
        for name in [
            " ann@example.com",
            "ann@example.com ",
            "  ANN@example.com  ",
            "\u{a0}ann@example.com",
            "ann@example.com\u{2003}",
        ] {
            fail(app, IP, name, 2).await;
        }
        for name in ["ann@example.com", "ann@example.com   "] {
            assert_eq!(login(app, IP, name, "right").await, "429 too_many_attempts");
        }
        for name in [
            "no body",
            "no  body",
            "NO\u{2003}body",
            "no body ",
            "no   body",
        ] {
            fail(app, IP, name, 2).await;
        }
        let told = login(app, IP, "no\u{a0} body", "right").await;
        assert_eq!(told, "429 too_many_attempts");
        // Whoever is let in is let in with a blank, too.
        assert_eq!(login(app, IP, " bob@example.com ", "right").await, "200 in");
        let forgot = json!({
            "client_id": app.client(), "connection": "plain", "username": " bob@example.com ",
        });
        let answer = from(app, IP, "/dbconnections/change_password", forgot).await;
        assert_eq!(answer.status, 200);
        assert_eq!(app.mailed_link().await.0, "bob@example.com");
    })
    .await;
}
