//! What hashes passwords with DES: crypt(3) of 1979, `BSDi`'s longer form, bigcrypt and crypt16, LAN
//! Manager, Oracle 10.
//!
//! Eight letters count in the oldest of them, seven bits of each: that is the format. Thirteen
//! letters without a mark could be anything, so `des-crypt`, `bigcrypt` and `crypt16` are names that
//! have to be said; `{CRYPT}` and Django's `crypt$$` say it.

use zeroize::Zeroizing;

use super::compute::{computed, hex_of_size, in_rounds};
use super::crypt::value_of;
use super::des::Des;
use super::{ForeignOptions, Reading, UnreadableHash};
use crate::encoding::SecretBytes;
use crate::limits::{Limits, bounded};
use crate::record::VALUE;

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Letters of one block.
const BLOCK: usize = 11;

/// Letters as a number, the first one lowest.
fn number(letters: &str) -> Option<u32> {
    letters
        .bytes()
        .rev()
        .try_fold(0, |number, letter| Some(number << 6 | value_of(letter)?))
}

fn are_letters(text: &str) -> bool {
    text.bytes().all(|letter| LETTERS.contains(&letter))
}

/// A block's eleven letters, the highest bits first.
fn letters(block: u64) -> Vec<u8> {
    let padded = u128::from(block) << 2;
    (0..BLOCK)
        .map(|at| {
            let value = usize::try_from(padded >> (60 - 6 * at) & 63).unwrap_or(0);
            LETTERS.get(value).copied().unwrap_or(b'.')
        })
        .collect()
}

/// Eight letters as a key: seven bits of each.
fn key(password: &[u8]) -> u64 {
    let mut key = [0; 8];
    for (to, from) in key.iter_mut().zip(password) {
        *to = from << 1;
    }
    u64::from_be_bytes(key)
}

/// The password up to its first zero byte, where C stops.
fn until_zero(password: &[u8]) -> &[u8] {
    let mut pieces = password.split(|byte| *byte == 0);
    pieces.next().unwrap_or_default()
}

fn block(password: &[u8], salt: u32, passes: u32) -> Vec<u8> {
    letters(Des::new(key(password)).encrypt(0, salt, passes))
}

fn split(text: &str) -> Option<(u32, SecretBytes)> {
    let (salt, rest) = text.split_at_checked(2)?;
    let fits = are_letters(text) && rest.len().is_multiple_of(BLOCK) && !rest.is_empty();
    fits.then_some((number(salt)?, Zeroizing::new(rest.as_bytes().to_vec())))
}

/// Two letters of salt, eleven of hash.
pub(super) fn traditional(text: &str) -> Reading {
    let split = split(text).filter(|(_, hash)| hash.len() == BLOCK);
    let (salt, hash) = split.ok_or_else(|| UnreadableHash::malformed("DES crypt"))?;
    Ok(computed(hash, move |password| {
        Zeroizing::new(block(until_zero(password), salt, 25))
    }))
}

/// A block for every eight letters; each is salted with the beginning of the one before.
pub(super) fn bigcrypt(_: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let split = split(text).filter(|(_, hash)| hash.len() <= 16 * BLOCK);
    let (salt, hash) = split.ok_or_else(|| UnreadableHash::malformed("bigcrypt"))?;
    let blocks = hash.len() / BLOCK;
    Ok(computed(hash, move |password| {
        let mut salt = salt;
        let mut output = Zeroizing::new(Vec::with_capacity(blocks * BLOCK));
        let password = until_zero(password);
        let mut pieces: Vec<&[u8]> = password.chunks(8).collect();
        if pieces.is_empty() {
            pieces.push(password);
        }
        for piece in pieces.into_iter().take(16) {
            let letters = block(piece, salt, 25);
            salt = letters
                .get(..2)
                .and_then(|two| std::str::from_utf8(two).ok())
                .and_then(number)
                .unwrap_or(0);
            output.extend_from_slice(&letters);
        }
        output
    }))
}

/// Ultrix: sixteen letters in two blocks, of 20 and 5 passes.
pub(super) fn crypt16(_: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let split = split(text).filter(|(_, hash)| hash.len() == 2 * BLOCK);
    let (salt, hash) = split.ok_or_else(|| UnreadableHash::malformed("crypt16"))?;
    Ok(computed(hash, move |password| {
        let password = until_zero(password);
        let second = password.get(8..).unwrap_or_default();
        Zeroizing::new([block(password, salt, 20), block(second, salt, 5)].concat())
    }))
}

/// `BSDi`: `_`, four letters of passes, four of salt, eleven of hash.
pub(super) fn bsdi(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("BSDi's crypt");
    let split = || {
        let rest = text
            .strip_prefix('_')
            .filter(|rest| rest.len() == 8 + BLOCK)?;
        let (passes, rest) = rest.split_at_checked(4)?;
        let (salt, hash) = rest.split_at_checked(4)?;
        are_letters(hash).then_some((number(passes)?, number(salt)?, hash))
    };
    let (passes, salt, hash) = split().ok_or_else(malformed)?;
    let passes = bounded(
        VALUE,
        "passes of DES",
        u64::from(passes),
        limits.digest_rounds,
    )?;
    if passes == 0 {
        return Err(malformed());
    }
    let hash = Zeroizing::new(hash.as_bytes().to_vec());
    Ok(in_rounds(passes, hash, move |password| {
        let mut pieces = until_zero(password).chunks(8);
        let mut key_so_far = key(pieces.next().unwrap_or_default());
        for piece in pieces {
            key_so_far = Des::new(key_so_far).encrypt(key_so_far, 0, 1) ^ key(piece);
        }
        Zeroizing::new(letters(Des::new(key_so_far).encrypt(0, salt, passes)))
    }))
}

/// Windows before 2008: fourteen letters in capitals, seven to a key. Letters beyond ASCII depend on
/// a code page that nobody recorded, and are taken as they are.
pub(super) fn lan_manager(_: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    const TEXT: u64 = u64::from_be_bytes(*b"KGS!@#$%");
    let hash = hex_of_size(text, 16, "a hash of LAN Manager")?;
    Ok(computed(hash, |password| {
        if password.len() > 14 {
            return Zeroizing::new(Vec::new());
        }
        let mut padded = Zeroizing::new(password.to_ascii_uppercase());
        padded.resize(14, 0);
        let halves = padded.chunks(7).map(|half| {
            let bits = half
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            // Eight times seven bits, and room for a parity behind each.
            let key = (0..8).fold(0, |key, at| key << 8 | (bits >> (49 - 7 * at) & 127) << 1);
            Des::new(key).encrypt(TEXT, 0, 1).to_be_bytes()
        });
        Zeroizing::new(halves.flatten().collect())
    }))
}

/// Oracle 10: name and password in capitals, twice through DES-CBC.
pub(super) fn oracle_10(options: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let hash = hex_of_size(text, 8, "a hash of Oracle 10")?;
    let name = options.username()?;
    Ok(computed(hash, move |password| {
        let password = Zeroizing::new(String::from_utf8_lossy(password).into_owned());
        let text = Zeroizing::new(format!("{}{}", *name, *password).to_uppercase());
        let mut bytes: SecretBytes =
            Zeroizing::new(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        let size = bytes.len().next_multiple_of(8);
        bytes.resize(size, 0);
        let chain = |key| {
            let des = Des::new(key);
            bytes.chunks(8).fold(0, |last, chunk| {
                let block = chunk
                    .iter()
                    .fold(0, |block, byte| block << 8 | u64::from(*byte));
                des.encrypt(block ^ last, 0, 1)
            })
        };
        Zeroizing::new(chain(chain(0x0123_4567_89ab_cdef)).to_be_bytes().to_vec())
    }))
}
