//! What is wrong is named with its place, nothing partial stays, and the server stays up.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use testkit::{Api, Server};

use crate::stage::{self, On, expect};

struct Scene {
    server: Server,
    admin: Api,
    shop: Api,
    connection: String,
}

async fn scene() -> Result<Scene> {
    let server = On::Sqlite
        .builder()
        .env("FERRY_IMPORT_BATCH_ROWS", "100")
        .start()
        .await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    Ok(Scene {
        admin: server.api()?,
        server,
        shop,
        connection,
    })
}

impl Scene {
    async fn post_raw(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<(u16, Value)> {
        let token = self.admin.management_token().await?;
        let mut request = self
            .admin
            .http()
            .post(self.admin.url(path))
            .bearer_auth(token)
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.admin.send(request).await
    }

    async fn import(&self, file: Vec<u8>) -> Result<(Value, Value)> {
        let id = stage::start_import(&self.admin, &self.connection, file).await?;
        let job = self.admin.finished_job(&id).await?;
        let (_, errors) = self.admin.get(&format!("/api/v2/jobs/{id}/errors")).await?;
        Ok((job, errors))
    }

    async fn count(&self) -> Result<i64> {
        let users = expect(
            200,
            self.admin
                .get("/api/v2/users?include_totals=true&per_page=1")
                .await?,
        )?;
        users["total"].as_i64().context("a total")
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn request_bodies_are_named_with_the_place_of_their_fault() -> Result<()> {
    let scene = scene().await?;
    let path = "/api/v2/users";
    let mut answers = Vec::new();
    for body in [
        &b"{\"connection\": \"plain\", \"email\": }"[..],
        b"{\"email\": \"a@b.co\", \"email\": \"c@d.eu\", \"connection\": \"plain\"}",
        b"{\"connection\": \"plain\", \"email\": \"\xff\"}",
        b"[]",
        b"",
        b"{\"connection\": \"plain\", \"email\": \"a@b.co\", \"emial\": 1}",
    ] {
        let (status, answer) = scene.post_raw(path, &[JSON], body.to_vec()).await?;
        answers.push(format!("{status} {}", answer["message"]));
    }
    insta::assert_snapshot!(answers.join("\n"), @r###"
    400 "Invalid request payload JSON format: line 1 column 34"
    400 "Invalid request payload JSON format: member \"email\" is given twice at line 1 column 37"
    400 "Invalid UTF-8 in the request body at byte 34."
    400 "Payload validation error: 'Expected type object but found type array'."
    400 "Invalid request payload JSON format: line 1 column 0"
    400 "Payload validation error: 'Additional properties not allowed: emial' on property emial."
    "###);
    let gzip = [JSON, ("content-encoding", "gzip")];
    let (status, answer) = scene.post_raw(path, &gzip, vec![0x1f, 0x8b, 8, 0]).await?;
    assert_eq!(
        (status, &answer["message"]),
        (415, &json!("Compressed request bodies are not accepted."))
    );
    let (status, _) = scene.post_raw(path, &[JSON], vec![b' '; 3 << 20]).await?;
    assert_eq!(status, 413);
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    assert_eq!(scene.post_raw(path, &[JSON], deep).await?.0, 400);
    assert_eq!(scene.count().await?, 0);
    Ok(())
}

#[tokio::test]
async fn broken_files_fail_the_job_and_name_the_byte() -> Result<()> {
    let scene = scene().await?;
    let mut answers = Vec::new();
    for file in [
        &b"{\"email\""[..],
        b"[{\"email\": \"a@example.com\"},",
        b"PK\x03\x04 a zip file",
        b"\x1f\x8b\x08 a gzip file",
        b"\"text\"",
        b"[{\"email\": \"b@example.com\"} {\"email\": \"c@example.com\"}]",
    ] {
        let (job, _) = scene.import(file.to_vec()).await?;
        answers.push(format!("{} {}", job["status"], job["status_details"]));
    }
    insta::assert_snapshot!(answers.join("\n"), @r###"
    "failed" "Failed to parse users file JSON when importing users. Make sure it is valid JSON. Byte 8: the end is missing of row 1, begun at byte 0."
    "failed" "Failed to parse users file JSON when importing users. Make sure it is valid JSON. Byte 28: the file ends before its closing ']'."
    "failed" "Failed to parse users file JSON when importing users. Make sure it is valid JSON. Byte 0: neither '[' nor '{' begins the file."
    "failed" "The users file could not be unpacked: after byte 10: invalid gzip header."
    "failed" "Failed to parse users file JSON when importing users. Make sure it is valid JSON. Byte 0: neither '[' nor '{' begins the file."
    "failed" "Failed to parse users file JSON when importing users. Make sure it is valid JSON. Byte 28: ',' or ']' is expected."
    "###);
    let answer = scene
        .admin
        .upload(
            "/api/v2/jobs/users-imports",
            &[("connection_id", &scene.connection)],
            ("users", vec![]),
        )
        .await?;
    assert_eq!(
        expect(400, answer)?["message"],
        "Users file must not be empty."
    );
    Ok(())
}

#[tokio::test]
async fn bad_rows_are_reported_and_good_ones_go_in() -> Result<()> {
    let scene = scene().await?;
    let greedy = "$argon2id$v=19$m=67108864,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mut rows = vec![
        b"{\"email\": \"good@example.com\"}".to_vec(),
        b"{\"email\": \"bad\xffutf8@example.com\"}".to_vec(),
        b"{\"email\": \"GOOD@example.com\"}".to_vec(),
        b"{\"email\": \"two@example.com\", \"email\": \"three@example.com\"}".to_vec(),
        b"42".to_vec(),
        serde_json::to_vec(&json!({
            "email": "greedy@example.com",
            "custom_password_hash": {"algorithm": "argon2", "hash": {"value": greedy}},
        }))?,
        b"{\"email\": \"null\\u0000@example.com\"}".to_vec(),
    ];
    rows.push(b"{\"email\": \"last@example.com\"}".to_vec());
    let file = [b"[".to_vec(), rows.join(&b","[..]), b"]".to_vec()].concat();
    let (job, errors) = scene.import(file).await?;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(
        (&job["summary"]["inserted"], &job["summary"]["failed"]),
        (&json!(2), &json!(6))
    );
    let lines: Vec<String> = errors
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            let error = &row["errors"][0];
            format!("{} {} {}", error["code"], error["path"], error["message"]).replace('"', "")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r###"
    FORMAT null Object didn't pass validation for format json: byte 45: invalid UTF-8
    DUPLICATED_USER email A user with this email was already provided.
    NOT_PASSED email Property given twice: email
    OBJECT_REQUIRED null Expected type object but found type integer
    MAXIMUM custom_password_hash.hash.value Value 67108864 is greater than maximum 262144 (argon2 m, in KiB)
    PATTERN email Text must not contain the character U+0000
    "###);
    Ok(())
}

#[tokio::test]
async fn a_row_of_200_mb_is_skipped_in_flat_memory() -> Result<()> {
    let scene = scene().await?;
    let before = peak_kib(&scene.server)?;
    let head = b"[{\"email\": \"one@example.com\"}, {\"email\": \"huge@example.com\", \"user_metadata\": {\"x\": \"".to_vec();
    let tail = b"\"}}, {\"email\": \"two@example.com\"}]".to_vec();
    let file = [head, vec![b'x'; 200 << 20], tail].concat();
    let (job, errors) = scene.import(file).await?;
    assert_eq!(
        (&job["summary"]["inserted"], &job["summary"]["failed"]),
        (&json!(2), &json!(1)),
        "{job}"
    );
    assert_eq!(
        errors[0]["errors"][0]["code"], "PROFILE_SIZE_EXCEEDED",
        "{errors}"
    );
    let grown = (peak_kib(&scene.server)? - before) >> 10;
    assert!(grown < 64, "the server grew by {grown} MiB");
    Ok(())
}

fn peak_kib(server: &Server) -> Result<u64> {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", server.pid().context("a pid")?))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .context("VmHWM")?;
    Ok(line
        .split_whitespace()
        .nth(1)
        .context("a number")?
        .parse()?)
}

#[tokio::test]
async fn a_script_that_answers_nonsense_is_an_outage() -> Result<()> {
    let scene = scene().await?;
    for (name, reply) in [
        ("no-id", "{ email: email }"),
        ("array", "[{ user_id: '1', email: email }]"),
        (
            "huge",
            "{ user_id: '1', email: email, user_metadata: { x: 'x'.repeat(5 << 20) } }",
        ),
        ("no-email", "{ user_id: '1', email: 'nobody' }"),
        ("object-id", "{ user_id: { a: 1 }, email: email }"),
    ] {
        let login =
            format!("function login(email, password, callback) {{ callback(null, {reply}); }}");
        stage::connection(&scene.server, &scene.shop, name, stage::scripted(&login)).await?;
        let (status, body) = scene.shop.login(name, "who@example.com", "x").await?;
        assert_eq!(
            (status, &body["error"]),
            (503, &json!("temporarily_unavailable")),
            "{name}: {body}"
        );
    }
    assert_eq!(scene.count().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_connection_deleted_in_mid_job_takes_everything_with_it() -> Result<()> {
    let scene = scene().await?;
    let rows: Vec<Value> = (0..20_000)
        .map(|n| json!({"email": format!("u{n}@example.com")}))
        .collect();
    let id =
        stage::start_import(&scene.admin, &scene.connection, serde_json::to_vec(&rows)?).await?;
    while scene.count().await? == 0 {}
    let path = format!("/api/v2/connections/{}", scene.connection);
    expect(202, scene.admin.delete(&path).await?)?;
    let job = scene.admin.finished_job(&id).await?;
    assert_eq!(
        (&job["status"], scene.count().await?),
        (&json!("failed"), 0),
        "{job}"
    );
    assert_eq!(
        job["status_details"],
        "The connection was deleted while the job ran."
    );
    expect(200, scene.admin.get("/api/v2/users").await?)?;
    Ok(())
}

#[tokio::test]
async fn the_token_endpoint_names_what_is_missing() -> Result<()> {
    let scene = scene().await?;
    let mut answers = Vec::new();
    for fields in [
        &[][..],
        &[("grant_type", "password")],
        &[("grant_type", "magic"), ("client_id", "x")],
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "x"),
            ("client_secret", "y"),
        ],
        &[
            ("grant_type", "password"),
            ("username", "a"),
            ("password", "b"),
            ("client_id", "x"),
        ],
    ] {
        let (status, body) = scene.shop.post_form("/oauth/token", fields).await?;
        answers.push(format!("{status} {body}"));
    }
    insta::assert_snapshot!(answers.join("\n"), @r###"
    400 {"error":"invalid_request","error_description":"Missing required parameter: grant_type"}
    400 {"error":"invalid_request","error_description":"Missing required parameter: username"}
    400 {"error":"unsupported_grant_type","error_description":"Unsupported grant type: magic"}
    401 {"error":"invalid_client","error_description":"Client authentication failed."}
    401 {"error":"invalid_client","error_description":"Client authentication failed."}
    "###);
    Ok(())
}

#[tokio::test]
async fn the_documented_limits_can_be_had() -> Result<()> {
    let server = On::Sqlite
        .builder()
        .env("FERRY_IMPORT_AUTH0_COMPATIBLE_LIMITS", "true")
        .start()
        .await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    let admin = server.api()?;
    // Far over the limit: the answer still reaches a client that is busy sending.
    let fields = [("connection_id", connection.as_str())];
    let file = vec![b' '; 8 << 20];
    let answer = admin
        .upload("/api/v2/jobs/users-imports", &fields, ("users", file))
        .await?;
    let message = expect(413, answer)?["message"].clone();
    assert_eq!(
        message,
        "Payload content length greater than maximum allowed: 512000."
    );
    Ok(())
}
