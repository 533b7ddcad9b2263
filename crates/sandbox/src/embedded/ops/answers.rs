//! What JavaScript tells the host: answers, late reports, console lines, questions.

use std::rc::Rc;

use rquickjs::{Array, Ctx, Function, Object, Persistent, Result, Value};
use serde_json::value::RawValue;

use super::op;
use crate::embedded::frames::{Outcome, Thrown, ToHost};
use crate::embedded::host::Host;
use crate::embedded::value::{Text, refuse};

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "answerValue",
        move |ctx: Ctx<'js>, number: u32, how: Text, json: Value<'js>| {
            answer_value(&ctx, &shared, number, &how.0, json);
        }
    );
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "answerError",
        move |ctx: Ctx<'js>, number: u32, how: Text, words: Value<'js>| {
            let thrown = thrown(&ctx, &shared, words);
            answer(&shared, number, &how.0, Outcome::Error(thrown));
        }
    );
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "answerBad",
        move |number: u32, how: Text, reason: Text| {
            answer(&shared, number, &how.0, Outcome::Bad(&reason.0));
        }
    );
    install_reports(ctx, native, host)
}

fn install_reports<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "loaded",
        move |ctx: Ctx<'js>, number: u32, words: Value<'js>| {
            let error = is_error(&words).then(|| thrown(&ctx, &shared, words));
            let id = shared.calls.borrow_mut().settle(number);
            if let Some(id) = id {
                shared.send(&ToHost::Loaded { id: &id, error });
            }
        }
    );
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "late",
        move |ctx: Ctx<'js>, number: u32, how: Text, words: Value<'js>| {
            let error = is_error(&words).then(|| thrown(&ctx, &shared, words));
            let calls = shared.calls.borrow();
            shared.send(&ToHost::Late {
                id: calls.id(number),
                how: &how.0,
                error,
            });
        }
    );
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "log",
        move |number: u32, level: Text, line: Text| {
            let calls = shared.calls.borrow();
            shared.send(&ToHost::Log {
                id: calls.open_id(number).unwrap_or_default(),
                level: &level.0,
                msg: &line.0,
            });
        }
    );
    install_ask(ctx, native, host)
}

fn install_ask<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(native, ctx, "ask", move |ctx: Ctx<'js>,
                                  question: Text,
                                  done: Function<'js>|
          -> Result<()> {
        let refused = |message| refuse(&ctx, "ERR_INVALID_ARG_VALUE", message);
        let question = RawValue::from_string(question.0).map_err(|_| refused("not JSON"))?;
        // The host takes a frame that belongs to no call for a forged one.
        if shared.calls.borrow().current_id().is_empty() {
            return Err(refused(
                "the server answers questions only while a call runs",
            ));
        }
        let mut questions = shared.questions.borrow_mut();
        let Some(number) = (1..=64).find(|number| !questions.contains_key(number)) else {
            return Err(refused("too many questions are open"));
        };
        questions.insert(number, Persistent::save(&ctx, done));
        let calls = shared.calls.borrow();
        shared.send(&ToHost::Ask {
            id: calls.current_id(),
            n: number,
            question: &question,
        });
        Ok(())
    });
    Ok(())
}

fn is_error(words: &Value<'_>) -> bool {
    words.is_array()
}

fn answer(host: &Host, number: u32, how: &str, outcome: Outcome<'_>) {
    let id = host.calls.borrow_mut().settle(number);
    if let Some(id) = id {
        host.send(&ToHost::Result {
            id: &id,
            how,
            outcome,
        });
    }
}

/// Answers with JSON. Whatever goes wrong on the way answers too: no call stays without an answer.
fn answer_value<'js>(ctx: &Ctx<'js>, host: &Host, number: u32, how: &str, json: Value<'js>) {
    let text = json.as_string().map(rquickjs::String::to_string);
    let Some(Ok(text)) = text else {
        ctx.catch();
        host.starved.set(true);
        return answer(host, number, how, Outcome::Bad("the result cannot be read"));
    };
    let limit = host.limits.get().result;
    if text.len() > limit {
        let reason = format!("the result is larger than {limit} bytes");
        return answer(host, number, how, Outcome::Bad(&reason));
    }
    match RawValue::from_string(text) {
        Ok(raw) => answer(host, number, how, Outcome::Value(&raw)),
        Err(error) => answer(host, number, how, Outcome::Bad(&error.to_string())),
    }
}

/// An error's words: `[message, name, code, user, stack]`, of which all but the first may be
/// undefined. Unreadable ones are left out: that there *is* an error does not depend on them.
fn thrown<'js>(ctx: &Ctx<'js>, host: &Host, words: Value<'js>) -> Thrown {
    let list: Option<Array<'js>> = words.into_array();
    let word = |index: usize, most: usize| -> Option<String> {
        let value: Value<'js> = list.as_ref()?.get(index).ok()?;
        if !value.is_string() {
            return None;
        }
        let text = value.get::<Text>();
        if text.is_err() {
            ctx.catch();
        }
        text.ok().map(|text| cap(text.0, most))
    };
    let message = word(0, 8192).unwrap_or_else(|| "no reason could be read".to_owned());
    // The engine throws null when it has no memory left for an error object.
    if message == "out of memory" || message == "no reason given (null)" {
        host.starved.set(true);
    }
    Thrown {
        message,
        name: word(1, 128),
        code: word(2, 128),
        user: word(3, 1024),
        stack: word(4, 8192).map(|stack| without_prefix(&stack, host)),
    }
}

fn cap(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

/// A script's first line stands behind words of ours: its columns are counted without them.
fn without_prefix(stack: &str, host: &Host) -> String {
    let prefixes = host.prefixes.borrow();
    let mut text = String::with_capacity(stack.len());
    for line in stack.split_inclusive('\n') {
        text.push_str(&shifted(line, &prefixes).unwrap_or_else(|| line.to_owned()));
    }
    text
}

fn shifted(line: &str, prefixes: &std::collections::HashMap<String, usize>) -> Option<String> {
    let (before, column) = line.rsplit_once(":1:")?;
    let file = before.rsplit(['(', ' ']).next()?;
    let width = prefixes.get(file)?;
    let digits = column
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(column.len());
    let (column, after) = column.split_at_checked(digits)?;
    let column = column.parse::<usize>().ok()?.checked_sub(*width)?;
    Some(format!("{before}:1:{column}{after}"))
}
