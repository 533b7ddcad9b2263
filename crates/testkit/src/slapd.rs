//! OpenLDAP for tests: one private server per value, with the people of `people.ldif`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::checkout;
use crate::held::Held;

#[derive(Deserialize)]
struct Started {
    port: u16,
    tls_port: u16,
    ca: PathBuf,
    conf: PathBuf,
}

/// An OpenLDAP server that nobody else uses; its base is `dc=example,dc=org`. Dropping it is an
/// outage: its port refuses connections.
pub struct Slapd {
    started: Started,
    _server: Held,
}

impl Slapd {
    /// The account that may read everything but passwords.
    pub const READER: &'static str = "cn=reader,dc=example,dc=org";
    /// Its password.
    pub const READER_PASSWORD: &'static str = "reader-secret";
    /// Where the people are.
    pub const PEOPLE: &'static str = "ou=people,dc=example,dc=org";

    /// Starts a server that holds `crates/testkit/people.ldif`.
    pub fn start() -> Result<Self> {
        let folder = checkout::top().join("crates/testkit");
        let mut command = checkout::python()?;
        command
            .arg(folder.join("private_server.py"))
            .arg("slapd")
            .arg(folder.join("people.ldif"));
        let (server, first, _) = Held::start(&mut command)?;
        let started = serde_json::from_str(&first).context("the server's first line")?;
        Ok(Self {
            started,
            _server: server,
        })
    }

    /// What `slapcat` writes: every entry as LDIF.
    pub fn dump(&self) -> Result<String> {
        // Servers' programs are not where an ordinary PATH looks.
        let places = ["/usr/sbin/slapcat", "/usr/local/sbin/slapcat", "slapcat"];
        let found = places.iter().find(|place| Path::new(place).exists());
        let mut command = Command::new(found.unwrap_or(&"slapcat"));
        checkout::output_of(command.arg("-f").arg(&self.started.conf))
    }

    /// `ldap://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.started.port)
    }

    /// `ldaps://127.0.0.1:port`.
    pub fn tls_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.started.tls_port)
    }

    /// The certificate of the authority that signed the server's, for `localhost` and
    /// `127.0.0.1`, as PEM.
    pub fn ca_file(&self) -> &Path {
        &self.started.ca
    }
}
