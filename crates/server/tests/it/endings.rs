//! What becomes of tokens when that goes on which they hang: the person, the client, what the person
//! allowed.

use serde_json::{Value, json};

use crate::app::{App, on_both};
use crate::audiences::redeem;
use crate::browser::{ANN, Browser, authorize, location, stage_as, told};
use crate::tokens::{API, application, ask, log_in, prepare};

async fn is_active(app: &App, client: &Value, token: &Value) -> bool {
    let answer = ask(app, "/oauth/introspect", client, json!({"token": token})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["active"].as_bool().unwrap()
}

#[tokio::test]
async fn introspection_believes_no_token_of_whoever_is_blocked_or_gone() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        // Of the first login nothing is stored.
        let bare = log_in(app, &client, "openid read:it").await;
        let kept = log_in(app, &client, "openid offline_access").await;
        let tokens = [
            &bare["access_token"],
            &kept["access_token"],
            &kept["refresh_token"],
        ];
        let expect = async |expected: bool| {
            for token in tokens {
                assert_eq!(is_active(app, &client, token).await, expected, "{token}");
            }
        };
        let path = "/api/v2/users/auth0%7Cann";
        let block = async |is_blocked: bool| {
            let change = json!({"blocked": is_blocked});
            let changed = app.quietly("PATCH", path, change).await;
            assert_eq!(changed.status, 200, "{}", changed.body);
        };
        expect(true).await;
        block(true).await;
        expect(false).await;
        block(false).await;
        expect(true).await;
        assert_eq!(app.quietly("DELETE", path, Value::Null).await.status, 204);
        expect(false).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_takes_its_tokens_with_it() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let other = application(app, "client_secret_post", json!({})).await;
        let machine = json!({"name": "machine", "app_type": "non_interactive"});
        let machine = app.quietly("POST", "/api/v2/clients", machine).await.body;
        let grant = json!({
            "client_id": machine["client_id"], "audience": API, "scope": ["read:it"],
        });
        let grant = app.quietly("POST", "/api/v2/client-grants", grant).await;
        assert_eq!(grant.status, 201, "{}", grant.body);
        let own = json!({"grant_type": "client_credentials", "audience": API});
        let own = ask(app, "/oauth/token", &machine, own).await.body;
        let tokens = log_in(app, &client, "openid offline_access").await;
        let families = async || {
            let path = "/api/v2/users/auth0%7Cann/refresh-tokens";
            let listed = app.quietly("GET", path, Value::Null).await.body;
            listed["tokens"].as_array().unwrap().len()
        };
        assert_eq!(families().await, 1);
        let access = [&own["access_token"], &tokens["access_token"]];
        for token in access {
            assert!(is_active(app, &other, token).await, "{token}");
        }
        for gone in [&client, &machine] {
            let path = format!("/api/v2/clients/{}", gone["client_id"].as_str().unwrap());
            assert_eq!(app.quietly("DELETE", &path, Value::Null).await.status, 204);
        }
        for token in access {
            assert!(!is_active(app, &other, token).await, "{token}");
        }
        assert_eq!(families().await, 0);
    })
    .await;
}

/// The tokens of a login at a client that asks for consent.
async fn consented(app: &App) -> Value {
    let path = authorize(app, "&prompt=login");
    let path = path.replace("openid%20email", "openid%20offline_access");
    let browser = Browser::new(app);
    let login = location(&browser.get(&path).await);
    let consent = location(&browser.fill(&login, &ANN).await);
    let accepted = browser.fill(&consent, &[("action", "accept")]).await;
    let code = told(&browser.get(&location(&accepted)).await)["code"].clone();
    let tokens = redeem(app, &code).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    tokens.body
}

#[tokio::test]
async fn a_grant_that_is_deleted_takes_its_tokens_with_it() {
    on_both(async |app: &App| {
        stage_as(app, json!({"is_first_party": false})).await;
        for is_by_user in [false, true] {
            let tokens = consented(app).await;
            let access = tokens["access_token"].as_str().unwrap();
            let info = async || {
                let answer = app.ask_as(access, "GET", "/userinfo", Value::Null).await;
                answer.status
            };
            assert_eq!(info().await, 200);
            let grants = app.quietly("GET", "/api/v2/grants", Value::Null).await.body;
            let user = grants[0]["user_id"].as_str().unwrap().replace('|', "%7C");
            let path = if is_by_user {
                format!("/api/v2/grants?user_id={user}")
            } else {
                format!("/api/v2/grants/{}", grants[0]["id"].as_str().unwrap())
            };
            assert_eq!(app.quietly("DELETE", &path, Value::Null).await.status, 204);
            assert_eq!(info().await, 401);
            let pairs = [
                ("grant_type", "refresh_token"),
                ("client_id", app.client()),
                ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ];
            let refreshed = app.post_form("/oauth/token", &pairs).await;
            assert_eq!(refreshed.status, 403, "{}", refreshed.body);
        }
    })
    .await;
}
