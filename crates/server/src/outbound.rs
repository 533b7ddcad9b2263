//! The way to other servers: HTTP/1.1, over TLS with the roots that browsers trust.
//!
//! What counts is the **resolved** address. Addresses by which a machine in a cloud learns its own
//! secrets, and the server's own database, are not asked, whatever their name; this very machine only
//! where the server itself is under development. Private networks are: that is where providers of a
//! company live. Redirects are not followed, proxies of the environment not used, cookies not kept.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use engine::outbound::{Answering, Outbound, OutboundError, OutboundRequest, OutboundResponse};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT,
};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use oidc::relying_party::Reach;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use script::Egress;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A stream to another server, encrypted or, under development, not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Whoever asks other servers.
pub struct Outward {
    tls: TlsConnector,
    reach: Reach,
    egress: Egress,
}

/// Where a request goes.
struct Place {
    is_encrypted: bool,
    host: String,
    port: u16,
}

/// The root certificates of a PEM file.
pub fn roots_in(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let shown = path.display();
    let found = CertificateDer::pem_file_iter(path).with_context(|| format!("{shown}"))?;
    let roots: Result<Vec<_>, _> = found.collect();
    let roots = roots.with_context(|| format!("{shown}"))?;
    ensure!(!roots.is_empty(), "{shown} holds no certificate");
    Ok(roots)
}

impl Outward {
    /// With the roots that browsers trust, and the operator's own.
    pub fn new(
        reach: Reach,
        own_database: Vec<SocketAddr>,
        own_roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self> {
        let mut roots: rustls::RootCertStore =
            webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        for root in own_roots {
            roots.add(root).context("a root certificate")?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?;
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            reach,
            egress: Egress {
                allow: Vec::new(),
                own_database,
            },
        })
    }

    async fn exchange(&self, request: OutboundRequest) -> Result<OutboundResponse> {
        let uri: Uri = request.url.parse().context("not a URL")?;
        let place = Place::of(&uri)?;
        let stream = self.connect(&place).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let answered = async {
            let answer = sender.send_request(message(&uri, &request)?).await?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), request.max_bytes)
                .collect()
                .await;
            let body = body.map_err(|error| anyhow::anyhow!("the answer: {error}"))?;
            Ok(OutboundResponse {
                status,
                body: body.to_bytes().to_vec(),
            })
        };
        let answer = answered.await;
        driving.abort();
        answer
    }

    async fn connect(&self, place: &Place) -> Result<Box<dyn Stream>> {
        let found = tokio::net::lookup_host((place.host.as_str(), place.port)).await;
        let found = found.context("the name can't be resolved")?;
        let mut failure = anyhow::anyhow!("the name has no address");
        for address in found {
            match self.connect_to(place, address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn connect_to(&self, place: &Place, address: SocketAddr) -> Result<Box<dyn Stream>> {
        self.check(place, address)?;
        let stream = TcpStream::connect(address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        if !place.is_encrypted {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(place.host.clone()).context("not a host name")?;
        let stream = self.tls.connect(name, stream).await.context("TLS")?;
        Ok(Box::new(stream))
    }

    fn check(&self, place: &Place, address: SocketAddr) -> Result<()> {
        let ip = address.ip().to_canonical();
        let is_here = ip.is_loopback();
        ensure!(
            place.is_encrypted || is_here,
            "plain http leads to this machine only"
        );
        ensure!(
            !is_here || self.reach == Reach::Loopback,
            "{ip} is this machine"
        );
        let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        ensure!(
            !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast,
            "{ip} is no server's address"
        );
        self.egress.check(&place.host, address)?;
        Ok(())
    }
}

impl Place {
    fn of(uri: &Uri) -> Result<Self> {
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => bail!("neither https nor http"),
        };
        let host = uri.host().context("no host")?;
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let default = if is_encrypted { 443 } else { 80 };
        Ok(Self {
            is_encrypted,
            host: bare.unwrap_or(host).to_owned(),
            port: uri.port_u16().unwrap_or(default),
        })
    }
}

fn message(uri: &Uri, request: &OutboundRequest) -> Result<Request<Full<Bytes>>> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().context("no host")?.as_str();
    let method = if request.form.is_some() {
        "POST"
    } else {
        "GET"
    };
    let mut message = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, host)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("Ferry/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close");
    if let Some(authorization) = &request.authorization {
        let mut value = HeaderValue::from_str(authorization)?;
        value.set_sensitive(true);
        message = message.header(AUTHORIZATION, value);
    }
    let body = match &request.form {
        Some(form) => {
            message = message.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            Bytes::copy_from_slice(form.as_bytes())
        }
        None => Bytes::new(),
    };
    Ok(message.body(Full::new(body))?)
}

impl Outbound for Outward {
    fn send(&self, request: OutboundRequest) -> Answering<'_> {
        Box::pin(async move {
            let limit = request.timeout;
            let told = |error: anyhow::Error| OutboundError(format!("{error:#}"));
            match tokio::time::timeout(limit, self.exchange(request)).await {
                Ok(answer) => answer.map_err(told),
                Err(_) => Err(OutboundError(format!("no answer within {limit:?}"))),
            }
        })
    }
}
