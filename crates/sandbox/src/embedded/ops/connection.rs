//! One connection: reached, read and written by a task of its own, which JavaScript hears of
//! through one function.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use rquickjs::{Ctx, IntoJs, Object, Result, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::names::{not_found, resolve};
use super::sockets::{describe, set_keep_alive};
use crate::embedded::host::{Callback, Host};
use crate::embedded::value::{Bytes, Nothing, Report};

/// How long one of several addresses is tried.
const ATTEMPT: Duration = Duration::from_millis(2500);
/// How much is read at once.
const CHUNK: usize = 64 << 10;
/// Bytes on their way out, of all connections together.
const QUEUED: usize = 32 << 20;

/// Bytes on their way out, counted until they are gone: a script that does not wait for a slow
/// peer would pile them up outside of the engine's memory limit.
pub struct Queued {
    bytes: Vec<u8>,
    total: Rc<Cell<usize>>,
}

impl Queued {
    /// Takes bytes along; `None` when there are too many under way.
    pub fn new(bytes: Vec<u8>, total: &Rc<Cell<usize>>) -> Option<Self> {
        let sum = total.get() + bytes.len();
        if sum > QUEUED {
            return None;
        }
        total.set(sum);
        Some(Self {
            bytes,
            total: Rc::clone(total),
        })
    }
}

impl AsRef<[u8]> for Queued {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.total
            .set(self.total.get().saturating_sub(self.bytes.len()));
    }
}

/// What JavaScript wants of a connection.
pub enum Order {
    Write(Queued, Callback),
    Shutdown(Callback),
    NoDelay(bool),
    KeepAlive(bool, u32),
}

/// A connection's task: its way into JavaScript.
pub struct Live {
    pub host: Rc<Host>,
    pub on: Callback,
}

impl Live {
    /// Tells JavaScript of an event.
    pub fn emit(&self, event: &'static str, what: impl for<'js> IntoJs<'js> + 'static) {
        let on = self.on.clone();
        self.host
            .post(move |ctx| on.restore(ctx)?.call((event, what)));
    }

    /// Connects, and serves the connection until it ends.
    pub async fn serve(
        &self,
        name: &str,
        port: u16,
        orders: UnboundedReceiver<Order>,
        paused: watch::Receiver<bool>,
    ) -> std::result::Result<(), Report> {
        let stream = self.reach(name, port).await?;
        let (local, remote) = (stream.local_addr(), stream.peer_addr());
        if let (Ok(local), Ok(remote)) = (local, remote) {
            self.emit("connect", Ends { local, remote });
        }
        let (from, to) = stream.into_split();
        // An error on either side ends both.
        tokio::try_join!(self.read(from, paused), self.write(to, orders)).map(|_| ())
    }

    /// A connection to the first address that takes one.
    async fn reach(&self, name: &str, port: u16) -> std::result::Result<TcpStream, Report> {
        let addresses = resolve(name, port).await?;
        let egress = Rc::clone(&self.host.egress.borrow());
        let mut failures = Vec::new();
        let last = addresses.len();
        for (index, address) in addresses.into_iter().enumerate() {
            if let Err(refusal) = egress.check(name, address) {
                let why = format!("connect EACCES {address} - egress policy: {refusal}");
                failures.push(at(Report::new("EACCES", "connect", why), address));
                continue;
            }
            let attempt = TcpStream::connect(address);
            let outcome = if index + 1 == last {
                attempt.await
            } else {
                let late = || io::Error::from(io::ErrorKind::TimedOut);
                timeout(ATTEMPT, attempt)
                    .await
                    .unwrap_or_else(|_| Err(late()))
            };
            match outcome {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    failures.push(at(describe("connect", &error, Some(address)), address));
                }
            }
        }
        let first = failures.first().cloned();
        let mut report = first.unwrap_or_else(|| not_found(name));
        if failures.len() > 1 {
            report.errors = failures;
        }
        Err(report)
    }

    /// Hands on what comes, one piece at a time: the next is read when JavaScript took the last.
    async fn read(
        &self,
        mut from: OwnedReadHalf,
        mut paused: watch::Receiver<bool>,
    ) -> std::result::Result<(), Report> {
        let taken = Rc::new(Notify::new());
        let mut bytes = vec![0; CHUNK];
        loop {
            if paused.wait_for(|is_paused| !is_paused).await.is_err() {
                return Ok(());
            }
            let length = match from.read(&mut bytes).await {
                Ok(length) => length,
                Err(error) => return Err(describe("read", &error, None)),
            };
            if length == 0 {
                self.emit("end", Nothing);
                return Ok(());
            }
            let piece = Bytes(bytes.get(..length).unwrap_or_default().to_vec());
            let (on, told) = (self.on.clone(), Rc::clone(&taken));
            self.host.post(move |ctx| {
                told.notify_one();
                on.restore(ctx)?.call(("data", piece))
            });
            taken.notified().await;
        }
    }

    /// Writes until the side is shut, whether by JavaScript or by an error.
    async fn write(
        &self,
        mut to: OwnedWriteHalf,
        mut orders: UnboundedReceiver<Order>,
    ) -> std::result::Result<(), Report> {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Write(bytes, done) => {
                    let failed = to.write_all(bytes.as_ref()).await.err();
                    let failed = failed.map(|error| describe("write", &error, None));
                    let report = failed.clone();
                    self.host
                        .post(move |ctx| done.restore(ctx)?.call((report,)));
                    if let Some(report) = failed {
                        return Err(report);
                    }
                }
                Order::Shutdown(done) => {
                    // Whoever shuts a side that is gone has what they want.
                    let _ = to.shutdown().await;
                    self.host
                        .post(move |ctx| done.restore(ctx)?.call((Nothing,)));
                    return Ok(());
                }
                // Neither is worth failing a connection for.
                Order::NoDelay(is_on) => drop(to.as_ref().set_nodelay(is_on)),
                Order::KeepAlive(is_on, ms) => drop(set_keep_alive(to.as_ref(), is_on, ms)),
            }
        }
        Ok(())
    }
}

fn at(mut report: Report, address: SocketAddr) -> Report {
    report.address = Some(address.ip().to_string().into());
    report.port = Some(address.port());
    report
}

/// Both ends of a connection.
struct Ends {
    local: SocketAddr,
    remote: SocketAddr,
}

impl<'js> IntoJs<'js> for Ends {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let object = Object::new(ctx.clone())?;
        object.set("localAddress", self.local.ip().to_string())?;
        object.set("localPort", self.local.port())?;
        object.set("remoteAddress", self.remote.ip().to_string())?;
        object.set("remotePort", self.remote.port())?;
        object.set(
            "family",
            if self.remote.is_ipv4() {
                "IPv4"
            } else {
                "IPv6"
            },
        )?;
        Ok(object.into_value())
    }
}
