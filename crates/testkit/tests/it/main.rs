//! The test kit itself: whether what it starts is real, and gone afterwards.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use testkit::{Kind, Legacy, Postgres, Smtp};

#[test]
fn databases_are_fresh_and_apart() -> Result<()> {
    let cluster = Postgres::shared()?;
    let (one, two) = (cluster.database()?, cluster.database()?);
    one.psql("create table t (x int)")?;
    assert_eq!(one.psql("select count(*) from t")?, "0");
    assert!(two.psql("select count(*) from t").is_err());
    let url = one.url().to_owned();
    drop(one);
    assert!(
        !Command::new("psql")
            .args(["-XAtqc", "select 1", &url])
            .output()?
            .status
            .success()
    );
    Ok(())
}

#[test]
fn a_wrong_password_does_not_open_a_database() -> Result<()> {
    let database = Postgres::shared()?.database()?;
    let url = database.url().replace(":secret@", ":wrong@");
    let output = Command::new("psql")
        .args(["-XAtqc", "select 1", &url])
        .output()?;
    let complaint = String::from_utf8(output.stderr)?;
    assert!(
        complaint.contains("password authentication failed"),
        "{complaint}"
    );
    Ok(())
}

#[test]
fn an_own_cluster_ends_with_its_value() -> Result<()> {
    let cluster = Postgres::start()?;
    let database = cluster.database()?;
    assert_eq!(database.psql("select current_setting('fsync')")?, "off");
    let url = database.url().to_owned();
    drop(cluster);
    drop(database);
    let output = Command::new("psql")
        .args(["-XAtqc", "select 1", &url])
        .output()?;
    assert!(String::from_utf8(output.stderr)?.contains("Connection refused"));
    Ok(())
}

#[test]
fn an_outage_is_one_and_ends() -> Result<()> {
    let database = Postgres::shared()?.database()?;
    assert_eq!(database.psql("select 1")?, "1");
    let before = database.statements()?;
    assert_eq!(database.statements()?, before, "counting must not count");
    database.stop()?;
    assert!(database.psql("select 1").is_err());
    database.resume()?;
    assert_eq!(database.psql("select 1")?, "1");
    assert_eq!(database.statements()?, before + 1);
    Ok(())
}

#[test]
fn django_made_the_legacy_store() -> Result<()> {
    let legacy = Legacy::start()?;
    assert_eq!(legacy.people().len(), 240);
    assert_eq!(
        legacy.database().psql("select count(*) from auth_user")?,
        "240"
    );
    assert_eq!(
        legacy.person(Kind::MixedCase)?.email,
        "MiXed.Case@example.com"
    );
    assert!(!legacy.person(Kind::Inactive)?.is_active);
    assert!(
        legacy
            .ordinary()
            .all(|person| person.password_hash.starts_with("pbkdf2_sha256$1000000$"))
    );
    let one = legacy.ordinary().next().context("nobody")?;
    let stored = legacy
        .database()
        .psql("select password from auth_user order by id limit 1")?;
    assert_eq!(stored, one.password_hash);
    Ok(())
}

/// The scripts on plain Node, before Ferry comes into it.
#[test]
fn the_example_scripts_answer_as_django_would() -> Result<()> {
    let legacy = Legacy::start()?;
    let output = Command::new("node")
        .arg(Legacy::node_modules().with_file_name("try.cjs"))
        .arg(legacy.users_file())
        .env("LEGACY_DATABASE_URL", legacy.url())
        .output()?;
    let (printed, complaint) = (output.stdout, String::from_utf8(output.stderr)?);
    assert!(output.status.success(), "{complaint}");
    assert_eq!(String::from_utf8(printed)?, "17 users tried\n");
    Ok(())
}

#[tokio::test]
async fn mail_arrives_decoded() -> Result<()> {
    let smtp = Smtp::start()?;
    let message = "From: a@example.com\r\nTo: b@example.com\r\nSubject: =?utf-8?B?0L/QuNGB0YzQvNC+?=\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        http://localhost/?a=3Db&c=\r\n=3Dd\r\n";
    deliver(smtp.port(), "a@example.com", "b@example.com", message)?;
    let mail = smtp.mail_to("b@example.com").await?;
    assert_eq!(
        (mail.from.as_str(), mail.subject.as_str()),
        ("a@example.com", "письмо")
    );
    assert_eq!(mail.text.trim(), "http://localhost/?a=b&c=d");
    assert!(smtp.mails().is_empty());
    Ok(())
}

/// The client's half of SMTP, in the order of RFC 5321.
fn deliver(port: u16, from: &str, to: &str, message: &str) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let mut answers = BufReader::new(stream.try_clone()?).lines();
    let mut expect = |code: &str| -> Result<()> {
        let answer = answers.next().context("the server hung up")??;
        if !answer.starts_with(code) {
            bail!("expected {code}, got {answer}");
        }
        Ok(())
    };
    expect("220")?;
    for (command, code) in [
        ("HELO localhost".to_owned(), "250"),
        (format!("MAIL FROM:<{from}>"), "250"),
        (format!("RCPT TO:<{to}>"), "250"),
        ("DATA".to_owned(), "354"),
        (format!("{message}."), "250"),
        ("QUIT".to_owned(), "221"),
    ] {
        write!(stream, "{command}\r\n")?;
        expect(code)?;
    }
    Ok(())
}
