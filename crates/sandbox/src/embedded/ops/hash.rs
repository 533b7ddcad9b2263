//! Hashes, password hashes and randomness. What takes long runs on a thread when there is a
//! callback, and at once when there is none.

use std::num::NonZeroU32;
use std::rc::Rc;

use rquickjs::{Ctx, Error, IntoJs, Object, Persistent, Result, Value};
use tokio::task::{spawn_blocking, spawn_local};

use super::digests::Algorithm;
use super::op;
use crate::embedded::host::Host;
use crate::embedded::value::{Bytes, Report, Text, member, refuse, too_busy};

/// The longest key derived, and the most random bytes, at once.
const LONGEST: usize = 16 << 20;
/// The most memory that scrypt may take, whatever a script allows it.
const SCRYPT_BYTES: u64 = 128 << 20;

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    op!(native, ctx, "hashes", || Algorithm::NAMES.to_vec());
    op!(
        native,
        ctx,
        "hash",
        |ctx: Ctx<'js>, name: Text, message: Bytes| {
            Ok::<_, Error>(Bytes(algorithm(&ctx, &name.0)?.hash(&message.0)))
        }
    );
    op!(
        native,
        ctx,
        "hmac",
        |ctx: Ctx<'js>, name: Text, key: Bytes, message: Bytes| {
            Ok::<_, Error>(Bytes(algorithm(&ctx, &name.0)?.hmac(&key.0, &message.0)))
        }
    );
    op!(native, ctx, "timingSafeEqual", |a: Bytes, b: Bytes| {
        aws_lc_rs::constant_time::verify_slices_are_equal(&a.0, &b.0).is_ok()
    });
    op!(native, ctx, "random", |ctx: Ctx<'js>, length: usize| {
        let mut bytes = vec![0; fitting(&ctx, length)?];
        let filled = getrandom::fill(&mut bytes);
        filled.map_err(|error| refuse(&ctx, "ERR_CRYPTO_OPERATION_FAILED", &error.to_string()))?;
        Ok::<_, Error>(Bytes(bytes))
    });
    op!(
        native,
        ctx,
        "hkdf",
        |ctx: Ctx<'js>, name: Text, key: Bytes, salt: Bytes, info: Bytes, length: usize| {
            let length = fitting(&ctx, length)?;
            let derived = algorithm(&ctx, &name.0)?.hkdf(&key.0, &salt.0, &info.0, length);
            let too_long = || refuse(&ctx, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
            derived.map(Bytes).ok_or_else(too_long)
        }
    );
    install_derivations(ctx, native, host)?;
    install_bcrypt(ctx, native, host)
}

fn install_derivations<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "pbkdf2",
        move |ctx: Ctx<'js>,
              password: Bytes,
              salt: Bytes,
              iterations: u32,
              length: usize,
              name: Text,
              done: Value<'js>| {
            let algorithm = algorithm(&ctx, &name.0)?;
            let length = fitting(&ctx, length)?;
            let iterations = NonZeroU32::new(iterations)
                .ok_or_else(|| refuse(&ctx, "ERR_OUT_OF_RANGE", "iterations must be at least 1"))?;
            answer(&ctx, &shared, done, move || {
                Ok(Bytes(algorithm.pbkdf2(
                    &password.0,
                    &salt.0,
                    iterations,
                    length,
                )))
            })
        }
    );
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "scrypt",
        move |ctx: Ctx<'js>,
              password: Bytes,
              salt: Bytes,
              options: Object<'js>,
              length: usize,
              done: Value<'js>| {
            let length = fitting(&ctx, length)?;
            let params = scrypt_params(&options)?.ok_or_else(|| {
                refuse(
                    &ctx,
                    "ERR_CRYPTO_INVALID_SCRYPT_PARAMS",
                    "Invalid scrypt params",
                )
            })?;
            answer(&ctx, &shared, done, move || {
                let mut output = vec![0; length];
                scrypt::scrypt(&password.0, &salt.0, &params, &mut output).map_err(|error| {
                    Report::new("ERR_CRYPTO_OPERATION_FAILED", "scrypt", error.to_string())
                })?;
                Ok(Bytes(output))
            })
        }
    );
    Ok(())
}

/// The costs; `None` when they make no sense or take more memory than they may.
fn scrypt_params(options: &Object<'_>) -> Result<Option<scrypt::Params>> {
    let cost: u64 = member::<f64>(options, "N")?.map_or(16384, whole);
    let block: u64 = member::<f64>(options, "r")?.map_or(8, whole);
    let parallel: u64 = member::<f64>(options, "p")?.map_or(1, whole);
    let most: u64 = member::<f64>(options, "maxmem")?.map_or(32 << 20, whole);
    let needed = 128u64.saturating_mul(cost).saturating_mul(block);
    if !cost.is_power_of_two() || cost < 2 || needed > most.min(SCRYPT_BYTES) {
        return Ok(None);
    }
    let log = u8::try_from(cost.trailing_zeros()).unwrap_or(u8::MAX);
    let (Ok(block), Ok(parallel)) = (u32::try_from(block), u32::try_from(parallel)) else {
        return Ok(None);
    };
    Ok(scrypt::Params::new(log, block, parallel).ok())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "out of range becomes the nearest, and is refused"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn install_bcrypt<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "bcryptHash",
        move |ctx: Ctx<'js>, password: Bytes, salt: Text, done: Value<'js>| {
            answer(&ctx, &shared, done, move || {
                bcrypt_hash(&password.0, &salt.0)
            })
        }
    );
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "bcryptVerify",
        move |ctx: Ctx<'js>, password: Bytes, hash: Text, done: Value<'js>| {
            answer(&ctx, &shared, done, move || {
                // What is no hash matches nothing; bcrypt's own library says the same.
                Ok(bcrypt::verify(&password.0, &hash.0).unwrap_or(false))
            })
        }
    );
    Ok(())
}

/// Hashes with a salt text: `$2b$10$` and 22 letters. The version is kept.
fn bcrypt_hash(password: &[u8], salt: &str) -> std::result::Result<String, Report> {
    let invalid = || {
        let message = "Invalid salt. Salt must be in the form of: $Vers$log2(NumRounds)$saltvalue";
        Report::new("ERR_INVALID_ARG_VALUE", "bcrypt", message)
    };
    let mut parts = salt.split('$').skip(1);
    let version = match parts.next() {
        Some("2a") => bcrypt::Version::TwoA,
        Some("2y") => bcrypt::Version::TwoY,
        Some("2b" | "2") => bcrypt::Version::TwoB,
        _ => return Err(invalid()),
    };
    let cost: u32 = parts
        .next()
        .and_then(|cost| cost.parse().ok())
        .ok_or_else(invalid)?;
    let letters = parts
        .next()
        .and_then(|letters| letters.get(..22))
        .ok_or_else(invalid)?;
    let salt = decode_salt(letters).ok_or_else(invalid)?;
    let hashed = bcrypt::hash_with_salt(password, cost, salt).map_err(|_| invalid())?;
    Ok(hashed.format_for_version(version))
}

/// 22 letters of bcrypt's own base64. The last one holds four bits too many, which are dropped.
fn decode_salt(letters: &str) -> Option<[u8; 16]> {
    const LETTERS: &str = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bits: u32 = 0;
    let mut count = 0;
    let mut bytes = Vec::with_capacity(17);
    for letter in letters.chars() {
        let value = u32::try_from(LETTERS.find(letter)?).ok()?;
        bits = (bits << 6 | value) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    bytes.try_into().ok()
}

fn algorithm(ctx: &Ctx<'_>, name: &str) -> Result<Algorithm> {
    let unknown = || {
        refuse(
            ctx,
            "ERR_CRYPTO_INVALID_DIGEST",
            &format!("Invalid digest: {name}"),
        )
    };
    Algorithm::parse(name).ok_or_else(unknown)
}

fn fitting(ctx: &Ctx<'_>, length: usize) -> Result<usize> {
    if length > LONGEST {
        return Err(refuse(
            ctx,
            "ERR_OUT_OF_RANGE",
            "the length is out of range",
        ));
    }
    Ok(length)
}

/// Computes on a thread and calls back, or at once where there is no callback.
pub fn answer<'js, T>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    done: Value<'js>,
    compute: impl FnOnce() -> std::result::Result<T, Report> + Send + 'static,
) -> Result<Value<'js>>
where
    T: for<'any> IntoJs<'any> + Send + 'static,
{
    let Some(done) = done.into_function() else {
        return match compute() {
            Ok(value) => value.into_js(ctx),
            Err(report) => Err(refuse(ctx, report.code, &report.message)),
        };
    };
    let done = Persistent::save(ctx, done);
    let host = Rc::clone(host);
    let place = host.begin().ok_or_else(|| too_busy(ctx))?;
    spawn_local(async move {
        let _place = place;
        let failed = |_| {
            Report::new(
                "ERR_CRYPTO_OPERATION_FAILED",
                "thread",
                "the operation failed",
            )
        };
        let outcome = spawn_blocking(compute)
            .await
            .unwrap_or_else(|error| Err(failed(error)));
        host.post(move |ctx| {
            let done = done.restore(ctx)?;
            match outcome {
                Ok(value) => done.call((Value::new_null(ctx.clone()), value)),
                Err(report) => done.call((report,)),
            }
        });
    });
    Ok(Value::new_undefined(ctx.clone()))
}
