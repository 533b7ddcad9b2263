//! Whether anybody but an import writes: on both databases its batches are not waited for until they
//! lie on the disk, and the next commit of somebody else would pay for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many commits of others in so short a time are traffic, and for how long they are. An import
/// writes some besides its batches: numbers for its users, its lease.
const MANY: usize = 4;
const SHORT: Duration = Duration::from_secs(1);
const BUSY: Duration = Duration::from_secs(2);

/// How long an import rests after a batch at most.
const LONGEST_REST: Duration = Duration::from_millis(200);

/// Whether others write besides whoever writes batches: one for a database and all who write there.
#[derive(Clone, Default)]
pub(crate) struct Traffic(Arc<Mutex<Recent>>);

#[derive(Default)]
struct Recent {
    /// The last commits.
    last: [Option<Instant>; MANY],
    busy_until: Option<Instant>,
}

impl Traffic {
    /// Notes that somebody commits.
    pub fn note(&self, now: Instant) {
        let is_near = |then: Instant| now.duration_since(then) < SHORT;
        let mut recent = self.recent();
        recent.last.rotate_left(1);
        let [earliest, .., latest] = &mut recent.last;
        *latest = Some(now);
        if earliest.is_some_and(is_near) {
            recent.busy_until = Some(now + BUSY);
        }
    }

    /// Whether others may come any moment.
    pub fn is_busy(&self, now: Instant) -> bool {
        self.recent().busy_until.is_some_and(|until| now < until)
    }

    /// After a batch that was begun then. Neither a database's processes nor the one thread that writes
    /// can be told to give way: where others write too, they have both to themselves for as long as
    /// the batch had them.
    pub async fn give_way(&self, begun: Instant) {
        let now = Instant::now();
        if self.is_busy(now) {
            tokio::time::sleep(now.duration_since(begun).min(LONGEST_REST)).await;
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_more_than_one_commit_now_and_then() {
        let (traffic, start) = (Traffic::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        for millis in [0, 400, 800, 1_200] {
            traffic.note(at(millis));
        }
        assert!(!traffic.is_busy(at(1_201)));
        traffic.note(at(1_300));
        assert!(traffic.is_busy(at(1_301)));
        assert!(traffic.is_busy(at(3_200)));
        assert!(!traffic.is_busy(at(3_400)));
    }
}
