//! A login's way through the browser: `/authorize` with a session, the code, the token endpoint. What
//! signing the tokens takes is measured beside it and taken off, for as many as are signed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, redirect};
use serde_json::{Value, json};
use testkit::{Api, Server};

use crate::bare;
use crate::ferry::{application, connection, expect, server};
use crate::setup::Setup;
use crate::statistics::median;
use crate::table::Table;

const CALLBACK: &str = "https://bench.example/cb";
/// Challenge and verifier of RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const ROUNDS: usize = 300;
const EMAIL: &str = "ann@example.com";
const PASSWORD: &str = "Correct horse battery 1";
/// Own cost of a round, in milliseconds.
const CEILING: f64 = 3.0;

/// A browser and the client behind it.
struct Walker {
    http: Client,
    application: Api,
    cookies: Vec<String>,
}

/// The line of code round trips.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let ferry = server(setup).start().await?;
    let mut walker = Walker::prepare(&ferry).await?;
    walker.sign_in().await?;
    let mut own = Vec::new();
    for _ in 0..setup.turns {
        // One core: the rounds come one after the other.
        let signature = 1000.0 / bare::crypto::rs256(1, Duration::from_secs(1))?;
        let mut rounds = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let signed = walker.round().await?;
            let took = begun.elapsed().as_secs_f64() * 1000.0;
            rounds.push(took - f64::from(signed) * signature);
        }
        own.push(median(&rounds));
    }
    table.below(
        "code round trip with a session, without its signatures",
        &own,
        "/authorize, then /oauth/token",
        CEILING,
        "ms",
    );
    Ok(())
}

impl Walker {
    async fn prepare(ferry: &Server) -> Result<Self> {
        let application = application(ferry, &["authorization_code"]).await?;
        let admin = ferry.api()?;
        let path = format!("/api/v2/clients/{}", application.client_id());
        let callbacks = json!({"callbacks": [CALLBACK]});
        expect(200, admin.patch(&path, &callbacks).await?)?;
        connection(ferry, &application, "people", json!({})).await?;
        let person = json!({"connection": "people", "email": EMAIL, "password": PASSWORD});
        expect(201, admin.post("/api/v2/users", &person).await?)?;
        let http = Client::builder().redirect(redirect::Policy::none());
        Ok(Self {
            http: http.build()?,
            application,
            cookies: Vec::new(),
        })
    }

    async fn get(&mut self, path: &str) -> Result<Response> {
        let request = self.http.get(self.application.url(path));
        let answer = request.header(COOKIE, self.cookies.join("; ")).send();
        let answer = answer.await?;
        self.keep(&answer)?;
        Ok(answer)
    }

    /// Keeps the cookies of an answer.
    fn keep(&mut self, answer: &Response) -> Result<()> {
        for line in answer.headers().get_all(SET_COOKIE) {
            let pair = line.to_str()?.split(';').next().unwrap_or_default();
            let name = pair.split('=').next().unwrap_or_default();
            self.cookies.retain(|kept| !kept.starts_with(name));
            self.cookies.push(pair.to_owned());
        }
        Ok(())
    }

    fn authorize(&self) -> String {
        format!(
            "/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&scope=openid\
             &state=s&nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256",
            self.application.client_id()
        )
    }

    /// Logs in by the pages, so that there is a session.
    async fn sign_in(&mut self) -> Result<()> {
        let login = location(&self.get(&self.authorize()).await?)?;
        let page = self.get(&login).await?.text().await?;
        let field = |name: &str| {
            let start = format!("name=\"{name}\" value=\"");
            let rest = page.split_once(&start).map(|(_, rest)| rest);
            rest.and_then(|rest| rest.split('"').next())
        };
        let (state, csrf) = (field("state"), field("csrf"));
        let fields = [
            ("state", state.context("a state")?),
            ("csrf", csrf.context("a token of the form")?),
            ("username", EMAIL),
            ("password", PASSWORD),
        ];
        let request = self.http.post(self.application.url("/u/login"));
        let request = request.header(COOKIE, self.cookies.join("; "));
        let answer = request.form(&fields).send().await?;
        let resume = location(&answer)?;
        let answer = self.get(&resume).await?;
        ensure!(location(&answer)?.starts_with(CALLBACK), "no code");
        Ok(())
    }

    /// From `/authorize` to tokens; tells how many of them are signed.
    async fn round(&mut self) -> Result<u8> {
        let answer = self.get(&self.authorize()).await?;
        let location = location(&answer)?;
        let code = location.split_once("code=").map(|(_, rest)| rest);
        let code = code.and_then(|rest| rest.split('&').next());
        let body = json!({
            "grant_type": "authorization_code", "code": code.context("a code")?,
            "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
            "client_id": self.application.client_id(),
            "client_secret": self.application.client_secret(),
        });
        let request = self.http.post(self.application.url("/oauth/token"));
        let answer = request.json(&body).send().await?.error_for_status()?;
        let tokens: Value = answer.json().await?;
        ensure!(tokens.get("id_token").is_some(), "no ID token");
        let is_signed = |name| tokens.get(name).is_some_and(is_jwt);
        Ok(u8::from(is_signed("id_token")) + u8::from(is_signed("access_token")))
    }
}

fn is_jwt(token: &Value) -> bool {
    let text = token.as_str().unwrap_or_default();
    text.split('.').count() == 3
}

fn location(answer: &Response) -> Result<String> {
    let location = answer.headers().get(LOCATION);
    let location = location.with_context(|| format!("no redirect but {}", answer.status()))?;
    Ok(location.to_str()?.to_owned())
}
