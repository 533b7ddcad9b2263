//! A client of Ferry's HTTP interface, for tests: sends JSON, hands back status and JSON.
//!
//! Statuses are never errors here: what the server answers is what a test looks at.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// An answer: the status, and the body as JSON. An empty body is null, anything else a string.
pub type Answer = (u16, Value);

/// A client with one application's rights.
pub struct Api {
    http: Client,
    base: String,
    issuer: String,
    client_id: String,
    client_secret: String,
    token: Mutex<Option<String>>,
}

impl Api {
    /// A client of the server at `base` (no slash at the end). It follows no redirects: where an
    /// answer points is for the test to see.
    pub fn new(base: &str, client_id: &str, client_secret: &str) -> Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()?;
        Ok(Self {
            http,
            base: base.to_owned(),
            issuer: base.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            token: Mutex::default(),
        })
    }

    /// The same for a server that calls itself something else than where it is reached.
    #[must_use]
    pub fn with_issuer(mut self, url: &str) -> Self {
        url.clone_into(&mut self.issuer);
        self
    }

    /// The HTTP client below, for requests that need more than the methods here offer.
    pub fn http(&self) -> &Client {
        &self.http
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The application's own id.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The application's own secret.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// A token for the Management API; asked for once, then remembered.
    pub async fn management_token(&self) -> Result<String> {
        let mut known = self.token.lock().await;
        if let Some(token) = known.as_ref() {
            return Ok(token.clone());
        }
        let request = json!({
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "audience": format!("{}/api/v2/", self.issuer),
        });
        let (status, body) = self.post_public("/oauth/token", &request).await?;
        let token = body.get("access_token").and_then(Value::as_str);
        let token = token.with_context(|| format!("no token: {status} {body}"))?;
        *known = Some(token.to_owned());
        Ok(token.to_owned())
    }

    /// GET with the management token.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.managed(Method::GET, path).await?).await
    }

    /// POST of JSON with the management token.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.managed(Method::POST, path).await?.json(body))
            .await
    }

    /// PATCH of JSON with the management token.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.managed(Method::PATCH, path).await?.json(body))
            .await
    }

    /// PUT of JSON with the management token.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.managed(Method::PUT, path).await?.json(body))
            .await
    }

    /// DELETE with the management token.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.managed(Method::DELETE, path).await?).await
    }

    /// DELETE of JSON with the management token, where an endpoint wants a body.
    pub async fn delete_with(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.managed(Method::DELETE, path).await?.json(body))
            .await
    }

    /// POST of a multipart form with one file and the management token, as bulk imports take it.
    pub async fn upload(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        file: (&str, Vec<u8>),
    ) -> Result<Answer> {
        let mut form = Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        let (name, bytes) = file;
        let form = form.part(name.to_owned(), Part::bytes(bytes).file_name("users.json"));
        self.send(self.managed(Method::POST, path).await?.multipart(form))
            .await
    }

    /// POST of JSON without a token.
    pub async fn post_public(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.http.post(self.url(path)).json(body)).await
    }

    /// POST of a URL-encoded form without a token.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        self.send(self.http.post(self.url(path)).form(fields)).await
    }

    /// A login with a password: the grant `password-realm` at the token endpoint.
    pub async fn login(&self, realm: &str, username: &str, password: &str) -> Result<Answer> {
        let request = json!({
            "grant_type": "http://auth0.com/oauth/grant-type/password-realm",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "realm": realm,
            "username": username,
            "password": password,
            "scope": "openid profile email",
        });
        self.post_public("/oauth/token", &request).await
    }

    /// Polls a job until it is completed or failed, at most two minutes, and gives back the job.
    pub async fn finished_job(&self, id: &str) -> Result<Value> {
        let deadline = Instant::now() + Duration::from_mins(2);
        loop {
            let (status, job) = self.get(&format!("/api/v2/jobs/{id}")).await?;
            let state = job
                .get("status")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if status != 200 || state == "completed" || state == "failed" {
                return Ok(job);
            }
            if Instant::now() > deadline {
                bail!("the job does not finish: {job}");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether the server answers, and says that it can serve.
    pub(crate) async fn is_ready(&self) -> bool {
        let answer = self.http.get(self.url("/health/ready")).send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }

    async fn managed(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let token = self.management_token().await?;
        Ok(self.http.request(method, self.url(path)).bearer_auth(token))
    }

    /// Sends any request and reads the answer as the methods above do.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let body = match serde_json::from_str(&text) {
            Ok(body) => body,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::String(text),
        };
        Ok((status, body))
    }
}
