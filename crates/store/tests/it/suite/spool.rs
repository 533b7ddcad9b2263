//! Uploads as numbered chunks.

use store::{Key, StoreError};

use crate::bench::Bench;
use crate::make::{at, job, put_connection, put_job};

pub async fn chunks_come_back_byte_for_byte(store: &Bench) {
    let all: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    for (position, bytes) in [(0, all.clone()), (1, vec![]), (2, vec![0])] {
        store
            .put_chunk(&"job".into(), position, bytes.clone(), at(0))
            .await
            .unwrap();
        assert_eq!(
            store.find_chunk(&"job".into(), position).await.unwrap(),
            Some(bytes)
        );
    }
    assert_eq!(store.find_chunk(&"job".into(), 3).await.unwrap(), None);
    assert_eq!(store.find_chunk(&"other".into(), 0).await.unwrap(), None);
    let twice = store.put_chunk(&"job".into(), 0, vec![1], at(0)).await;
    assert!(
        matches!(twice, Err(StoreError::Conflict(Key::Id))),
        "{twice:?}"
    );
    let mut write = store.write();
    write.delete_chunks(&"job".into());
    store.commit(write).await.unwrap();
    assert_eq!(store.find_chunk(&"job".into(), 0).await.unwrap(), None);
}

pub async fn uploads_that_became_no_job_are_forgotten(store: &Bench) {
    let connection = put_connection(store, "main").await;
    put_job(store, &job("kept", &connection, at(0))).await;
    for (id, millis) in [("kept", 0), ("lost", 0), ("young", 10)] {
        store
            .put_chunk(&id.into(), 0, vec![7], at(millis))
            .await
            .unwrap();
    }
    let mut write = store.write();
    write.delete_orphan_chunks(at(10));
    store.commit(write).await.unwrap();
    for (id, is_there) in [("kept", true), ("lost", false), ("young", true)] {
        assert_eq!(
            store.find_chunk(&id.into(), 0).await.unwrap().is_some(),
            is_there,
            "{id}"
        );
    }
}
