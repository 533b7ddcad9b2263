//! Carries logout tokens to clients: one request over a connection of its own, without redirects, to
//! addresses that are allowed. An operator of a client names the URL, so it is treated as a stranger's:
//! metadata services and the server's own database are refused, whatever name leads there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::{Request, StatusCode, header};
use domain::client_settings::is_backchannel_url;
use engine::logout_notices::Courier;
use futures_util::future::BoxFuture;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use script::Egress;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// How long a client may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Posts by HTTP.
pub struct HttpCourier {
    tls: TlsConnector,
    egress: Egress,
}

impl HttpCourier {
    /// A courier that believes the certificates of public authorities.
    pub fn new(own_database: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("TLS can't be set up")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            egress: Egress {
                allow: Vec::new(),
                own_database,
            },
        })
    }

    async fn post(&self, url: &str, logout_token: &str) -> Result<(), String> {
        let target = Url::parse(url).map_err(|error| error.to_string())?;
        if !is_backchannel_url(url) {
            return Err("logout tokens leave over https only".into());
        }
        let stream = self.connect(&target).await?;
        let request = request(&target, logout_token)?;
        let status = if target.scheme() == "https" {
            let name = server_name(&target)?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| format!("TLS: {error}"))?;
            ask(stream, request).await?
        } else {
            ask(stream, request).await?
        };
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("the client answered {status}"))
        }
    }

    /// The first address of the host that is allowed and answers.
    async fn connect(&self, target: &Url) -> Result<TcpStream, String> {
        let addresses = addresses(target).await?;
        let name = target.host_str().unwrap_or_default();
        let mut problem = "the host has no address".to_owned();
        for address in addresses {
            if let Err(refusal) = self.egress.check(name, address) {
                problem = refusal.to_string();
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => problem = error.to_string(),
            }
        }
        Err(problem)
    }
}

impl Courier for HttpCourier {
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        logout_token: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let posted = tokio::time::timeout(PATIENCE, self.post(url, logout_token)).await;
            posted.map_err(|_| "the client did not answer in time".to_owned())?
        })
    }
}

async fn addresses(target: &Url) -> Result<Vec<SocketAddr>, String> {
    let port = target.port_or_known_default().unwrap_or(443);
    Ok(match target.host() {
        Some(Host::Ipv4(ip)) => vec![SocketAddr::new(ip.into(), port)],
        Some(Host::Ipv6(ip)) => vec![SocketAddr::new(ip.into(), port)],
        Some(Host::Domain(name)) => {
            let found = tokio::net::lookup_host((name, port)).await;
            found.map_err(|error| error.to_string())?.collect()
        }
        None => Vec::new(),
    })
}

fn server_name(target: &Url) -> Result<ServerName<'static>, String> {
    let host = target.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())
}

/// OpenID Connect Back-Channel Logout §2.5. A token has no letter that a form would encode.
fn request(target: &Url, logout_token: &str) -> Result<Request<String>, String> {
    let path = match target.query() {
        Some(query) => format!("{}?{query}", target.path()),
        None => target.path().to_owned(),
    };
    let host = target.host_str().unwrap_or_default();
    let authority = match target.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    Request::post(path)
        .header(header::HOST, authority)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONNECTION, "close")
        .body(format!("logout_token={logout_token}"))
        .map_err(|error| error.to_string())
}

/// Sends the request; reads no more of the answer than its status.
async fn ask<S>(stream: S, request: Request<String>) -> Result<StatusCode, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shown = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(shown)?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(shown);
    driver.abort();
    Ok(answer?.status())
}
