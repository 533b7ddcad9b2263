//! People of other products come by `ferry convert` and `ferry import`, and sign in.

use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::{Api, Database, Export, Kind, Legacy, MariaDb, Postgres, Server, Slapd};

use crate::process;
use crate::stage::{self, On, expect};

const WORDPRESS: &str = include_str!("../../../testkit/stores/wordpress.sql");

/// What `ferry convert` made of some files.
struct Converted {
    code: Option<i32>,
    rows: Vec<Value>,
    said: String,
    file: tempfile::NamedTempFile,
}

fn convert(product: &str, files: &[&str], flags: &[&str]) -> Result<Converted> {
    let folder = tempfile::tempdir()?;
    let file = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command.args(["convert", product]);
    for (index, text) in files.iter().enumerate() {
        let path = folder.path().join(index.to_string());
        std::fs::write(&path, text)?;
        command.arg(path);
    }
    let done = command.arg("-o").arg(file.path()).args(flags).output()?;
    let text = std::fs::read_to_string(file.path())?;
    let rows: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    Ok(Converted {
        code: done.status.code(),
        rows: rows?,
        said: String::from_utf8(done.stderr)?,
        file,
    })
}

impl Converted {
    fn row(&self, email: &str) -> Result<&Value> {
        let found = self.rows.iter().find(|row| row["email"] == email);
        found.with_context(|| format!("no row of {email}\n{}", self.said))
    }

    /// `ferry import … --wait`; gives back its status and what it printed.
    fn import(&self, server: &Server) -> Result<(Option<i32>, String)> {
        let path = self.file.path().to_str().context("a path")?;
        let arguments = ["import", path, "--connection", "new", "--wait"];
        let done = process::ferry_with(server, &arguments, &[])?;
        let printed = String::from_utf8(done.stdout)? + &String::from_utf8(done.stderr)?;
        Ok((done.status.code(), printed))
    }
}

/// A server with an empty connection `new`, and an application on it.
async fn stage_of(on: &On) -> Result<(Server, Api)> {
    let server = on.builder().start().await?;
    let shop = stage::application(&server).await?;
    stage::connection(&server, &shop, "new", json!({})).await?;
    Ok((server, shop))
}

/// The right password signs in, twice, and a wrong one does not, before or after.
async fn signs_in(shop: &Api, email: &str, password: &str) -> Result<()> {
    let wrong = format!("{password}x");
    for (typed, status) in [
        (wrong.as_str(), 403),
        (password, 200),
        (password, 200),
        (&wrong, 403),
    ] {
        let (found, body) = shop.login("new", email, typed).await?;
        ensure!(
            found == status,
            "{email}: {found} rather than {status}: {body}"
        );
    }
    Ok(())
}

async fn django(on: On) -> Result<()> {
    let legacy = Legacy::start()?;
    let dump = legacy.dumpdata()?;
    let converted = convert("django", &[&dump], &[])?;
    let nobody = legacy.person(Kind::NoEmail)?;
    // One person has no address and stays behind; the file says who.
    assert_eq!(converted.code, Some(2), "{}", converted.said);
    assert_eq!(converted.rows.len() + 1, legacy.people().len());
    assert!(
        converted
            .said
            .contains("email: nothing there, and the import identifies people by it; left out"),
        "{}",
        converted.said
    );
    let hidden = format!("django-{}", nobody.id);
    assert!(converted.rows.iter().all(|row| row["user_id"] != hidden));

    let (server, shop) = stage_of(&on).await?;
    let (code, printed) = converted.import(&server)?;
    // The second of two people with one address.
    assert_eq!(code, Some(2), "{printed}");
    let (all, inserted) = (converted.rows.len(), converted.rows.len() - 1);
    let summary = format!("{all} rows: {inserted} inserted, 0 updated, 1 failed");
    assert!(printed.contains(&summary), "{printed}");

    for kind in [
        Kind::Ordinary,
        Kind::MixedCase,
        Kind::OddAddress,
        Kind::SpacedPassword,
        Kind::LongPassword,
    ] {
        let person = legacy.person(kind)?;
        let password = person.password.as_deref().context("a password")?;
        signs_in(&shop, &person.email, password).await?;
    }
    let person = legacy.person(Kind::MixedCase)?;
    let path = format!("/api/v2/users/auth0%7Cdjango-{}", person.id);
    let user = expect(200, server.api()?.get(&path).await?)?;
    assert_eq!(
        (&user["given_name"], &user["family_name"], &user["username"]),
        (
            &json!(person.given_name),
            &json!(person.family_name),
            &json!(person.username)
        ),
    );
    assert_eq!(
        user["app_metadata"]["django"]["id"],
        json!(person.id.to_string())
    );
    assert_eq!(
        user["app_metadata"]["django"]["is_staff"],
        json!(person.is_staff)
    );
    let person = legacy.person(Kind::Inactive)?;
    let (status, _) = shop
        .login(
            "new",
            &person.email,
            person.password.as_deref().unwrap_or_default(),
        )
        .await?;
    assert_ne!(status, 200);
    let person = legacy.person(Kind::NoPassword)?;
    assert_eq!(shop.login("new", &person.email, "!").await?.0, 403);
    Ok(())
}

#[tokio::test]
async fn a_real_django_converts_on_sqlite() -> Result<()> {
    django(On::Sqlite).await
}

#[tokio::test]
async fn a_real_django_converts_on_postgres() -> Result<()> {
    django(On::postgres()?).await
}

/// `dumpdata`, `pg_dump` and CSV of one table say the same.
#[tokio::test]
async fn djangos_forms_agree() -> Result<()> {
    let legacy = Legacy::start()?;
    let json = convert("django", &[&legacy.dumpdata()?], &["--table", "auth.user"])?;
    let sql = convert("django", &[&legacy.database().dump(&["auth_user"])?], &[])?;
    let table = legacy
        .database()
        .psql("copy auth_user to stdout with (format csv, header)")?;
    let csv = convert("django", &[&table], &[])?;
    let essence = |converted: &Converted| {
        let mut rows: Vec<Value> = converted.rows.clone();
        for row in &mut rows {
            row.as_object_mut().map(|row| row.remove("app_metadata"));
        }
        rows.sort_by_key(|row| row["user_id"].to_string());
        rows
    };
    assert_eq!(essence(&json), essence(&sql));
    assert_eq!(essence(&json), essence(&csv));
    Ok(())
}

#[tokio::test]
async fn a_wordpress_shaped_mariadb_converts() -> Result<()> {
    let mariadb = MariaDb::start()?;
    mariadb.run_file(WORDPRESS)?;
    let converted = convert("wordpress", &[&mariadb.dump()?], &[])?;
    assert_eq!(converted.code, Some(0), "{}", converted.said);
    let row = converted.row("o'hara@example.org")?;
    assert_eq!(
        (
            &row["given_name"],
            &row["user_id"],
            &row["app_metadata"]["wordpress"]["roles"]
        ),
        (&json!("Zoë"), &json!("wordpress-2"), &json!(["subscriber"])),
        "{row}"
    );
    let (server, shop) = stage_of(&On::Sqlite).await?;
    let (code, printed) = converted.import(&server)?;
    assert_eq!(code, Some(0), "{printed}");
    for (email, password) in [
        ("ann@example.org", "correct horse"),
        ("o'hara@example.org", "pässwörd (1)*"),
        ("petra+shop@mail.example.org", "plus+plus"),
        ("udo.upper@example.org", "UPPER lower"),
        ("long@example.org", &("long ".repeat(30) + "end")),
    ] {
        signs_in(&shop, email, password).await?;
    }
    Ok(())
}

async fn composed(product: &str) -> Result<()> {
    let export = Export::compose(product)?;
    let converted = convert(product, &[&export.export], &[])?;
    assert_eq!(converted.code, Some(0), "{}", converted.said);
    assert_eq!(converted.rows.len(), export.people.len());
    let (server, shop) = stage_of(&On::Sqlite).await?;
    let (code, printed) = converted.import(&server)?;
    assert_eq!(code, Some(0), "{printed}");
    for person in &export.people {
        signs_in(&shop, &person.email, &person.password).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_keycloak_shaped_export_converts() -> Result<()> {
    composed("keycloak").await
}

#[tokio::test]
async fn an_aspnet_shaped_export_converts() -> Result<()> {
    composed("aspnet").await
}

#[tokio::test]
async fn a_kratos_shaped_export_converts() -> Result<()> {
    composed("kratos").await
}

#[tokio::test]
async fn a_clerk_shaped_export_converts() -> Result<()> {
    composed("clerk").await
}

#[tokio::test]
async fn a_directory_converts() -> Result<()> {
    let slapd = Slapd::start()?;
    let converted = convert("ldap", &[&slapd.dump()?], &[])?;
    assert_eq!(converted.code, Some(0), "{}", converted.said);
    assert_eq!(converted.rows.len(), 4);
    let row = converted.row("o'hara@example.org")?;
    assert_eq!(
        (&row["user_id"], &row["given_name"], &row["username"]),
        (
            &json!("ldap-22222222-2222-4222-8222-222222222222"),
            &json!("Zoë"),
            &json!("ohara")
        ),
    );
    let (server, shop) = stage_of(&On::Sqlite).await?;
    let (code, printed) = converted.import(&server)?;
    assert_eq!(code, Some(0), "{printed}");
    signs_in(&shop, "ann@example.org", "correct horse").await?;
    signs_in(&shop, "o'hara@example.org", "pässwörd (1)*").await
}

/// The columns of Supabase's table that matter here, in a real PostgreSQL; bcrypt by pgcrypto.
#[tokio::test]
async fn a_supabase_shaped_postgres_converts() -> Result<()> {
    let database: Database = Postgres::shared()?.database()?;
    database.psql(
        "create schema auth; create extension pgcrypto;
         create table auth.users (instance_id uuid, id uuid primary key, aud text, role text, email text,
           encrypted_password text, email_confirmed_at timestamptz, confirmation_token text, banned_until timestamptz,
           raw_app_meta_data jsonb, raw_user_meta_data jsonb, phone text, phone_confirmed_at timestamptz,
           deleted_at timestamptz, created_at timestamptz);
         create table auth.mfa_factors (id uuid, user_id uuid, friendly_name text, factor_type text, status text, secret text);
         insert into auth.users values
           (null, '00000000-0000-4000-8000-000000000001', 'authenticated', 'authenticated', 'ann@example.org',
            crypt('correct horse', gen_salt('bf', 10)), '2024-01-01', 'one-time', null,
            '{\"provider\": \"email\"}', '{\"full_name\": \"Ann \\\\ \\\"tab\\\"\\t E.\", \"sub\": \"1\", \"theme\": \"dark\"}', '15551234567', null, null, now()),
           (null, '00000000-0000-4000-8000-000000000002', 'authenticated', 'authenticated', 'bob@example.org',
            crypt('bob''s', gen_salt('bf', 6)), null, '', '2999-01-01', '{}', '{}', null, null, null, now()),
           (null, '00000000-0000-4000-8000-000000000003', 'authenticated', 'authenticated', 'gone@example.org',
            '', null, '', null, '{}', '{}', null, null, now(), now());
         insert into auth.mfa_factors values (gen_random_uuid(), '00000000-0000-4000-8000-000000000001', 'phone', 'totp', 'verified', 'JBSWY3DPEHPK3PXP');",
    )?;
    let dump = database.dump(&["auth.users", "auth.mfa_factors"])?;
    let converted = convert("supabase", &[&dump], &[])?;
    assert_eq!(converted.code, Some(2), "{}", converted.said);
    let row = converted.row("ann@example.org")?;
    assert_eq!(
        row["mfa_factors"],
        json!([{"totp": {"secret": "JBSWY3DPEHPK3PXP"}}])
    );
    assert_eq!(
        (&row["name"], &row["phone_number"], &row["user_metadata"]),
        (
            &json!("Ann \\ \"tab\"\t E."),
            &json!("+15551234567"),
            &json!({"theme": "dark"})
        ),
    );
    assert!(!row.to_string().contains("one-time"), "{row}");
    assert_eq!(converted.row("bob@example.org")?["blocked"], true);
    let (server, shop) = stage_of(&On::Sqlite).await?;
    let (code, printed) = converted.import(&server)?;
    assert_eq!(code, Some(0), "{printed}");
    // A second factor is asked for where one was enrolled; the password was right all the same.
    let (status, body) = shop.login("new", "ann@example.org", "wrong").await?;
    assert_eq!(
        (status, &body["error"]),
        (403, &json!("invalid_grant")),
        "{body}"
    );
    let (status, body) = shop
        .login("new", "ann@example.org", "correct horse")
        .await?;
    assert!(
        status == 200 || body["error"] == "mfa_required",
        "{status} {body}"
    );
    Ok(())
}

#[test]
fn the_command_line_says_what_is_wrong() -> Result<()> {
    let firebase = r#"{"users": [{"localId": "1", "email": "a@example.com", "passwordHash": "AAAA", "salt": "AAAA"}]}"#;
    let wrong = convert("keycloak", &[firebase], &[])?;
    assert_eq!(wrong.code, Some(1));
    insta::assert_snapshot!(wrong.said, @"ferry: this is no export of keycloak; it looks like one of firebase: ferry convert firebase");
    let keyless = convert("firebase", &[firebase], &[])?;
    assert_eq!(keyless.code, Some(1));
    insta::assert_snapshot!(keyless.said, @"ferry: these people have passwords, and without the project's hash parameters nobody can check them: give --hash-config (console, Authentication, ⋮, Password hash parameters)");
    let cut = convert("firebase", &[&firebase[..40]], &[])?;
    insta::assert_snapshot!(cut.said, @"ferry: line 1: the JSON ends too early");
    let unknown = convert("gopher", &[], &[])?;
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown
            .said
            .contains("no such product; there are keycloak, firebase"),
        "{}",
        unknown.said
    );
    // Compressed, through a pipe, to standard output.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"id,primary_email_address\n1,a@example.com\n")?;
    let input = tempfile::NamedTempFile::new()?;
    std::fs::write(input.path(), gzip.finish()?)?;
    let done = Command::new(env!("CARGO_BIN_EXE_ferry"))
        .args(["convert", "clerk"])
        .stdin(std::fs::File::open(input.path())?)
        .output()?;
    insta::assert_snapshot!(String::from_utf8(done.stdout)?, @r#"{"email":"a@example.com","email_verified":false,"user_id":"clerk-1","app_metadata":{"clerk":{"id":"1"}}}"#);
    insta::assert_snapshot!(String::from_utf8(done.stderr)?, @"1 people: 1 written (1 without a password), 0 left out, 0 warnings; 0 other records ignored");
    // Nothing is left behind by a conversion that failed, and a file that was there stays.
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("users.json");
    std::fs::write(&out, "before")?;
    let done = Command::new(env!("CARGO_BIN_EXE_ferry"))
        .args(["convert", "firebase", "/dev/null/nothing", "-o"])
        .arg(&out)
        .output()?;
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&out)?, "before");
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
    Ok(())
}
