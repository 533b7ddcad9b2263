//! `/authorize`: a session answers at once, or a login begins and is answered when it is over.
//!
//! | file | what |
//! |---|---|
//! | `check` | the request's parameters |
//! | `steps` | what the pages' forms do to a login under way |
//! | `finish` | session, authorization, code, log event and the end of the login: one batch |
//!
//! A request with `prompt=none` walks the same way as one that may show pages: the dispatcher says
//! what would come next, and anything but the end is an error for the client.

mod check;
mod finish;
mod steps;

pub use finish::Finished;
pub use steps::{Problem, SignUpForm};

use domain::{BrowserToken, Client, Connection, EventKind, SessionToken, TransactionId};
use oidc::authorize::{AuthorizationRequest, Prompt, ResponseMode};
use oidc::{OAuthError, Scopes};

use crate::consent::Wish;
use crate::error::{Error, Result};
use crate::issue::token_hash;
use crate::sessions::Browser;
use crate::token::engine_refusal;
use crate::transaction::{Facts, LIFETIME, Progress, Proven, Step, Transaction, next_step};
use crate::{Context, Engine};
use check::Checked;

/// The setting that says whether the name is asked for first (`/api/v2/prompts`).
const PROMPTS: &str = "prompts";

/// What goes back to a client through the browser.
#[derive(Debug)]
pub struct Answer {
    /// Where to: proven to be the client's.
    pub redirect_uri: String,
    /// How.
    pub mode: ResponseMode,
    /// What.
    pub parameters: Vec<(&'static str, String)>,
    /// The new token of the browser's session, when it has a new one.
    pub session: Option<SessionToken>,
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

/// An error that a client is told (RFC 6749 §4.1.2.1).
#[derive(Debug)]
pub(crate) struct Refusal {
    code: &'static str,
    description: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }
}

impl Engine {
    /// Answers `/authorize`. An error is shown on a page of ours: nobody may be redirected.
    pub async fn authorize(
        &self,
        context: &Context,
        browser: &Browser,
        parameters: Vec<(String, String)>,
    ) -> Result<Outcome, OAuthError> {
        let (client, request) = match self.checked_request(parameters).await? {
            Checked::Request(client, request) => (*client, *request),
            Checked::Refused(answer) => return Ok(Outcome::Answer(Box::new(answer))),
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
        let new_token = browser.token.is_none().then(|| self.new_browser_token());
        let token = browser.token.as_ref().or(new_token.as_ref());
        let transaction = Transaction {
            id: TransactionId::generate(&*self.entropy),
            progress: Progress {
                signs_up: request.screen_hint.as_deref() == Some("signup"),
                proven,
                ..Progress::default()
            },
            request,
            version: 1,
            browser_hash: token.map_or_else(String::new, |token| token_hash(token.expose())),
            expires_at: self.now().plus(LIFETIME),
        };
        if let Err(refusal) = self.signing_in(&client, &transaction.request).await? {
            let answer = self.refusal(&transaction.request, refusal);
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
            let answer = self.refusal(&transaction.request, refusal);
            return Ok(Outcome::Answer(Box::new(answer)));
        }
        self.begin_transaction(&transaction).await?;
        Ok(Outcome::Page {
            transaction: transaction.id,
            step,
            browser: new_token,
        })
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
            facts.second_factor_due = self.second_factor_due(&authentication, request);
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

    /// Whether a second factor is missing: the one place that decides it for browser logins.
    #[expect(
        clippy::unused_self,
        reason = "the enrolled factors are read from the store"
    )]
    fn second_factor_due(
        &self,
        authentication: &domain::Authentication,
        request: &AuthorizationRequest,
    ) -> bool {
        const MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";
        let is_wanted = request.acr_values.iter().any(|acr| acr == MULTI_FACTOR);
        let mut methods = authentication.methods.iter();
        is_wanted && !methods.any(|method| method.is_second_factor())
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
        let api = self.api_for_user(request.audience.as_deref()).await?;
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
    ) -> Result<Result<Connection, Refusal>> {
        if let Some(name) = &request.connection {
            let found = self.store.find_connection_by_name(name).await?;
            let found = found.filter(|connection| connection.serves(&client.client_id));
            return Ok(found.ok_or_else(|| {
                Refusal::invalid_request("the connection was not found or is not enabled")
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
        Ok(first.ok_or_else(|| {
            Refusal::new(
                "unauthorized_client",
                "no connections enabled for the client",
            )
        }))
    }

    pub(crate) fn refusal(&self, request: &AuthorizationRequest, refusal: Refusal) -> Answer {
        let parameters = vec![
            ("error", refusal.code.to_owned()),
            ("error_description", refusal.description),
        ];
        self.answer(request, parameters)
    }

    /// The client's note goes back unread, and our name beside it (RFC 9207).
    pub(crate) fn answer(
        &self,
        request: &AuthorizationRequest,
        mut parameters: Vec<(&'static str, String)>,
    ) -> Answer {
        parameters.extend(request.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", self.settings.issuer.to_string()));
        Answer {
            redirect_uri: request.redirect_uri.clone(),
            mode: request.response_mode,
            parameters,
            session: None,
        }
    }

    async fn log_silent_failure(
        &self,
        context: &Context,
        client: &Client,
        refusal: &Refusal,
    ) -> Result<()> {
        let mut event = self.event(context, EventKind::SilentLoginFailed);
        event.client = Some((client.client_id.clone(), client.name.clone()));
        event.description = Some(refusal.description.clone());
        self.log_only(event).await
    }
}

/// What a client that may show nothing is told of a page that would come next.
fn silent_refusal(step: Step) -> Refusal {
    match step {
        Step::Consent => Refusal::new("consent_required", "Consent required"),
        Step::Mfa | Step::PasswordChange => {
            Refusal::new("interaction_required", "Interaction required")
        }
        _ => Refusal::new("login_required", "Login required"),
    }
}
