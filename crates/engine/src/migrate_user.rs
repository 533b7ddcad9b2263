//! A legacy user who just proved the password arrives here: profile → conflict check → one batch.
//!
//! Two first logins at once: one writes; the other loses on a unique key, reads the winner and
//! simply logs in, by the password that is kept here from then on.

use domain::conflict::{
    Claim, ClaimedKey, PasswordRule, Policy, Resolution, Trail, merge, obstacle, resolve,
};
use domain::connection::{Mode, RootAttributes};
use domain::user::{Attributes, Credential, NewUser, Origin};
use domain::{Connection, EventKind, HashText, Profile, User, UserRow};
use store::{Key, StoreError, Write};

use crate::error::{Error, Result};
use crate::login::{Entering, LoginCommand, LoginError};
use crate::{Context, Engine};

/// Lost races before we give up; each loss means that somebody else made progress.
const TRIES: usize = 5;

/// What one try came to.
enum Try {
    Done(Box<User>),
    /// Let in by the password that is kept here.
    Known(Box<User>),
    Lost,
}

/// Whom a newcomer is, and by what.
struct Found<'a> {
    row: UserRow,
    claims: &'a [Claim],
    policy: Policy,
}

impl Found<'_> {
    fn own(&self) -> impl Iterator<Item = &Claim> {
        self.claims
            .iter()
            .filter(|claim| claim.row == self.row && claim.same_connection)
    }

    /// Whether the user is here under the legacy id, or was found by it before.
    fn is_known(&self) -> bool {
        self.own().any(|claim| claim.key == ClaimedKey::ForeignId)
    }

    fn has_password(&self) -> bool {
        self.own().any(|claim| claim.has_password)
    }

    /// Whether the password that is kept here decides, and not the legacy store.
    fn decides_here(&self) -> bool {
        self.is_known() && self.has_password() && !self.takes_password()
    }

    fn takes_password(&self) -> bool {
        let is_imported = self.own().any(|claim| claim.is_password_imported);
        self.policy.takes_password(self.has_password(), is_imported)
    }
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
                Try::Done(user) => {
                    if fresh.is_some() {
                        self.heed_leak(context, login, Some(&user), true).await?;
                    }
                    return Ok(*user);
                }
                Try::Known(user) => return Ok(*user),
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
        let policy = login.connection.arrival_policy();
        match resolve(&profile.attributes, &claims, &policy) {
            Resolution::Create => self.create_arrived(context, login, profile, fresh).await,
            Resolution::Attach(row) => {
                let found = Found {
                    row,
                    claims: &claims,
                    policy,
                };
                if fresh.is_some() && found.decides_here() {
                    let known = self.login_known(context, login, row).await?;
                    return Ok(known.map_or(Try::Lost, |user| Try::Known(Box::new(user))));
                }
                self.attach_arrived(context, login, profile, &found, fresh)
                    .await
            }
            Resolution::Refuse(key) => Err(self
                .refuse_conflict(context, login, profile, &claims, key)
                .await),
        }
    }

    /// Another person holds one of the newcomer's keys: nothing is written but who and which.
    async fn refuse_conflict(
        &self,
        context: &Context,
        login: &LoginCommand,
        profile: &Profile,
        claims: &[Claim],
        key: ClaimedKey,
    ) -> LoginError {
        let message = format!("another user holds this {}", key.as_str());
        let mut event = self.login_event(context, login, EventKind::MigrationFailed);
        event.user_id = Some(profile.foreign_id.user_id());
        event.description = Some(format!("The legacy user could not move: {message}."));
        let holder = claims.iter().find(|claim| claim.key == key);
        let conflict = serde_json::json!({
            "key": key.as_str(), "held_by": holder.map(|c| c.foreign_id.user_id()),
        });
        event.details.insert("conflict".into(), conflict);
        match self.log_only(event).await {
            Ok(()) => LoginError::Conflict(message),
            Err(error) => error.into(),
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

    /// The same person is here already: as a cached copy, under another id that the policy takes
    /// for the same, or written by a login that was faster.
    async fn attach_arrived(
        &self,
        context: &Context,
        login: &LoginCommand,
        profile: &Profile,
        found: &Found<'_>,
        fresh: Option<&HashText>,
    ) -> Result<Try, LoginError> {
        let Some(stored) = self.store.find_user_by_row(found.row).await? else {
            return Ok(Try::Lost);
        };
        let (connection, now) = (&login.connection, self.now());
        let taken = fresh.filter(|_| found.takes_password());
        let is_first = taken.is_some() || !found.is_known();
        let mut user = stored.clone();
        let mut trail = Trail::default();
        if !stored.is_linked_in(&connection.id) && (is_first || connection.mode() == Mode::Legacy) {
            let policy = found.policy.clone();
            let policy = policy.with_names(connection.root_attributes(), is_first);
            let merged = merge(&stored.attributes, profile.arriving(), &policy);
            (user.attributes, trail) = (merged.attributes, merged.trail);
        }
        let holders = found.claims.iter().map(|claim| (claim.row, claim.key));
        if let Some(key) = obstacle(found.row, &stored.attributes, &user.attributes, holders) {
            let refused = self.refuse_conflict(context, login, profile, found.claims, key);
            return Err(refused.await);
        }
        let mut write = self.store.write();
        if !found.is_known() {
            write.hold_off_imports(&connection.id);
        }
        if user.attributes != stored.attributes {
            write.update_user(&user, &connection.id, now);
        }
        if let Some(fresh) = taken {
            self.write_password(&mut write, found, connection, fresh);
        }
        if is_first && !profile.factors.is_empty() {
            if found.policy.takes_factors(!stored.factors.is_empty()) {
                write.replace_factors(found.row, &profile.factors, now)?;
                trail.taken.push("mfa_factors");
            } else {
                trail.left_over.push("mfa_factors");
            }
        }
        if !found.is_known() {
            write.insert_legacy_id(found.row, &connection.id, &profile.foreign_id, now);
        }
        if is_first {
            match (taken, fresh) {
                (Some(_), _) => trail.taken.push("password"),
                (None, Some(_)) => trail.left_over.push("password"),
                (None, None) => {}
            }
            write.log(&self.merged_event(context, login, profile, &stored, &trail));
        }
        let who = Entering::from(&user);
        self.enter(context, login, &who, user.is_blocked(), write)
            .await
    }

    /// Puts the password that was just proven in the place of the stored one, or of none.
    fn write_password(
        &self,
        write: &mut Write,
        found: &Found<'_>,
        connection: &Connection,
        fresh: &HashText,
    ) {
        let now = self.now();
        if found.has_password() {
            let only_unproven = found.policy.password() != PasswordRule::Always;
            let way = (only_unproven, now);
            write.replace_password(found.row, &connection.id, fresh, way);
        } else {
            write.adopt_password(found.row, &connection.id, fresh, now);
        }
    }

    /// What became of a legacy user who was here already: names of fields, never values.
    fn merged_event(
        &self,
        context: &Context,
        login: &LoginCommand,
        profile: &Profile,
        stored: &User,
        trail: &Trail,
    ) -> domain::LogEvent {
        let mut event = self.migrated_event(context, login, profile);
        event.user_id = Some(stored.user_id.clone());
        let merge = serde_json::json!({
            "legacy_id": profile.foreign_id.as_str(), "kept": trail.kept,
            "taken": trail.taken, "left_over": trail.left_over,
        });
        event.details.insert("merge".into(), merge);
        event
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
            Key::LegacyId,
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
