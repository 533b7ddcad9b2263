//! Names that are used once.

use store::{Store, StoreError};

use crate::bench::Bench;
use crate::make::at;

async fn use_once(store: &Store, name: &str, millis: i64) -> store::Result<()> {
    let mut write = store.write();
    write.use_once(name, at(millis));
    store.commit(write).await
}

pub async fn a_name_is_used_once_until_it_is_forgotten(store: &Bench) {
    use_once(store, "a", 10).await.unwrap();
    use_once(store, "b", 20).await.unwrap();
    assert!(matches!(
        use_once(store, "a", 30).await,
        Err(StoreError::Stale { .. })
    ));
    let mut write = store.write();
    write.forget_used_tokens(at(10));
    store.commit(write).await.unwrap();
    use_once(store, "a", 30).await.unwrap();
    assert!(matches!(
        use_once(store, "b", 30).await,
        Err(StoreError::Stale { .. })
    ));
}

pub async fn of_many_at_once_one_uses_a_name(store: &Bench) {
    let outcomes = store
        .race(20, |store, _| async move { use_once(&store, "a", 9).await })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Stale { .. }))),
        "{outcomes:?}"
    );
}
