//! Which hosts a connection's scripts may reach.
//!
//! Addresses that name the machine's own cloud (link-local, metadata services) and the server's
//! own database are refused unless a rule allows them; with rules, everything else is refused too.
//! What counts is the **resolved** address: a name that points at a forbidden one is refused.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a connection's scripts may connect to. The default allows all but the refused addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Egress {
    /// The only places allowed; without rules, all that are not refused.
    pub allow: Vec<Rule>,
    /// Where the server itself keeps its users. An allowing rule is stronger.
    pub own_database: Vec<SocketAddr>,
}

/// A host and a port, either of which may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    Address(IpAddr),
    /// Lower case, without a final dot.
    Name(String),
}

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a rule: write host:port, with * for any host or any port")]
pub struct RuleError(String);

/// Why a connection was refused; its text names the reason and the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A link-local address or a cloud's metadata service.
    #[error("link-local and metadata addresses are refused")]
    Metadata,
    /// The server's own database.
    #[error("this is the server's own database")]
    OwnDatabase,
    /// There are rules, and none of them allows it.
    #[error("no rule allows it")]
    NotAllowed,
}

impl Egress {
    /// Whether a script may connect to an address that it reached under a name.
    pub fn check(&self, name: &str, address: SocketAddr) -> Result<(), Refusal> {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let allows = |rule: &Rule| rule.allows(name, address);
        // "Anything" is no decision about these addresses; naming them is.
        let is_named = self
            .allow
            .iter()
            .any(|rule| rule.host != Host::Any && allows(rule));
        if is_named {
            return Ok(());
        }
        if is_metadata(address.ip()) {
            return Err(Refusal::Metadata);
        }
        if self
            .own_database
            .iter()
            .any(|own| own.ip().to_canonical() == address.ip() && own.port() == address.port())
        {
            return Err(Refusal::OwnDatabase);
        }
        if self.allow.is_empty() || self.allow.iter().any(allows) {
            return Ok(());
        }
        Err(Refusal::NotAllowed)
    }

    /// The only ports that the rules allow; `None` when some rule, or the lack of any, allows all.
    pub fn ports(&self) -> Option<Vec<u16>> {
        let ports: Option<Vec<u16>> = self.allow.iter().map(|rule| rule.port).collect();
        ports.filter(|ports| !ports.is_empty())
    }
}

impl Rule {
    fn allows(&self, name: &str, address: SocketAddr) -> bool {
        let is_host = match &self.host {
            Host::Any => true,
            Host::Address(ip) => *ip == address.ip(),
            Host::Name(host) => name.trim_end_matches('.').eq_ignore_ascii_case(host),
        };
        is_host && self.port.is_none_or(|port| port == address.port())
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let bad = || RuleError(text.to_owned());
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(bad)?;
        let port = match port {
            "*" => None,
            port => Some(
                port.parse()
                    .ok()
                    .filter(|port| *port != 0)
                    .ok_or_else(bad)?,
            ),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match (host, bare) {
            ("*", _) => Host::Any,
            (_, Some(v6)) => {
                Host::Address(IpAddr::V6(v6.parse().map_err(|_| bad())?).to_canonical())
            }
            (host, None) => match host.parse() {
                Ok(ip) => Host::Address(IpAddr::V4(ip)),
                Err(_) if is_name(host) => {
                    Host::Name(host.trim_end_matches('.').to_ascii_lowercase())
                }
                Err(_) => return Err(bad()),
            },
        };
        Ok(Self { host, port })
    }
}

fn is_name(host: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    !host.is_empty() && host.chars().all(is_letter)
}

/// Addresses by which a machine in a cloud learns its own secrets, and all that is link-local.
fn is_metadata(ip: IpAddr) -> bool {
    const ALIBABA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
    const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    const ORACLE: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 192);
    const AWS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    const GOOGLE_V6: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);
    match ip {
        IpAddr::V4(ip) => ip.is_link_local() || [ALIBABA, AZURE, ORACLE].contains(&ip),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || [AWS_V6, GOOGLE_V6].contains(&ip),
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Any => f.write_str("*")?,
            Host::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
            Host::Address(ip) => ip.fmt(f)?,
            Host::Name(name) => f.write_str(name)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => f.write_str(":*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(rules: &[&str]) -> Egress {
        Egress {
            allow: rules.iter().map(|rule| rule.parse().unwrap()).collect(),
            own_database: vec!["10.0.0.5:5432".parse().unwrap()],
        }
    }

    fn asks(rules: &[&str], name: &str, address: &str) -> Result<(), Refusal> {
        egress(rules).check(name, address.parse().unwrap())
    }

    #[test]
    fn without_rules_only_metadata_and_the_own_database_are_refused() {
        assert_eq!(asks(&[], "db", "10.0.0.6:5432"), Ok(()));
        assert_eq!(asks(&[], "db", "10.0.0.5:5433"), Ok(()));
        assert_eq!(asks(&[], "db", "10.0.0.5:5432"), Err(Refusal::OwnDatabase));
        for address in [
            "169.254.169.254:80",
            "[fe80::1]:80",
            "[::ffff:169.254.169.254]:80",
            "[fd00:ec2::254]:80",
        ] {
            assert_eq!(
                asks(&[], "innocent.example", address),
                Err(Refusal::Metadata),
                "{address}"
            );
        }
    }

    #[test]
    fn rules_refuse_all_else_and_only_a_name_lifts_a_refusal() {
        let rules = ["db.example:5432", "*:443", "[2001:db8::1]:*"];
        assert_eq!(asks(&rules, "DB.example.", "10.1.1.1:5432"), Ok(()));
        assert_eq!(
            asks(&rules, "other.example", "10.1.1.1:5432"),
            Err(Refusal::NotAllowed)
        );
        assert_eq!(asks(&rules, "any", "1.2.3.4:443"), Ok(()));
        assert_eq!(
            asks(&rules, "any", "169.254.169.254:443"),
            Err(Refusal::Metadata)
        );
        assert_eq!(asks(&rules, "x", "[2001:db8::1]:99"), Ok(()));
        assert_eq!(asks(&["10.0.0.5:5432"], "x", "10.0.0.5:5432"), Ok(()));
        assert_eq!(
            asks(&["169.254.169.254:80"], "x", "169.254.169.254:80"),
            Ok(())
        );
    }

    #[test]
    fn rules_are_read_as_they_are_written() {
        for text in ["db.example:5432", "*:443", "10.0.0.1:*", "[2001:db8::1]:80"] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "db.example",
            "db:0",
            "db:70000",
            "a b:1",
            "http://x:1",
            ":5",
            "[x]:1",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }

    #[test]
    fn ports_are_known_only_when_every_rule_has_one() {
        assert_eq!(egress(&["a:1", "b:2"]).ports(), Some(vec![1, 2]));
        assert_eq!(egress(&["a:1", "b:*"]).ports(), None);
        assert_eq!(egress(&[]).ports(), None);
    }
}
