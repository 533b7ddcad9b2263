//! APIs.

use domain::{ClientGrant, Page, ResourceServer};
use store::{Key, StoreError};

use crate::bench::Bench;
use crate::make::{EXOTIC, api, exotic_json, put_client};

pub async fn an_api_comes_back_as_it_was(store: &Bench) {
    let scopes = EXOTIC
        .iter()
        .map(|text| ((*text).to_owned(), Some((*text).to_owned())));
    let mut wanted = ResourceServer {
        name: EXOTIC.concat(),
        scopes: scopes.chain([("bare".to_owned(), None)]).collect(),
        token_lifetime: i64::MAX,
        is_system: true,
        attributes: exotic_json(),
        ..api("id", "https://api/$1?'")
    };
    let shape = |api: &ResourceServer| format!("{api:?}");
    let mut write = store.write();
    write.insert_resource_server(&wanted);
    store.commit(write).await.unwrap();
    for id in ["id", "https://api/$1?'"] {
        let found = store.find_resource_server_by_id(id).await.unwrap().unwrap();
        assert_eq!(shape(&found), shape(&wanted));
    }
    assert!(store.find_resource_server("id").await.unwrap().is_none());
    wanted.name = "changed".into();
    wanted.scopes.clear();
    for outcome in [true, false] {
        let mut write = store.write();
        write.update_resource_server(&wanted);
        match store.commit(write).await {
            Ok(()) => assert!(outcome),
            Err(StoreError::Stale { .. }) => assert!(!outcome),
            Err(error) => assert_eq!(error.to_string(), ""),
        }
    }
    wanted.version = 2;
    let found = store
        .find_resource_server(&wanted.identifier)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shape(&found), shape(&wanted));
}

pub async fn an_identifier_names_one_api_and_takes_its_grants(store: &Bench) {
    let mut write = store.write();
    write.insert_resource_server(&api("one", "x"));
    write.insert_resource_server(&api("two", "X"));
    for (id, audience) in [("g1", "x"), ("g2", "X")] {
        let grant = ClientGrant {
            id: id.into(),
            client_id: "c".into(),
            audience: audience.into(),
            scope: vec![],
        };
        write.insert_grant(&grant);
    }
    store.commit(write).await.unwrap();
    let mut write = store.write();
    write.insert_resource_server(&api("three", "x"));
    assert!(
        store
            .commit(write)
            .await
            .unwrap_err()
            .is_conflict_on(Key::ResourceServerIdentifier)
    );
    let all = store.list_resource_servers(Page::default()).await.unwrap();
    assert_eq!(all.total, Some(2));
    assert_eq!(
        all.items
            .iter()
            .map(|api| api.identifier.as_str())
            .collect::<Vec<_>>(),
        ["X", "x"]
    );
    let mut write = store.write();
    write.delete_resource_server(&"one".into(), "x");
    store.commit(write).await.unwrap();
    assert!(
        store
            .find_grant_by_id(&"g1".into())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .find_grant_by_id(&"g2".into())
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        store
            .list_resource_servers(Page::default())
            .await
            .unwrap()
            .total,
        Some(1)
    );
}

pub async fn one_read_tells_what_a_machine_may_do(store: &Bench) {
    let machine = put_client(store, "machine").await;
    put_client(store, "other").await;
    let mut write = store.write();
    write.insert_resource_server(&api("one", "x"));
    write.insert_resource_server(&api("two", "y"));
    for (id, client) in [("g1", "machine"), ("g2", "other")] {
        write.insert_grant(&ClientGrant {
            id: id.into(),
            client_id: client.into(),
            audience: "x".into(),
            scope: vec!["read".into()],
        });
    }
    store.commit(write).await.unwrap();
    let found = async |client: &str, audience: &str| {
        let client = client.into();
        let found = store.find_machine_access(&client, audience);
        found.await.unwrap()
    };
    assert!(found("nobody", "x").await.is_none());
    let access = found("machine", "x").await.unwrap();
    assert_eq!(access.client.secret.expose(), machine.secret.expose());
    assert_eq!(access.api.unwrap().id.as_str(), "one");
    let grant = access.grant.unwrap();
    assert_eq!(
        (grant.id.as_str(), grant.scope),
        ("g1", vec!["read".to_owned()])
    );
    let ungranted = found("machine", "y").await.unwrap();
    assert_eq!(ungranted.api.unwrap().id.as_str(), "two");
    assert!(ungranted.grant.is_none());
    let unknown = found("machine", "X").await.unwrap();
    assert!(unknown.api.is_none() && unknown.grant.is_none());
}
