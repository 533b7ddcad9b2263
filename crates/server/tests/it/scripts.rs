//! Scripts are tried and watched over the Management API; nothing is written by that.

use std::sync::Arc;

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::app::{App, on_both};

const LOGIN: &str = "function login(email, password, callback) {
    console.log('asked for %s', email);
    if (password !== 'right') return callback(new WrongUsernameOrPasswordError(email, 'no'));
    callback(null, { user_id: 7, email, email_verified: true, department: 'R&D', nickname: 'Ann' });
}";
const GET_USER: &str = "function getByEmail(email, callback) {
    if (email === 'down@b.co') throw new Error('the store is down');
    callback(null, email === 'odd@b.co' ? { user_id: 1, email: 5 } : null);
}";
const CREATE: &str = "function create(user, callback) {
    console.warn(typeof user.password);
    callback(new ValidationError('user_exists', 'taken: ' + user.email));
}";

async fn prepare(app: &App) -> String {
    let scripts = json!({"login": LOGIN, "get_user": GET_USER, "create": CREATE});
    let options = json!({
        "enabledDatabaseCustomization": true, "import_mode": true, "customScripts": scripts,
    });
    let id = app.connection("legacy", options).await;
    format!("/api/v2/connections/{id}/scripts")
}

/// An answer without the time it took.
fn steady(mut body: Value) -> Value {
    if let Some(body) = body.as_object_mut() {
        assert!(
            body.shift_remove("took_ms")
                .is_some_and(|took| took.is_u64())
        );
    }
    body
}

#[tokio::test]
async fn a_trial_tells_all_and_writes_nothing() {
    let said = on_both(async |app: &App| {
        let scripts = prepare(app).await;
        for (script, body) in [
            ("login", json!({"email": "ann@b.co", "password": "right"})),
            ("login", json!({"email": "ann@b.co", "password": "wrong"})),
            ("get_user", json!({"email": "new@b.co"})),
            ("get_user", json!({"email": "odd@b.co"})),
            ("create", json!({"user": {"email": "ann@b.co", "password": "x"}})),
            ("verify", json!({"email": "ann@b.co"})),
            (
                "get_user",
                json!({"email": "a@b.co", "source": "(email, cb) => cb(null, { user_id: 'x', email })"}),
            ),
        ] {
            let path = format!("{scripts}/{script}/try");
            let answer = app.quietly("POST", &path, body).await;
            app.say(&format!("{script}: {} {}", answer.status, steady(answer.body)));
        }
        let down = json!({"email": "down@b.co"});
        let answer = app.quietly("POST", &format!("{scripts}/get_user/try"), down).await;
        assert_eq!(answer.body["outcome"], "failed");
        assert_eq!(answer.body["error"]["message"], "the store is down");
        assert!(answer.body["detail"].as_str().unwrap().contains("get_user.js:2"));
        assert_eq!(app.quietly("GET", "/api/v2/users", Value::Null).await.body, json!([]));
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    login: 200 {"script":"login","runtime":"embedded","outcome":"found","value":{"user_id":7,"email":"ann@b.co","email_verified":true,"department":"R&D","nickname":"Ann"},"profile":{"department":"R&D","email":"ann@b.co","email_verified":true,"name":"ann@b.co","nickname":"Ann","picture":"https://s.gravatar.com/avatar/3a2c0017812ec407d43b0e2ae33cffc6?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fan.png","user_id":"auth0|7"},"would":{"do":"create"},"console":[{"level":"log","text":"asked for ann@b.co"}]}
    login: 200 {"script":"login","runtime":"embedded","outcome":"wrong_password","detail":"no","error":{"name":"WrongUsernameOrPasswordError","message":"no","code":null,"at":["login.js:3:80"]},"console":[{"level":"log","text":"asked for ann@b.co"}]}
    get_user: 200 {"script":"get_user","runtime":"embedded","outcome":"not_found","value":null,"console":[]}
    get_user: 200 {"script":"get_user","runtime":"embedded","outcome":"failed","value":{"user_id":1,"email":5},"detail":"the script's profile does not fit: email: not an e-mail address","console":[]}
    create: 200 {"script":"create","runtime":"embedded","outcome":"refused","detail":"taken: ann@b.co","error":{"name":"ValidationError","message":"taken: ann@b.co","code":"user_exists","at":["create.js:3:61"]},"console":[{"level":"warn","text":"string"}]}
    verify: 200 {"script":"verify","runtime":"embedded","outcome":"failed","detail":"missing: Please implement the verify script for this database connection","console":[]}
    get_user: 200 {"script":"get_user","runtime":"embedded","outcome":"found","value":{"user_id":"x","email":"a@b.co"},"profile":{"email":"a@b.co","email_verified":false,"name":"a@b.co","nickname":"a","picture":"https://s.gravatar.com/avatar/b33a54a5a598e6d3356166652048ada9?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fab.png","user_id":"auth0|x"},"would":{"do":"create"},"console":[]}
    "#);
}

#[tokio::test]
async fn a_trial_says_what_a_login_would_do() {
    on_both(async |app: &App| {
        let scripts = prepare(app).await;
        let ann = json!({"email": "ann@b.co", "password": "right"});
        let path = format!("{scripts}/login/try");
        let would = async || app.quietly("POST", &path, ann.clone()).await.body["would"].clone();
        assert_eq!(would().await, json!({"do": "create"}));
        let other = json!({"connection": "legacy", "user_id": "8", "email": "ann@b.co", "password": "correct horse"});
        assert_eq!(app.quietly("POST", "/api/v2/users", other).await.status, 201);
        assert_eq!(
            would().await,
            json!({"do": "refuse", "reason": "another user holds this email", "held_by": "auth0|8"})
        );
        app.quietly("DELETE", "/api/v2/users/auth0%7C8", Value::Null).await;
        let same = json!({"connection": "legacy", "user_id": "7", "email": "ann@b.co"});
        assert_eq!(app.quietly("POST", "/api/v2/users", same).await.status, 201);
        assert_eq!(would().await, json!({"do": "update", "user_id": "auth0|7"}));
        let password = json!({"password": "correct horse"});
        app.quietly("PATCH", "/api/v2/users/auth0%7C7", password).await;
        assert_eq!(would().await["do"], "nothing");
    })
    .await;
}

#[tokio::test]
async fn a_trial_of_nothing_is_refused() {
    let said = on_both(async |app: &App| {
        let scripts = prepare(app).await;
        for (path, body) in [
            (format!("{scripts}/logout/try"), json!({})),
            (
                "/api/v2/connections/con_nowhere/scripts/login/try".into(),
                json!({"email": "a", "password": "b"}),
            ),
            (format!("{scripts}/login/try"), json!({"email": "a@b.co"})),
            (
                format!("{scripts}/login/try"),
                json!({"email": "a@b.co", "password": "x", "user": 1}),
            ),
            (
                format!("{scripts}/get_user/try"),
                json!({"email": "a@b.co", "source": 5}),
            ),
        ] {
            app.tell("POST", &path, body).await;
        }
        let reader = app.token_for(Some("read:connections")).await;
        let body = json!({"email": "a@b.co"});
        app.tell_as(
            Some(&reader),
            "POST",
            &format!("{scripts}/get_user/try"),
            body,
        )
        .await;
        app.tell_as(
            Some(&reader),
            "GET",
            &format!("{scripts}/logs"),
            Value::Null,
        )
        .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    POST /api/v2/connections/con_0000000000000001/scripts/logout/try
      404 {"statusCode":404,"error":"Not Found","message":"There is no script named \"logout\".","errorCode":"inexistent_script"}
    POST /api/v2/connections/con_nowhere/scripts/login/try
      404 {"statusCode":404,"error":"Not Found","message":"The connection does not exist.","errorCode":"inexistent_connection"}
    POST /api/v2/connections/con_0000000000000001/scripts/login/try
      400 {"statusCode":400,"error":"Bad Request","message":"The login script takes email, password; \"password\" does not fit.","errorCode":"invalid_body"}
    POST /api/v2/connections/con_0000000000000001/scripts/login/try
      400 {"statusCode":400,"error":"Bad Request","message":"The login script has no parameter \"user\"; it takes email, password.","errorCode":"invalid_body"}
    POST /api/v2/connections/con_0000000000000001/scripts/get_user/try
      400 {"statusCode":400,"error":"Bad Request","message":"\"source\" must be a text.","errorCode":"invalid_body"}
    POST /api/v2/connections/con_0000000000000001/scripts/get_user/try
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:connections","errorCode":"insufficient_scope"}
    GET /api/v2/connections/con_0000000000000001/scripts/logs
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:logs","errorCode":"insufficient_scope"}
    "#);
}

#[tokio::test]
async fn what_scripts_write_is_seen_as_it_happens() {
    let app = App::on_sqlite().await;
    let scripts = prepare(&app).await;
    let mut events = app.open(&format!("{scripts}/logs")).await;
    let trial = json!({"email": "ann@b.co", "password": "wrong"});
    app.quietly("POST", &format!("{scripts}/login/try"), trial)
        .await;
    let mut seen = String::new();
    while !seen.contains("event: ended") {
        seen.push_str(std::str::from_utf8(&events.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(
        seen.contains(
            r#"data: {"script":"login","level":"log","text":"asked for ann@b.co","trial":true}"#
        ),
        "{seen}"
    );
    assert!(seen.contains(r#""how":"error""#), "{seen}");
    app.drain();
    while events.next().await.is_some() {}
}

/// A store that refuses five times is left alone, and that is seen from everywhere.
#[tokio::test]
async fn a_store_that_went_away_is_seen() {
    on_both(async |app: &App| {
        let stop = tokio_util::sync::CancellationToken::new();
        let log = tokio::spawn(Arc::clone(&app.engine).run_circuit_log(stop.clone()));
        let down = "function getByEmail(email, callback) {
            callback(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
        }";
        let options = json!({
            "enabledDatabaseCustomization": true, "import_mode": true,
            "customScripts": {"login": LOGIN, "get_user": down},
        });
        let id = app.connection("legacy", options).await;
        let user =
            json!({"connection": "legacy", "email": "ann@b.co", "password": "correct horse"});
        // The log listens from its first turn on.
        let event = async || {
            let logs = app.quietly("GET", "/api/v2/logs", Value::Null).await.body;
            let logs = logs.as_array().unwrap().clone();
            logs.into_iter()
                .find(|event| event["type"] == "ferry_circuit")
        };
        let found = loop {
            let status = app
                .quietly("POST", "/api/v2/users", user.clone())
                .await
                .status;
            assert_eq!(status, 503);
            if let Some(event) = event().await {
                break event;
            }
        };
        assert_eq!(found["connection_id"], json!(id));
        assert_eq!(
            found["description"],
            "Scripts are not called for now: the store cannot be reached"
        );
        let metrics = app.quietly("GET", "/metrics", Value::Null).await.body;
        let line = format!("ferry_script_circuit_open{{connection=\"{id}\"}} 1\n");
        assert!(metrics.as_str().unwrap().contains(&line), "{metrics}");
        stop.cancel();
        log.await.unwrap();
    })
    .await;
}
