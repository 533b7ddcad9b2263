//! The server under measurement: a child process, what it takes of the machine, and what a
//! measurement needs in it.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::{Answer, Api, Server, ServerBuilder};

use crate::setup::Setup;

/// The wire's long name of the grant that names a connection.
pub const PASSWORD_REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";

/// Clock ticks in a second, as `/proc` counts them on Linux.
const TICKS: f64 = 100.0;

/// A server with its settings as they come.
pub fn server(setup: &Setup) -> ServerBuilder {
    Server::builder(&setup.ferry)
}

/// The port of a running server.
pub fn port(server: &Server) -> Result<u16> {
    let url = server.public_url();
    let port = url.rsplit_once(':').context("a port")?.1;
    Ok(port.parse()?)
}

/// An application with these grants, as a client with its rights.
pub async fn application(server: &Server, grants: &[&str]) -> Result<Api> {
    let body = json!({"name": "bench", "app_type": "regular_web", "grant_types": grants});
    let created = expect(201, server.api()?.post("/api/v2/clients", &body).await?)?;
    Api::new(
        &server.public_url(),
        text(&created, "client_id")?,
        text(&created, "client_secret")?,
    )
}

/// A connection with these options, enabled for the application; gives its id.
pub async fn connection(
    server: &Server,
    application: &Api,
    name: &str,
    options: Value,
) -> Result<String> {
    let admin = server.api()?;
    let body = json!({"name": name, "strategy": "auth0", "options": options});
    let created = expect(201, admin.post("/api/v2/connections", &body).await?)?;
    let id = text(&created, "id")?.to_owned();
    let clients = json!([{"client_id": application.client_id(), "status": true}]);
    expect(
        204,
        admin
            .patch(&format!("/api/v2/connections/{id}/clients"), &clients)
            .await?,
    )?;
    Ok(id)
}

/// The body of an answer, when it has the status.
pub fn expect(status: u16, answer: Answer) -> Result<Value> {
    ensure!(
        answer.0 == status,
        "expected {status}, got {} {}",
        answer.0,
        answer.1
    );
    Ok(answer.1)
}

/// A text member.
pub fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str> {
    let member = body.get(name).and_then(Value::as_str);
    member.with_context(|| format!("no text {name} in {body}"))
}

/// The body of a login at the token endpoint.
pub fn login(application: &Api, realm: &str, user: &str, password: &str) -> Value {
    json!({
        "grant_type": PASSWORD_REALM,
        "client_id": application.client_id(),
        "client_secret": application.client_secret(),
        "realm": realm,
        "username": user,
        "password": password,
        "scope": "openid profile email",
    })
}

/// A line of `/proc/PID/status` in MiB: `VmHWM` is the most memory ever resident, `VmRSS` now.
pub fn memory_mib(pid: u32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let found = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kib = found.and_then(|text| text.split_whitespace().next());
    Ok(kib.with_context(|| format!("no {line}"))?.parse::<f64>()? / 1024.0)
}

/// Processor time that a process has taken, all threads together.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').context("a name")?.1;
    // utime and stime: fields 14 and 15, of which the name was the second.
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS)
}
