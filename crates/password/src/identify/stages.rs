//! The order of the search for a bare value: likely and cheap things first.

use super::probe::Probe;
use super::reading::Reading;
use super::terms::Ground;
use super::{Job, compose, slow};
use crate::digest::Digest;

/// A part of the search.
#[derive(Clone, Copy)]
enum Stage {
    Simple,
    Keyed,
    Crowded,
    Nested,
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

const STAGES: &[Stage] = &[
    Stage::Simple,
    Stage::Keyed,
    Stage::Crowded,
    Stage::Pbkdf2(Digest::Sha256, 30_000),
    Stage::Pbkdf2(Digest::Sha512, 30_000),
    Stage::Pbkdf2(Digest::Sha1, 30_000),
    Stage::Nested,
    Stage::Rails,
    Stage::Chained(1_100),
    Stage::Pbkdf2(Digest::Sha256, 130_000),
    Stage::Pbkdf2(Digest::Sha512, 130_000),
    Stage::Pbkdf2(Digest::Sha1, 130_000),
    Stage::Scrypt,
    Stage::Chained(5_100),
    Stage::Pbkdf2(Digest::Sha384, 30_000),
    Stage::Pbkdf2(Digest::Sha224, 30_000),
    Stage::Pbkdf2(Digest::Md5, 30_000),
    Stage::WidePbkdf2(Digest::Sha256, 30_000),
    Stage::WidePbkdf2(Digest::Sha512, 30_000),
    Stage::WidePbkdf2(Digest::Sha1, 30_000),
    Stage::WideScrypt,
    Stage::Pbkdf2(Digest::Sha256, 1_200_000),
    Stage::Pbkdf2(Digest::Sha512, 1_200_000),
    Stage::Pbkdf2(Digest::Sha1, 1_200_000),
    Stage::Chained(100_100),
];

impl Stage {
    fn run(self, ground: &Ground, probe: &mut Probe<'_>) {
        match self {
            Self::Simple => compose::simple(ground, probe),
            Self::Keyed => compose::keyed(ground, probe),
            Self::Crowded => compose::crowded(ground, probe),
            Self::Nested => compose::nested(ground, probe),
            Self::Rails => compose::rails(ground, probe),
            Self::Chained(rounds) => compose::chained(ground, rounds, probe),
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
    for stage in STAGES {
        for (reading, ground) in grounds {
            jobs.push((*reading, Box::new(|probe| stage.run(ground, probe))));
        }
    }
    jobs
}
