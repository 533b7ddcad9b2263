//! Failed attempts, counted for an account and an address; addresses from which too much fails.

use std::time::Duration;

use domain::Connection;
use store::{BlockNotice, Counter, StoreError, Write};

use super::{Allowance, counted, is_listed};
use crate::error::Result;
use crate::{Context, Engine};

/// How long failures from an address are remembered.
const DAY: Duration = Duration::from_hours(24);

/// What is known of earlier failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempts {
    /// None that count.
    Clean,
    /// Some on this account.
    Failed,
    /// Too many: the account is blocked, for this address or for all.
    Blocked,
    /// Too many from this address, on whatever accounts.
    Throttled,
}

impl Attempts {
    /// Whether nobody is let in, whatever they bring.
    pub(crate) const fn keep_out(self) -> bool {
        matches!(self, Self::Blocked | Self::Throttled)
    }
}

/// The counters that an attempt touches.
struct Names {
    account: Option<String>,
    address: Option<String>,
    slow: Option<String>,
}

/// The counter of an account: identifier first, so that its blocks can be listed.
fn account_counter(identifier: &str, connection: &str, ip: &str) -> String {
    format!("{}{ip}", connection_prefix(identifier, connection))
}

/// What the counters of an identifier in a connection begin with.
pub(super) fn connection_prefix(identifier: &str, connection: &str) -> String {
    format!("{}{connection}/", account_prefix(identifier))
}

/// What the counters of an identifier begin with.
pub(super) fn account_prefix(identifier: &str) -> String {
    let key = account_key(identifier);
    format!("login/{}/", key.replace('%', "%25").replace('/', "%2F"))
}

/// What all spellings of an identifier share: neither letter case nor white space tells accounts
/// apart, since there are stores that overlook either.
pub(crate) fn account_key(identifier: &str) -> String {
    let words: Vec<&str> = identifier.split_whitespace().collect();
    let folded = domain::email::fold(&words.join(" "));
    folded.chars().take(256).collect()
}

impl Engine {
    /// Looks at the failures so far, before any work is done: one read.
    pub(crate) async fn attempts(
        &self,
        context: &Context,
        connection: &Connection,
        identifier: &str,
    ) -> Result<Attempts> {
        let protection = self.protection_now().await?;
        let names = self.names(context, connection, identifier).await?;
        let asked: Vec<&str> = [&names.account, &names.address, &names.slow]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if asked.is_empty() {
            return Ok(Attempts::Clean);
        }
        let found = self.store.find_counters(&asked, self.now()).await?;
        let count = |name: &Option<String>| {
            let counter = found.iter().find(|(found, _)| Some(found) == name.as_ref());
            counter.map_or(0, |(_, Counter { count, .. })| *count)
        };
        let (on_account, from_address) = (count(&names.account), count(&names.address));
        let shield = protection
            .brute_force
            .as_ref()
            .filter(|shield| shield.blocks);
        let most = shield.map(|shield| shield.max_attempts);
        let allowance = protection.throttling.as_ref().map(|shield| shield.logins);
        let is_throttled = |allowance: Allowance| {
            names.address.is_some()
                && from_address >= allowance.max_attempts
                && count(&names.slow) > 0
        };
        Ok(
            if most.is_some_and(|most| names.account.is_some() && on_account >= most) {
                Attempts::Blocked
            } else if allowance.is_some_and(is_throttled) {
                Attempts::Throttled
            } else if on_account > 0 {
                Attempts::Failed
            } else {
                Attempts::Clean
            },
        )
    }

    /// Adds a failure to a batch.
    pub(crate) async fn count_failure(
        &self,
        context: &Context,
        connection: &Connection,
        identifier: &str,
        write: &mut Write,
    ) -> Result<()> {
        let protection = self.protection_now().await?;
        let names = self.names(context, connection, identifier).await?;
        let now = self.now();
        if let Some(name) = &names.account {
            write.count(name, now, now.plus(self.settings.attempts_window));
            if let Some(shield) = protection
                .brute_force
                .as_ref()
                .filter(|shield| shield.tells)
            {
                let id = connection.id.as_str();
                let notice = BlockNotice {
                    // One mail a block, from however many addresses the failures come.
                    name: account_counter(identifier, id, "-"),
                    identifier: identifier.chars().take(320).collect(),
                    connection: connection.id.clone(),
                };
                write.note_block(&notice, name, shield.max_attempts, now);
            }
        }
        if let Some(name) = &names.address {
            write.count(name, now, now.plus(DAY));
        }
        if let (Some(name), Some(shield)) = (&names.slow, &protection.throttling) {
            write.count(name, now, now.plus(shield.logins.every));
        }
        Ok(())
    }

    /// Adds the end of a run of failures to a batch: somebody got in.
    pub(crate) async fn forget_failures(
        &self,
        context: &Context,
        connection: &Connection,
        identifier: &str,
        write: &mut Write,
    ) -> Result<()> {
        let names = self.names(context, connection, identifier).await?;
        if let Some(name) = &names.account {
            write.reset_counter(name);
        }
        Ok(())
    }

    /// Counts a sign-up; `false` when there were too many from this address.
    pub(crate) async fn may_sign_up(&self, context: &Context) -> Result<bool> {
        let protection = self.protection_now().await?;
        let (Some(shield), Some(ip)) = (&protection.throttling, &context.ip) else {
            return Ok(true);
        };
        if is_listed(&shield.allowed, Some(ip)) {
            return Ok(true);
        }
        let name = format!("signup/{}", counted(ip));
        // As many as the allowance gives at once, over the time in which they grow back.
        let most = shield.sign_ups.max_attempts.max(1);
        let window = shield.sign_ups.every * u32::try_from(most).unwrap_or(u32::MAX);
        self.count_within(&name, most, window).await
    }

    /// Counts one more of what is allowed so often in a window; `false` when that was reached. Of
    /// many at one moment no more pass than of as many in a row.
    pub(crate) async fn count_within(
        &self,
        name: &str,
        most: i64,
        window: Duration,
    ) -> Result<bool> {
        let now = self.now();
        let mut write = self.store.write();
        write.count_within(name, most, (now, now.plus(window)));
        match self.store.commit(write).await {
            Ok(()) => Ok(true),
            Err(StoreError::Stale { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn names(
        &self,
        context: &Context,
        connection: &Connection,
        identifier: &str,
    ) -> Result<Names> {
        let protection = self.protection_now().await?;
        let ip = context.ip.as_deref();
        let brute_force = protection.brute_force.as_ref();
        let brute_force = brute_force.filter(|shield| {
            connection.has_brute_force_protection() && !is_listed(&shield.allowed, ip)
        });
        let throttling = protection.throttling.as_ref();
        let throttled = throttling
            .filter(|shield| !is_listed(&shield.allowed, ip))
            .and(ip)
            .map(counted);
        Ok(Names {
            account: brute_force.map(|shield| {
                let ip = ip.filter(|_| shield.per_address).map(counted);
                let ip = ip.as_deref().unwrap_or("-");
                account_counter(identifier, connection.id.as_str(), ip)
            }),
            address: throttled.as_ref().map(|ip| format!("address/{ip}")),
            slow: throttled.map(|ip| format!("slow/{ip}")),
        })
    }
}
