//! One connection's share of the pool: slots for calls in flight, a bounded queue, and a breaker.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::breaker::Breaker;
use domain::ConnectionId;
use tokio::sync::Semaphore;

/// A connection's share.
pub struct Lane {
    /// One permit per call that may be in flight.
    pub slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    breaker: Mutex<Breaker>,
}

/// One connection's share of the pool, at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneState {
    /// Whose.
    pub connection: ConnectionId,
    /// Calls that run.
    pub in_flight: usize,
    /// Calls that wait for a worker.
    pub waiting: usize,
    /// Why calls are refused, when they are.
    pub open_circuit: Option<&'static str>,
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

    /// How many of its slots are taken.
    pub fn in_flight(&self, slots: usize) -> usize {
        slots.saturating_sub(self.slots.available_permits())
    }

    /// How many calls wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// The connection's breaker.
    pub fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
