//! Signing keys as administrators see and rotate them, and what signs which token.

use domain::{Client, ClientSecret, EventKind, Instant, Json, KeyId, ResourceServer};
use oidc::jwt::{SignError, SigningKey, sign_with_secret};
use oidc::{Algorithm, Jwks};
use serde::Serialize;
use serde_json::Value;
use store::{KeyState, StoreError, StoredKey};

use crate::error::{Error, Result};
use crate::keys::{Surroundings, add_key};
use crate::{Context, Engine};

/// A key as administrators see it.
#[derive(Debug)]
pub struct ShownKey {
    /// The key, with its certificate.
    pub key: SigningKey,
    /// Its place in the rotation.
    pub state: KeyState,
    /// When it began to sign.
    pub current_since: Option<Instant>,
    /// When it stopped.
    pub current_until: Option<Instant>,
    /// When it was withdrawn.
    pub revoked_at: Option<Instant>,
}

impl Engine {
    pub(crate) fn key_surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            store: &self.store,
            clock: &*self.clock,
            entropy: &*self.entropy,
        }
    }

    /// The public keys: those that sign, will sign, or signed what is still alive. Those for ES256 are
    /// shown once a client or an API asks for it: libraries that know nothing but RSA, auth0-python's
    /// verifier among them, refuse a set that holds anything else.
    pub async fn jwks(&self) -> Jwks {
        let algorithm = Algorithm::Es256;
        let asked_for = self.store.signs_by(algorithm.as_str()).await;
        let asked_for = asked_for.unwrap_or_else(|error| {
            tracing::warn!(%error, "all keys are published: who needs which is not known");
            true
        });
        let jwks = self.keys.current().jwks(self.now());
        if asked_for {
            jwks
        } else {
            jwks.without(algorithm)
        }
    }

    /// Takes over what other processes changed; rotates when the current key is old.
    pub async fn refresh_signing_keys(&self) -> Result<()> {
        self.keys.refresh(&self.key_surroundings()).await
    }

    /// All keys: next, current, previous, the newest first.
    pub async fn signing_keys(&self) -> Result<Vec<ShownKey>> {
        let mut stored = self.store.list_signing_keys().await?;
        stored.sort_by_key(|key| match key.state {
            KeyState::Next => 0,
            KeyState::Current => 1,
            KeyState::Previous => 2,
        });
        stored.iter().map(|key| self.shown(key)).collect()
    }

    /// One key.
    pub async fn signing_key(&self, kid: &KeyId) -> Result<ShownKey> {
        let stored = self.store.list_signing_keys().await?;
        let key = stored.iter().find(|key| key.kid == *kid);
        self.shown(key.ok_or_else(no_such_key)?)
    }

    fn shown(&self, stored: &StoredKey) -> Result<ShownKey> {
        Ok(ShownKey {
            key: self.keys.parse(stored)?,
            state: stored.state,
            current_since: stored.current_since,
            current_until: stored.retired_at,
            revoked_at: stored.revoked_at,
        })
    }

    /// The next key signs from now on; returns the key that will follow it.
    pub async fn rotate_signing_keys(&self, context: &Context) -> Result<ShownKey> {
        let event = self
            .management_event(context, EventKind::Management, "Rotate the signing key")
            .await?;
        let around = self.key_surroundings();
        let is_done = self
            .keys
            .rotate(&around, |write| {
                write.log(&event);
            })
            .await?;
        if !is_done {
            return Err(Error::Conflict {
                message: "The signing key was rotated by another request.".into(),
                code: "conflict",
            });
        }
        let keys = self.signing_keys().await?;
        let next = keys.into_iter().find(|key| key.state == KeyState::Next);
        next.ok_or_else(|| Error::internal("no next signing key"))
    }

    /// Withdraws a key: its tokens are refused here at once, and by other processes as soon as they
    /// look at the keys anew.
    pub async fn revoke_signing_key(&self, context: &Context, kid: &KeyId) -> Result<ShownKey> {
        let key = self.signing_key(kid).await?;
        if key.state == KeyState::Current {
            return Err(Error::invalid(
                "The current signing key cannot be revoked. Rotate it first.",
            ));
        }
        if key.revoked_at.is_some() {
            return Err(Error::invalid("The signing key has already been revoked."));
        }
        let mut event = self
            .management_event(context, EventKind::Management, "Revoke a signing key")
            .await?;
        event
            .details
            .insert("concerned".into(), serde_json::json!({"kid": kid}));
        let mut write = self.store.write();
        write.revoke_signing_key(kid, self.now());
        write.log(&event);
        match self.store.commit(write).await {
            Err(StoreError::Stale { .. }) => {
                return Err(Error::Conflict {
                    message: "The signing key was changed by another request.".into(),
                    code: "conflict",
                });
            }
            other => other?,
        }
        if key.state == KeyState::Next {
            add_key(&self.key_surroundings(), KeyState::Next).await?;
        }
        self.keys.reload(&self.store).await?;
        self.signing_key(kid).await
    }

    /// Signs an access token with the algorithm of its API.
    pub(crate) fn sign_for_api<C: Serialize>(
        &self,
        api: Option<&ResourceServer>,
        typ: &str,
        claims: &C,
    ) -> Result<String, SignError> {
        let algorithm = api.and_then(|api| api.attributes.get("signing_alg"));
        self.keys
            .current()
            .current()
            .sign_by(ours(algorithm), Some(typ), claims)
    }

    /// Signs an ID token (or another answer to a client) as the client wants it.
    pub(crate) fn sign_for_client<C: Serialize>(
        &self,
        client: &Client,
        claims: &C,
    ) -> Result<String, SignError> {
        let configuration = client.attributes.get("jwt_configuration");
        let name = configuration.and_then(|configuration| configuration.get("alg"));
        let typ = Some(oidc::jwt::JWT);
        match (name.and_then(Value::as_str), secret_of(client)) {
            (Some("HS256"), Some(secret)) => sign_with_secret(secret, typ, claims),
            _ => self
                .keys
                .current()
                .current()
                .sign_by(ours(name), typ, claims),
        }
    }
}

/// A public client has a secret that nobody was told; a signature by it would convince nobody.
fn secret_of(client: &Client) -> Option<&ClientSecret> {
    (client.auth != domain::TokenEndpointAuth::None).then_some(&client.secret)
}

/// RS256 unless another one of ours is asked for.
fn ours(name: Option<&Value>) -> Algorithm {
    name.and_then(Value::as_str)
        .and_then(Algorithm::parse)
        .filter(|algorithm| Algorithm::OURS.contains(algorithm))
        .unwrap_or(Algorithm::Rs256)
}

/// The key's members on the wire.
pub fn shown_body(shown: &ShownKey) -> Json {
    let mut body = Json::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("kid", shown.key.kid().as_str().into());
    if let Some(certificate) = shown.key.certificate() {
        put("cert", certificate.pem().into());
        put("pkcs7", certificate.pkcs7().into());
        put("fingerprint", certificate.fingerprint().into());
        put("thumbprint", certificate.thumbprint().into());
    }
    put("current", (shown.state == KeyState::Current).into());
    put("next", (shown.state == KeyState::Next).into());
    put("previous", (shown.state == KeyState::Previous).into());
    let times = [
        ("current_since", shown.current_since),
        ("current_until", shown.current_until),
        ("revoked_at", shown.revoked_at),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            put(name, time.to_string().into());
        }
    }
    put("revoked", shown.revoked_at.is_some().into());
    body
}

fn no_such_key() -> Error {
    Error::Missing {
        message: "The signing key does not exist.".into(),
        code: "inexistent_signing_key",
    }
}
