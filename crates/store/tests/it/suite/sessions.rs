//! Session tokens are used once.

use domain::{SessionId, UserRow};
use store::{Key, NewSession, Store, StoreError};

use crate::bench::Bench;
use crate::make::at;

async fn insert(store: &Store, id: &str, token: &str) -> store::Result<()> {
    let mut write = store.write();
    let id = SessionId::from(id);
    let session = NewSession {
        id: &id,
        user: UserRow(1),
        client: Some(&"c".into()),
        token_hash: token,
        expires_at: at(100),
    };
    write.insert_session(&session, at(0));
    store.commit(write).await
}

pub async fn a_token_lives_until_used_or_expired(store: &Bench) {
    insert(store, "one", "t1").await.unwrap();
    insert(store, "two", "t2").await.unwrap();
    assert!(
        insert(store, "three", "t1")
            .await
            .unwrap_err()
            .is_conflict_on(Key::SessionToken)
    );
    assert_eq!(
        store.find_session("t1", at(99)).await.unwrap(),
        Some(UserRow(1))
    );
    assert_eq!(store.find_session("t1", at(100)).await.unwrap(), None);
    assert_eq!(store.find_session("T1\0", at(1)).await.unwrap(), None);
    let use_up = async |token: &str, millis| {
        let mut write = store.write();
        write.use_session(token, at(millis));
        store.commit(write).await
    };
    use_up("t1", 5).await.unwrap();
    assert!(matches!(
        use_up("t1", 6).await,
        Err(StoreError::Stale { .. })
    ));
    assert!(matches!(
        use_up("t2", 100).await,
        Err(StoreError::Stale { .. })
    ));
    assert_eq!(store.find_session("t1", at(6)).await.unwrap(), None);
    let mut write = store.write();
    write.delete_sessions(UserRow(1));
    store.commit(write).await.unwrap();
    assert_eq!(store.find_session("t2", at(6)).await.unwrap(), None);
}

pub async fn a_raced_token_is_used_once(store: &Bench) {
    insert(store, "one", "t").await.unwrap();
    let outcomes = store
        .race(20, |store, number| async move {
            let mut write = store.write();
            write.use_session("t", at(1));
            let (id, token) = (SessionId::from(format!("n{number}")), format!("n{number}"));
            let next = NewSession {
                id: &id,
                user: UserRow(1),
                client: None,
                token_hash: &token,
                expires_at: at(100),
            };
            write.insert_session(&next, at(1));
            store.commit(write).await
        })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Stale { .. }))),
        "{outcomes:?}"
    );
    let mut living = 0;
    for number in 0..20 {
        let found = store
            .find_session(&format!("n{number}"), at(2))
            .await
            .unwrap();
        living += usize::from(found.is_some());
    }
    assert_eq!(living, 1);
}
