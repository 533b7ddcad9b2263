//! Identities linked and parted by an administrator (`/api/v2/users/{id}/identities`).
//!
//! The primary account stays what it is: id, name, metadata, factors, sessions. Of the other one its
//! identities stay, with what they say of the person; its metadata, factors, sessions and tokens go.
//! Parted, an identity becomes an account of its own again, without metadata; what it opened of the
//! other account, sessions and authorizations, ends.

use domain::connection::Strategy;
use domain::{EventKind, ForeignId, Identity, LogEvent, SessionEnd, User, UserId};
use serde_json::Value;
use store::{IdentityKey, StoreError};

use crate::error::{Error, Result};
use crate::users::no_such_user;
use crate::{Context, Engine};

/// What is to be linked.
pub enum LinkRequest {
    /// An account by its main identity.
    Account {
        /// `auth0` or `oidc`.
        provider: String,
        /// The id inside the provider, with or without its prefix.
        user_id: String,
        /// The connection's id, where it is named.
        connection_id: Option<String>,
    },
    /// The account that an ID token of ours speaks of.
    Token(String),
}

fn refused(message: &str) -> Error {
    Error::invalid(message)
}

fn exists_already() -> Error {
    Error::Conflict {
        message: "Specified identity already exists.".into(),
        code: "identity_conflict",
    }
}

impl Engine {
    /// Links an account to another one; gives all identities that this one has then.
    pub async fn link_identity(
        &self,
        context: &Context,
        user_id: &UserId,
        request: LinkRequest,
    ) -> Result<Vec<Identity>> {
        let primary = self.user(user_id).await?;
        let key = match request {
            LinkRequest::Account {
                provider,
                user_id,
                connection_id,
            } => {
                self.key_of_account(provider, &user_id, connection_id)
                    .await?
            }
            LinkRequest::Token(token) => self.key_of_token(context, &token)?,
        };
        let found = self.store.find_user_by_identity(&key).await?;
        let secondary =
            found.ok_or_else(|| refused("Linking to an inexistent identity is not allowed."))?;
        let is_main = secondary.user_id == key.user_id();
        if is_main && secondary.row == primary.row {
            return Err(refused("Main identity and the new one are the same."));
        }
        if !is_main {
            return Err(exists_already());
        }
        if shares_connection(&primary, &secondary) {
            return Err(refused("Unable to link with the secondary account."));
        }
        let event = self
            .linking_event(context, "Link a User Account", &primary, &key)
            .await?;
        let mut write = self.store.write();
        let ending = self.ending(SessionEnd::AccountDeleted);
        write.link_user(&primary, &secondary, &ending);
        write.log(&event);
        self.write_identities(write, &primary).await
    }

    /// Parts an identity from an account; gives those that are left.
    pub async fn part_identity(
        &self,
        context: &Context,
        user_id: &UserId,
        provider: &str,
        identity: &str,
    ) -> Result<Vec<Identity>> {
        let user = self.user(user_id).await?;
        let id = unprefixed(provider, identity);
        let is_meant =
            |known: &&Identity| known.provider == provider && known.foreign_id.as_str() == id;
        let found = user.identities.iter().find(is_meant);
        let found = found.ok_or_else(|| Error::Missing {
            message: "The identity does not exist.".into(),
            code: "inexistent_identity",
        })?;
        if found.is_primary {
            return Err(refused("Main identity cannot be removed."));
        }
        let key = IdentityKey {
            provider: found.provider.clone(),
            foreign_id: found.foreign_id.clone(),
        };
        let event = self
            .linking_event(context, "Unlink a User identity", &user, &key)
            .await?;
        let row = self.store.next_user_row().await?;
        let ending = self.ending(SessionEnd::Revoked);
        let mut write = self.store.write();
        write.part_identity(&user, found, row, &ending);
        write.log(&event);
        let left = self.write_identities(write, &user).await?;
        self.notices_wake.notify_one();
        Ok(left)
    }

    async fn write_identities(&self, write: store::Write, user: &User) -> Result<Vec<Identity>> {
        match self.store.commit(write).await {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) => return Err(exists_already()),
            Err(error) => return Err(error.into()),
        }
        let user = self.store.find_user_by_row(user.row).await?;
        Ok(user.ok_or_else(no_such_user)?.identities)
    }

    async fn linking_event(
        &self,
        context: &Context,
        description: &str,
        user: &User,
        key: &IdentityKey,
    ) -> Result<LogEvent> {
        let kind = EventKind::Management;
        let mut event = self.management_event(context, kind, description).await?;
        event.user_id = Some(user.user_id.clone());
        let identity = key.user_id().to_string();
        event.details.insert("identity".into(), identity.into());
        Ok(event)
    }

    async fn key_of_account(
        &self,
        provider: String,
        user_id: &str,
        connection_id: Option<String>,
    ) -> Result<IdentityKey> {
        let unknown = || refused("The provider/connection is not configured.");
        let strategy = Strategy::parse(&provider).ok_or_else(unknown)?;
        if let Some(id) = connection_id {
            let found = self.store.find_connection(&id.as_str().into()).await?;
            if found.is_none_or(|connection| connection.strategy() != strategy) {
                return Err(unknown());
            }
        }
        Ok(IdentityKey {
            foreign_id: ForeignId::from(unprefixed(&provider, user_id)),
            provider,
        })
    }

    /// Whoever holds an ID token of ours, issued to the very client that asks, may be linked.
    fn key_of_token(&self, context: &Context, token: &str) -> Result<IdentityKey> {
        let keys = self.keys.current();
        let issuer = self.settings.issuer.as_str();
        let claims = keys.verify(token, self.now(), issuer);
        let claims = claims.map_err(|error| match error {
            oidc::TokenError::Issuer => {
                refused("JWT (link_with) must have the same issuer as the calling user.")
            }
            oidc::TokenError::Algorithm => refused("JWT (link_with) must have an alg of RS256."),
            _ => refused("Invalid token (link_with)."),
        })?;
        let asks = context.actor.as_ref().map(domain::ClientId::as_str);
        match claims.get("aud") {
            // An access token names an API, and is no word of the person's.
            Some(Value::String(audience)) if Some(audience.as_str()) == asks => {}
            Some(Value::String(_)) => {
                return Err(refused(
                    "JWT (link_with) must have an aud claim that matches that of the calling \
                     token's azp.",
                ));
            }
            _ => return Err(refused("JWT (link_with) contains an invalid aud claim.")),
        }
        let subject = claims.get("sub").and_then(Value::as_str);
        let subject = subject.ok_or_else(|| refused("JWT (link_with) must contains sub claim."))?;
        let (provider, id) = subject
            .split_once('|')
            .ok_or_else(|| refused("JWT (link_with) contains an invalid sub claim."))?;
        Ok(IdentityKey {
            provider: provider.to_owned(),
            foreign_id: ForeignId::from(id),
        })
    }
}

fn unprefixed<'a>(provider: &str, id: &'a str) -> &'a str {
    let rest = id.strip_prefix(provider);
    rest.and_then(|rest| rest.strip_prefix('|')).unwrap_or(id)
}

/// An account has one identity in each connection: a password, a name and an address belong to one.
fn shares_connection(one: &User, other: &User) -> bool {
    let connections = other.identities.iter();
    connections
        .into_iter()
        .any(|identity| one.identity_in(&identity.connection).is_some())
}
