//! Tenant-wide settings.

use crate::bench::Bench;
use crate::make::EXOTIC;

pub async fn a_setting_is_set_and_set_again(store: &Bench) {
    assert_eq!(store.find_setting("x").await.unwrap(), None);
    for text in EXOTIC {
        for value in [*text, "other", text] {
            let mut write = store.write();
            write.set_setting(text, value);
            store.commit(write).await.unwrap();
            assert_eq!(
                store.find_setting(text).await.unwrap().as_deref(),
                Some(value)
            );
        }
    }
    assert_eq!(store.find_setting("x\0").await.unwrap(), None);
}

pub async fn the_store_answers_and_says_what_it_is(store: &Bench) {
    store.ping().await.unwrap();
    assert_eq!(store.spools_to_files(), store.database() == "SQLite");
    assert!(store.write().is_empty());
    store.commit(store.write()).await.unwrap();
}
