//! Names to addresses, by the system's resolver, on a thread.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use rquickjs::{Array, Ctx, Function, Object, Persistent, Result};
use tokio::task::spawn_local;

use super::op;
use crate::embedded::host::Host;
use crate::embedded::value::{Nothing, Report, Text, too_busy};

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "lookup",
        move |ctx: Ctx<'js>, name: Text, family: u32, done: Function<'js>| {
            look_up(&ctx, &shared, name.0, family, done)
        }
    );
    Ok(())
}

/// The addresses of a name, in the resolver's order.
pub async fn resolve(name: &str, port: u16) -> std::result::Result<Vec<SocketAddr>, Report> {
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

/// There is no such name.
pub fn not_found(name: &str) -> Report {
    let message = format!("getaddrinfo ENOTFOUND {name}");
    Report {
        hostname: Some(name.into()),
        ..Report::new("ENOTFOUND", "getaddrinfo", message)
    }
}

fn look_up<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    name: String,
    family: u32,
    done: Function<'js>,
) -> Result<()> {
    let done = Persistent::save(ctx, done);
    let host = Rc::clone(host);
    let place = host.begin().ok_or_else(|| too_busy(ctx))?;
    spawn_local(async move {
        let _place = place;
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
    Ok(())
}
