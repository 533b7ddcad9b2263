//! Own hashes and the `password_hash` field.

use domain::{Entropy, HashText, Password, RowErrorCode};
use password::{HashError, PasswordHash, Scheme};

use crate::{stored_and_read, verifies};

/// Counts upwards: two salts never agree.
struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

const SMALL: Scheme = Scheme::Argon2id {
    memory_kib: 64,
    iterations: 1,
    parallelism: 2,
};
const BCRYPT: Scheme = Scheme::Bcrypt { cost: 4 };

fn hash(scheme: Scheme, password: &str) -> PasswordHash {
    let entropy = Counting(std::sync::atomic::AtomicU8::new(1));
    scheme.hash(&Password::from(password), &entropy).unwrap()
}

#[test]
fn own_hashes_verify_and_stay_until_the_scheme_changes() {
    for scheme in [SMALL, BCRYPT] {
        let made = hash(scheme, "pä55 wörd");
        let again = stored_and_read(&made);
        for hash in [&made, &again] {
            assert!(verifies(hash, "pä55 wörd"));
            assert!(!verifies(hash, "pa55 word"));
            assert!(hash.is_current(&scheme));
            assert!(!hash.is_custom());
            for other in [
                Scheme::default(),
                Scheme::Bcrypt { cost: 5 },
                Scheme::Argon2id {
                    memory_kib: 65,
                    iterations: 1,
                    parallelism: 2,
                },
                Scheme::Argon2id {
                    memory_kib: 64,
                    iterations: 2,
                    parallelism: 2,
                },
                Scheme::Argon2id {
                    memory_kib: 64,
                    iterations: 1,
                    parallelism: 1,
                },
            ] {
                assert!(!hash.is_current(&other), "{other:?}");
            }
        }
    }
}

#[test]
fn the_default_scheme_is_owasps() {
    let hash = hash(Scheme::default(), "correct horse");
    assert!(
        hash.to_stored()
            .expose()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$AQIDBAUGBwgJCgsMDQ4PEA$")
    );
    assert_eq!(hash.algorithm(), "argon2id");
    assert!(hash.is_current(&Scheme::default()));
}

#[test]
fn every_hash_has_its_own_salt() {
    let entropy = Counting(std::sync::atomic::AtomicU8::new(0));
    for scheme in [SMALL, BCRYPT] {
        let one = scheme
            .hash(&Password::from("same"), &entropy)
            .unwrap()
            .to_stored();
        let two = scheme
            .hash(&Password::from("same"), &entropy)
            .unwrap()
            .to_stored();
        assert_ne!(one.expose(), two.expose());
    }
}

#[test]
fn bcrypt_sees_72_bytes_and_argon2_all() {
    let (long, longer) = ("x".repeat(72), "x".repeat(73));
    assert!(verifies(&hash(BCRYPT, &long), &longer));
    assert!(!verifies(&hash(BCRYPT, &long), &long[1..]));
    assert!(!verifies(&hash(SMALL, &long), &longer));
}

#[test]
fn parameters_out_of_range_are_an_error() {
    let entropy = Counting(std::sync::atomic::AtomicU8::new(0));
    for scheme in [
        Scheme::Bcrypt { cost: 3 },
        Scheme::Bcrypt { cost: 32 },
        Scheme::Bcrypt { cost: 300 },
        Scheme::Argon2id {
            memory_kib: 7,
            iterations: 1,
            parallelism: 1,
        },
        Scheme::Argon2id {
            memory_kib: 15,
            iterations: 1,
            parallelism: 2,
        },
        Scheme::Argon2id {
            memory_kib: 64,
            iterations: 0,
            parallelism: 1,
        },
        Scheme::Argon2id {
            memory_kib: 64,
            iterations: 1,
            parallelism: 0,
        },
        Scheme::Argon2id {
            memory_kib: 64,
            iterations: 1,
            parallelism: u32::MAX,
        },
    ] {
        let refused = scheme.hash(&Password::from("x"), &entropy);
        assert!(
            matches!(refused, Err(HashError::Parameters(_))),
            "{scheme:?}"
        );
    }
}

const FIELD: &str = "$2b$10$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K";

#[test]
fn the_field_takes_bcrypt_of_cost_10() {
    for version in ["$2$", "$2a$", "$2b$"] {
        let text = FIELD.replace("$2b$", version);
        let hash = PasswordHash::from_bcrypt_field(&text).unwrap();
        assert_eq!(hash.to_stored().expose(), text);
        assert_eq!(hash.algorithm(), "bcrypt");
        assert!(!verifies(&hash, ""));
        stored_and_read(&hash);
        assert_eq!(
            hash.is_current(&Scheme::Bcrypt { cost: 10 }),
            version != "$2$"
        );
        assert!(!hash.is_current(&Scheme::default()));
    }
    let text = "$2a$10$NCYvj1fob0AkvO5JqkIzKeh/Tw02HNCZQbd62QF9PKFJw/Piq4lTq";
    let hash = PasswordHash::from_bcrypt_field(text).unwrap();
    assert!(verifies(&hash, "correct horse"));
    assert!(!verifies(&hash, "correct horsf"));
}

#[test]
fn the_field_takes_nothing_else() {
    let wrong = [
        String::new(),
        FIELD.replace("$10$", "$12$"),
        FIELD.replace("$10$", "$100$"),
        FIELD.replace("$10$", "$010$"),
        FIELD.replace("$2b$", "$2x$"),
        FIELD.replace("$2b$", "$2y$"),
        FIELD[..59].to_owned(),
        format!("{FIELD}K"),
        format!("{FIELD}\n"),
        format!(" {FIELD}"),
        FIELD.replace('/', "+"),
        FIELD.replace('/', "é"),
    ];
    for text in wrong {
        let refused = PasswordHash::from_bcrypt_field(&text).unwrap_err();
        assert_eq!(refused.code, RowErrorCode::Pattern, "{text}");
        assert_eq!(refused.path, "password_hash");
        assert_eq!(
            refused.message,
            r"String does not match pattern ^\$2[ab]?\$10+\$[./A-Za-z0-9]{53}$"
        );
    }
}

#[test]
fn a_stored_text_that_is_not_ours_is_corrupt() {
    for text in [
        "",
        "custom:",
        "custom:{}",
        "plaintext",
        "$2x$10$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K",
        "$2b$03$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K",
        "$2b$32$nFguVi9LsCAcvTZFKQlRKeLVydo8ETv483lkNsSFI/Wl1Rz1Ypo1K",
        "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ",
        "$argon2id$v=19$m=64,t=1,p=4294967295$c2FsdHNhbHQ$AAAAAAAAAAA",
    ] {
        let corrupt = PasswordHash::from_stored(&HashText::from(text)).unwrap_err();
        let message = corrupt.to_string();
        assert!(
            !message.contains("nFgu") && !message.contains("c2Fsd"),
            "{message}"
        );
    }
}

#[test]
fn debug_prints_the_algorithm_only() {
    assert_eq!(format!("{:?}", hash(BCRYPT, "x")), "PasswordHash(bcrypt)");
}
