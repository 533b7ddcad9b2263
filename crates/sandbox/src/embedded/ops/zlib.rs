//! Compression: deflate, raw deflate and gzip, at once or piece by piece. How much comes out is
//! looked at while it comes: a small piece can unpack to very much.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::rc::Rc;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use rquickjs::function::Opt;
use rquickjs::{Ctx, Error, Object, Result};

use super::inflate::{Gunzip, Inflate};
use super::op;
use crate::embedded::value::{Bytes, Text, member, refuse};

/// The most that comes out of one operation, unless a script allows less.
const MOST: usize = 32 << 20;
/// How much goes in between two looks at what came out.
const STEP: usize = 4096;
/// Streams a worker may have at once.
const STREAMS: usize = 256;

enum Stream {
    Deflate(ZlibEncoder<Vec<u8>>),
    DeflateRaw(DeflateEncoder<Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
    Inflate(Inflate),
    Gunzip(Gunzip),
    /// Told apart by the first byte.
    Unzip,
}

type Streams = Rc<RefCell<HashMap<u32, Stream>>>;

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    op!(
        native,
        ctx,
        "zlib",
        |ctx: Ctx<'js>, kind: Text, bytes: Bytes, options: Opt<Object<'js>>| {
            let mut most = MOST;
            if let Some(given) = options
                .0
                .as_ref()
                .map(|options| member::<usize>(options, "maxOutputLength"))
            {
                most = given?.unwrap_or(MOST).min(MOST);
            }
            let mut stream = open(&ctx, &kind.0, options.0.as_ref())?;
            stream
                .push(&bytes.0, true, most)
                .map(Bytes)
                .map_err(|error| failure(&ctx, &error))
        }
    );
    install_streams(ctx, native)
}

fn install_streams<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    let streams = Streams::default();
    let table = Rc::clone(&streams);
    op!(native, ctx, "zlibNew", move |ctx: Ctx<'js>,
                                      kind: Text,
                                      options: Opt<Object<'js>>|
          -> Result<u32> {
        let mut streams = table.borrow_mut();
        if streams.len() >= STREAMS {
            return Err(refuse(
                &ctx,
                "Z_MEM_ERROR",
                "too many zlib streams are open",
            ));
        }
        let handle = (1..=u32::MAX)
            .find(|handle| !streams.contains_key(handle))
            .unwrap_or(0);
        streams.insert(handle, open(&ctx, &kind.0, options.0.as_ref())?);
        Ok(handle)
    });
    let table = Rc::clone(&streams);
    op!(
        native,
        ctx,
        "zlibPush",
        move |ctx: Ctx<'js>, handle: u32, bytes: Bytes, finish: Opt<bool>| {
            let mut streams = table.borrow_mut();
            let Some(stream) = streams.get_mut(&handle) else {
                return Err(refuse(&ctx, "Z_STREAM_ERROR", "the zlib stream is closed"));
            };
            let pushed = stream.push(&bytes.0, finish.0.unwrap_or(false), MOST);
            pushed.map(Bytes).map_err(|error| failure(&ctx, &error))
        }
    );
    let table = Rc::clone(&streams);
    op!(native, ctx, "zlibFree", move |handle: u32| drop(
        table.borrow_mut().remove(&handle)
    ));
    Ok(())
}

fn open<'js>(ctx: &Ctx<'js>, kind: &str, options: Option<&Object<'js>>) -> Result<Stream> {
    let level = options
        .map(|options| member::<i32>(options, "level"))
        .transpose()?
        .flatten();
    let level = match level.and_then(|level| u32::try_from(level).ok()) {
        Some(level @ 0..=9) => Compression::new(level),
        _ => Compression::default(),
    };
    Ok(match kind {
        "deflate" => Stream::Deflate(ZlibEncoder::new(Vec::new(), level)),
        "deflateRaw" => Stream::DeflateRaw(DeflateEncoder::new(Vec::new(), level)),
        "gzip" => Stream::Gzip(GzEncoder::new(Vec::new(), level)),
        "inflate" => Stream::Inflate(Inflate::new(true)),
        "inflateRaw" => Stream::Inflate(Inflate::new(false)),
        "gunzip" => Stream::Gunzip(Gunzip::new()),
        "unzip" => Stream::Unzip,
        _ => {
            return Err(refuse(
                ctx,
                "ERR_INVALID_ARG_VALUE",
                "an unknown kind of compression",
            ));
        }
    })
}

/// Node's codes and words for what is wrong with the data.
fn failure(ctx: &Ctx<'_>, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => refuse(ctx, "Z_BUF_ERROR", "unexpected end of file"),
        io::ErrorKind::FileTooLarge => refuse(
            ctx,
            "ERR_BUFFER_TOO_LARGE",
            "Cannot create a Buffer larger than allowed",
        ),
        _ => refuse(ctx, "Z_DATA_ERROR", "incorrect header check"),
    }
}

impl Stream {
    fn push(&mut self, bytes: &[u8], finish: bool, most: usize) -> io::Result<Vec<u8>> {
        if matches!(self, Self::Unzip) {
            match bytes.first() {
                Some(0x1f) => *self = Self::Gunzip(Gunzip::new()),
                Some(_) => *self = Self::Inflate(Inflate::new(true)),
                None if finish => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => return Ok(Vec::new()),
            }
        }
        let mut output = Vec::new();
        for step in bytes.chunks(STEP) {
            self.write(step, &mut output)?;
            if output.len() > most {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        if finish {
            self.finish(&mut output)?;
        }
        if output.len() > most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(output)
    }

    fn write(&mut self, bytes: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Deflate(to) => to.write_all(bytes).map(|()| output.append(to.get_mut())),
            Self::DeflateRaw(to) => to.write_all(bytes).map(|()| output.append(to.get_mut())),
            Self::Gzip(to) => to.write_all(bytes).map(|()| output.append(to.get_mut())),
            Self::Gunzip(gunzip) => gunzip.push(bytes, output),
            Self::Inflate(inflate) => inflate.push(bytes, output).map(|_| ()),
            Self::Unzip => Ok(()),
        }
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Deflate(to) => to.try_finish().map(|()| output.append(to.get_mut())),
            Self::DeflateRaw(to) => to.try_finish().map(|()| output.append(to.get_mut())),
            Self::Gzip(to) => to.try_finish().map(|()| output.append(to.get_mut())),
            Self::Gunzip(gunzip) if !gunzip.is_whole() => Err(io::ErrorKind::UnexpectedEof.into()),
            Self::Inflate(inflate) if !inflate.has_ended => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Self::Gunzip(_) | Self::Inflate(_) | Self::Unzip => Ok(()),
        }
    }
}
