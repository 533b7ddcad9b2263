//! Clients are told that sessions ended (OpenID Connect Back-Channel Logout 1.0). The notices were
//! written by the batches that ended the sessions; here they leave, each with a fresh logout token,
//! with growing waits between the tries. One that is given up stays where it is, and the tenant log
//! says so.

use std::sync::Arc;
use std::time::Duration;

use domain::client_settings::is_backchannel_url;
use domain::{Client, EventKind, LogEvent};
use futures_util::future::join_all;
use oidc::logout::{LOGOUT_JWT, LiveSession, LogoutTokenClaims};
use store::{LogoutNotice, Write};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::outbound::OutboundRequest;
use crate::{Context, Engine};

/// Notices taken at once; they are sent at the same time.
const TAKEN: u32 = 20;

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

impl Engine {
    /// Tells clients until told to stop.
    pub async fn run_logout_notices(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.send_logout_notices().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::warn!(%error, "the notices of logouts can't be read"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.notices_wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// One round; says how many notices it took.
    pub async fn send_logout_notices(&self) -> Result<usize> {
        let now = self.now();
        let due = self
            .store
            .claim_logout_notices(now, now.plus(HOLD), TAKEN)
            .await?;
        let tries = due.iter().map(|notice| self.try_to_tell(notice));
        let tries = join_all(tries).await;
        let mut write = self.store.write();
        for (notice, tried) in due.iter().zip(tries) {
            self.note_try(&mut write, notice, tried);
        }
        if !write.is_empty() {
            self.store.commit(write).await?;
        }
        Ok(due.len())
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
