//! Accounts whose owners hear of a block.

use store::{BlockNotice, Store};

use crate::bench::Bench;
use crate::make::at;

fn notice(name: &str) -> BlockNotice {
    BlockNotice {
        name: name.into(),
        identifier: "zoë \0".into(),
        connection: "con".into(),
    }
}

async fn fail(store: &Store, now: i64) {
    let mut write = store.write();
    write.count("login/z/con/::1", at(now), at(now + 100));
    write.note_block(&notice("login/z/con/-"), "login/z/con/::1", 3, at(now));
    store.commit(write).await.unwrap();
}

async fn due(store: &Store, now: i64) -> Vec<BlockNotice> {
    store.list_block_notices(at(now), 10).await.unwrap()
}

pub async fn an_owner_is_told_once_a_block(store: &Bench) {
    let stored = BlockNotice {
        identifier: "zoë \u{2400}".into(),
        ..notice("login/z/con/-")
    };
    for now in 0..2 {
        fail(store, now).await;
    }
    assert_eq!(due(store, 2).await, []);
    fail(store, 2).await;
    assert_eq!(due(store, 3).await, std::slice::from_ref(&stored));
    let told = store
        .race(6, |store, _| async move {
            let mut write = store.write();
            write.mark_told("login/z/con/-", at(4));
            store.commit(write).await.is_ok()
        })
        .await;
    assert_eq!(told.into_iter().filter(|told| *told).count(), 1);
    // The same block, however often it is met.
    fail(store, 5).await;
    assert_eq!(due(store, 6).await, []);
    // The next one.
    for now in 100..103 {
        fail(store, now).await;
    }
    assert_eq!(due(store, 103).await, [stored]);
    let mut write = store.write();
    write.forget_block_notices(at(199));
    store.commit(write).await.unwrap();
    assert_eq!(due(store, 103).await.len(), 1);
    let mut write = store.write();
    write.drop_block_notices("login/z/con/");
    store.commit(write).await.unwrap();
    assert_eq!(due(store, 103).await, []);
}

pub async fn counters_are_found_and_reset_by_prefix(store: &Bench) {
    let names = ["a/x/1", "a/x/2", "a/x%2F/1", "a/xy/1", "b/x/1"];
    let mut write = store.write();
    for name in names {
        write.count(name, at(0), at(10));
    }
    write.count("a/x/over", at(0), at(1));
    store.commit(write).await.unwrap();
    let below = async |prefix: &str| -> Vec<String> {
        let found = store.list_counters(prefix, at(1)).await.unwrap();
        found.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(below("a/x/").await, ["a/x/1", "a/x/2"]);
    let mut found = store
        .find_counters(&["a/x/1", "b/x/1", "none", "a/x/over"], at(1))
        .await
        .unwrap();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let found: Vec<_> = found.into_iter().map(|(name, c)| (name, c.count)).collect();
    assert_eq!(found, [("a/x/1".to_owned(), 1), ("b/x/1".to_owned(), 1)]);
    let mut write = store.write();
    write.reset_counters("a/x/");
    store.commit(write).await.unwrap();
    assert_eq!(below("a/x/").await, [""; 0]);
    assert_eq!(below("a/").await, ["a/x%2F/1", "a/xy/1"]);
}
