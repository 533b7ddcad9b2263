//! Second factors at the token endpoint and at `/mfa`; who is asked for one.

use domain::{TotpSecret, totp};
use serde_json::{Value, json};

use crate::app::{Answer, App, on_both};
use crate::stage::{self, On};

const REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";
const OTP: &str = "http://auth0.com/oauth/grant-type/mfa-otp";
const OOB: &str = "http://auth0.com/oauth/grant-type/mfa-oob";
const RECOVERY: &str = "http://auth0.com/oauth/grant-type/mfa-recovery-code";
const SECRET: &str = "JBSWY3DPEHPK3PXP";
const METHODS: &str = "/api/v2/users/auth0%7Cann/authentication-methods";

/// A connection that serves a public client, and one user.
async fn prepare(app: &App) {
    let client = json!({
        "name": "shop", "app_type": "spa", "token_endpoint_auth_method": "none",
        "grant_types": [REALM, OTP, OOB, RECOVERY],
    });
    let client = app.quietly("POST", "/api/v2/clients", client).await.body;
    let client_id = client["client_id"].as_str().unwrap();
    let connection = app.connection("plain", json!({})).await;
    let enable = json!([{"client_id": client_id, "status": true}]);
    let path = format!("/api/v2/connections/{connection}/clients");
    assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
    app.log_in_with(client_id);
    let user = json!({
        "connection": "plain", "email": "ann@example.com", "user_id": "ann",
        "password": "right", "email_verified": true,
    });
    assert_eq!(app.quietly("POST", "/api/v2/users", user).await.status, 201);
}

async fn add(app: &App, method: Value) -> Answer {
    app.quietly("POST", METHODS, method).await
}

async fn log_in(app: &App) -> Answer {
    let body = json!({
        "grant_type": REALM, "realm": "plain", "client_id": app.client(),
        "username": "ann@example.com", "password": "right", "scope": "openid",
    });
    app.ask_as("", "POST", "/oauth/token", body).await
}

/// Logs in as far as a password goes.
async fn interrupted(app: &App) -> String {
    let answer = log_in(app).await;
    assert_eq!(
        (answer.status, answer.body["error"].as_str()),
        (403, Some("mfa_required"))
    );
    answer.body["mfa_token"].as_str().unwrap().to_owned()
}

async fn go_on(app: &App, grant: &str, token: &str, more: Value) -> Answer {
    let mut body = json!({"grant_type": grant, "client_id": app.client(), "mfa_token": token});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    app.ask_as("", "POST", "/oauth/token", body).await
}

fn said(answer: &Answer) -> String {
    let error = answer.body["error"].as_str().unwrap_or("in");
    let text = answer.body["error_description"].as_str().unwrap_or("");
    format!("{} {error} {text}", answer.status)
        .trim()
        .to_owned()
}

fn code(app: &App, secret: &str) -> String {
    let step = totp::step_at(app.engine.now());
    TotpSecret::from(secret).code(step).unwrap()
}

/// The digits of the next mail.
async fn mailed_code(app: &App) -> (String, String) {
    let now = app.engine.now();
    let mails = app.engine.store.claim_mail(now, now, 1).await.unwrap();
    let mail = mails.into_iter().next().unwrap();
    let mut write = app.engine.store.write();
    write.mark_sent(&mail.id, now);
    app.engine.store.commit(write).await.unwrap();
    // The HTML comes after the text.
    let text = mail.body.split('\u{c}').next().unwrap();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (mail.recipient, digits)
}

#[tokio::test]
async fn a_code_is_asked_for_and_taken_once() {
    on_both(async |app: &App| {
        prepare(app).await;
        assert_eq!(said(&log_in(app).await), "200 in");
        let added = add(
            app,
            json!({"type": "totp", "totp_secret": SECRET, "name": "phone"}),
        )
        .await;
        assert_eq!(added.status, 201);
        assert!(!added.body.to_string().contains(SECRET));
        let token = interrupted(app).await;
        let wrong = go_on(app, OTP, &token, json!({"otp": "000000"})).await;
        assert_eq!(said(&wrong), "403 invalid_grant Invalid otp_code.");
        let now = code(app, SECRET);
        let good = go_on(app, OTP, &token, json!({"otp": now})).await;
        assert_eq!(said(&good), "200 in");
        assert!(good.body["id_token"].is_string());
        // The token is used up, and so is the code.
        let again = go_on(app, OTP, &token, json!({"otp": now})).await;
        assert_eq!(said(&again), "401 expired_token mfa_token is expired");
        let other = interrupted(app).await;
        let replayed = go_on(app, OTP, &other, json!({"otp": now})).await;
        assert_eq!(said(&replayed), "403 invalid_grant Invalid otp_code.");
        app.later(30);
        let next = code(app, SECRET);
        let fresh = go_on(app, OTP, &other, json!({"otp": next})).await;
        assert_eq!(said(&fresh), "200 in");
        let late = interrupted(app).await;
        app.later(600);
        let too_late = go_on(app, OTP, &late, json!({"otp": code(app, SECRET)})).await;
        assert_eq!(said(&too_late), "401 expired_token mfa_token is expired");
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_an_interrupted_login() {
    on_both(async |app: &App| {
        prepare(app).await;
        add(app, json!({"type": "totp", "totp_secret": SECRET})).await;
        for end in [true, false] {
            let token = interrupted(app).await;
            let (method, path, body) = if end {
                ("DELETE", "/api/v2/users/auth0%7Cann/sessions", json!(null))
            } else {
                (
                    "PATCH",
                    "/api/v2/users/auth0%7Cann",
                    json!({"password": "right"}),
                )
            };
            let ended = app.quietly(method, path, body).await.status;
            assert!((200..300).contains(&ended), "{ended}");
            let otp = json!({"otp": code(app, SECRET)});
            let answer = go_on(app, OTP, &token, otp).await;
            assert_eq!(said(&answer), "401 expired_token mfa_token is expired");
            let wish = json!({"authenticator_types": ["otp"]});
            let more = app.ask_as(&token, "POST", "/mfa/associate", wish).await;
            assert_eq!(more.status, 401);
            app.later(30);
        }
        let token = interrupted(app).await;
        let otp = json!({"otp": code(app, SECRET)});
        assert_eq!(said(&go_on(app, OTP, &token, otp).await), "200 in");
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_code_lets_one_in() {
    for app in [App::on_sqlite().await, App::on_postgres().await] {
        let app = &app;
        prepare(app).await;
        add(app, json!({"type": "totp", "totp_secret": SECRET})).await;
        let mut tokens = Vec::new();
        for _ in 0..6 {
            tokens.push(interrupted(app).await);
        }
        let now = code(app, SECRET);
        let tries = tokens
            .iter()
            .map(|token| go_on(app, OTP, token, json!({"otp": now})));
        let answers = futures_util::future::join_all(tries).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        let lost = answers.iter().filter(|answer| answer.status == 403).count();
        assert_eq!((won, lost), (1, 5));
    }
}

#[tokio::test]
async fn wrong_codes_are_counted_over_all_logins() {
    on_both(async |app: &App| {
        prepare(app).await;
        add(app, json!({"type": "totp", "totp_secret": SECRET})).await;
        for _ in 0..10 {
            let token = interrupted(app).await;
            let wrong = go_on(app, OTP, &token, json!({"otp": "000000"})).await;
            assert_eq!(wrong.status, 403);
        }
        let token = interrupted(app).await;
        let good = json!({"otp": code(app, SECRET)});
        let limited = go_on(app, OTP, &token, good).await;
        assert_eq!(
            said(&limited),
            "429 too_many_attempts Too many wrong codes. Try again later."
        );
        app.later(16 * 60);
        let token = interrupted(app).await;
        let good = go_on(app, OTP, &token, json!({"otp": code(app, SECRET)})).await;
        assert_eq!(said(&good), "200 in");
        let logs = app
            .quietly("GET", "/api/v2/logs?per_page=100", json!(null))
            .await
            .body;
        for (kind, least) in [
            ("mfar", 12),
            ("gd_auth_failed", 10),
            ("gd_otp_rate_limit_exceed", 1),
            ("gd_auth_succeed", 1),
        ] {
            let events = logs.as_array().unwrap().iter();
            let found = events.filter(|event| event["type"] == kind).count();
            assert_eq!(found, least, "{kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_factor_is_enrolled_by_its_first_code() {
    on_both(async |app: &App| {
        prepare(app).await;
        let everybody = json!(["all-applications"]);
        let path = "/api/v2/guardian/policies";
        assert_eq!(
            app.quietly("PUT", path, everybody.clone()).await.body,
            everybody
        );
        let token = interrupted(app).await;
        let wish = json!({"authenticator_types": ["otp"]});
        let begun = app
            .ask_as(&token, "POST", "/mfa/associate", wish.clone())
            .await;
        assert_eq!(begun.status, 200);
        let secret = begun.body["secret"].as_str().unwrap();
        let uri = begun.body["barcode_uri"].as_str().unwrap();
        assert!(uri.starts_with("otpauth://totp/ferry.example:ann@example.com?secret="));
        let recovery = begun.body["recovery_codes"][0].as_str().unwrap();
        assert_eq!((secret.len(), recovery.len()), (32, 24));
        // Nothing is enrolled before the first code.
        let listed = app
            .ask_as(&token, "GET", "/mfa/authenticators", json!(null))
            .await;
        assert_eq!(listed.body, json!([]));
        let wrong = go_on(app, OTP, &token, json!({"otp": "000000"})).await;
        assert_eq!(wrong.status, 403);
        let good = go_on(app, OTP, &token, json!({"otp": code(app, secret)})).await;
        assert_eq!(said(&good), "200 in");
        // A password alone adds nothing to what is there, and takes nothing away.
        let token = interrupted(app).await;
        let more = app.ask_as(&token, "POST", "/mfa/associate", wish).await;
        assert_eq!(said(&more), "403 access_denied User is already enrolled.");
        let path = "/mfa/authenticators/totp%7Cdev_0";
        let gone = app.ask_as(&token, "DELETE", path, json!(null)).await;
        assert_eq!(gone.status, 403);
        // The recovery code lets in once, in whatever case, and is replaced.
        let typed = json!({"recovery_code": recovery.to_lowercase()});
        let good = go_on(app, RECOVERY, &token, typed.clone()).await;
        assert_eq!(good.status, 200);
        let next = good.body["recovery_code"].as_str().unwrap();
        assert_ne!(next, recovery);
        let token = interrupted(app).await;
        let used = go_on(app, RECOVERY, &token, typed).await;
        assert_eq!(said(&used), "403 invalid_grant Invalid recovery_code.");
        let good = go_on(app, RECOVERY, &token, json!({"recovery_code": next})).await;
        assert_eq!(good.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_code_by_mail_is_good_for_five_attempts_and_five_minutes() {
    on_both(async |app: &App| {
        prepare(app).await;
        add(app, json!({"type": "email", "email": "second@example.com"})).await;
        let send = async |token: &str| {
            let body = json!({
                "mfa_token": token, "client_id": app.client(), "challenge_type": "oob",
            });
            let sent = app.ask_as("", "POST", "/mfa/challenge", body).await;
            assert_eq!(sent.status, 200, "{}", sent.body);
            sent.body["oob_code"].as_str().unwrap().to_owned()
        };
        let answer = async |token: &str, oob: &str, code: &str| {
            let more = json!({"oob_code": oob, "binding_code": code});
            said(&go_on(app, OOB, token, more).await)
        };
        let wrong = "403 invalid_grant Invalid binding_code.";
        let token = interrupted(app).await;
        let oob = send(&token).await;
        let (to, digits) = mailed_code(app).await;
        assert_eq!((to.as_str(), digits.len()), ("second@example.com", 6));
        assert_eq!(answer(&token, &oob, "no").await, wrong);
        assert_eq!(answer(&token, &oob, &digits).await, "200 in");
        let token = interrupted(app).await;
        assert_eq!(answer(&token, &oob, &digits).await, wrong);
        let oob = send(&token).await;
        let (_, digits) = mailed_code(app).await;
        for _ in 0..5 {
            assert_eq!(answer(&token, &oob, "no").await, wrong);
        }
        assert_eq!(answer(&token, &oob, &digits).await, wrong);
        app.later(16 * 60);
        let token = interrupted(app).await;
        let oob = send(&token).await;
        let (_, digits) = mailed_code(app).await;
        app.later(5 * 60);
        assert_eq!(answer(&token, &oob, &digits).await, wrong);
    })
    .await;
}

#[tokio::test]
async fn a_phone_factor_never_lets_a_password_through() {
    on_both(async |app: &App| {
        prepare(app).await;
        add(app, json!({"type": "phone", "phone_number": "+4912345"})).await;
        let token = interrupted(app).await;
        let listed = app
            .ask_as(&token, "GET", "/mfa/authenticators", json!(null))
            .await;
        assert_eq!(
            listed.body,
            json!([{"id": "sms|dev_0", "authenticator_type": "oob", "oob_channel": "sms",
                "name": "***45", "active": false}])
        );
        // The proven address stands in.
        let challenge = json!({"mfa_token": token, "client_id": app.client()});
        let sent = app.ask_as("", "POST", "/mfa/challenge", challenge).await;
        let (to, digits) = mailed_code(app).await;
        assert_eq!(to, "ann@example.com");
        let more = json!({"oob_code": sent.body["oob_code"], "binding_code": digits});
        assert_eq!(said(&go_on(app, OOB, &token, more).await), "200 in");
        // Without one nobody is let in.
        let change = json!({"email_verified": false});
        let path = "/api/v2/users/auth0%7Cann";
        assert_eq!(app.quietly("PATCH", path, change).await.status, 200);
        let token = interrupted(app).await;
        let challenge = json!({"mfa_token": token, "client_id": app.client()});
        let sent = app.ask_as("", "POST", "/mfa/challenge", challenge).await;
        assert_eq!(
            said(&sent),
            "400 unsupported_challenge_type User does not have any of the authenticators that \
             were asked for"
        );
    })
    .await;
}

#[tokio::test]
async fn an_access_token_for_the_api_manages_ones_own_factors() {
    on_both(async |app: &App| {
        prepare(app).await;
        let body = json!({
            "grant_type": REALM, "realm": "plain", "client_id": app.client(),
            "username": "ann@example.com", "password": "right",
            "audience": "https://ferry.example/mfa/", "scope": "read:authenticators enroll",
        });
        let token = app.ask_as("", "POST", "/oauth/token", body).await.body["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        add(app, json!({"type": "totp", "totp_secret": SECRET})).await;
        let listed = app
            .ask_as(&token, "GET", "/mfa/authenticators", json!(null))
            .await;
        assert_eq!(listed.body[0]["id"], "totp|dev_0");
        let path = "/mfa/authenticators/totp%7Cdev_0";
        let gone = app.ask_as(&token, "DELETE", path, json!(null)).await;
        assert_eq!(
            said(&gone),
            "403 access_denied Insufficient scope, expected: remove:authenticators"
        );
        let other = app.token_for(None).await;
        let foreign = app
            .ask_as(&other, "GET", "/mfa/authenticators", json!(null))
            .await;
        assert_eq!(foreign.status, 401);
    })
    .await;
}

/// An access token for `/mfa`, bought with a password.
async fn own_token(app: &App, scope: &str) -> String {
    let body = json!({
        "grant_type": REALM, "realm": "plain", "client_id": app.client(),
        "username": "ann@example.com", "password": "right",
        "audience": "https://ferry.example/mfa/", "scope": scope,
    });
    let answer = app.ask_as("", "POST", "/oauth/token", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_access_token_enrols_and_proves_nothing_else() {
    on_both(async |app: &App| {
        prepare(app).await;
        let token = own_token(app, "openid enroll read:authenticators").await;
        let reader = own_token(app, "read:authenticators").await;
        let associate = async |wish: Value| {
            let begun = app.ask_as(&token, "POST", "/mfa/associate", wish).await;
            assert_eq!(begun.status, 200, "{}", begun.body);
            begun.body
        };
        let list = async || {
            let path = "/mfa/authenticators";
            let listed = app.ask_as(&token, "GET", path, json!(null)).await.body;
            let ids = listed.as_array().unwrap().iter();
            ids.map(|one| one["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let begun = associate(json!({"authenticator_types": ["otp"]})).await;
        let secret = begun["secret"].as_str().unwrap();
        let recovery = begun["recovery_codes"][0].as_str().unwrap();
        let good = json!({"otp": code(app, secret)});
        let wrong = "403 invalid_grant Invalid otp_code.";
        let answer = go_on(app, OTP, &token, json!({"otp": "000000"})).await;
        assert_eq!(said(&answer), wrong);
        let answer = go_on(app, OTP, &reader, good.clone()).await;
        assert_eq!(
            said(&answer),
            "403 access_denied Insufficient scope, expected: enroll"
        );
        assert_eq!(list().await, [""; 0]);
        let answer = go_on(app, OTP, &token, good.clone()).await;
        assert_eq!(said(&answer), "200 in");
        assert_eq!(list().await, ["totp|dev_0", "recovery-code|dev_0"]);
        // What comes of it is no key to this API, and stays no longer than its time.
        assert_eq!(answer.body["scope"], "openid");
        assert!(answer.body.get("refresh_token").is_none());
        let next = answer.body["access_token"].as_str().unwrap();
        let path = "/mfa/authenticators";
        assert_eq!(app.ask_as(next, "GET", path, json!(null)).await.status, 401);
        // Once; and neither a code of the application nor a recovery code is proven by it.
        assert_eq!(said(&go_on(app, OTP, &token, good).await), wrong);
        let typed = json!({"recovery_code": recovery});
        let answer = go_on(app, RECOVERY, &token, typed).await;
        assert_eq!(said(&answer), "403 invalid_grant Invalid recovery_code.");
        // Another factor beside the first.
        let wish = json!({"authenticator_types": ["oob"], "oob_channels": ["email"]});
        let begun = associate(wish).await;
        let (to, digits) = mailed_code(app).await;
        assert_eq!(to, "ann@example.com");
        let more = json!({"oob_code": begun["oob_code"], "binding_code": digits});
        assert_eq!(said(&go_on(app, OOB, &token, more).await), "200 in");
        assert_eq!(
            list().await,
            ["totp|dev_0", "email|dev_1", "recovery-code|dev_0"]
        );
        // A code that was mailed to log in is not for this.
        let login = interrupted(app).await;
        let asked = json!({
            "mfa_token": login, "client_id": app.client(), "challenge_type": "oob",
        });
        let sent = app.ask_as("", "POST", "/mfa/challenge", asked).await;
        let (_, digits) = mailed_code(app).await;
        let more = json!({"oob_code": sent.body["oob_code"], "binding_code": digits});
        let answer = go_on(app, OOB, &token, more.clone()).await;
        assert_eq!(said(&answer), "403 invalid_grant Invalid binding_code.");
        assert_eq!(said(&go_on(app, OOB, &login, more).await), "200 in");
    })
    .await;
}

#[tokio::test]
async fn administrators_manage_factors() {
    let said = on_both(async |app: &App| {
        prepare(app).await;
        let totp = json!({"type": "totp", "totp_secret": SECRET, "name": "phone"});
        app.tell("POST", METHODS, totp.clone()).await;
        app.tell("POST", METHODS, totp).await;
        app.tell(
            "POST",
            METHODS,
            json!({"type": "totp", "totp_secret": "no base32"}),
        )
        .await;
        app.tell("POST", METHODS, json!({"type": "totp"})).await;
        app.tell(
            "POST",
            METHODS,
            json!({"type": "email", "email": "b@example.com"}),
        )
        .await;
        let one = format!("{METHODS}/totp%7Cdev_0");
        app.tell("PATCH", &one, json!({"name": "tablet"})).await;
        app.tell("GET", METHODS, json!(null)).await;
        app.tell("GET", "/api/v2/users/auth0%7Cann/enrollments", json!(null))
            .await;
        app.tell("DELETE", &one, json!(null)).await;
        app.tell("GET", &one, json!(null)).await;
        let path = "/api/v2/users/auth0%7Cann/recovery-code-regeneration";
        assert_eq!(app.quietly("POST", path, json!(null)).await.status, 200);
        app.tell(
            "PUT",
            METHODS,
            json!([{"type": "phone", "phone_number": "+491"}]),
        )
        .await;
        app.tell(
            "DELETE",
            "/api/v2/users/auth0%7Cann/multifactor/guardian",
            json!(null),
        )
        .await;
        app.tell("GET", METHODS, json!(null)).await;
        app.tell("DELETE", METHODS, json!(null)).await;
        app.tell("GET", "/api/v2/guardian/factors", json!(null))
            .await;
        app.tell(
            "PUT",
            "/api/v2/guardian/factors/otp",
            json!({"enabled": false}),
        )
        .await;
        app.tell(
            "PUT",
            "/api/v2/guardian/factors/magic",
            json!({"enabled": true}),
        )
        .await;
        app.tell(
            "PUT",
            "/api/v2/guardian/policies",
            json!(["confidence-score"]),
        )
        .await;
        app.tell("GET", "/api/v2/guardian/policies", json!(null))
            .await;
    })
    .await;
    insta::assert_snapshot!(said, @r###"
    POST /api/v2/users/auth0%7Cann/authentication-methods
      201 {"id":"totp|dev_0","confirmed":true,"created_at":"2026-03-01T10:00:00.000Z","type":"totp","name":"phone"}
    POST /api/v2/users/auth0%7Cann/authentication-methods
      409 {"statusCode":409,"error":"Conflict","message":"Authentication method already exists.","errorCode":"authentication_method_exists"}
    POST /api/v2/users/auth0%7Cann/authentication-methods
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'String does not match pattern ^[A-Z2-7]+$' on property totp.secret.","errorCode":"invalid_body"}
    POST /api/v2/users/auth0%7Cann/authentication-methods
      400 {"statusCode":400,"error":"Bad Request","message":"type must be totp with totp_secret, phone with phone_number, or email with email","errorCode":"invalid_body"}
    POST /api/v2/users/auth0%7Cann/authentication-methods
      201 {"id":"email|dev_1","confirmed":true,"created_at":"2026-03-01T10:00:00.000Z","email":"b@example.com","type":"email"}
    PATCH /api/v2/users/auth0%7Cann/authentication-methods/totp%7Cdev_0
      200 {"id":"totp|dev_0","confirmed":true,"created_at":"2026-03-01T10:00:00.000Z","type":"totp","name":"tablet"}
    GET /api/v2/users/auth0%7Cann/authentication-methods
      200 {"authenticators":[{"id":"totp|dev_0","confirmed":true,"created_at":"2026-03-01T10:00:00.000Z","type":"totp","name":"tablet"},{"id":"email|dev_1","confirmed":true,"created_at":"2026-03-01T10:00:00.000Z","email":"b@example.com","type":"email"}],"start":0,"limit":2,"total":2}
    GET /api/v2/users/auth0%7Cann/enrollments
      200 [{"id":"totp|dev_0","status":"confirmed","type":"authenticator","auth_method":"authenticator","enrolled_at":"2026-03-01T10:00:00.000Z","last_auth":null},{"id":"email|dev_1","status":"confirmed","type":"email","auth_method":"email","enrolled_at":"2026-03-01T10:00:00.000Z","last_auth":null,"name":"b@example.com"}]
    DELETE /api/v2/users/auth0%7Cann/authentication-methods/totp%7Cdev_0
      204
    GET /api/v2/users/auth0%7Cann/authentication-methods/totp%7Cdev_0
      404 {"statusCode":404,"error":"Not Found","message":"The authentication method does not exist.","errorCode":"inexistent_authentication_method"}
    PUT /api/v2/users/auth0%7Cann/authentication-methods
      200 [{"id":"sms|dev_0","confirmed":true,"created_at":"2026-03-01T10:00:00.000Z","phone_number":"+491","preferred_authentication_method":"sms","type":"phone"},{"id":"recovery-code|dev_0","type":"recovery-code","confirmed":true,"created_at":"2026-03-01T10:00:00.000Z"}]
    DELETE /api/v2/users/auth0%7Cann/multifactor/guardian
      204
    GET /api/v2/users/auth0%7Cann/authentication-methods
      200 {"authenticators":[],"start":0,"limit":0,"total":0}
    DELETE /api/v2/users/auth0%7Cann/authentication-methods
      204
    GET /api/v2/guardian/factors
      200 [{"name":"sms","enabled":false,"trial_expired":false},{"name":"push-notification","enabled":false,"trial_expired":false},{"name":"otp","enabled":true,"trial_expired":false},{"name":"email","enabled":true,"trial_expired":false},{"name":"duo","enabled":false,"trial_expired":false},{"name":"webauthn-roaming","enabled":true,"trial_expired":false},{"name":"webauthn-platform","enabled":true,"trial_expired":false},{"name":"recovery-code","enabled":true,"trial_expired":false}]
    PUT /api/v2/guardian/factors/otp
      200 {"enabled":false}
    PUT /api/v2/guardian/factors/magic
      400 {"statusCode":400,"error":"Bad Request","message":"Unknown factor: magic","errorCode":"invalid_body"}
    PUT /api/v2/guardian/policies
      400 {"statusCode":400,"error":"Bad Request","message":"The policy confidence-score is not supported; all-applications or none is.","errorCode":"invalid_body"}
    GET /api/v2/guardian/policies
      200 []
    "###);
}

/// The whole way: a job brings the secret, and the first login asks for its code.
#[tokio::test]
async fn an_imported_application_is_asked_for_at_the_first_login() -> anyhow::Result<()> {
    let server = On::Sqlite.builder().start().await?;
    let application = stage::application(&server).await?;
    let connection = stage::connection(&server, &application, "moved", json!({})).await?;
    let users = json!([{
        "email": "zoe@example.com", "user_id": "zoe",
        // Of "right".
        "custom_password_hash": {"algorithm": "md5", "hash": {
            "value": "7c4f29407893c334a6cb7a87bf045c0d", "encoding": "hex"}},
        "mfa_factors": [{"totp": {"secret": SECRET}}],
    }]);
    let job = stage::import(&server, &connection, &users).await?;
    assert_eq!(job["summary"]["inserted"], 1);
    let (status, body) = application
        .login("moved", "zoe@example.com", "right")
        .await?;
    assert_eq!(
        (status, body["error"].as_str()),
        (403, Some("mfa_required"))
    );
    let authenticators = application
        .http()
        .get(application.url("/mfa/authenticators"))
        .bearer_auth(body["mfa_token"].as_str().unwrap())
        .send()
        .await?;
    let list: Value = authenticators.json().await?;
    assert_eq!(list[0]["authenticator_type"], "otp");
    Ok(())
}
