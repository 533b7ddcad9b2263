//! What the wire shows of a person where nothing is stored: name, nickname and picture follow the
//! e-mail address, as Auth0 fills them in.

use domain::user::Attributes;
use md5::{Digest, Md5};

/// Names and picture as shown.
pub struct ShownProfile {
    /// The name, or the address.
    pub name: Option<String>,
    /// The nickname, or what stands before the `@`.
    pub nickname: Option<String>,
    /// The picture, or a gravatar.
    pub picture: Option<String>,
}

impl ShownProfile {
    /// Fills in what is missing.
    pub fn of(attributes: &Attributes) -> Self {
        let email = attributes.email.as_ref();
        let username = || {
            attributes
                .username
                .as_ref()
                .map(|name| name.as_str().to_owned())
        };
        Self {
            name: attributes
                .name
                .clone()
                .or_else(|| email.map(ToString::to_string))
                .or_else(username),
            nickname: attributes
                .nickname
                .clone()
                .or_else(|| email.map(|email| email.local_part().to_owned()))
                .or_else(username),
            picture: attributes
                .picture
                .clone()
                .or_else(|| email.map(|e| gravatar(&e.key()))),
        }
    }
}

fn gravatar(email: &str) -> String {
    let hash = hex::encode(Md5::digest(email.as_bytes()));
    let letters: String = email
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(2)
        .collect();
    format!(
        "https://s.gravatar.com/avatar/{hash}?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2F\
         avatars%2F{letters}.png"
    )
}
