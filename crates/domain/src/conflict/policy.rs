//! What an operator may ask for when a record meets a stored user, and its JSON form.
//!
//! ```json
//! {"match_on": ["user_id", "email"], "password": "until_proven", "match_unproven": false,
//!  "fields": {"default": "only_if_empty", "user_metadata": "merge", "email": "replace"}}
//! ```
//!
//! or the name of one of the two documented policies, `"reject"` and `"upsert"`. Every member has
//! a default; an unknown one, or a value that does not fit, is an error that names its path.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claims::ClaimedKey;
use crate::connection::RootAttributes;
use crate::metadata::Json;

/// What becomes of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// What is stored stays.
    Keep,
    /// What arrives is taken; a field that does not arrive stays.
    Replace,
    /// Objects are merged at every level as RFC 7396 says: `null` removes a member, arrays are
    /// taken whole. Other fields as [`Rule::Replace`].
    Merge,
    /// Objects are merged at the first level only, as a PATCH does. Other fields as
    /// [`Rule::Replace`].
    MergeTop,
    /// What arrives is taken when nothing is stored.
    OnlyIfEmpty,
    /// What arrives is taken, absent fields too: those become empty.
    Mirror,
}

const RULES: &[(&str, Rule)] = &[
    ("keep", Rule::Keep),
    ("replace", Rule::Replace),
    ("merge", Rule::Merge),
    ("merge_top", Rule::MergeTop),
    ("only_if_empty", Rule::OnlyIfEmpty),
    ("mirror", Rule::Mirror),
];

/// Whether an arriving hash may take the place of a stored one. Where none is stored, it is taken
/// in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRule {
    /// A stored hash stays.
    Never,
    /// A hash that came by an import goes, as long as no login has proven it.
    UntilProven,
    /// Any stored hash goes.
    Always,
    /// As documented: a `custom_password_hash` replaces an unproven hash and is an error of the
    /// row otherwise; a `password_hash` counts for new users only. Of the preset alone.
    Documented,
}

const PASSWORD_RULES: &[(&str, PasswordRule)] = &[
    ("never", PasswordRule::Never),
    ("until_proven", PasswordRule::UntilProven),
    ("always", PasswordRule::Always),
];

macro_rules! fields {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A field that has a rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names are the wire's")]
        pub enum Field { $($variant),+ }

        impl Field {
            /// All fields.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in a policy and in what is recorded of a merge.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}
fields! {
    Email = "email", EmailVerified = "email_verified", Username = "username",
    PhoneNumber = "phone_number", PhoneVerified = "phone_verified", Name = "name",
    Nickname = "nickname", GivenName = "given_name", FamilyName = "family_name",
    Picture = "picture", Blocked = "blocked", RootAttributes = "root_attributes",
    UserMetadata = "user_metadata", AppMetadata = "app_metadata", MfaFactors = "mfa_factors",
}

const NAMES: [Field; 5] = [
    Field::Name,
    Field::Nickname,
    Field::GivenName,
    Field::FamilyName,
    Field::Picture,
];

const COUNT: usize = 15;
const _: () = assert!(COUNT == Field::ALL.len());
const KEYS: usize = ClaimedKey::ALL.len();

/// What decides a collision. Compare [`Policy::reject`] and [`Policy::upsert`], the documented two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Policy {
    /// Whether each of [`ClaimedKey::ALL`] counts.
    match_on: [bool; KEYS],
    match_unproven: bool,
    default: Rule,
    rules: [Rule; COUNT],
    password: PasswordRule,
}

/// A policy that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.under("policy"))]
pub struct PolicyError {
    /// The member at fault, from the policy's root: `fields.email`. Empty for the whole.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl PolicyError {
    /// The error in words, with where the policy itself stands before the member.
    pub fn under(&self, place: &str) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{place}{dot}{}: {}", self.path, self.problem)
    }
}

impl Policy {
    fn of(match_on: &[ClaimedKey], default: Rule, password: PasswordRule) -> Self {
        Self {
            match_on: ClaimedKey::ALL.map(|key| match_on.contains(&key)),
            match_unproven: false,
            default,
            rules: [default; COUNT],
            password,
        }
    }

    /// The documented default: whoever is here stays as they are, and the newcomer is refused.
    pub fn reject() -> Self {
        Self::of(&[], Rule::Keep, PasswordRule::Never)
    }

    /// The documented `upsert` of import jobs (bulk import schema, column "can be changed").
    pub fn upsert() -> Self {
        let mut policy = Self::of(&[ClaimedKey::Email], Rule::Keep, PasswordRule::Documented);
        policy.set(NAMES, Rule::Replace);
        policy.set([Field::UserMetadata, Field::AppMetadata], Rule::Replace);
        policy.set([Field::EmailVerified], Rule::Mirror);
        policy
    }

    /// What a legacy user meets at a login when its connection has no policy: the same id is the
    /// same person, and what the legacy store says now wins over the copy of what it said before.
    /// What was added here stays: metadata members, proofs, a block.
    pub fn arrival() -> Self {
        let mut policy = Self::of(&[ClaimedKey::ForeignId], Rule::Mirror, PasswordRule::Never);
        policy.set([Field::EmailVerified, Field::Blocked], Rule::OnlyIfEmpty);
        let objects = [
            Field::UserMetadata,
            Field::AppMetadata,
            Field::RootAttributes,
        ];
        policy.set(objects, Rule::MergeTop);
        policy.set([Field::MfaFactors], Rule::Replace);
        policy
    }

    /// The same for a login, where the immutable id names a person in any case.
    #[must_use]
    pub fn at_login(mut self) -> Self {
        if let Some(counts) = self.match_on.get_mut(ClaimedKey::ForeignId as usize) {
            *counts = true;
        }
        self
    }

    fn set<const N: usize>(&mut self, fields: [Field; N], rule: Rule) {
        for field in fields {
            if let Some(place) = self.rules.get_mut(field as usize) {
                *place = rule;
            }
        }
    }

    /// The same, with names, picture and unknown root attributes left alone unless they are wanted
    /// now (`set_user_root_attributes`).
    #[must_use]
    pub fn with_names(mut self, wanted: RootAttributes, is_first: bool) -> Self {
        let is_wanted = match wanted {
            RootAttributes::OnEachLogin => true,
            RootAttributes::OnFirstLogin => is_first,
            RootAttributes::Never => false,
        };
        if !is_wanted {
            self.set(NAMES, Rule::Keep);
            self.set([Field::RootAttributes], Rule::Keep);
        }
        self
    }

    /// Whether a record that shares this key with a stored user is that user.
    pub fn matches_on(&self, key: ClaimedKey) -> bool {
        self.match_on
            .get(key as usize)
            .is_some_and(|counts| *counts)
    }

    /// Whether an unproven address or number names a person at a login too.
    pub const fn matches_unproven(&self) -> bool {
        self.match_unproven
    }

    /// The rule of a field.
    pub fn rule(&self, field: Field) -> Rule {
        self.rules
            .get(field as usize)
            .copied()
            .unwrap_or(self.default)
    }

    /// Whether an address, username or number of a stored user may change.
    pub fn may_move_keys(&self) -> bool {
        let keys = [Field::Email, Field::Username, Field::PhoneNumber];
        self.match_on.contains(&true) && keys.into_iter().any(|key| self.rule(key) != Rule::Keep)
    }

    /// Whether a stored hash may be replaced.
    pub const fn password(&self) -> PasswordRule {
        self.password
    }

    /// Its name, if it is one of the documented two. Their merges are not recorded one by one.
    pub fn preset(&self) -> Option<&'static str> {
        [("reject", Self::reject()), ("upsert", Self::upsert())]
            .into_iter()
            .find(|(_, preset)| preset == self)
            .map(|(name, _)| name)
    }

    /// Reads a preset's name or a JSON text.
    ///
    /// # Errors
    /// The text is neither, or the object does not fit.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let text = text.trim();
        if text.starts_with(['{', '"']) {
            let value = serde_json::from_str(text).map_err(|e| fault("", e.to_string()))?;
            return Self::from_json(&value);
        }
        Self::named(text)
    }

    fn named(name: &str) -> Result<Self, PolicyError> {
        match name {
            "reject" => Ok(Self::reject()),
            "upsert" => Ok(Self::upsert()),
            _ => Err(fault("", "expected \"reject\", \"upsert\" or an object")),
        }
    }

    /// Reads a policy as JSON.
    ///
    /// # Errors
    /// A member is unknown, or its value does not fit: the error names its path.
    pub fn from_json(value: &Value) -> Result<Self, PolicyError> {
        let members = match value {
            Value::Object(members) => members,
            Value::String(name) => return Self::named(name),
            _ => return Err(fault("", "expected \"reject\", \"upsert\" or an object")),
        };
        let by_id = [ClaimedKey::ForeignId];
        let mut policy = Self::of(&by_id, Rule::OnlyIfEmpty, PasswordRule::UntilProven);
        for (name, value) in members {
            match name.as_str() {
                "match_on" => policy.match_on = read_keys(value)?,
                "match_unproven" => {
                    let flag = value.as_bool();
                    policy.match_unproven =
                        flag.ok_or_else(|| fault(name, "expected a boolean"))?;
                }
                "password" => policy.password = word(name, value, PASSWORD_RULES)?,
                "fields" => policy.read_fields(value)?,
                _ => return Err(fault(name, "no such member")),
            }
        }
        Ok(policy)
    }

    fn read_fields(&mut self, value: &Value) -> Result<(), PolicyError> {
        let fields = value.as_object();
        let fields = fields.ok_or_else(|| fault("fields", "expected an object"))?;
        if let Some(value) = fields.get("default") {
            self.default = word("fields.default", value, RULES)?;
            self.rules = [self.default; COUNT];
        }
        for (name, value) in fields.iter().filter(|(name, _)| *name != "default") {
            let path = format!("fields.{name}");
            let field = Field::ALL.iter().find(|field| field.as_str() == name);
            let field = *field.ok_or_else(|| fault(&path, "no such field"))?;
            let rule = word(&path, value, RULES)?;
            let is_merge = matches!(rule, Rule::Merge | Rule::MergeTop);
            if is_merge && !is_object(field) {
                let problem = "only user_metadata, app_metadata and root_attributes can be merged";
                return Err(fault(&path, problem));
            }
            self.set([field], rule);
        }
        Ok(())
    }
}

/// Whether a field is an object, whose members can be merged.
const fn is_object(field: Field) -> bool {
    matches!(
        field,
        Field::UserMetadata | Field::AppMetadata | Field::RootAttributes
    )
}

fn read_keys(value: &Value) -> Result<[bool; KEYS], PolicyError> {
    let words = value.as_array();
    let words = words.ok_or_else(|| fault("match_on", "expected an array"))?;
    let keys = ClaimedKey::ALL.map(|key| (key.as_str(), key));
    let read = |(place, value)| word(&format!("match_on[{place}]"), value, &keys);
    let found: Vec<ClaimedKey> = words
        .iter()
        .enumerate()
        .map(read)
        .collect::<Result<_, _>>()?;
    Ok(ClaimedKey::ALL.map(|key| found.contains(&key)))
}

fn word<T: Copy>(path: &str, value: &Value, words: &[(&str, T)]) -> Result<T, PolicyError> {
    let text = value.as_str().unwrap_or_default();
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        fault(path, format!("expected one of {}", names.join(", ")))
    })
}

fn fault(path: &str, problem: impl Into<String>) -> PolicyError {
    PolicyError {
        path: path.to_owned(),
        problem: problem.into(),
    }
}

impl TryFrom<Value> for Policy {
    type Error = PolicyError;

    fn try_from(value: Value) -> Result<Self, PolicyError> {
        Self::from_json(&value)
    }
}

impl From<Policy> for Value {
    fn from(policy: Policy) -> Self {
        if let Some(name) = policy.preset() {
            return name.into();
        }
        let name = |rule: Rule| word_of(rule, RULES);
        let mut fields = Json::from_iter([("default".to_owned(), name(policy.default))]);
        for field in Field::ALL {
            let rule = policy.rule(*field);
            if rule != policy.default {
                fields.insert(field.as_str().to_owned(), name(rule));
            }
        }
        let keys = ClaimedKey::ALL
            .iter()
            .filter(|key| policy.matches_on(**key));
        let keys: Vec<_> = keys.map(|key| key.as_str()).collect();
        serde_json::json!({
            "match_on": keys, "match_unproven": policy.match_unproven, "fields": fields,
            "password": word_of(policy.password, PASSWORD_RULES),
        })
    }
}

fn word_of<T: PartialEq>(meaning: T, words: &[(&str, T)]) -> Value {
    let found = words.iter().find(|(_, found)| *found == meaning);
    found.map_or(Value::Null, |(word, _)| (*word).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_comes_back_as_it_was() {
        let full = r#"{"match_on":["user_id","phone_number"],"match_unproven":true,"fields":{"default":"merge","email":"keep","app_metadata":"merge_top"},"password":"always"}"#;
        for text in [full, r#""reject""#, r#""upsert""#] {
            let policy = Policy::parse(text).unwrap();
            assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        }
        assert_eq!(Policy::parse(" upsert ").unwrap(), Policy::upsert());
        assert_eq!(Policy::parse("{}").unwrap().preset(), None);
    }

    #[test]
    fn an_error_names_the_member() {
        let message = |text: &str| Policy::parse(text).unwrap_err().to_string();
        insta::assert_snapshot!(message("merge"), @r#"policy: expected "reject", "upsert" or an object"#);
        insta::assert_snapshot!(message(r#"{"x":1}"#), @"policy.x: no such member");
        insta::assert_snapshot!(message(r#"{"match_on":["email","mail"]}"#), @"policy.match_on[1]: expected one of user_id, email, username, phone_number");
        insta::assert_snapshot!(message(r#"{"fields":{"mail":"keep"}}"#), @"policy.fields.mail: no such field");
        insta::assert_snapshot!(message(r#"{"fields":{"name":"merge"}}"#), @"policy.fields.name: only user_metadata, app_metadata and root_attributes can be merged");
        insta::assert_snapshot!(message(r#"{"fields":{"name":1}}"#), @"policy.fields.name: expected one of keep, replace, merge, merge_top, only_if_empty, mirror");
        insta::assert_snapshot!(message(r#"{"password":"documented"}"#), @"policy.password: expected one of never, until_proven, always");
    }
}
