//! One connection's share of the pool: slots for calls in flight, a bounded queue, and a pause
//! after repeated crashes, so that a script that kills its worker does not keep us forking.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::limits::{CRASH_PAUSE, CRASH_WINDOW, CRASHES};
use crate::program::Fingerprint;

/// A connection's share.
pub struct Lane {
    /// One permit per call that may be in flight.
    pub slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    breaker: Mutex<Breaker>,
}

/// A place in the queue, held while waiting.
pub struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Lane {
    pub fn new(slots: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            waiting: AtomicUsize::new(0),
            breaker: Mutex::default(),
        }
    }

    /// A place in the queue; `None` when all are taken.
    pub fn queue(&self, places: usize) -> Option<Place<'_>> {
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let place = Place(&self.waiting);
        (before < places).then_some(place)
    }

    /// Whether a program may be called now.
    pub fn is_open(&self, program: Fingerprint) -> bool {
        self.breaker().allows(program, Instant::now())
    }

    /// A program's worker crashed.
    pub fn crashed(&self, program: Fingerprint) {
        self.breaker().record(program, Instant::now());
    }

    /// Whether there are crashes to remember.
    pub fn is_marked(&self) -> bool {
        self.breaker().program.is_some()
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts crashes of one program; a changed program starts anew.
#[derive(Default)]
struct Breaker {
    program: Option<Fingerprint>,
    crashes: VecDeque<Instant>,
    paused_until: Option<Instant>,
}

impl Breaker {
    fn allows(&self, program: Fingerprint, now: Instant) -> bool {
        self.program != Some(program) || self.paused_until.is_none_or(|until| now >= until)
    }

    fn record(&mut self, program: Fingerprint, now: Instant) {
        if self.program != Some(program) {
            *self = Self::default();
            self.program = Some(program);
        }
        self.crashes.push_back(now);
        while self
            .crashes
            .front()
            .is_some_and(|first| now.duration_since(*first) > CRASH_WINDOW)
        {
            self.crashes.pop_front();
        }
        if self.crashes.len() >= CRASHES {
            self.crashes.clear();
            self.paused_until = Some(now + CRASH_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::program::Program;

    fn fingerprint(connection: &str) -> Fingerprint {
        let program = Program::new(connection.into(), BTreeMap::new(), BTreeMap::new(), false);
        program.unwrap().fingerprint()
    }

    #[test]
    fn three_crashes_in_ten_seconds_pause_one_program_for_five() {
        let (ours, other) = (fingerprint("a"), fingerprint("b"));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut breaker = Breaker::default();
        breaker.record(ours, at(0));
        breaker.record(ours, at(11));
        breaker.record(ours, at(12));
        assert!(
            breaker.allows(ours, at(12)),
            "the first one is too long ago"
        );
        breaker.record(ours, at(13));
        assert!(!breaker.allows(ours, at(14)));
        assert!(
            breaker.allows(other, at(14)),
            "a corrected script runs at once"
        );
        assert!(breaker.allows(ours, at(18)));
    }

    #[test]
    fn a_queue_has_as_many_places_as_it_says() {
        let lane = Lane::new(1);
        let place = lane.queue(1);
        assert!(place.is_some());
        assert!(lane.queue(1).is_none());
        drop(place);
        assert!(lane.queue(1).is_some());
    }
}
