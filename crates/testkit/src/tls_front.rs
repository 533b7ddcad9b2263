//! TLS in front of a server that does not speak it, with a certificate for `localhost` made on the spot.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tempfile::TempDir;

use crate::checkout;
use crate::held::Held;
use crate::server::Server;

#[derive(Deserialize)]
struct Started {
    port: u16,
}

/// The front: it listens at once, so that a server can be told its public URL before it starts.
pub struct TlsFront {
    port: u16,
    folder: TempDir,
    process: Held,
}

impl TlsFront {
    /// Listens on a free port of 127.0.0.1.
    pub fn start() -> Result<Self> {
        let folder = TempDir::with_prefix("ferry-tls-")?;
        let file = |name: &str| folder.path().join(name);
        make_certificate(&file("key.pem"), &file("certificate.pem"))?;
        let mut command = Command::new("node");
        command
            .arg(checkout::top().join("crates/testkit/tls_front.mjs"))
            .args([file("key.pem"), file("certificate.pem")]);
        let (process, first, _) = Held::start(&mut command)?;
        let Started { port } = serde_json::from_str(&first).context("the port")?;
        Ok(Self {
            port,
            folder,
            process,
        })
    }

    /// `https://localhost:port`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate in PEM, which is its own authority.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Its key, for others who serve on `localhost`.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// From now on what comes in goes to this server.
    pub fn lead_to(&mut self, server: &Server) -> Result<()> {
        self.process.tell(&server.port().to_string())
    }
}

fn make_certificate(key: &Path, certificate: &Path) -> Result<()> {
    let mut command = Command::new("openssl");
    command
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-keyout"])
        .arg(key)
        .arg("-out")
        .arg(certificate);
    checkout::output_of(&mut command).map(drop)
}
