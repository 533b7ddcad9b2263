//! Verifications and signatures a second, on all cores, with nothing around them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;

use crate::statistics::rate;

/// Argon2id with Ferry's own parameters.
pub fn argon2id(cores: usize, span: Duration) -> Result<f64> {
    on_all_cores(cores, span, || {
        let params = Params::new(19_456, 2, 1, Some(32)).map_err(|error| anyhow!("{error}"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(move || {
            let mut output = [0_u8; 32];
            let hashed = argon2.hash_password_into(b"correct horse battery", &[7; 16], &mut output);
            hashed.map_err(|error| anyhow!("{error}"))
        })
    })
}

/// RS256 by a kept key of 2048 bits, over a message as long as a token's.
pub fn rs256(cores: usize, span: Duration) -> Result<f64> {
    let key = Arc::new(KeyPair::generate(KeySize::Rsa2048)?);
    on_all_cores(cores, span, || {
        let key = Arc::clone(&key);
        let (random, message) = (SystemRandom::new(), [b'x'; 560]);
        Ok(move || {
            let mut signature = vec![0; key.public_modulus_len()];
            Ok(key.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)?)
        })
    })
}

/// Runs the work on each core again and again; tells how often a second it ran.
fn on_all_cores<W: FnMut() -> Result<()> + Send + 'static>(
    cores: usize,
    span: Duration,
    make: impl Fn() -> Result<W>,
) -> Result<f64> {
    let started = Instant::now();
    let mut threads = Vec::new();
    for _ in 0..cores {
        let mut work = make()?;
        threads.push(std::thread::spawn(move || {
            let mut count = 0_u64;
            while started.elapsed() < span {
                work()?;
                count += 1;
            }
            anyhow::Ok((count, started.elapsed()))
        }));
    }
    let mut total = 0.0;
    for thread in threads {
        let (count, took) = thread.join().map_err(|_| anyhow!("a thread panicked"))??;
        total += rate(count, took);
    }
    Ok(total)
}
