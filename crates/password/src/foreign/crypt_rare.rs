//! The rarer forms of crypt(3): `$sha1$` (NetBSD), `$md5$` (Sun), `$2x$`, `$y$`, `$gy$` and `$7$`.

use streebog::Streebog256;
use yescrypt::{Mode, Params, yescrypt};
use zeroize::Zeroizing;

use super::compute::{join, slow};
use super::crypt::{letters, value_of};
use super::prepare::{Prepared, Step};
use super::{Reading, UnreadableHash, bcrypt};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, decimal};
use crate::limits::{Limits, at_most, bounded};
use crate::record::VALUE;

/// The longest passphrase that libxcrypt hashes.
const LONGEST: usize = 512;

/// `$sha1$<rounds>$<salt>$<28 letters>`: HMAC over HMAC, the password being the key.
pub(super) fn sha1_crypt(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("$sha1$");
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let [rounds, salt, written] = fields.as_slice() else {
        return Err(malformed());
    };
    let number = decimal(rounds).filter(|rounds| *rounds > 0);
    let number = number.ok_or_else(malformed)?;
    let rounds = bounded(VALUE, "$sha1$ rounds", number, limits.digest_rounds)?;
    if written.len() != 28 || salt.len() > 64 {
        return Err(malformed());
    }
    // NetBSD fills the last group with the first byte, others with zero.
    let filler = written.get(24..).and_then(bytes_of);
    let filler = filler.and_then(|group| group.first().copied());
    let is_zero = filler.ok_or_else(malformed)? == 0;
    let start = Zeroizing::new(format!("{salt}$sha1${number}"));
    let hash = Zeroizing::new(written.as_bytes().to_vec());
    Ok(slow(hash, move |password| {
        let mut digest = Digest::Sha1.hmac(password, start.as_bytes());
        for _ in 1..rounds {
            digest = Digest::Sha1.hmac(password, &digest);
        }
        // Every three bytes the other way round; the last two share a group with the filler.
        let mut ordered = digest.clone();
        let first = digest.first().copied();
        ordered.extend(first.map(|byte| if is_zero { 0 } else { byte }));
        for group in ordered.chunks_mut(3) {
            group.reverse();
        }
        Zeroizing::new(letters(&ordered).as_bytes().to_vec())
    }))
}

/// bcrypt of PHP before 5.3.7: bytes above 127 were taken for negative numbers.
pub(super) fn sign_extended(text: &str, limits: &Limits) -> Reading {
    let inner = Zeroizing::new(text.replacen("$2x$", "$2y$", 1));
    Ok(Prepared::boxed(Step::SignExtend, bcrypt(&inner, limits)?))
}

/// What that mistake makes of a password: the eighteen words that bcrypt would read of it.
pub(super) fn sign_extend(password: &[u8]) -> SecretBytes {
    let end = password.iter().position(|byte| *byte == 0);
    let password = password
        .get(..end.unwrap_or(password.len()))
        .unwrap_or(password);
    let mut bytes = password.iter().copied().chain([0]).cycle();
    let mut words = Zeroizing::new(Vec::with_capacity(72));
    for _ in 0..18 {
        let word = bytes.by_ref().take(4).fold(0_u32, |word, byte| {
            word << 8 | i32::from(byte.cast_signed()).cast_unsigned()
        });
        words.extend(word.to_be_bytes());
    }
    words
}

/// The bytes that crypt(3)'s letters stand for, lowest bits first.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for group in text.as_bytes().chunks(4) {
        let value = group
            .iter()
            .rev()
            .try_fold(0_u32, |value, letter| Some(value << 6 | value_of(*letter)?))?;
        let whole = group.len() * 6 / 8;
        bytes.extend(value.to_le_bytes().into_iter().take(whole));
    }
    Some(bytes)
}

/// `$7$`: log₂ N in one letter, r and p in five each, then the salt as text.
pub(super) fn scrypt_7(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("$7$");
    let split = || {
        let (head, written) = text.strip_prefix("$7$")?.rsplit_once('$')?;
        let (numbers, salt) = head.split_at_checked(11)?;
        let mut values = numbers.bytes().map(value_of);
        let log = values.next()??;
        let mut five = || {
            let mut value = 0_u64;
            for shift in 0..5 {
                value |= u64::from(values.next()??) << (6 * shift);
            }
            Some(value)
        };
        let (block_size, lanes) = (five()?, five()?);
        let hash = bytes_of(written).filter(|hash| hash.len() == 32)?;
        Some((log, block_size, lanes, salt, hash))
    };
    let (log, block_size, lanes, salt, hash) = split().ok_or_else(malformed)?;
    let cost = 1_u64.checked_shl(log).unwrap_or(u64::MAX);
    let salt = Zeroizing::new(salt.as_bytes().to_vec());
    let numbers = (cost, block_size, lanes);
    let hash = crate::family::scrypt::ScryptHash::new(numbers, salt, Zeroizing::new(hash), limits)?;
    Ok(Box::new(hash))
}

struct Setting {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
    /// Everything before the hash, as gost-yescrypt signs it.
    head: String,
}

fn setting(text: &str, id: &str) -> Option<Setting> {
    let (head, written) = text.rsplit_once('$')?;
    let (params, salt) = head.strip_prefix(&format!("${id}$"))?.split_once('$')?;
    let hash = bytes_of(written).filter(|hash| hash.len() == 32)?;
    Some(Setting {
        params: params.parse().ok()?,
        salt: bytes_of(salt)?,
        hash,
        head: head.to_owned(),
    })
}

/// `$y$` and `$gy$`: yescrypt, and the same behind two HMACs of GOST R 34.11-2012.
pub(super) fn yescrypt_hash(id: &str, text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("yescrypt");
    let Setting {
        params,
        salt,
        hash,
        head,
    } = setting(text, id).ok_or_else(malformed)?;
    let (cost, block_size) = (params.n(), u64::from(params.r()));
    let lanes = u64::from(params.p());
    // A computation longer than N (`t`) exists on paper only, and is not bounded by what follows.
    let plain = [Mode::Classic, Mode::Worm, Mode::Rw]
        .into_iter()
        .any(|mode| Params::new(mode, cost, params.r(), params.p()) == Ok(params));
    if !plain {
        return Err(UnreadableHash::unsupported(
            "yescrypt with t, g or a ROM is not supported",
        ));
    }
    let memory = cost
        .saturating_add(lanes)
        .saturating_mul(block_size)
        .saturating_mul(128);
    at_most(
        VALUE,
        "bytes of memory of yescrypt",
        memory,
        limits.memory_bytes,
    )?;
    let work = cost.saturating_mul(block_size).saturating_mul(lanes);
    at_most(VALUE, "N × r × p of yescrypt", work, limits.scrypt_work)?;
    let gost = id == "gy";
    Ok(slow(Zeroizing::new(hash), move |password| {
        let mut output = Zeroizing::new(vec![0; 32]);
        if password.len() > LONGEST || yescrypt(password, &salt, &params, &mut output).is_err() {
            return Zeroizing::new(Vec::new());
        }
        if gost {
            let key = gost_hmac(&gost_hash(password), head.as_bytes());
            output = gost_hmac(&key, &output);
        }
        output
    }))
}

fn gost_hash(message: &[u8]) -> SecretBytes {
    use md4::Digest as _;
    Zeroizing::new(Streebog256::digest(message).to_vec())
}

/// HMAC (RFC 2104) over blocks of 64 bytes; the key is 32 bytes long.
fn gost_hmac(key: &[u8], message: &[u8]) -> SecretBytes {
    let pad = |with: u8| -> SecretBytes {
        let mut block = Zeroizing::new(vec![with; 64]);
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        block
    };
    let inner = gost_hash(&join(&[&pad(0x36), message]));
    gost_hash(&join(&[&pad(0x5c), &inner]))
}
