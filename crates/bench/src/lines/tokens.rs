//! Tokens for machines through the whole endpoint; raw RS256 signatures in turns.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use testkit::Server;

use crate::bare;
use crate::ferry::{application, cpu_seconds, expect, port, server};
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

/// An API, a client that may call it, and what that client asks.
async fn token_requests(ferry: &Server) -> Result<Requests> {
    let application = application(ferry, &["client_credentials"]).await?;
    let admin = ferry.api()?;
    let scopes = json!([{"value": "read:orders"}, {"value": "write:orders"}]);
    let api = json!({"name": "orders", "identifier": AUDIENCE, "scopes": scopes});
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
    Ok(Arc::new(vec![generator::post("/oauth/token", &body)]))
}

/// The line of tokens.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let ferry = server(setup).start().await?;
    let requests = token_requests(&ferry).await?;
    let (port, pid) = (port(&ferry)?, ferry.pid().context("a process")?);
    generator::run(port, &requests, PRESSURE, Duration::from_millis(500))?;
    let peer = Peer::start(setup.cores)?;
    let form =
        format!("grant_type=client_credentials&scope=read:orders+write:orders&{PEER_CLIENT}");
    let peers: Requests = Arc::new(vec![generator::post_form("/token", &form)]);
    generator::run(peer.port, &peers, PEER_PRESSURE, Duration::from_secs(1))?;
    let mut beside = vec![];
    let (mut rates, mut bares) = (vec![], vec![]);
    let (mut own, mut micros, mut signing) = (vec![], vec![], vec![]);
    for _ in 0..setup.turns {
        let before = cpu_seconds(std::process::id())?;
        let bare = bare::crypto::rs256(setup.cores, SPAN)?;
        signing
            .push((cpu_seconds(std::process::id())? - before) / (bare * SPAN.as_secs_f64()) * 1e6);
        let before = cpu_seconds(pid)?;
        let load = generator::run(port, &requests, PRESSURE, SPAN).context("tokens")?;
        let served = load.rate * SPAN.as_secs_f64();
        micros.push((cpu_seconds(pid)? - before) / served * 1e6);
        bares.push(bare);
        rates.push(load.rate);
        own.push(generator::own_micros(&load));
        let load = generator::run(peer.port, &peers, PEER_PRESSURE, SPAN).context("the peer")?;
        beside.push(load.rate);
    }
    table.compare(
        "client_credentials token, its log event committed",
        &rates,
        &bares,
        0.8,
    );
    table.compare(
        "the same beside npm's oidc-provider, a process a core, in memory",
        &rates,
        &beside,
        3.0,
    );
    table.remark(format!(
        "Tokens: of processor time, each costs the server {} µs and the load generator {} µs, on the \
         same cores; a raw signature costs {} µs.",
        shown(median(&micros)),
        shown(median(&own)),
        shown(median(&signing)),
    ));
    Ok(())
}
