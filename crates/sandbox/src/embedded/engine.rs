//! The engine and the way in and out of it.
//!
//! Every way into JavaScript goes through [`Engine::enter`]: it sets the deadline, runs ticks and
//! promise jobs until none is left, reports rejections that nobody took, and tells why the worker
//! must end when it must. The engine's interrupt does not fire between jobs, so the loop over them
//! looks at the clock itself.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::{Context, Ctx, Error, Function, IntoJs, Object, Persistent, Runtime, Value};

use super::host::{Callback, Host};
use super::{ops, sources, value};

/// What a script's objects may take together, typed arrays included.
const MEMORY_BYTES: usize = 64 << 20;
/// A worker that keeps more than this after it ran out of memory is of no more use.
const KEPT_BYTES: i64 = 48 << 20;
/// How deep JavaScript may recurse, about as deep as in Node; the thread has half as much more.
const STACK_BYTES: usize = 8 << 20;
/// After how many promise jobs the clock is looked at.
const JOBS_PER_LOOK: u32 = 64;

/// Why the worker must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// A script ran past its deadline.
    Overdue,
    /// The engine is out of memory.
    Exhausted,
    /// The layer itself is broken.
    Broken,
}

type Rejections = Rc<RefCell<Vec<(Persistent<Value<'static>>, Persistent<Value<'static>>)>>>;

/// `QuickJS` with the layer's runner inside.
pub struct Engine {
    runtime: Runtime,
    context: Context,
    host: Rc<Host>,
    runner: Runner,
    rejections: Rejections,
}

/// The functions of `runner.js` that this side calls.
struct Runner {
    call: Callback,
    load: Callback,
    init: Callback,
    stumble: Callback,
    ticks: Callback,
    timer: Callback,
    immediates: Callback,
    immediate: Callback,
}

impl Engine {
    /// Starts the engine and the runner; fails with the reason in words.
    pub fn start(host: &Rc<Host>) -> Result<Self, String> {
        let (runtime, rejections) = limited(host).map_err(|error| error.to_string())?;
        let context = Context::full(&runtime).map_err(|error| error.to_string())?;
        let runner = context.with(|ctx| {
            Runner::start(&ctx, host).map_err(|error| match ctx.catch().as_exception() {
                Some(exception) => exception.to_string(),
                None => error.to_string(),
            })
        })?;
        Ok(Self {
            runtime,
            context,
            host: Rc::clone(host),
            runner,
            rejections,
        })
    }

    /// Tells the runner its limits.
    pub fn init(&self, result: usize, log: usize) -> Result<(), Leave> {
        self.enter(|ctx| {
            let init = self.runner.init.clone().restore(ctx)?;
            init.call((as_number(result), as_number(log)))
        })
    }

    /// Reads a script.
    pub fn load(
        &self,
        number: u32,
        script: &str,
        source: &str,
        configuration: &str,
    ) -> Result<(), Leave> {
        self.enter(|ctx| {
            let load = self.runner.load.clone().restore(ctx)?;
            load.call((number, script, source, configuration))
        })
    }

    /// Begins a call; its arguments are JSON texts.
    pub fn call(
        &self,
        number: u32,
        script: &str,
        args: &[serde_json::Value],
        context: bool,
    ) -> Result<(), Leave> {
        self.enter(|ctx| {
            let values = rquickjs::Array::new(ctx.clone())?;
            for (index, arg) in args.iter().enumerate() {
                values.set(index, ctx.json_parse(arg.to_string())?)?;
            }
            let call = self.runner.call.clone().restore(ctx)?;
            call.call((number, script, values, context))
        })
    }

    /// Runs the timers that are due, each with what follows from it.
    pub fn run_timers(&self) -> Result<(), Leave> {
        while self.ask(&self.runner.timer)? {}
        Ok(())
    }

    /// Runs the immediates that were there when it began.
    pub fn run_immediates(&self) -> Result<(), Leave> {
        self.ask(&self.runner.immediates)?;
        while self.ask(&self.runner.immediate)? {}
        Ok(())
    }

    fn ask(&self, function: &Callback) -> Result<bool, Leave> {
        let mut more = false;
        self.enter(|ctx| {
            let function = function.clone().restore(ctx)?;
            more = function.call(())?;
            Ok(())
        })?;
        Ok(more)
    }

    /// Runs something in JavaScript, and all that follows from it at once.
    pub fn enter(&self, work: impl FnOnce(&Ctx<'_>) -> rquickjs::Result<()>) -> Result<(), Leave> {
        self.host.arm();
        self.run(work)?;
        self.drain()?;
        self.host.disarm();
        if self.host.starved.take() {
            self.runtime.run_gc();
            if self.runtime.memory_usage().malloc_size > KEPT_BYTES {
                return Err(Leave::Exhausted);
            }
        }
        Ok(())
    }

    fn run(&self, work: impl FnOnce(&Ctx<'_>) -> rquickjs::Result<()>) -> Result<(), Leave> {
        self.context.with(|ctx| {
            let Err(error) = work(&ctx) else {
                return Ok(());
            };
            self.check_interrupt(&ctx)?;
            let thrown = thrown(&ctx, &error).map_err(|_| Leave::Exhausted)?;
            self.stumble(&ctx, "uncaught", thrown)
        })
    }

    /// Hands an error of nobody's to the runner. That this fails means there is no memory left.
    fn stumble<'js>(&self, ctx: &Ctx<'js>, how: &str, thrown: Value<'js>) -> Result<(), Leave> {
        let told = self
            .runner
            .stumble
            .clone()
            .restore(ctx)
            .and_then(|stumble| stumble.call::<_, ()>((how, thrown)));
        self.check_interrupt(ctx)?;
        told.map_err(|_| {
            ctx.catch();
            Leave::Exhausted
        })
    }

    fn check_interrupt(&self, ctx: &Ctx<'_>) -> Result<(), Leave> {
        if self.host.interrupted.get() {
            ctx.catch();
            return Err(Leave::Overdue);
        }
        Ok(())
    }

    fn drain(&self) -> Result<(), Leave> {
        loop {
            if self.host.ticks.replace(false) {
                self.run(|ctx| self.runner.ticks.clone().restore(ctx)?.call(()))?;
            }
            self.run_jobs()?;
            if self.host.ticks.get() {
                continue;
            }
            let rejections = self.rejections.take();
            if rejections.is_empty() {
                return Ok(());
            }
            for (_, reason) in rejections {
                self.context.with(|ctx| {
                    let reason = reason.restore(&ctx).map_err(|_| Leave::Broken)?;
                    self.stumble(&ctx, "unhandled", reason)
                })?;
            }
        }
    }

    fn run_jobs(&self) -> Result<(), Leave> {
        let mut jobs: u32 = 0;
        loop {
            match self.runtime.execute_pending_job() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(failed) => {
                    // A job throws only when its promise could not even be rejected.
                    failed.0.with(|ctx| self.check_interrupt(&ctx))?;
                    return Err(Leave::Exhausted);
                }
            }
            jobs = jobs.wrapping_add(1);
            if self.host.interrupted.get() {
                return Err(Leave::Overdue);
            }
            if jobs.is_multiple_of(JOBS_PER_LOOK) && self.host.is_overdue() {
                return Err(Leave::Overdue);
            }
        }
    }
}

/// A runtime with its limits set, and the list of its rejections.
fn limited(host: &Rc<Host>) -> rquickjs::Result<(Runtime, Rejections)> {
    let runtime = Runtime::new()?;
    runtime.set_memory_limit(MEMORY_BYTES);
    runtime.set_max_stack_size(STACK_BYTES);
    runtime.set_gc_threshold(1 << 20);
    let guard = Rc::clone(host);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        let is_overdue = guard.is_overdue();
        if is_overdue {
            guard.interrupted.set(true);
        }
        is_overdue
    })));
    let rejections = Rejections::default();
    track(&runtime, &rejections);
    Ok((runtime, rejections))
}

impl Runner {
    fn start(ctx: &Ctx<'_>, host: &Rc<Host>) -> rquickjs::Result<Self> {
        value::capture(ctx)?;
        let native = Object::new(ctx.clone())?;
        ops::install(ctx, &native, host)?;
        let exports = sources::run_runner(ctx, &native, host)?;
        let take = |name: &str| -> rquickjs::Result<Callback> {
            let function: Function<'_> = exports.get(name)?;
            Ok(Persistent::save(ctx, function))
        };
        Ok(Self {
            call: take("call")?,
            load: take("load")?,
            init: take("init")?,
            stumble: take("stumble")?,
            ticks: take("runTicks")?,
            timer: take("runTimer")?,
            immediates: take("beginImmediates")?,
            immediate: take("runImmediate")?,
        })
    }
}

/// Remembers rejected promises until somebody takes them. The engine reports a rejection before a
/// handler could be attached; the reports are looked at when all promise jobs are done.
fn track(runtime: &Runtime, rejections: &Rejections) {
    let rejections = Rc::clone(rejections);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(
        move |ctx, promise, reason, is_handled| {
            let promise = Persistent::save(&ctx, promise);
            let mut rejections = rejections.borrow_mut();
            if is_handled {
                rejections.retain(|(known, _)| *known != promise);
            } else {
                rejections.push((promise, Persistent::save(&ctx, reason)));
            }
        },
    )));
}

/// The thrown value behind an error.
fn thrown<'js>(ctx: &Ctx<'js>, error: &Error) -> rquickjs::Result<Value<'js>> {
    if error.is_exception() {
        return Ok(ctx.catch());
    }
    error.to_string().into_js(ctx)
}

/// A number as JavaScript knows them; sizes here are far below where they get inexact.
#[expect(clippy::cast_precision_loss, reason = "limits are small")]
fn as_number(size: usize) -> f64 {
    size as f64
}
