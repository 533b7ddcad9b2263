//! Sessions live while they are of use, under one token each.

use domain::{Authentication, AuthenticationMethod, UserRow};
use store::{Key, Store, StoreError, StoredSession};

use crate::bench::Bench;
use crate::make::{at, ending, insert, new_user, put_connection};

pub fn session(id: &str) -> StoredSession {
    session_of(id, UserRow(1))
}

/// The same of somebody else.
pub fn session_of(id: &str, user: UserRow) -> StoredSession {
    StoredSession {
        id: id.into(),
        authentication: Authentication {
            user,
            user_id: "auth0|1".into(),
            connection: Some("con_main".into()),
            session: Some(id.into()),
            at: at(0),
            methods: vec![AuthenticationMethod::Password, AuthenticationMethod::Otp],
        },
        ip: Some("::1".into()),
        user_agent: None,
        created_at: at(0),
        touched_at: at(0),
        idle_expires_at: at(50),
        expires_at: at(100),
    }
}

pub async fn put_user(store: &Store) {
    let connection = put_connection(store, "main").await;
    let user = new_user(UserRow(1), &connection, "1", "a@x.org");
    insert(store, &user).await.unwrap();
}

async fn put(store: &Store, id: &str, token: &str) -> store::Result<()> {
    let mut write = store.write();
    write.insert_session(&session(id), token);
    store.commit(write).await
}

pub async fn a_session_lives_until_idle_or_old(store: &Bench) {
    put_user(store).await;
    put(store, "one", "t1").await.unwrap();
    let twice = put(store, "two", "t1").await.unwrap_err();
    assert!(twice.is_conflict_on(Key::SessionToken));
    let found = async |token: &str, millis| {
        store
            .find_session_by_token(token, at(millis))
            .await
            .unwrap()
    };
    assert_eq!(found("t1", 49).await, Some(session("one")));
    assert_eq!(found("t1", 50).await, None);
    assert_eq!(found("T1\0", 1).await, None);
    let mut write = store.write();
    write.touch_session(&"one".into(), at(40), at(200));
    store.commit(write).await.unwrap();
    assert_eq!(found("t1", 99).await.unwrap().touched_at, at(40));
    assert_eq!(found("t1", 100).await, None);
    let by_id = store.find_session(&"one".into(), at(99)).await.unwrap();
    assert!(by_id.is_some());
    put(store, "two", "t2").await.unwrap();
    let listed = async |after: &str| {
        let listed = store.list_sessions(UserRow(1), after, 9, at(1)).await;
        let ids = listed.unwrap().into_iter().map(|s| s.id.to_string());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, ["one", "two"]);
    assert_eq!(listed("one").await, ["two"]);
}

pub async fn a_raced_renewal_leaves_one_token(store: &Bench) {
    put_user(store).await;
    put(store, "one", "t").await.unwrap();
    let outcomes = store
        .race(20, |store, number| async move {
            let mut write = store.write();
            write.renew_session(&session("one"), "t", &format!("n{number}"));
            store.commit(write).await
        })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let is_fit = |o: &store::Result<()>| matches!(o, Ok(()) | Err(StoreError::Stale { .. }));
    assert!(outcomes.iter().all(is_fit), "{outcomes:?}");
    let mut living = 0;
    for number in 0..20 {
        let found = store
            .find_session_by_token(&format!("n{number}"), at(2))
            .await
            .unwrap();
        living += usize::from(found.is_some());
    }
    assert_eq!(living, 1);
}

pub async fn sessions_go_with_their_clients(store: &Bench) {
    put_user(store).await;
    for id in ["one", "two", "three"] {
        put(store, id, id).await.unwrap();
        let mut write = store.write();
        for _ in 0..2 {
            write.add_session_client(&id.into(), &"shop".into(), UserRow(1));
        }
        store.commit(write).await.unwrap();
    }
    let clients = store.list_session_clients(&"one".into()).await.unwrap();
    assert_eq!(clients, ["shop".into()]);
    let end = async || {
        let mut write = store.write();
        write.delete_session(&"one".into(), &ending(at(5)));
        store.commit(write).await
    };
    end().await.unwrap();
    assert!(matches!(end().await, Err(StoreError::Stale { .. })));
    let mut write = store.write();
    write.touch_session(&"two".into(), at(1), at(2));
    write.forget_sessions(&ending(at(10)));
    store.commit(write).await.unwrap();
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
    let left = store.list_sessions(UserRow(1), "", 9, at(1)).await.unwrap();
    assert_eq!(left.len(), 1);
    let mut write = store.write();
    write.delete_sessions(UserRow(1), &ending(at(20)));
    store.commit(write).await.unwrap();
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn a_proof_counts_until_the_password_or_the_sessions_end(store: &Bench) {
    put_user(store).await;
    let counts = async |millis: i64| {
        let mut write = store.write();
        write.require_proof(UserRow(1), at(millis));
        let is_taken = match store.commit(write).await {
            Ok(()) => true,
            Err(StoreError::Stale { .. }) => false,
            Err(error) => unreachable!("{error}"),
        };
        let user = store.find_user_by_row(UserRow(1)).await.unwrap().unwrap();
        assert_eq!(user.accepts_proof_of(at(millis)), is_taken);
        is_taken
    };
    assert!(counts(1).await);
    let mut write = store.write();
    write.note_password_reset(UserRow(1), at(10));
    store.commit(write).await.unwrap();
    assert!(!counts(9).await && !counts(10).await && counts(11).await);
    put(store, "one", "one").await.unwrap();
    let mut write = store.write();
    write.revoke_sessions(UserRow(1), &ending(at(20)));
    store.commit(write).await.unwrap();
    assert!(!counts(11).await && !counts(20).await && counts(21).await);
    let left = store.list_sessions(UserRow(1), "", 9, at(1)).await.unwrap();
    assert_eq!(left.len(), 0);
}
