//! `user_metadata` and `app_metadata`: limits, reserved names, and the first-level merge of PATCH.

use serde_json::{Map, Value};

/// A JSON object whose member order is kept.
pub type Json = Map<String, Value>;

/// Names that `app_metadata` must not carry (bulk import schema).
pub const RESERVED_APP_METADATA: &[&str] = &[
    "__tenant",
    "_id",
    "blocked",
    "clientID",
    "created_at",
    "email_verified",
    "email",
    "globalClientID",
    "global_client_id",
    "identities",
    "lastIP",
    "lastLogin",
    "loginsCount",
    "metadata",
    "multifactor_last_modified",
    "multifactor",
    "updated_at",
    "user_id",
];

/// Merges a change into stored metadata at the first level only: a `null` member removes its key,
/// an empty change empties the whole.
pub fn merge(stored: &mut Json, change: Json) {
    if change.is_empty() {
        stored.clear();
        return;
    }
    for (name, value) in change {
        if value.is_null() {
            stored.shift_remove(&name);
        } else {
            stored.insert(name, value);
        }
    }
}

/// Merges a change into stored metadata at every level, as RFC 7396 (JSON Merge Patch) says: objects
/// meet member by member, a `null` removes its member, anything else (arrays too) is taken whole.
/// An empty change changes nothing.
pub fn merge_deep(stored: &mut Json, change: &Json) {
    for (name, value) in change {
        match (stored.get_mut(name), value) {
            (_, Value::Null) => drop(stored.shift_remove(name)),
            (Some(Value::Object(below)), Value::Object(change)) => merge_deep(below, change),
            (_, Value::Object(change)) => {
                let mut fresh = Json::new();
                merge_deep(&mut fresh, change);
                stored.insert(name.clone(), fresh.into());
            }
            _ => drop(stored.insert(name.clone(), value.clone())),
        }
    }
}

/// The deepest nesting that we keep.
pub const MAX_DEPTH: usize = 64;

/// Whether a value nests no deeper than [`MAX_DEPTH`].
pub fn is_shallow(value: &Value) -> bool {
    fn depth_within(value: &Value, left: usize) -> bool {
        left > 0
            && match value {
                Value::Array(elements) => elements.iter().all(|e| depth_within(e, left - 1)),
                Value::Object(members) => members.values().all(|e| depth_within(e, left - 1)),
                _ => true,
            }
    }
    depth_within(value, MAX_DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merges_at_the_first_level() {
        let mut stored = json!({"a": {"x": 1}, "b": 2, "c": 3})
            .as_object()
            .unwrap()
            .clone();
        merge(
            &mut stored,
            json!({"a": {"y": 2}, "b": null})
                .as_object()
                .unwrap()
                .clone(),
        );
        assert_eq!(
            Value::Object(stored.clone()),
            json!({"a": {"y": 2}, "c": 3})
        );
        merge(&mut stored, Json::new());
        assert!(stored.is_empty());
    }
}
