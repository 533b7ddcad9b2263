//! The end of a login: session, authorization, code, consent, log event and the finished
//! transaction become true in one batch, or none of them. The user arrived before, in a batch of
//! their own: a browser that is closed in between leaves a whole user and no session.

use domain::{
    Authentication, Authorization, AuthorizationId, BrowserToken, Client, EventKind, TransactionId,
    User,
};
use oidc::{GrantType, OAuthError, Scopes};
use store::{Key, StoreError, Write};

use super::{Answer, Outcome, Refusal};
use crate::consent::Wish;
use crate::error::{Error, Result};
use crate::issue::{AUTHORIZATION_LIFETIME, CodeBinding, Issue};
use crate::sessions::{Browser, Renewed};
use crate::transaction::{Lost, Step, Transaction};
use crate::{Context, Engine};

/// Lost races before we give up; each loss means that another window made progress.
const TRIES: usize = 5;

/// What comes of going on with a login.
#[derive(Debug)]
pub enum Finished {
    /// The client gets its answer.
    Answer(Box<Answer>),
    /// Something is left to be done.
    Step(Step),
}

/// An answer that nobody was asked for.
pub(super) struct Silent {
    pub user: Option<User>,
}

/// What an answer is made of.
struct Making<'a> {
    client: &'a Client,
    transaction: &'a Transaction,
    user: &'a User,
    scope: Scopes,
    api: Option<domain::ResourceServer>,
}

impl Engine {
    /// `/authorize/resume`: back to the client, when nothing is left to be done.
    pub async fn resume(
        &self,
        context: &Context,
        browser: &Browser,
        id: &TransactionId,
    ) -> Result<Finished, Lost> {
        for _ in 0..TRIES {
            let token: Option<&BrowserToken> = browser.token.as_ref();
            let mut transaction = self.open_transaction(id, token).await?;
            self.forget_ended_session(&mut transaction).await?;
            let client = self.client_of(&transaction).await?;
            let step = self.step(&client, &transaction).await?;
            let (answer, write) = match step {
                Step::ErrorToClient => self.give_up(&transaction),
                Step::Finish => {
                    let made = self.complete(context, browser, &client, &transaction);
                    made.await.map_err(Lost::Failed)?
                }
                other => return Ok(Finished::Step(other)),
            };
            match self.store.commit(write).await {
                Ok(()) => return Ok(Finished::Answer(Box::new(answer))),
                // Another window was faster, or the session ended: look again.
                Err(StoreError::Stale { .. } | StoreError::Conflict(Key::ForeignId)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Lost::Failed(Error::unavailable(
            "the login kept changing while it ended",
        )))
    }

    /// A session that ended meanwhile, in another tab, vouches for nobody: ask anew.
    async fn forget_ended_session(&self, transaction: &mut Transaction) -> Result<(), Lost> {
        let proven = transaction.progress.proven.as_ref();
        let Some(session) = proven.and_then(|proven| Authentication::from(proven).session) else {
            return Ok(());
        };
        if self
            .store
            .find_session(&session, self.now())
            .await?
            .is_none()
        {
            transaction.progress.proven = None;
            transaction.progress.consent = None;
            self.advance(transaction).await?;
        }
        Ok(())
    }

    /// The person said no.
    fn give_up(&self, transaction: &Transaction) -> (Answer, Write) {
        let refusal = Refusal::new("access_denied", "User did not authorize the request");
        let mut write = self.store.write();
        write.finish_transaction(&transaction.id, transaction.version, self.now());
        (self.refusal(&transaction.request, refusal), write)
    }

    async fn complete(
        &self,
        context: &Context,
        browser: &Browser,
        client: &Client,
        transaction: &Transaction,
    ) -> Result<(Answer, Write)> {
        let mut write = self.store.write();
        write.finish_transaction(&transaction.id, transaction.version, self.now());
        let refused = |write, refusal| Ok((self.refusal(&transaction.request, refusal), write));
        let Some(proven) = &transaction.progress.proven else {
            return Err(Error::internal("an end without a proof"));
        };
        let mut authentication = Authentication::from(proven);
        let user = self.store.find_user_by_row(authentication.user).await?;
        let Some(user) = user.filter(|user| !user.is_blocked()) else {
            return refused(write, Refusal::new("unauthorized", "user is blocked"));
        };
        let making = match self.making(client, transaction, &user).await {
            Ok(making) => making,
            Err(error) => return refused(write, told(error)?),
        };
        // Where the proof is the session's own, that goes on as it is.
        let renewed = if authentication.session.is_none() {
            let renewing = self.renew_session(context, browser, &authentication, &mut write);
            Some(renewing.await?)
        } else {
            None
        };
        if let Some(Renewed { id, .. }) = &renewed {
            authentication.session = Some(id.clone());
        }
        if transaction.progress.consent == Some(true) {
            let whom = (user.row, &user.user_id);
            self.keep_consent(whom, &making.wish(), &mut write).await?;
        }
        self.link_newcomer(context, client, &transaction.progress, &user, &mut write)
            .await?;
        let kind = match &renewed {
            Some(_) => EventKind::SessionBegan,
            None => EventKind::SilentLogin,
        };
        let made = self.make(context, &making, authentication, kind, &mut write);
        let parameters = match made.await {
            Ok(parameters) => parameters,
            Err(error) => return refused(self.store.write(), told(error)?),
        };
        let mut answer = self.answer(&transaction.request, parameters);
        answer.session = renewed.map(|renewed| renewed.token);
        Ok((answer, write))
    }

    /// A session answers at once; no transaction was ever stored.
    pub(super) async fn finish_silently(
        &self,
        context: &Context,
        client: &Client,
        transaction: Transaction,
        silent: Silent,
    ) -> Result<Outcome> {
        let answered = |answer| Ok(Outcome::Answer(Box::new(answer)));
        let request = &transaction.request;
        let proven = transaction.progress.proven.as_ref();
        let (Some(proven), Some(user)) = (proven, silent.user) else {
            return Err(Error::internal("a silent answer without a session"));
        };
        let making = match self.making(client, &transaction, &user).await {
            Ok(making) => making,
            Err(error) => return answered(self.refusal(request, told(error)?)),
        };
        let mut write = self.store.write();
        let authentication = Authentication::from(proven);
        let kind = EventKind::SilentLogin;
        let made = self.make(context, &making, authentication, kind, &mut write);
        let parameters = match made.await {
            Ok(parameters) => parameters,
            Err(error) => return answered(self.refusal(request, told(error)?)),
        };
        match self.store.commit(write).await {
            Ok(()) => answered(self.answer(request, parameters)),
            // The session ended at this very moment.
            Err(StoreError::Stale { .. }) => {
                let refusal = Refusal::new("login_required", "Login required");
                answered(self.refusal(request, refusal))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn making<'a>(
        &self,
        client: &'a Client,
        transaction: &'a Transaction,
        user: &'a User,
    ) -> Result<Making<'a>, OAuthError> {
        let (api, scope) = self.granted(client, &transaction.request).await?;
        Ok(Making {
            client,
            transaction,
            user,
            scope,
            api,
        })
    }

    /// Adds session, authorization, code and log event to a batch; gives what the client is told.
    async fn make(
        &self,
        context: &Context,
        making: &Making<'_>,
        authentication: Authentication,
        kind: EventKind,
        write: &mut Write,
    ) -> Result<Vec<(&'static str, String)>, OAuthError> {
        let (request, now) = (&making.transaction.request, self.now());
        if let Some(session) = &authentication.session {
            write.touch_session(session, now, now.plus(self.settings.session_idle));
            write.add_session_client(session, &making.client.client_id, making.user.row);
        }
        write.log(&self.session_event(context, making, &authentication, kind));
        let authorization = Authorization {
            id: AuthorizationId::generate(&*self.entropy),
            client_id: making.client.client_id.clone(),
            authentication,
            audience: making.api.as_ref().map(|api| api.identifier.clone()),
            scope: making.scope.to_string(),
            dpop_key: request.dpop_jkt.clone(),
            created_at: now,
            revoked_at: None,
        };
        let mut parameters = Vec::new();
        let code = if request.response_type.code {
            let redirect_uri = request
                .names_redirect_uri
                .then(|| request.redirect_uri.clone());
            let binding = CodeBinding {
                redirect_uri,
                nonce: request.nonce.clone(),
                code_challenge: request.code_challenge.clone(),
            };
            Some(self.add_code(write, &authorization, &binding)?)
        } else {
            write.insert_authorization(&authorization, now.plus(AUTHORIZATION_LIFETIME));
            None
        };
        parameters.extend(code.clone().map(|code| ("code", code)));
        if request.response_type.token || request.response_type.id_token {
            let tokens = self.front_channel(making, &authorization, code.as_deref());
            parameters.extend(tokens.await?);
        }
        Ok(parameters)
    }

    /// Tokens that go through the browser, for clients that may have them so.
    async fn front_channel(
        &self,
        making: &Making<'_>,
        authorization: &Authorization,
        code: Option<&str>,
    ) -> Result<Vec<(&'static str, String)>, OAuthError> {
        let request = &making.transaction.request;
        let issue = Issue {
            client: making.client,
            user: making.user,
            authorization,
            grant_type: GrantType::Implicit,
            nonce: request.nonce.as_deref(),
            code,
            access_token: request.response_type.token,
            id_token: request.response_type.id_token,
        };
        let tokens = self.issue_tokens(&issue).await?;
        let tokens = serde_json::to_value(tokens).map_err(crate::token::defect)?;
        let is_wanted = |name: &str| match name {
            "id_token" => request.response_type.id_token,
            _ => request.response_type.token,
        };
        let names = [
            "access_token",
            "token_type",
            "expires_in",
            "scope",
            "id_token",
        ];
        let wanted = names.into_iter().filter(|name| is_wanted(name));
        let text = |name| match tokens.get(name)? {
            serde_json::Value::String(text) => Some((name, text.clone())),
            other => Some((name, other.to_string())),
        };
        Ok(wanted.filter_map(text).collect())
    }

    fn session_event(
        &self,
        context: &Context,
        making: &Making<'_>,
        authentication: &Authentication,
        kind: EventKind,
    ) -> domain::LogEvent {
        let mut event = self.event(context, kind);
        let client = making.client;
        event.client = Some((client.client_id.clone(), client.name.clone()));
        event.user_id = Some(making.user.user_id.clone());
        let session = authentication.session.as_ref().map(ToString::to_string);
        event.details.insert("session_id".into(), session.into());
        event
    }
}

impl Making<'_> {
    fn wish(&self) -> Wish<'_> {
        Wish {
            client: self.client,
            request: &self.transaction.request,
            api: self.api.as_ref(),
            scope: &self.scope,
        }
    }
}

/// What of a refusal the client may be told; our own failures stay ours.
fn told(error: OAuthError) -> Result<Refusal> {
    match error.status {
        503 => Err(Error::unavailable(error.detail.unwrap_or_default())),
        500.. => Err(Error::internal(error.detail.unwrap_or_default())),
        _ => Ok(Refusal::new(error.code, error.description)),
    }
}
