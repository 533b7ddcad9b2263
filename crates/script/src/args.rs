//! Arguments of a call: JSON texts. One of them may hold a password, so each is wiped after use,
//! and is written into a buffer that never moves.

use domain::Password;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// One argument, as JSON text.
pub type Arg = Zeroizing<String>;

/// What `create` is called with: what is known of the person, and the password as it was typed.
pub struct UserToCreate<'a> {
    /// Every member but the password.
    pub members: &'a Map<String, Value>,
    /// The password; the member is absent without one.
    pub password: Option<&'a Password>,
}

impl Serialize for UserToCreate<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.members {
            map.serialize_entry(name, value)?;
        }
        if let Some(password) = self.password {
            map.serialize_entry("password", password.expose())?;
        }
        map.end()
    }
}

/// A text.
pub fn text(text: &str) -> Arg {
    written(&text, text.len())
}

/// A flag.
pub fn flag(flag: bool) -> Arg {
    written(&flag, 8)
}

/// A text, or `null`.
pub fn text_or_null(value: Option<&str>) -> Arg {
    written(&value, value.map_or(8, str::len))
}

/// Any JSON value.
pub fn json(value: &Value) -> Arg {
    // Measured by writing it: the values of a trial are typed by hand.
    written(value, value.to_string().len())
}

/// The user to create.
pub fn user(user: &UserToCreate<'_>) -> Arg {
    // Its other members are no secrets: measuring them by writing them leaves nothing behind.
    let members = serde_json::to_string(user.members).map_or(0, |text| text.len());
    let password = user.password.map_or(0, |password| password.expose().len());
    written(user, members + password)
}

fn written(value: &impl Serialize, bytes: usize) -> Arg {
    // JSON writes one byte as six at worst: `\u0000`.
    let mut text = Zeroizing::new(Vec::with_capacity(64 + 6 * bytes));
    // Texts, flags and maps of JSON values always have a JSON form.
    if serde_json::to_writer(&mut *text, value).is_err() {
        return Zeroizing::new("null".to_owned());
    }
    let text = std::mem::take(&mut *text);
    Zeroizing::new(String::from_utf8(text).unwrap_or_else(|_| "null".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_a_member_and_a_hostile_one_moves_no_buffer() {
        let members = Map::from_iter([("email".to_owned(), "ann@example.com".into())]);
        let password = Password::from("\0".repeat(10_000));
        let written = user(&UserToCreate {
            members: &members,
            password: Some(&password),
        });
        assert!(written.len() > 60_000 && written.capacity() < 61_000 + 6 * 64);
        let read: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["email"], "ann@example.com");
        assert_eq!(read["password"], password.expose());
        let without = user(&UserToCreate {
            members: &members,
            password: None,
        });
        assert_eq!(*without, r#"{"email":"ann@example.com"}"#);
        assert_eq!(*text_or_null(None), "null");
    }
}
