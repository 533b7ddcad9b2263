//! A submitted record as the error report shows it: as sent, but for its secrets.
//!
//! Whatever may be a secret by its name or its place is replaced, also in records that are wrong
//! in other ways. What can't be read as JSON is not shown at all.

use serde_json::{Map, Value, json};

const MASK: &str = "*****";

/// Records above it are shown by their keys alone.
const MOST_BYTES: usize = 16 << 10;

/// Renders a record for the report.
pub(super) fn mask(raw: &[u8]) -> String {
    match serde_json::from_slice(raw) {
        Err(_) => json!({"_unreadable": true, "_bytes": raw.len()}).to_string(),
        Ok(Value::Object(record)) if raw.len() > MOST_BYTES => {
            abridged(record, raw.len()).to_string()
        }
        Ok(_) if raw.len() > MOST_BYTES => {
            json!({"_truncated": true, "_bytes": raw.len()}).to_string()
        }
        Ok(mut value) => {
            mask_record(&mut value);
            value.to_string()
        }
    }
}

/// Stands for a record that was too large to be held.
pub(super) fn oversized(bytes: i64) -> String {
    json!({"_truncated": true, "_bytes": bytes}).to_string()
}

fn abridged(mut record: Map<String, Value>, bytes: usize) -> Value {
    record.retain(|name, value| {
        let is_key = matches!(
            name.as_str(),
            "email" | "user_id" | "username" | "phone_number"
        );
        is_key && value.as_str().is_some_and(|text| text.len() <= 512)
    });
    record.insert("_truncated".into(), Value::Bool(true));
    record.insert("_bytes".into(), bytes.into());
    Value::Object(record)
}

fn mask_record(value: &mut Value) {
    let Value::Object(record) = value else {
        // Text where a record belongs may be anything: a hash, a password.
        mask_all(value, &[]);
        return;
    };
    for (name, value) in record {
        match name.as_str() {
            "custom_password_hash" => mask_all(value, HASH_WORDS),
            "mfa_factors" => mask_factors(value),
            _ => mask_named(name, value),
        }
    }
}

/// Members of `custom_password_hash` that are words of the format and no secrets.
const HASH_WORDS: &[&str] = &["algorithm", "encoding", "digest", "position", "prehash"];

/// Masks all text, but short plain words under the names given. Numbers stay: they are costs.
fn mask_all(value: &mut Value, words: &[&str]) {
    match value {
        Value::String(text) => MASK.clone_into(text),
        Value::Array(elements) => elements.iter_mut().for_each(|value| mask_all(value, words)),
        Value::Object(members) => {
            for (name, value) in members {
                let is_word =
                    words.contains(&name.as_str()) && value.as_str().is_some_and(is_plain);
                if !is_word {
                    mask_all(value, words);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A word of the format; a digest in the wrong member is longer (MD5 in hex has 32 letters).
fn is_plain(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() <= 28 && text.bytes().all(is_letter)
}

/// Numbers and addresses of factors stay; everything else there is a shared secret.
fn mask_factors(value: &mut Value) {
    let Value::Array(elements) = value else {
        mask_all(value, &[]);
        return;
    };
    for element in elements {
        let Value::Object(factor) = element else {
            mask_all(element, &[]);
            continue;
        };
        for (kind, value) in factor {
            let is_contact = matches!(kind.as_str(), "phone" | "email");
            if !is_contact || !value.get("value").is_some_and(Value::is_string) {
                mask_all(value, &[]);
            }
        }
    }
}

/// Masks a member that is called like a secret, wherever it stands; looks into all others.
fn mask_named(name: &str, value: &mut Value) {
    let name = name.to_lowercase();
    let is_secret = ["password", "passwd", "secret", "pwd"]
        .iter()
        .any(|word| name.contains(word));
    match value {
        _ if is_secret && (value.is_string() || value.is_number()) => *value = MASK.into(),
        _ if is_secret => mask_all(value, &[]),
        Value::Array(elements) => elements.iter_mut().for_each(|value| mask_named("", value)),
        Value::Object(members) => {
            for (name, value) in members {
                mask_named(name, value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_record_without_its_secrets() {
        let record = json!({
            "email": "zoe@example.com", "user_id": "42", "password_hash": "S3CRET-hash",
            "custom_password_hash": {
                "algorithm": "hmac", "cost": 3, "password": {"encoding": "utf8"},
                "hash": {"value": "S3CRET", "encoding": "hex", "digest": "sha1", "key": {"value": "S3CRET", "encoding": "utf8"}},
                "salt": {"value": "S3CRET", "position": "S3CRET value where a word belongs"},
            },
            "mfa_factors": [{"totp": {"secret": "S3CRET"}}, {"phone": {"value": "+1"}}, "S3CRET"],
            "passwordHash": "S3CRET", "user_metadata": {"plan": "pro", "x": [{"Password": "S3CRET"}]},
            "client_secret": {"a": ["S3CRET"]}, "pwd": 1234,
        });
        let masked = mask(record.to_string().as_bytes());
        assert!(!masked.contains("S3CRET"), "{masked}");
        let masked: Value = serde_json::from_str(&masked).unwrap();
        let masked = serde_json::to_string_pretty(&masked).unwrap();
        insta::assert_snapshot!(masked, @r###"
    {
      "email": "zoe@example.com",
      "user_id": "42",
      "password_hash": "*****",
      "custom_password_hash": {
        "algorithm": "hmac",
        "cost": 3,
        "password": {
          "encoding": "utf8"
        },
        "hash": {
          "value": "*****",
          "encoding": "hex",
          "digest": "sha1",
          "key": {
            "value": "*****",
            "encoding": "utf8"
          }
        },
        "salt": {
          "value": "*****",
          "position": "*****"
        }
      },
      "mfa_factors": [
        {
          "totp": {
            "secret": "*****"
          }
        },
        {
          "phone": {
            "value": "+1"
          }
        },
        "*****"
      ],
      "passwordHash": "*****",
      "user_metadata": {
        "plan": "pro",
        "x": [
          {
            "Password": "*****"
          }
        ]
      },
      "client_secret": {
        "a": [
          "*****"
        ]
      },
      "pwd": "*****"
    }
    "###);
    }

    #[test]
    fn shows_nothing_of_what_it_cannot_read() {
        assert_eq!(
            mask(b"{\"password_hash\": \"S3CRET\""),
            r#"{"_unreadable":true,"_bytes":26}"#
        );
        assert_eq!(mask(b"\xFF"), r#"{"_unreadable":true,"_bytes":1}"#);
        assert_eq!(mask(b"\"S3CRET\""), "\"*****\"");
        let huge =
            json!({"email": "a@b.co", "password_hash": "S3CRET", "name": "x".repeat(20_000)});
        let masked = mask(huge.to_string().as_bytes());
        assert_eq!(
            masked,
            r#"{"email":"a@b.co","_truncated":true,"_bytes":20053}"#
        );
    }
}
