//! Clients are told that sessions ended (OpenID Connect Back-Channel Logout 1.0). The notices were
//! written by the batches that ended the sessions; here they leave, each with a fresh logout token,
//! with growing waits between the tries. One that is given up stays where it is, and the tenant log
//! says so.

use std::sync::Arc;
use std::time::Duration;

use domain::client_settings::is_backchannel_url;
use domain::{Client, ClientId, EventKind, LogEvent};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use oidc::logout::{LOGOUT_JWT, LiveSession, LogoutTokenClaims};
use store::{LogoutNotice, NoticeShare, Write};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::outbound::OutboundRequest;
use crate::{Context, Engine};

/// Notices that are sent at the same time, and how many of them to one client.
const AT_ONCE: u32 = 40;
const TO_ONE_CLIENT: u32 = 4;

/// Another sender takes a notice when this one died. Longer than a try may take.
const HOLD: Duration = Duration::from_secs(60);

/// How long a notice may go unnoticed that nobody rang for.
const POLL: Duration = Duration::from_secs(5);

/// Tries before a notice is given up: some three hours.
const ATTEMPTS: i64 = 8;

/// The wait after the first try; each one after that is three times as long.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// How long a client may take to answer, and the longest answer, of which nothing is read.
const PATIENCE: Duration = Duration::from_secs(15);
const LONGEST: usize = 1 << 20;

/// What became of a try.
struct Tried {
    /// The client, when there still is one.
    client: Option<Client>,
    outcome: std::result::Result<(), String>,
}

/// Notices on their way.
#[derive(Default)]
struct UnderWay<'a> {
    tries: FuturesUnordered<BoxFuture<'a, ClientId>>,
    /// To whom: one entry for each of them.
    clients: Vec<ClientId>,
}

impl UnderWay<'_> {
    /// Waits for the end of a try; `None` when there is none to wait for.
    async fn ended(&mut self) -> Option<()> {
        let client = self.tries.next().await?;
        let place = self.clients.iter().position(|other| *other == client);
        if let Some(place) = place {
            self.clients.swap_remove(place);
        }
        Some(())
    }
}

impl Engine {
    /// Tells clients until told to stop.
    pub async fn run_logout_notices(self: Arc<Self>, stop: CancellationToken) {
        let mut under_way = UnderWay::default();
        while !stop.is_cancelled() {
            if let Err(error) = self.begin_notices(&mut under_way).await {
                tracing::warn!(%error, "the notices of logouts can't be read");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(()) = under_way.ended() => {}
                () = self.notices_wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        while under_way.ended().await.is_some() {}
    }

    /// Sends what is due now and waits until it is told; says how many notices there were.
    pub async fn send_logout_notices(&self) -> Result<usize> {
        let mut under_way = UnderWay::default();
        let begun = self.begin_notices(&mut under_way).await?;
        while under_way.ended().await.is_some() {}
        Ok(begun)
    }

    /// Takes notices that are due and sets off with them, as far as there is room. Clients that still
    /// have to answer get no more, so that one that is slow keeps nobody else waiting.
    async fn begin_notices<'a>(&'a self, under_way: &mut UnderWay<'a>) -> Result<usize> {
        let taken = u32::try_from(under_way.clients.len()).unwrap_or(AT_ONCE);
        let share = NoticeShare {
            limit: AT_ONCE.saturating_sub(taken),
            of_each: TO_ONE_CLIENT,
            but: &under_way.clients,
        };
        if share.limit == 0 {
            return Ok(0);
        }
        let now = self.now();
        let due = self
            .store
            .claim_logout_notices(now, now.plus(HOLD), share)
            .await?;
        let begun = due.len();
        for notice in due {
            under_way.clients.push(notice.client_id.clone());
            under_way.tries.push(self.tell(notice).boxed());
        }
        Ok(begun)
    }

    /// One try, and what became of it. When that can't be written, the notice comes back after its
    /// hold.
    async fn tell(&self, notice: LogoutNotice) -> ClientId {
        let tried = self.try_to_tell(&notice).await;
        let mut write = self.store.write();
        self.note_try(&mut write, &notice, tried);
        if let Err(error) = self.store.commit(write).await {
            tracing::warn!(%error, "what became of a notice can't be written");
        }
        notice.client_id
    }

    async fn try_to_tell(&self, notice: &LogoutNotice) -> Tried {
        let client = match self.store.find_client(&notice.client_id).await {
            Ok(client) => client,
            Err(error) => {
                let outcome = Err(error.to_string());
                return Tried {
                    client: None,
                    outcome,
                };
            }
        };
        let outcome = match &client {
            Some(client) => match self.logout_token(client, notice) {
                Ok(token) => self.deliver(&notice.url, &token).await,
                Err(error) => Err(error.to_string()),
            },
            None => Err("the client is gone".to_owned()),
        };
        Tried { client, outcome }
    }

    /// Posts a logout token (OpenID Connect Back-Channel Logout §2.5); it has no letter that a form
    /// would encode. The error is for the operator.
    async fn deliver(&self, url: &str, token: &str) -> std::result::Result<(), String> {
        if !is_backchannel_url(url) {
            return Err("logout tokens leave over https only".into());
        }
        let request = OutboundRequest {
            form: Some(format!("logout_token={token}").into()),
            max_bytes: LONGEST,
            timeout: PATIENCE,
            ..OutboundRequest::get(url)
        };
        let answer = self.outbound.send(request).await;
        let status = answer.map_err(|error| error.to_string())?.status;
        if (200..300).contains(&status) {
            Ok(())
        } else {
            Err(format!("the client answered {status}"))
        }
    }

    /// A token of this very moment. Its name is the notice's, so that a client that heard of it
    /// before can tell.
    fn logout_token(&self, client: &Client, notice: &LogoutNotice) -> Result<String> {
        let ended = LiveSession {
            id: notice.session.clone(),
            user_id: notice.subject.clone(),
        };
        let claims = LogoutTokenClaims::new(
            &self.settings.issuer,
            &client.client_id,
            &ended,
            notice.id.clone(),
            self.now(),
        );
        self.sign_for_client_as(LOGOUT_JWT, client, &claims)
            .map_err(Error::internal)
    }

    fn note_try(&self, write: &mut Write, notice: &LogoutNotice, tried: Tried) {
        let now = self.now();
        let Err(problem) = tried.outcome else {
            write.mark_notice_sent(&notice.id, now);
            let kind = EventKind::BackchannelLogout;
            write.log(&self.notice_event(notice, tried.client.as_ref(), kind));
            return;
        };
        tracing::warn!(
            client = %notice.client_id, attempt = notice.attempts, problem,
            "a client could not be told of a logout"
        );
        let next = wait_after(notice.attempts).map(|wait| now.plus(wait));
        write.mark_notice_unsent(&notice.id, &problem, next);
        if next.is_none() {
            let kind = EventKind::BackchannelLogoutFailed;
            let mut event = self.notice_event(notice, tried.client.as_ref(), kind);
            event.description = Some(problem);
            write.log(&event);
        }
    }

    fn notice_event(
        &self,
        notice: &LogoutNotice,
        client: Option<&Client>,
        kind: EventKind,
    ) -> LogEvent {
        let mut event = self.event(&Context::default(), kind);
        let name = client.map(|client| client.name.clone());
        event.client = Some((notice.client_id.clone(), name.unwrap_or_default()));
        event.user_id = Some(notice.subject.clone());
        let session = notice.session.to_string();
        event.details.insert("session_id".into(), session.into());
        event
            .details
            .insert("url".into(), notice.url.as_str().into());
        event
            .details
            .insert("attempts".into(), notice.attempts.into());
        event
    }
}

/// `None` after the last try.
fn wait_after(attempts: i64) -> Option<Duration> {
    let exponent = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let wait = FIRST_WAIT.saturating_mul(3_u32.saturating_pow(exponent));
    (attempts < ATTEMPTS).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_gives_up() {
        let waits: Vec<_> = (1..=8)
            .map(|n| wait_after(n).map(|wait| wait.as_secs()))
            .collect();
        assert_eq!(waits[..3], [Some(5), Some(15), Some(45)]);
        assert_eq!(waits[6..], [Some(3645), None]);
    }
}
