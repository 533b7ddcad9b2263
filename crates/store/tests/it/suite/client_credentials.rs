//! Public keys of clients.

use domain::ClientCredential;
use store::StoreError;

use crate::bench::Bench;
use crate::make::{at, put_client};

fn credential(id: &str, client: &str) -> ClientCredential {
    ClientCredential {
        id: id.into(),
        client_id: client.into(),
        name: Some("build 👍".into()),
        kid: "kid".into(),
        algorithm: "RS256".into(),
        pem: "-----BEGIN PUBLIC KEY-----".into(),
        created_at: at(1),
        updated_at: at(1),
        expires_at: None,
    }
}

pub async fn credentials_come_back_change_and_follow_their_client(store: &Bench) {
    put_client(store, "one").await;
    put_client(store, "two").await;
    let (first, second) = (credential("a", "one"), credential("b", "one"));
    let mut write = store.write();
    for credential in [&second, &first, &credential("c", "two")] {
        write.insert_client_credential(credential);
    }
    store.commit(write).await.unwrap();
    let one = || async { store.list_client_credentials(&"one".into()).await.unwrap() };
    assert_eq!(one().await, [first.clone(), second]);

    let mut write = store.write();
    write.set_credential_expiry(&"a".into(), Some(at(9)), at(5));
    write.delete_client_credential(&"b".into());
    store.commit(write).await.unwrap();
    let changed = ClientCredential {
        expires_at: Some(at(9)),
        updated_at: at(5),
        ..first
    };
    assert_eq!(one().await, [changed]);
    let mut write = store.write();
    write.set_credential_expiry(&"b".into(), None, at(5));
    assert!(matches!(
        store.commit(write).await,
        Err(StoreError::Stale { .. })
    ));

    let mut write = store.write();
    write.delete_client(&"one".into(), at(9));
    store.commit(write).await.unwrap();
    assert!(one().await.is_empty());
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
    let two = store.list_client_credentials(&"two".into()).await.unwrap();
    assert_eq!(two.len(), 1);
}
