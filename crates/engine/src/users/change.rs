//! What a change of a user asks for, and how it alters what is known of the person.

use std::sync::Arc;

use domain::user::Attributes;
use domain::{EmailAddress, Json, Password, Username, metadata};

use crate::error::{Error, Result};

/// What becomes of one attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Change<T> {
    /// Stays as it is.
    #[default]
    Keep,
    /// Goes.
    Unset,
    /// Becomes this.
    Set(T),
}

impl<T: Clone> Change<T> {
    /// Whether the attribute was named at all.
    pub const fn is_asked(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// The new value.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Unset => None,
        }
    }

    fn apply(&self, stored: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Unset => *stored = None,
            Self::Set(value) => *stored = Some(value.clone()),
        }
    }
}

/// What an administrator sent, checked for shape.
#[derive(Debug, Default)]
pub struct UserChange {
    /// The name of the connection whose identity is meant; the primary one when absent.
    pub connection: Option<String>,
    /// The address.
    pub email: Change<EmailAddress>,
    /// Whether it was proven.
    pub email_verified: Change<bool>,
    /// Whether a verification mail is wanted.
    pub verify_email: bool,
    /// The username.
    pub username: Change<Username>,
    /// The phone number.
    pub phone_number: Change<String>,
    /// Whether it was proven.
    pub phone_verified: Change<bool>,
    /// The password.
    pub password: Option<Arc<Password>>,
    /// Full name.
    pub name: Change<String>,
    /// Nickname.
    pub nickname: Change<String>,
    /// Given name.
    pub given_name: Change<String>,
    /// Family name.
    pub family_name: Change<String>,
    /// Picture.
    pub picture: Change<String>,
    /// Whether the user is barred.
    pub blocked: Change<bool>,
    /// Merged at the first level; `{}` empties.
    pub user_metadata: Change<Json>,
    /// Merged at the first level; `{}` empties.
    pub app_metadata: Change<Json>,
}

impl UserChange {
    /// Refuses the documented pairs that must not change together.
    pub(super) fn check_pairs(&self) -> Result<()> {
        let email = ("email", self.email.is_asked());
        let email_verified = ("email_verified", self.email_verified.is_asked());
        let username = ("username", self.username.is_asked());
        let password = ("password", self.password.is_some());
        let pairs = [
            (password, email),
            (password, email_verified),
            (username, email),
            (username, email_verified),
            (username, password),
        ];
        match pairs.iter().find(|(one, other)| one.1 && other.1) {
            None => Ok(()),
            Some((one, other)) => Err(Error::invalid(format!(
                "Cannot update {} and {} simultaneously.",
                one.0, other.0
            ))),
        }
    }

    /// The names and the picture: whether each is asked to change, and whether it is to go.
    pub(super) fn root_attributes(&self) -> [(&'static str, &Change<String>); 5] {
        [
            ("family_name", &self.family_name),
            ("given_name", &self.given_name),
            ("name", &self.name),
            ("nickname", &self.nickname),
            ("picture", &self.picture),
        ]
    }

    /// Makes the change. A new address or number is unproven unless the change says otherwise.
    pub(super) fn apply(&self, attributes: &mut Attributes) {
        let key = |email: &Option<EmailAddress>| email.as_ref().map(EmailAddress::key);
        let (email, phone) = (key(&attributes.email), attributes.phone_number.clone());
        self.email.apply(&mut attributes.email);
        self.phone_number.apply(&mut attributes.phone_number);
        if key(&attributes.email) != email {
            attributes.email_verified = false;
        }
        if attributes.phone_number != phone {
            attributes.phone_verified = attributes.phone_number.as_ref().map(|_| false);
        }
        let mut email_verified = Some(attributes.email_verified);
        self.email_verified.apply(&mut email_verified);
        attributes.email_verified = email_verified.unwrap_or(false);
        self.phone_verified.apply(&mut attributes.phone_verified);
        self.username.apply(&mut attributes.username);
        self.name.apply(&mut attributes.name);
        self.nickname.apply(&mut attributes.nickname);
        self.given_name.apply(&mut attributes.given_name);
        self.family_name.apply(&mut attributes.family_name);
        self.picture.apply(&mut attributes.picture);
        self.blocked.apply(&mut attributes.blocked);
        merge(&mut attributes.user_metadata, &self.user_metadata);
        merge(&mut attributes.app_metadata, &self.app_metadata);
        // As recorded from the wire: an emptied `user_metadata` shows, `app_metadata` does not.
        if attributes.app_metadata.as_ref().is_some_and(Json::is_empty) {
            attributes.app_metadata = None;
        }
    }
}

fn merge(stored: &mut Option<Json>, change: &Change<Json>) {
    match change {
        Change::Keep => {}
        Change::Unset => *stored = None,
        Change::Set(change) => metadata::merge(stored.get_or_insert_default(), change.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &serde_json::Value) -> Json {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn names_the_pair_that_must_not_change_together() {
        let change = UserChange {
            username: Change::Unset,
            password: Some(Arc::new(Password::from("x"))),
            ..UserChange::default()
        };
        let refusal = change.check_pairs().unwrap_err().to_string();
        assert_eq!(
            refusal,
            "invalid: Cannot update username and password simultaneously."
        );
    }

    #[test]
    fn emptied_metadata_shows_for_the_user_and_goes_for_the_application() {
        let mut attributes = Attributes {
            user_metadata: Some(object(&json!({"a": 1}))),
            app_metadata: Some(object(&json!({"b": 1}))),
            ..Attributes::default()
        };
        let change = UserChange {
            user_metadata: Change::Set(Json::new()),
            app_metadata: Change::Set(Json::new()),
            ..UserChange::default()
        };
        change.apply(&mut attributes);
        assert_eq!(attributes.user_metadata, Some(Json::new()));
        assert_eq!(attributes.app_metadata, None);
    }

    #[test]
    fn a_new_address_is_unproven_and_an_old_one_keeps_its_proof() {
        let address = |text| EmailAddress::parse(text).unwrap();
        let mut attributes = Attributes {
            email: Some(address("a@b.co")),
            email_verified: true,
            ..Attributes::default()
        };
        let set = |text| UserChange {
            email: Change::Set(address(text)),
            ..UserChange::default()
        };
        set("A@b.co").apply(&mut attributes);
        assert!(attributes.email_verified);
        set("c@b.co").apply(&mut attributes);
        assert!(!attributes.email_verified);
        UserChange {
            email_verified: Change::Set(true),
            ..set("d@b.co")
        }
        .apply(&mut attributes);
        assert!(attributes.email_verified);
    }
}
