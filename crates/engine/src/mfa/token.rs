//! A password login that a second factor interrupts: the token that remembers what the password
//! proved, and the grants that go on from there.

use std::time::Duration;

use domain::entropy::alphanumeric;
use domain::{
    Authentication, AuthenticationMethod, Client, ClientId, ConnectionId, EventKind, Instant, User,
};
use oidc::{MfaAnswer, MfaGrant, OAuthError, Scopes};
use serde::{Deserialize, Serialize};
use store::NewChallenge;

use super::need::FactorNeed;
use super::prove::{Answer, FactorError, Person, Proven};
use crate::issue::token_hash;
use crate::token::{defect, engine_refusal, outage};
use crate::{Context, Engine};

const KIND: &str = "mfa-token";

/// How long an interrupted login may be gone on with.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A password was proven, and for what.
pub(crate) struct PasswordProven<'a> {
    /// To the application.
    pub client: &'a Client,
    /// By the user.
    pub user: &'a User,
    /// When, and of which connection.
    pub authentication: &'a Authentication,
    /// What was asked for.
    pub scope: &'a Scopes,
    /// The API, if one was named.
    pub audience: Option<&'a str>,
}

/// The login went on to its end.
pub(crate) struct FactorProven {
    /// Whose.
    pub user: User,
    /// How it was proven, the password first.
    pub authentication: Authentication,
    /// What the password's request asked for.
    pub scope: Scopes,
    /// The API that it named.
    pub audience: Option<String>,
    /// To be told once.
    pub recovery_code: Option<String>,
}

/// What an interrupted login remembers.
#[derive(Serialize, Deserialize)]
pub(super) struct Interrupted {
    client_id: ClientId,
    connection: Option<ConnectionId>,
    scope: String,
    audience: Option<String>,
    at: i64,
}

impl Interrupted {
    pub(super) const fn client_id(&self) -> &ClientId {
        &self.client_id
    }
}

impl Engine {
    /// What comes after a proven password: nothing, or `mfa_required` with the token to go on with.
    pub(crate) async fn after_password(
        &self,
        context: &Context,
        proven: &PasswordProven<'_>,
    ) -> Result<(), OAuthError> {
        let now = self.now();
        let need = self.required_factor(proven.user, proven.authentication, false);
        if need.await.map_err(engine_refusal)? == FactorNeed::None {
            return Ok(());
        }
        let body = Interrupted {
            client_id: proven.client.client_id.clone(),
            connection: proven.authentication.connection.clone(),
            scope: proven.scope.to_string(),
            audience: proven.audience.map(str::to_owned),
            at: proven.authentication.at.millis(),
        };
        let body = serde_json::to_string(&body).map_err(defect)?;
        let token = alphanumeric(&*self.entropy, 43);
        let person = Person {
            user: proven.user,
            client: Some(proven.client),
        };
        let mut write = self.store.write();
        let challenge = NewChallenge {
            id_hash: &token_hash(&token),
            kind: KIND,
            user: Some(proven.user.row),
            body: &body,
            expires_at: now.plus(LIFETIME),
        };
        write.insert_challenge(&challenge, now).map_err(outage)?;
        write.log(&self.factor_event(context, person, EventKind::MfaRequired));
        self.store.commit(write).await.map_err(outage)?;
        Err(OAuthError::mfa_required(Some(token)))
    }

    /// Goes on with an interrupted login: the factor is proven, or the one begun is enrolled. A dot
    /// tells an access token, which does the latter alone; `key` is the thumbprint of the key that
    /// was proven.
    pub(crate) async fn after_factor(
        &self,
        context: &Context,
        client: &Client,
        (grant, key): (&MfaGrant, Option<&str>),
    ) -> Result<FactorProven, OAuthError> {
        if grant.mfa_token.contains('.') {
            return self
                .after_own_enrolment(context, client, (grant, key))
                .await;
        }
        let (interrupted, user) = self.interrupted(&grant.mfa_token).await?;
        if interrupted.client_id != client.client_id {
            return Err(OAuthError::mfa_token_expired().with_detail("of another client"));
        }
        let person = Person {
            user: &user,
            client: Some(client),
        };
        let proven = self.answered_factor(context, person, grant).await;
        let proven = proven.map_err(|error| refusal(error, &grant.answer))?;
        let at = Instant::from_millis(interrupted.at);
        let methods = vec![AuthenticationMethod::Password, proven.method];
        Ok(FactorProven {
            authentication: Authentication {
                user: user.row,
                user_id: user.user_id.clone(),
                connection: interrupted.connection,
                session: None,
                at,
                methods,
            },
            user,
            scope: Scopes::parse(&interrupted.scope)?,
            audience: interrupted.audience,
            recovery_code: proven
                .next_recovery_code
                .filter(|_| matches!(grant.answer, MfaAnswer::RecoveryCode(_)))
                .map(|code| code.expose().to_owned()),
        })
    }

    async fn answered_factor(
        &self,
        context: &Context,
        person: Person<'_>,
        grant: &MfaGrant,
    ) -> Result<Proven, FactorError> {
        let (token, now) = (token_hash(&grant.mfa_token), self.now());
        let also = |write: &mut store::Write| {
            write.use_challenge(&token, now);
        };
        let answer = match &grant.answer {
            MfaAnswer::Otp(code) => {
                // Only whoever has no factor yet can have begun to enrol one with this token.
                let has_factor = self.enrolled(person.user.row).await?.asks();
                if !has_factor && self.is_enrolling(person, &grant.mfa_token).await? {
                    let code = (grant.mfa_token.as_str(), code.as_str());
                    return self
                        .confirm_totp_enrolment(context, person, code, also)
                        .await;
                }
                Answer::Otp(code)
            }
            MfaAnswer::OutOfBand {
                oob_code,
                binding_code,
            } => Answer::Mailed {
                oob_code,
                code: binding_code,
            },
            MfaAnswer::RecoveryCode(code) => Answer::RecoveryCode(code),
        };
        self.prove_factor(context, person, &answer, also).await
    }

    /// The login that a token interrupts, and whose.
    pub(super) async fn interrupted(&self, token: &str) -> Result<(Interrupted, User), OAuthError> {
        let id_hash = token_hash(token);
        let found = self.store.find_challenge(&id_hash, KIND, self.now());
        let found = found.await.map_err(outage)?;
        let found = found.ok_or_else(OAuthError::mfa_token_expired)?;
        let row = found.user.ok_or_else(OAuthError::mfa_token_expired)?;
        let user = self.store.find_user_by_row(row).await.map_err(outage)?;
        let user = user.ok_or_else(OAuthError::mfa_token_expired)?;
        if user.is_blocked() {
            return Err(OAuthError::user_blocked());
        }
        let interrupted: Interrupted = serde_json::from_str(&found.body).map_err(defect)?;
        if !user.accepts_proof_of(Instant::from_millis(interrupted.at)) {
            return Err(OAuthError::mfa_token_expired().with_detail("the password was set since"));
        }
        Ok((interrupted, user))
    }
}

/// A password was proven now.
pub(crate) fn password_authentication(
    user: &User,
    connection: &ConnectionId,
    at: Instant,
) -> Authentication {
    Authentication {
        user: user.row,
        user_id: user.user_id.clone(),
        connection: Some(connection.clone()),
        session: None,
        at,
        methods: vec![AuthenticationMethod::Password],
    }
}

pub(super) fn refusal(error: FactorError, answer: &MfaAnswer) -> OAuthError {
    match error {
        FactorError::Wrong => OAuthError::wrong_code(match answer {
            MfaAnswer::Otp(_) => "otp_code",
            MfaAnswer::OutOfBand { .. } => "binding_code",
            MfaAnswer::RecoveryCode(_) => "recovery_code",
        }),
        FactorError::TooMany => OAuthError::too_many_codes(),
        FactorError::Failed(error) => engine_refusal(error),
    }
}
