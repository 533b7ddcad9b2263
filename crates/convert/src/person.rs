//! A person as the import record can say it, and the rules that decide what fits.

use domain::metadata::RESERVED_APP_METADATA;
use domain::username::{is_phone_number, is_well_formed};
use domain::{EmailAddress, Json};
use serde_json::{Value, json};

use crate::hash::Hash;
use crate::options::Options;
use crate::product::Product;

/// What a converter found out about somebody. Texts are as the product had them.
#[derive(Default)]
pub(crate) struct Person {
    /// The id in the old system; a prefix comes before it.
    pub id: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone_number: Option<String>,
    pub phone_verified: bool,
    pub username: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub name: Option<String>,
    pub nickname: Option<String>,
    pub picture: Option<String>,
    pub blocked: bool,
    pub hash: Option<Hash>,
    pub user_metadata: Json,
    /// Goes to `app_metadata` itself: only what was Auth0's own there.
    pub app_metadata: Json,
    /// Goes to `app_metadata.<product>`.
    pub kept: Json,
    /// Base32 without padding.
    pub totp: Vec<String>,
}

/// A field, and what is wrong with it.
pub(crate) type Complaint = (String, String);

/// A row, or why there is none, and what did not fit.
pub(crate) struct Finished {
    pub row: Result<Json, Complaint>,
    pub complaints: Vec<Complaint>,
}

const MOST_METADATA: usize = 256 * 1024;
const MOST_FACTORS: usize = 10;
const DEEPEST: usize = 60;

impl Person {
    /// The import row: every member fits the import's schema, or is kept in `app_metadata`.
    pub fn into_row(self, product: Product, options: &Options) -> Finished {
        let mut complaints = Vec::new();
        let row = self.fit(product, options, &mut complaints);
        Finished { row, complaints }
    }

    fn fit(
        mut self,
        product: Product,
        options: &Options,
        complaints: &mut Vec<Complaint>,
    ) -> Result<Json, Complaint> {
        let mut row = Json::new();
        row.insert("email".to_owned(), self.fitting_email()?.into());
        row.insert("email_verified".to_owned(), self.email_verified.into());
        self.put_id(product, options, &mut row)?;
        self.put_username(&mut row, complaints);
        self.put_phone(&mut row, complaints);
        self.put_names(&mut row, complaints);
        if self.blocked {
            row.insert("blocked".to_owned(), true.into());
        }
        if let Some(fault) = self.hash.as_ref().and_then(Hash::fault) {
            let why = format!("the import will refuse it: {fault}");
            complaints.push(("password hash".to_owned(), why));
        }
        match self.hash.take() {
            Some(Hash::Field(text)) => drop(row.insert("password_hash".to_owned(), text.into())),
            Some(Hash::Custom(object)) => {
                row.insert("custom_password_hash".to_owned(), object.into());
            }
            None => {}
        }
        self.put_factors(&mut row, complaints);
        self.put_metadata(product, &mut row, complaints)?;
        Ok(row)
    }

    fn fitting_email(&mut self) -> Result<String, Complaint> {
        let refused = |why: &str| Err(("email".to_owned(), why.to_owned()));
        let Some(email) = self.email.take() else {
            return refused("nothing there, and the import identifies people by it");
        };
        match EmailAddress::parse(email.trim()) {
            Ok(address) => Ok(address.as_str().to_owned()),
            Err(_) => refused("not an e-mail address"),
        }
    }

    fn put_id(
        &mut self,
        product: Product,
        options: &Options,
        row: &mut Json,
    ) -> Result<(), Complaint> {
        let Some(id) = self.id.take() else {
            return Ok(());
        };
        let prefix = options.user_id_prefix.as_deref();
        let user_id = match prefix.unwrap_or(product.id_prefix()) {
            "" => id.clone(),
            prefix => format!("{prefix}-{id}"),
        };
        if user_id.chars().count() > 255 || user_id.chars().any(char::is_control) {
            let why = "longer than 255 characters, or with control characters";
            return Err(("user_id".to_owned(), why.to_owned()));
        }
        row.insert("user_id".to_owned(), user_id.into());
        if product != Product::Auth0 {
            self.kept.insert("id".to_owned(), id.into());
        }
        Ok(())
    }

    fn put_username(&mut self, row: &mut Json, complaints: &mut Vec<Complaint>) {
        let Some(username) = self.username.take() else {
            return;
        };
        let email = row.get("email").and_then(Value::as_str).unwrap_or_default();
        if is_well_formed(&username) {
            row.insert("username".to_owned(), username.into());
        } else if !username.eq_ignore_ascii_case(email) {
            // What equals the address says nothing that the address doesn't.
            self.keep(
                "username",
                username,
                "not a username of the import",
                complaints,
            );
        }
    }

    fn put_phone(&mut self, row: &mut Json, complaints: &mut Vec<Complaint>) {
        let Some(phone) = self.phone_number.take() else {
            return;
        };
        let bare: String = phone
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/'))
            .collect();
        if is_phone_number(&bare) {
            row.insert("phone_number".to_owned(), bare.into());
            row.insert("phone_verified".to_owned(), self.phone_verified.into());
        } else {
            self.keep(
                "phone_number",
                phone,
                "not of the form +4912345",
                complaints,
            );
        }
    }

    fn put_names(&mut self, row: &mut Json, complaints: &mut Vec<Complaint>) {
        let names = [
            ("given_name", 150, self.given_name.take()),
            ("family_name", 150, self.family_name.take()),
            ("name", 300, self.name.take()),
            ("nickname", 350, self.nickname.take()),
        ];
        for (field, most, value) in names {
            let Some(value) = value.filter(|value| !value.trim().is_empty()) else {
                continue;
            };
            if value.chars().count() > most {
                self.keep(field, value, "longer than the import allows", complaints);
            } else {
                row.insert(field.to_owned(), clean(value, field, complaints).into());
            }
        }
        let Some(picture) = self.picture.take() else {
            return;
        };
        let is_link = picture.starts_with("https://") || picture.starts_with("http://");
        if is_link && !picture.contains(|c: char| c.is_control() || c.is_whitespace()) {
            row.insert("picture".to_owned(), picture.into());
        } else {
            self.keep("picture", picture, "not a URL", complaints);
        }
    }

    fn keep(&mut self, field: &str, value: String, why: &str, complaints: &mut Vec<Complaint>) {
        self.kept.insert(field.to_owned(), value.into());
        complaints.push((field.to_owned(), format!("{why}; kept in app_metadata")));
    }

    fn put_factors(&mut self, row: &mut Json, complaints: &mut Vec<Complaint>) {
        let mut factors = Vec::new();
        for secret in self.totp.drain(..) {
            let bare = secret.replace([' ', '='], "").to_ascii_uppercase();
            let is_base32 = |b: u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b);
            if bare.is_empty() || !bare.bytes().all(is_base32) {
                complaints.push(("totp".to_owned(), "its secret is not base32".to_owned()));
            } else if factors.len() < MOST_FACTORS {
                factors.push(json!({"totp": {"secret": bare}}));
            } else {
                complaints.push(("totp".to_owned(), "more than ten factors".to_owned()));
            }
        }
        if !factors.is_empty() {
            row.insert("mfa_factors".to_owned(), factors.into());
        }
    }

    fn put_metadata(
        self,
        product: Product,
        row: &mut Json,
        complaints: &mut Vec<Complaint>,
    ) -> Result<(), Complaint> {
        let mut app = self.app_metadata;
        let mut kept = self.kept;
        kept.retain(|name, value| {
            let is_open = !is_secret(name, value);
            if !is_open {
                let why = "by its name a secret, and app_metadata is no place for one; left behind";
                complaints.push((name.clone(), why.to_owned()));
            }
            is_open
        });
        for name in RESERVED_APP_METADATA {
            if let Some(value) = app.shift_remove(*name) {
                let why = "a reserved name; kept one level deeper";
                complaints.push((format!("app_metadata.{name}"), why.to_owned()));
                kept.insert((*name).to_owned(), value);
            }
        }
        if !kept.is_empty() {
            app.insert(product.name().to_owned(), kept.into());
        }
        for (field, members) in [("user_metadata", self.user_metadata), ("app_metadata", app)] {
            if members.is_empty() {
                continue;
            }
            let mut value = Value::Object(members);
            if !clean_deep(&mut value, DEEPEST) {
                let why = "holds NUL characters or nests too deep; those parts are left out";
                complaints.push((field.to_owned(), why.to_owned()));
            }
            if value.to_string().len() > MOST_METADATA {
                let why = "more than 256 KiB, which the import refuses";
                return Err((field.to_owned(), why.to_owned()));
            }
            row.insert(field.to_owned(), value);
        }
        Ok(())
    }
}

/// Whether a member that nobody took must not be kept: custom columns hold keys and old hashes too.
fn is_secret(name: &str, value: &Value) -> bool {
    let name = name.to_ascii_lowercase();
    let words = [
        "password", "passwd", "pwd", "secret", "token", "salt", "hash", "apikey", "api_key",
    ];
    let Some(text) = value.as_str() else {
        return false;
    };
    // When a password was set is no secret.
    let is_moment =
        text.len() > 4 && text.bytes().take(4).all(|b| b.is_ascii_digit()) && text.contains('-');
    words.iter().any(|word| name.contains(word)) && !is_moment
}

/// Databases hold no NUL in a text.
fn clean(value: String, field: &str, complaints: &mut Vec<Complaint>) -> String {
    if !value.contains('\0') {
        return value;
    }
    complaints.push((
        field.to_owned(),
        "holds NUL characters; left out".to_owned(),
    ));
    value.replace('\0', "")
}

/// Takes NULs and what nests too deep out of a value; false when there was any.
fn clean_deep(value: &mut Value, left: usize) -> bool {
    match value {
        Value::String(text) if text.contains('\0') => {
            *text = text.replace('\0', "");
            false
        }
        Value::Array(_) | Value::Object(_) if left == 0 => {
            *value = Value::Null;
            false
        }
        Value::Array(elements) => {
            // Every element is cleaned, also after one that was not whole.
            let unclean = elements
                .iter_mut()
                .filter_map(|element| (!clean_deep(element, left - 1)).then_some(()));
            unclean.count() == 0
        }
        Value::Object(members) => {
            let before = members.len();
            members.retain(|name, _| !name.contains('\0') && !name.starts_with("$serde_json::"));
            let is_whole = before == members.len();
            members
                .values_mut()
                .fold(is_whole, |ok, member| clean_deep(member, left - 1) && ok)
        }
        _ => true,
    }
}
