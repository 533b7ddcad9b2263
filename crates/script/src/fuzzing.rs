//! Entry points for fuzzers: bytes of a worker in, invariants checked.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::outcome::{
    ActionOutcome, Failure, FailureKind, LoginOutcome, LookupOutcome, Reply, address_verified,
    existence_changed, identifier_changed, password_changed,
};
use crate::wire::{FromWorker, receive};

/// Reads frames until the bytes end. Panics when the reader breaks its promise: a frame that was
/// read is no larger than the bytes that were there.
pub fn frame(bytes: &[u8]) {
    let mut from = bytes;
    while let Ok(Some(frame)) = now(receive(&mut from)) {
        let held = frame.value.as_ref().map_or(0, |value| value.get().len());
        assert!(held <= bytes.len(), "a frame grew");
        outcome_of(frame);
    }
}

/// Takes the bytes for a script's answer, whole or as a value.
pub fn outcome(bytes: &[u8]) {
    if let Ok(frame) = serde_json::from_slice::<FromWorker>(bytes) {
        outcome_of(frame);
    }
    if let Ok(value) = serde_json::from_slice::<Box<RawValue>>(bytes) {
        check_value(&value);
    }
}

/// An error of a script is never success, whatever its members are.
fn outcome_of(frame: FromWorker) {
    if let Some(value) = &frame.value {
        check_value(value);
    }
    let Some(error) = frame.error else { return };
    let reply = || Ok(Reply::Error(error.clone()));
    let login = LoginOutcome::from(reply());
    assert!(
        !matches!(login, LoginOutcome::Found(_) | LoginOutcome::NoSuchUser),
        "{login:?}"
    );
    let lookup = LookupOutcome::from(reply());
    assert!(matches!(lookup, LookupOutcome::Failed(_)), "{lookup:?}");
    for read in ACTIONS {
        let action = read(reply());
        let is_refused = matches!(action, ActionOutcome::Refused(_) | ActionOutcome::Failed(_));
        assert!(is_refused, "{action:?}");
    }
    let failed = || Err(Failure::new(FailureKind::Crashed, ""));
    assert!(matches!(
        LoginOutcome::from(failed()),
        LoginOutcome::Failed(_)
    ));
}

const ACTIONS: [fn(Result<Reply, Failure>) -> ActionOutcome; 4] = [
    existence_changed,
    address_verified,
    password_changed,
    identifier_changed,
];

/// A value is success only when it says so.
fn check_value(text: &RawValue) {
    let value: Option<Value> = serde_json::from_str(text.get()).ok();
    let reply = || Ok(Reply::Value(text.to_owned()));
    match LoginOutcome::from(reply()) {
        LoginOutcome::Found(profile) => {
            let id = profile.get("user_id");
            let is_id = id.is_some_and(|id| {
                id.is_number() || id.as_str().is_some_and(|id| !id.trim().is_empty())
            });
            assert!(is_id, "a profile without an id: {text}");
        }
        LoginOutcome::NoSuchUser => assert_eq!(value, Some(Value::Null), "{text}"),
        LoginOutcome::Failed(_) => {}
        other => unreachable!("a value cannot say {other:?}"),
    }
    let done =
        |read: fn(Result<Reply, Failure>) -> ActionOutcome| read(reply()) == ActionOutcome::Done;
    let is_true = value == Some(Value::Bool(true));
    assert!(!done(identifier_changed) || is_true, "{text}");
    for read in [address_verified, password_changed] {
        assert!(
            !done(read) || is_true || text.get().trim_start().starts_with('{'),
            "{text}"
        );
    }
}

/// The reader waits for bytes that are all there: its future is ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => unreachable!("a slice never makes a reader wait"),
    }
}
