//! Copies of legacy users that a deed made: what `create` is given, and what is kept here of whom
//! it made. A copy has no password hash.

use domain::conflict::{Claim, ClaimedKey, Resolution, resolve};
use domain::user::{Attributes, NewUser, Origin};
use domain::{Connection, EmailAddress, Json, LogEvent, Profile, Username, metadata};
use serde_json::Value;
use store::StoreError;

use crate::Engine;
use crate::error::{Error, Result};
use crate::migrate_user::{drop_unwanted_names, keep_persistent};

/// Lost races before we give up.
const TRIES: usize = 5;

/// The name that scripts know a user by: the address, else the username, else the number.
pub(crate) fn identifier_of(attributes: &Attributes) -> Option<&str> {
    let email = attributes.email.as_ref().map(EmailAddress::as_str);
    let username = attributes.username.as_ref().map(Username::as_str);
    email.or(username).or(attributes.phone_number.as_deref())
}

impl Engine {
    /// The `user` of a `create` script, but for the password.
    pub(crate) fn user_to_create(
        &self,
        connection: &Connection,
        client_id: Option<&str>,
        attributes: &Attributes,
    ) -> Json {
        let text = |text: Option<&str>| text.map(Value::from);
        let members = [
            ("tenant", Some(self.tenant().into())),
            ("client_id", text(client_id)),
            ("connection", text(Some(&connection.name))),
            (
                "email",
                text(attributes.email.as_ref().map(EmailAddress::as_str)),
            ),
            (
                "email_verified",
                attributes
                    .email
                    .as_ref()
                    .map(|_| attributes.email_verified.into()),
            ),
            (
                "username",
                text(attributes.username.as_ref().map(Username::as_str)),
            ),
            ("phone_number", text(attributes.phone_number.as_deref())),
            ("phone_verified", attributes.phone_verified.map(Value::from)),
            ("name", text(attributes.name.as_deref())),
            ("nickname", text(attributes.nickname.as_deref())),
            ("given_name", text(attributes.given_name.as_deref())),
            ("family_name", text(attributes.family_name.as_deref())),
            ("picture", text(attributes.picture.as_deref())),
            ("blocked", attributes.blocked.map(Value::from)),
            (
                "user_metadata",
                attributes.user_metadata.clone().map(Value::from),
            ),
            (
                "app_metadata",
                attributes.app_metadata.clone().map(Value::from),
            ),
        ];
        let present = |(name, value): (&str, Option<Value>)| Some((name.to_owned(), value?));
        members.into_iter().filter_map(present).collect()
    }

    /// Keeps a copy of a user whom `create` just made: what the legacy store says of it, and what
    /// was asked for beyond that. Whom a login brought here meanwhile stays as it is.
    pub(crate) async fn cache_created(
        &self,
        connection: &Connection,
        mut profile: Profile,
        asked: Attributes,
        event: &LogEvent,
    ) -> Result<NewUser> {
        keep_persistent(connection, &mut profile.attributes);
        drop_unwanted_names(connection, &mut profile.attributes);
        // The legacy store judges at each login; its verdict of today is not kept here.
        profile.attributes.blocked = None;
        let attributes = completed(profile.attributes, asked);
        let mut event = event.clone();
        event.user_id = Some(profile.foreign_id.user_id());
        for _ in 0..TRIES {
            let claims = self
                .store
                .claims_of(&connection.id, &profile.foreign_id, &attributes)
                .await?;
            let resolution = resolve(&attributes, &claims, &connection.arrival_policy());
            let row = match resolution {
                Resolution::Attach(row) => row,
                Resolution::Create => self.store.next_user_row().await?,
                Resolution::Refuse(key) => {
                    let key = key.as_str();
                    return Err(Error::unavailable(format!("another user holds this {key}")));
                }
            };
            let user = self.new_copy(connection, &profile.foreign_id, &attributes, row);
            let mut write = self.store.write();
            let is_new_id = matches!(resolution, Resolution::Attach(_)) && !is_known(&claims);
            if is_new_id {
                write.hold_off_imports(&connection.id);
            } else {
                write.require_connection(&connection.id);
            }
            if resolution == Resolution::Create {
                write.insert_user(&user)?.replace_factors(
                    row,
                    &profile.factors,
                    user.created_at,
                )?;
            }
            if is_new_id {
                write.insert_legacy_id(row, &connection.id, &profile.foreign_id, self.now());
            }
            write.log(&event);
            match self.store.commit(write).await {
                Ok(()) => return Ok(user),
                // Somebody was faster: look who.
                Err(StoreError::Conflict(_)) => {}
                Err(StoreError::Stale { .. }) if is_new_id => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::unavailable(
            "the user kept changing while it was copied",
        ))
    }
}

impl Engine {
    fn new_copy(
        &self,
        connection: &Connection,
        foreign_id: &domain::ForeignId,
        attributes: &Attributes,
        row: domain::UserRow,
    ) -> NewUser {
        NewUser {
            row,
            connection: connection.id.clone(),
            foreign_id: foreign_id.clone(),
            attributes: attributes.clone(),
            credential: None,
            factors: Vec::new(),
            origin: Origin::Cached,
            import_job: None,
            created_at: self.now(),
        }
    }
}

/// Whether the legacy id names a user already.
fn is_known(claims: &[Claim]) -> bool {
    claims
        .iter()
        .any(|claim| claim.key == ClaimedKey::ForeignId)
}

/// What the legacy store says wins; what it does not know is as it was asked for.
fn completed(there: Attributes, asked: Attributes) -> Attributes {
    let merged = |there: Option<Json>, asked: Option<Json>| match (there, asked) {
        (Some(there), Some(mut asked)) => {
            metadata::merge(&mut asked, there);
            Some(asked)
        }
        (there, asked) => there.or(asked),
    };
    Attributes {
        email_verified: there.email_verified || asked.email_verified,
        phone_number: there.phone_number.or(asked.phone_number),
        phone_verified: there.phone_verified.or(asked.phone_verified),
        name: there.name.or(asked.name),
        nickname: there.nickname.or(asked.nickname),
        given_name: there.given_name.or(asked.given_name),
        family_name: there.family_name.or(asked.family_name),
        picture: there.picture.or(asked.picture),
        blocked: asked.blocked,
        user_metadata: merged(there.user_metadata, asked.user_metadata),
        app_metadata: merged(there.app_metadata, asked.app_metadata),
        ..there
    }
}
