//! Ends the process when the engine does not come back: the interrupt cannot stop code that
//! catches it again and again, nor native code that runs long.
//!
//! The engine runs on a thread of its own; the thread that started the process stands guard.

use std::process::exit;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long after the deadline the process is ended.
const GRACE: Duration = Duration::from_millis(300);
/// What the process ends with when the watchdog had to end it.
pub const OVERDUE: u8 = 124;

#[derive(Default)]
pub struct Watchdog {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Until when the engine may run; `None` while it waits.
    until: Option<Instant>,
    /// Until when the guard sleeps; `None` while it sleeps until it is woken.
    asleep: Option<Instant>,
    ended: Option<u8>,
}

impl Watchdog {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine runs, and must be back at `until`.
    pub fn arm(&self, until: Instant) {
        let mut state = self.state();
        state.until = Some(until);
        // An earlier alarm finds the new deadline by itself.
        if state.asleep.is_none_or(|asleep| asleep > until + GRACE) {
            self.changed.notify_one();
        }
    }

    /// The engine waits.
    pub fn disarm(&self) {
        self.state().until = None;
    }

    /// The engine has ended.
    pub fn end(&self, code: u8) {
        self.state().ended = Some(code);
        self.changed.notify_one();
    }

    /// Waits for the engine's end; ends the process when it is overdue.
    pub fn guard(&self) -> u8 {
        let mut state = self.state();
        loop {
            if let Some(code) = state.ended {
                return code;
            }
            let now = Instant::now();
            let alarm = state.until.map(|until| until + GRACE);
            if alarm.is_some_and(|alarm| alarm <= now) {
                exit(i32::from(OVERDUE));
            }
            state.asleep = alarm;
            state = match alarm {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(alarm) => {
                    self.changed
                        .wait_timeout(state, alarm - now)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}
