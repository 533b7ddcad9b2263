//! TABLE: the members of a client as they may be sent, and the words that they may hold.

use domain::schema::{Field, Kind, optional};

/// Grant types that a client may name.
pub(super) const GRANT_TYPES: &[&str] = &[
    "authorization_code",
    "implicit",
    "refresh_token",
    "client_credentials",
    "password",
    "http://auth0.com/oauth/grant-type/password-realm",
    "http://auth0.com/oauth/grant-type/mfa-oob",
    "http://auth0.com/oauth/grant-type/mfa-otp",
    "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    "http://auth0.com/oauth/grant-type/passwordless/otp",
    "http://auth0.com/oauth/legacy/grant-type/ro",
    "http://auth0.com/oauth/legacy/grant-type/ro/jwt-bearer",
    "http://auth0.com/oauth/legacy/grant-type/delegation/refresh_token",
    "http://auth0.com/oauth/legacy/grant-type/delegation/id_token",
    "http://auth0.com/oauth/legacy/grant-type/access_token",
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:okta:params:oauth:grant-type:webauthn",
    "urn:openid:params:grant-type:ciba",
];

const APP_TYPES: &[&str] = &[
    "native",
    "spa",
    "regular_web",
    "non_interactive",
    "resource_server",
    "express_configuration",
    "sso_integration",
    "rms",
    "box",
    "cloudbees",
    "concur",
    "dropbox",
    "mscrm",
    "echosign",
    "egnyte",
    "newrelic",
    "office365",
    "salesforce",
    "sentry",
    "sharepoint",
    "slack",
    "springcm",
    "zendesk",
    "zoom",
    "oag",
];

/// The pattern of a client's name.
const NAME_PATTERN: &str = "^[^<>]+$";

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['<', '>'])
}

const FLAG: Kind = Kind::Nullable(&Kind::Boolean);
const FREE: Kind = Kind::Nullable(&Kind::FreeObject);
const LINE: Kind = Kind::Nullable(&Kind::Text(0, 2048));
const PAGE: Kind = Kind::Nullable(&Kind::Text(0, 1_048_576));
const LINES: Kind = Kind::Nullable(&Kind::Array(&Kind::Text(1, 2048), 0, 1000));
const SECONDS: Kind = Kind::Integer(0, 1_000_000_000);
const ENABLED: Kind = Kind::Nullable(&Kind::Object(&[optional("enabled", Kind::Boolean)]));

const JWT_CONFIGURATION: Kind = Kind::Nullable(&Kind::Object(&[
    optional("lifetime_in_seconds", SECONDS),
    optional("secret_encoded", Kind::Boolean),
    optional("scopes", FREE),
    optional("alg", Kind::Enum(&["HS256", "RS256", "PS256", "ES256"])),
]));

const REFRESH_TOKEN: Kind = Kind::Nullable(&Kind::Object(&[
    optional("rotation_type", Kind::Enum(&["rotating", "non-rotating"])),
    optional("expiration_type", Kind::Enum(&["expiring", "non-expiring"])),
    optional("leeway", SECONDS),
    optional("token_lifetime", SECONDS),
    optional("infinite_token_lifetime", Kind::Boolean),
    optional("idle_token_lifetime", SECONDS),
    optional("infinite_idle_token_lifetime", Kind::Boolean),
    optional(
        "policies",
        Kind::Nullable(&Kind::Array(&Kind::FreeObject, 0, 100)),
    ),
]));

const MOBILE: Kind = Kind::Nullable(&Kind::Object(&[
    optional(
        "android",
        Kind::Nullable(&Kind::Object(&[
            optional("app_package_name", LINE),
            optional("sha256_cert_fingerprints", LINES),
        ])),
    ),
    optional(
        "ios",
        Kind::Nullable(&Kind::Object(&[
            optional("team_id", LINE),
            optional("app_bundle_identifier", LINE),
        ])),
    ),
]));

const NATIVE_SOCIAL_LOGIN: Kind = Kind::Nullable(&Kind::Object(&[
    optional("apple", ENABLED),
    optional("facebook", ENABLED),
    optional("google", ENABLED),
]));

/// All members. A member that is `null` in a change goes back to its default.
pub(super) const MEMBERS: &[Field] = &[
    optional("name", Kind::Pattern(NAME_PATTERN, is_name)),
    optional("description", Kind::Nullable(&Kind::Text(0, 140))),
    optional("client_secret", Kind::Text(1, 1024)),
    optional("logo_uri", LINE),
    optional("callbacks", LINES),
    optional("oidc_logout", FREE),
    optional("oidc_backchannel_logout", FREE),
    optional("session_transfer", FREE),
    optional("allowed_origins", LINES),
    optional("web_origins", LINES),
    optional("client_aliases", LINES),
    optional("allowed_clients", LINES),
    optional("allowed_logout_urls", LINES),
    optional(
        "grant_types",
        Kind::Nullable(&Kind::Array(&Kind::Enum(GRANT_TYPES), 0, 50)),
    ),
    optional(
        "token_endpoint_auth_method",
        Kind::Nullable(&Kind::Enum(&[
            "none",
            "client_secret_post",
            "client_secret_basic",
        ])),
    ),
    optional("is_token_endpoint_ip_header_trusted", FLAG),
    optional("app_type", Kind::Nullable(&Kind::Enum(APP_TYPES))),
    optional("is_first_party", FLAG),
    optional("oidc_conformant", FLAG),
    optional("jwt_configuration", JWT_CONFIGURATION),
    optional("encryption_key", FREE),
    optional("sso", FLAG),
    optional("sso_disabled", FLAG),
    optional("cross_origin_authentication", FLAG),
    optional("cross_origin_loc", LINE),
    optional("custom_login_page_on", FLAG),
    optional("custom_login_page", PAGE),
    optional("custom_login_page_preview", PAGE),
    optional("form_template", PAGE),
    optional("addons", FREE),
    optional(
        "client_metadata",
        Kind::Nullable(&Kind::MapOf(&Kind::Nullable(&Kind::Text(0, 255)))),
    ),
    optional("mobile", MOBILE),
    optional("initiate_login_uri", LINE),
    optional("native_social_login", NATIVE_SOCIAL_LOGIN),
    optional("fedcm_login", FREE),
    optional("refresh_token", REFRESH_TOKEN),
    optional("default_organization", FREE),
    optional(
        "organization_usage",
        Kind::Nullable(&Kind::Enum(&["deny", "allow", "require"])),
    ),
    optional(
        "organization_require_behavior",
        Kind::Nullable(&Kind::Enum(&[
            "no_prompt",
            "pre_login_prompt",
            "post_login_prompt",
        ])),
    ),
    optional(
        "organization_discovery_methods",
        Kind::Nullable(&Kind::Array(
            &Kind::Enum(&["email", "organization_name"]),
            0,
            2,
        )),
    ),
    optional("client_authentication_methods", FREE),
    optional("require_pushed_authorization_requests", FLAG),
    optional("require_proof_of_possession", FLAG),
    optional("signed_request_object", FREE),
    optional("compliance_level", LINE),
    optional("skip_non_verifiable_callback_uri_confirmation_prompt", FLAG),
    optional("token_exchange", FREE),
    optional("par_request_expiry", Kind::Nullable(&SECONDS)),
    optional("token_quota", FREE),
    optional("resource_server_identifier", LINE),
    optional("third_party_security_mode", LINE),
    optional("redirection_policy", LINE),
    optional("express_configuration", FREE),
    optional("my_organization_configuration", FREE),
    optional("async_approval_notification_channels", LINES),
];
