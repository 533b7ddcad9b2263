//! Clients and client grants.

use domain::{Client, ClientGrant, ClientSecret, Page, TokenEndpointAuth};
use store::{Key, StoreError};

use crate::bench::Bench;
use crate::make::{EXOTIC, at, client, connection, exotic_json, put_client};

fn same(one: &Client, two: &Client) {
    let shape = |client: &Client| {
        let mut client = client.clone();
        let secret = client.secret.expose().to_owned();
        client.secret = ClientSecret::from("");
        (format!("{client:?}"), secret)
    };
    assert_eq!(shape(one), shape(two));
}

pub async fn a_client_comes_back_as_it_was(store: &Bench) {
    for (number, text) in EXOTIC.iter().enumerate() {
        let mut wanted = Client {
            name: (*text).to_owned(),
            secret: ClientSecret::from(*text),
            auth: TokenEndpointAuth::None,
            grant_types: EXOTIC.iter().map(ToString::to_string).collect(),
            attributes: exotic_json(),
            created_at: at(7),
            ..client(&format!("{number}{text}"))
        };
        let mut write = store.write();
        write.insert_client(&wanted, at(7)).unwrap();
        store.commit(write).await.unwrap();
        same(
            &store.find_client(&wanted.client_id).await.unwrap().unwrap(),
            &wanted,
        );
        wanted.name = "changed".into();
        wanted.secret = ClientSecret::from("other");
        wanted.auth = TokenEndpointAuth::ClientSecretBasic;
        wanted.grant_types = vec![];
        let mut write = store.write();
        write.update_client(&wanted).unwrap();
        store.commit(write).await.unwrap();
        let mut write = store.write();
        write.update_client(&wanted).unwrap();
        assert!(matches!(
            store.commit(write).await,
            Err(StoreError::Stale { .. })
        ));
        wanted.version = 2;
        same(
            &store.find_client(&wanted.client_id).await.unwrap().unwrap(),
            &wanted,
        );
    }
    assert!(
        store
            .find_client(&"nobody\0".into())
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn clients_are_listed_by_id(store: &Bench) {
    for id in ["b", "B", "a", "é", "z", "_"] {
        put_client(store, id).await;
    }
    let ids = async |number, size, after| {
        let found = store
            .list_clients(Page { number, size }, after)
            .await
            .unwrap();
        assert_eq!(found.total, Some(6));
        found
            .items
            .iter()
            .map(|client| client.client_id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(0, 100, None).await, ["B", "_", "a", "b", "z", "é"]);
    assert_eq!(ids(1, 2, None).await, ["a", "b"]);
    assert_eq!(ids(9, 2, None).await, [""; 0]);
    assert_eq!(ids(0, 0, None).await, [""; 0]);
    assert_eq!(ids(0, 2, Some("a")).await, ["b", "z"]);
}

fn grant(id: &str, client: &str, audience: &str) -> ClientGrant {
    ClientGrant {
        id: id.into(),
        client_id: client.into(),
        audience: audience.into(),
        scope: vec!["read:users".into(), "$1 'q'".into()],
    }
}

pub async fn grants_come_back_and_follow_their_client(store: &Bench) {
    put_client(store, "one").await;
    put_client(store, "two").await;
    let mut main = connection("main");
    main.enabled_clients = vec!["one".into(), "two".into()];
    let grants = [
        grant("g1", "one", "x"),
        grant("g2", "one", "y"),
        grant("g3", "two", "x"),
    ];
    let mut write = store.write();
    for grant in &grants {
        write.insert_grant(grant);
    }
    write.insert_connection(&main, at(0)).unwrap();
    store.commit(write).await.unwrap();
    assert_eq!(
        store.find_grant(&"one".into(), "y").await.unwrap().as_ref(),
        Some(&grants[1])
    );
    assert_eq!(store.find_grant(&"two".into(), "y").await.unwrap(), None);
    assert_eq!(
        store.find_grant_by_id(&"g3".into()).await.unwrap().as_ref(),
        Some(&grants[2])
    );
    let ids = async |client: Option<&str>, audience: Option<&str>| {
        let client = client.map(domain::ClientId::from);
        let found = store
            .list_grants(client.as_ref(), audience, Page::default(), None)
            .await
            .unwrap();
        assert_eq!(found.total, Some(found.items.len() as i64));
        found
            .items
            .iter()
            .map(|grant| grant.id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None).await, ["g1", "g2", "g3"]);
    assert_eq!(ids(Some("one"), None).await, ["g1", "g2"]);
    assert_eq!(ids(None, Some("x")).await, ["g1", "g3"]);
    assert_eq!(ids(Some("one"), Some("x")).await, ["g1"]);
    assert_eq!(ids(None, Some("x\0")).await, [""; 0]);
    let changed = ClientGrant {
        scope: vec![],
        ..grants[0].clone()
    };
    let mut write = store.write();
    write.update_grant(&changed);
    write.delete_grant(&"g2".into());
    store.commit(write).await.unwrap();
    assert_eq!(
        store.find_grant_by_id(&"g1".into()).await.unwrap(),
        Some(changed)
    );
    let mut write = store.write();
    write.delete_client(&"one".into(), at(9));
    store.commit(write).await.unwrap();
    assert_eq!(ids(None, None).await, ["g3"]);
    let main = store.find_connection(&main.id).await.unwrap().unwrap();
    assert_eq!(main.enabled_clients, ["two".into()]);
    let mut write = store.write();
    write.delete_client(&"one".into(), at(9));
    assert!(matches!(
        store.commit(write).await,
        Err(StoreError::Stale { .. })
    ));
}

pub async fn one_grant_for_a_client_and_audience(store: &Bench) {
    let mut write = store.write();
    write.insert_grant(&grant("g1", "one", "x"));
    store.commit(write).await.unwrap();
    let mut write = store.write();
    write.insert_grant(&grant("g2", "one", "x"));
    assert!(
        store
            .commit(write)
            .await
            .unwrap_err()
            .is_conflict_on(Key::ClientGrant)
    );
}

/// Grants arrive while their client or API goes: none stays behind.
pub async fn a_deleted_client_or_api_leaves_no_arriving_grant(store: &Bench) {
    for round in 0..20_usize {
        let (name, audience) = (format!("client {round}"), format!("https://{round}/"));
        put_client(store, &name).await;
        let mut write = store.write();
        write.insert_resource_server(&crate::make::api(&name, &audience));
        store.commit(write).await.unwrap();
        let outcomes = store
            .race(3, |store, number| {
                let (name, audience) = (name.clone(), audience.clone());
                async move {
                    let mut write = store.write();
                    if number == round % 3 {
                        if round % 2 == 0 {
                            write.delete_client(&name.into(), at(9));
                        } else {
                            write.delete_resource_server(&name.into(), &audience);
                        }
                    } else {
                        write.require_client(&name.as_str().into());
                        write.require_resource_server(&name.as_str().into());
                        let id = format!("{round}-{number}");
                        write.insert_grant(&grant(&id, &name, &format!("{audience}{number}")));
                        write.insert_grant(&grant(
                            &format!("{id}x"),
                            &format!("{name}{number}"),
                            &audience,
                        ));
                    }
                    store.commit(write).await
                }
            })
            .await;
        let (won, lost) = crate::bench::tally(&outcomes);
        assert_eq!(won + lost, 3, "{outcomes:?}");
        let (client, api) = if round % 2 == 0 {
            (Some(name.into()), None)
        } else {
            (None, Some(audience.as_str()))
        };
        let left = store
            .list_grants(client.as_ref(), api, Page::default(), None)
            .await
            .unwrap();
        assert_eq!(left.total, Some(0), "round {round}");
    }
}
