//! The `ferry` program.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // A worker gives up its rights before there is a thread that could keep them.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "worker") {
        let policy = arguments.next();
        return sandbox::confine::worker(policy.as_deref().and_then(std::ffi::OsStr::to_str));
    }
    server::cli::run()
}
