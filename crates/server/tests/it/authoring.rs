//! `ferry scripts new` and `ferry scripts test`: from a template to fixtures that pass, without a
//! server and without Node.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use testkit::MariaDb;

const WORDPRESS: &str = include_str!("../../../testkit/stores/wordpress.sql");

/// What the command line printed, and how it ended.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn ferry(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Said> {
    let output = Command::new(env!("CARGO_BIN_EXE_ferry"))
        .arg("scripts")
        .args(arguments)
        .env_clear()
        .env("PATH", "/nonexistent")
        .envs(variables.iter().copied())
        .output()?;
    Ok(Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8(output.stderr)?,
    })
}

fn write_json(folder: &Path, name: &str, value: &Value) -> Result<()> {
    Ok(std::fs::write(folder.join(name), value.to_string())?)
}

#[test]
fn a_template_is_written_filled_in_and_tested() -> Result<()> {
    let list = ferry(&["new"], &[])?;
    assert_eq!(list.code, Some(0), "{}", list.err);
    for name in ["django", "wordpress", "ldap", "aspnet-identity"] {
        assert!(list.out.contains(name), "{}", list.out);
    }
    let none = ferry(&["new", "--template", "cobol"], &[])?;
    assert_eq!(none.code, Some(1));
    assert!(
        none.err.contains("there is no template cobol"),
        "{}",
        none.err
    );

    let home = tempfile::tempdir()?;
    let folder = home.path().join("old/shop");
    let at = folder.to_str().context("a path")?;
    let new = ["new", "--template", "wordpress", "--folder", at];
    let written = ferry(&new, &[])?;
    assert_eq!(written.code, Some(0), "{}", written.err);
    assert!(
        written.out.contains(&format!("ferry scripts test {at}")),
        "{}",
        written.out
    );
    let example = std::fs::read(folder.join("configuration.example.json"))?;
    let example: Value = serde_json::from_slice(&example)?;
    assert_eq!(
        example,
        json!({"DATABASE_URL": "mysql://reader:secret@db.example.org/shop"})
    );

    // What somebody has changed is never written over.
    std::fs::write(folder.join("get_user.js"), "mine")?;
    std::fs::remove_file(folder.join("login.js"))?;
    let again = ferry(&new, &[])?;
    assert_eq!(again.code, Some(1));
    assert!(
        again
            .err
            .contains("get_user.js is there already; nothing was written"),
        "{}",
        again.err
    );
    assert!(!folder.join("login.js").exists());
    std::fs::remove_dir_all(&folder)?;
    assert_eq!(ferry(&new, &[])?.code, Some(0));

    // The test store holds the people of the fixtures.
    let mariadb = MariaDb::start()?;
    mariadb.run_file(WORDPRESS)?;
    write_json(
        &folder,
        "configuration.json",
        &json!({"DATABASE_URL": "$OLD_SHOP"}),
    )?;
    let unset = ferry(&["test", at], &[])?;
    assert_eq!(unset.code, Some(1));
    assert!(
        unset
            .err
            .contains("the environment variable OLD_SHOP is not set"),
        "{}",
        unset.err
    );
    let url = mariadb.url();
    let passed = ferry(&["test", at], &[("OLD_SHOP", &url)])?;
    assert_eq!(passed.code, Some(0), "{} {}", passed.out, passed.err);
    insta::assert_snapshot!(passed.out, @r#"
    ok    login           ann@example.org: found
    ok    login           ann@example.org: wrong_password
    ok    login           nobody@example.org: no_such_user
    ok    get_user        ann@example.org: found
    ok    get_user        nobody@example.org: not_found
    5 fixtures, 0 failed
    "#);
    drop(mariadb);
    let outage = ferry(&["test", at], &[("OLD_SHOP", &url)])?;
    assert_eq!(outage.code, Some(1));
    assert!(
        outage
            .out
            .contains("expected wrong_password, got failed (thrown: "),
        "{}",
        outage.out
    );
    assert!(!outage.out.contains("correct horse") && !outage.out.contains(&url));
    Ok(())
}

const LOGIN: &str = "function login(email, password, callback) {
    console.log('asked for %s', email);
    if (email === 'odd') return callback(null, { user_id: 1, email: 5 });
    if (email === 'barred') return callback(new UnauthorizedError('you are barred'));
    if (password !== configuration.RIGHT) return callback(new WrongUsernameOrPasswordError(email, 'no'));
    callback(null, { user_id: 7, email, roles: ['a'] });
}";
const VERIFY: &str = "(email, callback) => callback(null, email === 'ann@b.co')";
const HASHED: &str = "function getByEmail(email, callback) {
    require('ferry/password').verify('secret', '5ebe2294ecd0e0f08eab7690d2a6ee69', { algorithm: 'md5' })
        .then((isRight) => callback(null, isRight ? { user_id: 7, email } : null), callback);
}";

fn own_folder(fixtures: &Value) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for (name, text) in [
        ("login.js", LOGIN),
        ("verify.js", VERIFY),
        ("get_user.js", HASHED),
        ("helper.js", ""),
    ] {
        std::fs::write(folder.path().join(name), text)?;
    }
    write_json(folder.path(), "fixtures.json", fixtures)?;
    write_json(folder.path(), "other.json", &json!({"RIGHT": "$$right"}))?;
    Ok(folder)
}

fn test_of(folder: &Path, variables: &[(&str, &str)]) -> Result<Said> {
    let at = folder.to_str().context("a path")?;
    let configuration = folder.join("other.json");
    let configuration = configuration.to_str().context("a path")?;
    let mut said = ferry(&["test", at, "--configuration", configuration], variables)?;
    said.out = said.out.replace(at, "[folder]");
    Ok(said)
}

#[test]
fn a_fixture_that_fails_says_what_was_expected_and_what_came() -> Result<()> {
    let ann = "ann@b.co";
    let fixtures = json!([
        {"script": "login", "args": [ann, "$right"], "expect": {"outcome": "found", "profile": {"roles": ["a"]}}},
        {"script": "login", "args": [ann, "$right"], "expect": {"outcome": "found", "profile": {"user_id": 8}}},
        {"script": "login", "args": [ann, "no needle"], "expect": {"outcome": "found"}},
        {"script": "login", "args": ["odd", "x"], "expect": {"outcome": "found"}},
        {"script": "login", "args": ["barred", "x"], "expect": {"outcome": "refused"}},
        {"script": "get_user", "args": [ann], "expect": {"outcome": "found"}},
        {"script": "verify", "args": [ann], "expect": {"outcome": "done"}},
        {"script": "verify", "args": ["bob@b.co"], "expect": {"outcome": "not_changed"}},
        {"script": "delete", "args": ["7"], "expect": {"outcome": "failed"}},
    ]);
    let folder = own_folder(&fixtures)?;
    let embedded = test_of(folder.path(), &[])?;
    assert_eq!(embedded.code, Some(1), "{}", embedded.err);
    insta::assert_snapshot!(embedded.out, @r#"
    note  [folder]/helper.js is named after no script
    ok    login           ann@b.co: found
    FAIL  login           ann@b.co: expected user_id to be 8, got 7
          console.log: asked for ann@b.co
    FAIL  login           ann@b.co: expected found, got wrong_password (no)
          console.log: asked for ann@b.co
    FAIL  login           odd: expected found, got failed (the script's profile does not fit: email: not an e-mail address)
          console.log: asked for odd
    ok    login           barred: refused
    ok    get_user        ann@b.co: found
    ok    verify          ann@b.co: done
    ok    verify          bob@b.co: not_changed
    ok    delete          7: failed
    9 fixtures, 3 failed
    "#);
    // The configured runtime runs them, and says the same.
    let search = "/usr/local/bin:/usr/bin:/bin";
    let node = test_of(
        folder.path(),
        &[("FERRY_SCRIPTS_RUNTIME", "node"), ("PATH", search)],
    )?;
    assert_eq!(
        (node.code, node.out),
        (embedded.code, embedded.out),
        "{}",
        node.err
    );
    let no_node = test_of(folder.path(), &[("FERRY_SCRIPTS_RUNTIME", "node")])?;
    assert_eq!(no_node.code, Some(1));
    assert!(
        no_node.out.contains("got failed (unavailable: "),
        "{}",
        no_node.out
    );
    Ok(())
}

#[test]
fn a_fixture_without_sense_is_refused_before_anything_runs() -> Result<()> {
    let mut said = String::new();
    for wrong in [
        json!({"script": "logout", "args": [], "expect": {"outcome": "done"}}),
        json!({"script": "login", "args": ["ann@b.co"], "expect": {"outcome": "found"}}),
        json!({"script": "login", "args": ["a", "b"], "expect": {"outcome": "fonud"}}),
        json!({"script": "login", "args": ["a", "b"], "expected": {"outcome": "found"}}),
    ] {
        let good = json!({"script": "login", "args": ["a", "b"], "expect": {"outcome": "found"}});
        let folder = own_folder(&json!([good, wrong]))?;
        let refused = test_of(folder.path(), &[])?;
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
        let at = folder.path().to_str().context("a path")?;
        said.push_str(&refused.err.replace(at, "[folder]"));
    }
    insta::assert_snapshot!(said, @r#"
    ferry: fixture 2: "logout" is the key of no script
    ferry: fixture 2: login takes email, password; args has 1
    ferry: fixture 2: "fonud" is no outcome: write one of found, wrong_password, no_such_user, not_found, refused, failed, done, not_changed
    ferry: [folder]/fixtures.json: unknown field `expected`, expected one of `script`, `args`, `expect` at line 1 column 111
    "#);
    Ok(())
}

#[test]
fn fixtures_may_run_under_rules_about_hosts() -> Result<()> {
    let script = "function getByEmail(email, callback) {
        require('net').connect(1, '127.0.0.1').on('error', callback);
    }";
    let fixtures =
        json!([{"script": "get_user", "args": ["ann@b.co"], "expect": {"outcome": "not_found"}}]);
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("get_user.js"), script)?;
    write_json(folder.path(), "fixtures.json", &fixtures)?;
    let at = folder.path().to_str().context("a path")?;
    let free = ferry(&["test", at], &[])?;
    assert!(free.out.contains("ECONNREFUSED"), "{}", free.out);
    let bounded = ferry(&["test", at, "--egress", "db.example.org:5432"], &[])?;
    assert!(
        bounded.out.contains("EACCES") && bounded.out.contains("no rule allows it"),
        "{}",
        bounded.out
    );
    let wrong = ferry(&["test", at, "--egress", "db"], &[])?;
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("is not a rule"), "{}", wrong.err);
    Ok(())
}
