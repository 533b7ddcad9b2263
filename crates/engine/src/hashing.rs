//! The bounded pool that hashes: never on an async thread, never more at once than set.
//!
//! Also keeps the dummy hash that stands in where no password is stored, so that an unknown user
//! costs what a wrong password costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Entropy, HashText, Password};
use password::{PasswordHash, Scheme};
use tokio::sync::{Semaphore, oneshot};

use self::threads::Threads;
use crate::error::{Error, Result};

mod foreign;
mod identify;
mod threads;

/// Callers that may wait for a turn. More would only time out: refuse them at once.
const WAITING: usize = 2000;

/// Hashes and verifies passwords.
pub struct HashPool {
    scheme: Scheme,
    entropy: Arc<dyn Entropy>,
    threads: Threads,
    queue: Arc<Semaphore>,
    dummy: Arc<PasswordHash>,
    verifications: AtomicU64,
    /// The one search for what made a hash.
    searching: Arc<Semaphore>,
}

impl HashPool {
    /// A pool for `threads` computations at once.
    pub fn new(scheme: Scheme, threads: usize, entropy: Arc<dyn Entropy>) -> Result<Self> {
        let dummy = PasswordHash::from_stored(&dummy_text(scheme)).map_err(Error::internal)?;
        Ok(Self {
            scheme,
            entropy,
            threads: Threads::start(threads.max(1)).map_err(Error::internal)?,
            queue: Arc::new(Semaphore::new(WAITING)),
            dummy: Arc::new(dummy),
            verifications: AtomicU64::new(0),
            searching: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether a stored hash is of the current scheme.
    pub fn is_current(&self, hash: &PasswordHash) -> bool {
        hash.is_current(&self.scheme)
    }

    /// Hashes a password under the current scheme.
    pub async fn hash(&self, password: &Arc<Password>) -> Result<HashText> {
        let (scheme, entropy) = (self.scheme, Arc::clone(&self.entropy));
        let password = Arc::clone(password);
        let hash = self.run(move || scheme.hash(&password, &*entropy)).await?;
        hash.map(|hash| hash.to_stored()).map_err(Error::internal)
    }

    /// Puts a stored fast hash under a slow one; `None` when it is not fast.
    pub(crate) async fn wrap(&self, stored: &str) -> Result<Option<HashText>> {
        let (scheme, entropy) = (self.scheme, Arc::clone(&self.entropy));
        let stored = HashText::from(stored);
        let wrapped = self.run(move || PasswordHash::wrap(&stored, &scheme, &*entropy));
        let wrapped = wrapped.await?.map_err(Error::internal)?;
        Ok(wrapped.map(|hash| hash.to_stored()))
    }

    /// Whether nobody computes or waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.available_permits() == WAITING
    }

    /// Whether the password is the one that was hashed.
    pub async fn verify(&self, hash: Arc<PasswordHash>, password: &Arc<Password>) -> Result<bool> {
        self.verifications.fetch_add(1, Ordering::Relaxed);
        let password = Arc::clone(password);
        self.run(move || hash.verify(&password)).await
    }

    /// How many verifications were asked for since the start.
    pub fn verifications(&self) -> u64 {
        self.verifications.load(Ordering::Relaxed)
    }

    /// Costs what [`verify`](Self::verify) costs and proves nothing.
    pub async fn verify_nothing(&self, password: &Arc<Password>) -> Result<()> {
        self.verify(Arc::clone(&self.dummy), password)
            .await
            .map(drop)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = Arc::clone(&self.queue)
            .try_acquire_owned()
            .map_err(|_| Error::unavailable("too many passwords wait to be hashed"))?;
        let (answer, wait) = oneshot::channel();
        self.threads.run(move || {
            // A caller that went away before its turn costs nothing.
            if !answer.is_closed() {
                let _ = answer.send(work());
            }
            drop(place);
        });
        wait.await.map_err(Error::internal)
    }
}

/// A hash of no known password, at the scheme's own cost.
fn dummy_text(scheme: Scheme) -> HashText {
    let text = match scheme {
        Scheme::Argon2id {
            memory_kib,
            iterations,
            parallelism,
        } => format!(
            "$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}\
             $AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        ),
        Scheme::Bcrypt { cost } => {
            format!("$2b${cost:02}$......................{}", ".".repeat(31))
        }
    };
    HashText::from(text)
}
