//! Frames between worker and host: `u32 big endian length | JSON` on one socket. Call ids stay on
//! this side: JavaScript knows calls by a number that means nothing to the host.

use std::io;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags};
use script::Egress;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::net::UnixStream;

/// The longest frame, either way.
const FRAME_BYTES: usize = 4 << 20;
/// The version of the protocol.
pub const PROTOCOL: u32 = 1;

/// A frame from the host.
#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum FromHost {
    /// The first one.
    Init {
        proto: u32,
        limits: Limits,
        modules: Option<PathBuf>,
    },
    /// A script to read.
    Load {
        id: String,
        script: String,
        source: String,
        configuration: String,
        #[serde(default)]
        egress: Option<Egress>,
        #[serde(default)]
        deadline_ms: Option<u64>,
    },
    /// A call of a loaded script.
    Call {
        id: String,
        script: String,
        args: Vec<Value>,
        #[serde(default)]
        context: bool,
        deadline_ms: u64,
    },
    /// The answer of a question asked with `ask`.
    Answer {
        n: u32,
        #[serde(default)]
        value: Option<Value>,
        #[serde(default)]
        error: Option<String>,
    },
    /// Are you there?
    Ping,
}

/// What the worker caps by itself.
#[derive(Clone, Copy, Deserialize)]
pub struct Limits {
    /// Longest JSON text of a result, in bytes.
    pub result: usize,
    /// Console text of a call, in bytes.
    pub log: usize,
}

/// A frame to the host.
#[derive(Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ToHost<'a> {
    Ready {
        rt: &'a str,
        version: &'a str,
        pid: u32,
    },
    Loaded {
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Thrown>,
    },
    Log {
        id: &'a str,
        level: &'a str,
        msg: &'a str,
    },
    Result {
        id: &'a str,
        how: &'a str,
        #[serde(flatten)]
        outcome: Outcome<'a>,
    },
    Late {
        id: &'a str,
        how: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Thrown>,
    },
    Ask {
        id: &'a str,
        n: u32,
        question: &'a RawValue,
    },
    Fatal {
        msg: &'a str,
    },
    Pong,
}

/// How a call ended. That it failed is said by the variant, never by a value's being null.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome<'a> {
    /// JSON of the script's value.
    Value(&'a RawValue),
    /// An error.
    Error(Thrown),
    /// Why a value could not be sent.
    Bad(&'a str),
}

/// An error as far as it could be read; the texts are capped.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Thrown {
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

/// Our end of the socket.
pub struct Channel(UnixStream);

impl Channel {
    pub fn new(socket: std::os::unix::net::UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        UnixStream::from_std(socket).map(Self)
    }

    /// The next frame's bytes; `None` when the host has closed the socket.
    pub async fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some((head, _)) = buffer.split_first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
                if length > FRAME_BYTES {
                    return Err(io::Error::other("a frame from the host is too long"));
                }
                if buffer.len() >= 4 + length {
                    let rest = buffer.split_off(4 + length);
                    let mut frame = std::mem::replace(buffer, rest);
                    frame.drain(..4);
                    return Ok(Some(frame));
                }
            }
            self.0.readable().await?;
            // Cancelling between these two loses nothing: bytes read are in the buffer.
            match self.0.try_read_buf(buffer) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a frame, waiting for the host where it must: it always reads.
    pub fn send(&self, frame: &ToHost<'_>) -> io::Result<()> {
        let mut bytes = vec![0; 4];
        serde_json::to_writer(&mut bytes, frame)?;
        let length = u32::try_from(bytes.len().saturating_sub(4)).map_err(io::Error::other)?;
        if let Some(head) = bytes.first_chunk_mut::<4>() {
            *head = length.to_be_bytes();
        }
        let mut left = bytes.as_slice();
        while !left.is_empty() {
            // Past the runtime: its idea of what is writable is as old as its last turn.
            match rustix::net::send(&self.0, left, rustix::net::SendFlags::NOSIGNAL) {
                Ok(written) => left = left.get(written..).unwrap_or_default(),
                Err(rustix::io::Errno::AGAIN) => {
                    let mut wait = [PollFd::new(&self.0, PollFlags::OUT)];
                    rustix::event::poll(&mut wait, None)?;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
