//! A hash with its recipe: the `custom_password_hash` of an import row whose `algorithm` is
//! `recipe`, and `recipe:<json>` in the store.
//!
//! What the recipe needs besides the password is kept with the hash, since a username or an
//! e-mail address may change later. The pepper never is: it comes with the connection when a
//! password is verified.

use std::borrow::Cow;
use std::sync::Arc;

use constant_time_eq::constant_time_eq;
use domain::{RowError, RowErrorCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Ending, Inputs, LONGEST_INPUT, Recipe, Variable};
use crate::Owner;
use crate::encoding::{SecretBytes, TextEncoding, to_base64};
use crate::family::argon2::Argon2Hash;
use crate::family::bcrypt::BcryptHash;
use crate::foreign;
use crate::json::ClosedObject;
use crate::limits::Limits;
use crate::record::{VALUE, read_salt};
use crate::refusal;

/// What a stored hash with a recipe begins with.
pub(crate) const RECIPE_PREFIX: &str = "recipe:";
/// The fewest bytes of hash that can tell one password from another.
const LEAST: usize = 8;

const MEMBERS: [&str; 7] = [
    "algorithm",
    "recipe",
    "hash",
    "salt",
    "username",
    "email",
    "user_id",
];

/// What a row or its connection knows beside the `custom_password_hash` itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportContext<'a> {
    /// The connection's recipe, for rows that bring none.
    pub recipe: Option<&'a Arc<Recipe>>,
    /// Whether the connection's configuration holds a pepper.
    pub has_pepper: bool,
    /// What the row says of its user.
    pub owner: Owner<'a>,
}

/// Whether a `custom_password_hash` says that its algorithm is a recipe.
pub(crate) fn is_recipe_record(json: &str) -> bool {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(borrow)]
        algorithm: Cow<'a, str>,
    }
    json.contains("\"recipe\"")
        && serde_json::from_str::<Peek<'_>>(json).is_ok_and(|peek| peek.algorithm == "recipe")
}

/// A hash and how it was made.
pub(crate) struct RecipeHash {
    recipe: Arc<Recipe>,
    expected: Expected,
    salt: Option<SecretBytes>,
    username: Option<String>,
    email: Option<String>,
    user_id: Option<String>,
    pepper: Option<Zeroizing<String>>,
}

/// What the recipe's value has to fit.
enum Expected {
    Bytes(SecretBytes),
    Bcrypt(BcryptHash),
    Argon2(Argon2Hash),
    /// A string that says itself what it is; read again to verify.
    Known(Zeroizing<String>),
}

impl Expected {
    fn read(
        ending: Ending,
        recipe: &Recipe,
        value: &str,
        encoding: Option<TextEncoding>,
        limits: &Limits,
    ) -> Result<Self, RowError> {
        if ending != Ending::Value && encoding.is_some_and(|given| given != TextEncoding::Utf8) {
            let why = "Must be utf8 where the recipe verifies a hash string";
            return Err(refusal::forbidden("hash.encoding", why));
        }
        match ending {
            Ending::Bcrypt => BcryptHash::parse(value, limits).map(Self::Bcrypt),
            Ending::Argon2 => Argon2Hash::parse(value, limits).map(Self::Argon2),
            Ending::Known => {
                let readable = foreign::check_known(value, limits);
                readable.map_err(|error| refusal::forbidden(VALUE, &error.to_string()))?;
                Ok(Self::Known(Zeroizing::new(value.to_owned())))
            }
            Ending::Value => {
                let encoding = match encoding {
                    Some(encoding) => encoding,
                    None if recipe.makes_text() => TextEncoding::Utf8,
                    None => return Err(refusal::missing("hash", "encoding")),
                };
                let bytes = encoding.decode(VALUE, value)?;
                check_size(recipe, &bytes)?;
                Ok(Self::Bytes(bytes))
            }
        }
    }
}

/// Refuses a hash that the recipe can't have made, or that would fit by chance.
fn check_size(recipe: &Recipe, bytes: &[u8]) -> Result<(), RowError> {
    if recipe.exact_size().is_some_and(|size| size != bytes.len()) {
        let message = format!(
            "The recipe makes {}, and the hash has {}",
            recipe.makes(),
            bytes.len()
        );
        return Err(RowError::new(RowErrorCode::Format, VALUE, message));
    }
    if bytes.len() < LEAST {
        let message = format!("A hash of fewer than {LEAST} bytes proves nothing");
        return Err(RowError::new(RowErrorCode::MinLength, VALUE, message));
    }
    Ok(())
}

impl RecipeHash {
    /// Reads the member of a row, or what [`to_text`](Self::to_text) wrote without its prefix.
    pub(crate) fn read(
        json: &str,
        context: &ImportContext<'_>,
        limits: &Limits,
    ) -> Result<Self, RowError> {
        let mut object = ClosedObject::parse(json, &MEMBERS)?;
        let mut hash = object
            .object("hash", "hash", &["value", "encoding"])?
            .ok_or_else(|| refusal::missing("", "hash"))?;
        let encoding = hash.word("encoding", TextEncoding::parse)?;
        let value = hash.required_text("value")?;
        let salt = read_salt(&mut object)?;
        if salt.as_ref().is_some_and(|salt| salt.suffix) {
            let why = "Not allowed with a recipe, which says itself where its salt goes";
            return Err(refusal::forbidden("salt.position", why));
        }
        let recipe = match object.text("recipe")? {
            Some(text) => Recipe::parse(&text, limits)
                .map(Arc::new)
                .map_err(|error| refusal::forbidden("recipe", &error.to_string()))?,
            None => Arc::clone(context.recipe.ok_or_else(|| {
                let why = "Missing required property: recipe (and the connection's \
                           options.ferry.password_recipe is not set)";
                RowError::new(RowErrorCode::ObjectMissingRequiredProperty, "", why)
            })?),
        };
        let expected = Expected::read(recipe.ending(), &recipe, &value, encoding, limits)?;
        let mut given = |name: &'static str, known: Option<&str>| {
            let own = object.text(name)?.map(|text| text.to_string());
            Ok::<_, RowError>(own.or_else(|| known.map(str::to_owned)))
        };
        let mut read = Self {
            username: given("username", context.owner.username)?,
            email: given("email", context.owner.email)?,
            user_id: given("user_id", context.owner.user_id)?,
            salt: salt.map(|salt| salt.bytes),
            recipe,
            expected,
            pepper: None,
        };
        read.keep_what_is_used(context.has_pepper)?;
        Ok(read)
    }

    /// Refuses what is missing or too long, and forgets what is not used.
    fn keep_what_is_used(&mut self, has_pepper: bool) -> Result<(), RowError> {
        for (variable, text) in [
            (Variable::Username, &mut self.username),
            (Variable::Email, &mut self.email),
            (Variable::UserId, &mut self.user_id),
        ] {
            if !self.recipe.uses(variable) {
                *text = None;
                continue;
            }
            let size = text.as_ref().map(String::len);
            check_input(variable, size)?;
        }
        let salt = self.salt.as_ref().map(|salt| salt.len());
        match (self.recipe.uses(Variable::Salt), salt) {
            (true, size) => check_input(Variable::Salt, size)?,
            (false, None) => {}
            (false, Some(_)) => {
                let why = "Not allowed: the recipe does not use it";
                return Err(refusal::forbidden("salt", why));
            }
        }
        if self.needs_pepper() && !has_pepper {
            let why = "The recipe uses the pepper, and the connection's options.configuration \
                       does not hold it";
            return Err(refusal::forbidden("recipe", why));
        }
        Ok(())
    }

    pub(crate) fn needs_pepper(&self) -> bool {
        self.recipe.uses(Variable::Pepper)
    }

    pub(crate) fn set_pepper(&mut self, pepper: &str) {
        self.pepper = Some(Zeroizing::new(pepper.to_owned()));
    }

    /// The digest that is kept, where a guess costs next to nothing.
    pub(crate) fn digest(&self) -> Option<SecretBytes> {
        match &self.expected {
            Expected::Bytes(bytes) if self.recipe.is_fast() => Some(bytes.clone()),
            _ => None,
        }
    }

    /// Puts zeros in that digest's place; `false` when there is none.
    pub(crate) fn forget(&mut self) -> bool {
        match &mut self.expected {
            Expected::Bytes(bytes) if self.recipe.is_fast() => {
                bytes.fill(0);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn verify(&self, password: &str) -> bool {
        let Some(value) = self.compute(password) else {
            return false;
        };
        match &self.expected {
            Expected::Bytes(bytes) => constant_time_eq(&value, bytes),
            Expected::Bcrypt(hash) => hash.verify(&value),
            Expected::Argon2(hash) => hash.verify(&value),
            Expected::Known(text) => foreign::verify_known(text, &value),
        }
    }

    /// What the recipe makes of a password; `None` without the pepper that it needs.
    pub(crate) fn compute(&self, password: &str) -> Option<SecretBytes> {
        if self.needs_pepper() && self.pepper.is_none() {
            return None;
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (username, email, user_id) =
            (text(&self.username), text(&self.email), text(&self.user_id));
        let inputs = Inputs {
            password: password.as_bytes(),
            salt: self.salt.as_ref().map_or(&[], |salt| salt.as_slice()),
            pepper: self.pepper.as_ref().map_or(&[], |text| text.as_bytes()),
            username: username.as_bytes(),
            email: email.as_bytes(),
            user_id: user_id.as_bytes(),
        };
        self.recipe.value(&inputs)
    }

    /// The stored text, prefix included.
    pub(crate) fn to_text(&self) -> String {
        format!("{RECIPE_PREFIX}{}", Value::Object(self.to_record()))
    }

    /// The same as the member of an import row.
    fn to_record(&self) -> Map<String, Value> {
        let mut hash = Map::new();
        let (value, encoding) = match &self.expected {
            Expected::Bytes(bytes) => (to_base64(bytes).to_string(), "base64"),
            Expected::Bcrypt(hash) => (hash.to_text(), "utf8"),
            Expected::Argon2(hash) => (hash.to_text(), "utf8"),
            Expected::Known(text) => (text.to_string(), "utf8"),
        };
        hash.insert("value".into(), value.into());
        hash.insert("encoding".into(), encoding.into());
        let mut record = Map::new();
        record.insert("algorithm".into(), "recipe".into());
        record.insert("recipe".into(), self.recipe.source().into());
        record.insert("hash".into(), hash.into());
        if let Some(salt) = &self.salt {
            let mut member = Map::new();
            member.insert("value".into(), to_base64(salt).to_string().into());
            member.insert("encoding".into(), "base64".into());
            record.insert("salt".into(), member.into());
        }
        for (name, text) in [
            ("username", &self.username),
            ("email", &self.email),
            ("user_id", &self.user_id),
        ] {
            if let Some(text) = text {
                record.insert(name.into(), text.as_str().into());
            }
        }
        record
    }
}

fn check_input(variable: Variable, size: Option<usize>) -> Result<(), RowError> {
    let name = variable.name();
    match size {
        None => {
            let message = format!("Missing required property: {name} (the recipe uses it)");
            let code = RowErrorCode::ObjectMissingRequiredProperty;
            Err(RowError::new(code, "", message))
        }
        Some(size) if size > LONGEST_INPUT => {
            let message =
                format!("{name} has {size} bytes, more than the {LONGEST_INPUT} of a recipe");
            Err(RowError::new(RowErrorCode::MaxLength, name, message))
        }
        Some(_) => Ok(()),
    }
}

impl std::fmt::Debug for RecipeHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecipeHash(…)")
    }
}
