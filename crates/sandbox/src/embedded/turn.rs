//! The event loop. One turn: what came in (frames, ended operations), then immediates, then timers,
//! in the order that Node has after its poll phase.

use std::process;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::{Exception, Persistent, Value};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep_until;

use super::engine::{Engine, Leave};
use super::frames::{FromHost, PROTOCOL, ToHost};
use super::host::{Host, Task};
use super::watchdog::OVERDUE;

/// What the process ends with when the engine is out of memory.
const EXHAUSTED: u8 = 125;
/// How long a script may take to be read, unless the host says.
const LOAD: Duration = Duration::from_secs(20);
/// How many ended operations are taken in one turn.
const TASKS_PER_TURN: usize = 256;

/// Why the loop ends.
enum End {
    /// The host has gone, or wants us gone.
    Drained,
    /// The host does not speak our protocol.
    Misunderstood,
    /// The engine cannot go on.
    Left(Leave),
}

impl From<Leave> for End {
    fn from(leave: Leave) -> Self {
        Self::Left(leave)
    }
}

enum Came {
    Frame(Vec<u8>),
    Task(Task),
    Nothing,
}

/// Serves the host until one of us ends; gives the exit code.
pub async fn serve(host: Rc<Host>, engine: &Engine, mut inbox: UnboundedReceiver<Task>) -> u8 {
    let mut buffer = Vec::new();
    loop {
        if let Err(end) = turn(&host, engine, &mut inbox, &mut buffer).await {
            return code(&host, &end);
        }
    }
}

fn code(host: &Host, end: &End) -> u8 {
    match end {
        End::Drained => 0,
        End::Misunderstood => 1,
        End::Left(Leave::Overdue) => {
            host.fail_open("timeout", "Error", "Script execution time exceeded");
            OVERDUE
        }
        End::Left(Leave::Exhausted) => {
            host.fail_open("exhausted", "InternalError", "out of memory");
            EXHAUSTED
        }
        End::Left(Leave::Broken) => {
            let msg = "the runtime's own layer failed";
            host.fail_open("broken", "InternalError", msg);
            host.send(&ToHost::Fatal { msg });
            1
        }
    }
}

async fn turn(
    host: &Rc<Host>,
    engine: &Engine,
    inbox: &mut UnboundedReceiver<Task>,
    buffer: &mut Vec<u8>,
) -> Result<(), End> {
    let came = wait(host, inbox, buffer).await?;
    host.turn_now.set(host.now());
    match came {
        Came::Frame(bytes) => {
            let frame = serde_json::from_slice(&bytes).map_err(|_| End::Misunderstood)?;
            obey(host, engine, frame)?;
        }
        Came::Task(task) => {
            engine.enter(task)?;
            for _ in 0..TASKS_PER_TURN {
                let Ok(task) = inbox.try_recv() else { break };
                engine.enter(task)?;
            }
        }
        Came::Nothing => {}
    }
    host.turn_now.set(host.now());
    if host.immediates.get() {
        engine.run_immediates()?;
        host.turn_now.set(host.now());
    }
    if host.wake.get().is_some_and(|due| due <= Instant::now()) {
        engine.run_timers()?;
    }
    Ok(())
}

async fn wait(
    host: &Rc<Host>,
    inbox: &mut UnboundedReceiver<Task>,
    buffer: &mut Vec<u8>,
) -> Result<Came, End> {
    let has_immediates = host.immediates.get();
    if has_immediates {
        // Sockets and threads get their turn, too.
        tokio::task::yield_now().await;
    }
    let deadline = host.calls.borrow().deadline();
    let due = host.wake.get();
    tokio::select! {
        biased;
        task = inbox.recv() => Ok(task.map_or(Came::Nothing, Came::Task)),
        received = host.channel.receive(buffer) => match received {
            Ok(Some(bytes)) => Ok(Came::Frame(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::Other => Err(End::Misunderstood),
            Ok(None) | Err(_) => Err(End::Drained),
        },
        () = std::future::ready(()), if has_immediates => Ok(Came::Nothing),
        () = until(due) => Ok(Came::Nothing),
        // A call that waits for what never comes.
        () = until(deadline) => Err(Leave::Overdue.into()),
    }
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}

fn obey(host: &Rc<Host>, engine: &Engine, frame: FromHost) -> Result<(), End> {
    match frame {
        FromHost::Init {
            proto,
            limits,
            modules,
        } => {
            if proto != PROTOCOL {
                return Err(End::Misunderstood);
            }
            host.limits.set(limits);
            host.modules.replace(modules);
            engine.init(limits.result, limits.log)?;
            host.send(&ToHost::Ready {
                rt: "embedded",
                version: env!("CARGO_PKG_VERSION"),
                pid: process::id(),
            });
        }
        FromHost::Load {
            id,
            script,
            source,
            configuration,
            egress,
            deadline_ms,
        } => {
            host.egress.replace(Rc::new(egress.unwrap_or_default()));
            let deadline = within(deadline_ms);
            let number = host.calls.borrow_mut().open(id, deadline, true);
            engine.load(number, &script, &source, &configuration)?;
        }
        FromHost::Call {
            id,
            script,
            args,
            context,
            deadline_ms,
        } => {
            let deadline = within(Some(deadline_ms));
            let number = host.calls.borrow_mut().open(id, deadline, false);
            engine.call(number, &script, &args, context)?;
        }
        FromHost::Answer { n, value, error } => hear(host, engine, n, value, error)?,
        FromHost::Ping => host.send(&ToHost::Pong),
    }
    Ok(())
}

/// When a time that begins now is over. Longer than a day is a day: clocks have an end.
fn within(ms: Option<u64>) -> Instant {
    let time = ms.map_or(LOAD, Duration::from_millis);
    Instant::now() + time.min(Duration::from_secs(86_400))
}

/// Hands the host's answer to whoever asked.
fn hear(
    host: &Host,
    engine: &Engine,
    number: u32,
    value: Option<serde_json::Value>,
    error: Option<String>,
) -> Result<(), Leave> {
    let asked = host.questions.borrow_mut().remove(&number);
    let Some(done) = asked else {
        return Ok(());
    };
    engine.enter(|ctx| {
        let done = Persistent::restore(done, ctx)?;
        if let Some(error) = error {
            return done.call((Exception::from_message(ctx.clone(), &error)?,));
        }
        let value = ctx.json_parse(value.unwrap_or_default().to_string())?;
        done.call((Value::new_null(ctx.clone()), value))
    })
}
