//! Import jobs, their leases and row errors.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{ImportJob, JobStatus};
use store::{Lease, StoreError};

use crate::bench::Bench;
use crate::make::{EXOTIC, at, job, put_connection, put_job};

const LEASE: Duration = Duration::from_millis(100);

fn shape(job: &ImportJob) -> String {
    format!("{job:?}")
}

pub async fn a_job_comes_back_as_it_was(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let wanted = ImportJob {
        external_id: Some(EXOTIC.concat()),
        upsert: true,
        send_completion_email: true,
        options: domain::ImportOptions {
            dry_run: true,
            policy: Some(domain::conflict::Policy::upsert()),
            ..domain::ImportOptions::default()
        },
        size: i64::MAX,
        ..job("job_1", &connection, at(3))
    };
    put_job(store, &wanted).await;
    assert_eq!(
        shape(&store.find_job(&"job_1".into()).await.unwrap().unwrap()),
        shape(&wanted)
    );
    assert_eq!(store.count_active_jobs().await.unwrap(), 1);
    assert!(store.find_job(&"job_2\0".into()).await.unwrap().is_none());
}

pub async fn a_mail_is_an_ended_job(store: &Bench) {
    let connection = put_connection(store, "main").await;
    put_job(store, &job("import", &connection, at(1))).await;
    let mut write = store.write();
    write.insert_mail_job(&"mail".into(), &connection.id, at(2));
    store.commit(write).await.unwrap();
    let found = store.find_job(&"mail".into()).await.unwrap().unwrap();
    assert_eq!(
        (found.status, found.ended_at),
        (JobStatus::Completed, Some(at(2)))
    );
    assert!(store.is_mail_job(&"mail".into()).await.unwrap());
    assert!(!store.is_mail_job(&"import".into()).await.unwrap());
    assert!(!store.is_mail_job(&"nothing".into()).await.unwrap());
    assert_eq!(store.count_active_jobs().await.unwrap(), 1);
    let claimed = store.claim_job("a", at(3), LEASE).await.unwrap().unwrap();
    assert_eq!(claimed.id.as_str(), "import");
}

pub async fn a_lease_is_held_renewed_lost_and_released(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let other = put_connection(store, "other").await;
    put_job(store, &job("young", &other, at(2))).await;
    put_job(store, &job("old", &connection, at(1))).await;
    let claim = async |owner: &str, now| {
        let found = store.claim_job(owner, at(now), LEASE).await.unwrap();
        found.map(|job| job.id.to_string())
    };
    let lease = |job: &str, owner: &str| Lease {
        job: job.into(),
        owner: owner.into(),
    };
    assert_eq!(claim("a", 10).await.as_deref(), Some("old"));
    assert_eq!(claim("b", 20).await.as_deref(), Some("young"));
    assert_eq!(claim("c", 30).await, None);
    let taken = store.find_job(&"old".into()).await.unwrap().unwrap();
    assert_eq!(
        (taken.status, taken.started_at),
        (JobStatus::Processing, Some(at(10)))
    );
    let renew = async |job: &str, owner: &str, until| {
        let mut write = store.write();
        write.renew_lease(&lease(job, owner), at(until));
        store.commit(write).await
    };
    renew("old", "a", 500).await.unwrap();
    assert!(matches!(
        renew("old", "b", 500).await,
        Err(StoreError::Stale { .. })
    ));
    // The younger one's holder went silent.
    assert_eq!(claim("c", 119).await, None);
    assert_eq!(claim("c", 120).await.as_deref(), Some("young"));
    assert!(matches!(
        renew("young", "b", 500).await,
        Err(StoreError::Stale { .. })
    ));
    let again = store.find_job(&"young".into()).await.unwrap().unwrap();
    assert_eq!(again.started_at, Some(at(20)), "the first start counts");
    let mut write = store.write();
    write.release_job(&lease("old", "b"));
    write.release_job(&lease("old", "a"));
    store.commit(write).await.unwrap();
    assert_eq!(claim("d", 121).await.as_deref(), Some("old"));
    let end = async |job: &str, owner: &str| {
        let mut write = store.write();
        write.end_job(
            &lease(job, owner),
            JobStatus::Completed,
            Some("why"),
            at(200),
        );
        store.commit(write).await
    };
    assert!(matches!(
        end("old", "a").await,
        Err(StoreError::Stale { .. })
    ));
    end("old", "d").await.unwrap();
    assert!(matches!(
        end("old", "d").await,
        Err(StoreError::Stale { .. })
    ));
    assert!(matches!(
        renew("old", "d", 900).await,
        Err(StoreError::Stale { .. })
    ));
    let ended = store.find_job(&"old".into()).await.unwrap().unwrap();
    assert_eq!(
        (ended.status, ended.ended_at),
        (JobStatus::Completed, Some(at(200)))
    );
    assert_eq!(ended.status_details.as_deref(), Some("why"));
    assert_eq!(claim("e", 10_000).await.as_deref(), Some("young"));
    assert_eq!(store.count_active_jobs().await.unwrap(), 1);
    assert_eq!(store.list_jobs_ended_before(at(200)).await.unwrap(), []);
    assert_eq!(
        store.list_jobs_ended_before(at(201)).await.unwrap(),
        ["old".into()]
    );
    let mut write = store.write();
    write.delete_job(&"old".into());
    store.commit(write).await.unwrap();
    assert!(store.find_job(&"old".into()).await.unwrap().is_none());
}

pub async fn racing_workers_take_each_job_once(store: &Bench) {
    for number in 0..15 {
        let connection = put_connection(store, &format!("c{number}")).await;
        put_job(
            store,
            &job(&format!("job_{number}"), &connection, at(number)),
        )
        .await;
    }
    let claimed = store
        .race(20, |store, number| async move {
            let owner = format!("worker {number}");
            let mut taken = Vec::new();
            while let Some(job) = store.claim_job(&owner, at(100), LEASE).await.unwrap() {
                taken.push(job.id);
            }
            taken
        })
        .await;
    let all: Vec<_> = claimed.into_iter().flatten().collect();
    assert_eq!(all.len(), 15);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 15);
}

pub async fn jobs_of_one_connection_run_one_after_the_other(store: &Bench) {
    let connection = put_connection(store, "main").await;
    for (id, millis) in [("b", 5), ("a", 5), ("c", 1)] {
        put_job(store, &job(id, &connection, at(millis))).await;
    }
    for (round, id) in ["c", "a", "b"].iter().enumerate() {
        let now = at(1000 + round as i64);
        let claimed = store
            .race(10, |store, number| async move {
                let owner = format!("worker {number}");
                let job = store.claim_job(&owner, now, LEASE).await.unwrap();
                job.map(|job| Lease { job: job.id, owner })
            })
            .await;
        let mut leases = claimed.into_iter().flatten();
        let lease = leases.next().unwrap();
        assert_eq!((lease.job.as_str(), leases.next().is_none()), (*id, true));
        let mut write = store.write();
        write.end_job(&lease, JobStatus::Completed, None, now);
        store.commit(write).await.unwrap();
    }
}

pub async fn one_of_many_takes_over_after_a_crash(store: &Bench) {
    let connection = put_connection(store, "main").await;
    put_job(store, &job("job", &connection, at(0))).await;
    store
        .claim_job("crashed", at(0), LEASE)
        .await
        .unwrap()
        .unwrap();
    for (now, winners) in [(99, 0), (100, 1)] {
        let claimed = store
            .race(20, |store, number| async move {
                store
                    .claim_job(&format!("worker {number}"), at(now), LEASE)
                    .await
                    .unwrap()
            })
            .await;
        assert_eq!(claimed.into_iter().flatten().count(), winners);
    }
}

pub async fn a_full_queue_takes_no_more_even_at_once(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let outcomes = store
        .race(12, |store, number| {
            let job = job(&format!("job_{number}"), &connection, at(number as i64));
            async move {
                let mut write = store.write();
                write.require_connection(&job.connection);
                write.require_room_for_job(5);
                write.insert_job(&job);
                store.commit(write).await
            }
        })
        .await;
    assert_eq!(crate::bench::tally(&outcomes), (5, 7), "{outcomes:?}");
    assert_eq!(store.count_active_jobs().await.unwrap(), 5);
}

pub async fn row_errors_go_on_after_a_row(store: &Bench) {
    let mut import = crate::import::Import::start(store, "job", false).await;
    import.refuse(7);
    import.batch(vec![]).await.unwrap();
    let after = async |row, limit| {
        let found = store.list_row_errors_after(&"job".into(), row, limit).await;
        let rows = found.unwrap().into_iter().map(|error| error.row);
        rows.collect::<Vec<_>>()
    };
    assert_eq!(after(0, 3).await, [1, 2, 3]);
    assert_eq!(after(3, 3).await, [4, 5, 6]);
    assert_eq!(after(6, 3).await, [7]);
    assert_eq!(after(7, 3).await, [0; 0]);
}
