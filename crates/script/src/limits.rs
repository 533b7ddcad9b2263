//! The numbers that bound a script and its worker. Settings of the operator are in
//! [`PoolSettings`](crate::PoolSettings); these are not for setting.

use std::time::Duration;

/// The longest script, in bytes: the documented limit.
pub const SCRIPT_BYTES: usize = 102_400;
/// The longest frame on the socket, either way.
pub const FRAME_BYTES: usize = 4 << 20;
/// The longest JSON text of a result.
pub const RESULT_BYTES: usize = 1 << 20;
/// Console text kept per call.
pub const LOG_BYTES: usize = 64 << 10;

/// A worker this large is killed in mid-call: V8's heap limit does not count Buffers.
pub const RESIDENT_HARD_BYTES: u64 = 512 << 20;
/// A worker this large after a call is not used again.
pub const RESIDENT_SOFT_BYTES: u64 = 256 << 20;
/// How often the size is looked at during a call.
pub const RESIDENT_EVERY: Duration = Duration::from_millis(100);

/// How long a spare worker may take to start.
pub const START: Duration = Duration::from_secs(20);
/// How long a worker that was told to go may take to do so.
pub const FAREWELL: Duration = Duration::from_secs(1);

/// This many crashes …
pub const CRASHES: usize = 3;
/// … within this time …
pub const CRASH_WINDOW: Duration = Duration::from_secs(10);
/// … refuse calls for this long.
pub const CRASH_PAUSE: Duration = Duration::from_secs(5);

/// This many calls in a row that found no store open the breaker …
pub const FAULTS: usize = 5;
/// … for this long, then for twice as long after each probe that fails …
pub const PAUSE: Duration = Duration::from_secs(1);
/// … up to this.
pub const PAUSE_LONGEST: Duration = Duration::from_secs(30);

/// Events that a slow watcher of the pool may fall behind.
pub const WATCH: usize = 1024;

/// The oldest Node that the runner is written for.
pub const NODE_MAJOR: u32 = 20;
