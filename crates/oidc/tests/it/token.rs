use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::TokenEndpointAuth;
use oidc::{
    ClientAuthentication, GrantType, OAuthError, Params, TokenRequest, parse_token_request,
};

const REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";

type Outcome = Result<(ClientAuthentication, TokenRequest), OAuthError>;

fn read(pairs: &[(&str, &str)], header: Option<&str>) -> Outcome {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    parse_token_request(Params::from_pairs(pairs).unwrap(), header)
}

/// A client credentials request, of which only the client matters.
fn client(
    pairs: &[(&str, &str)],
    header: Option<&str>,
) -> Result<ClientAuthentication, OAuthError> {
    let pairs = [pairs, &[("grant_type", "client_credentials")]].concat();
    read(&pairs, header).map(|(client, _)| client)
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

#[test]
fn the_password_grant() {
    let pairs = [
        ("grant_type", "password"),
        ("username", "zoe@example.com"),
        ("password", " p@ss "),
        ("scope", "openid email"),
        ("audience", "https://api"),
        ("device", "ignored"),
    ];
    let (_, request) = read(&pairs, None).unwrap();
    assert_eq!(request.grant_type(), GrantType::Password);
    let TokenRequest::Password(grant) = request else {
        panic!("{request:?}")
    };
    assert_eq!(grant.password.expose(), " p@ss ");
    insta::assert_debug_snapshot!(grant, @r#"
    PasswordGrant {
        grant_type: Password,
        username: "zoe@example.com",
        password: Password(…),
        realm: None,
        scope: Scopes(
            [
                "openid",
                "email",
            ],
        ),
        audience: Some(
            "https://api",
        ),
    }
    "#);
}

#[test]
fn the_password_realm_grant_needs_a_realm() {
    let pairs = [
        ("grant_type", REALM),
        ("username", "zoe"),
        ("password", "x"),
        ("realm", ""),
    ];
    let error = read(&pairs, None).unwrap_err();
    assert_eq!(error.description, "Missing required parameter: realm");

    let pairs = [
        ("grant_type", REALM),
        ("username", "zoe"),
        ("password", "x"),
        ("realm", "old"),
    ];
    let (_, request) = read(&pairs, None).unwrap();
    assert_eq!(request.grant_type().as_str(), REALM);
    let TokenRequest::Password(grant) = request else {
        panic!("{request:?}")
    };
    assert_eq!(grant.realm.as_deref(), Some("old"));
}

#[test]
fn the_client_credentials_grant() {
    let pairs = [
        ("grant_type", "client_credentials"),
        ("audience", "https://api"),
    ];
    let (client, request) = read(&pairs, None).unwrap();
    assert_eq!(client.require_client_id().unwrap_err().status, 400);
    let TokenRequest::ClientCredentials { audience, scope } = request else {
        panic!("{request:?}")
    };
    assert_eq!(
        (audience.as_deref(), scope.is_empty()),
        (Some("https://api"), true)
    );
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let refusal = |pairs: &[(&str, &str)]| {
        let error = read(pairs, None).unwrap_err();
        format!("{} {error}", error.status)
    };
    let lines = [
        refusal(&[]),
        refusal(&[("grant_type", "")]),
        refusal(&[("grant_type", "magic \"\n é")]),
        refusal(&[("grant_type", "Password")]),
        refusal(&[("grant_type", "password"), ("password", "x")]),
        refusal(&[("grant_type", "password"), ("username", "x")]),
        refusal(&[("grant_type", "client_credentials"), ("scope", "a \"b\"")]),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    400 invalid_request: Missing required parameter: grant_type
    400 invalid_request: Missing required parameter: grant_type
    400 unsupported_grant_type: Unsupported grant type: magic ?? ?
    400 unsupported_grant_type: Unsupported grant type: Password
    400 invalid_request: Missing required parameter: username
    400 invalid_request: Missing required parameter: password
    400 invalid_scope: The scope contains a character that is not allowed.
    ");
}

#[test]
fn three_ways_to_be_a_client() {
    let none = client(&[("client_id", "abc")], None).unwrap();
    assert_eq!(
        (none.method, none.secret.is_none()),
        (TokenEndpointAuth::None, true)
    );
    assert_eq!(none.require_client_id().unwrap().as_str(), "abc");

    let post = client(&[("client_id", "abc"), ("client_secret", "s+%41")], None).unwrap();
    assert_eq!(post.method, TokenEndpointAuth::ClientSecretPost);
    assert_eq!(post.secret.unwrap().expose(), "s+%41");

    let header = basic("a%3Ab+c:s:%2B%zz%");
    let by_header = client(&[("client_id", "a:b c")], Some(&header)).unwrap();
    assert_eq!(by_header.method, TokenEndpointAuth::ClientSecretBasic);
    assert_eq!(by_header.client_id.as_deref(), Some("a:b c"));
    assert_eq!(by_header.secret.unwrap().expose(), "s:+%zz%");

    let unpadded = header.trim_end_matches('=').replacen("Basic", "bAsIc", 1);
    assert!(client(&[], Some(&unpadded)).unwrap().secret.is_some());
    assert!(client(&[], Some(&basic("abc:"))).unwrap().secret.is_none());
    let bearer = client(&[("client_id", "abc")], Some("Bearer xyz")).unwrap();
    assert_eq!(bearer.method, TokenEndpointAuth::None);
}

#[test]
fn two_ways_at_once_are_refused() {
    let header = basic("abc:secret");
    for pairs in [[("client_secret", "secret")], [("client_id", "other")]] {
        let error = client(&pairs, Some(&header)).unwrap_err();
        assert_eq!((error.status, error.code), (400, "invalid_request"));
    }
}

#[test]
fn a_malformed_header_is_a_client_that_proved_nothing() {
    for header in [
        "Basic !",
        "Basic ",
        "Basic YWJj",
        &basic(":secret"),
        &basic("a\0:b"),
    ] {
        let error = client(&[], Some(header)).unwrap_err();
        assert_eq!(
            (error.status, error.code),
            (401, "invalid_client"),
            "{header}"
        );
        assert!(error.challenge().unwrap().starts_with("Basic "));
    }
}

#[test]
fn every_grant_says_what_it_lacks() {
    let lines: Vec<String> = GrantType::ALL
        .into_iter()
        .map(|grant| {
            let outcome = read(&[("grant_type", grant.as_str())], None);
            match outcome {
                Ok((_, request)) => format!("{grant} -> {:?}", request.grant_type()),
                Err(error) => format!("{grant} -> {}", error.description),
            }
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    authorization_code -> Missing required parameter: code
    refresh_token -> Missing required parameter: refresh_token
    client_credentials -> ClientCredentials
    password -> Missing required parameter: username
    http://auth0.com/oauth/grant-type/password-realm -> Missing required parameter: username
    urn:ietf:params:oauth:grant-type:device_code -> Missing required parameter: device_code
    urn:ietf:params:oauth:grant-type:token-exchange -> Missing required parameter: subject_token
    http://auth0.com/oauth/grant-type/mfa-otp -> Missing required parameter: mfa_token
    http://auth0.com/oauth/grant-type/mfa-oob -> Missing required parameter: mfa_token
    http://auth0.com/oauth/grant-type/mfa-recovery-code -> Missing required parameter: mfa_token
    ");
    // The authorization endpoint's own grant is not to be had here.
    let error = read(&[("grant_type", "implicit")], None).unwrap_err();
    assert_eq!(error.code, "unsupported_grant_type");
}

#[test]
fn a_request_holds_what_its_grant_brings_and_prints_no_secret() {
    for (pairs, grant) in [
        (
            &[("code", "needle"), ("code_verifier", "needle")][..],
            "authorization_code",
        ),
        (&[("refresh_token", "needle")], "refresh_token"),
        (
            &[("device_code", "needle")],
            "urn:ietf:params:oauth:grant-type:device_code",
        ),
        (
            &[("mfa_token", "needle"), ("otp", "needle")],
            "http://auth0.com/oauth/grant-type/mfa-otp",
        ),
        (
            &[
                ("mfa_token", "needle"),
                ("oob_code", "needle"),
                ("binding_code", "needle"),
            ],
            "http://auth0.com/oauth/grant-type/mfa-oob",
        ),
        (
            &[("mfa_token", "needle"), ("recovery_code", "needle")],
            "http://auth0.com/oauth/grant-type/mfa-recovery-code",
        ),
        (
            &[("subject_token", "needle"), ("subject_token_type", "urn:x")],
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
    ] {
        let pairs: Vec<_> = pairs
            .iter()
            .copied()
            .chain([("grant_type", grant)])
            .collect();
        let (_, request) = read(&pairs, None).unwrap();
        assert_eq!(request.grant_type().as_str(), grant);
        assert!(!format!("{request:?}").contains("needle"), "{request:?}");
    }
}
