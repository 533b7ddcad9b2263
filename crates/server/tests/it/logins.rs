//! Logins at a plain connection: what is refused, what it costs, and what is counted.

use serde_json::json;

use crate::app::{App, on_both};

const REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";

/// A plain connection that serves a public client; one user, and one that is barred.
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
    for (id, blocked) in [("ann", false), ("bob", true)] {
        let user = json!({
            "connection": "plain", "email": format!("{id}@example.com"), "user_id": id,
            "password": "right", "blocked": blocked, "email_verified": true,
        });
        assert_eq!(app.quietly("POST", "/api/v2/users", user).await.status, 201);
    }
}

async fn login(app: &App, name: &str, password: &str) -> String {
    let body = json!({
        "grant_type": REALM, "realm": "plain", "client_id": app.client(), "username": name,
        "password": password,
    });
    let answer = app.ask_as("", "POST", "/oauth/token", body).await;
    let error = &answer.body["error"];
    format!("{} {}", answer.status, error.as_str().unwrap_or("in"))
}

#[tokio::test]
async fn every_refusal_costs_one_verification() {
    on_both(async |app: &App| {
        prepare(app).await;
        for (name, password, expected) in [
            ("ann@example.com", "right", "200 in"),
            ("ANN@Example.com", "right", "200 in"),
            ("ann@example.com", "wrong", "403 invalid_grant"),
            ("nobody@example.com", "wrong", "403 invalid_grant"),
            ("nobody", "wrong", "403 invalid_grant"),
            ("bob@example.com", "wrong", "403 invalid_grant"),
            ("bob@example.com", "right", "403 unauthorized"),
        ] {
            let before = app.engine.hashing.verifications();
            assert_eq!(login(app, name, password).await, expected, "{name}");
            assert_eq!(app.engine.hashing.verifications() - before, 1, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn ten_wrong_passwords_block_the_account_for_a_while() {
    on_both(async |app: &App| {
        prepare(app).await;
        for _ in 0..10 {
            assert_eq!(
                login(app, "ann@example.com", "wrong").await,
                "403 invalid_grant"
            );
        }
        // In whatever letter case, and even with the right password.
        assert_eq!(
            login(app, "ANN@example.com", "right").await,
            "429 too_many_attempts"
        );
        assert_eq!(
            login(app, "bob@example.com", "wrong").await,
            "403 invalid_grant"
        );
        app.later(31 * 60);
        assert_eq!(login(app, "ann@example.com", "right").await, "200 in");
        // A login in between starts the count anew.
        for _ in 0..3 {
            for _ in 0..6 {
                assert_eq!(
                    login(app, "ann@example.com", "wrong").await,
                    "403 invalid_grant"
                );
            }
            assert_eq!(login(app, "ann@example.com", "right").await, "200 in");
        }
    })
    .await;
}

#[tokio::test]
async fn keys_rotate_and_old_tokens_stay_good() {
    on_both(async |app: &App| {
        let engine = &app.engine;
        let kids = async || {
            let body = app
                .quietly("GET", "/.well-known/jwks.json", json!(null))
                .await
                .body;
            let keys = body["keys"].as_array().unwrap().clone();
            keys.iter()
                .map(|key| key["kid"].clone())
                .collect::<Vec<_>>()
        };
        let before = kids().await;
        assert_eq!(
            before.len(),
            4,
            "one signs, one is published before use; each under two names"
        );
        let old = app.token_for(None).await;
        let context = engine::Context::default();
        engine.rotate_signing_keys(&context).await.unwrap();
        let after = kids().await;
        assert_eq!(after.len(), 6);
        assert!(before.iter().all(|kid| after.contains(kid)));
        let new = app.token_for(None).await;
        for token in [old, new] {
            assert_eq!(
                app.ask_as(&token, "GET", "/api/v2/users", json!(null))
                    .await
                    .status,
                200
            );
        }
        // Time alone rotates too.
        app.later(91 * 86_400);
        engine.refresh_signing_keys().await.unwrap();
        assert!(kids().await.iter().any(|kid| !after.contains(kid)));
    })
    .await;
}

#[tokio::test]
async fn discovery_and_sign_up_speak_the_wire() {
    let said = on_both(async |app: &App| {
        prepare(app).await;
        app.tell("GET", "/.well-known/openid-configuration", json!(null))
            .await;
        let sign_up = |email: &str, password: &str, connection: &str| {
            json!({
                "client_id": app.client(), "email": email, "password": password,
                "connection": connection, "user_metadata": {"plan": "free"},
            })
        };
        let path = "/dbconnections/signup";
        app.tell_as(
            None,
            "POST",
            path,
            sign_up("cyd@example.com", "right", "plain"),
        )
        .await;
        app.tell_as(
            None,
            "POST",
            path,
            sign_up("CYD@example.com", "right", "plain"),
        )
        .await;
        app.tell_as(None, "POST", path, sign_up("no address", "right", "plain"))
            .await;
        app.tell_as(
            None,
            "POST",
            path,
            sign_up("dan@example.com", "right", "elsewhere"),
        )
        .await;
        let strict = json!({"passwordPolicy": "good"});
        let strict = app.connection("strict", strict).await;
        let enable = json!([{"client_id": app.client(), "status": true}]);
        app.quietly(
            "PATCH",
            &format!("/api/v2/connections/{strict}/clients"),
            enable,
        )
        .await;
        app.tell_as(
            None,
            "POST",
            path,
            sign_up("eve@example.com", "short", "strict"),
        )
        .await;
        let closed = app
            .connection("closed", json!({"disable_signup": true}))
            .await;
        let enable = json!([{"client_id": app.client(), "status": true}]);
        app.quietly(
            "PATCH",
            &format!("/api/v2/connections/{closed}/clients"),
            enable,
        )
        .await;
        app.tell_as(
            None,
            "POST",
            path,
            sign_up("eve@example.com", "right", "closed"),
        )
        .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /.well-known/openid-configuration
      200 {"issuer":"https://ferry.example/","authorization_endpoint":"https://ferry.example/authorize","token_endpoint":"https://ferry.example/oauth/token","device_authorization_endpoint":"https://ferry.example/oauth/device/code","pushed_authorization_request_endpoint":"https://ferry.example/oauth/par","userinfo_endpoint":"https://ferry.example/userinfo","jwks_uri":"https://ferry.example/.well-known/jwks.json","revocation_endpoint":"https://ferry.example/oauth/revoke","introspection_endpoint":"https://ferry.example/oauth/introspect","end_session_endpoint":"https://ferry.example/oidc/logout","scopes_supported":["openid","profile","email","phone","offline_access"],"response_types_supported":["code","token","id_token","code token","code id_token","id_token token","code id_token token"],"response_modes_supported":["query","fragment","form_post","web_message"],"grant_types_supported":["authorization_code","refresh_token","client_credentials","password","http://auth0.com/oauth/grant-type/password-realm","urn:ietf:params:oauth:grant-type:device_code","implicit"],"prompt_values_supported":["none","login","consent","select_account"],"code_challenge_methods_supported":["S256"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256","PS256","ES256"],"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt","none"],"token_endpoint_auth_signing_alg_values_supported":["RS256","RS384","PS256","ES256"],"dpop_signing_alg_values_supported":["ES256","RS256","PS256"],"claims_supported":["acr","amr","aud","auth_time","email","email_verified","exp","family_name","given_name","iat","iss","name","nickname","nonce","phone_number","phone_number_verified","picture","sid","sub","updated_at"],"authorization_response_iss_parameter_supported":true,"require_pushed_authorization_requests":false,"claims_parameter_supported":false,"request_uri_parameter_supported":false,"request_parameter_supported":false}
    POST /dbconnections/signup
      200 {"_id":"[id]","email_verified":false,"email":"cyd@example.com","user_metadata":{"plan":"free"}}
    POST /dbconnections/signup
      400 {"name":"BadRequestError","code":"user_exists","description":"The user already exists.","statusCode":400}
    POST /dbconnections/signup
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Object didn't pass validation for format email: no address' on property email.","errorCode":"invalid_body"}
    POST /dbconnections/signup
      400 {"name":"BadRequestError","code":"invalid_signup","description":"Invalid sign up","statusCode":400}
    POST /dbconnections/signup
      400 {"name":"PasswordStrengthError","message":"Password is too weak","code":"invalid_password","description":{"rules":[{"message":"At least %d characters in length","format":[8],"code":"lengthAtLeast","verified":false}],"verified":false},"policy":"* At least 8 characters in length (good)","statusCode":400}
    POST /dbconnections/signup
      400 {"name":"BadRequestError","code":"public_signup_disabled","description":"Public signup is disabled","statusCode":400}
    "#);
}
