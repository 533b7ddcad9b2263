//! The embedded worker by itself, without confinement: the host's socket is descriptor 0.
//! For tests and measurements; the server starts its own with `ferry worker`.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::io::stdin().as_fd().try_clone_to_owned() {
        Ok(channel) => sandbox::embedded::run(UnixStream::from(channel)),
        Err(_) => ExitCode::FAILURE,
    }
}
