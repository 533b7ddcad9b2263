use oidc::authorize::{
    AuthorizationRequest, ChallengeMethod, Prompt, ResponseMode, pushed_request_of,
};
use serde_json::json;

use super::{CALLBACK, CHALLENGE, client, good, params, public};

#[test]
fn a_whole_request_is_read_and_kept() {
    let request = good(
        &public(json!({})),
        &[
            ("response_type", "id_token code"),
            ("response_mode", "form_post"),
            ("scope", "openid profile openid"),
            ("audience", "https://api.example.com"),
            ("nonce", "n"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("prompt", "login consent login"),
            ("max_age", "0"),
            ("login_hint", "zoe@example.com"),
            ("id_token_hint", "a.b.c"),
            ("screen_hint", "signup"),
            ("ui_locales", "fr-CA fr <b> en"),
            ("acr_values", "gold silver"),
            ("connection", "Users"),
            ("dpop_jkt", CHALLENGE),
            ("state", "a b&c=d\u{e9}"),
            ("display", "popup"),
            ("claims_locales", "de"),
            ("claims", "{}"),
            ("resource", "https://a.example"),
            ("resource", "https://b.example"),
            ("extra", "foobar"),
        ],
    );
    insta::assert_json_snapshot!(request, @r#"
    {
      "client_id": "app",
      "redirect_uri": "https://app.example.com/cb",
      "names_redirect_uri": true,
      "response_type": {
        "code": true,
        "id_token": true,
        "token": false
      },
      "response_mode": "form_post",
      "scope": "openid profile",
      "audience": "https://api.example.com",
      "state": "a b&c=dé",
      "nonce": "n",
      "code_challenge": {
        "challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "method": "S256"
      },
      "prompt": [
        "login",
        "consent"
      ],
      "max_age": 0,
      "login_hint": "zoe@example.com",
      "id_token_hint": "a.b.c",
      "screen_hint": "signup",
      "ui_locales": [
        "fr-CA",
        "fr",
        "en"
      ],
      "acr_values": [
        "gold",
        "silver"
      ],
      "connection": "Users",
      "dpop_jkt": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    }
    "#);
    let stored = serde_json::to_string(&request).unwrap();
    assert_eq!(
        serde_json::from_str::<AuthorizationRequest>(&stored).unwrap(),
        request
    );
}

#[test]
fn a_bare_request_has_its_defaults() {
    let client = client(json!({}));
    let request = good(
        &client,
        &[("redirect_uri", ""), ("scope", ""), ("state", "")],
    );
    assert_eq!(
        (request.redirect_uri.as_str(), request.names_redirect_uri),
        (CALLBACK, false)
    );
    assert!(request.scope.is_empty() && request.prompt.is_empty() && request.state.is_none());
    assert_eq!(request.response_mode, ResponseMode::Query);
    assert_eq!(request.max_age, None);
    assert!(good(&client, &[]).names_redirect_uri);
}

#[test]
fn the_only_callback_is_no_default_when_it_is_a_placeholder() {
    let client = client(json!({"callbacks": ["https://*.example.com/cb"]}));
    assert!(super::refused(&client, &[("redirect_uri", "")]).contains("redirect_uri"));
    good(&client, &[("redirect_uri", "https://a.example.com/cb")]);
}

#[test]
fn each_response_type_has_its_mode() {
    let client = client(json!({}));
    for (response_type, mode) in [
        ("code", ResponseMode::Query),
        ("token", ResponseMode::Fragment),
        ("id_token", ResponseMode::Fragment),
        ("token id_token", ResponseMode::Fragment),
        ("code token", ResponseMode::Fragment),
        ("code id_token", ResponseMode::Fragment),
        ("code id_token token", ResponseMode::Fragment),
    ] {
        let changes = [("response_type", response_type), ("nonce", "n")];
        assert_eq!(
            good(&client, &changes).response_mode,
            mode,
            "{response_type}"
        );
    }
    for (name, mode) in [
        ("query", ResponseMode::Query),
        ("fragment", ResponseMode::Fragment),
        ("form_post", ResponseMode::FormPost),
        ("web_message", ResponseMode::WebMessage),
    ] {
        assert_eq!(
            good(&client, &[("response_mode", name)]).response_mode,
            mode
        );
    }
}

#[test]
fn prompts_are_a_set() {
    let client = client(json!({}));
    let request = good(&client, &[("prompt", " login  select_account ")]);
    assert!(request.prompts(Prompt::Login) && request.prompts(Prompt::SelectAccount));
    assert!(!request.prompts(Prompt::None));
    assert_eq!(
        good(&client, &[("prompt", "none none")]).prompt,
        [Prompt::None]
    );
}

#[test]
fn plain_pkce_is_for_those_who_ask_for_it() {
    let client = public(json!({"client_metadata": {"allow_plain_pkce": "true"}}));
    for method in ["plain", ""] {
        let changes = [
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", method),
        ];
        let challenge = good(&client, &changes).code_challenge.unwrap();
        assert_eq!(challenge.method, ChallengeMethod::Plain);
    }
}

/// A code alone can be stolen with the challenge; without a code there is nothing to challenge.
#[test]
fn a_challenge_without_a_code_is_ignored() {
    let changes = [("response_type", "token"), ("code_challenge", "x")];
    assert_eq!(good(&public(json!({})), &changes).code_challenge, None);
}

#[test]
fn a_pushed_request_is_known_by_its_name() {
    let name = "urn:ietf:params:oauth:request_uri:abc";
    assert_eq!(
        pushed_request_of(&params(&[("request_uri", name)])),
        Some(name)
    );
    assert_eq!(
        pushed_request_of(&params(&[("request_uri", "https://a.example/r")])),
        None
    );
    assert_eq!(pushed_request_of(&params(&[])), None);
}

#[test]
fn a_state_of_four_kilobytes_is_kept() {
    let state = "\u{20ac}".repeat(1365);
    let request = good(&client(json!({})), &[("state", &state)]);
    assert_eq!(request.state.as_deref(), Some(state.as_str()));
}
