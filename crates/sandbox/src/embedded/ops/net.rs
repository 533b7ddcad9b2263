//! TCP connections and name resolution. What counts for the egress policy is the address that is
//! connected to, whatever name led there.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use rquickjs::function::Opt;
use rquickjs::{Array, Ctx, Function, IntoJs, Object, Persistent, Result, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::timeout;

use super::op;
use super::sockets::{describe, set_keep_alive, too_many};
use crate::embedded::host::{Callback, Host};
use crate::embedded::value::{Bytes, Report, Text};

/// How long one of several addresses is tried.
const ATTEMPT: Duration = Duration::from_millis(2500);
/// How much is read at once.
const CHUNK: usize = 64 << 10;
/// Sockets a worker may have at once.
const MOST: usize = 200;

/// Open sockets by handle.
#[derive(Default)]
struct Sockets {
    open: RefCell<HashMap<u32, Socket>>,
}

struct Socket {
    orders: UnboundedSender<Order>,
    is_paused: watch::Sender<bool>,
    on: Callback,
    task: AbortHandle,
}

enum Order {
    Write(Vec<u8>, Callback),
    Shutdown(Callback),
    NoDelay(bool),
    KeepAlive(bool, u32),
}

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let sockets = Rc::new(Sockets::default());
    let (shared, table) = (Rc::clone(host), Rc::clone(&sockets));
    op!(native, ctx, "tcpConnect", move |ctx: Ctx<'js>, name: Text, port: u16, on: Function<'js>| {
        connect(&ctx, &shared, &table, name.0, port, on)
    });
    let (shared, table) = (Rc::clone(host), Rc::clone(&sockets));
    op!(native, ctx, "tcpClose", move |handle: u32| close(&shared, &table, handle));
    let shared = Rc::clone(host);
    op!(native, ctx, "lookup", move |ctx: Ctx<'js>, name: Text, family: u32, done: Function<'js>| {
        look_up(&ctx, &shared, name.0, family, done);
    });
    install_orders(ctx, native, host, &sockets)
}

fn install_orders<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: &Rc<Host>,
    sockets: &Rc<Sockets>,
) -> Result<()> {
    let (shared, table) = (Rc::clone(host), Rc::clone(sockets));
    op!(native, ctx, "tcpWrite", move |ctx: Ctx<'js>, handle: u32, bytes: Bytes, done: Function<'js>| {
        let done = Persistent::save(&ctx, done);
        order(&shared, &table, handle, Order::Write(bytes.0, done));
    });
    let (shared, table) = (Rc::clone(host), Rc::clone(sockets));
    op!(native, ctx, "tcpShutdown", move |ctx: Ctx<'js>, handle: u32, done: Function<'js>| {
        let done = Persistent::save(&ctx, done);
        order(&shared, &table, handle, Order::Shutdown(done));
    });
    let (shared, table) = (Rc::clone(host), Rc::clone(sockets));
    op!(native, ctx, "tcpNoDelay", move |handle: u32, on: Opt<bool>| {
        order(&shared, &table, handle, Order::NoDelay(on.0.unwrap_or(true)));
    });
    let (shared, table) = (Rc::clone(host), Rc::clone(sockets));
    op!(native, ctx, "tcpKeepAlive", move |handle: u32, on: Opt<bool>, ms: Opt<u32>| {
        let is_on = on.0.unwrap_or(false);
        order(&shared, &table, handle, Order::KeepAlive(is_on, ms.0.unwrap_or(0)));
    });
    let table = Rc::clone(sockets);
    op!(native, ctx, "tcpPause", move |handle: u32| pause(&table, handle, true));
    let table = Rc::clone(sockets);
    op!(native, ctx, "tcpResume", move |handle: u32| pause(&table, handle, false));
    Ok(())
}

fn pause(sockets: &Sockets, handle: u32, is_paused: bool) {
    if let Some(socket) = sockets.open.borrow().get(&handle) {
        socket.is_paused.send_replace(is_paused);
    }
}

fn order(host: &Host, sockets: &Sockets, handle: u32, order: Order) {
    let refused = match sockets.open.borrow().get(&handle) {
        Some(socket) => socket.orders.send(order).err().map(|unsent| unsent.0),
        None => Some(order),
    };
    if let Some(Order::Write(_, done) | Order::Shutdown(done)) = refused {
        let report = Report::new("EPIPE", "write", "write EPIPE: the socket is closed");
        host.post(move |ctx| done.restore(ctx)?.call((report,)));
    }
}

fn connect<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    sockets: &Rc<Sockets>,
    name: String,
    port: u16,
    on: Function<'js>,
) -> Result<u32> {
    let handle = {
        let open = sockets.open.borrow();
        if open.len() >= MOST {
            return Err(too_many(ctx));
        }
        (1..=u32::MAX).find(|handle| !open.contains_key(handle)).unwrap_or(0)
    };
    let on = Persistent::save(ctx, on);
    let (orders, received) = unbounded_channel();
    let (is_paused, paused) = watch::channel(false);
    let live = Live {
        host: Rc::clone(host),
        on: on.clone(),
    };
    let table = Rc::clone(sockets);
    let task = spawn_local(async move {
        let failed = live.serve(&name, port, received, paused).await;
        if let Err(report) = failed {
            live.emit("error", report);
        }
        live.emit("close", Nothing);
        table.open.borrow_mut().remove(&handle);
    });
    let task = task.abort_handle();
    sockets.open.borrow_mut().insert(
        handle,
        Socket {
            orders,
            is_paused,
            on,
            task,
        },
    );
    Ok(handle)
}

fn close(host: &Rc<Host>, sockets: &Sockets, handle: u32) {
    let closed = sockets.open.borrow_mut().remove(&handle);
    if let Some(socket) = closed {
        socket.task.abort();
        host.post(move |ctx| socket.on.restore(ctx)?.call(("close",)));
    }
}

/// A connection's task: its way into JavaScript.
struct Live {
    host: Rc<Host>,
    on: Callback,
}

struct Nothing;

impl<'js> IntoJs<'js> for Nothing {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        Ok(Value::new_undefined(ctx.clone()))
    }
}

impl Live {
    fn emit(&self, event: &'static str, what: impl for<'js> IntoJs<'js> + 'static) {
        let on = self.on.clone();
        self.host.post(move |ctx| on.restore(ctx)?.call((event, what)));
    }

    async fn serve(
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
                timeout(ATTEMPT, attempt).await.unwrap_or_else(|_| Err(late()))
            };
            match outcome {
                Ok(stream) => return Ok(stream),
                Err(error) => failures.push(at(describe("connect", &error, Some(address)), address)),
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
                    let failed = to.write_all(&bytes).await.err();
                    let failed = failed.map(|error| describe("write", &error, None));
                    let report = failed.clone();
                    self.host.post(move |ctx| done.restore(ctx)?.call((report,)));
                    if let Some(report) = failed {
                        return Err(report);
                    }
                }
                Order::Shutdown(done) => {
                    // Whoever shuts a side that is gone has what they want.
                    let _ = to.shutdown().await;
                    self.host.post(move |ctx| done.restore(ctx)?.call((Nothing,)));
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
    report.address = Some(address.ip().to_string());
    report.port = Some(address.port());
    report
}

async fn resolve(name: &str, port: u16) -> std::result::Result<Vec<SocketAddr>, Report> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    // The system's resolver blocks: it runs on a thread.
    let found = tokio::net::lookup_host((name, port)).await;
    match found.map(Iterator::collect::<Vec<_>>) {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        _ => Err(not_found(name)),
    }
}

fn not_found(name: &str) -> Report {
    let message = format!("getaddrinfo ENOTFOUND {name}");
    Report {
        hostname: Some(name.to_owned()),
        ..Report::new("ENOTFOUND", "getaddrinfo", message)
    }
}

fn look_up<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, name: String, family: u32, done: Function<'js>) {
    let done = Persistent::save(ctx, done);
    let host = Rc::clone(host);
    spawn_local(async move {
        let found = resolve(&name, 0).await;
        host.post(move |ctx| {
            let done = done.restore(ctx)?;
            let addresses = match found {
                Err(report) => return done.call((report,)),
                Ok(addresses) => addresses,
            };
            let list = Array::new(ctx.clone())?;
            for address in addresses {
                let of = if address.is_ipv4() { 4 } else { 6 };
                if family != 0 && family != of {
                    continue;
                }
                let entry = Object::new(ctx.clone())?;
                entry.set("address", address.ip().to_string())?;
                entry.set("family", of)?;
                list.set(list.len(), entry)?;
            }
            if list.is_empty() {
                return done.call((not_found(&name),));
            }
            done.call((Nothing, list))
        });
    });
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
        object.set("family", if self.remote.is_ipv4() { "IPv4" } else { "IPv6" })?;
        Ok(object.into_value())
    }
}
