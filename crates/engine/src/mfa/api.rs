//! `/mfa`: what a client does between `mfa_required` and the MFA grant, and what a user does with
//! their own factors by an access token for this API.
//!
//! The token of an interrupted login was bought with a password alone: it lists, asks, and enrols a
//! first factor, but never adds to factors or takes one away.

use domain::{Json, ResourceServer, User};
use oidc::claims::audience_contains;
use oidc::{ClientAuthentication, MfaChallengeRequest, OAuthError, Scopes};
use serde_json::{Value, json};

use super::need::Enrolled;
use super::prove::{FactorError, Person};
use super::{RECOVERY_ID, factor_id};
use crate::error::Error;
use crate::introspect::check_key;
use crate::issue::token_hash;
use crate::token::{engine_refusal, outage};
use crate::{Context, Engine};

pub(super) const ENROL: &str = "enroll";
const READ: &str = "read:authenticators";
const REMOVE: &str = "remove:authenticators";

/// A token, and the thumbprint of the key that was proven with it.
type Presented<'a> = (&'a str, Option<&'a str>);

/// Who comes to the API, and with what.
pub(super) struct Bearer {
    pub(super) user: User,
    /// Of an access token; the token of an interrupted login has none.
    pub(super) scopes: Option<Scopes>,
}

impl Bearer {
    pub(super) fn require(&self, scope: &str) -> Result<(), OAuthError> {
        let scopes = self.scopes.as_ref();
        if scopes.is_none_or(|scopes| scopes.contains(scope)) {
            return Ok(());
        }
        Err(OAuthError::denied(format!(
            "Insufficient scope, expected: {scope}"
        )))
    }
}

impl Engine {
    /// This API as users' tokens name it.
    pub(crate) fn mfa_api(&self, audience: &str) -> Option<ResourceServer> {
        if audience != self.settings.issuer.join("mfa/") {
            return None;
        }
        let scopes = [ENROL, READ, REMOVE];
        Some(ResourceServer {
            id: "mfa".into(),
            identifier: audience.to_owned(),
            name: "MFA".into(),
            scopes: scopes.map(|scope| (scope.to_owned(), None)).to_vec(),
            token_lifetime: 600,
            is_system: true,
            attributes: Json::new(),
            version: 1,
        })
    }

    /// `POST /mfa/challenge`.
    pub async fn mfa_challenge(
        &self,
        context: &Context,
        proof: &ClientAuthentication,
        request: &MfaChallengeRequest,
    ) -> Result<Value, OAuthError> {
        let (interrupted, user) = self.interrupted(&request.mfa_token).await?;
        let client = self.store.find_client(interrupted.client_id());
        let client = client.await.map_err(outage)?;
        let client = client.ok_or_else(OAuthError::mfa_token_expired)?;
        let named = proof.client_id.as_deref();
        if named.is_some_and(|id| id != client.client_id.as_str()) {
            return Err(OAuthError::mfa_token_expired().with_detail("of another client"));
        }
        if proof.secret.is_some() {
            self.prove(&client, proof).await?;
        }
        let enrolled = self.enrolled(user.row).await.map_err(engine_refusal)?;
        let person = Person {
            user: &user,
            client: Some(&client),
        };
        let way = asked_way(request, &enrolled, &user);
        if way == Some("otp") {
            return Ok(json!({"challenge_type": "otp"}));
        }
        if way.is_none() {
            let text = "User does not have any of the authenticators that were asked for";
            return Err(OAuthError::unsupported_challenge_type(text));
        }
        let oob_code = self.mail_code(context, person).await.map_err(refusal)?;
        Ok(json!({"challenge_type": "oob", "oob_code": oob_code, "binding_method": "prompt"}))
    }

    /// `POST /mfa/associate`.
    pub async fn mfa_associate(
        &self,
        context: &Context,
        presented: Presented<'_>,
        body: &Json,
    ) -> Result<Value, OAuthError> {
        let (token, _) = presented;
        let bearer = self.mfa_bearer(presented).await?;
        bearer.require(ENROL)?;
        let enrolled = self.enrolled(bearer.user.row).await;
        if bearer.scopes.is_none() && enrolled.map_err(engine_refusal)?.asks() {
            return Err(OAuthError::denied("User is already enrolled."));
        }
        let person = Person {
            user: &bearer.user,
            client: None,
        };
        let has = |list: &str, wanted: &str| {
            let list = body.get(list).and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|value| value == wanted))
        };
        if has("authenticator_types", "otp") {
            let begun = self.begin_totp_enrolment(context, person, token);
            let begun = begun.await.map_err(|error| refusal(error.into()))?;
            let mut answer = json!({
                "authenticator_type": "otp", "secret": begun.secret.expose(),
                "barcode_uri": begun.uri.as_str(),
            });
            if let (Some(code), Some(answer)) = (begun.recovery_code, answer.as_object_mut()) {
                answer.insert("recovery_codes".into(), json!([code.expose()]));
            }
            return Ok(answer);
        }
        if has("authenticator_types", "oob") && has("oob_channels", "email") {
            return self.associate_address(context, person).await;
        }
        let text = "authenticator_types must name otp, or oob with the oob_channels email";
        Err(OAuthError::invalid_request(text))
    }

    /// The user's own address becomes a factor once a code comes back from it.
    async fn associate_address(
        &self,
        context: &Context,
        person: Person<'_>,
    ) -> Result<Value, OAuthError> {
        let guardian = self.guardian().await.map_err(engine_refusal)?;
        let address = person.user.attributes.email.as_ref();
        let Some(address) = address.filter(|_| guardian.allows("email")) else {
            let text = "The user has no address that a code could be sent to";
            return Err(OAuthError::invalid_request(text));
        };
        let recovery = self.first_recovery_code(person).await;
        let recovery = recovery.map_err(engine_refusal)?;
        let hash = recovery.as_ref().map(|code| token_hash(code.expose()));
        let sent = self.send_code(context, person, address.as_str(), Some(hash));
        let mut answer = json!({
            "authenticator_type": "oob", "oob_channel": "email", "binding_method": "prompt",
            "oob_code": sent.await.map_err(refusal)?,
        });
        if let (Some(code), Some(answer)) = (recovery, answer.as_object_mut()) {
            answer.insert("recovery_codes".into(), json!([code.expose()]));
        }
        Ok(answer)
    }

    /// `GET /mfa/authenticators`.
    pub async fn mfa_authenticators(
        &self,
        presented: Presented<'_>,
    ) -> Result<Vec<Value>, OAuthError> {
        let bearer = self.mfa_bearer(presented).await?;
        bearer.require(READ)?;
        let enrolled = self.enrolled(bearer.user.row).await;
        Ok(authenticators(&enrolled.map_err(engine_refusal)?))
    }

    /// `DELETE /mfa/authenticators/{id}`.
    pub async fn delete_authenticator(
        &self,
        context: &Context,
        presented: Presented<'_>,
        id: &str,
    ) -> Result<(), OAuthError> {
        let bearer = self.mfa_bearer(presented).await?;
        bearer.require(REMOVE)?;
        if bearer.scopes.is_none() {
            let text = "An access token with the scope remove:authenticators is needed.";
            return Err(OAuthError::denied(text));
        }
        let removed = self.remove_method(context, &bearer.user, id).await;
        removed.map_err(|error| match error {
            Error::Missing { .. } => OAuthError::invalid_request("Unknown authenticator."),
            other => engine_refusal(other),
        })
    }

    /// A dot tells an access token from the token of an interrupted login.
    async fn mfa_bearer(&self, (token, key): Presented<'_>) -> Result<Bearer, OAuthError> {
        if !token.contains('.') {
            let (_, user) = self.interrupted(token).await?;
            return Ok(Bearer { user, scopes: None });
        }
        let claims = self.access_claims(token).await?;
        check_key(&claims, key)?;
        self.mfa_owner(&claims).await
    }

    /// Whose access token for this API it is.
    pub(super) async fn mfa_owner(&self, claims: &Json) -> Result<Bearer, OAuthError> {
        if !audience_contains(claims, &self.settings.issuer.join("mfa/")) {
            return Err(OAuthError::invalid_token("the token is not for /mfa"));
        }
        let subject = claims.get("sub").and_then(Value::as_str);
        let user_id = subject.unwrap_or_default().into();
        let user = self.store.find_user(&user_id);
        let user = user
            .await
            .map_err(outage)?
            .filter(|user| !user.is_blocked());
        Ok(Bearer {
            user: user.ok_or_else(|| OAuthError::invalid_token("the user is gone"))?,
            scopes: Some(Scopes::of_claims(claims)),
        })
    }
}

/// `otp` or `oob`: what was asked for, of what the user has.
fn asked_way(
    request: &MfaChallengeRequest,
    enrolled: &Enrolled,
    user: &User,
) -> Option<&'static str> {
    let types = request.challenge_type.as_deref().unwrap_or("otp oob");
    let id = request.authenticator_id.as_deref();
    let may = |way: &str, kind: &str| {
        let names_kind = id.is_none_or(|id| id.split('|').next() == Some(kind));
        types.split(' ').any(|asked| asked == way) && names_kind
    };
    if may("otp", "totp") && enrolled.totps().next().is_some() {
        return Some("otp");
    }
    (may("oob", "email") && enrolled.address(user).is_some()).then_some("oob")
}

fn authenticators(enrolled: &Enrolled) -> Vec<Value> {
    let mut list = Vec::new();
    for stored in &enrolled.factors {
        let id = factor_id(stored);
        list.push(match &stored.factor {
            domain::MfaFactor::Totp(_) => {
                json!({"id": id, "authenticator_type": "otp", "active": true})
            }
            domain::MfaFactor::Email(address) => json!({
                "id": id, "authenticator_type": "oob", "oob_channel": "email",
                "name": veiled(address), "active": true,
            }),
            // Nobody sends text messages here.
            domain::MfaFactor::Phone(number) => json!({
                "id": id, "authenticator_type": "oob", "oob_channel": "sms",
                "name": veiled(number), "active": false,
            }),
        });
    }
    if enrolled.recovery.is_some() {
        list.push(json!({
            "id": RECOVERY_ID, "authenticator_type": "recovery-code", "active": true,
        }));
    }
    list
}

/// An address or number whose owner recognises it: `z***@e***.org`, `***34`.
pub fn veiled(text: &str) -> String {
    let Some((local, host)) = text.split_once('@') else {
        let kept = text.len().saturating_sub(2);
        return format!("***{}", text.get(kept..).unwrap_or_default());
    };
    let first = |text: &str| text.chars().take(1).collect::<String>();
    let end = host.rsplit_once('.').map_or("", |(_, end)| end);
    format!("{}***@{}***.{end}", first(local), first(host))
}

fn refusal(error: FactorError) -> OAuthError {
    match error {
        FactorError::Wrong => {
            OAuthError::unsupported_challenge_type("User does not have such an authenticator")
        }
        FactorError::TooMany => OAuthError::too_many_codes(),
        FactorError::Failed(Error::Invalid { message, .. }) => OAuthError::invalid_request(message),
        FactorError::Failed(error) => engine_refusal(error),
    }
}
