//! Tokens for machines and refreshed ones through the whole endpoint; raw RS256 signatures in turns.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use testkit::{Api, Server};

use crate::bare;
use crate::ferry::{
    PASSWORD_REALM, application, connection, cpu_seconds, expect, login, port, server, text,
};
use crate::generator::{self, Pressure, Requests};
use crate::setup::Setup;
use crate::statistics::{median, shown};
use crate::table::Table;

const AUDIENCE: &str = "https://api.example.com/orders";
const SPAN: Duration = Duration::from_secs(5);
const PRESSURE: Pressure = Pressure {
    connections: 32,
    ahead: 8,
};

/// What the peer knows of its client.
const PEER_CLIENT: &str = "client_id=bench&client_secret=a-secret-of-the-bench-that-is-long-enough";

/// A refresh token that the peer knows.
const PEER_REFRESH_TOKEN: &str = "a-refresh-token-of-the-bench-that-is-long-enough";

/// Node answers requests of one connection in turn, so that more ahead gain it nothing.
const PEER_PRESSURE: Pressure = Pressure {
    connections: 32,
    ahead: 1,
};

/// npm's `oidc-provider`, as `crates/bench/peers/oidc-provider` runs it; ends with this value.
struct Peer {
    child: Child,
    port: u16,
}

impl Peer {
    fn start(workers: usize) -> Result<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/oidc-provider");
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut child = Command::new("node")
            .args(["server.mjs", &free.to_string(), &workers.to_string()])
            .arg(PEER_REFRESH_TOKEN)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("node is missing")?;
        let output = child.stdout.take().context("its output")?;
        let peer = Self { child, port: free };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(
            line.starts_with("ready"),
            "oidc-provider did not start: run tools/setup"
        );
        Ok(peer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The workers end with the first process, whose input ends here.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What is asked of both servers.
struct Asked {
    /// Of Ferry: a token for a machine, a refreshed one.
    own: [Requests; 2],
    /// Of the peer: the same.
    peers: [Requests; 2],
}

/// An API, a client that may call it, a person's refresh token, and what the client asks.
async fn asked(ferry: &Server) -> Result<Asked> {
    let grants = ["client_credentials", "refresh_token", PASSWORD_REALM];
    let application = application(ferry, &grants).await?;
    let admin = ferry.api()?;
    let scopes = json!([{"value": "read:orders"}, {"value": "write:orders"}]);
    let api = json!({
        "name": "orders", "identifier": AUDIENCE, "scopes": scopes, "allow_offline_access": true,
    });
    expect(201, admin.post("/api/v2/resource-servers", &api).await?)?;
    let grant = json!({
        "client_id": application.client_id(), "audience": AUDIENCE,
        "scope": ["read:orders", "write:orders"],
    });
    expect(201, admin.post("/api/v2/client-grants", &grant).await?)?;
    let body = json!({
        "grant_type": "client_credentials", "audience": AUDIENCE,
        "client_id": application.client_id(), "client_secret": application.client_secret(),
    });
    let refresh = json!({
        "grant_type": "refresh_token", "refresh_token": refresh_token(ferry, &application).await?,
        "client_id": application.client_id(), "client_secret": application.client_secret(),
    });
    let one = |body| Arc::new(vec![generator::post("/oauth/token", body)]);
    let peer = |form: String| Arc::new(vec![generator::post_form("/token", &form)]);
    let scope = "scope=read:orders+write:orders";
    Ok(Asked {
        own: [one(&body), one(&refresh)],
        peers: [
            peer(format!(
                "grant_type=client_credentials&{scope}&{PEER_CLIENT}"
            )),
            peer(format!(
                "grant_type=refresh_token&refresh_token={PEER_REFRESH_TOKEN}&{PEER_CLIENT}"
            )),
        ],
    })
}

/// The refresh token of a person who logged in; it is not rotated, so that it can be used again.
async fn refresh_token(ferry: &Server, application: &Api) -> Result<String> {
    connection(ferry, application, "people", json!({})).await?;
    let (email, password) = ("ann@example.com", "Correct horse battery 1");
    let person = json!({"connection": "people", "email": email, "password": password});
    expect(201, ferry.api()?.post("/api/v2/users", &person).await?)?;
    let mut body = login(application, "people", email, password);
    let members = body.as_object_mut().context("a body")?;
    members.insert("audience".into(), AUDIENCE.into());
    let scope = "read:orders write:orders offline_access";
    members.insert("scope".into(), scope.into());
    let tokens = expect(200, application.post_public("/oauth/token", &body).await?)?;
    Ok(text(&tokens, "refresh_token")?.to_owned())
}

/// What the machine gave in all turns, by the second.
#[derive(Default)]
struct Rates {
    bare: Vec<f64>,
    own: [Vec<f64>; 2],
    /// Of each peer.
    peers: [[Vec<f64>; 2]; 2],
}

/// The lines of tokens.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let ferry = server(setup).start().await?;
    let asked = asked(&ferry).await?;
    let (port, pid) = (port(&ferry)?, ferry.pid().context("a process")?);
    let peers = [Peer::start(setup.cores)?, Peer::start(1)?];
    for (own, theirs) in asked.own.iter().zip(&asked.peers) {
        generator::run(port, own, PRESSURE, Duration::from_millis(500))?;
        for peer in &peers {
            generator::run(peer.port, theirs, PEER_PRESSURE, Duration::from_secs(1))?;
        }
    }
    let mut rates = Rates::default();
    let (mut generating, mut signing) = (vec![], vec![]);
    let mut micros = [vec![], vec![]];
    for _ in 0..setup.turns {
        let before = cpu_seconds(std::process::id())?;
        let bare = bare::crypto::rs256(setup.cores, SPAN)?;
        signing
            .push((cpu_seconds(std::process::id())? - before) / (bare * SPAN.as_secs_f64()) * 1e6);
        rates.bare.push(bare);
        let kinds = asked.own.iter().zip(&mut rates.own).zip(&mut micros);
        for ((requests, rates), micros) in kinds {
            let before = cpu_seconds(pid)?;
            let load = generator::run(port, requests, PRESSURE, SPAN).context("tokens")?;
            let served = load.rate * SPAN.as_secs_f64();
            micros.push((cpu_seconds(pid)? - before) / served * 1e6);
            rates.push(load.rate);
            generating.push(generator::own_micros(&load));
        }
        for (peer, rates) in peers.iter().zip(&mut rates.peers) {
            for (requests, rates) in asked.peers.iter().zip(rates) {
                let load = generator::run(peer.port, requests, PEER_PRESSURE, SPAN);
                rates.push(load.context("the peer")?.rate);
            }
        }
    }
    compare(&rates, table);
    table.remark(format!(
        "Tokens: of processor time, one for a machine costs the server {} µs, a refreshed one {} µs, and \
         either the load generator {} µs, on the same cores; a raw signature costs {} µs.",
        shown(median(&micros[0])),
        shown(median(&micros[1])),
        shown(median(&generating)),
        shown(median(&signing)),
    ));
    Ok(())
}

/// Beside signing alone, and beside each peer.
fn compare(rates: &Rates, table: &mut Table) {
    let names = [
        "client_credentials token, its log event committed",
        "refreshed token, its log event committed",
    ];
    for (name, own) in names.iter().zip(&rates.own) {
        table.compare(name, own, &rates.bare, 0.8);
    }
    for (number, peer) in ["a process a core", "one process, as it comes"]
        .iter()
        .zip(&rates.peers)
    {
        let names = ["client_credentials", "refreshed token"];
        for (name, (own, peer)) in names.iter().zip(rates.own.iter().zip(peer)) {
            let name = format!("{name} beside npm's oidc-provider in memory, {number}");
            table.compare(&name, own, peer, 3.0);
        }
    }
}
