//! What can be seen of the scripts while they run: console lines, ends of calls, breakers.
//!
//! A watcher that is too slow loses the oldest events and learns how many; nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use domain::ConnectionId;
use tokio::sync::broadcast;

use crate::breaker::Turn;
use crate::limits::WATCH;
use crate::outcome::{Failure, LogLine, Reply, sentence};
use crate::program::ScriptName;

/// Something that happened in a connection's scripts.
#[derive(Clone, Debug)]
pub struct ScriptEvent {
    /// Whose.
    pub connection: ConnectionId,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A console line of a call that is running.
    Line {
        /// Of which script.
        script: ScriptName,
        /// The line.
        line: LogLine,
    },
    /// A console line of code that runs on after its call was answered.
    Stray(LogLine),
    /// A second callback, or an exception after the answer.
    Late {
        /// What it was: `callback`, `throw`, `uncaught` …
        how: String,
        /// The error in words.
        error: Option<String>,
    },
    /// A call ended.
    Ended {
        /// Of which script.
        script: ScriptName,
        /// `answered`, `error`, or the kind of failure.
        how: &'static str,
        /// The private detail of a failure or an error.
        detail: Option<String>,
        /// Wall time, queue included.
        took: Duration,
    },
    /// The breaker opened: calls fail at once.
    CircuitOpened {
        /// Why.
        reason: &'static str,
        /// Until the next call is let through to look.
        pause: Duration,
    },
    /// The breaker closed: the store answers again.
    CircuitClosed,
}

impl Happening {
    pub(crate) fn ended(
        script: ScriptName,
        reply: &Result<Reply, Failure>,
        took: Duration,
    ) -> Happening {
        let (how, detail) = match reply {
            Ok(Reply::Value(_)) => ("answered", None),
            Ok(Reply::Error(error)) => ("error", Some(sentence(error))),
            Ok(Reply::Bad(reason)) => ("bad_reply", Some(reason.clone())),
            Err(failure) => (failure.kind.as_str(), Some(failure.message.clone())),
        };
        Happening::Ended {
            script,
            how,
            detail,
            took,
        }
    }
}

impl From<Turn> for Happening {
    fn from(turn: Turn) -> Self {
        match turn {
            Turn::Opened { reason, pause } => Self::CircuitOpened { reason, pause },
            Turn::Closed => Self::CircuitClosed,
        }
    }
}

/// Where events are told.
#[derive(Clone)]
pub(crate) struct Watchers(broadcast::Sender<Arc<ScriptEvent>>);

impl Default for Watchers {
    fn default() -> Self {
        Self(broadcast::Sender::new(WATCH))
    }
}

impl Watchers {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<ScriptEvent>> {
        self.0.subscribe()
    }

    /// Tells whoever watches; nobody may.
    pub(crate) fn tell(&self, connection: &ConnectionId, what: Happening) {
        if self.0.receiver_count() > 0 {
            let connection = connection.clone();
            let _ = self.0.send(Arc::new(ScriptEvent { connection, what }));
        }
    }
}
