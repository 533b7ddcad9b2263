//! The signing keys of this process: loaded from the store, kept parsed, rotated in time.
//!
//! A `next` key is published before it signs, so that no verifier meets a key it can't know.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::{Clock, Entropy, Instant, KeyId};
use oidc::{KeySet, RetiredKey, SigningKey};
use store::{Key, KeyState, Store, StoredKey};

use crate::error::{Error, Result};

/// Tokens live shorter than this; a retired key still verifies until then.
const LONGEST_TOKEN: Duration = Duration::from_secs(30 * 86_400);

/// The present set of keys.
pub struct KeyRing {
    keys: RwLock<Arc<KeySet>>,
    lifetime: Duration,
}

impl KeyRing {
    /// Loads the keys; the first process of a new store makes them.
    pub(crate) async fn load(
        store: &Store,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
        lifetime: Duration,
    ) -> Result<Self> {
        let mut stored = store.list_signing_keys().await?;
        for state in [KeyState::Current, KeyState::Next] {
            if !stored.iter().any(|key| key.state == state) {
                add_key(store, state, clock.now(), entropy).await?;
                stored = store.list_signing_keys().await?;
            }
        }
        Ok(Self {
            keys: RwLock::new(Arc::new(key_set(&stored)?)),
            lifetime,
        })
    }

    /// The keys to sign and verify with.
    pub fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over what other processes changed, and rotates when the current key is old.
    pub async fn refresh(
        &self,
        store: &Store,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<()> {
        let stored = store.list_signing_keys().await?;
        let now = clock.now();
        let is_old = current_since(&stored).is_some_and(|since| since.plus(self.lifetime) <= now);
        if is_old {
            return self.rotate(store, clock, entropy).await;
        }
        self.replace(key_set(&stored)?);
        Ok(())
    }

    /// Next becomes current, and a new next is published. Losing against another process is fine.
    pub async fn rotate(
        &self,
        store: &Store,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<()> {
        let stored = store.list_signing_keys().await?;
        let kid = |state| {
            stored
                .iter()
                .find(|key| key.state == state)
                .map(|key| key.kid.clone())
        };
        if let (Some(current), Some(next)) = (kid(KeyState::Current), kid(KeyState::Next)) {
            let now = clock.now();
            let mut write = store.write();
            write.rotate_signing_keys(&current, &next, now);
            write.forget_signing_keys(now.minus(LONGEST_TOKEN));
            match store.commit(write).await {
                Ok(()) => add_key(store, KeyState::Next, now, entropy).await?,
                Err(store::StoreError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.replace(key_set(&store.list_signing_keys().await?)?);
        Ok(())
    }

    fn replace(&self, keys: KeySet) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

/// Since when the current key signs: since the last one retired, or since it was made.
fn current_since(stored: &[StoredKey]) -> Option<Instant> {
    let retired = stored.iter().filter_map(|key| key.retired_at).max();
    let current = stored.iter().find(|key| key.state == KeyState::Current);
    retired.or(current.map(|key| key.created_at))
}

async fn add_key(
    store: &Store,
    state: KeyState,
    now: Instant,
    entropy: &dyn Entropy,
) -> Result<()> {
    let kid = KeyId::generate(entropy);
    let (key, der) = tokio::task::spawn_blocking(|| SigningKey::generate(kid))
        .await
        .map_err(Error::internal)?
        .map_err(Error::internal)?;
    let mut write = store.write();
    write.insert_signing_key(key.kid(), state, &der, now)?;
    match store.commit(write).await {
        // Another process was first; its key serves as well.
        Err(error) if error.is_conflict_on(Key::SigningKeyState) => Ok(()),
        other => Ok(other?),
    }
}

fn key_set(stored: &[StoredKey]) -> Result<KeySet> {
    let parse = |key: &StoredKey| {
        SigningKey::from_der(key.kid.clone(), &key.private_key)
            .map(Arc::new)
            .map_err(Error::internal)
    };
    let of = |state| stored.iter().filter(move |key| key.state == state);
    let current = of(KeyState::Current).next().map(parse).transpose()?;
    let current = current.ok_or_else(|| Error::internal("no current signing key"))?;
    let next = of(KeyState::Next).next().map(parse).transpose()?;
    let mut retired = Vec::new();
    for key in of(KeyState::Previous) {
        let until = key.retired_at.unwrap_or(key.created_at).plus(LONGEST_TOKEN);
        retired.push(RetiredKey {
            key: parse(key)?.verifying_key().clone(),
            until,
        });
    }
    Ok(KeySet::new(current, next, retired))
}
