//! The browser comes back from a provider: what it brings is checked, exchanged and believed, in
//! this order.

use std::time::Duration;

use domain::connection::Strategy;
use domain::{BrowserToken, Connection, Json, Token, TransactionId};
use oidc::TokenError;
use oidc::relying_party::{
    Bonds, Callback, ClientProof, Exchange, Expected, Flow, IdTokenError, Provider, Returned,
    Tokens, state_of, userinfo,
};
use serde_json::Value;

use super::Trouble;
use super::depart::has_challenge;
use super::mapping::Said;
use super::upstream::Upstream;
use crate::authorize::Problem;
use crate::error::Error;
use crate::outbound::OutboundRequest;
use crate::transaction::{Lost, Transaction};
use crate::{Context, Engine};

/// The errors by which a provider says that the fault is its own (RFC 6749 §4.1.2.1).
const OUTAGES: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// The address to which a browser came back.
struct Way<'a> {
    /// The connection that it is of; none where all share it.
    connection: Option<&'a str>,
    /// Whether there is but one provider.
    is_alone: bool,
}

/// A login that a provider answers.
struct Answered<'a> {
    transaction: &'a Transaction,
    connection: &'a Connection,
    upstream: &'a Upstream,
    provider: &'a Provider,
    bonds: &'a Bonds,
    redirect_uri: &'a str,
}

impl Engine {
    /// The login that an answer claims to be for.
    pub fn login_of_state(state: &str) -> Option<TransactionId> {
        state_of(state).map(|(login, _)| login)
    }

    /// Somebody comes back from a provider, to the address of a connection's own or to that of all.
    /// An answer that comes a second time changes nothing.
    pub async fn come_back(
        &self,
        context: &Context,
        transaction: &mut Transaction,
        browser: &BrowserToken,
        (through, returned): (Option<&str>, Returned),
    ) -> Result<(), Problem> {
        if transaction.progress.is_answered() {
            return Ok(());
        }
        let (connection, bonds) = self.returned_from(transaction, browser, &returned).await?;
        let client = self.client_of(transaction).await?;
        if connection.strategy() != Strategy::Oidc || !connection.serves(&client.client_id) {
            return Err(Error::invalid("There is no such provider.").into());
        }
        // Not the one that the client named, or another one than whose address it is.
        let asked = transaction.request.connection.as_deref();
        if [asked, through]
            .into_iter()
            .flatten()
            .any(|name| name != connection.name)
        {
            return Err(Problem::Lost(Lost::Unknown));
        }
        let way = Way {
            connection: through,
            is_alone: self.has_one_provider().await?,
        };
        let upstream = Upstream::of(&connection, self.reach())?;
        let believed = self.believed(
            transaction,
            (&connection, &upstream),
            (&bonds, &way),
            returned,
        );
        let said = match believed.await {
            Ok(said) => said,
            Err(trouble) => {
                let about = (&client, &connection);
                return Err(self.trouble(context, about, trouble).await);
            }
        };
        self.arrive_vouched(context, transaction, (&client, &connection), &said)
            .await
    }

    /// The connection that an answer is for, when its state is ours: made for this login, in this
    /// browser, for that connection.
    async fn returned_from(
        &self,
        transaction: &Transaction,
        browser: &BrowserToken,
        returned: &Returned,
    ) -> Result<(Connection, Bonds), Problem> {
        let strange = || Problem::Lost(Lost::Unknown);
        let (login, connection) = state_of(&returned.state).ok_or_else(strange)?;
        let bonds = Bonds::of(browser, &transaction.id, &connection);
        if login != transaction.id || !bonds.is_ours(&returned.state) {
            return Err(strange());
        }
        let connection = self.store.find_connection(&connection).await?;
        Ok((connection.ok_or_else(strange)?, bonds))
    }

    async fn believed(
        &self,
        transaction: &Transaction,
        (connection, upstream): (&Connection, &Upstream),
        (bonds, way): (&Bonds, &Way<'_>),
        returned: Returned,
    ) -> Result<Said, Trouble> {
        let provider = self.provider_of(connection, upstream).await?;
        check_answering(&provider, way, returned.issuer.as_deref())?;
        let redirect_uri = self.federation_callback(way.connection);
        let answered = Answered {
            transaction,
            connection,
            upstream,
            provider: &provider,
            bonds,
            redirect_uri: &redirect_uri,
        };
        match (returned.answer, upstream.flow) {
            (Callback::Refused { error, description }, _) => Err(refusal(&error, &description)),
            (Callback::Code(code), Flow::Code) => {
                let tokens = self.exchanged(&answered, &code).await?;
                let id_token = self.checked_id_token(&answered, &tokens).await?;
                let userinfo = self.asked_userinfo(&answered, &tokens, &id_token).await?;
                Ok(Said { id_token, userinfo })
            }
            (Callback::IdToken(id_token), Flow::IdToken) => {
                let tokens = Tokens {
                    id_token,
                    access_token: None,
                };
                let id_token = self.checked_id_token(&answered, &tokens).await?;
                Ok(Said {
                    id_token,
                    userinfo: None,
                })
            }
            _ => Err(Trouble::Failed(
                "The provider's answer is not of the kind that was asked for.".into(),
            )),
        }
    }

    async fn exchanged(&self, answered: &Answered<'_>, code: &Token) -> Result<Tokens, Trouble> {
        let (upstream, provider) = (answered.upstream, answered.provider);
        let endpoint = provider.token_endpoint.as_ref().ok_or_else(|| {
            Trouble::Outage("The provider's discovery document: token_endpoint is missing".into())
        })?;
        let exchange = Exchange {
            code,
            redirect_uri: answered.redirect_uri,
            verifier: has_challenge(upstream, provider).then_some(&answered.bonds.verifier),
            client_id: &upstream.client_id,
            secret: upstream.secret.as_ref(),
            proof: ClientProof::choose(
                upstream.secret.is_some(),
                upstream.proof,
                provider.client_proofs.as_deref(),
            ),
        };
        let (form, authorization) = exchange.form();
        let request = OutboundRequest {
            form: Some(form),
            authorization,
            ..OutboundRequest::get(endpoint.as_str())
        };
        let answer = self.ask(request).await?;
        let tokens = Tokens::read(answer.status, &answer.body);
        tokens.map_err(|error| Trouble::Failed(format!("The token endpoint: {error}.")))
    }

    async fn checked_id_token(
        &self,
        answered: &Answered<'_>,
        tokens: &Tokens,
    ) -> Result<Json, Trouble> {
        let expected = Expected {
            issuer: &answered.provider.issuer,
            client_id: &answered.upstream.client_id,
            nonce: &answered.bonds.nonce,
            access_token: tokens.access_token.as_ref().map(Token::expose),
            algorithms: &answered.upstream.algorithms,
            max_age: answered.transaction.request.max_age,
            now: self.now(),
        };
        let token = tokens.id_token.expose();
        let (connection, provider) = (answered.connection, answered.provider);
        let keys = self.keys_of(connection, provider, false).await?;
        let mut checked = expected.check(token, &keys);
        // The provider may have new keys since.
        if let Err(IdTokenError::Token(TokenError::UnknownKey | TokenError::Signature)) = checked {
            let keys = self.keys_of(connection, provider, true).await?;
            checked = expected.check(token, &keys);
        }
        checked.map_err(|error| Trouble::Failed(format!("{error}.")))
    }

    /// What the provider says beside the ID token, where it has a place for that.
    async fn asked_userinfo(
        &self,
        answered: &Answered<'_>,
        tokens: &Tokens,
        id_token: &Json,
    ) -> Result<Option<Json>, Trouble> {
        let endpoint = answered.provider.userinfo_endpoint.as_ref();
        let (Some(endpoint), Some(token)) = (endpoint, &tokens.access_token) else {
            return Ok(None);
        };
        let request = OutboundRequest {
            authorization: Some(format!("Bearer {}", token.expose()).into()),
            timeout: Duration::from_secs(5),
            ..OutboundRequest::get(endpoint.as_str())
        };
        let answer = self.ask(request).await?;
        let subject = id_token.get("sub").and_then(Value::as_str);
        let said = userinfo(answer.status, &answer.body, subject.unwrap_or_default());
        said.map(Some)
            .map_err(|error| Trouble::Failed(format!("The userinfo endpoint: {error}.")))
    }
}

/// An answer that names who answers names the provider that was asked (RFC 9207 §2.4); who
/// promises to do so does it always. An answer that names nobody is another provider's, perhaps,
/// unless it comes to the address of the connection's own, or there is no other (RFC 9700 §4.4).
fn check_answering(provider: &Provider, way: &Way<'_>, said: Option<&str>) -> Result<(), Trouble> {
    let is_right = match said {
        Some(issuer) => issuer == provider.issuer,
        None => !provider.names_itself && (way.connection.is_some() || way.is_alone),
    };
    if is_right {
        return Ok(());
    }
    Err(Trouble::Failed(
        "The answer does not name the provider that was asked.".into(),
    ))
}

fn refusal(error: &str, description: &str) -> Trouble {
    let said = format!("The provider answers {error}: {description}");
    let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
    match error {
        "access_denied" => Trouble::Denied(said),
        error if OUTAGES.contains(&error) => Trouble::Outage(said),
        _ => Trouble::Failed(said),
    }
}
