//! What becomes of codes and refresh tokens: redeemed, rotated, replayed, raced, revoked.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Authentication, AuthenticationMethod, Authorization, AuthorizationId};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::StoredCode;

use crate::app::{Answer, App, on_both};

pub const REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub const API: &str = "https://api.example/";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application, its secret for those that have one, and whatever it says of refresh tokens.
pub async fn application(app: &App, auth: &str, refresh_token: Value) -> Value {
    let client = json!({
        "name": "shop", "app_type": "regular_web", "token_endpoint_auth_method": auth,
        "grant_types": ["authorization_code", "refresh_token", "password", REALM, DEVICE],
        "refresh_token": refresh_token,
    });
    let created = app.quietly("POST", "/api/v2/clients", client).await;
    assert_eq!(created.status, 201, "{}", created.body);
    created.body
}

/// An application, a connection that serves it, a user of that, and an API.
pub async fn prepare(app: &App, auth: &str, refresh_token: Value) -> Value {
    let client = application(app, auth, refresh_token).await;
    let connection = app.connection("plain", json!({})).await;
    let enable = json!([{"client_id": client["client_id"], "status": true}]);
    let path = format!("/api/v2/connections/{connection}/clients");
    assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
    let ann = json!({
        "connection": "plain", "email": "ann@example.com", "user_id": "ann", "password": "right",
        "email_verified": true,
    });
    assert_eq!(app.quietly("POST", "/api/v2/users", ann).await.status, 201);
    let api = json!({
        "name": "api", "identifier": API, "allow_offline_access": true, "token_lifetime": 3600,
        "scopes": [{"value": "read:it"}, {"value": "write:it"}],
    });
    let api = app.quietly("POST", "/api/v2/resource-servers", api).await;
    assert_eq!(api.status, 201, "{}", api.body);
    client
}

/// A request to the token endpoint with the application's proof.
pub async fn ask(app: &App, path: &str, client: &Value, mut body: Value) -> Answer {
    body["client_id"] = client["client_id"].clone();
    if client["token_endpoint_auth_method"] != "none" {
        body["client_secret"] = client["client_secret"].clone();
    }
    app.ask_as("", "POST", path, body).await
}

/// The tokens of a password login.
pub async fn log_in(app: &App, client: &Value, scope: &str) -> Value {
    let body = json!({
        "grant_type": REALM, "realm": "plain", "username": "ann@example.com", "password": "right",
        "scope": scope, "audience": API,
    });
    let answer = ask(app, "/oauth/token", client, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

pub async fn refresh(app: &App, client: &Value, token: &Value) -> Answer {
    let body = json!({"grant_type": "refresh_token", "refresh_token": token});
    ask(app, "/oauth/token", client, body).await
}

/// Status and error of an answer, or the names of what it holds.
fn gist(answer: &Answer) -> String {
    let body = answer.body.as_object().unwrap();
    let Some(error) = body.get("error") else {
        let names: Vec<&str> = body.keys().map(String::as_str).collect();
        return format!("{} {}", answer.status, names.join(" "));
    };
    let description = body["error_description"].as_str().unwrap_or("-");
    format!(
        "{} {}: {description}",
        answer.status,
        error.as_str().unwrap()
    )
}

/// What a JWT says, unverified.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A code as the authorization endpoint leaves one after a login in a browser.
pub async fn code(app: &App, client: &Value, code: &str, binding: Value) {
    let store = &app.engine.store;
    let user = store.find_user(&"auth0|ann".into()).await.unwrap().unwrap();
    let now = app.engine.now();
    let authorization = Authorization {
        id: AuthorizationId::generate(&*app.engine.entropy),
        client_id: client["client_id"].as_str().unwrap().into(),
        authentication: Authentication {
            user: user.row,
            user_id: user.user_id,
            connection: None,
            session: Some("session".into()),
            at: now,
            methods: vec![AuthenticationMethod::Password],
        },
        audience: Some(API.into()),
        scope: "openid email offline_access read:it".into(),
        dpop_key: None,
        created_at: now,
        revoked_at: None,
    };
    let stored = StoredCode {
        code_hash: hex::encode(Sha256::digest(code)),
        authorization: authorization.id.clone(),
        binding: binding.to_string(),
        used_at: None,
        expires_at: now.plus(Duration::from_secs(60)),
    };
    let mut write = store.write();
    write.insert_authorization(&authorization, now.plus(Duration::from_hours(31 * 24)));
    write.insert_code(&stored, now);
    store.commit(write).await.unwrap();
}

pub fn bound() -> Value {
    json!({
        "redirect_uri": "https://shop.example/cb", "nonce": "n1",
        "code_challenge": {"challenge": CHALLENGE, "method": "S256"},
    })
}

fn redemption(code: &str) -> Value {
    json!({
        "grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER,
        "redirect_uri": "https://shop.example/cb",
    })
}

/// Codes of the tenant log, oldest first, from the first exchange on.
async fn log_codes(app: &App) -> String {
    let events = app
        .quietly("GET", "/api/v2/logs?per_page=100", json!(null))
        .await;
    let codes = events.body.as_array().unwrap().iter().rev();
    let codes = codes.filter_map(|event| event["type"].as_str());
    let is_token =
        |code: &&str| code.contains("rt") || code.contains("acft") || code.ends_with("ede");
    codes.filter(is_token).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_code_is_redeemed_once_by_its_own_client_with_its_own_verifier() {
    let said = on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let other = application(app, "none", json!({})).await;
        code(app, &client, "c1", bound()).await;
        let redeem = async |client: &Value, change: Value| {
            let mut body = redemption("c1");
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            app.say(&gist(&ask(app, "/oauth/token", client, body).await));
        };
        redeem(&client, json!({"code": "c2"})).await;
        redeem(&other, json!({})).await;
        redeem(
            &client,
            json!({"code_verifier": VERIFIER.replace('d', "e")}),
        )
        .await;
        redeem(&client, json!({"code_verifier": "short"})).await;
        redeem(&client, json!({"code_verifier": null})).await;
        redeem(&client, json!({"redirect_uri": "https://shop.example/"})).await;
        redeem(&client, json!({"redirect_uri": null})).await;
        redeem(&client, json!({"code": null})).await;
        let tokens = ask(app, "/oauth/token", &client, redemption("c1")).await;
        app.say(&gist(&tokens));
        let id = claims(&tokens.body["id_token"]);
        app.say(&format!(
            "nonce {} sid {} amr {} scope {}",
            id["nonce"], id["sid"], id["amr"], tokens.body["scope"]
        ));
        // A code without challenge takes no verifier: somebody put the code in who did not ask.
        code(
            app,
            &client,
            "c3",
            json!({"redirect_uri": null, "nonce": null}),
        )
        .await;
        redeem(&client, json!({"code": "c3"})).await;
        code(app, &client, "c4", bound()).await;
        app.later(61);
        redeem(&client, json!({"code": "c4"})).await;
        app.say(&log_codes(app).await);
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    403 invalid_grant: Invalid authorization code
    403 invalid_grant: Invalid authorization code
    403 invalid_grant: Failed to verify code verifier
    403 invalid_grant: Failed to verify code verifier
    400 invalid_request: Missing required parameter: code_verifier
    403 invalid_grant: The redirect_uri is not the one of the authorization request.
    403 invalid_grant: The redirect_uri is not the one of the authorization request.
    400 invalid_request: Missing required parameter: code
    200 access_token refresh_token id_token scope expires_in token_type
    nonce "n1" sid "session" amr ["pwd"] scope "openid email offline_access read:it"
    403 invalid_grant: Failed to verify code verifier
    403 invalid_grant: Invalid authorization code
    feacft feacft feacft feacft feacft feacft feacft seacft feacft feacft
    "#);
}

#[tokio::test]
async fn a_replayed_code_takes_all_its_tokens_with_it() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        code(app, &client, "c1", bound()).await;
        let first = ask(app, "/oauth/token", &client, redemption("c1")).await;
        assert_eq!(first.status, 200, "{}", first.body);
        let access = first.body["access_token"].as_str().unwrap();
        let info = app.ask_as(access, "GET", "/userinfo", json!(null)).await;
        assert_eq!(info.body["email"], "ann@example.com");
        let again = ask(app, "/oauth/token", &client, redemption("c1")).await;
        assert_eq!(
            gist(&again),
            "403 invalid_grant: Invalid authorization code"
        );
        let refreshed = refresh(app, &client, &first.body["refresh_token"]).await;
        assert_eq!(
            gist(&refreshed),
            "403 invalid_grant: Unknown or invalid refresh token."
        );
        let info = app.ask_as(access, "GET", "/userinfo", json!(null)).await;
        assert_eq!(info.status, 401);
    })
    .await;
}

#[tokio::test]
async fn of_twenty_redeemers_of_one_code_one_wins_and_keeps_nothing() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        code(app, &client, "c1", bound()).await;
        let racing = (0..20).map(|_| ask(app, "/oauth/token", &client, redemption("c1")));
        let answers = futures_util::future::join_all(racing).await;
        let won: Vec<&Answer> = answers
            .iter()
            .filter(|answer| answer.status == 200)
            .collect();
        assert_eq!(won.len(), 1);
        assert!(
            answers
                .iter()
                .all(|answer| answer.status == 200 || answer.body["error"] == "invalid_grant")
        );
        for winner in won {
            let refreshed = refresh(app, &client, &winner.body["refresh_token"]).await;
            assert_eq!(refreshed.status, 403, "{}", refreshed.body);
        }
    })
    .await;
}

#[tokio::test]
async fn a_rotating_token_is_used_once_and_its_reuse_ends_the_family() {
    let said = on_both(async |app: &App| {
        let rotating = json!({"rotation_type": "rotating", "expiration_type": "expiring"});
        let client = prepare(app, "none", rotating).await;
        let other = application(app, "none", json!({})).await;
        let first = log_in(app, &client, "openid email offline_access read:it").await;
        let one = &first["refresh_token"];
        app.say(&gist(&refresh(app, &other, one).await));
        let second = refresh(app, &client, one).await;
        app.say(&gist(&second));
        let two = &second.body["refresh_token"];
        assert_ne!(one, two);
        app.say(&gist(&refresh(app, &client, one).await));
        app.say(&gist(&refresh(app, &client, two).await));
        app.say(&gist(&refresh(app, &client, &json!("unknown")).await));
        app.say(&log_codes(app).await);
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    403 invalid_grant: Unknown or invalid refresh token.
    200 access_token refresh_token id_token scope expires_in token_type
    403 invalid_grant: Unknown or invalid refresh token.
    403 invalid_grant: Unknown or invalid refresh token.
    403 invalid_grant: Unknown or invalid refresh token.
    fertft sertft ferrt fertft fertft
    "#);
}

#[tokio::test]
async fn of_twenty_racing_rotations_one_wins() {
    on_both(async |app: &App| {
        let client = prepare(
            app,
            "none",
            json!({"rotation_type": "rotating", "expiration_type": "expiring"}),
        )
        .await;
        let first = log_in(app, &client, "offline_access read:it").await;
        let token = &first["refresh_token"];
        let racing = (0..20).map(|_| refresh(app, &client, token));
        let answers = futures_util::future::join_all(racing).await;
        let won = answers.iter().filter(|answer| answer.status == 200);
        assert_eq!(won.count(), 1);
        assert!(
            answers
                .iter()
                .all(|answer| answer.status == 200 || answer.body["error"] == "invalid_grant")
        );
        // With leeway all of them are the same client, whose answers crossed.
        let member = json!({"refresh_token": {
            "rotation_type": "rotating", "expiration_type": "expiring", "leeway": 30,
        }});
        let path = format!("/api/v2/clients/{}", client["client_id"].as_str().unwrap());
        assert_eq!(app.quietly("PATCH", &path, member).await.status, 200);
        let first = log_in(app, &client, "offline_access read:it").await;
        let token = &first["refresh_token"];
        let racing = (0..20).map(|_| refresh(app, &client, token));
        let answers = futures_util::future::join_all(racing).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200; 20]);
        let sibling = refresh(app, &client, &answers[7].body["refresh_token"]).await;
        assert_eq!(sibling.status, 200, "{}", sibling.body);
        app.later(31);
        let late = refresh(app, &client, token).await;
        assert_eq!(late.status, 403);
        let sibling = refresh(app, &client, &answers[8].body["refresh_token"]).await;
        assert_eq!(sibling.status, 403, "the family is revoked");
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_ends_in_its_time_and_with_its_user() {
    on_both(async |app: &App| {
        let member = json!({
            "rotation_type": "non-rotating", "expiration_type": "expiring",
            "token_lifetime": 1000, "idle_token_lifetime": 400,
        });
        let client = prepare(app, "client_secret_post", member).await;
        let token = &log_in(app, &client, "openid offline_access").await["refresh_token"];
        for _ in 0..3 {
            app.later(300);
            let answer = refresh(app, &client, token).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.body.get("refresh_token"), None);
        }
        app.later(100);
        assert_eq!(
            refresh(app, &client, token).await.status,
            403,
            "1000 seconds are over"
        );
        let token = &log_in(app, &client, "openid offline_access").await["refresh_token"];
        app.later(400);
        assert_eq!(refresh(app, &client, token).await.status, 403, "idle");
        let token = &log_in(app, &client, "openid offline_access read:it").await["refresh_token"];
        let body = json!({
            "grant_type": "refresh_token", "refresh_token": token, "scope": "read:it write:it",
        });
        let narrow = ask(app, "/oauth/token", &client, body).await;
        assert_eq!(narrow.body["scope"], "read:it");
        assert_eq!(narrow.body.get("id_token"), None);
        let path = "/api/v2/users/auth0%7Cann";
        app.quietly("PATCH", path, json!({"blocked": true})).await;
        let blocked = refresh(app, &client, token).await;
        assert_eq!(gist(&blocked), "403 unauthorized: user is blocked");
        app.quietly(
            "PATCH",
            path,
            json!({"blocked": false, "email": "new@example.com"}),
        )
        .await;
        let named = refresh(app, &client, token).await;
        assert_eq!(named.status, 200);
        app.quietly("DELETE", path, json!(null)).await;
        assert_eq!(refresh(app, &client, token).await.status, 403);
        assert_eq!(app.engine.store.orphans().await.unwrap(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn refresh_tokens_need_a_client_and_an_api_that_allow_them() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let with = log_in(app, &client, "openid offline_access").await;
        assert!(with["refresh_token"].is_string());
        let api = format!("/api/v2/resource-servers/{}", API.replace('/', "%2F"));
        let change = json!({"allow_offline_access": false});
        assert_eq!(app.quietly("PATCH", &api, change).await.status, 201);
        let without = log_in(app, &client, "openid offline_access").await;
        assert_eq!(without.get("refresh_token"), None);
        assert_eq!(without["scope"], "openid");
        // One that was handed out is no good for that API any more.
        let answer = refresh(app, &client, &with["refresh_token"]).await;
        assert_eq!(answer.body["scope"], "openid");
    })
    .await;
}

/// What the page does at its end: a person allows a device, or refuses it.
async fn answer_device(
    app: &App,
    client: &Value,
    code: &str,
    who: Option<&Authentication>,
) -> bool {
    let now = app.engine.now();
    let authorization = who.map(|who| Authorization {
        id: AuthorizationId::generate(&*app.engine.entropy),
        client_id: client["client_id"].as_str().unwrap().into(),
        authentication: who.clone(),
        audience: Some(API.into()),
        scope: "openid offline_access read:it".into(),
        dpop_key: None,
        created_at: now,
        revoked_at: None,
    });
    let mut write = app.engine.store.write();
    if let Some(authorization) = &authorization {
        write.insert_authorization(authorization, now.plus(Duration::from_hours(31 * 24)));
    }
    let allowed = authorization.as_ref();
    let allowed = allowed.map(|found| (&found.id, found.authentication.user));
    write.answer_device(&code.replace('-', ""), allowed, now);
    app.engine.store.commit(write).await.is_ok()
}

#[tokio::test]
async fn a_device_waits_for_a_person_and_is_told_the_end_once() {
    let said = on_both(async |app: &App| {
        let client = prepare(app, "none", json!({})).await;
        let user = app
            .engine
            .store
            .find_user(&"auth0|ann".into())
            .await
            .unwrap()
            .unwrap();
        let who = Authentication {
            user: user.row,
            user_id: user.user_id,
            connection: None,
            session: None,
            at: app.engine.now(),
            methods: vec![AuthenticationMethod::Password],
        };
        let context = engine::Context::default();
        let start = async || {
            let body = json!({"scope": "openid offline_access read:it", "audience": API});
            let mut answer = ask(app, "/oauth/device/code", &client, body).await.body;
            let code = answer["user_code"].as_str().unwrap().to_owned();
            assert_eq!(code.len(), 9);
            let complete = answer["verification_uri_complete"].as_str().unwrap();
            assert_eq!(
                complete,
                format!("https://ferry.example/activate?user_code={code}")
            );
            (code, answer["device_code"].take(), answer)
        };
        let poll = async |device: &Value| {
            let body = json!({"grant_type": DEVICE, "device_code": device});
            let answer = ask(app, "/oauth/token", &client, body).await;
            app.say(&gist(&answer));
        };
        let (code, device, answer) = start().await;
        app.say(&format!(
            "{} {} {}",
            answer["verification_uri"], answer["expires_in"], answer["interval"]
        ));
        poll(&device).await;
        poll(&device).await;
        app.later(9);
        poll(&device).await;
        let typed = code.to_lowercase().replace('-', " ");
        let waiting = app
            .engine
            .find_device(&context, &typed)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (waiting.user_code.as_str(), waiting.client.name.as_str()),
            (code.as_str(), "shop")
        );
        assert!(answer_device(app, &client, &code, Some(&who)).await);
        assert!(
            !answer_device(app, &client, &code, Some(&who)).await,
            "once"
        );
        poll(&device).await;
        poll(&device).await;
        let (code, device, _) = start().await;
        assert!(answer_device(app, &client, &code, None).await);
        poll(&device).await;
        poll(&device).await;
        let (code, device, _) = start().await;
        app.later(901);
        assert!(
            app.engine
                .find_device(&context, &code)
                .await
                .unwrap()
                .is_none()
        );
        poll(&device).await;
        poll(&device).await;
        app.say(&log_codes(app).await);
        // Whoever guesses is stopped.
        for _ in 0..20 {
            let _ = app.engine.find_device(&context, "BCDF-GHJK").await;
        }
        let stopped = app.engine.find_device(&context, &code).await;
        assert!(matches!(stopped, Err(engine::Error::TooMany(_))));
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    "https://ferry.example/activate" 900 5
    403 authorization_pending: User has yet to authorize device code.
    429 slow_down: You are polling faster than the specified interval.
    429 slow_down: You are polling faster than the specified interval.
    200 access_token refresh_token id_token scope expires_in token_type
    403 invalid_grant: Invalid or expired device code.
    403 access_denied: User cancelled the confirmation prompt.
    403 invalid_grant: Invalid or expired device code.
    403 expired_token: Expired token. Please start a new authorization request.
    403 invalid_grant: Invalid or expired device code.
    sede fede fede
    "#);
}

#[tokio::test]
async fn tokens_are_revoked_and_introspected_by_their_own() {
    let said = on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let other = application(app, "client_secret_post", json!({})).await;
        let public = application(app, "none", json!({})).await;
        let tokens = log_in(app, &client, "openid offline_access read:it").await;
        let revoke = async |client: &Value, token: &Value| {
            let answer = ask(app, "/oauth/revoke", client, json!({"token": token})).await;
            app.say(&format!("{} {}", answer.status, answer.body));
        };
        let introspect = async |client: &Value, token: &Value| {
            let answer = ask(app, "/oauth/introspect", client, json!({"token": token})).await;
            let mut body = answer.body;
            for random in ["jti", "client_id"] {
                if body.get(random).is_some() {
                    body[random] = "[random]".into();
                }
            }
            app.say(&format!("{} {body}", answer.status));
        };
        let (access, id) = (&tokens["access_token"], &tokens["id_token"]);
        let refreshing = &tokens["refresh_token"];
        introspect(&other, access).await;
        introspect(&client, refreshing).await;
        introspect(&other, refreshing).await;
        introspect(&client, id).await;
        introspect(&public, access).await;
        introspect(&client, &json!("nothing")).await;
        revoke(&other, refreshing).await;
        assert_eq!(refresh(app, &client, refreshing).await.status, 200);
        revoke(&client, &json!("nothing")).await;
        revoke(&client, &json!(null)).await;
        revoke(&client, access).await;
        revoke(&client, refreshing).await;
        revoke(&client, refreshing).await;
        introspect(&client, access).await;
        introspect(&client, refreshing).await;
        let info = app
            .ask_as(access.as_str().unwrap(), "GET", "/userinfo", json!(null))
            .await;
        assert_eq!(info.status, 401);
        let challenge = info.headers["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge, r#"Bearer error="invalid_token""#);
        assert_eq!(refresh(app, &client, refreshing).await.status, 403);
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    200 {"active":true,"client_id":"[random]","token_type":"Bearer","scope":"openid offline_access read:it","sub":"auth0|ann","aud":["https://api.example/","https://ferry.example/userinfo"],"iss":"https://ferry.example/","iat":1772359200,"exp":1772362800,"jti":"[random]"}
    200 {"active":true,"client_id":"[random]","scope":"openid offline_access read:it","sub":"auth0|ann","iat":1772359200}
    200 {"active":false}
    200 {"active":false}
    401 {"error":"invalid_client","error_description":"Client authentication failed."}
    200 {"active":false}
    200 "OK"
    200 "OK"
    400 {"error":"invalid_request","error_description":"Missing required parameter: token"}
    400 {"error":"unsupported_token_type","error_description":"Access tokens of this kind can't be revoked one by one."}
    200 "OK"
    200 "OK"
    200 {"active":false}
    200 {"active":false}
    "#);
}

#[tokio::test]
async fn an_api_has_its_tokens_as_it_wants_them() {
    let said = on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let api = format!("/api/v2/resource-servers/{}", API.replace('/', "%2F"));
        for dialect in [
            "access_token_authz",
            "rfc9068_profile",
            "rfc9068_profile_authz",
        ] {
            let change = json!({"token_dialect": dialect});
            assert_eq!(app.quietly("PATCH", &api, change).await.status, 201);
            let tokens = log_in(app, &client, "openid read:it").await;
            let mut claims = claims(&tokens["access_token"]);
            for random in ["jti", "client_id", "azp"] {
                if claims.get(random).is_some() {
                    claims[random] = "[random]".into();
                }
            }
            app.say(&format!("{dialect} {claims}"));
        }
        let change = json!({"token_format": "opaque"});
        assert_eq!(app.quietly("PATCH", &api, change).await.status, 201);
        let tokens = log_in(app, &client, "openid read:it").await;
        let opaque = &tokens["access_token"];
        assert!(!opaque.as_str().unwrap().contains('.'));
        let info = app
            .ask_as(opaque.as_str().unwrap(), "POST", "/userinfo", json!(null))
            .await;
        assert_eq!(info.body, json!({"sub": "auth0|ann"}));
        let body = json!({"token": opaque});
        let said = ask(app, "/oauth/introspect", &client, body.clone())
            .await
            .body;
        assert_eq!(
            (&said["active"], &said["scope"]),
            (&json!(true), &json!("openid read:it"))
        );
        assert_eq!(
            ask(app, "/oauth/revoke", &client, body.clone())
                .await
                .status,
            200
        );
        let said = ask(app, "/oauth/introspect", &client, body).await.body;
        assert_eq!(said, json!({"active": false}));
        let tokens = log_in(app, &client, "openid read:it").await;
        let opaque = tokens["access_token"].as_str().unwrap();
        app.later(3600);
        let info = app.ask_as(opaque, "GET", "/userinfo", json!(null)).await;
        assert_eq!(info.status, 401);
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    access_token_authz {"iss":"https://ferry.example/","sub":"auth0|ann","aud":["https://api.example/","https://ferry.example/userinfo"],"iat":1772359200,"exp":1772362800,"scope":"openid read:it","gty":"password","azp":"[random]","permissions":[]}
    rfc9068_profile {"iss":"https://ferry.example/","sub":"auth0|ann","aud":["https://api.example/","https://ferry.example/userinfo"],"iat":1772359200,"exp":1772362800,"scope":"openid read:it","jti":"[random]","client_id":"[random]","auth_time":1772359200,"amr":["pwd"]}
    rfc9068_profile_authz {"iss":"https://ferry.example/","sub":"auth0|ann","aud":["https://api.example/","https://ferry.example/userinfo"],"iat":1772359200,"exp":1772362800,"scope":"openid read:it","jti":"[random]","client_id":"[random]","auth_time":1772359200,"amr":["pwd"],"permissions":[]}
    "#);
}

#[tokio::test]
async fn a_pushed_request_is_kept_under_seal_and_taken_once() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let id: domain::ClientId = client["client_id"].as_str().unwrap().into();
        let member = json!({"callbacks": ["https://shop.example/cb"]});
        let path = format!("/api/v2/clients/{id}");
        assert_eq!(app.quietly("PATCH", &path, member).await.status, 200);
        let body = json!({"response_type": "code", "login_hint": "needle@example.com"});
        let pushed = ask(app, "/oauth/par", &client, body.clone()).await;
        assert_eq!(
            (pushed.status, &pushed.body["expires_in"]),
            (201, &json!(30))
        );
        let uri = pushed.body["request_uri"].as_str().unwrap();
        assert!(
            uri.starts_with("urn:ietf:params:oauth:request_uri:"),
            "{uri}"
        );
        assert!(!app.engine.store.dump().await.unwrap().contains("needle"));
        let take = async |uri: &str, client: &domain::ClientId| {
            app.engine.take_pushed_request(uri, client).await.unwrap()
        };
        assert_eq!(take(uri, &"other".into()).await, None);
        let taken = take(uri, &id).await.unwrap();
        assert!(taken.contains(&("login_hint".into(), "needle@example.com".into())));
        assert!(taken.contains(&("client_id".into(), id.to_string())));
        assert!(!taken.iter().any(|(name, _)| name == "client_secret"));
        assert_eq!(take(uri, &id).await, None);
        let pushed = ask(app, "/oauth/par", &client, body).await;
        app.later(31);
        assert_eq!(
            take(pushed.body["request_uri"].as_str().unwrap(), &id).await,
            None
        );
        let nested = ask(app, "/oauth/par", &client, json!({"request_uri": "urn:x"})).await;
        assert_eq!(nested.status, 400);
        let wrong = json!({"client_id": id.as_str(), "client_secret": "wrong"});
        assert_eq!(
            app.ask_as("", "POST", "/oauth/par", wrong).await.status,
            401
        );
    })
    .await;
}

#[tokio::test]
async fn an_administrator_sees_and_revokes_refresh_tokens() {
    let said = on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let token = &log_in(app, &client, "openid offline_access").await["refresh_token"];
        let second = &log_in(app, &client, "openid offline_access").await["refresh_token"];
        let path = "/api/v2/users/auth0%7Cann/refresh-tokens";
        let listed = app.quietly("GET", path, json!(null)).await.body;
        assert_eq!(listed["tokens"].as_array().unwrap().len(), 2, "{listed}");
        let mut one = listed["tokens"][0].clone();
        let id = one["id"].as_str().unwrap().to_owned();
        one["id"] = "[random]".into();
        one["client_id"] = "[random]".into();
        app.say(&one.to_string());
        let single = format!("/api/v2/refresh-tokens/{id}");
        assert_eq!(
            app.quietly("GET", &single, json!(null)).await.body,
            listed["tokens"][0]
        );
        let devices = "/api/v2/device-credentials?type=refresh_token&user_id=auth0%7Cann";
        let devices = app.quietly("GET", devices, json!(null)).await.body;
        assert_eq!(devices.as_array().unwrap().len(), 2, "{devices}");
        assert_eq!(
            app.quietly("DELETE", &single, json!(null)).await.status,
            202
        );
        app.tell("DELETE", "/api/v2/refresh-tokens/none", json!(null))
            .await;
        let mut left = 0;
        for token in [token, second] {
            left += usize::from(refresh(app, &client, token).await.status == 200);
        }
        assert_eq!(left, 1);
        assert_eq!(app.quietly("DELETE", path, json!(null)).await.status, 202);
        for token in [token, second] {
            assert_eq!(refresh(app, &client, token).await.status, 403);
        }
        let listed = app.quietly("GET", path, json!(null)).await.body;
        assert_eq!(listed["tokens"], json!([]));
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    {"id":"[random]","user_id":"auth0|ann","created_at":"2026-03-01T10:00:00.000Z","idle_expires_at":null,"expires_at":null,"client_id":"[random]","session_id":null,"rotating":false,"resource_servers":[{"audience":"https://api.example/","scopes":"openid offline_access"}],"last_exchanged_at":"2026-03-01T10:00:00.000Z"}
    DELETE /api/v2/refresh-tokens/none
      404 {"statusCode":404,"error":"Not Found","message":"The refresh token does not exist.","errorCode":"inexistent_refresh_token"}
    "#);
}

#[tokio::test]
async fn a_trusted_backend_names_the_address_of_the_person() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let path = format!("/api/v2/clients/{}", client["client_id"].as_str().unwrap());
        for (trusted, expected) in [(false, Value::Null), (true, json!("203.0.113.9"))] {
            let change = json!({"is_token_endpoint_ip_header_trusted": trusted});
            assert_eq!(app.quietly("PATCH", &path, change).await.status, 200);
            let pairs = [
                ("grant_type", REALM),
                ("realm", "plain"),
                ("username", "ann@example.com"),
                ("password", "right"),
                ("client_id", client["client_id"].as_str().unwrap()),
                ("client_secret", client["client_secret"].as_str().unwrap()),
            ];
            let header = ("auth0-forwarded-for", "203.0.113.9");
            let answer = app.post_form_with("/oauth/token", &pairs, header).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let log = app
                .quietly("GET", "/api/v2/logs?per_page=1", json!(null))
                .await
                .body;
            assert_eq!(log[0]["ip"], expected, "{log}");
        }
    })
    .await;
}
