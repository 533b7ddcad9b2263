//! What becomes of jobs: accepted or not, interrupted, taken over, ended.

use std::time::Duration;

use domain::{JobStatus, page::Page};
use engine::Error;
use engine::import::ImportRequest;
use testkit::Smtp;
use tokio_util::sync::CancellationToken;

use crate::import_rig::{Kind, Rig, file};

crate::on_both_databases!(
    refuses_in_the_documented_order,
    refuses_a_file_above_the_limit,
    documented_limits_when_asked_for,
    an_abandoned_upload_is_removed,
    a_stopped_job_goes_on_elsewhere,
    a_crashed_job_goes_on_when_its_lease_ran_out,
    a_crash_at_any_moment_changes_nothing,
    a_rehearsal_that_was_cut_off_begins_again,
    a_deleted_connection_ends_its_job,
    jobs_of_one_connection_keep_their_order,
    tells_of_the_end,
    forgets_old_jobs,
);

fn message(error: &Error) -> &str {
    match error {
        Error::Invalid { message, .. }
        | Error::Missing { message, .. }
        | Error::TooMany(message)
        | Error::TooLarge(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn refuses_in_the_documented_order(kind: Kind) {
    let rig = Rig::open(kind).await;
    let mut connection = rig
        .engine
        .store
        .find_connection(&rig.connection)
        .await
        .unwrap()
        .unwrap();
    let legacy = serde_json::json!({"enabledDatabaseCustomization": true});
    connection.options = legacy.as_object().unwrap().clone();
    let mut write = rig.engine.store.write();
    for (id, clients) in [
        ("con_legacy0123456789", true),
        ("con_unserved12345678", false),
    ] {
        connection.id = id.into();
        connection.name = id.replace('_', "-");
        connection.realms = vec![connection.name.clone()];
        connection.enabled_clients = if clients { vec!["c".into()] } else { vec![] };
        write
            .insert_connection(&connection, rig.engine.now())
            .unwrap();
    }
    rig.engine.store.commit(write).await.unwrap();
    for (connection, expected) in [
        (
            "con_1",
            "Payload validation error: 'String does not match pattern ^con_[A-Za-z0-9]{16}$' on property connection_id.",
        ),
        ("con_0000000000000000", "The connection does not exist."),
        ("con_unserved12345678", "Connection must be enabled."),
        (
            "con_legacy0123456789",
            "Custom Database Connections without import mode are not allowed.",
        ),
        (rig.connection.as_str(), "Users file must not be empty."),
    ] {
        let request = ImportRequest {
            connection: connection.to_owned(),
            ..rig.request()
        };
        let error = rig.accept(b"", request).await.unwrap_err();
        assert_eq!(message(&error), expected);
    }
    let error = rig.engine.find_job(&"job_0".into()).await.unwrap_err();
    assert_eq!(message(&error), "Job not found.");
    assert!(rig.has_no_uploads().await);
}

async fn refuses_a_file_above_the_limit(kind: Kind) {
    let rig = Rig::open_with(kind, |settings| settings.import.max_bytes = 1_000_000).await;
    let error = rig
        .accept(&vec![b' '; 1_000_001], rig.request())
        .await
        .unwrap_err();
    assert_eq!(
        message(&error),
        "Payload content length greater than maximum allowed: 1000000."
    );
}

async fn documented_limits_when_asked_for(kind: Kind) {
    let rig = Rig::open_with(kind, |settings| {
        settings.import.auth0_compatible_limits = true;
    })
    .await;
    let error = rig
        .accept(&vec![b' '; 512_001], rig.request())
        .await
        .unwrap_err();
    assert_eq!(
        message(&error),
        "Payload content length greater than maximum allowed: 512000."
    );
    let asked = (0..5).map(|_| rig.accept(b"[]", rig.request()));
    let answers = futures_util::future::join_all(asked).await;
    let refused: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .collect();
    assert_eq!(refused.len(), 3);
    assert_eq!(
        message(refused[0]),
        "There are 2 active import users jobs, please wait until some of them are finished and try again"
    );
}

async fn an_abandoned_upload_is_removed(kind: Kind) {
    let rig = Rig::open(kind).await;
    let mut spool = rig.engine.open_spool().await.unwrap();
    spool.write(vec![b' '; 3_000_000].into()).await.unwrap();
    assert_ne!(rig.uploads(), 0);
    drop(spool);
    let mut left = rig.uploads();
    for _ in 0..200 {
        if left == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = rig.uploads();
    }
    panic!("{left} left");
}

/// The end state of an import that nothing disturbs.
async fn undisturbed(kind: Kind, count: usize) -> Vec<String> {
    let mut rig = Rig::open(kind).await;
    rig.import(&file(count)).await;
    rig.state().await
}

async fn a_stopped_job_goes_on_elsewhere(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let job = rig.accept(&file(3000), rig.request()).await.unwrap();
    rig.work();
    rig.until(&job.id, |job| job.counters.total > 0).await;
    rig.rest().await;
    let stopped = rig.job(&job.id).await;
    assert!(stopped.counters.total % 50 == 0 && stopped.status == JobStatus::Processing);
    let mut other = rig.reopen(|_| {}).await;
    other.work();
    let job = other.ended(&job.id).await;
    assert_eq!(
        (job.status, job.counters.total, job.counters.inserted),
        (JobStatus::Completed, 3000, 3000)
    );
    assert_eq!(other.state().await, undisturbed(kind, 3000).await);
    assert!(other.has_no_uploads().await);
}

async fn a_crashed_job_goes_on_when_its_lease_ran_out(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let job = rig.accept(&file(3000), rig.request()).await.unwrap();
    rig.work();
    rig.until(&job.id, |job| job.counters.total > 0).await;
    rig.crash().await;
    let mut other = rig.reopen(|_| {}).await;
    let free = other
        .engine
        .store
        .claim_job("me", other.engine.now(), Duration::from_secs(30))
        .await
        .unwrap();
    assert!(free.is_none(), "the lease still stands");
    other.clock.advance(Duration::from_secs(31));
    other.work();
    let job = other.ended(&job.id).await;
    assert_eq!(
        (job.status, job.counters.total, job.counters.inserted),
        (JobStatus::Completed, 3000, 3000)
    );
    assert_eq!(other.state().await, undisturbed(kind, 3000).await);
}

/// Crashes again and again, after each few milliseconds, also while another worker already has
/// the job: a row is written once.
async fn a_crash_at_any_moment_changes_nothing(kind: Kind) {
    let mut rig = Rig::open_with(kind, |settings| settings.import.batch_rows = 7).await;
    let text = [file(400).as_slice(), b""].concat();
    let mut text = String::from_utf8(text).unwrap();
    // A row refused by its shape, and a duplicate.
    text.truncate(text.len() - 1);
    text.push_str(r#",{"email":1},{"email":"user3@example.com"}]"#);
    let job = rig.accept(text.as_bytes(), rig.request()).await.unwrap();
    let longest = if kind == Kind::Sqlite { 9 } else { 97 };
    let mut crashes = 0;
    loop {
        rig.work();
        tokio::time::sleep(Duration::from_millis(3 + crashes * 7 % longest)).await;
        rig.crash().await;
        crashes += 1;
        if rig.job(&job.id).await.status.is_final() {
            break;
        }
        let now = rig.engine.now();
        rig = rig.reopen(|settings| settings.import.batch_rows = 7).await;
        assert_eq!(rig.engine.now(), now);
        rig.clock.advance(Duration::from_secs(31));
        assert!(crashes < 3000);
    }
    let job = rig.job(&job.id).await;
    let counters = job.counters;
    assert_eq!(
        (counters.total, counters.inserted, counters.failed),
        (402, 400, 2)
    );
    assert_eq!(job.status, JobStatus::Completed);
    assert_eq!(rig.state().await, undisturbed(kind, 400).await);
    assert_eq!(rig.report(&job.id).await.lines().count(), 2);
    assert!(crashes > 2, "{crashes}");
}

async fn a_rehearsal_that_was_cut_off_begins_again(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    rig.import(&file(100)).await;
    let before = rig.state().await;
    let mut request = rig.request();
    request.options.dry_run = true;
    let job = rig.accept(&file(3000), request).await.unwrap();
    rig.until(&job.id, |job| job.counters.inserted > 0).await;
    rig.crash().await;
    let cut = rig.job(&job.id).await;
    assert!(cut.counters.total < 3000, "{:?}", cut.counters);
    let mut other = rig.reopen(|_| {}).await;
    other.clock.advance(Duration::from_secs(31));
    other.work();
    let job = other.ended(&job.id).await;
    let counters = job.counters;
    assert_eq!(
        (
            job.status,
            counters.total,
            counters.inserted,
            counters.failed
        ),
        (JobStatus::Completed, 3000, 2900, 100)
    );
    let report = other.report(&job.id).await;
    assert_eq!(report.lines().count(), 100);
    assert!(report.starts_with("1 CONFLICT_EMAIL [email]"), "{report}");
    assert_eq!(other.state().await, before);
}

async fn a_deleted_connection_ends_its_job(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let job = rig.accept(&file(5000), rig.request()).await.unwrap();
    rig.work();
    rig.until(&job.id, |job| job.counters.total > 0).await;
    let mut write = rig.engine.store.write();
    write.delete_connection(&rig.connection, rig.engine.now());
    rig.engine.store.commit(write).await.unwrap();
    let job = rig.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert_eq!(
        job.status_details.as_deref(),
        Some("The connection was deleted while the job ran.")
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    rig.rest().await;
    assert_eq!(rig.users().await.len(), 0);
    assert!(rig.has_no_uploads().await);
}

async fn jobs_of_one_connection_keep_their_order(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let mut jobs = Vec::new();
    for name in ["one", "two", "three"] {
        let rows: Vec<_> = (0..300)
            .map(|n| format!(r#"{{"email":"u{n}@b.co","name":"{name}"}}"#))
            .collect();
        let request = ImportRequest {
            upsert: true,
            ..rig.request()
        };
        jobs.push(
            rig.accept(format!("[{}]", rows.join(",")).as_bytes(), request)
                .await
                .unwrap()
                .id,
        );
        rig.clock.advance(Duration::from_millis(1));
    }
    rig.work();
    for job in &jobs {
        assert_eq!(rig.ended(job).await.counters.failed, 0);
    }
    assert!(
        rig.users()
            .await
            .iter()
            .all(|user| user.attributes.name.as_deref() == Some("three"))
    );
}

async fn tells_of_the_end(kind: Kind) {
    let smtp = Smtp::start().unwrap();
    let url = smtp.url();
    let mut rig = Rig::open_with(kind, |settings| {
        settings.admin_email = Some("admin@example.com".into());
        settings.mail.smtp_url = Some(url);
    })
    .await;
    let stop = CancellationToken::new();
    let outbox = tokio::spawn(std::sync::Arc::clone(&rig.engine).run_outbox(stop.clone()));
    let request = ImportRequest {
        send_completion_email: true,
        ..rig.request()
    };
    let job = rig
        .import_as(br#"[{"email":"a@b.co"},{"email":"no"}]"#, request)
        .await;
    let mail = smtp.mail_to("admin@example.com").await.unwrap();
    let mail = format!(
        "{}\n{}",
        mail.subject,
        mail.text.replace(job.id.as_str(), "job_…")
    );
    insta::allow_duplicates! {
        insta::assert_snapshot!(mail, @r"
        [Ferry] Import user job for tenant ferry.example and connection legacy completed
        The import job job_… has completed.
        
        New users: 1
        Updated users: 0
        Failed users: 1
        Total: 2
        ");
    }
    stop.cancel();
    outbox.await.unwrap();
    let page = Page {
        number: 0,
        size: 10,
    };
    let mut logs = rig.engine.store.list_logs(page, true).await.unwrap();
    // The clock stands still.
    logs.sort_by_key(|log| log["type"].to_string());
    let kinds: Vec<_> = logs
        .iter()
        .map(|log| log["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["sapi", "sui"]);
    insta::allow_duplicates! {
        insta::assert_snapshot!(logs[1]["details"]["summary"], @r#"{"total":2,"inserted":1,"updated":0,"failed":1}"#);
    }

    // Without a mail server: a file.
    let mut rig = Rig::open(kind).await;
    let request = ImportRequest {
        send_completion_email: true,
        ..rig.request()
    };
    rig.import_as(b"[", request).await;
    let stop = CancellationToken::new();
    let outbox = tokio::spawn(std::sync::Arc::clone(&rig.engine).run_outbox(stop.clone()));
    let folder = rig.dir.path().join("mail");
    let found = loop {
        let files = std::fs::read_dir(&folder).into_iter().flatten();
        let mut files = files
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|name| name == "eml"));
        if let Some(path) = files.next() {
            break std::fs::read_to_string(path).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let found = found.replace("\r\n ", " ");
    assert!(
        found.contains("To: root@localhost") && found.contains("connection legacy failed"),
        "{found}"
    );
    stop.cancel();
    outbox.await.unwrap();
}

async fn forgets_old_jobs(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let job = rig.import(br#"[{"email":"a@b.co"},{"email":"no"}]"#).await;
    rig.engine.sweep_jobs().await.unwrap();
    assert_eq!(
        rig.engine
            .list_row_errors(&job.id, Page::default())
            .await
            .unwrap()
            .len(),
        1
    );
    rig.clock.advance(Duration::from_secs(31 * 86_400));
    rig.engine.sweep_jobs().await.unwrap();
    assert!(rig.engine.find_job(&job.id).await.is_err());
    assert_eq!(
        rig.engine
            .list_row_errors_after(&job.id, 0, 100_000)
            .await
            .unwrap()
            .len(),
        0
    );
}

/// The database goes away in the middle and comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_waited_for() {
    let mut rig = Rig::open(Kind::Postgres).await;
    let job = rig.accept(&file(3000), rig.request()).await.unwrap();
    rig.work();
    rig.until(&job.id, |job| job.counters.total > 0).await;
    let database = rig.database.clone().unwrap();
    for _ in 0..3 {
        database.stop().unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        database.resume().unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let job = rig.ended(&job.id).await;
    assert_eq!(
        (job.status, job.counters.total, job.counters.inserted),
        (JobStatus::Completed, 3000, 3000)
    );
    assert_eq!(rig.state().await, undisturbed(Kind::Postgres, 3000).await);
}

/// What a crash left in the folder is removed at the next start, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn left_over_files_are_swept_at_the_start() {
    let rig = Rig::open(Kind::Sqlite).await;
    let waiting = rig.accept(b"[]", rig.request()).await.unwrap();
    let mut spool = rig.engine.open_spool().await.unwrap();
    spool.write(b"[{".as_slice().into()).await.unwrap();
    std::mem::forget(spool);
    assert_eq!(rig.uploads(), 2);
    // It may be growing still; of an earlier process it is not.
    rig.engine.sweep_jobs().await.unwrap();
    assert_eq!(rig.uploads(), 2);
    for file in std::fs::read_dir(rig.dir.path().join("spool")).unwrap() {
        let file = std::fs::File::options()
            .write(true)
            .open(file.unwrap().path());
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        file.unwrap().set_modified(long_ago).unwrap();
    }
    rig.engine.sweep_jobs().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(rig.dir.path().join("spool"))
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(left, [format!("{}.json", waiting.id).as_str()]);
}
