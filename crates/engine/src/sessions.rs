//! Browser sessions: found by their cookie, renewed by each login, ended by idleness, age, logout,
//! a new password or an administrator.

use domain::entropy::alphanumeric;
use domain::{
    Authentication, BrowserToken, Client, EventKind, Instant, SessionEnd, SessionId, SessionToken,
    User, UserId,
};
use oidc::authorize::{AuthorizationRequest, Prompt};
use store::{Ending, StoredSession, Write};

use crate::error::{Error, Result};
use crate::issue::token_hash;
use crate::tenant_settings::NewSession;
use crate::{Context, Engine};

/// Letters and digits of a cookie: 256 bits.
const TOKEN_LENGTH: usize = 43;

/// Letters and digits in the name of a notice.
const NOTICE_LENGTH: usize = 22;

/// What a browser brought in its cookies.
#[derive(Debug, Default)]
pub struct Browser {
    /// Names its session.
    pub session: Option<SessionToken>,
    /// Binds logins under way to it.
    pub token: Option<BrowserToken>,
}

/// A session that a batch writes, and the new token of its cookie.
pub(crate) struct Renewed {
    pub id: SessionId,
    pub cookie: NewSession,
}

impl Engine {
    /// A token for a browser that has none.
    pub fn new_browser_token(&self) -> BrowserToken {
        BrowserToken::from(alphanumeric(&*self.entropy, TOKEN_LENGTH))
    }

    /// The living session of a browser.
    pub async fn session_of(&self, browser: &Browser) -> Result<Option<StoredSession>> {
        let Some(token) = &browser.session else {
            return Ok(None);
        };
        let hash = token_hash(token.expose());
        Ok(self.store.find_session_by_token(&hash, self.now()).await?)
    }

    /// The session that may answer a request without asking anybody, and whose it is.
    pub(crate) async fn usable_session(
        &self,
        browser: &Browser,
        client: &Client,
        request: &AuthorizationRequest,
    ) -> Result<Option<(StoredSession, User)>> {
        if request.prompts(Prompt::Login) || request.prompts(Prompt::SelectAccount) {
            return Ok(None);
        }
        let Some(session) = self.session_of(browser).await? else {
            return Ok(None);
        };
        let authentication = &session.authentication;
        if !is_recent(authentication.at, request.max_age, self.now()) {
            return Ok(None);
        }
        // Who may not sign in at this client does not slip in through another one.
        let connection = match &authentication.connection {
            Some(id) => self.store.find_connection(id).await?,
            None => None,
        };
        let is_served = connection.is_some_and(|connection| {
            let wanted = request.connection.as_ref();
            connection.serves(&client.client_id) && wanted.is_none_or(|w| *w == connection.name)
        });
        let user = self.store.find_user_by_row(authentication.user).await?;
        let hinted = self.hinted_user(request).ok().flatten();
        let is_meant = |user: &User| hinted.as_ref().is_none_or(|id| *id == user.user_id);
        // An identity that was parted, or moved, vouches for the user no more.
        let is_theirs = |user: &User| {
            let connection = authentication.connection.as_ref();
            connection.is_some_and(|id| user.identity_in(id).is_some())
        };
        let holds = |user: &User| is_theirs(user) && user.accepts_proof_of(authentication.at);
        let user = user
            .filter(|user| is_served && !user.is_blocked() && is_meant(user))
            .filter(holds);
        Ok(user.map(|user| (session, user)))
    }

    /// Adds the session of a fresh proof to a batch. The same person keeps the session under a new
    /// token; somebody else's ends.
    pub(crate) async fn renew_session(
        &self,
        context: &Context,
        browser: &Browser,
        authentication: &Authentication,
        write: &mut Write,
    ) -> Result<Renewed> {
        let now = self.now();
        let token = SessionToken::from(alphanumeric(&*self.entropy, TOKEN_LENGTH));
        let hash = token_hash(token.expose());
        let old = self.session_of(browser).await?;
        let is_same = |old: &StoredSession| old.authentication.user == authentication.user;
        let kept = old.as_ref().filter(|old| is_same(old));
        let id = kept.map_or_else(
            || SessionId::generate(&*self.entropy),
            |session| session.id.clone(),
        );
        let limits = self.session_limits().await;
        let expires_at = now.plus(limits.lifetime);
        let session = StoredSession {
            id: id.clone(),
            authentication: authentication.clone(),
            ip: context.ip.clone(),
            user_agent: context.user_agent.clone(),
            created_at: now,
            touched_at: now,
            idle_expires_at: now.plus(limits.idle),
            expires_at,
        };
        if let (Some(_), Some(old)) = (kept, &browser.session) {
            write.renew_session(&session, &token_hash(old.expose()), &hash);
        } else {
            if let Some(other) = &old {
                write.delete_session(&other.id, &self.ending(SessionEnd::Logout));
            }
            write.insert_session(&session, &hash);
        }
        let kept = limits.is_persistent.then_some(limits.lifetime);
        let cookie = NewSession { token, kept };
        Ok(Renewed { id, cookie })
    }

    /// Whether a proof counts no longer: the password was set or all sessions were ended since, or the
    /// session that vouches for it is over. Of who is gone nothing is said here.
    pub(crate) async fn is_void(&self, authentication: &Authentication) -> Result<bool> {
        let user = self.store.find_user_by_row(authentication.user).await?;
        match user {
            Some(user) => Ok(!self.holds(&user, authentication).await?),
            None => Ok(false),
        }
    }

    /// Whether a user's proof still counts.
    pub(crate) async fn holds(&self, user: &User, authentication: &Authentication) -> Result<bool> {
        if !user.accepts_proof_of(authentication.at) {
            return Ok(false);
        }
        match &authentication.session {
            Some(id) => Ok(self.store.find_session(id, self.now()).await?.is_some()),
            None => Ok(true),
        }
    }

    /// The end of sessions at this moment, for a batch.
    pub(crate) fn ending(&self, reason: SessionEnd) -> Ending {
        Ending {
            reason,
            at: self.now(),
            name: alphanumeric(&*self.entropy, NOTICE_LENGTH),
        }
    }

    /// Ends a session by an administrator's hand.
    pub async fn revoke_session(&self, context: &Context, id: &SessionId) -> Result<()> {
        let (session, _) = self.session(id).await?;
        let event = self
            .management_event(context, EventKind::Management, "Delete a session")
            .await?;
        let mut write = self.store.write();
        write.delete_session(&session.id, &self.ending(SessionEnd::Revoked));
        write.log(&event);
        match self.store.commit(write).await {
            Err(store::StoreError::Stale { .. }) => return Err(no_such_session()),
            done => done?,
        }
        self.notices_wake.notify_one();
        Ok(())
    }

    /// Ends all sessions of a user.
    pub async fn revoke_sessions_of_user(&self, context: &Context, user: &UserId) -> Result<()> {
        let user = self.user(user).await?;
        let mut event = self
            .management_event(context, EventKind::Management, "Delete a user's sessions")
            .await?;
        event.user_id = Some(user.user_id.clone());
        let mut write = self.store.write();
        write.revoke_sessions(user.row, &self.ending(SessionEnd::Revoked));
        write.log(&event);
        self.store.commit(write).await?;
        self.notices_wake.notify_one();
        Ok(())
    }

    /// A session by its id, and the clients served through it.
    pub async fn session(&self, id: &SessionId) -> Result<(StoredSession, Vec<domain::ClientId>)> {
        let found = self.store.find_session(id, self.now()).await?;
        let session = found.ok_or_else(no_such_session)?;
        let clients = self.store.list_session_clients(id).await?;
        Ok((session, clients))
    }

    /// Living sessions of a user, after one of them.
    pub async fn sessions_of_user(
        &self,
        user_id: &UserId,
        after: &str,
        take: u32,
    ) -> Result<Vec<(StoredSession, Vec<domain::ClientId>)>> {
        let user = self.user(user_id).await?;
        let now = self.now();
        let found = self.store.list_sessions(user.row, after, take, now).await?;
        let mut sessions = Vec::with_capacity(found.len());
        for session in found {
            let clients = self.store.list_session_clients(&session.id).await?;
            sessions.push((session, clients));
        }
        Ok(sessions)
    }
}

pub(crate) fn no_such_session() -> Error {
    Error::Missing {
        message: "The session does not exist.".into(),
        code: "inexistent_session",
    }
}

/// Whether a proof is young enough for `max_age`.
pub(crate) fn is_recent(at: Instant, max_age: Option<u64>, now: Instant) -> bool {
    max_age.is_none_or(|seconds| {
        let age = now.seconds().saturating_sub(at.seconds());
        u64::try_from(age).is_ok_and(|age| age <= seconds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_grows_old() {
        let at = |seconds: i64| Instant::from_millis(seconds * 1000);
        assert!(is_recent(at(0), None, at(1_000_000)));
        assert!(is_recent(at(0), Some(60), at(60)));
        assert!(!is_recent(at(0), Some(60), at(61)));
        assert!(!is_recent(at(0), Some(0), at(1)));
        // A proof of the future proves nothing.
        assert!(!is_recent(at(9), Some(60), at(0)));
    }
}
