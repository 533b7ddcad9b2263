//! What JavaScript cannot see about its own values, for `util.inspect` and `util.types`.

use rquickjs::promise::PromiseState;
use rquickjs::{Array, Ctx, Object, Promise, Proxy, Result, Value};

use super::op;

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    op!(native, ctx, "isPromise", |value: Value<'js>| value
        .is_promise());
    op!(native, ctx, "isProxy", |value: Value<'js>| value.is_proxy());
    op!(native, ctx, "isError", |value: Value<'js>| value.is_error());
    op!(native, ctx, "promiseState", promise_state);
    op!(native, ctx, "proxyParts", proxy_parts);
    Ok(())
}

/// `[state, value]`: `'pending'`, `'fulfilled'` or `'rejected'`.
fn promise_state<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Value<'js>> {
    let Some(promise) = value
        .as_object()
        .and_then(|object| Promise::from_value(object.as_value().clone()).ok())
    else {
        return Ok(Value::new_undefined(ctx));
    };
    let parts = Array::new(ctx.clone())?;
    match promise.state() {
        PromiseState::Pending => parts.set(0, "pending")?,
        PromiseState::Resolved => {
            parts.set(0, "fulfilled")?;
            if let Some(value) = promise.result::<Value<'js>>() {
                parts.set(1, value?)?;
            }
        }
        PromiseState::Rejected => {
            parts.set(0, "rejected")?;
            // Asking for the result of a rejected promise throws its reason.
            if promise
                .result::<Value<'js>>()
                .is_some_and(|result| result.is_err())
            {
                parts.set(1, ctx.catch())?;
            }
        }
    }
    Ok(parts.into_value())
}

/// `[target, handler]`, or nothing if it is no proxy.
fn proxy_parts<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Value<'js>> {
    if !value.is_proxy() {
        return Ok(Value::new_undefined(ctx));
    }
    let proxy = Proxy::from_value(value)?;
    let parts = Array::new(ctx)?;
    parts.set(0, proxy.target()?)?;
    parts.set(1, proxy.handler()?)?;
    Ok(parts.into_value())
}
