//! The bodies that go out as they are.

use std::time::Duration;

use oidc::{Discovery, Issuer, OAuthError, Scopes, TokenResponse};
use serde_json::Value;

use crate::{ISSUER, NOW, keys};

#[test]
fn discovery() {
    let issuer = Issuer::parse(ISSUER).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&Discovery::new(&issuer)).unwrap(), @r#"
    {
      "issuer": "https://id.example.com/",
      "authorization_endpoint": "https://id.example.com/authorize",
      "token_endpoint": "https://id.example.com/oauth/token",
      "device_authorization_endpoint": "https://id.example.com/oauth/device/code",
      "pushed_authorization_request_endpoint": "https://id.example.com/oauth/par",
      "userinfo_endpoint": "https://id.example.com/userinfo",
      "jwks_uri": "https://id.example.com/.well-known/jwks.json",
      "revocation_endpoint": "https://id.example.com/oauth/revoke",
      "introspection_endpoint": "https://id.example.com/oauth/introspect",
      "end_session_endpoint": "https://id.example.com/oidc/logout",
      "backchannel_logout_supported": true,
      "backchannel_logout_session_supported": true,
      "scopes_supported": [
        "openid",
        "profile",
        "email",
        "phone",
        "offline_access"
      ],
      "response_types_supported": [
        "code",
        "token",
        "id_token",
        "code token",
        "code id_token",
        "id_token token",
        "code id_token token"
      ],
      "response_modes_supported": [
        "query",
        "fragment",
        "form_post",
        "web_message"
      ],
      "grant_types_supported": [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "http://auth0.com/oauth/grant-type/password-realm",
        "urn:ietf:params:oauth:grant-type:device_code",
        "http://auth0.com/oauth/grant-type/mfa-otp",
        "http://auth0.com/oauth/grant-type/mfa-oob",
        "http://auth0.com/oauth/grant-type/mfa-recovery-code",
        "implicit"
      ],
      "prompt_values_supported": [
        "none",
        "login",
        "consent",
        "select_account"
      ],
      "code_challenge_methods_supported": [
        "S256"
      ],
      "subject_types_supported": [
        "public"
      ],
      "id_token_signing_alg_values_supported": [
        "RS256",
        "PS256",
        "ES256"
      ],
      "token_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none"
      ],
      "token_endpoint_auth_signing_alg_values_supported": [
        "RS256",
        "RS384",
        "PS256",
        "ES256"
      ],
      "dpop_signing_alg_values_supported": [
        "ES256",
        "RS256",
        "PS256"
      ],
      "claims_supported": [
        "acr",
        "amr",
        "aud",
        "auth_time",
        "email",
        "email_verified",
        "exp",
        "family_name",
        "given_name",
        "iat",
        "iss",
        "name",
        "nickname",
        "nonce",
        "phone_number",
        "phone_number_verified",
        "picture",
        "sid",
        "sub",
        "updated_at"
      ],
      "authorization_response_iss_parameter_supported": true,
      "require_pushed_authorization_requests": false,
      "claims_parameter_supported": false,
      "request_uri_parameter_supported": false,
      "request_parameter_supported": false
    }
    "#);
}

#[test]
fn issuers_end_with_one_slash() {
    let issuer = Issuer::parse("http://localhost:4000").unwrap();
    assert_eq!(issuer.as_str(), "http://localhost:4000/");
    assert_eq!(issuer.userinfo_audience(), "http://localhost:4000/userinfo");
    assert_eq!(Issuer::parse(ISSUER).unwrap().as_str(), ISSUER);
    for bad in [
        "",
        "id.example.com",
        "ftp://x/",
        "https://",
        "https:///x",
        "https://x/?a",
        "https://x y/",
    ] {
        assert!(Issuer::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn jwks() {
    let mut jwks = serde_json::to_value(keys().jwks(NOW)).unwrap();
    // The other two are the same key for another algorithm, and one of P-256 whose numbers vary.
    jwks["keys"].as_array_mut().unwrap().truncate(1);
    let modulus = jwks["keys"][0]["n"].take();
    // 256 bytes without a zero in front.
    assert_eq!(modulus.as_str().unwrap().len(), 342);
    jwks["keys"][0]["n"] = Value::from("…");
    insta::assert_snapshot!(serde_json::to_string_pretty(&jwks).unwrap(), @r#"
    {
      "keys": [
        {
          "kty": "RSA",
          "use": "sig",
          "n": "…",
          "e": "AQAB",
          "kid": "current",
          "alg": "RS256"
        }
      ]
    }
    "#);
}

#[test]
fn token_response() {
    let response = TokenResponse::new("a.b.c".into(), Duration::from_hours(24));
    assert_eq!(format!("{response:?}"), "TokenResponse(…)");
    let full = TokenResponse::new("a.b.c".into(), Duration::from_hours(24))
        .with_id_token("d.e.f".into())
        .with_scope(&Scopes::parse("openid email").unwrap(), false);
    let plain = || TokenResponse::new("a.b.c".into(), Duration::from_hours(24));
    let nothing = Scopes::default();
    let (none, refused) = (
        plain().with_scope(&nothing, false),
        plain().with_scope(&nothing, true),
    );
    let lines = [response, full, none, refused].map(|body| serde_json::to_string(&body).unwrap());
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"access_token":"a.b.c","expires_in":86400,"token_type":"Bearer"}
    {"access_token":"a.b.c","id_token":"d.e.f","scope":"openid email","expires_in":86400,"token_type":"Bearer"}
    {"access_token":"a.b.c","expires_in":86400,"token_type":"Bearer"}
    {"access_token":"a.b.c","scope":"","expires_in":86400,"token_type":"Bearer"}
    "#);
}

#[test]
fn errors() {
    let errors = [
        OAuthError::invalid_request("Malformed."),
        OAuthError::missing_parameter("username"),
        OAuthError::duplicate_parameter("scope"),
        OAuthError::unsupported_grant_type("magic"),
        OAuthError::invalid_scope("No such scope: x"),
        OAuthError::unknown_realm("old-db"),
        OAuthError::no_default_connection(),
        OAuthError::invalid_client("secret does not match"),
        OAuthError::grant_not_allowed("password"),
        OAuthError::audience_required(),
        OAuthError::unknown_audience("https://api"),
        OAuthError::audience_not_granted("https://api"),
        OAuthError::wrong_credentials(),
        OAuthError::too_many_attempts(),
        OAuthError::too_many_requests(),
        OAuthError::user_blocked(),
        OAuthError::unauthorized("Call us."),
        OAuthError::denied("Not on Sundays."),
        OAuthError::mfa_required(Some("Fe26.2".into())),
        OAuthError::password_leaked(),
        OAuthError::invalid_token("expired"),
        OAuthError::temporarily_unavailable("ECONNREFUSED 10.0.0.7:5432"),
        OAuthError::server_error("disk full"),
    ];
    let lines = errors.map(|error| {
        let body = serde_json::to_string(&error).unwrap();
        let detail = error.detail.unwrap_or_default();
        assert!(detail.is_empty() || !body.contains(&detail), "{body}");
        format!("{} {body}", error.status)
    });
    insta::assert_snapshot!(lines.join("\n"), @r#"
    400 {"error":"invalid_request","error_description":"Malformed."}
    400 {"error":"invalid_request","error_description":"Missing required parameter: username"}
    400 {"error":"invalid_request","error_description":"Duplicate parameter: scope"}
    400 {"error":"unsupported_grant_type","error_description":"Unsupported grant type: magic"}
    400 {"error":"invalid_scope","error_description":"No such scope: x"}
    400 {"error":"invalid_request","error_description":"Unknown realm: old-db"}
    500 {"error":"server_error","error_description":"Authorization server not configured with default connection."}
    401 {"error":"invalid_client","error_description":"Client authentication failed."}
    403 {"error":"unauthorized_client","error_description":"Grant type 'password' not allowed for the client."}
    403 {"error":"access_denied","error_description":"No audience parameter was provided, and no default audience has been configured"}
    403 {"error":"access_denied","error_description":"Service not found: https://api"}
    403 {"error":"access_denied","error_description":"Client is not authorized to access \"https://api\". Create a client grant for this API."}
    403 {"error":"invalid_grant","error_description":"Wrong email or password."}
    429 {"error":"too_many_attempts","error_description":"Your account has been blocked after multiple consecutive login attempts. We've sent you an email with instructions on how to unblock it."}
    429 {"error":"too_many_requests","error_description":"Too many login attempts. Try again later."}
    403 {"error":"unauthorized","error_description":"user is blocked"}
    403 {"error":"unauthorized","error_description":"Call us."}
    403 {"error":"access_denied","error_description":"Not on Sundays."}
    403 {"error":"mfa_required","error_description":"Multifactor authentication required","mfa_token":"Fe26.2"}
    403 {"error":"password_leaked","error_description":"This password was leaked elsewhere. Reset it to log in."}
    401 {"error":"invalid_token","error_description":"Unauthorized"}
    503 {"error":"temporarily_unavailable","error_description":"The login is temporarily unavailable. Try again later."}
    500 {"error":"server_error","error_description":"Internal error."}
    "#);
}

#[test]
fn an_error_quotes_the_caller_shortly() {
    let error = OAuthError::unknown_audience(&"é\n\"\\".repeat(1000));
    assert_eq!(
        error.description,
        format!("Service not found: {}", "?".repeat(100))
    );
}

#[test]
fn the_mfa_token_stays_out_of_logs() {
    let printed = format!("{:?}", OAuthError::mfa_required(Some("s3cr3t".into())));
    assert!(!printed.contains("s3cr3t"), "{printed}");
}
