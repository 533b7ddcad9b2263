//! Second factors and passkeys of a login in a browser: what is missing, and what a proof adds to the
//! login under way. How a proof is checked is `mfa`'s and `passkeys`'.

use domain::{Authentication, AuthenticationMethod, Client, User};
use oidc::authorize::AuthorizationRequest;

use super::Problem;
use crate::error::Result;
use crate::mfa::{FactorError, FactorNeed, Person};
use crate::sessions::is_recent;
use crate::transaction::{Facts, Lost, Proven, Transaction};
use crate::{Context, Engine};

/// The value of `acr_values` by which an application asks for a second factor.
const MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

/// A login whose person is known.
#[derive(Debug)]
pub struct ProvenLogin {
    /// Who.
    pub user: User,
    /// How that was proven so far.
    pub authentication: Authentication,
    /// The application.
    pub client: Client,
    /// Whether it asked for a second factor.
    pub demanded: bool,
}

impl Engine {
    /// The login, when somebody proved to be there and still may.
    pub async fn proven_login(&self, transaction: &Transaction) -> Result<Option<ProvenLogin>> {
        let Some(proven) = &transaction.progress.proven else {
            return Ok(None);
        };
        let authentication = Authentication::from(proven);
        let user = self.store.find_user_by_row(authentication.user).await?;
        let Some(user) = user.filter(|user| !user.is_blocked()) else {
            return Ok(None);
        };
        if !self.holds(&user, &authentication).await? {
            return Ok(None);
        }
        Ok(Some(ProvenLogin {
            user,
            authentication,
            client: self.client_of(transaction).await?,
            demanded: is_demanded(&transaction.request),
        }))
    }

    /// Adds what is due of second factors and passkeys. Who is gone or barred owes nothing, nor does
    /// a proof that counts no longer: the end of the login refuses them.
    pub(super) async fn add_factor_facts(
        &self,
        transaction: &Transaction,
        authentication: &Authentication,
        facts: &mut Facts,
    ) -> Result<()> {
        let user = self.store.find_user_by_row(authentication.user).await?;
        let Some(user) = user.filter(|user| !user.is_blocked()) else {
            return Ok(());
        };
        if !self.holds(&user, authentication).await? {
            return Ok(());
        }
        let demanded = is_demanded(&transaction.request);
        let need = self.required_factor(&user, authentication, demanded);
        facts.second_factor_due = need.await? != FactorNeed::None;
        facts.passkey_offer_due = !transaction.progress.passkey_offered
            && self.may_offer_passkey(&user, authentication).await?;
        Ok(())
    }

    /// Whether a person who has just signed in may be offered a passkey: the connection has them,
    /// the tenant allows them, and the person has none.
    async fn may_offer_passkey(
        &self,
        user: &User,
        authentication: &Authentication,
    ) -> Result<bool> {
        let methods = &authentication.methods;
        if authentication.session.is_some() || methods.contains(&AuthenticationMethod::WebAuthn) {
            return Ok(false);
        }
        let Some(id) = &authentication.connection else {
            return Ok(false);
        };
        let connection = self.store.find_connection(id).await?;
        if !connection.is_some_and(|connection| connection.offers_passkeys()) {
            return Ok(false);
        }
        Ok(self.guardian().await?.allows("webauthn-platform")
            && self.store.list_passkeys(user.row).await?.is_empty())
    }

    /// A second factor was proven. A session that vouched so far does no longer, if it still lives:
    /// the login's end begins one that knows of the factor.
    pub async fn note_factor(
        &self,
        transaction: &mut Transaction,
        method: AuthenticationMethod,
    ) -> Result<(), Problem> {
        let Some(proven) = &transaction.progress.proven else {
            return Ok(());
        };
        let mut authentication = Authentication::from(proven);
        if self.is_void(&authentication).await? {
            return self.forget_proof(transaction).await.map_err(Problem::Lost);
        }
        authentication.methods.push(method);
        authentication.session = None;
        self.note_authentication(transaction, &authentication).await
    }

    /// The code by mail that a login waits for: the text that names its sending.
    pub async fn awaited_code(
        &self,
        person: Person<'_>,
        transaction: &Transaction,
    ) -> Result<Option<String>> {
        let Some(oob_code) = &transaction.progress.mailed_code else {
            return Ok(None);
        };
        let is_awaited = self.is_awaited(person, oob_code).await?;
        Ok(is_awaited.then(|| oob_code.clone()))
    }

    /// Mails a code that the login waits for from now on. Whoever has no factor yet enrols their
    /// address by it.
    pub async fn mail_login_code(
        &self,
        context: &Context,
        person: Person<'_>,
        transaction: &mut Transaction,
    ) -> Result<String, FactorError> {
        let oob_code = if self.enrolled(person.user.row).await?.asks() {
            self.mail_code(context, person).await?
        } else {
            self.mail_enrolment_code(context, person).await?
        };
        transaction.progress.mailed_code = Some(oob_code.clone());
        match self.advance(transaction).await {
            Err(Lost::Failed(error)) => Err(error.into()),
            // A login that is over says so by itself.
            Ok(()) | Err(_) => Ok(oob_code),
        }
    }

    /// A proof that counts no longer vouches for nobody, nor does a session that became older than
    /// `max_age` while a page stood open (OpenID Connect Core 3.1.2.1): ask anew.
    pub(super) async fn forget_void_proof(
        &self,
        transaction: &mut Transaction,
    ) -> Result<(), Lost> {
        let Some(proven) = &transaction.progress.proven else {
            return Ok(());
        };
        let authentication = Authentication::from(proven);
        let is_recent = authentication.session.is_none()
            || is_recent(authentication.at, transaction.request.max_age, self.now());
        if !is_recent || self.is_void(&authentication).await? {
            self.forget_proof(transaction).await?;
        }
        Ok(())
    }

    async fn forget_proof(&self, transaction: &mut Transaction) -> Result<(), Lost> {
        transaction.progress.proven = None;
        transaction.progress.consent = None;
        self.advance(transaction).await
    }

    /// A passkey signed its owner in.
    pub async fn note_passkey(
        &self,
        transaction: &mut Transaction,
        authentication: &Authentication,
    ) -> Result<(), Problem> {
        if transaction.progress.is_answered() {
            return Ok(());
        }
        self.note_authentication(transaction, authentication).await
    }

    /// A passkey was made, or the person would rather not.
    pub async fn end_passkey_offer(&self, transaction: &mut Transaction) -> Result<(), Problem> {
        transaction.progress.passkey_offered = true;
        self.advance(transaction).await.map_err(Problem::Lost)
    }

    async fn note_authentication(
        &self,
        transaction: &mut Transaction,
        authentication: &Authentication,
    ) -> Result<(), Problem> {
        transaction.progress.proven = Some(Proven::from(authentication));
        self.advance(transaction).await.map_err(Problem::Lost)
    }
}

fn is_demanded(request: &AuthorizationRequest) -> bool {
    request.acr_values.iter().any(|acr| acr == MULTI_FACTOR)
}
