//! A legacy store that stays the authority: which scripts are called from which door, in which
//! order, and that nothing changes here when they do not succeed.

use domain::UserId;
use serde_json::{Value, json};

use crate::app::{App, on_both};
use crate::legacy_store::{LegacyStore, REALM};

const USERS: &str = "/api/v2/users";
const SIGN_UP: &str = "/dbconnections/signup";

fn outage() -> Value {
    json!({"error": {"name": "Error", "message": "ECONNREFUSED"}})
}

fn url(id: &str) -> String {
    format!("{USERS}/auth0%7C{id}")
}

fn sign_up(app: &App, email: &str) -> Value {
    json!({
        "client_id": app.client(), "connection": "legacy", "email": email,
        "password": "correct horse", "given_name": "Ann", "user_metadata": {"colour": "teal"},
    })
}

async fn login(app: &App, email: &str, password: &str) -> u16 {
    let body = json!({
        "grant_type": REALM, "realm": "legacy", "client_id": app.client(), "username": email,
        "password": password,
    });
    app.ask_as("", "POST", "/oauth/token", body).await.status
}

/// Codes and descriptions of the tenant log since the last look, oldest first.
async fn say_log(app: &App) {
    app.later(1);
    let events = app
        .quietly("GET", "/api/v2/logs?per_page=100", Value::Null)
        .await
        .body;
    let mut lines = Vec::new();
    for event in events.as_array().unwrap() {
        let code = event["type"].as_str().unwrap();
        if !["seccft", "sapi"].contains(&code) {
            let description = event["description"].as_str().unwrap_or("");
            let line = format!("  {code} {} {description}", event["user_name"]);
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.reverse();
    app.say(&lines.join("\n"));
}

async fn has_no_password(app: &App, id: &str) {
    let user = app
        .engine
        .store
        .find_user(&UserId::from(format!("auth0|{id}")))
        .await;
    let user = user.unwrap().unwrap();
    let connection = &user.identities[0].connection;
    let credential = app.engine.store.find_credential(user.row, connection).await;
    assert!(credential.unwrap().unwrap().hash.is_none());
}

#[tokio::test]
async fn a_sign_up_creates_there_and_keeps_a_copy_without_a_password() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        app.tell("POST", SIGN_UP, sign_up(app, "Ann@example.com"))
            .await;
        app.say(&legacy.calls());
        let mut given = legacy.arguments("create")[0].clone();
        assert_eq!(given["client_id"], app.client());
        given["client_id"] = "…".into();
        app.say(&given.to_string());
        has_no_password(app, "l1").await;
        let fields = "?fields=user_id,email,given_name,user_metadata,ferry,password,logins_count";
        app.tell("GET", &format!("{}{fields}", url("l1")), Value::Null)
            .await;
        assert_eq!(login(app, "ann@example.com", "correct horse").await, 200);
        app.say(&legacy.calls());
        app.tell("POST", SIGN_UP, sign_up(app, "ann@example.com"))
            .await;
        app.say(&legacy.calls());
        say_log(app).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /dbconnections/signup
      200 {"_id":"l1","email_verified":false,"email":"Ann@example.com","given_name":"Ann","user_metadata":{"colour":"teal"}}
    get_user Ann@example.com, create Ann@example.com, login Ann@example.com
    {"tenant":"ferry.example","client_id":"…","connection":"legacy","email":"Ann@example.com","email_verified":false,"given_name":"Ann","user_metadata":{"colour":"teal"},"password":"correct horse"}
    GET /api/v2/users/auth0%7Cl1?fields=user_id,email,given_name,user_metadata,ferry,password,logins_count
      200 {"email":"Ann@example.com","ferry":{"origin":"cached"},"given_name":"Ann","user_id":"auth0|l1","user_metadata":{"colour":"teal"}}
    login ann@example.com
    POST /dbconnections/signup
      400 {"name":"BadRequestError","code":"user_exists","description":"The user already exists.","statusCode":400}
    get_user ann@example.com
      ss "Ann@example.com"
      s "ann@example.com"
      fs "ann@example.com" UserExists
    "#);
}

#[tokio::test]
async fn a_sign_up_that_fails_leaves_nothing() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        let refusal = |name: &str, code: &str| {
            json!({"error": {"name": name, "code": code, "message": "my error message"}})
        };
        for answer in [
            refusal("ValidationError", "user_exists"),
            refusal("ValidationError", "no_such_luck"),
            refusal("UnauthorizedError", ""),
            outage(),
            json!({"value": false}),
            json!({"value": "yes"}),
        ] {
            legacy.answers("create", answer);
            app.tell("POST", SIGN_UP, sign_up(app, "ann@example.com")).await;
        }
        legacy.answers("create", Value::Null);
        legacy.answers("get_user", outage());
        app.tell("POST", SIGN_UP, sign_up(app, "ann@example.com")).await;
        assert_eq!(legacy.len(), 0);
        legacy.answers("get_user", Value::Null);
        legacy.calls();
        // Created there, and then the store goes away: the next login brings the user.
        legacy.answers("login", outage());
        app.tell("POST", SIGN_UP, sign_up(app, "ann@example.com")).await;
        app.say(&legacy.calls());
        app.tell("GET", USERS, Value::Null).await;
        legacy.answers("login", Value::Null);
        assert_eq!(legacy.len(), 1);
        assert_eq!(login(app, "ann@example.com", "correct horse").await, 200);
        say_log(app).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /dbconnections/signup
      400 {"message":"my error message","code":"user_exists","description":"my error message","name":"ValidationError"}
    POST /dbconnections/signup
      400 {"message":"my error message","code":"no_such_luck","description":"my error message","name":"ValidationError"}
    POST /dbconnections/signup
      400 {"message":"my error message","code":"unauthorized","description":"my error message","name":"UnauthorizedError"}
    POST /dbconnections/signup
      503 {"statusCode":503,"error":"Service Unavailable","message":"The service is temporarily unavailable. Please try again later.","errorCode":"temporarily_unavailable"}
    POST /dbconnections/signup
      400 {"statusCode":400,"error":"Bad Request","message":"The Create script changed nothing.","errorCode":"auth0_idp_error"}
    POST /dbconnections/signup
      503 {"statusCode":503,"error":"Service Unavailable","message":"The service is temporarily unavailable. Please try again later.","errorCode":"temporarily_unavailable"}
    POST /dbconnections/signup
      503 {"statusCode":503,"error":"Service Unavailable","message":"The service is temporarily unavailable. Please try again later.","errorCode":"temporarily_unavailable"}
    POST /dbconnections/signup
      503 {"statusCode":503,"error":"Service Unavailable","message":"The service is temporarily unavailable. Please try again later.","errorCode":"temporarily_unavailable"}
    get_user ann@example.com, create ann@example.com, login ann@example.com
    GET /api/v2/users
      200 []
      fs "ann@example.com" ValidationError: my error message
      fs "ann@example.com" ValidationError: my error message
      fs "ann@example.com" UnauthorizedError: my error message
      fs "ann@example.com" thrown: Error: ECONNREFUSED at create.js:11:60
      fs "ann@example.com" The Create script changed nothing.
      fs "ann@example.com" bad_reply: the script called back with a string, not null
      fs "ann@example.com" Failed(Unavailable { detail: "thrown: Error: ECONNREFUSED at get_user.js:11:60" })
      fs "ann@example.com" The Create script changed the legacy store, the copy here could not follow: thrown: Error: ECONNREFUSED at login.js:11:60. The next login repairs it.
      s "ann@example.com"
    "#);
}

#[tokio::test]
async fn of_many_who_sign_up_at_once_one_is_created() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        let attempts =
            (0..8).map(|_| app.quietly("POST", SIGN_UP, sign_up(app, "ann@example.com")));
        let mut statuses: Vec<u16> = futures_util::future::join_all(attempts)
            .await
            .into_iter()
            .map(|answer| answer.status)
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
        assert_eq!(legacy.len(), 1);
        assert_eq!(legacy.calls().matches("create").count(), 1);
        let users = app.quietly("GET", USERS, Value::Null).await.body;
        assert_eq!(users.as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn in_import_mode_the_store_is_asked_and_never_changed() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, true).await;
        legacy.put("7", "there@example.com", "right");
        app.tell("POST", SIGN_UP, sign_up(app, "there@example.com"))
            .await;
        let signed_up = app
            .quietly("POST", SIGN_UP, sign_up(app, "ann@example.com"))
            .await;
        assert_eq!(signed_up.status, 200);
        let id = signed_up.body["_id"].as_str().unwrap().to_owned();
        for change in [
            json!({"email": "there@example.com"}),
            json!({"email": "new@example.com"}),
            json!({"password": "correct horse 2"}),
            json!({"phone_number": "+49"}),
            json!({"email_verified": true}),
        ] {
            let answer = app.quietly("PATCH", &url(&id), change.clone()).await;
            app.say(&format!("{change}: {}", answer.status));
        }
        assert_eq!(
            app.quietly("DELETE", &url(&id), Value::Null).await.status,
            204
        );
        app.say(&legacy.calls());
        assert_eq!(legacy.len(), 1);
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /dbconnections/signup
      400 {"name":"BadRequestError","code":"user_exists","description":"The user already exists.","statusCode":400}
    {"email":"there@example.com"}: 400
    {"email":"new@example.com"}: 200
    {"password":"correct horse 2"}: 200
    {"phone_number":"+49"}: 200
    {"email_verified":true}: 200
    get_user there@example.com, get_user ann@example.com, get_user there@example.com, get_user new@example.com
    "#);
}

#[tokio::test]
async fn an_administrator_creates_there() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        legacy.put("7", "there@example.com", "right");
        let body = |email: &str| {
            json!({
                "connection": "legacy", "email": email, "password": "correct horse",
                "nickname": "ann", "app_metadata": {"plan": "pro"}, "email_verified": true,
            })
        };
        app.tell("POST", USERS, body("there@example.com")).await;
        app.say(&legacy.calls());
        app.tell("POST", USERS, body("Ann@example.com")).await;
        app.say(&legacy.calls());
        app.say(&legacy.arguments("create").to_string());
        has_no_password(app, "l2").await;
        for answer in [
            json!({"error": {"name": "ValidationError", "code": "user_exists", "message": "x"}}),
            json!({"error": {"name": "ValidationError", "code": "other", "message": "my words"}}),
            json!({"value": false}),
            outage(),
        ] {
            legacy.answers("create", answer);
            app.tell("POST", USERS, body("bob@example.com")).await;
        }
        // What create says does not make a user.
        legacy.answers("create", json!({"value": null}));
        app.tell("POST", USERS, body("bob@example.com")).await;
        let users = app.quietly("GET", USERS, Value::Null).await.body;
        assert_eq!(users.as_array().unwrap().len(), 1);
        say_log(app).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /api/v2/users
      409 {"statusCode":409,"error":"Conflict","message":"The user already exists.","errorCode":"auth0_idp_error"}
    get_user there@example.com
    POST /api/v2/users
      201 {"app_metadata":{"plan":"pro"},"created_at":"2026-03-01T10:00:00.000Z","email":"Ann@example.com","email_verified":true,"ferry":{"origin":"cached"},"identities":[{"connection":"legacy","user_id":"l2","provider":"auth0","isSocial":false}],"name":"Ann@example.com","nickname":"ann","picture":"https://s.gravatar.com/avatar/257c57037d384ae37ea27a07e8a01665?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fan.png","updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|l2"}
    get_user Ann@example.com, create Ann@example.com, get_user Ann@example.com
    [{"tenant":"ferry.example","client_id":"administrator","connection":"legacy","email":"Ann@example.com","email_verified":true,"nickname":"ann","app_metadata":{"plan":"pro"},"password":"correct horse"}]
    POST /api/v2/users
      409 {"statusCode":409,"error":"Conflict","message":"The user already exists.","errorCode":"auth0_idp_error"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"my words","errorCode":"auth0_idp_error"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"The Create script changed nothing.","errorCode":"auth0_idp_error"}
    POST /api/v2/users
      503 {"statusCode":503,"error":"Service Unavailable","message":"The service is temporarily unavailable. Please try again later.","errorCode":"temporarily_unavailable"}
    POST /api/v2/users
      503 {"statusCode":503,"error":"Service Unavailable","message":"The service is temporarily unavailable. Please try again later.","errorCode":"temporarily_unavailable"}
      fs "bob@example.com" ValidationError: x
      fs "bob@example.com" ValidationError: my words
      fs "bob@example.com" The Create script changed nothing.
      fs "bob@example.com" thrown: Error: ECONNREFUSED at create.js:11:60
      fs "bob@example.com" The Create script changed the legacy store, the copy here could not follow: get_user does not find the new user. The next login repairs it.
    "#);
}

#[tokio::test]
async fn a_change_is_made_there_first() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        legacy.put("7", "ann@example.com", "right");
        legacy.put("8", "bob@example.com", "right");
        assert_eq!(login(app, "ann@example.com", "right").await, 200);
        legacy.calls();
        let tell = async |change: Value| {
            let answer = app.quietly("PATCH", &url("7"), change.clone()).await;
            let message = &answer.body["message"];
            app.say(&format!(
                "{change}: {} {message} [{}]",
                answer.status,
                legacy.calls()
            ));
        };
        tell(json!({"email": "Bob@example.com"})).await;
        tell(json!({"email": "ANN@example.com"})).await;
        tell(json!({"email": "New@example.com", "email_verified": true})).await;
        assert_eq!(
            legacy.arguments("change_email"),
            json!(["ann@example.com", "New@example.com", true])
        );
        tell(json!({"phone_number": "+49", "phone_verified": true})).await;
        assert_eq!(
            legacy.arguments("change_phone_number"),
            json!(["7", "+49", true])
        );
        tell(json!({"phone_number": null})).await;
        assert_eq!(
            legacy.arguments("change_phone_number"),
            json!(["7", null, false])
        );
        tell(json!({"password": "correct horse"})).await;
        assert_eq!(
            legacy.arguments("change_password"),
            json!(["New@example.com", "correct horse"])
        );
        tell(json!({"email_verified": false})).await;
        tell(json!({"email_verified": true})).await;
        tell(json!({"email_verified": true})).await;
        tell(json!({"email": "x@example.com", "phone_number": "+1"})).await;
        tell(json!({"email": null})).await;
        tell(json!({"app_metadata": {"a": 1}})).await;
        has_no_password(app, "7").await;
        let fields = "?fields=email,email_verified,phone_number,last_password_reset,app_metadata";
        app.tell("GET", &format!("{}{fields}", url("7")), Value::Null)
            .await;
        assert_eq!(login(app, "new@example.com", "right").await, 403);
        assert_eq!(login(app, "new@example.com", "correct horse").await, 200);
        say_log(app).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    {"email":"Bob@example.com"}: 400 "The specified new email already exists" [get_user Bob@example.com]
    {"email":"ANN@example.com"}: 200 null []
    {"email":"New@example.com","email_verified":true}: 200 null [get_user New@example.com, change_email ann@example.com]
    {"phone_number":"+49","phone_verified":true}: 200 null [change_phone_number 7]
    {"phone_number":null}: 200 null [change_phone_number 7]
    {"password":"correct horse"}: 200 null [change_password New@example.com]
    {"email_verified":false}: 200 null []
    {"email_verified":true}: 200 null [verify New@example.com]
    {"email_verified":true}: 200 null []
    {"email":"x@example.com","phone_number":"+1"}: 400 "Cannot update email and phone_number simultaneously." []
    {"email":null}: 400 "Payload validation error: 'Missing required property: email' on property email." []
    {"app_metadata":{"a":1}}: 200 null []
    GET /api/v2/users/auth0%7C7?fields=email,email_verified,phone_number,last_password_reset,app_metadata
      200 {"app_metadata":{"a":1},"email":"New@example.com","email_verified":true,"last_password_reset":"2026-03-01T10:00:00.000Z"}
      s "ann@example.com"
      sce "ann@example.com"
      scpn "New@example.com"
      scpn "New@example.com"
      scp "New@example.com"
      sv "New@example.com"
      fp "new@example.com" Wrong email or password.
      s "new@example.com"
    "#);
}

#[tokio::test]
async fn a_change_that_fails_there_changes_nothing_here() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, false).await;
        legacy.put("7", "ann@example.com", "right");
        assert_eq!(login(app, "ann@example.com", "right").await, 200);
        let before = app.quietly("GET", &url("7"), Value::Null).await.body;
        app.later(1);
        let changes = [
            (
                "change_email",
                json!({"email": "new@example.com", "blocked": true}),
            ),
            (
                "change_phone_number",
                json!({"phone_number": "+49", "app_metadata": {"a": 1}}),
            ),
            (
                "change_password",
                json!({"password": "correct horse", "blocked": true}),
            ),
            ("verify", json!({"email_verified": true})),
        ];
        for (script, change) in changes {
            for answer in [
                outage(),
                json!({"value": false}),
                json!({"value": null}),
                json!({"value": "true"}),
                json!({"error": {"name": "ValidationError", "code": "c", "message": "my words"}}),
            ] {
                legacy.answers(script, answer.clone());
                let said = app.quietly("PATCH", &url("7"), change.clone()).await;
                app.say(&format!(
                    "{script} {answer}: {} {}",
                    said.status, said.body["message"]
                ));
            }
        }
        assert_eq!(
            app.quietly("GET", &url("7"), Value::Null).await.body,
            before
        );
        for answer in [
            outage(),
            json!({"value": false}),
            json!({"error": {"name": "ValidationError", "code": "c", "message": "my words"}}),
        ] {
            legacy.answers("delete", answer.clone());
            let said = app.quietly("DELETE", &url("7"), Value::Null).await;
            app.say(&format!(
                "delete {answer}: {} {}",
                said.status, said.body["message"]
            ));
        }
        assert_eq!(
            app.quietly("GET", &url("7"), Value::Null).await.body,
            before
        );
        legacy.answers("delete", Value::Null);
        legacy.calls();
        app.tell("DELETE", &url("7"), Value::Null).await;
        app.tell("DELETE", &url("7"), Value::Null).await;
        app.say(&legacy.calls());
        assert_eq!(legacy.len(), 0);
        assert_eq!(app.quietly("GET", &url("7"), Value::Null).await.status, 404);
        say_log(app).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    change_email {"error":{"name":"Error","message":"ECONNREFUSED"}}: 503 "The service is temporarily unavailable. Please try again later."
    change_email {"value":false}: 400 "The Change Email script changed nothing."
    change_email {"value":null}: 400 "The Change Email script changed nothing."
    change_email {"value":"true"}: 503 "The service is temporarily unavailable. Please try again later."
    change_email {"error":{"name":"ValidationError","code":"c","message":"my words"}}: 400 "my words"
    change_phone_number {"error":{"name":"Error","message":"ECONNREFUSED"}}: 503 "The service is temporarily unavailable. Please try again later."
    change_phone_number {"value":false}: 400 "The Change Phone Number script changed nothing."
    change_phone_number {"value":null}: 400 "The Change Phone Number script changed nothing."
    change_phone_number {"value":"true"}: 503 "The service is temporarily unavailable. Please try again later."
    change_phone_number {"error":{"name":"ValidationError","code":"c","message":"my words"}}: 400 "my words"
    change_password {"error":{"name":"Error","message":"ECONNREFUSED"}}: 503 "The service is temporarily unavailable. Please try again later."
    change_password {"value":false}: 400 "The Change Password script changed nothing."
    change_password {"value":null}: 400 "The Change Password script changed nothing."
    change_password {"value":"true"}: 503 "The service is temporarily unavailable. Please try again later."
    change_password {"error":{"name":"ValidationError","code":"c","message":"my words"}}: 400 "my words"
    verify {"error":{"name":"Error","message":"ECONNREFUSED"}}: 503 "The service is temporarily unavailable. Please try again later."
    verify {"value":false}: 400 "The Verify script changed nothing."
    verify {"value":null}: 400 "The Verify script changed nothing."
    verify {"value":"true"}: 503 "The service is temporarily unavailable. Please try again later."
    verify {"error":{"name":"ValidationError","code":"c","message":"my words"}}: 400 "my words"
    delete {"error":{"name":"Error","message":"ECONNREFUSED"}}: 503 "The service is temporarily unavailable. Please try again later."
    delete {"value":false}: 400 "The Delete script changed nothing."
    delete {"error":{"name":"ValidationError","code":"c","message":"my words"}}: 400 "my words"
    DELETE /api/v2/users/auth0%7C7
      204
    DELETE /api/v2/users/auth0%7C7
      204
    delete 7
      s "ann@example.com"
      fce "ann@example.com" thrown: Error: ECONNREFUSED at change_email.js:11:60
      fce "ann@example.com" The Change Email script changed nothing.
      fce "ann@example.com" The Change Email script changed nothing.
      fce "ann@example.com" bad_reply: the script called back with a string, not a boolean
      fce "ann@example.com" ValidationError: my words
      fcpn "ann@example.com" thrown: Error: ECONNREFUSED at change_phone_number.js:11:60
      fcpn "ann@example.com" The Change Phone Number script changed nothing.
      fcpn "ann@example.com" The Change Phone Number script changed nothing.
      fcpn "ann@example.com" bad_reply: the script called back with a string, not a boolean
      fcpn "ann@example.com" ValidationError: my words
      fcp "ann@example.com" thrown: Error: ECONNREFUSED at change_password.js:11:60
      fcp "ann@example.com" The Change Password script changed nothing.
      fcp "ann@example.com" The Change Password script changed nothing.
      fcp "ann@example.com" bad_reply: the script called back with a string, not a boolean
      fcp "ann@example.com" ValidationError: my words
      fv "ann@example.com" thrown: Error: ECONNREFUSED at verify.js:11:60
      fv "ann@example.com" The Verify script changed nothing.
      fv "ann@example.com" The Verify script changed nothing.
      fv "ann@example.com" bad_reply: the script called back with a string, not a boolean
      fv "ann@example.com" ValidationError: my words
      fdu "ann@example.com" thrown: Error: ECONNREFUSED at delete.js:11:60
      fdu "ann@example.com" The Delete script changed nothing.
      fdu "ann@example.com" ValidationError: my words
      sdu "ann@example.com" User deleted
    "#);
}

#[tokio::test]
async fn usernames_change_there_and_a_lost_copy_is_told_to_the_log() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        let connection = legacy.connect(app, false).await;
        let path = format!("/api/v2/connections/{connection}");
        let mut options = app.quietly("GET", &path, Value::Null).await.body["options"].clone();
        options["requires_username"] = true.into();
        app.quietly("PATCH", &path, json!({"options": options}))
            .await;
        app.cache("7", &connection, "ann@example.com").await;
        legacy.put("7", "ann@example.com", "right");
        let answer = app
            .quietly("PATCH", &url("7"), json!({"username": "ann"}))
            .await;
        assert_eq!(
            (answer.status, &answer.body["username"]),
            (200, &json!("ann"))
        );
        assert_eq!(legacy.member("7", "username"), "ann");
        app.say(&legacy.calls());
        // A copy of somebody whom the legacy store forgot holds the name: nothing is called.
        app.cache("8", &connection, "bob@example.com").await;
        let answer = app
            .quietly("PATCH", &url("8"), json!({"username": "ann"}))
            .await;
        app.say(&format!(
            "{} {} [{}]",
            answer.status,
            answer.body["message"],
            legacy.calls()
        ));
        say_log(app).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    get_user ann, change_username 7
    400 "The specified new username already exists" [get_user ann]
      scu "ann@example.com"
    "#);
}

#[tokio::test]
async fn a_copy_that_cannot_follow_is_told_to_the_log_and_repaired() {
    let said = on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        let connection = legacy.connect(app, false).await;
        legacy.put("7", "ann@example.com", "right");
        assert_eq!(login(app, "ann@example.com", "right").await, 200);
        let (pause, path) = (legacy.pause("change_email"), url("7"));
        let change = json!({"email": "new@example.com"});
        // While the script runs, a copy of somebody else takes the address.
        let (answer, ()) = tokio::join!(app.quietly("PATCH", &path, change), async {
            pause.arrival().await;
            app.cache("9", &connection, "new@example.com").await;
            pause.release();
        });
        assert_eq!(answer.status, 503);
        assert_eq!(legacy.member("7", "email"), "new@example.com");
        let user = app.quietly("GET", &url("7"), Value::Null).await.body;
        assert_eq!(user["email"], "ann@example.com");
        legacy.put("9", "moved@example.com", "right");
        // The password is right; then that copy's telephone is asked for.
        assert_eq!(login(app, "moved@example.com", "right").await, 403);
        assert_eq!(login(app, "new@example.com", "right").await, 200);
        let user = app.quietly("GET", &url("7"), Value::Null).await.body;
        assert_eq!(user["email"], "new@example.com");

        // A sign-up whose user a login brings here meanwhile.
        let pause = legacy.pause("create");
        let body = sign_up(app, "bob@example.com");
        let (answer, ()) = tokio::join!(app.quietly("POST", SIGN_UP, body), async {
            pause.arrival().await;
            assert_eq!(login(app, "bob@example.com", "correct horse").await, 200);
            pause.release();
        });
        assert_eq!((answer.status, &answer.body["_id"]), (200, &json!("l3")));
        let users = app.quietly("GET", USERS, Value::Null).await.body;
        assert_eq!(users.as_array().unwrap().len(), 3);
        say_log(app).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    s "ann@example.com"
    fce "ann@example.com" The Change Email script changed the legacy store, the copy here could not follow: The specified new email already exists. The next login repairs it.
    s "moved@example.com"
    mfar "moved@example.com"
    s "new@example.com"
    s "bob@example.com"
    ss "bob@example.com"
    "#);
}

#[tokio::test]
async fn names_follow_the_setting() {
    let said = on_both(async |app: &App| {
        for (mode, setting) in [
            (false, "on_each_login"),
            (false, "on_first_login"),
            (false, "never_on_login"),
            (true, "on_first_login"),
            (true, "never_on_login"),
        ] {
            let name = format!("{}-{}", if mode { "import" } else { "legacy" }, &setting[..5].replace('_', "x"));
            let script = format!("function login(e, p, callback) {{
                global.n = (global.n || 0) + 1;
                callback(null, {{ user_id: '{name}', email: e, name: 'Name ' + global.n, given_name: 'G' }});
            }}");
            let options = json!({
                "enabledDatabaseCustomization": true, "import_mode": mode,
                "set_user_root_attributes": setting,
                "customScripts": {"login": script, "get_user": "function getByEmail(e, cb) { cb(null) }"},
            });
            let client = json!({
                "name": "shop", "app_type": "spa", "grant_types": ["password", REALM],
                "token_endpoint_auth_method": "none",
            });
            let client = app.quietly("POST", "/api/v2/clients", client).await.body;
            let connection = app.connection(&name, options).await;
            let enable = json!([{"client_id": client["client_id"], "status": true}]);
            let path = format!("/api/v2/connections/{connection}/clients");
            assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
            for _ in 0..2 {
                let body = json!({
                    "grant_type": REALM, "realm": name, "client_id": client["client_id"],
                    "username": format!("{name}@example.com"), "password": "p",
                });
                assert_eq!(app.ask_as("", "POST", "/oauth/token", body).await.status, 200);
                let user = app.quietly("GET", &url(&name), Value::Null).await.body;
                app.say(&format!("{name}: {} {}", user["name"], user["given_name"]));
            }
        }
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    legacy-onxea: "Name 1" "G"
    legacy-onxea: "Name 2" "G"
    legacy-onxfi: "Name 1" "G"
    legacy-onxfi: "Name 1" "G"
    legacy-never: "legacy-never@example.com" null
    legacy-never: "legacy-never@example.com" null
    import-onxfi: "Name 1" "G"
    import-onxfi: "Name 1" "G"
    import-never: "import-never@example.com" null
    import-never: "import-never@example.com" null
    "#);
}
