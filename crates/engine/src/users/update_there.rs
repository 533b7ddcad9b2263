//! A user changes whose legacy store is the authority: `get_user` looks for a clash, the script of
//! what changes is called, and only then the copy here changes, in one write.
//!
//! One change in one store can be made whole; two scripts cannot. What would need two of them is
//! refused.

use domain::{Connection, EmailAddress, EventKind, User, Username};
use store::Key;

use super::change::{Change, UserChange};
use super::update::{changes, changes_email, taken};
use crate::cached::identifier_of;
use crate::deeds::{Deed, Subject};
use crate::error::{Error, Result};
use crate::{Context, Engine};

impl Engine {
    pub(super) async fn update_user_there(
        &self,
        context: &Context,
        connection: &Connection,
        user: User,
        mut change: UserChange,
    ) -> Result<User> {
        if !changes_email(&user, &change.email) {
            // Naming what already holds is no change, and another spelling is not ours to choose.
            change.email = Change::Keep;
        }
        refuse_two_deeds(connection, &user, &change)?;
        self.refuse_clash_there(context, connection, &user, &change)
            .await?;
        self.refuse_clash_here(connection, &user, &change).await?;
        let event = self
            .management_event(context, EventKind::Management, "Update a User")
            .await?;
        let mut subject = Subject::of(&user);
        subject.client.clone_from(&event.client);
        let id = self.store.find_legacy_id(user.row, &connection.id).await?;
        let id = id.map_or_else(|| id_in(&user, connection), |id| id.to_string());
        let known_by = identifier_of(&user.attributes);
        let known_by = known_by.unwrap_or(&id).to_owned();
        let Some(deed) = deed(connection, &user, &change, &id, &known_by) else {
            return self
                .write_change(connection, user, &change, None, &[event])
                .await;
        };
        self.change_there(context, connection, &subject, &deed)
            .await?;
        let done = self.deed_event(context, connection, &subject, deed.done());
        match self
            .write_change(connection, user.clone(), &change, None, &[event, done])
            .await
        {
            Ok(user) => Ok(user),
            Err(error) => Err(self
                .out_of_step(context, connection, &subject, &deed, &error.detail())
                .await),
        }
    }

    /// A copy of somebody else must not hold the new identifier: found before the script is
    /// called, since what it changed can't be undone.
    async fn refuse_clash_here(
        &self,
        connection: &Connection,
        user: &User,
        change: &UserChange,
    ) -> Result<()> {
        let attributes = domain::Attributes {
            email: change.email.value().cloned(),
            username: change.username.value().cloned(),
            phone_number: change.phone_number.value().cloned(),
            ..domain::Attributes::default()
        };
        let nobody = domain::ForeignId::from("");
        let claims = self
            .store
            .claims_of(&connection.id, &nobody, &attributes)
            .await?;
        match claims.iter().find(|claim| claim.row != user.row) {
            None => Ok(()),
            Some(claim) => Err(taken(match claim.key {
                domain::conflict::ClaimedKey::Username => Key::Username,
                domain::conflict::ClaimedKey::PhoneNumber => Key::PhoneNumber,
                _ => Key::Email,
            })),
        }
    }
}

/// The user's own id in the connection.
fn id_in(user: &User, connection: &Connection) -> String {
    let identity = user.identity_in(&connection.id);
    identity.map_or_else(String::new, |identity| identity.foreign_id.to_string())
}

/// Which scripts a change needs, by the member that asks for each.
fn asked(connection: &Connection, user: &User, change: &UserChange) -> [(&'static str, bool); 5] {
    let attributes = &user.attributes;
    let changes_email = change.email.is_asked();
    [
        ("password", change.password.is_some()),
        ("email", changes_email),
        (
            "username",
            changes(attributes.username.as_ref(), &change.username),
        ),
        (
            "phone_number",
            changes(attributes.phone_number.as_ref(), &change.phone_number),
        ),
        // Only where there is a script for it: without one the flag is kept here alone.
        (
            "email_verified",
            !changes_email
                && change.email_verified == Change::Set(true)
                && !attributes.email_verified
                && attributes.email.is_some()
                && connection.script("verify").is_some(),
        ),
    ]
}

fn refuse_two_deeds(connection: &Connection, user: &User, change: &UserChange) -> Result<()> {
    if change.email == Change::Unset {
        return Err(Error::Invalid {
            message: "The email of a user in a custom database cannot be removed.".into(),
            code: "operation_not_supported",
        });
    }
    let asked = asked(connection, user, change);
    let mut asked = asked.iter().filter(|(_, is_asked)| *is_asked);
    match (asked.next(), asked.next()) {
        (Some((one, _)), Some((other, _))) => Err(Error::invalid(format!(
            "Cannot update {one} and {other} simultaneously."
        ))),
        _ => Ok(()),
    }
}

/// The one script that a change needs; `None` when it is for us alone.
fn deed<'a>(
    connection: &Connection,
    user: &'a User,
    change: &'a UserChange,
    id: &'a str,
    known_by: &'a str,
) -> Option<Deed<'a>> {
    let asked = asked(connection, user, change);
    let (member, _) = asked.iter().find(|(_, is_asked)| *is_asked)?;
    Some(match *member {
        "password" => Deed::ChangePassword {
            identifier: known_by,
            password: change.password.as_deref()?,
        },
        "email" => Deed::ChangeEmail {
            identifier: known_by,
            email: change.email.value()?.as_str(),
            is_verified: change.email_verified == Change::Set(true),
        },
        "username" => Deed::ChangeUsername {
            id,
            username: change.username.value().map(Username::as_str),
        },
        "phone_number" => Deed::ChangePhoneNumber {
            id,
            number: change.phone_number.value().map(String::as_str),
            is_verified: change.phone_verified == Change::Set(true),
        },
        _ => Deed::Verify {
            email: user.attributes.email.as_ref().map(EmailAddress::as_str)?,
        },
    })
}
