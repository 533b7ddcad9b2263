//! The process: its command line, its health, its drain, and what its logs never hold.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;
use testkit::{Server, Smtp};

use crate::stage::{self, On, expect};

fn ferry(server: &Server, arguments: &[&str]) -> Result<std::process::Output> {
    ferry_with(server, arguments, &[])
}

/// Runs the command line beside a server, with more variables.
pub fn ferry_with(
    server: &Server,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<std::process::Output> {
    Ok(command(server, arguments)?
        .envs(variables.iter().copied())
        .output()?)
}

pub fn command(server: &Server, arguments: &[&str]) -> Result<Command> {
    let listen = server.public_url().replace("http://", "");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command
        .args(arguments)
        .env("FERRY_DATA_DIR", server.data_dir())
        .env("FERRY_LISTEN", listen)
        .env("FERRY_BOOTSTRAP_CLIENT_ID", server.api()?.client_id())
        .env(
            "FERRY_BOOTSTRAP_CLIENT_SECRET",
            server.api()?.client_secret(),
        )
        .env("FERRY_MASTER_KEY", "07".repeat(32));
    Ok(command)
}

#[tokio::test]
async fn the_command_line_imports_finds_and_examines() -> Result<()> {
    let server = On::Sqlite.builder().start().await?;
    let shop = stage::application(&server).await?;
    stage::connection(&server, &shop, "plain", json!({})).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("users.json");
    std::fs::write(
        &file,
        "{\"email\": \"ann@example.com\"}\n{\"email\": \"nope\"}\n",
    )?;
    let file = file.to_str().context("a path")?;
    let done = ferry(
        &server,
        &["import", file, "--connection", "plain", "--wait"],
    )?;
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(
        done.status.code(),
        Some(2),
        "{printed} {}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(
        printed.contains("2 rows: 1 inserted, 0 updated, 1 failed"),
        "{printed}"
    );
    let found = ferry(&server, &["users", "find", "ANN@example.com"])?;
    assert!(found.status.success());
    assert!(String::from_utf8_lossy(&found.stdout).contains("\"ann@example.com\""));
    assert_eq!(
        ferry(&server, &["users", "find", "bob@example.com"])?
            .status
            .code(),
        Some(1)
    );
    let doctor = ferry(&server, &["doctor"])?;
    let report = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.status.success() && report.contains("ok    server"),
        "{report}"
    );
    let wrong = ferry(&server, &["import", file, "--connection", "nowhere"])?;
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("there is no connection nowhere"));
    Ok(())
}

#[tokio::test]
async fn the_command_line_tries_scripts_and_shows_their_lines() -> Result<()> {
    let server = On::Sqlite.builder().start().await?;
    let shop = stage::application(&server).await?;
    let login = "function login(email, password, callback) {
      console.log('asked for %s', email);
      if (password !== 'needle') return callback(new WrongUsernameOrPasswordError(email, 'no'));
      callback(null, { user_id: '1', email });
    }";
    stage::connection(&server, &shop, "old", stage::scripted(login)).await?;
    let typed = tempfile::NamedTempFile::new()?;
    let attempt = |password: &str, arguments: &[&str]| -> Result<(Option<i32>, String)> {
        std::fs::write(typed.path(), password)?;
        let done = command(&server, arguments)?
            .stdin(std::fs::File::open(typed.path())?)
            .output()?;
        let printed = String::from_utf8(done.stdout)? + &String::from_utf8(done.stderr)?;
        Ok((done.status.code(), printed))
    };
    let person = ["--email", "ann@example.com", "--password-stdin"];
    let asked = [&["scripts", "try", "old", "login"], &person[..]].concat();
    let (code, printed) = attempt("needle\n", &asked)?;
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.starts_with("login on embedded: found ("),
        "{printed}"
    );
    assert!(printed.contains("console.log: asked for ann@example.com"));
    assert!(
        printed.contains("\"do\": \"create\"") && !printed.contains("needle"),
        "{printed}"
    );
    let (code, printed) = attempt("wrong", &asked)?;
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.starts_with("login on embedded: wrong_password ("),
        "{printed}"
    );
    // A text that is not saved yet, and a script that fails.
    let draft = tempfile::NamedTempFile::new()?;
    std::fs::write(
        draft.path(),
        "(email, callback) => callback(new Error('draft'))",
    )?;
    let draft = draft.path().to_str().context("a path")?;
    let asked = [
        "scripts", "try", "old", "get_user", "--email", "a@b.co", "--source", draft,
    ];
    let (code, printed) = attempt("", &asked)?;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("draft"), "{printed}");
    // Trials leave nothing in the tenant log; logins do.
    let logs = ["scripts", "logs", "old"];
    assert_eq!(attempt("", &logs)?, (Some(0), String::new()));
    expect(200, shop.login("old", "bob@example.com", "needle").await?)?;
    let (_, printed) = attempt("", &logs)?;
    assert!(
        printed.contains("login           log   asked for bob@example.com"),
        "{printed}"
    );
    Ok(())
}

#[tokio::test]
async fn how_well_scripts_are_held_is_told_and_may_be_required() -> Result<()> {
    let builder = On::Sqlite
        .builder()
        .env("FERRY_SCRIPTS_REQUIRE_ISOLATION", "full");
    let server = builder.start().await?;
    let ready = expect(200, server.api()?.get("/health/ready").await?)?;
    assert_eq!(ready.get("script_isolation"), Some(&json!("full")));
    assert_eq!(ready.get("status"), Some(&json!("ok")));
    let log = server.log();
    assert!(log.contains("action scripts are confined"), "{log}");
    assert!(log.contains("hold for TCP ports only"), "{log}");
    let doctor = ferry(&server, &["doctor"])?;
    let report = String::from_utf8_lossy(&doctor.stdout);
    assert!(report.contains("ok    isolation    full"), "{report}");
    assert!(report.contains("ok    worker       one starts"), "{report}");
    Ok(())
}

#[tokio::test]
async fn a_second_server_on_one_folder_is_refused() -> Result<()> {
    let server = On::Sqlite.builder().start().await?;
    let second = ferry(&server, &["serve"])?;
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another Ferry holds"));
    Ok(())
}

#[tokio::test]
async fn requests_under_way_are_answered_before_the_end() -> Result<()> {
    let mut server = On::Sqlite.builder().start().await?;
    let shop = stage::application(&server).await?;
    let slow = "function login(email, password, callback) {
      setTimeout(() => callback(null, { user_id: '1', email }), 700);
    }";
    stage::connection(&server, &shop, "slow", stage::scripted(slow)).await?;
    let login = tokio::spawn(async move { shop.login("slow", "ann@example.com", "x").await });
    while !server.log().contains("POST") {
        tokio::task::yield_now().await;
    }
    // The login's script has begun once its worker is up; SIGTERM meets it in between.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let status = server.terminate().await?;
    assert!(status.success());
    expect(200, login.await??)?;
    Ok(())
}

#[tokio::test]
async fn the_log_holds_no_secret() -> Result<()> {
    let server = On::Sqlite
        .builder()
        .env("FERRY_LOG", "trace")
        .start()
        .await?;
    let shop = stage::application(&server).await?;
    let options = json!({
        "enabledDatabaseCustomization": true, "import_mode": true,
        "configuration": {"KEY": "needle-configuration"},
        "customScripts": {"login": "function login(e, p, cb) { cb(null, { user_id: '1', email: e }); }"},
    });
    stage::connection(&server, &shop, "old", options).await?;
    expect(
        200,
        shop.login("old", "ann@example.com", "needle-password")
            .await?,
    )?;
    assert_eq!(
        shop.login("old", "ann@example.com", "needle-wrong")
            .await?
            .0,
        403
    );
    let log = server.log();
    for needle in [
        "needle-",
        shop.client_secret(),
        "$argon2id$",
        "eyJ",
        server.api()?.client_secret(),
    ] {
        assert!(!log.contains(needle), "the log holds {needle}");
    }
    // Neither does the database, but for the one-way hash.
    let bytes = [
        std::fs::read(server.data_dir().join("ferry.sqlite"))?,
        std::fs::read(server.data_dir().join("ferry.sqlite-wal"))?,
    ]
    .concat();
    let holds = |needle: &str| {
        bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
    };
    for needle in ["needle-", shop.client_secret()] {
        assert!(!holds(needle), "the database holds {needle}");
    }
    assert!(holds("$argon2id$"));
    Ok(())
}

#[tokio::test]
async fn a_mail_tells_of_an_import_by_smtp() -> Result<()> {
    let smtp = Smtp::start()?;
    let server = On::Sqlite
        .builder()
        .env("FERRY_MAIL_SMTP_URL", smtp.url())
        .env("FERRY_MAIL_ADMIN", "admin@example.com")
        .start()
        .await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    let fields = [("connection_id", connection.as_str())];
    let file = b"[{\"email\": \"ann@example.com\"}]".to_vec();
    let admin = server.api()?;
    expect(
        202,
        admin
            .upload("/api/v2/jobs/users-imports", &fields, ("users", file))
            .await?,
    )?;
    let mail = smtp.mail_to("admin@example.com").await?;
    assert!(mail.subject.contains("completed"), "{}", mail.subject);
    Ok(())
}
