//! A person signs out of this browser: the session ends, the clients that were served through it are
//! told, and the browser goes to one of the client's own pages or to ours. Where it may go and whether
//! the person is asked first is decided in `oidc::logout`; here is what that can't know.

use domain::{Client, ClientId, EventKind, SessionEnd};
use oidc::OAuthError;
use oidc::logout::{EndSessionRequest, LiveSession, LogoutFacts, PlainLogoutRequest};
use serde_json::Value;
use store::{StoreError, StoredSession};

use crate::branding::TENANT;
use crate::sessions::Browser;
use crate::token::{engine_refusal, outage};
use crate::{Context, Engine};

/// What comes of a request to sign out.
#[derive(Debug)]
pub enum LoggedOut {
    /// Signed out; the browser goes there, or sees our page.
    Done(Option<String>),
    /// The person must say so first.
    Ask {
        /// The client that asks, by its name or by the ID token that it showed.
        client_id: Option<ClientId>,
    },
}

impl Engine {
    /// `/oidc/logout`. `is_confirmed`: the person said so on our page.
    pub async fn end_session(
        &self,
        context: &Context,
        browser: &Browser,
        request: &EndSessionRequest,
        is_confirmed: bool,
    ) -> Result<LoggedOut, OAuthError> {
        let hint = request.id_token_hint.as_deref();
        let hint = hint.map(|token| self.read_hint(token)).transpose()?;
        let client_id = request.client(hint.as_ref());
        let client = self.client_that_asks(client_id).await?;
        let tenant_urls = self.tenant_logout_urls().await?;
        let session = self.session_of(browser).await.map_err(engine_refusal)?;
        let live = session.as_ref().map(live);
        let logout = request.decide(&LogoutFacts {
            hint: hint.as_ref(),
            client: client.as_ref(),
            tenant_urls: &tenant_urls,
            session: live.as_ref(),
        })?;
        if logout.must_ask && !is_confirmed {
            let client_id = client_id.cloned();
            return Ok(LoggedOut::Ask { client_id });
        }
        if let Some(session) = session {
            self.sign_out(context, &session, client).await?;
        }
        Ok(LoggedOut::Done(logout.redirect_to))
    }

    /// `/v2/logout`: asks nobody. Gives where the browser goes, when that is not our page.
    pub async fn end_session_unasked(
        &self,
        context: &Context,
        browser: &Browser,
        request: &PlainLogoutRequest,
    ) -> Result<Option<String>, OAuthError> {
        let client = self.client_that_asks(request.client_id.as_ref()).await?;
        let target = request.redirect(client.as_ref(), &self.tenant_logout_urls().await?)?;
        let session = self.session_of(browser).await.map_err(engine_refusal)?;
        if let Some(session) = session {
            self.sign_out(context, &session, client).await?;
        }
        Ok(target)
    }

    async fn client_that_asks(&self, id: Option<&ClientId>) -> Result<Option<Client>, OAuthError> {
        match id {
            Some(id) => self.store.find_client(id).await.map_err(outage),
            None => Ok(None),
        }
    }

    /// `allowed_logout_urls` of the tenant, for requests of no client.
    async fn tenant_logout_urls(&self) -> Result<Vec<String>, OAuthError> {
        let tenant = self.find_json(TENANT).await.map_err(engine_refusal)?;
        let urls = tenant.as_ref().and_then(|t| t.get("allowed_logout_urls"));
        let urls = urls.and_then(Value::as_array).into_iter().flatten();
        let urls = urls.filter_map(Value::as_str).map(str::to_owned);
        Ok(urls.collect())
    }

    async fn sign_out(
        &self,
        context: &Context,
        session: &StoredSession,
        client: Option<Client>,
    ) -> Result<(), OAuthError> {
        let mut event = self.event(context, EventKind::Logout);
        event.user_id = Some(session.authentication.user_id.clone());
        event.client = client.map(|client| (client.client_id, client.name));
        let id = session.id.to_string();
        event.details.insert("session_id".into(), id.into());
        let mut write = self.store.write();
        write.delete_session(&session.id, &self.ending(SessionEnd::Logout));
        write.log(&event);
        match self.store.commit(write).await {
            Ok(()) => {
                self.notices_wake.notify_one();
                Ok(())
            }
            // It ended by itself, or in another window.
            Err(StoreError::Stale { .. }) => Ok(()),
            Err(error) => Err(outage(error)),
        }
    }
}

fn live(session: &StoredSession) -> LiveSession {
    LiveSession {
        id: session.id.clone(),
        user_id: session.authentication.user_id.clone(),
    }
}
