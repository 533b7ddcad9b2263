//! Rate counters: events within a window, shared by all nodes.

use domain::Instant;

use crate::db::{Row, Value, any, one};
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
pub(crate) fn stored(name: &str) -> Value {
    name.replace('\0', "\u{2400}").into()
}

impl Store {
    /// The counter, unless its window is over.
    pub async fn find_counter(&self, name: &str, now: Instant) -> Result<Option<Counter>> {
        let sql = "select count, window_ends_at from rate_counters \
                   where name = $1 and window_ends_at > $2";
        let row = first(self.db.lookup(sql, vec![stored(name), now.into()]).await?);
        row.map(|mut row| counter(&mut row)).transpose()
    }

    /// Of some counters those whose windows are not over, with their names.
    pub async fn find_counters(
        &self,
        names: &[&str],
        now: Instant,
    ) -> Result<Vec<(String, Counter)>> {
        let places: Vec<String> = (0..names.len())
            .map(|place| format!("${}", place + 2))
            .collect();
        let sql = format!(
            "{NAMED} where window_ends_at > $1 and name in ({})",
            places.join(", ")
        );
        let mut params = vec![now.into()];
        params.extend(names.iter().map(|name| stored(name)));
        named(self.db.lookup(sql, params).await?)
    }

    /// Counters whose names begin with a prefix and whose windows are not over. The prefix ends in
    /// a slash.
    pub async fn list_counters(
        &self,
        prefix: &str,
        now: Instant,
    ) -> Result<Vec<(String, Counter)>> {
        let sql = format!(
            "{NAMED} where window_ends_at > $1 and name > $2 and name < $3 order by name limit 1000"
        );
        let (from, to) = range(prefix);
        named(self.db.query(sql, vec![now.into(), from, to]).await?)
    }
}

const NAMED: &str = "select name, count, window_ends_at from rate_counters";

fn named(rows: Vec<Row>) -> Result<Vec<(String, Counter)>> {
    let read = |mut row: Row| Ok((row.text("name")?, counter(&mut row)?));
    rows.into_iter().map(read).collect()
}

fn counter(row: &mut Row) -> Result<Counter> {
    Ok(Counter {
        count: row.int("count")?,
        window_ends_at: row.time("window_ends_at")?,
    })
}

/// The names below a prefix that ends in a slash: `0` is the letter after it.
pub(crate) fn range(prefix: &str) -> (Value, Value) {
    let stem = prefix.strip_suffix('/').unwrap_or(prefix);
    (stored(&format!("{stem}/")), stored(&format!("{stem}0")))
}

impl Write {
    /// Counts one event; the first opens a window.
    pub fn count(&mut self, name: &str, now: Instant, window_ends_at: Instant) -> &mut Self {
        self.count_within(name, i64::MAX, (now, window_ends_at))
    }

    /// The same, as long as no more than `most` are counted in the window: stale beyond that, and
    /// then nothing is counted.
    pub fn count_within(
        &mut self,
        name: &str,
        most: i64,
        (now, window_ends_at): (Instant, Instant),
    ) -> &mut Self {
        self.push(one(
            "insert into rate_counters (name, count, window_ends_at) values ($1, 1, $3) \
             on conflict (name) do update set \
             count = case when rate_counters.window_ends_at > $2 \
             then rate_counters.count + 1 else 1 end, \
             window_ends_at = case when rate_counters.window_ends_at > $2 \
             then rate_counters.window_ends_at else excluded.window_ends_at end \
             where rate_counters.window_ends_at <= $2 or rate_counters.count < $4",
            vec![stored(name), now.into(), window_ends_at.into(), most.into()],
        ))
    }

    /// Starts a counter anew.
    pub fn reset_counter(&mut self, name: &str) -> &mut Self {
        self.push(any(
            "delete from rate_counters where name = $1",
            vec![stored(name)],
        ))
    }

    /// Starts all counters below a prefix anew.
    pub fn reset_counters(&mut self, prefix: &str) -> &mut Self {
        let (from, to) = range(prefix);
        self.push(any(
            "delete from rate_counters where name > $1 and name < $2",
            vec![from, to],
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
