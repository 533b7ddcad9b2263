//! TLS as a transformer of bytes: JavaScript feeds it what came from any stream and sends what it
//! gives, so that one implementation serves https, databases that switch over in mid-connection,
//! and those that wrap TLS into packets of their own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use rquickjs::{Array, Ctx, Object, Result, Value};
use rustls::client::WantsClientCert;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, ProtocolVersion, RootCertStore};

use super::op;
use super::trust::{Distrust, Judge};
use crate::embedded::value::{Bytes, Text, member, refuse};

/// Connections a worker may have at once.
const MOST: usize = 256;
/// Plain text that waits for the end of a handshake, in bytes.
const BUFFERED: usize = 16 << 20;

struct Session {
    connection: ClientConnection,
    verdict: Arc<Mutex<Option<Distrust>>>,
}

type Sessions = Rc<RefCell<HashMap<u32, Session>>>;

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    let sessions = Sessions::default();
    let table = Rc::clone(&sessions);
    op!(native, ctx, "tlsNew", move |ctx: Ctx<'js>,
                                     options: Object<'js>|
          -> Result<u32> {
        let mut sessions = table.borrow_mut();
        if sessions.len() >= MOST {
            return Err(refuse(&ctx, "EMFILE", "too many TLS connections are open"));
        }
        let handle = (1..=u32::MAX)
            .find(|handle| !sessions.contains_key(handle))
            .unwrap_or(0);
        sessions.insert(handle, open(&ctx, &options)?);
        Ok(handle)
    });
    let table = Rc::clone(&sessions);
    op!(
        native,
        ctx,
        "tlsStart",
        move |ctx: Ctx<'js>, handle: u32| {
            with(&ctx, &table, handle, |session| {
                Ok(Bytes(session.outgoing()))
            })
        }
    );
    let table = Rc::clone(&sessions);
    op!(
        native,
        ctx,
        "tlsFeed",
        move |ctx: Ctx<'js>, handle: u32, bytes: Bytes| {
            with(&ctx, &table, handle, |session| session.feed(&ctx, &bytes.0))
        }
    );
    let table = Rc::clone(&sessions);
    op!(
        native,
        ctx,
        "tlsWrite",
        move |ctx: Ctx<'js>, handle: u32, bytes: Bytes| {
            with(&ctx, &table, handle, |session| {
                let written = session.connection.writer().write_all(&bytes.0);
                written.map_err(|error| refuse(&ctx, "EPROTO", &error.to_string()))?;
                Ok(Bytes(session.outgoing()))
            })
        }
    );
    install_ending(ctx, native, &sessions)
}

fn install_ending<'js>(ctx: &Ctx<'js>, native: &Object<'js>, sessions: &Sessions) -> Result<()> {
    let table = Rc::clone(sessions);
    op!(native, ctx, "tlsEnd", move |ctx: Ctx<'js>, handle: u32| {
        with(&ctx, &table, handle, |session| {
            session.connection.send_close_notify();
            Ok(Bytes(session.outgoing()))
        })
    });
    let table = Rc::clone(sessions);
    op!(native, ctx, "tlsInfo", move |ctx: Ctx<'js>, handle: u32| {
        with(&ctx, &table, handle, |session| session.info(&ctx))
    });
    let table = Rc::clone(sessions);
    op!(native, ctx, "tlsFree", move |handle: u32| drop(
        table.borrow_mut().remove(&handle)
    ));
    Ok(())
}

fn with<T>(
    ctx: &Ctx<'_>,
    sessions: &Sessions,
    handle: u32,
    work: impl FnOnce(&mut Session) -> Result<T>,
) -> Result<T> {
    match sessions.borrow_mut().get_mut(&handle) {
        Some(session) => work(session),
        None => Err(refuse(
            ctx,
            "ERR_STREAM_DESTROYED",
            "the TLS connection is closed",
        )),
    }
}

fn open<'js>(ctx: &Ctx<'js>, options: &Object<'js>) -> Result<Session> {
    let invalid = |what: &str| refuse(ctx, "ERR_OSSL_PEM_NO_START_LINE", what);
    let mut given = Vec::new();
    let authorities: Option<Vec<Bytes>> = member(options, "ca")?;
    let mut roots = RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(authorities) => {
            for authority in authorities {
                given.extend(
                    certificates(&authority.0).ok_or_else(|| invalid("ca: no certificate"))?,
                );
            }
            roots.add_parsable_certificates(given.iter().cloned());
        }
    }
    let provider = Arc::new(default_provider());
    let verdict = Arc::new(Mutex::new(None));
    let judge = Judge {
        provider: Arc::clone(&provider),
        roots: Arc::new(roots),
        given,
        is_strict: member(options, "rejectUnauthorized")?.unwrap_or(true),
        checks_name: member(options, "checkName")?.unwrap_or(true),
        verdict: Arc::clone(&verdict),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(ctx, "EPROTO", &error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(judge));
    let mut config = identify(ctx, options, builder)?;
    let protocols: Option<Vec<Text>> = member(options, "alpn")?;
    config.alpn_protocols = protocols
        .unwrap_or_default()
        .into_iter()
        .map(|protocol| protocol.0.into_bytes())
        .collect();
    let name: Option<Text> = member(options, "servername")?;
    let name = name.map(|name| name.0).unwrap_or_default();
    let name = match ServerName::try_from(name) {
        Ok(name) => name,
        // Without a name there is none to send and none to compare.
        Err(_) => ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
    };
    let mut connection = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| refuse(ctx, "EPROTO", &error.to_string()))?;
    connection.set_buffer_limit(Some(BUFFERED));
    Ok(Session {
        connection,
        verdict,
    })
}

/// The client's own certificate, where there is one.
fn identify(
    ctx: &Ctx<'_>,
    options: &Object<'_>,
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
) -> Result<ClientConfig> {
    let invalid = |what: &str| refuse(ctx, "ERR_OSSL_PEM_NO_START_LINE", what);
    let own: Option<Bytes> = member(options, "cert")?;
    let key: Option<Bytes> = member(options, "key")?;
    match (own, key) {
        (Some(own), Some(key)) => {
            let chain = certificates(&own.0).ok_or_else(|| invalid("cert: no certificate"))?;
            let key = private_key(&key.0).ok_or_else(|| invalid("key: no private key"))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| {
                refuse(ctx, "ERR_OSSL_X509_KEY_VALUES_MISMATCH", &error.to_string())
            })
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

/// The certificates of a PEM text, or one in DER.
fn certificates(bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    if bytes.first() == Some(&0x30) {
        return Some(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let found: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .collect::<std::result::Result<_, _>>()
        .ok()?;
    (!found.is_empty()).then_some(found)
}

fn private_key(bytes: &[u8]) -> Option<PrivateKeyDer<'static>> {
    if bytes.first() == Some(&0x30) {
        return PrivateKeyDer::try_from(bytes.to_vec()).ok();
    }
    PrivateKeyDer::from_pem_slice(bytes).ok()
}

impl Session {
    /// What is to be sent.
    fn outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to memory does not fail.
        while self.connection.wants_write() && self.connection.write_tls(&mut bytes).is_ok() {}
        bytes
    }

    fn verdict(&self) -> Option<Distrust> {
        self.verdict
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes what came: gives plain text, an answer to send, and the state.
    fn feed<'js>(&mut self, ctx: &Ctx<'js>, mut bytes: &[u8]) -> Result<Object<'js>> {
        let mut plain = Vec::new();
        let mut failure = None;
        let mut has_closed = false;
        while !bytes.is_empty() && failure.is_none() && !has_closed {
            match self.connection.read_tls(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            match self.connection.process_new_packets() {
                Ok(state) => {
                    has_closed = state.peer_has_closed();
                    let _ = self.connection.reader().read_to_end(&mut plain);
                }
                Err(error) => failure = Some(error),
            }
        }
        let outcome = Object::new(ctx.clone())?;
        if !plain.is_empty() {
            outcome.set("plain", Bytes(plain))?;
        }
        let out = self.outgoing();
        if !out.is_empty() {
            outcome.set("out", Bytes(out))?;
        }
        outcome.set("ready", !self.connection.is_handshaking())?;
        outcome.set("closed", has_closed)?;
        if let Some(error) = failure {
            let distrust = self.verdict().unwrap_or_else(|| protocol_failure(&error));
            outcome.set("error", words(ctx, &distrust)?)?;
        }
        Ok(outcome)
    }

    fn info<'js>(&self, ctx: &Ctx<'js>) -> Result<Object<'js>> {
        let info = Object::new(ctx.clone())?;
        let protocol = match self.connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Some("TLSv1.2"),
            Some(ProtocolVersion::TLSv1_3) => Some("TLSv1.3"),
            _ => None,
        };
        info.set("protocol", protocol)?;
        let suite = self.connection.negotiated_cipher_suite();
        info.set(
            "cipher",
            suite.map(|suite| cipher_name(&format!("{:?}", suite.suite()))),
        )?;
        let alpn = self.connection.alpn_protocol().map(String::from_utf8_lossy);
        info.set("alpn", alpn.map(std::borrow::Cow::into_owned))?;
        let chain = Array::new(ctx.clone())?;
        for certificate in self.connection.peer_certificates().unwrap_or_default() {
            chain.set(chain.len(), Bytes(certificate.to_vec()))?;
        }
        info.set("peerDer", chain.get::<Value<'js>>(0)?)?;
        info.set("peerChain", chain)?;
        let distrust = self.verdict();
        info.set("authorized", distrust.is_none())?;
        if let Some(distrust) = distrust {
            info.set("authorizationError", words(ctx, &distrust)?)?;
        }
        Ok(info)
    }
}

fn words<'js>(ctx: &Ctx<'js>, distrust: &Distrust) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("code", distrust.code)?;
    object.set("message", distrust.message.as_str())?;
    Ok(object)
}

/// What OpenSSL calls a handshake that fails for other reasons.
fn protocol_failure(error: &rustls::Error) -> Distrust {
    use rustls::Error as Tls;
    let code = match error {
        Tls::InvalidMessage(_) => "ERR_SSL_WRONG_VERSION_NUMBER",
        Tls::PeerIncompatible(_) => "ERR_SSL_UNSUPPORTED_PROTOCOL",
        Tls::AlertReceived(rustls::AlertDescription::ProtocolVersion) => {
            "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"
        }
        Tls::AlertReceived(rustls::AlertDescription::HandshakeFailure) => {
            "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"
        }
        Tls::AlertReceived(rustls::AlertDescription::CertificateRequired) => {
            "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"
        }
        Tls::NoApplicationProtocol => "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
        _ => "EPROTO",
    };
    Distrust {
        code,
        message: error.to_string(),
    }
}

/// OpenSSL's name of a suite: `TLS_AES_256_GCM_SHA384`, `ECDHE-RSA-AES128-GCM-SHA256`.
fn cipher_name(suite: &str) -> String {
    if let Some(modern) = suite.strip_prefix("TLS13_") {
        return format!("TLS_{modern}");
    }
    suite
        .trim_start_matches("TLS_")
        .replace("_WITH", "")
        .replace("AES_128", "AES128")
        .replace("AES_256", "AES256")
        .replace(
            "_SHA256",
            if suite.contains("CHACHA20") {
                ""
            } else {
                "_SHA256"
            },
        )
        .replace('_', "-")
}
