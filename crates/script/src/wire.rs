//! The frames between host and worker: `u32 big endian length | JSON`, on a socket of their own.
//!
//! Frames to a worker are wiped after they were sent: they hold typed passwords and settings.
//! Frames from a worker may have been forged by a script; reading one promises nothing but its
//! shape. The list of frames is at the head of `runtimes/node/runner.cjs`.

use std::io;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::ask::Answer;
use crate::egress::Egress;
use crate::limits::FRAME_BYTES;

/// The version of the protocol that the runner must speak.
pub const PROTOCOL: u32 = 1;

/// A frame to a worker.
#[derive(Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ToWorker<'a> {
    /// The first one.
    Init {
        proto: u32,
        limits: GuestLimits,
        modules: Option<&'a Path>,
    },
    /// A script; `configuration` is JSON inside a text, so that the worker can keep it unread.
    Load {
        id: &'a str,
        script: &'a str,
        source: &'a str,
        configuration: &'a str,
        /// For runtimes that can hold it: Node has the system hold its ports instead.
        egress: &'a Egress,
    },
    /// A call of a loaded script; each argument is a JSON value of any kind.
    Call {
        id: &'a str,
        script: &'a str,
        args: Vec<&'a RawValue>,
        context: bool,
        deadline_ms: u64,
    },
    /// The answer to a question that a script asked.
    Answer {
        /// Which question of the call.
        n: u32,
        #[serde(flatten)]
        answer: Answer,
    },
}

/// What the worker caps by itself, to spare the host the bytes.
#[derive(Serialize)]
pub struct GuestLimits {
    pub result: usize,
    pub log: usize,
}

impl ToWorker<'_> {
    /// An upper bound of the texts inside, so that the buffer never moves and leaves no copy.
    fn text_bytes(&self) -> usize {
        match self {
            Self::Init { .. } | Self::Answer { .. } => 0,
            Self::Load {
                source,
                configuration,
                egress,
                ..
            } => {
                let rules = egress.allow.iter().map(|rule| rule.to_string().len() + 8);
                let own = egress.own_database.len() * 64;
                source.len() + configuration.len() + rules.sum::<usize>() + own
            }
            Self::Call { args, .. } => args.iter().map(|arg| arg.get().len()).sum(),
        }
    }

    /// The frame's bytes, length first; fails when it is too long.
    pub fn encode(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        // JSON writes one byte as six at worst: `\u0000`.
        let mut bytes = Zeroizing::new(Vec::with_capacity(8192 + 6 * self.text_bytes()));
        bytes.extend_from_slice(&[0; 4]);
        serde_json::to_writer(&mut *bytes, self)?;
        let length = bytes.len().saturating_sub(4);
        if length > FRAME_BYTES {
            return Err(too_long(length));
        }
        let length = u32::try_from(length).map_err(|_| too_long(length))?;
        if let Some(head) = bytes.first_chunk_mut::<4>() {
            *head = length.to_be_bytes();
        }
        Ok(bytes)
    }
}

fn too_long(length: usize) -> io::Error {
    let message = format!("a frame of {length} bytes; {FRAME_BYTES} are allowed");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Sends one frame.
pub async fn send(to: &mut (impl AsyncWrite + Unpin), frame: &ToWorker<'_>) -> io::Result<()> {
    let bytes = frame.encode()?;
    to.write_all(&bytes).await
}

/// What a frame from a worker is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// It may be given calls.
    Ready,
    /// A script was read.
    Loaded,
    /// A console line.
    Log,
    /// A question that the host answers while the call runs.
    Ask,
    /// The answer of a call.
    Result,
    /// Something happened after the answer.
    Late,
    /// The worker is about to end.
    Fatal,
}

/// A frame from a worker. One shape for all topics: `value` is kept as the text it came in, which
/// tagged enums cannot do.
#[derive(Debug, Deserialize)]
pub struct FromWorker {
    /// What it is about.
    pub t: Topic,
    /// Which call it claims to belong to.
    #[serde(default)]
    pub id: String,
    /// What settled the call.
    pub how: Option<String>,
    /// The result; the JSON text `null` is a value too.
    #[serde(default, deserialize_with = "present")]
    pub value: Option<Box<RawValue>>,
    /// The error.
    pub error: Option<ScriptError>,
    /// Why a result could not be sent.
    pub bad: Option<String>,
    /// Level of a console line.
    pub level: Option<String>,
    /// Text of a console line, or of a farewell.
    pub msg: Option<String>,
    /// Version of the runtime.
    pub version: Option<String>,
    /// Number of a question within its call.
    pub n: Option<u32>,
    /// The question.
    pub question: Option<Box<RawValue>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

/// An error of a script, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ScriptError {
    /// Its `name`: the class.
    pub name: Option<String>,
    /// Its message, empty when there was none.
    #[serde(default)]
    pub message: String,
    /// Its `code`.
    pub code: Option<String>,
    /// The `userNameOrEmail` of a `WrongUsernameOrPasswordError`.
    pub user: Option<String>,
    /// Its stack.
    pub stack: Option<String>,
}

/// Reads one frame; `None` when the stream ended, in whatever way. The only errors are frames that
/// are none.
pub async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<FromWorker>> {
    let Ok(length) = from.read_u32().await else {
        return Ok(None);
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > FRAME_BYTES {
        return Err(too_long(length));
    }
    let mut bytes = vec![0; length];
    // Half a frame is a worker that died while it wrote.
    if from.read_exact(&mut bytes).await.is_err() {
        return Ok(None);
    }
    let frame = serde_json::from_slice(&bytes);
    frame
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn null_is_a_value_and_absence_is_not() {
        let mut bytes = Vec::new();
        for json in [r#"{"t":"result","value":null}"#, r#"{"t":"result"}"#] {
            bytes.extend_from_slice(&u32::try_from(json.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(json.as_bytes());
        }
        let mut from = bytes.as_slice();
        let with = receive(&mut from).await.unwrap().unwrap();
        assert_eq!(with.value.unwrap().get(), "null");
        let without = receive(&mut from).await.unwrap().unwrap();
        assert!(without.value.is_none());
        assert!(receive(&mut from).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn junk_is_an_error() {
        for junk in [
            &b"\0\0\0\x07garbage"[..],
            b"\xff\xff\xff\xff",
            b"\0\0\0\x01{",
        ] {
            let mut from = junk;
            assert!(receive(&mut from).await.is_err());
        }
        let mut half = &b"\0\0\0\x09{}"[..];
        assert!(receive(&mut half).await.unwrap().is_none());
    }

    #[test]
    fn buffers_of_frames_never_move() {
        let hostile = serde_json::value::to_raw_value(&"\0".repeat(10_000)).unwrap();
        let frame = ToWorker::Call {
            id: "1",
            script: "login",
            args: vec![&hostile, &hostile],
            context: false,
            deadline_ms: 1,
        };
        assert!(frame.encode().unwrap().len() <= 8192 + 6 * frame.text_bytes());
    }
}
