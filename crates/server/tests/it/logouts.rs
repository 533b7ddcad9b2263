//! Logging out, and who is told of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use oidc::jwt::{Algorithm, ForeignKey, foreign};
use serde_json::{Value, json};

use crate::app::{App, on_both};
use crate::browser::{
    Browser, CALLBACK, CHALLENGE, authorize, codes, hidden, location, stage_as, told,
};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const BYE: &str = "https://shop.example/bye";

async fn stage(app: &App) {
    stage_as(app, json!({"allowed_logout_urls": [BYE]})).await;
}

async fn is_in(browser: &Browser<'_>) -> bool {
    let answer = browser.get(&authorize(browser.app, "&prompt=none")).await;
    told(&answer).contains_key("code")
}

/// Signs in; gives the ID token.
async fn sign_in(browser: &Browser<'_>) -> String {
    let code = told(&browser.sign_in("&prompt=login").await)["code"].clone();
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", browser.app.client()),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    assert!(CHALLENGE.starts_with("E9Me"));
    let answer = browser.app.post_form("/oauth/token", &pairs).await;
    answer.body["id_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_shows_the_persons_id_token_is_not_asked() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        let token = sign_in(&browser).await;
        let hint = format!("id_token_hint={token}");
        let bye = format!("post_logout_redirect_uri={BYE}");
        let forged = format!("id_token_hint={}", token.replace('.', "x."));
        for wrong in [
            format!("{hint}&post_logout_redirect_uri=https://evil.example"),
            format!("{hint}&{bye}%3Fx=1"),
            format!("{hint}&{bye}&client_id=other"),
            format!("{hint}&{hint}"),
            forged,
            bye.clone(),
        ] {
            let answer = browser.get(&format!("/oidc/logout?{wrong}")).await;
            assert_eq!(answer.status, 400, "{wrong}");
            assert!(is_in(&browser).await, "{wrong}");
        }
        // Out of date is good enough.
        app.later(11 * 3600);
        let answer = browser
            .get(&format!("/oidc/logout?{hint}&{bye}&state=a%20b"))
            .await;
        assert_eq!(
            (answer.status, location(&answer)),
            (302, format!("{BYE}?state=a%20b"))
        );
        assert!(!is_in(&browser).await);
        // Nobody is there: nobody is asked.
        let answer = browser.get(&format!("/oidc/logout?{hint}&{bye}")).await;
        assert_eq!(location(&answer), BYE);
        // By POST, and by the session's id.
        sign_in(&browser).await;
        let session = app.engine.store.dump().await.unwrap();
        let session = session.split_once("sessions: \"").unwrap().1;
        let session = session.split('"').next().unwrap();
        let body = format!("logout_hint={session}&client_id={}", app.client());
        let answer = browser
            .send("POST", "/oidc/logout", Body::from(body), &[])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!is_in(&browser).await);
        let said = codes(app).await.join(" ");
        assert!(
            said.ends_with("slo fsa s ferry_session seacft slo fsa"),
            "{said}"
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_else_signs_people_out_unasked() {
    on_both(async |app: &App| {
        stage(app).await;
        let bob = json!({
            "connection": "people", "email": "bob@example.com", "password": "his password",
        });
        assert_eq!(app.quietly("POST", "/api/v2/users", bob).await.status, 201);
        let ann = Browser::new(app);
        let hers = sign_in(&ann).await;
        let bob = Browser::new(app);
        let path = bob.begin("").await;
        let his = [
            ("username", "bob@example.com"),
            ("password", "his password"),
        ];
        let answer = bob.fill(&path, &his).await;
        assert!(told(&bob.get(&location(&answer)).await).contains_key("code"));
        let query =
            format!("id_token_hint={hers}&post_logout_redirect_uri={BYE}&state=%20x&ui_locales=de");
        let page = bob.get(&format!("/oidc/logout?{query}")).await;
        assert_eq!(page.status, 200);
        let html = page.body.as_str().unwrap();
        assert!(html.contains("lang=\"de\"") && html.contains("action=\"/u/logout\""));
        assert!(is_in(&bob).await);
        let fields: Vec<(&str, String)> = [
            "csrf",
            "client_id",
            "post_logout_redirect_uri",
            "state",
            "ui_locales",
        ]
        .map(|name| (name, hidden(&page, name)))
        .into();
        let send = async |action: &str, from: &str| {
            let pairs = fields.iter().map(|(name, value)| (*name, value.as_str()));
            let pairs: Vec<_> = pairs.chain([("action", action)]).collect();
            bob.post_from("/u/logout", &pairs, &[("sec-fetch-site", from)])
                .await
        };
        assert_eq!(send("accept", "cross-site").await.status, 403);
        let answer = send("cancel", "same-origin").await;
        assert_eq!(answer.status, 200);
        assert!(is_in(&bob).await);
        let answer = send("accept", "same-origin").await;
        assert_eq!(location(&answer), format!("{BYE}?state=%20x"));
        assert!(!is_in(&bob).await);
        assert!(is_in(&ann).await);
    })
    .await;
}

#[tokio::test]
async fn a_logout_of_no_client_goes_where_the_tenant_says() {
    on_both(async |app: &App| {
        stage(app).await;
        let mut write = app.engine.store.write();
        let urls = r#"{"allowed_logout_urls": ["https://home.example/"]}"#;
        write.set_setting("tenant_settings", urls);
        app.engine.store.commit(write).await.unwrap();
        let browser = Browser::new(app);
        for (path, target) in [
            ("/v2/logout", "https://home.example/"),
            (
                "/v2/logout?returnTo=https://home.example/%3Fx=1",
                "https://home.example/?x=1",
            ),
            (
                "/oidc/logout?post_logout_redirect_uri=https://home.example/",
                "https://home.example/",
            ),
        ] {
            assert_eq!(location(&browser.get(path).await), target, "{path}");
        }
        for path in [
            "/v2/logout?returnTo=https://shop.example/bye",
            "/v2/logout?client_id=nobody",
            "/oidc/logout?post_logout_redirect_uri=https://home.example/%3Fx=1",
        ] {
            assert_eq!(browser.get(path).await.status, 400, "{path}");
        }
    })
    .await;
}

/// A client's server: what it was sent, and what it answers next; 200 when nothing is said.
#[derive(Clone, Default)]
struct Receiver {
    sent: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    heard: Arc<tokio::sync::Notify>,
}

impl Receiver {
    /// Listens; gives the address.
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let take = async |State(receiver): State<Self>, body: String| {
            receiver.sent.lock().unwrap().push(body);
            receiver.heard.notify_one();
            let next = receiver.answers.lock().unwrap().pop_front();
            next.unwrap_or(StatusCode::OK)
        };
        let app = Router::new()
            .route("/bye", post(take))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        format!("http://{address}/bye")
    }

    fn took(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

/// What a logout token says, proven by the published keys.
async fn read(app: &App, body: &str) -> Value {
    let token = body.strip_prefix("logout_token=").unwrap();
    let keys = app
        .quietly("GET", "/.well-known/jwks.json", Value::Null)
        .await
        .body;
    let keys = ForeignKey::from_jwks(&keys).unwrap();
    let signed = foreign::verify(token, &keys, &[Algorithm::Rs256]).unwrap();
    assert_eq!(signed.header["typ"], "logout+jwt");
    Value::Object(signed.claims)
}

#[tokio::test]
async fn clients_are_told_that_a_session_ended() {
    on_both(async |app: &App| {
        let receiver = Receiver::default();
        let url = receiver.listen().await;
        let all = json!({
            "backchannel_logout_urls": [url], "backchannel_logout_initiators": {"mode": "all"},
        });
        stage_as(app, json!({"oidc_logout": all})).await;
        let send = async || app.engine.send_logout_notices().await.unwrap();
        let users = app.quietly("GET", "/api/v2/users", Value::Null).await.body;
        let user = users[0]["user_id"].as_str().unwrap().to_owned();
        let path = format!("/api/v2/users/{}", user.replace('|', "%7C"));
        let browser = Browser::new(app);
        let session = async || {
            let listed = app
                .quietly("GET", &format!("{path}/sessions"), Value::Null)
                .await
                .body;
            listed["sessions"][0]["id"].as_str().unwrap().to_owned()
        };
        // The person signs out.
        browser.sign_in("").await;
        let id = session().await;
        assert_eq!(send().await, 0);
        assert_eq!(browser.get("/v2/logout").await.status, 200);
        assert_eq!(send().await, 1);
        let took = receiver.took();
        let claims = read(app, &took[0]).await;
        let now = app.engine.now().seconds();
        assert_eq!(claims["iss"], "https://ferry.example/");
        assert_eq!(claims["aud"], app.client());
        assert_eq!(claims["sub"], user);
        assert_eq!(claims["sid"], id);
        assert_eq!(
            (&claims["iat"], &claims["exp"]),
            (&json!(now), &json!(now + 120))
        );
        let event = "http://schemas.openid.net/event/backchannel-logout";
        assert_eq!(claims["events"], json!({event: {}}));
        assert!(claims["jti"].is_string() && claims.get("nonce").is_none());
        assert_eq!(send().await, 0, "once");
        // Whatever else ends it. The last deletes the user.
        let one = async || {
            browser.sign_in("&prompt=login").await;
            format!("/api/v2/sessions/{}", session().await)
        };
        let deleted = one().await;
        app.quietly("DELETE", &deleted, Value::Null).await;
        assert_eq!((send().await, receiver.took().len()), (1, 1));
        one().await;
        let sessions = format!("{path}/sessions");
        app.quietly("DELETE", &sessions, Value::Null).await;
        assert_eq!((send().await, receiver.took().len()), (1, 1));
        // A proof of that very moment counts no longer, either.
        app.later(1);
        one().await;
        let blocked = json!({"blocked": true});
        assert_eq!(app.quietly("PATCH", &path, blocked).await.status, 200);
        assert!(!is_in(&browser).await);
        assert_eq!((send().await, receiver.took().len()), (1, 1));
        let free = json!({"blocked": false});
        assert_eq!(app.quietly("PATCH", &path, free).await.status, 200);
        assert!(!is_in(&browser).await, "the old session is gone");
        one().await;
        assert_eq!(app.quietly("DELETE", &path, Value::Null).await.status, 204);
        assert_eq!(send().await, 1);
        let claims = read(app, &receiver.took()[0]).await;
        assert_eq!(claims["sub"], user);
        let told = codes(app).await;
        let told = told.iter().filter(|code| code.starts_with("oidc_"));
        assert_eq!(told.count(), 5);
        assert_eq!(app.engine.store.orphans().await.unwrap(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_told_later_or_given_up() {
    on_both(async |app: &App| {
        let receiver = Receiver::default();
        let url = receiver.listen().await;
        let member = json!({"backchannel_logout_urls": [url]});
        stage_as(app, json!({"oidc_logout": member})).await;
        let send = async || app.engine.send_logout_notices().await.unwrap();
        let browser = Browser::new(app);
        // By itself it is told of logouts only.
        browser.sign_in("").await;
        let dump = app.engine.store.dump().await.unwrap();
        let id = dump.split_once("\nsessions: \"").unwrap().1;
        let one = format!("/api/v2/sessions/{}", id.split('"').next().unwrap());
        assert_eq!(app.quietly("DELETE", &one, Value::Null).await.status, 202);
        assert_eq!(send().await, 0);
        let fail = |count: usize| {
            let failure = StatusCode::SERVICE_UNAVAILABLE;
            receiver
                .answers
                .lock()
                .unwrap()
                .extend(vec![failure; count]);
        };
        fail(1);
        browser.sign_in("").await;
        browser.get("/v2/logout").await;
        assert_eq!((send().await, send().await), (1, 0));
        app.later(6);
        assert_eq!(send().await, 1);
        let took = receiver.took();
        let (first, second) = (read(app, &took[0]).await, read(app, &took[1]).await);
        // The same notice, and a token of its own.
        assert_eq!(first["jti"], second["jti"]);
        assert_ne!(first["iat"], second["iat"]);
        fail(8);
        browser.sign_in("").await;
        browser.get("/v2/logout").await;
        for _ in 0..8 {
            assert_eq!(send().await, 1);
            app.later(4000);
        }
        assert_eq!(send().await, 0);
        assert_eq!(receiver.took().len(), 8);
        let dump = app.engine.store.dump().await.unwrap();
        assert!(dump.contains("the client answered 503"), "a dead letter");
        let said = codes(app).await.join(" ");
        assert!(said.ends_with("oidc_backchannel_logout_failed"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_logout_wakes_the_sender() {
    let app = App::on_sqlite().await;
    let receiver = Receiver::default();
    let url = receiver.listen().await;
    let member = json!({"backchannel_logout_urls": [url]});
    stage_as(&app, json!({"oidc_logout": member})).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let running = Arc::clone(&app.engine).run_logout_notices(stop.clone());
    let running = tokio::spawn(running);
    let browser = Browser::new(&app);
    browser.sign_in("").await;
    browser.get("/v2/logout").await;
    let patience = std::time::Duration::from_secs(30);
    let heard = tokio::time::timeout(patience, receiver.heard.notified());
    heard.await.unwrap();
    read(&app, &receiver.took()[0]).await;
    stop.cancel();
    running.await.unwrap();
}

/// Signs in at another client, in a browser of its own, and out again.
async fn visit(app: &App, client: &str) {
    let browser = Browser::new(app);
    let path = authorize(app, "").replace(app.client(), client);
    let login = location(&browser.get(&path).await);
    let filled = browser.fill(&login, &crate::browser::ANN).await;
    assert!(told(&browser.get(&location(&filled)).await).contains_key("code"));
    assert_eq!(browser.get("/v2/logout").await.status, 200);
}

#[tokio::test]
async fn a_client_that_says_nothing_keeps_nobody_else_waiting() {
    let app = App::on_sqlite().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/bye", silent.local_addr().unwrap());
    stage_as(
        &app,
        json!({"oidc_logout": {"backchannel_logout_urls": [url]}}),
    )
    .await;
    let receiver = Receiver::default();
    let club = json!({
        "name": "club", "app_type": "spa", "token_endpoint_auth_method": "none",
        "callbacks": [CALLBACK], "grant_types": ["authorization_code"],
        "oidc_logout": {"backchannel_logout_urls": [receiver.listen().await]},
    });
    let club = app.quietly("POST", "/api/v2/clients", club).await.body;
    let club = club["client_id"].as_str().unwrap();
    let path = "/api/v2/connections/con_0000000000000001/clients";
    let served = json!([{"client_id": club, "status": true}]);
    assert_eq!(app.quietly("PATCH", path, served).await.status, 204);
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&app.engine).run_logout_notices(stop));
    visit(&app, app.client()).await;
    let patience = std::time::Duration::from_secs(30);
    let held = tokio::time::timeout(patience, silent.accept());
    let held = held.await.unwrap().unwrap();
    // Less than the silent one has.
    visit(&app, club).await;
    let patience = std::time::Duration::from_secs(10);
    let heard = tokio::time::timeout(patience, receiver.heard.notified());
    heard.await.unwrap();
    assert_eq!(read(&app, &receiver.took()[0]).await["aud"], club);
    running.abort();
    drop(held);
}

#[tokio::test]
async fn addresses_for_logout_tokens_are_looked_at() {
    let app = App::on_sqlite().await;
    for url in ["http://shop.example/bye", "https://u@shop.example/", "bye"] {
        let client = json!({
            "name": "shop", "oidc_logout": {"backchannel_logout_urls": [url]},
        });
        let answer = app.quietly("POST", "/api/v2/clients", client).await;
        assert_eq!(answer.status, 400, "{url}");
    }
}

#[tokio::test]
async fn the_tenant_says_how_long_sessions_live() {
    let said = on_both(async |app: &App| {
        stage(app).await;
        let path = "/api/v2/tenants/settings";
        app.tell("GET", path, Value::Null).await;
        app.tell("PATCH", path, json!({"session_lifetime": 0}))
            .await;
        app.tell("PATCH", path, json!({"sandbox_version": "22"}))
            .await;
        let limits = json!({
            "friendly_name": "Acme", "session_lifetime": 3, "idle_session_lifetime": 1,
            "session_cookie": {"mode": "non-persistent"},
        });
        app.tell("PATCH", path, limits).await;
        let browser = Browser::new(app);
        let cookie = async || {
            let answer = browser.sign_in("&prompt=login").await;
            let line = answer.headers["set-cookie"].to_str().unwrap();
            line.split_once("; ").unwrap().1.to_owned()
        };
        app.say(&cookie().await);
        // Of use within the hour, and over after three.
        for (seconds, expected) in [(3000, true), (3000, true), (3000, true), (3000, false)] {
            app.later(seconds);
            assert_eq!(is_in(&browser).await, expected);
        }
        browser.sign_in("").await;
        app.later(3601);
        assert!(!is_in(&browser).await);
        let kept = json!({"session_cookie": {"mode": "persistent"}, "idle_session_lifetime": null});
        assert_eq!(app.quietly("PATCH", path, kept).await.status, 200);
        app.say(&cookie().await);
        app.tell(
            "GET",
            &format!("{path}?fields=idle_session_lifetime"),
            Value::Null,
        )
        .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /api/v2/tenants/settings
      200 {"session_lifetime":168,"idle_session_lifetime":72,"session_cookie":{"mode":"persistent"}}
    PATCH /api/v2/tenants/settings
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Value 0 is less than minimum 1' on property session_lifetime.","errorCode":"invalid_body"}
    PATCH /api/v2/tenants/settings
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Additional properties not allowed: sandbox_version' on property sandbox_version.","errorCode":"invalid_body"}
    PATCH /api/v2/tenants/settings
      200 {"session_lifetime":3,"idle_session_lifetime":1,"session_cookie":{"mode":"non-persistent"},"friendly_name":"Acme"}
    Path=/; HttpOnly; Secure; SameSite=None
    Path=/; HttpOnly; Secure; SameSite=None; Max-Age=10800
    GET /api/v2/tenants/settings?fields=idle_session_lifetime
      200 {"idle_session_lifetime":72}
    "#);
}

#[tokio::test]
async fn a_client_that_is_gone_leaves_nothing() {
    on_both(async |app: &App| {
        let member = json!({
            "is_first_party": false,
            "oidc_logout": {"backchannel_logout_urls": ["https://shop.example/bye"]},
        });
        stage_as(app, member).await;
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        let consent = location(&browser.fill(&path, &crate::browser::ANN).await);
        let answer = browser.fill(&consent, &[("action", "accept")]).await;
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
        let count = async |table: &str| {
            let dump = app.engine.store.dump().await.unwrap();
            let start = format!("{table}: ");
            dump.lines().filter(|line| line.starts_with(&start)).count()
        };
        let tables = ["consents", "session_clients", "logout_receivers"];
        for table in tables {
            assert_eq!(count(table).await, 1, "{table}");
        }
        let client = format!("/api/v2/clients/{}", app.client());
        assert_eq!(
            app.quietly("DELETE", &client, Value::Null).await.status,
            204
        );
        for table in tables {
            assert_eq!(count(table).await, 0, "{table}");
        }
        assert_eq!(count("sessions").await, 1, "the person's own");
    })
    .await;
}

#[tokio::test]
async fn another_sites_form_that_must_ask_ends_no_login_under_way() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        let hint = sign_in(&browser).await;
        let login = browser.begin("&prompt=login").await;
        let cookies = browser.cookies.lock().unwrap().clone();
        // The session's cookie comes along, the other one does not.
        let bare = Browser::new(app);
        let name = "__Host-ferry-session";
        let session = cookies[name].clone();
        bare.cookies
            .lock()
            .unwrap()
            .insert(name.to_owned(), session);
        let body = format!(
            "client_id={}&post_logout_redirect_uri={BYE}&state=x",
            app.client()
        );
        let cross = [("sec-fetch-site", "cross-site")];
        let post = async |body: String| {
            bare.send("POST", "/oidc/logout", Body::from(body), &cross)
                .await
        };
        let posted = post(body.clone()).await;
        assert_eq!(posted.status, 303, "{}", posted.body);
        assert!(posted.headers.get("set-cookie").is_none());
        let page = browser.get(&location(&posted)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(hidden(&page, "state"), "x");
        assert_eq!(*browser.cookies.lock().unwrap(), cookies);
        assert_eq!(browser.get(&login).await.status, 200);
        // Who shows the person's own token is not asked, and goes no way round with it.
        let done = post(format!("{body}&id_token_hint={hint}")).await;
        assert_eq!(done.status, 302, "{}", done.body);
        assert_eq!(location(&done), format!("{BYE}?state=x"));
    })
    .await;
}
