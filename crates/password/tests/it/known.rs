//! Hashes that say themselves what they are, in the `password_hash` field, and our own names in
//! `custom_password_hash`.

use domain::Password;
use password::{Limits, Owner, PasswordHash};
use serde_json::{Value, json};

use crate::{stored_and_read, verifies};

const COMPUTED: &str = include_str!("../vectors/foreign.json");

/// The options of a script as the members of a record.
fn record(stored: &str, options: &Value) -> Option<String> {
    let mut record = json!({"algorithm": "known", "hash": {"value": stored}});
    for (name, value) in options.as_object()? {
        match name.as_str() {
            "algorithm" | "iterations" | "cost" | "blockSize" | "parallelization" | "prehash"
            | "username" => record[name] = value.clone(),
            "encoding" => record["hash"]["encoding"] = value.clone(),
            "salt" => record["salt"]["value"] = value.clone(),
            "saltEncoding" => record["salt"]["encoding"] = value.clone(),
            "saltPosition" => record["salt"]["position"] = value.clone(),
            "key" => record["hash"]["key"]["value"] = value.clone(),
            "keyEncoding" => record["hash"]["key"]["encoding"] = value.clone(),
            "passwordEncoding" => record["password"]["encoding"] = value.clone(),
            // A pepper belongs to a connection and to no row.
            _ => return None,
        }
    }
    Some(record.to_string())
}

#[test]
fn what_scripts_verify_imports_verify_too() {
    let file: Value = serde_json::from_str(COMPUTED).unwrap();
    let (mut fields, mut records) = (0, 0);
    for example in file["examples"].as_array().unwrap() {
        let id = &example["id"];
        let password = example["password"].as_str().unwrap();
        let stored = example["stored"].as_str().unwrap();
        if password != "hunter2" {
            continue;
        }
        let hash = match example.get("options") {
            None => {
                fields += 1;
                PasswordHash::from_field(stored, &Limits::default())
                    .unwrap_or_else(|refused| panic!("{id}: {refused:?}"))
                    .unwrap()
            }
            Some(options) => {
                let Some(record) = record(stored, options) else {
                    continue;
                };
                records += 1;
                match PasswordHash::from_custom(&record, &Limits::default()) {
                    Ok(hash) => hash,
                    // One round and a digest's name: the documented algorithm wants its encoding.
                    Err(refused) if refused.path == "hash" || refused.path.is_empty() => continue,
                    Err(refused) => panic!("{id}: {refused:?}: {record}"),
                }
            }
        };
        let again = stored_and_read(&hash);
        for hash in [&hash, &again] {
            assert!(verifies(hash, password), "{id}: {password}");
            assert!(!verifies(hash, &format!("!{password}")), "{id}: another");
        }
    }
    assert!(fields > 40 && records > 8, "{fields} {records}");
}

#[test]
fn an_account_without_a_password_has_none() {
    for text in ["!", "!aBcDeF0123", "*", "!$6$locked$x"] {
        let hash = PasswordHash::from_field(text, &Limits::default()).unwrap();
        assert!(hash.is_none(), "{text}");
    }
}

#[test]
fn own_schemes_are_kept_as_they_are() {
    for text in [
        "$2b$04$MBCzKhG1KhezLh.0LRa0Kuw12nLJtpHy6DIaU.JAnqJUDYspHC.Ou",
        "$2y$12$MBCzKhG1KhezLh.0LRa0Kuw12nLJtpHy6DIaU.JAnqJUDYspHC.Ou",
        "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA",
    ] {
        let hash = PasswordHash::from_known(text, &Limits::default()).unwrap();
        assert_eq!(hash.to_stored().expose(), text);
    }
    let known = "$1$38652870$DUjsu4TTlTsOe/xxZ05uf/";
    let hash = PasswordHash::from_known(known, &Limits::default()).unwrap();
    assert_eq!(hash.to_stored().expose(), format!("known:{known}"));
    assert!(!hash.is_custom());
    assert!(hash.verify(&Password::from("hashcat")));
}

#[test]
fn refusals_name_the_member_and_repeat_nothing() {
    let refusals = [
        "",
        "S3CRET",
        "2ab96390c7dbe3439de74d0c9b0b1767",
        "$1$S3CRETS3CRET$x",
        "{SSHA}S3CRET",
        "$2b$31$MBCzKhG1KhezLh.0LRa0Kuw12nLJtpHy6DIaU.JAnqJUDYspHC.Ou",
        "pbkdf2_sha256$99999999$S3CRET$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE=",
        "scrypt$1048576$salt$8$1$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE=",
    ]
    .map(|text| {
        let refused = PasswordHash::from_field(text, &Limits::default()).unwrap_err();
        format!(
            "{} [{}] {}",
            refused.code.as_str(),
            refused.path,
            refused.message
        )
    })
    .join("\n");
    assert!(!refusals.contains("S3CRET"), "{refusals}");
    insta::assert_snapshot!(refusals, @r###"
    PATTERN [password_hash] String does not match pattern ^\$2[ab]?\$10+\$[./A-Za-z0-9]{53}$
    PATTERN [password_hash] String does not match pattern ^\$2[ab]?\$10+\$[./A-Za-z0-9]{53}$
    PATTERN [password_hash] String does not match pattern ^\$2[ab]?\$10+\$[./A-Za-z0-9]{53}$
    PATTERN [password_hash] it begins like MD5-crypt and does not go on like it
    FORMAT [password_hash] Object didn't pass validation for format SSHA: 20 bytes expected, 4 found
    MAXIMUM [password_hash] Value 31 is greater than maximum 16 (bcrypt cost)
    MAXIMUM [password_hash] Value 99999999 is greater than maximum 10000000 (pbkdf2 i)
    MAXIMUM [password_hash] Value 1073741824 is greater than maximum 268435456 (bytes of memory, 128 × blockSize × (cost + parallelization - 1))
    "###);
}

#[test]
fn names_of_ours_refuse_what_they_would_ignore() {
    let refusals = [
        json!({"algorithm": "known", "hash": {"value": "$1$38652870$DUjsu4TTlTsOe/xxZ05uf/"}, "salt": {"value": "S3CRET"}}),
        json!({"algorithm": "symfony-sha512", "hash": {"value": "S3CRET"}}),
        json!({"algorithm": "symfony-sha512", "hash": {"value": "S3CRET"}, "keylen": 7}),
        json!({"algorithm": "pbkdf2-sha256", "hash": {"value": "2ab96390c7dbe3439de74d0c9b0b1767"}}),
        json!({"algorithm": "pbkdf2-sha256", "hash": {"value": "2ab96390c7dbe3439de74d0c9b0b1767"}, "salt": {"value": "a"}, "iterations": 99_999_999}),
        json!({"algorithm": "hmac-md5", "hash": {"value": "2ab96390c7dbe3439de74d0c9b0b1767"}}),
        json!({"algorithm": "known", "hash": {"value": "$1$38652870$DUjsu4TTlTsOe/xxZ05uf/"}, "prehash": "rot13"}),
        json!({"algorithm": "symfony-rot13", "hash": {"value": "S3CRET"}}),
    ]
    .map(|record| {
        let owner = Owner::default();
        let refused = PasswordHash::from_custom_of(&record.to_string(), &owner, &Limits::default());
        let refused = refused.unwrap_err();
        format!("{} [{}] {}", refused.code.as_str(), refused.path, refused.message)
    })
    .join("\n");
    assert!(!refusals.contains("S3CRET"), "{refusals}");
    insta::assert_snapshot!(refusals, @r###"
    NOT_PASSED [] the option salt means nothing with this algorithm
    PATTERN [hash.value] sha512 makes 64 bytes, and it has 4
    OBJECT_ADDITIONAL_PROPERTIES [] Additional properties not allowed: keylen
    OBJECT_MISSING_REQUIRED_PROPERTY [] the option salt is missing
    MAXIMUM [hash.value] Value 99999999 is greater than maximum 10000000 (pbkdf2 i)
    OBJECT_MISSING_REQUIRED_PROPERTY [] the option key is missing
    ENUM_MISMATCH [prehash] No enum match for: rot13
    ENUM_MISMATCH [algorithm] No enum match for: symfony-rot13
    "###);
}
