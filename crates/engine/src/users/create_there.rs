//! A new user where a legacy store is the authority: `get_user` → `create` → `get_user`, then a
//! copy here without a password hash. The second question is ours: only the legacy store knows the
//! id that it gave.

use domain::user::Attributes;
use domain::{Connection, ForeignId, User};
use script::UserToCreate as ScriptUser;

use super::create::{UserToCreate, user_exists};
use super::{no_such_user, rules};
use crate::cached::identifier_of;
use crate::deeds::{Deed, DeedError, Subject};
use crate::error::{Error, Result};
use crate::{Context, Engine};

impl Engine {
    pub(super) async fn create_user_there(
        &self,
        context: &Context,
        connection: &Connection,
        asked: UserToCreate,
    ) -> Result<User> {
        let attributes = &asked.attributes;
        let identifier = identifier_of(attributes).ok_or_else(rules::missing_email)?;
        // Two creators of one person take turns: the second one finds the first one's user.
        let _turn = self.arrivals.turn(connection, identifier).await?;
        self.refuse_existing_there(context, connection, attributes)
            .await?;
        self.refuse_existing_here(connection, attributes).await?;
        let mut event = self
            .management_event(context, domain::EventKind::Management, "Create a User")
            .await?;
        let client_id = context.actor.as_ref().map(domain::ClientId::as_str);
        let mut members = self.user_to_create(connection, client_id, attributes);
        if let Some(id) = &asked.user_id {
            let id = ForeignId::unprefixed(id);
            members.insert("user_id".into(), id.as_str().into());
        }
        let user = ScriptUser {
            members: &members,
            password: asked.password.as_deref(),
        };
        let deed = Deed::Create(&user);
        let subject = Subject {
            user_id: None,
            user_name: Some(identifier.to_owned()),
            client: event.client.clone(),
        };
        self.change_there(context, connection, &subject, &deed)
            .await
            .map_err(refusal)?;
        event.connection = Some((connection.id.clone(), connection.name.clone()));
        event.user_name.clone_from(&subject.user_name);
        let copied = match self
            .find_in_legacy_store(context, connection, identifier)
            .await
        {
            Ok(Some(profile)) => {
                let attributes = attributes.clone();
                self.cache_created(connection, profile, attributes, &event)
                    .await
            }
            Ok(None) => Err(Error::unavailable("get_user does not find the new user")),
            Err(error) => Err(error),
        };
        match copied {
            Ok(user) => self
                .store
                .find_user_by_row(user.row)
                .await?
                .ok_or_else(no_such_user),
            Err(error) => Err(self
                .out_of_step(context, connection, &subject, &deed, &error.detail())
                .await),
        }
    }

    /// A copy here holds an identifier: nobody else may be made with it.
    pub(crate) async fn refuse_existing_here(
        &self,
        connection: &Connection,
        attributes: &Attributes,
    ) -> Result<()> {
        let nobody = ForeignId::from("");
        let claims = self
            .store
            .claims_of(&connection.id, &nobody, attributes)
            .await?;
        if claims.is_empty() {
            Ok(())
        } else {
            Err(user_exists())
        }
    }
}

/// What the documented codes of `create` mean to an administrator.
fn refusal(error: DeedError) -> Error {
    match &error {
        DeedError::Refused(refusal)
            if matches!(
                refusal.code.as_deref(),
                Some("user_exists" | "username_exists")
            ) =>
        {
            user_exists()
        }
        _ => error.into(),
    }
}
