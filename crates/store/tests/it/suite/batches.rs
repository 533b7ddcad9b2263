//! A batch is true as a whole or not at all.

use domain::{Page, UserRow};
use store::StoreError;
use store::db::{Expect, Stmt, any, one};

use crate::bench::Bench;
use crate::make::{at, event, new_user, put_connection, put_user};

pub async fn a_failure_anywhere_undoes_all(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    let before = store.dump().await.unwrap();
    for place in 0..4 {
        let mut write = store.write();
        for step in 0..4 {
            if step == place {
                // Taken already.
                write
                    .insert_user(&new_user(UserRow(9), &connection, "9", "A@x.org"))
                    .unwrap();
            }
            write.log(&event(&format!("e{step}")));
            write.record_login(user.row, None, at(1));
            write.set_setting("x", &step.to_string());
            write.count("x", at(0), at(9));
        }
        assert!(
            store
                .commit(write)
                .await
                .unwrap_err()
                .is_conflict_on(store::Key::Email)
        );
        assert_eq!(store.dump().await.unwrap(), before);
    }
    assert_eq!(store.list_logs(Page::default(), true).await.unwrap(), []);
}

pub async fn a_missed_expectation_undoes_all_and_names_the_place(store: &Bench) {
    let before = store.dump().await.unwrap();
    let set = || {
        any(
            "insert into settings (name, value) values ('a', 'b')",
            vec![],
        )
    };
    let miss = one(
        "update settings set value = 'c' where name = 'nobody'",
        vec![],
    );
    let outcome = store.db().batch(vec![set(), miss, set()]).await;
    assert!(
        matches!(
            outcome,
            Err(StoreError::Stale {
                statement: 1,
                affected: 0
            })
        ),
        "{outcome:?}"
    );
    let many = Stmt {
        sql: "update sequences set next = next + 1 where name = 'user' or name = $1".into(),
        params: vec!["other".into()],
        expect: Expect::AtMostOne,
    };
    let more = any(
        "insert into sequences (name, next) values ('other', 1)",
        vec![],
    );
    let outcome = store.db().batch(vec![set(), more, many]).await;
    assert!(
        matches!(
            outcome,
            Err(StoreError::Stale {
                statement: 2,
                affected: 2
            })
        ),
        "{outcome:?}"
    );
    assert_eq!(store.dump().await.unwrap(), before);
}

pub async fn a_wrong_statement_is_told_from_an_outage(store: &Bench) {
    let wrong = store
        .db()
        .batch(vec![any("insert into nowhere values (1)", vec![])])
        .await;
    assert!(matches!(wrong, Err(StoreError::Statement(_))), "{wrong:?}");
    let wrong = store
        .db()
        .query("select nothing from settings", vec![])
        .await;
    assert!(matches!(wrong, Err(StoreError::Statement(_))), "{wrong:?}");
    let null = any(
        "insert into settings (name, value) values ('a', null)",
        vec![],
    );
    let wrong = store.db().batch(vec![null]).await;
    assert!(matches!(wrong, Err(StoreError::Statement(_))), "{wrong:?}");
    store.ping().await.unwrap();
}

pub async fn parameters_go_by_number_not_by_place(store: &Bench) {
    let sql = "select $2, $1, $2, '$.plan' where $1 <> $3";
    let params = vec!["one".into(), "two".into(), "$1".into()];
    let mut row = store.db().query(sql, params).await.unwrap().remove(0);
    let columns: Vec<_> = (0..4).map(|_| row.text("x").unwrap()).collect();
    assert_eq!(columns, ["two", "one", "two", "$.plan"]);
}

pub async fn a_long_batch_keeps_its_order(store: &Bench) {
    let mut write = store.write();
    for number in 0..500 {
        write.set_setting("last", &number.to_string());
        write.log(&event(&format!("{number:03}")));
    }
    store.commit(write).await.unwrap();
    assert_eq!(
        store.find_setting("last").await.unwrap().as_deref(),
        Some("499")
    );
    assert_eq!(store.count_logs().await.unwrap(), 500);
}

/// Polls a commit a few times and lets it go: as when the caller's connection breaks.
pub async fn an_abandoned_batch_is_all_or_nothing(store: &Bench) {
    for polls in 0..12 {
        let mut write = store.write();
        for step in 0..40 {
            write.log(&event(&format!("{polls:02}-{step:02}")));
        }
        write.set_setting("lock", "");
        crate::bench::abandon(store.commit(write), polls).await;
        // Waits for the abandoned one, if it still runs.
        let mut write = store.write();
        write.set_setting("lock", "");
        store.commit(write).await.unwrap();
        let found = store
            .list_logs_after(&format!("{polls:02}"), 1000)
            .await
            .unwrap();
        assert!(found.is_empty() || found.len() == 40, "{}", found.len());
    }
    store.ping().await.unwrap();
}
