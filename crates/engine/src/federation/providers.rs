//! Discovery documents and keys of providers: fetched with a bound on size and time, remembered for
//! a while, fetched anew when a connection changed or a provider signs with a key that is not known.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Connection, ConnectionId, Instant, Json};
use oidc::jwt::ForeignKey;
use oidc::relying_party::provider::{WELL_KNOWN, check_place};
use oidc::relying_party::{Provider, Reach};
use serde_json::Value;

use super::Trouble;
use super::upstream::Upstream;
use crate::Engine;
use crate::outbound::{OutboundRequest, OutboundResponse};

/// How long a document and keys are believed.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// How often keys are asked for because of a token that none of them signed: whoever sends such
/// tokens must not make us ask without end.
const ASKED_AGAIN: Duration = Duration::from_secs(30);

/// What is known of the providers. Of one process; another learns it by itself.
#[derive(Default)]
pub struct Providers {
    known: Mutex<HashMap<ConnectionId, Known>>,
}

struct Known {
    /// The connection's version: a changed one is another provider.
    version: i64,
    provider: Arc<Provider>,
    read_at: Instant,
    keys: Option<(Keys, Instant)>,
}

pub(super) type Keys = Arc<Vec<ForeignKey>>;

impl Providers {
    fn provider(&self, connection: &Connection, now: Instant) -> Option<Arc<Provider>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(&connection.id)?;
        let is_fresh = known.version == connection.version && is_young(known.read_at, now);
        is_fresh.then(|| Arc::clone(&known.provider))
    }

    fn keys(&self, connection: &Connection, now: Instant, longest: Duration) -> Option<Keys> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(&connection.id)?;
        let (keys, read_at) = known.keys.as_ref()?;
        let is_fresh = known.version == connection.version && now < read_at.plus(longest);
        is_fresh.then(|| Arc::clone(keys))
    }

    fn remember(&self, connection: &Connection, provider: &Arc<Provider>, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Known {
            version: connection.version,
            provider: Arc::clone(provider),
            read_at: now,
            keys: None,
        };
        known.insert(connection.id.clone(), fresh);
    }

    fn remember_keys(&self, connection: &Connection, keys: &Keys, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_mut(&connection.id);
        if let Some(known) = known.filter(|known| known.version == connection.version) {
            known.keys = Some((Arc::clone(keys), now));
        }
    }
}

fn is_young(read_at: Instant, now: Instant) -> bool {
    now < read_at.plus(REMEMBERED)
}

impl Engine {
    /// Which addresses of providers are taken: plain http only where the server itself is under
    /// development.
    pub(crate) fn reach(&self) -> Reach {
        Reach::of(&self.settings.issuer)
    }

    /// A connection's provider.
    pub(super) async fn provider_of(
        &self,
        connection: &Connection,
        upstream: &Upstream,
    ) -> Result<Arc<Provider>, Trouble> {
        if let Some(provider) = self.providers.provider(connection, self.now()) {
            return Ok(provider);
        }
        let mut document = match &upstream.discovery_url {
            Some(url) => self.fetched_json(url.as_str()).await?,
            None => Json::new(),
        };
        if let Some(url) = &upstream.discovery_url {
            check_issuer(url.as_str(), &document, &upstream.given)?;
        }
        document.extend(upstream.given.clone());
        let provider = Provider::read(&document, self.reach()).map_err(|error| {
            Trouble::Outage(format!("The provider's discovery document: {error}"))
        })?;
        let provider = Arc::new(provider);
        self.providers.remember(connection, &provider, self.now());
        Ok(provider)
    }

    /// A provider's keys; asked for anew when a token was signed by none of the known ones.
    pub(super) async fn keys_of(
        &self,
        connection: &Connection,
        provider: &Provider,
        is_missing_one: bool,
    ) -> Result<Keys, Trouble> {
        let longest = if is_missing_one {
            ASKED_AGAIN
        } else {
            REMEMBERED
        };
        if let Some(keys) = self.providers.keys(connection, self.now(), longest) {
            return Ok(keys);
        }
        let jwks = self.fetched_json(provider.jwks_uri.as_str()).await?;
        let keys = ForeignKey::from_jwks(&Value::Object(jwks))
            .map_err(|error| Trouble::Outage(format!("The provider's keys: {error}")))?;
        let keys = Arc::new(keys);
        self.providers.remember_keys(connection, &keys, self.now());
        Ok(keys)
    }

    async fn fetched_json(&self, url: &str) -> Result<Json, Trouble> {
        let answer = self.ask(OutboundRequest::get(url)).await?;
        let unfit = |problem: String| Trouble::Outage(format!("{url}: {problem}"));
        if answer.status != 200 {
            return Err(unfit(format!("answered {}", answer.status)));
        }
        serde_json::from_slice(&answer.body).map_err(|_| unfit("is no JSON object".into()))
    }

    /// Asks a provider. What is no answer, and what its servers say of themselves (5xx, 429), is an
    /// outage.
    pub(super) async fn ask(&self, request: OutboundRequest) -> Result<OutboundResponse, Trouble> {
        let url = request.url.clone();
        let answer = self.outbound.send(request).await;
        let answer = answer.map_err(|error| Trouble::Outage(format!("{url}: {error}")))?;
        if answer.status >= 500 || answer.status == 429 {
            return Err(Trouble::Outage(format!(
                "{url}: answered {}",
                answer.status
            )));
        }
        Ok(answer)
    }
}

/// The document must be that of the issuer whom the operator named; where none was named, of the
/// issuer under whose address it stands.
fn check_issuer(url: &str, document: &Json, given: &Json) -> Result<(), Trouble> {
    let text = |json: &Json| {
        let issuer = json.get("issuer").and_then(Value::as_str);
        issuer.unwrap_or_default().to_owned()
    };
    let (said, named) = (text(document), text(given));
    let unfit = |problem: String| Trouble::Outage(format!("{url}: {problem}"));
    if !named.is_empty() {
        if said == named {
            return Ok(());
        }
        return Err(unfit(format!("is of the issuer {said}, not of {named}")));
    }
    // A document under an address of its own can't be checked by it.
    if !url.ends_with(WELL_KNOWN) {
        return Ok(());
    }
    check_place(url, &said).map_err(|error| unfit(error.to_string()))
}
