//! Secrets at rest.

use domain::{ClientSecret, HashText, MfaFactor};
use store::KeyState;
use store::StoreError;
use store::conformance::Place;
use store::db::any;

use crate::bench::Bench;
use crate::make::{at, client, configuration, connection, der, new_user};

const NEEDLES: [&str; 4] = [
    "needle-of-client",
    "needle-of-configuration",
    "NEEDLEOFTOTP",
    "needle-of-key",
];

async fn hide(store: &Bench) {
    let mut secretive = client("c");
    secretive.secret = ClientSecret::from(NEEDLES[0]);
    let mut main = connection("main");
    main.configuration = configuration(&[("NAME", NEEDLES[1])]);
    let mut user = new_user(domain::UserRow(1), &main, "1", "visible@x.org");
    user.factors = vec![
        MfaFactor::Totp(NEEDLES[2].into()),
        MfaFactor::Phone(NEEDLES[3].into()),
    ];
    let mut write = store.write();
    write.insert_client(&secretive, at(0)).unwrap();
    write.insert_connection(&main, at(0)).unwrap();
    write.insert_user(&user).unwrap();
    write
        .insert_signing_key(
            &"kid".into(),
            KeyState::Current,
            &der(NEEDLES[3].as_bytes()),
            at(0),
        )
        .unwrap();
    store.commit(write).await.unwrap();
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

pub async fn no_secret_is_readable_in_the_tables(store: &Bench) {
    hide(store).await;
    let dump = store.dump().await.unwrap();
    assert!(dump.contains("visible@x.org"));
    for needle in NEEDLES {
        let hex = hex::encode(needle);
        assert!(!dump.contains(needle) && !dump.contains(&hex), "{needle}");
    }
    // What the files themselves hold.
    if let Place::Sqlite(path) = &store.place {
        let mut seen = false;
        for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            seen |= holds(&bytes, "visible@x.org");
            assert!(!NEEDLES.iter().any(|needle| holds(&bytes, needle)));
        }
        assert!(seen);
    }
}

pub async fn a_sealed_value_opens_only_where_it_was_sealed(store: &Bench) {
    hide(store).await;
    let mut other = client("other");
    other.secret = ClientSecret::from("something else");
    let mut write = store.write();
    write.insert_client(&other, at(0)).unwrap();
    store.commit(write).await.unwrap();
    let swap = "update clients set secret = (select secret from clients where client_id = 'c')";
    store.db().batch(vec![any(swap, vec![])]).await.unwrap();
    let moved = store.find_client(&"other".into()).await;
    assert!(
        matches!(
            moved,
            Err(StoreError::Corrupt {
                column: "clients.secret",
                ..
            })
        ),
        "{moved:?}"
    );
    assert_eq!(
        store
            .find_client(&"c".into())
            .await
            .unwrap()
            .unwrap()
            .secret
            .expose(),
        NEEDLES[0]
    );
    let cut = "update clients set secret = $1";
    for bytes in [vec![], vec![1], vec![1; 20], vec![2; 60]] {
        store
            .db()
            .batch(vec![any(cut, vec![bytes.into()])])
            .await
            .unwrap();
        assert!(matches!(
            store.find_client(&"c".into()).await,
            Err(StoreError::Corrupt { .. })
        ));
    }
}

pub async fn no_error_prints_a_secret(store: &Bench) {
    let mut write = store.write();
    write.refresh_password(
        domain::UserRow(1),
        &"con_main".into(),
        &HashText::from("needle-hash"),
        &HashText::from("a\0b"),
    );
    let error = store.commit(write).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("needle"));
}
