//! The request as `/authorize` got it → a client and a request that may be acted upon. What may be
//! asked is the table's to say (`oidc::authorize`); here is what the table can't know: which client
//! it is, what that pushed before, whether an ID token is ours, and, at the end of a login, whether
//! its connection is the client's.

use domain::{Authentication, Client, Connection, User, UserId};
use oidc::authorize::{
    AuthorizationRequest, AuthorizeRefusal, Rules, Source, check, client_id_of, pushed_request_of,
};
use oidc::logout::LogoutHint;
use oidc::{OAuthError, Params};

use crate::Engine;
use crate::token::outage;
use crate::transaction::Transaction;

impl Engine {
    /// Whoever came in through a connection that does not serve the client, or not the one that it
    /// named, or not any more, does not go on; nor does who has no identity there any more. One that
    /// the end of the login links counts.
    pub(super) async fn check_connection(
        &self,
        client: &Client,
        transaction: &Transaction,
        user: &User,
    ) -> Result<(), OAuthError> {
        let proven = transaction
            .progress
            .proven
            .as_ref()
            .map(Authentication::from);
        let found = match proven.and_then(|proven| proven.connection) {
            Some(id) => self.store.find_connection(&id).await.map_err(outage)?,
            None => None,
        };
        let asked = transaction.request.connection.as_ref();
        let newcomer = transaction.progress.newcomer.as_ref();
        let is_theirs = |connection: &Connection| {
            user.identity_in(&connection.id).is_some()
                || newcomer.is_some_and(|newcomer| {
                    newcomer.is_of(user) && newcomer.connection == connection.id
                })
        };
        let is_right = found.is_some_and(|connection| {
            connection.serves(&client.client_id)
                && asked.is_none_or(|name| *name == connection.name)
                && is_theirs(&connection)
        });
        if is_right {
            Ok(())
        } else {
            Err(OAuthError::denied(
                "The connection does not let the user in at this client.",
            ))
        }
    }

    /// The client that asks, and what it asks for.
    pub(super) async fn checked_request(
        &self,
        pairs: Vec<(String, String)>,
    ) -> Result<(Client, AuthorizationRequest), AuthorizeRefusal> {
        let shown = AuthorizeRefusal::Page;
        let params = Params::from_query(pairs);
        let id = client_id_of(&params)?;
        let found = self.store.find_client(&id).await;
        let found = found.map_err(|error| shown(outage(error)))?;
        let client = found.ok_or_else(|| shown(OAuthError::unknown_client(id.as_str())))?;
        let pushed = match pushed_request_of(&params) {
            Some(uri) => self.take_pushed_request(uri, &id).await.map_err(shown)?,
            None => None,
        };
        let (params, source) = match pushed {
            Some(pairs) => (Params::from_query(pairs), Source::Pushed),
            // What is said of one that is not there is the table's.
            None => (params, Source::Browser),
        };
        let request = self.checked(params, &client, source)?;
        Ok((client, request))
    }

    /// Runs the table, wherever the parameters came from.
    pub(crate) fn checked(
        &self,
        params: Params,
        client: &Client,
        source: Source,
    ) -> Result<AuthorizationRequest, AuthorizeRefusal> {
        let issuer = &self.settings.issuer;
        let request = check(params, client, &Rules { issuer, source })?;
        if let Err(error) = self.hinted_user(&request) {
            return Err(AuthorizeRefusal::Redirect {
                error: Box::new(error),
                to: request.reply_to(issuer),
            });
        }
        Ok(request)
    }

    /// Whom the client means: the subject of an ID token of ours, out of date or not (OpenID
    /// Connect Core §3.1.2.1).
    pub(crate) fn hinted_user(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<Option<UserId>, OAuthError> {
        match &request.id_token_hint {
            Some(token) => Ok(Some(self.read_hint(token)?.user_id)),
            None => Ok(None),
        }
    }

    /// What an ID token of ours says.
    pub(crate) fn read_hint(&self, token: &str) -> Result<LogoutHint, OAuthError> {
        let issuer = self.settings.issuer.as_str();
        let read = self.keys.current().verify_hint(token, self.now(), issuer);
        let hint = read.ok().and_then(|claims| LogoutHint::of_claims(&claims));
        hint.ok_or_else(|| OAuthError::invalid_request("The id_token_hint is not valid."))
    }
}
