//! The fuzzers' entry point under proptest: any text, and texts near to hashes.

use proptest::prelude::*;

const COMPUTED: &str = include_str!("../vectors/foreign.json");

/// A hash of another program with something cut out and something put in.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let file: serde_json::Value = serde_json::from_str(COMPUTED).unwrap();
    let examples: Vec<String> = file["examples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|example| example["stored"].as_str().unwrap().to_owned())
        .collect();
    let example = proptest::sample::select(examples);
    (example, any::<(u8, u8)>(), "[$:,=/.0-9a-zA-Z{}]{0,6}").prop_map(|(text, (at, cut), put)| {
        let at = usize::from(at) % (text.len() + 1);
        let end = (at + usize::from(cut % 4)).min(text.len());
        [
            &text.as_bytes()[..at],
            put.as_bytes(),
            &text.as_bytes()[end..],
        ]
        .concat()
    })
}

const HEADS: [&str; 30] = [
    "$y$",
    "$gy$",
    "$7$",
    "$2x$",
    "$md5$",
    "$md5,rounds=",
    "$sha1$",
    "$3$$",
    "$8$",
    "$9$",
    "$scram$",
    "$p5k2$",
    "$sspr$",
    "$shiro1$",
    "$sha256$pf=",
    "$hmac-md5$",
    "{CRYPT}",
    "{FSHP",
    "{scrypt}$",
    "{pbkdf2}",
    "{SHA-256}",
    "0x0100",
    "S:",
    "T:",
    "SCRYPT:",
    "otm_sha256:",
    "[\"",
    "_",
    "grub.pbkdf2.sha512.",
    "SCRAM-SHA-256$",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_a_hash_or_refused(text in any::<String>()) {
        password::fuzzing::read_any(text.as_bytes());
    }

    #[test]
    fn any_damaged_hash_is_a_hash_or_refused(bytes in damaged()) {
        password::fuzzing::read_any(&bytes);
    }

    #[test]
    fn any_beginning_is_a_hash_or_refused(
        head in proptest::sample::select(HEADS.to_vec()),
        rest in "[$:,=/.0-9a-zA-Z{}@\"\\[\\]-]{0,90}",
    ) {
        password::fuzzing::read_any(format!("{head}{rest}").as_bytes());
    }

    #[test]
    fn any_name_takes_any_text(first in any::<u8>(), rest in "[$:_./0-9a-f]{0,80}") {
        let mut bytes = vec![first % 128];
        bytes.extend(rest.bytes());
        password::fuzzing::read_any(&bytes);
    }
}
