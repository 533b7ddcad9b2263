//! Bytes of an import or a script, read as every kind of hash.

use domain::Password;

use crate::foreign::ForeignOptions;
use crate::{Limits, Owner, PasswordHash, algorithm_names};

/// Lets in what verifies in milliseconds only, so that a target meets many.
const CHEAP: Limits = Limits {
    memory_bytes: 1 << 18,
    bcrypt_cost: 4,
    pbkdf2_iterations: 64,
    argon2_iterations: 1,
    argon2_parallelism: 2,
    scrypt_work: 1 << 9,
    digest_rounds: 1024,
};

/// Reads the bytes as every kind of hash there is. The first byte chooses a name of ours. Panics when
/// a reader breaks its promise: what was read verifies, and comes back from the store unchanged.
pub fn read_any(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(Some(hash)) = PasswordHash::from_field(text, &CHEAP) {
        // The documented bcrypt of cost 10 is let in whatever the ceilings, and takes its time.
        if text.starts_with("$2") {
            let _ = check_stored(&hash);
        } else {
            check(&hash);
        }
    }
    if let Ok(hash) = PasswordHash::from_known(text, &CHEAP) {
        check(&hash);
    }
    let owner = Owner {
        username: Some("name"),
        ..Owner::default()
    };
    if let Ok(hash) = PasswordHash::from_custom_of(text, &owner, &CHEAP) {
        check(&hash);
    }
    let _ = ForeignOptions::from_json(text);
    let Some((first, rest)) = text.as_bytes().split_first() else {
        return;
    };
    let name = algorithm_names().cycle().nth(usize::from(*first));
    let (Some(name), Ok(value)) = (name, std::str::from_utf8(rest)) else {
        return;
    };
    let hash = serde_json::json!({"value": value});
    let plain = serde_json::json!({"algorithm": name, "hash": hash.clone()});
    let salted = serde_json::json!({
        "algorithm": name, "hash": hash, "salt": {"value": "salt"}, "iterations": 2,
    });
    let keyed = serde_json::json!({
        "algorithm": name, "hash": {"value": value, "key": {"value": "key"}},
    });
    for record in [plain, salted, keyed] {
        if let Ok(hash) = PasswordHash::from_custom_of(&record.to_string(), &owner, &CHEAP) {
            check(&hash);
        }
    }
}

fn check_stored(hash: &PasswordHash) -> Result<PasswordHash, String> {
    let stored = hash.to_stored();
    let again = PasswordHash::from_stored(&stored);
    let again = again.map_err(|error| error.to_string());
    let same = again
        .as_ref()
        .map(|again| again.to_stored().expose() == stored.expose());
    assert_eq!(same, Ok(true), "the stored text is not canonical");
    again
}

fn check(hash: &PasswordHash) {
    let again = check_stored(hash);
    for password in ["", "password"] {
        let password = Password::from(password);
        let right = again.as_ref().is_ok_and(|again| again.verify(&password));
        assert_eq!(right, hash.verify(&password), "the store changed a hash");
    }
}
