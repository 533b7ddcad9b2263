//! The host side of the operator's action scripts: JavaScript that reaches a legacy user store.
//!
//! A script never runs in this process. It runs in a **worker**, a process of its own that talks
//! to us over one socket and holds nothing else: no environment, no keys, no database. It confines
//! itself (the crate `sandbox`) before it reads the first byte of a script. A worker serves one
//! connection, one call at a time, and is killed with all its children when a deadline
//! passes or when it says anything it should not.
//!
//! | module | owns |
//! |---|---|
//! | [`program`](Program) | what is run: scripts, settings, their fingerprint |
//! | [`settings`](PoolSettings) | what the operator may set |
//! | `limits` | the numbers that nobody may set |
//! | [`egress`](Egress) | which hosts scripts may reach |
//! | [`policy`](Policy) | what a worker is told before it is confined |
//! | [`isolation`](Isolation) | how well the system holds workers, found out by trying |
//! | `wire` | frames |
//! | `launch` | a worker's process: command line, descriptors, process group, size |
//! | `worker`, `listen` | a worker's conversation: start, load, call, farewell; what it says unasked |
//! | `lane`, `breaker` | one connection's share: slots, queue, pause when the store is down |
//! | [`ask`](ForeignVerifier), [`watch`](ScriptEvent) | what a script may ask, what can be seen of it |
//! | `args`, `calls`, [`trial`](Trial) | what each script is called with |
//! | `pool` | all workers: who is idle, who is evicted, who waits |
//! | [`outcome`](LoginOutcome) | what an answer means |
//!
//! Refused here: to read a profile beyond its `user_id`, to decide about a login, to know a
//! database. `runtimes/node` holds the guest side.

mod args;
mod ask;
mod breaker;
mod calls;
mod egress;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod isolation;
mod lane;
mod launch;
mod limits;
mod listen;
mod outcome;
mod policy;
mod pool;
mod program;
mod settings;
mod trial;
mod watch;
mod wire;
mod worker;

pub use args::UserToCreate;
pub use ask::{ForeignVerifier, PasswordQuestion, Verdict, Verifier};
pub use egress::{Egress, Refusal, Rule, RuleError};
pub use isolation::{Attempt, Isolation, IsolationReport, self_test, try_start};
pub use lane::LaneState;
pub use limits::{LOG_BYTES, RESULT_BYTES, SCRIPT_BYTES};
pub use outcome::{
    ActionOutcome, Call, Failure, FailureKind, LogLevel, LogLine, LoginOutcome, LookupOutcome,
    RawProfile, ScriptRefusal,
};
pub use policy::{Guest, Policy};
pub use pool::ScriptPool;
pub use program::{Fingerprint, Program, ProgramError, ScriptName};
pub use settings::{EmbeddedRuntime, NodeRuntime, PoolSettings, Runtime, RuntimeName, WORKER_UID};
pub use trial::{Said, Trial, TrialOutcome};
pub use watch::{Happening, ScriptEvent};
