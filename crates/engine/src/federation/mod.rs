//! People whom another OpenID provider vouches for: connections of strategy `oidc`.
//!
//! | file | what |
//! |---|---|
//! | `options` | a connection's options: their shape, and what is stored of them |
//! | `upstream` | the same read into a type: the provider as we know it |
//! | `mapping` | from a provider's claims to what we keep of a person |
//! | `providers` | discovery documents and keys: fetched, bounded, remembered for a while |
//! | `depart` | which provider, and the address to which the browser is sent |
//! | `comeback` | the browser comes back: code, ID token, userinfo |
//! | `arrive` | whose identity it is: known, new, or perhaps that of somebody who is here already |
//! | `offer` | the person says whether the two are the same, and proves it |
//! | `link` | identities linked and parted by an administrator |
//!
//! A provider that fails is an outage; one that refuses, or whose answer does not hold, lets nobody
//! in. Neither leaves anything behind but a log event.

mod arrive;
mod comeback;
mod depart;
mod link;
mod mapping;
mod offer;
pub(crate) mod options;
mod providers;
mod upstream;

pub use depart::Choice;
pub use link::LinkRequest;
#[cfg(test)]
pub(crate) use offer::newcomer;
pub use providers::Providers;

use domain::{Connection, EventKind, ForeignId, Json, LogEvent};
use serde::{Deserialize, Serialize};
use store::IdentityKey;

use crate::error::Error;
use crate::{Context, Engine};

/// Why a provider lets nobody in.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It says that the person may not, or the person said no there.
    Denied(String),
    /// Its answer is not one for this login, or can't be believed.
    Failed(String),
    /// It does not answer, or not as a provider does.
    Outage(String),
}

impl Trouble {
    fn detail(&self) -> &str {
        let (Self::Denied(detail) | Self::Failed(detail) | Self::Outage(detail)) = self;
        detail
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Denied(_) => "provider_denied",
            Self::Failed(_) => "provider_failed",
            Self::Outage(_) => "provider_outage",
        }
    }
}

/// Somebody whom a provider vouches for, who is not here yet, and whose proven address is that of
/// an account that is: kept in the login until the person said whether the two are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// The provider's connection.
    pub(crate) connection: domain::ConnectionId,
    /// Their name there.
    pub(crate) subject: String,
    /// What it says of them.
    pub(crate) profile: Json,
    /// The database connection in which the address is known.
    pub(crate) holder: domain::ConnectionId,
    /// The address.
    pub email: String,
    /// The provider's name, for the page.
    pub provider_name: String,
    /// The account that said that the two are one.
    #[serde(default)]
    pub(crate) accepted_by: Option<i64>,
}

/// The key of an identity: the provider's own name for the person, under the connection's name.
pub(crate) fn identity_key(connection: &Connection, subject: &str) -> IdentityKey {
    IdentityKey {
        provider: domain::id::OIDC.to_owned(),
        foreign_id: ForeignId::from(format!("{}|{subject}", connection.name)),
    }
}

/// What a connection is called on a page.
pub(crate) fn shown_name(connection: &Connection) -> &str {
    let own = connection.options.get("display_name");
    let own = own.and_then(serde_json::Value::as_str);
    let shown = connection.display_name.as_deref().or(own);
    shown.unwrap_or(&connection.name)
}

impl Engine {
    /// A log event about a login with a provider.
    pub(crate) fn federated_event(
        &self,
        context: &Context,
        kind: EventKind,
        client: &domain::Client,
        connection: &Connection,
    ) -> LogEvent {
        let mut event = self.event(context, kind);
        event.connection = Some((connection.id.clone(), connection.name.clone()));
        event.client = Some((client.client_id.clone(), client.name.clone()));
        let strategy = connection.strategy().as_str();
        event
            .details
            .insert(domain::log_event::STRATEGY.into(), strategy.into());
        event
    }

    /// Writes down why a provider let nobody in, and says it in the words of the login pages.
    pub(crate) async fn trouble(
        &self,
        context: &Context,
        (client, connection): (&domain::Client, &Connection),
        trouble: Trouble,
    ) -> crate::authorize::Problem {
        use crate::authorize::Problem;
        let mut event = self.federated_event(context, EventKind::LoginFailed, client, connection);
        event.description = Some(trouble.detail().to_owned());
        let error = serde_json::json!({"message": trouble.detail(), "kind": trouble.kind()});
        event.details.insert("error".into(), error);
        if let Err(error) = self.log_only(event).await {
            return error.into();
        }
        match trouble {
            Trouble::Denied(_) => Problem::ProviderDenied,
            Trouble::Failed(_) => Problem::ProviderFailed,
            Trouble::Outage(detail) => Error::unavailable(detail).into(),
        }
    }
}
