//! Tells "the store is down" from "the store said no", and stops asking a store that is down.
//!
//! One breaker per connection. Time-outs and refused or lost connections in a row open it; then
//! calls fail at once instead of each waiting for its deadline, until one of them, the probe, is
//! let through to look. Any answer of the store, a wrong password among them, closes it. A changed
//! program starts with a closed one: correcting a script or a setting helps at once.
//!
//! Workers that crash open it too, so that a script which kills its worker does not keep us forking.
//! What counts is a crash in a worker's first call, and no answer in between: a worker that had
//! answered before was killed by one odd call or from outside, and its successor is as good as it
//! was. Somebody who kills workers at random therefore costs the calls in flight and no others. A
//! script that answers some calls and dies of others is paused no more: it costs a fork for each,
//! as many at once as its connection has slots.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{CRASH_PAUSE, CRASH_WINDOW, CRASHES, FAULTS, PAUSE, PAUSE_LONGEST};
use crate::outcome::{Failure, FailureKind, Reply};
use crate::program::Fingerprint;
use crate::wire::ScriptError;

/// What a finished call tells about the store behind the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It answered, or the fault is the script's own.
    Alive,
    /// It did not: in what way.
    Down(&'static str),
    /// The worker ended in its first call.
    Crashed,
    /// A worker ended that had answered before: this says nothing about the next one.
    Lost,
}

/// A breaker changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Calls fail at once from now on.
    Opened {
        /// Why.
        reason: &'static str,
        /// Until the next probe.
        pause: Duration,
    },
    /// Calls go through again.
    Closed,
}

/// One connection's breaker.
#[derive(Default)]
pub struct Breaker {
    program: Option<Fingerprint>,
    crashes: VecDeque<Instant>,
    faults: usize,
    state: State,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Closed,
    Open {
        reason: &'static str,
        pause: Duration,
        until: Instant,
    },
    /// One call is on its way to look.
    Probing {
        reason: &'static str,
        pause: Duration,
    },
}

const CRASHING: &str = "the script's workers crash";

impl Breaker {
    /// Lets a call through, or says why not. After the pause the first one goes as the probe.
    pub fn admit(&mut self, program: Fingerprint, now: Instant) -> Result<(), &'static str> {
        if self.program != Some(program) {
            *self = Self {
                program: Some(program),
                ..Self::default()
            };
        }
        match self.state {
            State::Closed => Ok(()),
            State::Open {
                reason,
                pause,
                until,
            } if now >= until => {
                self.state = State::Probing { reason, pause };
                Ok(())
            }
            State::Open { reason, .. } | State::Probing { reason, .. } => Err(reason),
        }
    }

    /// Takes what an admitted call came to.
    pub fn record(&mut self, program: Fingerprint, sign: Sign, now: Instant) -> Option<Turn> {
        if self.program != Some(program) {
            // It changed while the call ran: what the old one saw says nothing about the new one.
            return None;
        }
        match sign {
            Sign::Alive => {
                self.faults = 0;
                self.crashes.clear();
                self.close()
            }
            Sign::Down(reason) => {
                self.faults += 1;
                let is_enough = self.faults >= FAULTS;
                self.open_if(is_enough, reason, PAUSE, now)
            }
            Sign::Lost => {
                self.withdraw(program, now);
                None
            }
            Sign::Crashed => {
                self.crashes.push_back(now);
                let is_old = |crash: &mut Instant| now.duration_since(*crash) > CRASH_WINDOW;
                while self.crashes.pop_front_if(is_old).is_some() {}
                let is_enough = self.crashes.len() >= CRASHES;
                self.open_if(is_enough, CRASHING, CRASH_PAUSE, now)
            }
        }
    }

    /// Takes back an admission that came to no call: the next one is the probe.
    pub fn withdraw(&mut self, program: Fingerprint, now: Instant) {
        if let (true, State::Probing { reason, pause }) =
            (self.program == Some(program), self.state)
        {
            let until = now;
            self.state = State::Open {
                reason,
                pause,
                until,
            };
        }
    }

    /// Whether there is something to remember.
    pub fn is_marked(&self) -> bool {
        self.state != State::Closed || self.faults > 0 || !self.crashes.is_empty()
    }

    /// Why calls fail at once, when they do.
    pub fn reason(&self) -> Option<&'static str> {
        match self.state {
            State::Closed => None,
            State::Open { reason, .. } | State::Probing { reason, .. } => Some(reason),
        }
    }

    /// A failed probe opens it again, for twice as long.
    fn open_if(
        &mut self,
        is_enough: bool,
        reason: &'static str,
        first: Duration,
        now: Instant,
    ) -> Option<Turn> {
        let pause = match self.state {
            State::Probing { pause, .. } => (pause * 2).min(PAUSE_LONGEST),
            State::Closed if is_enough => first,
            // Calls that were on their way when it opened.
            State::Open { .. } | State::Closed => return None,
        };
        let until = now + pause;
        self.state = State::Open {
            reason,
            pause,
            until,
        };
        self.crashes.clear();
        Some(Turn::Opened { reason, pause })
    }

    fn close(&mut self) -> Option<Turn> {
        let before = std::mem::take(&mut self.state);
        (before != State::Closed).then_some(Turn::Closed)
    }
}

/// Reads the sign of a reply, given by a worker that had answered before or not.
pub fn sign(reply: &Result<Reply, Failure>, has_answered: bool) -> Sign {
    match reply {
        Ok(Reply::Error(error)) => match outage(error) {
            Some(reason) => Sign::Down(reason),
            None => Sign::Alive,
        },
        Ok(Reply::Value(_) | Reply::Bad(_)) => Sign::Alive,
        Err(failure) => match failure.kind {
            FailureKind::Timeout => Sign::Down("calls time out"),
            FailureKind::Crashed if has_answered => Sign::Lost,
            FailureKind::Crashed => Sign::Crashed,
            _ => Sign::Alive,
        },
    }
}

/// Codes of errors by which systems and drivers say that there is nobody to talk to: libuv, Node,
/// `PostgreSQL` (`SQLSTATE`), `MySQL`, SQL Server and HTTP clients.
const DOWN_CODES: &[&str] = &[
    "ECONNREFUSED",
    "ECONNRESET",
    "ECONNABORTED",
    "EPIPE",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "EHOSTDOWN",
    "ENETUNREACH",
    "ENETDOWN",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ESOCKETTIMEDOUT",
    "57P01",
    "57P02",
    "57P03",
    "53300",
    "PROTOCOL_CONNECTION_LOST",
    "PROTOCOL_SEQUENCE_TIMEOUT",
    "POOL_CLOSED",
    "ER_CON_COUNT_ERROR",
    "ER_SERVER_SHUTDOWN",
    "ESOCKET",
    "ETIMEOUT",
    "ECONNCLOSED",
    "ERR_NETWORK",
    "UND_ERR_CONNECT_TIMEOUT",
    "UND_ERR_SOCKET",
];

/// Names of error classes that say the same: `MongoDB` and LDAP.
const DOWN_NAMES: &[&str] = &[
    "MongoServerSelectionError",
    "MongoNetworkError",
    "MongoNetworkTimeoutError",
    "ConnectionError",
    "UnavailableError",
    "BusyError",
];

/// Beginnings of messages that drivers give without a code: pg and its pool, the fetch of Node.
const DOWN_MESSAGES: &[&str] = &[
    "Connection terminated",
    "timeout expired",
    "timeout exceeded when trying to connect",
    "Client has encountered a connection error",
    "fetch failed",
    "socket hang up",
];

/// Whether an error of a script means that the store could not be reached.
fn outage(error: &ScriptError) -> Option<&'static str> {
    let has = |list: &[&str], text: &Option<String>| {
        text.as_deref().is_some_and(|text| list.contains(&text))
    };
    let is_class_08 = error
        .code
        .as_deref()
        .is_some_and(|code| code.len() == 5 && code.starts_with("08"));
    let is_message = DOWN_MESSAGES
        .iter()
        .any(|start| error.message.starts_with(start));
    let is_down =
        is_class_08 || is_message || has(DOWN_CODES, &error.code) || has(DOWN_NAMES, &error.name);
    is_down.then_some("the store cannot be reached")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::program::Program;

    const DOWN: Sign = Sign::Down("down");

    fn fingerprint(connection: &str) -> Fingerprint {
        let program = Program::new(connection.into(), BTreeMap::new(), BTreeMap::new(), false);
        program.unwrap().fingerprint()
    }

    fn turned(
        breaker: &mut Breaker,
        program: Fingerprint,
        sign: Sign,
        now: Instant,
    ) -> Option<Turn> {
        breaker.admit(program, now).unwrap();
        breaker.record(program, sign, now)
    }

    #[test]
    fn three_crashes_in_ten_seconds_pause_one_program() {
        let (ours, corrected) = (fingerprint("a"), fingerprint("b"));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut breaker = Breaker::default();
        for second in [0, 11, 12] {
            assert_eq!(turned(&mut breaker, ours, Sign::Crashed, at(second)), None);
        }
        let opened = Turn::Opened {
            reason: CRASHING,
            pause: CRASH_PAUSE,
        };
        assert_eq!(
            turned(&mut breaker, ours, Sign::Crashed, at(13)),
            Some(opened)
        );
        assert_eq!(breaker.admit(ours, at(14)), Err(CRASHING));
        assert_eq!(breaker.admit(corrected, at(14)), Ok(()));
    }

    #[test]
    fn workers_that_are_killed_from_outside_pause_nothing() {
        let crash = Err(Failure::new(FailureKind::Crashed, ""));
        assert_eq!(sign(&crash, false), Sign::Crashed);
        assert_eq!(sign(&crash, true), Sign::Lost);
        let (program, now) = (fingerprint("a"), Instant::now());
        let mut breaker = Breaker::default();
        // All at once, after they had answered.
        for _ in 0..10 {
            assert_eq!(turned(&mut breaker, program, Sign::Lost, now), None);
        }
        // In their first calls, while others answer.
        for _ in 0..10 {
            assert_eq!(turned(&mut breaker, program, Sign::Crashed, now), None);
            assert_eq!(turned(&mut breaker, program, Sign::Crashed, now), None);
            assert_eq!(turned(&mut breaker, program, Sign::Alive, now), None);
        }
        assert!(!breaker.is_marked());
    }

    #[test]
    fn a_probe_whose_worker_is_lost_is_followed_by_another() {
        let (program, start) = (fingerprint("a"), Instant::now());
        let mut breaker = Breaker::default();
        for _ in 0..CRASHES {
            turned(&mut breaker, program, Sign::Crashed, start);
        }
        let now = start + CRASH_PAUSE;
        assert_eq!(turned(&mut breaker, program, Sign::Lost, now), None);
        assert_eq!(
            turned(&mut breaker, program, Sign::Alive, now),
            Some(Turn::Closed)
        );
    }

    #[test]
    fn a_store_that_is_down_is_probed_by_one_call_at_a_time_and_ever_more_seldom() {
        let program = fingerprint("a");
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 1..FAULTS {
            assert_eq!(turned(&mut breaker, program, DOWN, start), None);
        }
        let mut now = start;
        let mut pause = PAUSE;
        for _ in 0..10 {
            let opened = Turn::Opened {
                reason: "down",
                pause,
            };
            assert_eq!(turned(&mut breaker, program, DOWN, now), Some(opened));
            assert_eq!(breaker.admit(program, now + pause / 2), Err("down"));
            now += pause;
            pause = (pause * 2).min(PAUSE_LONGEST);
        }
        assert_eq!(pause, PAUSE_LONGEST);
        breaker.admit(program, now).unwrap();
        assert_eq!(
            breaker.admit(program, now),
            Err("down"),
            "one probe at a time"
        );
        assert_eq!(
            breaker.record(program, Sign::Alive, now),
            Some(Turn::Closed)
        );
        assert_eq!(breaker.admit(program, now), Ok(()));
        assert!(!breaker.is_marked());
    }

    #[test]
    fn an_answer_between_faults_is_a_store_that_lives() {
        let program = fingerprint("a");
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            for _ in 1..FAULTS {
                assert_eq!(turned(&mut breaker, program, DOWN, now), None);
            }
            assert_eq!(turned(&mut breaker, program, Sign::Alive, now), None);
        }
    }

    #[test]
    fn only_a_store_that_cannot_be_reached_is_down() {
        let error = |name: &str, code: &str, message: &str| {
            let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            sign(
                &Ok(Reply::Error(ScriptError {
                    name: text(name),
                    code: text(code),
                    message: message.to_owned(),
                    ..ScriptError::default()
                })),
                false,
            )
        };
        for (name, code, message) in [
            (
                "Error",
                "ECONNREFUSED",
                "connect ECONNREFUSED 127.0.0.1:5432",
            ),
            ("error", "57P03", "the database system is starting up"),
            ("error", "08006", "connection failure"),
            ("Error", "", "Connection terminated unexpectedly"),
            ("MongoServerSelectionError", "", "connect"),
        ] {
            assert!(
                matches!(error(name, code, message), Sign::Down(_)),
                "{code} {message}"
            );
        }
        for (name, code, message) in [
            ("error", "42P01", "relation \"users\" does not exist"),
            ("TypeError", "", "x is not a function"),
            ("WrongUsernameOrPasswordError", "", ""),
            ("error", "28P01", "password authentication failed"),
        ] {
            assert_eq!(error(name, code, message), Sign::Alive, "{code} {message}");
        }
        let timeout = Err(Failure::new(FailureKind::Timeout, ""));
        assert!(matches!(sign(&timeout, true), Sign::Down(_)));
    }
}
