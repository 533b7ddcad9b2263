//! A device whose person has a browser elsewhere, from the code to the tokens.

use serde_json::{Value, json};

use crate::app::{App, on_both};
use crate::browser::{ANN, Browser, authorize, codes, hidden, location, stage_as, told};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn stage(app: &App, more: Value) {
    let mut members = json!({"grant_types": ["authorization_code", GRANT]});
    let more = more.as_object().unwrap().clone();
    members.as_object_mut().unwrap().extend(more);
    stage_as(app, members).await;
}

/// A device asks: its code, and what it shows.
async fn start(app: &App) -> (String, String) {
    let pairs = [("client_id", app.client()), ("scope", "openid email")];
    let answer = app.post_form("/oauth/device/code", &pairs).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
    (text("device_code"), text("user_code"))
}

/// What the device is told.
async fn poll(app: &App, device_code: &str) -> Value {
    app.later(6);
    let pairs = [
        ("grant_type", GRANT),
        ("client_id", app.client()),
        ("device_code", device_code),
    ];
    app.post_form("/oauth/token", &pairs).await.body
}

/// Types the code; gives the page that comes next.
async fn type_code(browser: &Browser<'_>, code: &str) -> String {
    let page = browser.get("/activate").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let csrf = hidden(&page, "csrf");
    let typed = [("csrf", csrf.as_str()), ("user_code", code)];
    let answer = browser.post("/activate", &typed).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    location(&answer)
}

#[tokio::test]
async fn a_person_signs_in_and_lets_the_device_in() {
    on_both(async |app: &App| {
        stage(app, json!({})).await;
        let (device, code) = start(app).await;
        assert_eq!(poll(app, &device).await["error"], "authorization_pending");
        let browser = Browser::new(app);
        // The address that the device may show fills the code in, and no more.
        let page = browser.get(&format!("/activate?user_code={code}")).await;
        assert!(page.body.as_str().unwrap().contains(&code));
        let login = type_code(&browser, &code.to_lowercase().replace('-', " ")).await;
        assert!(login.starts_with("/u/login?"), "{login}");
        let answer = browser.fill(&login, &ANN).await;
        let confirm = location(&answer);
        assert!(confirm.starts_with("/u/device/confirm?"), "{confirm}");
        let page = browser.get(&confirm).await;
        let html = page.body.as_str().unwrap();
        assert!(html.contains(&code) && html.contains("shop"), "{html}");
        // The end is not to be had before the answer.
        let state = confirm.split_once("state=").unwrap().1;
        let resume = format!("/authorize/resume?state={state}");
        assert_eq!(location(&browser.get(&resume).await), confirm);
        assert_eq!(poll(app, &device).await["error"], "authorization_pending");
        let answer = browser.fill(&confirm, &[("action", "confirm")]).await;
        assert_eq!(location(&answer), resume);
        let done = browser.get(&resume).await;
        assert_eq!(done.status, 200);
        assert!(done.body.as_str().unwrap().contains("Device connected"));
        let tokens = poll(app, &device).await;
        assert!(tokens["access_token"].is_string(), "{tokens}");
        assert_eq!(poll(app, &device).await["error"], "invalid_grant");
        // The person is signed in now, and the session knows the client.
        let silent = browser.get(&authorize(app, "&prompt=none")).await;
        assert!(told(&silent).contains_key("code"));
        // The next device: no password, and still the question.
        let (device, code) = start(app).await;
        let confirm = type_code(&browser, &code).await;
        assert!(confirm.starts_with("/u/device/confirm?"), "{confirm}");
        let answer = browser.fill(&confirm, &[("action", "cancel")]).await;
        let done = browser.get(&location(&answer)).await;
        assert!(done.body.as_str().unwrap().contains("Device not connected"));
        assert_eq!(poll(app, &device).await["error"], "access_denied");
        assert_eq!(
            codes(app).await.join(" "),
            "s ferry_session sede ssa fdecc fede"
        );
        assert_eq!(app.engine.store.orphans().await.unwrap(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn nobody_else_confirms_a_device() {
    on_both(async |app: &App| {
        stage(app, json!({})).await;
        let (device, code) = start(app).await;
        let (ann, other) = (Browser::new(app), Browser::new(app));
        ann.sign_in("").await;
        // A form of another site, of another browser, or of none.
        let page = other.get("/activate").await;
        let csrf = hidden(&page, "csrf");
        let typed = [("csrf", csrf.as_str()), ("user_code", code.as_str())];
        assert_eq!(ann.post("/activate", &typed).await.status, 403);
        let cross = [("sec-fetch-site", "cross-site")];
        let answer = other.post_from("/activate", &typed, &cross).await;
        assert_eq!(answer.status, 403);
        assert_eq!(
            Browser::new(app).post("/activate", &typed).await.status,
            403
        );
        let confirm = type_code(&ann, &code).await;
        let state = confirm.split_once("state=").unwrap().1;
        assert_eq!(other.get(&confirm).await.status, 400);
        let forged = [("state", state), ("csrf", &*csrf), ("action", "confirm")];
        assert_eq!(other.post("/u/device/confirm", &forged).await.status, 400);
        assert_eq!(ann.post("/u/device/confirm", &forged).await.status, 403);
        assert_eq!(poll(app, &device).await["error"], "authorization_pending");
        // Answered in another window: the device waits no longer.
        let again = type_code(&ann, &code).await;
        let answer = ann.fill(&confirm, &[("action", "confirm")]).await;
        assert_eq!(ann.get(&location(&answer)).await.status, 200);
        let answer = ann.fill(&again, &[("action", "confirm")]).await;
        let late = ann.get(&location(&answer)).await;
        assert_eq!(late.status, 400, "{}", late.body);
    })
    .await;
}

#[tokio::test]
async fn who_guesses_codes_is_stopped() {
    on_both(async |app: &App| {
        stage(app, json!({})).await;
        let (_, code) = start(app).await;
        let browser = Browser::new(app);
        let csrf = hidden(&browser.get("/activate").await, "csrf");
        let send = async |code: &str| {
            let typed = [("csrf", csrf.as_str()), ("user_code", code)];
            browser.post("/activate", &typed).await.status
        };
        assert_eq!(send("").await, 400);
        for _ in 0..20 {
            assert_eq!(send("BCDF-GHJK").await, 400);
        }
        assert_eq!(send(&code).await, 429);
        app.later(901);
        assert_eq!(send(&code).await, 400, "its time is over");
    })
    .await;
}

#[tokio::test]
async fn a_third_partys_device_asks_for_consent_too() {
    on_both(async |app: &App| {
        stage(app, json!({"is_first_party": false})).await;
        let browser = Browser::new(app);
        for (action, expected) in [("deny", "access_denied"), ("accept", "")] {
            let (device, code) = start(app).await;
            let mut page = type_code(&browser, &code).await;
            if page.starts_with("/u/login?") {
                page = location(&browser.fill(&page, &ANN).await);
            }
            let answer = browser.fill(&page, &[("action", "confirm")]).await;
            let consent = location(&answer);
            assert!(consent.starts_with("/u/consent?"), "{consent}");
            let answer = browser.fill(&consent, &[("action", action)]).await;
            assert_eq!(browser.get(&location(&answer)).await.status, 200);
            let end = poll(app, &device).await;
            assert_eq!(end["error"].as_str().unwrap_or_default(), expected);
        }
    })
    .await;
}
