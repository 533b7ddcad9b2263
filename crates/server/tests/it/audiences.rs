//! Which API a token is for, and what it may do there.

use engine::Settings;
use serde_json::{Value, json};

use crate::app::{App, on_both_with};
use crate::browser::{Browser, CALLBACK, stage, told};
use crate::tokens::{API, REALM, VERIFIER, ask, claims, prepare, refresh};

const USERINFO: &str = "https://ferry.example/userinfo";

fn with_default(settings: &mut Settings) {
    settings.default_audience = Some(API.into());
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
            let pairs = [
                ("grant_type", "authorization_code"),
                ("client_id", app.client()),
                ("code", code.as_str()),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
            ];
            let tokens = app.post_form("/oauth/token", &pairs).await;
            assert_eq!(tokens.status, 200, "{}", tokens.body);
            assert_eq!(claims(&tokens.body["access_token"])["aud"], expected);
        }
    })
    .await;
}
