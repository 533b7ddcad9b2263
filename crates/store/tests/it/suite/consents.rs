//! What people allow clients.

use domain::{Authentication, AuthenticationMethod, Authorization, UserRow};
use store::StoredConsent;

use super::sessions::put_user;
use crate::bench::Bench;
use crate::make::at;

pub async fn a_consent_grows_and_is_withdrawn(store: &Bench) {
    put_user(store).await;
    let consent = |id: &str, scope: &str| StoredConsent {
        id: id.into(),
        user: UserRow(1),
        user_id: "auth0|1".into(),
        client_id: "shop".into(),
        audience: "https://api/".into(),
        scope: scope.into(),
    };
    for (id, scope) in [("one", "read"), ("two", "read write")] {
        let mut write = store.write();
        write.put_consent(&consent(id, scope), at(1));
        store.commit(write).await.unwrap();
    }
    let found = async || {
        let shop = "shop".into();
        let found = store.find_consent(UserRow(1), &shop, "https://api/").await;
        found.unwrap()
    };
    assert_eq!(found().await, Some(consent("one", "read write")));
    let listed = async |user: &str, client: &str| {
        let (user, client) = (user.into(), client.into());
        let listed = store.list_consents(Some(&user), Some(&client), None, (0, 9));
        let (consents, total) = listed.await.unwrap();
        (consents.len(), total)
    };
    assert_eq!(listed("auth0|1", "shop").await, (1, 1));
    assert_eq!(listed("auth0|1", "other").await, (0, 0));
    let mut write = store.write();
    write
        .delete_consent(&"one".into(), at(2))
        .delete_consent(&"one".into(), at(2));
    store.commit(write).await.unwrap();
    assert_eq!(found().await, None);
    for by_user in [true, false] {
        let mut write = store.write();
        write.put_consent(&consent("one", "read"), at(1));
        if by_user {
            write.delete_consents(UserRow(1), at(2));
        } else {
            write.delete_consents_of_client(&"shop".into());
        }
        store.commit(write).await.unwrap();
        assert_eq!(found().await, None);
    }
}

pub async fn what_came_of_a_consent_goes_with_it(store: &Bench) {
    put_user(store).await;
    let api = Some("https://api/");
    let authorizations = [
        ("api", "shop", api),
        ("none", "shop", None),
        ("other", "club", api),
    ];
    let mut write = store.write();
    for (id, client, audience) in authorizations {
        let authorization = Authorization {
            id: id.into(),
            client_id: client.into(),
            authentication: Authentication {
                user: UserRow(1),
                user_id: "auth0|1".into(),
                connection: None,
                session: None,
                at: at(0),
                methods: vec![AuthenticationMethod::Password],
            },
            audience: audience.map(Into::into),
            scope: "read".into(),
            dpop_key: None,
            created_at: at(0),
            revoked_at: None,
        };
        write.insert_authorization(&authorization, at(1000));
    }
    for (id, audience) in [("one", "https://api/"), ("two", "")] {
        let consent = StoredConsent {
            id: id.into(),
            user: UserRow(1),
            user_id: "auth0|1".into(),
            client_id: "shop".into(),
            audience: audience.into(),
            scope: "read".into(),
        };
        write.put_consent(&consent, at(1));
    }
    store.commit(write).await.unwrap();
    let living = async || {
        let mut living = Vec::new();
        for (id, ..) in authorizations {
            let found = store.find_authorization(&id.into()).await.unwrap();
            if found.is_some_and(|found| found.revoked_at.is_none()) {
                living.push(id);
            }
        }
        living
    };
    assert_eq!(living().await, ["api", "none", "other"]);
    let mut write = store.write();
    write.delete_consent(&"one".into(), at(2));
    store.commit(write).await.unwrap();
    assert_eq!(living().await, ["none", "other"]);
    let mut write = store.write();
    write.delete_consents(UserRow(1), at(2));
    store.commit(write).await.unwrap();
    assert_eq!(living().await, ["other"], "nobody consented to it");
}
