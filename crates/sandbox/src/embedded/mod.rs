//! The embedded runtime: `QuickJS` under a layer that scripts take for Node.
//!
//! | module | owns |
//! |---|---|
//! | [`frames`] | the socket to the host |
//! | [`calls`] | which call is open, and its id |
//! | [`host`] | what loop and operations share |
//! | [`engine`] | the way in and out of JavaScript, its limits |
//! | [`turn`] | the event loop |
//! | [`watchdog`] | the end of an engine that does not come back |
//! | [`value`] | texts and bytes on their way in and out |
//! | [`sources`] | texts of the layer's modules, written in `runtimes/embedded` |
//! | [`ops`] | native operations |
//!
//! Refused here: files, processes, listening sockets, and anything a script could use to speak to
//! the host in another call's name.

mod calls;
mod engine;
mod frames;
mod host;
mod ops;
mod sources;
mod turn;
mod value;
mod watchdog;

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc::unbounded_channel;
use tokio::task::LocalSet;

use engine::Engine;
use frames::Channel;
use host::Host;
use watchdog::Watchdog;

/// The engine's thread: the engine's own stack limit leaves a third of this to native code.
const STACK_BYTES: usize = 12 << 20;
/// Threads for what takes long: name resolution and password hashes.
const THREADS: usize = 4;

/// Name, version, licence and its text of every npm package that is inside.
pub fn licenses() -> String {
    ops::packages::licenses().unwrap_or_default()
}

/// Serves a host over a socket until it closes. Exit codes: 0 drained, 1 broken or not understood,
/// 124 a script ran past its deadline, 125 out of memory. Call it while the process has a single
/// thread; it starts its own.
pub fn run(channel: UnixStream) -> ExitCode {
    run_from(channel, None)
}

/// As [`run`], with the layer's modules read from a `runtimes` folder: for writing them.
pub fn run_from(channel: UnixStream, sources: Option<PathBuf>) -> ExitCode {
    let watchdog = Arc::new(Watchdog::default());
    let watched = Arc::clone(&watchdog);
    let thread = thread::Builder::new()
        .name("script".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let mut end = End(watched, 1);
            end.1 = work(channel, &end.0, sources);
        });
    match thread {
        Ok(_) => ExitCode::from(watchdog.guard()),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Tells the watchdog that the engine has ended, also when its thread panics.
struct End(Arc<Watchdog>, u8);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

fn work(channel: UnixStream, watchdog: &Arc<Watchdog>, sources: Option<PathBuf>) -> u8 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .build();
    let Ok(runtime) = runtime else { return 1 };
    let local = LocalSet::new();
    let code = local.block_on(&runtime, async {
        let (inbox, tasks) = unbounded_channel();
        let Ok(channel) = Channel::new(channel) else {
            return 1;
        };
        let host = Rc::new(Host::new(channel, inbox, Arc::clone(watchdog), sources));
        let engine = match Engine::start(&host) {
            Ok(engine) => engine,
            Err(error) => {
                let msg = format!("the engine did not start: {error}");
                host.send(&frames::ToHost::Fatal { msg: &msg });
                return 1;
            }
        };
        let code = turn::serve(Rc::clone(&host), &engine, tasks).await;
        value::release();
        // Freeing everything one by one would only delay the end.
        std::mem::forget(engine);
        std::mem::forget(host);
        code
    });
    std::mem::forget(local);
    runtime.shutdown_background();
    code
}
