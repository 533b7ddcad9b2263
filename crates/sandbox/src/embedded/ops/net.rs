//! TCP connections by handle. What counts for the egress policy is the address that is connected
//! to, whatever name led there.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use rquickjs::function::Opt;
use rquickjs::{Ctx, Function, Object, Persistent, Result};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{AbortHandle, spawn_local};

use super::connection::{Live, Order, Queued};
use super::op;
use super::sockets::too_many;
use crate::embedded::host::{Callback, Host};
use crate::embedded::value::{Bytes, Nothing, Report, Text};

/// Sockets a worker may have at once.
const MOST: usize = 200;

/// Open sockets by handle.
#[derive(Default)]
struct Sockets {
    open: RefCell<HashMap<u32, Socket>>,
    /// Bytes on their way out.
    queued: Rc<Cell<usize>>,
}

struct Socket {
    orders: UnboundedSender<Order>,
    is_paused: watch::Sender<bool>,
    on: Callback,
    task: AbortHandle,
}

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let sockets = Rc::new(Sockets::default());
    let (shared, table) = (Rc::clone(host), Rc::clone(&sockets));
    op!(
        native,
        ctx,
        "tcpConnect",
        move |ctx: Ctx<'js>, name: Text, port: u16, on: Function<'js>| {
            connect(&ctx, &shared, &table, name.0, port, on)
        }
    );
    let (shared, table) = (Rc::clone(host), Rc::clone(&sockets));
    op!(native, ctx, "tcpClose", move |handle: u32| close(
        &shared, &table, handle
    ));
    install_orders(ctx, native, host, &sockets)
}

fn install_orders<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: &Rc<Host>,
    sockets: &Rc<Sockets>,
) -> Result<()> {
    let (shared, table) = (Rc::clone(host), Rc::clone(sockets));
    op!(
        native,
        ctx,
        "tcpWrite",
        move |ctx: Ctx<'js>, handle: u32, bytes: Bytes, done: Function<'js>| {
            let done = Persistent::save(&ctx, done);
            match Queued::new(bytes.0, &table.queued) {
                Some(queued) => order(&shared, &table, handle, Order::Write(queued, done)),
                None => fail(
                    &shared,
                    done,
                    "ENOBUFS",
                    "write ENOBUFS: too much waits to be sent",
                ),
            }
        }
    );
    let (shared, table) = (Rc::clone(host), Rc::clone(sockets));
    op!(
        native,
        ctx,
        "tcpShutdown",
        move |ctx: Ctx<'js>, handle: u32, done: Function<'js>| {
            let done = Persistent::save(&ctx, done);
            order(&shared, &table, handle, Order::Shutdown(done));
        }
    );
    install_settings(ctx, native, host, sockets)
}

fn install_settings<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: &Rc<Host>,
    sockets: &Rc<Sockets>,
) -> Result<()> {
    let (shared, table) = (Rc::clone(host), Rc::clone(sockets));
    op!(
        native,
        ctx,
        "tcpNoDelay",
        move |handle: u32, on: Opt<bool>| {
            order(
                &shared,
                &table,
                handle,
                Order::NoDelay(on.0.unwrap_or(true)),
            );
        }
    );
    let (shared, table) = (Rc::clone(host), Rc::clone(sockets));
    op!(
        native,
        ctx,
        "tcpKeepAlive",
        move |handle: u32, on: Opt<bool>, ms: Opt<u32>| {
            let is_on = on.0.unwrap_or(false);
            order(
                &shared,
                &table,
                handle,
                Order::KeepAlive(is_on, ms.0.unwrap_or(0)),
            );
        }
    );
    let table = Rc::clone(sockets);
    op!(native, ctx, "tcpPause", move |handle: u32| pause(
        &table, handle, true
    ));
    let table = Rc::clone(sockets);
    op!(native, ctx, "tcpResume", move |handle: u32| pause(
        &table, handle, false
    ));
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
        fail(host, done, "EPIPE", "write EPIPE: the socket is closed");
    }
}

fn fail(host: &Host, done: Callback, code: &'static str, message: &str) {
    let report = Report::new(code, "write", message);
    host.post(move |ctx| done.restore(ctx)?.call((report,)));
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
        (1..=u32::MAX)
            .find(|handle| !open.contains_key(handle))
            .unwrap_or(0)
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
