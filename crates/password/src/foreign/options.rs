//! What a hash does not say itself: the third argument of `verify`.
//!
//! Refuses unknown members, and members that the format at hand would ignore: a salt that is not
//! used never verifies, and nobody would know why.

use domain::RowError;
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::bare::{self, HmacRound, Rounds};
use super::prepare::{Prepared, Step};
use super::{LEAST_DIGEST, Nobody, Reading, UnreadableHash, django, recognise, web};
use crate::digest::Digest;
use crate::encoding::{PasswordEncoding, SecretBytes, TextEncoding};
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::family::scrypt::ScryptHash;
use crate::json::ClosedObject;
use crate::limits::{Limits, bounded};
use crate::record::Salt;
use crate::refusal;

const MEMBERS: [&str; 15] = [
    "algorithm",
    "encoding",
    "salt",
    "saltEncoding",
    "saltPosition",
    "key",
    "keyEncoding",
    "iterations",
    "pepper",
    "prehash",
    "passwordEncoding",
    "cost",
    "blockSize",
    "parallelization",
    "username",
];
const SYMFONY_ROUNDS: u64 = 5000;

/// How to read a stored hash; by default, by what it says itself.
#[derive(Default)]
pub struct ForeignOptions {
    algorithm: Option<Algorithm>,
    pub(crate) encoding: Option<TextEncoding>,
    pub(crate) salt: Option<Salt>,
    pub(crate) key: Option<SecretBytes>,
    pub(crate) iterations: Option<u64>,
    pub(crate) cost: Option<u64>,
    pub(crate) block_size: Option<u64>,
    pub(crate) parallelization: Option<u64>,
    /// What the store calls the user, where that is part of what was hashed.
    pub(crate) username: Option<Zeroizing<String>>,
    pepper: Option<SecretBytes>,
    prehash: Option<Prehash>,
    /// `prehash` as it was written.
    pub(crate) prehash_name: Option<Zeroizing<String>>,
    pub(crate) password_encoding: PasswordEncoding,
}

#[derive(Clone, Copy)]
enum Prehash {
    Hex(Digest),
    Base64(Digest),
}

impl Prehash {
    fn parse(name: &str) -> Option<Self> {
        if let Some(digest) = name.strip_suffix("-hex") {
            return Digest::parse(digest).map(Self::Hex);
        }
        Digest::parse(name.strip_suffix("-base64")?).map(Self::Base64)
    }
}

/// A text member as bytes, in the encoding that another member names.
fn bytes(
    object: &mut ClosedObject,
    name: &'static str,
    encoding: &'static str,
) -> Result<Option<SecretBytes>, RowError> {
    let encoding = object
        .word(encoding, TextEncoding::parse)?
        .unwrap_or(TextEncoding::Utf8);
    let text = object.text(name)?;
    text.map(|text| encoding.decode(name, &text)).transpose()
}

impl ForeignOptions {
    /// Reads the JSON object that a script passed.
    ///
    /// # Errors
    /// A member is unknown, of the wrong type, or names something unknown. No value is repeated.
    pub fn from_json(json: &str) -> Result<Self, UnreadableHash> {
        let mut object = ClosedObject::parse(json, &MEMBERS)?;
        let suffix = object.word("saltPosition", |word| match word {
            "prefix" => Some(false),
            "suffix" => Some(true),
            _ => None,
        })?;
        let name = object.text("algorithm")?;
        let algorithm = name
            .as_ref()
            .map(|name| {
                Algorithm::parse(name).ok_or_else(|| refusal::no_such_word("algorithm", name))
            })
            .transpose()?;
        let mut password_encoding = object
            .word("passwordEncoding", PasswordEncoding::parse)?
            .unwrap_or_default();
        if name.as_ref().is_some_and(|name| name.as_str() == "nt") {
            password_encoding = PasswordEncoding::Utf16Le;
        }
        let mut options = Self {
            algorithm,
            encoding: object.word("encoding", TextEncoding::parse)?,
            salt: bytes(&mut object, "salt", "saltEncoding")?.map(|bytes| Salt {
                bytes,
                suffix: suffix.unwrap_or(false),
            }),
            key: bytes(&mut object, "key", "keyEncoding")?,
            iterations: object.positive("iterations")?,
            cost: object.positive("cost")?,
            block_size: object.positive("blockSize")?,
            parallelization: object.positive("parallelization")?,
            pepper: object
                .text("pepper")?
                .map(|text| Zeroizing::new(text.as_bytes().to_vec())),
            username: object.text("username")?,
            prehash: None,
            prehash_name: None,
            password_encoding,
        };
        options.read_prehash(&mut object)?;
        Ok(options)
    }

    /// The options that a name alone stands for.
    pub(crate) fn named(name: &str) -> Result<Self, RowError> {
        let algorithm = Algorithm::parse(name);
        let algorithm = algorithm.ok_or_else(|| refusal::no_such_word("algorithm", name))?;
        let password_encoding = if name == "nt" {
            PasswordEncoding::Utf16Le
        } else {
            PasswordEncoding::default()
        };
        Ok(Self {
            algorithm: Some(algorithm),
            password_encoding,
            ..Self::default()
        })
    }

    pub(crate) fn read_prehash(&mut self, object: &mut ClosedObject) -> Result<(), RowError> {
        self.prehash_name = object.text("prehash")?;
        if let Some(name) = &self.prehash_name {
            let prehash = Prehash::parse(name);
            let prehash = prehash.ok_or_else(|| refusal::no_such_word("prehash", name))?;
            self.prehash = Some(prehash);
        }
        Ok(())
    }

    /// Whether the algorithm hashes the user's name too.
    pub(crate) fn needs_username(&self) -> bool {
        self.takes("username")
    }

    /// Whether a format of the table takes the member.
    fn takes(&self, member: &str) -> bool {
        matches!(self.algorithm, Some(Algorithm::Format(format)) if format.takes.contains(&member))
    }

    /// The user's name, for a format that hashes it.
    pub(super) fn username(&self) -> Result<Zeroizing<String>, UnreadableHash> {
        let name = self.username.clone();
        name.ok_or_else(|| UnreadableHash::missing("username"))
    }

    /// The algorithm's name for logs and counters.
    pub(crate) fn family(&self) -> &'static str {
        match self.algorithm {
            None | Some(Algorithm::Known) => "known",
            Some(Algorithm::WordPress) => "wordpress",
            Some(Algorithm::Django) => "django",
            Some(Algorithm::Werkzeug) => "werkzeug",
            Some(Algorithm::Plain(digest)) => digest.name(),
            Some(Algorithm::Hmac(_)) => "hmac",
            Some(Algorithm::Pbkdf2(_)) => "pbkdf2",
            Some(Algorithm::Scrypt) => "scrypt",
            Some(Algorithm::Symfony(_)) => "symfony",
            Some(Algorithm::Format(format)) => format.name,
        }
    }

    /// Reads the hash, and what has to be done to the password before it.
    pub(crate) fn read(&self, text: &str, limits: &Limits) -> Reading {
        self.refuse_what_is_ignored()?;
        let mut check = self.read_hash(text, limits)?;
        if let Some(prehash) = self.prehash {
            let step = match prehash {
                Prehash::Hex(digest) => Step::Hex(digest),
                Prehash::Base64(digest) => Step::Base64(digest),
            };
            check = Prepared::boxed(step, check);
        }
        if let Some(pepper) = &self.pepper {
            check = Prepared::boxed(Step::Append(pepper.clone()), check);
        }
        if matches!(self.algorithm, Some(Algorithm::WordPress)) {
            check = Prepared::boxed(Step::TrimPhp, check);
        }
        Ok(check)
    }

    fn refuse_what_is_ignored(&self) -> Result<(), UnreadableHash> {
        use Algorithm::{Hmac, Pbkdf2, Plain, Scrypt, Symfony};
        let bare = matches!(
            self.algorithm,
            Some(Plain(_) | Hmac(_) | Pbkdf2(_) | Scrypt | Symfony(_))
        );
        let iterated = matches!(self.algorithm, Some(Plain(_) | Pbkdf2(_) | Symfony(_)));
        let keyed = matches!(self.algorithm, Some(Hmac(_)));
        let costly = matches!(self.algorithm, Some(Scrypt));
        let (salted, iterated) = (
            bare || self.takes("salt"),
            iterated || self.takes("iterations"),
        );
        let given = [
            (salted, self.salt.is_some(), "salt"),
            (bare, self.encoding.is_some(), "encoding"),
            (iterated, self.iterations.is_some(), "iterations"),
            (keyed || self.takes("key"), self.key.is_some(), "key"),
            (costly || self.takes("cost"), self.cost.is_some(), "cost"),
            (costly, self.block_size.is_some(), "blockSize"),
            (costly, self.parallelization.is_some(), "parallelization"),
            (self.needs_username(), self.username.is_some(), "username"),
        ];
        match given
            .into_iter()
            .find(|(used, present, _)| *present && !*used)
        {
            None => Ok(()),
            Some((.., member)) => {
                let why = format!("the option {member} means nothing with this algorithm");
                Err(refusal::forbidden("", &why).into())
            }
        }
    }

    fn read_hash(&self, text: &str, limits: &Limits) -> Reading {
        if text.is_empty() {
            return Ok(Box::new(Nobody));
        }
        match self.algorithm {
            None | Some(Algorithm::Known) => recognise(text, limits),
            Some(Algorithm::WordPress | Algorithm::Django) => {
                django::read_bare(text).unwrap_or_else(|| recognise(text, limits))
            }
            Some(Algorithm::Format(format)) => (format.read)(self, text, limits),
            Some(Algorithm::Werkzeug) => web::old_werkzeug(text, limits),
            Some(algorithm) => self.read_bare(algorithm, text, limits),
        }
    }

    fn read_bare(&self, algorithm: Algorithm, text: &str, limits: &Limits) -> Reading {
        let missing = UnreadableHash::missing;
        let salt = self.salt.as_ref().map(|salt| Salt {
            bytes: salt.bytes.clone(),
            suffix: salt.suffix,
        });
        let salt_bytes = || self.salt.as_ref().map(|salt| salt.bytes.clone());
        let rounds = |default| -> Result<u32, UnreadableHash> {
            let rounds = self.iterations.unwrap_or(default);
            Ok(bounded(
                "iterations",
                "iterations",
                rounds,
                limits.digest_rounds,
            )?)
        };
        match algorithm {
            Algorithm::Plain(digest) => {
                let hash = self.exactly(digest, text)?;
                Ok(Rounds::chain(digest, salt, rounds(1)?, hash))
            }
            Algorithm::Symfony(digest) => {
                let hash = self.exactly(digest, text)?;
                Ok(Rounds::symfony(digest, salt, rounds(SYMFONY_ROUNDS)?, hash))
            }
            Algorithm::Hmac(digest) => {
                let key = self.key.clone().ok_or_else(|| missing("key"))?;
                HmacRound::boxed(digest, key, salt, self.exactly(digest, text)?)
            }
            Algorithm::Pbkdf2(digest) => {
                let hash = self.at_least(text)?;
                let salt = salt_bytes().ok_or_else(|| missing("salt"))?;
                let iterations = self.iterations.ok_or_else(|| missing("iterations"))?;
                Ok(Box::new(Pbkdf2Hash::new(
                    digest, iterations, salt, hash, limits,
                )?))
            }
            Algorithm::Scrypt => {
                let hash = self.at_least(text)?;
                let salt = salt_bytes().ok_or_else(|| missing("salt"))?;
                let numbers = (
                    self.cost.unwrap_or(16_384),
                    self.block_size.unwrap_or(8),
                    self.parallelization.unwrap_or(1),
                );
                Ok(Box::new(ScryptHash::new(numbers, salt, hash, limits)?))
            }
            Algorithm::Known
            | Algorithm::WordPress
            | Algorithm::Django
            | Algorithm::Werkzeug
            | Algorithm::Format(_) => recognise(text, limits),
        }
    }

    /// The digest's bytes: in the encoding given, or else hex if they can be hex.
    fn exactly(&self, digest: Digest, text: &str) -> Result<SecretBytes, UnreadableHash> {
        let is_hex = text.len() == 2 * digest.size();
        let encoding = self.encoding.unwrap_or(if is_hex {
            TextEncoding::Hex
        } else {
            TextEncoding::Base64
        });
        let bytes = bare::digest_bytes(encoding, text, 0)?;
        if bytes.len() == digest.size() {
            Ok(bytes)
        } else {
            Err(bare::wrong_size(digest, &bytes))
        }
    }

    fn at_least(&self, text: &str) -> Result<SecretBytes, UnreadableHash> {
        let is_hex =
            text.len().is_multiple_of(2) && text.bytes().all(|letter| letter.is_ascii_hexdigit());
        let encoding = self.encoding.unwrap_or(if is_hex {
            TextEncoding::Hex
        } else {
            TextEncoding::Base64
        });
        bare::digest_bytes(encoding, text, LEAST_DIGEST)
    }
}
