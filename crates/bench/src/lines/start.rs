//! From the first instruction to the first answer on a store that exists, and memory at rest.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::ferry::{memory_mib, server};
use crate::setup::Setup;
use crate::table::Table;

const STARTS: usize = 10;
const POLL: Duration = Duration::from_micros(500);
const REST: Duration = Duration::from_secs(1);

/// The lines of start and rest.
pub async fn measure(setup: &Setup, table: &mut Table) -> Result<()> {
    let mut first = server(setup).start().await?;
    first.terminate().await?;
    let folder = first.data_dir();
    let (mut times, mut rests) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (process, took) = start(&setup.ferry, &folder)?;
        times.push(took.as_secs_f64() * 1000.0);
        std::thread::sleep(REST);
        rests.push(memory_mib(process.0.id(), "VmRSS")?);
    }
    table.below(
        "start to first answer, existing store",
        &times,
        "–",
        50.0,
        "ms",
    );
    table.below(
        "memory at rest, 1 s after the start",
        &rests,
        "–",
        30.0,
        "MiB",
    );
    Ok(())
}

/// Ends with its value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ignored = self.0.kill();
        let _ignored = self.0.wait();
    }
}

fn start(binary: &Path, folder: &Path) -> Result<(Process, Duration)> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .env("FERRY_DATA_DIR", folder)
        .env("FERRY_LISTEN", format!("127.0.0.1:{port}"))
        .env("FERRY_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let started = Instant::now();
    let mut process = Process(command.spawn()?);
    while !is_ready(port) {
        if let Some(status) = process.0.try_wait()? {
            bail!("the server ended at start: {status}");
        }
        if started.elapsed() > Duration::from_secs(30) {
            bail!("the server did not become ready");
        }
        std::thread::sleep(POLL);
    }
    Ok((process, started.elapsed()))
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream
            .write_all(b"GET /health/ready HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
