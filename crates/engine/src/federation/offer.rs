//! Two accounts that may be one person's: never joined by themselves. The person says so, and proves
//! it by the password of the account that is here, or in the legacy store, from which it arrives by
//! that very password. Only when the login ends is the identity linked, in the batch that ends it: so
//! a second factor of the account guards the link too, and whoever goes away before leaves nothing.

use std::sync::Arc;

use domain::{Authentication, AuthenticationMethod, Client, EventKind, Password, User, UserId};
use store::{NewIdentity, Write};

use super::arrive::Vouched;
use super::{Newcomer, identity_key};
use crate::authorize::Problem;
use crate::error::{Error, Result};
use crate::login::LoginCommand;
use crate::transaction::{Progress, Proven, Transaction};
use crate::{Context, Engine};

impl Engine {
    /// The two are one: here is the password of the account.
    pub async fn accept_link(
        &self,
        context: &Context,
        transaction: &mut Transaction,
        password: Arc<Password>,
    ) -> Result<(), Problem> {
        let Some(newcomer) = unanswered(transaction) else {
            return Ok(());
        };
        let client = self.client_of(transaction).await?;
        let holder = self.store.find_connection(&newcomer.holder).await?;
        let holder = holder.filter(|found| found.is_database() && found.serves(&client.client_id));
        let login = LoginCommand {
            connection: holder.ok_or_else(|| Error::invalid("The connection is gone."))?,
            identifier: newcomer.email.clone(),
            password,
            client,
        };
        // As of before the password was looked at: one that is set meanwhile is the younger.
        let at = self.now();
        let user = self.login(context, &login).await?;
        let authentication = Authentication {
            user: user.row,
            user_id: user.user_id,
            // The door through which the person came; it is theirs from now on.
            connection: Some(newcomer.connection.clone()),
            session: None,
            at,
            methods: vec![
                AuthenticationMethod::Federated,
                AuthenticationMethod::Password,
            ],
        };
        transaction.progress.newcomer = Some(Newcomer {
            accepted_by: Some(authentication.user.0),
            ..newcomer
        });
        transaction.progress.proven = Some(Proven::from(&authentication));
        self.advance(transaction).await.map_err(Problem::Lost)
    }

    /// They are not one, or the person does not want them to be: an account of its own.
    pub async fn decline_link(
        &self,
        context: &Context,
        transaction: &mut Transaction,
    ) -> Result<(), Problem> {
        let Some(newcomer) = unanswered(transaction) else {
            return Ok(());
        };
        let client = self.client_of(transaction).await?;
        let connection = self.store.find_connection(&newcomer.connection).await?;
        let connection = connection.filter(|found| found.serves(&client.client_id));
        let connection = connection.ok_or_else(|| Error::invalid("The connection is gone."))?;
        let vouched = Vouched {
            client: &client,
            connection: &connection,
            subject: &newcomer.subject,
            attributes: newcomer.attributes(),
        };
        self.let_vouched_in(context, transaction, &vouched).await
    }

    /// Adds the link to the batch that ends a login, where the person asked for one: the very
    /// account that ends it now.
    pub(crate) async fn link_newcomer(
        &self,
        context: &Context,
        client: &Client,
        progress: &Progress,
        user: &User,
        write: &mut Write,
    ) -> Result<()> {
        let newcomer = progress.newcomer.as_ref();
        let Some(newcomer) = newcomer.filter(|newcomer| newcomer.is_of(user)) else {
            return Ok(());
        };
        let Some(connection) = self.store.find_connection(&newcomer.connection).await? else {
            return Ok(());
        };
        let key = identity_key(&connection, &newcomer.subject);
        // Another window of the same person was faster; or it is somebody's by now, and stays theirs.
        if self.store.find_user_by_identity(&key).await?.is_some() {
            return Ok(());
        }
        // One person at a time of each connection: what else would its name for them be?
        if user.identity_in(&connection.id).is_some() {
            return Ok(());
        }
        write.require_connection(&connection.id);
        write.insert_identity(&NewIdentity {
            key: &key,
            user: user.row,
            connection: &connection.id,
            is_primary: false,
            email: None,
            profile_data: Some(newcomer.profile()),
        });
        let kind = EventKind::IdentityLinked;
        let mut event = self.federated_event(context, kind, client, &connection);
        event.user_id = Some(user.user_id.clone());
        event.user_name = Some(newcomer.email.clone());
        event.description = Some("The person linked another provider's identity.".into());
        let linked: UserId = key.user_id();
        event
            .details
            .insert("linked".into(), linked.to_string().into());
        write.log(&event);
        Ok(())
    }
}

impl Newcomer {
    /// Whether it was this account that said that the two are one.
    pub(crate) fn is_of(&self, user: &User) -> bool {
        self.accepted_by == Some(user.row.0)
    }
}

/// The newcomer of a login about whom the person has not said anything yet.
fn unanswered(transaction: &Transaction) -> Option<Newcomer> {
    let progress = &transaction.progress;
    let newcomer = progress.newcomer.clone();
    newcomer.filter(|_| progress.proven.is_none())
}

/// Who would be linked to whom; for tests of the dispatcher.
#[cfg(test)]
pub(crate) fn newcomer() -> Newcomer {
    Newcomer {
        connection: "con_2".into(),
        subject: "1".into(),
        profile: domain::Json::new(),
        holder: "con_1".into(),
        email: "ann@example.com".into(),
        provider_name: "Corp".into(),
        accepted_by: None,
    }
}
