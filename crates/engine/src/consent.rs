//! Whether a person must be asked what a client may do, and what they answered.
//!
//! A first-party client asks for consent only where an API says that it must, or where its callback
//! is on localhost: nobody can tell whose program listens there. Every other client asks once for
//! each set of scopes that was not allowed before.

use domain::{Client, ConsentId, EventKind, ResourceServer, UserId, UserRow};
use oidc::Scopes;
use oidc::authorize::{AuthorizationRequest, Prompt};
use serde_json::Value;
use store::{StoredConsent, Write};

use crate::error::Result;
use crate::{Context, Engine};

/// What is asked for, as consent is about it.
pub(crate) struct Wish<'a> {
    pub client: &'a Client,
    pub request: &'a AuthorizationRequest,
    pub api: Option<&'a ResourceServer>,
    pub scope: &'a Scopes,
}

impl Wish<'_> {
    fn audience(&self) -> &str {
        self.api.map_or("", |api| api.identifier.as_str())
    }

    /// Whether a client like this one asks at all.
    fn is_asked_for(&self) -> bool {
        let flag = |attributes: &domain::Json, name: &str, default: bool| {
            attributes
                .get(name)
                .and_then(Value::as_bool)
                .unwrap_or(default)
        };
        if !flag(&self.client.attributes, "is_first_party", true) {
            return true;
        }
        self.api.is_some_and(|api| {
            let skips = "skip_consent_for_verifiable_first_party_clients";
            !flag(&api.attributes, skips, true) || is_on_this_machine(&self.request.redirect_uri)
        })
    }
}

impl Engine {
    /// Whether the person must be asked.
    pub(crate) async fn consent_due(&self, user: UserRow, wish: &Wish<'_>) -> Result<bool> {
        if wish.request.prompts(Prompt::Consent) {
            return Ok(true);
        }
        if !wish.is_asked_for() {
            return Ok(false);
        }
        let client = &wish.client.client_id;
        let found = self
            .store
            .find_consent(user, client, wish.audience())
            .await?;
        Ok(found.is_none_or(|consent| {
            let allowed = Scopes::parse(&consent.scope).unwrap_or_default();
            !wish.scope.iter().all(|scope| allowed.contains(scope))
        }))
    }

    /// Withdraws a consent by an administrator's hand, with all tokens that came of it. Once more is
    /// nothing new.
    pub async fn withdraw_consent(&self, context: &Context, id: &ConsentId) -> Result<()> {
        let event = self
            .management_event(context, EventKind::Management, "Delete a grant")
            .await?;
        let mut write = self.store.write();
        write.delete_consent(id, self.now()).log(&event);
        Ok(self.store.commit(write).await?)
    }

    /// Withdraws all consents of a user, with all tokens that came of them.
    pub async fn withdraw_consents(&self, context: &Context, user: &UserId) -> Result<()> {
        let user = self.user(user).await?;
        let mut event = self
            .management_event(context, EventKind::Management, "Delete a user's grants")
            .await?;
        event.user_id = Some(user.user_id.clone());
        let mut write = self.store.write();
        write.delete_consents(user.row, self.now()).log(&event);
        Ok(self.store.commit(write).await?)
    }

    /// Adds to a batch what the person just allowed, beside what they allowed before.
    pub(crate) async fn keep_consent(
        &self,
        user: (UserRow, &domain::UserId),
        wish: &Wish<'_>,
        write: &mut Write,
    ) -> Result<()> {
        let client = &wish.client.client_id;
        let before = self
            .store
            .find_consent(user.0, client, wish.audience())
            .await?;
        let before = before.map(|consent| consent.scope).unwrap_or_default();
        let both = format!("{before} {}", wish.scope);
        let consent = StoredConsent {
            id: ConsentId::generate(&*self.entropy),
            user: user.0,
            user_id: user.1.clone(),
            client_id: client.clone(),
            audience: wish.audience().to_owned(),
            scope: Scopes::parse(&both).unwrap_or_default().to_string(),
        };
        write.put_consent(&consent, self.now());
        Ok(())
    }
}

/// Whether a redirect URI leads to the person's own machine.
fn is_on_this_machine(uri: &str) -> bool {
    let authority = uri.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_others() {
        for uri in [
            "http://localhost/cb",
            "http://localhost:3000",
            "http://127.0.0.1:1/cb",
            "http://[::1]:8080/",
            "http://app.localhost/",
        ] {
            assert!(is_on_this_machine(uri), "{uri}");
        }
        for uri in [
            "https://localhost.example/",
            "https://x/?localhost",
            "app:/cb",
        ] {
            assert!(!is_on_this_machine(uri), "{uri}");
        }
    }
}
