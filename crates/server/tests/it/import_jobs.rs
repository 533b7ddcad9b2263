//! What is ours around import jobs, on the wire and on the command line, with the real program.

use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use testkit::{Api, Server};

use crate::process::{command, ferry};
use crate::stage::{self, On, expect};

struct Scene {
    server: Server,
    admin: Api,
    connection: String,
}

async fn scene() -> Result<Scene> {
    let server = On::Sqlite
        .builder()
        .env("FERRY_IMPORT_BATCH_ROWS", "20")
        .start()
        .await?;
    let shop = stage::application(&server).await?;
    Ok(Scene {
        connection: stage::connection(&server, &shop, "plain", json!({})).await?,
        admin: server.api()?,
        server,
    })
}

impl Scene {
    async fn upload(&self, more: &[(&str, &str)], file: &[u8]) -> Result<(u16, Value)> {
        let mut fields = vec![
            ("connection_id", self.connection.as_str()),
            ("send_completion_email", "false"),
        ];
        fields.extend(more);
        self.admin
            .upload(
                "/api/v2/jobs/users-imports",
                &fields,
                ("users", file.to_vec()),
            )
            .await
    }

    /// An answer with its steady parts only.
    fn steady(&self, (status, mut body): (u16, Value)) -> String {
        if let Some(body) = body.as_object_mut() {
            for name in [
                "created_at",
                "id",
                "connection_id",
                "rate",
                "time_left_seconds",
            ] {
                body.shift_remove(name);
            }
        }
        format!("{status} {body}").replace(&self.connection, "[connection]")
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<reqwest::Response> {
        let token = self.admin.management_token().await?;
        let mut request = self.admin.http().request(method, self.admin.url(path));
        request = request.bearer_auth(token).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.send().await?)
    }
}

fn id(answer: &(u16, Value)) -> Result<String> {
    let id = answer.1.get("id").and_then(Value::as_str);
    Ok(id.with_context(|| format!("{answer:?}"))?.to_owned())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_packed_csv_file_with_a_mapping_and_a_key() -> Result<()> {
    let scene = scene().await?;
    let mapping = json!({"columns": {"Mail": "email", "Plan": "app_metadata.plan"}}).to_string();
    let file = gzip(b"Mail;Plan\nann@x.org;gold\nann@x.org;iron\nnope;\nbob@x.org\n");
    let fields = [
        ("mapping", mapping.as_str()),
        ("format", "csv"),
        ("idempotency_key", "k1"),
    ];
    let first = scene.upload(&fields, &file).await?;
    let job = id(&first)?;
    let mut said = vec![scene.steady(first)];
    scene.admin.finished_job(&job).await?;
    let again = scene.upload(&fields, &file).await?;
    assert_eq!(id(&again)?, job);
    said.push(scene.steady(again));
    let other = scene.upload(&fields, b"[]").await?;
    said.push(scene.steady(other).replace(&job, "[job]"));
    said.push(scene.steady(scene.admin.get(&format!("/api/v2/jobs/{job}")).await?));
    for path in ["errors", "failed-rows"] {
        let path = format!("/api/v2/jobs/{job}/{path}");
        let answer = scene.send(reqwest::Method::GET, &path, &[], vec![]).await?;
        said.push(answer.text().await?);
    }
    let jobs = expect(200, scene.admin.get("/api/v2/jobs").await?)?;
    assert_eq!(jobs.as_array().context("a list")?.len(), 1);
    for (name, text) in [
        ("format", "xml"),
        ("mapping", "{"),
        ("mapping", "{\"columns\":{\"a\":\"e-mail\"}}"),
        ("upload", "job_0"),
    ] {
        said.push(scene.steady(scene.upload(&[(name, text)], &file).await?));
    }
    // How well a packer packs is no matter here.
    let size = format!("_bytes\":{}", file.len());
    let said = said.join("\n").replace(&size, "_bytes\":[size]");
    insta::assert_snapshot!(said, @r#"
    202 {"status":"pending","type":"users_import","upsert":false,"send_completion_email":false}
    202 {"status":"completed","type":"users_import","upsert":false,"send_completion_email":false,"percentage_done":100,"processed_bytes":[size],"total_bytes":[size],"summary":{"failed":3,"updated":0,"inserted":1,"total":4}}
    409 {"statusCode":409,"error":"Conflict","message":"The idempotency key was used for another file or other options, by job [job].","errorCode":"idempotency_key_reused"}
    200 {"status":"completed","type":"users_import","upsert":false,"send_completion_email":false,"percentage_done":100,"processed_bytes":[size],"total_bytes":[size],"summary":{"failed":3,"updated":0,"inserted":1,"total":4},"error_codes":{"ARRAY_LENGTH_SHORT":1,"DUPLICATED_USER":1,"FORMAT":1}}
    [{"user":{"email":"ann@x.org","app_metadata":{"plan":"iron"}},"errors":[{"code":"DUPLICATED_USER","message":"A user with this email was already provided.","path":"email"}],"row":2,"offset":25},{"user":{"email":"nope"},"errors":[{"code":"FORMAT","message":"Object didn't pass validation for format email: nope","path":"email"}],"row":3,"offset":40},{"user":{"_columns":1,"_bytes":9},"errors":[{"code":"ARRAY_LENGTH_SHORT","message":"Expected 2 columns but found 1"}],"row":4,"offset":46}]
    {"email":"ann@x.org","app_metadata":{"plan":"iron"}}
    {"email":"nope"}

    400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Expected json or csv' on property format.","errorCode":"invalid_body"}
    400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'Object didn't pass validation for format json: EOF while parsing an object at line 1 column 1' on property mapping.","errorCode":"invalid_body"}
    400 {"statusCode":400,"error":"Bad Request","message":"Payload validation error: 'There is no member \"e-mail\" in a row' on property mapping.columns.","errorCode":"invalid_body"}
    400 {"statusCode":400,"error":"Bad Request","message":"'users' and 'upload' exclude each other.","errorCode":"invalid_body"}
    "#);
    Ok(())
}

#[tokio::test]
async fn an_upload_in_parts_and_its_events() -> Result<()> {
    use reqwest::Method;
    let scene = scene().await?;
    let file = b"{\"email\":\"ann@x.org\"}\n{\"email\":\"bob@x.org\"}\n";
    let size = file.len().to_string();
    let headers = [("upload-length", size.as_str())];
    let path = "/api/v2/jobs/uploads";
    let begun = scene.send(Method::POST, path, &headers, vec![]).await?;
    assert_eq!(begun.status(), 201);
    let location = begun.headers()["location"].to_str()?.to_owned();
    let mut said = Vec::new();
    for (offset, bytes) in [
        ("0", &file[..7]),
        ("3", b"x"),
        ("no", b"x"),
        ("7", &file[7..]),
    ] {
        let headers = [("upload-offset", offset)];
        let answer = scene
            .send(Method::PATCH, &location, &headers, bytes.to_vec())
            .await?;
        let status = answer.status().as_u16();
        said.push(scene.steady((status, answer.json().await?)));
    }
    let head = scene.send(Method::HEAD, &location, &[], vec![]).await?;
    assert_eq!(head.headers()["upload-offset"].to_str()?, size);
    let upload = location.rsplit('/').next().context("an id")?.to_owned();
    let form = reqwest::multipart::Form::new()
        .text("connection_id", scene.connection.clone())
        .text("upload", upload.clone());
    let request = scene
        .admin
        .http()
        .post(scene.admin.url("/api/v2/jobs/users-imports"));
    let request = request
        .bearer_auth(scene.admin.management_token().await?)
        .multipart(form);
    let job = scene.admin.send(request).await?;
    assert_eq!(id(&job)?, upload);
    said.push(scene.steady(job));
    let path = format!("/api/v2/jobs/{upload}/events");
    let events = scene.send(Method::GET, &path, &[], vec![]).await?;
    let mut text = String::new();
    let mut parts = events.bytes_stream();
    // The stream ends by itself, after the job's end.
    while let Some(part) = parts.next().await {
        text += std::str::from_utf8(&part?)?;
    }
    let last = text.trim_end().rsplit("\n\n").next().context("an event")?;
    let data = last
        .strip_prefix("event: job\ndata: ")
        .context(text.clone())?;
    said.push(scene.steady((200, serde_json::from_str(data)?)));
    for verb in ["pause", "cancel"] {
        let path = format!("/api/v2/jobs/{upload}/{verb}");
        said.push(scene.steady(scene.admin.post(&path, &json!({})).await?));
    }
    said.push(
        scene.steady(
            scene
                .admin
                .post("/api/v2/jobs/job_0/pause", &json!({}))
                .await?,
        ),
    );
    said.push(scene.steady(scene.admin.get("/api/v2/jobs/uploads/job_0").await?));
    insta::assert_snapshot!(said.join("\n"), @r#"
    200 {"received":7,"size":44}
    409 {"statusCode":409,"error":"Conflict","message":"The upload goes on at byte 7.","errorCode":"upload_offset_mismatch"}
    400 {"statusCode":400,"error":"Bad Request","message":"The header upload-offset is no number of bytes.","errorCode":"invalid_body"}
    200 {"received":44,"size":44}
    202 {"status":"pending","type":"users_import","upsert":false,"send_completion_email":true}
    200 {"status":"completed","type":"users_import","upsert":false,"send_completion_email":true,"percentage_done":100,"processed_bytes":44,"total_bytes":44,"summary":{"failed":0,"updated":0,"inserted":2,"total":2}}
    409 {"statusCode":409,"error":"Conflict","message":"The job can't be changed any more: it is completed.","errorCode":"job_ended"}
    409 {"statusCode":409,"error":"Conflict","message":"The job can't be changed any more: it is completed.","errorCode":"job_ended"}
    404 {"statusCode":404,"error":"Not Found","message":"Job not found.","errorCode":"inexistent_job"}
    404 {"statusCode":404,"error":"Not Found","message":"Upload not found.","errorCode":"inexistent_upload"}
    "#);
    Ok(())
}

#[tokio::test]
async fn the_command_line_sends_files_and_steers_jobs() -> Result<()> {
    let mut scene = scene().await?;
    let folder = tempfile::tempdir()?;
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (one, two, mapping) = (
        place("one.csv"),
        place("two.json.gz"),
        place("mapping.json"),
    );
    std::fs::write(&one, "Mail\nann@x.org\nnope\n")?;
    std::fs::write(&two, gzip(b"[{\"email\":\"cy@x.org\"}]"))?;
    std::fs::write(&mapping, "{\"columns\":{\"Mail\":\"email\"}}")?;
    let rows = place("failed.ndjson");
    let arguments = [
        "import",
        &one,
        "--connection",
        "plain",
        "--mapping",
        &mapping,
        "--failed-rows",
        &rows,
    ];
    let done = ferry(&scene.server, &arguments)?;
    assert_eq!(done.status.code(), Some(2), "{done:?}");
    let printed = String::from_utf8(done.stdout)?;
    assert!(
        printed.contains("2 rows: 1 inserted, 0 updated, 1 failed"),
        "{printed}"
    );
    assert_eq!(std::fs::read_to_string(&rows)?, "{\"email\":\"nope\"}\n");
    // Many files, one of them the standard input.
    let arguments = ["import", &two, "-", "--connection", "plain", "--wait"];
    let mut many = command(&scene.server, &arguments)?;
    let mut many = many.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = many.stdin.take().context("its input")?;
    input.write_all(b"{\"email\":\"dee@x.org\"}\n")?;
    drop(input);
    let done = many.wait_with_output()?;
    assert!(done.status.success(), "{done:?}");
    let printed = String::from_utf8(done.stdout)?;
    assert_eq!(
        printed.matches("1 rows: 1 inserted").count(),
        2,
        "{printed}"
    );

    // A large job is put aside; the server dies; it stays aside, then goes on, then is given up.
    let big = (0..40_000).map(|n| format!("{{\"email\":\"u{n}@x.org\"}}\n"));
    let big = big.collect::<Vec<_>>().concat();
    let file = place("big.ndjson");
    std::fs::write(&file, big)?;
    let begun = ferry(&scene.server, &["import", &file, "--connection", "plain"])?;
    let job = String::from_utf8(begun.stdout)?.trim().to_owned();
    let tell = |scene: &Scene, verb: &str| -> Result<Value> {
        let done = ferry(&scene.server, &["jobs", verb, &job])?;
        assert!(done.status.success(), "{done:?}");
        Ok(serde_json::from_slice(&done.stdout)?)
    };
    assert_eq!(tell(&scene, "pause")?["status"], "paused");
    scene.server.kill()?;
    scene.server.restart().await?;
    let paused = tell(&scene, "status")?;
    assert_eq!(paused["status"], "paused");
    assert_eq!(tell(&scene, "resume")?["status"], "pending");
    let given_up = tell(&scene, "cancel")?;
    assert_eq!(given_up["status"], "cancelled");
    let count = |job: &Value| job.pointer("/summary/inserted").and_then(Value::as_i64);
    assert!(count(&given_up) >= count(&paused));
    let watched = ferry(&scene.server, &["jobs", "watch", &job])?;
    assert_eq!(watched.status.code(), Some(2));
    let said = String::from_utf8(watched.stderr)?;
    assert!(said.contains("What it had written before stays."), "{said}");
    let listed = ferry(&scene.server, &["jobs", "list"])?;
    assert_eq!(String::from_utf8(listed.stdout)?.lines().count(), 4);
    Ok(())
}

/// The connection breaks while a file is sent, again and again; it arrives whole.
#[tokio::test]
async fn an_upload_survives_a_server_that_dies() -> Result<()> {
    let mut scene = scene().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("big.ndjson");
    // 24 MB: three parts; the rows are few and large, so that writing them takes no time.
    let text = (0..120).map(|n| {
        let filler = "x".repeat(200_000);
        format!("{{\"email\":\"u{n}@x.org\",\"user_metadata\":{{\"a\":\"{filler}\"}}}}\n")
    });
    let text = text.collect::<Vec<_>>().concat();
    std::fs::write(&file, &text)?;
    let file = file.to_str().context("a path")?;
    let arguments = ["import", file, "--connection", "plain", "--wait"];
    let mut child = command(&scene.server, &arguments)?;
    let mut child = child
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let spool = scene.server.data_dir().join("spool");
    let arrived = || -> u64 {
        let files = std::fs::read_dir(&spool).into_iter().flatten().flatten();
        files
            .filter_map(|file| Some(file.metadata().ok()?.len()))
            .sum()
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while arrived() == 0 && child.try_wait()?.is_none() {
        assert!(std::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    scene.server.kill()?;
    scene.server.restart().await?;
    let done = tokio::task::spawn_blocking(move || child.wait_with_output()).await??;
    let said = format!("{done:?}");
    assert!(
        said.contains("120 rows: 120 inserted, 0 updated, 0 failed"),
        "{said}"
    );
    Ok(())
}
