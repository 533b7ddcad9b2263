use oidc::{OAuthError, Params, PushedRequest, parse_token_request};
use proptest::prelude::*;
use serde_json::Value;

fn refusal(params: Result<Params, OAuthError>) -> String {
    params
        .and_then(|params| parse_token_request(params, None))
        .unwrap_err()
        .to_string()
}

fn form(pairs: &[(&str, &str)]) -> Result<Params, OAuthError> {
    Params::from_pairs(
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into())),
    )
}

#[test]
fn no_parameter_stands_twice() {
    let twice = "invalid_request: Duplicate parameter: scope";
    assert_eq!(refusal(form(&[("scope", "a"), ("scope", "a")])), twice);
    assert_eq!(
        refusal(Params::from_json(br#"{"scope": "a", "scope": "b"}"#)),
        twice
    );
    assert_eq!(
        refusal(Params::from_json(br#"{"scope": "a", "scope": null}"#)),
        twice
    );
}

#[test]
fn a_resource_may_stand_twice_and_is_not_read() {
    let pairs = [
        ("grant_type", "client_credentials"),
        ("resource", "https://a.example/"),
        ("resource", "https://b.example/"),
        ("resource", "https://c.example/"),
    ];
    let params = form(&pairs).unwrap();
    assert!(parse_token_request(params, None).is_ok());
    let pairs = [&pairs[..], &[("client_id", "a")]].concat();
    let request = PushedRequest::read(form(&pairs).unwrap(), None).unwrap();
    let names: Vec<&str> = request.parameters.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["grant_type", "client_id"]);
}

#[test]
fn a_value_that_is_not_text_is_refused_where_it_matters() {
    let body = br#"{"grant_type": "client_credentials", "audience": ["a"]}"#;
    let refused = refusal(Params::from_json(body));
    assert_eq!(
        refused,
        "invalid_request: Parameter must be a string: audience"
    );

    let body = br#"{"grant_type": "client_credentials", "audience": null, "extra": {"a": [1]}}"#;
    assert!(parse_token_request(Params::from_json(body).unwrap(), None).is_ok());
}

#[test]
fn a_body_that_is_no_object_is_refused_without_quoting_it() {
    for body in [
        "",
        "[]",
        "\"s3cr3t\"",
        "{\"password\": s3cr3t}",
        "{",
        "{}x",
        "\u{1}",
    ] {
        let error = Params::from_json(body.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid_request: The body is not a JSON object."
        );
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
    }
    let error = Params::from_json(b"{\"a\": \"\xff\"}").unwrap_err();
    assert_eq!(error.status, 400);
}

#[test]
fn parameters_print_their_names_only() {
    let params = form(&[("password", "s3cr3t"), ("username", "zoe")]).unwrap();
    insta::assert_snapshot!(format!("{params:?}"), @r#"Params {"password", "username"}"#);
}

#[test]
fn the_null_character_is_refused() {
    let params = form(&[
        ("grant_type", "password"),
        ("username", "a\0b"),
        ("password", "x"),
    ]);
    assert_eq!(
        refusal(params),
        "invalid_request: Invalid character in parameter: username"
    );
}

const NAMES: &str = "grant_type|client_id|client_secret|username|password|realm|scope|audience|x?";

/// Grants often enough for the rest to be read.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just("password".to_owned()),
        Just("client_credentials".to_owned()),
        Just("http://auth0.com/oauth/grant-type/password-realm".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_form_makes_it_panic(
        pairs in prop::collection::vec((NAMES, value()), 0..8),
        header in prop::option::of(prop_oneof!["(?i)basic [A-Za-z0-9+/=]{0,30}", any::<String>()]),
    ) {
        if let Ok(params) = Params::from_pairs(pairs) {
            drop(parse_token_request(params, header.as_deref()));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Params::from_json(&body));
    }

    #[test]
    fn form_and_json_mean_the_same(pairs in prop::collection::btree_map(NAMES, value(), 0..8)) {
        let json: Value = pairs.iter().map(|(name, text)| (name.clone(), text.clone())).collect();
        let read = |params: Params| {
            let outcome = parse_token_request(params, None);
            outcome.map(|read| format!("{read:?}")).map_err(|error| format!("{error:?}"))
        };
        let from_json = read(Params::from_json(json.to_string().as_bytes()).unwrap());
        prop_assert_eq!(read(Params::from_pairs(pairs).unwrap()), from_json);
    }
}
