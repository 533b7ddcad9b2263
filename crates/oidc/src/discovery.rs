//! The discovery document: what clients read first. It lists what exists and nothing else; a
//! capability that is announced too early breaks clients that choose it.

use serde::Serialize;

use crate::issuer::Issuer;
use crate::scopes::{EMAIL, OPENID, PHONE, PROFILE};
use crate::token::GrantType;

/// The body of `/.well-known/openid-configuration` (OpenID Connect Discovery §3, RFC 8414 §2).
///
/// There is no `authorization_endpoint`: RFC 8414 requires it only for grants that use it. The list
/// of response types is required always, and is empty.
#[derive(Clone, Debug, Serialize)]
pub struct Discovery {
    issuer: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    scopes_supported: [&'static str; 4],
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 6],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    claims_supported: [&'static str; 15],
    // Both default to something else when left out, so they are said.
    request_uri_parameter_supported: bool,
    request_parameter_supported: bool,
}

impl Discovery {
    /// The document of an issuer.
    pub fn new(issuer: &Issuer) -> Self {
        Self {
            issuer: issuer.as_str().to_owned(),
            token_endpoint: issuer.join("oauth/token"),
            userinfo_endpoint: issuer.join("userinfo"),
            jwks_uri: issuer.join(".well-known/jwks.json"),
            scopes_supported: [OPENID, PROFILE, EMAIL, PHONE],
            response_types_supported: [],
            grant_types_supported: GrantType::ALL.map(GrantType::as_str),
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["RS256"],
            token_endpoint_auth_methods_supported: [
                domain::TokenEndpointAuth::ClientSecretBasic,
                domain::TokenEndpointAuth::ClientSecretPost,
                domain::TokenEndpointAuth::None,
            ]
            .map(domain::TokenEndpointAuth::as_str),
            claims_supported: [
                "aud",
                "email",
                "email_verified",
                "exp",
                "family_name",
                "given_name",
                "iat",
                "iss",
                "name",
                "nickname",
                "phone_number",
                "phone_number_verified",
                "picture",
                "sub",
                "updated_at",
            ],
            request_uri_parameter_supported: false,
            request_parameter_supported: false,
        }
    }
}
