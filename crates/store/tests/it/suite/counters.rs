//! Rate counters.

use store::{Counter, Store, StoreError};

use crate::bench::Bench;
use crate::make::{EXOTIC, at};

async fn count(store: &Store, name: &str, now: i64, end: i64) {
    let mut write = store.write();
    write.count(name, at(now), at(end));
    store.commit(write).await.unwrap();
}

pub async fn a_window_counts_and_ends(store: &Bench) {
    for (now, end) in [(0, 10), (1, 11), (9, 19)] {
        count(store, "x", now, end).await;
    }
    let first = Counter {
        count: 3,
        window_ends_at: at(10),
    };
    assert_eq!(store.find_counter("x", at(9)).await.unwrap(), Some(first));
    assert_eq!(store.find_counter("x", at(10)).await.unwrap(), None);
    count(store, "x", 10, 20).await;
    let second = Counter {
        count: 1,
        window_ends_at: at(20),
    };
    assert_eq!(store.find_counter("x", at(10)).await.unwrap(), Some(second));
    count(store, "y", 10, 30).await;
    let mut write = store.write();
    write.forget_counters(at(20));
    write.reset_counter("never seen");
    store.commit(write).await.unwrap();
    assert_eq!(store.find_counter("x", at(11)).await.unwrap(), None);
    assert!(store.find_counter("y", at(11)).await.unwrap().is_some());
    let mut write = store.write();
    write.reset_counter("y");
    store.commit(write).await.unwrap();
    assert_eq!(store.find_counter("y", at(11)).await.unwrap(), None);
}

pub async fn any_text_names_a_counter(store: &Bench) {
    for (number, name) in EXOTIC.iter().chain(&["with \0 nul"]).enumerate() {
        for _ in 0..=number {
            count(store, name, 0, 10).await;
        }
    }
    for (number, name) in EXOTIC.iter().chain(&["with \0 nul"]).enumerate() {
        let found = store.find_counter(name, at(1)).await.unwrap().unwrap();
        assert_eq!(found.count, number as i64 + 1);
    }
}

pub async fn racing_events_are_all_counted(store: &Bench) {
    let task = |store: Store, _| async move {
        for _ in 0..10 {
            count(&store, "x", 0, 10).await;
        }
    };
    store.race(20, task).await;
    assert_eq!(
        store.find_counter("x", at(1)).await.unwrap().unwrap().count,
        200
    );
}

async fn count_within(store: &Store, now: i64) -> Result<(), StoreError> {
    let mut write = store.write();
    write.count_within("x", 3, (at(now), at(now + 10)));
    store.commit(write).await
}

pub async fn a_limit_holds_in_a_race(store: &Bench) {
    let task = |store: Store, _| async move { count_within(&store, 0).await };
    let outcomes = store.race(20, task).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    let refused = count_within(store, 9).await;
    assert!(
        matches!(refused, Err(StoreError::Stale { .. })),
        "{refused:?}"
    );
    let counted = async |now| store.find_counter("x", at(now)).await.unwrap().unwrap();
    assert_eq!(counted(9).await.count, 3);
    // A new window counts anew.
    count_within(store, 10).await.unwrap();
    let second = Counter {
        count: 1,
        window_ends_at: at(20),
    };
    assert_eq!(counted(10).await, second);
}
