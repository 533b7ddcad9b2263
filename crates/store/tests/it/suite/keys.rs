//! Signing keys and their rotation.

use serde_json::json;
use store::{Key, KeyState, Store, StoreError};

use crate::bench::Bench;
use crate::make::{api, at, client, der, object};

async fn insert(store: &Store, kid: &str, state: KeyState, millis: i64) -> store::Result<()> {
    let mut write = store.write();
    write.insert_signing_key(&kid.into(), state, &der(kid.as_bytes()), at(millis))?;
    store.commit(write).await
}

async fn rotate(store: &Store, current: &str, next: &str, millis: i64) -> store::Result<()> {
    let mut write = store.write();
    write.rotate_signing_keys(&current.into(), &next.into(), at(millis));
    store.commit(write).await
}

async fn states(store: &Store) -> Vec<(String, KeyState)> {
    let keys = store.list_signing_keys().await.unwrap();
    for key in &keys {
        assert_eq!(key.private_key.expose(), key.kid.as_str().as_bytes());
    }
    keys.into_iter()
        .map(|key| (key.kid.to_string(), key.state))
        .collect()
}

pub async fn keys_rotate_and_are_forgotten(store: &Bench) {
    insert(store, "a", KeyState::Current, 0).await.unwrap();
    insert(store, "b", KeyState::Next, 0).await.unwrap();
    for state in [KeyState::Current, KeyState::Next] {
        assert!(
            insert(store, "c", state, 1)
                .await
                .unwrap_err()
                .is_conflict_on(Key::SigningKeyState)
        );
    }
    rotate(store, "a", "b", 10).await.unwrap();
    assert!(matches!(
        rotate(store, "a", "b", 11).await,
        Err(StoreError::Stale { .. })
    ));
    insert(store, "c", KeyState::Next, 12).await.unwrap();
    rotate(store, "b", "c", 20).await.unwrap();
    insert(store, "d", KeyState::Next, 21).await.unwrap();
    let state = |kid: &str, state| (kid.to_owned(), state);
    let (a, b) = (
        state("a", KeyState::Previous),
        state("b", KeyState::Previous),
    );
    let (c, d) = (state("c", KeyState::Current), state("d", KeyState::Next));
    assert_eq!(states(store).await, [d.clone(), c.clone(), a, b.clone()]);
    let mut write = store.write();
    write.forget_signing_keys(at(20));
    store.commit(write).await.unwrap();
    assert_eq!(states(store).await, [d, c, b]);
    let retired = store.list_signing_keys().await.unwrap();
    assert_eq!(
        retired.iter().map(|key| key.retired_at).collect::<Vec<_>>(),
        [None, None, Some(at(20))]
    );
    assert_eq!(
        retired.iter().map(|key| key.created_at).collect::<Vec<_>>(),
        [at(21), at(12), at(0)]
    );
}

pub async fn one_of_many_rotations_wins(store: &Bench) {
    insert(store, "a", KeyState::Current, 0).await.unwrap();
    insert(store, "b", KeyState::Next, 1).await.unwrap();
    let outcomes = store
        .race(20, |store, number| async move {
            let mut write = store.write();
            write.rotate_signing_keys(&"a".into(), &"b".into(), at(5));
            let kid = format!("n{number}");
            write
                .insert_signing_key(
                    &kid.as_str().into(),
                    KeyState::Next,
                    &der(kid.as_bytes()),
                    at(5),
                )
                .unwrap();
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
    let states: Vec<_> = states(store)
        .await
        .into_iter()
        .map(|(_, state)| state)
        .collect();
    assert_eq!(
        states,
        [KeyState::Next, KeyState::Current, KeyState::Previous]
    );
}

pub async fn a_key_is_revoked_once_and_never_while_it_signs(store: &Bench) {
    let revoke = async |kid: &str, millis| {
        let mut write = store.write();
        write.revoke_signing_key(&kid.into(), at(millis));
        store.commit(write).await
    };
    insert(store, "a", KeyState::Current, 0).await.unwrap();
    insert(store, "b", KeyState::Next, 0).await.unwrap();
    rotate(store, "a", "b", 10).await.unwrap();
    insert(store, "c", KeyState::Next, 10).await.unwrap();
    for kid in ["b", "unknown"] {
        assert!(matches!(
            revoke(kid, 20).await,
            Err(StoreError::Stale { .. })
        ));
    }
    revoke("a", 20).await.unwrap();
    revoke("c", 21).await.unwrap();
    assert!(matches!(
        revoke("a", 30).await,
        Err(StoreError::Stale { .. })
    ));
    insert(store, "d", KeyState::Next, 22).await.unwrap();
    let keys = store.list_signing_keys().await.unwrap();
    let found: Vec<_> = keys
        .iter()
        .map(|key| {
            let times = (key.current_since, key.retired_at, key.revoked_at);
            (key.kid.as_str(), key.state, times)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("d", KeyState::Next, (None, None, None)),
            ("c", KeyState::Previous, (None, Some(at(21)), Some(at(21)))),
            (
                "a",
                KeyState::Previous,
                (Some(at(0)), Some(at(10)), Some(at(20)))
            ),
            ("b", KeyState::Current, (Some(at(10)), None, None)),
        ]
    );
}

pub async fn what_tokens_are_signed_by_is_known(store: &Bench) {
    let asked = async || {
        let mut names = Vec::new();
        for name in ["RS256", "PS256", "ES256", "S256"] {
            if store.signs_by(name).await.unwrap() {
                names.push(name);
            }
        }
        names
    };
    assert_eq!(asked().await, [""; 0]);
    let mut orders = api("id", "https://orders/");
    orders.attributes = object(json!({"signing_alg": "PS256"}));
    let mut write = store.write();
    write.insert_resource_server(&orders);
    store.commit(write).await.unwrap();
    assert_eq!(asked().await, ["PS256"]);
    let mut shop = client("shop");
    shop.attributes = object(json!({"jwt_configuration": {"alg": "ES256"}}));
    let mut write = store.write();
    write.insert_client(&shop, at(0)).unwrap();
    store.commit(write).await.unwrap();
    assert_eq!(asked().await, ["PS256", "ES256"]);
}
