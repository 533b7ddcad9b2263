//! The guest side of action scripts: what runs in a worker's own process, and nothing else.
//!
//! | module | owns |
//! |---|---|
//! | [`confine`] | what the process gives up before a script's first byte is read |
//! | [`embedded`] | the `QuickJS` engine, its native operations and the modules that scripts require |
//!
//! Refused here: the store, keys, configuration, HTTP. Only the hidden `worker` subcommand of the
//! server starts this code, and it serves one connection's scripts until its host ends it.

pub mod confine;
pub mod embedded;
