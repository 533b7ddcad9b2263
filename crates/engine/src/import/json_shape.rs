//! What a JSON text is like, without keeping it: nesting, members given twice, forbidden names.
//!
//! Stored metadata is the text as it stood in the file, so a text is let in only when reading it
//! back can never fail and never lose a member.

use std::borrow::Cow;
use std::fmt;

use domain::metadata::MAX_DEPTH;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub is_object: bool,
    pub is_too_deep: bool,
    /// A member that one object has twice.
    pub twice: Option<String>,
    /// Members of the outermost object that must not be there.
    pub forbidden: Vec<String>,
}

impl Shape {
    pub fn is_clean_object(&self) -> bool {
        self.is_object && !self.is_too_deep && self.twice.is_none() && self.forbidden.is_empty()
    }
}

/// Reads a text's shape.
pub(super) fn read(text: &str, forbidden: &[&str]) -> serde_json::Result<Shape> {
    let mut shape = Shape::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let walk = Walk {
        left: MAX_DEPTH,
        forbidden,
        shape: &mut shape,
    };
    walk.deserialize(&mut json)?;
    json.end()?;
    Ok(shape)
}

/// `serde_json` gives a meaning of its own to a name that begins so.
const RESERVED: &str = "$serde_json::private::";

struct Walk<'a> {
    left: usize,
    forbidden: &'a [&'a str],
    shape: &'a mut Shape,
}

impl Walk<'_> {
    fn inner(&mut self) -> Walk<'_> {
        Walk {
            left: self.left - 1,
            forbidden: &[],
            shape: self.shape,
        }
    }

    fn note_names(&mut self, names: &mut [Cow<'_, str>]) {
        let forbidden = names
            .iter()
            .filter(|name| self.forbidden.contains(&name.as_ref()) || name.starts_with(RESERVED));
        self.shape
            .forbidden
            .extend(forbidden.map(ToString::to_string));
        names.sort_unstable();
        let twice = names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(one.to_string()),
            _ => None,
        });
        if self.shape.twice.is_none() {
            self.shape.twice = twice;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.left == 0 {
            self.shape.is_too_deep = true;
            return json.deserialize_any(IgnoredAny).map(drop);
        }
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.shape.is_object |= self.left == MAX_DEPTH;
        let mut names = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            names.push(name);
            map.next_value_seed(self.inner())?;
        }
        self.note_names(&mut names);
        Ok(())
    }
}

/// A text that is borrowed when it has no escapes.
pub(super) struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The members of an object, as their texts stand, with those given twice.
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Takes an object apart.
    pub fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_map(MembersVisitor).map(Self)
    }

    /// The text of the first member of that name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let member = self.0.iter().find(|(found, _)| found == name);
        member.map(|(_, raw)| raw.get())
    }

    /// Names that stand there more than once, each once.
    pub fn twice(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        let pairs = names.windows(2).filter_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        let mut twice: Vec<&str> = pairs.collect();
        twice.dedup();
        twice
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value()?));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_metadata_must_not_be() {
        let clean = |text: &str| read(text, &["email"]).is_ok_and(|shape| shape.is_clean_object());
        let deep =
            |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(clean(r#"{"a":{"email":1},"b":[1.5,"x",null]}"#));
        assert!(clean(&deep(62)));
        for bad in [
            "[]",
            "7",
            r#"{"email":1}"#,
            r#"{"\u0065mail":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":[{"a":1,"a":1}]}"#,
            r#"{"x":"\ud800"}"#,
            r#"{"x":1e999}"#,
            r#"{"x":{"$serde_json::private::RawValue":"1"}}"#,
            r#"{"x":1} y"#,
            &deep(63),
        ] {
            assert!(!clean(bad), "{bad}");
        }
    }

    /// What is clean can be read back, and nests as the domain allows.
    #[test]
    fn agrees_with_the_domain_on_depth() {
        for levels in 55..70 {
            let text = format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let shape = read(&text, &[]).unwrap();
            assert_eq!(
                !shape.is_too_deep,
                domain::metadata::is_shallow(&value),
                "{levels}"
            );
        }
    }
}
