//! Which factors may be enrolled and who must have one: the tenant's switches, as the Management API
//! sets them. A factor that is switched off is still asked for where somebody has it: a switch must
//! not open accounts.

use domain::EventKind;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::{Context, Engine};

const SETTING: &str = "guardian";

/// TABLE: the factors by their names, and whether they are on unless somebody says otherwise.
/// Factors without a sender here can be switched on for a configuration's sake; nobody can enrol
/// them.
const FACTORS: &[(&str, bool)] = &[
    ("sms", false),
    ("push-notification", false),
    ("otp", true),
    ("email", true),
    ("duo", false),
    ("webauthn-roaming", true),
    ("webauthn-platform", true),
    ("recovery-code", true),
];

/// The one policy that there is.
const ALL_APPLICATIONS: &str = "all-applications";

/// The tenant's switches.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Guardian {
    /// Factors switched away from their defaults.
    #[serde(default)]
    factors: std::collections::BTreeMap<String, bool>,
    /// Whether everybody must have a factor.
    #[serde(default)]
    everybody: bool,
}

impl Guardian {
    /// Whether a factor may be enrolled.
    pub fn allows(&self, name: &str) -> bool {
        let default = FACTORS.iter().find(|(known, _)| *known == name);
        let default = default.is_some_and(|(_, on)| *on);
        self.factors.get(name).copied().unwrap_or(default)
    }

    /// Whether everybody must have a factor.
    pub const fn asks_everybody(&self) -> bool {
        self.everybody
    }

    /// All factors with their switches.
    pub fn factors(&self) -> impl Iterator<Item = (&'static str, bool)> {
        FACTORS.iter().map(|(name, _)| (*name, self.allows(name)))
    }

    /// The policies as the wire lists them.
    pub fn policies(&self) -> Vec<&'static str> {
        self.everybody
            .then_some(ALL_APPLICATIONS)
            .into_iter()
            .collect()
    }
}

impl Engine {
    /// The tenant's switches.
    pub async fn guardian(&self) -> Result<Guardian> {
        match self.store.find_setting(SETTING).await? {
            None => Ok(Guardian::default()),
            Some(text) => serde_json::from_str(&text).map_err(Error::internal),
        }
    }

    /// Switches a factor.
    pub async fn switch_factor(&self, context: &Context, name: &str, on: bool) -> Result<()> {
        if !FACTORS.iter().any(|(known, _)| *known == name) {
            return Err(Error::invalid(format!("Unknown factor: {name}")));
        }
        let mut guardian = self.guardian().await?;
        guardian.factors.insert(name.to_owned(), on);
        self.set_guardian(
            context,
            &guardian,
            "Update a Multi-factor Authentication Factor",
        )
        .await
    }

    /// Says who must have a factor.
    pub async fn set_mfa_policies(&self, context: &Context, policies: &[String]) -> Result<()> {
        if let Some(other) = policies.iter().find(|name| *name != ALL_APPLICATIONS) {
            return Err(Error::invalid(format!(
                "The policy {other} is not supported; {ALL_APPLICATIONS} or none is."
            )));
        }
        let mut guardian = self.guardian().await?;
        guardian.everybody = !policies.is_empty();
        self.set_guardian(
            context,
            &guardian,
            "Set the Multi-factor Authentication policies",
        )
        .await
    }

    async fn set_guardian(
        &self,
        context: &Context,
        guardian: &Guardian,
        description: &str,
    ) -> Result<()> {
        let event = self
            .management_event(context, EventKind::Management, description)
            .await?;
        let text = serde_json::to_string(guardian).map_err(Error::internal)?;
        let mut write = self.store.write();
        write.set_setting(SETTING, &text);
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }
}
