//! Attack protection: what an operator sets at `/api/v2/attack-protection/*`, and who is blocked.
//!
//! | file | what |
//! |---|---|
//! | `shape` | members of each setting, and their defaults |
//! | `guard` | failures counted for an account and an address; throttled addresses |
//! | `blocks` | blocked accounts as administrators see and release them |
//! | `notices` | whoever owns a blocked account is told |
//! | `leaks` | a leaked password at a login |
//!
//! Only what a person did wrong is counted: never an outage of a legacy store. Settings are read
//! anew every few seconds, so that a change reaches all servers without a word between them.

mod blocks;
mod guard;
mod leaks;
mod notices;
mod shape;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Instant, Json};
use serde_json::Value;

pub use blocks::Block;
pub(crate) use guard::{Attempts, account_key};
pub use shape::Shield;

use crate::error::{Error, Result};
use crate::password_choice::Occasion;
use crate::{Context, Engine};

/// How long settings may be behind what another server wrote.
const FRESH: Duration = Duration::from_secs(5);

/// What is in force, read once for a few seconds.
#[derive(Debug)]
pub(crate) struct Protection {
    /// Whether leaked passwords are refused at sign-up, and at a change.
    leaked: (bool, bool),
    /// What a leaked password means at a login.
    at_login: Option<leaks::AtLogin>,
    brute_force: Option<BruteForce>,
    throttling: Option<Throttling>,
}

/// A block after failures on one account.
#[derive(Debug)]
struct BruteForce {
    /// Whether logins are refused.
    blocks: bool,
    /// Whether the owner of the account is told.
    tells: bool,
    max_attempts: i64,
    /// Counted for account and address, or for the account wherever it is tried from.
    per_address: bool,
    allowed: Vec<String>,
}

/// Addresses from which too much fails.
#[derive(Debug)]
struct Throttling {
    logins: Allowance,
    sign_ups: Allowance,
    allowed: Vec<String>,
}

/// So many at once, then one in a while.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    max_attempts: i64,
    every: Duration,
}

/// The settings as they were read last.
#[derive(Default)]
pub(crate) struct ProtectionCache(Mutex<Option<(Instant, Arc<Protection>)>>);

impl Engine {
    /// A setting, whole.
    pub async fn attack_protection(&self, shield: Shield) -> Result<Json> {
        let stored = self.store.find_setting(shield.key()).await?;
        let stored = stored.map(|text| serde_json::from_str::<Json>(&text));
        let mut setting = shield.defaults();
        if shield == Shield::BruteForce {
            setting.insert("max_attempts".into(), self.settings.max_attempts.into());
        }
        merge(
            &mut setting,
            stored
                .transpose()
                .map_err(Error::internal)?
                .unwrap_or_default(),
        );
        Ok(setting)
    }

    /// Changes what is sent of a setting; the rest stays.
    pub async fn update_attack_protection(
        &self,
        context: &Context,
        shield: Shield,
        body: Json,
    ) -> Result<Json> {
        shield.check(&body)?;
        let change = |stored: Option<Json>| {
            let mut stored = stored.unwrap_or_default();
            merge(&mut stored, body.clone());
            Ok(stored)
        };
        let description = "Update attack protection";
        self.change_json(context, shield.key(), description, change)
            .await?;
        self.protection.forget();
        self.attack_protection(shield).await
    }

    /// Whether leaked passwords may not be chosen now.
    pub(crate) async fn refuses_leaked(&self, occasion: Occasion) -> Result<bool> {
        if self.settings.leaked_passwords.is_none() {
            return Ok(false);
        }
        let (at_sign_up, at_change) = self.protection_now().await?.leaked;
        Ok(match occasion {
            Occasion::SignUp => at_sign_up,
            Occasion::Change => at_change,
        })
    }

    async fn protection_now(&self) -> Result<Arc<Protection>> {
        let now = self.now();
        if let Some(known) = self.protection.at(now) {
            return Ok(known);
        }
        let brute_force = self.attack_protection(Shield::BruteForce).await?;
        let throttling = self.attack_protection(Shield::SuspiciousIp).await?;
        let leaked = self.attack_protection(Shield::BreachedPassword).await?;
        let read = Arc::new(Protection {
            leaked: (
                refuses_at(&leaked, "pre-user-registration"),
                refuses_at(&leaked, "pre-change-password"),
            ),
            at_login: leaks::AtLogin::of(&leaked),
            brute_force: BruteForce::of(&brute_force),
            throttling: Throttling::of(&throttling),
        });
        self.protection.keep(now, &read);
        Ok(read)
    }
}

impl ProtectionCache {
    fn at(&self, now: Instant) -> Option<Arc<Protection>> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, read) = cached.as_ref()?;
        (since.plus(FRESH) > now && *since <= now).then(|| Arc::clone(read))
    }

    fn keep(&self, now: Instant, read: &Arc<Protection>) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *cached = Some((now, Arc::clone(read)));
    }

    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl BruteForce {
    /// `None` when it is off, or does nothing.
    fn of(setting: &Json) -> Option<Self> {
        let mode = setting.get("mode").and_then(Value::as_str);
        let (blocks, tells) = (has(setting, "block"), has(setting, "user_notification"));
        (blocks || tells).then(|| Self {
            blocks,
            tells,
            max_attempts: number(setting.get("max_attempts"), 10),
            per_address: mode != Some("count_per_identifier"),
            allowed: texts(setting.get("allowlist")),
        })
    }
}

impl Throttling {
    fn of(setting: &Json) -> Option<Self> {
        let stage = setting.get("stage");
        let allowance = |name: &str, most, every| {
            let stage = stage.and_then(|stage| stage.get(name));
            let member = |name: &str| stage.and_then(|stage| stage.get(name));
            let every = number(member("rate"), every);
            Allowance {
                max_attempts: number(member("max_attempts"), most),
                every: Duration::from_millis(u64::try_from(every).unwrap_or(0)),
            }
        };
        has(setting, "block").then(|| Self {
            logins: allowance("pre-login", 100, 864_000),
            sign_ups: allowance("pre-user-registration", 50, 1200),
            allowed: texts(setting.get("allowlist")),
        })
    }
}

/// Whether a setting is on and does this: `block`, or only tell people.
fn has(setting: &Json, shield: &str) -> bool {
    let is_on = setting.get("enabled").and_then(Value::as_bool);
    is_on == Some(true)
        && texts(setting.get("shields"))
            .iter()
            .any(|set| set == shield)
}

fn refuses_at(setting: &Json, stage: &str) -> bool {
    let is_on = setting.get("enabled").and_then(Value::as_bool);
    let stage = setting.get("stage").and_then(|stages| stages.get(stage));
    let shields = texts(stage.and_then(|stage| stage.get("shields")));
    is_on == Some(true) && shields.iter().any(|shield| shield == "block")
}

fn number(value: Option<&Value>, default: i64) -> i64 {
    value.and_then(Value::as_i64).unwrap_or(default)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether an address is one of those listed: an address, or a network as `10.0.0.0/8`.
fn is_listed(list: &[String], ip: Option<&str>) -> bool {
    let Some(ip) = ip.and_then(|ip| ip.parse::<IpAddr>().ok()) else {
        return false;
    };
    list.iter()
        .any(|entry| match entry.parse::<ipnet::IpNet>() {
            Ok(network) => network.contains(&ip),
            Err(_) => entry.parse() == Ok(ip),
        })
}

/// An address as it is counted: of IPv6 the network of 64 bits, for who has one address of it has all.
pub(crate) fn counted(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => {
            let network = ipnet::Ipv6Net::new(ip, 64).map(|network| network.trunc());
            network.map_or_else(|_| ip.to_string(), |network| network.to_string())
        }
        Ok(ip) => ip.to_string(),
        Err(_) => ip.to_owned(),
    }
}

/// Takes over what was sent, object by object; lists are replaced.
fn merge(into: &mut Json, from: Json) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ipv6_the_network_is_counted() {
        for (ip, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::/64"),
            ("2001:db8::ffff:0:0:1", "2001:db8::/64"),
            ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("somewhere", "somewhere"),
        ] {
            assert_eq!(counted(ip), expected);
        }
    }

    #[test]
    fn a_list_holds_addresses_and_networks() {
        let list = ["10.0.0.0/8".to_owned(), "2001:db8::1".to_owned()];
        for (ip, is_in) in [
            (Some("10.1.2.3"), true),
            (Some("11.1.2.3"), false),
            (Some("2001:db8::1"), true),
            (Some("2001:db8::2"), false),
            (Some("nonsense"), false),
            (None, false),
        ] {
            assert_eq!(is_listed(&list, ip), is_in, "{ip:?}");
        }
    }

    #[test]
    fn what_only_tells_people_blocks_nobody() {
        let mut setting = Shield::BruteForce.defaults();
        assert!(BruteForce::of(&setting).is_some_and(|shield| shield.blocks && shield.tells));
        setting.insert("shields".into(), serde_json::json!(["user_notification"]));
        assert!(BruteForce::of(&setting).is_some_and(|shield| !shield.blocks && shield.tells));
        setting.insert("shields".into(), serde_json::json!([]));
        assert!(BruteForce::of(&setting).is_none());
        let mut setting = Shield::SuspiciousIp.defaults();
        setting.insert("enabled".into(), false.into());
        assert!(Throttling::of(&setting).is_none());
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let mut setting = Shield::SuspiciousIp.defaults();
        let change = serde_json::json!({"stage": {"pre-login": {"max_attempts": 7}}});
        if let Value::Object(change) = change {
            merge(&mut setting, change);
        }
        let throttling = Throttling::of(&setting).unwrap();
        assert_eq!(throttling.logins.max_attempts, 7);
        assert_eq!(throttling.logins.every, Duration::from_millis(864_000));
        assert_eq!(throttling.sign_ups.max_attempts, 50);
    }
}
