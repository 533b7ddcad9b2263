//! The bulk path beside other writers, and cut off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};

use domain::{MfaFactor, Page};
use store::import::ImportRow;
use store::{StoreError, UserFilter, UserSort};
use tokio::sync::oneshot;

use crate::bench::{Bench, abandon};
use crate::import::{Import, row};
use crate::make::{at, insert, new_user, put_user};

async fn users(store: &Bench) -> i64 {
    let found = store
        .list_users(
            &UserFilter::default(),
            UserSort::Arrival,
            false,
            Page::default(),
        )
        .await;
    found.unwrap().total.unwrap()
}

/// Jobs over the same people in opposite orders: each person is written once, none is lost.
pub async fn crossing_jobs_write_each_person_once(store: &Bench) {
    let mut imports = Vec::new();
    for number in 0..4 {
        imports.push(Import::start(store, &format!("job_{number}"), number == 3).await);
    }
    let counters = store
        .race(4, |_, number| {
            let mut import = imports[number].clone();
            async move {
                let mut ids: Vec<_> = (0..300).collect();
                if number % 2 == 1 {
                    ids.reverse();
                }
                let mut counters = domain::Counters::default();
                for ids in ids.chunks(60) {
                    let rows = ids.iter().map(|id| ImportRow {
                        factors: vec![MfaFactor::Phone("+1".into())],
                        ..row(&id.to_string(), &format!("{id}@x.org"))
                    });
                    counters = import.batch(rows.collect()).await.unwrap();
                }
                counters
            }
        })
        .await;
    assert_eq!(users(store).await, 300);
    assert_eq!(
        counters
            .iter()
            .map(|counters| counters.inserted)
            .sum::<i64>(),
        300
    );
    for counters in counters {
        assert_eq!(counters.total, 300);
        assert_eq!(counters.inserted + counters.updated + counters.failed, 300);
    }
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

/// People sign up, and go, while a file with the same addresses is read.
pub async fn a_job_beside_arrivals_and_deletions_accounts_for_every_row(store: &Bench) {
    let import = Import::start(store, "job", true).await;
    for id in 0..100 {
        put_user(
            store,
            &import.connection,
            &format!("old{id}"),
            &format!("{id}@x.org"),
        )
        .await;
    }
    let counters = store
        .race(5, |store, number| {
            let mut import = import.clone();
            async move {
                if number == 0 {
                    let mut counters = domain::Counters::default();
                    for block in 0..15 {
                        let rows = (block * 10..block * 10 + 10)
                            .map(|id| row(&id.to_string(), &format!("{id}@x.org")));
                        counters = import.batch(rows.collect()).await.unwrap();
                    }
                    return counters;
                }
                for id in (0..150).rev().filter(|id| id % 4 == number as i64 - 1) {
                    let address = format!("{id}@x.org");
                    let found = store.list_users_by_email(&address).await.unwrap();
                    if let Some(user) = found.first() {
                        let mut write = store.write();
                        write.delete_user(user.row);
                        store.commit(write).await.unwrap();
                    } else {
                        let row = store.next_user_row().await.unwrap();
                        let arrived = insert(
                            &store,
                            &new_user(row, &import.connection, &format!("new{id}"), &address),
                        )
                        .await;
                        assert!(
                            matches!(arrived, Ok(()) | Err(StoreError::Conflict(_))),
                            "{arrived:?}"
                        );
                    }
                }
                domain::Counters::default()
            }
        })
        .await;
    let counters = counters
        .into_iter()
        .find(|counters| counters.total > 0)
        .unwrap();
    assert_eq!(counters.total, 150);
    assert_eq!(
        counters.inserted + counters.updated + counters.failed,
        150,
        "{counters:?}"
    );
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn a_connection_deleted_in_the_middle_of_a_job_leaves_nothing(store: &Bench) {
    for round in 0..10_usize {
        let import =
            Import::start_at(store, &format!("c{round}"), &format!("job_{round}"), false).await;
        let outcomes = store
            .race(2, |store, number| {
                let mut import = import.clone();
                async move {
                    if number == round % 2 {
                        let mut write = store.write();
                        write.delete_connection(&import.connection.id, at(1));
                        return store.commit(write).await;
                    }
                    for block in 0..4 {
                        let rows = (0..20).map(|id| ImportRow {
                            factors: vec![MfaFactor::Phone("+1".into())],
                            ..row(&format!("{block}-{id}"), &format!("{block}-{id}@x.org"))
                        });
                        import.batch(rows.collect()).await?;
                    }
                    Ok(())
                }
            })
            .await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Stale { .. }))),
            "{outcomes:?}"
        );
        assert_eq!(store.orphans().await.unwrap(), [""; 0]);
        assert_eq!(users(store).await, 0);
        let job = store
            .find_job(&format!("job_{round}").into())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(job.status, domain::JobStatus::Failed);
    }
}

pub async fn a_job_deleted_in_the_middle_leaves_no_errors(store: &Bench) {
    for round in 0..20_usize {
        let import = Import::start(store, &format!("job_{round}"), false).await;
        store
            .race(2, |store, number| {
                let mut import = import.clone();
                async move {
                    if number == round % 2 {
                        let mut write = store.write();
                        write.delete_job(&import.lease.job);
                        return store.commit(write).await.unwrap();
                    }
                    import.refuse(30);
                    let outcome = import
                        .batch(vec![row(&format!("{round}"), "same@x.org")])
                        .await;
                    assert!(
                        matches!(outcome, Ok(_) | Err(StoreError::Stale { .. })),
                        "{outcome:?}"
                    );
                }
            })
            .await;
        assert_eq!(store.orphans().await.unwrap(), [""; 0]);
    }
}

/// Two workers over one job: whoever lost the lease writes nothing.
pub async fn a_taken_over_job_is_written_by_one_worker(store: &Bench) {
    let import = Import::start(store, "job", false).await;
    let outcomes = store
        .race(8, |store, number| {
            let mut import = import.clone();
            async move {
                if number % 2 == 1 {
                    let owner = format!("thief {number}");
                    let lease = std::time::Duration::from_millis(1);
                    let Some(job) = store
                        .claim_job(&owner, at(1_000_000 + number as i64), lease)
                        .await?
                    else {
                        return Ok::<(), StoreError>(());
                    };
                    import.lease.owner = owner;
                    import.counters = job.counters;
                    import.offset = job.offset;
                }
                let next = import.counters.total;
                import
                    .batch(vec![row(&format!("{next}"), &format!("{next}@x.org"))])
                    .await
                    .map(drop)
            }
        })
        .await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Stale { .. }))),
        "{outcomes:?}"
    );
    let job = store.find_job(&"job".into()).await.unwrap().unwrap();
    assert_eq!(job.counters.total, users(store).await);
    assert_eq!(job.counters.inserted, job.counters.total);
}

pub async fn an_abandoned_import_is_all_or_nothing(store: &Bench) {
    let mut import = Import::start(store, "job", true).await;
    put_user(store, &import.connection, "old", "old@x.org").await;
    for polls in 0..40 {
        let mut rows: Vec<_> = (0..10)
            .map(|id| row(&format!("{polls}-{id}"), &format!("{polls}-{id}@x.org")))
            .collect();
        rows.push(row(&format!("{polls}"), "old@x.org"));
        let batch = import.build(rows);
        abandon(store.import(&batch), polls).await;
        // Waits for the abandoned one, if it still runs.
        let mut write = store.write();
        write.renew_lease(&import.lease, at(1_000_000));
        store.commit(write).await.unwrap();
        let job = store.find_job(&"job".into()).await.unwrap().unwrap();
        assert_eq!(users(store).await, job.counters.inserted + 1);
        assert!([import.counters.total, import.counters.total + 11].contains(&job.counters.total));
        assert_eq!(store.orphans().await.unwrap(), [""; 0]);
        import.counters = job.counters;
        import.offset = job.offset;
        import.number = job.counters.total;
    }
    import.batch(vec![row("last", "last@x.org")]).await.unwrap();
}

static IS_REACHED: AtomicBool = AtomicBool::new(false);

/// The renderer of row errors runs in the middle of the transaction. This one fails there.
fn failing_mask(_: &[u8]) -> String {
    IS_REACHED.store(true, Ordering::SeqCst);
    std::panic::resume_unwind(Box::new("a defect of ours"))
}

pub async fn a_panic_in_the_middle_writes_nothing_and_the_store_goes_on(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    put_user(store, &import.connection, "old", "old@x.org").await;
    let before = store.dump().await.unwrap();
    let mut batch = import.build(vec![
        row("1", "a@x.org"),
        row("2", "old@x.org"),
        row("3", "c@x.org"),
    ]);
    std::sync::Arc::get_mut(&mut batch).unwrap().mask = failing_mask;
    let copy = store.store.clone();
    let outcome = tokio::spawn(async move { copy.import(&batch).await }).await;
    assert!(!matches!(outcome, Ok(Ok(_))));
    assert!(IS_REACHED.load(Ordering::SeqCst));
    assert_eq!(store.dump().await.unwrap(), before);
    import.batch(vec![row("1", "a@x.org")]).await.unwrap();
    assert_eq!(users(store).await, 2);
}

/// All connections to the database break in the middle of a transaction; SQLite has none to break.
fn cutting_mask(_: &[u8]) -> String {
    if let Some((reached, go_on)) = CUT.lock().unwrap().take() {
        reached.send(()).unwrap();
        // What else this thread would run goes to another one.
        tokio::task::block_in_place(|| go_on.recv().unwrap());
    }
    String::new()
}

type Gate = (oneshot::Sender<()>, mpsc::Receiver<()>);
static CUT: Mutex<Option<Gate>> = Mutex::new(None);

pub async fn a_cut_connection_writes_nothing_and_the_store_goes_on(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    put_user(store, &import.connection, "old", "old@x.org").await;
    let before = store.dump().await.unwrap();
    let mut batch = import.build(vec![row("1", "a@x.org"), row("2", "old@x.org")]);
    if store.database() == "PostgreSQL" {
        let (reach, reached) = oneshot::channel();
        let (go, go_on) = mpsc::channel();
        *CUT.lock().unwrap() = Some((reach, go_on));
        std::sync::Arc::get_mut(&mut batch).unwrap().mask = cutting_mask;
        let (copy, sent) = (store.store.clone(), batch.clone());
        let running = tokio::spawn(async move { copy.import(&sent).await });
        reached.await.unwrap();
        let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid()";
        let cutter = store.place.open(&crate::bench::key()).await.unwrap();
        cutter.db().query(cut, vec![]).await.unwrap();
        go.send(()).unwrap();
        let outcome = running.await.unwrap();
        assert!(
            matches!(outcome, Err(StoreError::Unavailable(_))),
            "{outcome:?}"
        );
        // The pool learns of each broken connection by using it, or a moment later by itself.
        while store.ping().await.is_err() {}
        assert_eq!(store.dump().await.unwrap(), before);
    }
    import.forget_last(&batch);
    import
        .batch(vec![row("1", "a@x.org"), row("2", "old@x.org")])
        .await
        .unwrap();
    assert_eq!(users(store).await, 2);
}
