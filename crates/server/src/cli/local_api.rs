//! The running server on this machine, with an administrator's token.
//!
//! Commands speak to the listening address, not to the public URL: no TLS and no proxy between.

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::config::Config;
use crate::serve::ADMINISTRATOR_FILE;

/// A client of the local server.
#[derive(Clone)]
pub(super) struct LocalApi {
    client: Client,
    base: String,
    token: String,
}

impl LocalApi {
    /// Connects with the bootstrap credentials or those of the data folder.
    pub(super) async fn connect(config: &Config) -> Result<Self> {
        let base = format!("http://{}", config.listen);
        let client = Client::new();
        let (client_id, client_secret) = credentials(config)?;
        let body = json!({
            "grant_type": "client_credentials", "client_id": client_id,
            "client_secret": client_secret, "audience": config.engine.management_audience(),
        });
        let answer = client
            .post(format!("{base}/oauth/token"))
            .json(&body)
            .send()
            .await
            .with_context(|| format!("no server answers at {base}; start it with `ferry serve`"))?;
        let answer = checked(answer).await?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token
            .context("the server's answer holds no token")?
            .to_owned();
        Ok(Self {
            client,
            base,
            token,
        })
    }

    /// A GET under `/api/v2`.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        let request = self
            .client
            .get(format!("{}/api/v2{path}", self.base))
            .query(query);
        self.send(request).await
    }

    /// The id of the database connection with a name.
    pub(super) async fn connection_id(&self, name: &str) -> Result<String> {
        let found = self
            .get("/connections", &[("name", name), ("strategy", "auth0")])
            .await?;
        let first = found.as_array().and_then(|list| list.first());
        let id = first
            .and_then(|connection| connection.get("id"))
            .and_then(Value::as_str);
        id.map(str::to_owned)
            .with_context(|| format!("there is no connection {name}"))
    }

    /// A multipart POST under `/api/v2`.
    pub(super) async fn post_form(
        &self,
        path: &str,
        form: reqwest::multipart::Form,
    ) -> Result<Value> {
        let request = self
            .client
            .post(format!("{}/api/v2{path}", self.base))
            .multipart(form);
        self.send(request).await
    }

    /// A POST of a JSON body under `/api/v2`.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}/api/v2{path}", self.base);
        self.send(self.client.post(url).json(body)).await
    }

    /// A GET under `/api/v2` whose answer has no end.
    pub(super) async fn stream(&self, path: &str) -> Result<Response> {
        let url = format!("{}/api/v2{path}", self.base);
        let answer = self.client.get(url).bearer_auth(&self.token).send().await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        bail!("the server answered {status}: {}", answer.text().await?)
    }

    /// A request under `/api/v2`, to be sent by who asks.
    pub(super) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v2{path}", self.base);
        self.client.request(method, url).bearer_auth(&self.token)
    }

    /// A file behind a link, whose path holds what it needs.
    pub(super) async fn fetch(&self, path: &str) -> Result<Response> {
        let answer = self
            .client
            .get(format!("{}{path}", self.base))
            .send()
            .await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        bail!("the server answered {status}: {}", answer.text().await?)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value> {
        let answer = request.bearer_auth(&self.token).send().await?;
        checked(answer).await
    }
}

pub(super) async fn checked(answer: Response) -> Result<Value> {
    let status = answer.status();
    let text = answer.text().await?;
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(body);
    }
    let member = |name| body.get(name).and_then(Value::as_str);
    let message = member("message")
        .or(member("error_description"))
        .unwrap_or(&text);
    bail!("the server answered {status}: {message}")
}

fn credentials(config: &Config) -> Result<(String, String)> {
    if let Some((id, secret)) = &config.bootstrap {
        return Ok((id.clone(), secret.expose().to_owned()));
    }
    let file = config.data_dir.join(ADMINISTRATOR_FILE);
    let text = std::fs::read_to_string(&file).with_context(|| {
        format!(
            "no administrator credentials: neither {} nor FERRY_BOOTSTRAP_CLIENT_ID and \
             FERRY_BOOTSTRAP_CLIENT_SECRET",
            file.display()
        )
    })?;
    let body: Value = serde_json::from_str(&text)?;
    let member = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    member("client_id")
        .zip(member("client_secret"))
        .context("the administrator file is damaged")
}
