//! What tests share: a worker process without confinement, and the host's side of the talk.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// Generous: a busy machine must not fail a test that is not about time.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Worker {
    child: Child,
    socket: UnixStream,
    calls: u32,
}

/// What a call gave: its lines, its answer.
#[derive(Debug)]
pub struct Reply {
    pub lines: Vec<(String, String)>,
    pub result: Value,
}

impl Worker {
    pub fn start() -> Self {
        let mut worker = Self::blank();
        worker.greet(None);
        worker
    }

    /// A worker that has not been greeted.
    pub fn blank() -> Self {
        let test = std::env::current_exe().unwrap();
        let program: PathBuf = test
            .ancestors()
            .nth(2)
            .unwrap()
            .join("examples/bare_worker");
        assert!(
            program.is_file(),
            "cargo builds the examples with the tests: run them all once"
        );
        let (socket, theirs) = UnixStream::pair().unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let child = Command::new(program)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .unwrap();
        Self {
            child,
            socket,
            calls: 0,
        }
    }

    pub fn greet(&mut self, modules: Option<&str>) -> Value {
        let limits = json!({"result": 1 << 20, "log": 64 << 10});
        self.send(&json!({"t": "init", "proto": 1, "limits": limits, "modules": modules}));
        let ready = self.receive().unwrap();
        assert_eq!(ready["t"], "ready");
        ready
    }

    pub fn send(&mut self, frame: &Value) {
        let json = frame.to_string();
        let length = u32::try_from(json.len()).unwrap().to_be_bytes();
        self.socket.write_all(&length).unwrap();
        self.socket.write_all(json.as_bytes()).unwrap();
    }

    /// The next frame; `None` when the worker has ended.
    pub fn receive(&mut self) -> Option<Value> {
        let mut head = [0; 4];
        self.socket.read_exact(&mut head).ok()?;
        let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(head)).unwrap()];
        self.socket.read_exact(&mut bytes).ok()?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    /// Loads a script; gives the `loaded` frame.
    pub fn load(&mut self, name: &str, source: &str) -> Value {
        self.load_with(name, source, &json!({"SECRET": "s"}), &Value::Null)
    }

    pub fn load_with(
        &mut self,
        name: &str,
        source: &str,
        settings: &Value,
        egress: &Value,
    ) -> Value {
        self.send(&json!({
            "t": "load", "id": "load", "script": name, "source": source,
            "configuration": settings.to_string(), "egress": egress,
        }));
        loop {
            let frame = self.receive().unwrap();
            if frame["t"] != "log" {
                assert_eq!(
                    (&frame["t"], &frame["id"]),
                    (&json!("loaded"), &json!("load"))
                );
                return frame;
            }
        }
    }

    pub fn call(&mut self, name: &str) -> Reply {
        self.call_for(name, PATIENCE)
    }

    pub fn call_for(&mut self, name: &str, time: Duration) -> Reply {
        self.calls += 1;
        let id = format!("call-{}", self.calls);
        let args = ["ann@example.com", "pässword"];
        let deadline = u64::try_from(time.as_millis()).unwrap();
        self.send(&json!({
            "t": "call", "id": id, "script": name, "args": args, "context": false,
            "deadline_ms": deadline,
        }));
        let mut lines = Vec::new();
        loop {
            let frame = self.receive().expect("the worker ended without an answer");
            if frame["t"] == "late" || frame["id"] == "" {
                continue;
            }
            assert_eq!(frame["id"], id, "{frame}");
            if frame["t"] == "result" {
                return Reply {
                    lines,
                    result: frame,
                };
            }
            let text = |name: &str| frame[name].as_str().unwrap().to_owned();
            lines.push((text("level"), text("msg")));
        }
    }

    /// Waits for the worker's end, closing the socket before.
    pub fn leave(self) -> ExitStatus {
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        self.ended()
    }

    /// Waits for the worker's end.
    pub fn ended(mut self) -> ExitStatus {
        while self.receive().is_some() {}
        self.child.wait().unwrap()
    }

    /// Resident memory, in bytes; none of a worker that has ended, as one does whose heap is full.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let Some(line) = line else { return 0 };
        line.trim()
            .trim_end_matches(" kB")
            .trim()
            .parse::<u64>()
            .unwrap()
            * 1024
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a login script once in a worker of its own.
pub fn run(source: &str) -> Reply {
    let mut worker = Worker::start();
    let loaded = worker.load("login", source);
    assert!(loaded.get("error").is_none(), "{loaded}");
    worker.call("login")
}

/// A login script of a body.
pub fn login(body: &str) -> String {
    format!("function login(email, password, callback) {{ {body} }}")
}

impl Reply {
    /// The value; fails when there is none.
    #[track_caller]
    pub fn value(&self) -> &Value {
        assert!(self.result.get("error").is_none(), "{}", self.result);
        assert!(self.result.get("bad").is_none(), "{}", self.result);
        self.result.get("value").expect("a value")
    }

    /// How it failed, and the message.
    #[track_caller]
    pub fn error(&self) -> (&str, &str) {
        assert!(self.result.get("value").is_none(), "{}", self.result);
        let message = self.result["error"]["message"].as_str().expect("an error");
        (self.result["how"].as_str().unwrap(), message)
    }

    /// Why no value could be sent.
    #[track_caller]
    pub fn bad(&self) -> &str {
        assert!(self.result.get("value").is_none(), "{}", self.result);
        self.result["bad"].as_str().expect("bad")
    }
}
