//! Solaris' MD5: `$md5,rounds=5000$salt$$hash` and `$md5$salt$hash`.
//!
//! Each round hashes the last digest, a text of Shakespeare's when the digest's bits toss a coin that
//! way, and the round's number.

use zeroize::Zeroizing;

use super::compute::slow;
use super::crypt::letters;
use super::{Reading, UnreadableHash};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, decimal};
use crate::limits::{Limits, bounded};
use crate::record::VALUE;

/// Hamlet, act III, scene 1, as Solaris has it, and C's closing zero.
const SOLILOQUY: &str = concat!(include_str!("hamlet.txt"), "\0");
/// Rounds that are made whatever the text asks for.
const LEAST_ROUNDS: u32 = 4096;

pub(super) fn read(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("Sun's MD5");
    let (head, written) = text.rsplit_once('$').ok_or_else(malformed)?;
    // `$$` keeps one `$` in what is hashed.
    let numbers = head
        .strip_prefix("$md5")
        .and_then(|rest| rest.split('$').next());
    let rounds = match numbers.ok_or_else(malformed)? {
        "" => 0,
        numbers => {
            let number = numbers.strip_prefix(",rounds=").and_then(decimal);
            number.ok_or_else(malformed)?
        }
    };
    if written.len() != 22 || head.len() > 128 {
        return Err(malformed());
    }
    let most = limits.digest_rounds.saturating_sub(LEAST_ROUNDS);
    let rounds = LEAST_ROUNDS.saturating_add(bounded(VALUE, "rounds of Sun's MD5", rounds, most)?);
    let salt = head.to_owned();
    let hash = Zeroizing::new(written.as_bytes().to_vec());
    Ok(slow(hash, move |password| {
        const ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];
        let mut digest = Digest::Md5.hash(&Zeroizing::new([password, salt.as_bytes()].concat()));
        for round in 0..rounds {
            let mut message = digest.clone();
            if is_heads(&digest, round) {
                message.extend_from_slice(SOLILOQUY.as_bytes());
            }
            message.extend_from_slice(round.to_string().as_bytes());
            digest = Digest::Md5.hash(&message);
        }
        let ordered = ORDER.iter().filter_map(|at| digest.get(*at).copied());
        let ordered: SecretBytes = Zeroizing::new(ordered.collect());
        Zeroizing::new(letters(&ordered).as_bytes().to_vec())
    }))
}

/// Bit `at` of the digest, the lowest bit of the first byte being 0.
fn bit(digest: &[u8], at: u32) -> u32 {
    let byte = usize::try_from(at >> 3 & 15)
        .ok()
        .and_then(|at| digest.get(at));
    u32::from(byte.copied().unwrap_or(0)) >> (at & 7) & 1
}

/// Two walks over the digest gather seven bits each; a bit that each of them names decides.
fn is_heads(digest: &[u8], round: u32) -> bool {
    let byte = |at: u32| {
        let at = usize::try_from(at & 15).unwrap_or(0);
        u32::from(digest.get(at).copied().unwrap_or(0))
    };
    let walk = |start: u32| {
        let gathered = (0..8).fold(0, |gathered, step| {
            let at = start + step;
            // One byte says which nibble of another is looked up, another which bit is taken.
            let (from, by) = (byte(at), byte(at + 3));
            let other = byte(from >> (by % 5) & 15);
            let place = other >> (by >> (from & 7) & 1);
            gathered | bit(digest, place & 127) << step
        });
        gathered >> bit(digest, round + start * 8) & 127
    };
    bit(digest, walk(0)) ^ bit(digest, walk(8)) == 1
}
