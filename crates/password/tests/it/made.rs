//! Hashes of random passwords that other programs made a moment ago.

use password::{Limits, Owner, PasswordHash};
use testkit::HashVector;

use crate::{stored_and_read, verifies};

/// The hash of an import row.
fn read(vector: &HashVector) -> PasswordHash {
    let limits = Limits::default();
    let text = |name: &str| vector.record.get(name).and_then(serde_json::Value::as_str);
    let read = match text("password_hash") {
        Some(text) => PasswordHash::from_field(text, &limits).map(Option::unwrap),
        None => {
            let owner = Owner {
                username: text("username"),
                ..Owner::default()
            };
            let json = vector.record["custom_password_hash"].to_string();
            PasswordHash::from_custom_of(&json, &owner, &limits)
        }
    };
    read.unwrap_or_else(|refused| panic!("{refused:?}: {vector:?}"))
}

#[test]
fn what_other_programs_make_verifies() {
    let seed = format!("{:?}", std::time::SystemTime::now());
    let vectors = testkit::hash_vectors(&seed).unwrap();
    assert!(vectors.len() > 250, "{}", vectors.len());
    let mut wrong = Vec::new();
    for vector in &vectors {
        let hash = read(vector);
        let stored = stored_and_read(&hash);
        let right = verifies(&hash, &vector.password) && verifies(&stored, &vector.password);
        let other = verifies(&stored, &format!("!{}", vector.password)) || verifies(&hash, "");
        if !right || other {
            wrong.push(vector);
        }
    }
    assert!(wrong.is_empty(), "seed {seed:?}: {wrong:#?}");
}
