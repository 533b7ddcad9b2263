//! An open load: requests arrive when they arrive, whether the earlier ones were answered or not.
//!
//! Arrivals are random and independent of each other, and the same at each run. A request's time
//! runs from its arrival, so one that waits for a free client has waited for the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};

use crate::generator::{Connection, Requests};

/// How requests come.
#[derive(Clone, Copy)]
pub struct Flow {
    /// Requests a second, in the mean.
    pub rate: f64,
    /// For how long.
    pub span: Duration,
    /// Kept connections, each with a thread of its own.
    pub clients: usize,
    /// Another number makes other arrivals.
    pub seed: u64,
}

/// What became of a request.
#[derive(Clone, Copy)]
pub struct Answered {
    /// From its arrival to its answer.
    pub after: Duration,
    /// The answer's status.
    pub status: u16,
}

/// A load that is under way.
pub struct Running(Vec<JoinHandle<Result<Vec<Answered>>>>);

impl Running {
    /// Waits for the last answer.
    pub fn finish(self) -> Result<Vec<Answered>> {
        let mut all = Vec::new();
        for thread in self.0 {
            all.extend(thread.join().map_err(|_| anyhow!("a client panicked"))??);
        }
        Ok(all)
    }
}

/// Begins a load of these requests in turn.
pub fn begin(port: u16, requests: &Requests, flow: Flow) -> Result<Running> {
    let clients: Result<Vec<Connection>> =
        (0..flow.clients).map(|_| Connection::open(port)).collect();
    let arrivals = Arc::new(arrivals(flow));
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let drive = |mut client: Connection| {
        let (requests, arrivals) = (Arc::clone(requests), Arc::clone(&arrivals));
        let next = Arc::clone(&next);
        spawn(move || {
            let mut answers = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(arrival) = arrivals.get(number) else {
                    return Ok(answers);
                };
                sleep(arrival.saturating_sub(started.elapsed()));
                let request = requests.get(number % requests.len()).context("a request")?;
                client.send(request)?;
                let status = client.status()?;
                let after = started.elapsed().saturating_sub(*arrival);
                answers.push(Answered { after, status });
            }
        })
    };
    Ok(Running(clients?.into_iter().map(drive).collect()))
}

fn arrivals(flow: Flow) -> Vec<Duration> {
    let (mut at, mut arrivals) = (0.0, Vec::new());
    for number in 0.. {
        at -= (1.0 - fraction(flow.seed, number)).ln() / flow.rate;
        if at >= flow.span.as_secs_f64() {
            break;
        }
        arrivals.push(Duration::from_secs_f64(at));
    }
    arrivals
}

/// A random number from 0 to 1, 1 excluded: 32 bits of a mixer.
fn fraction(seed: u64, number: u64) -> f64 {
    let bits = crate::rows::mixed(seed.wrapping_mul(1 << 40).wrapping_add(number));
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_have_their_rate_and_depend_on_the_seed() {
        let flow = |seed| Flow {
            rate: 1000.0,
            span: Duration::from_secs(10),
            clients: 1,
            seed,
        };
        let first = arrivals(flow(1));
        assert!((9_700..10_300).contains(&first.len()), "{}", first.len());
        assert!(first.is_sorted());
        assert_eq!(first, arrivals(flow(1)));
        assert_ne!(first, arrivals(flow(2)));
    }
}
