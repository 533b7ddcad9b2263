//! Reads a worker's socket at all times, also between calls: what comes late is told at once, what
//! comes out of turn waits in the channel and makes the worker unfit.

use std::io;
use std::sync::{Arc, OnceLock};

use domain::ConnectionId;
use tokio::io::BufReader;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc::Sender;

use crate::outcome::{LogLevel, LogLine, sentence};
use crate::watch::{Happening, Watchers};
use crate::wire::{FromWorker, Topic, receive};

/// The console line in a frame.
pub fn line(frame: &FromWorker) -> LogLine {
    LogLine {
        level: LogLevel::parse(frame.level.as_deref().unwrap_or_default()),
        message: frame.msg.clone().unwrap_or_default(),
    }
}

/// Reads a worker's socket until it closes; ends when nobody wants the frames any more.
pub async fn read_on(
    from: OwnedReadHalf,
    to: Sender<io::Result<FromWorker>>,
    owner: Arc<OnceLock<ConnectionId>>,
    watchers: Watchers,
) {
    let mut from = BufReader::new(from);
    while let Some(received) = receive(&mut from).await.transpose() {
        let stray = match &received {
            Ok(frame) if frame.t == Topic::Late => Some(Happening::Late {
                how: frame.how.clone().unwrap_or_default(),
                error: frame.error.as_ref().map(sentence),
            }),
            // Lines of code that runs on after its call: they belong to no call's log.
            Ok(frame) if frame.t == Topic::Log && frame.id.is_empty() => {
                Some(Happening::Stray(line(frame)))
            }
            _ => None,
        };
        match (stray, owner.get()) {
            (Some(stray), Some(connection)) => {
                note(connection, &stray);
                watchers.tell(connection, stray);
            }
            // A blank worker has run nobody's code.
            (Some(_), None) => {}
            (None, _) => {
                let is_last = received.is_err();
                if to.send(received).await.is_err() || is_last {
                    return;
                }
            }
        }
    }
}

fn note(connection: &ConnectionId, stray: &Happening) {
    match stray {
        Happening::Late { how, error } if how == "callback" => tracing::warn!(
            %connection,
            error,
            "an action script called back more than once"
        ),
        Happening::Late { how, error } => tracing::warn!(
            %connection,
            how,
            error,
            "an action script failed after its answer"
        ),
        Happening::Stray(line) => {
            tracing::debug!(%connection, line = line.message, "an action script logged after its answer");
        }
        _ => {}
    }
}
