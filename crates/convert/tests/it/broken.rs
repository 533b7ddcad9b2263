//! Input that is cut, too long, of another encoding or of another product.

use std::io::Read;

use convert::{Options, Product};
use proptest::prelude::*;

use crate::{convert, plain};

#[test]
fn what_cannot_be_read_names_its_line() {
    let cases: &[(Product, &[u8])] = &[
        (
            Product::Keycloak,
            b"{\"users\": [\n{\"username\": \"a\", \"enabled\": true},\n{\"userna",
        ),
        (Product::Keycloak, b"{\"realm\": \"x\"}"),
        (Product::Keycloak, b"{\"users\": 7}"),
        (Product::Django, b"[{\"model\": 1}\n{}]"),
        (Product::Django, b"\xff\xfe[\0{\0"),
        (Product::Django, b"PGDMP\x01\x0e"),
        (Product::Django, b"\x28\xb5\x2f\xfdxxx"),
        (
            Product::Wordpress,
            b"INSERT INTO wp_users (ID, user_login) VALUES (1,'ann",
        ),
        (
            Product::Wordpress,
            b"INSERT INTO wp_users VALUES (1,'ann');",
        ),
        (
            Product::Supabase,
            b"COPY auth.users (id, encrypted_password) FROM stdin;\n1\tx\n",
        ),
        (
            Product::Ldap,
            b"dn: x\nobjectClass: person\n\ndn: y\nno colon here\n",
        ),
        (Product::Ldap, b"dn: x\nuserPassword:: !!!\n"),
        (Product::Clerk, b"id,id\n1,2\n"),
        (Product::Clerk, b"gopher,hole\n1,2\n"),
        (Product::Clerk, b"ID,user_login,user_pass\n1,a,b\n"),
        (Product::Keycloak, b"{\"users\": [{\"localId\": \"1\"}]}"),
        (Product::Django, b"[1, 2]"),
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|(product, input)| {
            let done = convert(*product, &[input], &Options::default());
            format!("{}: {}", product.name(), done.refusal())
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
keycloak: line 3: the JSON ends too early
keycloak: line 1: the object has no member users
keycloak: line 1: invalid type: integer `7`, expected an object or a list of objects
django: line 2: expected `,` or `]`
django: line 1: the file is UTF-16; save it as UTF-8
django: line 1: a dump in pg_dump's own format; make a plain one: pg_dump --format=plain
django: line 1: the file is compressed
wordpress: line 1: the dump ends inside a text
wordpress: line 1: an INSERT names no columns, and no CREATE TABLE before it does
supabase: line 3: the dump ends inside COPY
ldap: line 5: neither `attribute: value` nor a continued line
ldap: line 2: the value is no base64
clerk: line 1: two columns have one name
clerk: this is no export of clerk: no record has the members that it writes
clerk: this is no export of clerk; it looks like one of wordpress: ferry convert wordpress
keycloak: this is no export of keycloak; it looks like one of firebase: ferry convert firebase
django: line 1: invalid type: integer `1`, expected a map
"#);
}

#[test]
fn a_bad_record_is_left_out_and_the_others_come() {
    let mut csv = b"\xef\xbb\xbfid;primary_email_address;password_digest\n1;a@example.com;\n2;b@example.com\n".to_vec();
    csv.extend_from_slice(b"3;c\xff@example.com;\n4;\0d@example.com;\n\"5\r\n6\";e@example.com;\n7;f@example.com;x;y\n8;g@example.com;\n");
    let done = convert(Product::Clerk, &[&csv], &Options::default());
    let emails: Vec<&str> = done
        .rows
        .iter()
        .filter_map(|row| row["email"].as_str())
        .collect();
    assert_eq!(emails, ["a@example.com", "g@example.com"]);
    insta::assert_snapshot!(done.warnings.join("\n"), @r#"
record 2, line 3, row: has not as many fields as the first line; left out
record 3, line 4, primary_email_address: not UTF-8; left out
record 4, line 5, email: not an e-mail address; left out
record 5, line 6, user_id: longer than 255 characters, or with control characters; left out
record 6, line 8, row: has not as many fields as the first line; left out
"#);
}

#[test]
fn nul_characters_stay_behind() {
    let list = r#"[{"user_id": "1", "email": "a@example.com", "name": "A\u0000B", "extra": {"x\u0000": 1, "y": "\u0000z"}}]"#;
    let done = plain(Product::Table, list);
    assert!(
        !done.rows[0].to_string().contains("\\u0000"),
        "{}",
        done.rows[0]
    );
    assert_eq!(done.rows[0]["name"], "AB");
    assert_eq!(done.warnings.len(), 2, "{:?}", done.warnings);
}

/// A field that never ends is refused at the ceiling, whatever the format; so is a line.
#[test]
fn a_record_without_end_is_refused() {
    let beginnings: [(Product, &[u8]); 5] = [
        (Product::Clerk, b"id,primary_email_address\n1,\""),
        (Product::Keycloak, b"{\"users\": [{\"username\": \""),
        (Product::Wordpress, b"INSERT INTO wp_users (ID) VALUES ('"),
        (Product::Ldap, b"dn: "),
        (Product::Supabase, b"COPY auth.users (id) FROM stdin;\n"),
    ];
    for (product, beginning) in beginnings {
        let endless = std::io::repeat(b'x').take(1 << 30);
        let input: Box<dyn Read> = Box::new(beginning.chain(endless));
        let options = Options::default();
        let end = convert::convert(product, vec![input], &options, &mut Vec::new(), &mut |_| ());
        let refusal = end.expect_err("a refusal").to_string();
        assert!(
            refusal.contains("a record is longer than 16 MiB"),
            "{}: {refusal}",
            product.name()
        );
    }
}

/// What a wrapper holds beside its list may be longer than any record.
#[test]
fn a_large_realm_is_skipped_to_its_users() {
    let clients = "x".repeat(20 << 20);
    let realm = format!(
        r#"{{"clients": ["{clients}"], "users": [{{"username": "a", "enabled": true, "email": "a@example.com"}}]}}"#
    );
    assert_eq!(plain(Product::Keycloak, &realm).rows.len(), 1);
}

/// So may what another table of a dump holds.
#[test]
fn a_large_value_of_another_table_is_skipped() {
    let blob = "x".repeat(20 << 20);
    let dump = format!(
        "INSERT INTO `wp_posts` VALUES (1,'{blob}');\nCREATE FUNCTION f() AS $x${blob}$x$;\n\
         INSERT INTO wp_users (ID, user_login, user_email) VALUES (1, 'a', 'a@example.com');"
    );
    assert_eq!(plain(Product::Wordpress, &dump).summary().written, 1);
}

/// Pieces of exports in any order.
pub(crate) fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"users\": [",
        "\"email\": \"a@example.com\",",
        "\"id\": 1",
        "\n",
        ",",
        "'",
        "\"",
        "\\",
        "INSERT INTO wp_users VALUES (",
        "CREATE TABLE wp_users (ID int, user_login text)",
        "COPY auth.users (id) FROM stdin;",
        "\\.",
        "dn: x",
        "objectClass: person",
        "\n ",
        ":: ",
        "$$",
        "/*",
        "*/",
        "--",
        "`",
        "(",
        ")",
        ";",
        "\0",
        "é",
        "\t",
        "ID,user_login,user_pass",
        "localId",
        "{\"model\":\"a.b\",\"pk\":1,\"fields\":{\"password\":\"x\",\"last_login\":null}}",
        "userPassword: {SSHA}x",
        "\"credentials\": [{\"type\": \"password\", \"secretData\": \"{}\"}]",
        "\"username\": \"u\", \"enabled\": true",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Never a panic, and what is counted is what is written, left out and said.
    #[test]
    fn any_input_ends_well(which in 0..Product::ALL.len(), input in pieces(), noise in prop::collection::vec(any::<u8>(), 0..20)) {
        let input = [input, noise].concat();
        let done = convert(Product::ALL[which], &[&input], &Options::default());
        for row in &done.rows {
            prop_assert!(row["email"].is_string());
        }
        if let Ok(summary) = done.end {
            prop_assert_eq!(summary.written, done.rows.len() as u64);
            prop_assert_eq!(summary.read, summary.written + summary.left_out);
            prop_assert_eq!(summary.warnings, done.warnings.len() as u64);
        }
    }

    /// A text of any characters survives SQL's and CSV's quotes.
    #[test]
    fn any_text_survives_its_quotes(name in "[^\0]{1,60}") {
        prop_assume!(!name.trim().is_empty() && name != "\\N" && name != "NULL");
        let options = Options { table: Some("t".to_owned()), ..Options::default() };
        let sql = name.replace('\'', "''");
        let plain = format!("INSERT INTO t (email, name) VALUES ('a@example.com', '{sql}');");
        let escaped = sql.replace('\\', "\\\\");
        let mysql = format!("INSERT INTO `t` (`email`, `name`) VALUES ('a@example.com', '{escaped}');");
        let csv = format!("email,name\na@example.com,\"{}\"\n", name.replace('"', "\"\""));
        for text in [plain, mysql, csv] {
            let done = convert(Product::Table, &[text.as_bytes()], &options);
            prop_assert_eq!(done.rows[0]["name"].as_str(), Some(name.as_str()), "{}", text);
        }
    }
}
