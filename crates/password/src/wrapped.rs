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
use crate::limits::Limits;
use crate::{HashError, Kind, Owner, PasswordHash, Scheme, refusal};

/// What a stored wrapped hash begins with.
pub(crate) const WRAPPED_PREFIX: &str = "wrapped:";

/// Its name in `custom_password_hash.algorithm`.
const NAME: &str = "ferry-wrapped";

/// A hash that is computed at once, taken apart. Each family that can be wrapped says how.
pub(crate) trait Fast {
    /// The digest of a password.
    fn compute(&self, password: &[u8]) -> SecretBytes;
    /// The digest that is kept.
    fn digest(&self) -> &[u8];
    /// Forgets it: zeros stand in its place.
    fn forget(&mut self);
}

pub(crate) struct Wrapped {
    inner: Custom,
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
    pub(crate) fn read(json: &str, limits: &Limits) -> Result<Self, RowError> {
        let shape: Shape<'_> = serde_json::from_str(json).map_err(|_| refusal::not_json())?;
        if shape.algorithm != NAME {
            return Err(refusal::no_such_word("algorithm", "of a wrapped hash"));
        }
        let value = Zeroizing::new(shape.hash.value);
        let outer = Argon2Hash::parse(&value, limits)?;
        let mut inner = Custom::read(shape.inner.get(), &Owner::default(), limits)
            .map_err(|refused| refused.under("inner"))?;
        let Some(fast) = inner.fast_mut() else {
            let why = "Only digests of one round are wrapped";
            return Err(refusal::forbidden("inner.algorithm", why));
        };
        // Whatever a file writes there, it is not kept.
        fast.forget();
        Ok(Self { inner, outer })
    }

    pub(crate) fn verify(&self, password: &str) -> bool {
        let digest = self.inner.compute(password);
        digest.is_some_and(|digest| self.outer.verify(&digest))
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        self.inner.algorithm()
    }

    /// The stored text, prefix included.
    pub(crate) fn to_text(&self) -> String {
        let inner = Zeroizing::new(self.inner.to_text());
        let inner = inner.strip_prefix(CUSTOM_PREFIX).unwrap_or(&inner);
        let outer = Zeroizing::new(self.outer.to_text());
        format!(
            r#"{WRAPPED_PREFIX}{{"algorithm":"{NAME}","inner":{inner},"hash":{{"value":"{}"}}}}"#,
            *outer
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
        let json = stored.expose().strip_prefix(CUSTOM_PREFIX);
        let Some(mut inner) =
            json.and_then(|json| Custom::read(json, &Owner::default(), &Limits::NONE).ok())
        else {
            return Ok(None);
        };
        let Some(fast) = inner.fast_mut() else {
            return Ok(None);
        };
        let digest = Zeroizing::new(fast.digest().to_vec());
        fast.forget();
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
