//! The order of the search for a bare value: likely and cheap things first, and rare digests after
//! the common ones.

use super::probe::{Probe, outers_of};
use super::reading::Reading;
use super::terms::Ground;
use super::{Job, compose, keyed, slow};
use crate::digest::Digest;

/// A part of the search.
#[derive(Clone, Copy)]
enum Stage {
    Simple,
    Crowded,
    Keyed,
    WideKeyed,
    Nested,
    WideNested,
    Rails,
    /// Chains of so many rounds.
    Chained(u32),
    /// PBKDF2 under a digest, so many rounds, with usual passwords and salts.
    Pbkdf2(Digest, u32),
    /// The same with unusual ones.
    WidePbkdf2(Digest, u32),
    Scrypt,
    WideScrypt,
}

/// Which digests may be the outermost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outers {
    Common,
    Rare,
    /// The stage says it itself.
    Own,
}

use Outers::{Common, Own, Rare};

const STAGES: &[(Stage, Outers)] = &[
    (Stage::Simple, Common),
    (Stage::Nested, Common),
    (Stage::Keyed, Common),
    (Stage::Simple, Rare),
    (Stage::Crowded, Common),
    (Stage::Chained(1_100), Common),
    (Stage::Rails, Common),
    (Stage::Pbkdf2(Digest::Sha256, 30_000), Own),
    (Stage::Pbkdf2(Digest::Sha512, 30_000), Own),
    (Stage::Pbkdf2(Digest::Sha1, 30_000), Own),
    (Stage::Nested, Rare),
    (Stage::Keyed, Rare),
    (Stage::Chained(5_100), Common),
    (Stage::Pbkdf2(Digest::Sha256, 130_000), Own),
    (Stage::Pbkdf2(Digest::Sha512, 130_000), Own),
    (Stage::Pbkdf2(Digest::Sha1, 130_000), Own),
    (Stage::Scrypt, Own),
    (Stage::Crowded, Rare),
    (Stage::Chained(5_100), Rare),
    (Stage::WideNested, Common),
    (Stage::WideKeyed, Common),
    (Stage::WideNested, Rare),
    (Stage::WideKeyed, Rare),
    (Stage::Rails, Rare),
    (Stage::Pbkdf2(Digest::Sha384, 30_000), Own),
    (Stage::Pbkdf2(Digest::Sha224, 30_000), Own),
    (Stage::Pbkdf2(Digest::Md5, 30_000), Own),
    (Stage::WidePbkdf2(Digest::Sha256, 30_000), Own),
    (Stage::WidePbkdf2(Digest::Sha512, 30_000), Own),
    (Stage::WidePbkdf2(Digest::Sha1, 30_000), Own),
    (Stage::WideScrypt, Own),
    (Stage::Pbkdf2(Digest::Sha256, 1_200_000), Own),
    (Stage::Pbkdf2(Digest::Sha512, 1_200_000), Own),
    (Stage::Pbkdf2(Digest::Sha1, 1_200_000), Own),
    (Stage::Chained(100_100), Common),
    (Stage::Chained(100_100), Rare),
];

impl Stage {
    fn run(self, outers: Outers, ground: &Ground, probe: &mut Probe<'_>) {
        let digests = outers_of(probe.target.len(), outers == Common);
        if digests.is_empty() && outers != Own {
            return;
        }
        match self {
            Self::Simple => compose::simple(ground, &digests, probe),
            Self::Crowded => compose::crowded(ground, &digests, probe),
            Self::Keyed => keyed::keyed(ground, false, &digests, probe),
            Self::WideKeyed => keyed::keyed(ground, true, &digests, probe),
            Self::Nested => compose::nested(ground, false, &digests, probe),
            Self::WideNested => compose::nested(ground, true, &digests, probe),
            Self::Rails => compose::rails(ground, &digests, probe),
            Self::Chained(rounds) => compose::chained(ground, rounds, &digests, probe),
            Self::Pbkdf2(digest, rounds) => slow::pbkdf2(ground, digest, rounds, false, probe),
            Self::WidePbkdf2(digest, rounds) => slow::pbkdf2(ground, digest, rounds, true, probe),
            Self::Scrypt => slow::scrypt(ground, false, probe),
            Self::WideScrypt => slow::scrypt(ground, true, probe),
        }
    }
}

/// Every stage for every reading.
pub(super) fn jobs(grounds: &[(Reading, Ground)]) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (stage, outers) in STAGES {
        for (reading, ground) in grounds {
            jobs.push((
                *reading,
                Box::new(|probe| stage.run(*outers, ground, probe)),
            ));
        }
    }
    jobs
}
