//! Two batches of a job at the same time: what becomes of them is what becomes of them in turn.

use std::sync::Arc;

use domain::{Counters, Page};
use store::import::{ImportBatch, ImportRow};
use store::{Store, StoreError, UserFilter, UserSort};

use crate::bench::{Bench, abandon, key};
use crate::import::{Import, row};
use crate::make::put_user;

/// Rows with numbers for keys.
fn rows(numbers: std::ops::Range<i64>) -> Vec<ImportRow> {
    numbers
        .map(|number| row(&format!("{number}"), &format!("{number}@x.org")))
        .collect()
}

/// Two batches, the second one as if all rows of the first one were new.
fn two(
    import: &mut Import,
    first: Vec<ImportRow>,
    second: Vec<ImportRow>,
) -> (Arc<ImportBatch>, Arc<ImportBatch>) {
    let first = import.build(first);
    let mut after = import.clone();
    after.counters = first.counters_when_new();
    let second = after.build(second);
    import.number = after.number;
    (first, second)
}

/// The same database through a door of its own, by which nobody wrote yet: two batches at once are
/// for quiet times.
async fn quiet(bench: &Bench) -> Store {
    match bench.import_width() {
        1 => bench.store.clone(),
        _ => bench.place.open(&key()).await.unwrap(),
    }
}

async fn users(store: &Bench) -> i64 {
    let (filter, sort) = (UserFilter::default(), UserSort::Arrival);
    let found = store
        .list_users(&filter, sort, false, Page::default())
        .await;
    found.unwrap().total.unwrap()
}

const fn new(total: i64) -> Counters {
    Counters {
        total,
        inserted: total,
        updated: 0,
        failed: 0,
    }
}

pub async fn two_batches_are_written_at_once_where_the_database_can(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    let quiet = quiet(store).await;
    let (first, second) = two(&mut import, rows(0..30), rows(30..50));
    let (written, beside) = quiet.import_two(&first, &second).await;
    assert_eq!(written.unwrap(), new(30));
    let beside = beside.unwrap();
    let is_wide = store.import_width() > 1;
    assert_eq!(beside, is_wide.then(|| new(50)));
    if !is_wide {
        assert_eq!(store.import(&second).await.unwrap(), new(50));
    }
    let job = store.find_job(&"job".into()).await.unwrap().unwrap();
    assert_eq!((job.counters, job.offset), (new(50), second.end_offset));
    assert_eq!(users(store).await, 50);
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}

pub async fn a_second_batch_that_meets_a_taken_key_is_left_for_later(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    let quiet = quiet(store).await;
    put_user(store, &import.connection, "old", "35@x.org").await;
    let (first, second) = two(&mut import, rows(0..30), rows(30..50));
    let (written, beside) = quiet.import_two(&first, &second).await;
    assert_eq!((written.unwrap(), beside.unwrap()), (new(30), None));
    assert_eq!(users(store).await, 31);
    let counters = store.import(&second).await.unwrap();
    assert_eq!((counters.inserted, counters.failed), (49, 1));
    // The same address in both: the first one has it.
    let mut import = Import::start(store, "job 2", false).await;
    let mut again = rows(80..90);
    again.push(row("new id", "60@x.org"));
    let (first, second) = two(&mut import, rows(60..80), again);
    let (written, beside) = quiet.import_two(&first, &second).await;
    assert_eq!((written.unwrap(), beside.unwrap()), (new(20), None));
    let counters = store.import(&second).await.unwrap();
    assert_eq!((counters.inserted, counters.failed), (30, 1));
}

pub async fn a_second_batch_waits_for_a_first_one_that_went_well(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    let quiet = quiet(store).await;
    put_user(store, &import.connection, "old", "5@x.org").await;
    // The first one has an error: the second one counted on none.
    let (first, second) = two(&mut import, rows(0..30), rows(30..50));
    let (written, beside) = quiet.import_two(&first, &second).await;
    let counters = written.unwrap();
    assert_eq!((counters.inserted, counters.failed), (29, 1));
    assert_eq!(beside.unwrap(), None);
    assert_eq!(users(store).await, 30);
    // The job is another worker's: neither is written.
    import.counters = counters;
    import.lease.owner = "thief".into();
    let before = store.dump().await.unwrap();
    let (first, second) = two(&mut import, rows(50..60), rows(60..70));
    let (written, beside) = quiet.import_two(&first, &second).await;
    assert!(
        matches!(written, Err(StoreError::Stale { .. })),
        "{written:?}"
    );
    assert_eq!(beside.unwrap(), None);
    assert_eq!(store.dump().await.unwrap(), before);
}

pub async fn two_abandoned_batches_leave_the_files_beginning(store: &Bench) {
    let mut import = Import::start(store, "job", false).await;
    let quiet = quiet(store).await;
    let mut next = 0;
    for polls in 0..60 {
        let (first, second) = two(&mut import, rows(next..next + 9), rows(next + 9..next + 20));
        Box::pin(abandon(quiet.import_two(&first, &second), polls)).await;
        // Waits for the abandoned ones, if they still run.
        let mut write = store.write();
        write.renew_lease(&import.lease, crate::make::at(1_000_000));
        store.commit(write).await.unwrap();
        let job = store.find_job(&"job".into()).await.unwrap().unwrap();
        let written = job.counters.total - next;
        assert!([0, 9, 20].contains(&written), "{written} of 20");
        assert_eq!(job.counters, new(job.counters.total));
        next = users(store).await;
        assert_eq!(next, job.counters.total);
        assert_eq!(store.orphans().await.unwrap(), [""; 0]);
        import.counters = job.counters;
        import.offset = job.offset;
        import.number = next;
    }
}
