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

pub async fn a_setting_with_secrets_is_sealed_and_changed_once(store: &Bench) {
    let change = async |before: Option<&str>, after: &str| {
        let mut write = store.write();
        write.change_sealed_setting("smtp", before, after).unwrap();
        store.commit(write).await
    };
    let found = async || store.find_sealed_setting("smtp").await.unwrap();
    assert!(found().await.is_none());
    change(None, "hush").await.unwrap();
    assert!(change(None, "other").await.is_err());
    let (stored, opened) = found().await.unwrap();
    assert_eq!(*opened, "hush");
    change(Some(&stored), "hush again").await.unwrap();
    assert!(change(Some(&stored), "late").await.is_err());
    let dump = store.dump().await.unwrap();
    assert!(dump.contains("smtp") && !dump.contains("hush"));
    let (stored, _) = found().await.unwrap();
    // Another row does not open it.
    let mut write = store.write();
    write.set_setting("moved", &stored);
    write.remove_setting("smtp", &stored);
    store.commit(write).await.unwrap();
    assert!(found().await.is_none());
    assert!(store.find_sealed_setting("moved").await.is_err());
}

pub async fn the_store_answers_and_says_what_it_is(store: &Bench) {
    store.ping().await.unwrap();
    assert_eq!(store.spools_to_files(), store.database() == "SQLite");
    assert!(store.write().is_empty());
    store.commit(store.write()).await.unwrap();
}
