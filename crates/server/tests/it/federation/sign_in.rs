//! A second Ferry is the provider.

use serde_json::{Value, json};

use super::net::{Browser, Seen, Site, parts};
use super::{HERE, Stage, on_both};

const UP: &str = "up.example";

/// Another Ferry, its user Bob, and our connection `up` to it.
async fn provider(stage: &Stage, more: Value) -> Site {
    let up = Site::on_sqlite(&stage.net, UP).await;
    let client = json!({
        "name": "Ferry here", "app_type": "regular_web",
        "callbacks": [format!("https://{HERE}/login/callback")],
        "grant_types": ["authorization_code"],
    });
    let client = up.expect(201, "POST", "/api/v2/clients", client).await;
    let people = json!({
        "name": "people", "strategy": "auth0", "enabled_clients": [client["client_id"]],
    });
    up.expect(201, "POST", "/api/v2/connections", people).await;
    let bob = json!({
        "connection": "people", "email": "Bob@up.example", "password": "His password 1",
        "email_verified": true, "user_id": "42", "name": "Bob", "given_name": "Robert",
    });
    up.expect(201, "POST", "/api/v2/users", bob).await;
    let mut options = json!({
        "client_id": client["client_id"], "client_secret": client["client_secret"],
        "issuer": format!("https://{UP}/"),
    });
    let members = more.as_object().unwrap().clone();
    options.as_object_mut().unwrap().extend(members);
    let body = json!({"name": "up", "strategy": "oidc", "options": options});
    stage.connect(body).await;
    up
}

const BOB: [(&str, &str); 2] = [
    ("username", "bob@up.example"),
    ("password", "His password 1"),
];

fn is_at(seen: &Seen, place: &str) -> bool {
    let (host, path) = parts(&seen.url);
    format!("{host}{path}").starts_with(place)
}

#[tokio::test]
async fn a_person_signs_in_with_another_ferry() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        let up = provider(stage, json!({})).await;
        let browser = Browser::new(&stage.net);
        let page = stage.begin(&browser, "").await;
        assert!(is_at(&page, "ferry.example/u/login?state="), "{}", page.url);
        let there = browser.go(&page.link("Continue with up")).await;
        assert!(is_at(&there, "up.example/u/login?state="), "{}", there.url);
        let seen = browser.submit(&there, &BOB).await;
        assert!(seen.told().contains_key("code"), "{}", seen.url);
        let user = stage.user("oidc|up|auth0|42").await;
        assert_eq!(user["email"], "bob@up.example");
        assert_eq!(
            (&user["email_verified"], &user["name"]),
            (&json!(true), &json!("Bob"))
        );
        assert_eq!(
            user["identities"],
            json!([{"connection": "up", "user_id": "up|auth0|42", "provider": "oidc",
                "isSocial": false}])
        );
        assert_eq!(
            (&user["logins_count"], &user["given_name"]),
            (&json!(1), &json!("Robert"))
        );
        // Nothing of the protocol was kept for a profile.
        for name in ["iss", "aud", "nonce", "sid", "at_hash", "exp"] {
            assert!(user.get(name).is_none(), "{name}");
        }
        assert_eq!(stage.here.codes().await, ["ss", "s", "ferry_session"]);
        let event = stage.here.event("s").await;
        assert_eq!(
            (
                &event["strategy"],
                &event["strategy_type"],
                &event["connection"]
            ),
            (&json!("oidc"), &json!("enterprise"), &json!("up"))
        );
        // Here a session answers now; it is one of the provider's connection.
        let silent = stage.begin(&browser, "&prompt=none").await;
        assert!(silent.told().contains_key("code"));
        let silent = stage.begin(&browser, "&prompt=none&connection=up").await;
        assert!(silent.told().contains_key("code"));
        // The next time the provider is asked again, and what it says is what is so.
        let change = json!({"name": "Bob the Builder"});
        up.expect(200, "PATCH", "/api/v2/users/auth0%7C42", change)
            .await;
        let page = stage.begin(&browser, "&prompt=login").await;
        let there = browser.go(&page.link("Continue with up")).await;
        assert!(is_at(&there, "up.example/u/login"), "{}", there.url);
        assert!(
            browser
                .submit(&there, &BOB)
                .await
                .told()
                .contains_key("code")
        );
        let user = stage.user("oidc|up|auth0|42").await;
        assert_eq!(
            (&user["logins_count"], &user["name"]),
            (&json!(2), &json!("Bob the Builder"))
        );
        let by_email = "/api/v2/users-by-email?email=BOB%40up.example";
        let found = stage.here.expect(200, "GET", by_email, Value::Null).await;
        assert_eq!(found.as_array().unwrap().len(), 1);
        stage.is_whole().await;
    })
    .await;
}

#[tokio::test]
async fn some_logins_go_straight_to_the_provider() {
    on_both(async |stage: &Stage| {
        let more = json!({"domain_aliases": ["Up.Example"]});
        provider(stage, more).await;
        // It is the only one, and nobody here has a password.
        let browser = Browser::new(&stage.net);
        let there = stage.begin(&browser, "").await;
        assert!(is_at(&there, "up.example/u/login"), "{}", there.url);
        stage.people().await;
        let page = stage.begin(&browser, "").await;
        assert!(is_at(&page, "ferry.example/u/login"), "{}", page.url);
        // The client names it.
        let there = stage
            .begin(&browser, "&connection=up&login_hint=bob%40up.example")
            .await;
        assert!(is_at(&there, "up.example/u/login"), "{}", there.url);
        assert!(there.says("bob@up.example"));
        // The name that was typed belongs there.
        let mut write = stage.here.engine.store.write();
        write.set_setting("prompts", r#"{"identifier_first": true}"#);
        stage.here.engine.store.commit(write).await.unwrap();
        let page = stage.begin(&browser, "").await;
        assert!(
            is_at(&page, "ferry.example/u/login/identifier"),
            "{}",
            page.url
        );
        let here = browser
            .submit(&page, &[("username", "x@other.example")])
            .await;
        assert!(
            is_at(&here, "ferry.example/u/login/password"),
            "{}",
            here.url
        );
        let page = browser.go(&page.url).await;
        let there = browser
            .submit(&page, &[("username", "bob@UP.example")])
            .await;
        assert!(is_at(&there, "up.example/u/login"), "{}", there.url);
        assert!(
            browser
                .submit(&there, &BOB)
                .await
                .told()
                .contains_key("code")
        );
        // Nobody may be asked: nobody goes anywhere.
        let stranger = Browser::new(&stage.net);
        let told = stage
            .begin(&stranger, "&prompt=none&connection=up")
            .await
            .told();
        assert_eq!(told["error"], "login_required");
        let unknown = stage.begin(&stranger, "&connection=nowhere").await.told();
        assert_eq!(unknown["error"], "invalid_request");
    })
    .await;
}

/// Everything that takes passwords leaves the connection alone.
#[tokio::test]
async fn nobody_has_a_password_there() {
    let stage = Stage::on_sqlite().await;
    provider(&stage, json!({})).await;
    let here = &stage.here;
    let of_up = json!({"connection": "up", "email": "x@up.example", "password": "long enough 1!"});
    let (status, answer) = here.api("POST", "/api/v2/users", of_up).await;
    assert_eq!(status, 400);
    assert_eq!(
        answer["message"],
        "Connection does not support user creation through the API. It must either be a database \
         or passwordless connection."
    );
    let sign_up = json!({
        "client_id": stage.client, "connection": "up", "email": "x@up.example",
        "password": "long enough 1!",
    });
    assert_eq!(
        here.api("POST", "/dbconnections/signup", sign_up.clone())
            .await
            .0,
        400
    );
    let (status, _) = here
        .api("POST", "/dbconnections/change_password", sign_up)
        .await;
    assert_eq!(status, 400);
    let shop = format!("/api/v2/clients/{}", stage.client);
    let grants =
        json!({"grant_types": ["password", "http://auth0.com/oauth/grant-type/password-realm"]});
    here.expect(200, "PATCH", &shop, grants).await;
    let grant = json!({
        "grant_type": "http://auth0.com/oauth/grant-type/password-realm", "realm": "up",
        "client_id": stage.client, "username": "bob@up.example", "password": "His password 1",
    });
    let (status, answer) = here.api("POST", "/oauth/token", grant).await;
    assert!((400..=403).contains(&status), "{answer}");
    assert!(answer.to_string().contains("realm"), "{answer}");
    assert_eq!(stage.users().await, [""; 0]);
}

#[tokio::test]
async fn an_administrator_does_not_speak_for_the_provider() {
    let stage = Stage::on_sqlite().await;
    provider(
        &stage,
        json!({"attribute_map": {"mapping_mode": "basic_profile"}}),
    )
    .await;
    let browser = Browser::new(&stage.net);
    let there = stage.begin(&browser, "").await;
    assert!(
        browser
            .submit(&there, &BOB)
            .await
            .told()
            .contains_key("code")
    );
    let path = "/api/v2/users/oidc%7Cup%7Cauth0%7C42";
    let change = async |body: Value| stage.here.api("PATCH", path, body).await;
    for (body, words) in [
        (
            json!({"email": "x@y.example"}),
            "Cannot update email for non-database user.",
        ),
        (
            json!({"password": "long enough 1!"}),
            "Connection is not supported for this operation.",
        ),
        (
            json!({"name": "Other"}),
            "The following user attributes cannot be updated: name.",
        ),
    ] {
        let (status, answer) = change(body).await;
        assert_eq!(status, 400);
        let message = answer["message"].as_str().unwrap();
        assert!(message.starts_with(words), "{message}");
    }
    // What is ours can be changed, also who may come in.
    let (status, _) = change(json!({"app_metadata": {"plan": "gold"}, "blocked": true})).await;
    assert_eq!(status, 200);
    let there = stage.begin(&browser, "&prompt=login").await;
    let refused = browser.submit(&there, &BOB).await;
    assert_eq!(refused.status(), 400);
    assert!(
        refused.says("Your account has been blocked."),
        "{}",
        refused.reply.body
    );
    let event = stage.here.event("f").await;
    assert_eq!(event["description"], "user is blocked");
    assert_eq!(
        stage.user("oidc|up|auth0|42").await["app_metadata"]["plan"],
        "gold"
    );
}
