//! The end of a login: session, authorization, code, consent, log event and the finished
//! transaction become true in one batch, or none of them. The user arrived before, in a batch of
//! their own: a browser that is closed in between leaves a whole user and no session.

use domain::{
    Authentication, Authorization, AuthorizationId, BrowserToken, Client, EventKind, TransactionId,
    User,
};
use oidc::authorize::{FrontChannelToken, Granted};
use oidc::{GrantType, OAuthError, Scopes};
use store::{Key, StoreError, Write};

use super::{Answer, DeviceEnd, Outcome};
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
    /// A device gets its answer when it asks again; the person is told on a page.
    Device(DeviceEnd),
    /// Something is left to be done.
    Step(Step),
}

/// An answer that nobody was asked for.
pub(super) struct Silent {
    pub user: Option<User>,
}

/// What an answer is made of.
pub(super) struct Making<'a> {
    pub client: &'a Client,
    pub transaction: &'a Transaction,
    pub user: &'a User,
    pub scope: Scopes,
    pub api: Option<domain::ResourceServer>,
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
            self.forget_void_proof(&mut transaction).await?;
            let client = self.client_of(&transaction).await?;
            let step = self.step(&client, &transaction).await?;
            let is_device = transaction.progress.device.is_some();
            let (finished, write) = match step {
                Step::ErrorToClient if is_device => {
                    self.refuse_device(context, &transaction).await?
                }
                Step::ErrorToClient => self.give_up(&transaction),
                Step::Finish if is_device => {
                    let made = self.admit_device(context, browser, &client, &transaction);
                    made.await.map_err(Lost::Failed)?
                }
                Step::Finish => {
                    let made = self.complete(context, browser, &client, &transaction);
                    made.await.map_err(Lost::Failed)?
                }
                other => return Ok(Finished::Step(other)),
            };
            match self.store.commit(write).await {
                Ok(()) => return Ok(finished),
                // Another window was faster, or the session ended: look again.
                Err(StoreError::Stale { .. } | StoreError::Conflict(Key::ForeignId)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Lost::Failed(Error::unavailable(
            "the login kept changing while it ended",
        )))
    }

    /// The person said no.
    fn give_up(&self, transaction: &Transaction) -> (Finished, Write) {
        let refusal = OAuthError::denied("User did not authorize the request");
        let mut write = self.store.write();
        write.finish_transaction(&transaction.id, transaction.version, self.now());
        let answer = self.refusal(&transaction.request, &refusal);
        (Finished::Answer(Box::new(answer)), write)
    }

    async fn complete(
        &self,
        context: &Context,
        browser: &Browser,
        client: &Client,
        transaction: &Transaction,
    ) -> Result<(Finished, Write)> {
        let mut write = self.store.write();
        write.finish_transaction(&transaction.id, transaction.version, self.now());
        let answered = |write, answer| Ok((Finished::Answer(Box::new(answer)), write));
        let refused =
            |write, refusal| answered(write, self.refusal(&transaction.request, &refusal));
        let Some((user, authentication)) = self.who_is_there(transaction).await? else {
            return refused(write, OAuthError::user_blocked());
        };
        // Somebody signed in, but not the one whom the client means.
        let hinted = self.hinted_user(&transaction.request).ok().flatten();
        if hinted.is_some_and(|hinted| hinted != user.user_id) {
            return refused(write, OAuthError::login_required());
        }
        let making = match self.making(client, transaction, &user).await {
            Ok(making) => making,
            Err(error) => return refused(write, told(error)?),
        };
        let ended = self.keep_session(context, browser, authentication, &mut write);
        let (authentication, renewed) = ended.await?;
        if transaction.progress.consent == Some(true) {
            let whom = (user.row, &user.user_id);
            self.keep_consent(whom, &making.wish(), &mut write).await?;
        }
        self.link_newcomer(context, client, &transaction.progress, &user, &mut write)
            .await?;
        let kind = kind_of(renewed.as_ref());
        let made = self.make(context, &making, authentication, kind, &mut write);
        let granted = match made.await {
            Ok(granted) => granted,
            Err(error) => return refused(self.store.write(), told(error)?),
        };
        let mut answer = self.answer(&transaction.request, granted);
        answer.session = renewed.map(|renewed| renewed.cookie);
        answered(write, answer)
    }

    /// Who signed in; nobody when they were barred meanwhile.
    pub(super) async fn who_is_there(
        &self,
        transaction: &Transaction,
    ) -> Result<Option<(User, Authentication)>> {
        let Some(proven) = &transaction.progress.proven else {
            return Err(Error::internal("an end without a proof"));
        };
        let authentication = Authentication::from(proven);
        let user = self.store.find_user_by_row(authentication.user).await?;
        let user = user.filter(|user| !user.is_blocked());
        Ok(user.map(|user| (user, authentication)))
    }

    /// Begins or renews the browser's session after a fresh proof. Where the proof is the session's
    /// own, that goes on as it is. The batch fails when the proof counts no longer.
    pub(super) async fn keep_session(
        &self,
        context: &Context,
        browser: &Browser,
        mut authentication: Authentication,
        write: &mut Write,
    ) -> Result<(Authentication, Option<Renewed>)> {
        write.require_proof(authentication.user, authentication.at);
        if authentication.session.is_some() {
            return Ok((authentication, None));
        }
        let renewed = self
            .renew_session(context, browser, &authentication, write)
            .await?;
        authentication.session = Some(renewed.id.clone());
        Ok((authentication, Some(renewed)))
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
            Err(error) => return answered(self.refusal(request, &told(error)?)),
        };
        let mut write = self.store.write();
        let authentication = Authentication::from(proven);
        let kind = EventKind::SilentLogin;
        let made = self.make(context, &making, authentication, kind, &mut write);
        let granted = match made.await {
            Ok(granted) => granted,
            Err(error) => return answered(self.refusal(request, &told(error)?)),
        };
        match self.store.commit(write).await {
            Ok(()) => answered(self.answer(request, granted)),
            // The session ended at this very moment.
            Err(StoreError::Stale { .. }) => {
                answered(self.refusal(request, &OAuthError::login_required()))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn making<'a>(
        &self,
        client: &'a Client,
        transaction: &'a Transaction,
        user: &'a User,
    ) -> Result<Making<'a>, OAuthError> {
        self.check_connection(client, transaction, user).await?;
        let (api, scope) = self.granted(client, &transaction.request).await?;
        Ok(Making {
            client,
            transaction,
            user,
            scope,
            api,
        })
    }

    /// Adds the use of the session and the log event to a batch; gives the authorization that comes of
    /// it, which is to be added too.
    pub(super) async fn authorization_of(
        &self,
        context: &Context,
        making: &Making<'_>,
        authentication: Authentication,
        kind: EventKind,
        write: &mut Write,
    ) -> Authorization {
        let now = self.now();
        if let Some(session) = &authentication.session {
            let idle = self.session_limits().await.idle;
            write.touch_session(session, now, now.plus(idle));
            write.add_session_client(session, &making.client.client_id, making.user.row);
        }
        write.log(&self.session_event(context, making, &authentication, kind));
        Authorization {
            id: AuthorizationId::generate(&*self.entropy),
            client_id: making.client.client_id.clone(),
            authentication,
            audience: making.api.as_ref().map(|api| api.identifier.clone()),
            scope: making.scope.to_string(),
            dpop_key: making.transaction.request.dpop_jkt.clone(),
            created_at: now,
            revoked_at: None,
        }
    }

    /// Adds session, authorization, code and log event to a batch; gives what the client is told.
    async fn make(
        &self,
        context: &Context,
        making: &Making<'_>,
        authentication: Authentication,
        kind: EventKind,
        write: &mut Write,
    ) -> Result<Granted, OAuthError> {
        let (request, now) = (&making.transaction.request, self.now());
        let authorization = self
            .authorization_of(context, making, authentication, kind, write)
            .await;
        let code = if request.response_type.code {
            let redirect_uri = request
                .names_redirect_uri
                .then(|| request.redirect_uri.clone());
            let binding = CodeBinding {
                redirect_uri,
                nonce: request.nonce.clone(),
                code_challenge: request.code_challenge.clone(),
                asks_scope: !request.scope.is_empty(),
            };
            Some(self.add_code(write, &authorization, &binding)?)
        } else {
            write.insert_authorization(&authorization, now.plus(AUTHORIZATION_LIFETIME));
            None
        };
        if request.response_type.has_token() {
            return self.front_channel(making, &authorization, code).await;
        }
        Ok(Granted {
            code,
            ..Granted::default()
        })
    }

    /// Tokens that go through the browser, for clients that may have them so.
    async fn front_channel(
        &self,
        making: &Making<'_>,
        authorization: &Authorization,
        code: Option<String>,
    ) -> Result<Granted, OAuthError> {
        let request = &making.transaction.request;
        let issue = Issue {
            client: making.client,
            user: making.user,
            authorization,
            grant_type: GrantType::Implicit,
            nonce: request.nonce.as_deref(),
            code: code.as_deref(),
            access_token: request.response_type.token,
            id_token: request.response_type.id_token,
        };
        let tokens = self.issue_tokens(&issue).await?;
        let access_token = tokens.access_token().map(|token| FrontChannelToken {
            token: token.to_owned(),
            token_type: tokens.token_type(),
            expires_in: tokens.expires_in(),
            scope: (!request.scope.is_empty()).then(|| making.scope.clone()),
        });
        Ok(Granted {
            access_token,
            id_token: tokens.id_token().map(str::to_owned),
            code,
        })
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
    pub(super) fn wish(&self) -> Wish<'_> {
        Wish {
            client: self.client,
            request: &self.transaction.request,
            api: self.api.as_ref(),
            scope: &self.scope,
        }
    }
}

/// What the log says of an end.
pub(super) fn kind_of(renewed: Option<&Renewed>) -> EventKind {
    match renewed {
        Some(_) => EventKind::SessionBegan,
        None => EventKind::SilentLogin,
    }
}

/// What of a refusal the client may be told; our own failures stay ours.
fn told(error: OAuthError) -> Result<OAuthError> {
    match error.status {
        503 => Err(Error::unavailable(error.detail.unwrap_or_default())),
        500.. => Err(Error::internal(error.detail.unwrap_or_default())),
        _ => Ok(error),
    }
}
