//! The ways into `/authorize`, and the ways its answers take.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::{Answer, App, on_both};
use crate::browser::{
    ANN, Browser, CALLBACK, CHALLENGE, authorize, codes, location, stage, stage_as, told,
};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A request as a client pushes it.
fn pushing<'t>(app: &'t App, more: &[(&'t str, &'t str)]) -> Vec<(&'t str, &'t str)> {
    let mut pairs = vec![
        ("client_id", app.client()),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "pushed"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in more {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    pairs
}

async fn push(app: &App, more: &[(&str, &str)]) -> Answer {
    app.post_form("/oauth/par", &pushing(app, more)).await
}

/// The address that a pushed request is begun at.
fn pushed(app: &App, answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    let uri = answer.body["request_uri"].as_str().unwrap();
    let uri = uri.replace(':', "%3A");
    format!("/authorize?client_id={}&request_uri={uri}", app.client())
}

async fn change_client(app: &App, members: Value) {
    let path = format!("/api/v2/clients/{}", app.client());
    let changed = app.quietly("PATCH", &path, members).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
}

async fn redeem(app: &App, code: &str) -> Value {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", app.client()),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let answer = app.post_form("/oauth/token", &pairs).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_pushed_request_is_taken_once() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        // Nothing beside the name is read.
        let path = pushed(app, &push(app, &[]).await) + "&state=other&response_type=token";
        let begun = browser.get(&path).await;
        assert_eq!(begun.status, 302, "{}", begun.body);
        let filled = browser.fill(&location(&begun), &ANN).await;
        let answer = told(&browser.get(&location(&filled)).await);
        assert_eq!(answer["state"], "pushed");
        redeem(app, &answer["code"]).await;
        let again = told(&browser.get(&path).await);
        assert_eq!(again["error"], "invalid_request");
        assert!(again["error_description"].contains("pushed request"));
        let late = pushed(app, &push(app, &[]).await);
        app.later(31);
        assert_eq!(told(&browser.get(&late).await)["error"], "invalid_request");
        // It is the client's alone.
        let path = pushed(app, &push(app, &[]).await);
        let other = json!({"name": "other", "callbacks": [CALLBACK], "app_type": "spa"});
        let other = app.quietly("POST", "/api/v2/clients", other).await.body;
        let stolen = path.replace(app.client(), other["client_id"].as_str().unwrap());
        assert_eq!(
            told(&browser.get(&stolen).await)["error"],
            "invalid_request"
        );
        assert!(told(&browser.get(&path).await).contains_key("code"));
        // With several callbacks nobody can be told.
        change_client(
            app,
            json!({"callbacks": [CALLBACK, "https://shop.example/2"]}),
        )
        .await;
        let used = browser.get(&path).await;
        assert_eq!(used.status, 400);
        assert!(used.headers.get("location").is_none());
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_told_to_whoever_pushes() {
    let said = on_both(async |app: &App| {
        stage(app).await;
        // This may stand as often as it likes (RFC 8707 §2).
        let resources = ["https://a.example/", "https://b.example/"].map(|uri| ("resource", uri));
        assert_eq!(push(app, &resources).await.status, 201);
        for more in [
            ("redirect_uri", "https://evil.example/cb"),
            ("response_type", "x"),
            ("response_type", "token"),
            ("code_challenge_method", "plain"),
            ("prompt", "none login"),
            ("request_uri", "urn:ietf:params:oauth:request_uri:x"),
            ("request", "x.y.z"),
            ("id_token_hint", "x.y.z"),
        ] {
            let answer = push(app, &[more]).await;
            let body = &answer.body;
            let (error, text) = (&body["error"], &body["error_description"]);
            let (error, text) = (error.as_str().unwrap(), text.as_str().unwrap());
            app.say(&format!("{} {}: {error}: {text}", more.0, answer.status));
        }
        app.say(&codes(app).await.join(" "));
    })
    .await;
    insta::assert_snapshot!(said, @r"
    redirect_uri 400: invalid_request: Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs.
    response_type 400: unsupported_response_type: Unsupported response type: x
    response_type 403: unauthorized_client: Grant type 'implicit' not allowed for the client.
    code_challenge_method 400: invalid_request: code_challenge_method must be S256.
    prompt 400: invalid_request: prompt none stands alone.
    request_uri 400: invalid_request: The parameter request_uri is not allowed here.
    request 400: request_not_supported: The request parameter is not supported.
    id_token_hint 400: invalid_request: The id_token_hint is not valid.
    fpar fpar fpar fpar fpar fpar fpar
    ");
}

#[tokio::test]
async fn a_client_that_pushes_does_so_always() {
    on_both(async |app: &App| {
        stage_as(app, json!({"require_pushed_authorization_requests": true})).await;
        let browser = Browser::new(app);
        let plain = told(&browser.get(&authorize(app, "")).await);
        assert_eq!(plain["error"], "invalid_request");
        let path = pushed(app, &push(app, &[]).await);
        assert!(location(&browser.get(&path).await).starts_with("/u/login?"));
    })
    .await;
}

#[tokio::test]
async fn an_id_token_says_who_is_meant() {
    on_both(async |app: &App| {
        stage(app).await;
        let bob = json!({
            "connection": "people", "email": "bob@example.com", "password": "his password",
        });
        assert_eq!(app.quietly("POST", "/api/v2/users", bob).await.status, 201);
        let ann = Browser::new(app);
        let code = told(&ann.sign_in("").await)["code"].clone();
        let token = redeem(app, &code).await["id_token"].clone();
        let hint = format!("&id_token_hint={}", token.as_str().unwrap());
        // Out of date is good enough for a hint.
        app.later(40 * 3600);
        let silent = ann
            .get(&authorize(app, &format!("&prompt=none{hint}")))
            .await;
        assert!(told(&silent).contains_key("code"));
        let browser = Browser::new(app);
        let his = [
            ("username", "bob@example.com"),
            ("password", "his password"),
        ];
        // Bob signs in where Ann is meant.
        let path = browser.begin(&hint).await;
        let answer = browser.fill(&path, &his).await;
        let answer = told(&browser.get(&location(&answer)).await);
        assert_eq!(answer["error"], "login_required");
        assert!(browser.session().is_none());
        let path = browser.begin("").await;
        let answer = browser.fill(&path, &his).await;
        assert!(told(&browser.get(&location(&answer)).await).contains_key("code"));
        let silent = browser
            .get(&authorize(app, &format!("&prompt=none{hint}")))
            .await;
        assert_eq!(told(&silent)["error"], "login_required");
        assert!(location(&browser.get(&authorize(app, &hint)).await).starts_with("/u/login?"));
        let forged = authorize(app, &format!("{hint}x"));
        assert_eq!(
            told(&browser.get(&forged).await)["error"],
            "invalid_request"
        );
    })
    .await;
}

#[tokio::test]
async fn answers_take_the_way_of_their_mode() {
    on_both(async |app: &App| {
        let members = json!({
            "grant_types": ["authorization_code", "implicit"],
            "web_origins": ["https://shop.example"],
            "callbacks": [CALLBACK, "https://*.shop.example/cb?x=1"],
        });
        stage_as(app, members).await;
        let browser = Browser::new(app);
        let all = authorize(app, "").replace("=code&", "=code%20id_token%20token&");
        let begun = browser.get(&all).await;
        let filled = browser.fill(&location(&begun), &ANN).await;
        let answer = browser.get(&location(&filled)).await;
        assert!(location(&answer).starts_with(&format!("{CALLBACK}#code=")));
        let answer = told(&answer);
        let names: Vec<&str> = answer.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "access_token",
                "code",
                "expires_in",
                "id_token",
                "iss",
                "scope",
                "state",
                "token_type"
            ]
        );
        let (kind, scope) = (&answer["token_type"], &answer["scope"]);
        assert_eq!((kind.as_str(), scope.as_str()), ("Bearer", "openid email"));
        // A subdomain, and a query that stands there already.
        let other = "https%3A%2F%2Fpr-7.shop.example%2Fcb%3Fx%3D1";
        let answer = browser
            .get(&authorize(app, "").replace(CALLBACK, other))
            .await;
        let there = location(&answer);
        assert!(
            there.starts_with("https://pr-7.shop.example/cb?x=1&code="),
            "{there}"
        );
        let page = browser
            .get(&authorize(app, "&response_mode=form_post"))
            .await;
        let html = page.body.as_str().unwrap();
        assert!(html.contains(&format!("action=\"{CALLBACK}\"")), "{html}");
        assert!(html.contains("name=\"code\""), "{html}");
        let page = browser
            .get(&authorize(app, "&response_mode=web_message"))
            .await;
        let html = page.body.as_str().unwrap();
        assert!(html.contains("authorization_response"), "{html}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors https://shop.example"));
        assert!(page.headers.get("x-frame-options").is_none());
        // The request may be posted.
        let path = authorize(app, "");
        let query = path.split_once('?').unwrap().1.to_owned();
        let posted = browser
            .send("POST", "/authorize", Body::from(query), &[])
            .await;
        assert_eq!(posted.status, 303);
        assert!(told(&posted).contains_key("code"));
    })
    .await;
}

/// A key, and proofs that somebody holds it (RFC 9449 §4).
pub struct Holder(EcdsaKeyPair);

impl Holder {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn proof(&self, app: &App, endpoint: &str) -> String {
        self.proof_for(app, ("POST", endpoint), None)
    }

    /// The same beside an access token (§7.1).
    pub fn proof_for(
        &self,
        app: &App,
        (method, endpoint): (&str, &str),
        token: Option<&str>,
    ) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.0.public_key().as_ref();
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": {
            "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]),
        }});
        let id = domain::entropy::alphanumeric(&*app.engine.entropy, 22);
        let now = app.engine.now().seconds();
        let url = app.engine.settings.issuer.join(endpoint);
        let mut claims = json!({"jti": id, "htm": method, "htu": url, "iat": now});
        if let Some(token) = token {
            claims["ath"] = encode(&Sha256::digest(token.as_bytes())).into();
        }
        let part = |value: &Value| encode(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(&claims));
        let signed = self.0.sign(&SystemRandom::new(), message.as_bytes());
        format!("{message}.{}", encode(signed.unwrap().as_ref()))
    }
}

#[tokio::test]
async fn a_pushed_request_is_bound_to_the_key_that_pushed_it() {
    on_both(async |app: &App| {
        stage(app).await;
        let (hers, other) = (Holder::new(), Holder::new());
        let browser = Browser::new(app);
        let pairs = pushing(app, &[]);
        let push = async |more: &[(&str, &str)]| {
            let proof = hers.proof(app, "oauth/par");
            let pairs = [&pairs[..], more].concat();
            app.post_form_with("/oauth/par", &pairs, ("dpop", &proof))
                .await
        };
        let thumbprint = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let refused = push(&[("dpop_jkt", thumbprint)]).await;
        assert_eq!(refused.body["error"], "invalid_dpop_proof");
        let path = pushed(app, &push(&[]).await);
        let mut answer = browser.get(&path).await;
        let filled = browser.fill(&location(&answer), &ANN).await;
        answer = browser.get(&location(&filled)).await;
        let code = told(&answer)["code"].clone();
        let redeem = [
            ("grant_type", "authorization_code"),
            ("client_id", app.client()),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let bare = app.post_form("/oauth/token", &redeem).await;
        assert_eq!(bare.body["error"], "invalid_dpop_proof");
        for (holder, status) in [(&other, 400), (&hers, 200)] {
            let proof = holder.proof(app, "oauth/token");
            let answer = app
                .post_form_with("/oauth/token", &redeem, ("dpop", &proof))
                .await;
            assert_eq!(answer.status, status, "{}", answer.body);
            let kind = answer.body["token_type"].as_str().unwrap_or_default();
            assert_eq!(kind, if status == 200 { "DPoP" } else { "" });
        }
    })
    .await;
}

/// Browsers keep our cookie from what another site posts. It looks like a browser without one then,
/// and a new cookie would end the logins under way in it.
#[tokio::test]
async fn another_sites_form_ends_no_login_under_way() {
    on_both(async |app: &App| {
        stage(app).await;
        let browser = Browser::new(app);
        let path = browser.begin("").await;
        let cookies = browser.cookies.lock().unwrap().clone();
        let request = authorize(app, "");
        let query = request.split_once('?').unwrap().1;
        let cross = [("sec-fetch-site", "cross-site")];
        let post = async |query: String| {
            let bare = Browser::new(app);
            bare.send("POST", "/authorize", Body::from(query), &cross)
                .await
        };
        let posted = post(query.to_owned()).await;
        assert_eq!(posted.status, 303);
        assert!(posted.headers.get("set-cookie").is_none());
        let round = location(&posted);
        assert!(round.starts_with("/authorize?client_id="), "{round}");
        // By the link the cookie comes along.
        let begun = browser.get(&round).await;
        assert!(location(&begun).starts_with("/u/login?"));
        assert_eq!(*browser.cookies.lock().unwrap(), cookies);
        let filled = browser.fill(&path, &ANN).await;
        assert!(told(&browser.get(&location(&filled)).await).contains_key("code"));
        // Too long for a link: by a form of ours, and then it begins.
        let long = format!("{query}&unread={}", "x".repeat(9000));
        let handed = post(long.clone()).await;
        assert_eq!(handed.status, 200);
        assert!(handed.headers.get("set-cookie").is_none());
        let html = handed.body.as_str().unwrap();
        assert!(html.contains("name=\"ferry_again\""), "{html}");
        let begun = post(format!("{long}&ferry_again=1")).await;
        assert_eq!(begun.status, 303);
        assert!(location(&begun).starts_with("/u/login?"));
        assert!(begun.headers.contains_key("set-cookie"));
    })
    .await;
}
