//! A legacy user who just proved the password arrives here: profile → conflict check → one batch.
//!
//! Two first logins at once: one writes; the other loses on a unique key, reads the winner and
//! simply logs in.

use domain::conflict::{Resolution, resolve};
use domain::connection::{Mode, RootAttributes};
use domain::user::{Attributes, Credential, NewUser, Origin};
use domain::{Connection, EventKind, HashText, Profile, User, UserRow, metadata};
use store::{Key, StoreError, Write};

use crate::error::{Error, Result};
use crate::login::{Entering, LoginCommand, LoginError};
use crate::{Context, Engine};

/// Lost races before we give up; each loss means that somebody else made progress.
const TRIES: usize = 5;

/// What one try came to.
enum Try {
    Done(Box<User>),
    Lost,
}

impl Engine {
    /// Writes the user, or finds the one that is here already, and lets it in.
    pub(crate) async fn welcome(
        &self,
        context: &Context,
        login: &LoginCommand,
        mut profile: Profile,
    ) -> Result<User, LoginError> {
        keep_persistent(&login.connection, &mut profile.attributes);
        let fresh = if login.connection.mode() == Mode::Import {
            Some(self.hashing.hash(&login.password).await?)
        } else {
            // The legacy store judges at each login; its verdict of today is not kept here.
            if profile.attributes.blocked.take() == Some(true) {
                let user_id = profile.foreign_id.user_id();
                return Err(self.refuse_blocked(context, login, user_id).await);
            }
            None
        };
        for _ in 0..TRIES {
            match self
                .try_welcome(context, login, &profile, fresh.as_ref())
                .await?
            {
                Try::Lost => {}
                Try::Done(user) if user.is_blocked() => {
                    return Err(self.refuse_blocked(context, login, user.user_id).await);
                }
                Try::Done(user) => return Ok(*user),
            }
        }
        Err(Error::unavailable("the user kept changing while it arrived").into())
    }

    async fn try_welcome(
        &self,
        context: &Context,
        login: &LoginCommand,
        profile: &Profile,
        fresh: Option<&HashText>,
    ) -> Result<Try, LoginError> {
        let claims = self
            .store
            .claims_of(
                &login.connection.id,
                &profile.foreign_id,
                &profile.attributes,
            )
            .await?;
        match resolve(&profile.foreign_id, &claims) {
            Resolution::Create => self.create_arrived(context, login, profile, fresh).await,
            Resolution::Attach(row) => {
                let has_password = claims
                    .iter()
                    .any(|claim| claim.row == row && claim.has_password);
                let fresh = fresh.filter(|_| !has_password);
                self.attach_arrived(context, login, profile, row, fresh)
                    .await
            }
            Resolution::Refuse(key) => {
                let message = format!("another user holds this {}", key.as_str());
                let mut event = self.login_event(context, login, EventKind::MigrationFailed);
                event.user_id = Some(profile.foreign_id.user_id());
                event.description = Some(format!("The legacy user could not move: {message}."));
                let holder = claims.iter().find(|claim| claim.key == key);
                let conflict = serde_json::json!({
                    "key": key.as_str(), "held_by": holder.map(|c| c.foreign_id.user_id()),
                });
                event.details.insert("conflict".into(), conflict);
                self.log_only(event).await?;
                Err(LoginError::Conflict(message))
            }
        }
    }

    /// User, identity, credential, metadata, factors and log events: one batch.
    async fn create_arrived(
        &self,
        context: &Context,
        login: &LoginCommand,
        profile: &Profile,
        fresh: Option<&HashText>,
    ) -> Result<Try, LoginError> {
        let now = self.now();
        let row = self.store.next_user_row().await?;
        let mut attributes = profile.attributes.clone();
        drop_unwanted_names(&login.connection, &mut attributes);
        let user = NewUser {
            row,
            connection: login.connection.id.clone(),
            foreign_id: profile.foreign_id.clone(),
            attributes,
            credential: fresh.map(own_credential),
            factors: Vec::new(),
            origin: if fresh.is_some() {
                Origin::Login
            } else {
                Origin::Cached
            },
            import_job: None,
            created_at: now,
        };
        let mut write = self.store.write();
        write.require_connection(&login.connection.id);
        write
            .insert_user(&user)?
            .replace_factors(row, &profile.factors, now)?;
        if fresh.is_some() {
            write.log(&self.migrated_event(context, login, profile));
        }
        let user_id = profile.foreign_id.user_id();
        let who = Entering {
            row,
            user_id: &user_id,
            earlier_logins: 0,
        };
        let is_blocked = profile.attributes.blocked == Some(true);
        self.enter(context, login, &who, is_blocked, write).await
    }

    /// The same person is here already: as a cached copy, or written by a login that was faster.
    async fn attach_arrived(
        &self,
        context: &Context,
        login: &LoginCommand,
        profile: &Profile,
        row: UserRow,
        fresh: Option<&HashText>,
    ) -> Result<Try, LoginError> {
        let Some(stored) = self.store.find_user_by_row(row).await? else {
            return Ok(Try::Lost);
        };
        let connection = &login.connection;
        let is_adopted = fresh.is_some();
        let mut user = stored.clone();
        if is_adopted || connection.mode() == Mode::Legacy {
            let refresh_names = match connection.root_attributes() {
                RootAttributes::OnEachLogin => true,
                RootAttributes::OnFirstLogin => is_adopted,
                RootAttributes::Never => false,
            };
            take_over(&mut user.attributes, &profile.attributes, refresh_names);
        }
        let mut write = self.store.write();
        if user.attributes != stored.attributes {
            write.update_user(&user, &connection.id, self.now());
        }
        if let Some(fresh) = fresh {
            write.adopt_password(row, &connection.id, fresh, self.now());
            if !profile.factors.is_empty() {
                write.replace_factors(row, &profile.factors, self.now())?;
            }
            write.log(&self.migrated_event(context, login, profile));
        }
        self.enter(
            context,
            login,
            &Entering::from(&user),
            user.is_blocked(),
            write,
        )
        .await
    }

    /// Commits an arrival, with the login unless the user is barred, and sorts out how it ended:
    /// written, lost against another, or failed.
    async fn enter(
        &self,
        context: &Context,
        login: &LoginCommand,
        who: &Entering<'_>,
        is_blocked: bool,
        mut write: Write,
    ) -> Result<Try, LoginError> {
        let raced = [
            Key::ForeignId,
            Key::Email,
            Key::Username,
            Key::PhoneNumber,
            Key::UserRow,
        ];
        if !is_blocked {
            self.note_login(context, login, who, &mut write);
        }
        match self.store.commit(write).await {
            Ok(()) => match self.store.find_user_by_row(who.row).await? {
                Some(user) => Ok(Try::Done(Box::new(user))),
                None => Ok(Try::Lost),
            },
            Err(StoreError::Conflict(key)) if raced.contains(&key) => Ok(Try::Lost),
            Err(StoreError::Stale { .. }) => Ok(Try::Lost),
            Err(error) => Err(error.into()),
        }
    }

    fn migrated_event(
        &self,
        context: &Context,
        login: &LoginCommand,
        profile: &Profile,
    ) -> domain::LogEvent {
        let mut event = self.login_event(context, login, EventKind::UserMigrated);
        event.user_id = Some(profile.foreign_id.user_id());
        event.description = Some("A legacy user arrived at its first login.".into());
        let factors: Vec<_> = profile
            .factors
            .iter()
            .map(domain::MfaFactor::kind)
            .collect();
        event.details.insert("factors".into(), factors.into());
        event
    }
}

pub(crate) fn own_credential(fresh: &HashText) -> Credential {
    Credential {
        hash: HashText::from(fresh.expose()),
        is_imported: false,
    }
}

/// With `never_on_login` a profile's names and picture stay where they are.
pub(crate) fn drop_unwanted_names(connection: &Connection, attributes: &mut Attributes) {
    if connection.root_attributes() == RootAttributes::Never {
        attributes.name = None;
        attributes.nickname = None;
        attributes.given_name = None;
        attributes.family_name = None;
        attributes.picture = None;
    }
}

/// Drops attributes that the operator does not want kept.
pub(crate) fn keep_persistent(connection: &Connection, attributes: &mut Attributes) {
    let names = connection
        .options
        .get("non_persistent_attrs")
        .and_then(|v| v.as_array());
    for name in names.into_iter().flatten().filter_map(|name| name.as_str()) {
        match name {
            "name" => attributes.name = None,
            "nickname" => attributes.nickname = None,
            "given_name" => attributes.given_name = None,
            "family_name" => attributes.family_name = None,
            "picture" => attributes.picture = None,
            other => drop(attributes.extra.shift_remove(other)),
        }
    }
}

/// What the legacy store says now wins over the copy; metadata merges at the first level, so that
/// what was added here stays. A block set here is never lifted from there.
fn take_over(stored: &mut Attributes, arriving: &Attributes, refresh_names: bool) {
    let is_same_email = stored.email.as_ref().map(domain::EmailAddress::key)
        == arriving.email.as_ref().map(domain::EmailAddress::key);
    stored.email_verified = arriving.email_verified || (is_same_email && stored.email_verified);
    stored.email.clone_from(&arriving.email);
    stored.username.clone_from(&arriving.username);
    stored.phone_number.clone_from(&arriving.phone_number);
    stored.phone_verified = arriving.phone_verified;
    if arriving.blocked == Some(true) {
        stored.blocked = Some(true);
    }
    if refresh_names {
        stored.name.clone_from(&arriving.name);
        stored.nickname.clone_from(&arriving.nickname);
        stored.given_name.clone_from(&arriving.given_name);
        stored.family_name.clone_from(&arriving.family_name);
        stored.picture.clone_from(&arriving.picture);
        stored.extra.extend(arriving.extra.clone());
    }
    for (stored, arriving) in [
        (&mut stored.user_metadata, &arriving.user_metadata),
        (&mut stored.app_metadata, &arriving.app_metadata),
    ] {
        if let Some(change) = arriving.clone().filter(|change| !change.is_empty()) {
            metadata::merge(stored.get_or_insert_default(), change);
        }
    }
}
