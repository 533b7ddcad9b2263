//! A browser for tests: it keeps cookies, follows nothing by itself, and fills in forms; and what it
//! needs to sign in somewhere.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::app::{Answer, App};

pub const CALLBACK: &str = "https://shop.example/cb";
pub const ISSUER: &str = "https://ferry.example";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser: it keeps cookies and follows nothing by itself.
pub struct Browser<'a> {
    pub app: &'a App,
    pub cookies: Mutex<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a App) -> Self {
        Self {
            app,
            cookies: Mutex::default(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Body::empty(), &[]).await
    }

    pub async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.post_from(path, pairs, &[("sec-fetch-site", "same-origin")])
            .await
    }

    pub async fn post_from(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = serde_urlencoded::to_string(pairs).unwrap();
        self.send("POST", path, Body::from(body), headers).await
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Body,
        more: &[(&str, &str)],
    ) -> Answer {
        let cookies = self.cookies.lock().unwrap().clone();
        let cookies: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let mut request = Request::builder().method(method).uri(path);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let answer = self.app.receive(request.body(body).unwrap()).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            assert!(
                line.contains("; Path=/; HttpOnly; Secure; SameSite="),
                "{line}"
            );
            let (pair, _) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{line}");
            let mut jar = self.cookies.lock().unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub fn session(&self) -> Option<String> {
        self.cookies
            .lock()
            .unwrap()
            .get("__Host-ferry-session")
            .cloned()
    }

    /// Follows `/authorize` to the login page; gives its path.
    pub async fn begin(&self, more: &str) -> String {
        let answer = self.get(&authorize(self.app, more)).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        location(&answer)
    }

    /// Fills in the form of a page.
    pub async fn fill(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let (state, csrf) = (hidden(&page, "state"), hidden(&page, "csrf"));
        let mut pairs = vec![("state", state.as_str()), ("csrf", csrf.as_str())];
        pairs.extend(fields);
        self.post(path.split('?').next().unwrap(), &pairs).await
    }

    /// Signs in; gives the answer that the client gets.
    pub async fn sign_in(&self, more: &str) -> Answer {
        let path = self.begin(more).await;
        let answer = self.fill(&path, &ANN).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        self.get(&location(&answer)).await
    }
}

pub const ANN: [(&str, &str); 2] = [
    ("username", "ann@example.com"),
    ("password", "her password"),
];

pub fn location(answer: &Answer) -> String {
    let location = answer.headers.get("location");
    let location = location.unwrap_or_else(|| unreachable!("{} {}", answer.status, answer.body));
    location.to_str().unwrap().to_owned()
}

/// The value of a hidden field, as HTML or as a page before it is rendered.
pub fn hidden(page: &Answer, name: &str) -> String {
    let body = page.body.as_str().unwrap();
    let starts = [
        format!("name=\"{name}\" value=\""),
        format!("(\"{name}\", \""),
    ];
    let rest = starts
        .iter()
        .find_map(|start| Some(body.split_once(start.as_str())?.1));
    let rest = rest.unwrap_or_else(|| unreachable!("no {name} in {body}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// What a redirect tells the client.
pub fn told(answer: &Answer) -> BTreeMap<String, String> {
    let location = location(answer);
    let rest = location
        .strip_prefix(CALLBACK)
        .unwrap_or_else(|| unreachable!("{location}"));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&rest[1..]).unwrap();
    pairs.into_iter().collect()
}

pub fn authorize(app: &App, more: &str) -> String {
    format!(
        "/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&scope=openid%20email\
         &state=its%20state&nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256{more}",
        app.client()
    )
}

/// An application, a connection that serves it, and Ann.
pub async fn stage(app: &App) {
    stage_as(app, json!({})).await;
}

pub async fn stage_as(app: &App, more: Value) {
    let connection = app.connection("people", json!({})).await.to_string();
    serve(app, &connection, more).await;
    let ann = json!({
        "connection": "people", "email": "ann@example.com", "password": "her password",
    });
    assert_eq!(app.quietly("POST", "/api/v2/users", ann).await.status, 201);
}

pub async fn serve(app: &App, connection: &str, more: Value) {
    let mut client = json!({
        "name": "shop", "app_type": "spa", "token_endpoint_auth_method": "none",
        "callbacks": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"],
    });
    let members = more.as_object().unwrap().clone();
    client.as_object_mut().unwrap().extend(members);
    let created = app.quietly("POST", "/api/v2/clients", client).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.log_in_with(created.body["client_id"].as_str().unwrap());
    let path = format!("/api/v2/connections/{connection}/clients");
    let served = json!([{"client_id": app.client(), "status": true}]);
    assert_eq!(app.quietly("PATCH", &path, served).await.status, 204);
}

pub async fn codes(app: &App) -> Vec<String> {
    let logs = "/api/v2/logs?per_page=100";
    // However much time has passed.
    let token = app.token_for(None).await;
    let events = app.ask_as(&token, "GET", logs, Value::Null).await.body;
    let events = events.as_array().unwrap().iter();
    let mut codes: Vec<_> = events
        .map(|e| e["type"].as_str().unwrap().to_owned())
        .collect();
    codes.reverse();
    codes.retain(|code| !matches!(&**code, "sapi" | "seccft"));
    codes
}
