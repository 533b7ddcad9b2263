//! Rate counters: events within a window, shared by all nodes.

use domain::Instant;

use crate::db::{Value, any, one};
use crate::error::Result;
use crate::{Store, Write, first};

/// A counter's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Events in the window.
    pub count: i64,
    /// When it starts anew.
    pub window_ends_at: Instant,
}

/// Names carry what strangers typed; U+0000 can't be stored.
fn stored(name: &str) -> Value {
    name.replace('\0', "\u{2400}").into()
}

impl Store {
    /// The counter, unless its window is over.
    pub async fn find_counter(&self, name: &str, now: Instant) -> Result<Option<Counter>> {
        let sql = "select count, window_ends_at from rate_counters \
                   where name = $1 and window_ends_at > $2";
        let row = first(self.db.lookup(sql, vec![stored(name), now.into()]).await?);
        row.map(|mut row| {
            Ok(Counter {
                count: row.int("count")?,
                window_ends_at: row.time("window_ends_at")?,
            })
        })
        .transpose()
    }
}

impl Write {
    /// Counts one event; the first opens a window.
    pub fn count(&mut self, name: &str, now: Instant, window_ends_at: Instant) -> &mut Self {
        self.push(one(
            "insert into rate_counters (name, count, window_ends_at) values ($1, 1, $3) \
             on conflict (name) do update set \
             count = case when rate_counters.window_ends_at > $2 \
             then rate_counters.count + 1 else 1 end, \
             window_ends_at = case when rate_counters.window_ends_at > $2 \
             then rate_counters.window_ends_at else excluded.window_ends_at end",
            vec![stored(name), now.into(), window_ends_at.into()],
        ))
    }

    /// Starts a counter anew.
    pub fn reset_counter(&mut self, name: &str) -> &mut Self {
        self.push(any(
            "delete from rate_counters where name = $1",
            vec![stored(name)],
        ))
    }

    /// Forgets counters whose windows are over.
    pub fn forget_counters(&mut self, now: Instant) -> &mut Self {
        self.push(any(
            "delete from rate_counters where window_ends_at <= $1",
            vec![now.into()],
        ))
    }
}
