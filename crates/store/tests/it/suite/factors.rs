//! Second factors: a step is taken once, a challenge is answered once, a counter moves once.

use domain::{MfaFactor, UserRow};
use store::{NewChallenge, Store, StoreError, StoredPasskey};

use crate::bench::Bench;
use crate::make::{EXOTIC, at, put_connection, put_user};

const ROW: UserRow = UserRow(1);

async fn user(store: &Bench) -> UserRow {
    let connection = put_connection(store, "main").await;
    put_user(store, &connection, "1", "a@x.org").await.row
}

fn is_stale(outcome: &store::Result<()>) -> bool {
    matches!(outcome, Err(StoreError::Stale { .. }))
}

async fn add(store: &Store, row: UserRow, position: i64, factor: MfaFactor) -> store::Result<()> {
    let mut write = store.write();
    write.change_factors_of(row, at(1));
    write.add_factor(row, position, &factor, at(1))?;
    store.commit(write).await
}

async fn advance(store: &Store, row: UserRow, step: i64) -> store::Result<()> {
    let mut write = store.write();
    write.advance_step(row, 0, step, at(step));
    store.commit(write).await
}

pub async fn a_factor_comes_back_with_what_is_known_of_it(store: &Bench) {
    let row = user(store).await;
    add(store, row, 0, MfaFactor::Totp("AB".into()))
        .await
        .unwrap();
    add(store, row, 1, MfaFactor::Email(EXOTIC.concat()))
        .await
        .unwrap();
    assert!(is_stale(
        &add(store, row, 1, MfaFactor::Phone("+1".into())).await
    ));
    assert!(is_stale(
        &add(store, UserRow(99), 0, MfaFactor::Phone("+1".into())).await
    ));
    let mut write = store.write();
    write.name_factor(row, (0, at(1)), Some("phone"));
    write.advance_step(row, 0, 7, at(7));
    store.commit(write).await.unwrap();
    let found = store.list_factors(row).await.unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|f| {
            (
                f.position,
                f.factor.expose(),
                f.name.as_deref(),
                f.last_step,
                f.last_used_at,
            )
        })
        .collect();
    let address = EXOTIC.concat();
    assert_eq!(
        shown,
        [
            (0, "AB", Some("phone"), 7, Some(at(7))),
            (1, address.as_str(), None, 0, None)
        ]
    );
    // A factor in its place has another name, and the steps before stay taken.
    let mut write = store.write();
    write.remove_factor(row, 0, at(1));
    store.commit(write).await.unwrap();
    let mut write = store.write();
    write
        .add_factor(row, 0, &MfaFactor::Totp("AC".into()), at(8))
        .unwrap();
    store.commit(write).await.unwrap();
    let found = store.list_factors(row).await.unwrap();
    assert_eq!((found[0].name.as_deref(), found[0].last_step), (None, 7));
    let mut write = store.write();
    write.remove_factor(row, 0, at(1));
    assert!(
        is_stale(&store.commit(write).await),
        "another factor's time"
    );
    let mut write = store.write();
    write.remove_all_factors(row);
    store.commit(write).await.unwrap();
    assert!(store.list_factors(row).await.unwrap().is_empty());
}

pub async fn a_raced_step_is_taken_once(store: &Bench) {
    let row = user(store).await;
    add(store, row, 0, MfaFactor::Totp("AB".into()))
        .await
        .unwrap();
    for step in [5, 6] {
        let outcomes = store
            .race(
                12,
                |store, _| async move { advance(&store, row, step).await },
            )
            .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let lost = outcomes.iter().filter(|outcome| is_stale(outcome)).count();
        assert_eq!(lost, 11, "{outcomes:?}");
    }
    assert!(is_stale(&advance(store, row, 4).await), "an earlier one");
    assert!(is_stale(&advance(store, UserRow(99), 4).await), "of nobody");
}

pub async fn a_recovery_code_is_used_once_and_replaced(store: &Bench) {
    let row = user(store).await;
    let mut write = store.write();
    write.set_recovery(row, "one", at(1));
    store.commit(write).await.unwrap();
    let outcomes = store
        .race(8, |store, number| async move {
            let mut write = store.write();
            write.use_recovery(row, ("one", &format!("next {number}")), at(2));
            store.commit(write).await
        })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let found = store.find_recovery(row).await.unwrap().unwrap();
    assert!(found.code_hash.starts_with("next ") && found.created_at == at(2));
    let mut write = store.write();
    write.delete_user(row);
    store.commit(write).await.unwrap();
    assert_eq!(store.find_recovery(row).await.unwrap(), None);
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

async fn challenge(store: &Store, body: &str) {
    let mut write = store.write();
    let challenge = NewChallenge {
        id_hash: "hash",
        kind: "mail",
        user: Some(ROW),
        body,
        expires_at: at(100),
    };
    write.insert_challenge(&challenge, at(0)).unwrap();
    store.commit(write).await.unwrap();
}

pub async fn a_challenge_is_answered_once_and_in_time(store: &Bench) {
    challenge(store, &EXOTIC.concat()).await;
    let found = store
        .find_challenge("hash", "mail", at(99))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.user, found.body.as_str()),
        (Some(ROW), EXOTIC.concat().as_str())
    );
    for (hash, kind, millis) in [
        ("Hash", "mail", 1),
        ("hash", "other", 1),
        ("hash", "mail", 100),
    ] {
        let found = store.find_challenge(hash, kind, at(millis)).await.unwrap();
        assert!(found.is_none(), "{hash} {kind} {millis}");
    }
    let outcomes = store
        .race(10, |store, _| async move {
            let mut write = store.write();
            write.try_challenge("hash", 3, at(1));
            store.commit(write).await
        })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    let outcomes = store
        .race(10, |store, _| async move {
            let mut write = store.write();
            write.use_challenge("hash", at(1));
            store.commit(write).await
        })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        store
            .find_challenge("hash", "mail", at(2))
            .await
            .unwrap()
            .is_none()
    );
    // Another of the same holder is open again.
    challenge(store, "again").await;
    let found = store
        .find_challenge("hash", "mail", at(2))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.body.as_str(), found.attempts), ("again", 0));
    let mut write = store.write();
    write.forget_challenges(at(100));
    store.commit(write).await.unwrap();
    assert!(
        store
            .find_challenge("hash", "mail", at(2))
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn a_passkey_comes_back_and_its_counter_moves_once(store: &Bench) {
    let row = user(store).await;
    let key = StoredPasskey {
        credential_id: "AQ".into(),
        user: row,
        public_key: vec![0, 1, 255],
        sign_count: 4,
        transports: vec!["internal".into()],
        backed_up: true,
        second_factor: false,
        name: Some(EXOTIC.concat()),
        created_at: at(3),
        last_used_at: None,
    };
    let insert = async || {
        let mut write = store.write();
        write.change_factors_of(row, at(3));
        write.insert_passkey(&key);
        store.commit(write).await
    };
    insert().await.unwrap();
    assert!(is_stale(&insert().await), "an id is taken once");
    assert_eq!(store.find_passkey("AQ").await.unwrap().as_ref(), Some(&key));
    assert_eq!(store.find_passkey("aq").await.unwrap(), None);
    let outcomes = store
        .race(8, |store, _| {
            let key = key.clone();
            async move {
                let mut write = store.write();
                write.use_passkey(&key, (5, false), at(9));
                store.commit(write).await
            }
        })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let mut write = store.write();
    write.name_passkey(row, "AQ", None);
    store.commit(write).await.unwrap();
    let found = store.list_passkeys(row).await.unwrap();
    assert_eq!(
        (found[0].sign_count, found[0].backed_up, &found[0].name),
        (5, false, &None)
    );
    assert_eq!(found[0].last_used_at, Some(at(9)));
    let mut write = store.write();
    write.delete_user(row);
    store.commit(write).await.unwrap();
    assert_eq!(store.find_passkey("AQ").await.unwrap(), None);
}
