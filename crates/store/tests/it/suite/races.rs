//! Many writers, one winner.

use domain::{NewUser, Origin};
use store::{Key, StoreError};

use crate::bench::{Bench, tally};
use crate::make::{at, hash, insert, new_user, put_connection, put_user};

pub async fn one_of_many_creators_of_an_address_wins(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let outcomes = store
        .race(20, |store, number| {
            let connection = connection.clone();
            async move {
                let row = store.next_user_row().await.unwrap();
                let address = if number % 2 == 0 {
                    "same@x.org"
                } else {
                    "SAME@X.org"
                };
                insert(
                    &store,
                    &new_user(row, &connection, &number.to_string(), address),
                )
                .await
            }
        })
        .await;
    assert_eq!(tally(&outcomes), (1, 19), "{outcomes:?}");
    let lost = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(
        lost.into_iter()
            .all(|error| error.is_conflict_on(Key::Email))
    );
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
    assert_eq!(
        store.list_users_by_email("same@x.org").await.unwrap().len(),
        1
    );
}

pub async fn one_of_many_creators_of_an_id_wins(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let outcomes = store
        .race(20, |store, number| {
            let connection = connection.clone();
            async move {
                let row = store.next_user_row().await.unwrap();
                insert(
                    &store,
                    &new_user(row, &connection, "same", &format!("{number}@x.org")),
                )
                .await
            }
        })
        .await;
    assert_eq!(tally(&outcomes), (1, 19), "{outcomes:?}");
    assert!(
        outcomes
            .iter()
            .filter_map(|o| o.as_ref().err())
            .all(|e| e.is_conflict_on(Key::ForeignId))
    );
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
    assert!(
        store
            .find_user(&"auth0|same".into())
            .await
            .unwrap()
            .is_some()
    );
}

pub async fn creators_of_different_people_all_win(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let outcomes = store
        .race(20, |store, number| {
            let connection = connection.clone();
            async move {
                let row = store.next_user_row().await.unwrap();
                insert(
                    &store,
                    &new_user(
                        row,
                        &connection,
                        &number.to_string(),
                        &format!("{number}@x.org"),
                    ),
                )
                .await
            }
        })
        .await;
    assert_eq!(tally(&outcomes), (20, 0), "{outcomes:?}");
}

pub async fn one_of_many_writers_of_a_version_wins(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    let outcomes = store
        .race(20, |store, number| {
            let (connection, mut user) = (connection.id.clone(), user.clone());
            async move {
                user.attributes.name = Some(number.to_string());
                let mut write = store.write();
                write.update_user(&user, &connection, at(1));
                store.commit(write).await
            }
        })
        .await;
    assert_eq!(tally(&outcomes), (1, 19), "{outcomes:?}");
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Stale { .. })))
    );
    let user = store.find_user_by_row(user.row).await.unwrap().unwrap();
    assert_eq!(user.version, 2);
}

pub async fn one_of_many_first_logins_adopts_the_password(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let row = store.next_user_row().await.unwrap();
    let cached = NewUser {
        credential: None,
        origin: Origin::Cached,
        ..new_user(row, &connection, "1", "a@x.org")
    };
    insert(store, &cached).await.unwrap();
    let outcomes = store
        .race(20, |store, number| {
            let connection = connection.id.clone();
            async move {
                let mut write = store.write();
                write.adopt_password(row, &connection, &hash(&format!("h{number}")), at(1));
                write.record_login(row, None, at(1));
                store.commit(write).await
            }
        })
        .await;
    assert_eq!(tally(&outcomes), (1, 19), "{outcomes:?}");
    assert_eq!(
        store
            .find_user_by_row(row)
            .await
            .unwrap()
            .unwrap()
            .logins_count,
        1
    );
}

pub async fn racing_logins_refresh_once_and_all_count(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    let outcomes = store
        .race(20, |store, number| {
            let (connection, row) = (connection.id.clone(), user.row);
            async move {
                let mut write = store.write();
                write.refresh_password(
                    row,
                    &connection,
                    &hash("$argon2id$one"),
                    &hash(&format!("h{number}")),
                );
                write.record_login(row, None, at(1));
                store.commit(write).await
            }
        })
        .await;
    assert_eq!(tally(&outcomes), (20, 0), "{outcomes:?}");
    let found = store
        .find_credential(user.row, &connection.id)
        .await
        .unwrap()
        .unwrap();
    assert!(found.hash.unwrap().expose().starts_with('h'));
    assert_eq!(
        store
            .find_user_by_row(user.row)
            .await
            .unwrap()
            .unwrap()
            .logins_count,
        20
    );
}

/// Each kind of change of one user, in the order that locks could cross.
pub async fn changes_of_one_user_never_wait_for_each_other_for_good(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    let outcomes = store
        .race(24, |store, number| {
            let (connection, row) = (connection.id.clone(), user.row);
            async move {
                let user = store.find_user_by_row(row).await.unwrap().unwrap();
                let mut write = store.write();
                match number % 3 {
                    0 => write.update_user(&user, &connection, at(1)),
                    1 => write.set_password(row, &connection, &crate::make::credential("x"), at(1)),
                    _ => {
                        write.refresh_password(row, &connection, &hash("x"), &hash("y"));
                        write.record_login(row, None, at(1))
                    }
                };
                store.commit(write).await
            }
        })
        .await;
    let (won, lost) = tally(&outcomes);
    assert_eq!(won + lost, 24, "{outcomes:?}");
}

pub async fn reserved_rows_are_disjoint(store: &Bench) {
    let blocks = store
        .race(20, |store, number| async move {
            let block = store
                .reserve_user_rows(number as i64 * 7 + 1)
                .await
                .unwrap();
            let one = store.next_user_row().await.unwrap().0;
            assert_eq!(block.end - block.start, number as i64 * 7 + 1);
            block.chain(one..=one).collect::<Vec<_>>()
        })
        .await;
    let mut all: Vec<i64> = blocks.into_iter().flatten().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    assert!(all[0] >= 1);
}

pub async fn two_stores_over_one_database_share_rows_and_see_each_other(store: &Bench) {
    let other = store.place.open(&crate::bench::key()).await.unwrap();
    let connection = put_connection(store, "main").await;
    for number in 0..10 {
        let one = put_user(
            store,
            &connection,
            &format!("a{number}"),
            &format!("a{number}@x.org"),
        )
        .await;
        let two = put_user(
            &other,
            &connection,
            &format!("b{number}"),
            &format!("b{number}@x.org"),
        )
        .await;
        assert!(one.row != two.row);
        assert_eq!(store.find_user(&two.user_id).await.unwrap(), Some(two));
        assert_eq!(other.find_user(&one.user_id).await.unwrap(), Some(one));
    }
}
