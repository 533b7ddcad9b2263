//! Whether anybody but an import writes: batches behave differently then.

use std::time::{Duration, Instant};

/// Commits of others that come so soon after each other are traffic, and for how long they are.
const NEAR: Duration = Duration::from_millis(400);
const BUSY: Duration = Duration::from_secs(2);

/// Whether others write besides whoever writes batches.
#[derive(Default)]
pub(super) struct Traffic {
    last: Option<Instant>,
    busy_until: Option<Instant>,
}

impl Traffic {
    /// Notes that somebody's units were committed. One now and then is no traffic: an import writes
    /// such too.
    pub fn note(&mut self, now: Instant) {
        let is_near = |last: Instant| now.duration_since(last) < NEAR;
        if self.last.is_some_and(is_near) {
            self.busy_until = Some(now + BUSY);
        }
        self.last = Some(now);
    }

    /// Whether others may come any moment.
    pub fn is_busy(&self, now: Instant) -> bool {
        self.busy_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_more_than_one_commit_now_and_then() {
        let (mut traffic, start) = (Traffic::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        traffic.note(at(0));
        traffic.note(at(600));
        assert!(!traffic.is_busy(at(601)));
        traffic.note(at(800));
        assert!(traffic.is_busy(at(801)));
        assert!(traffic.is_busy(at(2_700)));
        assert!(!traffic.is_busy(at(2_900)));
    }
}
