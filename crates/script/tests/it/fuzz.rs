//! The fuzz targets' entry points, on bytes that look like a worker's.

use proptest::prelude::*;
use serde_json::json;

/// JSON of any shape, with the members that mean something among the others.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        "[ -~]{0,12}".prop_map(|text| json!(text)),
    ];
    let name = prop_oneof![
        Just("user_id".to_owned()),
        Just("email_verified".to_owned()),
        Just("last_password_reset".to_owned()),
        "[a-z]{0,6}",
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|list| json!(list)),
            prop::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

fn class() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("WrongUsernameOrPasswordError".to_owned()),
        Just("ValidationError".to_owned()),
        Just("UnauthorizedError".to_owned()),
        Just("Error".to_owned()),
        "[A-Za-z]{0,12}",
    ]
}

fn framed(json: &serde_json::Value) -> Vec<u8> {
    let text = json.to_string();
    let mut bytes = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

proptest! {
    #[test]
    fn any_bytes_are_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        script::fuzzing::frame(&bytes);
        script::fuzzing::outcome(&bytes);
    }

    #[test]
    fn any_value_is_success_only_when_it_says_so(value in any_json()) {
        script::fuzzing::outcome(value.to_string().as_bytes());
    }

    #[test]
    fn a_damaged_frame_is_no_answer(value in any_json(), name in class(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let error = json!({"name": name, "message": "m", "user": "u"});
        let result = json!({"t": "result", "id": "1", "how": "callback", "value": value, "error": error});
        let mut bytes = framed(&result);
        bytes.extend(framed(&json!({"t": "result", "id": "1", "how": "throw", "error": error})));
        script::fuzzing::frame(&bytes);
        let index = at.index(bytes.len());
        bytes[index] = to;
        script::fuzzing::frame(&bytes);
    }
}
