//! Fast hashes under a slow one: every computed record of a fast family, wrapped at rest.

use domain::{Entropy, HashText, Password};
use password::{FAST_PREFIXES, ImportContext, Limits, PasswordHash, Scheme};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{read, stored_and_read, verifies};

const PUBLISHED: &str = include_str!("../vectors/custom_password_hash.json");
const COMPUTED: &str = include_str!("../vectors/more.json");
const SMALL: Scheme = Scheme::Argon2id {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

pub fn wrap(stored: &HashText) -> Option<PasswordHash> {
    PasswordHash::wrap(stored, &SMALL, &Fixed).unwrap()
}

pub fn is_fast(stored: &HashText) -> bool {
    let text = stored.expose();
    FAST_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

#[test]
fn every_fast_vector_verifies_wrapped() {
    let mut families = std::collections::BTreeSet::new();
    for file in [PUBLISHED, COMPUTED] {
        let file: Value = serde_json::from_str(file).unwrap();
        for example in file["examples"].as_array().unwrap() {
            let id = example["id"].as_str().unwrap();
            let password = example["password"].as_str().unwrap();
            let stored = read(&example["custom_password_hash"].to_string()).to_stored();
            let Some(wrapped) = wrap(&stored) else {
                assert!(!is_fast(&stored), "{id}");
                continue;
            };
            assert!(is_fast(&stored), "{id}");
            families.insert(wrapped.algorithm());
            let again = stored_and_read(&wrapped);
            for hash in [&wrapped, &again] {
                assert!(verifies(hash, password), "{id}");
                assert!(!verifies(hash, &format!("!{password}")), "{id}");
                assert!(hash.is_custom() && !hash.is_current(&SMALL), "{id}");
            }
            // Wrapped once is enough.
            let text = wrapped.to_stored();
            assert!(!is_fast(&text) && wrap(&text).is_none(), "{id}");
            // It goes out and back in as it is.
            let member = PasswordHash::to_import_member(&text).unwrap();
            assert_eq!(member.name, "custom_password_hash");
            let back = PasswordHash::from_custom(&member.json, &Limits::default()).unwrap();
            assert_eq!(back.to_stored().expose(), text.expose(), "{id}");
        }
    }
    let all = ["hmac", "ldap", "md4", "md5", "sha1", "sha256", "sha512"];
    assert_eq!(families.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn slow_hashes_and_unknown_texts_stay() {
    let argon2 = SMALL.hash(&Password::from("x"), &Fixed).unwrap();
    let bcrypt = Scheme::Bcrypt { cost: 4 };
    let bcrypt = bcrypt.hash(&Password::from("x"), &Fixed).unwrap();
    let value = bcrypt.to_stored();
    let custom = json!({"algorithm": "bcrypt", "hash": {"value": value.expose()}});
    for stored in [
        argon2.to_stored(),
        bcrypt.to_stored(),
        read(&custom.to_string()).to_stored(),
        HashText::from("custom:{"),
        HashText::from("anything"),
    ] {
        assert!(wrap(&stored).is_none() && !is_fast(&stored));
    }
}

#[test]
fn what_is_no_wrapped_record_is_refused() {
    let outer = SMALL
        .hash(&Password::from("x"), &Fixed)
        .unwrap()
        .to_stored();
    let inner = json!({"algorithm": "md5", "hash": {"value": "0".repeat(32), "encoding": "hex"}});
    let record = |inner: Value, outer: &str| {
        json!({"algorithm": "ferry-wrapped", "inner": inner, "hash": {"value": outer}}).to_string()
    };
    let read = |json: &str| PasswordHash::from_custom(json, &Limits::default());
    read(&record(inner.clone(), outer.expose())).unwrap();
    let slow = json!({"algorithm": "argon2", "hash": {"value": outer.expose()}});
    let nested = serde_json::from_str(&record(inner.clone(), outer.expose())).unwrap();
    let large = outer.expose().replace("m=8", "m=99999999");
    for wrong in [
        record(slow, outer.expose()),
        record(nested, outer.expose()),
        record(json!({}), outer.expose()),
        record(inner.clone(), "$2b$10$abc"),
        record(inner.clone(), &large),
        record(inner, outer.expose()).replace("\"hash\":", "\"more\":1,\"hash\":"),
        r#"{"algorithm":"ferry-wrapped"}"#.to_owned(),
    ] {
        assert!(read(&wrong).is_err(), "{wrong}");
    }
}

/// A record of a row whose connection holds a pepper.
fn peppered(record: &str) -> PasswordHash {
    let context = ImportContext {
        has_pepper: true,
        ..ImportContext::default()
    };
    PasswordHash::from_import(record, &context, &Limits::default()).unwrap()
}

#[test]
fn a_recipe_of_a_few_digests_is_wrapped_and_its_pepper_stays_outside() {
    use sha2::Digest as _;
    let digest = hex::encode(sha2::Sha256::digest("p3pper|s4lt|right"));
    let record = |recipe: &str| {
        json!({"algorithm": "recipe", "recipe": recipe, "salt": {"value": "s4lt"},
            "hash": {"value": digest, "encoding": "hex"}})
        .to_string()
    };
    let stored = peppered(&record("sha256(pepper + '|' + salt + '|' + password)")).to_stored();
    assert!(is_fast(&stored));
    let text = wrap(&stored).unwrap().to_stored();
    assert!(!text.expose().contains("p3pper") && !is_fast(&text));
    let hash = || PasswordHash::from_stored(&text).unwrap();
    assert!(hash().needs_pepper());
    assert!(!verifies(&hash(), "right"), "nothing without the pepper");
    let whole = hash().with_pepper("p3pper");
    assert!(verifies(&whole, "right") && !verifies(&whole, "wrong"));
    assert!(!verifies(&hash().with_pepper("other"), "right"));
    // Out and back in, where the connection holds the pepper and nowhere else.
    let member = PasswordHash::to_import_member(&text).unwrap();
    assert!(PasswordHash::from_custom(&member.json, &Limits::default()).is_err());
    let back = peppered(&member.json);
    assert_eq!(back.to_stored().expose(), text.expose());
    // What is slow by itself stays.
    let slow = record("pbkdf2_sha256(password + pepper, salt, 1000, 32)");
    let slow = peppered(&slow).to_stored();
    assert!(!is_fast(&slow) && wrap(&slow).is_none());
}

/// Nothing that is kept can be guessed at full speed: no other spelling, and no second digest.
#[test]
fn no_spelling_of_a_digest_is_left() {
    let sha1 = "75552156f2c9a1d0aa10b3b6c2b3a5d6e7f80912";
    for text in [
        format!("sha1$salt${}", sha1.to_uppercase()),
        format!("*{sha1}"),
        format!("0x0100cafebabe{sha1}{}", "9".repeat(40)),
        format!("S:{sha1}00112233445566778899;H:{}", "9".repeat(32)),
        "{SSHA}QUJDREVGR0hJSktMTU5PUFFSU1RzYWx0".to_owned(),
        "$hmac-md5$MmFiOTYzOTBjN2RiZTM0MzlkZTc0ZDBjOWIwYjE3Njc=$a2V5".to_owned(),
    ] {
        let hash = PasswordHash::from_known(&text, &Limits::default()).unwrap();
        let stored = hash.to_stored();
        assert!(is_fast(&stored), "{text}");
        let wrapped = wrap(&stored).unwrap();
        assert_eq!(wrapped.algorithm(), hash.algorithm());
        let wrapped = wrapped.to_stored().expose().to_lowercase();
        let nines = "9".repeat(32);
        for digest in [&sha1[4..], &nines, "qujdrevgr0h", "mmfiotyzotbjn2ri"] {
            assert!(!wrapped.contains(digest), "{text}: {wrapped}");
        }
    }
}

proptest! {
    /// The digest that the import brought is nowhere in what is kept.
    #[test]
    fn the_inner_digest_is_not_kept(password in ".{0,20}", salt in "[a-z]{1,8}") {
        use base64::Engine as _;
        use md5::Digest as _;
        let digest = md5::Md5::digest(format!("{salt}{password}"));
        let record = json!({"algorithm": "md5", "salt": {"value": salt},
            "hash": {"value": hex::encode(digest), "encoding": "hex"}});
        let wrapped = wrap(&read(&record.to_string()).to_stored()).unwrap();
        let text = wrapped.to_stored();
        let base64 = base64::prelude::BASE64_STANDARD.encode(digest);
        let base64 = base64.trim_end_matches('=');
        prop_assert!(!text.expose().contains(base64));
        prop_assert!(!text.expose().contains(&hex::encode(digest)));
        prop_assert!(verifies(&stored_and_read(&wrapped), &password));
    }
}
