//! Every published and every computed record: verifies, refuses another password, survives the
//! store.

use password::{Limits, PasswordHash};
use serde_json::Value;

use crate::{read, stored_and_read, verifies};

const PUBLISHED: &str = include_str!("../vectors/custom_password_hash.json");
const COMPUTED: &str = include_str!("../vectors/more.json");

fn check_all(file: &str) -> usize {
    let file: Value = serde_json::from_str(file).unwrap();
    let examples = file["examples"].as_array().unwrap();
    for example in examples {
        let id = example["id"].as_str().unwrap();
        let password = example["password"].as_str().unwrap();
        let hash = read(&example["custom_password_hash"].to_string());
        assert!(verifies(&hash, password), "{id} verifies");
        // In front: bcrypt sees 72 bytes only.
        let other = format!("!{password}");
        // One byte of scrypt output cannot tell every password from another.
        let telling = id != "scrypt-no-salt";
        assert!(
            !telling || !verifies(&hash, &other),
            "{id} refuses another password"
        );
        assert!(
            !telling || !verifies(&hash, "") || password.is_empty(),
            "{id} refuses none"
        );
        assert!(hash.is_custom(), "{id}");
        let again = stored_and_read(&hash);
        assert!(verifies(&again, password), "{id} verifies after the store");
        assert!(
            !telling || !verifies(&again, &other),
            "{id} refuses after the store"
        );
    }
    examples.len()
}

#[test]
fn published_records_verify() {
    assert_eq!(check_all(PUBLISHED), 31);
}

#[test]
fn computed_records_verify() {
    assert!(check_all(COMPUTED) > 100);
}

#[test]
fn mdc2_is_refused_by_name() {
    let file: Value = serde_json::from_str(COMPUTED).unwrap();
    let records = file["unsupported"].as_array().unwrap();
    let messages: Vec<String> = records
        .iter()
        .map(|record| {
            let json = record["custom_password_hash"].to_string();
            let refused = PasswordHash::from_custom(&json, &Limits::default()).unwrap_err();
            format!(
                "{} {} {}",
                refused.code.as_str(),
                refused.path,
                refused.message
            )
        })
        .collect();
    insta::assert_snapshot!(messages.join("\n"), @r"
    ENUM_MISMATCH hash.value No enum match for: RSA-MDC2 (MDC-2 is not supported)
    ENUM_MISMATCH hash.value No enum match for: mdc2 (MDC-2 is not supported)
    ENUM_MISMATCH hash.value No enum match for: mdc2WithRSA (MDC-2 is not supported)
    ");
}

#[test]
fn equal_meanings_have_one_stored_text() {
    let hex = read(
        r#"{"algorithm":"md5","hash":{"value":"4F023F0AB9CD95EA9F8A9EA2B6DDC01A","encoding":"hex"},
            "salt":{"value":"NaCl","encoding":"utf8","position":"prefix"},"password":{"encoding":"binary"}}"#,
    );
    let base64 = read(
        r#"{"password":{"encoding":"ascii"},"salt":{"value":"4e61436c","encoding":"hex"},
            "hash":{"encoding":"base64","value":"TwI_CrnNleqfip6itt3AGg"},"algorithm":"md5"}"#,
    );
    assert_eq!(hex.to_stored().expose(), base64.to_stored().expose());
    insta::assert_snapshot!(hex.to_stored().expose(), @r#"custom:{"algorithm":"md5","hash":{"value":"TwI/CrnNleqfip6itt3AGg==","encoding":"base64"},"salt":{"value":"TmFDbA==","encoding":"base64"},"password":{"encoding":"latin1"}}"#);
}

#[test]
fn a_zero_byte_inside_a_bcrypt_password_counts() {
    let hash = read(
        r#"{"algorithm":"bcrypt","hash":{"value":"$2a$10$NCYvj1fob0AkvO5JqkIzKeh/Tw02HNCZQbd62QF9PKFJw/Piq4lTq"}}"#,
    );
    assert!(verifies(&hash, "correct horse"));
    assert!(!verifies(&hash, "correct horse\0and more"));
}

#[test]
fn the_algorithm_names_argon2s_variant() {
    let name = |json: &str| read(json).algorithm();
    let argon2 = |variant: &str| {
        format!(
            r#"{{"algorithm":"argon2","hash":{{"value":"${variant}$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAA"}}}}"#
        )
    };
    for variant in ["argon2i", "argon2d", "argon2id"] {
        assert_eq!(name(&argon2(variant)), variant);
    }
}
