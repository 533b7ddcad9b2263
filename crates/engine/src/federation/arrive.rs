//! Whose identity it is that a provider vouches for. Somebody known comes in; somebody new is
//! written, with identity, log events and login in one batch; and where the proven address is that of
//! an account that is here already, or in a legacy store, the person is asked first.

use domain::connection::RootAttributes;
use domain::user::Attributes;
use domain::{
    Authentication, AuthenticationMethod, Client, Connection, EventKind, Json, User, profile_data,
};
use serde_json::Value;
use store::{IdentityKey, Key, NewIdentity, StoreError, Write};

use super::mapping::Said;
use super::upstream::Upstream;
use super::{Newcomer, identity_key, shown_name};
use crate::authorize::Problem;
use crate::error::{Error, Result};
use crate::migrate_user::{drop_unwanted_names, keep_persistent};
use crate::transaction::{Proven, Transaction};
use crate::{Context, Engine};

/// Lost races before we give up; each loss means that somebody else made progress.
const TRIES: usize = 5;

/// Somebody whom a provider vouches for.
pub(super) struct Vouched<'a> {
    pub client: &'a Client,
    pub connection: &'a Connection,
    pub subject: &'a str,
    pub attributes: Attributes,
}

impl Vouched<'_> {
    fn key(&self) -> IdentityKey {
        identity_key(self.connection, self.subject)
    }
}

impl Engine {
    pub(super) async fn arrive_vouched(
        &self,
        context: &Context,
        transaction: &mut Transaction,
        (client, connection): (&Client, &Connection),
        said: &Said,
    ) -> Result<(), Problem> {
        let upstream = Upstream::of(connection, self.reach())?;
        let mut attributes = upstream.mapping.apply(said);
        keep_persistent(connection, &mut attributes);
        let subject = said.id_token.get("sub").and_then(Value::as_str);
        let vouched = Vouched {
            client,
            connection,
            subject: subject.unwrap_or_default(),
            attributes,
        };
        let known = self.store.find_user_by_identity(&vouched.key()).await?;
        if known.is_none()
            && let Some(holder) = self.holder_of(context, &vouched).await?
        {
            let email = vouched.attributes.email.as_ref();
            transaction.progress.newcomer = Some(Newcomer {
                connection: connection.id.clone(),
                subject: vouched.subject.to_owned(),
                profile: profile_data::from_attributes(&vouched.attributes),
                holder: holder.id,
                email: email.map(ToString::to_string).unwrap_or_default(),
                provider_name: shown_name(connection).to_owned(),
                accepted_by: None,
            });
            return self.advance(transaction).await.map_err(Problem::Lost);
        }
        self.let_vouched_in(context, transaction, &vouched).await
    }

    /// The database connection in which a proven address is known: here, or in its legacy store. A
    /// store that does not answer is an outage, as everywhere: who is there already must not get a
    /// second account because of it.
    async fn holder_of(
        &self,
        context: &Context,
        vouched: &Vouched<'_>,
    ) -> Result<Option<Connection>> {
        let email = vouched.attributes.email.as_ref();
        let Some(email) = email.filter(|_| vouched.attributes.email_verified) else {
            return Ok(None);
        };
        let connections = self.connections_for(vouched.client).await?;
        for connection in connections.into_iter().filter(Connection::is_database) {
            let here = self.store.find_user_by_email(&connection.id, email).await?;
            if here.is_some() {
                return Ok(Some(connection));
            }
            let can_ask = connection.mode() != domain::connection::Mode::Plain
                && connection.script("get_user").is_some();
            if can_ask {
                let there = self
                    .find_in_legacy_store(context, &connection, email.as_str())
                    .await?;
                if there.is_some() {
                    return Ok(Some(connection));
                }
            }
        }
        Ok(None)
    }

    /// Lets somebody in whom a provider vouches for: found by the identity, or written.
    pub(super) async fn let_vouched_in(
        &self,
        context: &Context,
        transaction: &mut Transaction,
        vouched: &Vouched<'_>,
    ) -> Result<(), Problem> {
        let mut has_email_key = true;
        for _ in 0..TRIES {
            let known = self.store.find_user_by_identity(&vouched.key()).await?;
            if let Some(user) = &known
                && user.is_blocked()
            {
                let (client, connection) = (vouched.client, vouched.connection);
                let kind = EventKind::LoginFailed;
                let mut event = self.federated_event(context, kind, client, connection);
                event.user_id = Some(user.user_id.clone());
                event.description = Some("user is blocked".into());
                self.log_only(event).await?;
                return Err(Problem::Blocked);
            }
            let mut write = self.store.write();
            write.require_connection(&vouched.connection.id);
            let row = if let Some(user) = &known {
                self.keep_up(vouched, user, has_email_key, &mut write)
            } else {
                let row = self.store.next_user_row().await?;
                self.add_user(context, vouched, row, has_email_key, &mut write);
                row
            };
            self.note_vouched_login(context, vouched, (row, known.as_ref()), &mut write);
            match self.store.commit(write).await {
                Ok(()) => return self.note_vouched(transaction, vouched, row).await,
                // Another person of the provider has the address: it is no key then.
                Err(StoreError::Conflict(Key::Email)) => has_email_key = false,
                // Another window was faster, or the user changed.
                Err(StoreError::Conflict(Key::ForeignId) | StoreError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::unavailable("the user kept changing while it arrived").into())
    }

    fn add_user(
        &self,
        context: &Context,
        vouched: &Vouched<'_>,
        row: domain::UserRow,
        has_email_key: bool,
        write: &mut Write,
    ) {
        let key = vouched.key();
        let mut attributes = vouched.attributes.clone();
        drop_unwanted_names(vouched.connection, &mut attributes);
        write.insert_identity(&NewIdentity {
            key: &key,
            user: row,
            connection: &vouched.connection.id,
            is_primary: true,
            email: attributes.email.as_ref().filter(|_| has_email_key),
            profile_data: None,
        });
        write.insert_person((row, &key.user_id()), &attributes, self.now());
        let kind = EventKind::SignUp;
        let mut event = self.federated_event(context, kind, vouched.client, vouched.connection);
        event.user_id = Some(key.user_id());
        event.user_name = attributes.email.as_ref().map(ToString::to_string);
        write.log(&event);
    }

    /// What the provider says today of somebody known. Who is linked keeps the names of their
    /// account; what the provider says stays with the identity.
    fn keep_up(
        &self,
        vouched: &Vouched<'_>,
        user: &User,
        has_email_key: bool,
        write: &mut Write,
    ) -> domain::UserRow {
        let key = vouched.key();
        let is_primary = user.user_id == key.user_id();
        if !is_primary {
            let profile = profile_data::from_attributes(&vouched.attributes);
            write.set_profile_data(&key, &profile);
            return user.row;
        }
        let mut changed = user.clone();
        changed.attributes = refreshed(
            &user.attributes,
            &vouched.attributes,
            vouched.connection.root_attributes(),
        );
        if changed.attributes != user.attributes {
            write.update_person(&changed, self.now());
        }
        if changed.attributes.email != user.attributes.email {
            let email = changed.attributes.email.as_ref();
            write.set_email_key(&key, email.filter(|_| has_email_key));
        }
        user.row
    }

    fn note_vouched_login(
        &self,
        context: &Context,
        vouched: &Vouched<'_>,
        (row, known): (domain::UserRow, Option<&User>),
        write: &mut Write,
    ) {
        write.record_login(row, context.ip.as_deref(), self.now());
        let kind = EventKind::Login;
        let mut event = self.federated_event(context, kind, vouched.client, vouched.connection);
        let own = || vouched.key().user_id();
        event.user_id = Some(known.map_or_else(own, |user| user.user_id.clone()));
        let email = vouched.attributes.email.as_ref();
        event.user_name = email.map(ToString::to_string);
        let logins = known.map_or(0, |user| user.logins_count) + 1;
        let stats = serde_json::json!({"loginsCount": logins});
        event.details.insert("stats".into(), stats);
        write.log(&event);
    }

    async fn note_vouched(
        &self,
        transaction: &mut Transaction,
        vouched: &Vouched<'_>,
        row: domain::UserRow,
    ) -> Result<(), Problem> {
        let user = self.store.find_user_by_row(row).await?;
        let user = user.ok_or_else(|| Error::unavailable("the user was deleted meanwhile"))?;
        let authentication = Authentication {
            user: user.row,
            user_id: user.user_id,
            connection: Some(vouched.connection.id.clone()),
            session: None,
            at: self.now(),
            methods: vec![AuthenticationMethod::Federated],
        };
        transaction.progress.proven = Some(Proven::from(&authentication));
        transaction.progress.newcomer = None;
        self.advance(transaction).await.map_err(Problem::Lost)
    }
}

/// The provider is the authority on the address and on all that is not ours; names and picture go
/// by the connection's rule. What it does not say any more is gone, except names.
fn refreshed(stored: &Attributes, said: &Attributes, names: RootAttributes) -> Attributes {
    let mut fresh = Attributes {
        blocked: stored.blocked,
        user_metadata: stored.user_metadata.clone(),
        app_metadata: stored.app_metadata.clone(),
        ..said.clone()
    };
    let places: [fn(&mut Attributes) -> &mut Option<String>; 5] = [
        |attributes| &mut attributes.name,
        |attributes| &mut attributes.nickname,
        |attributes| &mut attributes.given_name,
        |attributes| &mut attributes.family_name,
        |attributes| &mut attributes.picture,
    ];
    let mut stored = stored.clone();
    for place in places {
        let kept = place(&mut stored).take();
        let said = place(&mut fresh);
        if names != RootAttributes::OnEachLogin || said.is_none() {
            *said = kept;
        }
    }
    fresh
}

impl Newcomer {
    /// The person as the provider described them.
    pub(super) fn attributes(&self) -> Attributes {
        profile_data::to_attributes(&self.profile)
    }

    /// What the identity keeps of them.
    pub(super) const fn profile(&self) -> &Json {
        &self.profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_by_the_rule_and_what_is_ours_stays() {
        let stored = Attributes {
            name: Some("Ann".into()),
            nickname: Some("annie".into()),
            blocked: Some(false),
            app_metadata: Some(Json::new()),
            extra: Json::from_iter([("old".to_owned(), 1.into())]),
            ..Attributes::default()
        };
        let said = Attributes {
            name: Some("Ann Lee".into()),
            email_verified: true,
            extra: Json::from_iter([("new".to_owned(), 1.into())]),
            ..Attributes::default()
        };
        let each = refreshed(&stored, &said, RootAttributes::OnEachLogin);
        assert_eq!(each.name.as_deref(), Some("Ann Lee"));
        assert_eq!(each.nickname.as_deref(), Some("annie"));
        assert_eq!((each.blocked, each.email_verified), (Some(false), true));
        assert!(each.extra.contains_key("new") && !each.extra.contains_key("old"));
        for rule in [RootAttributes::OnFirstLogin, RootAttributes::Never] {
            let kept = refreshed(&stored, &said, rule);
            assert_eq!(kept.name.as_deref(), Some("Ann"));
            assert_eq!(kept.app_metadata, Some(Json::new()));
        }
    }
}
