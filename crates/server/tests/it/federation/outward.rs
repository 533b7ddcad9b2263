//! The way to other servers, over real sockets: TLS, bounds, addresses that nobody asks; and two
//! Ferrys as processes, one of which is the other's provider.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use engine::outbound::{Outbound as _, OutboundRequest};
use oidc::relying_party::Reach;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use server::outbound::{Outward, roots_in};
use testkit::Server;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::stage::expect;

/// A server with a certificate for `localhost` that no browser trusts.
async fn tls_server() -> (u16, CertificateDer<'static>, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (root, pem) = (made.cert.der().clone(), made.cert.pem());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![root.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let _head = stream.read(&mut [0; 4096]).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                let _sent = stream.write_all(answer.as_bytes()).await;
                let _ended = stream.shutdown().await;
            });
        }
    });
    (port, root, pem)
}

async fn plain_server() -> u16 {
    let router = Router::new()
        .route("/away", get(|| async { Redirect::to("/long") }))
        .route("/long", get(|| async { "x".repeat(1 << 20) }))
        .route(
            "/slow",
            get(async || tokio::time::sleep(Duration::from_secs(60)).await),
        )
        .route(
            "/echo",
            post(|headers: axum::http::HeaderMap, body: String| async move {
                let of = |name: &str| {
                    headers
                        .get(name)
                        .map_or("", |value| value.to_str().unwrap())
                        .to_owned()
                };
                format!(
                    "{} {} {} {body}",
                    of("host"),
                    of("authorization"),
                    of("content-type")
                )
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(axum::serve(listener, router).into_future());
    port
}

fn outward(reach: Reach, roots: Vec<CertificateDer<'static>>) -> Outward {
    Outward::new(reach, vec!["127.0.0.1:5432".parse().unwrap()], roots).unwrap()
}

async fn failure(outward: &Outward, url: &str) -> String {
    let mut request = OutboundRequest::get(url);
    request.timeout = Duration::from_millis(500);
    outward.send(request).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_server_proves_its_name() {
    let (port, root, pem) = tls_server().await;
    let url = format!("https://localhost:{port}/x");
    let trusting = outward(Reach::Loopback, vec![root]);
    let answer = trusting.send(OutboundRequest::get(&url)).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, b"{}".as_slice())
    );
    let other = failure(&trusting, &format!("https://127.0.0.1:{port}/x")).await;
    assert!(other.starts_with("TLS: "), "{other}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    std::fs::write(&file, pem).unwrap();
    assert_eq!(roots_in(&file).unwrap().len(), 1);
    std::fs::write(&file, "no certificate").unwrap();
    assert!(roots_in(&file).is_err());
    let strict = outward(Reach::Loopback, vec![]);
    let stranger = failure(&strict, &url).await;
    assert!(stranger.contains("certificate"), "{stranger}");
}

#[tokio::test]
async fn nobody_leads_us_where_we_should_not_be() {
    let port = plain_server().await;
    let here = outward(Reach::Loopback, vec![]);
    let base = format!("http://127.0.0.1:{port}");
    let away = here
        .send(OutboundRequest::get(format!("{base}/away")))
        .await;
    assert_eq!(away.unwrap().status, 303);
    let long = failure(&here, &format!("{base}/long")).await;
    assert!(long.contains("limit exceeded"), "{long}");
    let slow = failure(&here, &format!("{base}/slow")).await;
    assert_eq!(slow, "no answer within 500ms");
    let posted = OutboundRequest {
        form: Some("a=b".to_owned().into()),
        authorization: Some("Basic x".to_owned().into()),
        ..OutboundRequest::get(format!("{base}/echo"))
    };
    let echo = here.send(posted).await.unwrap();
    assert_eq!(
        String::from_utf8(echo.body).unwrap(),
        format!("127.0.0.1:{port} Basic x application/x-www-form-urlencoded a=b")
    );
    let abroad = outward(Reach::Https, vec![]);
    for (outward, url, words) in [
        (&abroad, format!("{base}/echo"), "127.0.0.1 is this machine"),
        (
            &abroad,
            format!("https://localhost:{port}/"),
            "is this machine",
        ),
        (
            &abroad,
            format!("https://[::ffff:127.0.0.1]:{port}/"),
            "127.0.0.1 is this machine",
        ),
        (&here, "https://0.0.0.0/".into(), "no server's address"),
        (
            &here,
            "https://169.254.169.254/latest/meta-data".into(),
            "metadata addresses are refused",
        ),
        (
            &here,
            "https://[fe80::1]/".into(),
            "metadata addresses are refused",
        ),
        (
            &here,
            "https://127.0.0.1:5432/".into(),
            "the server's own database",
        ),
        (
            &here,
            "http://10.0.0.1/".into(),
            "plain http leads to this machine only",
        ),
        (&here, "ftp://127.0.0.1/".into(), "neither https nor http"),
    ] {
        let said = failure(outward, &url).await;
        assert!(said.contains(words), "{url}: {said}");
    }
}

/// A browser over real sockets, with a jar for each port.
struct Browser {
    http: reqwest::Client,
    jars: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            jars: BTreeMap::new(),
        }
    }

    /// Goes there and on, as far as redirects lead or until a place that nobody serves.
    async fn go(&mut self, url: &str, mut form: Option<Vec<(&str, String)>>) -> (String, String) {
        let mut url = url.to_owned();
        for _ in 0..20 {
            if url.starts_with("https://") {
                return (url, String::new());
            }
            let origin: String = url.split('/').take(3).collect::<Vec<_>>().join("/");
            let jar = self.jars.entry(origin.clone()).or_default();
            let cookies: Vec<String> = jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let request = match form.take() {
                Some(form) => self.http.post(&url).form(&form),
                None => self.http.get(&url),
            };
            let answer = request
                .header("cookie", cookies.join("; "))
                .send()
                .await
                .unwrap();
            for line in answer.headers().get_all("set-cookie") {
                let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                jar.insert(name.to_owned(), value.to_owned());
            }
            let Some(next) = answer.headers().get("location") else {
                return (url, answer.text().await.unwrap());
            };
            let next = next.to_str().unwrap().to_owned();
            url = if next.starts_with('/') {
                format!("{origin}{next}")
            } else {
                next
            };
        }
        unreachable!("redirects without end")
    }
}

fn field(body: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = body
        .split_once(&start)
        .unwrap_or_else(|| unreachable!("{body}"))
        .1;
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn one_ferry_signs_people_in_at_another() {
    let binary = env!("CARGO_BIN_EXE_ferry");
    let (up, here) = tokio::join!(
        Server::builder(binary).start(),
        Server::builder(binary).start()
    );
    let (up, here) = (up.unwrap(), here.unwrap());
    let (there, ours) = (up.api().unwrap(), here.api().unwrap());
    let post = async |api: &testkit::Api, path: &str, body: Value| {
        expect(201, api.post(path, &body).await.unwrap()).unwrap()
    };
    let client = json!({
        "name": "here", "app_type": "regular_web", "grant_types": ["authorization_code"],
        "callbacks": [here.url("/login/callback")],
    });
    let client = post(&there, "/api/v2/clients", client).await;
    let people = json!({
        "name": "people", "strategy": "auth0", "enabled_clients": [client["client_id"]],
    });
    post(&there, "/api/v2/connections", people).await;
    let bob =
        json!({"connection": "people", "email": "bob@up.example", "password": "His password 1"});
    post(&there, "/api/v2/users", bob).await;
    let shop = json!({
        "name": "shop", "app_type": "spa", "token_endpoint_auth_method": "none",
        "callbacks": ["https://shop.example/cb"], "grant_types": ["authorization_code"],
    });
    let shop = post(&ours, "/api/v2/clients", shop).await;
    let corp = json!({
        "name": "corp", "strategy": "oidc", "enabled_clients": [shop["client_id"]],
        "options": {
            "client_id": client["client_id"], "client_secret": client["client_secret"],
            "issuer": format!("{}/", up.public_url()),
        },
    });
    post(&ours, "/api/v2/connections", corp).await;
    let mut browser = Browser::new();
    let start = here.url(&format!(
        "/authorize?client_id={}&redirect_uri=https://shop.example/cb&response_type=code\
         &scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &code_challenge_method=S256",
        shop["client_id"].as_str().unwrap()
    ));
    let (url, page) = browser.go(&start, None).await;
    assert!(url.starts_with(&up.url("/u/login?state=")), "{url} {page}");
    let form = vec![
        ("state", field(&page, "state")),
        ("csrf", field(&page, "csrf")),
        ("username", "bob@up.example".to_owned()),
        ("password", "His password 1".to_owned()),
    ];
    let (url, page) = browser.go(&up.url("/u/login"), Some(form)).await;
    assert!(
        url.starts_with("https://shop.example/cb?code="),
        "{url} {page}\n{}",
        here.log()
    );
    let users = expect(200, ours.get("/api/v2/users").await.unwrap()).unwrap();
    let id = users[0]["user_id"].as_str().unwrap();
    assert!(id.starts_with("oidc|corp|auth0|"), "{id}");
}
