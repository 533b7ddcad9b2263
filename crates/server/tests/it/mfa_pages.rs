//! Second factors on the login pages: a code by mail, a first factor, the language of mails.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use store::Mail;
use testkit::Authenticator;

use crate::app::{Answer, App, on_both};
use crate::browser::{ANN, Browser, ISSUER, codes, hidden, location, stage, told};

/// Ann, as paths name her.
async fn ann(app: &App) -> String {
    let users = app.quietly("GET", "/api/v2/users", Value::Null).await.body;
    let id = users[0]["user_id"].as_str().unwrap();
    format!("/api/v2/users/{}", id.replace('|', "%7C"))
}

async fn methods(app: &App) -> String {
    format!("{}/authentication-methods", ann(app).await)
}

async fn with_address(app: &App) {
    stage(app).await;
    let method = json!({"type": "email", "email": "second@example.com"});
    let added = app.quietly("POST", &methods(app).await, method).await;
    assert_eq!(added.status, 201, "{}", added.body);
}

/// Logs Ann in as far as a password goes; gives the path of the page that asks for more.
async fn after_password(browser: &Browser<'_>, more: &str) -> String {
    let path = browser.begin(more).await;
    let first = location(&browser.fill(&path, &ANN).await);
    assert!(first.starts_with("/u/mfa?state="), "{first}");
    location(&browser.get(&first).await)
}

/// The next mail to leave.
async fn next_mail(app: &App) -> Mail {
    for _ in 0..1000 {
        let now = app.engine.now();
        let mails = app.engine.store.claim_mail(now, now, 1).await.unwrap();
        if let Some(mail) = mails.into_iter().next() {
            let mut write = app.engine.store.write();
            write.mark_sent(&mail.id, now);
            app.engine.store.commit(write).await.unwrap();
            return mail;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    unreachable!("no mail")
}

fn digits(mail: &Mail) -> String {
    let text = mail.body.split('\u{c}').next().unwrap();
    text.chars().filter(char::is_ascii_digit).collect()
}

async fn sent(app: &App) -> usize {
    let codes = codes(app).await;
    codes.iter().filter(|code| *code == "gd_send_email").count()
}

async fn answer(browser: &Browser<'_>, path: &str, code: &str) -> Answer {
    let page = browser.get(path).await;
    let fields = ["state", "csrf", "oob_code"].map(|name| (name, hidden(&page, name)));
    let mut pairs: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    pairs.push(("code", code));
    browser.post(path.split('?').next().unwrap(), &pairs).await
}

#[tokio::test]
async fn a_page_that_is_reloaded_sends_one_code() {
    on_both(async |app: &App| {
        with_address(app).await;
        let browser = Browser::new(app);
        let path = after_password(&browser, "").await;
        assert!(path.starts_with("/u/mfa-email-challenge?"), "{path}");
        let looked = browser.send("HEAD", &path, Body::empty(), &[]).await;
        assert_eq!((looked.status, sent(app).await), (200, 0));
        let shown = async || hidden(&browser.get(&path).await, "oob_code");
        let first = shown().await;
        for _ in 0..12 {
            assert_eq!(shown().await, first);
        }
        assert_eq!(sent(app).await, 1);
        next_mail(app).await;
        // Its time is over: the page sends another.
        app.later(5 * 60);
        let second = shown().await;
        assert_ne!(second, first);
        let mut mail = next_mail(app).await;
        let wrong = answer(&browser, &path, "no").await;
        assert_eq!(wrong.status, 400);
        assert_eq!(hidden(&wrong, "oob_code"), second);
        let resend = async || browser.fill(&path, &[("action", "resend")]).await;
        for _ in 2..10 {
            assert_eq!(location(&resend().await), path);
            mail = next_mail(app).await;
        }
        let last = shown().await;
        assert_ne!(last, second);
        // Enough mails: the last code is good all the same.
        let refused = resend().await;
        assert_eq!((refused.status, sent(app).await), (429, 10));
        assert_eq!(hidden(&refused, "oob_code"), last);
        let done = answer(&browser, &path, &digits(&mail)).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let end = browser.get(&location(&done)).await;
        assert!(told(&end).contains_key("code"));
    })
    .await;
}

#[tokio::test]
async fn mails_of_a_login_speak_its_language() {
    on_both(async |app: &App| {
        with_address(app).await;
        let path = after_password(&Browser::new(app), "").await;
        assert!(path.starts_with("/u/mfa-email-challenge?"), "{path}");
        let code_mail = async |more: &str, header: &str| {
            let browser = Browser::new(app);
            let path = after_password(&browser, more).await;
            let headers = [("accept-language", header)];
            let page = browser.send("GET", &path, Body::empty(), &headers).await;
            assert_eq!(page.status, 200);
            next_mail(app).await
        };
        let mail = code_mail("&ui_locales=fr", "de").await;
        assert_eq!(mail.subject, "Votre code de connexion");
        assert!(mail.body.contains("lang=\"fr\""), "{}", mail.body);
        assert!(mail.body.contains("ferry.example"), "{}", mail.body);
        assert_eq!(code_mail("", "de").await.subject, "Ihr Anmeldecode");
        assert_eq!(code_mail("", "x-none").await.subject, "Your login code");
        let template = json!({
            "template": "mfa_oob_code", "syntax": "liquid", "enabled": true,
            "from": "crew@example.com", "subject": "Ahoy",
            "body": "<p>{{ application.name }}: {{ code }}, {{ request_language }}</p>",
        });
        let made = app.quietly("POST", "/api/v2/email-templates", template);
        assert_eq!(made.await.status, 200);
        let mail = code_mail("", "de").await;
        assert_eq!(mail.subject, "Ahoy");
        let expected = format!("shop: {}, de\n\u{c}", digits(&mail));
        assert!(mail.body.starts_with(&expected), "{}", mail.body);
        // A new password, and a new account.
        let browser = Browser::new(app);
        let path = browser.begin("&ui_locales=es").await;
        let state = path.split_once("state=").unwrap().1;
        let reset = format!("/u/reset-password/request/people?state={state}");
        let asked = browser.fill(&reset, &[("email", "ann@example.com")]).await;
        assert_eq!(asked.status, 200, "{}", asked.body);
        assert_eq!(next_mail(app).await.subject, "Elige una contraseña nueva");
        let path = browser.begin("&screen_hint=signup&ui_locales=es").await;
        let new = [("email", "bob@example.com"), ("password", "long enough")];
        assert_eq!(browser.fill(&path, &new).await.status, 303);
        let subject = next_mail(app).await.subject;
        assert_eq!(subject, "Confirma tu correo electrónico");
    })
    .await;
}

#[tokio::test]
async fn an_administrators_language_is_not_the_users() {
    on_both(async |app: &App| {
        stage(app).await;
        let users = app.quietly("GET", "/api/v2/users", Value::Null).await.body;
        let body = json!({"user_id": users[0]["user_id"]}).to_string();
        let request = Request::builder()
            .method("POST")
            .uri("/api/v2/jobs/verification-email")
            .header(
                "authorization",
                format!("Bearer {}", app.token_for(None).await),
            )
            .header("content-type", "application/json")
            .header("accept-language", "de");
        let answer = app.receive(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let subject = next_mail(app).await.subject;
        assert_eq!(subject, "Confirm your email address");
    })
    .await;
}

/// Posts what the script of the pages would.
async fn post_json(browser: &Browser<'_>, path: &str, message: &Value) -> Value {
    let headers = [("sec-fetch-site", "same-origin")];
    let body = Body::from(message.to_string());
    let answer = browser.send("POST", path, body, &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn switch(app: &App, name: &str) {
    let path = format!("/api/v2/guardian/factors/{name}");
    let off = json!({"enabled": false});
    assert_eq!(app.quietly("PUT", &path, off).await.status, 200);
}

/// Takes all factors away.
async fn strip(app: &App) {
    let path = methods(app).await;
    let gone = app.quietly("DELETE", &path, Value::Null).await;
    assert_eq!(gone.status, 204);
}

#[tokio::test]
async fn a_first_factor_is_one_that_may_be_enrolled() {
    on_both(async |app: &App| {
        stage(app).await;
        let everybody = json!(["all-applications"]);
        let policies = app.quietly("PUT", "/api/v2/guardian/policies", everybody);
        assert_eq!(policies.await.status, 200);
        let browser = Browser::new(app);
        let path = after_password(&browser, "").await;
        assert!(path.starts_with("/u/mfa-otp-enrollment-qr?"), "{path}");
        let page = browser.get(&path).await.body.to_string();
        assert!(page.contains("/u/mfa-login-options?state="), "{page}");
        let options = path.replace("/u/mfa-otp-enrollment-qr", "/u/mfa-login-options");
        let page = browser.get(&options).await.body.to_string();
        for way in [
            "/u/mfa-webauthn-roaming-enrollment?",
            "/u/mfa-email-challenge?",
        ] {
            assert!(page.contains(way), "{page}");
        }
        switch(app, "otp").await;
        assert_eq!(browser.get(&path).await.status, 403);
        // A security key: who could make it needn't prove it again.
        let browser = Browser::new(app);
        let path = after_password(&browser, "").await;
        assert!(
            path.starts_with("/u/mfa-webauthn-roaming-enrollment?"),
            "{path}"
        );
        let page = browser.get(&path).await;
        let purpose = "data-passkey=\"security-key\"";
        assert!(
            page.body.as_str().unwrap().contains(purpose),
            "{}",
            page.body
        );
        let mut message = json!({"state": hidden(&page, "state"), "csrf": hidden(&page, "csrf")});
        let asked = "/u/passkey/security-key/options";
        let options = post_json(&browser, asked, &message).await;
        let mut key = Authenticator::new(ISSUER, "stick").unwrap();
        key.verifies_user = false;
        message["credential"] = key.create(&options["publicKey"]).unwrap();
        let onward = post_json(&browser, "/u/passkey/security-key", &message).await;
        let end = browser.get(onward["location"].as_str().unwrap()).await;
        assert!(told(&end).contains_key("code"));
        // From now on it is asked for, and no other is added by a password alone.
        let browser = Browser::new(app);
        let path = after_password(&browser, "").await;
        assert!(
            path.starts_with("/u/mfa-webauthn-roaming-challenge?"),
            "{path}"
        );
        let page = browser.get(&path).await;
        let message = json!({"state": hidden(&page, "state"), "csrf": hidden(&page, "csrf")});
        let onward = post_json(&browser, asked, &message).await;
        let location = onward["location"].as_str().unwrap();
        assert!(location.starts_with("/u/mfa?state="), "{location}");
    })
    .await;
}

#[tokio::test]
async fn an_address_is_a_first_factor_where_nothing_else_may_be() {
    on_both(async |app: &App| {
        stage(app).await;
        let everybody = json!(["all-applications"]);
        let policies = app.quietly("PUT", "/api/v2/guardian/policies", everybody);
        assert_eq!(policies.await.status, 200);
        switch(app, "otp").await;
        switch(app, "webauthn-roaming").await;
        let browser = Browser::new(app);
        let path = after_password(&browser, "").await;
        assert!(path.starts_with("/u/mfa-email-challenge?"), "{path}");
        assert_eq!(browser.get(&path).await.status, 200);
        let mail = next_mail(app).await;
        assert_eq!(mail.recipient, "ann@example.com");
        let wrong = answer(&browser, &path, "no").await;
        assert_eq!(wrong.status, 400);
        let done = answer(&browser, &path, &digits(&mail)).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let end = browser.get(&location(&done)).await;
        assert!(told(&end).contains_key("code"));
        let listed = app.quietly("GET", &methods(app).await, Value::Null).await;
        assert_eq!(listed.body["authenticators"][0]["type"], "email");
        // Nothing may be enrolled: a page says so, and nobody is let in.
        strip(app).await;
        switch(app, "email").await;
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        let first = location(&browser.fill(&path, &ANN).await);
        let page = browser.get(&first).await;
        assert_eq!(page.status, 403);
        let resume = first.replace("/u/mfa", "/authorize/resume");
        assert_eq!(location(&browser.get(&resume).await), first);
    })
    .await;
}
