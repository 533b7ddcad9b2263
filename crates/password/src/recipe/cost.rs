//! What a recipe costs, added up from its text alone. Owns the adding and the ceiling: each kind
//! of work as a share of what [`Limits`] grants it, and all shares together at most the whole.

use super::{Position, RecipeError};
use crate::limits::Limits;
use crate::wrapped::FEW_ROUNDS;

/// The whole of a ceiling, in millionths.
pub(super) const WHOLE: u128 = 1_000_000;

/// Work so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Blocks of 64 bytes that digests read, about.
    blocks: u64,
    /// Iterations of pbkdf2 times their blocks of output.
    pbkdf2: u64,
    /// N × r × p of scrypt.
    scrypt: u64,
}

impl Cost {
    /// A digest over so many bytes, so many times.
    pub(super) fn digest(&mut self, bytes: usize, times: u64) {
        let blocks = u64::try_from(bytes / 64 + 1).unwrap_or(u64::MAX);
        self.blocks = self.blocks.saturating_add(blocks.saturating_mul(times));
    }

    pub(super) fn pbkdf2(&mut self, work: u64, times: u64) {
        self.pbkdf2 = self.pbkdf2.saturating_add(work.saturating_mul(times));
    }

    pub(super) fn scrypt(&mut self, work: u64, times: u64) {
        self.scrypt = self.scrypt.saturating_add(work.saturating_mul(times));
    }

    /// The share of the ceilings, in millionths.
    pub(super) fn share(&self, limits: &Limits) -> u128 {
        let part = |work: u64, ceiling: u64| {
            (u128::from(work) * WHOLE).div_ceil(u128::from(ceiling.max(1)))
        };
        part(self.blocks, limits.digest_rounds.into())
            + part(self.pbkdf2, limits.pbkdf2_iterations.into())
            + part(self.scrypt, limits.scrypt_work)
    }

    /// Whether it is a few digests and nothing that was made to be slow.
    pub(super) fn is_small(&self) -> bool {
        self.pbkdf2 == 0 && self.scrypt == 0 && self.blocks <= u64::from(FEW_ROUNDS)
    }

    /// Refuses more than the whole.
    pub(super) fn check(&self, limits: &Limits, place: Position) -> Result<(), RecipeError> {
        let share = self.share(limits);
        if share <= WHOLE {
            return Ok(());
        }
        let percent = share.div_ceil(WHOLE / 100).min(1_000_000_000);
        let message = format!("up to here the recipe costs {percent}% of what one hash may cost");
        Err(place.refuses(message))
    }
}
