//! Blocked accounts, as `/api/v2/user-blocks` shows and releases them, and the links of mails.

use domain::{Attributes, Connection, EventKind, User, UserId};
use store::Write;

use super::guard::{account_prefix, connection_prefix};
use crate::error::{Error, Result};
use crate::{Context, Engine};

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The identifier that failed.
    pub identifier: String,
    /// For which address; none when for all.
    pub ip: Option<String>,
    /// In which connection: its name.
    pub connection: String,
}

impl Engine {
    /// The blocks of an identifier: an e-mail address, a username, a phone number.
    pub async fn list_blocks(&self, identifier: &str) -> Result<Vec<Block>> {
        let protection = self.protection_now().await?;
        let shield = protection.brute_force.as_ref();
        let Some(shield) = shield.filter(|shield| shield.blocks) else {
            return Ok(Vec::new());
        };
        let prefix = account_prefix(identifier);
        let counters = self.store.list_counters(&prefix, self.now()).await?;
        let mut blocks = Vec::new();
        for (name, counter) in counters {
            let rest = name.strip_prefix(&prefix).unwrap_or_default();
            let Some((connection, ip)) = rest.split_once('/') else {
                continue;
            };
            if counter.count < shield.max_attempts {
                continue;
            }
            let found = self.store.find_connection(&connection.into()).await?;
            blocks.push(Block {
                identifier: identifier.to_owned(),
                ip: (ip != "-").then(|| ip.to_owned()),
                connection: found.map_or_else(|| connection.to_owned(), |found| found.name),
            });
        }
        Ok(blocks)
    }

    /// The blocks of a user, under each identifier.
    pub async fn list_user_blocks(&self, id: &UserId) -> Result<Vec<Block>> {
        let user = self.blocked_user(id).await?;
        let mut blocks = Vec::new();
        for identifier in identifiers(&user.attributes) {
            blocks.extend(self.list_blocks(&identifier).await?);
        }
        Ok(blocks)
    }

    /// Releases an identifier.
    pub async fn unblock(&self, context: &Context, identifier: &str) -> Result<()> {
        self.unblock_all(context, &[identifier.to_owned()], None)
            .await
    }

    /// Releases a user under each identifier.
    pub async fn unblock_user(&self, context: &Context, id: &UserId) -> Result<()> {
        let user = self.blocked_user(id).await?;
        self.unblock_all(context, &identifiers(&user.attributes), Some(id))
            .await
    }

    /// Adds the end of a user's blocks in a connection to a batch.
    pub(crate) fn lift_blocks(&self, write: &mut Write, connection: &Connection, user: &User) {
        for identifier in identifiers(&user.attributes_in(&connection.id)) {
            self.lift_block_of(write, connection, &identifier);
        }
    }

    /// The same for one identifier.
    #[expect(clippy::unused_self, reason = "reads as what the engine does")]
    pub(crate) fn lift_block_of(
        &self,
        write: &mut Write,
        connection: &Connection,
        identifier: &str,
    ) {
        let prefix = connection_prefix(identifier, connection.id.as_str());
        write.reset_counters(&prefix);
        write.drop_block_notices(&prefix);
    }

    async fn blocked_user(&self, id: &UserId) -> Result<User> {
        let user = self.store.find_user(id).await?;
        user.ok_or_else(|| Error::Missing {
            message: "User not found.".into(),
            code: "inexistent_user",
        })
    }

    async fn unblock_all(
        &self,
        context: &Context,
        identifiers: &[String],
        user: Option<&UserId>,
    ) -> Result<()> {
        let description = "Unblock a user";
        let mut event = self
            .management_event(context, EventKind::Unblocked, description)
            .await?;
        event.user_id = user.cloned();
        event.user_name = identifiers.first().cloned();
        let mut write = self.store.write();
        for identifier in identifiers {
            let prefix = account_prefix(identifier);
            write.reset_counters(&prefix);
            write.drop_block_notices(&prefix);
        }
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }
}

/// All that a user may type to name itself.
fn identifiers(attributes: &Attributes) -> Vec<String> {
    [
        attributes.email.as_ref().map(ToString::to_string),
        attributes
            .username
            .as_ref()
            .map(|name| name.as_str().to_owned()),
        attributes.phone_number.clone(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
