//! Which provider a login goes to, and the address to which the browser is sent.
//!
//! Going there changes nothing here: what ties the answer to login and browser is computed
//! ([`Bonds`]). So the link may be followed twice, the back button pressed and two windows opened.
//!
//! A provider that does not say in its answer who it is could be taken for another one, that another
//! login asked (RFC 9700 §4.4). Where there are several, such a one has an address of its own to
//! send browsers back to.

use domain::connection::Strategy;
use domain::{BrowserToken, Client, Connection};
use oidc::relying_party::{Bonds, Departure};

use super::upstream::Upstream;
use crate::authorize::Problem;
use crate::error::{Error, Result};
use crate::transaction::Transaction;
use crate::{Context, Engine};

/// Where browsers come back, under the issuer.
const CALLBACK: &str = "login/callback";

/// A provider that people may choose on a page.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The connection's name.
    pub connection: String,
    /// What it is called.
    pub name: String,
    /// Its sign.
    pub icon: Option<String>,
}

impl Engine {
    /// Where browsers come back: what a provider must know of us. The address of a connection's own,
    /// where its name is given, or that of all of them.
    pub fn federation_callback(&self, connection: Option<&str>) -> String {
        let issuer = &self.settings.issuer;
        match connection {
            Some(name) => issuer.join(&format!("{CALLBACK}/{name}")),
            None => issuer.join(CALLBACK),
        }
    }

    /// Whether there is but one provider: no other could be taken for it.
    pub(super) async fn has_one_provider(&self) -> Result<bool> {
        let is_provider = |connection: &Connection| connection.strategy() == Strategy::Oidc;
        Ok(self.all_connections(is_provider).await?.len() <= 1)
    }

    /// All connections that serve a client, by name.
    pub(crate) async fn connections_for(&self, client: &Client) -> Result<Vec<Connection>> {
        let all = domain::Page {
            number: 0,
            size: 1000,
        };
        let listed = self.store.list_connections(all, None).await?;
        let serving = listed.items.into_iter();
        Ok(serving
            .filter(|connection| connection.serves(&client.client_id))
            .collect())
    }

    /// The providers that a login page offers: those that serve the client, unless the operator
    /// wants no button, and none where the client named a connection.
    pub async fn federated_choices(&self, transaction: &Transaction) -> Result<Vec<Choice>> {
        if transaction.request.connection.is_some() {
            return Ok(Vec::new());
        }
        let client = self.client_of(transaction).await?;
        let connections = self.connections_for(&client).await?;
        let is_offered = |connection: &&Connection| {
            let shown = connection.attributes.get("show_as_button");
            connection.strategy() == Strategy::Oidc
                && shown.and_then(serde_json::Value::as_bool) != Some(false)
        };
        let choice = |connection: &Connection| {
            let icon = connection.options.get("icon_url");
            Choice {
                connection: connection.name.clone(),
                name: super::shown_name(connection).to_owned(),
                icon: icon.and_then(|icon| icon.as_str()).map(str::to_owned),
            }
        };
        Ok(connections.iter().filter(is_offered).map(choice).collect())
    }

    /// The provider that a login goes to without being asked: the one that the client named, the
    /// one whose people have addresses like the one that was typed, or the only one where nobody has
    /// a password.
    pub(crate) async fn provider_for(
        &self,
        client: &Client,
        transaction: &Transaction,
    ) -> Result<Option<Connection>> {
        let is_provider = |connection: &Connection| connection.strategy() == Strategy::Oidc;
        if let Some(name) = &transaction.request.connection {
            let found = self.store.find_connection_by_name(name).await?;
            let found = found.filter(|connection| connection.serves(&client.client_id));
            return Ok(found.filter(is_provider));
        }
        let connections = self.connections_for(client).await?;
        let has_database = connections.iter().any(Connection::is_database);
        let mut providers: Vec<Connection> = connections;
        providers.retain(is_provider);
        let typed = transaction.progress.identifier.as_deref();
        let domain = typed.and_then(|typed| typed.rsplit_once('@'));
        let domain = domain.map(|(_, domain)| domain::email::fold(domain));
        let has_alias = |connection: &Connection| {
            let upstream = Upstream::of(connection, self.reach());
            let aliases = upstream.map(|upstream| upstream.domain_aliases);
            domain
                .as_ref()
                .is_some_and(|domain| aliases.is_ok_and(|aliases| aliases.contains(domain)))
        };
        let is_only = !has_database && providers.len() == 1;
        let chosen = providers.iter().position(has_alias);
        let chosen = chosen.or(is_only.then_some(0));
        Ok(chosen.map(|place| providers.swap_remove(place)))
    }

    /// The address of a provider, for a login under way: of the one that was chosen on the page, or
    /// of the one that it goes to anyway.
    pub async fn depart(
        &self,
        context: &Context,
        transaction: &Transaction,
        browser: &BrowserToken,
        chosen: Option<&str>,
    ) -> Result<String, Problem> {
        let client = self.client_of(transaction).await?;
        let connection = match chosen {
            None => self.provider_for(&client, transaction).await?,
            Some(name) => {
                let asked = transaction.request.connection.as_deref();
                let found = self.store.find_connection_by_name(name).await?;
                found.filter(|found| {
                    found.strategy() == Strategy::Oidc
                        && found.serves(&client.client_id)
                        && asked.is_none_or(|asked| asked == name)
                })
            }
        };
        let connection = connection.ok_or_else(|| Error::invalid("There is no such provider."))?;
        let upstream = Upstream::of(&connection, self.reach())?;
        let provider = match self.provider_of(&connection, &upstream).await {
            Ok(provider) => provider,
            Err(trouble) => {
                let about = (&client, &connection);
                return Err(self.trouble(context, about, trouble).await);
            }
        };
        // A provider whose answers name it, or the only one, is told the address that all share.
        let is_told = provider.names_itself || self.has_one_provider().await?;
        let own = (!is_told).then_some(connection.name.as_str());
        let request = &transaction.request;
        let typed = transaction.progress.identifier.as_deref();
        let departure = Departure {
            client_id: &upstream.client_id,
            redirect_uri: &self.federation_callback(own),
            scope: &upstream.scope,
            flow: upstream.flow,
            has_challenge: has_challenge(&upstream, &provider),
            bonds: &Bonds::of(browser, &transaction.id, &connection.id),
            login_hint: typed.or(request.login_hint.as_deref()),
            prompt: &request.prompt,
            max_age: request.max_age,
            ui_locales: &request.ui_locales,
            more: &upstream.more,
            provider: &provider,
        };
        Ok(departure.url())
    }
}

/// A provider that knows nothing of challenges passes them over; only who names other methods is
/// spared one.
pub(super) fn has_challenge(upstream: &Upstream, provider: &oidc::relying_party::Provider) -> bool {
    upstream.has_challenge.unwrap_or_else(|| {
        let named = provider.challenge_methods.as_ref();
        named.is_none_or(|methods| methods.iter().any(|method| method == "S256"))
    })
}
