//! What `migrations/fixtures/0001.sql` holds: made by [`make`], looked for by [`is_all_there`].

use domain::{
    Attributes, Authentication, AuthenticationMethod, ClientCredential, ClientGrant, Counters,
    Credential, JobStatus, MfaFactor, NewUser, Origin, Page, RowError, RowErrorCode, UserRow,
};
use store::{
    BlockNotice, KeyState, Lease, Mail, Purpose, Store, StoredSession, Ticket, TicketState,
};

use crate::import::{Import, row};
use crate::make::{
    EXOTIC, api, at, client, configuration, connection, der, email, event, exotic_json, hash,
    insert, new_user, object, put_client, username,
};

pub async fn make(store: &Store) {
    put_client(store, "client").await;
    let mut main = connection("main");
    main.display_name = Some("Main 👍".into());
    main.realms = vec!["main".into(), "old-name".into()];
    main.options = object(
        serde_json::json!({"import_mode": true, "customScripts": {"login": "function login() {}"}}),
    );
    main.configuration = configuration(&[("PASSWORD", "hush")]);
    main.enabled_clients = vec!["client".into()];
    let mut write = store.write();
    write.insert_connection(&main, at(0)).unwrap();
    write.insert_resource_server(&api("api", "https://api/"));
    write.insert_grant(&ClientGrant {
        id: "cgr".into(),
        client_id: "client".into(),
        audience: "https://api/".into(),
        scope: vec!["read:users".into()],
    });
    write
        .insert_signing_key(&"k1".into(), KeyState::Current, &der(b"k1"), at(0))
        .unwrap();
    write
        .insert_signing_key(&"k2".into(), KeyState::Next, &der(b"k2"), at(1))
        .unwrap();
    write.rotate_signing_keys(&"k1".into(), &"k2".into(), at(2));
    write
        .insert_signing_key(&"k3".into(), KeyState::Next, &der(b"k3"), at(2))
        .unwrap();
    let credential = ClientCredential {
        id: "cred".into(),
        client_id: "client".into(),
        name: Some("build".into()),
        kid: "kid".into(),
        algorithm: "RS256".into(),
        pem: "pem".into(),
        created_at: at(0),
        updated_at: at(1),
        expires_at: Some(at(9)),
    };
    write.insert_client_credential(&credential);
    write.use_once("assertion/1", at(9));
    write.log(&event("log"));
    write.set_setting("tenant", "Ferry");
    write.count("login:::1", at(0), at(9));
    let letter = Mail {
        id: "mail".into(),
        recipient: "a@x.org".into(),
        subject: "s".into(),
        body: "b".into(),
        attempts: 0,
    };
    write.note_block(
        &BlockNotice {
            name: "login/a/c/-".into(),
            identifier: "a".into(),
            connection: "c".into(),
        },
        "login:::1",
        1,
        at(0),
    );
    write.post(&letter, at(0)).unwrap();
    store.commit(write).await.unwrap();
    insert(store, &full(&main)).await.unwrap();
    let mut write = store.write();
    write.record_login(UserRow(1), Some("::1"), at(4));
    write.remember_password(UserRow(1), &main.id, 1, at(0));
    write.insert_session(&session(), "token");
    write.add_session_client(&"session".into(), &"client".into(), UserRow(1));
    write.insert_ticket(&ticket(), at(4));
    store.commit(write).await.unwrap();
    store.reserve_user_rows(2).await.unwrap();
    let mut import = Import::start(store, "job", false).await;
    import.refuse(1);
    let mut batch = import.build(vec![row("2", "b@x.org")]);
    std::sync::Arc::get_mut(&mut batch).unwrap().rows[0].user_row = 2;
    store.import(&batch).await.unwrap();
    store
        .put_chunk(&"job".into(), 0, b"[{}]".to_vec(), at(0))
        .await
        .unwrap();
}

fn session() -> StoredSession {
    StoredSession {
        id: "session".into(),
        authentication: Authentication {
            user: UserRow(1),
            user_id: "auth0|legacy|1".into(),
            connection: Some("con_main".into()),
            session: Some("session".into()),
            at: at(4),
            methods: vec![AuthenticationMethod::Password],
        },
        ip: Some("::1".into()),
        user_agent: Some("browser".into()),
        created_at: at(4),
        touched_at: at(4),
        idle_expires_at: at(500),
        expires_at: at(1000),
    }
}

fn ticket() -> Ticket {
    Ticket {
        token_hash: "ticket".into(),
        purpose: Purpose::Password,
        connection: "con_main".into(),
        user: Some(UserRow(1)),
        email: "a@x.org".into(),
        result_url: Some("https://x/".into()),
        tells_email: true,
        proves_email: false,
        expires_at: at(1000),
    }
}

fn full(main: &domain::Connection) -> NewUser {
    NewUser {
        attributes: Attributes {
            email: Some(email("Zoë@x.org")),
            email_verified: true,
            username: Some(username("zoë")),
            phone_number: Some("+1".into()),
            phone_verified: Some(true),
            name: Some(EXOTIC[2].into()),
            nickname: Some(EXOTIC[4].into()),
            given_name: Some(EXOTIC[5].into()),
            family_name: Some(EXOTIC[7].into()),
            picture: Some("https://x/".into()),
            blocked: Some(false),
            extra: object(serde_json::json!({"department": "R&D"})),
            user_metadata: Some(exotic_json()),
            app_metadata: Some(domain::Json::new()),
        },
        credential: Some(Credential {
            hash: hash("$2b$10$x"),
            is_imported: true,
        }),
        factors: vec![MfaFactor::Totp("AB".into()), MfaFactor::Phone("+1".into())],
        origin: Origin::Login,
        ..new_user(UserRow(1), main, "legacy|1", "x@y.zz")
    }
}

pub async fn is_all_there(store: &Store) {
    let main = store
        .find_connection_by_realm("old-name")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (main.realms.len(), main.configuration["PASSWORD"].expose()),
        (2, "hush")
    );
    assert!(main.script("login").is_some() && main.serves(&"client".into()));
    let user = store
        .find_user(&"auth0|legacy|1".into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(user.attributes, full(&main).attributes);
    assert_eq!(
        (user.logins_count, user.last_login, user.factors.len()),
        (1, Some(at(4)), 2)
    );
    let (_, found) = store
        .find_login(&main.id, "ZOË@x.org")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.hash.unwrap().expose(), found.is_imported),
        ("$2b$10$x", true)
    );
    let imported = store.find_user_by_row(UserRow(2)).await.unwrap().unwrap();
    assert_eq!(imported.identities[0].origin, Origin::Import);
    assert_eq!(
        store
            .find_client(&"client".into())
            .await
            .unwrap()
            .unwrap()
            .secret
            .expose(),
        client("").secret.expose()
    );
    assert!(
        store
            .find_grant(&"client".into(), "https://api/")
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .find_resource_server("https://api/")
            .await
            .unwrap()
            .is_some()
    );
    let keys = store.list_signing_keys().await.unwrap();
    let keys: Vec<_> = keys
        .iter()
        .map(|key| (key.kid.as_str(), key.private_key.expose().len(), key.state))
        .collect();
    assert_eq!(
        keys,
        [
            ("k3", 2, KeyState::Next),
            ("k2", 2, KeyState::Current),
            ("k1", 2, KeyState::Previous)
        ]
    );
    let credentials = store.list_client_credentials(&"client".into()).await;
    assert_eq!(credentials.unwrap()[0].expires_at, Some(at(9)));
    let job = store.find_job(&"job".into()).await.unwrap().unwrap();
    assert_eq!(
        job.counters,
        Counters {
            total: 2,
            inserted: 1,
            updated: 0,
            failed: 1
        }
    );
    let errors = store
        .list_row_errors(&job.id, Page::default())
        .await
        .unwrap();
    assert_eq!(
        errors[0].errors[0],
        RowError::new(RowErrorCode::InvalidType, "a", "Expected \"x\" 👎")
    );
    assert!(store.find_chunk(&job.id, 0).await.unwrap().is_some());
    let mut write = store.write();
    let lease = Lease {
        job: job.id,
        owner: "worker".into(),
    };
    write.end_job(&lease, JobStatus::Completed, None, at(9));
    store.commit(write).await.unwrap();
    assert!(store.find_log("log").await.unwrap().is_some());
    assert_eq!(
        store.find_setting("tenant").await.unwrap().as_deref(),
        Some("Ferry")
    );
    assert_eq!(
        store
            .find_counter("login:::1", at(1))
            .await
            .unwrap()
            .unwrap()
            .count,
        1
    );
    assert_eq!(
        store.find_ticket("ticket", at(9)).await.unwrap(),
        Some((ticket(), TicketState::Open))
    );
    assert_eq!(
        store.find_session_by_token("token", at(9)).await.unwrap(),
        Some(session())
    );
    let due = store.claim_mail(at(1), at(2), 9).await.unwrap();
    assert_eq!(due.into_iter().next().unwrap().body, "b");
    assert_eq!(store.list_block_notices(at(1), 9).await.unwrap().len(), 1);
    let passwords = store.list_passwords(UserRow(1), &main.id, 9).await;
    assert_eq!(passwords.unwrap().len(), 2);
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

/// Prints a fixture of the present schema, for the next migration to keep.
#[test]
#[ignore = "makes a fixture: cargo test -p store --test it print_the_fixture -- --ignored --nocapture"]
fn print_the_fixture() {
    crate::bench::on_postgres(async |store| {
        make(store).await;
        println!("{}", store.fixture().await.unwrap());
    });
}
