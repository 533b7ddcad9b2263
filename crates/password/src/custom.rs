//! An imported `custom_password_hash`: the family it belongs to, and how the typed password is
//! encoded for it. Owns the dispatch; each family owns its own rules.

use domain::RowError;
use zeroize::Zeroizing;

use crate::Owner;
use crate::algorithm::Algorithm;
use crate::canonical::Canonical;
use crate::encoding::PasswordEncoding;
use crate::encoding::SecretBytes;
use crate::family::argon2::Argon2Hash;
use crate::family::bcrypt::SaltedBcrypt;
use crate::family::hmac::HmacHash;
use crate::family::ldap::LdapHash;
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::family::plain::PlainHash;
use crate::family::scrypt::ScryptHash;
use crate::foreign::ForeignOptions;
use crate::json::ClosedObject;
use crate::limits::Limits;
use crate::named::{self, Named};
use crate::record::{self, Record};
use crate::wrapped::Fast;

/// What a stored custom hash begins with.
pub(crate) const CUSTOM_PREFIX: &str = "custom:";

pub(crate) struct Custom {
    password: PasswordEncoding,
    family: Family,
}

enum Family {
    Argon2(Argon2Hash),
    Bcrypt(SaltedBcrypt),
    Hmac(HmacHash),
    Ldap(LdapHash),
    Pbkdf2(Pbkdf2Hash),
    Plain(PlainHash),
    Scrypt(ScryptHash),
    /// An algorithm that has one of our own names.
    Named(Named),
}

/// Whether the name is ours and none of the documented ones.
fn is_ours(name: &str) -> bool {
    Algorithm::parse(name).is_none() && ForeignOptions::named(name).is_ok()
}

impl Custom {
    pub(crate) fn read(json: &str, owner: &Owner<'_>, limits: &Limits) -> Result<Self, RowError> {
        let object = ClosedObject::parse_by(json, |name| match name {
            Some(name) if is_ours(name) => &named::MEMBERS,
            _ => &record::MEMBERS,
        })?;
        if object.peek("algorithm").is_some_and(is_ours) {
            let named = Named::read(object, owner, limits)?;
            return Ok(Self {
                password: PasswordEncoding::default(),
                family: Family::Named(named),
            });
        }
        let record = Record::read(object)?;
        let password = record.password;
        let family = match record.algorithm {
            Algorithm::Argon2 => {
                Argon2Hash::parse(record.text_value()?, limits).map(Family::Argon2)
            }
            Algorithm::Bcrypt => SaltedBcrypt::read(record, limits).map(Family::Bcrypt),
            Algorithm::Hmac => HmacHash::read(record).map(Family::Hmac),
            Algorithm::Ldap => LdapHash::parse(record.text_value()?).map(Family::Ldap),
            Algorithm::Pbkdf2 => {
                Pbkdf2Hash::parse(record.text_value()?, limits).map(Family::Pbkdf2)
            }
            Algorithm::Plain(digest) => PlainHash::read(record, digest).map(Family::Plain),
            Algorithm::Scrypt => ScryptHash::read(record, limits).map(Family::Scrypt),
        }?;
        Ok(Self { password, family })
    }

    pub(crate) fn verify(&self, password: &str) -> bool {
        if let Family::Named(hash) = &self.family {
            return hash.verify(password);
        }
        let password = self.password.encode(password);
        match &self.family {
            Family::Named(_) => false,
            Family::Argon2(hash) => hash.verify(&password),
            Family::Bcrypt(hash) => hash.verify(&password),
            Family::Hmac(hash) => hash.verify(&password),
            Family::Ldap(hash) => hash.verify(&password),
            Family::Pbkdf2(hash) => hash.verify(&password),
            Family::Plain(hash) => hash.verify(&password),
            Family::Scrypt(hash) => hash.verify(&password),
        }
    }

    /// The digest of a password, of a family that is computed at once.
    pub(crate) fn compute(&self, password: &str) -> Option<SecretBytes> {
        if let Family::Named(hash) = &self.family {
            return hash.compute(password);
        }
        let fast = self.fast()?;
        Some(fast.compute(&self.password.encode(password)))
    }

    /// The digest that is kept, of such a family.
    pub(crate) fn digest(&self) -> Option<SecretBytes> {
        let fast = self.fast()?;
        Some(Zeroizing::new(fast.digest().to_vec()))
    }

    fn fast(&self) -> Option<&dyn Fast> {
        match &self.family {
            Family::Hmac(hash) => Some(hash),
            Family::Ldap(hash) => Some(hash),
            Family::Plain(hash) => Some(hash),
            Family::Named(hash) => hash.fast(),
            Family::Argon2(_) | Family::Bcrypt(_) | Family::Pbkdf2(_) | Family::Scrypt(_) => None,
        }
    }

    /// Puts zeros in the digest's place; `false` when the family is none that could.
    pub(crate) fn forget(&mut self) -> bool {
        match &mut self.family {
            Family::Hmac(hash) => hash.forget(),
            Family::Ldap(hash) => hash.forget(),
            Family::Plain(hash) => hash.forget(),
            Family::Named(hash) => return hash.forget(),
            Family::Argon2(_) | Family::Bcrypt(_) | Family::Pbkdf2(_) | Family::Scrypt(_) => {
                return false;
            }
        }
        true
    }

    /// Whether the algorithm has one of our own names, and can be put under a slow hash.
    pub(crate) fn is_fast_and_named(&self) -> bool {
        matches!(&self.family, Family::Named(hash) if hash.is_fast())
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match &self.family {
            Family::Argon2(hash) => hash.name(),
            Family::Bcrypt(_) => "bcrypt",
            Family::Hmac(_) => "hmac",
            Family::Ldap(_) => "ldap",
            Family::Pbkdf2(_) => "pbkdf2",
            Family::Plain(hash) => hash.name(),
            Family::Scrypt(_) => "scrypt",
            Family::Named(hash) => hash.name(),
        }
    }

    /// The stored text, prefix included.
    pub(crate) fn to_text(&self) -> String {
        let canonical = match &self.family {
            Family::Named(hash) => return hash.to_text(),
            Family::Argon2(hash) => {
                let mut canonical = Canonical::new("argon2");
                canonical.text_hash(&Zeroizing::new(hash.to_text()));
                canonical
            }
            Family::Bcrypt(hash) => hash.canonical(),
            Family::Hmac(hash) => hash.canonical(),
            Family::Ldap(hash) => hash.canonical(),
            Family::Pbkdf2(hash) => hash.canonical(),
            Family::Plain(hash) => hash.canonical(),
            Family::Scrypt(hash) => hash.canonical(),
        };
        canonical.finish(self.password)
    }
}
