//! Why a TLS server is not trusted, in the codes that scripts know from Node.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::rig::{Reply, Worker, login};

/// An authority and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    pem: String,
}

impl Identity {
    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "leaf");
    params
}

impl Authority {
    fn new() -> Self {
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let issuer: &Issuer<'_, KeyPair> = &self.0;
        let certificate = params.signed_by(&key, issuer).unwrap();
        Identity {
            chain: vec![certificate.der().clone()],
            key,
            pem: certificate.pem(),
        }
    }
}

fn self_signed(names: &[&str]) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params(names).self_signed(&key).unwrap();
    Identity {
        chain: vec![certificate.der().clone()],
        key,
        pem: certificate.pem(),
    }
}

/// A server that greets and echoes what follows.
fn serve(identity: &Identity, clients: Option<&Authority>) -> u16 {
    let builder = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.0.der().clone()).unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let config = builder
        .with_single_cert(identity.chain.clone(), identity.key())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut bytes = [0; 5];
            // Clients that distrust us hang up: that is what is tested.
            if stream.read_exact(&mut bytes).is_ok() {
                let _ = stream.write_all(&bytes);
                let _ = stream.flush();
            }
        }
    });
    port
}

/// Connects with options of `tls.connect`; gives what the script saw.
fn connect(port: u16, options: Value) -> Reply {
    let body = "const options = JSON.parse(configuration.OPTIONS);
        const socket = require('tls').connect({ host: 'localhost', port: +configuration.PORT, ...options }, () => {
          const seen = { user_id: 1, authorized: socket.authorized, protocol: socket.getProtocol(),
            why: socket.authorizationError && String(socket.authorizationError.code || socket.authorizationError) };
          socket.write('hello');
          socket.on('data', (data) => callback(null, { ...seen, echo: String(data) }));
        });
        socket.on('error', callback);";
    let mut worker = Worker::start();
    let settings = json!({"PORT": port.to_string(), "OPTIONS": options.to_string()});
    worker.load_with("login", &login(body), &settings, &Value::Null);
    worker.call("login")
}

#[track_caller]
fn distrusted(reply: &Reply) -> String {
    assert!(reply.result.get("error").is_some(), "{}", reply.result);
    reply.result["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_given_authority_is_trusted() {
    let authority = Authority::new();
    let port = serve(&authority.sign(&params(&["localhost"])), None);
    let reply = connect(port, json!({"ca": authority.pem()}));
    let expected = json!({"user_id": 1, "authorized": true, "protocol": "TLSv1.3", "why": null, "echo": "hello"});
    assert_eq!(reply.value(), &expected);
}

#[test]
fn an_unknown_authority_is_not() {
    let authority = Authority::new();
    let port = serve(&authority.sign(&params(&["localhost"])), None);
    let reply = connect(port, json!({}));
    assert_eq!(distrusted(&reply), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    assert_eq!(reply.error().1, "unable to verify the first certificate");
}

#[test]
fn nor_is_one_that_the_server_sends_itself() {
    let authority = Authority::new();
    let mut identity = authority.sign(&params(&["localhost"]));
    identity.chain.push(authority.0.der().clone());
    let reply = connect(serve(&identity, None), json!({}));
    assert_eq!(distrusted(&reply), "SELF_SIGNED_CERT_IN_CHAIN");
}

#[test]
fn a_self_signed_certificate_is_trusted_only_when_given() {
    let identity = self_signed(&["localhost"]);
    let port = serve(&identity, None);
    let reply = connect(port, json!({}));
    assert_eq!(distrusted(&reply), "DEPTH_ZERO_SELF_SIGNED_CERT");
    assert_eq!(
        connect(port, json!({"ca": identity.pem})).value()["authorized"],
        true
    );
}

#[test]
fn another_name_is_not_this_server() {
    let authority = Authority::new();
    let port = serve(&authority.sign(&params(&["db.example"])), None);
    let reply = connect(port, json!({"ca": authority.pem()}));
    assert_eq!(distrusted(&reply), "ERR_TLS_CERT_ALTNAME_INVALID");
    assert!(
        reply
            .error()
            .1
            .contains("Host: localhost. is not in the cert's altnames: DNS:db.example"),
        "{}",
        reply.error().1
    );
    let reply = connect(
        port,
        json!({"ca": authority.pem(), "servername": "db.example"}),
    );
    assert_eq!(reply.value()["echo"], "hello");
}

#[test]
fn an_expired_certificate_is_not_trusted() {
    let authority = Authority::new();
    let mut old = params(&["localhost"]);
    old.not_before = date_time_ymd(2020, 1, 1);
    old.not_after = date_time_ymd(2021, 1, 1);
    let reply = connect(
        serve(&authority.sign(&old), None),
        json!({"ca": authority.pem()}),
    );
    assert_eq!(distrusted(&reply), "CERT_HAS_EXPIRED");
}

#[test]
fn whoever_does_not_ask_is_told_all_the_same() {
    let authority = Authority::new();
    let port = serve(&authority.sign(&params(&["localhost"])), None);
    let reply = connect(port, json!({"rejectUnauthorized": false}));
    let expected = json!({"user_id": 1, "authorized": false, "protocol": "TLSv1.3", "why": "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "echo": "hello"});
    assert_eq!(reply.value(), &expected);
}

#[test]
fn a_client_proves_itself() {
    let authority = Authority::new();
    let port = serve(&authority.sign(&params(&["localhost"])), Some(&authority));
    let client = authority.sign(&params(&["client"]));
    let options =
        json!({"ca": authority.pem(), "cert": client.pem, "key": client.key.serialize_pem()});
    assert_eq!(connect(port, options).value()["echo"], "hello");
    let reply = connect(port, json!({"ca": authority.pem()}));
    assert_eq!(
        distrusted(&reply),
        "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"
    );
}

#[test]
fn what_is_not_tls_is_said_to_be_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail.example ready\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(
        distrusted(&connect(port, json!({}))),
        "ERR_SSL_WRONG_VERSION_NUMBER"
    );
}
