//! What the event loop and the native operations share: the socket, the open call, the clock, and
//! the inbox through which an operation that has ended gets back into JavaScript.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rquickjs::{Ctx, Function, Persistent};
use script::Egress;
use tokio::sync::mpsc::UnboundedSender;

use super::calls::Calls;
use super::frames::{Channel, Limits, Outcome, Thrown, ToHost};
use super::watchdog::Watchdog;

/// How long code may run that belongs to no call.
const STRAY: Duration = Duration::from_secs(5);

/// Operations that may be under way at once.
const UNDERWAY: u32 = 1024;

/// An operation under way; one less when it is dropped.
pub struct Underway(Rc<Cell<u32>>);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Something to do in JavaScript when the loop is free.
pub type Task = Box<dyn FnOnce(&Ctx<'_>) -> rquickjs::Result<()>>;

/// A JavaScript function kept by an operation.
pub type Callback = Persistent<Function<'static>>;

/// The worker's state on this side of JavaScript.
pub struct Host {
    pub channel: Channel,
    pub calls: RefCell<Calls>,
    pub limits: Cell<Limits>,
    pub egress: RefCell<Rc<Egress>>,
    pub modules: RefCell<Option<PathBuf>>,
    /// Where internal modules are read from while they are being written; normally none.
    pub sources: Option<PathBuf>,
    pub inbox: UnboundedSender<Task>,
    /// When the next timer is due.
    pub wake: Cell<Option<Instant>>,
    /// The clock of this turn, in milliseconds since the start.
    pub turn_now: Cell<f64>,
    /// There are immediates to run.
    pub immediates: Cell<bool>,
    /// There are ticks to run.
    pub ticks: Cell<bool>,
    /// The interrupt has fired.
    pub interrupted: Cell<bool>,
    /// An out-of-memory error was seen.
    pub starved: Cell<bool>,
    /// Questions to the host that are open.
    pub questions: RefCell<HashMap<u32, Callback>>,
    /// How much was put before a script's first line, by file name.
    pub prefixes: RefCell<HashMap<String, usize>>,
    /// Operations under way on threads.
    underway: Rc<Cell<u32>>,
    start: Instant,
    until: Cell<Option<Instant>>,
    watchdog: Arc<Watchdog>,
}

impl Host {
    pub fn new(
        channel: Channel,
        inbox: UnboundedSender<Task>,
        watchdog: Arc<Watchdog>,
        sources: Option<PathBuf>,
    ) -> Self {
        Self {
            channel,
            calls: RefCell::default(),
            limits: Cell::new(Limits {
                result: script::RESULT_BYTES,
                log: script::LOG_BYTES,
            }),
            egress: RefCell::default(),
            modules: RefCell::default(),
            sources,
            inbox,
            wake: Cell::new(None),
            turn_now: Cell::new(0.0),
            immediates: Cell::new(false),
            ticks: Cell::new(false),
            interrupted: Cell::new(false),
            starved: Cell::new(false),
            questions: RefCell::default(),
            prefixes: RefCell::default(),
            underway: Rc::default(),
            start: Instant::now(),
            until: Cell::new(None),
            watchdog,
        }
    }

    /// Milliseconds since the start.
    pub fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0
    }

    /// JavaScript begins to run: until the open call's deadline, or for a short while.
    pub fn arm(&self) {
        let until = self.calls.borrow().deadline();
        let until = until.unwrap_or_else(|| Instant::now() + STRAY);
        self.until.set(Some(until));
        self.watchdog.arm(until);
    }

    /// JavaScript has come back.
    pub fn disarm(&self) {
        self.until.set(None);
        self.watchdog.disarm();
    }

    /// Whether JavaScript has run for too long.
    pub fn is_overdue(&self) -> bool {
        self.until
            .get()
            .is_some_and(|until| Instant::now() >= until)
    }

    /// Sends a frame. A host that is gone is noticed where frames are read.
    pub fn send(&self, frame: &ToHost<'_>) {
        let _ = self.channel.send(frame);
    }

    /// Answers the open call from this side, when JavaScript cannot any more.
    pub fn fail_open(&self, how: &str, name: &str, message: &str) {
        let open = self.calls.borrow_mut().settle_any();
        if let Some((id, is_load)) = open {
            let thrown = Thrown {
                message: message.to_owned(),
                name: Some(name.to_owned()),
                ..Thrown::default()
            };
            let id = id.as_str();
            let error = Some(thrown.clone());
            let outcome = Outcome::Error(thrown);
            self.send(&if is_load {
                ToHost::Loaded { id, error }
            } else {
                ToHost::Result { id, how, outcome }
            });
        }
    }

    /// A place for an operation that runs on a thread; `None` when all are taken.
    pub fn begin(&self) -> Option<Underway> {
        let count = self.underway.get();
        if count >= UNDERWAY {
            return None;
        }
        self.underway.set(count + 1);
        Some(Underway(Rc::clone(&self.underway)))
    }

    /// Puts something into the inbox.
    pub fn post(&self, task: impl FnOnce(&Ctx<'_>) -> rquickjs::Result<()> + 'static) {
        // The inbox outlives every operation.
        let _ = self.inbox.send(Box::new(task));
    }
}
