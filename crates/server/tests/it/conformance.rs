//! What the modules of OpenID's conformance suite check, checked here over HTTP: Basic OP, its Form
//! Post twin, and the keys of Config OP. `docs/conformance.md` says which module is which test.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Json;
use oidc::jwt::{Algorithm, ForeignKey, foreign};
use serde_json::{Value, json};

use crate::app::{Answer, App, on_both};
use crate::browser::{ANN, Browser, CALLBACK, CHALLENGE, hidden, location, stage_as, told};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A confidential client, and a person of whom all is known.
struct Provider<'a> {
    app: &'a App,
    secret: String,
}

impl<'a> Provider<'a> {
    async fn start(app: &'a App) -> Self {
        let members = json!({
            "app_type": "regular_web", "token_endpoint_auth_method": "client_secret_basic",
        });
        stage_as(app, members).await;
        let path = format!("/api/v2/clients/{}", app.client());
        let client = app.quietly("GET", &path, Value::Null).await.body;
        let users = app.quietly("GET", "/api/v2/users", Value::Null).await.body;
        let user = users[0]["user_id"].as_str().unwrap().replace('|', "%7C");
        let known = json!({
            "name": "Ann Example", "given_name": "Ann", "family_name": "Example",
            "nickname": "annie", "picture": "https://people.example/ann.png",
            "phone_number": "+4912345", "phone_verified": true,
        });
        let path = format!("/api/v2/users/{user}");
        assert_eq!(app.quietly("PATCH", &path, known).await.status, 200);
        Self {
            app,
            secret: client["client_secret"].as_str().unwrap().to_owned(),
        }
    }

    /// The address of a request; `nonce` among the rest, where one is wanted.
    fn request(&self, scope: &str, more: &str) -> String {
        format!(
            "/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&scope={}&state=s{more}",
            self.app.client(),
            scope.replace(' ', "%20"),
        )
    }

    /// Signs in where a page comes; gives what the client is told.
    async fn answer(&self, browser: &Browser<'_>, request: &str) -> Vec<(String, String)> {
        let mut answer = browser.get(request).await;
        if answer.status == 302 && location(&answer).starts_with("/u/login?") {
            let filled = browser.fill(&location(&answer), &ANN).await;
            answer = browser.get(&location(&filled)).await;
        }
        if answer.status == 302 {
            return told(&answer).into_iter().collect();
        }
        // The form that the client's server gets.
        let html = answer.body.as_str().unwrap();
        assert!(html.contains(&format!("action=\"{CALLBACK}\"")), "{html}");
        let is_there = |name: &&str| html.contains(&format!("name=\"{name}\""));
        let names = ["code", "state", "iss", "error", "error_description"];
        let names = names.into_iter().filter(is_there);
        names
            .map(|name| (name.to_owned(), hidden(&answer, name)))
            .collect()
    }

    /// The tokens of a login.
    async fn tokens(&self, browser: &Browser<'_>, scope: &str, more: &str) -> Value {
        let told = self.answer(browser, &self.request(scope, more)).await;
        assert_eq!(member(&told, "state"), Some("s"), "{told:?}");
        assert_eq!(member(&told, "iss"), Some("https://ferry.example/"));
        let code = member(&told, "code").unwrap_or_else(|| unreachable!("{told:?}"));
        let answer = self.redeem(code, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn redeem(&self, code: &str, more: &[(&str, &str)]) -> Answer {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
        ];
        pairs.extend(more);
        self.ask(&pairs).await
    }

    /// The token endpoint, with the client's proof in the header.
    async fn ask(&self, pairs: &[(&str, &str)]) -> Answer {
        let proof = STANDARD.encode(format!("{}:{}", self.app.client(), self.secret));
        let basic = format!("Basic {proof}");
        let header = ("authorization", basic.as_str());
        self.app.post_form_with("/oauth/token", pairs, header).await
    }

    /// What an ID token says, proven by the published keys.
    async fn read(&self, tokens: &Value) -> Json {
        let keys = self
            .app
            .quietly("GET", "/.well-known/jwks.json", Value::Null)
            .await
            .body;
        let keys = ForeignKey::from_jwks(&keys).unwrap();
        let token = tokens["id_token"].as_str().unwrap();
        let signed = foreign::verify(token, &keys, &[Algorithm::Rs256]).unwrap();
        assert!(signed.header.contains_key("kid"));
        signed.claims
    }

    async fn user_info(&self, tokens: &Value) -> Value {
        let access = tokens["access_token"].as_str().unwrap();
        let said = self
            .app
            .ask_as(access, "GET", "/userinfo", Value::Null)
            .await;
        assert_eq!(said.status, 200, "{}", said.body);
        said.body
    }
}

fn member<'t>(told: &'t [(String, String)], name: &str) -> Option<&'t str> {
    let found = told.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

fn names(claims: &Value) -> Vec<&str> {
    let members = claims.as_object().unwrap();
    let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn oidcc_server() {
    on_both(async |app: &App| {
        let provider = Provider::start(app).await;
        for mode in ["", "&response_mode=form_post"] {
            let browser = Browser::new(app);
            let more = format!("&nonce=n1{mode}");
            let tokens = provider.tokens(&browser, "openid", &more).await;
            assert_eq!(tokens["token_type"], "Bearer");
            let claims = provider.read(&tokens).await;
            let now = app.engine.now().seconds();
            assert_eq!(claims["iss"], "https://ferry.example/");
            assert_eq!(claims["aud"], app.client());
            assert_eq!(claims["nonce"], "n1");
            assert_eq!(claims["iat"], now);
            assert!(claims["exp"].as_i64().unwrap() > now);
            let said = provider.user_info(&tokens).await;
            assert_eq!(said["sub"], claims["sub"]);
        }
    })
    .await;
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let app = App::on_sqlite().await;
    let mut provider = Provider::start(&app).await;
    let path = format!("/api/v2/clients/{}", app.client());
    let member = json!({"token_endpoint_auth_method": "client_secret_post"});
    assert_eq!(app.quietly("PATCH", &path, member).await.status, 200);
    let browser = Browser::new(&app);
    let request = provider.request("openid", "");
    let told = provider.answer(&browser, &request).await;
    let code = self::member(&told, "code").unwrap();
    let secret = std::mem::take(&mut provider.secret);
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", app.client()),
        ("client_secret", secret.as_str()),
    ];
    let answer = app.post_form("/oauth/token", &pairs).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // `nonce` was not asked for.
    assert!(!provider.read(&answer.body).await.contains_key("nonce"));
}

#[tokio::test]
async fn oidcc_userinfo() {
    on_both(async |app: &App| {
        let provider = Provider::start(app).await;
        let tokens = provider.tokens(&Browser::new(app), "openid", "").await;
        let access = tokens["access_token"].as_str().unwrap();
        for method in ["GET", "POST"] {
            let said = app.ask_as(access, method, "/userinfo", Value::Null).await;
            assert_eq!(said.status, 200, "{method}");
        }
        let said = app
            .post_form("/userinfo", &[("access_token", access)])
            .await;
        assert_eq!(said.status, 200, "{}", said.body);
        // One way at a time (RFC 6750 §2).
        let bearer = format!("Bearer {access}");
        let both = app
            .post_form_with(
                "/userinfo",
                &[("access_token", access)],
                ("authorization", &bearer),
            )
            .await;
        assert_eq!(both.status, 400);
        // In the address, for clients that know no other way.
        let path = format!("/userinfo?access_token={access}");
        let request = Request::builder().uri(path).body(Body::empty());
        assert_eq!(app.receive(request.unwrap()).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn oidcc_scopes() {
    let said = on_both(async |app: &App| {
        let provider = Provider::start(app).await;
        let browser = Browser::new(app);
        for scope in [
            "openid",
            "openid profile",
            "openid email",
            "openid phone",
            "openid address",
            "openid profile email address phone",
            "email openid",
        ] {
            let tokens = provider.tokens(&browser, scope, "").await;
            let said = provider.user_info(&tokens).await;
            app.say(&format!("{scope}: {}", names(&said).join(" ")));
        }
    })
    .await;
    insta::assert_snapshot!(said, @r"
    openid: sub
    openid profile: family_name given_name name nickname picture sub updated_at
    openid email: email email_verified sub
    openid phone: phone_number phone_number_verified sub
    openid address: sub
    openid profile email address phone: email email_verified family_name given_name name nickname phone_number phone_number_verified picture sub updated_at
    email openid: email email_verified sub
    ");
}

#[tokio::test]
async fn oidcc_prompts_and_ages() {
    on_both(async |app: &App| {
        let provider = Provider::start(app).await;
        let browser = Browser::new(app);
        let silent = provider.request("openid", "&prompt=none");
        let told = provider.answer(&browser, &silent).await;
        assert_eq!(member(&told, "error"), Some("login_required"));
        let first = provider.tokens(&browser, "openid", "").await;
        let first_claims = provider.read(&first).await;
        let hint = first["id_token"].as_str().unwrap();
        app.later(2);
        // The same person, at the same time, without being asked.
        for more in [
            "&prompt=none".to_owned(),
            format!("&prompt=none&id_token_hint={hint}"),
            "&max_age=10000".to_owned(),
        ] {
            let tokens = provider.tokens(&browser, "openid", &more).await;
            let claims = provider.read(&tokens).await;
            assert_eq!(claims["sub"], first_claims["sub"], "{more}");
            assert_eq!(claims["auth_time"], first_claims["auth_time"], "{more}");
        }
        // Asked again.
        let mut last = first_claims["auth_time"].as_i64().unwrap();
        for more in ["&prompt=login", "&max_age=1"] {
            app.later(2);
            let begun = browser.get(&provider.request("openid", more)).await;
            assert!(location(&begun).starts_with("/u/login?"), "{more}");
            let tokens = provider.tokens(&browser, "openid", more).await;
            let claims = provider.read(&tokens).await;
            let at = claims["auth_time"].as_i64().unwrap();
            assert!(at > last, "{more}");
            last = at;
        }
    })
    .await;
}

#[tokio::test]
async fn oidcc_what_is_not_known_is_no_error() {
    on_both(async |app: &App| {
        let provider = Provider::start(app).await;
        let browser = Browser::new(app);
        let claims = "%7B%22id_token%22%3A%7B%22name%22%3A%7B%22essential%22%3Atrue%7D%7D%7D";
        for more in [
            "&display=page".to_owned(),
            "&display=popup".to_owned(),
            "&extra=foobar".to_owned(),
            "&login_hint=buffy%40example.com".to_owned(),
            "&ui_locales=se".to_owned(),
            "&claims_locales=se".to_owned(),
            "&acr_values=1%202".to_owned(),
            format!("&claims={claims}"),
        ] {
            let tokens = provider.tokens(&browser, "openid", &more).await;
            assert!(tokens["id_token"].is_string(), "{more}");
        }
        let pkce = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
        let told = provider
            .answer(&browser, &provider.request("openid", &pkce))
            .await;
        let code = member(&told, "code").unwrap();
        let answer = provider.redeem(code, &[("code_verifier", VERIFIER)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        // A request by POST.
        let request = provider.request("openid", "");
        let body = request.split_once('?').unwrap().1.to_owned();
        let posted = browser
            .send("POST", "/authorize", Body::from(body), &[])
            .await;
        assert_eq!(posted.status, 303);
        assert!(self::told(&posted).contains_key("code"));
    })
    .await;
}

#[tokio::test]
async fn oidcc_what_is_wrong_is_told() {
    let said = on_both(async |app: &App| {
        let provider = Provider::start(app).await;
        let browser = Browser::new(app);
        let good = provider.request("openid", "&nonce=n");
        for (name, from, to) in [
            ("response-type-missing", "&response_type=code", ""),
            (
                "request-object",
                "&nonce=n",
                "&request=eyJhbGciOiJub25lIn0.e30.",
            ),
            (
                "request-uri",
                "&nonce=n",
                "&request_uri=https%3A%2F%2Fx.example%2Fr",
            ),
            ("none-login", "&nonce=n", "&prompt=none%20login"),
        ] {
            for mode in ["", "&response_mode=form_post"] {
                let request = good.replace(from, to) + mode;
                let told = provider.answer(&browser, &request).await;
                let error = member(&told, "error").unwrap();
                app.say(&format!("{name}{mode}: {error}"));
            }
        }
        for (name, from, to) in [
            ("redirect-uri", CALLBACK, "https://shop.example/other"),
            (
                "redirect-uri-query",
                CALLBACK,
                "https://shop.example/cb%3Ffoo=bar",
            ),
            ("no-client", "client_id=", "x="),
        ] {
            for mode in ["", "&response_mode=form_post"] {
                let page = browser.get(&(good.replace(from, to) + mode)).await;
                assert!(page.headers.get("location").is_none());
                assert!(!page.body.as_str().unwrap().contains("data-submit"));
                app.say(&format!("{name}{mode}: page {}", page.status));
            }
        }
    })
    .await;
    insta::assert_snapshot!(said, @r"
    response-type-missing: invalid_request
    response-type-missing&response_mode=form_post: invalid_request
    request-object: request_not_supported
    request-object&response_mode=form_post: request_not_supported
    request-uri: request_uri_not_supported
    request-uri&response_mode=form_post: request_uri_not_supported
    none-login: invalid_request
    none-login&response_mode=form_post: invalid_request
    redirect-uri: page 403
    redirect-uri&response_mode=form_post: page 403
    redirect-uri-query: page 403
    redirect-uri-query&response_mode=form_post: page 403
    no-client: page 400
    no-client&response_mode=form_post: page 400
    ");
}

#[tokio::test]
async fn oidcc_codereuse() {
    on_both(async |app: &App| {
        let provider = Provider::start(app).await;
        let browser = Browser::new(app);
        for pause in [0, 30] {
            let request = provider.request("openid", "");
            let told = provider.answer(&browser, &request).await;
            let code = member(&told, "code").unwrap();
            let tokens = provider.redeem(code, &[]).await.body;
            provider.user_info(&tokens).await;
            app.later(pause);
            let again = provider.redeem(code, &[]).await;
            assert_eq!(again.body["error"], "invalid_grant");
            let access = tokens["access_token"].as_str().unwrap();
            let said = app.ask_as(access, "GET", "/userinfo", Value::Null).await;
            assert_eq!(said.status, 401);
        }
    })
    .await;
}

#[tokio::test]
async fn oidcc_refresh_token() {
    on_both(async |app: &App| {
        let provider = Provider::start(app).await;
        let tokens = provider
            .tokens(&Browser::new(app), "openid offline_access", "&nonce=n")
            .await;
        let first = provider.read(&tokens).await;
        app.later(5);
        let token = tokens["refresh_token"].as_str().unwrap();
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let fresh = provider.ask(&pairs).await;
        assert_eq!(fresh.status, 200, "{}", fresh.body);
        let claims = provider.read(&fresh.body).await;
        for name in ["iss", "sub", "aud", "auth_time"] {
            assert_eq!(claims[name], first[name], "{name}");
        }
        assert_ne!(claims["iat"], first["iat"]);
    })
    .await;
}

#[tokio::test]
async fn oidcc_keys_of_the_discovery_document() {
    let app = App::on_sqlite().await;
    let path = "/.well-known/openid-configuration";
    let document = app.quietly("GET", path, Value::Null).await.body;
    let issuer = document["issuer"].as_str().unwrap();
    for (name, value) in document.as_object().unwrap() {
        if name.ends_with("_endpoint") || name.ends_with("_uri") {
            assert!(value.as_str().unwrap().starts_with(issuer), "{name}");
        }
    }
    let keys = document["jwks_uri"].as_str().unwrap();
    let keys = format!("/{}", keys.strip_prefix(issuer).unwrap());
    let keys = app.quietly("GET", &keys, Value::Null).await.body;
    let keys = keys["keys"].as_array().unwrap().clone();
    let is_fit = |key: &Value| {
        key["kty"] == "RSA" && key["use"] == "sig" && key["alg"] == "RS256" && key["d"].is_null()
    };
    assert!(keys.iter().any(is_fit));
}
