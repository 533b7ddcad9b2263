//! Requests to other servers, as a parameter: the server brings a client that speaks HTTP, tests
//! bring one that leads to a server of theirs.
//!
//! Every request has a bound on size and time. An answer that sends us elsewhere is an answer like
//! any other: nobody follows it, so nobody can lead us to an address that was not checked.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use zeroize::Zeroizing;

/// A request to another server.
pub struct OutboundRequest {
    /// Where to: checked by whoever asks.
    pub url: String,
    /// A form to be posted; nothing is posted when absent.
    pub form: Option<Zeroizing<String>>,
    /// The `Authorization` header.
    pub authorization: Option<Zeroizing<String>>,
    /// Longest answer that is read, in bytes.
    pub max_bytes: usize,
    /// How long all of it may take.
    pub timeout: Duration,
}

impl OutboundRequest {
    /// A plain question.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            form: None,
            authorization: None,
            max_bytes: 256 << 10,
            timeout: Duration::from_secs(10),
        }
    }
}

/// What the other server answered.
#[derive(Clone, Debug)]
pub struct OutboundResponse {
    /// The status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// No answer: nobody there, too late, too long, or an address that is not asked. For the log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutboundError(pub String);

/// The answer, when it is there.
pub type Answering<'a> =
    Pin<Box<dyn Future<Output = Result<OutboundResponse, OutboundError>> + Send + 'a>>;

/// Whoever carries requests out.
pub trait Outbound: Send + Sync {
    /// Sends a request and reads the answer.
    fn send(&self, request: OutboundRequest) -> Answering<'_>;
}

/// Nobody: an engine that was given no way out reaches no other server.
pub struct NoWayOut;

impl Outbound for NoWayOut {
    fn send(&self, _: OutboundRequest) -> Answering<'_> {
        let refused = OutboundError("this server reaches no other one".into());
        Box::pin(std::future::ready(Err(refused)))
    }
}
