//! Logins in a browser, from `/authorize` to the code, on both databases.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::{Answer, App, on_both};
use crate::browser::{
    ANN, Browser, CALLBACK, CHALLENGE, ISSUER, authorize, codes, hidden, location, serve, stage,
    stage_as, told,
};
use crate::legacy_store::LegacyStore;

#[tokio::test]
async fn a_login_ends_with_a_code() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        assert!(path.starts_with("/u/login?state="), "{path}");
        let page = browser.get(&path).await;
        assert_eq!(page.headers["cache-control"], "no-store");
        assert!(page.headers.contains_key("content-security-policy"));
        let wrong = [("username", "ann@example.com"), ("password", "wrong")];
        let answer = browser.fill(&path, &wrong).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer
                .body
                .as_str()
                .unwrap()
                .contains("Wrong username or password.")
        );
        assert!(browser.session().is_none());
        let answer = browser.fill(&path, &ANN).await;
        assert_eq!(answer.status, 303);
        let resume = location(&answer);
        assert!(resume.starts_with("/authorize/resume?state="), "{resume}");
        let answer = browser.get(&resume).await;
        assert_eq!(answer.status, 302);
        let told = told(&answer);
        assert_eq!(told["state"], "its state");
        assert_eq!(told["iss"], "https://ferry.example/");
        let hash = hex::encode(Sha256::digest(told["code"].as_bytes()));
        let code = app.engine.store.find_code(&hash).await.unwrap().unwrap();
        assert!(code.binding.contains(CHALLENGE) && code.binding.contains(CALLBACK));
        let found = app
            .engine
            .store
            .find_authorization(&code.authorization)
            .await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.client_id.as_str(), app.client());
        assert_eq!(found.scope, "openid email");
        assert!(found.authentication.session.is_some());
        assert!(browser.session().is_some());
        // The back button, and the same form once more.
        for path in [&path, &resume] {
            let again = browser.get(path).await;
            assert_eq!(again.status, 400);
            assert!(
                again
                    .body
                    .as_str()
                    .unwrap()
                    .contains("This login is over already.")
            );
        }
        assert_eq!(codes(app).await, ["fp", "s", "ferry_session"]);
    })
    .await;
}

#[tokio::test]
async fn a_session_answers_without_asking() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        let none = browser.get(&authorize(app, "&prompt=none")).await;
        assert_eq!(told(&none)["error"], "login_required");
        assert!(none.headers.get("set-cookie").is_none());
        assert!(told(&browser.sign_in("").await).contains_key("code"));
        let first = browser.session().unwrap();
        for more in ["", "&prompt=none", "&max_age=60"] {
            let answer = browser.get(&authorize(app, more)).await;
            assert!(told(&answer).contains_key("code"), "{more}");
        }
        assert_eq!(browser.session().unwrap(), first);
        // A new login: the same session, a new cookie; the old one is worth nothing.
        assert!(told(&browser.sign_in("&prompt=login").await).contains_key("code"));
        assert_ne!(browser.session().unwrap(), first);
        let thief = Browser::new(app);
        let mut jar = BTreeMap::new();
        jar.insert("__Host-ferry-session".to_owned(), first);
        *thief.cookies.lock().unwrap() = jar;
        let answer = thief.get(&authorize(app, "&prompt=none")).await;
        assert_eq!(told(&answer)["error"], "login_required");
        app.later(61);
        let answer = browser
            .get(&authorize(app, "&prompt=none&max_age=60"))
            .await;
        assert_eq!(told(&answer)["error"], "login_required");
        let consent = browser.get(&authorize(app, "&prompt=consent")).await;
        assert!(location(&consent).starts_with("/u/consent?state="));
        // Idle for three days.
        app.later(72 * 3600);
        let answer = browser.get(&authorize(app, "&prompt=none")).await;
        assert_eq!(told(&answer)["error"], "login_required");
        let said = codes(app).await.join(" ");
        assert_eq!(
            said,
            "fsa s ferry_session ssa ssa ssa s ferry_session fsa fsa fsa"
        );
    })
    .await;
}

#[tokio::test]
async fn a_form_belongs_to_its_browser() {
    on_both(async |app: &App| {
        stage(app).await;
        let (ann, other) = (Browser::new(app), Browser::new(app));
        let path = ann.begin("").await;
        let page = ann.get(&path).await;
        let (state, csrf) = (hidden(&page, "state"), hidden(&page, "csrf"));
        let mut pairs = vec![("state", state.as_str()), ("csrf", csrf.as_str())];
        pairs.extend(ANN);
        // A browser without the cookie, and one with another.
        for _ in 0..2 {
            assert_eq!(other.get(&path).await.status, 400);
            assert_eq!(other.post("/u/login", &pairs).await.status, 400);
            let resume = other.get(&format!("/authorize/resume?state={state}")).await;
            assert_eq!(resume.status, 400);
            other.begin("").await;
        }
        // A form of another site, or without its token.
        for headers in [
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ] {
            let answer = ann.post_from("/u/login", &pairs, &[headers]).await;
            assert_eq!(answer.status, 403, "{headers:?}");
        }
        let answer = ann
            .post("/u/login", &[&[pairs[0]], &ANN[..]].concat())
            .await;
        assert_eq!(answer.status, 403);
        let answer = ann
            .post_from("/u/login", &pairs, &[("origin", ISSUER)])
            .await;
        assert_eq!(answer.status, 303);
        // The same form once more changes nothing.
        let again = ann.post("/u/login", &pairs).await;
        assert_eq!(location(&again), location(&answer));
        assert!(told(&ann.get(&location(&again)).await).contains_key("code"));
        // Too late.
        let path = ann.begin("&prompt=login").await;
        app.later(3601);
        let late = ann.get(&path).await;
        assert_eq!(late.status, 400);
        assert!(
            late.body
                .as_str()
                .unwrap()
                .contains("This page has expired.")
        );
        assert_eq!(codes(app).await, ["s", "ferry_session"]);
    })
    .await;
}

#[tokio::test]
async fn two_tabs_each_get_their_code() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        let (one, other) = (browser.begin("").await, browser.begin("").await);
        let (one, other) = (
            browser.fill(&one, &ANN).await,
            browser.fill(&other, &ANN).await,
        );
        let (one, other) = (location(&one), location(&other));
        let (one, other) = tokio::join!(browser.get(&one), browser.get(&other));
        assert!(told(&one).contains_key("code") && told(&other).contains_key("code"));
        let none = browser.get(&authorize(app, "&prompt=none")).await;
        assert!(told(&none).contains_key("code"));
        assert_eq!(app.engine.store.orphans().await.unwrap(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn identifier_first_and_sign_up() {
    on_both(async |app: &App| {
        stage(app).await;
        let mut write = app.engine.store.write();
        write.set_setting("prompts", r#"{"identifier_first": true}"#);
        app.engine.store.commit(write).await.unwrap();
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        assert!(path.starts_with("/u/login/identifier?"), "{path}");
        // Nobody of this name exists: the next page is the same.
        let answer = browser
            .fill(&path, &[("username", "nobody@example.com")])
            .await;
        let password = location(&answer);
        assert!(password.starts_with("/u/login/password?"), "{password}");
        let wrong = browser
            .fill(&password, &[("password", "her password")])
            .await;
        assert_eq!(wrong.status, 400);
        browser
            .fill(&path, &[("username", "ann@example.com")])
            .await;
        // A form that was shown for another name is not taken for this one.
        let stale = [
            ("username", "nobody@example.com"),
            ("password", "her password"),
        ];
        let answer = browser.fill(&password, &stale).await;
        assert_eq!(location(&answer), password);
        let answer = browser
            .fill(&password, &[("password", "her password")])
            .await;
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
        let newcomer = Browser::new(app);
        let path = newcomer.begin("&screen_hint=signup").await;
        assert!(path.starts_with("/u/signup?"), "{path}");
        let taken = [("email", "ann@example.com"), ("password", "long enough")];
        let answer = newcomer.fill(&path, &taken).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer
                .body
                .as_str()
                .unwrap()
                .contains("There is already an account")
        );
        let new = [("email", "bob@example.com"), ("password", "long enough")];
        let answer = newcomer.fill(&path, &new).await;
        assert!(told(&newcomer.get(&location(&answer)).await).contains_key("code"));
    })
    .await;
}

#[tokio::test]
async fn a_third_party_asks_once_for_what_it_wants() {
    on_both(async |app: &App| {
        stage_as(app, json!({"is_first_party": false})).await;
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        let consent = location(&browser.fill(&path, &ANN).await);
        assert!(consent.starts_with("/u/consent?"), "{consent}");
        // Not before it was answered.
        let state = consent.split_once("state=").unwrap().1;
        let resume = browser
            .get(&format!("/authorize/resume?state={state}"))
            .await;
        assert_eq!(location(&resume), consent);
        let answer = browser.fill(&consent, &[("action", "deny")]).await;
        let refused = browser.get(&location(&answer)).await;
        assert_eq!(told(&refused)["error"], "access_denied");
        assert!(browser.session().is_none());
        let path = browser.begin("").await;
        let consent = location(&browser.fill(&path, &ANN).await);
        let answer = browser.fill(&consent, &[("action", "accept")]).await;
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
        let none = browser.get(&authorize(app, "&prompt=none")).await;
        assert!(told(&none).contains_key("code"));
        let more = browser
            .get(&authorize(app, "&prompt=none").replace("email", "profile"))
            .await;
        assert_eq!(told(&more)["error"], "consent_required");
        // Logged out in another tab before the answer: who it is must be proven again.
        let consent = browser.begin("&prompt=consent").await;
        assert_eq!(browser.get("/v2/logout").await.status, 200);
        let answer = browser.fill(&consent, &[("action", "accept")]).await;
        let answer = browser.get(&location(&answer)).await;
        assert!(
            location(&answer).starts_with("/u/login?"),
            "{}",
            location(&answer)
        );
    })
    .await;
}

#[tokio::test]
async fn a_session_grows_too_old_while_a_page_stands_open() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        browser.sign_in("").await;
        app.later(30);
        let accept = [("action", "accept")];
        // Young enough all the time.
        let consent = browser.begin("&prompt=consent&max_age=60").await;
        let answer = browser.fill(&consent, &accept).await;
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
        // Too old when the page is left.
        let consent = browser.begin("&prompt=consent&max_age=60").await;
        assert!(consent.starts_with("/u/consent?"), "{consent}");
        app.later(31);
        let answer = browser.fill(&consent, &accept).await;
        let login = location(&browser.get(&location(&answer)).await);
        assert!(login.starts_with("/u/login?"), "{login}");
        // A proof given in this very login is fresh, however long the next page stands open.
        let consent = location(&browser.fill(&login, &ANN).await);
        assert!(consent.starts_with("/u/consent?"), "{consent}");
        app.later(61);
        let answer = browser.fill(&consent, &accept).await;
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
        // Nobody asked for an age.
        let consent = browser.begin("&prompt=consent").await;
        app.later(3000);
        let answer = browser.fill(&consent, &accept).await;
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
    })
    .await;
}

#[tokio::test]
async fn a_stranger_redirects_nobody() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        let good = authorize(app, "");
        let twice = format!("redirect_uri={CALLBACK}&state=");
        for (from, to, status) in [
            (CALLBACK, "https://evil.example/cb", 403),
            (CALLBACK, "https://shop.example/cb/../x", 403),
            (CALLBACK, "https://shop.example/cb%23x", 403),
            (app.client(), "nobody", 400),
            ("state=", &twice, 400),
            // Its page is no page that takes messages.
            ("nonce=n", "response_mode=web_message", 400),
        ] {
            let answer = browser.get(&good.replace(from, to)).await;
            assert_eq!(answer.status, status, "{to}");
            assert!(answer.headers.get("location").is_none());
        }
        for (from, to, error) in [
            (
                "response_type=code",
                "response_type=id_token",
                "unauthorized_client",
            ),
            (
                "response_type=code",
                "response_type=x",
                "unsupported_response_type",
            ),
            (
                "code_challenge_method=S256",
                "code_challenge_method=plain",
                "invalid_request",
            ),
            ("nonce=n", "prompt=none%20login", "invalid_request"),
            ("nonce=n", "nonce=n&nonce=m", "invalid_request"),
            ("nonce=n", "connection=other", "invalid_request"),
        ] {
            let answer = browser.get(&good.replace(from, to)).await;
            assert_eq!(told(&answer)["error"], error, "{to}");
            assert_eq!(told(&answer)["iss"], "https://ferry.example/");
        }
        let client = format!("/api/v2/clients/{}", app.client());
        let origins = json!({"web_origins": ["https://shop.example"]});
        assert_eq!(app.quietly("PATCH", &client, origins).await.status, 200);
        for mode in ["form_post", "web_message"] {
            let path = authorize(app, &format!("&prompt=none&response_mode={mode}"));
            let answer = browser.get(&path).await;
            assert_eq!(answer.status, 200);
            let body = answer.body.as_str().unwrap();
            assert!(body.contains("login_required"), "{body}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_legacy_user_arrives_on_the_page() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, true).await;
        let client = format!("/api/v2/clients/{}", app.client());
        let callbacks = json!({
            "callbacks": [CALLBACK], "grant_types": ["authorization_code"],
        });
        assert_eq!(app.quietly("PATCH", &client, callbacks).await.status, 200);
        legacy.put("7", "ann@example.com", "her password");
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        // An outage is no wrong password.
        legacy.answers(
            "login",
            json!({"error": {"name": "Error", "message": "ECONNREFUSED"}}),
        );
        for _ in 0..3 {
            let answer = browser.fill(&path, &ANN).await;
            assert_eq!(answer.status, 503);
            assert!(
                answer
                    .body
                    .as_str()
                    .unwrap()
                    .contains("The service is not available right now.")
            );
        }
        legacy.answers("login", Value::Null);
        let wrong = [("username", "ann@example.com"), ("password", "wrong")];
        assert_eq!(browser.fill(&path, &wrong).await.status, 400);
        let answer = browser.fill(&path, &ANN).await;
        // The browser is closed here: the user is whole, and nobody is signed in.
        let user = app
            .quietly("GET", "/api/v2/users/auth0%7C7", Value::Null)
            .await;
        assert_eq!(user.status, 200);
        assert!(browser.session().is_none());
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
        // Who is there already can't sign up; who is only there, neither.
        legacy.put("8", "bob@example.com", "his password");
        let newcomer = Browser::new(app);
        let path = newcomer.begin("&screen_hint=signup").await;
        let taken = [("email", "bob@example.com"), ("password", "long enough")];
        let answer = newcomer.fill(&path, &taken).await;
        assert!(
            answer
                .body
                .as_str()
                .unwrap()
                .contains("There is already an account"),
            "{}",
            answer.body
        );
        // A new password by mail, and with it the user arrives.
        let state = path.split_once("state=").unwrap().1;
        let reset = format!("/u/reset-password/request/legacy?state={state}");
        let answer = newcomer.fill(&reset, &[("email", "bob@example.com")]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(app.mailed_link().await.0, "bob@example.com");
    })
    .await;
}

#[tokio::test]
async fn where_the_name_comes_first_the_legacy_store_is_asked_about_it() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, true).await;
        let client = format!("/api/v2/clients/{}", app.client());
        let callbacks = json!({
            "callbacks": [CALLBACK], "grant_types": ["authorization_code"],
        });
        assert_eq!(app.quietly("PATCH", &client, callbacks).await.status, 200);
        let mut write = app.engine.store.write();
        write.set_setting("prompts", r#"{"identifier_first": true}"#);
        app.engine.store.commit(write).await.unwrap();
        legacy.put("7", "ann@example.com", "her password");
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        assert!(path.starts_with("/u/login/identifier?"), "{path}");
        let named = |name: &'static str| [("username", name)];
        // An outage shows before anybody types a password.
        legacy.answers(
            "get_user",
            json!({"error": {"name": "Error", "message": "ECONNREFUSED"}}),
        );
        let answer = browser.fill(&path, &named("ann@example.com")).await;
        assert_eq!(answer.status, 503);
        let page = answer.body.as_str().unwrap();
        assert!(
            page.contains("The service is not available right now."),
            "{page}"
        );
        legacy.answers("get_user", Value::Null);
        legacy.calls();
        // Whatever it says, the next page is the same.
        let mut password = String::new();
        for name in ["nobody@example.com", "ann@example.com"] {
            password = location(&browser.fill(&path, &named(name)).await);
            assert!(password.starts_with("/u/login/password?"), "{password}");
        }
        let asked = "get_user nobody@example.com, get_user ann@example.com";
        assert_eq!(legacy.calls(), asked);
        let answer = browser
            .fill(&password, &[("password", "her password")])
            .await;
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
        assert_eq!(legacy.calls(), "login ann@example.com");
        // Whoever is here is not asked about.
        let other = Browser::new(app);
        let path = other.begin("").await;
        let answer = other.fill(&path, &named("ANN@example.com")).await;
        assert!(location(&answer).starts_with("/u/login/password?"));
        assert_eq!(legacy.calls(), "");
    })
    .await;
}

#[tokio::test]
async fn a_session_is_listed_and_ended() {
    on_both(async |app: &App| {
        stage_as(
            app,
            json!({"allowed_logout_urls": ["https://shop.example/bye"]}),
        )
        .await;
        let browser = Browser::new(app);
        let is_in = async || {
            let answer = browser.get(&authorize(app, "&prompt=none")).await;
            told(&answer).contains_key("code")
        };
        let sessions = async || {
            let users = app.quietly("GET", "/api/v2/users", Value::Null).await.body;
            let user = users[0]["user_id"].as_str().unwrap().replace('|', "%7C");
            let path = format!("/api/v2/users/{user}/sessions");
            (
                path.clone(),
                app.quietly("GET", &path, Value::Null).await.body,
            )
        };
        browser.sign_in("").await;
        let (path, listed) = sessions().await;
        let session = &listed["sessions"][0];
        assert_eq!(session["clients"], json!([{"client_id": app.client()}]));
        assert_eq!(session["authentication"]["methods"][0]["name"], "pwd");
        let one = format!("/api/v2/sessions/{}", session["id"].as_str().unwrap());
        assert_eq!(app.quietly("GET", &one, Value::Null).await.body, *session);
        assert!(is_in().await);
        assert_eq!(app.quietly("DELETE", &one, Value::Null).await.status, 202);
        assert_eq!(app.quietly("DELETE", &one, Value::Null).await.status, 404);
        assert!(!is_in().await);
        browser.sign_in("").await;
        assert_eq!(app.quietly("DELETE", &path, Value::Null).await.status, 202);
        assert!(!is_in().await);
        // What was proven in that very moment counts no longer, either.
        app.later(1);
        // Auth0's logout asks nobody; OpenID Connect's does.
        let bye = "returnTo=https://shop.example/bye";
        for (logout, status) in [
            (format!("/v2/logout?client_id={}&{bye}", app.client()), 302),
            (format!("/v2/logout?{bye}"), 400),
            (
                format!(
                    "/v2/logout?client_id={}&returnTo=https://evil.example",
                    app.client()
                ),
                400,
            ),
            ("/v2/logout".to_owned(), 200),
        ] {
            browser.sign_in("&prompt=login").await;
            assert_eq!(browser.get(&logout).await.status, status, "{logout}");
            assert_eq!(is_in().await, status == 400, "{logout}");
        }
        browser.sign_in("&prompt=login").await;
        let page = browser.get("/oidc/logout").await;
        assert!(page.status == 200 && is_in().await);
        let forged = browser.post("/u/logout", &[("csrf", "x")]).await;
        assert!(forged.status == 403 && is_in().await);
        let csrf = hidden(&page, "csrf");
        assert_eq!(
            browser.post("/u/logout", &[("csrf", &csrf)]).await.status,
            200
        );
        assert!(!is_in().await);
        let wrong = browser.get("/oidc/logout?id_token_hint=x.y.z").await;
        assert_eq!(wrong.status, 400);
        assert_eq!(app.engine.store.orphans().await.unwrap(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn the_page_blocks_and_judges_as_the_grants_do() {
    on_both(async |app: &App| {
        let strict = json!({
            "passwordPolicy": "good", "password_no_personal_info": {"enable": true},
        });
        let connection = app.connection("people", strict).await.to_string();
        serve(app, &connection, json!({})).await;
        let browser = Browser::new(app);
        let says = |answer: &Answer, status: u16, words: &str| {
            let page = answer.body.as_str().unwrap();
            assert!(answer.status == status && page.contains(words), "{page}");
        };
        let sign_up = browser.begin("&screen_hint=signup").await;
        for (password, words) in [
            ("short", "The password needs at least 8 characters."),
            ("only lower case", "The password needs three of these"),
            ("Ann@example.com", "must not contain parts of your name"),
        ] {
            let form = [("email", "ann@example.com"), ("password", password)];
            says(&browser.fill(&sign_up, &form).await, 400, words);
        }
        let form = [("email", "ann@example.com"), ("password", "Good enough 1")];
        assert_eq!(browser.fill(&sign_up, &form).await.status, 303);
        app.mailed_link().await;
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        let wrong = [("username", "ann@example.com"), ("password", "wrong")];
        for _ in 0..10 {
            says(
                &browser.fill(&path, &wrong).await,
                400,
                "Wrong username or password.",
            );
        }
        for password in ["wrong", "Good enough 1"] {
            let form = [("username", "ann@example.com"), ("password", password)];
            let answer = browser.fill(&path, &form).await;
            says(&answer, 429, "Too many failed attempts.");
        }
        assert_eq!(app.engine.tell_blocked().await.unwrap(), 1);
        let (_, link) = app.mailed_link().await;
        let ticket = link.split_once("ticket=").unwrap().1;
        let freed = browser.post("/u/unblock", &[("ticket", ticket)]).await;
        says(&freed, 200, "Block lifted");
        let form = [
            ("username", "ann@example.com"),
            ("password", "Good enough 1"),
        ];
        assert_eq!(browser.fill(&path, &form).await.status, 303);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_serves_the_client_no_more_ends_no_login() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        let answer = browser.fill(&path, &ANN).await;
        let people = app.engine.store.find_connection_by_realm("people").await;
        let id = people.unwrap().unwrap().id;
        let served = json!([{"client_id": app.client(), "status": false}]);
        let path = format!("/api/v2/connections/{id}/clients");
        assert_eq!(app.quietly("PATCH", &path, served).await.status, 204);
        let refused = browser.get(&location(&answer)).await;
        assert_eq!(told(&refused)["error"], "access_denied");
        assert!(browser.session().is_none());
    })
    .await;
}

#[tokio::test]
async fn one_can_go_back_to_the_name() {
    on_both(async |app: &App| {
        stage(app).await;
        let mut write = app.engine.store.write();
        write.set_setting("prompts", r#"{"identifier_first": true}"#);
        app.engine.store.commit(write).await.unwrap();
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        let state = path.split_once("state=").unwrap().1;
        let html = async |path: &str| {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            page.body.as_str().unwrap().replace("&#x2f;", "/")
        };
        let typed = [("username", "ann@example.com")];
        let password = location(&browser.fill(&path, &typed).await);
        assert!(password.starts_with("/u/login/password?"), "{password}");
        let edit = format!("href=\"/u/login/identifier?state={state}\"");
        let page = html(&password).await;
        assert!(page.contains(&edit), "{page}");
        // What was typed stands there.
        let page = html(&path).await;
        assert!(page.contains("value=\"ann@example.com\""), "{page}");
        let reset = format!("/u/reset-password/request/people?state={state}");
        let back = format!("href=\"/u/login?state={state}\"");
        let page = html(&reset).await;
        assert!(page.contains(&back), "{page}");
        let back = browser.get(&format!("/u/login?state={state}")).await;
        assert_eq!(location(&back), password);
    })
    .await;
}
