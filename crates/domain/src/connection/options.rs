//! TABLE: the options of a connection (wire section 2.1), what they must be and what they are when
//! nobody says.

use serde_json::Value;

use crate::metadata::Json;
use crate::row_error::RowError;
use crate::schema::{self, Field, Kind, optional};

const SCRIPT: Kind = Kind::Text(1, 102_400);
const SCRIPTS: Kind = Kind::Object(&[
    optional("login", SCRIPT),
    optional("get_user", SCRIPT),
    optional("create", SCRIPT),
    optional("verify", SCRIPT),
    optional("change_password", SCRIPT),
    optional("delete", SCRIPT),
    optional("change_email", SCRIPT),
    optional("change_username", SCRIPT),
    optional("change_phone_number", SCRIPT),
]);

const ENABLE: Kind = Kind::Object(&[optional("enable", Kind::Boolean)]);
const HISTORY: Kind = Kind::Object(&[
    optional("enable", Kind::Boolean),
    optional("size", Kind::Integer(0, 24)),
]);
const DICTIONARY: Kind = Kind::Object(&[
    optional("enable", Kind::Boolean),
    optional("dictionary", Kind::Array(&Kind::Text(0, 50), 0, 200)),
]);

const CHOICE: Kind = Kind::Enum(&["allow", "block"]);
const KIND: Kind = Kind::Enum(&["uppercase", "lowercase", "number", "special"]);
const ACTIVE: Field = optional("active", Kind::Boolean);

const PASSWORD_OPTIONS: Kind = Kind::Object(&[
    optional(
        "complexity",
        Kind::Object(&[
            optional("min_length", Kind::Integer(1, 72)),
            optional("character_types", Kind::Array(&KIND, 0, 4)),
            optional("character_type_rule", Kind::Enum(&["all", "three_of_four"])),
            optional("identical_characters", CHOICE),
            optional("sequential_characters", CHOICE),
            optional("max_length_exceeded", Kind::Enum(&["truncate", "error"])),
        ]),
    ),
    optional(
        "dictionary",
        Kind::Object(&[
            ACTIVE,
            optional("custom", Kind::Array(&Kind::Text(0, 50), 0, 200)),
            optional("default", Kind::Enum(&["en_10k", "en_100k"])),
        ]),
    ),
    optional(
        "history",
        Kind::Object(&[ACTIVE, optional("size", Kind::Integer(1, 24))]),
    ),
    optional(
        "profile_data",
        Kind::Object(&[
            ACTIVE,
            optional("blocked_fields", Kind::Array(&Kind::Text(1, 100), 0, 12)),
        ]),
    ),
]);

/// When the attributes of a profile's root follow the store that a user comes from.
pub const ROOT_ATTRIBUTES: Field = optional(
    "set_user_root_attributes",
    Kind::Enum(&["on_each_login", "on_first_login", "never_on_login"]),
);

/// What a store says of its users and is not kept here.
pub const NON_PERSISTENT: Field = optional(
    "non_persistent_attrs",
    Kind::Nullable(&Kind::Array(&Kind::Text(1, 255), 0, 96)),
);

/// The shape of `options` (wire section 2.1).
pub const OPTIONS: &[Field] = &[
    optional("enabledDatabaseCustomization", Kind::Boolean),
    optional("import_mode", Kind::Boolean),
    optional("customScripts", Kind::Nullable(&SCRIPTS)),
    optional(
        "configuration",
        Kind::Nullable(&Kind::MapOf(&Kind::Text(0, 65_536))),
    ),
    optional("enable_script_context", Kind::Boolean),
    ROOT_ATTRIBUTES,
    NON_PERSISTENT,
    optional("requires_username", Kind::Boolean),
    optional("validation", Kind::Nullable(&Kind::FreeObject)),
    optional("attributes", Kind::Nullable(&Kind::FreeObject)),
    optional(
        "precedence",
        Kind::Array(&Kind::Enum(&["email", "phone_number", "username"]), 3, 3),
    ),
    optional("disable_signup", Kind::Boolean),
    optional("disable_self_service_change_password", Kind::Boolean),
    optional("brute_force_protection", Kind::Boolean),
    optional(
        "passwordPolicy",
        Kind::Nullable(&Kind::Enum(&["none", "low", "fair", "good", "excellent"])),
    ),
    optional(
        "password_complexity_options",
        Kind::Nullable(&Kind::Object(&[optional(
            "min_length",
            Kind::Integer(1, 128),
        )])),
    ),
    optional("password_history", Kind::Nullable(&HISTORY)),
    optional("password_no_personal_info", Kind::Nullable(&ENABLE)),
    optional("password_dictionary", Kind::Nullable(&DICTIONARY)),
    optional("password_options", Kind::Nullable(&PASSWORD_OPTIONS)),
    optional(
        "mfa",
        Kind::Object(&[
            optional("active", Kind::Boolean),
            optional("return_enroll_settings", Kind::Boolean),
        ]),
    ),
    optional("authentication_methods", Kind::Nullable(&Kind::FreeObject)),
    optional("passkey_options", Kind::Nullable(&Kind::FreeObject)),
    // Ours, not the wire's: what runs scripts, and which hosts they may reach.
    optional("ferry", Kind::Nullable(&Kind::FreeObject)),
    optional("realm_fallback", Kind::Boolean),
    optional("strategy_version", Kind::Integer(1, 2)),
    optional("upstream_params", Kind::Nullable(&Kind::FreeObject)),
];

/// Every way in which `options` does not fit, beyond its shape.
pub fn check_options(options: &Json) -> Vec<RowError> {
    let mut errors: Vec<RowError> = schema::check(options, OPTIONS)
        .into_iter()
        .map(|e| e.under("options"))
        .collect();
    let is_set = |name: &str| options.get(name).is_some_and(|value| !value.is_null());
    for excluded in ["requires_username", "validation"] {
        if is_set("attributes") && is_set(excluded) {
            let message = format!("Cannot set both options.attributes and options.{excluded}");
            errors.push(RowError::new(
                crate::RowErrorCode::NotPassed,
                "options",
                message,
            ));
        }
    }
    errors
}

/// What the server fills in when a connection is created without it.
pub fn option_defaults() -> Json {
    let defaults = serde_json::json!({
        "mfa": {"active": true, "return_enroll_settings": true},
        "passwordPolicy": "good",
        "passkey_options": {
            "challenge_ui": "both", "local_enrollment_enabled": true,
            "progressive_enrollment_enabled": true,
        },
        "strategy_version": 2,
        "authentication_methods": {
            "password": {"enabled": true, "api_behavior": "required", "signup_behavior": "allow"},
            "passkey": {"enabled": false},
        },
        "brute_force_protection": true,
    });
    match defaults {
        Value::Object(object) => object,
        _ => Json::new(),
    }
}
