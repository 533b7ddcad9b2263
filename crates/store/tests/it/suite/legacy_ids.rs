//! Imports and the ids by which a legacy store knows users who are here under another one.

use domain::{Counters, Page, User};
use store::{Store, StoreError};

use crate::bench::Bench;
use crate::import::{Import, row};
use crate::make::{at, put_connection, put_user};

const BY_ID: &str = r#"{"match_on":["user_id"],"fields":{"default":"replace","email":"keep"}}"#;

async fn know_as(store: &Store, user: &User, id: &str) -> store::Result<()> {
    let connection = &user.identities[0].connection;
    let mut write = store.write();
    write
        .hold_off_imports(connection)
        .insert_legacy_id(user.row, connection, &id.into(), at(1));
    store.commit(write).await
}

/// A user `own` of the connection, whom the legacy store knows as `77`.
async fn known(store: &Store, import: &Import) -> User {
    let user = put_user(store, &import.connection, "own", "a@x.org").await;
    know_as(store, &user, "77").await.unwrap();
    user
}

fn counted(inserted: i64, updated: i64, failed: i64) -> Counters {
    Counters {
        total: inserted + updated + failed,
        inserted,
        updated,
        failed,
    }
}

async fn errors(store: &Store, job: &str) -> Vec<String> {
    let page = Page {
        number: 0,
        size: 100,
    };
    let found = store.list_row_errors(&job.into(), page).await.unwrap();
    let shown = |row: &store::StoredRowError| {
        let error = &row.errors[0];
        format!("{} {} {}", row.row, error.code.as_str(), error.path)
    };
    found.iter().map(shown).collect()
}

async fn name_of(store: &Store, user: &User) -> Option<String> {
    let found = store.find_user_by_row(user.row).await.unwrap().unwrap();
    found.attributes.name
}

fn named(id: &str, address: &str, name: &str) -> store::import::ImportRow {
    store::import::ImportRow {
        name: Some(name.into()),
        ..row(id, address)
    }
}

pub async fn a_row_meets_whom_its_legacy_id_names(store: &Bench) {
    let mut import = Import::start(store, "job", false).await.under(BY_ID);
    let user = known(store, &import).await;
    // The first of three batches has nothing else that is taken: nothing is copied past the id.
    let lone = vec![named("77", "b@x.org", "One"), row("1", "c@x.org")];
    assert_eq!(import.batch(lone).await.unwrap(), counted(1, 1, 0));
    assert_eq!(name_of(store, &user).await.as_deref(), Some("One"));
    let again = vec![
        row("2", "d@x.org"),
        named("77", "e@x.org", "Two"),
        named("own", "f@x.org", "Three"),
        row("1", "g@x.org"),
    ];
    assert_eq!(import.batch(again).await.unwrap(), counted(2, 1, 3));
    assert_eq!(
        errors(store, "job").await,
        [
            "4 DUPLICATED_USER user_id",
            "5 DUPLICATED_USER user_id",
            "6 DUPLICATED_USER user_id"
        ]
    );
    assert_eq!(name_of(store, &user).await.as_deref(), Some("One"));
    assert!(store.find_user(&"auth0|77".into()).await.unwrap().is_none());
    // The id is theirs, so that none is left over.
    let merges = store.list_merges_after(&"job".into(), 0, 10).await.unwrap();
    assert_eq!(merges.len(), 1);
    assert_eq!(merges[0].trail.left_over, [""; 0]);
    // A file that comes again changes nothing, and says so.
    let mut second = Import::start(store, "again", false).await.under(BY_ID);
    let same = vec![named("77", "a@x.org", "One"), row("1", "c@x.org")];
    assert_eq!(second.batch(same).await.unwrap(), counted(0, 2, 0));
    let found = store.find_user_by_row(user.row).await.unwrap().unwrap();
    assert_eq!(found.version, 2);
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn a_row_with_a_legacy_id_goes_by_every_policy(store: &Bench) {
    let moving = r#"{"match_on":["user_id"],"fields":{"default":"replace"}}"#;
    let by_both = r#"{"match_on":["user_id","email"],"fields":{"default":"replace"}}"#;
    let rows = || {
        vec![
            named("77", "b@x.org", "New"),
            named("5", "stays@x.org", "New"),
            row("6", "c@x.org"),
        ]
    };
    for (number, (policy, counters, reported, name)) in [
        (
            "reject",
            counted(1, 0, 2),
            vec!["1 CONFLICT user_id", "2 CONFLICT_EMAIL email"],
            None,
        ),
        ("upsert", counted(1, 1, 1), vec!["1 CONFLICT user_id"], None),
        (
            BY_ID,
            counted(1, 1, 1),
            vec!["2 CONFLICT_EMAIL email"],
            Some("New"),
        ),
        (
            moving,
            counted(1, 1, 1),
            vec!["2 CONFLICT_EMAIL email"],
            Some("New"),
        ),
        (by_both, counted(1, 2, 0), vec![], Some("New")),
    ]
    .into_iter()
    .enumerate()
    {
        let connection = format!("c{number}");
        let (id, dry) = (format!("job{number}"), format!("dry{number}"));
        let of = async |id: &str| {
            Import::start_at(store, &connection, id, false)
                .await
                .under(policy)
        };
        let mut import = of(&id).await;
        let own = format!("own{number}");
        let user = put_user(store, &import.connection, &own, "a@x.org").await;
        put_user(
            store,
            &import.connection,
            &format!("stays{number}"),
            "stays@x.org",
        )
        .await;
        let of_case = |mut rows: Vec<store::import::ImportRow>| {
            for row in &mut rows {
                row.foreign_id = format!("{number}-{}", row.foreign_id);
            }
            rows
        };
        know_as(store, &user, &format!("{number}-77"))
            .await
            .unwrap();
        let stage = store.rehearse().await.unwrap();
        let mut rehearsal = of(&dry).await;
        let rehearsed = rehearsal.rehearse(&stage, of_case(rows())).await.unwrap();
        assert_eq!(
            (rehearsed, name_of(store, &user).await),
            (counters, None),
            "{policy}"
        );
        assert_eq!(
            import.batch(of_case(rows())).await.unwrap(),
            counters,
            "{policy}"
        );
        assert_eq!(errors(store, &id).await, reported, "{policy}");
        assert_eq!(errors(store, &dry).await, reported, "{policy}");
        assert_eq!(name_of(store, &user).await.as_deref(), name, "{policy}");
    }
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn a_legacy_id_is_of_one_connection(store: &Bench) {
    let import = Import::start(store, "job", false).await;
    known(store, &import).await;
    let mut other = Import::start_at(store, "other", "other", false).await;
    put_connection(store, "third").await;
    let rows = vec![row("77", "a@x.org")];
    assert_eq!(other.batch(rows).await.unwrap(), counted(1, 0, 0));
}

pub async fn a_legacy_id_and_a_user_of_that_id_exclude_each_other(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    import.batch(vec![row("1", "b@x.org")]).await.unwrap();
    let user = put_user(store, &import.connection, "own", "a@x.org").await;
    let late = know_as(store, &user, "1").await;
    assert!(matches!(late, Err(StoreError::Stale { .. })), "{late:?}");
    // Whoever comes first, the other one hears of it.
    for number in 2..22 {
        let (id, address) = (number.to_string(), format!("{number}@x.org"));
        let mut racing = import.clone();
        let (written, recorded) = tokio::join!(
            racing.batch(vec![row(&id, &address)]),
            know_as(store, &user, &id)
        );
        let before = import.counters;
        import = racing;
        let is_inserted = written.unwrap().inserted > before.inserted;
        assert_eq!(is_inserted, recorded.is_err(), "{number}: {recorded:?}");
    }
}
