//! `/authorize`: a session answers at once, or a login begins and is answered when it is over.
//!
//! | file | what |
//! |---|---|
//! | `check` | which client asks, and for what |
//! | `factors` | second factors and passkeys of a login under way |
//! | `steps` | what the pages' forms do to a login under way |
//! | `device` | logins for a device that waits elsewhere |
//! | `finish` | session, authorization, code, log event and the end of the login: one batch |
//!
//! A request with `prompt=none` walks the same way as one that may show pages: the dispatcher says
//! what would come next, and anything but the end is an error for the client.

mod check;
mod device;
mod factors;
mod finish;
mod steps;

pub use device::DeviceEnd;
pub use factors::ProvenLogin;
pub use finish::Finished;
pub use steps::{Problem, SignUpForm};

use domain::{BrowserToken, Client, Connection, EventKind, TransactionId};
use oidc::authorize::{AuthorizationRequest, AuthorizeRefusal, Granted, Prompt, Response};
use oidc::{OAuthError, Scopes};

use crate::consent::Wish;
use crate::error::{Error, Result};
use crate::issue::token_hash;
use crate::sessions::Browser;
use crate::tenant_settings::NewSession;
use crate::token::engine_refusal;
use crate::transaction::{Facts, LIFETIME, Progress, Proven, Step, Transaction, next_step};
use crate::{Context, Engine};

/// The setting that says whether the name is asked for first (`/api/v2/prompts`).
const PROMPTS: &str = "prompts";

/// What goes back to a client through the browser.
#[derive(Debug)]
pub struct Answer {
    /// What, and how: it leads to an address that was proven to be the client's.
    pub response: Response,
    /// The new token of the browser's session, when it has a new one.
    pub session: Option<NewSession>,
}

impl Answer {
    /// An answer that leaves the browser's session as it is.
    pub(crate) const fn of(response: Response) -> Self {
        Self {
            response,
            session: None,
        }
    }
}

/// What a request to `/authorize` comes to.
#[derive(Debug)]
pub enum Outcome {
    /// The client gets its answer.
    Answer(Box<Answer>),
    /// A login begins.
    Page {
        /// Its id.
        transaction: TransactionId,
        /// Its first page.
        step: Step,
        /// The token of the browser, when it had none.
        browser: Option<BrowserToken>,
    },
}

impl Engine {
    /// Answers `/authorize`. An error is shown on a page of ours: nobody may be redirected.
    pub async fn authorize(
        &self,
        context: &Context,
        browser: &Browser,
        parameters: Vec<(String, String)>,
    ) -> Result<Outcome, OAuthError> {
        let (client, request) = match self.checked_request(parameters).await {
            Ok(checked) => checked,
            Err(AuthorizeRefusal::Page(error)) => return Err(error),
            Err(AuthorizeRefusal::Redirect { error, to }) => {
                tracing::info!(detail = error.detail, "refused: {error}");
                let answer = Answer::of(to.refused(&error));
                return Ok(Outcome::Answer(Box::new(answer)));
            }
        };
        let outcome = self.begin(context, browser, client, request).await;
        outcome.map_err(engine_refusal)
    }

    async fn begin(
        &self,
        context: &Context,
        browser: &Browser,
        client: Client,
        request: AuthorizationRequest,
    ) -> Result<Outcome> {
        let session = self.usable_session(browser, &client, &request).await?;
        let proven = session
            .as_ref()
            .map(|(session, _)| Proven::from(&session.authentication));
        let progress = Progress {
            signs_up: request.screen_hint.as_deref() == Some("signup"),
            proven,
            ..Progress::default()
        };
        let (transaction, new_token) = self.new_transaction(browser, request, progress);
        if let Err(refusal) = self.signing_in(&client, &transaction.request).await? {
            let answer = self.refusal(&transaction.request, &refusal);
            return Ok(Outcome::Answer(Box::new(answer)));
        }
        let step = self.step(&client, &transaction).await?;
        if step == Step::Finish {
            let user = session.map(|(_, user)| user);
            let silent = finish::Silent { user };
            return self
                .finish_silently(context, &client, transaction, silent)
                .await;
        }
        if transaction.request.prompts(Prompt::None) {
            let refusal = silent_refusal(step);
            self.log_silent_failure(context, &client, &refusal).await?;
            let answer = self.refusal(&transaction.request, &refusal);
            return Ok(Outcome::Answer(Box::new(answer)));
        }
        self.begin_transaction(&transaction).await?;
        Ok(Outcome::Page {
            transaction: transaction.id,
            step,
            browser: new_token,
        })
    }

    /// A login that begins, and the token of its browser when that had none.
    fn new_transaction(
        &self,
        browser: &Browser,
        request: AuthorizationRequest,
        progress: Progress,
    ) -> (Transaction, Option<BrowserToken>) {
        let new_token = browser.token.is_none().then(|| self.new_browser_token());
        let token = browser.token.as_ref().or(new_token.as_ref());
        let transaction = Transaction {
            id: TransactionId::generate(&*self.entropy),
            progress,
            request,
            version: 1,
            browser_hash: token.map_or_else(String::new, |token| token_hash(token.expose())),
            expires_at: self.now().plus(LIFETIME),
        };
        (transaction, new_token)
    }

    /// What comes next in a login under way.
    pub async fn step_of(&self, transaction: &Transaction) -> Result<Step> {
        let client = self.client_of(transaction).await?;
        self.step(&client, transaction).await
    }

    pub(crate) async fn step(&self, client: &Client, transaction: &Transaction) -> Result<Step> {
        let mut facts = Facts {
            identifier_first: self.asks_identifier_first().await?,
            ..Facts::default()
        };
        if transaction.progress.proven.is_none() {
            facts.goes_elsewhere = self.provider_for(client, transaction).await?.is_some();
        }
        if let Some(proven) = &transaction.progress.proven {
            let authentication = domain::Authentication::from(proven);
            let request = &transaction.request;
            self.add_factor_facts(transaction, &authentication, &mut facts)
                .await?;
            if let Ok((api, scope)) = self.granted(client, request).await {
                let wish = Wish {
                    client,
                    request,
                    api: api.as_ref(),
                    scope: &scope,
                };
                facts.consent_due = self.consent_due(authentication.user, &wish).await?;
            }
        }
        Ok(next_step(&transaction.progress, facts))
    }

    async fn asks_identifier_first(&self) -> Result<bool> {
        let setting = self.store.find_setting(PROMPTS).await?;
        let setting: Option<domain::Json> =
            setting.and_then(|text| serde_json::from_str(&text).ok());
        let flag = setting.as_ref().and_then(|s| s.get("identifier_first"));
        Ok(flag.and_then(serde_json::Value::as_bool) == Some(true))
    }

    /// The API of a request, and what of its scope is granted.
    pub(crate) async fn granted(
        &self,
        client: &Client,
        request: &AuthorizationRequest,
    ) -> Result<(Option<domain::ResourceServer>, Scopes), OAuthError> {
        let api = self.requested_api(request.audience.as_deref()).await?;
        let scope = crate::token::scope::user_scope(client, &request.scope, api.as_ref());
        Ok((api, scope))
    }

    /// The client of a login under way.
    pub async fn client_of(&self, transaction: &Transaction) -> Result<Client> {
        let client = self
            .store
            .find_client(&transaction.request.client_id)
            .await?;
        client.ok_or_else(|| Error::invalid("The application is gone."))
    }

    /// The connection that people sign in with: the one that was asked for, or the default
    /// directory, or the first by name that serves the client.
    pub(crate) async fn signing_in(
        &self,
        client: &Client,
        request: &AuthorizationRequest,
    ) -> Result<Result<Connection, OAuthError>> {
        if let Some(name) = &request.connection {
            let found = self.store.find_connection_by_name(name).await?;
            let found = found.filter(|connection| connection.serves(&client.client_id));
            return Ok(found.ok_or_else(|| {
                OAuthError::invalid_request("the connection was not found or is not enabled")
            }));
        }
        if let Some(realm) = &self.settings.default_directory
            && let Some(found) = self.store.find_connection_by_realm(realm).await?
            && found.serves(&client.client_id)
            && found.is_database()
        {
            return Ok(Ok(found));
        }
        let (databases, others): (Vec<_>, Vec<_>) = {
            let listed = self.connections_for(client).await?.into_iter();
            listed.partition(Connection::is_database)
        };
        let first = databases.into_iter().chain(others).next();
        Ok(first.ok_or_else(OAuthError::no_connection))
    }

    pub(crate) fn refusal(&self, request: &AuthorizationRequest, error: &OAuthError) -> Answer {
        Answer::of(request.reply_to(&self.settings.issuer).refused(error))
    }

    pub(crate) fn answer(&self, request: &AuthorizationRequest, granted: Granted) -> Answer {
        Answer::of(request.reply_to(&self.settings.issuer).granted(granted))
    }

    async fn log_silent_failure(
        &self,
        context: &Context,
        client: &Client,
        refusal: &OAuthError,
    ) -> Result<()> {
        let mut event = self.event(context, EventKind::SilentLoginFailed);
        event.client = Some((client.client_id.clone(), client.name.clone()));
        event.description = Some(refusal.description.clone());
        self.log_only(event).await
    }
}

/// What a client that may show nothing is told of a page that would come next.
fn silent_refusal(step: Step) -> OAuthError {
    match step {
        Step::Consent => OAuthError::consent_required(),
        Step::Mfa | Step::PasskeyOffer => OAuthError::interaction_required("Interaction required"),
        _ => OAuthError::login_required(),
    }
}
