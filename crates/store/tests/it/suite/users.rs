//! Users, identities, credentials, factors.

use domain::conflict::ClaimedKey;
use domain::{Attributes, Json, MfaFactor, NewUser, Origin, TotpSecret, User, UserId, UserRow};
use store::{Store, StoreError};

use super::sessions::session_of;
use crate::bench::Bench;
use crate::make::{
    EXOTIC, at, connection, credential, email, exotic_json, hash, insert, new_user, object,
    put_connection, put_user, username,
};

async fn by_row(store: &Store, row: UserRow) -> User {
    store.find_user_by_row(row).await.unwrap().unwrap()
}

pub async fn every_attribute_comes_back_as_it_was(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let attributes = Attributes {
        email: Some(email("дмитрий+x@пример.рф")),
        email_verified: true,
        username: Some(username("jürgen 'q'")),
        phone_number: Some("+15551234567".into()),
        phone_verified: Some(false),
        name: Some("Zoë 👩‍👩‍👧".into()),
        nickname: Some("ז".into()),
        given_name: Some(String::new()),
        family_name: Some("O'Brien \\ \"$1\"".into()),
        picture: Some("https://x/?a=$1&b='".into()),
        blocked: Some(false),
        extra: exotic_json(),
        user_metadata: Some(exotic_json()),
        app_metadata: Some(Json::new()),
    };
    let new = NewUser {
        attributes: attributes.clone(),
        origin: Origin::Login,
        import_job: Some("job_1".into()),
        factors: vec![
            MfaFactor::Totp(TotpSecret::from("ABCD")),
            MfaFactor::Phone("+1555".into()),
            MfaFactor::Email("a@b.co".into()),
        ],
        ..new_user(UserRow(77), &connection, "a|b|c", "x@y.zz")
    };
    insert(store, &new).await.unwrap();
    let user = by_row(store, UserRow(77)).await;
    assert_eq!(user.attributes, attributes);
    let order = |json: &Option<Json>| serde_json::to_string(json).unwrap();
    assert_eq!(
        order(&user.attributes.user_metadata),
        order(&attributes.user_metadata)
    );
    assert_eq!(user.user_id.as_str(), "auth0|a|b|c");
    assert_eq!(user.factors, ["totp", "phone", "email"]);
    assert_eq!((user.version, user.logins_count), (1, 0));
    assert_eq!((user.created_at, user.updated_at), (at(0), at(0)));
    assert_eq!(
        (
            user.last_login,
            user.last_ip.clone(),
            user.last_password_reset
        ),
        (None, None, None)
    );
    let identity = &user.identities[0];
    assert_eq!(user.identities.len(), 1);
    assert_eq!(identity.connection, connection.id);
    assert_eq!(identity.connection_name, "main");
    assert_eq!(
        (identity.provider.as_str(), identity.foreign_id.as_str()),
        ("auth0", "a|b|c")
    );
    assert_eq!(
        (identity.origin, identity.migrated_at),
        (Origin::Login, Some(at(0)))
    );
    assert!(identity.is_primary && identity.profile_data.is_none());
    assert_eq!(store.find_user(&user.user_id).await.unwrap(), Some(user));
}

pub async fn what_is_absent_stays_absent(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let new = NewUser {
        attributes: Attributes {
            username: Some(username("only")),
            ..Attributes::default()
        },
        credential: None,
        ..new_user(UserRow(1), &connection, "1", "x@y.zz")
    };
    insert(store, &new).await.unwrap();
    let user = by_row(store, UserRow(1)).await;
    assert_eq!(user.attributes, new.attributes);
    assert!(user.factors.is_empty() && user.identities[0].migrated_at.is_none());
    let found = store
        .find_credential(user.row, &connection.id)
        .await
        .unwrap()
        .unwrap();
    assert!(found.hash.is_none() && !found.is_imported);
}

pub async fn every_exotic_text_comes_back(store: &Bench) {
    let connection = put_connection(store, "main").await;
    for (number, text) in EXOTIC.iter().enumerate() {
        let mut new = new_user(
            UserRow(number as i64),
            &connection,
            &format!("{number}{text}"),
            &format!("{number}@y.zz"),
        );
        new.attributes.name = Some((*text).to_owned());
        new.attributes.user_metadata = Some(object(serde_json::json!({*text: *text})));
        new.credential = Some(credential(text));
        insert(store, &new).await.unwrap();
        let user = store
            .find_user(&new.foreign_id.user_id())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(user.attributes, new.attributes);
        assert_eq!(user.identities[0].foreign_id, new.foreign_id);
        let (_, found) = store
            .find_login(&connection.id, &format!("{number}@Y.ZZ"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.hash.unwrap().expose(), *text);
    }
}

pub async fn two_spellings_of_one_address_are_one(store: &Bench) {
    let (one, two) = (
        put_connection(store, "one").await,
        put_connection(store, "two").await,
    );
    for (number, (first, second)) in [
        ("MiXed@Example.com", "mixed@EXAMPLE.com"),
        ("ÄÖ@x.org", "äö@x.org"),
        ("ДИМА@ПРИМЕР.рф", "дима@пример.РФ"),
        ("ΌΔΟΣ@x.gr", "όδος@x.gr"),
    ]
    .iter()
    .enumerate()
    {
        let stored = put_user(store, &one, &format!("a{number}"), first).await;
        let row = store.next_user_row().await.unwrap();
        let again = insert(store, &new_user(row, &one, &format!("b{number}"), second)).await;
        assert!(
            again.unwrap_err().is_conflict_on(store::Key::Email),
            "{second}"
        );
        // The address as it was spelled, found in every spelling.
        assert_eq!(stored.attributes.email.as_ref().unwrap().as_str(), *first);
        let found = store
            .find_user_by_email(&one.id, &email(second))
            .await
            .unwrap();
        assert_eq!(found, Some(stored.clone()));
        // Another connection, another person.
        let other = put_user(store, &two, &format!("c{number}"), second).await;
        let all = store
            .list_users_by_email(&first.to_uppercase())
            .await
            .unwrap();
        assert_eq!(all, [stored, other]);
    }
}

pub async fn different_letters_are_different_people(store: &Bench) {
    let connection = put_connection(store, "main").await;
    for (number, address) in [
        "e@x.org",
        "é@x.org",
        "e\u{301}@x.org",
        "ı@x.org",
        "i@x.org",
        "ß@x.org",
        "ss@x.org",
    ]
    .iter()
    .enumerate()
    {
        put_user(store, &connection, &number.to_string(), address).await;
    }
    for name in ["straße", "strasse", "ı", "i", "a_b", "a%b", "axb"] {
        let row = store.next_user_row().await.unwrap();
        let mut new = new_user(
            row,
            &connection,
            &format!("n{name}"),
            &format!("{}@n.org", row.0),
        );
        new.attributes.username = Some(username(name));
        insert(store, &new).await.unwrap();
        let (found, _) = store
            .find_login(&connection.id, name)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.row, row);
    }
}

pub async fn a_login_is_found_by_address_or_username(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let mut new = new_user(UserRow(1), &connection, "1", "A@b.co");
    new.attributes.username = Some(username("Legacy@Name"));
    new.credential = Some(domain::Credential {
        hash: hash("h"),
        is_imported: true,
    });
    insert(store, &new).await.unwrap();
    for identifier in ["a@B.CO", "legacy@name", "LEGACY@NAME"] {
        let (user, found) = store
            .find_login(&connection.id, identifier)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(user.row, UserRow(1));
        assert_eq!(
            (found.hash.unwrap().expose(), found.is_imported),
            ("h", true)
        );
    }
    for stranger in [
        "", "@", "b.co", "a@b.c", "legacy", "a@b.co ", "a@b.co\0", "\0",
    ] {
        assert!(
            store
                .find_login(&connection.id, stranger)
                .await
                .unwrap()
                .is_none(),
            "{stranger:?}"
        );
    }
    assert!(
        store
            .find_login(&"con_other".into(), "a@b.co")
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn an_update_moves_the_keys_along(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let mut user = put_user(store, &connection, "1", "old@x.org").await;
    user.attributes.email = Some(email("New@x.org"));
    user.attributes.username = Some(username("fresh"));
    user.attributes.phone_number = Some("+1".into());
    user.attributes.extra = exotic_json();
    user.attributes.blocked = Some(true);
    let mut write = store.write();
    write.update_user(&user, &connection.id, at(5));
    store.commit(write).await.unwrap();
    let found = by_row(store, user.row).await;
    assert_eq!(found.attributes, user.attributes);
    assert_eq!(
        (found.version, found.updated_at, found.created_at),
        (2, at(5), at(0))
    );
    assert!(
        store
            .find_login(&connection.id, "old@x.org")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .find_login(&connection.id, "new@x.org")
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .find_login(&connection.id, "FRESH")
            .await
            .unwrap()
            .is_some()
    );
    // And back to nothing.
    let mut bare = found;
    bare.attributes = Attributes {
        username: Some(username("fresh")),
        ..Attributes::default()
    };
    let mut write = store.write();
    write.update_user(&bare, &connection.id, at(6));
    store.commit(write).await.unwrap();
    assert_eq!(by_row(store, user.row).await.attributes, bare.attributes);
    put_user(store, &connection, "2", "new@x.org").await;
}

pub async fn an_old_version_writes_nothing(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    let write_name = async |name: &str, user: &User| {
        let mut user = user.clone();
        user.attributes.name = Some(name.into());
        let mut write = store.write();
        write.update_user(&user, &connection.id, at(1));
        store.commit(write).await
    };
    write_name("first", &user).await.unwrap();
    let late = write_name("second", &user).await;
    assert!(matches!(late, Err(StoreError::Stale { .. })), "{late:?}");
    assert_eq!(
        by_row(store, user.row).await.attributes.name.as_deref(),
        Some("first")
    );
}

pub async fn a_password_is_adopted_once_and_refreshed_only_when_proven(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let new = NewUser {
        credential: None,
        origin: Origin::Cached,
        ..new_user(UserRow(1), &connection, "1", "a@x.org")
    };
    insert(store, &new).await.unwrap();
    let stored = async || {
        let found = store
            .find_credential(UserRow(1), &connection.id)
            .await
            .unwrap()
            .unwrap();
        (
            found.hash.map(|hash| hash.expose().to_owned()),
            found.is_imported,
        )
    };
    let mut write = store.write();
    write.adopt_password(UserRow(1), &connection.id, &hash("one"), at(3));
    store.commit(write).await.unwrap();
    assert_eq!(stored().await, (Some("one".into()), false));
    let identity = by_row(store, UserRow(1)).await.identities.remove(0);
    assert_eq!(
        (identity.origin, identity.migrated_at),
        (Origin::Login, Some(at(3)))
    );
    let mut write = store.write();
    write.adopt_password(UserRow(1), &connection.id, &hash("two"), at(4));
    assert!(matches!(
        store.commit(write).await,
        Err(StoreError::Stale { .. })
    ));
    for (proven, fresh, after) in [("other", "three", "one"), ("one", "four", "four")] {
        let mut write = store.write();
        write.refresh_password(UserRow(1), &connection.id, &hash(proven), &hash(fresh));
        store.commit(write).await.unwrap();
        assert_eq!(stored().await.0.as_deref(), Some(after));
    }
    let imported = domain::Credential {
        hash: hash("five"),
        is_imported: true,
    };
    let mut write = store.write();
    write.set_password(UserRow(1), &connection.id, &imported, at(9));
    store.commit(write).await.unwrap();
    assert_eq!(stored().await, (Some("five".into()), true));
    let user = by_row(store, UserRow(1)).await;
    assert_eq!((user.last_password_reset, user.version), (Some(at(9)), 2));
    assert!(
        store
            .find_credential(UserRow(2), &connection.id)
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn factors_are_replaced_in_their_order(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    for kinds in [
        vec!["email", "totp", "phone", "email"],
        vec![],
        vec!["phone"],
    ] {
        let factor = |kind: &&str| match *kind {
            "email" => MfaFactor::Email("a@b.co".into()),
            "totp" => MfaFactor::Totp("AB".into()),
            _ => MfaFactor::Phone("+1".into()),
        };
        let factors: Vec<_> = kinds.iter().map(factor).collect();
        let mut write = store.write();
        write.replace_factors(user.row, &factors, at(1)).unwrap();
        store.commit(write).await.unwrap();
        assert_eq!(by_row(store, user.row).await.factors, kinds);
    }
}

pub async fn logins_are_counted(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    for (millis, ip) in [(1, Some("::1")), (2, None), (3, Some("10.0.0.1"))] {
        let mut write = store.write();
        write.record_login(user.row, ip, at(millis));
        store.commit(write).await.unwrap();
    }
    let user = by_row(store, user.row).await;
    assert_eq!((user.logins_count, user.last_login), (3, Some(at(3))));
    assert_eq!(user.last_ip.as_deref(), Some("10.0.0.1"));
    let mut write = store.write();
    write.record_login(UserRow(99), None, at(1));
    assert!(matches!(
        store.commit(write).await,
        Err(StoreError::Stale { .. })
    ));
}

pub async fn claims_name_who_holds_which_key(store: &Bench) {
    let (here, there) = (
        put_connection(store, "here").await,
        put_connection(store, "there").await,
    );
    let mut holder = new_user(UserRow(501), &here, "1", "a@x.org");
    holder.attributes.username = Some(username("name"));
    holder.attributes.phone_number = Some("+1".into());
    insert(store, &holder).await.unwrap();
    put_user(store, &there, "2", "a@x.org").await;
    let claims =
        async |id: &str, address: Option<&str>, name: Option<&str>, phone: Option<&str>| {
            let attributes = Attributes {
                email: address.map(email),
                username: name.map(username),
                phone_number: phone.map(Into::into),
                ..Attributes::default()
            };
            let mut claims = store
                .claims_of(&here.id, &id.into(), &attributes)
                .await
                .unwrap();
            claims.sort_by_key(|claim| claim.row);
            claims
                .into_iter()
                .map(|claim| {
                    (
                        claim.foreign_id.to_string(),
                        claim.same_connection,
                        claim.has_password,
                        claim.key,
                    )
                })
                .collect::<Vec<_>>()
        };
    let one = |key| vec![("1".to_owned(), true, true, key)];
    assert_eq!(claims("9", None, None, None).await, []);
    assert_eq!(
        claims("1", None, None, None).await,
        one(ClaimedKey::ForeignId)
    );
    assert_eq!(
        claims("9", Some("A@X.org"), None, None).await,
        one(ClaimedKey::Email)
    );
    assert_eq!(
        claims("9", Some("b@x.org"), Some("NAME"), None).await,
        one(ClaimedKey::Username)
    );
    assert_eq!(
        claims("9", None, None, Some("+1")).await,
        one(ClaimedKey::PhoneNumber)
    );
    let all = claims("9", Some("a@x.org"), Some("name"), Some("+1")).await;
    let keys: Vec<_> = all.into_iter().map(|claim| claim.3).collect();
    assert_eq!(keys, ClaimedKey::ALL[1..]);
    let mut write = store.write();
    write.insert_legacy_id(UserRow(501), &here.id, &"old".into(), at(1));
    store.commit(write).await.unwrap();
    assert_eq!(
        claims("old", None, None, None).await,
        one(ClaimedKey::ForeignId)
    );
    let known = store.find_legacy_id(UserRow(501), &here.id).await.unwrap();
    assert_eq!(known, Some("old".into()));
    assert_eq!(
        store.find_legacy_id(UserRow(501), &there.id).await.unwrap(),
        None
    );
    let elsewhere = claims("2", None, None, None).await;
    assert!(!elsewhere[0].1);
}

pub async fn a_deleted_user_leaves_nothing(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    let stays = put_user(store, &connection, "2", "b@x.org").await;
    let mut write = store.write();
    write
        .replace_factors(user.row, &[MfaFactor::Phone("+1".into())], at(0))
        .unwrap();
    write
        .replace_factors(stays.row, &[MfaFactor::Phone("+1".into())], at(0))
        .unwrap();
    write.insert_session(&session_of("s", user.row), "t");
    store.commit(write).await.unwrap();
    let mut write = store.write();
    write.delete_user(user.row);
    store.commit(write).await.unwrap();
    assert!(store.find_user(&user.user_id).await.unwrap().is_none());
    assert!(
        store
            .list_sessions(user.row, "", 9, at(1))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
    assert_eq!(by_row(store, stays.row).await.factors, ["phone"]);
    put_user(store, &connection, "1", "a@x.org").await;
}

pub async fn unknown_ids_are_nobody(store: &Bench) {
    for id in [
        "",
        "auth0|",
        "auth0|1",
        "1",
        "|",
        "auth0|1\0",
        "auth0|' or 1=1",
    ] {
        assert!(
            store.find_user(&UserId::from(id)).await.unwrap().is_none(),
            "{id:?}"
        );
    }
    assert!(
        store
            .list_users_by_email("a@b.co\0")
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn a_text_with_nul_is_refused_whole(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let mut new = new_user(UserRow(1), &connection, "1", "a@x.org");
    new.attributes.name = Some("a\0b".into());
    let refused = insert(store, &new).await;
    assert!(
        matches!(refused, Err(StoreError::Statement(_))),
        "{refused:?}"
    );
    assert!(store.find_user_by_row(UserRow(1)).await.unwrap().is_none());
}

pub async fn a_user_of_a_connection_that_is_not_there_is_not_written(store: &Bench) {
    let refused = insert(
        store,
        &new_user(UserRow(1), &connection("none"), "1", "a@x.org"),
    )
    .await;
    assert!(
        matches!(
            refused,
            Err(StoreError::Stale {
                statement: 0,
                affected: 0
            })
        ),
        "{refused:?}"
    );
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}
