//! A mail server for tests: speaks real SMTP (aiosmtpd), keeps what it receives, delivers nothing.

use std::io::{BufRead as _, BufReader};
use std::process::ChildStdout;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::time::Instant;

use crate::checkout;
use crate::held::Held;

/// A received message.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Decoded.
    pub subject: String,
    /// The decoded text part; empty when there is none.
    pub text: String,
    /// The decoded HTML part; empty when there is none.
    pub html: String,
    /// As it came over the wire.
    pub raw: String,
}

#[derive(Deserialize)]
struct Started {
    port: u16,
}

/// The running mail server.
pub struct Smtp {
    port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    _server: Held,
}

impl Smtp {
    /// Starts a server on a free port of 127.0.0.1; no TLS, no login.
    pub fn start() -> Result<Self> {
        let mut command = checkout::python()?;
        command.arg(checkout::top().join("crates/testkit/smtp_sink.py"));
        let (server, first, lines) = Held::start(&mut command)?;
        let Started { port } = serde_json::from_str(&first).context("the mail server's port")?;
        let mails = Arc::default();
        collect(lines, Arc::clone(&mails));
        Ok(Self {
            port,
            mails,
            _server: server,
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `smtp://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Everything received so far, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.mails).clone()
    }

    /// Waits up to ten seconds for a mail to `address`, takes it out, and gives it back.
    pub async fn mail_to(&self, address: &str) -> Result<Mail> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(mail) = self.take(address) {
                return Ok(mail);
            }
            if Instant::now() > deadline {
                bail!("no mail to {address}; received: {:?}", self.mails());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn take(&self, address: &str) -> Option<Mail> {
        let mut mails = lock(&self.mails);
        let at = mails
            .iter()
            .position(|mail| mail.to.iter().any(|to| to == address))?;
        Some(mails.remove(at))
    }
}

/// Reads messages until the server ends, on a thread that ends with it.
fn collect(lines: BufReader<ChildStdout>, mails: Arc<Mutex<Vec<Mail>>>) {
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            if let Ok(mail) = serde_json::from_str(&line) {
                lock(&mails).push(mail);
            }
        }
    });
}

fn lock(mails: &Mutex<Vec<Mail>>) -> MutexGuard<'_, Vec<Mail>> {
    mails.lock().unwrap_or_else(PoisonError::into_inner)
}
