use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn object(value: &Value) -> Option<Json> {
    value.as_object().cloned()
}

fn policy(text: &Value) -> Policy {
    Policy::from_json(text).unwrap()
}

fn person(address: &str) -> Attributes {
    Attributes {
        email: Some(EmailAddress::parse(address).unwrap()),
        ..Attributes::default()
    }
}

fn merged(stored: &Attributes, then: &Attributes, verified: Option<bool>, by: &Policy) -> Merged {
    let arriving = Arriving {
        attributes: then,
        email_verified: verified,
    };
    merge(stored, arriving, by)
}

#[test]
fn each_rule_does_what_it_says() {
    let stored = Attributes {
        name: Some("Old".into()),
        ..person("a@x.org")
    };
    let then = Attributes {
        name: Some("New".into()),
        nickname: Some("nick".into()),
        ..person("a@x.org")
    };
    for (rule, name, nickname, trail) in [
        ("keep", "Old", None, "kept name taken "),
        ("replace", "New", Some("nick"), "kept  taken name,nickname"),
        ("merge", "New", Some("nick"), "kept  taken name,nickname"),
        (
            "only_if_empty",
            "Old",
            Some("nick"),
            "kept name taken nickname",
        ),
        ("mirror", "New", Some("nick"), "kept  taken name,nickname"),
    ] {
        let found = merged(
            &stored,
            &then,
            None,
            &policy(&json!({"fields": {"default": rule}})),
        );
        let (of, by) = (&found.attributes, &found.trail);
        assert_eq!(
            (of.name.as_deref(), of.nickname.as_deref()),
            (Some(name), nickname)
        );
        let shown = format!("kept {} taken {}", by.kept.join(","), by.taken.join(","));
        assert_eq!(shown, trail, "{rule}");
    }
    let mirror = policy(&json!({"fields": {"default": "mirror"}}));
    assert_eq!(
        merged(&stored, &person("a@x.org"), None, &mirror)
            .attributes
            .name,
        None
    );
}

#[test]
fn metadata_merges_at_every_level() {
    let stored = Attributes {
        app_metadata: object(&json!({"plan": {"name": "free", "seats": 3}, "tags": [1], "old": 1})),
        ..person("a@x.org")
    };
    let then = Attributes {
        app_metadata: object(
            &json!({"plan": {"name": "pro"}, "tags": [2], "old": null, "new": {"x": null, "y": 1}}),
        ),
        ..person("a@x.org")
    };
    let of = |rule: &str| {
        let policy = policy(&json!({"fields": {"app_metadata": rule}}));
        Value::from(
            merged(&stored, &then, None, &policy)
                .attributes
                .app_metadata
                .unwrap(),
        )
    };
    assert_eq!(
        of("merge"),
        json!({"plan": {"name": "pro", "seats": 3}, "tags": [2], "new": {"y": 1}})
    );
    assert_eq!(
        of("merge_top"),
        json!({"plan": {"name": "pro"}, "tags": [2], "new": {"x": null, "y": 1}})
    );
    assert_eq!(
        Some(of("only_if_empty")),
        stored.app_metadata.clone().map(Value::from)
    );
}

/// Found by a fuzzer: a `null` that had nothing to remove was stored, and removed by the next run.
#[test]
fn a_null_with_nothing_to_remove_is_not_stored() {
    let stored = person("a@x.org");
    for (rule, change, expected) in [
        ("merge", json!({"a": null}), None),
        ("merge_top", json!({"a": null}), None),
        (
            "merge",
            json!({"a": null, "b": {"c": null}}),
            object(&json!({"b": {}})),
        ),
        (
            "merge_top",
            json!({"a": null, "b": 1}),
            object(&json!({"b": 1})),
        ),
        ("merge", json!({}), object(&json!({}))),
        ("replace", json!({"a": null}), object(&json!({"a": null}))),
    ] {
        let policy = policy(&json!({"fields": {"user_metadata": rule}}));
        let then = Attributes {
            user_metadata: object(&change),
            ..person("a@x.org")
        };
        let once = merged(&stored, &then, None, &policy);
        assert_eq!(once.attributes.user_metadata, expected, "{rule} {change}");
        let twice = merged(&once.attributes, &then, None, &policy);
        assert_eq!(twice.attributes, once.attributes, "{rule} {change}");
    }
}

#[test]
fn a_proof_belongs_to_its_address() {
    let stored = Attributes {
        email_verified: true,
        ..person("a@x.org")
    };
    let verified = |rules: Value, address: &str, said| {
        let policy = policy(&json!({"fields": rules}));
        merged(&stored, &person(address), said, &policy)
            .attributes
            .email_verified
    };
    // Absent: untouched; of another address: not believed.
    assert!(verified(json!({"default": "replace"}), "A@x.org", None));
    assert!(!verified(
        json!({"default": "replace"}),
        "a@x.org",
        Some(false)
    ));
    assert!(!verified(json!({"default": "replace"}), "b@x.org", None));
    assert!(verified(
        json!({"default": "replace"}),
        "b@x.org",
        Some(true)
    ));
    assert!(!verified(
        json!({"email": "replace", "email_verified": "keep"}),
        "b@x.org",
        Some(true)
    ));
    assert!(verified(
        json!({"default": "replace", "email": "keep"}),
        "b@x.org",
        Some(false)
    ));
    let unproven = person("a@x.org");
    let keep = policy(&json!({"fields": {"default": "replace", "email": "keep"}}));
    let after = merged(&unproven, &person("b@x.org"), Some(true), &keep);
    assert!(!after.attributes.email_verified);
    // The documented upsert forgets a proof that the row does not repeat.
    let after = merged(&stored, &person("a@x.org"), None, &Policy::upsert());
    assert!(!after.attributes.email_verified);
}

#[test]
fn a_changed_number_of_a_known_legacy_user_is_taken() {
    let cached = Attributes {
        phone_number: Some("+1".into()),
        phone_verified: Some(true),
        blocked: Some(true),
        user_metadata: object(&json!({"here": 1})),
        ..person("a@x.org")
    };
    let then = Attributes {
        phone_number: Some("+2".into()),
        blocked: Some(false),
        user_metadata: object(&json!({"there": 1})),
        ..person("a@x.org")
    };
    let after = merged(&cached, &then, Some(false), &Policy::arrival());
    let of = after.attributes;
    assert_eq!(
        (of.phone_number.as_deref(), of.phone_verified),
        (Some("+2"), None)
    );
    assert_eq!((of.blocked, of.email_verified), (Some(true), false));
    assert_eq!(of.user_metadata, object(&json!({"here": 1, "there": 1})));
}

fn texts() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[ab]")
}

prop_compose! {
    fn people()(
        address in "[ab]@x[.]org", email_verified: bool, name in texts(), phone_number in texts(),
        blocked: Option<bool>, phone_verified: Option<bool>, member in prop::option::of(0..3),
    ) -> Attributes {
        Attributes {
            email_verified, name, phone_number, blocked, phone_verified,
            user_metadata: member.and_then(|value| object(&json!({"m": {"x": value}}))),
            ..person(&address)
        }
    }
}

proptest! {
    #[test]
    fn merging_the_same_again_changes_nothing(stored in people(), then in people(), said: Option<bool>, rule in 0..6_usize) {
        let rules = ["keep", "replace", "merge", "merge_top", "only_if_empty", "mirror"];
        let policy = policy(&json!({"fields": {"default": rules[rule]}}));
        let once = merged(&stored, &then, said, &policy);
        let twice = merged(&once.attributes, &then, said, &policy);
        prop_assert_eq!(&twice.attributes, &once.attributes);
        prop_assert!(twice.trail.taken.is_empty(), "{:?}", twice.trail);
        if once.trail.taken.is_empty() {
            prop_assert_eq!(&once.attributes, &stored);
        } else {
            prop_assert_ne!(&once.attributes, &stored);
        }
        let keep = Policy::reject();
        prop_assert_eq!(merged(&stored, &then, said, &keep).attributes, stored);
    }
}
