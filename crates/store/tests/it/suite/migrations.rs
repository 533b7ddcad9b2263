//! The schema: made once, never by two at a time, never by the wrong binary or key.

use domain::secret::Key32;
use domain::{Page, UserRow};
use store::conformance::Place;
use store::db::any;
use store::{Store, StoreError, UserFilter, UserSort};

use crate::bench::{Bench, Empty, key};
use crate::make::{put_connection, put_user};

pub async fn opening_again_changes_nothing(store: &Bench) {
    let connection = put_connection(store, "main").await;
    put_user(store, &connection, "1", "a@x.org").await;
    let before = store.dump().await.unwrap();
    let again = store.place.open(&key()).await.unwrap();
    assert_eq!(again.dump().await.unwrap(), before);
    let mut rows = again
        .db()
        .query("select version, checksum from schema_migrations", vec![])
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].int("version").unwrap(), 1);
    assert_eq!(rows[0].text("checksum").unwrap().len(), 64);
}

pub async fn many_openers_at_once_make_one_schema(store: &Bench) {
    let empty = Empty::beside(store);
    let place = &empty.place;
    let opened = store
        .race(8, |_, _| {
            let place = place.clone();
            async move { place.open(&key()).await }
        })
        .await;
    let opened: Vec<Store> = opened.into_iter().map(Result::unwrap).collect();
    let connection = put_connection(&opened[0], "main").await;
    put_user(&opened[7], &connection, "1", "a@x.org").await;
    let all = opened[3]
        .list_users(
            &UserFilter::default(),
            UserSort::Arrival,
            false,
            Page::default(),
        )
        .await
        .unwrap();
    assert_eq!(all.total, Some(1));
}

async fn refusal(place: &Place, key: &Key32) -> String {
    match place.open(key).await {
        Err(StoreError::Schema(text)) => text,
        Err(other) => format!("another error: {other}"),
        Ok(_) => "none".into(),
    }
}

pub async fn a_changed_migration_is_refused(store: &Bench) {
    let spoil = "update schema_migrations set checksum = 'other' where version = 1";
    store.db().batch(vec![any(spoil, vec![])]).await.unwrap();
    assert_eq!(
        refusal(&store.place, &key()).await,
        "migration 1 differs from the one that was applied"
    );
}

pub async fn a_newer_schema_is_refused(store: &Bench) {
    let newer = "insert into schema_migrations (version, checksum) values (2000, 'x')";
    store.db().batch(vec![any(newer, vec![])]).await.unwrap();
    assert_eq!(
        refusal(&store.place, &key()).await,
        "version 2000 is newer than this binary knows"
    );
}

pub async fn another_master_key_is_refused(store: &Bench) {
    let text = "the master key is not the one that sealed this store";
    assert_eq!(refusal(&store.place, &Key32::from([8; 32])).await, text);
    assert_eq!(refusal(&store.place, &key()).await, "none");
}

pub async fn of_two_first_openers_one_key_wins(store: &Bench) {
    let empty = Empty::beside(store);
    let place = &empty.place;
    let outcomes = store
        .race(6, |_, number| {
            let place = place.clone();
            async move { refusal(&place, &Key32::from([u8::from(number % 2 == 0); 32])).await }
        })
        .await;
    let won = outcomes.iter().filter(|outcome| *outcome == "none").count();
    let refused = outcomes
        .iter()
        .filter(|outcome| outcome.starts_with("the master key"))
        .count();
    assert_eq!((won, refused), (3, 3), "{outcomes:?}");
}

pub async fn a_place_that_can_not_be_opened_is_an_outage(store: &Bench) {
    let place = match &store.place {
        Place::Sqlite(path) => Place::Sqlite(path.parent().unwrap().join("no/such/folder/x")),
        Place::Postgres(url) => Place::Postgres(format!("{url}_that_is_not_there")),
    };
    let outcome = place.open(&key()).await.map(drop);
    assert!(
        matches!(outcome, Err(StoreError::Unavailable(_))),
        "{outcome:?}"
    );
}

/// Rows as a release left them, read by this one. A migration's fixture is never changed; the next
/// migration adds its own, made with `dump_fixture`.
pub async fn rows_of_version_1_are_read(store: &Bench) {
    let empty = Empty::beside(store);
    let place = &empty.place;
    let fixture = include_str!("../../../../../migrations/fixtures/0001.sql");
    place.fill(1, fixture).await.unwrap();
    let store = place.open(&key()).await.unwrap();
    crate::fixture::is_all_there(&store).await;
    assert!(store.next_user_row().await.unwrap() > UserRow(2));
}
