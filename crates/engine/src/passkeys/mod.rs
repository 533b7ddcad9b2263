//! Passkeys and security keys (Web Authentication Level 2): enrolled after another proof, good as a
//! first factor when the authenticator verified its user, as a second one in any case.
//!
//! Challenges are kept once, for five minutes, bound to the login they were made for. What a
//! browser sends is read in `response`, keys and signatures in `public_key`, CBOR in `cbor`. A
//! counter that does not grow tells of a copied authenticator: it is refused.

mod cbor;
mod door;
mod place;
mod public_key;
mod response;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Authentication, AuthenticationMethod, EventKind, User, UserRow};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{NewChallenge, StoreError, StoredPasskey, Write};

use crate::error::{Error, Result};
use crate::issue::token_hash;
use crate::mfa::Person;
use crate::{Context, Engine};

pub use door::Door;
pub(crate) use place::host_of;
use place::origin_of;
pub use response::CredentialResponse;

const GET: &str = "webauthn-get";
const CREATE: &str = "webauthn-create";
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Keys that one user may have.
const MOST: usize = 20;

/// What a new key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Signing in without a password.
    Passkey,
    /// A second factor after the password.
    SecurityKey,
}

/// A key was refused.
#[derive(Debug)]
pub enum PasskeyError {
    /// It proves nothing; why is in the log.
    Refused,
    /// It proves a user whom an administrator barred.
    Blocked,
    /// Anything that is not the person's fault.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for PasskeyError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Engine {
    /// Options for `navigator.credentials.get`: any passkey of this site. `bound_to` names the
    /// login; the answer must come back to the same.
    pub async fn begin_passkey_sign_in(&self, bound_to: &str) -> Result<Value> {
        let challenge = self.challenge(GET, bound_to, None).await?;
        Ok(self.request_options(&challenge, "required", &[]))
    }

    /// The same for a second factor: one of this user's keys.
    pub async fn begin_key_challenge(&self, user: &User, bound_to: &str) -> Result<Value> {
        let keys = self.store.list_passkeys(user.row).await?;
        let challenge = self.challenge(GET, bound_to, Some(user.row)).await?;
        Ok(self.request_options(&challenge, "preferred", &keys))
    }

    /// Ends a sign-in. Its one method is [`AuthenticationMethod::WebAuthn`]: with user verification
    /// it is two factors. The user comes in through a connection that the door admits, or not at all.
    pub async fn finish_passkey_sign_in(
        &self,
        context: &Context,
        door: &Door<'_>,
        response: &CredentialResponse,
    ) -> Result<(User, Authentication), PasskeyError> {
        let (user, key) = self.owner(response).await?;
        let Some(connection) = self.admitted_by(door, &user).await? else {
            let unfit = response::Unfit("no connection of the user's serves this login");
            return Err(self.key_refused(context, &user, &unfit).await);
        };
        self.check_key(
            context,
            (&user, &key),
            (door.bound_to, None),
            response,
            |write| {
                write.record_login(user.row, context.ip.as_deref(), self.now());
                let person = Person {
                    user: &user,
                    client: Some(door.client),
                };
                let mut event = self.factor_event(context, person, EventKind::Login);
                event.connection = Some((connection.id.clone(), connection.name.clone()));
                write.log(&event);
            },
        )
        .await?;
        let authentication = Authentication {
            user: user.row,
            user_id: user.user_id.clone(),
            connection: Some(connection.id),
            session: None,
            at: self.now(),
            methods: vec![AuthenticationMethod::WebAuthn],
        };
        Ok((user, authentication))
    }

    /// Proves a second factor by one of the user's keys.
    pub async fn finish_key_challenge(
        &self,
        context: &Context,
        (user, bound_to): (&User, &str),
        response: &CredentialResponse,
        also: impl FnOnce(&mut Write) + Send,
    ) -> Result<AuthenticationMethod, PasskeyError> {
        let (owner, key) = self.owner(response).await?;
        if owner.row != user.row {
            return Err(PasskeyError::Refused);
        }
        let person = Person { user, client: None };
        self.check_key(
            context,
            (user, &key),
            (bound_to, Some(user.row)),
            response,
            |write| {
                write.log(&self.factor_event(context, person, EventKind::MfaSucceeded));
                also(write);
            },
        )
        .await?;
        Ok(AuthenticationMethod::WebAuthn)
    }

    /// Options for `navigator.credentials.create`.
    pub async fn begin_passkey_enrolment(
        &self,
        user: &User,
        bound_to: &str,
        purpose: KeyUse,
    ) -> Result<Value> {
        let keys = self.store.list_passkeys(user.row).await?;
        let factor = match purpose {
            KeyUse::Passkey => "webauthn-platform",
            KeyUse::SecurityKey => "webauthn-roaming",
        };
        if keys.len() >= MOST || !self.guardian().await?.allows(factor) {
            return Err(Error::invalid("No further key can be enrolled."));
        }
        let bound_to = bound_for(bound_to, purpose);
        let challenge = self.challenge(CREATE, &bound_to, Some(user.row)).await?;
        let name = user.attributes.email.as_ref().map(ToString::to_string);
        let name = name.unwrap_or_else(|| user.user_id.to_string());
        let shown = user.attributes.name.clone().unwrap_or_else(|| name.clone());
        let algorithms =
            public_key::ALGORITHMS.map(|number| json!({"type": "public-key", "alg": number}));
        let selection = match purpose {
            KeyUse::Passkey => json!({
                "residentKey": "required", "requireResidentKey": true,
                "userVerification": "required",
            }),
            KeyUse::SecurityKey => json!({
                "residentKey": "discouraged", "requireResidentKey": false,
                "userVerification": "preferred",
            }),
        };
        let host = host_of(&self.settings.issuer);
        Ok(json!({
            "rp": {"id": host, "name": host},
            "user": {
                "id": URL_SAFE_NO_PAD.encode(self.user_handle(user)), "name": name,
                "displayName": shown,
            },
            "challenge": challenge, "pubKeyCredParams": algorithms, "timeout": 300_000,
            "attestation": "none", "authenticatorSelection": selection,
            "excludeCredentials": described(&keys), "extensions": {"credProps": true},
        }))
    }

    /// Stores a new key of the user's.
    pub async fn finish_passkey_enrolment(
        &self,
        context: &Context,
        (user, bound_to, purpose): (&User, &str, KeyUse),
        response: &CredentialResponse,
        name: Option<&str>,
    ) -> Result<StoredPasskey, PasskeyError> {
        let bound_to = bound_for(bound_to, purpose);
        let spent = self
            .open_challenge(CREATE, &bound_to, Some(user.row), response)
            .await?;
        let issuer = &self.settings.issuer;
        let read = response.registration(origin_of(issuer), host_of(issuer));
        let read = read.map_err(|unfit| refused(&unfit))?;
        if purpose == KeyUse::Passkey && !read.user_verified {
            return Err(refused(&response::Unfit("the user was not verified")));
        }
        let now = self.now();
        let key = StoredPasskey {
            credential_id: read.credential_id,
            user: user.row,
            public_key: read.public_key,
            sign_count: i64::from(read.sign_count),
            transports: read.transports,
            backed_up: read.backed_up,
            second_factor: purpose == KeyUse::SecurityKey,
            name: name.map(|name| name.chars().take(100).collect()),
            created_at: now,
            last_used_at: None,
        };
        let person = Person { user, client: None };
        let mut write = self.store.write();
        write.change_factors_of(user.row, now);
        write.use_challenge(&spent, now);
        write.insert_passkey(&key);
        write.log(&self.factor_event(context, person, EventKind::MfaEnrolled));
        self.commit_key(write).await?;
        Ok(key)
    }

    /// The key that a response names, and whose it is.
    async fn owner(
        &self,
        response: &CredentialResponse,
    ) -> Result<(User, StoredPasskey), PasskeyError> {
        let id = response.credential_id().map_err(|unfit| refused(&unfit))?;
        let key = self.store.find_passkey(&id).await?;
        let key = key.ok_or(PasskeyError::Refused)?;
        let user = self.store.find_user_by_row(key.user).await?;
        let user = user.ok_or(PasskeyError::Refused)?;
        Ok((user, key))
    }

    async fn check_key(
        &self,
        context: &Context,
        (user, key): (&User, &StoredPasskey),
        (bound_to, asked): (&str, Option<UserRow>),
        response: &CredentialResponse,
        also: impl FnOnce(&mut Write) + Send,
    ) -> Result<(), PasskeyError> {
        let spent = self.open_challenge(GET, bound_to, asked, response).await?;
        let checked = self.checked_key(user, key, asked.is_none(), response);
        let assertion = match checked {
            Ok(assertion) => assertion,
            Err(unfit) => return Err(self.key_refused(context, user, &unfit).await),
        };
        if user.is_blocked() {
            return Err(PasskeyError::Blocked);
        }
        let now = self.now();
        let mut write = self.store.write();
        // What touches the user's row goes first, as everywhere.
        also(&mut write);
        write.use_challenge(&spent, now);
        let seen = (i64::from(assertion.sign_count), assertion.backed_up);
        write.use_passkey(key, seen, now);
        self.commit_key(write).await
    }

    fn checked_key(
        &self,
        user: &User,
        key: &StoredPasskey,
        alone: bool,
        response: &CredentialResponse,
    ) -> Result<response::Assertion, response::Unfit> {
        let issuer = &self.settings.issuer;
        // Nobody was asked for: the response must say who it is (§7.2 step 6).
        match response.user_handle()? {
            Some(handle) if handle != self.user_handle(user) => {
                return Err(response::Unfit("another user's handle"));
            }
            None if alone => return Err(response::Unfit("no user's handle")),
            _ => {}
        }
        let place = (origin_of(issuer), host_of(issuer));
        let assertion = response.assertion(place, &key.public_key)?;
        if alone && (!assertion.user_verified || key.second_factor) {
            return Err(response::Unfit("no first factor"));
        }
        // An authenticator that counts, counts on (§7.2 step 21).
        let count = i64::from(assertion.sign_count);
        if (count != 0 || key.sign_count != 0) && count <= key.sign_count {
            return Err(response::Unfit(
                "the counter went back: a copied authenticator?",
            ));
        }
        Ok(assertion)
    }

    /// What an authenticator knows a user by: nothing that tells who it is.
    fn user_handle(&self, user: &User) -> Vec<u8> {
        let text = format!("{}\n{}", self.settings.issuer, user.user_id);
        Sha256::digest(text.as_bytes()).to_vec()
    }

    async fn challenge(
        &self,
        kind: &'static str,
        bound_to: &str,
        user: Option<UserRow>,
    ) -> Result<String> {
        let mut bytes = [0_u8; 32];
        self.entropy.fill(&mut bytes);
        let challenge = URL_SAFE_NO_PAD.encode(bytes);
        let now = self.now();
        let mut write = self.store.write();
        let kept = NewChallenge {
            id_hash: &token_hash(&challenge),
            kind,
            user,
            body: bound_to,
            expires_at: now.plus(LIFETIME),
        };
        write.insert_challenge(&kept, now)?;
        self.store.commit(write).await?;
        Ok(challenge)
    }

    /// The hash of the open challenge that a response answers.
    async fn open_challenge(
        &self,
        kind: &str,
        bound_to: &str,
        user: Option<UserRow>,
        response: &CredentialResponse,
    ) -> Result<String, PasskeyError> {
        let challenge = response.challenge().map_err(|unfit| refused(&unfit))?;
        let id_hash = token_hash(&challenge);
        let found = self
            .store
            .find_challenge(&id_hash, kind, self.now())
            .await?;
        let fits =
            |found: &store::StoredChallenge| found.user == user && found.body.as_str() == bound_to;
        match found.filter(fits) {
            Some(_) => Ok(id_hash),
            None => Err(refused(&response::Unfit("no such challenge"))),
        }
    }

    async fn commit_key(&self, write: Write) -> Result<(), PasskeyError> {
        match self.store.commit(write).await {
            Ok(()) => Ok(()),
            Err(StoreError::Stale { .. }) => Err(PasskeyError::Refused),
            Err(error) => Err(error.into()),
        }
    }

    fn request_options(&self, challenge: &str, verify: &str, keys: &[StoredPasskey]) -> Value {
        json!({
            "challenge": challenge, "rpId": host_of(&self.settings.issuer), "timeout": 300_000,
            "userVerification": verify, "allowCredentials": described(keys),
        })
    }
}

/// A challenge for one use is no challenge for the other.
fn bound_for(bound_to: &str, purpose: KeyUse) -> String {
    format!("{bound_to}/{purpose:?}")
}

fn described(keys: &[StoredPasskey]) -> Vec<Value> {
    keys.iter()
        .map(|key| {
            json!({"type": "public-key", "id": key.credential_id, "transports": key.transports})
        })
        .collect()
}

fn refused(unfit: &response::Unfit) -> PasskeyError {
    tracing::debug!(why = unfit.0, "a passkey response was refused");
    PasskeyError::Refused
}
