//! What is run: the scripts of one connection and their settings.
//!
//! A [`Program`] is refused when a script is longer than the documented limit. Its
//! [`fingerprint`](Program::fingerprint) names it: a worker serves one fingerprint only, so a
//! changed script or setting never meets a worker that knew the old one.

use std::collections::BTreeMap;
use std::fmt;

use domain::{ConfigurationValue, ConnectionId};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::egress::Egress;
use crate::limits::SCRIPT_BYTES;
use crate::outcome::{Failure, FailureKind};
use crate::settings::RuntimeName;

macro_rules! script_names {
    ($($(#[$doc:meta])* $variant:ident = $key:literal,)+) => {
        /// The scripts a connection may have, by their documented keys.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ScriptName { $($(#[$doc])* $variant,)+ }

        impl ScriptName {
            /// The key under `customScripts`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $key,)+ }
            }

            /// By key; `None` for a key that is not documented.
            pub fn parse(key: &str) -> Option<Self> {
                match key { $($key => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

script_names! {
    /// Checks a password.
    Login = "login",
    /// Looks a user up.
    GetUser = "get_user",
    /// Adds a user.
    Create = "create",
    /// Marks an address as verified.
    Verify = "verify",
    /// Sets a password.
    ChangePassword = "change_password",
    /// Sets an address.
    ChangeEmail = "change_email",
    /// Removes a user.
    Delete = "delete",
    /// Sets a username.
    ChangeUsername = "change_username",
    /// Sets a telephone number.
    ChangePhoneNumber = "change_phone_number",
}

impl fmt::Display for ScriptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scripts of one connection.
#[derive(Debug)]
pub struct Program {
    /// Whose they are: no worker ever serves two connections.
    pub connection: ConnectionId,
    /// The texts.
    pub scripts: BTreeMap<ScriptName, String>,
    /// The `configuration` object of the scripts.
    pub configuration: BTreeMap<String, ConfigurationValue>,
    /// Whether scripts take a `context` before the callback.
    pub script_context: bool,
    /// Which hosts the scripts may reach.
    pub egress: Egress,
    /// What runs them; the server's own choice when absent.
    pub runtime: Option<RuntimeName>,
}

/// Why a program is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// A script is too long.
    #[error("the {name} script has {length} bytes; {SCRIPT_BYTES} are allowed")]
    TooLong {
        /// Which script.
        name: ScriptName,
        /// Its length in bytes.
        length: usize,
    },
}

/// The SHA-256 of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Program {
    /// A program that may reach what [`Egress::default`] allows, unless a script is too long.
    pub fn new(
        connection: ConnectionId,
        scripts: BTreeMap<ScriptName, String>,
        configuration: BTreeMap<String, ConfigurationValue>,
        script_context: bool,
    ) -> Result<Self, ProgramError> {
        let program = Self {
            connection,
            scripts,
            configuration,
            script_context,
            egress: Egress::default(),
            runtime: None,
        };
        program.check().map(|()| program)
    }

    /// Whether every script has an allowed length.
    pub fn check(&self) -> Result<(), ProgramError> {
        let too_long = |script: &(&ScriptName, &String)| script.1.len() > SCRIPT_BYTES;
        match self.scripts.iter().find(too_long) {
            None => Ok(()),
            Some((name, text)) => Err(ProgramError::TooLong {
                name: *name,
                length: text.len(),
            }),
        }
    }

    /// The text of a script; `None` when it is missing or blank.
    pub fn script(&self, name: ScriptName) -> Option<&str> {
        let text = self.scripts.get(&name)?;
        (!text.trim().is_empty()).then_some(text.as_str())
    }

    /// Whether a script is there and may be called.
    pub(crate) fn check_callable(&self, name: ScriptName) -> Result<(), Failure> {
        if self.script(name).is_none() {
            let message =
                format!("Please implement the {name} script for this database connection");
            return Err(Failure::new(FailureKind::Missing, message));
        }
        self.check()
            .map_err(|error| Failure::new(FailureKind::Load, error.to_string()))
    }

    /// What the program is known by: equal only if all its parts are.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        // Each text goes in behind its length, so that no two programs can read the same.
        let mut add = |text: &str| {
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        };
        add(self.connection.as_str());
        add(if self.script_context { "context" } else { "" });
        for (name, text) in &self.scripts {
            add(name.as_str());
            add(text);
        }
        add(self.runtime.map_or("", RuntimeName::as_str));
        for rule in &self.egress.allow {
            add("allow");
            add(&rule.to_string());
        }
        for address in &self.egress.own_database {
            add("own database");
            add(&address.to_string());
        }
        add("configuration");
        for (name, value) in &self.configuration {
            add(name);
            add(value.expose());
        }
        Fingerprint(hash.finalize().into())
    }

    /// The settings as JSON text, as a worker reads them afresh for every call.
    pub(crate) fn configuration_json(&self) -> Zeroizing<String> {
        let plain: BTreeMap<&str, &str> = self
            .configuration
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        // A map of texts always has a JSON form.
        Zeroizing::new(serde_json::to_string(&plain).unwrap_or_else(|_| "{}".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(login: &str, secret: &str) -> Program {
        Program {
            connection: "con_a".into(),
            scripts: BTreeMap::from([(ScriptName::Login, login.to_owned())]),
            configuration: BTreeMap::from([("SECRET".to_owned(), secret.into())]),
            script_context: false,
            egress: Egress::default(),
            runtime: None,
        }
    }

    #[test]
    fn fingerprint_tells_every_part_apart() {
        let base = program("a", "b").fingerprint();
        assert_eq!(base, program("a", "b").fingerprint());
        assert_ne!(base, program("a", "c").fingerprint());
        assert_ne!(base, program("c", "b").fingerprint());
        let mut other = program("a", "b");
        other.connection = "con_b".into();
        assert_ne!(base, other.fingerprint());
        let mut with_context = program("a", "b");
        with_context.script_context = true;
        assert_ne!(base, with_context.fingerprint());
        let mut with_rule = program("a", "b");
        with_rule.egress.allow.push("db:5432".parse().unwrap());
        assert_ne!(base, with_rule.fingerprint());
    }

    #[test]
    fn every_key_is_read_as_it_is_written() {
        for key in ["login", "get_user", "change_phone_number"] {
            assert_eq!(ScriptName::parse(key).map(ScriptName::as_str), Some(key));
        }
        assert_eq!(ScriptName::parse("getUser"), None);
    }

    #[test]
    fn debug_keeps_the_settings_private() {
        assert!(!format!("{:?}", program("a", "s3cr3t-needle")).contains("s3cr3t-needle"));
    }
}
