//! Compositions under HMAC, with any thing as its key.

use super::compose::{Piece, messages, piece};
use super::probe::Probe;
use super::terms::{COMMON_MARKS, Ground, Term};
use crate::digest::Digest;

/// The password with what is usual, or everything.
pub(super) fn keyed(ground: &Ground, is_wide: bool, outers: &[Digest], probe: &mut Probe<'_>) {
    let rare = ground.rare.iter().filter(|_| is_wide);
    let keys: Vec<&Term> = ground.sides.iter().chain(rare).collect();
    let some = ground.hashed.len().min(16);
    let inner = ground.plain.iter().chain(ground.hashed.iter().take(some));
    for (place, term) in inner.enumerate() {
        for key in &keys {
            one_key(probe, outers, piece(key), &[piece(term)]);
            one_key(probe, outers, piece(term), &[piece(key)]);
            if place > 0 && !is_wide {
                continue;
            }
            for side in ground.sides.iter().filter(|side| side.bytes != key.bytes) {
                one_key(probe, outers, piece(key), &[piece(term), piece(side)]);
                one_key(probe, outers, piece(term), &[piece(key), piece(side)]);
                two_part_key(probe, outers, [piece(key), piece(side)], piece(term));
            }
        }
    }
}

fn one_key(probe: &mut Probe<'_>, outers: &[Digest], key: Piece<'_>, pieces: &[Piece<'_>]) {
    if probe.is_over() {
        return;
    }
    let keyed: Vec<_> = outers
        .iter()
        .map(|digest| (digest, digest.keyed(key.1)))
        .collect();
    messages(probe, pieces, &COMMON_MARKS, &mut |probe, message, text| {
        for (digest, keyed) in &keyed {
            let made = keyed(message);
            if probe.is_hit(&made) {
                let recipe = format!("hmac_{}({}, {})", digest.name(), key.0, text());
                probe.hit(made.len(), &recipe);
            }
        }
    });
}

fn two_part_key(probe: &mut Probe<'_>, outers: &[Digest], key: [Piece<'_>; 2], message: Piece<'_>) {
    messages(probe, &key, &COMMON_MARKS, &mut |probe, key, text| {
        for digest in outers {
            let made = digest.hmac(key, message.1);
            if probe.is_hit(&made) {
                let recipe = format!("hmac_{}({}, {})", digest.name(), text(), message.0);
                probe.hit(made.len(), &recipe);
            }
        }
    });
}
