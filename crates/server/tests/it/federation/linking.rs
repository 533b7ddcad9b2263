//! Two accounts of one person, joined by their own hand or not at all.

use serde_json::{Value, json};

use super::net::{Browser, Seen};
use super::{Stage, on_both};

const ANN: &str = "ann@corp.example";

fn is_asked(seen: &Seen) -> bool {
    seen.url.contains("/u/login/link?state=") && seen.says("Is this your account?")
}

async fn corp_knows_ann(stage: &Stage, is_verified: bool) -> testkit::OpenIdProvider {
    let provider = stage.corp(json!({})).await;
    provider.person(json!({
        "sub": "ann", "email": ANN, "email_verified": is_verified, "name": "Ann of Corp",
    }));
    provider
}

#[tokio::test]
async fn a_person_links_by_the_password_of_the_account() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        let provider = corp_knows_ann(stage, true).await;
        let browser = Browser::new(&stage.net);
        let page = stage.through_corp(&browser).await;
        assert!(is_asked(&page), "{} {}", page.url, page.reply.body);
        assert!(page.says("Corp Inc.") && page.says(ANN));
        // Nothing is written, and the page is the one to come back to.
        assert_eq!(stage.users().await, ["auth0|7"]);
        let wrong = browser.submit(&page, &[("action", "link"), ("password", "wrong")]).await;
        assert_eq!(wrong.status(), 400);
        assert!(wrong.says("Wrong username or password."));
        let back = browser.go(&page.url.replace("/u/login/link", "/u/login")).await;
        assert!(is_asked(&back), "{}", back.url);
        let right = [("action", "link"), ("password", "Her password 1")];
        let seen = browser.submit(&page, &right).await;
        assert!(seen.told().contains_key("code"), "{}", seen.url);
        // One account: the one that was here, with the provider's words beside its own.
        assert_eq!(stage.users().await, ["auth0|7"]);
        let ann = stage.user("auth0|7").await;
        assert_eq!((&ann["name"], &ann["app_metadata"]["plan"]), (&json!("Ann of People"), &json!("gold")));
        assert_eq!(
            ann["identities"][1],
            json!({"connection": "corp", "user_id": "corp|ann", "provider": "oidc", "isSocial": false,
                "profileData": {"email": ANN, "email_verified": true, "name": "Ann of Corp"}})
        );
        assert_eq!(stage.here.codes().await, ["fp", "s", "ferry_link", "ferry_session"]);
        assert_eq!(stage.here.event("ferry_link").await["details"]["linked"], "oidc|corp|ann");
        // From now on Corp lets her in, and nobody asks.
        provider.person(json!({"sub": "ann", "email": "new@corp.example", "name": "Anne"}));
        let seen = stage.through_corp(&Browser::new(&stage.net)).await;
        assert!(seen.told().contains_key("code"));
        let ann = stage.user("auth0|7").await;
        assert_eq!((&ann["name"], &ann["email"]), (&json!("Ann of People"), &json!(ANN)));
        assert_eq!(ann["identities"][1]["profileData"]["name"], "Anne");
        assert_eq!(stage.here.event("s").await["user_id"], "auth0|7");
        stage.is_whole().await;
    })
    .await;
}

#[tokio::test]
async fn who_declines_has_an_account_of_their_own() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        corp_knows_ann(stage, true).await;
        let browser = Browser::new(&stage.net);
        let page = stage.through_corp(&browser).await;
        assert!(is_asked(&page));
        // Without the form's token nothing is decided.
        let url = page.url.split('?').next().unwrap();
        let state = super::net::hidden(&page, "state");
        let forged = [("state", state.as_str()), ("action", "separate")];
        assert_eq!(
            browser.ask(url, Some(&forged), "same-origin").await.status,
            403
        );
        let seen = browser.submit(&page, &[("action", "separate")]).await;
        assert!(seen.told().contains_key("code"), "{}", seen.url);
        assert_eq!(stage.users().await, ["auth0|7", "oidc|corp|ann"]);
        let other = stage.user("oidc|corp|ann").await;
        assert_eq!(
            (&other["name"], &other["email"]),
            (&json!("Ann of Corp"), &json!(ANN))
        );
        assert!(other.get("app_metadata").is_none());
        // The answer was given; nobody asks once more.
        let seen = stage.through_corp(&Browser::new(&stage.net)).await;
        assert!(seen.told().contains_key("code"), "{}", seen.url);
        assert_eq!(
            stage.here.codes().await,
            ["ss", "s", "ferry_session", "s", "ferry_session"]
        );
        stage.is_whole().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_goes_away_before_the_end_linked_nothing() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        corp_knows_ann(stage, true).await;
        let browser = Browser::new(&stage.net);
        let page = stage.through_corp(&browser).await;
        let (state, csrf) = (
            super::net::hidden(&page, "state"),
            super::net::hidden(&page, "csrf"),
        );
        let form = [
            ("state", state.as_str()),
            ("csrf", csrf.as_str()),
            ("action", "link"),
            ("password", "Her password 1"),
        ];
        let url = page.url.split('?').next().unwrap();
        let sent = browser.ask(url, Some(&form), "same-origin").await;
        assert_eq!(sent.status, 303);
        let resume = sent.headers["location"].to_str().unwrap().to_owned();
        assert!(resume.starts_with("/authorize/resume"), "{resume}");
        // The window is closed here.
        assert_eq!(
            stage.user("auth0|7").await["identities"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        assert_eq!(stage.users().await, ["auth0|7"]);
        // Another window of hers links meanwhile; the first one ends well and links no second time.
        let other = Browser::new(&stage.net);
        let page = stage.through_corp(&other).await;
        let right = [("action", "link"), ("password", "Her password 1")];
        assert!(
            other
                .submit(&page, &right)
                .await
                .told()
                .contains_key("code")
        );
        let seen = browser
            .go(&format!("https://{}{resume}", super::HERE))
            .await;
        assert!(seen.told().contains_key("code"), "{}", seen.url);
        assert_eq!(
            stage.user("auth0|7").await["identities"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        stage.is_whole().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_is_asked_by_an_address_that_nobody_proved() {
    let stage = Stage::on_sqlite().await;
    stage.people().await;
    corp_knows_ann(&stage, false).await;
    let seen = stage.through_corp(&Browser::new(&stage.net)).await;
    assert!(seen.told().contains_key("code"), "{}", seen.url);
    assert_eq!(stage.users().await, ["auth0|7", "oidc|corp|ann"]);
}

const LEGACY: &str = r#"
function login(email, password, callback) {
  if (password === "crash") return callback(new Error("ECONNREFUSED"));
  if (email !== "ann@corp.example" || password !== "old password") {
    return callback(new WrongUsernameOrPasswordError(email));
  }
  callback(null, { user_id: "99", email: email, email_verified: true, name: "Ann of Old" });
}"#;
const GET_USER: &str = r#"
function getByEmail(email, callback) {
  if (email === "down@corp.example") return callback(new Error("ECONNREFUSED"));
  callback(null, email === "ann@corp.example" ? { user_id: "99", email: email } : undefined);
}"#;

/// Who is in the legacy store only is asked too, and arrives by the password that links.
#[tokio::test]
async fn a_legacy_account_arrives_by_being_linked() {
    on_both(async |stage: &Stage| {
        let options = json!({
            "enabledDatabaseCustomization": true, "import_mode": true,
            "customScripts": {"login": LEGACY, "get_user": GET_USER},
        });
        let body = json!({"name": "old", "strategy": "auth0", "options": options});
        stage.connect(body).await;
        let provider = corp_knows_ann(stage, true).await;
        let browser = Browser::new(&stage.net);
        let page = stage.through_corp(&browser).await;
        assert!(is_asked(&page), "{} {}", page.url, page.reply.body);
        assert_eq!(stage.users().await, [""; 0]);
        let outage = browser
            .submit(&page, &[("action", "link"), ("password", "crash")])
            .await;
        assert_eq!(outage.status(), 503);
        let right = [("action", "link"), ("password", "old password")];
        let seen = browser.submit(&page, &right).await;
        assert!(
            seen.told().contains_key("code"),
            "{} {}",
            seen.url,
            seen.reply.body
        );
        let ann = stage.user("auth0|99").await;
        assert_eq!(ann["name"], "Ann of Old");
        assert_eq!(ann["identities"][1]["user_id"], "corp|ann");
        assert_eq!(ann["ferry"]["origin"], "login");
        // The old store does not say who is there: nobody gets a second account because of it.
        provider.person(json!({"sub": "x", "email": "down@corp.example", "email_verified": true}));
        let seen = stage.through_corp(&Browser::new(&stage.net)).await;
        assert_eq!(seen.status(), 503);
        assert_eq!(stage.users().await, ["auth0|99"]);
        provider.person(json!({"sub": "y", "email": "new@corp.example", "email_verified": true}));
        let seen = stage.through_corp(&Browser::new(&stage.net)).await;
        assert!(seen.told().contains_key("code"));
        stage.is_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_linked_account_can_be_blocked_deleted_and_loses_its_connection() {
    let stage = Stage::on_sqlite().await;
    stage.people().await;
    corp_knows_ann(&stage, true).await;
    let page = stage.through_corp(&Browser::new(&stage.net)).await;
    let browser = Browser::new(&stage.net);
    let page = browser.go(&page.url).await;
    assert_eq!(page.status(), 400, "another browser");
    let page = stage.through_corp(&browser).await;
    let right = [("action", "link"), ("password", "Her password 1")];
    assert!(
        browser
            .submit(&page, &right)
            .await
            .told()
            .contains_key("code")
    );
    let path = "/api/v2/users/auth0%7C7";
    stage
        .here
        .expect(200, "PATCH", path, json!({"blocked": true}))
        .await;
    let seen = stage.through_corp(&browser).await;
    assert!(seen.says("Your account has been blocked."));
    stage
        .here
        .expect(200, "PATCH", path, json!({"blocked": false}))
        .await;
    let found = stage
        .here
        .expect(200, "GET", "/api/v2/connections?strategy=oidc", Value::Null);
    let corp = found.await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v2/connections/{corp}");
    stage.here.expect(202, "DELETE", &path, Value::Null).await;
    let ann = stage.user("auth0|7").await;
    assert_eq!(ann["identities"].as_array().unwrap().len(), 1);
    stage.is_whole().await;
}

/// While the question is open, no older page lets anybody else in: who would be linked?
#[tokio::test]
async fn no_older_tab_answers_the_question() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        corp_knows_ann(stage, true).await;
        let bob = json!({
            "connection": "people", "email": "bob@corp.example", "password": "His password 1",
            "user_id": "8",
        });
        stage.here.expect(201, "POST", "/api/v2/users", bob).await;
        let browser = Browser::new(&stage.net);
        let tab = stage.begin(&browser, "&prompt=login").await;
        let question = browser.go(&tab.link("Continue with Corp Inc.")).await;
        assert!(is_asked(&question), "{}", question.url);
        let his = [
            ("username", "bob@corp.example"),
            ("password", "His password 1"),
        ];
        let seen = browser.submit(&tab, &his).await;
        assert!(is_asked(&seen), "{} {}", seen.url, seen.reply.body);
        let (state, csrf) = (
            super::net::hidden(&tab, "state"),
            super::net::hidden(&tab, "csrf"),
        );
        let email = [
            ("email", "new@corp.example"),
            ("password", "New password 1"),
        ];
        let name = [("username", "other@corp.example"), ("x", "y")];
        for (page, fields) in [("signup", email), ("login/identifier", name)] {
            let mut new = vec![("state", state.as_str()), ("csrf", csrf.as_str())];
            new.extend(fields);
            let url = format!("https://{}/u/{page}", super::HERE);
            let sent = browser.ask(&url, Some(&new), "same-origin").await;
            assert_eq!(sent.status, 303, "{page}: {}", sent.body);
            let next = sent.headers["location"].to_str().unwrap();
            assert!(next.starts_with("/u/login/link?"), "{page}: {next}");
        }
        assert_eq!(stage.users().await, ["auth0|7", "auth0|8"]);
        // The account that says yes is linked, and no other.
        let right = [("action", "link"), ("password", "Her password 1")];
        let seen = browser.submit(&question, &right).await;
        assert!(seen.told().contains_key("code"), "{}", seen.url);
        for (id, count) in [("auth0|7", 2), ("auth0|8", 1)] {
            let user = stage.user(id).await;
            assert_eq!(user["identities"].as_array().unwrap().len(), count, "{id}");
        }
        stage.is_whole().await;
    })
    .await;
}

/// A login for a device ends like any other.
#[tokio::test]
async fn a_login_for_a_device_links_too() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        corp_knows_ann(stage, true).await;
        let here = format!("https://{}", super::HERE);
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let path = format!("/api/v2/clients/{}", stage.client);
        let grants = json!({"grant_types": ["authorization_code", grant]});
        stage.here.expect(200, "PATCH", &path, grants).await;
        let asked = [("client_id", stage.client.as_str()), ("scope", "openid")];
        let device = Browser::new(&stage.net);
        let url = format!("{here}/oauth/device/code");
        let started = device.ask(&url, Some(&asked), "none").await;
        let started: Value = serde_json::from_str(&started.body).unwrap();
        let browser = Browser::new(&stage.net);
        let url = format!("{here}/activate");
        let csrf = super::net::hidden(&browser.go(&url).await, "csrf");
        let code = started["user_code"].as_str().unwrap();
        let typed = [("csrf", csrf.as_str()), ("user_code", code)];
        let sent = browser.ask(&url, Some(&typed), "same-origin").await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let next = sent.headers["location"].to_str().unwrap();
        let login = browser.go(&format!("{here}{next}")).await;
        let question = browser.go(&login.link("Continue with Corp Inc.")).await;
        assert!(is_asked(&question), "{}", question.url);
        let right = [("action", "link"), ("password", "Her password 1")];
        let confirm = browser.submit(&question, &right).await;
        assert!(
            confirm.url.contains("/u/device/confirm?"),
            "{}",
            confirm.url
        );
        let done = browser.submit(&confirm, &[("action", "confirm")]).await;
        assert!(done.says("Device connected"), "{}", done.reply.body);
        let ann = stage.user("auth0|7").await;
        assert_eq!(ann["identities"][1]["user_id"], "corp|ann");
        assert_eq!(
            stage.here.event("ferry_link").await["details"]["linked"],
            "oidc|corp|ann"
        );
        stage.is_whole().await;
    })
    .await;
}
