//! Connections: where the credentials of a set of users live, and the options of wire section 2.1.

mod options;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::conflict::Policy;
use crate::id::{ClientId, ConnectionId};
use crate::metadata::Json;
use crate::profile::EmailCase;
use crate::secret::ConfigurationValue;

pub use options::{NON_PERSISTENT, OPTIONS, ROOT_ATTRIBUTES, check_options, option_defaults};

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

    /// Whether users may have usernames: all of them must, or `options.attributes` names them.
    pub fn takes_usernames(&self) -> bool {
        let attributes = self.options.get("attributes");
        let username = attributes.and_then(|attributes| attributes.get("username"));
        self.requires_username() || username.is_some_and(Value::is_object)
    }

    /// Whether people may sign in with passkeys (`authentication_methods.passkey.enabled`). Not where
    /// a legacy store says at each login who may.
    pub fn has_passkeys(&self) -> bool {
        let enabled = self.options.get("authentication_methods");
        let enabled = enabled.and_then(|methods| methods.get("passkey")?.get("enabled"));
        enabled.and_then(Value::as_bool).unwrap_or(false) && self.mode() != Mode::Legacy
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
