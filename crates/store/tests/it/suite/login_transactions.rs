//! A login under way moves on over the version that was read, and ends once.

use store::{Store, StoreError, StoredTransaction};

use crate::bench::Bench;
use crate::make::at;

fn transaction() -> StoredTransaction {
    StoredTransaction {
        id: "one".into(),
        browser_hash: "hash".into(),
        request: "{}".into(),
        progress: "{\"identifier\":\"needle\"}".into(),
        version: 1,
        finished_at: None,
        expires_at: at(100),
    }
}

async fn begin(store: &Store) {
    let mut write = store.write();
    write.insert_transaction(&transaction(), at(0)).unwrap();
    store.commit(write).await.unwrap();
}

async fn advance(store: &Store, version: i64, progress: &str, millis: i64) -> store::Result<()> {
    let next = StoredTransaction {
        version,
        progress: progress.into(),
        ..transaction()
    };
    let mut write = store.write();
    write.advance_transaction(&next, at(millis))?;
    store.commit(write).await
}

async fn finish(store: &Store, version: i64) -> store::Result<()> {
    let mut write = store.write();
    write.finish_transaction(&"one".into(), version, at(9));
    store.commit(write).await
}

pub async fn a_transaction_moves_on_once_and_ends_once(store: &Bench) {
    begin(store).await;
    let found = async || {
        store
            .find_transaction(&"one".into())
            .await
            .unwrap()
            .unwrap()
    };
    assert_eq!(found().await, transaction());
    assert!(!store.dump().await.unwrap().contains("needle"));
    advance(store, 1, "{}", 1).await.unwrap();
    let stale = |outcome| matches!(outcome, Err(StoreError::Stale { .. }));
    assert!(stale(advance(store, 1, "{}", 1).await));
    assert!(stale(advance(store, 2, "{}", 100).await));
    assert_eq!(
        (found().await.version, found().await.progress),
        (2, "{}".into())
    );
    assert!(stale(finish(store, 1).await));
    finish(store, 2).await.unwrap();
    assert!(stale(finish(store, 3).await));
    assert!(stale(advance(store, 3, "{}", 10).await));
    assert_eq!(found().await.finished_at, Some(at(9)));
    let mut write = store.write();
    write.forget_transactions(at(101));
    store.commit(write).await.unwrap();
    assert_eq!(store.find_transaction(&"one".into()).await.unwrap(), None);
}

pub async fn raced_steps_are_taken_once(store: &Bench) {
    begin(store).await;
    let outcomes = store
        .race(20, |store, number| async move {
            if number % 2 == 0 {
                finish(&store, 1).await
            } else {
                advance(&store, 1, "{}", 1).await
            }
        })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}
