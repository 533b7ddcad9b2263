//! What an import refuses, with code, path and sentence.

use domain::RowError;
use password::{Limits, PasswordHash};
use serde_json::Value;

const VECTORS: &str = include_str!("../vectors/custom_password_hash.json");

fn refusal(json: &str) -> String {
    let refused = PasswordHash::from_custom(json, &Limits::default())
        .err()
        .unwrap_or_else(|| panic!("must be refused: {json}"));
    shown(&refused)
}

fn shown(refused: &RowError) -> String {
    let RowError {
        code,
        path,
        message,
    } = refused;
    format!("{} [{path}] {message}", code.as_str())
}

/// A table of records, each followed by its indented refusal.
fn check(table: &str) {
    let lines: Vec<&str> = table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    for pair in lines.chunks(2) {
        assert_eq!(refusal(pair[0]), pair[1], "{}", pair[0]);
    }
}

#[test]
fn published_refusals() {
    // In the order of the file. The first is the row's rule, not ours: both fields at once.
    let expected = [
        "",
        "PATTERN [password_hash]",
        "PATTERN [hash.value]",
        "NOT_PASSED [salt] Not allowed with algorithm pbkdf2",
        "OBJECT_MISSING_REQUIRED_PROPERTY [hash] Missing required property: digest",
        "OBJECT_MISSING_REQUIRED_PROPERTY [] Missing required property: keylen",
        "NOT_PASSED [cost] Value must be a power of two",
        "PATTERN [hash.value]",
        "ENUM_MISMATCH [hash.encoding] No enum match for: utf8",
        "OBJECT_ADDITIONAL_PROPERTIES [] Additional properties not allowed: rounds",
    ];
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let records = file["must_be_refused"].as_array().unwrap();
    assert_eq!(records.len(), expected.len());
    for (record, expected) in records.iter().zip(expected).skip(1) {
        let seen = if let Some(custom) = record.get("custom_password_hash") {
            refusal(&custom.to_string())
        } else {
            let field = record["user"]["password_hash"].as_str().unwrap();
            shown(&PasswordHash::from_bcrypt_field(field).unwrap_err())
        };
        assert!(seen.starts_with(expected), "{}: {seen}", record["why"]);
    }
}

#[test]
fn shape_of_the_outer_object() {
    assert!(refusal("").starts_with("FORMAT []"));
    check(
        r#"
{
    FORMAT [] Object didn't pass validation for format json
{"algorithm":"\ud800"}
    FORMAT [] Object didn't pass validation for format json
null
    INVALID_TYPE [] Expected type object but found type null
[]
    INVALID_TYPE [] Expected type object but found type array
"$2b$10$"
    INVALID_TYPE [] Expected type object but found type string
7
    INVALID_TYPE [] Expected type object but found type integer
{}
    OBJECT_MISSING_REQUIRED_PROPERTY [] Missing required property: algorithm
{"algorithm":"md5"}
    OBJECT_MISSING_REQUIRED_PROPERTY [] Missing required property: hash
{"algorithm":5,"hash":{}}
    INVALID_TYPE [algorithm] Expected type string but found type integer
{"algorithm":1.5,"hash":{}}
    INVALID_TYPE [algorithm] Expected type string but found type number
{"algorithm":"xyz","hash":{}}
    ENUM_MISMATCH [algorithm] No enum match for: xyz
{"algorithm":"SHA1","hash":{}}
    ENUM_MISMATCH [algorithm] No enum match for: SHA1
{"algorithm":"5f4dcc3b5aa765d61d8327deb882cf99","hash":{}}
    ENUM_MISMATCH [algorithm] No enum match for: (not a plain name)
{"algorithm":"md5","algorithm":"md5","hash":{}}
    NOT_PASSED [] Property given twice: algorithm
"#,
    );
}

#[test]
fn shape_of_the_inner_objects() {
    check(
        r#"
{"algorithm":"md5","hash":"abc"}
    INVALID_TYPE [hash] Expected type object but found type string
{"algorithm":"md5","hash":{"encoding":"hex"}}
    OBJECT_MISSING_REQUIRED_PROPERTY [hash] Missing required property: value
{"algorithm":"md5","hash":{"value":null,"encoding":"hex"}}
    INVALID_TYPE [hash.value] Expected type string but found type null
{"algorithm":"md5","hash":{"value":"aa","encoding":"HEX"}}
    ENUM_MISMATCH [hash.encoding] No enum match for: HEX
{"algorithm":"md5","hash":{"value":"aa","encoding":"hex","rounds":1}}
    OBJECT_ADDITIONAL_PROPERTIES [hash] Additional properties not allowed: rounds
{"algorithm":"md5","hash":{"value":"aa","value":"bb","encoding":"hex"}}
    NOT_PASSED [hash] Property given twice: value
{"algorithm":"md5","hash":{"value":"aa","encoding":"hex"},"salt":null}
    INVALID_TYPE [salt] Expected type object but found type null
{"algorithm":"md5","hash":{"value":"aa","encoding":"hex"},"salt":{}}
    OBJECT_MISSING_REQUIRED_PROPERTY [salt] Missing required property: value
{"algorithm":"md5","hash":{"value":"aa","encoding":"hex"},"salt":{"value":"zz","encoding":"hex"}}
    PATTERN [salt.value] String does not match pattern ^([0-9A-Fa-f]{2})*$
{"algorithm":"md5","hash":{"value":"aa","encoding":"hex"},"salt":{"value":"x","position":"middle"}}
    ENUM_MISMATCH [salt.position] No enum match for: middle
{"algorithm":"md5","hash":{"value":"aa","encoding":"hex"},"password":{"encoding":"utf16be"}}
    ENUM_MISMATCH [password.encoding] No enum match for: utf16be
{"algorithm":"md5","hash":{"value":"aa","encoding":"hex"},"password":{"value":"utf8"}}
    OBJECT_ADDITIONAL_PROPERTIES [password] Additional properties not allowed: value
"#,
    );
}

#[test]
fn members_that_the_algorithm_would_ignore() {
    check(
        r#"
{"algorithm":"argon2","hash":{"value":"x"},"salt":{"value":"x"}}
    NOT_PASSED [salt] Not allowed with algorithm argon2
{"algorithm":"ldap","hash":{"value":"x"},"salt":{"value":"x"}}
    NOT_PASSED [salt] Not allowed with algorithm ldap
{"algorithm":"sha256","hash":{"value":"x","encoding":"hex","digest":"sha256"}}
    NOT_PASSED [hash.digest] Not allowed with algorithm sha256
{"algorithm":"sha256","hash":{"value":"x","encoding":"hex","key":{"value":"k"}}}
    NOT_PASSED [hash.key] Not allowed with algorithm sha256
{"algorithm":"pbkdf2","hash":{"value":"x"},"keylen":64}
    NOT_PASSED [keylen] Not allowed with algorithm pbkdf2
{"algorithm":"bcrypt","hash":{"value":"x"},"cost":1024}
    NOT_PASSED [cost] Not allowed with algorithm bcrypt
{"algorithm":"md5","hash":{"value":"x"},"blockSize":8}
    NOT_PASSED [blockSize] Not allowed with algorithm md5
{"algorithm":"hmac","hash":{"value":"x"},"parallelization":1}
    NOT_PASSED [parallelization] Not allowed with algorithm hmac
"#,
    );
}

#[test]
fn digests_that_can_never_verify() {
    check(
        r#"
{"algorithm":"md5","hash":{"value":"4f023f0ab9cd95ea9f8a9ea2b6ddc01a"}}
    OBJECT_MISSING_REQUIRED_PROPERTY [hash] Missing required property: encoding
{"algorithm":"md5","hash":{"value":"4f023f0a","encoding":"hex"}}
    FORMAT [hash.value] Object didn't pass validation for format md5: 16 bytes expected, 4 found
{"algorithm":"md5","hash":{"value":"4f0","encoding":"hex"}}
    PATTERN [hash.value] String does not match pattern ^([0-9A-Fa-f]{2})*$
{"algorithm":"md5","hash":{"value":"TwI/CrnNleqfip6itt3A_g==","encoding":"base64"}}
    PATTERN [hash.value] String does not match pattern ^[A-Za-z0-9+/_-]*={0,2}$
{"algorithm":"sha1","hash":{"value":"L55TUjtiq8FBorTWAZ0jy6g129A=\n","encoding":"base64"}}
    PATTERN [hash.value] String does not match pattern ^[A-Za-z0-9+/_-]*={0,2}$
{"algorithm":"hmac","hash":{"value":"aa","encoding":"hex","key":{"value":"k"}}}
    OBJECT_MISSING_REQUIRED_PROPERTY [hash] Missing required property: digest
{"algorithm":"hmac","hash":{"value":"aa","encoding":"hex","digest":"md5","key":{"value":"k"}}}
    FORMAT [hash.value] Object didn't pass validation for format md5: 16 bytes expected, 1 found
{"algorithm":"hmac","hash":{"value":"4f023f0ab9cd95ea9f8a9ea2b6ddc01a","encoding":"hex","digest":"md5"}}
    OBJECT_MISSING_REQUIRED_PROPERTY [hash] Missing required property: key
{"algorithm":"hmac","hash":{"value":"aa","encoding":"utf8","digest":"md5","key":{"value":"k"}}}
    ENUM_MISMATCH [hash.encoding] No enum match for: utf8
{"algorithm":"hmac","hash":{"value":"aa","encoding":"hex","digest":"md5","key":{}}}
    OBJECT_MISSING_REQUIRED_PROPERTY [hash.key] Missing required property: value
{"algorithm":"hmac","hash":{"value":"aa","encoding":"hex","digest":"sha3"}}
    ENUM_MISMATCH [hash.digest] No enum match for: sha3
{"algorithm":"ldap","hash":{"value":"{SSHA}L55TUjtiq8FBorTWAZ0jyw=="}}
    FORMAT [hash.value] Object didn't pass validation for format SSHA: 20 bytes expected, 16 found
{"algorithm":"ldap","hash":{"value":"{SHA}ua6N/fCd4la954HsMzWu42bRsfJhYmNkZWZnaA=="}}
    FORMAT [hash.value] Object didn't pass validation for format SHA: 20 bytes expected, 28 found
{"algorithm":"ldap","hash":{"value":"{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=","encoding":"base64"}}
    ENUM_MISMATCH [hash.encoding] No enum match for: base64
{"algorithm":"ldap","hash":{"value":"L55TUjtiq8FBorTWAZ0jy6g129A="}}
    PATTERN [hash.value] String does not match pattern ^\{(S?MD5|S?SHA(256|384|512)?)\}[A-Za-z0-9+/_-]+={0,2}$
"#,
    );
}

#[test]
fn strings_that_can_never_verify() {
    check(
        r#"
{"algorithm":"bcrypt","hash":{"value":"$2$10$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K"}}
    PATTERN [hash.value] String does not match pattern ^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$
{"algorithm":"bcrypt","hash":{"value":"$2b$3$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K"}}
    PATTERN [hash.value] String does not match pattern ^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$
{"algorithm":"bcrypt","hash":{"value":"$2b$03$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K"}}
    PATTERN [hash.value] String does not match pattern ^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQ$AAAA"}}
    FORMAT [hash.value] Object didn't pass validation for format pbkdf2: 32 bytes expected, 3 found
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$AAAA"}}
    FORMAT [hash.value] Object didn't pass validation for format pbkdf2: 64 bytes expected, 3 found
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=0,l=3$c2FsdHNhbHQ$AAAA"}}
    MINIMUM [hash.value] Value 0 is less than minimum 1 (pbkdf2 i)
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=1,l=0$c2FsdHNhbHQ$"}}
    MINIMUM [hash.value] Value 0 is less than minimum 1 (pbkdf2 l)
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=1,i=1,l=3$c2FsdHNhbHQ$AAAA"}}
    PATTERN [hash.value] String does not match pattern ^\$pbkdf2-[A-Za-z0-9-]+(\$(i=\d+)?,?(l=\d+)?)?\$[A-Za-z0-9+/]*\$[A-Za-z0-9+/]+$
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=1,l=1$c2FsdHNhbHQ$AA=="}}
    PATTERN [hash.value] String does not match pattern ^\$pbkdf2-[A-Za-z0-9-]+(\$(i=\d+)?,?(l=\d+)?)?\$[A-Za-z0-9+/]*\$[A-Za-z0-9+/]+$
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha3$i=1,l=3$c2FsdHNhbHQ$AAAA"}}
    ENUM_MISMATCH [hash.value] No enum match for: sha3
{"algorithm":"argon2","hash":{"value":"$argon2id$v=18$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    PATTERN [hash.value] String does not match pattern ^\$argon2(id|i|d)(\$v=(16|19))?\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{6,}$
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$t=1,m=64,p=1$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    PATTERN [hash.value] String does not match pattern ^\$argon2(id|i|d)(\$v=(16|19))?\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{6,}$
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=64,t=1,p=1,keyid=aa$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    PATTERN [hash.value] String does not match pattern ^\$argon2(id|i|d)(\$v=(16|19))?\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{6,}$
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=64,t=1,p=1$c2Fsd$AAAAAAAAAAA"}}
    PATTERN [hash.value] String does not match pattern ^\$argon2(id|i|d)(\$v=(16|19))?\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{6,}$
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    MINIMUM [hash.value] Value 0 is less than minimum 1 (argon2 t)
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=15,t=1,p=2$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    MINIMUM [hash.value] Value 15 is less than minimum 16 (argon2 m, 8 for each p)
"#,
    );
}

#[test]
fn scrypt_members_that_can_never_verify() {
    check(
        r#"
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":2}
    FORMAT [hash.value] Object didn't pass validation for format scrypt: 2 bytes expected, 1 found
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":0}
    MINIMUM [keylen] Value 0 is less than minimum 1 (keylen)
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":-3}
    MINIMUM [keylen] Value -3 is less than minimum 1 (keylen)
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":1.5}
    INVALID_TYPE [keylen] Expected type integer but found type number
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":"1"}
    INVALID_TYPE [keylen] Expected type integer but found type string
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":1,"cost":1}
    MINIMUM [cost] Value 1 is less than minimum 2 (scrypt cost)
"#,
    );
}

#[test]
fn hashes_that_cost_too_much() {
    check(
        r#"
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=67108864,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    MAXIMUM [hash.value] Value 67108864 is greater than maximum 262144 (argon2 m, in KiB)
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=99999999999999999999999,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    MAXIMUM [hash.value] Value 18446744073709551615 is greater than maximum 262144 (argon2 m, in KiB)
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=64,t=17,p=1$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    MAXIMUM [hash.value] Value 17 is greater than maximum 16 (argon2 t)
{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=1024,t=1,p=17$c2FsdHNhbHQ$AAAAAAAAAAA"}}
    MAXIMUM [hash.value] Value 17 is greater than maximum 16 (argon2 p)
{"algorithm":"bcrypt","hash":{"value":"$2b$17$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K"}}
    MAXIMUM [hash.value] Value 17 is greater than maximum 16 (bcrypt cost)
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=10000001,l=3$c2FsdHNhbHQ$AAAA"}}
    MAXIMUM [hash.value] Value 10000001 is greater than maximum 10000000 (pbkdf2 i)
{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-md5$i=5000001,l=17$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAA"}}
    MAXIMUM [hash.value] Value 10000002 is greater than maximum 10000000 (pbkdf2 i times the blocks of l)
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":1,"cost":524288}
    MAXIMUM [cost] Value 536870912 is greater than maximum 268435456 (bytes of memory, 128 × blockSize × (cost + parallelization - 1))
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":1,"cost":2,"blockSize":1,"parallelization":1073741824}
    MAXIMUM [cost] Value 137438953600 is greater than maximum 268435456 (bytes of memory, 128 × blockSize × (cost + parallelization - 1))
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":1,"cost":131072,"blockSize":8,"parallelization":5}
    MAXIMUM [parallelization] Value 5242880 is greater than maximum 4194304 (cost × blockSize × parallelization)
{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":1,"cost":4611686018427387904,"blockSize":9223372036854775807,"parallelization":18446744073709551615}
    MAXIMUM [cost] Value 18446744073709551615 is greater than maximum 268435456 (bytes of memory, 128 × blockSize × (cost + parallelization - 1))
"#,
    );
}

#[test]
fn the_ceilings_themselves_are_allowed() {
    for json in [
        r#"{"algorithm":"argon2","hash":{"value":"$argon2id$v=19$m=262144,t=16,p=16$c2FsdHNhbHQ$AAAAAAAAAAA"}}"#,
        r#"{"algorithm":"bcrypt","hash":{"value":"$2b$16$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K"}}"#,
        r#"{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=10000000,l=3$c2FsdHNhbHQ$AAAA"}}"#,
        r#"{"algorithm":"scrypt","hash":{"value":"aa","encoding":"hex"},"keylen":1.0,"cost":262144}"#,
    ] {
        crate::stored_and_read(&crate::read(json));
    }
}

#[test]
fn a_lowered_ceiling_does_not_lock_out_the_imported() {
    let json = r#"{"algorithm":"bcrypt","hash":{"value":"$2b$05$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K"}}"#;
    let low = Limits {
        bcrypt_cost: 4,
        ..Limits::default()
    };
    assert!(PasswordHash::from_custom(json, &low).is_err());
    crate::stored_and_read(&crate::read(json));
}
