//! Hash recipes: sums that Python computed, and what is refused and where.

use std::sync::Arc;

use domain::{HashText, Password};
use password::{ImportContext, Limits, Owner, PasswordHash, Recipe};
use serde_json::json;

/// A password with a letter beyond ASCII, and what it was hashed with (Python's hashlib).
const PASSWORD: &str = "Pässword 1!";
const SALT: &str = "s4lt!x";
const PEPPER: &str = "p3pper";

fn context() -> ImportContext<'static> {
    ImportContext {
        recipe: None,
        has_pepper: true,
        owner: Owner {
            username: Some("MixedCase"),
            email: Some("a@b.example"),
            user_id: Some("42"),
        },
    }
}

/// Read, stored, read again, and verified with the right and a wrong password.
fn proves(recipe: &str, value: &str, encoding: &str) {
    let uses_salt = recipe.contains("salt");
    let mut record = json!({
        "algorithm": "recipe", "recipe": recipe, "hash": {"value": value, "encoding": encoding},
    });
    if uses_salt {
        record["salt"] = json!({"value": SALT, "encoding": "utf8"});
    }
    let record = record.to_string();
    let hash = PasswordHash::from_import(&record, &context(), &Limits::default())
        .unwrap_or_else(|refused| panic!("{refused:?}: {recipe}"));
    let text = hash.to_stored();
    let bare = text.expose();
    let bare = bare.strip_prefix("fast:").unwrap_or(bare);
    assert!(bare.starts_with("recipe:{"));
    assert!(!text.expose().contains(PEPPER), "the pepper is stored");
    let again = PasswordHash::from_stored(&text).unwrap();
    assert_eq!(again.to_stored().expose(), text.expose());
    assert_eq!(again.needs_pepper(), recipe.contains("pepper"));
    if again.needs_pepper() {
        assert!(
            !again.verify(&PASSWORD.into()),
            "verified without its pepper"
        );
    }
    let again = again.with_pepper(PEPPER);
    assert!(again.verify(&PASSWORD.into()), "{recipe}");
    assert!(!again.verify(&"Pässword 1?".into()), "{recipe}");
    assert!(again.is_custom() && !again.is_current(&password::Scheme::default()));
}

#[test]
fn applications_of_the_past_are_recipes() {
    proves(
        "md5(md5hex(password) + salt)",
        "5e643806182c0be69e5d20bcb29c0de3",
        "hex",
    );
    // The same as text.
    proves(
        "md5hex(md5hex(password) + salt)",
        "5e643806182c0be69e5d20bcb29c0de3",
        "utf8",
    );
    // MyBB
    proves(
        "md5(md5hex(salt) + md5hex(password))",
        "bff65e05b5e3943d993822a4ee7069fa",
        "hex",
    );
    // SMF
    proves(
        "sha1(lower(username) + password)",
        "3aa4c8194b31872b850bfbcf7f70a70044b2dc00",
        "hex",
    );
    // OpenCart
    proves(
        "sha1(salt + sha1hex(salt + sha1hex(password)))",
        "ff1f785320586a06f940374ec7c24b3641578937",
        "hex",
    );
    // restful_authentication
    proves(
        "iterate(10, pepper, d -> sha1hex(d + '--' + salt + '--' + password + '--' + pepper))",
        "330746d5b29988230a3049464a2cc3e946e4901b",
        "utf8",
    );
    // devise-encryptable
    proves(
        "unhex(iterate(20, pepper, d -> sha512hex('--' + salt + '--' + d + '--' + password + '--' + pepper + '--')))",
        "6a28129924ac8d9b77499c7338fd36ece416f1cd9f3552fbd6e8843d9293050ea29cccb59e3f9b2b5067d145d1a698d1f9f4ede3b20fcc39ee27cd79ad964f13",
        "hex",
    );
    // Symfony
    proves(
        "iterate(4999, sha512(password + '{' + salt + '}'), d -> sha512(d + password + '{' + salt + '}'))",
        "S70njXB8npBWGNq1P5BLiWFEyrMNIASkv5ZaYpueTUET5YcN+JU2Q5JDONjBb11ZLFqm3haBVsqnizfmM7nP2g==",
        "base64",
    );
    // ASP.NET Membership
    proves(
        "sha1(salt + utf16le(password))",
        "82ZBs0z+013N4z35Tb9nI5eFGNI=",
        "base64",
    );
    proves(
        "sha224(latin1(password))",
        "b68d7cdd3a334dd21efc4b74dd134de3a0956cb5b2f1a485af054932",
        "hex",
    );
    proves(
        "hmac_sha384(pepper, salt + password)",
        "07a5d2a482cd3ad08cd124b099a874f9e23ed0d353297a9a0ae38677c6356b85e802b7e355f704b35446921a7a1f3f3c",
        "hex",
    );
    // passport-local-mongoose, its first 32 bytes
    proves(
        "truncate(pbkdf2_sha256(password, hex(salt), 25000, 512), 32)",
        "165af1131ab5de78f2ea13387961446df81e77e73fe747af39383adf276eada8",
        "hex",
    );
    proves(
        "pbkdf2_sha512(password + pepper, b64(salt), 25000, 64)",
        "7a29648da6681e079b38877a1771624def9bc20e1b4170bcf4b775bffd9e615a44d880af647fd81ef496efda332eb6b4c932d51f4d1eb3ad1fb7efdac3c22aac",
        "hex",
    );
    proves(
        "scrypt(password, salt, 1024, 8, 2, 32)",
        "b898c61895e721c513061c01e07847ac2f1203fd692c14024c7fdd74618b56bd",
        "hex",
    );
}

#[test]
fn strings_are_verified_behind_a_recipe() {
    use sha2::Digest as _;
    struct Zeros;
    impl domain::Entropy for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }
    let inner = hex::encode(sha2::Sha256::digest(PASSWORD));
    let bcrypt = password::Scheme::Bcrypt { cost: 4 };
    let argon2 = password::Scheme::Argon2id {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
    };
    for (scheme, recipe) in [
        (bcrypt, "bcrypt(hex(sha256(utf8(password))))"),
        (bcrypt, "known(sha256hex(password))"),
        (argon2, "argon2(sha256hex(password))"),
    ] {
        let hash = scheme
            .hash(&Password::from(inner.as_str()), &Zeros)
            .unwrap();
        proves(recipe, hash.to_stored().expose(), "utf8");
    }
}

#[test]
fn the_text_is_written_out() {
    let canonical = |text: &str| Recipe::parse(text, &Limits::default()).unwrap().canonical();
    insta::assert_snapshot!(canonical("md5hex( md5hex(password)+salt )"), @"hex(md5(hex(md5(password)) + salt))");
    insta::assert_snapshot!(
        canonical("iterate(3, (password), x->sha1(concat(x, 'it\\'s', 0x00FF) + 'a'))"),
        @r"iterate(3, password, d0 -> sha1((d0 + 'it\'s' + 0x00ff) + 'a'))"
    );
}

fn refused(text: &str) -> String {
    match Recipe::parse(text, &Limits::default()) {
        Ok(recipe) => panic!("{} was read", recipe.canonical()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_refused_is_named_with_its_place() {
    let texts = [
        "",
        "md5(",
        "md5(password",
        "md5(password) salt",
        "md6(password)",
        "md5(passwort)",
        "md5(salt)",
        "password + salt",
        "bcrypt(salt)",
        "lower(\n  md5(password))",
        "md5(bcrypt(password))",
        "md5(password, salt)",
        "pbkdf2_sha1(password, salt, 0, 20)",
        "pbkdf2_sha1(password, salt, 1000, 2000)",
        "md5('abc)",
        "md5(0x123)",
        "md5(password # 5)",
        "scrypt(password, salt, 1000, 8, 1, 32)",
        "scrypt(password, salt, 1073741824, 8, 1, 32)",
        "pbkdf2_sha1(password, salt, 99999999999999999999999, 20)",
        "pbkdf2_sha1(password, salt, 10000001, 20)",
        "pbkdf2_sha256(password, salt, 6000000, 64)",
        "iterate(100000, password, d -> pbkdf2_sha256(d, salt, 1000, 32))",
        "iterate(1, password, d -> d + d)",
        "iterate(1, password, salt -> md5(salt))",
        "x -> x",
        "5",
    ];
    let all: Vec<String> = texts
        .into_iter()
        .map(|text| format!("{text:?}: {}", refused(text)))
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
"": line 1, column 1: the recipe ends too early
"md5(": line 1, column 5: the recipe ends too early
"md5(password": line 1, column 13: expected , or )
"md5(password) salt": line 1, column 15: expected + or the end of the recipe
"md6(password)": line 1, column 1: md6 is no function
"md5(passwort)": line 1, column 5: passwort is no variable
"md5(salt)": line 1, column 1: the recipe does not use the password, so every password would fit
"password + salt": line 1, column 1: the password reaches the end without a one-way function
"bcrypt(salt)": line 1, column 1: the recipe does not use the password, so every password would fit
"lower(\n  md5(password))": line 1, column 1: lower takes text, and this is bytes
"md5(bcrypt(password))": line 1, column 5: bcrypt can only be the outermost function
"md5(password, salt)": line 1, column 1: md5 takes 1, and here are 2
"pbkdf2_sha1(password, salt, 0, 20)": line 1, column 29: this number must be from 1 to 4294967295
"pbkdf2_sha1(password, salt, 1000, 2000)": line 1, column 35: this number must be from 1 to 1024
"md5('abc)": line 1, column 5: this text has no closing '
"md5(0x123)": line 1, column 5: after 0x comes an even number of hex digits
"md5(password # 5)": line 1, column 14: this character begins nothing in a recipe
"scrypt(password, salt, 1000, 8, 1, 32)": line 1, column 24: N must be a power of two
"scrypt(password, salt, 1073741824, 8, 1, 32)": line 1, column 1: this scrypt takes 1099511627776 bytes of memory, more than 268435456
"pbkdf2_sha1(password, salt, 99999999999999999999999, 20)": line 1, column 29: this number must be from 1 to 4294967295
"pbkdf2_sha1(password, salt, 10000001, 20)": line 1, column 1: up to here the recipe costs 101% of what one hash may cost
"pbkdf2_sha256(password, salt, 6000000, 64)": line 1, column 1: up to here the recipe costs 121% of what one hash may cost
"iterate(100000, password, d -> pbkdf2_sha256(d, salt, 1000, 32))": line 1, column 32: up to here the recipe costs 1034% of what one hash may cost
"iterate(1, password, d -> d + d)": line 1, column 27: this grows with every round
"iterate(1, password, salt -> md5(salt))": line 1, column 22: this name is taken
"x -> x": line 1, column 3: expected + or the end of the recipe
"5": line 1, column 1: a number is no value here
"#);
}

#[test]
fn depth_is_refused_where_it_becomes_too_much() {
    let deep = format!("{}password{}", "hex(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(
        refused(&deep),
        "line 1, column 261: a recipe nests at most 64 deep"
    );
    let brackets = "(".repeat(10_000);
    assert_eq!(
        refused(&brackets),
        "line 1, column 66: a recipe nests at most 64 deep"
    );
    let long = format!("md5(password{})", " + salt".repeat(2000));
    assert!(refused(&long).ends_with("a recipe has at most 1000 parts"));
}

#[test]
fn a_row_that_can_never_verify_is_refused() {
    let refusal = |record: serde_json::Value, context: &ImportContext<'_>| {
        let read = PasswordHash::from_import(&record.to_string(), context, &Limits::default());
        let error = read.unwrap_err();
        format!("{} [{}] {}", error.code.as_str(), error.path, error.message)
    };
    let record = |recipe: &str, hash: serde_json::Value| json!({"algorithm": "recipe", "recipe": recipe, "hash": hash});
    let hex = json!({"value": "5e643806182c0be69e5d20bcb29c0de3", "encoding": "hex"});
    let nobody = ImportContext::default();
    let all = [
        refusal(record("md5(password + salt)", hex.clone()), &nobody),
        refusal(record("md5(password + username)", hex.clone()), &nobody),
        refusal(record("md5(password + pepper)", hex.clone()), &nobody),
        refusal(record("sha1(password)", hex.clone()), &nobody),
        refusal(
            record(
                "md5(password)",
                json!({"value": "5e643806182c0be69e5d20bcb29c0de3"}),
            ),
            &nobody,
        ),
        refusal(
            record(
                "truncate(md5(password), 4)",
                json!({"value": "5e643806", "encoding": "hex"}),
            ),
            &nobody,
        ),
        refusal(record("md5(passwrd)", hex.clone()), &nobody),
        refusal(
            record("bcrypt(password)", json!({"value": "$2b$10$short"})),
            &nobody,
        ),
        refusal(record("known(password)", json!({"value": "what"})), &nobody),
        refusal(json!({"algorithm": "recipe", "hash": hex.clone()}), &nobody),
        refusal(
            json!({"algorithm": "recipe", "recipe": "md5(password)", "hash": hex, "salt": {"value": "x"}}),
            &nobody,
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
OBJECT_MISSING_REQUIRED_PROPERTY [] Missing required property: salt (the recipe uses it)
OBJECT_MISSING_REQUIRED_PROPERTY [] Missing required property: username (the recipe uses it)
NOT_PASSED [recipe] The recipe uses the pepper, and the connection's options.configuration does not hold it
FORMAT [hash.value] The recipe makes 20 bytes, and the hash has 16
OBJECT_MISSING_REQUIRED_PROPERTY [hash] Missing required property: encoding
MIN_LENGTH [hash.value] A hash of fewer than 8 bytes proves nothing
NOT_PASSED [recipe] line 1, column 5: passwrd is no variable
PATTERN [hash.value] String does not match pattern ^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$
NOT_PASSED [hash.value] the stored password hash cannot be verified: its format is not recognised
OBJECT_MISSING_REQUIRED_PROPERTY [] Missing required property: recipe (and the connection's options.ferry.password_recipe is not set)
NOT_PASSED [salt] Not allowed: the recipe does not use it
"#);
}

#[test]
fn the_connections_recipe_stands_in() {
    let recipe =
        Arc::new(Recipe::parse("md5(md5hex(password) + salt)", &Limits::default()).unwrap());
    let context = ImportContext {
        recipe: Some(&recipe),
        ..ImportContext::default()
    };
    let record = json!({
        "algorithm": "recipe", "salt": {"value": SALT},
        "hash": {"value": "5e643806182c0be69e5d20bcb29c0de3", "encoding": "hex"},
    });
    let hash =
        PasswordHash::from_import(&record.to_string(), &context, &Limits::default()).unwrap();
    let stored: HashText = hash.to_stored();
    assert!(
        PasswordHash::from_stored(&stored)
            .unwrap()
            .verify(&PASSWORD.into())
    );
}
