//! Which API a token is for, and what it may do there.

use engine::Settings;
use serde_json::{Value, json};

use crate::app::{Answer, App, on_both, on_both_with};
use crate::browser::{ANN, Browser, CALLBACK, authorize, location, stage, stage_as, told};
use crate::tokens::{API, REALM, VERIFIER, ask, claims, prepare, refresh};

const USERINFO: &str = "https://ferry.example/userinfo";

fn with_default(settings: &mut Settings) {
    settings.default_audience = Some(API.into());
}

/// The tokens for a code of a login in a browser.
pub async fn redeem(app: &App, code: &str) -> Answer {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", app.client()),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    app.post_form("/oauth/token", &pairs).await
}

#[tokio::test]
async fn userinfo_is_no_api_although_there_is_a_default_one() {
    on_both_with(with_default, async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        for (named, expected) in [
            (Value::Null, json!([API, USERINFO])),
            (json!(API), json!([API, USERINFO])),
            (json!(USERINFO), json!(USERINFO)),
        ] {
            let body = json!({
                "grant_type": REALM, "realm": "plain", "username": "ann@example.com",
                "password": "right", "scope": "openid offline_access", "audience": named,
            });
            let first = ask(app, "/oauth/token", &client, body).await;
            assert_eq!(first.status, 200, "{}", first.body);
            let next = refresh(app, &client, &first.body["refresh_token"]).await;
            assert_eq!(next.status, 200, "{}", next.body);
            for answer in [first, next] {
                assert_eq!(claims(&answer.body["access_token"])["aud"], expected);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_code_for_userinfo_brings_no_token_of_the_default_api() {
    on_both_with(with_default, async |app: &App| {
        stage(app).await;
        let api = json!({"name": "api", "identifier": API});
        let api = app.quietly("POST", "/api/v2/resource-servers", api).await;
        assert_eq!(api.status, 201, "{}", api.body);
        let named = format!("&prompt=login&audience={USERINFO}");
        for (more, expected) in [
            ("&prompt=login", json!([API, USERINFO])),
            (named.as_str(), json!(USERINFO)),
        ] {
            let browser = Browser::new(app);
            let code = told(&browser.sign_in(more).await)["code"].clone();
            let tokens = redeem(app, &code).await;
            assert_eq!(tokens.status, 200, "{}", tokens.body);
            assert_eq!(claims(&tokens.body["access_token"])["aud"], expected);
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_is_granted_nothing_is_told_so() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let log_in = async |scope: Value| {
            let body = json!({
                "grant_type": REALM, "realm": "plain", "username": "ann@example.com",
                "password": "right", "scope": scope, "audience": API,
            });
            let answer = ask(app, "/oauth/token", &client, body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.body
        };
        assert_eq!(log_in(json!("nobody:knows it")).await["scope"], "");
        assert_eq!(log_in(Value::Null).await.get("scope"), None);
        let machine = json!({
            "name": "machine", "app_type": "non_interactive",
            "grant_types": ["client_credentials"],
        });
        let machine = app.quietly("POST", "/api/v2/clients", machine).await.body;
        let grant = json!({
            "client_id": machine["client_id"], "audience": API, "scope": ["read:it"],
        });
        let grant = app.quietly("POST", "/api/v2/client-grants", grant).await;
        assert_eq!(grant.status, 201, "{}", grant.body);
        for (asked, told) in [
            (json!("write:it"), json!("")),
            (json!("write:it read:it"), json!("read:it")),
            (Value::Null, json!("read:it")),
        ] {
            let body = json!({
                "grant_type": "client_credentials", "audience": API, "scope": asked,
            });
            let answer = ask(app, "/oauth/token", &machine, body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.body["scope"], told);
        }
    })
    .await;
}

#[tokio::test]
async fn a_code_that_stands_for_no_scope_says_so() {
    on_both(async |app: &App| {
        stage(app).await;
        for (scope, expected) in [
            ("scope=nobody%3Aknows%20it", json!("")),
            ("scope=", Value::Null),
        ] {
            let path = authorize(app, "&prompt=login").replace("scope=openid%20email", scope);
            let browser = Browser::new(app);
            let login = location(&browser.get(&path).await);
            let filled = browser.fill(&login, &ANN).await;
            let code = told(&browser.get(&location(&filled)).await)["code"].clone();
            let tokens = redeem(app, &code).await;
            assert_eq!(tokens.status, 200, "{}", tokens.body);
            assert_eq!(tokens.body["scope"], expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_that_travels_through_a_browser_lives_as_its_api_shows() {
    on_both(async |app: &App| {
        stage_as(
            app,
            json!({"grant_types": ["authorization_code", "implicit"]}),
        )
        .await;
        let browser = Browser::new(app);
        browser.sign_in("").await;
        let apis: [(Value, i64); 3] = [
            (json!({"identifier": "https://one.example/"}), 7200),
            (
                json!({"identifier": "https://two.example/", "token_lifetime": 600}),
                600,
            ),
            (
                json!({
                    "identifier": "https://three.example/", "token_lifetime": 600,
                    "token_lifetime_for_web": 30,
                }),
                30,
            ),
        ];
        for (api, expected) in apis {
            let more = format!("&audience={}", api["identifier"].as_str().unwrap());
            let api = app.quietly("POST", "/api/v2/resource-servers", api).await;
            assert_eq!(api.status, 201, "{}", api.body);
            assert_eq!(api.body["token_lifetime_for_web"], expected);
            let path = authorize(app, &more).replace("=code&", "=token&");
            let answer = told(&browser.get(&path).await);
            assert_eq!(answer["expires_in"], expected.to_string());
            let claims = claims(&json!(answer["access_token"]));
            let (begin, end) = (claims["iat"].as_i64(), claims["exp"].as_i64());
            assert_eq!(end.unwrap() - begin.unwrap(), expected);
        }
    })
    .await;
}
