//! Connections, realms, enabled clients, sealed configuration.

use std::collections::BTreeMap;

use domain::{Connection, Page};
use store::{Key, StoreError};

use super::sessions::session_of;
use crate::bench::Bench;
use crate::make::{EXOTIC, at, configuration, connection, exotic_json, put_connection, put_user};

/// Everything but the configuration, and that as plain pairs.
fn shape(connection: &Connection) -> (String, Vec<(String, String)>) {
    let pairs = connection.configuration.iter();
    let pairs = pairs
        .map(|(name, value)| (name.clone(), value.expose().to_owned()))
        .collect();
    let mut bare = connection.clone();
    bare.configuration = BTreeMap::new();
    (format!("{bare:?}"), pairs)
}

fn exotic() -> Connection {
    let mut wanted = connection("main");
    wanted.display_name = Some(EXOTIC.concat());
    wanted.realms = vec!["zeta".into(), "main".into(), "alpha 👍".into()];
    wanted.options = exotic_json();
    wanted.metadata = exotic_json();
    wanted.attributes = exotic_json();
    wanted.configuration = EXOTIC
        .iter()
        .map(|text| ((*text).to_owned(), (*text).into()))
        .collect();
    wanted.enabled_clients = vec!["c1".into(), "c2".into()];
    wanted
}

pub async fn a_connection_comes_back_as_it_was(store: &Bench) {
    let mut wanted = exotic();
    let mut write = store.write();
    write.insert_connection(&wanted, at(0)).unwrap();
    store.commit(write).await.unwrap();
    let found = store.find_connection(&wanted.id).await.unwrap().unwrap();
    assert_eq!(shape(&found), shape(&wanted));
    for realm in &wanted.realms {
        let found = store
            .find_connection_by_realm(realm)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(shape(&found), shape(&wanted));
    }
    assert!(
        store
            .find_connection_by_name("main")
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .find_connection_by_name("Main")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .find_connection_by_realm("beta\0")
            .await
            .unwrap()
            .is_none()
    );
    wanted.realms = vec!["alpha 👍".into(), "new".into()];
    wanted.display_name = None;
    wanted.options.clear();
    let mut write = store.write();
    write.update_connection(&wanted, &BTreeMap::new()).unwrap();
    write.disable_client(&wanted.id, &"c1".into());
    write.enable_client(&wanted.id, &"c2".into());
    write.enable_client(&wanted.id, &"c0".into());
    store.commit(write).await.unwrap();
    wanted.version = 2;
    wanted.enabled_clients = vec!["c0".into(), "c2".into()];
    let found = store.find_connection(&wanted.id).await.unwrap().unwrap();
    assert_eq!(shape(&found), shape(&wanted));
    assert!(
        store
            .find_connection_by_realm("zeta")
            .await
            .unwrap()
            .is_none()
    );
    wanted.version = 1;
    let mut write = store.write();
    write.update_connection(&wanted, &BTreeMap::new()).unwrap();
    assert!(matches!(
        store.commit(write).await,
        Err(StoreError::Stale { .. })
    ));
}

pub async fn unchanged_configuration_keeps_its_ciphertext(store: &Bench) {
    let mut main = connection("main");
    main.configuration = configuration(&[("A", "one"), ("B", "two")]);
    let mut write = store.write();
    write.insert_connection(&main, at(0)).unwrap();
    store.commit(write).await.unwrap();
    let before = store.configuration_ciphertexts(&main.id).await.unwrap();
    assert_eq!(before.keys().collect::<Vec<_>>(), ["A", "B"]);
    main.configuration = configuration(&[("A", "one"), ("B", "changed"), ("C", "new")]);
    let unchanged = before.iter().filter(|(name, _)| *name == "A");
    let unchanged = unchanged
        .map(|(name, text)| (name.clone(), text.clone()))
        .collect();
    let mut write = store.write();
    write.update_connection(&main, &unchanged).unwrap();
    store.commit(write).await.unwrap();
    let after = store.configuration_ciphertexts(&main.id).await.unwrap();
    assert_eq!((after.len(), &after["A"]), (3, &before["A"]));
    assert_ne!(after["B"], before["B"]);
    main.version = 2;
    let found = store.find_connection(&main.id).await.unwrap().unwrap();
    assert_eq!(shape(&found), shape(&main));
    assert!(
        store
            .configuration_ciphertexts(&"con_none".into())
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn connections_are_listed_by_name(store: &Bench) {
    for name in ["b", "B", "a", "a-2", "a1"] {
        put_connection(store, name).await;
    }
    let names = async |number, size, after| {
        let found = store
            .list_connections(Page { number, size }, after)
            .await
            .unwrap();
        assert_eq!(found.total, Some(5));
        found
            .items
            .iter()
            .map(|connection| connection.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(0, 50, None).await, ["B", "a", "a-2", "a1", "b"]);
    assert_eq!(names(1, 2, None).await, ["a-2", "a1"]);
    assert_eq!(names(0, 2, Some("a")).await, ["a-2", "a1"]);
    assert_eq!(names(0, 0, None).await, [""; 0]);
}

pub async fn a_realm_belongs_to_one_connection(store: &Bench) {
    put_connection(store, "one").await;
    let mut two = connection("two");
    two.realms = vec!["free".into(), "one".into()];
    let mut write = store.write();
    write.insert_connection(&two, at(0)).unwrap();
    assert!(
        store
            .commit(write)
            .await
            .unwrap_err()
            .is_conflict_on(Key::Realm)
    );
    assert!(store.find_connection(&two.id).await.unwrap().is_none());
    assert!(
        store
            .find_connection_by_realm("free")
            .await
            .unwrap()
            .is_none()
    );
    let two = put_connection(store, "two").await;
    let mut greedy = two.clone();
    greedy.realms = vec!["two".into(), "one".into()];
    let mut write = store.write();
    write.update_connection(&greedy, &BTreeMap::new()).unwrap();
    assert!(
        store
            .commit(write)
            .await
            .unwrap_err()
            .is_conflict_on(Key::Realm)
    );
    let found = store.find_connection(&two.id).await.unwrap().unwrap();
    assert_eq!((found.realms, found.version), (vec!["two".to_owned()], 1));
}

pub async fn a_deleted_connection_takes_its_users_and_jobs(store: &Bench) {
    let one = put_connection(store, "one").await;
    let two = put_connection(store, "two").await;
    for (number, connection) in [(1, &one), (2, &one), (3, &two)] {
        let user = put_user(
            store,
            connection,
            &number.to_string(),
            &format!("{number}@x.org"),
        )
        .await;
        let mut write = store.write();
        write
            .replace_factors(user.row, &[domain::MfaFactor::Phone("+1".into())], at(0))
            .unwrap();
        let token = number.to_string();
        write.insert_session(&session_of(&token, user.row), &token);
        write.insert_job(&crate::make::job(
            &format!("job_{number}"),
            connection,
            at(number),
        ));
        write.enable_client(&connection.id, &"c".into());
        store.commit(write).await.unwrap();
    }
    assert!(store.connection_has_users(&one.id).await.unwrap());
    let mut write = store.write();
    write.delete_connection(&one.id, at(50));
    store.commit(write).await.unwrap();
    assert!(!store.connection_has_users(&one.id).await.unwrap());
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
    let dump = store.dump().await.unwrap();
    let users = dump
        .lines()
        .filter(|line| line.starts_with("users:"))
        .count();
    assert_eq!(users, 1, "{dump}");
    for (id, status) in [
        ("job_1", "failed"),
        ("job_2", "failed"),
        ("job_3", "pending"),
    ] {
        let job = store.find_job(&id.into()).await.unwrap().unwrap();
        assert_eq!(job.status.as_str(), status);
        assert_eq!(job.status_details.is_some(), status == "failed");
        assert_eq!(job.ended_at, (status == "failed").then_some(at(50)));
    }
    let mut write = store.write();
    write.delete_connection(&one.id, at(50));
    assert!(matches!(
        store.commit(write).await,
        Err(StoreError::Stale { .. })
    ));
    assert!(
        store
            .find_session_by_token("3", at(1))
            .await
            .unwrap()
            .is_some()
    );
}
