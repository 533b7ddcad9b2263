//! What a refused request has not sent yet is read and thrown away, within bounds, before the
//! answer goes out: else the connection closes under a client that is still sending, and the
//! client never sees why it was refused.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt as _};

/// A body of this size is in the socket's buffers anyway, unless it is sent piece by piece: a form
/// with files is.
const SMALL: u64 = 64 << 10;
const MOST: usize = 64 << 20;
const LONGEST: Duration = Duration::from_secs(5);

/// Runs the request; when it is refused, reads the rest of its body.
pub async fn drain(request: Request, next: Next) -> Response {
    if is_small(&request) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let mut rest = Rest(Arc::new(Mutex::new(body.into_data_stream())));
    let request = Request::from_parts(head, Body::from_stream(rest.clone()));
    let response = next.run(request).await;
    if response.status().is_client_error() {
        // Whoever sends more, or more slowly, does not wait for the answer.
        let _ = tokio::time::timeout(LONGEST, rest.discard()).await;
    }
    response
}

fn is_small(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/")) {
        return false;
    }
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let length: Option<u64> = length.and_then(|length| length.parse().ok());
    match length {
        Some(length) => length <= SMALL,
        None => !request.headers().contains_key("transfer-encoding"),
    }
}

/// A body that the handler and we both hold.
#[derive(Clone)]
struct Rest(Arc<Mutex<BodyDataStream>>);

impl Rest {
    async fn discard(&mut self) {
        let mut read = 0;
        while let Some(Ok(chunk)) = self.next().await {
            read += chunk.len();
            if read > MOST {
                return;
            }
        }
    }
}

impl Stream for Rest {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.poll_next_unpin(context)
    }
}
