//! Closed JSON objects. Owns member names, types and duplicates; refuses an unknown member, a
//! member given twice and a wrong type, in z-schema's words.
//!
//! `serde_json::Value` keeps the last of two equal members. A row that says two things about a
//! password is refused instead: the operator's export is wrong, and we cannot know which half.

use std::fmt;

use domain::RowError;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::refusal;

/// One JSON value, as far as the contract needs to tell them apart.
enum Node {
    Null,
    Boolean,
    /// A whole number; `64.0` is one too, as in JavaScript. Saturates.
    Whole(i64),
    Fraction,
    Text(Zeroizing<String>),
    Array,
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The type's name as z-schema prints it.
    fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Whole(_) => "integer",
            Self::Fraction => "number",
            Self::Text(_) => "string",
            Self::Array => "array",
            Self::Object(_) => "object",
        }
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Boolean)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Whole(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Whole(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and ceilings refuse the rest"
    )]
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Node, E> {
        let whole = number.fract() == 0.0;
        Ok(if whole {
            Node::Whole(number as i64)
        } else {
            Node::Fraction
        })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<String, Node>()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

/// An object whose members are all known and given once.
pub(crate) struct ClosedObject {
    path: &'static str,
    members: Vec<(String, Node)>,
}

impl ClosedObject {
    /// Reads the outermost object; its path is empty.
    pub(crate) fn parse(json: &str, known: &[&str]) -> Result<Self, RowError> {
        Self::parse_by(json, |_| known)
    }

    /// The same, where the text member `algorithm` decides which members are known.
    pub(crate) fn parse_by<'a>(
        json: &str,
        known: impl FnOnce(Option<&str>) -> &'a [&'a str],
    ) -> Result<Self, RowError> {
        // serde_json's own sentence may quote the text, which is a secret.
        let node = serde_json::from_str(json).map_err(|_| refusal::not_json())?;
        let algorithm = match &node {
            Node::Object(members) => members.iter().find_map(|(name, node)| match node {
                Node::Text(text) if name == "algorithm" => Some(text.as_str()),
                _ => None,
            }),
            _ => None,
        };
        let known = known(algorithm);
        Self::close(node, "", known)
    }

    /// A text member that stays where it is.
    pub(crate) fn peek(&self, name: &str) -> Option<&str> {
        self.members.iter().find_map(|(member, node)| match node {
            Node::Text(text) if member == name => Some(text.as_str()),
            _ => None,
        })
    }

    fn close(node: Node, path: &'static str, known: &[&str]) -> Result<Self, RowError> {
        let Node::Object(members) = node else {
            return Err(refusal::invalid_type(path, "object", node.type_name()));
        };
        let mut seen: Vec<&str> = Vec::with_capacity(known.len());
        for (name, _) in &members {
            if !known.contains(&name.as_str()) {
                return Err(refusal::unknown_member(path, name));
            }
            if seen.contains(&name.as_str()) {
                return Err(refusal::twice(path, name));
            }
            seen.push(name);
        }
        Ok(Self { path, members })
    }

    fn take(&mut self, name: &str) -> Option<Node> {
        let position = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.swap_remove(position).1)
    }

    /// The path of a member, for refusals.
    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// A text member, if present.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<Zeroizing<String>>, RowError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(other) => Err(refusal::invalid_type(
                &self.path_of(name),
                "string",
                other.type_name(),
            )),
        }
    }

    /// A text member that must be present.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<Zeroizing<String>, RowError> {
        self.text(name)?
            .ok_or_else(|| refusal::missing(self.path, name))
    }

    /// A text member that is one of the words `read` knows, if present.
    pub(crate) fn word<T>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, RowError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let word = read(&text);
        word.map(Some)
            .ok_or_else(|| refusal::no_such_word(&self.path_of(name), &text))
    }

    /// A member that is a whole number above zero, if present.
    pub(crate) fn positive(&mut self, name: &str) -> Result<Option<u64>, RowError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Whole(number)) => match u64::try_from(number) {
                Ok(number) if number > 0 => Ok(Some(number)),
                _ => Err(refusal::minimum(&self.path_of(name), name, number, 1)),
            },
            Some(other) => Err(refusal::invalid_type(
                &self.path_of(name),
                "integer",
                other.type_name(),
            )),
        }
    }

    /// A nested object with its own list of members, if present. `path` is its whole path.
    pub(crate) fn object(
        &mut self,
        name: &str,
        path: &'static str,
        known: &[&str],
    ) -> Result<Option<Self>, RowError> {
        self.take(name)
            .map(|node| Self::close(node, path, known))
            .transpose()
    }
}
