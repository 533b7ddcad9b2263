//! The signing keys of this process: loaded from the store, kept parsed, rotated in time.
//!
//! A `next` key is published before it signs, so that no verifier meets a key it can't know.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::{Clock, Entropy, KeyId};
use oidc::{KeySet, RetiredKey, SigningKey};
use store::{Key, KeyState, Store, StoredKey, Write};

use crate::error::{Error, Result};

/// Tokens live shorter than this; a retired key still verifies until then.
const LONGEST_TOKEN: Duration = Duration::from_secs(30 * 86_400);

/// The present set of keys.
pub struct KeyRing {
    keys: RwLock<Arc<KeySet>>,
    lifetime: Duration,
    /// Whom the keys' certificates name.
    subject: String,
}

/// What keys are made with.
pub(crate) struct Surroundings<'a> {
    /// Where keys are kept.
    pub store: &'a Store,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Randomness, for names.
    pub entropy: &'a dyn Entropy,
}

impl KeyRing {
    /// Loads the keys; the first process of a new store makes them.
    pub(crate) async fn load(
        around: &Surroundings<'_>,
        lifetime: Duration,
        subject: &str,
    ) -> Result<Self> {
        let mut stored = around.store.list_signing_keys().await?;
        for state in [KeyState::Current, KeyState::Next] {
            if !stored.iter().any(|key| key.state == state) {
                add_key(around, state).await?;
                stored = around.store.list_signing_keys().await?;
            }
        }
        Ok(Self {
            keys: RwLock::new(Arc::new(key_set(&stored, subject)?)),
            lifetime,
            subject: subject.to_owned(),
        })
    }

    /// The keys to sign and verify with.
    pub fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over what other processes changed, and rotates when the current key is old. A next key
    /// that is missing (its maker died, or somebody revoked it) is made.
    pub(crate) async fn refresh(&self, around: &Surroundings<'_>) -> Result<()> {
        let stored = around.store.list_signing_keys().await?;
        if !stored.iter().any(|key| key.state == KeyState::Next) {
            add_key(around, KeyState::Next).await?;
            return self.reload(around.store).await;
        }
        let now = around.clock.now();
        let current = stored.iter().find(|key| key.state == KeyState::Current);
        let since = current.map(|key| key.current_since.unwrap_or(key.created_at));
        if since.is_some_and(|since| since.plus(self.lifetime) <= now) {
            return self.rotate(around, |_| ()).await.map(drop);
        }
        self.replace(&stored)
    }

    /// Next becomes current, and a new next is published. `false` when another process was faster,
    /// which is fine. `note` adds to the batch.
    pub(crate) async fn rotate(
        &self,
        around: &Surroundings<'_>,
        note: impl FnOnce(&mut Write),
    ) -> Result<bool> {
        let stored = around.store.list_signing_keys().await?;
        let kid = |state| {
            let mut keys = stored.iter();
            keys.find(|key| key.state == state)
                .map(|key| key.kid.clone())
        };
        let mut is_done = false;
        if let (Some(current), Some(next)) = (kid(KeyState::Current), kid(KeyState::Next)) {
            let now = around.clock.now();
            let mut write = around.store.write();
            write.rotate_signing_keys(&current, &next, now);
            write.forget_signing_keys(now.minus(LONGEST_TOKEN));
            note(&mut write);
            match around.store.commit(write).await {
                Ok(()) => {
                    is_done = true;
                    add_key(around, KeyState::Next).await?;
                }
                Err(store::StoreError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.reload(around.store).await?;
        Ok(is_done)
    }

    /// Takes over what the store holds.
    pub(crate) async fn reload(&self, store: &Store) -> Result<()> {
        self.replace(&store.list_signing_keys().await?)
    }

    fn replace(&self, stored: &[StoredKey]) -> Result<()> {
        let keys = Arc::new(key_set(stored, &self.subject)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// A stored key with its certificate.
    pub(crate) fn parse(&self, stored: &StoredKey) -> Result<SigningKey> {
        parse(stored, &self.subject)
    }
}

pub(crate) async fn add_key(around: &Surroundings<'_>, state: KeyState) -> Result<()> {
    let kid = KeyId::generate(around.entropy);
    let (key, der) = tokio::task::spawn_blocking(|| SigningKey::generate(kid))
        .await
        .map_err(Error::internal)?
        .map_err(Error::internal)?;
    let mut write = around.store.write();
    write.insert_signing_key(key.kid(), state, &der, around.clock.now())?;
    match around.store.commit(write).await {
        // Another process was first; its key serves as well.
        Err(error) if error.is_conflict_on(Key::SigningKeyState) => Ok(()),
        other => Ok(other?),
    }
}

fn parse(stored: &StoredKey, subject: &str) -> Result<SigningKey> {
    SigningKey::from_der(stored.kid.clone(), &stored.private_key)
        .and_then(|key| key.certified(subject, stored.created_at))
        .map_err(Error::internal)
}

/// Keys that were revoked are no part of it.
fn key_set(stored: &[StoredKey], subject: &str) -> Result<KeySet> {
    let parsed = |key: &StoredKey| parse(key, subject).map(Arc::new);
    let of = |state| {
        let keys = stored.iter().filter(|key| key.revoked_at.is_none());
        keys.filter(move |key| key.state == state)
    };
    let current = of(KeyState::Current).next().map(parsed).transpose()?;
    let current = current.ok_or_else(|| Error::internal("no current signing key"))?;
    let next = of(KeyState::Next).next().map(parsed).transpose()?;
    let mut retired = Vec::new();
    for key in of(KeyState::Previous) {
        let until = key.retired_at.unwrap_or(key.created_at).plus(LONGEST_TOKEN);
        retired.push(RetiredKey {
            key: parse(key, subject)?.verifying_key().clone(),
            until,
        });
    }
    Ok(KeySet::new(current, next, retired))
}
