//! The clock, and the one wake-up behind all timers of `timers.js`.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::{Ctx, Object, Result};

use super::op;
use crate::embedded::host::Host;

/// The longest wait that is worth setting; JavaScript's timers end at 2^31 ms.
const LONGEST_MS: f64 = 2_147_483_648.0;

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(native, ctx, "now", move || shared.now());
    let shared = Rc::clone(host);
    op!(native, ctx, "turnNow", move || shared.turn_now.get());
    let shared = Rc::clone(host);
    // Milliseconds from the turn's clock; a negative number means that there is no timer.
    op!(native, ctx, "wake", move |ms: f64| {
        let wait = (ms >= 0.0).then(|| Duration::from_secs_f64(ms.min(LONGEST_MS) / 1000.0));
        shared.wake.set(wait.map(|wait| Instant::now() + wait));
    });
    let shared = Rc::clone(host);
    op!(native, ctx, "ticksPending", move || shared.ticks.set(true));
    let shared = Rc::clone(host);
    op!(native, ctx, "immediatesPending", move |pending: bool| {
        shared.immediates.set(pending);
    });
    Ok(())
}
