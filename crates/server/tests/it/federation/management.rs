//! Connections and identities through the Management API.

use serde_json::{Value, json};

use super::net::Browser;
use super::{Stage, on_both};

fn connection(options: Value) -> Value {
    json!({"name": "corp", "strategy": "oidc", "options": options})
}

#[tokio::test]
async fn a_connection_comes_back_without_its_secret() {
    on_both(async |stage: &Stage| {
        let here = &stage.here;
        let options = json!({
            "client_id": "f", "client_secret": "hush hush", "issuer": "https://corp.example/",
            "type": "back_channel", "scope": "openid email", "connection_settings": {"pkce": "S256"},
        });
        let mut body = connection(options.clone());
        body["show_as_button"] = json!(false);
        let made = here.expect(201, "POST", "/api/v2/connections", body).await;
        assert!(!made.to_string().contains("hush"), "{made}");
        let path = format!("/api/v2/connections/{}", made["id"].as_str().unwrap());
        let read = here.expect(200, "GET", &path, Value::Null).await;
        assert_eq!(read, made);
        assert_eq!((&read["strategy"], &read["show_as_button"]), (&json!("oidc"), &json!(false)));
        let mut shown = options.clone();
        shown.as_object_mut().unwrap().shift_remove("client_secret");
        assert_eq!(read["options"], shown);
        // What was read can be written: the secret stays. It does not follow to another place.
        shown["scope"] = json!("openid");
        let change = json!({"options": shown, "display_name": "Corp"});
        let changed = here.expect(200, "PATCH", &path, change).await;
        assert_eq!((&changed["options"]["scope"], &changed["strategy"]), (&json!("openid"), &json!("oidc")));
        let id = made["id"].as_str().unwrap().into();
        let stored = here.engine.store.find_connection(&id).await.unwrap().unwrap();
        assert_eq!(stored.configuration["client_secret"].expose(), "hush hush");
        shown["token_endpoint"] = json!("https://evil.example/token");
        let refused = here.expect(400, "PATCH", &path, json!({"options": shown})).await;
        assert_eq!(
            refused["message"],
            "Payload validation error: 'Must be sent again when the provider or the client_id \
             changes' on property options.client_secret."
        );
        // Among the others, by strategy.
        stage.people().await;
        let list = async |query: &str| {
            let path = format!("/api/v2/connections?{query}");
            let listed = here.expect(200, "GET", &path, Value::Null).await;
            let names = listed.as_array().unwrap().iter();
            names.map(|c| c["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(list("strategy=oidc").await, ["corp"]);
        assert_eq!(list("strategy=auth0").await, ["people"]);
        assert_eq!(list("strategy=auth0,oidc").await, ["corp", "people"]);
        assert_eq!(list("strategy=samlp").await, [""; 0]);
        assert_eq!(list("name=people&strategy=oidc").await, [""; 0]);
        let (status, _) = here.api("POST", "/api/v2/connections", connection(json!({}))).await;
        assert_eq!(status, 400);
    })
    .await;
}

/// A name, a strategy of neither kind, options of the other kind.
#[tokio::test]
async fn options_of_one_strategy_are_none_of_another() {
    let stage = Stage::on_sqlite().await;
    let post = async |body: Value| {
        let (status, answer) = stage.here.api("POST", "/api/v2/connections", body).await;
        assert_eq!(status, 400, "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    };
    let said = [
        post(json!({"name": "x", "strategy": "samlp"})).await,
        post(json!({"name": "x", "strategy": "auth0", "options": {"client_id": "f"}})).await,
        post(connection(json!({"client_id": "f", "import_mode": true}))).await,
        post(connection(
            json!({"client_id": "f", "issuer": "http://corp.example/"}),
        ))
        .await,
        post(connection(json!({"issuer": "https://corp.example/"}))).await,
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    Payload validation error: 'Strategy not supported: samlp; auth0 and oidc are' on property strategy.
    Payload validation error: 'Additional properties not allowed: client_id' on property options.client_id.
    Payload validation error: 'Additional properties not allowed: import_mode' on property options.import_mode.
    Payload validation error: 'Must be an https URL without user and fragment' on property options.issuer.
    Payload validation error: 'Missing required property: client_id' on property options.client_id.
    ");
}

async fn both(stage: &Stage) -> Browser {
    stage.people().await;
    let provider = stage.corp(json!({})).await;
    provider.person(json!({"sub": "a|b", "email": "other@corp.example", "name": "Ann of Corp"}));
    let browser = Browser::new(&stage.net);
    assert!(
        stage
            .through_corp(&browser)
            .await
            .told()
            .contains_key("code")
    );
    assert_eq!(stage.users().await, ["auth0|7", "oidc|corp|a|b"]);
    browser
}

#[tokio::test]
async fn an_administrator_links_and_parts() {
    on_both(async |stage: &Stage| {
        let browser = both(stage).await;
        let here = &stage.here;
        let path = "/api/v2/users/auth0%7C7/identities";
        let link = json!({"provider": "oidc", "user_id": "corp|a|b"});
        let linked = here.expect(201, "POST", path, link.clone()).await;
        assert_eq!(
            linked,
            json!([
                {"connection": "people", "user_id": "7", "provider": "auth0", "isSocial": false},
                {"connection": "corp", "user_id": "corp|a|b", "provider": "oidc", "isSocial": false,
                    "profileData": {"email": "other@corp.example", "email_verified": false,
                        "name": "Ann of Corp"}},
            ])
        );
        assert_eq!(stage.users().await, ["auth0|7"]);
        // The session of the account that is no more is none; the identity leads to the other one.
        let silent = stage.begin(&browser, "&prompt=none").await.told();
        assert_eq!(silent["error"], "login_required");
        assert!(
            stage
                .through_corp(&browser)
                .await
                .told()
                .contains_key("code")
        );
        assert_eq!(here.event("s").await["user_id"], "auth0|7");
        for (body, status, words) in [
            (link.clone(), 409, "Specified identity already exists."),
            (
                json!({"provider": "oidc", "user_id": "oidc|corp|a|b"}),
                409,
                "Specified identity already exists.",
            ),
            (
                json!({"provider": "auth0", "user_id": "7"}),
                400,
                "Main identity and the new one are the same.",
            ),
            (
                json!({"provider": "auth0", "user_id": "8"}),
                400,
                "Linking to an inexistent identity is not allowed.",
            ),
            (
                json!({"provider": "google-oauth2", "user_id": "8"}),
                400,
                "The provider/connection is not configured.",
            ),
            (
                json!({"link_with": "a.b.c"}),
                400,
                "Invalid token (link_with).",
            ),
            (
                json!({}),
                400,
                "Payload validation error: 'Expected either link_with or provider and user_id'.",
            ),
        ] {
            let (found, answer) = here.api("POST", path, body.clone()).await;
            assert_eq!(
                (found, &answer["message"]),
                (status, &json!(words)),
                "{body}"
            );
        }
        let (status, _) = here
            .api("POST", "/api/v2/users/auth0%7Cx/identities", link)
            .await;
        assert_eq!(status, 404);
        let main = here
            .api("DELETE", &format!("{path}/auth0/7"), Value::Null)
            .await;
        assert_eq!(
            (main.0, &main.1["message"]),
            (400, &json!("Main identity cannot be removed."))
        );
        let place = format!("{path}/oidc/corp%7Ca%7Cb");
        let left = here.expect(200, "DELETE", &place, Value::Null).await;
        assert_eq!(left.as_array().unwrap().len(), 1);
        assert_eq!(here.api("DELETE", &place, Value::Null).await.0, 404);
        let parted = stage.user("oidc|corp|a|b").await;
        assert_eq!(
            (&parted["name"], &parted["email"]),
            (&json!("Ann of Corp"), &json!("other@corp.example"))
        );
        assert!(parted["identities"][0].get("profileData").is_none());
        assert!(
            stage
                .through_corp(&browser)
                .await
                .told()
                .contains_key("code")
        );
        assert_eq!(here.event("s").await["user_id"], "oidc|corp|a|b");
        stage.is_whole().await;
    })
    .await;
}

/// A database account may be the second one: its password leads to the first from then on.
#[tokio::test]
async fn a_linked_database_account_keeps_its_password() {
    on_both(async |stage: &Stage| {
        both(stage).await;
        let path = "/api/v2/users/oidc%7Ccorp%7Ca%7Cb/identities";
        let link = json!({"provider": "auth0", "user_id": "auth0|7"});
        stage.here.expect(201, "POST", path, link).await;
        assert_eq!(stage.users().await, ["oidc|corp|a|b"]);
        let browser = Browser::new(&stage.net);
        let page = stage.begin(&browser, "").await;
        let ann = [
            ("username", "ann@corp.example"),
            ("password", "Her password 1"),
        ];
        assert!(
            browser
                .submit(&page, &ann)
                .await
                .told()
                .contains_key("code")
        );
        assert_eq!(stage.here.event("s").await["user_id"], "oidc|corp|a|b");
        // Two of one connection are two people.
        let bob = json!({
            "connection": "people", "email": "bob@corp.example", "password": "His password 1",
            "user_id": "8",
        });
        stage.here.expect(201, "POST", "/api/v2/users", bob).await;
        let (status, answer) = stage
            .here
            .api("POST", path, json!({"provider": "auth0", "user_id": "8"}))
            .await;
        assert_eq!(
            (status, &answer["message"]),
            (400, &json!("Unable to link with the secondary account."))
        );
        stage.is_whole().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_parted_identity_opened_ends_with_it() {
    on_both(async |stage: &Stage| {
        let corps = both(stage).await;
        let here = &stage.here;
        let path = "/api/v2/users/auth0%7C7/identities";
        let link = json!({"provider": "oidc", "user_id": "corp|a|b"});
        here.expect(201, "POST", path, link).await;
        let code = stage.through_corp(&corps).await.told()["code"].clone();
        let own = Browser::new(&stage.net);
        let page = stage.begin(&own, "").await;
        let ann = [
            ("username", "ann@corp.example"),
            ("password", "Her password 1"),
        ];
        assert!(own.submit(&page, &ann).await.told().contains_key("code"));
        // A login that has not ended yet, at the door.
        let late = Browser::new(&stage.net);
        let page = stage.begin(&late, "").await;
        let mut next = page.link("Continue with Corp Inc.");
        for _ in 0..3 {
            let reply = late.ask(&next, None, "none").await;
            let to = reply.headers["location"].to_str().unwrap();
            next = if to.starts_with('/') {
                format!("https://{}{to}", super::HERE)
            } else {
                to.to_owned()
            };
        }
        assert!(next.contains("/authorize/resume?"), "{next}");
        let place = format!("{path}/oidc/corp%7Ca%7Cb");
        here.expect(200, "DELETE", &place, Value::Null).await;
        assert_eq!(late.go(&next).await.told()["error"], "access_denied");
        // Whoever holds the identity is not Ann any more: not in the session, not by the code.
        let silent = stage.begin(&corps, "&prompt=none").await.told();
        assert_eq!(silent["error"], "login_required");
        let redeem = [
            ("grant_type", "authorization_code"),
            ("client_id", stage.client.as_str()),
            ("code", code.as_str()),
            ("redirect_uri", super::CALLBACK),
            (
                "code_verifier",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ),
        ];
        let url = format!("https://{}/oauth/token", super::HERE);
        let refused = corps.ask(&url, Some(&redeem), "same-origin").await;
        let refused: Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(refused["error"], "invalid_grant", "{refused}");
        // What her password opened goes on.
        let silent = stage.begin(&own, "&prompt=none").await.told();
        assert!(silent.contains_key("code"), "{silent:?}");
        stage.is_whole().await;
    })
    .await;
}
