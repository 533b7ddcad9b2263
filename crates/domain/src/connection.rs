//! Connections: where the credentials of a set of users live, and the options of wire section 2.1.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::conflict::Policy;
use crate::id::{ClientId, ConnectionId};
use crate::metadata::Json;
use crate::profile::EmailCase;
use crate::row_error::RowError;
use crate::schema::{self, Field, Kind, optional};
use crate::secret::ConfigurationValue;

/// Who holds the passwords of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// We do, and always did.
    Plain,
    /// We do; a user unknown here is asked for in the legacy store and moves in.
    Import,
    /// The legacy store does; profiles are cached here without a password.
    Legacy,
}

/// Who vouches for the people of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// A password: ours, or one that a legacy store verifies.
    Database,
    /// Somebody else's OpenID provider.
    Oidc,
}

impl Strategy {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Database, Self::Oidc];

    /// The word on the wire; also the provider of its identities.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => crate::id::AUTH0,
            Self::Oidc => crate::id::OIDC,
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|strategy| strategy.as_str() == text)
    }
}

/// When the names and the picture of a script's profile are stored here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootAttributes {
    /// At each login: the documented default.
    OnEachLogin,
    /// When the user arrives; later they are ours to change.
    OnFirstLogin,
    /// Not at all: they are set through the Management API or an import.
    Never,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its name, also the default realm.
    pub name: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Names that the password-realm grant may call it by.
    pub realms: Vec<String>,
    /// Everything under `options` except `configuration`, as it was set.
    pub options: Json,
    /// Settings of its scripts; the secret by which we prove ourselves to a provider.
    pub configuration: BTreeMap<String, ConfigurationValue>,
    /// Free texts of the operator.
    pub metadata: Json,
    /// All other root members, as they were set.
    pub attributes: Json,
    /// Clients that it serves.
    pub enabled_clients: Vec<ClientId>,
    /// Optimistic version.
    pub version: i64,
}

impl Connection {
    fn flag(&self, name: &str) -> bool {
        self.options
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// Who vouches for its people. Kept among the root members; database connections name none.
    pub fn strategy(&self) -> Strategy {
        let named = self.attributes.get("strategy").and_then(Value::as_str);
        named
            .and_then(Strategy::parse)
            .unwrap_or(Strategy::Database)
    }

    /// Whether its people have passwords.
    pub fn is_database(&self) -> bool {
        self.strategy() == Strategy::Database
    }

    /// Who holds the passwords.
    pub fn mode(&self) -> Mode {
        match (
            self.flag("enabledDatabaseCustomization"),
            self.flag("import_mode"),
        ) {
            (false, _) => Mode::Plain,
            (true, true) => Mode::Import,
            (true, false) => Mode::Legacy,
        }
    }

    /// The text of an action script; `None` when none is set.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.options
            .get("customScripts")?
            .get(name)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// All action scripts by name.
    pub fn scripts(&self) -> impl Iterator<Item = (&str, &str)> {
        let scripts = self.options.get("customScripts").and_then(Value::as_object);
        scripts
            .into_iter()
            .flatten()
            .filter_map(|(name, text)| Some((name.as_str(), text.as_str()?)))
    }

    /// Whether scripts take a `context` argument.
    pub fn has_script_context(&self) -> bool {
        self.flag("enable_script_context")
    }

    /// Whether people may not sign up by themselves.
    pub fn is_signup_disabled(&self) -> bool {
        self.flag("disable_signup")
    }

    /// Whether people may not change a password by themselves.
    pub fn is_password_change_disabled(&self) -> bool {
        self.flag("disable_self_service_change_password")
    }

    /// Whether users have usernames.
    pub fn requires_username(&self) -> bool {
        self.flag("requires_username")
    }

    /// Whether people may sign in with passkeys (`authentication_methods.passkey.enabled`).
    pub fn has_passkeys(&self) -> bool {
        let enabled = self.options.get("authentication_methods");
        let enabled = enabled.and_then(|methods| methods.get("passkey")?.get("enabled"));
        enabled.and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whether who signs in by password is offered to make a passkey
    /// (`passkey_options.progressive_enrollment_enabled`, on by default).
    pub fn offers_passkeys(&self) -> bool {
        let flag = self.options.get("passkey_options");
        let flag = flag.and_then(|options| options.get("progressive_enrollment_enabled"));
        self.has_passkeys() && flag.and_then(Value::as_bool).unwrap_or(true)
    }

    /// Whether failures on one account from one address are counted; on by default.
    pub fn has_brute_force_protection(&self) -> bool {
        self.options
            .get("brute_force_protection")
            .and_then(Value::as_bool)
            .unwrap_or(true)
    }

    /// The least number of characters in a new password, by policy and complexity options.
    pub fn password_min_length(&self) -> usize {
        let explicit = self
            .options
            .get("password_complexity_options")
            .and_then(|options| options.get("min_length"))
            .and_then(Value::as_u64)
            .and_then(|length| usize::try_from(length).ok());
        explicit.unwrap_or(match self.password_policy() {
            "low" => 6,
            "fair" | "good" => 8,
            "excellent" => 10,
            _ => 1,
        })
    }

    /// The password policy's name; `none` when nothing is asked.
    pub fn password_policy(&self) -> &str {
        self.options
            .get("passwordPolicy")
            .and_then(Value::as_str)
            .unwrap_or("none")
    }

    /// When the names and the picture of a script's profile are stored here
    /// (`set_user_root_attributes`).
    pub fn root_attributes(&self) -> RootAttributes {
        match self
            .options
            .get("set_user_root_attributes")
            .and_then(Value::as_str)
        {
            Some("on_first_login") => RootAttributes::OnFirstLogin,
            Some("never_on_login") => RootAttributes::Never,
            _ => RootAttributes::OnEachLogin,
        }
    }

    /// What decides when a legacy user's keys are held here (`options.ferry.conflict_policy`); the
    /// documented default where none is set, or one that can't be read: they are read when they
    /// are set. The immutable id counts in any case.
    pub fn arrival_policy(&self) -> Policy {
        let set = self.options.get("ferry");
        let set = set.and_then(|ferry| ferry.get("conflict_policy"));
        let policy = set.and_then(|value| Policy::from_json(value).ok());
        policy
            .filter(|policy| *policy != Policy::reject())
            .map_or_else(Policy::arrival, Policy::at_login)
    }

    /// How addresses are spelled here (wire section 1.4).
    pub fn email_case(&self) -> EmailCase {
        if self.mode() == Mode::Legacy {
            EmailCase::AsGiven
        } else {
            EmailCase::Folded
        }
    }

    /// Whether it may serve a client.
    pub fn serves(&self, client: &ClientId) -> bool {
        self.enabled_clients.contains(client)
    }
}

/// Whether the text may name a connection: `^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$`, 1–128.
pub fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// The pattern of [`is_name`], as messages print it.
pub const NAME_PATTERN: &str = "^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$";

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
    optional(
        "set_user_root_attributes",
        Kind::Enum(&["on_each_login", "on_first_login", "never_on_login"]),
    ),
    optional(
        "non_persistent_attrs",
        Kind::Nullable(&Kind::Array(&Kind::Text(1, 255), 0, 96)),
    ),
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
