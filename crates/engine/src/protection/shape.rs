//! TABLE: the settings of attack protection, their members and defaults as Auth0 documents them.

use domain::Json;
use domain::schema::{Field, Kind, optional};
use serde_json::{Value, json};

use crate::body::check_shape;
use crate::error::Result;

/// A setting under `/api/v2/attack-protection/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shield {
    /// `brute-force-protection`
    BruteForce,
    /// `suspicious-ip-throttling`
    SuspiciousIp,
    /// `breached-password-detection`
    BreachedPassword,
    /// `bot-detection`
    Bots,
    /// `captcha`
    Captcha,
}

const ADDRESSES: Kind = Kind::Array(&Kind::Pattern("address or network", is_address), 0, 100);
const NOTHING: &[Field] = &[];

const BRUTE_FORCE: &[Field] = &[
    optional("enabled", Kind::Boolean),
    optional(
        "shields",
        Kind::Array(&Kind::Enum(&["block", "user_notification"]), 0, 2),
    ),
    optional("allowlist", ADDRESSES),
    optional(
        "mode",
        Kind::Enum(&["count_per_identifier_and_ip", "count_per_identifier"]),
    ),
    optional("max_attempts", Kind::Integer(1, 100)),
];

const STAGE: Kind = Kind::Object(&[
    optional("max_attempts", Kind::Integer(0, 10_000_000)),
    optional("rate", Kind::Integer(0, 1_000_000_000)),
]);

const SUSPICIOUS_IP: &[Field] = &[
    optional("enabled", Kind::Boolean),
    optional(
        "shields",
        Kind::Array(&Kind::Enum(&["block", "admin_notification"]), 0, 2),
    ),
    optional("allowlist", ADDRESSES),
    optional(
        "stage",
        Kind::Object(&[
            optional("pre-login", STAGE),
            optional("pre-user-registration", STAGE),
            optional("pre-custom-token-exchange", STAGE),
        ]),
    ),
];

const BLOCK_OR_TELL: Kind = Kind::Array(
    &Kind::Enum(&["block", "user_notification", "admin_notification"]),
    0,
    3,
);
const SHIELDED: Kind = Kind::Object(&[optional("shields", BLOCK_OR_TELL)]);

const BREACHED: &[Field] = &[
    optional("enabled", Kind::Boolean),
    optional("shields", BLOCK_OR_TELL),
    optional(
        "admin_notification_frequency",
        Kind::Array(
            &Kind::Enum(&["immediately", "daily", "weekly", "monthly"]),
            0,
            4,
        ),
    ),
    optional("method", Kind::Enum(&["standard"])),
    optional(
        "stage",
        Kind::Object(&[
            optional("pre-user-registration", SHIELDED),
            optional("pre-change-password", SHIELDED),
        ]),
    ),
];

fn is_address(text: &str) -> bool {
    text.parse::<ipnet::IpNet>().is_ok() || text.parse::<std::net::IpAddr>().is_ok()
}

impl Shield {
    /// By the last part of its path.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::BruteForce,
            Self::SuspiciousIp,
            Self::BreachedPassword,
            Self::Bots,
            Self::Captcha,
        ]
        .into_iter()
        .find(|shield| shield.key().strip_prefix("attack-protection/") == Some(name))
    }

    /// Its name among the tenant's settings.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::BruteForce => "attack-protection/brute-force-protection",
            Self::SuspiciousIp => "attack-protection/suspicious-ip-throttling",
            Self::BreachedPassword => "attack-protection/breached-password-detection",
            Self::Bots => "attack-protection/bot-detection",
            Self::Captcha => "attack-protection/captcha",
        }
    }

    /// What holds until something is set. Bots are not told apart here and nobody is shown a
    /// captcha: both answer what tools read, and take no change.
    pub(super) fn defaults(self) -> Json {
        let defaults = match self {
            Self::BruteForce => json!({
                "enabled": true, "shields": ["block", "user_notification"], "allowlist": [],
                "mode": "count_per_identifier_and_ip", "max_attempts": 10,
            }),
            Self::SuspiciousIp => json!({
                "enabled": true, "shields": ["admin_notification", "block"], "allowlist": [],
                "stage": {
                    "pre-login": {"max_attempts": 100, "rate": 864_000},
                    "pre-user-registration": {"max_attempts": 50, "rate": 1200},
                    "pre-custom-token-exchange": {"max_attempts": 10, "rate": 600_000},
                },
            }),
            Self::BreachedPassword => json!({
                "enabled": false, "shields": [], "admin_notification_frequency": [],
                "method": "standard",
                "stage": {
                    "pre-user-registration": {"shields": []},
                    "pre-change-password": {"shields": []},
                },
            }),
            Self::Bots => json!({"bot_detection_level": "low", "allowlist": []}),
            Self::Captcha => json!({"active_provider_id": ""}),
        };
        match defaults {
            Value::Object(defaults) => defaults,
            _ => Json::new(),
        }
    }

    /// Refuses a change that does not fit.
    pub(super) fn check(self, body: &Json) -> Result<()> {
        check_shape(
            body,
            match self {
                Self::BruteForce => BRUTE_FORCE,
                Self::SuspiciousIp => SUSPICIOUS_IP,
                Self::BreachedPassword => BREACHED,
                Self::Bots | Self::Captcha => NOTHING,
            },
        )
    }
}
