//! The discovery document: what clients read first. It lists what exists and nothing else; a
//! capability that is announced too early breaks clients that choose it.

use domain::TokenEndpointAuth;
use serde::Serialize;

use crate::issuer::Issuer;
use crate::scopes::{EMAIL, OPENID, PHONE, PROFILE};
use crate::token::GrantType;

/// The scopes that mean something without an API; `offline_access` asks for a refresh token.
const SCOPES: &[&str] = &[OPENID, PROFILE, EMAIL, PHONE, "offline_access"];

/// Every combination of the three (OAuth 2.0 Multiple Response Type Encoding Practices).
const RESPONSE_TYPES: &[&str] = &[
    "code",
    "token",
    "id_token",
    "code token",
    "code id_token",
    "id_token token",
    "code id_token token",
];

const RESPONSE_MODES: &[&str] = &["query", "fragment", "form_post", "web_message"];

/// What ID tokens are signed with; RS256 unless the client says otherwise.
const SIGNING_ALGORITHMS: &[&str] = &["RS256", "PS256", "ES256"];

/// How clients prove themselves.
const CLIENT_AUTHENTICATION: &[&str] = &[
    TokenEndpointAuth::ClientSecretBasic.as_str(),
    TokenEndpointAuth::ClientSecretPost.as_str(),
    "private_key_jwt",
    TokenEndpointAuth::None.as_str(),
];

/// What client assertions may be signed with.
const ASSERTION_ALGORITHMS: &[&str] = &["RS256", "RS384", "PS256", "ES256"];

/// What `DPoP` proofs may be signed with.
const DPOP_ALGORITHMS: &[&str] = &["ES256", "RS256", "PS256"];

const CLAIMS: &[&str] = &[
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
    "updated_at",
];

/// The body of `/.well-known/openid-configuration` (OpenID Connect Discovery §3, RFC 8414 §2, and the
/// registered members of RFC 8628, 9126, 9207, 9449 and the logout specifications).
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "members of the wire")]
pub struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    device_authorization_endpoint: String,
    pushed_authorization_request_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    end_session_endpoint: String,
    scopes_supported: &'static [&'static str],
    response_types_supported: &'static [&'static str],
    response_modes_supported: &'static [&'static str],
    grant_types_supported: Vec<&'static str>,
    prompt_values_supported: &'static [&'static str],
    code_challenge_methods_supported: &'static [&'static str],
    subject_types_supported: &'static [&'static str],
    id_token_signing_alg_values_supported: &'static [&'static str],
    token_endpoint_auth_methods_supported: &'static [&'static str],
    token_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    dpop_signing_alg_values_supported: &'static [&'static str],
    claims_supported: &'static [&'static str],
    authorization_response_iss_parameter_supported: bool,
    require_pushed_authorization_requests: bool,
    claims_parameter_supported: bool,
    // Both default to something else when left out, so they are said. Pushed requests need neither.
    request_uri_parameter_supported: bool,
    request_parameter_supported: bool,
}

impl Discovery {
    /// The document of an issuer.
    pub fn new(issuer: &Issuer) -> Self {
        let served = GrantType::ALL.into_iter().filter(|grant| grant.is_served());
        let grants = served.map(GrantType::as_str);
        Self {
            issuer: issuer.as_str().to_owned(),
            authorization_endpoint: issuer.join("authorize"),
            token_endpoint: issuer.join("oauth/token"),
            device_authorization_endpoint: issuer.join("oauth/device/code"),
            pushed_authorization_request_endpoint: issuer.join("oauth/par"),
            userinfo_endpoint: issuer.join("userinfo"),
            jwks_uri: issuer.join(".well-known/jwks.json"),
            revocation_endpoint: issuer.join("oauth/revoke"),
            introspection_endpoint: issuer.join("oauth/introspect"),
            end_session_endpoint: issuer.join("oidc/logout"),
            scopes_supported: SCOPES,
            response_types_supported: RESPONSE_TYPES,
            response_modes_supported: RESPONSE_MODES,
            // The one grant that never comes to the token endpoint.
            grant_types_supported: grants.chain(["implicit"]).collect(),
            prompt_values_supported: &["none", "login", "consent", "select_account"],
            // Plain exists for single clients that ask for it; nobody should choose it.
            code_challenge_methods_supported: &["S256"],
            subject_types_supported: &["public"],
            id_token_signing_alg_values_supported: SIGNING_ALGORITHMS,
            token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
            token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
            dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
            claims_supported: CLAIMS,
            authorization_response_iss_parameter_supported: true,
            require_pushed_authorization_requests: false,
            claims_parameter_supported: false,
            request_uri_parameter_supported: false,
            request_parameter_supported: false,
        }
    }
}
