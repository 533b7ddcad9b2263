//! Files in every packing and format, what they hold that is bad, and interruptions on the way.

use std::fmt::Write as _;
use std::io::Write as _;

use domain::{CsvMapping, FileFormat, ImportOptions, JobStatus};
use engine::import::{ImportRequest, JobCommand};
use engine::{Context, Error};
use serde_json::json;

use crate::import_rig::{Kind, Rig, file};

crate::on_both_databases!(
    packed_files_are_unpacked,
    a_bomb_fails_its_job,
    a_csv_file_is_told_by_its_first_line,
    a_mapping_makes_users_of_foreign_columns,
    bad_records_cost_their_rows,
    a_crash_in_a_packed_or_mapped_file_changes_nothing,
    a_job_is_paused_resumed_and_cancelled,
    one_key_means_one_job,
    failed_rows_can_be_imported_again,
    an_upload_in_parts_goes_on_where_it_stood,
    what_is_kept_no_longer_is_forgotten,
);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_be_bytes).collect()
}

/// The users of `file`, with the same ids and addresses, as columns.
fn csv(count: usize) -> String {
    let mut text = "Mail;nr;plan\n".to_owned();
    for number in 1..=count {
        writeln!(
            text,
            "User{number}@Example.com;{number:07};\"a \"\"b\"\"\n;{number}\""
        )
        .unwrap();
    }
    text
}

fn mapping() -> CsvMapping {
    let mapping = json!({
        "columns": {"Mail": "email", "nr": "user_id", "plan": "app_metadata.plan"},
        "constants": {"email_verified": true, "user_metadata.numbers": [9_007_199_254_740_993_u64]},
    });
    CsvMapping::parse(&mapping).unwrap()
}

impl Rig {
    fn mapped(&self) -> ImportRequest {
        ImportRequest {
            options: ImportOptions {
                mapping: Some(mapping()),
                ..ImportOptions::default()
            },
            ..self.request()
        }
    }
}

async fn packed_files_are_unpacked(kind: Kind) {
    let mut calm = Rig::open(kind).await;
    calm.import(&file(120)).await;
    let expected = calm.state().await;
    let text = file(120);
    let (head, tail) = text.split_at(5000);
    for packed in [
        gzip(&text),
        [gzip(head), gzip(tail)].concat(),
        zstd_of(&text),
        [zstd_of(head), zstd_of(tail)].concat(),
        utf16(std::str::from_utf8(&text).unwrap()),
        gzip(&utf16(std::str::from_utf8(&text).unwrap())),
    ] {
        let mut rig = Rig::open(kind).await;
        let job = rig.import(&packed).await;
        assert_eq!(
            (job.status, job.status_details.as_deref()),
            (JobStatus::Completed, None)
        );
        assert_eq!((job.counters.inserted, job.counters.failed), (120, 0));
        assert!(job.consumed <= job.size && job.consumed > 0);
        assert_eq!(rig.state().await, expected);
    }
}

async fn a_bomb_fails_its_job(kind: Kind) {
    let mut rig = Rig::open_with(kind, |settings| {
        settings.import.max_unpacked_bytes = 1 << 20;
    })
    .await;
    let mut users = file(60);
    users.extend(vec![b' '; 50 << 20]);
    let packed = gzip(&users);
    assert!(packed.len() < 1 << 20);
    let job = rig.import(&packed).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert_eq!(
        job.status_details.as_deref(),
        Some("The users file holds more than the 1048576 bytes allowed once it is unpacked.")
    );
    assert!(rig.has_no_uploads().await);
}

async fn a_csv_file_is_told_by_its_first_line(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let text = "user_id\temail\tblocked\tuser_metadata.n\n1\tA@x.org\tno\t01\n2\tb@x.org\tyes\t\n";
    for bytes in [text.as_bytes().to_vec(), gzip(&utf16(text))] {
        let job = rig.import(&bytes).await;
        assert_eq!(job.status, JobStatus::Completed, "{:?}", job.status_details);
        assert_eq!(job.counters.total, 2);
    }
    let users = rig.users().await;
    let shown: Vec<String> = users
        .iter()
        .map(|user| {
            let found = &user.attributes;
            format!(
                "{} {:?} {:?}",
                user.user_id, found.blocked, found.user_metadata
            )
        })
        .collect();
    insta::allow_duplicates! { insta::assert_snapshot!(shown.join("\n"), @r#"
    auth0|1 Some(false) Some({"n": String("01")})
    auth0|2 Some(true) None
    "#); }
    let job = rig.import(b"name,age\nA,1\n").await;
    assert_eq!(
        job.status_details.as_deref(),
        Some(
            "Failed to parse users file JSON when importing users. Make sure it is valid JSON. \
             Byte 0: neither '[' nor '{' begins the file."
        )
    );
    let request = ImportRequest {
        options: ImportOptions {
            format: Some(FileFormat::Csv),
            ..ImportOptions::default()
        },
        ..rig.request()
    };
    let job = rig.import_as(b"name,age\nA,1\n", request).await;
    assert_eq!(
        job.status_details.as_deref(),
        Some(
            "Failed to read the users file as CSV. Byte 0: column \"age\" is mapped to nothing; \
             map it, map it to null, or say \"others\": \"ignore\"."
        )
    );
}

async fn a_mapping_makes_users_of_foreign_columns(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let request = rig.mapped();
    let job = rig.import_as(csv(120).as_bytes(), request).await;
    assert_eq!((job.counters.inserted, job.counters.failed), (120, 0));
    let users = rig.users().await;
    let user = users
        .iter()
        .find(|user| user.user_id.as_str() == "auth0|0000007");
    let found = &user.unwrap().attributes;
    assert!(found.email_verified);
    let metadata = serde_json::to_string(&(&found.user_metadata, &found.app_metadata)).unwrap();
    assert_eq!(
        metadata,
        r#"[{"numbers":[9007199254740993]},{"plan":"a \"b\"\n;7"}]"#
    );
}

async fn bad_records_cost_their_rows(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let mut text = "email,name,blocked\n".to_owned();
    text += "a@x.org,A\n";
    text += "b@x.org,B\0,\n";
    text += "c@x.org,C,maybe\n";
    writeln!(text, "d@x.org,{},", "x".repeat(10_000_000)).unwrap();
    text += "e@x.org,\"E\"e,\n";
    text += ",F,\n";
    text += "g@x.org,G,\n";
    let mut bytes = text.into_bytes();
    bytes.extend(b"h\xFF@x.org,H,\n");
    let job = rig.import(&bytes).await;
    assert_eq!((job.counters.inserted, job.counters.failed), (1, 7));
    let report = rig.report(&job.id).await;
    insta::allow_duplicates! { insta::assert_snapshot!(report, @r#"
    1 ARRAY_LENGTH_SHORT [] Expected 3 columns but found 2
    2 PATTERN [name] Text must not contain the character U+0000
    3 INVALID_TYPE [blocked] The text of column "blocked" is not one of true, false, yes, no, 1, 0
    4 PROFILE_SIZE_EXCEEDED [] Row 4, begun at byte 57, has 10000010 bytes, more than the 1048576 allowed
    5 FORMAT [] Object didn't pass validation for format csv: byte 10000078: text follows a closing quote
    6 OBJECT_MISSING_REQUIRED_PROPERTY [email] Missing required property: email
    8 FORMAT [email] The text of column "email" is no UTF-8
    "#); }
    let rows = rig
        .engine
        .list_row_errors_after(&job.id, 0, 10)
        .await
        .unwrap();
    assert!(rows.iter().all(|row| row.offset > 18));
    let open = rig.import(b"email,name\na@x.org,\"A\nb@x.org,B\n").await;
    assert_eq!(
        open.status_details.as_deref(),
        Some(
            "Failed to read the users file as CSV. Byte 32: a quote is not closed in row 1, begun \
             at byte 11."
        )
    );
}

async fn a_crash_in_a_packed_or_mapped_file_changes_nothing(kind: Kind) {
    let mapped = csv(700).into_bytes();
    for (text, is_csv) in [(file(700), false), (mapped, true)] {
        let packings = [gzip(&text), zstd_of(&text), text.clone()];
        let mut calm = Rig::open(kind).await;
        let request = if is_csv {
            calm.mapped()
        } else {
            calm.request()
        };
        let expected_job = calm.import_as(&text, request).await;
        let expected = calm.state().await;
        for packed in packings {
            let mut rig = Rig::open(kind).await;
            let request = if is_csv { rig.mapped() } else { rig.request() };
            let job = rig.accept(&packed, request).await.unwrap();
            for stop in [1, 200, 450] {
                rig.work();
                let is_there =
                    |job: &domain::ImportJob| job.counters.total >= stop || job.status.is_final();
                rig.until(&job.id, is_there).await;
                rig.crash().await;
                rig.clock.advance(std::time::Duration::from_secs(31));
                rig = rig.reopen(|_| {}).await;
            }
            rig.work();
            let ended = rig.ended(&job.id).await;
            assert_eq!(ended.counters, expected_job.counters);
            assert_eq!(rig.state().await, expected);
        }
    }
}

fn message(error: &Error) -> &str {
    match error {
        Error::Invalid { message, .. }
        | Error::Conflict { message, .. }
        | Error::Missing { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

async fn a_job_is_paused_resumed_and_cancelled(kind: Kind) {
    // So many batches that it cannot end while this test waits for a turn on a busy machine.
    const ROWS: usize = 100_000;
    let mut rig = Rig::open_with(kind, |settings| settings.import.batch_rows = 5).await;
    let job = rig.accept(&gzip(&file(ROWS)), rig.request()).await.unwrap();
    let tell = async |rig: &Rig, command| {
        let context = Context::default();
        rig.engine.control_import(&context, &job.id, command).await
    };
    rig.work();
    rig.until(&job.id, |job| job.counters.total > 50).await;
    let paused = tell(&rig, JobCommand::Pause).await.unwrap();
    assert_eq!(paused.status, JobStatus::Paused);
    assert!(
        paused.counters.total < ROWS as i64,
        "the job was too fast to be paused"
    );
    // Paused again: nothing new. It stays so in another process, whatever time passes.
    tell(&rig, JobCommand::Pause).await.unwrap();
    rig.rest().await;
    rig.clock.advance(std::time::Duration::from_secs(3600));
    let mut rig = rig.reopen(|settings| settings.import.batch_rows = 5).await;
    rig.engine.sweep_jobs().await.unwrap();
    rig.work();
    let other = rig.import(b"[{\"email\":\"other@x.org\"}]").await;
    assert_eq!(
        other.status,
        JobStatus::Completed,
        "others do not wait for it: {:?}",
        other.status_details
    );
    let still = rig.job(&job.id).await;
    assert_eq!(
        (still.status, still.offset, still.counters),
        (JobStatus::Paused, paused.offset, paused.counters)
    );
    assert_eq!(rig.users().await.len() as i64, paused.counters.inserted + 1);
    tell(&rig, JobCommand::Resume).await.unwrap();
    rig.until(&job.id, |job| job.counters.total > paused.counters.total)
        .await;
    let cancelled = tell(&rig, JobCommand::Cancel).await.unwrap();
    assert_eq!(
        cancelled.status_details.as_deref(),
        Some("The job was cancelled. What it had written before stays.")
    );
    rig.rest().await;
    assert_eq!(
        rig.users().await.len() as i64,
        cancelled.counters.inserted + 1
    );
    assert!(rig.job(&job.id).await.counters == cancelled.counters);
    assert!(rig.has_no_uploads().await);
    for command in [JobCommand::Pause, JobCommand::Resume] {
        let error = tell(&rig, command).await.unwrap_err();
        let expected = "The job can't be changed any more: it is cancelled.";
        assert_eq!(message(&error), expected);
    }
    tell(&rig, JobCommand::Cancel).await.unwrap();
}

async fn one_key_means_one_job(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let keyed = |rig: &Rig, key: &str| ImportRequest {
        idempotency_key: Some(key.to_owned()),
        ..rig.request()
    };
    let three = file(3);
    let asked = (0..4).map(|_| rig.accept(&three, keyed(&rig, "k-1")));
    let answers = futures_util::future::join_all(asked).await;
    let ids: std::collections::BTreeSet<String> = answers
        .into_iter()
        .map(|answer| answer.unwrap().id.to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    let other = rig.accept(&file(4), keyed(&rig, "k-1")).await.unwrap_err();
    let id = ids.first().unwrap();
    assert_eq!(
        message(&other),
        format!("The idempotency key was used for another file or other options, by job {id}.")
    );
    let upsert = ImportRequest {
        upsert: true,
        ..keyed(&rig, "k-1")
    };
    assert!(matches!(
        rig.accept(&file(3), upsert).await,
        Err(Error::Conflict { .. })
    ));
    for wrong in ["", "a b", &"k".repeat(256)] {
        assert!(matches!(
            rig.accept(&file(3), keyed(&rig, wrong)).await,
            Err(Error::Invalid { .. })
        ));
    }
    rig.work();
    rig.ended(&id.as_str().into()).await;
    let again = rig.accept(&file(3), keyed(&rig, "k-1")).await.unwrap();
    assert_eq!(
        (again.id.as_str(), again.counters.inserted),
        (id.as_str(), 3)
    );
    rig.rest().await;
    assert!(rig.has_no_uploads().await);
}

async fn failed_rows_can_be_imported_again(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let hash = "$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";
    let text = format!(
        "[{{\"email\":\"a@x.org\"}},\n{{\"email\":\n  \"A@X.org\",\"password_hash\":\"{hash}\"}},{{\"email\":\"no\"}},7]"
    );
    let job = rig.import(text.as_bytes()).await;
    assert_eq!((job.counters.inserted, job.counters.failed), (1, 3));
    let details = rig.engine.find_job_details(&job.id).await.unwrap();
    let codes: Vec<String> = details
        .errors
        .iter()
        .map(|(c, n)| format!("{c} {n}"))
        .collect();
    assert_eq!(
        codes,
        ["DUPLICATED_USER 1", "FORMAT 1", "OBJECT_REQUIRED 1"]
    );
    let (lines, last) = rig
        .engine
        .list_failed_rows_after(&job.id, 0, 100)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(last, 4);
    assert_eq!(
        String::from_utf8(lines.clone()).unwrap(),
        format!(
            "{{\"email\":   \"A@X.org\",\"password_hash\":\"{hash}\"}}\n{{\"email\":\"no\"}}\n7\n"
        )
    );
    let end = rig
        .engine
        .list_failed_rows_after(&job.id, last, 100)
        .await
        .unwrap();
    assert!(end.is_none());
    let again = ImportRequest {
        upsert: true,
        ..rig.request()
    };
    let again = rig.import_as(&lines, again).await;
    assert_eq!((again.counters.updated, again.counters.failed), (1, 2));
    if let Some(database) = &rig.database {
        let stored = database
            .psql("select encode(sealed, 'escape') from job_errors")
            .unwrap();
        assert!(!stored.contains("abcdefghijklmnopqrstuu"));
    }
}

async fn an_upload_in_parts_goes_on_where_it_stood(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let text = file(9000);
    let size = i64::try_from(text.len()).unwrap();
    assert!(size > 2 << 20);
    let upload = rig.engine.create_upload(Some(size)).await.unwrap();
    let mut offset = 0;
    for step in [10, 1 << 20, 700_000, text.len()] {
        let begin = usize::try_from(offset).unwrap();
        let bytes = &text[begin..text.len().min(begin + step)];
        let mut part = rig
            .engine
            .continue_upload(&upload.id, offset)
            .await
            .unwrap();
        let busy = rig.engine.continue_upload(&upload.id, offset).await;
        assert!(matches!(busy.map(drop), Err(Error::Conflict { .. })));
        for chunk in bytes.chunks(100_000) {
            part.write(bytes::Bytes::copy_from_slice(chunk))
                .await
                .unwrap();
        }
        offset = part.finish().await.unwrap().received;
        let wrong = rig.engine.continue_upload(&upload.id, offset - 1).await;
        let expected = format!("The upload goes on at byte {offset}.");
        assert_eq!(message(&wrong.map(drop).unwrap_err()), expected);
        if offset < size {
            let error = rig
                .engine
                .arrived_upload(&upload.id)
                .await
                .map(drop)
                .unwrap_err();
            let expected = format!("The upload has {offset} of its {size} bytes.");
            assert_eq!(message(&error), expected);
            // What a request left uncounted is written again; another process goes on.
            let mut lost = rig
                .engine
                .continue_upload(&upload.id, offset)
                .await
                .unwrap();
            lost.write(bytes::Bytes::from_static(b"never counted"))
                .await
                .unwrap();
            drop(lost);
            rig = rig.reopen(|_| {}).await;
        }
    }
    assert_eq!(offset, size);
    let mut part = rig.engine.continue_upload(&upload.id, size).await.unwrap();
    assert!(part.write(bytes::Bytes::from_static(b" ")).await.is_err());
    drop(part);
    rig.engine.sweep_jobs().await.unwrap();
    let spool = rig.engine.arrived_upload(&upload.id).await.unwrap();
    let twice = rig.engine.arrived_upload(&upload.id).await.unwrap();
    let context = Context::default();
    let job = rig
        .engine
        .accept_import(&context, rig.request(), spool)
        .await
        .unwrap();
    assert_eq!(job.id, upload.id);
    let second = rig
        .engine
        .accept_import(&context, rig.request(), twice)
        .await;
    assert!(matches!(second, Err(Error::Missing { .. })));
    rig.work();
    let ended = rig.ended(&job.id).await;
    assert_eq!(ended.counters.inserted, 9000);
    rig.rest().await;
    let left = rig.engine.create_upload(None).await.unwrap();
    rig.engine.delete_upload(&left.id).await.unwrap();
    assert!(rig.engine.find_upload(&left.id).await.is_err());
    rig.engine.create_upload(None).await.unwrap();
    rig.clock.advance(std::time::Duration::from_secs(90_000));
    rig.engine.sweep_jobs().await.unwrap();
    assert!(rig.has_no_uploads().await);
}

async fn what_is_kept_no_longer_is_forgotten(kind: Kind) {
    let day = |days: u64| std::time::Duration::from_secs(days * 86_400);
    let mut rig = Rig::open_with(kind, |settings| {
        settings.import.failed_rows_retention = day(1);
        settings.import.errors_retention = day(2);
        settings.import.retention = day(3);
    })
    .await;
    let job = rig.import(b"[{\"email\":\"no\"}]").await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        rig.engine.sweep_jobs().await.unwrap();
        let rows = rig
            .engine
            .list_failed_rows_after(&job.id, 0, 10)
            .await
            .unwrap();
        let lines = rows.map_or(0, |(lines, _)| lines.len());
        let errors = rig
            .engine
            .list_row_errors_after(&job.id, 0, 10)
            .await
            .unwrap();
        let is_there = rig.engine.find_job(&job.id).await.is_ok();
        seen.push((lines > 0, errors.len(), is_there));
        rig.clock
            .advance(day(1) + std::time::Duration::from_secs(1));
    }
    assert_eq!(
        seen,
        [
            (true, 1, true),
            (false, 1, true),
            (false, 0, true),
            (false, 0, false)
        ]
    );
}
