//! The `custom_password_hash` object: its members, types, words and defaults. Owns what is common
//! to all algorithms; refuses members that the algorithm at hand would ignore, since ignoring a
//! salt or a key means never verifying.

use domain::RowError;
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::digest::Digest;
use crate::encoding::{PasswordEncoding, SecretBytes, TextEncoding};
use crate::json::ClosedObject;
use crate::refusal;

/// The member that holds the hash, as refusals name it.
pub(crate) const VALUE: &str = "hash.value";

pub(crate) const MEMBERS: [&str; 8] = [
    "algorithm",
    "hash",
    "salt",
    "password",
    "keylen",
    "cost",
    "blockSize",
    "parallelization",
];

/// The object, read but not yet understood by its algorithm.
pub(crate) struct Record {
    pub(crate) algorithm: Algorithm,
    pub(crate) password: PasswordEncoding,
    pub(crate) salt: Option<Salt>,
    pub(crate) keylen: Option<u64>,
    pub(crate) cost: Option<u64>,
    pub(crate) block_size: Option<u64>,
    pub(crate) parallelization: Option<u64>,
    pub(crate) digest: Option<Digest>,
    pub(crate) key: Option<SecretBytes>,
    value: Zeroizing<String>,
    encoding: Option<TextEncoding>,
}

/// A salt outside the hash string.
pub(crate) struct Salt {
    pub(crate) bytes: SecretBytes,
    pub(crate) suffix: bool,
}

impl Salt {
    /// The password with the salt on its side; without a salt, the password alone.
    pub(crate) fn join(salt: Option<&Self>, password: &[u8]) -> SecretBytes {
        let Some(salt) = salt else {
            return Zeroizing::new(password.to_vec());
        };
        let salt_bytes: &[u8] = &salt.bytes;
        Zeroizing::new(if salt.suffix {
            [password, salt_bytes].concat()
        } else {
            [salt_bytes, password].concat()
        })
    }
}

impl Record {
    pub(crate) fn read(mut object: ClosedObject) -> Result<Self, RowError> {
        let algorithm = object
            .word("algorithm", Algorithm::parse)?
            .ok_or_else(|| refusal::missing("", "algorithm"))?;
        let mut hash = object
            .object("hash", "hash", &["value", "encoding", "digest", "key"])?
            .ok_or_else(|| refusal::missing("", "hash"))?;
        let record = Self {
            algorithm,
            password: read_password(&mut object)?.unwrap_or_default(),
            salt: read_salt(&mut object)?,
            keylen: object.positive("keylen")?,
            cost: object.positive("cost")?,
            block_size: object.positive("blockSize")?,
            parallelization: object.positive("parallelization")?,
            digest: hash.word("digest", Digest::parse)?,
            key: read_key(&mut hash)?,
            encoding: hash.word("encoding", TextEncoding::parse)?,
            value: hash.required_text("value")?,
        };
        record.refuse_foreign_members()?;
        Ok(record)
    }

    fn refuse_foreign_members(&self) -> Result<(), RowError> {
        let given = [
            (self.algorithm.takes_salt(), self.salt.is_some(), "salt"),
            (
                self.algorithm.takes_key(),
                self.digest.is_some(),
                "hash.digest",
            ),
            (self.algorithm.takes_key(), self.key.is_some(), "hash.key"),
            (self.algorithm.takes_cost(), self.keylen.is_some(), "keylen"),
            (self.algorithm.takes_cost(), self.cost.is_some(), "cost"),
            (
                self.algorithm.takes_cost(),
                self.block_size.is_some(),
                "blockSize",
            ),
            (
                self.algorithm.takes_cost(),
                self.parallelization.is_some(),
                "parallelization",
            ),
        ];
        match given
            .into_iter()
            .find(|(taken, present, _)| *present && !*taken)
        {
            None => Ok(()),
            Some((_, _, member)) => {
                let why = format!("Not allowed with algorithm {}", self.algorithm.name());
                Err(refusal::forbidden(member, &why))
            }
        }
    }

    /// The hash of an algorithm whose hash is a text of its own; the encoding may be left out.
    pub(crate) fn text_value(&self) -> Result<&str, RowError> {
        match self.encoding {
            None | Some(TextEncoding::Utf8) => Ok(&self.value),
            Some(TextEncoding::Hex) => Err(refusal::no_such_word("hash.encoding", "hex")),
            Some(TextEncoding::Base64) => Err(refusal::no_such_word("hash.encoding", "base64")),
        }
    }

    /// The hash of an algorithm whose hash is bytes: hex or base64, and the encoding is required.
    pub(crate) fn binary_value(&self) -> Result<SecretBytes, RowError> {
        match self.encoding {
            None => Err(refusal::missing("hash", "encoding")),
            Some(TextEncoding::Utf8) => Err(refusal::no_such_word("hash.encoding", "utf8")),
            Some(encoding) => encoding.decode(VALUE, &self.value),
        }
    }

    /// [`binary_value`](Self::binary_value) of exactly the digest's size.
    pub(crate) fn digest_value(&self, digest: Digest) -> Result<SecretBytes, RowError> {
        let bytes = self.binary_value()?;
        if bytes.len() == digest.size() {
            Ok(bytes)
        } else {
            let expected = u64::try_from(digest.size()).unwrap_or(u64::MAX);
            Err(refusal::length(VALUE, digest.name(), expected, bytes.len()))
        }
    }
}

pub(crate) fn read_password(
    object: &mut ClosedObject,
) -> Result<Option<PasswordEncoding>, RowError> {
    match object.object("password", "password", &["encoding"])? {
        Some(mut password) => password.word("encoding", PasswordEncoding::parse),
        None => Ok(None),
    }
}

pub(crate) fn read_salt(object: &mut ClosedObject) -> Result<Option<Salt>, RowError> {
    let Some(mut salt) = object.object("salt", "salt", &["value", "encoding", "position"])? else {
        return Ok(None);
    };
    let encoding = salt
        .word("encoding", TextEncoding::parse)?
        .unwrap_or(TextEncoding::Utf8);
    let suffix = salt.word("position", |word| match word {
        "prefix" => Some(false),
        "suffix" => Some(true),
        _ => None,
    })?;
    let bytes = encoding.decode("salt.value", &salt.required_text("value")?)?;
    Ok(Some(Salt {
        bytes,
        suffix: suffix.unwrap_or(false),
    }))
}

pub(crate) fn read_key(hash: &mut ClosedObject) -> Result<Option<SecretBytes>, RowError> {
    let Some(mut key) = hash.object("key", "hash.key", &["value", "encoding"])? else {
        return Ok(None);
    };
    let encoding = key
        .word("encoding", TextEncoding::parse)?
        .unwrap_or(TextEncoding::Utf8);
    encoding
        .decode("hash.key.value", &key.required_text("value")?)
        .map(Some)
}
