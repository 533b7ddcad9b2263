//! What a new password and the end of all sessions leave behind: nothing that was opened before, and
//! no login under way.

use serde_json::{Value, json};

use crate::app::{Answer, App, on_both};
use crate::browser::{ANN, Browser, CALLBACK, authorize, location, serve, stage_as, told};
use crate::legacy_store::{LegacyStore, REALM};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const MULTI_FACTOR: &str =
    "&acr_values=http%3A%2F%2Fschemas.openid.net%2Fpape%2Fpolicies%2F2007%2F06%2Fmulti-factor";

/// The address of the only user.
async fn user(app: &App) -> String {
    let users = app.quietly("GET", "/api/v2/users", Value::Null).await.body;
    let id = users[0]["user_id"].as_str().unwrap().replace('|', "%7C");
    format!("/api/v2/users/{id}")
}

async fn set_password(app: &App, password: &str) {
    let change = json!({"password": password});
    let answer = app.quietly("PATCH", &user(app).await, change).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn end_sessions(app: &App) {
    let path = format!("{}/sessions", user(app).await);
    assert_eq!(app.quietly("DELETE", &path, Value::Null).await.status, 202);
}

async fn is_in(browser: &Browser<'_>) -> bool {
    let answer = browser.get(&authorize(browser.app, "&prompt=none")).await;
    told(&answer).contains_key("code")
}

async fn ask(app: &App, mut body: Value) -> Answer {
    body["client_id"] = app.client().into();
    app.ask_as("", "POST", "/oauth/token", body).await
}

async fn log_in(app: &App, password: &str) -> Answer {
    let body = json!({
        "grant_type": REALM, "realm": "people", "username": "ann@example.com",
        "password": password, "scope": "openid offline_access",
    });
    ask(app, body).await
}

async fn refresh(app: &App, token: &Value) -> u16 {
    let body = json!({"grant_type": "refresh_token", "refresh_token": token});
    ask(app, body).await.status
}

/// A link to a new password.
async fn forgot(app: &App) -> String {
    let body = json!({
        "client_id": app.client(), "connection": "people", "email": "ann@example.com",
    });
    let path = "/dbconnections/change_password";
    assert_eq!(app.ask_as("", "POST", path, body).await.status, 200);
    app.mailed_link().await.1
}

async fn reset(app: &App, link: &str, password: &str) -> u16 {
    let ticket = link.split_once("ticket=").unwrap().1;
    let form = [
        ("ticket", ticket),
        ("newPassword", password),
        ("confirmNewPassword", password),
    ];
    app.post_form("/u/reset-verify", &form).await.status
}

fn grants() -> Value {
    json!({"grant_types": ["authorization_code", "refresh_token", REALM]})
}

#[tokio::test]
async fn a_password_set_by_an_administrator_ends_what_the_old_one_opened() {
    on_both(async |app: &App| {
        stage_as(app, grants()).await;
        let browser = Browser::new(app);
        browser.sign_in("").await;
        assert!(is_in(&browser).await);
        let token = log_in(app, "her password").await.body["refresh_token"].clone();
        let link = forgot(app).await;
        for _ in 0..10 {
            assert_eq!(log_in(app, "wrong").await.status, 403);
        }
        assert_eq!(log_in(app, "her password").await.status, 429);
        // What leaves the password alone ends nothing.
        let name = json!({"name": "Ann"});
        assert_eq!(
            app.quietly("PATCH", &user(app).await, name).await.status,
            200
        );
        assert!(is_in(&browser).await);
        set_password(app, "a new password").await;
        assert!(!is_in(&browser).await);
        assert_eq!(refresh(app, &token).await, 403);
        assert_eq!(reset(app, &link, "another password").await, 400);
        assert_eq!(log_in(app, "a new password").await.status, 200);
        assert_eq!(app.engine.store.orphans().await.unwrap(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn so_it_does_where_the_legacy_store_keeps_it() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        let connection = legacy.attach(app, "people", false).await.to_string();
        serve(app, &connection, grants()).await;
        legacy.put("7", "ann@example.com", "her password");
        let browser = Browser::new(app);
        browser.sign_in("").await;
        assert!(is_in(&browser).await);
        let token = log_in(app, "her password").await.body["refresh_token"].clone();
        let link = forgot(app).await;
        set_password(app, "a new password").await;
        assert_eq!(legacy.member("7", "password"), "a new password");
        assert!(!is_in(&browser).await);
        assert_eq!(refresh(app, &token).await, 403);
        assert_eq!(reset(app, &link, "another password").await, 400);
        assert_eq!(legacy.member("7", "password"), "a new password");
    })
    .await;
}

#[tokio::test]
async fn a_password_set_by_a_link_revokes_refresh_tokens() {
    on_both(async |app: &App| {
        stage_as(app, grants()).await;
        let token = log_in(app, "her password").await.body["refresh_token"].clone();
        let link = forgot(app).await;
        assert_eq!(reset(app, &link, "a new password").await, 200);
        assert_eq!(refresh(app, &token).await, 403);
        let token = log_in(app, "a new password").await.body["refresh_token"].clone();
        assert_eq!(refresh(app, &token).await, 200);
    })
    .await;
}

#[tokio::test]
async fn a_login_under_way_does_not_outlive_the_password() {
    on_both(async |app: &App| {
        stage_as(app, json!({"is_first_party": false})).await;
        for way in ["link", "administrator", "sessions"] {
            let thief = Browser::new(app);
            let path = thief.begin("&prompt=consent").await;
            let fields = [ANN[0], ("password", "her password")];
            let consent = location(&thief.fill(&path, &fields).await);
            assert!(consent.starts_with("/u/consent?"), "{consent}");
            match way {
                "link" => {
                    let link = forgot(app).await;
                    assert_eq!(reset(app, &link, "her password").await, 200);
                }
                "administrator" => set_password(app, "her password").await,
                _ => end_sessions(app).await,
            }
            let answer = thief.fill(&consent, &[("action", "accept")]).await;
            let answer = thief.get(&location(&answer)).await;
            let to = location(&answer);
            assert!(to.starts_with("/u/login?"), "{way}: {to}");
            assert!(thief.session().is_none());
            // The same login goes on for whoever knows the password now.
            app.later(1);
            let consent = location(&thief.fill(&to, &fields).await);
            let answer = thief.fill(&consent, &[("action", "accept")]).await;
            let answer = thief.get(&location(&answer)).await;
            assert!(told(&answer).contains_key("code"), "{way}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_stolen_session_that_was_ended_enrols_no_factor() {
    on_both(async |app: &App| {
        stage_as(app, json!({})).await;
        for ends_all in [true, false] {
            let thief = Browser::new(app);
            thief.sign_in("").await;
            let first = thief.begin(MULTI_FACTOR).await;
            let enrolment = location(&thief.get(&first).await);
            assert!(
                enrolment.starts_with("/u/mfa-otp-enrollment-qr?"),
                "{enrolment}"
            );
            assert_eq!(thief.get(&enrolment).await.status, 200);
            if ends_all {
                end_sessions(app).await;
            } else {
                let path = format!("{}/sessions", user(app).await);
                let listed = app.quietly("GET", &path, Value::Null).await.body;
                let id = listed["sessions"][0]["id"].as_str().unwrap();
                let path = format!("/api/v2/sessions/{id}");
                assert_eq!(app.quietly("DELETE", &path, Value::Null).await.status, 202);
            }
            let answer = thief.get(&enrolment).await;
            let resume = location(&answer);
            assert!(resume.starts_with("/authorize/resume?"), "{resume}");
            let to = location(&thief.get(&resume).await);
            assert!(to.starts_with("/u/login?"), "{to}");
            app.later(1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_code_of_an_earlier_proof_is_worth_nothing() {
    on_both(async |app: &App| {
        stage_as(app, grants()).await;
        let redeem = async |answer: &Answer| {
            let body = json!({
                "grant_type": "authorization_code", "code": told(answer)["code"],
                "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
            });
            let answer = ask(app, body).await;
            (answer.status, answer.body["error"].clone())
        };
        let browser = Browser::new(app);
        let code = browser.sign_in("").await;
        set_password(app, "her password").await;
        assert_eq!(redeem(&code).await, (403, json!("invalid_grant")));
        app.later(1);
        let code = browser.sign_in("").await;
        assert_eq!(redeem(&code).await, (200, Value::Null));
    })
    .await;
}
