//! Hashes of legacy stores: what other programs made verifies; what cannot be read says why and
//! repeats nothing.

use domain::Password;
use password::{ForeignOptions, Limits, UnreadableHash, verify_foreign};
use serde_json::Value;

const COMPUTED: &str = include_str!("../vectors/foreign.json");

fn verify(password: &str, stored: &str, options: &str) -> Result<bool, UnreadableHash> {
    let options = ForeignOptions::from_json(options)?;
    verify_foreign(
        &Password::from(password),
        stored,
        &options,
        &Limits::default(),
    )
}

fn refusal(stored: &str, options: &str) -> String {
    let refused = verify("hunter2", stored, options).expect_err(stored);
    refused
        .to_string()
        .replace("the stored password hash cannot be verified: ", "")
}

#[test]
fn hashes_of_other_programs_verify() {
    let file: Value = serde_json::from_str(COMPUTED).unwrap();
    let examples = file["examples"].as_array().unwrap();
    assert!(examples.len() > 200, "{}", examples.len());
    for example in examples {
        let (id, by) = (&example["id"], &example["by"]);
        let password = example["password"].as_str().unwrap();
        let stored = example["stored"].as_str().unwrap();
        let options = example
            .get("options")
            .map_or("{}".to_owned(), Value::to_string);
        let verified = verify(password, stored, &options);
        assert_eq!(verified, Ok(true), "{id} of {by}: {password}");
        let other = format!("!{password}");
        assert_eq!(verify(&other, stored, &options), Ok(false), "{id}: another");
        if password == "hunter2" {
            assert_eq!(verify("", stored, &options), Ok(false), "{id}: none");
        }
    }
}

#[test]
fn accounts_without_a_password_have_no_right_one() {
    for stored in ["", "!", "!aBcDeF0123", "*", "!$6$locked$x"] {
        for password in ["", "!", "*", "hunter2"] {
            assert_eq!(verify(password, stored, "{}"), Ok(false), "{stored}");
        }
    }
    assert_eq!(verify("", "", r#"{"algorithm":"md5"}"#), Ok(false));
}

#[test]
fn wordpress_trims_what_is_typed() {
    // md5('hunter2')
    let stored = "2ab96390c7dbe3439de74d0c9b0b1767";
    let options = r#"{"algorithm":"wordpress"}"#;
    assert_eq!(verify(" hunter2\n\t", stored, options), Ok(true));
    assert_eq!(verify("hunter 2", stored, options), Ok(false));
    assert_eq!(
        verify(" hunter2", stored, r#"{"algorithm":"md5"}"#),
        Ok(false)
    );
}

#[test]
fn a_digest_that_was_cut_off_is_refused() {
    for (stored, options) in [
        ("pbkdf2_sha256$1000$salt$", "{}"),
        ("pbkdf2_sha256$1000$salt$AAAA", "{}"),
        ("sha1$salt$", "{}"),
        ("scrypt:1024:4:2$salt$ab", "{}"),
        ("$pbkdf2-sha256$1000$c2FsdA$", "{}"),
        ("{SSHA}", "{}"),
        ("{PBKDF2}1000$c2FsdA$", "{}"),
        ("{PBKDF2_SHA256}AAAIAA==", "{}"),
        ("{PKCS5S2}AAAA", "{}"),
        ("AQAAAAEAACcQAAAAAA==", "{}"),
        (":A:", "{}"),
        ("*", r#"{"algorithm":"sha1"}"#),
        (
            "00",
            r#"{"algorithm":"pbkdf2-sha1","salt":"a","iterations":1}"#,
        ),
    ] {
        let refused = verify("hunter2", stored, options);
        assert!(refused.is_err(), "{stored} {options}: {refused:?}");
    }
}

#[test]
fn refusals_say_why_and_repeat_nothing() {
    let refusals = [
        ("2ab96390c7dbe3439de74d0c9b0b1767", "{}"),
        ("hunter2", "{}"),
        ("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSY", "{}"),
        ("$2b$17$MBCzKhG1KhezLh.0LRa0Kuw12nLJtpHy6DIaU.JAnqJUDYspHC.Ou", "{}"),
        ("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA", "{}"),
        ("pbkdf2_sha256$99999999$salt$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE=", "{}"),
        ("$6$rounds=999999999$salt$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1", "{}"),
        ("$P$V46647711V1klyitUYhtB8Yw5DMA/w.", "{}"),
        ("scrypt$1048576$salt$8$1$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE=", "{}"),
        ("{NOOP}hunter2", "{}"),
        ("{SSHA}!!", "{}"),
        ("$1$toolongsalt$x", "{}"),
        ("2ab96390c7dbe3439de74d0c9b0b1767", r#"{"algorithm":"sha1"}"#),
        ("2ab96390c7dbe3439de74d0c9b0b1767", r#"{"algorithm":"hmac-md5"}"#),
        ("2ab96390c7dbe3439de74d0c9b0b1767", r#"{"algorithm":"pbkdf2-md5","salt":"a"}"#),
        ("$1$38652870$DUjsu4TTlTsOe/xxZ05uf/", r#"{"salt":"a"}"#),
        ("x", r#"{"algorithm":"rot13"}"#),
        ("x", r#"{"algorithm":"md5","salted":"a"}"#),
        ("x", r#"{"algorithm":"sha1","iterations":"many"}"#),
        ("x", "[]"),
    ]
    .map(|(stored, options)| refusal(stored, options));
    insta::assert_snapshot!(refusals.join("\n"), @r"
    its format is not recognised
    its format is not recognised
    it begins like yescrypt and does not go on like it
    Value 17 is greater than maximum 16 (bcrypt cost)
    Value 4194304 is greater than maximum 262144 (argon2 m, in KiB)
    Value 99999999 is greater than maximum 10000000 (pbkdf2 i)
    Value 999999999 is greater than maximum 5000000 (SHA-crypt rounds)
    Value 8589934592 is greater than maximum 5000000 (phpass rounds)
    cost: Value 1073741824 is greater than maximum 268435456 (bytes of memory, 128 × blockSize × (cost + parallelization - 1))
    it is a password and no hash
    String does not match pattern ^\{(S?MD5|S?SHA(256|384|512)?)\}[A-Za-z0-9+/_-]+={0,2}$
    it begins like MD5-crypt and does not go on like it
    sha1 makes 20 bytes, and it has 24
    the option key is missing
    the option iterations is missing
    the option salt means nothing with this algorithm
    algorithm: No enum match for: rot13
    Additional properties not allowed: salted
    iterations: Expected type integer but found type string
    Expected type object but found type array
    ");
}

#[test]
fn rounds_have_a_ceiling_in_options_too() {
    let options = r#"{"algorithm":"md5","iterations":5000001}"#;
    assert_eq!(
        refusal("2ab96390c7dbe3439de74d0c9b0b1767", options),
        "iterations: Value 5000001 is greater than maximum 5000000 (iterations)"
    );
}

/// Lets cheap hashes in only.
fn cheap() -> Limits {
    Limits {
        memory_bytes: 1 << 20,
        bcrypt_cost: 4,
        pbkdf2_iterations: 2000,
        argon2_iterations: 2,
        argon2_parallelism: 4,
        scrypt_work: 1 << 12,
        digest_rounds: 2000,
    }
}

#[test]
fn no_damaged_hash_takes_another_password() {
    let file: Value = serde_json::from_str(COMPUTED).unwrap();
    let other = Password::from("another");
    let mut read = 0;
    for example in file["examples"].as_array().unwrap() {
        let options = example
            .get("options")
            .map_or("{}".to_owned(), Value::to_string);
        let options = ForeignOptions::from_json(&options).unwrap();
        if example["password"] != "hunter2" {
            continue;
        }
        let stored = example["stored"].as_str().unwrap();
        for length in 0..stored.len() {
            let (head, tail) = stored.split_at(length);
            for damaged in [
                head.to_owned(),
                tail.to_owned(),
                format!("{head}{}", &tail[1..]),
            ] {
                let verified = verify_foreign(&other, &damaged, &options, &cheap());
                assert_ne!(verified, Ok(true), "{damaged}");
                read += u32::from(verified.is_ok());
            }
        }
    }
    // Of most formats, something damaged can still be read.
    assert!(read > 500, "{read}");
}

#[test]
fn endless_passwords_are_wrong_at_once() {
    let long = "x".repeat(1 << 20);
    let file: Value = serde_json::from_str(COMPUTED).unwrap();
    let examples = file["examples"].as_array().unwrap();
    for id in [
        "Drepper SHA-512",
        "hashcat 500 MD5-crypt",
        "hashcat 400 phpass",
    ] {
        let example = examples.iter().find(|example| example["id"] == id).unwrap();
        let stored = example["stored"].as_str().unwrap();
        assert_eq!(verify(&long, stored, "{}"), Ok(false));
        assert_eq!(verify(&long[..1000], stored, "{}"), Ok(false));
    }
}
