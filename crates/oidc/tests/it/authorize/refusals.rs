use oidc::authorize::{Source, client_id_of};
use serde_json::json;

use super::{CALLBACK, CHALLENGE, checked_from, client, params, public, refused, told};

#[test]
fn before_the_redirect_uri_is_proven_a_refusal_is_a_page() {
    let client = client(json!({}));
    let two = self::client(json!({"callbacks": [CALLBACK, "https://b.example/cb"]}));
    let said = [
        refused(&client, &[("client_id", "")]),
        refused(&client, &[("client_id", "other")]),
        refused(&client, &[("client_id", "app"), ("client_id", "app")]),
        refused(&client, &[("redirect_uri", "https://evil.example/cb")]),
        refused(
            &client,
            &[("redirect_uri", "https://app.example.com/cb#fragment")],
        ),
        refused(
            &client,
            &[("redirect_uri", CALLBACK), ("redirect_uri", CALLBACK)],
        ),
        refused(
            &client,
            &[("redirect_uri", "https://evil.example/\"><script>")],
        ),
        refused(&two, &[("redirect_uri", "")]),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    page 400 invalid_request: Missing required parameter: client_id
    page 400 invalid_request: Unknown client: other
    page 400 invalid_request: Duplicate parameter: client_id
    page 403 invalid_request: Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs.
    page 403 invalid_request: Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs.
    page 400 invalid_request: Duplicate parameter: redirect_uri
    page 403 invalid_request: Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs.
    page 400 invalid_request: Missing required parameter: redirect_uri
    ");
}

#[test]
fn the_client_is_looked_up_by_one_name() {
    let found = |changes: &[(&str, &str)]| {
        let id = client_id_of(&params(changes));
        id.map(|id| id.to_string())
            .map_err(|refusal| refusal.error().to_string())
    };
    assert_eq!(found(&[]).unwrap(), "app");
    let twice = [
        ("client_id", "app"),
        ("client_id", "app"),
        ("a", "1"),
        ("a", "2"),
    ];
    assert_eq!(
        found(&twice).unwrap_err(),
        "invalid_request: Duplicate parameter: client_id"
    );
    assert!(found(&[("client_id", "")]).is_err());
    assert!(found(&[("client_id", &"x".repeat(5000))]).is_err());
}

#[test]
fn afterwards_it_goes_to_the_client() {
    let client = client(json!({}));
    let megabyte = "x".repeat(1 << 20);
    let long = "x".repeat(4097);
    let said = [
        refused(&client, &[("response_type", "")]),
        refused(&client, &[("response_type", "password")]),
        refused(&client, &[("response_type", "code code")]),
        refused(&client, &[("response_type", "none")]),
        refused(&client, &[("response_mode", "jwt")]),
        refused(&client, &[("state", &megabyte)]),
        refused(&client, &[("state", &long)]),
        refused(&client, &[("state", "a"), ("state", "b")]),
        refused(&client, &[("scope", "openid"), ("scope", "openid")]),
        refused(&client, &[("extra", "1"), ("extra", "2")]),
        refused(&client, &[("scope", "a\"b")]),
        refused(&client, &[("scope", "a\0b")]),
        refused(&client, &[("nonce", &long)]),
        refused(&client, &[("login_hint", &long)]),
        refused(&client, &[("prompt", "none login")]),
        refused(&client, &[("prompt", "dance")]),
        refused(&client, &[("max_age", "-1")]),
        refused(&client, &[("max_age", "+1")]),
        refused(&client, &[("max_age", "1e9")]),
        refused(&client, &[("max_age", "99999999999999999999")]),
        refused(&client, &[("dpop_jkt", "short")]),
        refused(&client, &[("request", "eyJhbGciOiJub25lIn0.e30.")]),
        refused(&client, &[("request_uri", "https://evil.example/request")]),
        refused(
            &client,
            &[("request_uri", "urn:ietf:params:oauth:request_uri:gone")],
        ),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    Query state:1 invalid_request: Missing required parameter: response_type
    Query state:1 unsupported_response_type: Unsupported response type: password
    Query state:1 unsupported_response_type: Unsupported response type: code code
    Query state:1 unsupported_response_type: Unsupported response type: none
    Query state:1 invalid_request: Unsupported response mode: jwt
    Query state:0 invalid_request: Parameter is too long: state
    Query state:0 invalid_request: Parameter is too long: state
    Query state:0 invalid_request: Duplicate parameter: state
    Query state:1 invalid_request: Duplicate parameter: scope
    Query state:1 invalid_request: Duplicate parameter: extra
    Query state:1 invalid_scope: The scope contains a character that is not allowed.
    Query state:1 invalid_request: Invalid character in parameter: scope
    Query state:1 invalid_request: Parameter is too long: nonce
    Query state:1 invalid_request: Parameter is too long: login_hint
    Query state:1 invalid_request: prompt none stands alone.
    Query state:1 invalid_request: Unsupported prompt: dance
    Query state:1 invalid_request: max_age must be a number of seconds.
    Query state:1 invalid_request: max_age must be a number of seconds.
    Query state:1 invalid_request: max_age must be a number of seconds.
    Query state:1 invalid_request: max_age must be a number of seconds.
    Query state:1 invalid_request: Malformed dpop_jkt.
    Query state:1 request_not_supported: The request parameter is not supported.
    Query state:1 request_uri_not_supported: The request_uri parameter takes pushed authorization requests only.
    Query state:1 invalid_request: The pushed request is not known, used or expired.
    ");
}

#[test]
fn tokens_never_stand_in_a_query() {
    let client = client(json!({}));
    let said = [
        refused(
            &client,
            &[("response_type", "token"), ("response_mode", "query")],
        ),
        refused(
            &client,
            &[
                ("response_type", "id_token"),
                ("nonce", "n"),
                ("response_mode", "query"),
            ],
        ),
        refused(
            &client,
            &[
                ("response_type", "code id_token"),
                ("response_mode", "query"),
            ],
        ),
        // Also a refusal of something else goes where its answer would.
        refused(&client, &[("response_type", "token"), ("prompt", "dance")]),
        refused(
            &client,
            &[("response_mode", "form_post"), ("prompt", "dance")],
        ),
        refused(
            &client,
            &[("response_mode", "web_message"), ("prompt", "dance")],
        ),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    Fragment state:1 invalid_request: response_mode query is not allowed with tokens.
    Fragment state:1 invalid_request: response_mode query is not allowed with tokens.
    Fragment state:1 invalid_request: response_mode query is not allowed with tokens.
    Fragment state:1 invalid_request: Unsupported prompt: dance
    FormPost state:1 invalid_request: Unsupported prompt: dance
    WebMessage state:1 invalid_request: Unsupported prompt: dance
    ");
}

#[test]
fn an_id_token_through_the_browser_needs_openid_and_a_nonce() {
    let client = client(json!({}));
    let said = [
        refused(&client, &[("response_type", "id_token")]),
        refused(&client, &[("response_type", "code id_token")]),
        refused(
            &client,
            &[
                ("response_type", "id_token"),
                ("nonce", "n"),
                ("scope", "profile"),
            ],
        ),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    Fragment state:1 invalid_request: Missing required parameter: nonce
    Fragment state:1 invalid_request: Missing required parameter: nonce
    Fragment state:1 invalid_request: The response type id_token needs the scope openid.
    ");
    super::good(&client, &[("response_type", "code token")]);
    super::good(&client, &[]);
}

#[test]
fn a_client_needs_the_grants_of_its_response_type() {
    let mut client = client(json!({}));
    client.grant_types = vec!["authorization_code".into()];
    let mut said = vec![
        refused(&client, &[("response_type", "token")]),
        refused(
            &client,
            &[("response_type", "code id_token"), ("nonce", "n")],
        ),
    ];
    client.grant_types = vec!["implicit".into()];
    said.push(refused(&client, &[]));
    insta::assert_snapshot!(said.join("\n"), @r"
    Fragment state:1 unauthorized_client: Grant type 'implicit' not allowed for the client.
    Fragment state:1 unauthorized_client: Grant type 'implicit' not allowed for the client.
    Query state:1 unauthorized_client: Grant type 'authorization_code' not allowed for the client.
    ");
}

#[test]
fn public_clients_use_pkce_and_with_s256() {
    let client = public(json!({}));
    let said = [
        refused(&client, &[]),
        refused(&client, &[("code_challenge", CHALLENGE)]),
        refused(
            &client,
            &[
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "plain"),
            ],
        ),
        refused(
            &client,
            &[
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "s256"),
            ],
        ),
        refused(
            &client,
            &[
                ("code_challenge", "short"),
                ("code_challenge_method", "S256"),
            ],
        ),
        refused(&client, &[("code_challenge_method", "S256")]),
        // A confidential client need not use it, but if it does, rightly.
        refused(&super::client(json!({})), &[("code_challenge", CHALLENGE)]),
        refused(
            &super::client(json!({})),
            &[("code_challenge_method", "S256")],
        ),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    Query state:1 invalid_request: Missing required parameter: code_challenge
    Query state:1 invalid_request: code_challenge_method must be S256.
    Query state:1 invalid_request: code_challenge_method must be S256.
    Query state:1 invalid_request: Unsupported code_challenge_method: s256
    Query state:1 invalid_request: Malformed code_challenge.
    Query state:1 invalid_request: Missing required parameter: code_challenge
    Query state:1 invalid_request: code_challenge_method must be S256.
    Query state:1 invalid_request: Missing required parameter: code_challenge
    ");
}

#[test]
fn pushed_requests_do_not_stand_for_others() {
    let uri = [("request_uri", "urn:ietf:params:oauth:request_uri:x")];
    let open = client(json!({}));
    let strict = client(json!({"require_pushed_authorization_requests": true}));
    let signed = client(json!({"signed_request_object": {"required": true}}));
    let said = [
        told(checked_from(Source::Pushing, &open, &uri)),
        told(checked_from(Source::Pushed, &open, &uri)),
        told(checked_from(
            Source::Pushing,
            &open,
            &[("client_id", "other")],
        )),
        refused(&strict, &[]),
        refused(&signed, &[]),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    Query state:1 invalid_request: The request_uri parameter is not allowed here.
    Query state:1 invalid_request: The request_uri parameter is not allowed here.
    page 400 invalid_request: Unknown client: other
    Query state:1 invalid_request: The client must push its authorization requests.
    Query state:1 invalid_request: The client's requests must be signed, and signed requests are not supported.
    ");
    for source in [Source::Pushing, Source::Pushed] {
        checked_from(source, &strict, &[("client_id", "")]).unwrap();
    }
    let error = checked_from(Source::Pushing, &open, &[("max_age", "x")])
        .unwrap_err()
        .into_error();
    assert_eq!((error.status, error.code), (400, "invalid_request"));
}

#[test]
fn the_log_learns_which_check_refused() {
    let refusal = super::checked(&client(json!({})), &[("max_age", "x")]).unwrap_err();
    assert_eq!(refusal.error().detail.as_deref(), Some("max_age"));
    let changes = [("redirect_uri", "https://evil.example/\n")];
    let refusal = super::checked(&client(json!({})), &changes).unwrap_err();
    let detail = refusal.error().detail.as_deref();
    assert_eq!(detail, Some("redirect_uri: https://evil.example/?"));
}
