//! A fresh store for each test: a file in a temp folder, or a database of a private cluster.

use std::ops::Deref;
use std::task::Poll;

use domain::secret::Key32;
use store::conformance::Place;
use store::{Store, StoreError};
use testkit::Database;
use tokio::task::JoinSet;

use crate::cluster::{database, place};

/// The master key of every test's store.
pub fn key() -> Key32 {
    Key32::from([7; 32])
}

/// A store and where it lives.
pub struct Bench {
    pub store: Store,
    pub place: Place,
}

impl Deref for Bench {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Bench {
    async fn at(place: Place) -> Self {
        let store = place.open(&key()).await.unwrap();
        Self { store, place }
    }

    /// Runs `count` tasks that start together; their outcomes in no order.
    pub async fn race<T, F>(&self, count: usize, task: impl Fn(Store, usize) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let start = std::sync::Arc::new(tokio::sync::Barrier::new(count));
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (start, work) = (start.clone(), task(self.store.clone(), number));
            tasks.spawn(async move {
                start.wait().await;
                work.await
            });
        }
        tasks.join_all().await
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Runs a test on a SQLite file of its own.
pub fn on_sqlite(test: impl AsyncFn(&Bench)) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(folder.path().join("ferry.sqlite"));
    block_on(async { test(&Bench::at(place).await).await });
}

/// Runs a test on a PostgreSQL database of its own.
pub fn on_postgres(test: impl AsyncFn(&Bench)) {
    let database = database();
    block_on(async { test(&Bench::at(place(&database)).await).await });
}

/// Runs a test on both.
pub fn on_both(test: impl AsyncFn(&Bench, &Bench)) {
    let folder = tempfile::tempdir().unwrap();
    let file = Place::Sqlite(folder.path().join("ferry.sqlite"));
    let database = database();
    block_on(async {
        let postgres = Bench::at(place(&database)).await;
        test(&Bench::at(file).await, &postgres).await;
    });
}

/// An empty place of the kind that the bench has; it goes away with the value.
pub struct Empty {
    pub place: Place,
    _folder: Option<tempfile::TempDir>,
    _database: Option<Database>,
}

impl Empty {
    pub fn beside(bench: &Bench) -> Self {
        match &bench.place {
            Place::Sqlite(_) => {
                let folder = tempfile::tempdir().unwrap();
                Self {
                    place: Place::Sqlite(folder.path().join("empty.sqlite")),
                    _folder: Some(folder),
                    _database: None,
                }
            }
            Place::Postgres(_) => {
                let database = database();
                Self {
                    place: place(&database),
                    _folder: None,
                    _database: Some(database),
                }
            }
        }
    }
}

/// Polls a future a few times, then drops it: as when the caller goes away.
pub async fn abandon<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        let Some(rest) = left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        left = rest;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Counts the outcomes of a race: won, and lost to a faster one.
pub fn tally(outcomes: &[store::Result<()>]) -> (usize, usize) {
    let won = outcomes.iter().filter(|outcome| outcome.is_ok());
    let lost = outcomes.iter().filter(|outcome| {
        matches!(
            outcome,
            Err(StoreError::Conflict(_) | StoreError::Stale { .. })
        )
    });
    (won.count(), lost.count())
}
