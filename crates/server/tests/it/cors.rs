//! Scripts of other origins: what they may ask, and whose answers they may read.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::app::{Answer, App};

async fn send(app: &App, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let length = body.len().to_string();
    let request = request.header("content-length", length);
    app.receive(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

fn reader(answer: &Answer) -> &str {
    let named = answer.headers.get("access-control-allow-origin");
    named.map_or("nobody", |origin| origin.to_str().unwrap())
}

#[tokio::test]
async fn an_answer_is_read_by_pages_of_its_client() {
    let app = App::on_sqlite().await;
    let client = json!({
        "name": "shop", "app_type": "spa", "token_endpoint_auth_method": "none",
        "callbacks": ["https://shop.example/cb"], "web_origins": ["https://beta.shop.example"],
        "allowed_origins": ["https://*.shop.example"],
    });
    let client = app.quietly("POST", "/api/v2/clients", client).await.body;
    let id = client["client_id"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token=x&client_id={id}");
    let json = json!({"grant_type": "refresh_token", "refresh_token": "x", "client_id": id});
    let json = json.to_string();
    for (origin, expected) in [
        ("https://shop.example", "https://shop.example"),
        ("https://beta.shop.example", "https://beta.shop.example"),
        ("https://a.shop.example", "https://a.shop.example"),
        ("https://a.b.shop.example", "nobody"),
        ("http://shop.example", "nobody"),
        ("https://shop.example.evil.example", "nobody"),
        ("https://evil.example", "nobody"),
        ("null", "nobody"),
    ] {
        for (kind, body) in [
            ("application/x-www-form-urlencoded", &form),
            ("application/json", &json),
        ] {
            let headers = [("origin", origin), ("content-type", kind)];
            let answer = send(&app, "POST", "/oauth/token", &headers, body).await;
            assert_eq!(answer.body["error"], "invalid_grant", "{}", answer.body);
            assert_eq!((reader(&answer), origin), (expected, origin));
            assert_eq!(answer.headers["vary"], "Origin");
            assert!(
                !answer
                    .headers
                    .contains_key("access-control-allow-credentials")
            );
        }
    }
    // A client that nobody knows, none, and a body that is none.
    for body in ["client_id=x", "", "client_id=a&client_id=b", "{"] {
        let headers = [
            ("origin", "https://shop.example"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = send(&app, "POST", "/oauth/token", &headers, body).await;
        assert_eq!(
            (answer.status >= 400, reader(&answer)),
            (true, "nobody"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_question_is_answered_where_scripts_are_meant() {
    let app = App::on_sqlite().await;
    let question = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,dpop"),
    ];
    for path in [
        "/oauth/token",
        "/oauth/revoke",
        "/userinfo",
        "/dbconnections/signup",
    ] {
        let answer = send(&app, "OPTIONS", path, &question, "").await;
        assert_eq!((answer.status, reader(&answer)), (204, "*"), "{path}");
        let headers = answer.headers["access-control-allow-headers"]
            .to_str()
            .unwrap();
        assert_eq!(headers, "Authorization, Auth0-Client, Content-Type, DPoP");
    }
    let refused = [
        "/authorize",
        "/u/login",
        "/api/v2/users",
        "/oauth/introspect",
        "/oidc/logout",
    ];
    for path in refused {
        let answer = send(&app, "OPTIONS", path, &question, "").await;
        assert_eq!((answer.status, reader(&answer)), (405, "nobody"), "{path}");
        let answer = send(&app, "GET", path, &question[..1], "").await;
        assert_eq!(reader(&answer), "nobody", "{path}");
    }
    // What is public, and what brings its own proof, anybody's page may read.
    for (path, status) in [
        ("/.well-known/openid-configuration", 200),
        ("/.well-known/jwks.json", 200),
        ("/userinfo", 401),
    ] {
        let answer = send(&app, "GET", path, &question[..1], "").await;
        assert_eq!((answer.status, reader(&answer)), (status, "*"), "{path}");
    }
}

#[tokio::test]
async fn userinfo_takes_its_token_in_three_ways_but_once() {
    let app = App::on_sqlite().await;
    let connection = app.connection("people", json!({})).await;
    let client = json!({
        "name": "shop", "app_type": "spa", "token_endpoint_auth_method": "none",
        "grant_types": ["http://auth0.com/oauth/grant-type/password-realm"],
    });
    let client = app.quietly("POST", "/api/v2/clients", client).await.body;
    let served = json!([{"client_id": client["client_id"], "status": true}]);
    let path = format!("/api/v2/connections/{connection}/clients");
    assert_eq!(app.quietly("PATCH", &path, served).await.status, 204);
    let ann = json!({"connection": "people", "email": "ann@example.com", "password": "her own"});
    assert_eq!(app.quietly("POST", "/api/v2/users", ann).await.status, 201);
    let login = json!({
        "grant_type": "http://auth0.com/oauth/grant-type/password-realm", "realm": "people",
        "client_id": client["client_id"], "username": "ann@example.com", "password": "her own",
        "scope": "openid email",
    });
    let tokens = app.ask_as("", "POST", "/oauth/token", login).await.body;
    let token = tokens["access_token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let header = ("authorization", bearer.as_str());
    let form = ("content-type", "application/x-www-form-urlencoded");
    let sent = format!("access_token={token}");
    let query = format!("/userinfo?{sent}");
    let (plain, query, sent) = ("/userinfo", query.as_str(), sent.as_str());
    let (in_header, in_form, both) = (&[header][..], &[form][..], &[form, header][..]);
    let none = &in_header[..0];
    let cases = [
        ("GET", plain, in_header, "", 200),
        ("POST", plain, in_header, "", 200),
        ("POST", plain, in_form, sent, 200),
        ("GET", query, none, "", 200),
        ("GET", query, in_header, "", 400),
        ("POST", plain, both, sent, 400),
        ("POST", query, in_form, sent, 400),
        ("GET", plain, in_form, sent, 401),
        ("POST", plain, none, sent, 401),
    ];
    for (number, (method, path, headers, body, status)) in cases.into_iter().enumerate() {
        let answer = send(&app, method, path, headers, body).await;
        assert_eq!(answer.status, status, "{number}: {}", answer.body);
        let email = (status == 200).then_some("ann@example.com");
        assert_eq!(answer.body.get("email").and_then(Value::as_str), email);
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}
