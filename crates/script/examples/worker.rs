//! What the server's binary does when it is started as a worker, for tests: they have no server.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("worker") {
        eprintln!("this program is started by a pool of workers");
        return ExitCode::FAILURE;
    }
    sandbox::confine::worker(arguments.next().as_deref())
}
