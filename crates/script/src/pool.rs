//! All workers of the server: who is idle, who is evicted, who waits.
//!
//! A call takes a slot of its connection, then one of the pool, then an idle worker of the same
//! program, else the spare (unless the program's ports are bounded), else a new one. Slots of a
//! connection are few, so a connection whose scripts hang cannot take the others' workers. Calls in
//! flight and idle workers together are never more than `workers_total`: the one that has been idle
//! longest goes first. Waiting is part of the call's time.
//!
//! A call runs in a task of its own: a caller that goes away does not leave a worker in the middle
//! of a conversation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::ConnectionId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use crate::args::Arg;
use crate::breaker::{Sign, Turn, sign};
use crate::lane::{Lane, LaneState};
use crate::limits::START;
use crate::outcome::{Call, Failure, FailureKind, LogLine, Reply, Transcript};
use crate::program::{Program, ScriptName};
use crate::settings::{PoolSettings, RuntimeName};
use crate::watch::{Happening, ScriptEvent, Watchers};
use crate::worker::{Job, Scene, Worker};

/// The workers of a server. Clones share them.
#[derive(Clone)]
pub struct ScriptPool(Arc<Shared>);

impl ScriptPool {
    /// A pool; no process is started before the first call.
    pub fn new(settings: PoolSettings) -> Self {
        let total = settings.workers_total.max(1);
        Self(Arc::new(Shared {
            settings,
            total,
            busy: Arc::new(Semaphore::new(total)),
            state: Mutex::default(),
            watchers: Watchers::default(),
        }))
    }

    /// Takes no more calls, lets those in flight end, then ends all workers.
    pub async fn shut_down(&self) {
        self.0.state().is_closing = true;
        // Every call holds a permit; all permits are had when no call is left.
        let all = u32::try_from(self.0.total).unwrap_or(u32::MAX);
        let _all = self.0.busy.acquire_many(all).await;
        let workers: Vec<Worker> = {
            let mut state = self.0.state();
            let spare = state.spare.take();
            state.idle.drain(..).chain(spare).collect()
        };
        let mut farewells: JoinSet<()> = workers.into_iter().map(Worker::retire).collect();
        while farewells.join_next().await.is_some() {}
    }

    /// Makes a call; `read` says what its answer means.
    pub(crate) async fn call<T>(
        &self,
        program: &Arc<Program>,
        name: ScriptName,
        args: Vec<Arg>,
        read: impl FnOnce(Result<Reply, Failure>) -> T,
    ) -> Call<T> {
        let start = Instant::now();
        let deadline = start + self.0.settings.timeout;
        let job = Job {
            program: Arc::clone(program),
            fingerprint: program.fingerprint(),
            name,
            args,
        };
        let shared = Arc::clone(&self.0);
        let running = tokio::spawn(async move { shared.run(job, deadline).await });
        let (reply, log) = running.await.unwrap_or_else(|error| {
            let message = format!("the call's task ended: {error}");
            (Err(Failure::new(FailureKind::Crashed, message)), Vec::new())
        });
        let took = start.elapsed();
        let ended = Happening::ended(name, &reply, took);
        self.0.watchers.tell(&program.connection, ended);
        Call {
            outcome: read(reply),
            log,
            took,
        }
    }

    /// What runs the scripts of a program.
    pub fn runtime(&self, program: &Program) -> RuntimeName {
        program.runtime.unwrap_or(self.0.settings.runtime.name())
    }

    /// What happens in all connections' scripts from now on.
    pub fn watch(&self) -> broadcast::Receiver<Arc<ScriptEvent>> {
        self.0.watchers.subscribe()
    }

    /// How it stands with each connection that was called lately.
    pub fn lanes(&self) -> Vec<LaneState> {
        let state = self.0.state();
        let lanes = state.lanes.iter();
        lanes
            .map(|(connection, lane)| LaneState {
                connection: connection.clone(),
                in_flight: lane.in_flight(self.0.settings.workers_per_connection.max(1)),
                waiting: lane.waiting(),
                open_circuit: lane.breaker().reason(),
            })
            .collect()
    }
}

struct Shared {
    settings: PoolSettings,
    total: usize,
    /// One permit per call in flight, of any connection.
    busy: Arc<Semaphore>,
    state: Mutex<State>,
    watchers: Watchers,
}

#[derive(Default)]
struct State {
    lanes: HashMap<ConnectionId, Arc<Lane>>,
    idle: Vec<Worker>,
    /// A started worker that belongs to nobody yet.
    spare: Option<Worker>,
    is_warming: bool,
    is_swept: bool,
    is_closing: bool,
}

/// A call's right to a worker.
struct Permits {
    _slot: OwnedSemaphorePermit,
    _busy: OwnedSemaphorePermit,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(
        self: Arc<Self>,
        job: Job,
        deadline: Instant,
    ) -> (Result<Reply, Failure>, Vec<LogLine>) {
        let mut scene = Scene {
            script: job.name,
            connection: &job.program.connection,
            log: Transcript::default(),
            watchers: &self.watchers,
            verifier: self.settings.verifier.as_ref(),
        };
        let reply = self.try_run(&job, deadline, &mut scene).await;
        (reply, scene.log.into_lines())
    }

    async fn try_run(
        self: &Arc<Self>,
        job: &Job,
        deadline: Instant,
        scene: &mut Scene<'_>,
    ) -> Result<Reply, Failure> {
        job.program.check_callable(job.name)?;
        let lane = self.lane(&job.program.connection);
        let slot = self.slot(&lane, deadline).await?;
        let admitted = lane.breaker().admit(job.fingerprint, Instant::now());
        admitted.map_err(|reason| Failure::new(FailureKind::CircuitOpen, reason))?;
        let (permits, mut worker) = match self.worker(job, slot, deadline).await {
            Ok(found) => found,
            Err(failure) => {
                lane.breaker().withdraw(job.fingerprint, Instant::now());
                return Err(failure);
            }
        };
        let has_answered = worker.has_answered();
        let reply = worker.call(job, deadline, scene).await;
        self.take_note(job, &lane, sign(&reply, has_answered));
        self.give_back(worker, permits);
        self.warm();
        self.sweep_from_now_on();
        reply
    }

    /// Tells the breaker what came of a call, and the world when it turned.
    fn take_note(&self, job: &Job, lane: &Lane, sign: Sign) {
        let turn = lane.breaker().record(job.fingerprint, sign, Instant::now());
        let Some(turn) = turn else { return };
        let connection = &job.program.connection;
        match turn {
            Turn::Opened { reason, pause } => tracing::warn!(
                %connection, reason, ?pause, "calls of this connection's scripts are refused for now"
            ),
            Turn::Closed => {
                tracing::info!(%connection, "this connection's scripts are called again");
            }
        }
        self.watchers.tell(connection, turn.into());
    }

    /// A worker for an admitted call, and the right to it.
    async fn worker(
        &self,
        job: &Job,
        slot: OwnedSemaphorePermit,
        deadline: Instant,
    ) -> Result<(Permits, Worker), Failure> {
        let busy = wait_for(&self.busy, deadline).await?;
        if self.state().is_closing {
            return Err(unavailable("the server is shutting down"));
        }
        let permits = Permits {
            _slot: slot,
            _busy: busy,
        };
        if let Some(worker) = self.take(job) {
            return Ok((permits, worker));
        }
        let ports = job.program.egress.ports();
        let Some(runtime) = self.settings.runtime_of(job.program.runtime) else {
            return Err(unavailable("this server has no such runtime for scripts"));
        };
        let start = Worker::start(&self.settings, runtime, ports, &self.watchers);
        let started = timeout_at(deadline, start).await;
        let worker = started.map_err(|_| too_late("the worker was still starting"))??;
        Ok((permits, worker))
    }

    fn lane(&self, connection: &ConnectionId) -> Arc<Lane> {
        let mut state = self.state();
        let slots = self.settings.workers_per_connection.max(1);
        let lane = state
            .lanes
            .entry(connection.clone())
            .or_insert_with(|| Arc::new(Lane::new(slots)));
        Arc::clone(lane)
    }

    /// Waits for a slot of the connection.
    async fn slot(&self, lane: &Lane, deadline: Instant) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(slot) = Arc::clone(&lane.slots).try_acquire_owned() {
            return Ok(slot);
        }
        let Some(_place) = lane.queue(self.settings.queue_per_connection) else {
            let message = "too many calls wait for this connection's scripts";
            return Err(Failure::new(FailureKind::QueueFull, message));
        };
        wait_for(&lane.slots, deadline).await
    }

    /// An idle worker of the program, or the spare. Makes room for a new one otherwise.
    fn take(&self, job: &Job) -> Option<Worker> {
        let mut state = self.state();
        let owner = Some(&job.program.connection);
        // Workers of an earlier version of the program will never be asked again.
        let outdated =
            |worker: &mut Worker| worker.owner() == owner && !worker.serves(job.fingerprint);
        state.idle.extract_if(.., outdated).for_each(retire);
        while let Some(index) = state
            .idle
            .iter()
            .rposition(|worker| worker.serves(job.fingerprint))
        {
            let mut worker = state.idle.remove(index);
            if worker.is_fresh(&self.settings) {
                return Some(worker);
            }
            retire(worker);
        }
        let in_flight = self.total.saturating_sub(self.busy.available_permits());
        if state.idle.len() + in_flight > self.total {
            // Idle workers are in the order in which they were put aside.
            retire(state.idle.remove(0));
        }
        // A process can't be forbidden ports any more once it runs, nor become another runtime.
        let asked = job.program.runtime;
        let is_other = asked.is_some_and(|asked| asked != self.settings.runtime.name());
        if is_other || job.program.egress.ports().is_some() {
            return None;
        }
        let mut spare = state.spare.take()?;
        if spare.is_fresh(&self.settings) {
            return Some(spare);
        }
        retire(spare);
        None
    }

    /// Keeps a worker that is fit, ends one that is not. The permits go under the lock, so that
    /// whoever counts finds the worker on one side only.
    fn give_back(&self, mut worker: Worker, permits: Permits) {
        let mut state = self.state();
        if !worker.is_fit() {
            tokio::spawn(worker.kill());
        } else if worker.rest(&self.settings) {
            state.idle.push(worker);
        } else {
            retire(worker);
        }
        drop(permits);
    }

    /// Starts a spare in the background, unless there is one.
    fn warm(self: &Arc<Self>) {
        let mut state = self.state();
        if state.is_closing || state.is_warming || state.spare.is_some() {
            return;
        }
        state.is_warming = true;
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let settings = &shared.settings;
            let start = Worker::start(settings, &settings.runtime, None, &shared.watchers);
            let started = timeout(START, start).await;
            let mut state = shared.state();
            state.is_warming = false;
            match started {
                Ok(Ok(worker)) if state.is_closing => retire(worker),
                Ok(Ok(worker)) => state.spare = Some(worker),
                // The next call will find out by itself, and can say so.
                Ok(Err(failure)) => tracing::warn!(%failure, "no spare worker for action scripts"),
                Err(_) => tracing::warn!("a spare worker for action scripts was too slow"),
            }
        });
    }

    /// Starts the task that ends idle workers, once.
    fn sweep_from_now_on(self: &Arc<Self>) {
        if std::mem::replace(&mut self.state().is_swept, true) {
            return;
        }
        let shortest = self.settings.idle.min(self.settings.max_age);
        let period = (shortest / 2).clamp(Duration::from_millis(100), Duration::from_secs(30));
        tokio::spawn(sweep(Arc::downgrade(self), period));
    }
}

/// Ends workers that have been idle or alive for too long, until the pool is gone.
async fn sweep(shared: Weak<Shared>, period: Duration) {
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let mut state = shared.state();
        let is_stale = |worker: &mut Worker| !worker.is_fresh(&shared.settings);
        state.idle.extract_if(.., is_stale).for_each(retire);
        // The spare is replaced at the next call; only its age and its life count.
        if state.spare.as_mut().is_some_and(is_stale) {
            state.spare.take().into_iter().for_each(retire);
        }
        state
            .lanes
            .retain(|_, lane| Arc::strong_count(lane) > 1 || lane.breaker().is_marked());
    }
}

fn retire(worker: Worker) {
    tokio::spawn(worker.retire());
}

async fn wait_for(
    semaphore: &Arc<Semaphore>,
    deadline: Instant,
) -> Result<OwnedSemaphorePermit, Failure> {
    match timeout_at(deadline, Arc::clone(semaphore).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) => Err(unavailable("the server is shutting down")),
        Err(_) => Err(too_late("no worker became free")),
    }
}

fn unavailable(message: &str) -> Failure {
    Failure::new(FailureKind::Unavailable, message)
}

fn too_late(what: &str) -> Failure {
    let message = format!("Script execution time exceeded: {what}");
    Failure::new(FailureKind::Timeout, message)
}
