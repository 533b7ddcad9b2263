//! Strings of single products that name themselves: Cisco, GRUB, `$p5k2$`, FSHP, hashcat's `SCRYPT:`,
//! SSPR and Adobe AEM, Oracle Transportation Management, Shiro, Spring Security, Logto.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::bare::Rounds;
use super::compute::{computed, hex_of_size, join};
use super::passlib::adapted;
use super::{LEAST_DIGEST, Reading, UnreadableHash};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, decimal, from_base64};
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::family::scrypt::ScryptHash;
use crate::limits::{Limits, bounded};
use crate::record::{Salt, VALUE};

/// base64 with the letters of crypt(3), as Cisco writes it.
const CISCO: GeneralPurpose = GeneralPurpose::new(
    &alphabet::CRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

fn pbkdf2(digest: Digest, rounds: u64, salt: &[u8], hash: SecretBytes, limits: &Limits) -> Reading {
    let salt = Zeroizing::new(salt.to_vec());
    Ok(Box::new(Pbkdf2Hash::new(
        digest, rounds, salt, hash, limits,
    )?))
}

fn chain(digest: Digest, rounds: u64, salt: &[u8], hash: SecretBytes, limits: &Limits) -> Reading {
    let rounds = bounded(VALUE, "rounds", rounds, limits.digest_rounds)?;
    if rounds == 0 || hash.len() != digest.size() {
        return Err(UnreadableHash::new(
            "its digest or its rounds have the wrong size",
        ));
    }
    let salt = Salt {
        bytes: Zeroizing::new(salt.to_vec()),
        suffix: false,
    };
    Ok(Rounds::chain(digest, Some(salt), rounds, hash))
}

fn base64(text: &str) -> Option<SecretBytes> {
    from_base64(text).map(Zeroizing::new)
}

fn long_enough(hash: &SecretBytes) -> bool {
    hash.len() >= LEAST_DIGEST
}

/// Cisco's types 8 (PBKDF2-SHA256) and 9 (scrypt).
pub(super) fn cisco(id: &str, text: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let [salt, written] = fields.as_slice() else {
        return Err(UnreadableHash::malformed("a hash of Cisco"));
    };
    let hash = CISCO.decode(written).ok().filter(|hash| hash.len() == 32);
    let hash = hash.ok_or_else(|| UnreadableHash::malformed("a hash of Cisco"))?;
    let hash = Zeroizing::new(hash);
    if id == "8" {
        return pbkdf2(Digest::Sha256, 20_000, salt.as_bytes(), hash, limits);
    }
    let salt = Zeroizing::new(salt.as_bytes().to_vec());
    Ok(Box::new(ScryptHash::new(
        (16_384, 1, 1),
        salt,
        hash,
        limits,
    )?))
}

/// `grub.pbkdf2.sha512.<rounds>.<hex>.<hex>`.
pub(super) fn grub(text: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = text.split('.').collect();
    let split = || match fields.as_slice() {
        ["grub", "pbkdf2", "sha512", rounds, salt, hash] => Some((
            decimal(rounds)?,
            hex::decode(salt).ok()?,
            Zeroizing::new(hex::decode(hash).ok()?),
        )),
        _ => None,
    };
    let split = split().filter(|(.., hash)| long_enough(hash));
    let (rounds, salt, hash) = split.ok_or_else(|| UnreadableHash::malformed("a hash of GRUB"))?;
    pbkdf2(Digest::Sha512, rounds, &salt, hash, limits)
}

/// `$p5k2$`: hexadecimal rounds, and either Cryptacular's base64 salt or dlitz's, which is the text
/// of everything before the hash.
pub(super) fn p5k2(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("$p5k2$");
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let [rounds, salt, written] = fields.as_slice() else {
        return Err(malformed());
    };
    let number = if rounds.is_empty() {
        400
    } else {
        u64::from_str_radix(rounds, 16).map_err(|_| malformed())?
    };
    if written.ends_with('=') {
        let salt = base64(salt).ok_or_else(malformed)?;
        let hash = base64(written).filter(long_enough).ok_or_else(malformed)?;
        return pbkdf2(Digest::Sha1, number, &salt, hash, limits);
    }
    let hash = adapted(written).filter(long_enough).ok_or_else(malformed)?;
    let salt = format!("$p5k2${rounds}${salt}");
    pbkdf2(Digest::Sha1, number, salt.as_bytes(), hash, limits)
}

/// `{FSHP1|16|16384}` and base64 of salt and digest: rounds of a digest over salt and password.
pub(super) fn fshp(text: &str, limits: &Limits) -> Reading {
    let split = || {
        let (head, rest) = text.strip_prefix("{FSHP")?.split_once('}')?;
        let fields: Vec<&str> = head.split('|').collect();
        let [variant, salt_size, rounds] = fields.as_slice() else {
            return None;
        };
        let digest = match *variant {
            "0" => Digest::Sha1,
            "1" => Digest::Sha256,
            "2" => Digest::Sha384,
            "3" => Digest::Sha512,
            _ => return None,
        };
        let size = usize::try_from(decimal(salt_size)?).ok()?;
        let bytes = base64(rest)?;
        let (salt, hash) = bytes.split_at_checked(size)?;
        let hash = Zeroizing::new(hash.to_vec());
        Some((digest, decimal(rounds)?, salt.to_vec(), hash))
    };
    let (digest, rounds, salt, hash) =
        split().ok_or_else(|| UnreadableHash::malformed("{FSHP}"))?;
    chain(digest, rounds, &salt, hash, limits)
}

/// `SCRYPT:16384:8:1:<base64>:<base64>`.
pub(super) fn scrypt_colons(text: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = text.split(':').skip(1).collect();
    let split = || match fields.as_slice() {
        [cost, block_size, lanes, salt, hash] => Some((
            (decimal(cost)?, decimal(block_size)?, decimal(lanes)?),
            base64(salt)?,
            base64(hash).filter(long_enough)?,
        )),
        _ => None,
    };
    let (numbers, salt, hash) = split().ok_or_else(|| UnreadableHash::malformed("SCRYPT:"))?;
    Ok(Box::new(ScryptHash::new(numbers, salt, hash, limits)?))
}

/// `$sspr$<kind>$<rounds>$<salt>$<hex>`.
pub(super) fn sspr(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("$sspr$");
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let [kind, rounds, salt, hex] = fields.as_slice() else {
        return Err(malformed());
    };
    let (digest, salted) = match *kind {
        "0" => (Digest::Md5, false),
        "1" => (Digest::Sha1, false),
        "2" => (Digest::Sha1, true),
        "3" => (Digest::Sha256, true),
        "4" => (Digest::Sha512, true),
        _ => return Err(malformed()),
    };
    let salt = if salted { salt.as_bytes() } else { b"" };
    let rounds = decimal(rounds).ok_or_else(malformed)?;
    chain(
        digest,
        rounds,
        salt,
        hex_of_size(hex, digest.size(), "$sspr$")?,
        limits,
    )
}

/// Adobe AEM: `{SHA-256}<salt>-<rounds>-<hex>`.
pub(super) fn aem(digest: Digest, rest: &str, limits: &Limits) -> Option<Reading> {
    let fields: Vec<&str> = rest.split('-').collect();
    let [salt, rounds, hex] = fields.as_slice() else {
        return None;
    };
    let hash = hex_of_size(hex, digest.size(), "a hash of Adobe AEM");
    let rounds = decimal(rounds)?;
    Some(hash.and_then(|hash| chain(digest, rounds, salt.as_bytes(), hash, limits)))
}

/// `otm_sha256:<rounds>:<salt>:<base64>`.
pub(super) fn otm(text: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = text.split(':').skip(1).collect();
    let split = || match fields.as_slice() {
        [rounds, salt, hash] => Some((decimal(rounds)?, *salt, base64(hash)?)),
        _ => None,
    };
    let (rounds, salt, hash) = split().ok_or_else(|| UnreadableHash::malformed("otm_sha256:"))?;
    chain(Digest::Sha256, rounds, salt.as_bytes(), hash, limits)
}

/// `$shiro1$SHA-512$<rounds>$<base64>$<base64>`.
pub(super) fn shiro(text: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let split = || match fields.as_slice() {
        [name, rounds, salt, hash] => {
            let digest = Digest::parse(&name.to_ascii_lowercase().replace('-', ""))?;
            Some((digest, decimal(rounds)?, base64(salt)?, base64(hash)?))
        }
        _ => None,
    };
    let split = split().ok_or_else(|| UnreadableHash::malformed("$shiro1$"))?;
    let (digest, rounds, salt, hash) = split;
    chain(digest, rounds, &salt, hash, limits)
}

/// Spring's `{scrypt}$e0801$<base64>$<base64>`: log₂ N, r and p in one hexadecimal number.
pub(super) fn spring_scrypt(rest: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = rest.split('$').skip(1).collect();
    let split = || match fields.as_slice() {
        [numbers, salt, hash] => {
            let numbers = u32::from_str_radix(numbers, 16).ok()?;
            let cost = 1_u64.checked_shl(numbers >> 16)?;
            let numbers = (
                cost,
                u64::from(numbers >> 8 & 255),
                u64::from(numbers & 255),
            );
            Some((numbers, base64(salt)?, base64(hash).filter(long_enough)?))
        }
        _ => None,
    };
    let (numbers, salt, hash) = split().ok_or_else(|| UnreadableHash::malformed("{scrypt}"))?;
    Ok(Box::new(ScryptHash::new(numbers, salt, hash, limits)?))
}

/// Spring's `{pbkdf2}` and `{pbkdf2@SpringSecurity_v5_8}`: hex of salt and key, at the defaults of
/// their time and without a secret.
pub(super) fn spring_pbkdf2(modern: bool, hex: &str, limits: &Limits) -> Reading {
    let (digest, rounds, salt_size) = if modern {
        (Digest::Sha256, 310_000, 16)
    } else {
        (Digest::Sha1, 185_000, 8)
    };
    let bytes = hex_of_size(hex, salt_size + 32, "{pbkdf2}")?;
    let (salt, key) = bytes.split_at_checked(salt_size).unwrap_or_default();
    pbkdf2(digest, rounds, salt, Zeroizing::new(key.to_vec()), limits)
}

/// Spring's `{sha256}`: hex of eight bytes of salt and a digest of 1024 rounds.
pub(super) fn spring_standard(hex: &str, limits: &Limits) -> Reading {
    let bytes = hex_of_size(hex, 40, "{sha256}")?;
    let (salt, hash) = bytes.split_at_checked(8).unwrap_or_default();
    chain(
        Digest::Sha256,
        1024,
        salt,
        Zeroizing::new(hash.to_vec()),
        limits,
    )
}

/// Spring's `{MD5}{salt}<hex>`: the salt keeps its braces. `None` when it is not hex.
pub(super) fn spring_digest(digest: Digest, rest: &str) -> Option<Reading> {
    let (salt, hex) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((salt, hex)) => (format!("{{{salt}}}"), hex),
        None => (String::new(), rest),
    };
    let hash = hex_of_size(hex, digest.size(), "{…}").ok()?;
    let salt = Zeroizing::new(salt.into_bytes());
    Some(Ok(computed(hash, move |password| {
        digest.hash(&join(&[password, &salt]))
    })))
}

/// Logto's `["sha256",["salt","@"],"<hex>"]`: the arguments joined, `@` being the password; and
/// `["pbkdf2",["hex:…","1000","32","sha256","@"],"<hex>"]`.
pub(super) fn logto(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a tuple of Logto");
    let (name, arguments, hex): (String, Vec<String>, String) =
        serde_json::from_str(text).map_err(|_| malformed())?;
    let arguments: Vec<_> = arguments.into_iter().map(Zeroizing::new).collect();
    let hash = hex::decode(hex.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| malformed())?;
    if name == "pbkdf2" {
        let [salt, rounds, length, digest, at] = arguments.as_slice() else {
            return Err(malformed());
        };
        let digest = Digest::parse(digest).ok_or_else(malformed)?;
        let rounds = decimal(rounds).ok_or_else(malformed)?;
        let salt = match salt.strip_prefix("hex:") {
            Some(hex) => Zeroizing::new(hex::decode(hex).map_err(|_| malformed())?),
            None => Zeroizing::new(salt.as_bytes().to_vec()),
        };
        let size = u64::try_from(hash.len()).unwrap_or(u64::MAX);
        if at.as_str() != "@" || decimal(length) != Some(size) || !long_enough(&hash) {
            return Err(malformed());
        }
        return pbkdf2(digest, rounds, &salt, hash, limits);
    }
    let digest = Digest::parse(&name).filter(|digest| digest.size() == hash.len());
    let digest = digest.ok_or_else(malformed)?;
    if arguments.len() > 16 || !arguments.iter().any(|argument| argument.as_str() == "@") {
        return Err(malformed());
    }
    Ok(computed(hash, move |password| {
        let mut message = Zeroizing::new(Vec::new());
        for argument in &arguments {
            let is_password = argument.as_str() == "@";
            message.extend_from_slice(if is_password {
                password
            } else {
                argument.as_bytes()
            });
        }
        digest.hash(&message)
    }))
}
