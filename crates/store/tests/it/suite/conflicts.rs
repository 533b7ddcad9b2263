//! Every unique key names itself when it is taken.

use domain::UserRow;
use store::db::{Value, any};
use store::{Key, Store, StoreError};

use crate::bench::Bench;
use crate::make::{at, insert, new_user, put_connection, put_user, username};

/// The statement that takes a key twice, with what each of the two rows has of its own.
fn provocation(key: Key) -> (&'static str, [Vec<Value>; 2]) {
    let ids = [vec!["one".into()], vec!["two".into()]];
    let sql = match key {
        Key::ConnectionName => {
            "insert into connections (id, name, options, configuration, metadata, attributes, \
             version, created_at) values ($1, 'x', '{}', '{}', '{}', '{}', 1, 0)"
        }
        Key::Realm => {
            "insert into connection_realms (realm, connection_id, position) values ('x', $1, 0)"
        }
        Key::ResourceServerIdentifier => {
            "insert into resource_servers (id, identifier, name, scopes, token_lifetime, is_system, \
             attributes, version) values ($1, 'x', '', '[]', 0, false, '{}', 1)"
        }
        Key::ClientGrant => {
            "insert into client_grants (id, client_id, audience, scope) values ($1, 'x', 'y', '[]')"
        }
        Key::SigningKeyState => {
            "insert into signing_keys (kid, state, private_key, created_at) \
             values ($2, 'next', $1, 0)"
        }
        Key::SessionToken => {
            "insert into sessions (id, user_row, token_hash, methods, authenticated_at, created_at, \
             touched_at, idle_expires_at, expires_at) values ($1, 1, 'x', '[]', 0, 0, 0, 0, 0)"
        }
        Key::ConnectionClient => {
            "insert into connection_clients (connection_id, client_id) \
             select 'x', 'y' where $1 <> ''"
        }
        Key::IdempotencyKey => {
            "insert into jobs (id, type, status, connection_id, upsert, send_completion_email, \
             options, size, read_offset, total, inserted, updated, failed, lease_until, created_at, \
             idempotency_key) values ($1, 'users_import', 'pending', 'x', false, false, '{}', 0, 0, \
             0, 0, 0, 0, 0, 0, 'y')"
        }
        Key::UserCode => {
            "insert into device_codes (device_code_hash, user_code, client_id, scope, state, \
             seconds_between, created_at, expires_at) values ($1, 'x', 'y', '', 'waiting', 5, 0, 0)"
        }
        Key::LegacyId => {
            "insert into legacy_ids (connection_id, foreign_id, user_row, created_at) \
             select 'x', 'y', 1, 0 where $1 <> ''"
        }
        Key::UserRow => {
            "insert into users (id, user_id, email_verified, logins_count, created_at, updated_at, \
             version) values (1, $1, false, 0, 0, 0, 1)"
        }
        Key::Id => {
            "insert into spool_chunks (job_id, position, bytes, created_at) \
             select 'x', 1, $2, 1 where $1 <> ''"
        }
        Key::ForeignId | Key::Email | Key::Username | Key::PhoneNumber => {
            "insert into identities (provider, foreign_id, user_row, connection_id, is_primary, \
             email_key, username_key, phone_key, password_imported, origin) \
             values ('auth0', $1, 1, 'x', true, $2, $3, $4, false, 'native')"
        }
    };
    let params = match key {
        Key::SigningKeyState => ids.map(|_| vec![]).map(|mut params: Vec<Value>| {
            params.push(vec![1_u8].into());
            params
        }),
        Key::Id => ids.map(|mut params| {
            params.push(vec![1_u8].into());
            params
        }),
        Key::ForeignId => {
            ["f1", "f2"].map(|own| vec!["f".into(), own.into(), own.into(), own.into()])
        }
        Key::Email => ["e1", "e2"].map(|own| vec![own.into(), "e".into(), own.into(), own.into()]),
        Key::Username => {
            ["u1", "u2"].map(|own| vec![own.into(), own.into(), "u".into(), own.into()])
        }
        Key::PhoneNumber => {
            ["p1", "p2"].map(|own| vec![own.into(), own.into(), own.into(), "p".into()])
        }
        _ => ids,
    };
    (sql, params)
}

pub async fn every_key_names_itself(store: &Bench) {
    for key in store::conformance::keys().into_iter().chain([Key::Id]) {
        let (sql, [mut first, mut second]) = provocation(key);
        if key == Key::SigningKeyState {
            first.push("one".into());
            second.push("two".into());
        }
        store.db().batch(vec![any(sql, first)]).await.unwrap();
        let taken = store.db().batch(vec![any(sql, second)]).await;
        assert!(
            matches!(&taken, Err(StoreError::Conflict(found)) if *found == key),
            "{key:?}: {taken:?}"
        );
    }
}

pub async fn every_key_of_a_user_names_itself(store: &Bench) {
    let (here, there) = (
        put_connection(store, "here").await,
        put_connection(store, "there").await,
    );
    let holder = |row: i64, id: &str, address: &str, name: &str, phone: &str| {
        let mut user = new_user(UserRow(row), &here, id, address);
        user.attributes.username = Some(username(name));
        user.attributes.phone_number = Some(phone.into());
        user
    };
    insert(store, &holder(1, "1", "a@x.org", "a", "+1"))
        .await
        .unwrap();
    for (user, key) in [
        (holder(2, "1", "b@x.org", "b", "+2"), Key::ForeignId),
        (holder(2, "2", "A@x.org", "b", "+2"), Key::Email),
        (holder(2, "2", "b@x.org", "A", "+2"), Key::Username),
        (holder(2, "2", "b@x.org", "b", "+1"), Key::PhoneNumber),
        (holder(1, "2", "b@x.org", "b", "+2"), Key::UserRow),
    ] {
        let refused = insert(store, &user).await.unwrap_err();
        assert!(refused.is_conflict_on(key), "{key:?}: {refused:?}");
    }
    // Another connection shares only the space of ids.
    let mut other = holder(3, "3", "a@x.org", "a", "+1");
    other.connection = there.id.clone();
    insert(store, &other).await.unwrap();
    other = holder(4, "1", "c@x.org", "c", "+3");
    other.connection = there.id;
    assert!(
        insert(store, &other)
            .await
            .unwrap_err()
            .is_conflict_on(Key::ForeignId)
    );
}

pub async fn of_several_taken_keys_the_first_is_named(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = |row: i64, id: &str, address: &str, name: &str, phone: &str| {
        let mut user = new_user(UserRow(row), &connection, id, address);
        user.attributes.username = Some(username(name));
        user.attributes.phone_number = Some(phone.into());
        user
    };
    insert(store, &user(1, "1", "a@x.org", "a", "+1"))
        .await
        .unwrap();
    insert(store, &user(2, "2", "b@x.org", "b", "+2"))
        .await
        .unwrap();
    for (user, key) in [
        (user(3, "1", "a@x.org", "a", "+1"), Key::ForeignId),
        (user(3, "1", "b@x.org", "c", "+3"), Key::ForeignId),
        (user(3, "3", "a@x.org", "a", "+1"), Key::Email),
        (user(3, "3", "b@x.org", "a", "+3"), Key::Email),
        (user(3, "3", "c@x.org", "a", "+2"), Key::Username),
    ] {
        let refused = insert(store, &user).await.unwrap_err();
        assert!(refused.is_conflict_on(key), "{key:?}: {refused:?}");
    }
}

pub async fn a_changed_key_conflicts_like_a_new_one(store: &Bench) {
    let connection = put_connection(store, "main").await;
    put_user(store, &connection, "1", "a@x.org").await;
    let mut user = put_user(store, &connection, "2", "b@x.org").await;
    user.attributes.email = Some(crate::make::email("A@X.org"));
    let change = async |store: &Store| {
        let mut write = store.write();
        write.update_user(&user, &connection.id, at(1));
        store.commit(write).await
    };
    assert!(change(store).await.unwrap_err().is_conflict_on(Key::Email));
    let found = store.find_user_by_row(user.row).await.unwrap().unwrap();
    assert_eq!(
        (
            found.version,
            found.attributes.email.unwrap().as_str().to_owned()
        ),
        (1, "b@x.org".to_owned())
    );
}
