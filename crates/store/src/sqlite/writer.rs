//! The one writer of an embedded database: units of work that wait share a commit.
//!
//! Each unit runs under a savepoint of its own, so that one that fails takes nothing of the others
//! back; all are answered after the one synced commit (docs/decisions/0007-durability.md). A unit
//! that asks to be alone, as a large batch does, makes nobody wait for it but who comes after.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpoints;
use super::classify;
use crate::error::{Result, StoreError};
use crate::traffic::Traffic;

/// Units that share a commit at most.
const TOGETHER: usize = 128;

/// How long a unit waits for company, when the one before had some. Alone it waits for nobody.
const GATHERING: Duration = Duration::from_millis(1);

/// Units that may wait.
const WAITING: usize = 1024;

/// The thread that writes.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

struct Job {
    unit: Box<dyn Unit>,
    manner: Manner,
}

/// How a unit is committed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// With whoever waits too.
    Shared,
    /// In a transaction of its own.
    Alone,
    /// Alone, and not synced unless others write too: after a power cut the database stands as it was
    /// before some of the last such units. Whatever is synced later syncs them too.
    Unsynced,
}

/// A unit of work and who waits for it.
trait Unit: Send {
    /// Whether somebody still waits.
    fn is_wanted(&self) -> bool;
    /// Does the work; whether it succeeded.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Tells the caller: what came of the work, or why none of it stands.
    fn answer(self: Box<Self>, fault: Option<StoreError>);
}

struct Waiting<T, F> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T, F> Unit for Waiting<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.caller.is_closed()
    }

    fn run(&mut self, connection: &Connection) -> bool {
        self.outcome = self.work.take().map(|work| work(connection));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, fault: Option<StoreError>) {
        let outcome = match (fault, self.outcome) {
            (None, Some(outcome)) => outcome,
            (fault, _) => Err(fault.unwrap_or_else(super::stopped)),
        };
        let _ = self.caller.send(outcome);
    }
}

impl Writer {
    /// Starts the thread.
    pub fn start(connection: Connection, traffic: Traffic) -> Result<Self> {
        let (sender, jobs) = mpsc::channel(WAITING);
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(&connection, jobs, &traffic))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self(sender))
    }

    /// Runs the work in a transaction, and comes back when it is committed.
    pub async fn write<T, F>(&self, manner: Manner, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (caller, wait) = oneshot::channel();
        let unit = Box::new(Waiting {
            work: Some(work),
            outcome: None,
            caller,
        });
        let job = Job { unit, manner };
        self.0.send(job).await.map_err(|_| super::stopped())?;
        wait.await.map_err(|_| super::stopped())?
    }
}

fn serve(connection: &Connection, mut jobs: mpsc::Receiver<Job>, traffic: &Traffic) {
    let mut next = None;
    let mut had_company = false;
    let mut checkpoints = None;
    while let Some(first) = next.take().or_else(|| jobs.blocking_recv()) {
        let manner = first.manner;
        let mut is_open = manner == Manner::Shared;
        if is_open && had_company {
            std::thread::sleep(GATHERING);
        }
        let mut units = vec![first.unit];
        while is_open && units.len() < TOGETHER {
            match jobs.try_recv() {
                Ok(job) if job.manner == Manner::Shared => units.push(job.unit),
                Ok(job) => {
                    next = Some(job);
                    is_open = false;
                }
                Err(_) => is_open = false,
            }
        }
        had_company = units.len() > 1;
        if manner == Manner::Unsynced {
            let is_busy = traffic.is_busy(Instant::now());
            commit_batch(connection, units, is_busy);
            checkpoints = checkpoints.or_else(|| beside(connection));
            if let Some(checkpoints) = &mut checkpoints {
                checkpoints.note_batch(connection, is_busy);
            }
        } else {
            commit_together(connection, units);
        }
    }
}

/// Commits a batch, unsynced unless others write: the next of them would wait for the disk to take
/// what the batches left it.
fn commit_batch(connection: &Connection, units: Vec<Box<dyn Unit>>, is_busy: bool) {
    if is_busy {
        return commit_together(connection, units);
    }
    synchronise(connection, "pragma synchronous = normal");
    commit_together(connection, units);
    synchronise(connection, "pragma synchronous = full");
}

/// The thread that makes checkpoints, once there are batches; none for a database in memory.
fn beside(connection: &Connection) -> Option<Checkpoints> {
    let path = connection.path().filter(|path| !path.is_empty())?;
    let started = Checkpoints::start(path.as_ref());
    started
        .inspect_err(|error| tracing::warn!(%error, "the writer makes all checkpoints itself"))
        .ok()
}

fn synchronise(connection: &Connection, pragma: &'static str) {
    if let Err(error) = connection.execute_batch(pragma) {
        tracing::error!(%error, pragma, "SQLite refuses");
    }
}

/// Runs the units in one transaction and answers each.
fn commit_together(connection: &Connection, units: Vec<Box<dyn Unit>>) {
    let is_shared = units.len() > 1;
    let mut done = Vec::with_capacity(units.len());
    // Nobody waits any more: the caller went away before its turn, so nothing is written.
    for unit in units.into_iter().filter(|unit| unit.is_wanted()) {
        if connection.is_autocommit() {
            // A fault of the disk ends a transaction, and what was done in it is gone.
            answer_all(&mut done, Some("the transaction was undone"));
            if let Err(error) = execute(connection, "begin immediate") {
                unit.answer(Some(error));
                continue;
            }
        }
        run_unit(connection, unit, is_shared, &mut done);
    }
    if connection.is_autocommit() {
        return answer_all(&mut done, Some("the transaction was undone"));
    }
    let committed = if done.is_empty() {
        Ok(())
    } else {
        execute(connection, "commit")
    };
    if !connection.is_autocommit() {
        undo(connection);
    }
    let fault = committed.err().map(|error| error.to_string());
    answer_all(&mut done, fault.as_deref());
}

/// Runs a unit; it joins those that wait for the commit. Also one that failed in company: what it
/// lost against may be in this very transaction, and its caller is about to look for it.
fn run_unit(
    connection: &Connection,
    mut unit: Box<dyn Unit>,
    is_shared: bool,
    done: &mut Vec<Box<dyn Unit>>,
) {
    if is_shared && let Err(error) = execute(connection, "savepoint unit") {
        return unit.answer(Some(error));
    }
    // A unit that panics answers nobody; the next one finds a clean connection.
    let ran = catch_unwind(AssertUnwindSafe(|| unit.run(connection)));
    let is_done = matches!(ran, Ok(true));
    let left = match (is_done, is_shared) {
        (true, true) => execute(connection, "release unit"),
        (false, true) if !connection.is_autocommit() => execute(connection, "rollback to unit")
            .and_then(|()| execute(connection, "release unit")),
        // Alone: the commit or the undoing of the whole follows.
        _ => Ok(()),
    };
    match left {
        Err(error) => {
            undo(connection);
            unit.answer(Some(error));
        }
        Ok(()) if is_done || (is_shared && ran.is_ok()) => done.push(unit),
        Ok(()) if ran.is_ok() => unit.answer(None),
        Ok(()) => {}
    }
}

/// Ends a transaction with nothing written.
fn undo(connection: &Connection) {
    if let Err(error) = connection.execute_batch("rollback") {
        tracing::error!(%error, "a transaction could not be rolled back");
    }
}

fn answer_all(done: &mut Vec<Box<dyn Unit>>, fault: Option<&str>) {
    for unit in done.drain(..) {
        unit.answer(fault.map(|text| StoreError::Unavailable(text.to_owned())));
    }
}

fn execute(connection: &Connection, sql: &'static str) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(classify)?;
    statement.execute([]).map(drop).map_err(classify)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = oneshot::Receiver<Result<i64>>;

    fn unit(
        work: impl FnOnce(&Connection) -> Result<i64> + Send + 'static,
    ) -> (Box<dyn Unit>, Answer) {
        let (caller, answer) = oneshot::channel();
        let waiting = Waiting {
            work: Some(work),
            outcome: None,
            caller,
        };
        (Box::new(waiting), answer)
    }

    fn insert(number: i64) -> impl FnOnce(&Connection) -> Result<i64> + Send + 'static {
        move |connection| {
            connection
                .execute("insert into t values (?1)", [number])
                .map_err(classify)?;
            Ok(number)
        }
    }

    fn table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "create table t (n integer primary key)";
        connection.execute_batch(sql).unwrap();
        connection
    }

    fn numbers(connection: &Connection) -> Vec<i64> {
        let mut all = connection.prepare("select n from t order by n").unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn units_that_share_a_commit_fail_alone() {
        let connection = table();
        let (one, mut first) = unit(insert(1));
        let (half, mut second) = unit(|connection| {
            insert(2)(connection)?;
            insert(1)(connection)
        });
        let (panics, mut third) = unit(|connection| {
            insert(3)(connection)?;
            std::panic::resume_unwind(Box::new("as told"))
        });
        let (abandoned, gone) = unit(insert(4));
        drop(gone);
        let (last, mut fifth) = unit(insert(5));
        commit_together(&connection, vec![one, half, panics, abandoned, last]);
        assert!(connection.is_autocommit());
        assert_eq!(numbers(&connection), [1, 5]);
        assert_eq!(first.try_recv().unwrap().unwrap(), 1);
        assert!(second.try_recv().unwrap().is_err());
        assert!(third.try_recv().is_err());
        assert_eq!(fifth.try_recv().unwrap().unwrap(), 5);
    }

    #[test]
    fn who_lost_hears_of_it_when_the_winner_can_be_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).unwrap();
        let table = "pragma journal_mode = wal; create table t (n integer primary key)";
        connection.execute_batch(table).unwrap();
        let (winner, first) = unit(insert(1));
        let (loser, second) = unit(insert(1));
        let watch = std::thread::spawn(move || {
            assert!(second.blocking_recv().unwrap().is_err());
            numbers(&Connection::open(&path).unwrap())
        });
        commit_together(&connection, vec![winner, loser]);
        assert_eq!(watch.join().unwrap()[0], 1);
        assert_eq!(first.blocking_recv().unwrap().unwrap(), 1);
    }

    #[test]
    fn a_unit_alone_needs_no_savepoint_and_leaves_nothing_when_it_fails() {
        let connection = table();
        let (fails, mut answer) = unit(|connection| {
            insert(1)(connection)?;
            Err(super::super::stopped())
        });
        commit_together(&connection, vec![fails]);
        assert!(connection.is_autocommit());
        assert!(answer.try_recv().unwrap().is_err());
        assert!(numbers(&connection).is_empty());
    }

    #[test]
    fn a_transaction_that_ends_by_itself_is_told_to_all_in_it() {
        let connection = table();
        let (lost, mut first) = unit(insert(1));
        // What a full disk does to the transaction it meets.
        let (fatal, mut second) = unit(|connection| {
            connection.execute_batch("rollback").map_err(classify)?;
            Err(super::super::stopped())
        });
        let (after, mut third) = unit(insert(3));
        commit_together(&connection, vec![lost, fatal, after]);
        assert!(connection.is_autocommit());
        assert_eq!(numbers(&connection), [3]);
        assert!(first.try_recv().unwrap().is_err());
        assert!(second.try_recv().unwrap().is_err());
        assert_eq!(third.try_recv().unwrap().unwrap(), 3);
    }
}
