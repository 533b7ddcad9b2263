//! The search's bookkeeping: what is compared with what, when to give up, what was found.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::reading::Reading;
use crate::digest::Digest;

/// The fewest equal bytes that are no accident.
pub(super) const LEAST: usize = 8;
/// Comparisons between two looks at the clock.
const PATIENCE: u64 = 256;

/// One job's view of the search.
pub(super) struct Probe<'a> {
    pub(super) expired: &'a (dyn Fn() -> bool + Sync),
    /// The number of the best job that found something.
    pub(super) best: &'a AtomicUsize,
    /// The number of this job; lower numbers are likelier.
    pub(super) job: usize,
    /// Says whether a recipe fits all samples.
    pub(super) proves: &'a (dyn Fn(Reading, &str) -> bool + Sync),
    pub(super) reading: Reading,
    pub(super) target: &'a [u8],
    pub(super) tried: u64,
    pub(super) found: Option<String>,
    pub(super) is_cut_short: bool,
}

impl Probe<'_> {
    /// Whether to stop: found, overtaken, or out of time.
    pub(super) fn is_over(&mut self) -> bool {
        if self.found.is_some() || self.is_cut_short {
            return true;
        }
        if self.tried.is_multiple_of(PATIENCE) {
            self.is_cut_short = self.best.load(Ordering::Relaxed) < self.job || (self.expired)();
        }
        self.is_cut_short
    }

    /// Looks at the clock now: before something slow.
    pub(super) fn is_late(&mut self) -> bool {
        self.is_cut_short |= self.best.load(Ordering::Relaxed) < self.job || (self.expired)();
        self.is_cut_short || self.found.is_some()
    }

    /// Compares a value with the target, which may have been cut off.
    pub(super) fn is_hit(&mut self, made: &[u8]) -> bool {
        self.tried += 1;
        let size = self.target.len();
        size >= LEAST && made.get(..size).is_some_and(|first| first == self.target)
    }

    /// Compares one block of something longer.
    pub(super) fn is_first_block(&mut self, made: &[u8]) -> bool {
        self.tried += 1;
        let size = made.len().min(self.target.len());
        size >= LEAST && made.get(..size) == self.target.get(..size)
    }

    /// A value fitted: here is its recipe.
    pub(super) fn hit(&mut self, size: usize, recipe: &str) {
        let recipe = if size > self.target.len() {
            format!("truncate({recipe}, {})", self.target.len())
        } else {
            recipe.to_owned()
        };
        if (self.proves)(self.reading, &recipe) {
            self.best.fetch_min(self.job, Ordering::Relaxed);
            self.found = Some(recipe);
        }
    }

    /// Hashes a message by every digest whose size fits, and compares.
    pub(super) fn try_digests(
        &mut self,
        outers: &[Digest],
        message: &[u8],
        text: &dyn Fn() -> String,
    ) {
        for digest in outers {
            let made = digest.hash(message);
            if self.is_hit(&made) {
                self.hit(made.len(), &format!("{}({})", digest.name(), text()));
            }
        }
    }
}

/// All digests, common ones first.
pub(super) const DIGESTS: [Digest; 9] = [
    Digest::Md5,
    Digest::Sha1,
    Digest::Sha256,
    Digest::Sha512,
    Digest::Sha384,
    Digest::Sha224,
    Digest::Md4,
    Digest::Ripemd160,
    Digest::Whirlpool,
];

/// How many of them are common.
const COMMON: usize = 6;

/// The digests that can have made so many bytes; when none makes exactly those, the longer ones.
pub(super) fn outers(size: usize) -> Vec<Digest> {
    let exact: Vec<Digest> = DIGESTS
        .into_iter()
        .filter(|digest| digest.size() == size)
        .collect();
    if !exact.is_empty() {
        return exact;
    }
    DIGESTS
        .into_iter()
        .filter(|digest| digest.size() > size)
        .collect()
}

/// The common ones of them, or the others.
pub(super) fn outers_of(size: usize, is_common: bool) -> Vec<Digest> {
    let mut outers = outers(size);
    let common = DIGESTS.get(..COMMON).unwrap_or_default();
    outers.retain(|digest| common.contains(digest) == is_common);
    outers
}
