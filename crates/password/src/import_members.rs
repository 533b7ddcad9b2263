//! A stored hash as the members of an import row, so that whatever is exported goes back in.
//!
//! Works on the stored text: its beginning says what it is, and what follows is already what an
//! import reads. Refuses a beginning that nobody knows, rather than to export a hash that would be
//! refused elsewhere.

use domain::HashText;
use zeroize::Zeroizing;

use crate::custom::CUSTOM_PREFIX;
use crate::wrapped::{FAST_PREFIX, WRAPPED_PREFIX};
use crate::{CorruptHash, PasswordHash};

/// One member of an import row.
pub struct ImportMember {
    /// `password_hash` or `custom_password_hash`.
    pub name: &'static str,
    /// Its value as JSON text.
    pub json: Zeroizing<String>,
}

impl PasswordHash {
    /// The member that imports back as this hash.
    ///
    /// bcrypt of cost 10 is the documented `password_hash`; bcrypt of another cost, argon2,
    /// `custom:`, `wrapped:` and `recipe:` are `custom_password_hash`.
    ///
    /// # Errors
    /// The text is none that the store keeps.
    pub fn to_import_member(stored: &HashText) -> Result<ImportMember, CorruptHash> {
        let text = stored.expose();
        let text = text.strip_prefix(FAST_PREFIX).unwrap_or(text);
        // What follows each of these is the member itself.
        let records = [CUSTOM_PREFIX, WRAPPED_PREFIX, "recipe:"];
        if let Some(json) = records.iter().find_map(|kind| text.strip_prefix(kind)) {
            return Ok(custom(json.to_owned()));
        }
        if text.starts_with("$argon2") {
            return Ok(custom(whole("argon2", text)));
        }
        if Self::from_bcrypt_field(text).is_ok() {
            return Ok(plain(text));
        }
        if text.starts_with("$2") {
            return Ok(custom(whole("bcrypt", text)));
        }
        if let Some(known) = text.strip_prefix("known:") {
            return Ok(plain(known));
        }
        Err(CorruptHash("unknown prefix".to_owned()))
    }
}

fn custom(json: String) -> ImportMember {
    ImportMember {
        name: "custom_password_hash",
        json: Zeroizing::new(json),
    }
}

fn plain(text: &str) -> ImportMember {
    ImportMember {
        name: "password_hash",
        json: Zeroizing::new(quoted(text)),
    }
}

/// A hash that is a text of its own, under its algorithm's name.
fn whole(algorithm: &str, text: &str) -> String {
    let value = Zeroizing::new(quoted(text));
    format!(
        r#"{{"algorithm":"{algorithm}","hash":{{"value":{}}}}}"#,
        *value
    )
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
