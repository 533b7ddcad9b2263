//! The texts of pages and mails in every language that ships (`login/messages/*.json`), and which
//! language somebody gets.
//!
//! A file holds one object for each screen, by Auth0's name of it; `common` serves all screens,
//! `problems` says what went wrong, `mail` holds the mails. All files have the same keys.

use std::sync::LazyLock;

use domain::Json;
use serde_json::Value;

/// A language that ships.
pub struct Language {
    /// Its tag (RFC 5646).
    pub tag: &'static str,
    texts: Json,
}

const FILES: &[(&str, &str)] = &[
    ("en", include_str!("../../../login/messages/en.json")),
    ("de", include_str!("../../../login/messages/de.json")),
    ("fr", include_str!("../../../login/messages/fr.json")),
    ("es", include_str!("../../../login/messages/es.json")),
    ("ja", include_str!("../../../login/messages/ja.json")),
];

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let read = |(tag, file): &(&'static str, &str)| Language {
        tag,
        // A test reads every file: one that is broken never ships.
        texts: serde_json::from_str(file).unwrap_or_default(),
    };
    let mut languages: Vec<Language> = FILES.iter().map(read).collect();
    languages.extend(languages.first().map(mirrored));
    languages
});

/// The pseudo-locale `ar-XB`: English, laid out from right to left. Nobody gets it without asking
/// for it by name; it shows what a page looks like in Arabic or Hebrew.
fn mirrored(english: &Language) -> Language {
    let mut texts = english.texts.clone();
    let language = serde_json::json!({"name": "Mirrored", "dir": "rtl"});
    texts.insert("language".into(), language);
    Language {
        tag: "ar-xb",
        texts,
    }
}

static NONE: LazyLock<Json> = LazyLock::new(Json::new);

impl Language {
    /// All of them; English first.
    pub fn all() -> &'static [Language] {
        &LANGUAGES
    }

    /// The language of a tag, or of what the tag begins with: `de` for `de-CH`.
    pub fn find(tag: &str) -> Option<&'static Language> {
        let tag = tag.trim().to_ascii_lowercase();
        let mut rest = tag.as_str();
        loop {
            if let Some(found) = LANGUAGES.iter().find(|language| language.tag == rest) {
                return Some(found);
            }
            rest = rest.rsplit_once(['-', '_'])?.0;
        }
    }

    /// English.
    pub fn english() -> &'static Language {
        static ENGLISH: LazyLock<Language> = LazyLock::new(|| Language {
            tag: "en",
            texts: Json::new(),
        });
        LANGUAGES.first().unwrap_or(&ENGLISH)
    }

    /// The first language that is wanted and spoken: `ui_locales`, then what the browser asks for,
    /// then the tenant's own.
    pub fn choose(
        ui_locales: &[String],
        accept_language: Option<&str>,
        enabled: &[String],
    ) -> &'static Language {
        let spoken = |tag: &str| {
            Self::find(tag).filter(|language| {
                enabled.is_empty()
                    || enabled
                        .iter()
                        .any(|tag| Self::find(tag).is_some_and(|other| other.tag == language.tag))
            })
        };
        let asked = ui_locales.iter().find_map(|tag| spoken(tag));
        let accepted = || ranked(accept_language?).into_iter().find_map(spoken);
        let own = || enabled.iter().find_map(|tag| Self::find(tag));
        asked
            .or_else(accepted)
            .or_else(own)
            .unwrap_or_else(Self::english)
    }

    /// `ltr` or `rtl`.
    pub fn direction(&self) -> &str {
        let member = self.section("language").get("dir");
        member.and_then(Value::as_str).unwrap_or("ltr")
    }

    /// The texts of a screen, or of another section.
    pub fn section(&self, name: &str) -> &Json {
        self.texts
            .get(name)
            .and_then(Value::as_object)
            .unwrap_or(&NONE)
    }

    /// A text of a section.
    pub fn text(&self, section: &str, key: &str) -> Option<&str> {
        self.section(section).get(key).and_then(Value::as_str)
    }
}

/// The tags of an `Accept-Language`, best first (RFC 9110 §12.5.4).
fn ranked(header: &str) -> Vec<&str> {
    let mut tags: Vec<(&str, f32)> = header
        .split(',')
        .take(32)
        .filter_map(|part| {
            let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = parameters.trim().strip_prefix("q=");
            let weight = weight.map_or(Some(1.0), |weight| weight.trim().parse().ok())?;
            (weight > 0.0).then_some((tag.trim(), weight))
        })
        .collect();
    // Stable: of equals the first one wins.
    tags.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    tags.into_iter().map(|(tag, _)| tag).collect()
}

/// Puts values where a text says `${name}` (or `#{name}`, as older texts do).
pub fn filled(text: &str, values: &Json) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${").into_iter().chain(rest.find("#{")).min() {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let Some((name, after)) = from.get(2..).and_then(|inner| inner.split_once('}')) else {
            rest = from;
            break;
        };
        match values.get(name.trim()) {
            Some(Value::String(value)) => filled.push_str(value),
            Some(Value::Number(value)) => filled.push_str(&value.to_string()),
            _ => {}
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        let parts = text.split("${").skip(1);
        parts.map(|part| part.split_once('}').unwrap().0).collect()
    }

    #[test]
    fn every_language_says_everything_with_the_same_placeholders() {
        let english = &Language::english().texts;
        assert!(english.len() > 30);
        for ((tag, file), language) in FILES.iter().zip(Language::all()) {
            let read: Json = serde_json::from_str(file).unwrap_or_else(|e| panic!("{tag}: {e}"));
            assert_eq!(read, language.texts, "{tag}");
            let sections: Vec<_> = english.keys().collect();
            assert_eq!(language.texts.keys().collect::<Vec<_>>(), sections, "{tag}");
            for section in sections {
                let (ours, theirs) = (
                    Language::english().section(section),
                    language.section(section),
                );
                assert_eq!(
                    theirs.keys().collect::<Vec<_>>(),
                    ours.keys().collect::<Vec<_>>(),
                    "{tag} {section}"
                );
                for (key, text) in ours {
                    let (text, other) = (text.as_str().unwrap(), theirs[key].as_str().unwrap());
                    assert!(!other.trim().is_empty(), "{tag} {section}.{key}");
                    let said = placeholders(other);
                    assert_eq!(said, placeholders(text), "{tag} {section}.{key}");
                }
            }
        }
    }

    #[test]
    fn the_best_language_that_is_spoken_is_chosen() {
        let choose = |ui: &[&str], accept: Option<&str>, enabled: &[&str]| {
            let owned = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
            Language::choose(&owned(ui), accept, &owned(enabled)).tag
        };
        assert_eq!(choose(&["tlh", "de-CH"], Some("fr"), &[]), "de");
        assert_eq!(
            choose(&[], Some("tlh, fr;q=0.5, ja-JP;q=0.9, es;q=0"), &[]),
            "ja"
        );
        assert_eq!(choose(&[], Some("es;q=x, tlh"), &[]), "en");
        assert_eq!(choose(&["ja"], Some("fr-CA"), &["es", "fr"]), "fr");
        assert_eq!(choose(&["ja"], None, &["es", "fr"]), "es");
        assert_eq!(choose(&["DE_at"], None, &[]), "de");
        assert_eq!(choose(&["-", ""], Some(",;,"), &["tlh"]), "en");
    }

    #[test]
    fn placeholders_are_filled_and_nothing_else() {
        let values = serde_json::json!({"name": "${x}", "n": 8});
        let Value::Object(values) = values else {
            unreachable!()
        };
        assert_eq!(
            filled("a ${name} #{n} ${none}b ${", &values),
            "a ${x} 8 b ${"
        );
    }
}
