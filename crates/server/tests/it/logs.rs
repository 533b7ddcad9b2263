//! The tenant log through the Management API.

use serde_json::{Value, json};

use crate::app::{App, on_both};

const LOGS: &str = "/api/v2/logs";

/// Three users come, a second apart each; their events follow that of the first token.
async fn three_events(app: &App) {
    app.connection("plain", json!({})).await;
    for id in ["1", "2", "3"] {
        app.later(1);
        let body = json!({"connection": "plain", "user_id": id, "email": format!("{id}@b.co"), "password": "s3cr3t-needle"});
        assert_eq!(app.quietly("POST", "/api/v2/users", body).await.status, 201);
    }
}

#[tokio::test]
async fn events_are_listed_by_page() {
    let said = on_both(async |app: &App| {
        three_events(app).await;
        for query in [
            "per_page=1",
            "fields=type,user_id",
            "fields=type,user_id&sort=date:1",
            "fields=user_id&page=1&per_page=2&include_totals=true",
            "fields=details,log_id,_id,client_name,client_id&include_fields=false&per_page=1",
        ] {
            app.tell("GET", &format!("{LOGS}?{query}"), Value::Null)
                .await;
        }
        let all = app.quietly("GET", LOGS, Value::Null).await.body;
        assert!(!all.to_string().contains("needle"));
        let id = all[0]["log_id"].as_str().unwrap().to_owned();
        let one = app
            .quietly("GET", &format!("{LOGS}/{id}"), Value::Null)
            .await;
        assert_eq!((one.status, &one.body), (200, &all[0]));
        app.tell("GET", "/api/v2/logs/nothing", Value::Null).await;
        let of_user = "/api/v2/users/auth0%7C2/logs";
        app.tell(
            "GET",
            &format!("{of_user}?include_totals=true&sort=date:1"),
            Value::Null,
        )
        .await;
        app.tell("GET", "/api/v2/users/auth0%7Cnobody/logs", Value::Null)
            .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /api/v2/logs?per_page=1
      200 [{"date":"2026-03-01T10:00:03.000Z","type":"sapi","description":"Create a User","connection_id":"con_0000000000000001","connection":"plain","client_id":"administrator","client_name":"Administrator","user_id":"auth0|3","user_name":"3@b.co","log_id":"[log]","_id":"[log]","strategy":"auth0","strategy_type":"database","details":{"request":{"method":"post","path":"/api/v2/users"}}}]
    GET /api/v2/logs?fields=type,user_id
      200 [{"type":"sapi","user_id":"auth0|3"},{"type":"sapi","user_id":"auth0|2"},{"type":"sapi","user_id":"auth0|1"},{"type":"seccft"}]
    GET /api/v2/logs?fields=type,user_id&sort=date:1
      200 [{"type":"seccft"},{"type":"sapi","user_id":"auth0|1"},{"type":"sapi","user_id":"auth0|2"},{"type":"sapi","user_id":"auth0|3"}]
    GET /api/v2/logs?fields=user_id&page=1&per_page=2&include_totals=true
      200 {"start":2,"limit":2,"length":2,"total":4,"logs":[{"user_id":"auth0|1"},{}]}
    GET /api/v2/logs?fields=details,log_id,_id,client_name,client_id&include_fields=false&per_page=1
      200 [{"date":"2026-03-01T10:00:03.000Z","type":"sapi","description":"Create a User","connection_id":"con_0000000000000001","connection":"plain","user_id":"auth0|3","user_name":"3@b.co","strategy":"auth0","strategy_type":"database"}]
    GET /api/v2/logs/nothing
      404 {"statusCode":404,"error":"Not Found","message":"Log not found.","errorCode":"inexistent_log"}
    GET /api/v2/users/auth0%7C2/logs?include_totals=true&sort=date:1
      200 {"start":0,"limit":50,"length":1,"total":1,"logs":[{"date":"2026-03-01T10:00:02.000Z","type":"sapi","description":"Create a User","connection_id":"con_0000000000000001","connection":"plain","client_id":"administrator","client_name":"Administrator","user_id":"auth0|2","user_name":"2@b.co","log_id":"[log]","_id":"[log]","strategy":"auth0","strategy_type":"database","details":{"request":{"method":"post","path":"/api/v2/users"}}}]}
    GET /api/v2/users/auth0%7Cnobody/logs
      200 []
    "#);
}

#[tokio::test]
async fn a_checkpoint_walks_through_all_events() {
    let said = on_both(async |app: &App| {
        three_events(app).await;
        let mut path = format!("{LOGS}?take=2&fields=type,user_id");
        loop {
            let answer = app.quietly("GET", &path, Value::Null).await;
            app.say(&format!("{} {}", answer.status, answer.body));
            let Some(link) = answer.headers.get("link") else {
                break;
            };
            let link = link.to_str().unwrap();
            let url = link.strip_prefix("<https://ferry.example").unwrap();
            url.strip_suffix(">; rel=\"next\"")
                .unwrap()
                .clone_into(&mut path);
        }
        app.tell("GET", &format!("{LOGS}?take=1&fields=type"), Value::Null)
            .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    200 [{"type":"seccft"},{"type":"sapi","user_id":"auth0|1"}]
    200 [{"type":"sapi","user_id":"auth0|2"},{"type":"sapi","user_id":"auth0|3"}]
    200 []
    GET /api/v2/logs?take=1&fields=type
      200 link: <https://ferry.example/api/v2/logs?from=[log]&take=1&fields=type>; rel="next" [{"type":"seccft"}]
    "#);
}

#[tokio::test]
async fn a_log_request_is_refused_by_name() {
    let said = on_both(async |app: &App| {
        for query in [
            "take=101",
            "take=0",
            "take=10&page=1",
            "from=x&sort=date:1",
            "page=10&per_page=100",
            "per_page=101",
            "sort=type:1",
            "search=type:s",
            "q=type:s",
        ] {
            app.tell("GET", &format!("{LOGS}?{query}"), Value::Null)
                .await;
        }
        app.tell("GET", "/api/v2/users/auth0%7C1/logs?take=1", Value::Null)
            .await;
        let reader = app.token_for(Some("read:users")).await;
        for path in [LOGS, "/api/v2/logs/x", "/api/v2/users/auth0%7C1/logs"] {
            app.tell_as(Some(&reader), "GET", path, Value::Null).await;
        }
        let reader = app.token_for(Some("read:logs_users")).await;
        app.tell_as(Some(&reader), "GET", "/api/v2/logs/x", Value::Null)
            .await;
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    GET /api/v2/logs?take=101
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Value 101 is greater than maximum 100' on property take.","errorCode":"invalid_query_string"}
    GET /api/v2/logs?take=0
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Value 0 is less than minimum 1' on property take.","errorCode":"invalid_query_string"}
    GET /api/v2/logs?take=10&page=1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: page'.","errorCode":"invalid_query_string"}
    GET /api/v2/logs?from=x&sort=date:1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: sort'.","errorCode":"invalid_query_string"}
    GET /api/v2/logs?page=10&per_page=100
      400 {"statusCode":400,"error":"Bad Request","message":"You can only page through the first 1000 records. Use from and take to read on.","errorCode":"invalid_query_string"}
    GET /api/v2/logs?per_page=101
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Value 101 is greater than maximum 100' on property per_page.","errorCode":"invalid_query_string"}
    GET /api/v2/logs?sort=type:1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'No enum match for: type:1' on property sort.","errorCode":"invalid_query_string"}
    GET /api/v2/logs?search=type:s
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: search'.","errorCode":"invalid_query_string"}
    GET /api/v2/logs?q=type:s
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: q'.","errorCode":"invalid_query_string"}
    GET /api/v2/users/auth0%7C1/logs?take=1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: take'.","errorCode":"invalid_query_string"}
    GET /api/v2/logs
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:logs,read:logs_users","errorCode":"insufficient_scope"}
    GET /api/v2/logs/x
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:logs,read:logs_users","errorCode":"insufficient_scope"}
    GET /api/v2/users/auth0%7C1/logs
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:logs,read:logs_users","errorCode":"insufficient_scope"}
    GET /api/v2/logs/x
      404 {"statusCode":404,"error":"Not Found","message":"Log not found.","errorCode":"inexistent_log"}
    "#);
}
