//! Hashes of random passwords that other programs made a moment ago.

use password::{Limits, Owner, PasswordHash};
use testkit::HashVector;

use crate::wrapped::{is_fast, wrap};
use crate::{stored_and_read, verifies};

/// The hash of an import row.
fn read(vector: &HashVector) -> PasswordHash {
    let limits = Limits::default();
    let text = |name: &str| vector.record.get(name).and_then(serde_json::Value::as_str);
    let read = if let Some(text) = text("password_hash") {
        PasswordHash::from_field(text, &limits).map(Option::unwrap)
    } else {
        let owner = Owner {
            username: text("username"),
            ..Owner::default()
        };
        let json = vector.record["custom_password_hash"].to_string();
        PasswordHash::from_custom_of(&json, &owner, &limits)
    };
    read.unwrap_or_else(|refused| panic!("{refused:?}: {vector:?}"))
}

#[test]
fn what_other_programs_make_verifies() {
    let vectors = testkit::hash_vectors(None).unwrap();
    assert!(vectors.len() > 250, "{}", vectors.len());
    let (mut wrong, mut wrapped) = (Vec::new(), 0);
    for vector in &vectors {
        let hash = read(vector);
        let stored = stored_and_read(&hash);
        let right = verifies(&hash, &vector.password) && verifies(&stored, &vector.password);
        let other = verifies(&stored, &format!("!{}", vector.password)) || verifies(&hash, "");
        if !right || other || hash.algorithm() == "known" {
            wrong.push(vector);
        }
        let text = stored.to_stored();
        let Some(hash) = wrap(&text) else {
            assert!(!is_fast(&text), "{vector:?}");
            continue;
        };
        assert!(is_fast(&text), "{vector:?}");
        wrapped += 1;
        let hash = stored_and_read(&hash);
        if !verifies(&hash, &vector.password) || verifies(&hash, &format!("!{}", vector.password)) {
            wrong.push(vector);
        }
    }
    println!("{wrapped} of {} are wrapped at rest", vectors.len());
    assert!(wrapped > 150, "{wrapped}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// hashcat's examples; the password is `hashcat`.
#[test]
fn published_examples_verify() {
    for text in [
        "_GW..8841inaTltazRsQ",
        "{CRYPT}24leDr0hHfb3A",
        "$sha1$20000$75552156$HhYMDdaEHiK3eMIzTldOFPnw.s2Q",
        "$1$38652870$DUjsu4TTlTsOe/xxZ05uf/",
        "$sspr$3$1000$f9bbf1381f481427$a1b45fd7eb190cc7f0bf831698cb777207eebbb4b7ea2abd6fff84be539aae62",
        "otm_sha256:1000:1234567890:S5Q9Kc0ETY6ZPyQU+JYY60oFjaJuZZaSinggmzU8PC4=",
        "0x010018102152f8f28c8499d8ef263c53f8be369d799f931b2fbe",
    ] {
        let hash = PasswordHash::from_known(text, &Limits::default()).unwrap();
        let right = verifies(&hash, "hashcat");
        assert!(right && !verifies(&hash, "hashcat1"), "{text}");
    }
    let sha512 = "2f9282ade42ce148175dc3b4d8b5916dae5211eee49886c3f7cc768f6b9f2eb982a5ac2f2672a0223999bfd15349093278adf12f6276e8b61dacf5572b3f93d0b4fa886ce";
    let record = format!(r#"{{"algorithm":"netscaler","hash":{{"value":"{sha512}"}}}}"#);
    assert!(verifies(&crate::read(&record), "hashcat"));
    let netscaler = r#"{"algorithm":"netscaler","hash":{"value":"1130725275da09ca13254957f2314a639818d44c37ef6d558"}}"#;
    assert!(verifies(&crate::read(netscaler), "hashcat"));
}

const TABLE: &str = include_str!("../../../../docs/hash-formats.md");

/// The code spans of the first column of a section's table.
fn spans(section: &str) -> Vec<&'static str> {
    let (_, rest) = TABLE.split_once(&format!("\n## {section}\n")).unwrap();
    let rows = rest.split("\n## ").next().unwrap().lines();
    let cells = rows.filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    cells
        .flat_map(|cell| cell.split('`').step_by(2))
        .filter(|span| !span.trim().is_empty())
        .collect()
}

#[test]
fn the_documents_names_are_the_codes() {
    let documented = spans("Names of ours");
    for name in password::algorithm_names() {
        let generic = name
            .strip_suffix("sha256")
            .map(|kin| format!("{kin}<digest>"));
        let found = documented
            .iter()
            .any(|span| *span == name || Some(*span) == generic.as_deref());
        assert!(found, "{name} is not in docs/hash-formats.md");
    }
    for span in documented {
        let name = span.replace("<digest>", "sha256");
        assert!(
            password::algorithm_names().any(|known| known == name),
            "{span} is not in the code"
        );
    }
}

/// Werkzeug's method, then a salt and no hash.
fn continue_with(method: &str) -> String {
    let numbers = if method == "scrypt:" { "2:1:1" } else { "1" };
    format!("{method}{numbers}$salt$!")
}

#[test]
fn the_documents_beginnings_are_recognised() {
    let beginnings = spans("Texts that name their own format");
    assert!(beginnings.len() > 80, "{beginnings:?}");
    for beginning in beginnings {
        let text = match beginning {
            // These need their shape to be told from other texts.
            "AQAAAA" => "AQAAAAEAACcQAAAAEA==".to_owned(),
            "pbkdf2:sha256:" | "scrypt:" => continue_with(beginning),
            short if short.ends_with(":1000:") => format!("{short}!:!"),
            // LDAP's reader says which pattern it expects.
            other => format!("{other}!"),
        };
        if let Err(refused) = PasswordHash::from_known(&text, &Limits::default()) {
            let refused = refused.to_string();
            assert!(!refused.contains("not recognised"), "{text}: {refused}");
        }
    }
}
