//! What becomes of each field of a user who is here already. Pure.

use super::policy::{Field, PasswordRule, Policy, Rule};
use crate::email::EmailAddress;
use crate::metadata::{self, Json};
use crate::user::Attributes;

/// What arrives.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    /// Everything but `email_verified`.
    pub attributes: &'a Attributes,
    /// Whether the address is proven; absent when that is not said.
    pub email_verified: Option<bool>,
}

/// Names of fields, for the record of a merge. Never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// Stored, and stayed though another value arrived.
    pub kept: Vec<&'static str>,
    /// Arrived, and are stored now.
    pub taken: Vec<&'static str>,
    /// Arrived without a stored counterpart to stay, and were not stored.
    pub left_over: Vec<&'static str>,
}

impl Trail {
    /// Whether both records said the same.
    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.taken.is_empty() && self.left_over.is_empty()
    }

    /// The name of a member of a record, as it was read back; `None` when it is none of ours.
    pub fn name(text: &str) -> Option<&'static str> {
        let fields = Field::ALL.iter().map(|field| field.as_str());
        fields
            .chain(["password", "user_id"])
            .find(|name| *name == text)
    }

    fn note(&mut self, field: Field, outcome: Outcome) {
        match outcome {
            Outcome::Same => {}
            Outcome::Kept => self.kept.push(field.as_str()),
            Outcome::Taken => self.taken.push(field.as_str()),
        }
    }
}

/// The user after the merge.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// What is to be stored.
    pub attributes: Attributes,
    /// What was kept and what was taken.
    pub trail: Trail,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Same,
    Kept,
    Taken,
}

/// Merges what arrives into what is stored.
///
/// A proof belongs to its address: an address that is replaced is unproven unless what arrives says
/// otherwise, and what arrives about another address than the one that stays is not believed of
/// it. The same holds for numbers. A block that is stored counts as set only when it is `true`.
pub fn merge(stored: &Attributes, arriving: Arriving<'_>, policy: &Policy) -> Merged {
    let mut merged = Merged {
        attributes: stored.clone(),
        trail: Trail::default(),
    };
    let Merged {
        attributes: now,
        trail,
    } = &mut merged;
    let then = arriving.attributes;
    let mut text = |field, now: &mut Option<String>, then: &Option<String>| {
        trail.note(field, settle(policy.rule(field), now, then.as_ref()));
    };
    text(
        Field::PhoneNumber,
        &mut now.phone_number,
        &then.phone_number,
    );
    text(Field::Name, &mut now.name, &then.name);
    text(Field::Nickname, &mut now.nickname, &then.nickname);
    text(Field::GivenName, &mut now.given_name, &then.given_name);
    text(Field::FamilyName, &mut now.family_name, &then.family_name);
    text(Field::Picture, &mut now.picture, &then.picture);
    let rule = |field| policy.rule(field);
    let email = settle(rule(Field::Email), &mut now.email, then.email.as_ref());
    trail.note(Field::Email, email);
    let username = settle(
        rule(Field::Username),
        &mut now.username,
        then.username.as_ref(),
    );
    trail.note(Field::Username, username);
    trail.note(
        Field::EmailVerified,
        prove_email(now, stored, arriving, policy),
    );
    trail.note(Field::PhoneVerified, prove_phone(now, stored, then, policy));
    trail.note(
        Field::Blocked,
        block(rule(Field::Blocked), now, then.blocked),
    );
    let user = (&mut now.user_metadata, then.user_metadata.as_ref());
    trail.note(
        Field::UserMetadata,
        settle_object(rule(Field::UserMetadata), user),
    );
    let app = (&mut now.app_metadata, then.app_metadata.as_ref());
    trail.note(
        Field::AppMetadata,
        settle_object(rule(Field::AppMetadata), app),
    );
    let mut extra = (!now.extra.is_empty()).then(|| std::mem::take(&mut now.extra));
    let arrived = (!then.extra.is_empty()).then(|| then.extra.clone());
    let outcome = settle_object(rule(Field::RootAttributes), (&mut extra, arrived.as_ref()));
    trail.note(Field::RootAttributes, outcome);
    now.extra = extra.unwrap_or_default();
    merged
}

impl Policy {
    /// Whether an arriving hash may take the place of what is stored. `Documented` is taken for
    /// what it says of a custom hash.
    pub const fn takes_password(&self, has_password: bool, is_imported: bool) -> bool {
        match self.password() {
            _ if !has_password => true,
            PasswordRule::Never => false,
            PasswordRule::UntilProven | PasswordRule::Documented => is_imported,
            PasswordRule::Always => true,
        }
    }

    /// Whether arriving second factors take the place of the stored ones.
    pub fn takes_factors(&self, has_factors: bool) -> bool {
        match self.rule(Field::MfaFactors) {
            Rule::Keep => false,
            Rule::OnlyIfEmpty => !has_factors,
            Rule::Replace | Rule::Merge | Rule::MergeTop | Rule::Mirror => true,
        }
    }
}

fn settle<T: PartialEq + Clone>(rule: Rule, now: &mut Option<T>, then: Option<&T>) -> Outcome {
    let is_taken = match rule {
        _ if now.as_ref() == then => return Outcome::Same,
        Rule::Mirror => true,
        _ if then.is_none() => return Outcome::Same,
        Rule::Replace | Rule::Merge | Rule::MergeTop => true,
        Rule::OnlyIfEmpty => now.is_none(),
        Rule::Keep => false,
    };
    if is_taken {
        *now = then.cloned();
        Outcome::Taken
    } else {
        kept(now.is_some())
    }
}

/// What stays is kept only where something is.
const fn kept(is_stored: bool) -> Outcome {
    if is_stored {
        Outcome::Kept
    } else {
        Outcome::Same
    }
}

fn settle_object(rule: Rule, (now, then): (&mut Option<Json>, Option<&Json>)) -> Outcome {
    let (Rule::Merge | Rule::MergeTop, Some(change)) = (rule, then) else {
        return settle(rule, now, then);
    };
    if change.is_empty() {
        // It asks for nothing but that there be an object.
        let wanted = now.is_none().then_some(change);
        return settle(rule, now, wanted);
    }
    // Into nothing, too, a change is merged: its `null` members have nothing to remove there.
    let mut after = now.clone().unwrap_or_default();
    if rule == Rule::Merge {
        metadata::merge_deep(&mut after, change);
    } else {
        metadata::merge(&mut after, change.clone());
    }
    let is_same = now.as_ref().map_or(after.is_empty(), |now| *now == after);
    if is_same {
        return Outcome::Same;
    }
    *now = Some(after);
    Outcome::Taken
}

fn prove_email(
    now: &mut Attributes,
    stored: &Attributes,
    arriving: Arriving<'_>,
    policy: &Policy,
) -> Outcome {
    let key = |of: &Attributes| of.email.as_ref().map(EmailAddress::key);
    let (held, came) = (key(now), key(arriving.attributes));
    let base = stored.email_verified && held == key(stored);
    let is_about_it = came.is_none() || came == held;
    let said = arriving.email_verified.filter(|_| is_about_it);
    now.email_verified = match policy.rule(Field::EmailVerified) {
        Rule::Replace | Rule::Merge | Rule::MergeTop => said.unwrap_or(base),
        Rule::OnlyIfEmpty => base || said == Some(true),
        Rule::Mirror if is_about_it => said.unwrap_or(false),
        Rule::Keep | Rule::Mirror => base,
    };
    if now.email_verified == stored.email_verified {
        kept(said.is_some_and(|said| said != now.email_verified))
    } else {
        Outcome::Taken
    }
}

fn prove_phone(
    now: &mut Attributes,
    stored: &Attributes,
    then: &Attributes,
    policy: &Policy,
) -> Outcome {
    let is_same = now.phone_number == stored.phone_number;
    let is_about_it = then.phone_number.is_none() || then.phone_number == now.phone_number;
    now.phone_verified = stored.phone_verified.filter(|_| is_same);
    if is_about_it {
        let rule = policy.rule(Field::PhoneVerified);
        settle(rule, &mut now.phone_verified, then.phone_verified.as_ref());
    }
    if now.phone_verified == stored.phone_verified {
        let differs = then.phone_verified.is_some() && then.phone_verified != now.phone_verified;
        kept(is_about_it && differs && now.phone_verified.is_some())
    } else {
        Outcome::Taken
    }
}

fn block(rule: Rule, now: &mut Attributes, then: Option<bool>) -> Outcome {
    if rule != Rule::OnlyIfEmpty {
        return settle(rule, &mut now.blocked, then.as_ref());
    }
    match (now.blocked, then) {
        (Some(true), Some(false)) => Outcome::Kept,
        (Some(true), _) | (_, None | Some(false)) => Outcome::Same,
        (_, Some(true)) => {
            now.blocked = then;
            Outcome::Taken
        }
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
