//! Native operations: the members of the object that only the layer's own modules see.

mod answers;
mod cipher;
mod compile;
mod connection;
mod der;
mod digests;
mod hash;
mod inflate;
mod inspect;
mod keys;
mod material;
mod names;
mod net;
pub mod packages;
mod sign;
mod sockets;
mod text;
mod timers;
mod tls;
mod trust;
mod url;
mod zlib;

use std::rc::Rc;

use rquickjs::{Ctx, Object, Result};

use super::host::Host;

/// Puts all operations into `native`.
pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    answers::install(ctx, native, host)?;
    compile::install(ctx, native, host)?;
    inspect::install(ctx, native)?;
    text::install(ctx, native)?;
    url::install(ctx, native)?;
    zlib::install(ctx, native)?;
    hash::install(ctx, native, host)?;
    tls::install(ctx, native)?;
    cipher::install(ctx, native)?;
    keys::install(ctx, native)?;
    packages::install(ctx, native, host)?;
    names::install(ctx, native, host)?;
    net::install(ctx, native, host)?;
    timers::install(ctx, native, host)
}

/// Adds an operation under its name.
macro_rules! op {
    ($native:expr, $ctx:expr, $name:literal, $function:expr) => {
        $native.set($name, rquickjs::Function::new($ctx.clone(), $function)?)?
    };
}
pub(crate) use op;
