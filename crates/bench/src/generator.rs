//! Load, made as cheaply as can be: blocking threads, kept connections, requests written ahead.
//!
//! It shares the machine's cores with the server, so it says what it took of them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;

use crate::ferry::cpu_seconds;
use crate::statistics::{float, rate};

/// Requests of one kind, ready to be written.
pub type Requests = Arc<Vec<Vec<u8>>>;

/// How much is asked at a time.
#[derive(Clone, Copy)]
pub struct Pressure {
    /// Kept connections, each with a thread of its own.
    pub connections: usize,
    /// Requests written before the first answer is read.
    pub ahead: usize,
}

/// What came of a load.
pub struct Load {
    /// Answers a second.
    pub rate: f64,
    /// Cores that the generator took.
    pub own_cores: f64,
}

/// A request that posts JSON.
pub fn post(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A request that posts a form, already encoded.
pub fn post_form(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Sends the requests in turn on all connections for a while. Any answer but 200 is an error.
pub fn run(port: u16, requests: &Requests, pressure: Pressure, span: Duration) -> Result<Load> {
    let started = Instant::now();
    let cpu_before = cpu_seconds(std::process::id())?;
    let threads: Vec<_> = (0..pressure.connections)
        .map(|place| {
            let requests = Arc::clone(requests);
            std::thread::spawn(move || drive(port, &requests, place, pressure.ahead, span))
        })
        .collect();
    let mut count = 0;
    for thread in threads {
        count += thread.join().map_err(|_| anyhow!("a client panicked"))??;
    }
    let took = started.elapsed();
    let own_cores = (cpu_seconds(std::process::id())? - cpu_before) / took.as_secs_f64();
    Ok(Load {
        rate: rate(count, took),
        own_cores,
    })
}

fn drive(
    port: u16,
    requests: &[Vec<u8>],
    place: usize,
    ahead: usize,
    span: Duration,
) -> Result<u64> {
    let mut client = Connection::open(port)?;
    let started = Instant::now();
    let (mut count, mut turn) = (0, place);
    let mut burst = Vec::new();
    while started.elapsed() < span {
        burst.clear();
        for _ in 0..ahead {
            let next = requests.get(turn % requests.len()).context("a request")?;
            burst.extend_from_slice(next);
            turn += 1;
        }
        client.send(&burst)?;
        for _ in 0..ahead {
            client.receive()?;
            count += 1;
        }
    }
    Ok(count)
}

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
}

impl Connection {
    /// Connects.
    pub fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        Ok(Self {
            stream,
            buffer: vec![0; 1 << 16],
            begin: 0,
            end: 0,
        })
    }

    /// Writes one or more requests.
    pub fn send(&mut self, requests: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(requests)?)
    }

    /// Reads one answer, which must be a 200 with a length.
    pub fn receive(&mut self) -> Result<()> {
        let (status, answer) = self.answer()?;
        ensure!(status == 200, "{}", String::from_utf8_lossy(answer));
        Ok(())
    }

    /// Reads one answer, which must have a length; gives its status.
    pub fn status(&mut self) -> Result<u16> {
        Ok(self.answer()?.0)
    }

    fn answer(&mut self) -> Result<(u16, &[u8])> {
        loop {
            let held = self.buffer.get(self.begin..self.end).unwrap_or_default();
            if let Some((status, length)) = status_and_length(held)? {
                let begin = self.begin;
                self.begin += length;
                let answer = self.buffer.get(begin..self.begin);
                return Ok((status, answer.unwrap_or_default()));
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        let read = self
            .stream
            .read(self.buffer.get_mut(self.end..).context("room")?)?;
        ensure!(read > 0, "the server closed the connection");
        self.end += read;
        Ok(())
    }
}

/// The status and the length of the first answer, once all of it is there.
fn status_and_length(bytes: &[u8]) -> Result<Option<(u16, usize)>> {
    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(bytes.get(..head).unwrap_or_default())?;
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    let status = status.context("an answer without a status")?.parse()?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without a length")?;
    let whole = head + 4 + length.1.trim().parse::<usize>()?;
    Ok((bytes.len() >= whole).then_some((status, whole)))
}

/// What the generator takes of each answer's time on one core, in microseconds.
pub fn own_micros(load: &Load) -> f64 {
    load.own_cores * float(1_000_000) / load.rate.max(1e-9)
}
