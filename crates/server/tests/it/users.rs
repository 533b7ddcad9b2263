//! Users through the Management API: every documented answer.

use domain::UserId;
use serde_json::{Value, json};

use crate::app::{App, on_both};

const USERS: &str = "/api/v2/users";

fn user(connection: &str, id: &str) -> Value {
    json!({"connection": connection, "user_id": id, "email": format!("{id}@b.co")})
}

fn url(id: &str) -> String {
    format!("{USERS}/auth0%7C{id}")
}

/// A custom database in which `there@b.co` (id 7) exists and `down@b.co` meets an outage.
fn custom(import_mode: bool) -> Value {
    let get_user = "function getByEmail(identifier, callback) {
        if (identifier === 'down@b.co') return callback(new Error('ECONNREFUSED'));
        if (identifier !== 'there@b.co' && identifier !== 'there') return callback(null);
        callback(null, {user_id: '7', email: 'there@b.co', username: 'there'});
    }";
    json!({
        "enabledDatabaseCustomization": true, "import_mode": import_mode,
        "requires_username": true,
        "customScripts": {"login": "function login(e, p, callback) { callback(null); }", "get_user": get_user},
    })
}

#[tokio::test]
async fn a_user_is_created_and_read() {
    let said = on_both(async |app: &App| {
        app.connection("plain", json!({})).await;
        app.tell(
            "POST",
            USERS,
            json!({"connection": "plain", "email": "MiXed@Example.com"}),
        )
        .await;
        let full = json!({
            "connection": "plain", "user_id": "auth0|42", "email": "ada@example.com",
            "email_verified": true, "verify_email": false, "password": "Correct horse 1",
            "name": "Ada Lovelace", "nickname": "ada", "given_name": "Ada",
            "family_name": "Lovelace", "picture": "https://example.com/ada.png", "blocked": false,
            "phone_number": "+4912345", "phone_verified": true,
            "user_metadata": {"colour": "teal"}, "app_metadata": {"plan": {"tier": 1}},
        });
        app.tell("POST", USERS, full).await;
        app.tell(
            "GET",
            "/api/v2/users/auth0%7C42?fields=user_id,name,given_name",
            Value::Null,
        )
        .await;
        let without = "fields=identities,ferry,picture,user_metadata,app_metadata";
        let path = format!("{}?{without}&include_fields=false", url("42"));
        app.tell("GET", &path, Value::Null).await;
        app.tell("GET", &url("43"), Value::Null).await;
        app.tell("GET", "/api/v2/users/no-provider", Value::Null)
            .await;
        app.tell("GET", "/api/v2/users/auth0%7C%00", Value::Null)
            .await;
        app.tell("GET", "/api/v2/users/auth0%7C%FF", Value::Null)
            .await;
        app.tell("GET", &format!("{}?expand=all", url("42")), Value::Null)
            .await;

        let stored = app
            .engine
            .store
            .find_user(&UserId::from("auth0|42"))
            .await
            .unwrap()
            .unwrap();
        let connection = stored.identities[0].connection.clone();
        let credential = app
            .engine
            .store
            .find_credential(stored.row, &connection)
            .await
            .unwrap();
        assert!(
            credential
                .unwrap()
                .hash
                .unwrap()
                .expose()
                .starts_with("$2b$")
        );
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /api/v2/users
      201 {"created_at":"2026-03-01T10:00:00.000Z","email":"mixed@example.com","email_verified":false,"ferry":{"origin":"native"},"identities":[{"connection":"plain","user_id":"[id]","provider":"auth0","isSocial":false}],"name":"mixed@example.com","nickname":"mixed","picture":"https://s.gravatar.com/avatar/bbb73b6b3e098449cb555418ee356313?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fmi.png","updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|[id]"}
    POST /api/v2/users
      201 {"app_metadata":{"plan":{"tier":1}},"blocked":false,"created_at":"2026-03-01T10:00:00.000Z","email":"ada@example.com","email_verified":true,"family_name":"Lovelace","ferry":{"origin":"native"},"given_name":"Ada","identities":[{"connection":"plain","user_id":"42","provider":"auth0","isSocial":false}],"name":"Ada Lovelace","nickname":"ada","phone_number":"+4912345","phone_verified":true,"picture":"https://example.com/ada.png","updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|42","user_metadata":{"colour":"teal"}}
    GET /api/v2/users/auth0%7C42?fields=user_id,name,given_name
      200 {"given_name":"Ada","name":"Ada Lovelace","user_id":"auth0|42"}
    GET /api/v2/users/auth0%7C42?fields=identities,ferry,picture,user_metadata,app_metadata&include_fields=false
      200 {"blocked":false,"created_at":"2026-03-01T10:00:00.000Z","email":"ada@example.com","email_verified":true,"family_name":"Lovelace","given_name":"Ada","name":"Ada Lovelace","nickname":"ada","phone_number":"+4912345","phone_verified":true,"updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|42"}
    GET /api/v2/users/auth0%7C43
      404 {"statusCode":404,"error":"Not Found","message":"The user does not exist.","errorCode":"inexistent_user"}
    GET /api/v2/users/no-provider
      404 {"statusCode":404,"error":"Not Found","message":"The user does not exist.","errorCode":"inexistent_user"}
    GET /api/v2/users/auth0%7C%00
      400 {"statusCode":400,"error":"Bad Request","message":"Path validation error: 'Text must not contain the character U+0000' on property id.","errorCode":"invalid_uri"}
    GET /api/v2/users/auth0%7C%FF
      400 {"statusCode":400,"error":"Bad Request","message":"Path validation error: 'The path is not percent-encoded UTF-8' on property id.","errorCode":"invalid_uri"}
    GET /api/v2/users/auth0%7C42?expand=all
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: expand'.","errorCode":"invalid_query_string"}
    "#);
}

#[tokio::test]
async fn a_creation_is_refused_by_name() {
    let said = on_both(async |app: &App| {
        app.connection("plain", json!({"passwordPolicy": "good"})).await;
        app.connection("names", json!({"requires_username": true})).await;
        app.quietly("POST", USERS, user("plain", "taken")).await;
        for body in [
            json!({"email": "a@b.co"}),
            json!({"connection": "nowhere", "email": "a@b.co"}),
            json!({"connection": "plain"}),
            json!({"connection": "plain", "email": "nope"}),
            json!({"connection": "plain", "email": "a@b.co", "emial": "x"}),
            json!({"connection": "plain", "email": "a@b.co", "blocked": "yes"}),
            json!({"connection": "plain", "email": "a@b.co", "name": ""}),
            json!({"connection": "plain", "email": "a@b.co", "phone_number": "12"}),
            json!({"connection": "plain", "email": "a@b.co", "picture": "ada.png"}),
            json!({"connection": "plain", "email": "a@b.co", "user_id": "4 2"}),
            json!({"connection": "plain", "email": "a@b.co", "given_name": null}),
            json!({"connection": "plain", "email": "a@b.co", "app_metadata": {"email": "x"}}),
            json!({"connection": "plain", "email": "a@b.co", "user_metadata": []}),
            json!({"connection": "plain", "email": "a@b.co", "username": "ada"}),
            json!({"connection": "names", "email": "a@b.co"}),
            json!({"connection": "names", "email": "a@b.co", "username": "a@b.co"}),
            json!({"connection": "plain", "email": "a@b.co", "password": "short"}),
            json!({"connection": "plain", "email": "TAKEN@b.co"}),
            json!({"connection": "plain", "email": "a@b.co", "user_id": "taken"}),
            json!({"connection": "names", "email": "a@b.co", "username": "ada", "user_id": "taken"}),
        ] {
            app.tell("POST", USERS, body).await;
        }
        app.tell("POST", USERS, json!([])).await;
        app.tell_as(None, "POST", USERS, json!({})).await;
        app.tell_as(Some("x.y.z"), "POST", USERS, json!({})).await;
        let reader = app.token_for(Some("read:users")).await;
        app.tell_as(Some(&reader), "POST", USERS, user("plain", "a")).await;
        let writer = app.token_for(Some("create:users")).await;
        for (method, path) in [
            ("GET", USERS.to_owned()),
            ("GET", url("taken")),
            ("GET", "/api/v2/users-by-email?email=a@b.co".to_owned()),
            ("DELETE", url("taken")),
        ] {
            app.tell_as(Some(&writer), method, &path, Value::Null).await;
        }
        app.tell_as(Some(&reader), "PATCH", &url("taken"), json!({})).await;
        // Nothing of all this was written.
        app.tell("GET", "/api/v2/users?fields=user_id", Value::Null).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: connection' on property connection.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Connection does not exist.","errorCode":"inexistent_connection"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: email' on property email.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Object didn't pass validation for format email: nope' on property email.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Additional properties not allowed: emial' on property emial.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Expected type boolean but found type string' on property blocked.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'String is too short (0 chars), minimum 1' on property name.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'String does not match pattern ^\\+[0-9]{1,15}$: 12' on property phone_number.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Object didn't pass validation for format uri: ada.png' on property picture.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'String does not match pattern ^\\S*$: 4 2' on property user_id.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Expected type string but found type null' on property given_name.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Additional properties not allowed: email' on property app_metadata.email.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Expected type object but found type array' on property user_metadata.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Cannot set username for connection without requires_username.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Missing username for names connection with requires_username enabled","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'String does not match pattern ^[A-Za-z0-9@`^$!\\-#.+'~_]{1,128}$: a@b.co' on property username.","errorCode":"invalid_body"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"PasswordStrengthError: Password is too weak","errorCode":"invalid_password"}
    POST /api/v2/users
      409 {"statusCode":409,"error":"Conflict","message":"The user already exists.","errorCode":"auth0_idp_error"}
    POST /api/v2/users
      409 {"statusCode":409,"error":"Conflict","message":"The user already exists.","errorCode":"auth0_idp_error"}
    POST /api/v2/users
      409 {"statusCode":409,"error":"Conflict","message":"The user already exists.","errorCode":"auth0_idp_error"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Expected type object but found type array'.","errorCode":"invalid_body"}
    POST /api/v2/users
      401 {"statusCode":401,"error":"Unauthorized","message":"Missing authentication","attributes":{"error":"Missing authentication"}}
    POST /api/v2/users
      401 {"statusCode":401,"error":"Unauthorized","message":"Invalid token","attributes":{"error":"Invalid token"}}
    POST /api/v2/users
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: create:users","errorCode":"insufficient_scope"}
    GET /api/v2/users
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:users","errorCode":"insufficient_scope"}
    GET /api/v2/users/auth0%7Ctaken
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:users,read:user_idp_tokens","errorCode":"insufficient_scope"}
    GET /api/v2/users-by-email?email=a@b.co
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:users","errorCode":"insufficient_scope"}
    DELETE /api/v2/users/auth0%7Ctaken
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: delete:users","errorCode":"insufficient_scope"}
    PATCH /api/v2/users/auth0%7Ctaken
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:users,update:users_app_metadata","errorCode":"insufficient_scope"}
    GET /api/v2/users?fields=user_id
      200 [{"user_id":"auth0|taken"}]
    "#);
}

#[tokio::test]
async fn a_usernames_connection_needs_no_address() {
    let said = on_both(async |app: &App| {
        app.connection("names", json!({"requires_username": true})).await;
        app.connection("phones", json!({"attributes": {
            "phone_number": {"identifier": {"active": true}}, "username": {"profile_required": false},
        }}))
        .await;
        let bodies = [
            json!({"connection": "names", "username": "Ada", "user_id": "1"}),
            json!({"connection": "names", "username": "ADA", "user_id": "2"}),
            json!({"connection": "phones", "phone_number": "+1", "user_id": "3"}),
            json!({"connection": "phones", "username": "bob", "user_id": "4"}),
            json!({"connection": "phones", "user_id": "5"}),
        ];
        for body in bodies {
            app.tell("POST", USERS, body).await;
        }
        app.tell("PATCH", &url("1"), json!({"username": null})).await;
        app.tell("PATCH", &url("3"), json!({"phone_number": null})).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /api/v2/users
      201 {"created_at":"2026-03-01T10:00:00.000Z","email_verified":false,"ferry":{"origin":"native"},"identities":[{"connection":"names","user_id":"1","provider":"auth0","isSocial":false}],"name":"ada","nickname":"ada","updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|1","username":"ada"}
    POST /api/v2/users
      409 {"statusCode":409,"error":"Conflict","message":"The user already exists.","errorCode":"auth0_idp_error"}
    POST /api/v2/users
      201 {"created_at":"2026-03-01T10:00:00.000Z","email_verified":false,"ferry":{"origin":"native"},"identities":[{"connection":"phones","user_id":"3","provider":"auth0","isSocial":false}],"phone_number":"+1","updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|3"}
    POST /api/v2/users
      201 {"created_at":"2026-03-01T10:00:00.000Z","email_verified":false,"ferry":{"origin":"native"},"identities":[{"connection":"phones","user_id":"4","provider":"auth0","isSocial":false}],"name":"bob","nickname":"bob","updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|4","username":"bob"}
    POST /api/v2/users
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: email' on property email.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Missing username for names connection with requires_username enabled","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C3
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: email' on property email.","errorCode":"invalid_body"}
    "#);
}

#[tokio::test]
async fn a_custom_database_is_asked_first() {
    let said = on_both(async |app: &App| {
        app.connection("import", custom(true)).await;
        app.connection("legacy", custom(false)).await;
        let create = "function create(user, callback) { callback(null); }";
        let mut with_create = custom(false);
        with_create["customScripts"]["create"] = create.into();
        app.connection("legacy-create", with_create).await;
        for connection in ["import", "legacy", "legacy-create"] {
            for (email, username) in [
                ("there@b.co", "x"),
                ("x@b.co", "there"),
                ("down@b.co", "x"),
                ("new@b.co", "new"),
            ] {
                let body = json!({
                    "connection": connection, "email": email, "username": username,
                    "user_id": format!("new-{connection}"),
                });
                let answer = app.quietly("POST", USERS, body).await;
                app.say(&format!(
                    "{connection} {email} {username}: {} {} {}",
                    answer.status, answer.body["message"], answer.body["errorCode"]
                ));
            }
        }
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    import there@b.co x: 409 "The user already exists." "auth0_idp_error"
    import x@b.co there: 409 "The user already exists." "auth0_idp_error"
    import down@b.co x: 503 "The service is temporarily unavailable. Please try again later." "temporarily_unavailable"
    import new@b.co new: 201 null null
    legacy there@b.co x: 409 "The user already exists." "auth0_idp_error"
    legacy x@b.co there: 409 "The user already exists." "auth0_idp_error"
    legacy down@b.co x: 503 "The service is temporarily unavailable. Please try again later." "temporarily_unavailable"
    legacy new@b.co new: 400 "Please implement the Create script for this database connection." "operation_not_supported"
    legacy-create there@b.co x: 409 "The user already exists." "auth0_idp_error"
    legacy-create x@b.co there: 409 "The user already exists." "auth0_idp_error"
    legacy-create down@b.co x: 503 "The service is temporarily unavailable. Please try again later." "temporarily_unavailable"
    legacy-create new@b.co new: 503 "The service is temporarily unavailable. Please try again later." "temporarily_unavailable"
    "#);
}

#[tokio::test]
async fn a_user_changes() {
    let said = on_both(async |app: &App| {
        app.connection("plain", json!({})).await;
        let mut body = user("plain", "1");
        body["email_verified"] = true.into();
        body["name"] = "Ada".into();
        body["user_metadata"] = json!({"a": {"x": 1}, "b": 2, "c": 3});
        body["app_metadata"] = json!({"plan": "pro"});
        app.quietly("POST", USERS, body).await;
        app.later(60);
        for change in [
            json!({"user_metadata": {"a": {"y": 2}, "b": null}}),
            json!({"user_metadata": {}, "app_metadata": {}}),
            json!({"name": null, "blocked": true, "given_name": "Ada"}),
            json!({"email": "New@b.co", "connection": "plain", "client_id": "x", "verify_email": true}),
            json!({"email_verified": true, "phone_number": "+49"}),
            json!({"user_metadata": null, "blocked": null, "phone_number": null}),
        ] {
            app.tell("PATCH", &url("1"), change).await;
        }
        let path = format!("{}?fields=last_password_reset", url("1"));
        app.quietly("PATCH", &url("1"), json!({"password": "Correct horse 2"})).await;
        app.tell("GET", &path, Value::Null).await;
        let stored = app.engine.store.find_user(&UserId::from("auth0|1")).await.unwrap().unwrap();
        let connection = stored.identities[0].connection.clone();
        let credential = app.engine.store.find_credential(stored.row, &connection).await.unwrap();
        assert!(credential.unwrap().hash.is_some());
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    PATCH /api/v2/users/auth0%7C1
      200 {"app_metadata":{"plan":"pro"},"created_at":"2026-03-01T10:00:00.000Z","email":"1@b.co","email_verified":true,"ferry":{"origin":"native"},"identities":[{"connection":"plain","user_id":"1","provider":"auth0","isSocial":false}],"name":"Ada","nickname":"1","picture":"https://s.gravatar.com/avatar/72b967c6614b36149049284dac1b52f6?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2F1b.png","updated_at":"2026-03-01T10:01:00.000Z","user_id":"auth0|1","user_metadata":{"a":{"y":2},"c":3}}
    PATCH /api/v2/users/auth0%7C1
      200 {"created_at":"2026-03-01T10:00:00.000Z","email":"1@b.co","email_verified":true,"ferry":{"origin":"native"},"identities":[{"connection":"plain","user_id":"1","provider":"auth0","isSocial":false}],"name":"Ada","nickname":"1","picture":"https://s.gravatar.com/avatar/72b967c6614b36149049284dac1b52f6?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2F1b.png","updated_at":"2026-03-01T10:01:00.000Z","user_id":"auth0|1","user_metadata":{}}
    PATCH /api/v2/users/auth0%7C1
      200 {"blocked":true,"created_at":"2026-03-01T10:00:00.000Z","email":"1@b.co","email_verified":true,"ferry":{"origin":"native"},"given_name":"Ada","identities":[{"connection":"plain","user_id":"1","provider":"auth0","isSocial":false}],"name":"1@b.co","nickname":"1","picture":"https://s.gravatar.com/avatar/72b967c6614b36149049284dac1b52f6?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2F1b.png","updated_at":"2026-03-01T10:01:00.000Z","user_id":"auth0|1","user_metadata":{}}
    PATCH /api/v2/users/auth0%7C1
      200 {"blocked":true,"created_at":"2026-03-01T10:00:00.000Z","email":"new@b.co","email_verified":false,"ferry":{"origin":"native"},"given_name":"Ada","identities":[{"connection":"plain","user_id":"1","provider":"auth0","isSocial":false}],"name":"new@b.co","nickname":"new","picture":"https://s.gravatar.com/avatar/13ba0b31d2807345efb2b7d20c65e20a?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fne.png","updated_at":"2026-03-01T10:01:00.000Z","user_id":"auth0|1","user_metadata":{}}
    PATCH /api/v2/users/auth0%7C1
      200 {"blocked":true,"created_at":"2026-03-01T10:00:00.000Z","email":"new@b.co","email_verified":true,"ferry":{"origin":"native"},"given_name":"Ada","identities":[{"connection":"plain","user_id":"1","provider":"auth0","isSocial":false}],"name":"new@b.co","nickname":"new","phone_number":"+49","phone_verified":false,"picture":"https://s.gravatar.com/avatar/13ba0b31d2807345efb2b7d20c65e20a?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fne.png","updated_at":"2026-03-01T10:01:00.000Z","user_id":"auth0|1","user_metadata":{}}
    PATCH /api/v2/users/auth0%7C1
      200 {"created_at":"2026-03-01T10:00:00.000Z","email":"new@b.co","email_verified":true,"ferry":{"origin":"native"},"given_name":"Ada","identities":[{"connection":"plain","user_id":"1","provider":"auth0","isSocial":false}],"name":"new@b.co","nickname":"new","picture":"https://s.gravatar.com/avatar/13ba0b31d2807345efb2b7d20c65e20a?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fne.png","updated_at":"2026-03-01T10:01:00.000Z","user_id":"auth0|1"}
    GET /api/v2/users/auth0%7C1?fields=last_password_reset
      200 {"last_password_reset":"2026-03-01T10:01:00.000Z"}
    "#);
}

#[tokio::test]
async fn a_change_is_refused_by_name() {
    let said = on_both(async |app: &App| {
        app.connection("plain", json!({"passwordPolicy": "excellent"}))
            .await;
        app.connection("names", json!({"requires_username": true}))
            .await;
        for id in ["1", "2"] {
            app.quietly("POST", USERS, user("plain", id)).await;
            let mut named = user("names", &format!("n{id}"));
            named["username"] = format!("name{id}").into();
            app.quietly("POST", USERS, named).await;
        }
        for change in [
            json!({"password": "Correct horse 2", "email": "a@b.co"}),
            json!({"password": "Correct horse 2", "email_verified": true}),
            json!({"username": "ada", "email": "a@b.co"}),
            json!({"username": "ada", "email_verified": true}),
            json!({"username": "ada", "password": "Correct horse 2"}),
            json!({"username": "ada"}),
            json!({"email": "2@B.co"}),
            json!({"email": null}),
            json!({"password": "short"}),
            json!({"password": null}),
            json!({"connection": "nowhere", "email": "a@b.co"}),
            json!({"connection": "names", "email": "a@b.co"}),
            json!({"app_metadata": {"user_id": "x"}}),
            json!({"user_id": "x"}),
            json!({"email": "nope"}),
        ] {
            app.tell("PATCH", &url("1"), change).await;
        }
        app.tell("PATCH", &url("n1"), json!({"username": "NAME2"}))
            .await;
        app.tell("PATCH", &url("n1"), json!({"username": null}))
            .await;
        app.tell("PATCH", &url("nobody"), json!({"name": "Ada"}))
            .await;
        let keeper = app.token_for(Some("update:users_app_metadata")).await;
        app.tell_as(Some(&keeper), "PATCH", &url("1"), json!({"name": "Ada"}))
            .await;
        app.tell_as(
            Some(&keeper),
            "PATCH",
            &url("1"),
            json!({"app_metadata": {"a": 1}}),
        )
        .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Cannot update password and email simultaneously.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Cannot update password and email_verified simultaneously.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Cannot update username and email simultaneously.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Cannot update username and email_verified simultaneously.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Cannot update username and password simultaneously.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Cannot set username for connection without requires_username.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"The specified new email already exists","errorCode":"auth0_idp_error"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Missing required property: email' on property email.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"PasswordStrengthError: Password is too weak","errorCode":"invalid_password"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Expected type string but found type null' on property password.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Connection does not exist.","errorCode":"inexistent_connection"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Connection is not supported for this operation.","errorCode":"operation_not_supported"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Additional properties not allowed: user_id' on property app_metadata.user_id.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Additional properties not allowed: user_id' on property user_id.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7C1
      400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Object didn't pass validation for format email: nope' on property email.","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7Cn1
      400 {"statusCode":400,"error":"Bad Request","message":"The specified new username already exists","errorCode":"auth0_idp_error"}
    PATCH /api/v2/users/auth0%7Cn1
      400 {"statusCode":400,"error":"Bad Request","message":"Missing username for names connection with requires_username enabled","errorCode":"invalid_body"}
    PATCH /api/v2/users/auth0%7Cnobody
      404 {"statusCode":404,"error":"Not Found","message":"The user does not exist.","errorCode":"inexistent_user"}
    PATCH /api/v2/users/auth0%7C1
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:users","errorCode":"insufficient_scope"}
    PATCH /api/v2/users/auth0%7C1
      200 {"app_metadata":{"a":1},"created_at":"2026-03-01T10:00:00.000Z","email":"1@b.co","email_verified":false,"ferry":{"origin":"native"},"identities":[{"connection":"plain","user_id":"1","provider":"auth0","isSocial":false}],"name":"1@b.co","nickname":"1","picture":"https://s.gravatar.com/avatar/72b967c6614b36149049284dac1b52f6?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2F1b.png","updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|1"}
    "#);
}

#[tokio::test]
async fn a_custom_database_limits_changes() {
    let said = on_both(async |app: &App| {
        app.connection("import", custom(true)).await;
        let body = json!({
            "connection": "import", "email": "new@b.co", "username": "new", "user_id": "1",
        });
        app.quietly("POST", USERS, body).await;
        let tell = async |id: &str, change: Value| {
            let answer = app.quietly("PATCH", &url(id), change.clone()).await;
            let (message, code) = (&answer.body["message"], &answer.body["errorCode"]);
            app.say(&format!("{change}: {} {message} {code}", answer.status));
        };
        tell("1", json!({"email": "there@b.co"})).await;
        tell("1", json!({"username": "there"})).await;
        tell("1", json!({"email": "down@b.co"})).await;
        tell("1", json!({"email": "NEW@b.co"})).await;
        tell("1", json!({"email": "newer@b.co"})).await;

        // A cached copy of a legacy user; the script says that it holds there@b.co by now.
        let legacy = app.connection("legacy", custom(false)).await;
        app.cache("7", &legacy, "Old@b.co").await;
        tell("7", json!({"email": "there@b.co"})).await;
        tell("7", json!({"email": "other@b.co"})).await;
        tell("7", json!({"email": "old@b.co"})).await;
        tell("7", json!({"username": "other"})).await;
        tell("7", json!({"password": "correct horse"})).await;
        tell("7", json!({"phone_number": "+49"})).await;
        tell(
            "7",
            json!({"nickname": "x", "given_name": "y", "picture": null}),
        )
        .await;
        tell("7", json!({"picture": null})).await;
        tell("7", json!({"blocked": true, "app_metadata": {"a": 1}})).await;
        app.tell("GET", &url("7"), Value::Null).await;

        let mut first_login = custom(false);
        first_login["set_user_root_attributes"] = "on_first_login".into();
        first_login["customScripts"]["change_email"] =
            "function changeEmail(e, n, v, callback) { callback(null, false); }".into();
        let settled = app.connection("settled", first_login).await;
        app.cache("8", &settled, "eight@b.co").await;
        tell("8", json!({"nickname": "x"})).await;
        tell("8", json!({"email": "other@b.co"})).await;
        app.later(1);
        app.quietly("DELETE", &url("8"), Value::Null).await;
        let path = format!("{}/logs", url("8"));
        app.tell("GET", &path, Value::Null).await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    {"email":"there@b.co"}: 400 "The specified new email already exists" "auth0_idp_error"
    {"username":"there"}: 400 "The specified new username already exists" "auth0_idp_error"
    {"email":"down@b.co"}: 503 "The service is temporarily unavailable. Please try again later." "temporarily_unavailable"
    {"email":"NEW@b.co"}: 200 null null
    {"email":"newer@b.co"}: 200 null null
    {"email":"there@b.co"}: 400 "Please implement the Change Email script for this database connection." "operation_not_supported"
    {"email":"other@b.co"}: 400 "Please implement the Change Email script for this database connection." "operation_not_supported"
    {"email":"old@b.co"}: 200 null null
    {"username":"other"}: 400 "Please implement the Change Username script for this database connection." "operation_not_supported"
    {"password":"correct horse"}: 400 "Please implement the Change Password script for this database connection." "operation_not_supported"
    {"phone_number":"+49"}: 400 "Please implement the Change Phone Number script for this database connection." "operation_not_supported"
    {"nickname":"x","given_name":"y","picture":null}: 400 "The following user attributes cannot be updated: given_name, nickname. The connection must either be a database connection (using the Auth0 store), a passwordless connection (email or sms) or has disabled 'Sync user profile attributes at each login'." "operation_not_supported"
    {"picture":null}: 400 "The following user attributes cannot be removed: picture. The connection (legacy) should have disabled 'Sync user profile attributes at each login' (see Configuring Connection Sync with Auth0) or defined these attributes in 'options.non_persistent_attrs' array (see Add User Attributes to DenyList)." "operation_not_supported"
    {"blocked":true,"app_metadata":{"a":1}}: 200 null null
    GET /api/v2/users/auth0%7C7
      200 {"app_metadata":{"a":1},"blocked":true,"created_at":"2026-03-01T10:00:00.000Z","department":"R&D","email":"Old@b.co","email_verified":false,"ferry":{"origin":"cached"},"identities":[{"connection":"legacy","user_id":"7","provider":"auth0","isSocial":false}],"multifactor":["sms"],"name":"Old@b.co","nickname":"Old","picture":"https://s.gravatar.com/avatar/988fb0f12d37e3a9ba0e00c45ce63b07?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fol.png","updated_at":"2026-03-01T10:00:00.000Z","user_id":"auth0|7"}
    {"nickname":"x"}: 200 null null
    {"email":"other@b.co"}: 400 "The Change Email script changed nothing." "auth0_idp_error"
    GET /api/v2/users/auth0%7C8/logs
      200 [{"date":"2026-03-01T10:00:01.000Z","type":"fdu","description":"Please implement the Delete script for this database connection.","connection_id":"con_0000000000000003","connection":"settled","client_id":"administrator","client_name":"Administrator","user_id":"auth0|8","user_name":"eight@b.co","log_id":"[log]","_id":"[log]","strategy":"auth0","strategy_type":"database","details":{"error":{"message":"Please implement the Delete script for this database connection.","kind":"script_missing"},"script":"delete"}},{"date":"2026-03-01T10:00:00.000Z","type":"fce","description":"The Change Email script changed nothing.","connection_id":"con_0000000000000003","connection":"settled","client_id":"administrator","client_name":"Administrator","user_id":"auth0|8","user_name":"eight@b.co","log_id":"[log]","_id":"[log]","strategy":"auth0","strategy_type":"database","details":{"error":{"message":"The Change Email script changed nothing.","kind":"not_changed"},"script":"change_email"}},{"date":"2026-03-01T10:00:00.000Z","type":"sapi","description":"Update a User","connection_id":"con_0000000000000003","connection":"settled","client_id":"administrator","client_name":"Administrator","user_id":"auth0|8","user_name":"eight@b.co","log_id":"[log]","_id":"[log]","strategy":"auth0","strategy_type":"database","details":{"request":{"method":"patch","path":"/api/v2/users/auth0%7C8"}}}]
    "#);
}

#[tokio::test]
async fn changes_at_once_do_not_undo_each_other() {
    on_both(async |app: &App| {
        app.connection("plain", json!({})).await;
        app.quietly("POST", USERS, user("plain", "1")).await;
        let change = async |key: &str| {
            app.quietly("PATCH", &url("1"), json!({"user_metadata": {key: 1}}))
                .await
        };
        let (a, b, c) = tokio::join!(change("a"), change("b"), change("c"));
        assert_eq!((a.status, b.status, c.status), (200, 200, 200));
        let stored = app.quietly("GET", &url("1"), Value::Null).await.body;
        assert_eq!(stored["user_metadata"].as_object().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_user_goes() {
    let said = on_both(async |app: &App| {
        let connection = app.connection("plain", json!({})).await;
        app.quietly("POST", USERS, user("plain", "1")).await;
        app.quietly("POST", USERS, user("plain", "2")).await;
        app.later(1);
        app.tell("DELETE", &url("1"), Value::Null).await;
        app.tell("DELETE", &url("1"), Value::Null).await;
        app.tell("GET", &url("1"), Value::Null).await;
        let email = domain::EmailAddress::parse("2@B.co").unwrap();
        let context = engine::Context::default();
        app.engine
            .delete_user_by_email(&context, &connection, &email)
            .await
            .unwrap();
        app.engine
            .delete_user_by_email(&context, &connection, &email)
            .await
            .unwrap();
        app.tell("GET", USERS, Value::Null).await;
        app.tell("GET", &format!("{}/logs", url("1")), Value::Null)
            .await;
        app.tell("GET", &format!("{}/logs?per_page=1", url("2")), Value::Null)
            .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    DELETE /api/v2/users/auth0%7C1
      204
    DELETE /api/v2/users/auth0%7C1
      204
    GET /api/v2/users/auth0%7C1
      404 {"statusCode":404,"error":"Not Found","message":"The user does not exist.","errorCode":"inexistent_user"}
    GET /api/v2/users
      200 []
    GET /api/v2/users/auth0%7C1/logs
      200 [{"date":"2026-03-01T10:00:01.000Z","type":"sdu","description":"User deleted","connection_id":"con_0000000000000001","connection":"plain","client_id":"administrator","client_name":"Administrator","user_id":"auth0|1","user_name":"1@b.co","log_id":"[log]","_id":"[log]","strategy":"auth0","strategy_type":"database","details":{"request":{"method":"delete","path":"/api/v2/users/auth0%7C1"}}},{"date":"2026-03-01T10:00:00.000Z","type":"sapi","description":"Create a User","connection_id":"con_0000000000000001","connection":"plain","client_id":"administrator","client_name":"Administrator","user_id":"auth0|1","user_name":"1@b.co","log_id":"[log]","_id":"[log]","strategy":"auth0","strategy_type":"database","details":{"request":{"method":"post","path":"/api/v2/users"}}}]
    GET /api/v2/users/auth0%7C2/logs?per_page=1
      200 [{"date":"2026-03-01T10:00:01.000Z","type":"sdu","description":"User deleted","connection_id":"con_0000000000000001","connection":"plain","user_id":"auth0|2","user_name":"2@b.co","log_id":"[log]","_id":"[log]","strategy":"auth0","strategy_type":"database"}]
    "#);
}

#[tokio::test]
async fn users_are_listed() {
    let said = on_both(async |app: &App| {
        app.connection("plain", json!({})).await;
        app.connection("other", json!({})).await;
        for (connection, id) in [("plain", "b"), ("plain", "a"), ("other", "c")] {
            app.quietly("POST", USERS, user(connection, id)).await;
            app.later(1);
        }
        app.quietly(
            "POST",
            USERS,
            json!({"connection": "other", "user_id": "d", "email": "a@b.co"}),
        )
        .await;
        for query in [
            "",
            "page=1&per_page=3",
            "page=1&per_page=1&include_totals=true",
            "per_page=0&include_totals=true",
            "sort=email:-1",
            "sort=created_at:1&primary_order=false",
            "search_engine=v3&q=email:%22A@b.co%22",
            "q=user_id:%22auth0%7Cb%22",
            "q=user_id:nobody",
            "q=identities.connection:%22other%22&include_totals=true",
            "q=identities.connection:%22nowhere%22&include_totals=true",
            "page=9&per_page=100",
        ] {
            app.tell(
                "GET",
                &format!("{USERS}?{query}&fields=user_id"),
                Value::Null,
            )
            .await;
        }
        app.tell(
            "GET",
            "/api/v2/users-by-email?email=A%40b.co&fields=user_id",
            Value::Null,
        )
        .await;
        app.tell("GET", "/api/v2/users-by-email?email=x@b.co", Value::Null)
            .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /api/v2/users?&fields=user_id
      200 [{"user_id":"auth0|b"},{"user_id":"auth0|a"},{"user_id":"auth0|c"},{"user_id":"auth0|d"}]
    GET /api/v2/users?page=1&per_page=3&fields=user_id
      200 [{"user_id":"auth0|d"}]
    GET /api/v2/users?page=1&per_page=1&include_totals=true&fields=user_id
      200 {"start":1,"limit":1,"length":1,"total":4,"users":[{"user_id":"auth0|a"}]}
    GET /api/v2/users?per_page=0&include_totals=true&fields=user_id
      200 {"start":0,"limit":0,"length":0,"total":4,"users":[]}
    GET /api/v2/users?sort=email:-1&fields=user_id
      200 [{"user_id":"auth0|c"},{"user_id":"auth0|b"},{"user_id":"auth0|d"},{"user_id":"auth0|a"}]
    GET /api/v2/users?sort=created_at:1&primary_order=false&fields=user_id
      200 [{"user_id":"auth0|b"},{"user_id":"auth0|a"},{"user_id":"auth0|c"},{"user_id":"auth0|d"}]
    GET /api/v2/users?search_engine=v3&q=email:%22A@b.co%22&fields=user_id
      200 [{"user_id":"auth0|a"},{"user_id":"auth0|d"}]
    GET /api/v2/users?q=user_id:%22auth0%7Cb%22&fields=user_id
      200 [{"user_id":"auth0|b"}]
    GET /api/v2/users?q=user_id:nobody&fields=user_id
      200 []
    GET /api/v2/users?q=identities.connection:%22other%22&include_totals=true&fields=user_id
      200 {"start":0,"limit":50,"length":2,"total":2,"users":[{"user_id":"auth0|c"},{"user_id":"auth0|d"}]}
    GET /api/v2/users?q=identities.connection:%22nowhere%22&include_totals=true&fields=user_id
      200 {"start":0,"limit":50,"length":0,"total":0,"users":[]}
    GET /api/v2/users?page=9&per_page=100&fields=user_id
      200 []
    GET /api/v2/users-by-email?email=A%40b.co&fields=user_id
      200 [{"user_id":"auth0|a"},{"user_id":"auth0|d"}]
    GET /api/v2/users-by-email?email=x@b.co
      200 []
    "#);
}

#[tokio::test]
async fn a_list_is_refused_by_name() {
    let said = on_both(async |app: &App| {
        for query in [
            "page=10&per_page=100",
            "per_page=101",
            "page=-1",
            "include_totals=yes",
            "sort=email",
            "sort=user_metadata.a:1",
            "search_engine=v1",
            "search_engine=v2",
            "search_engine=v9",
            "connection=plain",
            "q=name:ada",
            "q=email:a*",
            "fileds=email",
            "page=1&page=2",
            "q=%00",
        ] {
            app.tell("GET", &format!("{USERS}?{query}"), Value::Null)
                .await;
        }
        for query in ["", "?email=", "?email=nope", "?email=a@b.co&page=1"] {
            app.tell(
                "GET",
                &format!("/api/v2/users-by-email{query}"),
                Value::Null,
            )
            .await;
        }
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /api/v2/users?page=10&per_page=100
      400 {"statusCode":400,"error":"Bad Request","message":"You can only page through the first 1000 records. See https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation.","errorCode":"invalid_query_string"}
    GET /api/v2/users?per_page=101
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Value 101 is greater than maximum 100' on property per_page.","errorCode":"invalid_query_string"}
    GET /api/v2/users?page=-1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Expected type integer but found type string' on property page.","errorCode":"invalid_query_string"}
    GET /api/v2/users?include_totals=yes
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Expected type boolean but found type string' on property include_totals.","errorCode":"invalid_query_string"}
    GET /api/v2/users?sort=email
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'String does not match pattern ^.+:(1|-1)$: email' on property sort.","errorCode":"invalid_query_string"}
    GET /api/v2/users?sort=user_metadata.a:1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Users can't be sorted by user_metadata.a' on property sort.","errorCode":"invalid_query_string"}
    GET /api/v2/users?search_engine=v1
      400 {"statusCode":400,"error":"Bad Request","message":"You are not allowed to use search_engine=v1.","errorCode":"invalid_query_string"}
    GET /api/v2/users?search_engine=v2
      400 {"statusCode":400,"error":"Bad Request","message":"You are not allowed to use search_engine=v2. Use search_engine=v3 instead.","errorCode":"invalid_query_string"}
    GET /api/v2/users?search_engine=v9
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'No enum match for: v9' on property search_engine.","errorCode":"invalid_query_string"}
    GET /api/v2/users?connection=plain
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Only search_engine=v1 knows it; use q=identities.connection:\"name\"' on property connection.","errorCode":"invalid_query_string"}
    GET /api/v2/users?q=name:ada
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'This version understands only the queries email:\"…\", user_id:\"…\" and identities.connection:\"…\", not: name:ada' on property q.","errorCode":"invalid_query_string"}
    GET /api/v2/users?q=email:a*
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'This version understands only the queries email:\"…\", user_id:\"…\" and identities.connection:\"…\", not: email:a*' on property q.","errorCode":"invalid_query_string"}
    GET /api/v2/users?fileds=email
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: fileds'.","errorCode":"invalid_query_string"}
    GET /api/v2/users?page=1&page=2
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Given more than once' on property page.","errorCode":"invalid_query_string"}
    GET /api/v2/users?q=%00
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Text must not contain the character U+0000' on property q.","errorCode":"invalid_query_string"}
    GET /api/v2/users-by-email
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Missing required property: email'.","errorCode":"invalid_query_string"}
    GET /api/v2/users-by-email?email=
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Object didn't pass validation for format email: ' on property email.","errorCode":"invalid_query_string"}
    GET /api/v2/users-by-email?email=nope
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Object didn't pass validation for format email: nope' on property email.","errorCode":"invalid_query_string"}
    GET /api/v2/users-by-email?email=a@b.co&page=1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: page'.","errorCode":"invalid_query_string"}
    "#);
}
