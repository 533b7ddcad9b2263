//! Forums, shops and frameworks whose hashes do not say what they are: names that an import has to
//! say.
//!
//! Most keep `<hex>:<salt>` in one column; a salt of its own member is taken too.

use zeroize::Zeroizing;

use super::compute::{computed, hex_of_size, hexed, in_rounds, join};
use super::database::normalised;
use super::{ForeignOptions, Reading, UnreadableHash, argon2, bcrypt, recognise};
use crate::digest::Digest::{self, Md5, Sha1, Sha256, Sha512};
use crate::encoding::{SecretBytes, from_base64};
use crate::family::scrypt::ScryptHash;
use crate::limits::{Limits, bounded};

/// The digest's hex and the salt: beside it, or behind a colon.
fn parts(
    options: &ForeignOptions,
    text: &str,
    digest: Digest,
    format: &str,
) -> Result<(SecretBytes, SecretBytes), UnreadableHash> {
    if let Some(salt) = &options.salt {
        return Ok((
            hex_of_size(text, digest.size(), format)?,
            salt.bytes.clone(),
        ));
    }
    let (hex, salt) = text
        .split_once(':')
        .ok_or_else(|| UnreadableHash::missing("salt"))?;
    let salt = Zeroizing::new(salt.as_bytes().to_vec());
    Ok((hex_of_size(hex, digest.size(), format)?, salt))
}

/// A format of a digest, a salt and one line.
macro_rules! salted {
    ($($(#[$doc:meta])* $name:ident, $digest:expr, $format:literal, |$password:ident, $salt:ident| $body:expr;)+) => {
        $($(#[$doc])*
        pub(super) fn $name(options: &ForeignOptions, text: &str, _: &Limits) -> Reading {
            let (hash, salt) = parts(options, text, $digest, $format)?;
            Ok(computed(hash, move |$password| {
                let $salt: &[u8] = &salt;
                $body
            }))
        })+
    };
}

salted! {
    /// MD5 over password and salt.
    joomla, Md5, "a hash of Joomla", |password, salt| Md5.hash(&join(&[password, salt]));
    /// MD5 over the hex of MD5, and the salt.
    vbulletin, Md5, "a hash of vBulletin",
        |password, salt| Md5.hash(&join(&[&hexed(Md5, password), salt]));
    /// MD5 over two hexes of MD5: the salt's, the password's. Invision's too.
    mybb, Md5, "a hash of MyBB",
        |password, salt| Md5.hash(&join(&[&hexed(Md5, salt), &hexed(Md5, password)]));
    /// SHA-1 over the salt and the hex of SHA-1. Redmine's too.
    punbb, Sha1, "a hash of PunBB",
        |password, salt| Sha1.hash(&join(&[salt, &hexed(Sha1, password)]));
    /// SHA-1 three times, the salt in front of two of them.
    opencart, Sha1, "a hash of OpenCart", |password, salt| {
        let inner = hexed(Sha1, &join(&[salt, &hexed(Sha1, password)]));
        Sha1.hash(&join(&[salt, &inner]))
    };
    /// SHA-256 over the hex of SHA-256, and the salt.
    xenforo, Sha256, "a hash of XenForo",
        |password, salt| Sha256.hash(&join(&[&hexed(Sha256, password), salt]));
    /// The same with SHA-1, of its oldest versions.
    xenforo_sha1, Sha1, "a hash of XenForo",
        |password, salt| Sha1.hash(&join(&[&hexed(Sha1, password), salt]));
}

/// Simple Machines: SHA-1 over the lower-case name and the password.
pub(super) fn smf(options: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let hash = hex_of_size(text, Sha1.size(), "a hash of SMF")?;
    let name = Zeroizing::new(options.username()?.to_lowercase());
    Ok(computed(hash, move |password| {
        Sha1.hash(&join(&[name.as_bytes(), password]))
    }))
}

/// `PrestaShop` before 1.7: MD5 over the shop's cookie key and the password.
pub(super) fn prestashop(options: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let hash = hex_of_size(text, Md5.size(), "a hash of PrestaShop")?;
    let key = options
        .key
        .clone()
        .ok_or_else(|| UnreadableHash::missing("key"))?;
    Ok(computed(hash, move |password| {
        Md5.hash(&join(&[&key, password]))
    }))
}

/// Magento: `<hex>:<salt>` of version 1 (MD5 or SHA-256), `<hex>:<salt>:<version>` of version 2. A
/// list of versions is a chain, each over the hex of the one before.
pub(super) fn magento(_: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of Magento");
    let mut fields = text.splitn(3, ':');
    let (hex, salt) = (
        fields.next().unwrap_or_default(),
        fields.next().unwrap_or_default(),
    );
    let versions: Vec<&str> = match fields.next() {
        Some(versions) => versions.split(':').collect(),
        None if hex.len() == 2 * Md5.size() => vec!["0"],
        None => vec!["1"],
    };
    let (last, before) = versions.split_last().ok_or_else(malformed)?;
    let mut first = Vec::new();
    for version in before {
        first.push(match *version {
            "0" => Md5,
            "1" => Sha256,
            _ => return Err(malformed()),
        });
    }
    if first.len() > 4 {
        return Err(malformed());
    }
    let salt = Zeroizing::new(salt.as_bytes().to_vec());
    let inner = salt.clone();
    let layered = move |password: &[u8]| {
        first
            .iter()
            .fold(Zeroizing::new(password.to_vec()), |message, digest| {
                hexed(*digest, &join(&[&inner, &message]))
            })
    };
    let digest = match *last {
        "0" => Md5,
        "1" => Sha256,
        agnostic => return magento_argon2(hex, &salt, agnostic, layered, limits),
    };
    let hash = hex_of_size(hex, digest.size(), "a hash of Magento")?;
    Ok(computed(hash, move |password| {
        digest.hash(&join(&[&salt, &layered(password)]))
    }))
}

/// Versions `2` (libsodium's interactive costs of its day) and `3_<bytes>_<passes>_<memory>`:
/// argon2id over the first sixteen bytes of the salt.
fn magento_argon2(
    hex: &str,
    salt: &[u8],
    version: &str,
    layered: impl Fn(&[u8]) -> SecretBytes + Send + Sync + 'static,
    limits: &Limits,
) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of Magento");
    let numbers: Vec<u64> = version
        .split('_')
        .filter_map(crate::encoding::decimal)
        .collect();
    let (size, passes, memory) = match numbers.as_slice() {
        [2] => (32, 2, 64 << 20),
        [3, size, passes, memory] => (*size, *passes, *memory),
        _ => return Err(malformed()),
    };
    let salt = salt.get(..16).ok_or_else(malformed)?;
    let hash = hex_of_size(hex, usize::try_from(size).unwrap_or(0), "a hash of Magento")?;
    let phc = Zeroizing::new(format!(
        "$argon2id$v=19$m={},t={passes},p=1${}${}",
        memory / 1024,
        *crate::encoding::to_phc(salt),
        *crate::encoding::to_phc(&hash),
    ));
    let inner = argon2(&phc, limits)?;
    Ok(Box::new(Before { layered, inner }))
}

/// Layers in front of a check.
struct Before<F> {
    layered: F,
    inner: Box<dyn super::Check>,
}

impl<F: Fn(&[u8]) -> SecretBytes + Send + Sync> super::Check for Before<F> {
    fn verify(&self, password: &[u8]) -> bool {
        self.inner.verify(&(self.layered)(password))
    }
}

/// hMailServer: six letters of salt in front of the hex.
pub(super) fn hmailserver(_: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let split = text.split_at_checked(6);
    let (salt, hex) = split.ok_or_else(|| UnreadableHash::malformed("a hash of hMailServer"))?;
    let hash = hex_of_size(hex, Sha256.size(), "a hash of hMailServer")?;
    let salt = Zeroizing::new(salt.as_bytes().to_vec());
    Ok(computed(hash, move |password| {
        Sha256.hash(&join(&[&salt, password]))
    }))
}

/// Citrix `NetScaler`: `1` and SHA-1 or `2` and SHA-512, eight letters of salt, a closing zero byte.
pub(super) fn netscaler(_: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of NetScaler");
    let digest = match text.as_bytes().first() {
        Some(b'1') => Sha1,
        Some(b'2') => Sha512,
        _ => return Err(malformed()),
    };
    let rest = text.get(1..).and_then(|rest| rest.split_at_checked(8));
    let (salt, hex) = rest.ok_or_else(malformed)?;
    let hash = hex_of_size(hex, digest.size(), "a hash of NetScaler")?;
    let salt = Zeroizing::new(salt.as_bytes().to_vec());
    Ok(computed(hash, move |password| {
        digest.hash(&join(&[&salt, password, b"\0"]))
    }))
}

fn rounds(options: &ForeignOptions, usual: u64, limits: &Limits) -> Result<u32, UnreadableHash> {
    let rounds = options.iterations.unwrap_or(usual);
    let most = limits.digest_rounds;
    Ok(bounded("iterations", "iterations", rounds, most)?)
}

fn salt_of(options: &ForeignOptions) -> Result<SecretBytes, UnreadableHash> {
    let salt = options.salt.as_ref().map(|salt| salt.bytes.clone());
    salt.ok_or_else(|| UnreadableHash::missing("salt"))
}

/// Rails' `restful_authentication`: SHA-1 over digest, salt, password and site key between dashes; the
/// site key is the first digest. Ten rounds with a site key, one without.
pub(super) fn restful(options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let hash = hex_of_size(text, Sha1.size(), "a hash of restful_authentication")?;
    let key = options.key.clone().unwrap_or_default();
    let usual = if key.is_empty() { 1 } else { 10 };
    let (salt, rounds) = (salt_of(options)?, rounds(options, usual, limits)?);
    Ok(in_rounds(rounds, hash, move |password| {
        let mut digest = key.clone();
        for _ in 0..rounds {
            let message = [digest.as_slice(), &salt, password, &key].join(&b"--"[..]);
            digest = hexed(Sha1, &Zeroizing::new(message));
        }
        unhexed(&digest)
    }))
}

/// devise-encryptable's SHA-1 and SHA-512: dashes around and between salt, digest, password, pepper.
fn devise(digest: Digest, options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let hash = hex_of_size(text, digest.size(), "a hash of devise-encryptable")?;
    let key = options.key.clone().unwrap_or_default();
    let (salt, rounds) = (salt_of(options)?, rounds(options, 10, limits)?);
    Ok(in_rounds(rounds, hash, move |password| {
        let mut last = key.clone();
        for _ in 0..rounds {
            let tokens = [salt.as_slice(), &last, password, &key].join(&b"--"[..]);
            last = hexed(digest, &join(&[b"--", &tokens, b"--"]));
        }
        unhexed(&last)
    }))
}

/// devise-encryptable's SHA-1.
pub(super) fn devise_sha1(options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    devise(Sha1, options, text, limits)
}

/// devise-encryptable's SHA-512.
pub(super) fn devise_sha512(options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    devise(Sha512, options, text, limits)
}

/// Authlogic's SHA-512: twenty rounds, each over the hex of the one before.
pub(super) fn authlogic(options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let hash = hex_of_size(text, Sha512.size(), "a hash of Authlogic")?;
    let (salt, rounds) = (salt_of(options)?, rounds(options, 20, limits)?);
    Ok(in_rounds(rounds, hash, move |password| {
        let mut last = join(&[password, &salt]);
        for _ in 0..rounds {
            last = hexed(Sha512, &last);
        }
        unhexed(&last)
    }))
}

fn unhexed(hex: &[u8]) -> SecretBytes {
    Zeroizing::new(hex::decode(hex).unwrap_or_default())
}

/// Better Auth: `<salt>:<hex>`, scrypt of the password in NFKC; the salt is its hex text.
pub(super) fn better_auth(_: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of Better Auth");
    let (salt, hex) = text.split_once(':').ok_or_else(malformed)?;
    let hash = hex_of_size(hex, 64, "a hash of Better Auth")?;
    let salt = Zeroizing::new(salt.as_bytes().to_vec());
    let inner = Box::new(ScryptHash::new((16_384, 16, 1), salt, hash, limits)?);
    Ok(Box::new(Before {
        layered: normalised,
        inner,
    }))
}

/// ASP.NET Membership: base64 of SHA-1 over salt and UTF-16, or of an HMAC-SHA256 whose key is the
/// salt, repeated to a block.
pub(super) fn aspnet_membership(options: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of ASP.NET Membership");
    let salt = salt_of(options)?;
    let hash = Zeroizing::new(from_base64(text).ok_or_else(malformed)?);
    if hash.len() == Sha1.size() {
        return Ok(computed(hash, move |password| {
            Sha1.hash(&join(&[&salt, &super::compute::utf16(password)]))
        }));
    }
    if hash.len() != Sha256.size() || salt.is_empty() {
        return Err(malformed());
    }
    let key: SecretBytes = Zeroizing::new(salt.iter().copied().cycle().take(64).collect());
    Ok(computed(hash, move |password| {
        Sha256.hmac(&key, &super::compute::utf16(password))
    }))
}

/// Okta's bcrypt in parts: the value's 31 letters, the salt's 22, the work factor as `cost`.
pub(super) fn okta_bcrypt(options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let salt = salt_of(options)?;
    let salt = std::str::from_utf8(&salt).unwrap_or_default();
    let cost = options.cost.unwrap_or(10);
    bcrypt(
        &Zeroizing::new(format!("$2a${cost:02}${salt}{text}")),
        limits,
    )
}

/// Firebase's scrypt, in whatever order a product writes its parts.
fn firebase(parts: [&str; 6], limits: &Limits) -> Reading {
    let [log, rounds, salt, hash, separator, signer] = parts;
    let text = format!("$firescrypt$ln={log},r={rounds},p=1${salt}${hash}${separator}${signer}");
    recognise(&Zeroizing::new(text), limits)
}

/// A user's columns of `auth:export`: the hash, `salt`, and the project's `key` (signer key), `cost`
/// (`mem_cost`) and `iterations` (`rounds`). The project's salt separator is `Bw==`, or else joined
/// to the salt's bytes by who writes the file.
pub(super) fn firebase_export(options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let salt = crate::encoding::to_base64(&salt_of(options)?);
    let key = options
        .key
        .as_ref()
        .ok_or_else(|| UnreadableHash::missing("key"))?;
    let signer = crate::encoding::to_base64(key);
    let log = options.cost.unwrap_or(14).to_string();
    let rounds = options.iterations.unwrap_or(8).to_string();
    firebase([&log, &rounds, &salt, text, "Bw==", &signer], limits)
}

/// Clerk's `hash$salt$signer$separator$rounds$memory`.
pub(super) fn clerk_firebase(_: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = text.split('$').collect();
    let [hash, salt, signer, separator, rounds, log] = fields.as_slice() else {
        return Err(UnreadableHash::malformed(
            "Clerk's form of Firebase's scrypt",
        ));
    };
    firebase([log, rounds, salt, hash, separator, signer], limits)
}

/// `SuperTokens`' `$f_scrypt$<hash>$<salt>$m=14$r=8$s=Bw==`; the signer key is a setting there.
pub(super) fn supertokens(options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("$f_scrypt$");
    let key = options
        .key
        .as_ref()
        .ok_or_else(|| UnreadableHash::missing("key"))?;
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let [hash, salt, log, rounds, separator] = fields.as_slice() else {
        return Err(malformed());
    };
    let named = |text: &'_ str, name| text.strip_prefix(name).map(str::to_owned);
    let split = || {
        Some((
            named(log, "m=")?,
            named(rounds, "r=")?,
            named(separator, "s=")?,
        ))
    };
    let (log, rounds, separator) = split().ok_or_else(malformed)?;
    let signer = crate::encoding::to_base64(key);
    firebase([&log, &rounds, salt, hash, &separator, &signer], limits)
}
