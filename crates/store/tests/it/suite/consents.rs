//! What people allow clients.

use domain::UserRow;
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
        .delete_consent(&"one".into())
        .delete_consent(&"one".into());
    store.commit(write).await.unwrap();
    assert_eq!(found().await, None);
    for by_user in [true, false] {
        let mut write = store.write();
        write.put_consent(&consent("one", "read"), at(1));
        if by_user {
            write.delete_consents(UserRow(1));
        } else {
            write.delete_consents_of_client(&"shop".into());
        }
        store.commit(write).await.unwrap();
        assert_eq!(found().await, None);
    }
}
