//! What becomes of rows: written, updated, refused, and what the report says.

use domain::{JobStatus, UserId};
use engine::import::ImportRequest;
use serde_json::json;

use crate::import_rig::{Kind, Rig, file, row};

crate::on_both_databases!(
    writes_users,
    reads_lines,
    an_empty_array_completes,
    reports_three_bad_rows,
    tells_duplicates_in_the_file_from_stored_users,
    upserts_by_email,
    a_user_twice_in_the_file_is_never_upserted,
    a_huge_row_is_passed_over,
    a_broken_file_fails_the_job_and_keeps_what_came_before,
    factors_arrive,
);

fn upsert(rig: &Rig) -> ImportRequest {
    ImportRequest {
        upsert: true,
        ..rig.request()
    }
}

fn summary(job: &domain::ImportJob) -> String {
    let counters = job.counters;
    format!(
        "{} total {} inserted {} updated {} failed {}",
        job.status.as_str(),
        counters.total,
        counters.inserted,
        counters.updated,
        counters.failed
    )
}

async fn writes_users(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let job = rig.import(&file(120)).await;
    assert_eq!(
        summary(&job),
        "completed total 120 inserted 120 updated 0 failed 0"
    );
    assert_eq!(
        (job.offset, job.started_at.is_some(), job.ended_at.is_some()),
        (job.size - 1, true, true)
    );
    let users = rig.users().await;
    assert_eq!(users.len(), 120);
    let user = &users[6];
    assert_eq!(user.user_id.as_str(), "auth0|0000007");
    assert_eq!(
        user.attributes.email.as_ref().unwrap().as_str(),
        "user7@example.com"
    );
    assert_eq!(user.attributes.user_metadata.as_ref().unwrap()["number"], 7);
    assert_eq!(
        (user.identities[0].origin, user.identities[0].migrated_at),
        (domain::Origin::Import, Some(rig.engine.now()))
    );
    assert!(rig.report(&job.id).await.is_empty());
    assert!(rig.has_no_uploads().await);
}

async fn reads_lines(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let rows: Vec<String> = (1..=70).map(row).collect();
    let job = rig
        .import(format!("\u{feff}{}\r\n\n", rows.join("\n")).as_bytes())
        .await;
    assert_eq!(
        summary(&job),
        "completed total 70 inserted 70 updated 0 failed 0"
    );
}

async fn an_empty_array_completes(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let job = rig.import(b" [ ] ").await;
    assert_eq!(
        summary(&job),
        "completed total 0 inserted 0 updated 0 failed 0"
    );
}

async fn reports_three_bad_rows(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let secret = "S3CRET-S3CRET";
    let bad = [
        json!({"email": "not an address", "password_hash": secret}).to_string(),
        format!(
            "{{\"email\":\"a@b.co\",\"custom_password_hash\":{{\"algorithm\":\"md5\",\"hash\":{{\"value\":\"{secret}\",\"encoding\":\"hex\"}}}}}}"
        ),
        format!("{{\"email\": \"c@d.co\", \"password_hash\": {secret}}}"),
    ];
    let text = format!("[{},{},{},{},{}]", row(1), bad[0], bad[1], bad[2], row(2));
    let job = rig.import(text.as_bytes()).await;
    assert_eq!(
        summary(&job),
        "completed total 5 inserted 2 updated 0 failed 3"
    );
    let report = serde_json::to_string_pretty(
        &rig.engine
            .list_row_errors_after(&job.id, 0, 100_000)
            .await
            .unwrap(),
    )
    .unwrap();
    assert!(!report.contains("S3CRET"), "{report}");
    insta::allow_duplicates! {
        insta::assert_snapshot!(report, @r#"
        [
          {
            "user": {"email":"not an address","password_hash":"*****"},
            "errors": [
              {
                "code": "FORMAT",
                "message": "Object didn't pass validation for format email: not an address",
                "path": "email"
              },
              {
                "code": "PATTERN",
                "message": "String does not match pattern ^\\$2[ab]?\\$10+\\$[./A-Za-z0-9]{53}$",
                "path": "password_hash"
              }
            ],
            "row": 2,
            "offset": 260
          },
          {
            "user": {"email":"a@b.co","custom_password_hash":{"algorithm":"md5","hash":{"value":"*****","encoding":"hex"}}},
            "errors": [
              {
                "code": "PATTERN",
                "message": "String does not match pattern ^([0-9A-Fa-f]{2})*$",
                "path": "custom_password_hash.hash.value"
              }
            ],
            "row": 3,
            "offset": 319
          },
          {
            "user": {"_unreadable":true,"_bytes":51},
            "errors": [
              {
                "code": "FORMAT",
                "message": "Object didn't pass validation for format json: byte 468: expected value"
              }
            ],
            "row": 4,
            "offset": 431
          }
        ]
        "#);
    }
}

async fn tells_duplicates_in_the_file_from_stored_users(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    rig.import(
        br#"[{"email":"stored@b.co","user_id":"s","username":"stored","phone_number":"+1"}]"#,
    )
    .await;
    let rows = [
        r#"{"email":"one@b.co","user_id":"1","username":"one","phone_number":"+11"}"#,
        r#"{"email":"ONE@B.co"}"#,
        r#"{"email":"x1@b.co","username":"One"}"#,
        r#"{"email":"x2@b.co","user_id":"auth0|1"}"#,
        r#"{"email":"x3@b.co","phone_number":"+11"}"#,
        r#"{"email":"Stored@b.co"}"#,
        r#"{"email":"x4@b.co","username":"STORED"}"#,
        r#"{"email":"x5@b.co","user_id":"s"}"#,
        r#"{"email":"x6@b.co","phone_number":"+1"}"#,
        r#"{"email":"x7@b.co","username":"fine"}"#,
    ];
    // In one batch, and in one batch each.
    for batch_rows in [50, 1] {
        let mut rig = rig
            .reopen(|settings| settings.import.batch_rows = batch_rows)
            .await;
        let job = rig.import(format!("[{}]", rows.join(",")).as_bytes()).await;
        assert_eq!(
            summary(&job),
            "completed total 10 inserted 2 updated 0 failed 8"
        );
        let report = rig.report(&job.id).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(report, @r"
        2 DUPLICATED_USER [email] A user with this email was already provided.
        3 DUPLICATED_USER [username] A user with this username was already provided.
        4 DUPLICATED_USER [user_id] A user with this user_id was already provided.
        5 DUPLICATED_USER [phone_number] A user with this phone_number was already provided.
        6 CONFLICT_EMAIL [email] A user with this email already exists.
        7 CONFLICT_USERNAME [username] A user with this username already exists.
        8 CONFLICT [user_id] A user with this user_id already exists.
        9 CONFLICT [phone_number] A user with this phone_number already exists.
        ");
        }
        rig.rest().await;
        for user in [
            "auth0|1",
            &rig.users()
                .await
                .iter()
                .find(|user| {
                    user.attributes
                        .username
                        .as_ref()
                        .is_some_and(|name| name.as_str() == "fine")
                })
                .unwrap()
                .user_id
                .to_string(),
        ] {
            let user = rig
                .engine
                .store
                .find_user(&UserId::from(user))
                .await
                .unwrap()
                .unwrap();
            let mut write = rig.engine.store.write();
            write.delete_user(user.row);
            rig.engine.store.commit(write).await.unwrap();
        }
    }
}

async fn upserts_by_email(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let first = r#"[{"email":"a@b.co","user_id":"1","email_verified":true,"name":"A","nickname":"a","blocked":true,
        "app_metadata":{"plan":"free","old":1},"user_metadata":{"x":1},"custom_password_hash":{"algorithm":"md5","hash":{"value":"5f4dcc3b5aa765d61d8327deb882cf99","encoding":"hex"}}},
        {"email":"c@b.co","user_id":"3","username":"c"}]"#;
    rig.import(first.as_bytes()).await;
    let second = r#"[{"email":"A@b.co","user_id":"ignored","username":"ignored","name":"B","blocked":false,"app_metadata":{"plan":"pro"},
        "custom_password_hash":{"algorithm":"md5","hash":{"value":"00000000000000000000000000000000","encoding":"hex"}}},
        {"email":"new@b.co","user_id":"2"},{"email":"other@b.co","username":"c"}]"#;
    let request = upsert(&rig);
    let job = rig.import_as(second.as_bytes(), request).await;
    assert_eq!(
        summary(&job),
        "completed total 3 inserted 1 updated 1 failed 1"
    );
    let report = rig.report(&job.id).await;
    insta::allow_duplicates! {
        insta::assert_snapshot!(report, @r"3 CONFLICT_USERNAME [username] A user with this username already exists.");
    }
    let user = rig
        .engine
        .store
        .find_user(&"auth0|1".into())
        .await
        .unwrap()
        .unwrap();
    let of = &user.attributes;
    assert_eq!(
        (of.name.as_deref(), of.nickname.as_deref()),
        (Some("B"), Some("a"))
    );
    assert_eq!(
        (of.email_verified, of.blocked, of.username.as_ref()),
        (false, Some(true), None)
    );
    let metadata = |of: &Option<domain::Json>| serde_json::to_string(of).unwrap();
    assert_eq!(metadata(&of.app_metadata), r#"{"plan":"pro"}"#);
    assert_eq!(metadata(&of.user_metadata), r#"{"x":1}"#);
    assert_eq!((user.version, rig.users().await.len()), (2, 3));
    let credential = rig
        .engine
        .store
        .find_credential(user.row, &rig.connection)
        .await
        .unwrap()
        .unwrap();
    let hash = credential.hash.unwrap();
    assert!(hash.expose().contains("AAAAAAAA"), "{}", hash.expose());
}

async fn a_user_twice_in_the_file_is_never_upserted(kind: Kind) {
    for batch_rows in [50, 1] {
        let mut rig =
            Rig::open_with(kind, |settings| settings.import.batch_rows = batch_rows).await;
        rig.import(br#"[{"email":"a@b.co","name":"first"}]"#).await;
        let request = upsert(&rig);
        let text = br#"[{"email":"a@b.co","name":"second"},{"email":"a@b.co","name":"third"},{"email":"n@b.co"},{"email":"n@b.co","name":"x"}]"#;
        let job = rig.import_as(text, request).await;
        assert_eq!(
            summary(&job),
            "completed total 4 inserted 1 updated 1 failed 2"
        );
        let report = rig.report(&job.id).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(report, @r"
        2 DUPLICATED_USER [email] A user with this email was already provided.
        4 DUPLICATED_USER [email] A user with this email was already provided.
        ");
        }
        let names: Vec<_> = rig
            .users()
            .await
            .into_iter()
            .filter_map(|user| user.attributes.name)
            .collect();
        assert_eq!(names, ["second"]);
    }
}

async fn a_huge_row_is_passed_over(kind: Kind) {
    let mut rig = Rig::open_with(kind, |settings| settings.import.max_row_bytes = 100_000).await;
    let huge = format!(
        r#"{{"email":"a@b.co","password_hash":"{}"}}"#,
        "S3CRET".repeat(500_000)
    );
    let job = rig
        .import(format!("[{},{huge},{}]", row(1), row(2)).as_bytes())
        .await;
    assert_eq!(
        summary(&job),
        "completed total 3 inserted 2 updated 0 failed 1"
    );
    let rows = rig
        .engine
        .list_row_errors_after(&job.id, 0, 100_000)
        .await
        .unwrap();
    insta::allow_duplicates! {
        insta::assert_snapshot!(serde_json::to_string(&rows).unwrap(), @r#"[{"user":{"_truncated":true,"_bytes":3000037},"errors":[{"code":"PROFILE_SIZE_EXCEEDED","message":"Row 2, begun at byte 260, has 3000037 bytes, more than the 100000 allowed"}],"row":2,"offset":260}]"#);
    }
}

async fn a_broken_file_fails_the_job_and_keeps_what_came_before(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let mut text = file(60);
    text.truncate(text.len() - 30);
    let size = text.len();
    let job = rig.import(&text).await;
    assert_eq!(
        summary(&job),
        "failed total 59 inserted 59 updated 0 failed 0"
    );
    let details = job.status_details.unwrap();
    let expected = format!(
        "Failed to parse users file JSON when importing users. Make sure it is valid JSON. Byte {size}: the end is missing of row 60,"
    );
    assert!(details.starts_with(&expected), "{details}");
    assert_eq!(rig.users().await.len(), 59);
    assert!(rig.has_no_uploads().await);
    for (text, place) in [
        ("7", "Byte 0: neither"),
        ("  ", "Byte 2: the file holds nothing"),
        ("PK\x03\x04", "Byte 0"),
    ] {
        let job = rig.import(text.as_bytes()).await;
        assert_eq!(job.status, JobStatus::Failed);
        assert!(job.status_details.unwrap().contains(place));
    }
}

async fn factors_arrive(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    let text = br#"[{"email":"a@b.co","user_id":"1","mfa_factors":[{"totp":{"secret":"ABC"}},{"phone":{"value":"+1"}}]},{"email":"a@b.co","mfa_factors":[{"totp":{"secret":"ABC"}}]}]"#;
    let job = rig.import(text).await;
    assert_eq!(
        summary(&job),
        "completed total 2 inserted 1 updated 0 failed 1"
    );
    assert_eq!(rig.users().await[0].factors, ["totp", "phone"]);
}
