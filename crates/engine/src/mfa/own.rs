//! A factor that people enrol by an access token for `/mfa`: its first code ends the enrolment at the
//! token endpoint, as that of an interrupted login does. It proves nothing else there, and what comes
//! of it is for no API: a token that enrols never leads to another one that does.

use domain::{Authentication, AuthenticationMethod, Client, Instant, Json, User};
use oidc::{MfaAnswer, MfaGrant, OAuthError, Scopes};
use serde_json::Value;

use super::api::ENROL;
use super::prove::{Answer, FactorError, Person, Proven};
use super::token::{FactorProven, refusal};
use crate::introspect::{authorization_of, bound_key, check_key};
use crate::token::outage;
use crate::token::scope::OFFLINE_ACCESS;
use crate::{Context, Engine};

impl Engine {
    /// Ends the enrolment that an access token began; `key` is the thumbprint of the key that was
    /// proven.
    pub(super) async fn after_own_enrolment(
        &self,
        context: &Context,
        client: &Client,
        (grant, key): (&MfaGrant, Option<&str>),
    ) -> Result<FactorProven, OAuthError> {
        let claims = self.access_claims(&grant.mfa_token).await?;
        // A key may be proven for the tokens to come alone.
        if bound_key(&claims).is_some() {
            check_key(&claims, key)?;
        }
        let bearer = self.mfa_owner(&claims).await?;
        bearer.require(ENROL)?;
        let named = claims.get("azp").or_else(|| claims.get("client_id"));
        if named.and_then(Value::as_str) != Some(client.client_id.as_str()) {
            return Err(OAuthError::mfa_token_expired().with_detail("of another client"));
        }
        let user = bearer.user;
        let mut authentication = self.authentication_behind(&claims, &user).await?;
        let person = Person {
            user: &user,
            client: Some(client),
        };
        let proven = self.enrolled_factor(context, person, grant).await;
        let proven = proven.map_err(|error| refusal(error, &grant.answer))?;
        authentication.methods.push(proven.method);
        let scopes = Scopes::of_claims(&claims);
        Ok(FactorProven {
            user,
            authentication,
            scope: scopes
                .iter()
                .filter(|scope| *scope != OFFLINE_ACCESS)
                .collect(),
            audience: Some(self.settings.issuer.userinfo_audience()),
            recovery_code: None,
        })
    }

    async fn enrolled_factor(
        &self,
        context: &Context,
        person: Person<'_>,
        grant: &MfaGrant,
    ) -> Result<Proven, FactorError> {
        match &grant.answer {
            MfaAnswer::Otp(code) => {
                let code = (grant.mfa_token.as_str(), code.as_str());
                self.confirm_totp_enrolment(context, person, code, |_| {})
                    .await
            }
            MfaAnswer::OutOfBand {
                oob_code,
                binding_code,
            } if self.is_enrolling_address(person, oob_code).await? => {
                let answer = Answer::Mailed {
                    oob_code,
                    code: binding_code,
                };
                self.prove_factor(context, person, &answer, |_| {}).await
            }
            _ => Err(FactorError::Wrong),
        }
    }

    /// How the bearer of an access token proved who they are. A token that hangs on nothing comes of
    /// a password by a client's hand.
    async fn authentication_behind(
        &self,
        claims: &Json,
        user: &User,
    ) -> Result<Authentication, OAuthError> {
        if let Some(id) = authorization_of(claims) {
            let found = self.store.find_authorization(&id).await.map_err(outage)?;
            let gone = || OAuthError::invalid_token("the login was revoked");
            return Ok(found.ok_or_else(gone)?.authentication);
        }
        let identity = user.identities.first();
        let issued = claims.get("iat").and_then(Value::as_i64);
        Ok(Authentication {
            user: user.row,
            user_id: user.user_id.clone(),
            connection: identity.map(|identity| identity.connection.clone()),
            session: None,
            at: issued.map_or_else(
                || self.now(),
                |seconds| Instant::from_millis(seconds.saturating_mul(1000)),
            ),
            methods: vec![AuthenticationMethod::Password],
        })
    }
}
