//! Refresh tokens hang on their authorization; devices and pushed requests are answered once.

use domain::{Authentication, AuthenticationMethod, Authorization, AuthorizationId, UserRow};
use store::{DeviceState, Key, OpaqueToken, Store, StoreError, StoredDevice};

use crate::bench::Bench;
use crate::make::{at, object, put_client, put_connection, put_user};

async fn authorized(store: &Store, id: &str) -> Authorization {
    let main = match store.find_connection_by_realm("main").await.unwrap() {
        Some(main) => main,
        None => put_connection(store, "main").await,
    };
    let user = put_user(store, &main, id, &format!("{id}@x.org")).await;
    let authorization = authorization(id, user.row, user.user_id.as_str());
    let mut write = store.write();
    write.insert_authorization(&authorization, at(1000));
    store.commit(write).await.unwrap();
    authorization
}

pub fn authorization(id: &str, user: UserRow, user_id: &str) -> Authorization {
    Authorization {
        id: AuthorizationId::from(format!("aut_{id}")),
        client_id: "client".into(),
        authentication: Authentication {
            user,
            user_id: user_id.into(),
            connection: Some("con_main".into()),
            session: Some("session".into()),
            at: at(0),
            methods: vec![AuthenticationMethod::Password, AuthenticationMethod::Otp],
        },
        audience: Some("https://api/".into()),
        scope: "openid offline_access".into(),
        dpop_key: None,
        created_at: at(0),
        revoked_at: None,
    }
}

pub async fn a_family_comes_back_rotates_and_is_revoked(store: &Bench) {
    let authorization = authorized(store, "1").await;
    let (id, user) = (&authorization.id, authorization.authentication.user);
    let mut write = store.write();
    write.extend_authorization(id, at(500), Some("thumb"));
    write.insert_refresh_token("t1", id, user, (Some(at(900)), None), at(1));
    store.commit(write).await.unwrap();
    let found = store.find_refresh_token("t1").await.unwrap().unwrap();
    assert_eq!(found.authorization.dpop_key.as_deref(), Some("thumb"));
    assert_eq!(
        found.authorization.authentication,
        authorization.authentication
    );
    assert_eq!(
        (found.remembered_until, found.expires_at, found.used_at),
        (at(1000), Some(at(900)), None)
    );
    let mut write = store.write();
    write.require_authorization(id);
    write.use_refresh_token("t1", at(2));
    write.insert_refresh_token("t2", id, user, (Some(at(900)), Some(at(600))), at(2));
    store.commit(write).await.unwrap();
    let family = store.find_refresh_family(id, at(3)).await.unwrap().unwrap();
    assert!(family.was_rotated);
    assert_eq!(family.idle_expires_at, Some(at(600)));
    assert!(
        store
            .find_refresh_family(id, at(600))
            .await
            .unwrap()
            .is_none()
    );
    let user_id = &authorization.authentication.user_id;
    let listed = store.list_refresh_families(user_id, at(3), None, 10).await;
    assert_eq!(listed.unwrap().len(), 1);
    let mut write = store.write();
    write.revoke_refresh_tokens_of(user, at(4));
    store.commit(write).await.unwrap();
    assert!(
        store
            .find_refresh_family(id, at(5))
            .await
            .unwrap()
            .is_none()
    );
    let mut write = store.write();
    write.require_authorization(id);
    assert!(matches!(
        store.commit(write).await,
        Err(StoreError::Stale { .. })
    ));
    let mut write = store.write();
    write.forget_authorizations(at(1000));
    store.commit(write).await.unwrap();
    assert!(store.find_refresh_token("t2").await.unwrap().is_none());
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn of_twenty_racing_rotations_one_wins(store: &Bench) {
    let authorization = authorized(store, "1").await;
    let (id, user) = (&authorization.id, authorization.authentication.user);
    let mut write = store.write();
    write.insert_refresh_token("t", id, user, (None, None), at(1));
    store.commit(write).await.unwrap();
    let outcomes = store
        .race(20, |store, number| {
            let id = authorization.id.clone();
            async move {
                let mut write = store.write();
                write.require_authorization(&id);
                write.use_refresh_token("t", at(2));
                let next = format!("n{number}");
                write.insert_refresh_token(&next, &id, user, (None, None), at(2));
                store.commit(write).await
            }
        })
        .await;
    assert_eq!(crate::bench::tally(&outcomes), (1, 19), "{outcomes:?}");
    let mut living = 0;
    for number in 0..20 {
        let found = store
            .find_refresh_token(&format!("n{number}"))
            .await
            .unwrap();
        living += usize::from(found.is_some());
    }
    assert_eq!(living, 1);
}

pub async fn a_deleted_user_takes_all_tokens(store: &Bench) {
    let authorization = authorized(store, "1").await;
    let (id, user) = (&authorization.id, authorization.authentication.user);
    let claims = object(serde_json::json!({"sub": "auth0|1"}));
    let token = OpaqueToken {
        token_hash: "o",
        authorization: Some(id),
        user: Some(user),
        claims: &claims,
        expires_at: at(100),
    };
    let mut write = store.write();
    write.insert_refresh_token("t", id, user, (None, None), at(1));
    write.insert_opaque_token(&token, at(1));
    store.commit(write).await.unwrap();
    assert_eq!(
        store.find_opaque_token("o", at(99)).await.unwrap(),
        Some(claims.clone())
    );
    assert_eq!(store.find_opaque_token("o", at(100)).await.unwrap(), None);
    let mut write = store.write();
    write.delete_user(user);
    store.commit(write).await.unwrap();
    assert!(store.find_refresh_token("t").await.unwrap().is_none());
    assert_eq!(store.find_opaque_token("o", at(2)).await.unwrap(), None);
    // Nothing arrives for somebody who is gone.
    let mut write = store.write();
    write.insert_authorization(&self::authorization("2", user, "auth0|1"), at(1000));
    assert!(matches!(
        store.commit(write).await,
        Err(StoreError::Stale { .. })
    ));
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn a_deleted_client_takes_its_tokens(store: &Bench) {
    put_client(store, "client").await;
    let gone = authorized(store, "1").await;
    let user = gone.authentication.user;
    let kept = Authorization {
        client_id: "other".into(),
        ..authorization("2", user, gone.authentication.user_id.as_str())
    };
    let claims = object(serde_json::json!({"sub": "auth0|1"}));
    let mut write = store.write();
    write.insert_authorization(&kept, at(1000));
    for (hash, of) in [("gone", &gone), ("kept", &kept)] {
        write.insert_refresh_token(hash, &of.id, user, (None, None), at(1));
        let token = OpaqueToken {
            token_hash: hash,
            authorization: Some(&of.id),
            user: Some(user),
            claims: &claims,
            expires_at: at(100),
        };
        write.insert_opaque_token(&token, at(1));
    }
    store.commit(write).await.unwrap();
    let mut write = store.write();
    write.delete_client(&"client".into(), at(2));
    store.commit(write).await.unwrap();
    for (hash, of, is_there) in [("gone", &gone, false), ("kept", &kept, true)] {
        let refreshing = store.find_refresh_token(hash).await.unwrap();
        assert_eq!(refreshing.is_some(), is_there, "{hash}");
        let opaque = store.find_opaque_token(hash, at(3)).await.unwrap();
        assert_eq!(opaque.is_some(), is_there, "{hash}");
        let found = store.find_authorization(&of.id).await.unwrap().unwrap();
        let revoked_at = (!is_there).then_some(at(2));
        assert_eq!(found.revoked_at, revoked_at, "{hash}");
    }
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn a_revoked_family_is_forgotten_in_its_time(store: &Bench) {
    const KEPT: i64 = 31 * 86_400_000;
    let authorization = authorized(store, "1").await;
    let (id, user) = (&authorization.id, authorization.authentication.user);
    let mut write = store.write();
    // Its tokens never end by themselves.
    write.extend_authorization(id, at(253_370_764_800_000), None);
    write.insert_refresh_token("t", id, user, (None, None), at(1));
    store.commit(write).await.unwrap();
    let is_known = async |now: i64| {
        let mut write = store.write();
        write.forget_authorizations(at(now));
        store.commit(write).await.unwrap();
        store.find_refresh_token("t").await.unwrap().is_some()
    };
    assert!(is_known(9 * KEPT).await);
    let mut write = store.write();
    write.revoke_authorization(id, at(2));
    store.commit(write).await.unwrap();
    assert!(is_known(KEPT + 1).await);
    assert!(!is_known(KEPT + 2).await);
}

pub async fn a_device_is_answered_once_and_ends_once(store: &Bench) {
    let authorization = authorized(store, "1").await;
    let device = StoredDevice {
        device_code_hash: "d".into(),
        user_code: "BCDFGHJK".into(),
        client_id: "client".into(),
        audience: Some("https://api/".into()),
        scope: "openid".into(),
        state: DeviceState::Waiting,
        authorization: None,
        seconds_between: 5,
        polled_at: None,
        expires_at: at(100),
    };
    let insert = async |device: &StoredDevice| {
        let mut write = store.write();
        write.insert_device(device, at(0));
        store.commit(write).await
    };
    insert(&device).await.unwrap();
    let twin = StoredDevice {
        device_code_hash: "e".into(),
        ..device.clone()
    };
    assert!(
        insert(&twin)
            .await
            .unwrap_err()
            .is_conflict_on(Key::UserCode)
    );
    assert_eq!(store.find_device("d").await.unwrap(), Some(device.clone()));
    let waiting = store.find_waiting_device("BCDFGHJK", at(99)).await.unwrap();
    assert_eq!(waiting, Some(device));
    assert_eq!(
        store
            .find_waiting_device("BCDFGHJK", at(100))
            .await
            .unwrap(),
        None
    );
    let mut write = store.write();
    write.poll_device("d", 10, at(1));
    store.commit(write).await.unwrap();
    let outcomes = store
        .race(20, |store, number| {
            let id = authorization.id.clone();
            async move {
                let allowed = (number % 2 == 0).then_some((&id, UserRow(1)));
                let mut write = store.write();
                write.answer_device("BCDFGHJK", allowed, at(2));
                store.commit(write).await
            }
        })
        .await;
    assert_eq!(crate::bench::tally(&outcomes), (1, 19), "{outcomes:?}");
    let found = store.find_device("d").await.unwrap().unwrap();
    assert_eq!((found.seconds_between, found.polled_at), (10, Some(at(1))));
    let state = found.state;
    assert!(matches!(state, DeviceState::Allowed | DeviceState::Denied));
    assert_eq!(found.authorization.is_some(), state == DeviceState::Allowed);
    let outcomes = store
        .race(20, |store, _| async move {
            let mut write = store.write();
            write.end_device("d", state);
            store.commit(write).await
        })
        .await;
    assert_eq!(crate::bench::tally(&outcomes), (1, 19), "{outcomes:?}");
}

pub async fn a_pushed_request_is_taken_once(store: &Bench) {
    let mut write = store.write();
    write
        .insert_pushed_request("u", &"client".into(), "[\"needle\"]", at(0), at(100))
        .unwrap();
    store.commit(write).await.unwrap();
    assert!(!store.dump().await.unwrap().contains("needle"));
    let take = async |client: &str, millis| {
        let client = client.into();
        let taken = store.take_pushed_request("u", &client, at(millis));
        taken.await.unwrap()
    };
    assert_eq!(take("other", 1).await, None);
    assert_eq!(take("client", 100).await, None);
    let taken = store
        .race(20, |store, _| async move {
            let taken = store
                .take_pushed_request("u", &"client".into(), at(1))
                .await;
            taken.unwrap()
        })
        .await;
    let taken: Vec<String> = taken.into_iter().flatten().collect();
    assert_eq!(taken, ["[\"needle\"]"]);
}
