//! A fast imported hash under a slow one: Argon2id over the digest that the import brought.
//!
//! Nobody's password is needed for that, so it can be done at rest. What is kept is how the inner
//! digest comes from a password (algorithm, salt, key, encoding) and the outer hash; the digest
//! itself is not: its place in the inner record holds zeros. Owns the stored spelling, which is the
//! import's too; refuses an inner record that is slow by itself.

use domain::{Entropy, HashText, RowError};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::custom::{CUSTOM_PREFIX, Custom};
use crate::encoding::SecretBytes;
use crate::family::argon2::Argon2Hash;
use crate::known::KNOWN_PREFIX;
use crate::limits::Limits;
use crate::recipe::{RECIPE_PREFIX, RecipeHash, is_recipe_record};
use crate::{HashError, ImportContext, Kind, PasswordHash, Scheme, refusal};

/// What a stored wrapped hash begins with.
pub(crate) const WRAPPED_PREFIX: &str = "wrapped:";

/// What a stored fast hash begins with, in front of its own beginning, when no algorithm's name in
/// [`FAST_PREFIXES`] tells that it is fast.
pub(crate) const FAST_PREFIX: &str = "fast:";

/// Its name in `custom_password_hash.algorithm`.
const NAME: &str = "ferry-wrapped";

/// The most digests of one guess that still count as fast: less than a millisecond.
pub(crate) const FEW_ROUNDS: u32 = 5000;

/// A hash that is computed at once, taken apart. Each family that can be wrapped says how.
pub(crate) trait Fast {
    /// The digest of a password.
    fn compute(&self, password: &[u8]) -> SecretBytes;
    /// The digest that is kept.
    fn digest(&self) -> &[u8];
}

/// How the digest under the slow hash comes from a password.
enum Inner {
    Custom(Custom),
    Recipe(RecipeHash),
}

impl Inner {
    fn read(json: &str, context: &ImportContext<'_>, limits: &Limits) -> Result<Self, RowError> {
        if is_recipe_record(json) {
            return RecipeHash::read(json, context, limits).map(Self::Recipe);
        }
        Custom::read(json, &context.owner, limits).map(Self::Custom)
    }

    /// Of a stored text; `None` when it is of no kind that could be fast.
    fn of_stored(text: &str) -> Option<Self> {
        let text = text.strip_prefix(FAST_PREFIX).unwrap_or(text);
        let context = ImportContext {
            has_pepper: true,
            ..ImportContext::default()
        };
        let record = if let Some(known) = text.strip_prefix(KNOWN_PREFIX) {
            let record = serde_json::json!({"algorithm": "known", "hash": {"value": known}});
            Zeroizing::new(record.to_string())
        } else {
            let kinds = [CUSTOM_PREFIX, RECIPE_PREFIX];
            let record = kinds.iter().find_map(|kind| text.strip_prefix(kind))?;
            Zeroizing::new(record.to_owned())
        };
        Self::read(&record, &context, &Limits::NONE).ok()
    }

    fn compute(&self, password: &str) -> Option<SecretBytes> {
        match self {
            Self::Custom(custom) => custom.compute(password),
            Self::Recipe(hash) => hash.compute(password),
        }
    }

    fn digest(&self) -> Option<SecretBytes> {
        match self {
            Self::Custom(custom) => custom.digest(),
            Self::Recipe(hash) => hash.digest(),
        }
    }

    fn forget(&mut self) -> bool {
        match self {
            Self::Custom(custom) => custom.forget(),
            Self::Recipe(hash) => hash.forget(),
        }
    }

    fn to_json(&self) -> Zeroizing<String> {
        let (text, kind) = match self {
            Self::Custom(custom) => (custom.to_text(), CUSTOM_PREFIX),
            Self::Recipe(hash) => (hash.to_text(), RECIPE_PREFIX),
        };
        let text = Zeroizing::new(text);
        Zeroizing::new(text.strip_prefix(kind).unwrap_or(&text).to_owned())
    }
}

pub(crate) struct Wrapped {
    inner: Inner,
    outer: Argon2Hash,
}

/// The record, as `custom_password_hash` and the store have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape<'a> {
    algorithm: String,
    #[serde(borrow)]
    inner: &'a RawValue,
    hash: ShapeHash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShapeHash {
    value: String,
}

/// Whether a `custom_password_hash` is ours of this kind. Looks at the name alone.
pub(crate) fn is_named(json: &str) -> bool {
    #[derive(Deserialize)]
    struct Name {
        algorithm: String,
    }
    json.contains(NAME) && serde_json::from_str::<Name>(json).is_ok_and(|it| it.algorithm == NAME)
}

impl Wrapped {
    pub(crate) fn read(
        json: &str,
        context: &ImportContext<'_>,
        limits: &Limits,
    ) -> Result<Self, RowError> {
        let shape: Shape<'_> = serde_json::from_str(json).map_err(|_| refusal::not_json())?;
        if shape.algorithm != NAME {
            return Err(refusal::no_such_word("algorithm", "of a wrapped hash"));
        }
        let value = Zeroizing::new(shape.hash.value);
        let outer = Argon2Hash::parse(&value, limits)?;
        let mut inner = Inner::read(shape.inner.get(), context, limits)
            .map_err(|refused| refused.under("inner"))?;
        // Whatever a file writes there, it is not kept.
        if !inner.forget() {
            let why = "Only fast digests are wrapped";
            return Err(refusal::forbidden("inner.algorithm", why));
        }
        Ok(Self { inner, outer })
    }

    pub(crate) fn verify(&self, password: &str) -> bool {
        let digest = self.inner.compute(password);
        digest.is_some_and(|digest| self.outer.verify(&digest))
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match &self.inner {
            Inner::Custom(custom) => custom.algorithm(),
            Inner::Recipe(_) => "recipe",
        }
    }

    pub(crate) fn needs_pepper(&self) -> bool {
        matches!(&self.inner, Inner::Recipe(hash) if hash.needs_pepper())
    }

    pub(crate) fn set_pepper(&mut self, pepper: &str) {
        if let Inner::Recipe(hash) = &mut self.inner {
            hash.set_pepper(pepper);
        }
    }

    /// The stored text, prefix included.
    pub(crate) fn to_text(&self) -> String {
        let inner = self.inner.to_json();
        let outer = Zeroizing::new(self.outer.to_text());
        format!(
            r#"{WRAPPED_PREFIX}{{"algorithm":"{NAME}","inner":{},"hash":{{"value":"{}"}}}}"#,
            *inner, *outer
        )
    }
}

/// What the stored text of a hash begins with that [`PasswordHash::wrap`] would wrap.
pub const FAST_PREFIXES: &[&str] = &[
    "custom:{\"algorithm\":\"md4\"",
    "custom:{\"algorithm\":\"md5\"",
    "custom:{\"algorithm\":\"sha1\"",
    "custom:{\"algorithm\":\"sha256\"",
    "custom:{\"algorithm\":\"sha512\"",
    "custom:{\"algorithm\":\"hmac\"",
    "custom:{\"algorithm\":\"ldap\"",
    FAST_PREFIX,
];

impl PasswordHash {
    /// Puts a stored fast hash under Argon2id with a new salt; `None` when it is not fast. As slow
    /// as the scheme says: call it off the async threads. Where the scheme is bcrypt, which sees 72
    /// bytes only, Argon2id has its default parameters.
    ///
    /// # Errors
    /// The scheme's parameters are out of range, or there is no memory.
    pub fn wrap(
        stored: &HashText,
        scheme: &Scheme,
        entropy: &dyn Entropy,
    ) -> Result<Option<Self>, HashError> {
        let Some(mut inner) = Inner::of_stored(stored.expose()) else {
            return Ok(None);
        };
        let Some(digest) = inner.digest() else {
            return Ok(None);
        };
        if !inner.forget() {
            return Ok(None);
        }
        let scheme = match scheme {
            Scheme::Argon2id { .. } => *scheme,
            Scheme::Bcrypt { .. } => Scheme::default(),
        };
        let outer = scheme.argon2(&digest, entropy)?;
        Ok(Some(Self(Kind::Wrapped(Box::new(Wrapped {
            inner,
            outer,
        })))))
    }
}
