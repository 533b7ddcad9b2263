//! Somebody else's OpenID provider, small and real, and able to misbehave: it signs what it should
//! not, speaks of others, breaks off. Everybody who comes is signed in at once, as the person who
//! was named last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use domain::{ClientSecret, KeyId};
use oidc::SigningKey;
use oidc::jwt::{SignError, sign_with_secret};
use serde_json::{Value, json};

type Parameters = HashMap<String, String>;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The ID token is of another login.
    Nonce,
    /// The ID token is for another client.
    Audience,
    /// The ID token is of another provider.
    Issuer,
    /// The ID token is not signed.
    Unsigned,
    /// The ID token is signed with an HMAC under a text that everybody knows.
    Hmac,
    /// The ID token is signed by a key that is not published.
    Key,
    /// The ID token is over.
    Expired,
    /// The ID token goes with another access token.
    AccessToken,
    /// The userinfo endpoint speaks of somebody else.
    Userinfo,
    /// The answer names another issuer.
    Answer,
    /// The person says no.
    Denied,
    /// The code is refused.
    Code,
    /// The token endpoint sends us elsewhere.
    Elsewhere,
    /// The token endpoint answers without end.
    Flood,
    /// The token endpoint fails.
    Outage,
    /// The discovery document is that of another issuer.
    Document,
    /// The provider says that it is not available.
    Unavailable,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Nonce,
        Self::Audience,
        Self::Issuer,
        Self::Unsigned,
        Self::Hmac,
        Self::Key,
        Self::Expired,
        Self::AccessToken,
        Self::Userinfo,
        Self::Answer,
        Self::Denied,
        Self::Code,
        Self::Elsewhere,
        Self::Flood,
        Self::Outage,
        Self::Document,
        Self::Unavailable,
    ];
}

struct Inner {
    person: Value,
    fault: Option<Fault>,
    is_nameless: bool,
    now: i64,
    /// How many codes were given out.
    codes: usize,
    /// What was asked for by each code that is still good.
    asked: HashMap<String, Parameters>,
    /// Parameters of the last request to `/authorize`.
    last: Parameters,
    key: Arc<SigningKey>,
}

/// The provider. Its clones are one.
#[derive(Clone)]
pub struct OpenIdProvider {
    issuer: String,
    inner: Arc<Mutex<Inner>>,
}

impl OpenIdProvider {
    /// Our name and secret there.
    pub const CLIENT: (&'static str, &'static str) = ("ferry there", "se:cret there");

    /// A provider of this name, without a slash at the end, at a moment in seconds.
    pub fn new(issuer: &str, now: i64) -> anyhow::Result<Self> {
        let (key, _) = SigningKey::generate(KeyId::from("one"))?;
        let inner = Inner {
            person: json!({"sub": "1"}),
            fault: None,
            is_nameless: false,
            now,
            codes: 0,
            asked: HashMap::new(),
            last: HashMap::new(),
            key: Arc::new(key),
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            inner: Arc::new(Mutex::new(inner)),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who signs in from now on: claims, `sub` among them.
    pub fn person(&self, claims: Value) {
        self.inner().person = claims;
    }

    /// Does one thing wrong from now on, or nothing.
    pub fn misbehave(&self, fault: Option<Fault>) {
        self.inner().fault = fault;
    }

    /// Does not say in its answers who it is, and does not promise to, from now on.
    pub fn hide_name(&self) {
        self.inner().is_nameless = true;
    }

    /// Signs with a new key from now on; the old one is not published any more.
    pub fn rotate(&self, kid: &str) -> anyhow::Result<()> {
        let (key, _) = SigningKey::generate(KeyId::from(kid))?;
        self.inner().key = Arc::new(key);
        Ok(())
    }

    /// Moves time on.
    pub fn later(&self, seconds: i64) {
        self.inner().now += seconds;
    }

    /// A parameter of the last request that came to `/authorize`.
    pub fn asked(&self, name: &str) -> Option<String> {
        self.inner().last.get(name).cloned()
    }

    /// Its pages.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(self.clone())
    }

    fn is(&self, fault: Fault) -> bool {
        self.inner().fault == Some(fault)
    }

    fn id_token(&self, asked: &Parameters, access_token: Option<&str>) -> String {
        let inner = self.inner();
        let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let mut claims = json!({
            "iss": self.issuer, "aud": of("client_id"), "nonce": of("nonce"), "iat": inner.now,
            "exp": inner.now + 300, "auth_time": inner.now,
        });
        if let Some(token) = access_token {
            let hash = digest(&SHA256, token.as_bytes());
            let half = hash.as_ref().get(..16).unwrap_or_default();
            set(
                &mut claims,
                "at_hash",
                BASE64_URL_SAFE_NO_PAD.encode(half).into(),
            );
        }
        if let (Some(claims), Some(person)) = (claims.as_object_mut(), inner.person.as_object()) {
            claims.extend(person.clone());
        }
        match inner.fault {
            Some(Fault::Nonce) => set(&mut claims, "nonce", "another".into()),
            Some(Fault::Audience) => set(&mut claims, "aud", "another".into()),
            Some(Fault::Issuer) => set(&mut claims, "iss", "https://another.example".into()),
            Some(Fault::Expired) => set(&mut claims, "exp", (inner.now - 3600).into()),
            Some(Fault::AccessToken) => {
                set(&mut claims, "at_hash", "AAAAAAAAAAAAAAAAAAAAAA".into());
            }
            _ => {}
        }
        let signed = match inner.fault {
            Some(Fault::Unsigned) => {
                let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
                let header = encode(r#"{"alg":"none"}"#.to_owned());
                return format!("{header}.{}.", encode(claims.to_string()));
            }
            Some(Fault::Hmac) => {
                let secret = ClientSecret::from(Self::CLIENT.1);
                sign_with_secret(&secret, None, &claims)
            }
            Some(Fault::Key) => SigningKey::generate(KeyId::from("one"))
                .map_err(|_| SignError::Signature)
                .and_then(|(key, _)| key.sign(None, &claims)),
            _ => inner.key.sign(None, &claims),
        };
        signed.unwrap_or_default()
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

async fn document(State(provider): State<OpenIdProvider>) -> Json<Value> {
    let issuer = &provider.issuer;
    let mut document = json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"),
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "authorization_response_iss_parameter_supported": !provider.inner().is_nameless,
    });
    if provider.is(Fault::Document) {
        set(&mut document, "issuer", "https://another.example".into());
    }
    Json(document)
}

async fn jwks(State(provider): State<OpenIdProvider>) -> Json<Value> {
    let key = Arc::clone(&provider.inner().key);
    let keys: Vec<_> = key.verifying_key().jwks().collect();
    Json(json!({"keys": keys}))
}

async fn authorize(
    State(provider): State<OpenIdProvider>,
    Query(asked): Query<Parameters>,
) -> Response {
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let mut fields = vec![("state", of("state")), ("iss", provider.issuer.clone())];
    let fault = provider.inner().fault;
    match fault {
        Some(Fault::Denied) => fields.push(("error", "access_denied".into())),
        Some(Fault::Unavailable) => fields.push(("error", "temporarily_unavailable".into())),
        _ if of("response_type") == "id_token" => {
            fields.push(("id_token", provider.id_token(&asked, None)));
        }
        _ => {
            let mut inner = provider.inner();
            inner.codes += 1;
            let code = format!("code+{}/=", inner.codes);
            inner.asked.insert(code.clone(), asked.clone());
            fields.push(("code", code));
        }
    }
    if let (Some(Fault::Answer), Some(field)) = (fault, fields.get_mut(1)) {
        field.1 = "https://another.example".into();
    }
    if provider.inner().is_nameless {
        fields.retain(|(name, _)| *name != "iss");
    }
    let target = of("redirect_uri");
    let is_form = of("response_mode") == "form_post";
    provider.inner().last = asked;
    if is_form {
        let inputs = fields
            .iter()
            .map(|(name, value)| format!("<input name=\"{name}\" value=\"{value}\">"));
        let inputs: String = inputs.collect();
        return Html(format!(
            "<form method=post action=\"{target}\">{inputs}</form>"
        ))
        .into_response();
    }
    let query = serde_urlencoded::to_string(fields).unwrap_or_default();
    Redirect::to(&format!("{target}?{query}")).into_response()
}

async fn token(
    State(provider): State<OpenIdProvider>,
    headers: HeaderMap,
    Form(form): Form<Parameters>,
) -> Response {
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    match provider.inner().fault {
        Some(Fault::Outage) => return StatusCode::BAD_GATEWAY.into_response(),
        Some(Fault::Elsewhere) => return Redirect::to("https://another.example/").into_response(),
        Some(Fault::Flood) => return "x".repeat(1 << 20).into_response(),
        _ => {}
    }
    let refused =
        |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
    let (name, secret) = OpenIdProvider::CLIENT;
    let escaped = |text: &str| text.replace(':', "%3A").replace(' ', "%20");
    let pair = format!("{}:{}", escaped(name), escaped(secret));
    let expected = format!("Basic {}", BASE64_STANDARD.encode(pair));
    let sent = headers.get(header::AUTHORIZATION);
    if sent.and_then(|sent| sent.to_str().ok()) != Some(expected.as_str()) {
        return refused("invalid_client");
    }
    // A code is good once.
    let asked = provider.inner().asked.remove(&of("code"));
    let Some(asked) = asked.filter(|_| !provider.is(Fault::Code)) else {
        return refused("invalid_grant");
    };
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, of("code_verifier").as_bytes()));
    let fits = asked.get("code_challenge") == Some(&challenge)
        && asked.get("redirect_uri") == Some(&of("redirect_uri"));
    if !fits {
        return refused("invalid_grant");
    }
    let id_token = provider.id_token(&asked, Some("opens"));
    Json(json!({"id_token": id_token, "access_token": "opens", "token_type": "Bearer"}))
        .into_response()
}

async fn userinfo(State(provider): State<OpenIdProvider>, headers: HeaderMap) -> Response {
    let sent = headers.get(header::AUTHORIZATION);
    if sent.and_then(|sent| sent.to_str().ok()) != Some("Bearer opens") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut person = provider.inner().person.clone();
    if provider.is(Fault::Userinfo) {
        set(&mut person, "sub", "another".into());
    }
    Json(person).into_response()
}
