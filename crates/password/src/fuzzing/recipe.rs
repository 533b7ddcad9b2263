//! Bytes, read as a recipe.

use crate::limits::Limits;
use crate::recipe::{Inputs, Recipe};

/// Takes the bytes for a recipe. Panics when the language breaks a promise: the canonical text
/// means the same, a value is as large as was said, and a text is UTF-8.
pub fn recipe(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let limits = Limits {
        digest_rounds: 20_000,
        pbkdf2_iterations: 2_000,
        scrypt_work: 1 << 12,
        memory_bytes: 1 << 20,
        ..Limits::default()
    };
    let Ok(recipe) = Recipe::parse(text, &limits) else {
        return;
    };
    let inputs = Inputs {
        password: "pÄss ﬁ".as_bytes(),
        salt: b"73616c74",
        pepper: b"cGVwcGVy",
        username: b"Admin",
        email: b"a@b.example",
        user_id: b"42",
    };
    let value = recipe.value(&inputs);
    if let (Some(value), Some(size)) = (&value, recipe.exact_size()) {
        assert_eq!(value.len(), size, "{}", recipe.canonical());
    }
    if let Some(value) = value.as_ref().filter(|_| recipe.makes_text()) {
        assert!(std::str::from_utf8(value).is_ok(), "{}", recipe.canonical());
    }
    // Written out, a recipe may nest deeper than one may write.
    let canonical = recipe.canonical();
    if let Ok(again) = Recipe::parse(&canonical, &limits) {
        assert_eq!(again.canonical(), canonical);
        assert!(again.value(&inputs) == value, "{canonical}");
    } else {
        let deep = text.matches('(').count() > 16 || text.len() > 1000;
        assert!(deep, "{canonical} can't be read");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Words of the language in any order: nearly right recipes.
    fn words() -> impl Strategy<Value = String> {
        let word = prop::sample::select(vec![
            "password",
            "salt",
            "pepper",
            "username",
            "(",
            ")",
            ")",
            ",",
            "+",
            "->",
            "d",
            "md5(",
            "hex(",
            "sha256hex(",
            "utf16le(",
            "truncate(",
            "skip(",
            "5",
            "iterate(",
            "pbkdf2_sha1(",
            "scrypt(",
            "16",
            "1",
            "'ä\\n'",
            "0x00ff",
            "unhex(",
            "concat(",
            "lower(",
            "nfkc(",
            "bcrypt(",
            "é",
            " ",
        ]);
        prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
    }

    /// Recipes that are mostly well formed.
    fn calls() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "password", "salt", "pepper", "username", "email", "user_id", "'--'", "'ß'", "0x00",
        ]);
        let leaf = leaf.prop_map(str::to_owned);
        leaf.prop_recursive(6, 24, 3, |inner| {
            let name = prop::sample::select(vec![
                "md5",
                "sha1hex",
                "sha512b64",
                "hex",
                "HEX",
                "b64",
                "b64raw",
                "b64url",
                "unhex",
                "unb64",
                "utf8",
                "utf16le",
                "utf16be",
                "latin1",
                "lower",
                "upper",
                "trim",
                "nfc",
                "nfkc",
                "whirlpool",
            ]);
            prop_oneof![
                (name, inner.clone()).prop_map(|(name, value)| format!("{name}({value})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} + {b}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("hmac_sha1({a}, {b})")),
                (inner.clone(), 0..40_u8).prop_map(|(a, n)| format!("truncate({a}, {n})")),
                (inner.clone(), 0..40_u8).prop_map(|(a, n)| format!("skip({a}, {n})")),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| format!("pbkdf2_md5({a}, {b}, 3, 40)")),
                (inner.clone(), inner, 1..9_u8)
                    .prop_map(|(a, b, n)| { format!("iterate({n}, {a}, x -> sha1hex(x + {b}))") }),
            ]
        })
    }

    /// `concat` of one value gained brackets whenever it was read again.
    #[test]
    fn what_fuzzers_found() {
        for text in [
            "sha1(concat(salt + 'x') + password)",
            "iterate(1, password, d0 -> sha1(concat(d0 + 'i' + 0x00ff) + 'a'))",
        ] {
            super::recipe(text.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_language(text in "\\PC{0,60}") {
            super::recipe(text.as_bytes());
        }

        #[test]
        fn nor_do_its_words_in_any_order(text in words()) {
            super::recipe(text.as_bytes());
        }

        #[test]
        fn nor_do_nested_calls(text in calls()) {
            super::recipe(text.as_bytes());
        }
    }
}
