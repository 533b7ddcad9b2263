//! Runs one action script in the embedded engine, through the real protocol:
//! `try_script FILE [ARGUMENT…]`. The layer's modules are read from the source tree, so that a
//! change in them needs no build. The file's name is the script's: `login.js` is `login`.
//! `FERRY_TRY_CONFIGURATION` is the settings' JSON, `FERRY_TRY_MODULES` the modules folder,
//! `FERRY_TRY_TIMES` how often it is called.

#![expect(
    clippy::disallowed_methods,
    reason = "a tool for one's own use takes its settings where it likes"
)]

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "--worker") {
        let runtimes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtimes");
        return match std::io::stdin().as_fd().try_clone_to_owned() {
            Ok(channel) => sandbox::embedded::run_from(UnixStream::from(channel), Some(runtimes)),
            Err(_) => ExitCode::FAILURE,
        };
    }
    let Some((file, args)) = args.split_first() else {
        eprintln!("try_script FILE [ARGUMENT…]");
        return ExitCode::FAILURE;
    };
    match try_script(file, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn try_script(file: &str, args: &[String]) -> Result<(), Failure> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let start = Instant::now();
    let mut worker = Command::new(std::env::current_exe()?)
        .arg("--worker")
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    let limits = json!({"result": 1 << 20, "log": 64 << 10});
    let modules = std::env::var("FERRY_TRY_MODULES").ok();
    send(
        &mut ours,
        &json!({"t": "init", "proto": 1, "limits": limits, "modules": modules}),
    )?;
    expect(&mut ours, "ready", start)?;
    println!("ready     {:?}", start.elapsed());
    let name = Path::new(file)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let source = std::fs::read_to_string(file)?;
    let start = Instant::now();
    let configuration = std::env::var("FERRY_TRY_CONFIGURATION").unwrap_or_else(|_| "{}".into());
    send(
        &mut ours,
        &json!({"t": "load", "id": "l", "script": name, "source": source, "configuration": configuration}),
    )?;
    expect(&mut ours, "loaded", start)?;
    let default = ["ann@example.com".to_owned(), "pässword".to_owned()];
    let args = if args.is_empty() { &default } else { args };
    let times = std::env::var("FERRY_TRY_TIMES")
        .ok()
        .and_then(|times| times.parse().ok())
        .unwrap_or(1);
    for _ in 0..times {
        let start = Instant::now();
        send(
            &mut ours,
            &json!({"t": "call", "id": "c", "script": name, "args": args, "context": false, "deadline_ms": 20_000}),
        )?;
        expect(&mut ours, "result", start)?;
    }
    // What comes late comes soon.
    ours.set_read_timeout(Some(std::time::Duration::from_millis(100)))?;
    while let Ok(frame) = receive(&mut ours) {
        println!("{frame}");
    }
    drop(ours);
    println!("{}", worker.wait()?);
    Ok(())
}

fn expect(from: &mut UnixStream, topic: &str, start: Instant) -> Result<(), Failure> {
    loop {
        let frame = receive(from)?;
        match frame.get("t").and_then(Value::as_str) {
            Some("log") => println!("{:>9} {}", text(&frame, "level"), text(&frame, "msg")),
            Some("result" | "loaded") if frame.get("error").is_some() => {
                let error = frame.get("error").cloned().unwrap_or_default();
                println!(
                    "{topic:<9} {:?} {}: {}",
                    start.elapsed(),
                    text(&frame, "how"),
                    text(&error, "message")
                );
                println!("{}\n{}", text(&error, "stack"), error);
            }
            Some("ready") => {}
            _ => println!("{topic:<9} {:?} {frame}", start.elapsed()),
        }
        if frame.get("t").and_then(Value::as_str) == Some(topic) {
            return Ok(());
        }
    }
}

fn text<'a>(frame: &'a Value, member: &str) -> &'a str {
    frame
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn send(to: &mut UnixStream, frame: &Value) -> Result<(), Failure> {
    let json = frame.to_string();
    to.write_all(&u32::try_from(json.len())?.to_be_bytes())?;
    to.write_all(json.as_bytes())?;
    Ok(())
}

fn receive(from: &mut UnixStream) -> Result<Value, Failure> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(head))?];
    from.read_exact(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}
