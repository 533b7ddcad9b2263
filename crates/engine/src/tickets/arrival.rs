//! A password link is followed by somebody whom only the legacy store knows: they arrive with the
//! new password. Whether they are somebody who is here already is decided as at a first login. A
//! password that was proven here is not replaced unless the policy says so, and whoever can't
//! arrive is told so for good: trying again would change nothing.

use domain::conflict::{
    Claim, ClaimedKey, PasswordRule, Policy, Resolution, merge, obstacle, resolve,
};
use domain::connection::Mode;
use domain::user::{NewUser, Origin};
use domain::{Connection, EventKind, HashText, Profile, User, UserRow};
use store::Write;

use super::{Opened, Problem};
use crate::deeds::Subject;
use crate::migrate_user::{drop_unwanted_names, keep_persistent, own_credential};
use crate::{Context, Engine};

/// Who a newcomer is here, and by what.
struct Known<'a> {
    row: UserRow,
    claims: &'a [Claim],
    policy: Policy,
}

impl Known<'_> {
    fn any(&self, is: impl Fn(&Claim) -> bool) -> bool {
        let mut own = self.claims.iter();
        own.any(|claim| claim.row == self.row && claim.same_connection && is(claim))
    }

    fn has_password(&self) -> bool {
        self.any(|claim| claim.has_password)
    }

    fn takes_password(&self) -> bool {
        let is_imported = self.any(|claim| claim.is_password_imported);
        self.policy.takes_password(self.has_password(), is_imported)
    }

    fn is_by_id(&self) -> bool {
        self.any(|claim| claim.key == ClaimedKey::ForeignId)
    }
}

impl Engine {
    /// The legacy profile of whom the link is for, who is not here yet.
    pub(super) async fn newcomer(
        &self,
        context: &Context,
        opened: &Opened,
    ) -> Result<Profile, Problem> {
        let (ticket, connection) = (&opened.ticket, &opened.connection);
        if connection.mode() != Mode::Import {
            return Err(Problem::Unknown);
        }
        let found = self
            .find_in_legacy_store(context, connection, &ticket.email)
            .await?;
        let mut profile = found.ok_or(Problem::Unknown)?;
        let email = profile.attributes.email.as_ref();
        let key = email.map(domain::EmailAddress::key);
        if key != Some(domain::email::fold(&ticket.email)) {
            return Err(Problem::Unknown);
        }
        keep_persistent(connection, &mut profile.attributes);
        if ticket.proves_email {
            profile.attributes.email_verified = true;
            profile.email_verified = Some(true);
        }
        Ok(profile)
    }

    /// A legacy user arrives with the new password. None when somebody came by this address since
    /// it was looked for.
    pub(super) async fn arrive_with(
        &self,
        context: &Context,
        opened: &Opened,
        profile: Profile,
        hash: &HashText,
    ) -> Result<Option<Write>, Problem> {
        let connection = &opened.connection;
        let claims = self
            .store
            .claims_of(&connection.id, &profile.foreign_id, &profile.attributes)
            .await?;
        let is_here = |claim: &Claim| claim.same_connection && claim.key == ClaimedKey::Email;
        if claims.iter().any(is_here) {
            return Ok(None);
        }
        let policy = connection.arrival_policy();
        match resolve(&profile.attributes, &claims, &policy) {
            Resolution::Create => {
                let made = self.create_with(context, opened, profile, hash);
                made.await.map(Some)
            }
            Resolution::Attach(row) => {
                let known = Known {
                    row,
                    claims: &claims,
                    policy,
                };
                let made = self.attach_with(context, opened, &profile, &known, hash);
                made.await.map(Some)
            }
            Resolution::Refuse(key) => {
                let why = format!("another user holds this {}", key.as_str());
                Err(self.refuse_arrival(context, opened, &profile, &why).await)
            }
        }
    }

    async fn create_with(
        &self,
        context: &Context,
        opened: &Opened,
        mut profile: Profile,
        hash: &HashText,
    ) -> Result<Write, Problem> {
        let connection = &opened.connection;
        drop_unwanted_names(connection, &mut profile.attributes);
        let subject = subject_of(opened, &profile);
        let user = NewUser {
            row: self.store.next_user_row().await?,
            connection: connection.id.clone(),
            foreign_id: profile.foreign_id,
            attributes: profile.attributes,
            credential: Some(own_credential(hash)),
            factors: Vec::new(),
            origin: Origin::Login,
            import_job: None,
            created_at: self.now(),
        };
        let mut write = self.spend(context, opened, &subject);
        write.require_connection(&connection.id);
        write.insert_user(&user)?;
        write.replace_factors(user.row, &profile.factors, user.created_at)?;
        let mut event = self.deed_event(context, connection, &subject, EventKind::UserMigrated);
        event.description = Some("A legacy user arrived with a new password.".into());
        write.log(&event);
        Ok(write)
    }

    /// The same person is here already, under another address or none.
    async fn attach_with(
        &self,
        context: &Context,
        opened: &Opened,
        profile: &Profile,
        known: &Known<'_>,
        hash: &HashText,
    ) -> Result<Write, Problem> {
        let (connection, now) = (&opened.connection, self.now());
        if !known.takes_password() {
            let why = "the user has a password here, and another address";
            return Err(self.refuse_arrival(context, opened, profile, why).await);
        }
        let stored = self.store.find_user_by_row(known.row).await?;
        let stored = stored.ok_or(Problem::NotChanged)?;
        let mut user = stored.clone();
        if !stored.is_linked_in(&connection.id) {
            let policy = known.policy.clone();
            let policy = policy.with_names(connection.root_attributes(), true);
            user.attributes = merge(&stored.attributes, profile.arriving(), &policy).attributes;
        }
        let holders = known.claims.iter().map(|claim| (claim.row, claim.key));
        if let Some(key) = obstacle(known.row, &stored.attributes, &user.attributes, holders) {
            let why = format!("another user holds this {}", key.as_str());
            return Err(self.refuse_arrival(context, opened, profile, &why).await);
        }
        let subject = Subject {
            user_id: Some(stored.user_id.clone()),
            ..subject_of(opened, profile)
        };
        let mut write = self.spend(context, opened, &subject);
        if !known.is_by_id() {
            write.hold_off_imports(&connection.id);
        }
        let mut event = self.deed_event(context, connection, &subject, EventKind::UserMigrated);
        event.description = Some("A legacy user who was here arrived with a new password.".into());
        write.log(&event);
        if user.attributes != stored.attributes {
            write.update_user(&user, &connection.id, now);
        }
        self.write_arrived_password(&mut write, (connection, &user), known, hash);
        let takes_factors = known.policy.takes_factors(!stored.factors.is_empty());
        if takes_factors && !profile.factors.is_empty() {
            write.replace_factors(known.row, &profile.factors, now)?;
        }
        if !known.is_by_id() {
            write.insert_legacy_id(known.row, &connection.id, &profile.foreign_id, now);
        }
        Ok(write)
    }

    fn write_arrived_password(
        &self,
        write: &mut Write,
        (connection, user): (&Connection, &User),
        known: &Known<'_>,
        hash: &HashText,
    ) {
        let now = self.now();
        self.remember_password(write, connection, user.row);
        write.note_password_reset(user.row, now);
        if known.has_password() {
            let only_unproven = known.policy.password() != PasswordRule::Always;
            write.replace_password(user.row, &connection.id, hash, (only_unproven, now));
        } else {
            write.adopt_password(user.row, &connection.id, hash, now);
        }
        self.end_by_password(write, connection, user);
    }

    /// Nothing is written but who could not arrive, and why.
    async fn refuse_arrival(
        &self,
        context: &Context,
        opened: &Opened,
        profile: &Profile,
        why: &str,
    ) -> Problem {
        let subject = subject_of(opened, profile);
        let kind = EventKind::MigrationFailed;
        let mut event = self.deed_event(context, &opened.connection, &subject, kind);
        event.description = Some(format!("The legacy user could not move: {why}."));
        match self.log_only(event).await {
            Ok(()) => Problem::Conflict,
            Err(error) => error.into(),
        }
    }
}

fn subject_of(opened: &Opened, profile: &Profile) -> Subject {
    Subject {
        user_id: Some(profile.foreign_id.user_id()),
        user_name: Some(opened.ticket.email.clone()),
        client: None,
    }
}
