//! Hash recipes through the real path: proof, import job, login with the old password, and the
//! pepper that the connection holds.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::process::command;
use crate::stage::{self, On, expect};

/// What Python's hashlib made of this password, the salt `s4lt!x` and the pepper `p3pper`.
const PASSWORD: &str = "Pässword 1!";
const PBKDF2: &str = "7a29648da6681e079b38877a1771624def9bc20e1b4170bcf4b775bffd9e615a44d880af647fd81ef496efda332eb6b4c932d51f4d1eb3ad1fb7efdac3c22aac";
const SMF: &str = "3aa4c8194b31872b850bfbcf7f70a70044b2dc00";

fn rows() -> Value {
    let peppered = json!({
        "algorithm": "recipe", "salt": {"value": "s4lt!x"},
        "hash": {"value": PBKDF2, "encoding": "hex"},
    });
    let smf = json!({
        "algorithm": "recipe", "recipe": "sha1(lower(username) + password)",
        "hash": {"value": SMF, "encoding": "hex"},
    });
    json!([
        {"email": "ann@example.com", "custom_password_hash": peppered},
        {"email": "bob@example.com", "custom_password_hash": peppered},
        {"email": "cid@example.com", "username": "MixedCase", "custom_password_hash": smf},
        {"email": "dan@example.com", "custom_password_hash": smf},
    ])
}

#[tokio::test]
async fn recipes_let_their_users_in_and_are_dropped() -> Result<()> {
    let mut server = On::Sqlite.builder().start().await?;
    let shop = stage::application(&server).await?;
    let options = json!({
        "configuration": {"PASSWORD_PEPPER": "p3pper"},
        "ferry": {"password_recipe": "pbkdf2_sha512(password + pepper, b64(salt), 25000, 64)"},
    });
    let connection = stage::connection(&server, &shop, "plain", options).await?;
    let folder = tempfile::tempdir()?;
    let (file, typed) = (
        folder.path().join("users.json"),
        folder.path().join("typed"),
    );
    std::fs::write(&file, rows().to_string())?;
    let file = file.to_str().context("a path")?;
    let import = |password: &str, key: &str| -> Result<(Option<i32>, String)> {
        std::fs::write(&typed, password)?;
        let arguments = [
            "import",
            file,
            "--connection",
            "plain",
            "--wait",
            "--password-stdin",
            "--prove",
            key,
        ];
        let mut command = command(&server, &arguments)?;
        let done = command.stdin(std::fs::File::open(&typed)?).output()?;
        let printed = String::from_utf8(done.stdout)? + &String::from_utf8(done.stderr)?;
        Ok((done.status.code(), printed))
    };
    let (code, printed) = import("wrong", "email=ann@example.com")?;
    assert!(
        code == Some(1) && printed.contains("the password does not verify"),
        "{printed}"
    );
    assert!(
        printed.contains("64 bytes, the size of sha512"),
        "{printed}"
    );
    let (code, printed) = import(PASSWORD, "email=dan@example.com")?;
    assert!(
        code == Some(1) && printed.contains("username (the recipe uses it)"),
        "{printed}"
    );
    let (code, printed) = import(PASSWORD, "username=mixedcase")?;
    assert!(
        printed.contains("row 3") && printed.contains("the password verifies"),
        "{printed}"
    );
    assert!(
        code == Some(2) && printed.contains("3 inserted, 0 updated, 1 failed"),
        "{printed}"
    );
    for email in ["ann@example.com", "cid@example.com"] {
        assert_eq!(shop.login("plain", email, "not it").await?.0, 403);
        for time in ["first", "second"] {
            let answer = shop.login("plain", email, PASSWORD).await?;
            expect(200, answer).with_context(|| format!("{email}, {time} login"))?;
        }
    }
    // Without its pepper, a hash proves nothing: nobody's wrong password.
    let admin = server.api()?;
    let bare = json!({"options": {"configuration": {}}});
    expect(
        200,
        admin
            .patch(&format!("/api/v2/connections/{connection}"), &bare)
            .await?,
    )?;
    assert_eq!(
        shop.login("plain", "bob@example.com", PASSWORD).await?.0,
        503
    );
    expect(200, shop.login("plain", "ann@example.com", PASSWORD).await?)?;
    let wrong = json!({"options": {"ferry": {"password_recipe": "md5(passwort)"}}});
    let refused = admin
        .patch(&format!("/api/v2/connections/{connection}"), &wrong)
        .await?;
    assert!(
        expect(400, refused)?
            .to_string()
            .contains("line 1, column 5: passwort is no variable")
    );
    let body = json!({"samples": [{"hash": SMF, "username": "MixedCase", "password": PASSWORD}]});
    let report = expect(200, admin.post("/api/v2/ferry/hash/identify", &body).await?)?;
    assert_eq!(
        report["recipe"], "sha1(lower(username) + password)",
        "{report}"
    );
    server.terminate().await?;
    let store = On::Sqlite.store(&server).await?;
    for (email, prefix) in [
        ("ann@example.com", "$argon2id$"),
        ("bob@example.com", "recipe:{"),
    ] {
        let found = store.find_login(&connection.as_str().into(), email).await?;
        let hash = found.context("a user")?.1.hash.context("a hash")?;
        assert!(hash.expose().starts_with(prefix) && !hash.expose().contains("p3pper"));
    }
    Ok(())
}

/// A table as spreadsheets save it, packed: what `--prove` finds there is what the import reads.
#[tokio::test]
async fn a_password_is_proven_on_what_the_import_reads() -> Result<()> {
    let server = On::Sqlite.builder().start().await?;
    let shop = stage::application(&server).await?;
    stage::connection(&server, &shop, "plain", json!({})).await?;
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    // hashcat's example of Joomla; its password is its name.
    let table = "Mail;pw;salt\nann@example.com;;\nbob@example.com;\
                 b78f863f2c67410c41e617f724e22f34;89384528665349271307465505333378\n";
    let units = std::iter::once(0xFEFF).chain(table.encode_utf16());
    let text: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let file = std::fs::File::create(path("users.csv.gz"))?;
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(&text)?;
    packed.finish()?;
    let mapping = json!({
        "columns": {
            "Mail": "email", "pw": "custom_password_hash.hash.value",
            "salt": "custom_password_hash.salt.value",
        },
        "constants": {
            "custom_password_hash.algorithm": "md5", "custom_password_hash.hash.encoding": "hex",
            "custom_password_hash.salt.position": "suffix",
        },
    });
    std::fs::write(path("mapping.json"), mapping.to_string())?;
    std::fs::write(path("typed"), "hashcat")?;
    let (file, mapping) = (path("users.csv.gz"), path("mapping.json"));
    let (file, mapping) = (
        file.to_str().context("a path")?,
        mapping.to_str().context("a path")?,
    );
    let import = |file: &str, key: &str| -> Result<(Option<i32>, String)> {
        let arguments = [
            "import",
            file,
            "--connection",
            "plain",
            "--mapping",
            mapping,
            "--wait",
            "--password-stdin",
            "--prove",
            key,
        ];
        let mut command = command(&server, &arguments)?;
        let done = command
            .stdin(std::fs::File::open(path("typed"))?)
            .output()?;
        let printed = String::from_utf8(done.stdout)? + &String::from_utf8(done.stderr)?;
        Ok((done.status.code(), printed))
    };
    for (file, key, code, words) in [
        ("-", "email=bob@example.com", 1, "can't be read twice"),
        (file, "email=cid@example.com", 1, "has no such user"),
        (
            file,
            "email=ann@example.com",
            1,
            "row 1, byte 16: the row has no password",
        ),
        (
            file,
            "email=bob@example.com",
            0,
            "row 2, byte 34: read as md5; the password verifies",
        ),
        (file, "phone=1", 1, "--prove takes email="),
    ] {
        let (found, printed) = import(file, key)?;
        assert!(
            found == Some(code) && printed.contains(words),
            "{key}: {printed}"
        );
    }
    expect(
        200,
        shop.login("plain", "bob@example.com", "hashcat").await?,
    )?;
    Ok(())
}
