//! One-time links: a forgotten password, a proven address; where the password is kept here, where
//! a legacy user is not here yet, and where the legacy store keeps it.

use std::time::Duration;

use domain::UserId;
use serde_json::{Value, json};

use crate::app::{Answer, App, on_both};
use crate::legacy_store::{LegacyStore, REALM};

const USERS: &str = "/api/v2/users";
const FORGOT: &str = "/dbconnections/change_password";
const RESET: &str = "/u/reset-verify";
const SENT: &str = "We've just sent you an email to reset your password.";

fn outage() -> Value {
    json!({"error": {"name": "Error", "message": "ECONNREFUSED"}})
}

async fn forgot(app: &App, email: &str) {
    let body = json!({"client_id": app.client(), "connection": "legacy", "email": email});
    let answer = app.ask_as("", "POST", FORGOT, body).await;
    assert_eq!((answer.status, answer.body), (200, SENT.into()));
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
}

fn ticket(link: &str) -> &str {
    link.split_once("ticket=").unwrap().1
}

async fn reset(app: &App, link: &str, password: &str) -> Answer {
    let pairs = [
        ("ticket", ticket(link)),
        ("newPassword", password),
        ("confirmNewPassword", password),
    ];
    app.post_form(RESET, &pairs).await
}

/// What a page says, without its markup.
fn words(answer: &Answer) -> String {
    let mut words = String::new();
    // The head of a page says nothing that its body does not.
    let (_, body) = answer.body.as_str().unwrap().split_once("<main").unwrap();
    let mut is_tag = true;
    for letter in body.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                words.push(' ');
            }
            other if !is_tag => words.push(other),
            _ => {}
        }
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    format!("{} {}", answer.status, words.join(" "))
}

async fn login(app: &App, email: &str, password: &str) -> u16 {
    let body = json!({
        "grant_type": REALM, "realm": "legacy", "client_id": app.client(), "username": email,
        "password": password,
    });
    app.ask_as("", "POST", "/oauth/token", body).await.status
}

/// Waits for an event of this kind; gives its description.
async fn logged(app: &App, code: &str) -> String {
    for tries in 0.. {
        assert!(tries < 1000, "no {code}");
        let events = app
            .quietly("GET", "/api/v2/logs?per_page=100", Value::Null)
            .await
            .body;
        let found = events
            .as_array()
            .unwrap()
            .iter()
            .find(|event| event["type"] == code);
        if let Some(event) = found {
            return event["description"].as_str().unwrap_or_default().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    unreachable!()
}

async fn user(app: &App, id: &str) -> Value {
    app.quietly("GET", &format!("{USERS}/auth0%7C{id}"), Value::Null)
        .await
        .body
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_a_link() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy
            .connect_with(
                app,
                "legacy",
                json!({"password_complexity_options": {"min_length": 8}}),
            )
            .await;
        let ann = json!({
            "connection": "legacy", "email": "ann@example.com", "user_id": "7",
            "password": "old password",
        });
        assert_eq!(app.quietly("POST", USERS, ann).await.status, 201);
        forgot(app, "nobody@example.com").await;
        app.say(&logged(app, "fcpr").await);
        forgot(app, "ANN@example.com").await;
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        forgot(app, "ann@example.com").await;
        let (_, second) = app.mailed_link().await;
        let page = app.quietly("GET", &link, Value::Null).await;
        app.say(&words(&page));
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        assert_eq!(page.headers["cache-control"], "no-store");
        let differing = [
            ("ticket", ticket(&link)),
            ("newPassword", "new password"),
            ("confirmNewPassword", "other password"),
        ];
        app.say(&words(&app.post_form(RESET, &differing).await));
        app.say(&words(&reset(app, &link, "short").await));
        app.say(&words(&reset(app, "ticket=\"><b>", "new password").await));
        assert_eq!(login(app, "ann@example.com", "old password").await, 200);
        app.say(&words(&reset(app, &link, "new password").await));
        app.say(&words(&reset(app, &link, "newer password").await));
        // A second link for the same address goes with the first.
        app.say(&words(&reset(app, &second, "newer password").await));
        app.say(&words(&app.quietly("GET", &link, Value::Null).await));
        assert_eq!(login(app, "ann@example.com", "old password").await, 403);
        assert_eq!(login(app, "ann@example.com", "new password").await, 200);
        let user = user(app, "7").await;
        app.say(&format!(
            "{} {}",
            user["email_verified"], user["last_password_reset"]
        ));
        logged(app, "scpr").await;
        logged(app, "scp").await;
        forgot(app, "ann@example.com").await;
        let (_, late) = app.mailed_link().await;
        app.later(432_000);
        app.say(&words(&reset(app, &late, "newest password").await));
        // No token is in the database, and no mail that left.
        let dump = app.engine.store.dump().await.unwrap();
        for link in [link, second, late] {
            assert!(!dump.contains(ticket(&link)));
        }
        assert_eq!(legacy.calls(), "");
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    There is nobody with that name.
    200 ferry.example Change your password Choose a new password for your account. New password Show New password, once more Show Change password
    400 ferry.example Change your password Choose a new password for your account. The two passwords are not the same. New password Show New password, once more Show Change password
    400 ferry.example Change your password Choose a new password for your account. The password needs at least 8 characters. New password Show New password, once more Show Change password
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link is not valid.
    200 ferry.example Password changed You can now log in with your new password.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link can be used only once.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link can be used only once.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link can be used only once.
    true "2026-03-01T10:00:00.000Z"
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link has expired.
    "#);
}

#[tokio::test]
async fn a_legacy_user_arrives_with_a_new_password() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, true).await;
        legacy.put("7", "MiXed@example.com", "old password");
        forgot(app, "mixed@EXAMPLE.com").await;
        let (recipient, link) = app.mailed_link().await;
        // As the legacy store spells it, not as somebody typed it.
        assert_eq!(recipient, "MiXed@example.com");
        assert_eq!(legacy.calls(), "get_user mixed@EXAMPLE.com");
        assert_eq!(user(app, "7").await["statusCode"], 404);
        legacy.answers("get_user", outage());
        assert_eq!(reset(app, &link, "new password").await.status, 503);
        legacy.answers("get_user", Value::Null);
        legacy.calls();
        let resets = (0..6).map(|_| reset(app, &link, "new password"));
        let mut statuses: Vec<u16> = futures_util::future::join_all(resets)
            .await
            .iter()
            .map(|answer| answer.status)
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400, 400, 400]);
        let arrived = user(app, "7").await;
        assert_eq!(arrived["ferry"]["origin"], "login");
        assert_eq!(arrived["email_verified"], true);
        logged(app, "ferry_sum").await;
        let events = app
            .quietly("GET", "/api/v2/logs?per_page=100", Value::Null)
            .await
            .body;
        assert!(!events.to_string().contains("ferry_fum"), "{events}");
        legacy.calls();
        assert_eq!(login(app, "mixed@example.com", "new password").await, 200);
        assert_eq!(login(app, "mixed@example.com", "old password").await, 403);
        assert_eq!(legacy.calls(), "");
        assert_eq!(legacy.member("7", "password"), "old password");
    })
    .await;
}

#[tokio::test]
async fn where_the_legacy_store_keeps_passwords_its_script_is_called_once() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        legacy.put("7", "Ann@example.com", "old password");
        legacy.put("8", "bob@example.com", "old password");
        assert_eq!(login(app, "ann@example.com", "old password").await, 200);
        legacy.calls();
        forgot(app, "ann@example.com").await;
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "Ann@example.com");
        for answer in [
            outage(),
            json!({"value": false}),
            json!({"error": {"name": "ValidationError", "code": "c", "message": "too <old>"}}),
        ] {
            legacy.answers("change_password", answer);
            app.say(&words(&reset(app, &link, "new password").await));
        }
        app.say(&logged(app, "fcp").await);
        legacy.answers("change_password", Value::Null);
        app.say(&legacy.calls());
        let resets = (0..6).map(|_| reset(app, &link, "new password"));
        let mut answers: Vec<String> = futures_util::future::join_all(resets)
            .await
            .iter()
            .map(words)
            .collect();
        answers.sort_unstable();
        app.say(&answers.join("\n"));
        app.say(&legacy.calls());
        assert_eq!(legacy.member("7", "password"), "new password");
        assert!(user(app, "7").await["last_password_reset"].is_string());
        let stored = app.engine.store.find_user(&UserId::from("auth0|7")).await;
        let stored = stored.unwrap().unwrap();
        let connection = &stored.identities[0].connection;
        let credential = app
            .engine
            .store
            .find_credential(stored.row, connection)
            .await;
        assert!(credential.unwrap().unwrap().hash.is_none());
        // Somebody of whom there is no copy here, and who gets none by this.
        forgot(app, "bob@example.com").await;
        let (_, link) = app.mailed_link().await;
        assert_eq!(reset(app, &link, "new password").await.status, 200);
        assert_eq!(legacy.member("8", "password"), "new password");
        assert_eq!(user(app, "8").await["statusCode"], 404);
    })
    .await;
    insta::assert_snapshot!(said, @"
    503 ferry.example This did not work The service is not available right now. Nothing is wrong with your account: please try again in a moment.
    400 ferry.example This did not work Nothing was changed. Please try again.
    400 ferry.example This did not work too &lt;old&gt;
    ValidationError: too <old>
    get_user ann@example.com, change_password Ann@example.com, change_password Ann@example.com, change_password Ann@example.com
    200 ferry.example Password changed You can now log in with your new password.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link can be used only once.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link can be used only once.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link can be used only once.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link can be used only once.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link can be used only once.
    change_password Ann@example.com
    ");
}

#[tokio::test]
async fn a_link_proves_an_address_once() {
    let said = on_both(async |app: &App| {
        for mode in ["plain", "import", "legacy"] {
            let legacy = LegacyStore::start().await;
            let connection = match mode {
                "plain" => app.connection(mode, json!({})).await,
                _ => legacy.attach(app, mode, mode == "import").await,
            };
            let id = format!("{mode}7");
            legacy.put(&id, &format!("{id}@example.com"), "x");
            app.cache(&id, &connection, &format!("{id}@example.com"))
                .await;
            let body = json!({
                "user_id": format!("auth0|{id}"), "result_url": "https://shop.example/done?x=1",
                "includeEmailInRedirect": true, "ttl_sec": 60,
            });
            let made = app
                .quietly("POST", "/api/v2/tickets/email-verification", body)
                .await;
            assert_eq!(made.status, 201, "{}", made.body);
            let url = made.body["ticket"].as_str().unwrap();
            let link = url.strip_prefix("https://ferry.example").unwrap();
            let link = link.strip_suffix('#').unwrap();
            legacy.answers("verify", json!({"value": false}));
            let visits = (0..4).map(|_| app.quietly("GET", link, Value::Null));
            let mut places: Vec<String> = futures_util::future::join_all(visits)
                .await
                .iter()
                .map(|answer| {
                    format!(
                        "{} {}",
                        answer.status,
                        answer.headers["location"].to_str().unwrap()
                    )
                })
                .collect();
            if mode == "legacy" {
                assert_eq!(user(app, &id).await["email_verified"], false);
                legacy.answers("verify", Value::Null);
                let visits = (0..4).map(|_| app.quietly("GET", link, Value::Null));
                places = futures_util::future::join_all(visits)
                    .await
                    .iter()
                    .map(|answer| {
                        format!(
                            "{} {}",
                            answer.status,
                            answer.headers["location"].to_str().unwrap()
                        )
                    })
                    .collect();
                assert_eq!(legacy.member(&id, "email_verified"), true);
            }
            assert_eq!(user(app, &id).await["email_verified"], true);
            places.sort_unstable();
            app.say(&places.join("\n"));
        }
        logged(app, "sv").await;
        logged(app, "fv").await;
    })
    .await;
    insta::assert_snapshot!(said, @"
    303 https://shop.example/done?x=1&email=plain7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=plain7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=plain7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=plain7%40example.com&success=true&message=Your+email+was+verified.+You+can+continue+using+the+application.
    303 https://shop.example/done?x=1&email=import7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=import7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=import7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=import7%40example.com&success=true&message=Your+email+was+verified.+You+can+continue+using+the+application.
    303 https://shop.example/done?x=1&email=legacy7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=legacy7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=legacy7%40example.com&success=false&message=This+URL+can+be+used+only+once.
    303 https://shop.example/done?x=1&email=legacy7%40example.com&success=true&message=Your+email+was+verified.+You+can+continue+using+the+application.
    ");
}

#[tokio::test]
async fn a_verification_mail_is_a_job_and_a_changed_address_voids_it() {
    let said = on_both(async |app: &App| {
        app.connection("plain", json!({})).await;
        let body = json!({"connection": "plain", "email": "ann@example.com", "user_id": "7"});
        app.quietly("POST", USERS, body).await;
        let mail = "/api/v2/jobs/verification-email";
        let job = app
            .quietly("POST", mail, json!({"user_id": "auth0|7"}))
            .await;
        assert_eq!((job.status, &job.body["status"]), (201, &json!("pending")));
        let path = format!("/api/v2/jobs/{}", job.body["id"].as_str().unwrap());
        let job = app.quietly("GET", &path, Value::Null).await.body;
        app.say(&format!("{} {}", job["type"], job["status"]));
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        // Scanners of mail look before people do.
        assert_eq!(app.quietly("HEAD", &link, Value::Null).await.status, 200);
        app.quietly("POST", mail, json!({"user_id": "auth0|7"}))
            .await;
        let (_, second) = app.mailed_link().await;
        app.say(&words(&app.quietly("GET", &link, Value::Null).await));
        app.say(&words(&app.quietly("GET", &link, Value::Null).await));
        let change = json!({"email": "new@example.com"});
        app.quietly("PATCH", "/api/v2/users/auth0%7C7", change)
            .await;
        app.say(&words(&app.quietly("GET", &second, Value::Null).await));
        assert_eq!(user(app, "7").await["email_verified"], false);
        // An administrator who wants a mail says so.
        for body in [
            json!({"verify_email": false}),
            json!({"verify_email": true}),
        ] {
            app.quietly("PATCH", "/api/v2/users/auth0%7C7", body).await;
        }
        let (recipient, third) = app.mailed_link().await;
        assert_eq!(recipient, "new@example.com");
        app.say(&words(&app.quietly("GET", &third, Value::Null).await));
        // Proven by now: no more mail.
        app.quietly(
            "PATCH",
            "/api/v2/users/auth0%7C7",
            json!({"verify_email": true}),
        )
        .await;
        let (now, later) = (app.engine.now(), app.engine.now());
        assert_eq!(
            app.engine.store.claim_mail(now, later, 9).await.unwrap(),
            []
        );
        // A password link proves no address and opens no other door.
        let swapped = second.replace("email-verification", "reset-verify");
        app.say(&words(&app.quietly("GET", &swapped, Value::Null).await));
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    "verification_email" "completed"
    200 ferry.example Email address confirmed Your email address is confirmed. You can go on with the application.
    400 ferry.example This did not work This link can be used only once.
    400 ferry.example This did not work This link is not valid.
    200 ferry.example Email address confirmed Your email address is confirmed. You can go on with the application.
    400 ferry.example This did not work To get a new link, choose “Forgot password?” when you log in. This link is not valid.
    "#);
}

#[tokio::test]
async fn a_ticket_is_refused_by_name() {
    let said = on_both(async |app: &App| {
        let plain = app
            .connection("plain", json!({"requires_username": true}))
            .await;
        let body = json!({"connection": "plain", "username": "ann", "user_id": "7"});
        assert_eq!(app.quietly("POST", USERS, body).await.status, 201);
        let (password, email) = (
            "/api/v2/tickets/password-change",
            "/api/v2/tickets/email-verification",
        );
        for (path, body) in [
            (password, json!({})),
            (password, json!({"user_id": "auth0|7", "email": "a@b.co"})),
            (password, json!({"user_id": "auth0|nobody"})),
            (password, json!({"user_id": "auth0|7"})),
            (
                password,
                json!({"connection_id": "con_x", "email": "a@b.co"}),
            ),
            (password, json!({"connection_id": plain, "email": "a@b.co"})),
            (
                password,
                json!({"user_id": "auth0|7", "result_url": "javascript:x"}),
            ),
            (
                password,
                json!({"user_id": "auth0|7", "result_url": "https://x", "client_id": "y"}),
            ),
            (
                password,
                json!({"user_id": "auth0|7", "client_id": "nobody"}),
            ),
            (email, json!({"user_id": "auth0|7"})),
            (
                email,
                json!({"user_id": "auth0|7", "mark_email_as_verified": true}),
            ),
            (email, json!({})),
            (
                "/api/v2/jobs/verification-email",
                json!({"user_id": "auth0|7"}),
            ),
            (
                "/api/v2/jobs/verification-email",
                json!({"user_id": "auth0|nobody"}),
            ),
            (
                FORGOT,
                json!({"client_id": "x", "connection": "plain", "email": "a@b.co"}),
            ),
            (FORGOT, json!({"client_id": "x", "connection": "plain"})),
        ] {
            app.tell("POST", path, body).await;
        }
        let reader = app.token_for(Some("read:users")).await;
        for path in [password, email, "/api/v2/jobs/verification-email"] {
            app.tell_as(Some(&reader), "POST", path, json!({})).await;
        }
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /api/v2/tickets/password-change
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Either user_id, or connection_id and email, are needed'.","errorCode":"invalid_body"}
    POST /api/v2/tickets/password-change
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Either user_id, or connection_id and email, are needed'.","errorCode":"invalid_body"}
    POST /api/v2/tickets/password-change
      404 {"statusCode":404,"error":"Not Found","message":"User not found.","errorCode":"inexistent_user"}
    POST /api/v2/tickets/password-change
      400 {"statusCode":400,"error":"Bad Request","message":"The user does not have an email address.","errorCode":"no_email_address"}
    POST /api/v2/tickets/password-change
      400 {"statusCode":400,"error":"Bad Request","message":"The connection with id con_x does not exist.","errorCode":"inexistent_connection"}
    POST /api/v2/tickets/password-change
      404 {"statusCode":404,"error":"Not Found","message":"User not found.","errorCode":"inexistent_user"}
    POST /api/v2/tickets/password-change
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Only http and https' on property result_url.","errorCode":"invalid_body"}
    POST /api/v2/tickets/password-change
      400 {"statusCode":400,"error":"Bad Request","message":"Cannot set both result_url and client_id.","errorCode":"invalid_body"}
    POST /api/v2/tickets/password-change
      400 {"statusCode":400,"error":"Bad Request","message":"The client does not exist","errorCode":"inexistent_client"}
    POST /api/v2/tickets/email-verification
      400 {"statusCode":400,"error":"Bad Request","message":"The user does not have an email address.","errorCode":"no_email_address"}
    POST /api/v2/tickets/email-verification
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Additional properties not allowed: mark_email_as_verified' on property mark_email_as_verified.","errorCode":"invalid_body"}
    POST /api/v2/tickets/email-verification
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: user_id' on property user_id.","errorCode":"invalid_body"}
    POST /api/v2/jobs/verification-email
      400 {"statusCode":400,"error":"Bad Request","message":"User does not have an email address.","errorCode":"no_email_address"}
    POST /api/v2/jobs/verification-email
      404 {"statusCode":404,"error":"Not Found","message":"User not found.","errorCode":"inexistent_user"}
    POST /dbconnections/change_password
      400 {"name":"BadRequestError","code":"invalid_request","description":"Unknown connection","statusCode":400}
    POST /dbconnections/change_password
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: email'.","errorCode":"invalid_body"}
    POST /api/v2/tickets/password-change
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: create:user_tickets","errorCode":"insufficient_scope"}
    POST /api/v2/tickets/email-verification
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: create:user_tickets","errorCode":"insufficient_scope"}
    POST /api/v2/jobs/verification-email
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:users","errorCode":"insufficient_scope"}
    "#);
}

#[tokio::test]
async fn nobody_s_mailbox_is_filled() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect_with(app, "legacy", json!({})).await;
        let ann = json!({"connection": "legacy", "email": "ann@example.com", "user_id": "7"});
        app.quietly("POST", USERS, ann).await;
        for _ in 0..10 {
            forgot(app, "ann@example.com").await;
            app.mailed_link().await;
        }
        forgot(app, "Ann@example.com").await;
        assert!(logged(app, "fcpr").await.contains("too many"));
    })
    .await;
}

#[tokio::test]
async fn a_newcomer_who_is_here_already_arrives_or_is_told_for_good() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, true).await;
        let put = async |user: Value| {
            let mut user = user;
            user["connection"] = "legacy".into();
            assert_eq!(app.quietly("POST", USERS, user).await.status, 201);
        };
        put(json!({"email": "old@example.com", "user_id": "7"})).await;
        put(json!({
            "email": "bob-old@example.com", "user_id": "8", "password": "his password",
        }))
        .await;
        put(json!({
            "email": "dee@example.com", "user_id": "d", "phone_number": "+4912345",
        }))
        .await;
        // The legacy store knows them by other addresses.
        legacy.put("7", "ann@example.com", "old password");
        legacy.put("8", "bob@example.com", "old password");
        forgot(app, "ann@example.com").await;
        let (_, link) = app.mailed_link().await;
        assert_eq!(reset(app, &link, "new password").await.status, 200);
        logged(app, "ferry_sum").await;
        assert_eq!(user(app, "7").await["email"], "ann@example.com");
        legacy.calls();
        assert_eq!(login(app, "ann@example.com", "new password").await, 200);
        assert_eq!(legacy.calls(), "");
        // A password that is this person's own here is not replaced by way of an address that is not.
        forgot(app, "bob@example.com").await;
        let (_, link) = app.mailed_link().await;
        for _ in 0..2 {
            let told = words(&reset(app, &link, "new password").await);
            assert!(told.starts_with("400 "), "{told}");
            assert!(told.contains("contact the administrator"), "{told}");
        }
        assert!(logged(app, "ferry_fum").await.contains("could not move"));
        assert_eq!(login(app, "bob-old@example.com", "his password").await, 200);
        // Somebody else has the number.
        let cy = json!({
            "user_id": "9", "email": "cy@example.com", "phone_number": "+4912345",
        });
        legacy.answers("get_user", json!({"value": cy}));
        forgot(app, "cy@example.com").await;
        let (_, link) = app.mailed_link().await;
        let told = words(&reset(app, &link, "new password").await);
        assert!(told.contains("contact the administrator"), "{told}");
        assert_eq!(user(app, "9").await["statusCode"], 404);
        assert_eq!(app.engine.store.orphans().await.unwrap(), [""; 0]);
    })
    .await;
}

/// An account in another connection, to which the user 7 is linked.
async fn link_to_another(app: &App) {
    app.connection("people", json!({})).await;
    let main = json!({
        "connection": "people", "email": "main@example.com", "user_id": "m",
        "password": "main password",
    });
    assert_eq!(app.quietly("POST", USERS, main).await.status, 201);
    let path = format!("{USERS}/auth0%7Cm/identities");
    let seven = json!({"provider": "auth0", "user_id": "7"});
    let linked = app.quietly("POST", &path, seven).await;
    assert_eq!(linked.status, 201, "{}", linked.body);
}

#[tokio::test]
async fn a_linked_identity_has_an_address_and_a_password_of_its_own() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect_with(app, "legacy", json!({})).await;
        let ann = json!({
            "connection": "legacy", "email": "ann@example.com", "user_id": "7",
            "password": "old password",
        });
        assert_eq!(app.quietly("POST", USERS, ann).await.status, 201);
        link_to_another(app).await;
        let before = user(app, "m").await;
        forgot(app, "ann@example.com").await;
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        assert_eq!(reset(app, &link, "new password").await.status, 200);
        assert_eq!(login(app, "ann@example.com", "old password").await, 403);
        assert_eq!(login(app, "ann@example.com", "new password").await, 200);
        let after = user(app, "m").await;
        for name in ["email", "email_verified", "name", "identities"] {
            assert_eq!(before[name], after[name], "{name}");
        }
        let store = &app.engine.store;
        let people = store.find_connection_by_name("people").await.unwrap();
        let people = people.unwrap().id;
        let found = store.find_login(&people, "main@example.com").await.unwrap();
        assert!(found.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_linked_copy_of_a_legacy_user_is_found_for_its_link() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        legacy.put("7", "ann@example.com", "old password");
        assert_eq!(login(app, "ann@example.com", "old password").await, 200);
        link_to_another(app).await;
        forgot(app, "ann@example.com").await;
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        assert_eq!(reset(app, &link, "new password").await.status, 200);
        assert_eq!(legacy.member("7", "password"), "new password");
        // It is the account's password that was set: its sessions end.
        assert!(user(app, "m").await["last_password_reset"].is_string());
    })
    .await;
}
