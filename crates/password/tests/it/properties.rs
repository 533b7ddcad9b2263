//! Properties: nothing that arrives makes a parser panic, a refusal never repeats a secret, and
//! what is stored is what was read.

use domain::{HashText, Password};
use password::{Limits, PasswordHash};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Verifying must stay quick enough for hundreds of cases.
fn cheap() -> Limits {
    Limits {
        memory_bytes: 1 << 20,
        bcrypt_cost: 4,
        pbkdf2_iterations: 1000,
        argon2_iterations: 2,
        argon2_parallelism: 4,
        scrypt_work: 1 << 12,
        digest_rounds: 1 << 10,
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "argon2", "bcrypt", "hmac", "ldap", "md4", "md5", "sha1", "sha256", "sha512", "pbkdf2",
            "scrypt", "hex", "base64", "utf8", "prefix", "suffix", "utf16le", "latin1",
        ])
        .prop_map(str::to_owned),
        hash_text(),
        any::<String>(),
    ]
}

/// Texts near to what the parsers look for.
fn hash_text() -> impl Strategy<Value = String> {
    prop_oneof![
        r"\$2[abxy]?\$[0-9]{1,3}\$[./A-Za-z0-9]{50,54}",
        r"\$argon2(id|i|d)?(\$v=(16|19|1))?\$m=[0-9]{1,12},t=[0-9]{1,3},p=[0-9]{1,9}\$[A-Za-z0-9+/=]{8,24}\$[A-Za-z0-9+/]{0,44}",
        r"\$pbkdf2-(sha1|sha256|mdc2|whirlpool|x)(\$(i=[0-9]{1,8})?,?(l=[0-9]{1,2})?)?\$[A-Za-z0-9+/]{0,12}\$[A-Za-z0-9+/]{0,90}",
        r"\{(S?MD5|S?SHA|ssha512|CRYPT)?\}?[A-Za-z0-9+/]{0,60}={0,2}",
        "[0-9a-fA-F]{0,130}",
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => word().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (0_i64..40).prop_map(|power| json!(1_u64 << power)),
        1 => any::<f64>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

/// Objects with the contract's member names, mostly.
fn record() -> impl Strategy<Value = Value> {
    let names = vec![
        "algorithm",
        "hash",
        "salt",
        "password",
        "keylen",
        "cost",
        "blockSize",
        "parallelization",
        "value",
        "encoding",
        "digest",
        "key",
        "position",
        "other",
    ];
    leaf().prop_recursive(3, 24, 6, move |inner| {
        prop::collection::vec((prop::sample::select(names.clone()), inner), 0..7).prop_map(
            |members| {
                let members = members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect::<Map<_, _>>())
            },
        )
    })
}

/// Records of the right shape with any content.
fn plausible() -> impl Strategy<Value = Value> {
    let texts = (hash_text(), "[0-9a-f]{0,8}", any::<bool>());
    let words = (
        prop::sample::select(vec![
            "argon2", "bcrypt", "ldap", "md5", "sha1", "pbkdf2", "scrypt",
        ]),
        prop::sample::select(vec!["utf8", "utf16le", "ucs2", "latin1", "ascii", "binary"]),
    );
    (words, texts, 1_u64..64, 0_u32..14).prop_map(|((algorithm, encoding), texts, keylen, log)| {
        let (value, salt, suffix) = texts;
        let mut record = json!({
            "algorithm": algorithm,
            "hash": { "value": value },
            "password": { "encoding": encoding },
        });
        if matches!(algorithm, "md5" | "sha1" | "scrypt") {
            let size = match algorithm {
                "md5" => 16,
                "sha1" => 20,
                _ => keylen,
            };
            let bytes = value
                .bytes()
                .chain(std::iter::repeat(0))
                .take(size.try_into().unwrap());
            let hex = hex::encode(bytes.collect::<Vec<_>>());
            record["hash"] = json!({ "value": hex, "encoding": "hex" });
            let position = if suffix { "suffix" } else { "prefix" };
            record["salt"] = json!({ "value": salt, "encoding": "utf8", "position": position });
        }
        if algorithm == "scrypt" {
            record["keylen"] = keylen.into();
            record["cost"] = (1_u64 << log).into();
            record["blockSize"] = 1.into();
        }
        record
    })
}

/// Whatever was read must verify without a panic, and come back from the store unchanged.
fn check(json: &str, password: &str) {
    let Ok(hash) = PasswordHash::from_custom(json, &cheap()) else {
        return;
    };
    let again = crate::stored_and_read(&hash);
    let password = Password::from(password);
    assert_eq!(hash.verify(&password), again.verify(&password));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), password in any::<String>()) {
        check(&text, &password);
        let _ = PasswordHash::from_bcrypt_field(&text);
        let _ = PasswordHash::from_stored(&HashText::from(text.as_str()));
        let _ = PasswordHash::from_stored(&HashText::from(format!("custom:{text}")));
    }

    #[test]
    fn any_near_hash_is_read_or_refused(text in hash_text()) {
        let _ = PasswordHash::from_bcrypt_field(&text);
        let _ = PasswordHash::from_stored(&HashText::from(text));
    }

    #[test]
    fn any_json_is_read_or_refused(record in record(), password in any::<String>()) {
        check(&record.to_string(), &password);
    }

    #[test]
    fn any_plausible_record_is_read_or_refused(record in plausible(), password in any::<String>()) {
        check(&record.to_string(), &password);
    }

    #[test]
    fn refusals_do_not_repeat_secrets(needle in "[a-z]{40}", record in plausible()) {
        let mut record = record;
        record["hash"]["value"] = format!("{needle}!").into();
        record["salt"] = json!({ "value": format!("{needle}!"), "encoding": "hex" });
        let refused = PasswordHash::from_custom(&record.to_string(), &cheap()).unwrap_err();
        prop_assert!(!refused.message.contains(&needle), "{}", refused.message);
        prop_assert!(!refused.path.contains(&needle), "{}", refused.path);
    }
}
