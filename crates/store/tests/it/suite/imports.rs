//! The bulk path, one batch after another.

use domain::{Counters, JobStatus, MfaFactor, Page, RowErrorCode};
use store::StoreError;
use store::import::ImportRow;

use crate::bench::Bench;
use crate::import::{Import, row};
use crate::make::{
    EXOTIC, at, credential, email, ending, exotic_json, hash, insert, new_user, put_connection,
    put_user, username,
};

pub async fn a_full_row_comes_back_as_it_was(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    let text = serde_json::to_string(&exotic_json()).unwrap();
    let full = ImportRow {
        email_verified: Some(true),
        username: Some("name".into()),
        phone_number: Some("+15551234567".into()),
        phone_verified: Some(true),
        name: Some("Zoë 👩‍👩‍👧".into()),
        nickname: Some(String::new()),
        given_name: Some("O'Brien \\".into()),
        family_name: Some("שלום".into()),
        picture: Some("https://x/?$1".into()),
        blocked: Some(true),
        user_metadata: Some(text.clone()),
        app_metadata: Some("{}".into()),
        password: Some(hash("$2b$10$x")),
        is_custom_hash: true,
        factors: vec![
            MfaFactor::Totp("AB".into()),
            MfaFactor::Email("a@b.co".into()),
        ],
        ..row("1", "a@x.org")
    };
    let bare = row("2", "b@x.org");
    let counters = import.batch(vec![full, bare]).await.unwrap();
    assert_eq!(
        counters,
        Counters {
            total: 2,
            inserted: 2,
            updated: 0,
            failed: 0
        }
    );
    let user = store.find_user(&"auth0|1".into()).await.unwrap().unwrap();
    let found = &user.attributes;
    assert_eq!(found.email, Some(email("a@x.org")));
    assert_eq!(found.username, Some(username("name")));
    assert_eq!(
        (found.email_verified, found.phone_verified, found.blocked),
        (true, Some(true), Some(true))
    );
    assert_eq!(found.phone_number.as_deref(), Some("+15551234567"));
    assert_eq!(found.name.as_deref(), Some("Zoë 👩‍👩‍👧"));
    assert_eq!(found.nickname.as_deref(), Some(""));
    assert_eq!(found.given_name.as_deref(), Some("O'Brien \\"));
    assert_eq!(found.family_name.as_deref(), Some("שלום"));
    assert_eq!(found.picture.as_deref(), Some("https://x/?$1"));
    assert_eq!(serde_json::to_string(&found.user_metadata).unwrap(), text);
    assert_eq!(found.app_metadata.as_ref().unwrap().len(), 0);
    assert_eq!(user.factors, ["totp", "email"]);
    let identity = &user.identities[0];
    assert_eq!(
        (identity.origin, identity.migrated_at),
        (domain::Origin::Import, Some(at(1)))
    );
    let (_, stored) = store
        .find_login(&import.connection.id, "A@X.org")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (stored.hash.unwrap().expose(), stored.is_imported),
        ("$2b$10$x", true)
    );
    let bare = store.find_user(&"auth0|2".into()).await.unwrap().unwrap();
    let found = &bare.attributes;
    assert_eq!(
        (found.email_verified, found.blocked, found.phone_verified),
        (false, None, None)
    );
    assert!(found.name.is_none() && found.user_metadata.is_none() && found.extra.is_empty());
    let stored = store
        .find_credential(bare.row, &import.connection.id)
        .await
        .unwrap()
        .unwrap();
    assert!(stored.hash.is_none() && !stored.is_imported);
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn exotic_rows_come_back(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    let rows = EXOTIC.iter().enumerate().map(|(number, text)| ImportRow {
        name: Some((*text).to_owned()),
        password: Some(hash(text)),
        ..row(&format!("{number}{text}"), &format!("{number}@x.org"))
    });
    import.batch(rows.collect()).await.unwrap();
    for (number, text) in EXOTIC.iter().enumerate() {
        let user = store
            .find_user(&format!("auth0|{number}{text}").into())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(user.attributes.name.as_deref(), Some(*text));
    }
}

/// The numbers, codes and members of what a job could not write.
async fn errors(store: &Bench, job: &str) -> Vec<(i64, RowErrorCode, String)> {
    let found = store
        .list_row_errors(
            &job.into(),
            Page {
                number: 0,
                size: 100,
            },
        )
        .await
        .unwrap();
    found
        .into_iter()
        .map(|mut row| {
            let error = row.errors.remove(0);
            (row.row, error.code, error.path)
        })
        .collect()
}

pub async fn a_taken_key_is_named(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    let mut holder = new_user(
        store.next_user_row().await.unwrap(),
        &import.connection,
        "1",
        "a@x.org",
    );
    holder.attributes.username = Some(username("name"));
    holder.attributes.phone_number = Some("+1".into());
    insert(store, &holder).await.unwrap();
    let elsewhere = put_connection(store, "elsewhere").await;
    put_user(store, &elsewhere, "7", "c@x.org").await;
    let rows = vec![
        row("2", "a@x.org"),
        ImportRow {
            username: Some("name".into()),
            ..row("3", "b@x.org")
        },
        ImportRow {
            phone_number: Some("+1".into()),
            ..row("4", "b@x.org")
        },
        row("1", "b@x.org"),
        row("7", "d@x.org"),
        ImportRow {
            username: Some("name".into()),
            ..row("1", "a@x.org")
        },
        row("8", "c@x.org"),
    ];
    let counters = import.batch(rows).await.unwrap();
    assert_eq!(
        counters,
        Counters {
            total: 7,
            inserted: 1,
            updated: 0,
            failed: 6
        }
    );
    let error = |row, code, key: &str| (row, code, key.to_owned());
    assert_eq!(
        errors(store, "job").await,
        [
            error(1, RowErrorCode::ConflictEmail, "email"),
            error(2, RowErrorCode::ConflictUsername, "username"),
            error(3, RowErrorCode::Conflict, "phone_number"),
            error(4, RowErrorCode::Conflict, "user_id"),
            error(5, RowErrorCode::Conflict, "user_id"),
            error(6, RowErrorCode::ConflictEmail, "email"),
        ]
    );
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn twice_in_a_file_is_told_from_stored(store: &Bench) {
    for upsert in [false, true] {
        let job = format!("job_{upsert}");
        let mut import = Import::start(store, &job, upsert).await;
        let name = |id: &str, address: &str, name: &str| ImportRow {
            username: Some(format!("{upsert}{name}")),
            ..row(&format!("{upsert}{id}"), &format!("{upsert}-{address}"))
        };
        // Within a batch, by every key; a row that was refused holds nothing.
        let first = vec![
            name("1", "a@x.org", "a1"),
            name("2", "a@x.org", "b1"),
            name("3", "b@x.org", "a1"),
            name("1", "c@x.org", "c1"),
            name("2", "b@x.org", "b1"),
        ];
        assert_eq!(
            import.batch(first).await.unwrap(),
            Counters {
                total: 5,
                inserted: 2,
                updated: 0,
                failed: 3
            }
        );
        // Across batches.
        let second = vec![name("9", "b@x.org", "z1"), name("8", "d@x.org", "d1")];
        assert_eq!(
            import.batch(second).await.unwrap(),
            Counters {
                total: 7,
                inserted: 3,
                updated: 0,
                failed: 4
            }
        );
        let found: Vec<_> = errors(store, &job)
            .await
            .into_iter()
            .map(|(row, code, key)| (row, code.as_str(), key))
            .collect();
        let twice = |row, key: &str| (row, "DUPLICATED_USER", key.to_owned());
        assert_eq!(
            found,
            [
                twice(2, "email"),
                twice(3, "username"),
                twice(4, "user_id"),
                twice(6, "email")
            ]
        );
    }
}

/// A later row takes a key that an earlier, refused one also wanted: the earlier is not blamed for it.
pub async fn a_row_is_judged_by_what_came_before_it(store: &Bench) {
    let mut import = Import::start(store, "job", true).await;
    put_user(store, &import.connection, "stored", "a@x.org").await;
    let rows = vec![
        ImportRow {
            username: Some("name".into()),
            name: Some("New".into()),
            ..row("1", "a@x.org")
        },
        ImportRow {
            username: Some("name".into()),
            ..row("2", "b@x.org")
        },
    ];
    assert_eq!(
        import.batch(rows).await.unwrap(),
        Counters {
            total: 2,
            inserted: 1,
            updated: 1,
            failed: 0
        }
    );
    let user = store
        .find_user(&"auth0|stored".into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(user.attributes.name.as_deref(), Some("New"));
}

pub async fn an_upsert_changes_what_it_may(store: &Bench) {
    let mut import = Import::start(store, "job", true).await;
    let mut stored = new_user(
        store.next_user_row().await.unwrap(),
        &import.connection,
        "1",
        "A@x.org",
    );
    stored.attributes.name = Some("Old".into());
    stored.attributes.nickname = Some("Nick".into());
    stored.attributes.email_verified = true;
    stored.attributes.blocked = Some(true);
    stored.attributes.user_metadata = Some(exotic_json());
    stored.attributes.app_metadata = Some(exotic_json());
    stored.factors = vec![MfaFactor::Phone("+1".into())];
    insert(store, &stored).await.unwrap();
    let change = ImportRow {
        name: Some("New".into()),
        app_metadata: Some(r#"{"plan":"pro"}"#.into()),
        blocked: Some(false),
        username: Some("ignored".into()),
        password: Some(hash("plain import")),
        factors: vec![MfaFactor::Totp("AB".into())],
        ..row("other id", "a@x.org")
    };
    assert_eq!(
        import.batch(vec![change]).await.unwrap(),
        Counters {
            total: 1,
            inserted: 0,
            updated: 1,
            failed: 0
        }
    );
    let user = store.find_user(&"auth0|1".into()).await.unwrap().unwrap();
    let found = &user.attributes;
    assert_eq!(
        (found.name.as_deref(), found.nickname.as_deref()),
        (Some("New"), Some("Nick"))
    );
    assert_eq!((found.email_verified, found.blocked), (false, Some(true)));
    assert_eq!(found.email, Some(email("A@x.org")));
    assert!(found.username.is_none());
    assert_eq!(found.user_metadata, Some(exotic_json()));
    assert_eq!(found.app_metadata.as_ref().unwrap()["plan"], "pro");
    assert_eq!((user.version, user.updated_at), (2, at(1)));
    assert_eq!(user.factors, ["phone"]);
    let hashed = store
        .find_credential(user.row, &import.connection.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(hashed.hash.unwrap().expose(), "$argon2id$one");
    assert!(
        store
            .find_user(&"auth0|other id".into())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn an_upsert_replaces_only_an_unproven_hash(store: &Bench) {
    let mut import = Import::start(store, "job", true).await;
    for (id, credential) in [
        ("proven", Some(credential("old"))),
        (
            "imported",
            Some(domain::Credential {
                hash: hash("old"),
                is_imported: true,
            }),
        ),
        ("none", None),
    ] {
        let row = store.next_user_row().await.unwrap();
        let user = domain::NewUser {
            credential,
            ..new_user(row, &import.connection, id, &format!("{id}@x.org"))
        };
        insert(store, &user).await.unwrap();
    }
    let custom = |id: &str| ImportRow {
        password: Some(hash("new")),
        is_custom_hash: true,
        ..row("x", &format!("{id}@x.org"))
    };
    let counters = import
        .batch(vec![custom("proven"), custom("imported"), custom("none")])
        .await
        .unwrap();
    assert_eq!(
        counters,
        Counters {
            total: 3,
            inserted: 0,
            updated: 2,
            failed: 1
        }
    );
    assert_eq!(
        errors(store, "job").await,
        [(1, RowErrorCode::Conflict, "custom_password_hash".to_owned())]
    );
    for (id, wanted) in [
        ("proven", ("old", false)),
        ("imported", ("new", true)),
        ("none", ("new", true)),
    ] {
        let (_, found) = store
            .find_login(&import.connection.id, &format!("{id}@x.org"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((found.hash.unwrap().expose(), found.is_imported), wanted);
    }
}

pub async fn an_upsert_gives_a_linked_identity_its_password_alone(store: &Bench) {
    let mut import = Import::start(store, "job", true).await;
    let other = put_connection(store, "other").await;
    let primary = put_user(store, &other, "7", "ann@other.org").await;
    let secondary = store.next_user_row().await.unwrap();
    let secondary = domain::NewUser {
        credential: Some(domain::Credential {
            hash: hash("old"),
            is_imported: true,
        }),
        ..new_user(secondary, &import.connection, "1", "ann@x.org")
    };
    insert(store, &secondary).await.unwrap();
    let secondary = store.find_user_by_row(secondary.row).await;
    let secondary = secondary.unwrap().unwrap();
    let mut write = store.write();
    write.link_user(&primary, &secondary, &ending(at(1)));
    store.commit(write).await.unwrap();
    let before = store.find_user_by_row(primary.row).await.unwrap().unwrap();
    let change = ImportRow {
        name: Some("Somebody else".into()),
        user_metadata: Some(r#"{"plan":"pro"}"#.into()),
        password: Some(hash("new")),
        is_custom_hash: true,
        factors: vec![MfaFactor::Totp("AB".into())],
        ..row("1", "ann@x.org")
    };
    assert_eq!(
        import.batch(vec![change]).await.unwrap(),
        Counters {
            total: 1,
            inserted: 0,
            updated: 1,
            failed: 0
        }
    );
    let user = store.find_user_by_row(primary.row).await.unwrap().unwrap();
    assert_eq!(user.attributes, before.attributes);
    assert_eq!(user.factors, before.factors);
    for (connection, address, password) in [
        (&import.connection, "ann@x.org", Some("new")),
        (&other, "ann@other.org", None),
    ] {
        let found = store.find_login(&connection.id, address).await.unwrap();
        let (user, credential) = found.unwrap();
        assert_eq!(user.row, primary.row);
        if let Some(password) = password {
            assert_eq!(credential.hash.unwrap().expose(), password);
            assert!(credential.is_imported);
        }
    }
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn offset_counters_and_errors_move_with_the_rows(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    import.refuse(3);
    import
        .batch(vec![row("1", "a@x.org"), row("2", "a@x.org")])
        .await
        .unwrap();
    let job = store.find_job(&"job".into()).await.unwrap().unwrap();
    assert_eq!(
        job.counters,
        Counters {
            total: 5,
            inserted: 1,
            updated: 0,
            failed: 4
        }
    );
    assert_eq!(job.offset, import.offset);
    let found = store
        .list_row_errors(&"job".into(), Page { number: 0, size: 9 })
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|row| row.row).collect::<Vec<_>>(),
        [1, 2, 3, 5]
    );
    assert_eq!(found[3].record, "masked: {\"row\":5}");
    assert_eq!(found[0].errors.len(), 2);
    let second = store
        .list_row_errors(&"job".into(), Page { number: 1, size: 3 })
        .await
        .unwrap();
    assert_eq!(second, found[3..]);
    import.batch(vec![]).await.unwrap();
    // A batch that was written is not written again, though its writer never heard of it.
    let before = store.dump().await.unwrap();
    let repeated = import.build(vec![row("9", "z@x.org")]);
    store.import(&repeated).await.unwrap();
    let after = store.dump().await.unwrap();
    assert_ne!(after, before);
    let again = store.import(&repeated).await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(store.dump().await.unwrap(), after);
}

pub async fn a_lost_lease_or_connection_writes_nothing(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    import.batch(vec![row("1", "a@x.org")]).await.unwrap();
    let rows = || vec![row("2", "b@x.org"), row("3", "a@x.org")];
    let before = store.dump().await.unwrap();
    let mut thief = import.clone();
    thief.lease.owner = "thief".into();
    let stolen = thief.batch(rows()).await;
    assert!(
        matches!(stolen, Err(StoreError::Stale { .. })),
        "{stolen:?}"
    );
    assert_eq!(store.dump().await.unwrap(), before);
    let mut lost = import.clone();
    lost.connection.id = "con_gone".into();
    let gone = lost.batch(rows()).await;
    assert!(matches!(gone, Err(StoreError::Stale { .. })), "{gone:?}");
    assert_eq!(store.dump().await.unwrap(), before);
    let mut write = store.write();
    write.end_job(&import.lease, JobStatus::Failed, None, at(5));
    store.commit(write).await.unwrap();
    let before = store.dump().await.unwrap();
    assert!(matches!(
        import.batch(rows()).await,
        Err(StoreError::Stale { .. })
    ));
    assert_eq!(store.dump().await.unwrap(), before);
}

pub async fn a_row_with_nul_refuses_its_batch(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    let before = store.dump().await.unwrap();
    let poisoned = ImportRow {
        name: Some("a\0b".into()),
        ..row("2", "b@x.org")
    };
    let refused = import.batch(vec![row("1", "a@x.org"), poisoned]).await;
    assert!(
        matches!(refused, Err(StoreError::Statement(_))),
        "{refused:?}"
    );
    assert_eq!(store.dump().await.unwrap(), before);
}

pub async fn a_big_batch_is_written_whole(store: &Bench) {
    let mut import = Import::start(store, "job", true).await;
    let rows = |metadata: usize| -> Vec<_> {
        let number = |n: usize| ImportRow {
            user_metadata: Some(format!("{{\"x\":\"{}\"}}", "y".repeat(metadata))),
            ..row(&n.to_string(), &format!("{n}@x.org"))
        };
        (0..2000).map(number).collect()
    };
    let counters = import.batch(rows(500)).await.unwrap();
    assert_eq!(
        counters,
        Counters {
            total: 2000,
            inserted: 2000,
            updated: 0,
            failed: 0
        }
    );
    let mut next = Import::start(store, "job_2", true).await;
    let counters = next.batch(rows(3)).await.unwrap();
    assert_eq!(
        counters,
        Counters {
            total: 2000,
            inserted: 0,
            updated: 2000,
            failed: 0
        }
    );
    let mut third = Import::start(store, "job_3", false).await;
    let counters = third.batch(rows(3)).await.unwrap();
    assert_eq!(
        counters,
        Counters {
            total: 2000,
            inserted: 0,
            updated: 0,
            failed: 2000
        }
    );
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}
