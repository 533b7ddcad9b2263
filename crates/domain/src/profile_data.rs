//! What an identity says of its person beside the account that it was linked to: `profileData` on
//! the wire. What is linked can be parted again, so the way back loses nothing that the way there
//! kept. Metadata and blocks belong to accounts, not to identities, and stay out.

use serde_json::Value;

use crate::email::EmailAddress;
use crate::metadata::Json;
use crate::user::Attributes;
use crate::username::Username;

/// Attributes as the profile of a secondary identity.
pub fn from_attributes(attributes: &Attributes) -> Json {
    let text = |text: &Option<String>| text.clone().map(Value::String);
    let email = attributes.email.as_ref();
    let username = attributes.username.as_ref();
    let members = [
        ("email", email.map(|email| email.as_str().into())),
        (
            "email_verified",
            email.map(|_| attributes.email_verified.into()),
        ),
        ("username", username.map(|name| name.as_str().into())),
        ("phone_number", text(&attributes.phone_number)),
        ("phone_verified", attributes.phone_verified.map(Value::Bool)),
        ("name", text(&attributes.name)),
        ("nickname", text(&attributes.nickname)),
        ("given_name", text(&attributes.given_name)),
        ("family_name", text(&attributes.family_name)),
        ("picture", text(&attributes.picture)),
    ];
    let mut profile: Json = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    for (name, value) in &attributes.extra {
        profile
            .entry(name.as_str())
            .or_insert_with(|| value.clone());
    }
    profile
}

/// The way back.
pub fn to_attributes(profile: &Json) -> Attributes {
    let mut rest = profile.clone();
    let mut take = |name: &str| rest.shift_remove(name);
    let mut attributes = Attributes {
        email_verified: take("email_verified") == Some(Value::Bool(true)),
        phone_verified: take("phone_verified").and_then(|value| value.as_bool()),
        ..Attributes::default()
    };
    let mut text = |name: &str| match take(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    attributes.email = text("email").and_then(|text| EmailAddress::parse(&text).ok());
    attributes.username = text("username").and_then(|text| Username::foreign(&text));
    attributes.phone_number = text("phone_number");
    attributes.name = text("name");
    attributes.nickname = text("nickname");
    attributes.given_name = text("given_name");
    attributes.family_name = text("family_name");
    attributes.picture = text("picture");
    attributes.extra = rest;
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_linked_can_be_parted_again() {
        let attributes = Attributes {
            email: EmailAddress::parse("Ann@example.com").ok(),
            email_verified: true,
            username: Username::foreign("ann"),
            phone_number: Some("+491".into()),
            phone_verified: Some(false),
            name: Some("Ann".into()),
            nickname: Some("annie".into()),
            given_name: Some("A".into()),
            family_name: Some("N".into()),
            picture: Some("https://p".into()),
            extra: Json::from_iter([("department".to_owned(), "R&D".into())]),
            ..Attributes::default()
        };
        assert_eq!(to_attributes(&from_attributes(&attributes)), attributes);
        let nobody = Attributes::default();
        assert_eq!(from_attributes(&nobody), Json::new());
        assert_eq!(to_attributes(&Json::new()), nobody);
        // What belongs to an account does not travel with an identity.
        let barred = Attributes {
            blocked: Some(true),
            app_metadata: Some(Json::new()),
            ..attributes.clone()
        };
        assert_eq!(from_attributes(&barred), from_attributes(&attributes));
    }
}
