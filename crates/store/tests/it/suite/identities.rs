//! Identities of other providers, and identities that move between users.

use domain::{Attributes, AuthorizationId, ConnectionId, UserRow};
use serde_json::json;
use store::{IdentityKey, Key, NewIdentity, StoreError};

use super::refresh_tokens::authorization;
use super::sessions::session_of;
use crate::bench::Bench;
use crate::make::{at, email, ending, object, put_connection, put_user};

fn key(id: &str) -> IdentityKey {
    IdentityKey {
        provider: "oidc".into(),
        foreign_id: format!("corp|{id}").as_str().into(),
    }
}

async fn arrive(store: &Bench, id: &str, address: Option<&str>) -> store::Result<UserRow> {
    let row = store.next_user_row().await?;
    let attributes = Attributes {
        email: Some(email("ann@x.org")),
        name: Some("Ann of Corp".into()),
        extra: object(json!({"groups": ["a"]})),
        app_metadata: Some(object(json!({"plan": 1}))),
        ..Attributes::default()
    };
    let address = address.map(email);
    let mut write = store.write();
    write.insert_identity(&NewIdentity {
        key: &key(id),
        user: row,
        connection: &ConnectionId::from("con_corp"),
        is_primary: true,
        email: address.as_ref(),
        profile_data: None,
    });
    write.insert_person((row, &key(id).user_id()), &attributes, at(1));
    store.commit(write).await?;
    Ok(row)
}

pub async fn who_is_vouched_for_is_found_by_the_identity(store: &Bench) {
    put_connection(store, "corp").await;
    let row = arrive(store, "1", Some("Ann@x.org")).await.unwrap();
    let found = store.find_user_by_identity(&key("1")).await.unwrap();
    let user = found.unwrap();
    assert_eq!((user.row, user.user_id.as_str()), (row, "oidc|corp|1"));
    assert_eq!(user.identities[0].provider, "oidc");
    assert_eq!(user.identities[0].connection_name, "corp");
    let by_id = store.find_user(&"oidc|corp|1".into()).await.unwrap();
    assert_eq!(by_id.unwrap(), user);
    let by_email = store.list_users_by_email("ANN@x.org").await.unwrap();
    assert_eq!(by_email.len(), 1);
    // One identity is one user's; an address is the key of one of them, and needs not be any's.
    let again = arrive(store, "1", None).await.unwrap_err();
    assert!(again.is_conflict_on(Key::ForeignId));
    let taken = arrive(store, "2", Some("ann@X.org")).await.unwrap_err();
    assert!(taken.is_conflict_on(Key::Email));
    arrive(store, "2", None).await.unwrap();
    let mut write = store.write();
    write.set_email_key(&key("2"), Some(&email("ann@x.org")));
    let taken = store.commit(write).await.unwrap_err();
    assert!(taken.is_conflict_on(Key::Email));
    let mut write = store.write();
    let mut changed = user.clone();
    changed.attributes.name = None;
    write.set_email_key(&key("1"), None);
    write.update_person(&changed, at(2));
    store.commit(write).await.unwrap();
    let found = store.find_user_by_row(row).await.unwrap().unwrap();
    assert_eq!((found.version, found.attributes.name), (2, None));
    assert!(
        store
            .list_users_by_email("ann@x.org")
            .await
            .unwrap()
            .is_empty()
    );
}

/// A session and an authorization of a user's, named like the connection through which they came.
async fn opened_through(store: &Bench, user: &domain::User, name: &str) {
    let connection = Some(ConnectionId::from(format!("con_{name}")));
    let mut session = session_of(name, user.row);
    session.authentication.connection.clone_from(&connection);
    let mut authorization = authorization(name, user.row, user.user_id.as_str());
    authorization.authentication.connection = connection;
    let mut write = store.write();
    write.insert_session(&session, &format!("token of {name}"));
    write.insert_authorization(&authorization, at(1000));
    store.commit(write).await.unwrap();
}

pub async fn what_is_linked_can_be_parted(store: &Bench) {
    let main = put_connection(store, "main").await;
    put_connection(store, "corp").await;
    let primary = put_user(store, &main, "7", "ann@main.org").await;
    let row = arrive(store, "1", Some("ann@x.org")).await.unwrap();
    let secondary = store.find_user_by_row(row).await.unwrap().unwrap();
    let mut write = store.write();
    write.insert_session(&session_of("one", row), "t1");
    store.commit(write).await.unwrap();

    let mut write = store.write();
    write.link_user(&primary, &secondary, &ending(at(5)));
    store.commit(write).await.unwrap();
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
    assert!(store.find_user_by_row(row).await.unwrap().is_none());
    assert!(
        store
            .find_session(&"one".into(), at(6))
            .await
            .unwrap()
            .is_none()
    );
    let linked = store
        .find_user_by_identity(&key("1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(linked.row, primary.row);
    assert_eq!(
        (linked.version, linked.updated_at),
        (primary.version + 1, at(5))
    );
    assert_eq!(linked.attributes, primary.attributes);
    let ids: Vec<_> = linked
        .identities
        .iter()
        .map(|i| i.foreign_id.as_str())
        .collect();
    assert_eq!(ids, ["7", "corp|1"]);
    let profile = linked.identities[1].profile_data.clone().unwrap();
    assert_eq!(
        serde_json::Value::Object(profile),
        json!({"email": "ann@x.org", "email_verified": false, "name": "Ann of Corp", "groups": ["a"]})
    );
    // The old id names nobody any more; the address leads to the one account.
    assert!(
        store
            .find_user(&"oidc|corp|1".into())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        store.list_users_by_email("ann@x.org").await.unwrap()[0].row,
        primary.row
    );
    // Once more, from what was read before: too late.
    let mut write = store.write();
    write.link_user(&primary, &secondary, &ending(at(6)));
    let late = store.commit(write).await.unwrap_err();
    assert!(matches!(late, StoreError::Stale { .. }), "{late}");

    let mut write = store.write();
    write.set_profile_data(
        &key("1"),
        &object(json!({"name": "Anne", "email": "new@x.org"})),
    );
    store.commit(write).await.unwrap();
    let linked = store.find_user_by_row(primary.row).await.unwrap().unwrap();
    let fresh = store.next_user_row().await.unwrap();
    opened_through(store, &primary, "main").await;
    opened_through(store, &primary, "corp").await;
    for is_first in [true, false] {
        let mut write = store.write();
        write.part_identity(&linked, &linked.identities[1], fresh, &ending(at(9)));
        assert_eq!(store.commit(write).await.is_ok(), is_first);
    }
    // What the identity opened ends, and nothing else.
    for (name, is_open) in [("main", true), ("corp", false)] {
        let session = store.find_session(&name.into(), at(10)).await.unwrap();
        assert_eq!(session.is_some(), is_open, "{name}");
        let id = AuthorizationId::from(format!("aut_{name}"));
        let found = store.find_authorization(&id).await.unwrap().unwrap();
        assert_eq!(found.revoked_at, (!is_open).then_some(at(9)), "{name}");
    }
    let parted = store
        .find_user(&"oidc|corp|1".into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((parted.row, parted.identities.len()), (fresh, 1));
    assert_eq!(parted.attributes.name.as_deref(), Some("Anne"));
    assert_eq!(parted.attributes.email, Some(email("new@x.org")));
    assert_eq!(parted.attributes.app_metadata, None);
    assert_eq!(parted.identities[0].profile_data, None);
    let left = store.find_user_by_row(primary.row).await.unwrap().unwrap();
    assert_eq!(left.identities.len(), 1);
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn racing_links_make_one(store: &Bench) {
    let main = put_connection(store, "main").await;
    put_connection(store, "corp").await;
    let row = arrive(store, "1", None).await.unwrap();
    let secondary = store.find_user_by_row(row).await.unwrap().unwrap();
    let one = put_user(store, &main, "1", "a@main.org").await;
    let other = put_user(store, &main, "2", "b@main.org").await;
    let link = async |primary: &domain::User| {
        let mut write = store.write();
        write.link_user(primary, &secondary, &ending(at(5)));
        store.commit(write).await
    };
    let (one_done, other_done) = tokio::join!(link(&one), link(&other));
    assert_ne!(one_done.is_ok(), other_done.is_ok());
    let holder = store
        .find_user_by_identity(&key("1"))
        .await
        .unwrap()
        .unwrap();
    let winner = if one_done.is_ok() { one.row } else { other.row };
    assert_eq!(holder.row, winner);
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}
