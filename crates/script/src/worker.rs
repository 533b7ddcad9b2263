//! One worker's conversation: start, load, call, farewell.
//!
//! A worker begins blank and belongs to the first program that it serves. Its socket is read at
//! all times by a task of its own, also between calls: what comes late is logged there, what comes
//! out of turn waits in the channel and makes the worker unfit. A call's id is random and is told
//! to nobody but the runner, so a frame with another id is forged: the call fails and the worker
//! is not used again.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, OnceLock};

use domain::ConnectionId;
use serde_json::value::RawValue;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::args::Arg;
use crate::ask::{Verifier, answer};
use crate::launch::{Process, launch};
use crate::limits::{
    FAREWELL, LOG_BYTES, NODE_MAJOR, RESIDENT_EVERY, RESIDENT_HARD_BYTES, RESIDENT_SOFT_BYTES,
    RESULT_BYTES,
};
use crate::listen::{line, read_on};
use crate::outcome::{Failure, FailureKind, Reply, Transcript, sentence};
use crate::program::{Fingerprint, Program, ScriptName};
use crate::settings::{PoolSettings, Runtime};
use crate::watch::{Happening, Watchers};
use crate::wire::{FromWorker, GuestLimits, PROTOCOL, ToWorker, Topic, send};

/// A call to be made.
pub struct Job {
    /// Of which program.
    pub program: Arc<Program>,
    /// The program's name, taken once.
    pub fingerprint: Fingerprint,
    /// Which script.
    pub name: ScriptName,
    /// Arguments before `context` and the callback. One of them may hold a password.
    pub args: Vec<Arg>,
}

/// What surrounds a call: who listens to it, who answers its questions.
pub struct Scene<'a> {
    /// Of which script.
    pub script: ScriptName,
    /// Whose.
    pub connection: &'a ConnectionId,
    /// The console lines so far.
    pub log: Transcript,
    /// Who sees them as they come.
    pub watchers: &'a Watchers,
    /// Who verifies passwords.
    pub verifier: Option<&'a Verifier>,
}

impl Scene<'_> {
    fn line(&mut self, frame: &FromWorker) {
        let Some(line) = self.log.push(line(frame)) else {
            return;
        };
        let script = self.script;
        self.watchers
            .tell(self.connection, Happening::Line { script, line });
    }
}

/// A worker process and our side of the talk with it.
pub struct Worker {
    process: Process,
    to: OwnedWriteHalf,
    from: Receiver<io::Result<FromWorker>>,
    /// Whom it serves, for the reading task's log lines.
    owner: Arc<OnceLock<ConnectionId>>,
    program: Option<Fingerprint>,
    loaded: BTreeSet<ScriptName>,
    born: Instant,
    rested: Instant,
    calls: u64,
    is_fit: bool,
}

fn crashed(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Crashed, message)
}

fn timed_out() -> Failure {
    Failure::new(FailureKind::Timeout, "Script execution time exceeded")
}

fn unavailable(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Unavailable, message)
}

impl Worker {
    /// Starts a blank worker, which may connect to these TCP ports only if some are given.
    pub async fn start(
        settings: &PoolSettings,
        runtime: &Runtime,
        ports: Option<Vec<u16>>,
        watchers: &Watchers,
    ) -> Result<Self, Failure> {
        let (process, socket) = launch(settings, runtime, ports)
            .map_err(|error| unavailable(format!("the worker cannot be started: {error}")))?;
        let (from, to) = socket.into_split();
        let (sender, receiver) = mpsc::channel(64);
        let owner = Arc::new(OnceLock::new());
        tokio::spawn(read_on(from, sender, Arc::clone(&owner), watchers.clone()));
        let mut worker = Self {
            process,
            to,
            from: receiver,
            owner,
            program: None,
            loaded: BTreeSet::new(),
            born: Instant::now(),
            rested: Instant::now(),
            calls: 0,
            is_fit: true,
        };
        worker.greet(runtime).await?;
        worker.process.forget_files();
        Ok(worker)
    }

    async fn greet(&mut self, runtime: &Runtime) -> Result<(), Failure> {
        let init = ToWorker::Init {
            proto: PROTOCOL,
            limits: GuestLimits {
                result: RESULT_BYTES,
                log: LOG_BYTES,
            },
            modules: runtime.modules(),
        };
        let sent = send(&mut self.to, &init).await;
        let ready = match self.from.recv().await {
            Some(Ok(frame)) if sent.is_ok() && frame.t == Topic::Ready => frame,
            // The stage before the runtime says why it went no further.
            Some(Ok(frame)) if frame.t == Topic::Fatal => {
                let reason = frame.msg.unwrap_or_default();
                return Err(unavailable(format!("the worker did not start: {reason}")));
            }
            _ => {
                let ending = self.ending().await;
                return Err(unavailable(format!("the worker did not start: {ending}")));
            }
        };
        let Runtime::Node(_) = runtime else {
            return Ok(());
        };
        let version = ready.version.unwrap_or_default();
        let major = version.trim_start_matches('v').split('.').next();
        match major.and_then(|major| major.parse::<u32>().ok()) {
            Some(NODE_MAJOR..) => Ok(()),
            _ => Err(unavailable(format!(
                "Node {NODE_MAJOR} is needed; this is {version}"
            ))),
        }
    }

    /// Makes a call. Afterwards [`is_fit`](Self::is_fit) tells whether the worker may be kept.
    pub async fn call(
        &mut self,
        job: &Job,
        deadline: Instant,
        scene: &mut Scene<'_>,
    ) -> Result<Reply, Failure> {
        self.is_fit = false;
        self.calls += 1;
        match timeout_at(deadline, self.converse(job, deadline, scene)).await {
            Ok(Ok(reply)) => {
                self.is_fit = true;
                Ok(reply)
            }
            Ok(Err(failure)) => {
                // A script that cannot be read leaves the worker as it was.
                self.is_fit = failure.kind == FailureKind::Load;
                Err(failure)
            }
            Err(_) => Err(timed_out()),
        }
    }

    async fn converse(
        &mut self,
        job: &Job,
        deadline: Instant,
        scene: &mut Scene<'_>,
    ) -> Result<Reply, Failure> {
        let id = random_id()?;
        self.program = Some(job.fingerprint);
        // Set at the first call; later ones are of the same program.
        self.owner.get_or_init(|| job.program.connection.clone());
        if !self.loaded.contains(&job.name) {
            self.load(job, &id, scene).await?;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let call = ToWorker::Call {
            id: &id,
            script: job.name.as_str(),
            args: raw(&job.args)?,
            context: job.program.script_context,
            deadline_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        };
        match send(&mut self.to, &call).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let message = format!("the arguments are too large: {error}");
                return Err(Failure::new(FailureKind::Load, message));
            }
            Err(_) => return Err(crashed(self.ending().await)),
        }
        let frame = self.expect(Topic::Result, &id, scene).await?;
        match (frame.value, frame.error, frame.bad, frame.how.as_deref()) {
            // The embedded engine ends a script by itself, and itself with it.
            (None, _, _, Some("timeout")) => Err(timed_out()),
            (None, error, _, Some("exhausted" | "broken")) => {
                let words = error.map(|error| error.message).unwrap_or_default();
                Err(crashed(format!("the engine cannot go on: {words}")))
            }
            (Some(value), None, None, Some("callback")) => Ok(Reply::Value(value)),
            (None, Some(error), None, Some(_)) => Ok(Reply::Error(error)),
            (None, None, Some(reason), Some(_)) => Ok(Reply::Bad(reason)),
            _ => Err(crashed("the worker sent a result that makes no sense")),
        }
    }

    async fn load(&mut self, job: &Job, id: &str, scene: &mut Scene<'_>) -> Result<(), Failure> {
        let configuration = job.program.configuration_json();
        let load = ToWorker::Load {
            id,
            script: job.name.as_str(),
            source: job.program.script(job.name).unwrap_or_default(),
            configuration: &configuration,
            egress: &job.program.egress,
        };
        match send(&mut self.to, &load).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let message = format!("the script and its configuration are too large: {error}");
                return Err(Failure::new(FailureKind::Load, message));
            }
            Err(_) => return Err(crashed(self.ending().await)),
        }
        let frame = self.expect(Topic::Loaded, id, scene).await?;
        if let Some(error) = frame.error {
            return Err(Failure::new(FailureKind::Load, sentence(&error)));
        }
        self.loaded.insert(job.name);
        Ok(())
    }

    /// Waits for the frame that a call is about to get, keeping its console lines.
    async fn expect(
        &mut self,
        topic: Topic,
        id: &str,
        scene: &mut Scene<'_>,
    ) -> Result<FromWorker, Failure> {
        let mut look = interval(RESIDENT_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.reset();
        loop {
            let received = tokio::select! {
                received = self.from.recv() => received,
                _ = look.tick() => {
                    if self.is_larger_than(RESIDENT_HARD_BYTES) {
                        let megabytes = RESIDENT_HARD_BYTES >> 20;
                        return Err(crashed(format!("the worker used more than {megabytes} MiB")));
                    }
                    continue;
                }
            };
            let frame = match received {
                None => return Err(crashed(self.ending().await)),
                Some(Err(error)) => return Err(crashed(format!("the worker sent junk: {error}"))),
                Some(Ok(frame)) => frame,
            };
            if frame.t == Topic::Fatal {
                return Err(crashed(frame.msg.unwrap_or_default()));
            }
            if frame.id != id {
                return Err(crashed("the worker sent a frame with a forged call id"));
            }
            if frame.t == topic {
                return Ok(frame);
            }
            match frame.t {
                Topic::Log => scene.line(&frame),
                Topic::Ask => self.answer(frame, scene.verifier).await?,
                _ => return Err(crashed("the worker spoke out of turn")),
            }
        }
    }

    /// Answers a question. Frames that come meanwhile wait: one question at a time.
    async fn answer(
        &mut self,
        frame: FromWorker,
        verifier: Option<&Verifier>,
    ) -> Result<(), Failure> {
        let (Some(n), Some(question)) = (frame.n, frame.question) else {
            return Err(crashed("the worker asked nothing"));
        };
        let question = Zeroizing::new(String::from(Box::<str>::from(question)));
        let answer = answer(&question, verifier).await;
        match send(&mut self.to, &ToWorker::Answer { n, answer }).await {
            Ok(()) => Ok(()),
            Err(_) => Err(crashed(self.ending().await)),
        }
    }

    /// How a worker ended whose socket is closed.
    async fn ending(&mut self) -> String {
        match self.process.end().await {
            Some(status) => format!("the worker ended with {status}"),
            None => "the worker ended".to_owned(),
        }
    }

    fn is_larger_than(&self, bytes: u64) -> bool {
        self.process
            .resident_bytes()
            .is_some_and(|resident| resident > bytes)
    }

    /// Whom it serves; `None` while it is blank.
    pub fn owner(&self) -> Option<&ConnectionId> {
        self.owner.get()
    }

    /// Whether it serves this program.
    pub fn serves(&self, program: Fingerprint) -> bool {
        self.program == Some(program)
    }

    /// Whether it has answered a call: one that does not is not kept.
    pub fn has_answered(&self) -> bool {
        self.calls > 0
    }

    /// Whether its last call left it in order.
    pub fn is_fit(&self) -> bool {
        self.is_fit
    }

    /// Puts it aside after a call; `false` when it has served its time.
    pub fn rest(&mut self, settings: &PoolSettings) -> bool {
        self.rested = Instant::now();
        self.calls < settings.max_calls && !self.is_larger_than(RESIDENT_SOFT_BYTES)
    }

    /// Whether it may take another call: alive, silent since the last one, and not too old.
    pub fn is_fresh(&mut self, settings: &PoolSettings) -> bool {
        let is_silent = matches!(self.from.try_recv(), Err(mpsc::error::TryRecvError::Empty));
        let is_young = self.born.elapsed() < settings.max_age;
        // The closed socket of one that was just killed may not have been noticed yet.
        is_silent && is_young && self.rested.elapsed() < settings.idle && self.process.is_alive()
    }

    /// Tells it to go, by closing the socket, and sees to it that it does.
    pub async fn retire(self) {
        let Self {
            mut process,
            to,
            mut from,
            ..
        } = self;
        drop(to);
        let gone = async { while from.recv().await.is_some() {} };
        // Whoever stays is killed: the result makes no difference.
        let _ = timeout(FAREWELL, gone).await;
        process.end().await;
    }

    /// Kills it, and waits for its end.
    pub async fn kill(mut self) {
        self.process.end().await;
    }
}

/// The arguments as they go into a frame: the same bytes, not copied.
fn raw(args: &[Arg]) -> Result<Vec<&RawValue>, Failure> {
    let raw = args.iter().map(|arg| serde_json::from_str(arg));
    raw.collect::<Result<_, _>>()
        .map_err(|_| unavailable("an argument is no JSON"))
}

/// 128 random bits, as text: a script cannot guess them and so cannot forge an answer. They are
/// never stored and never leave the two processes, which is why they come from the system and not
/// from the server's `Entropy`.
fn random_id() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| unavailable(format!("the system gives no randomness: {error}")))?;
    Ok(hex::encode(bytes))
}
