//! What a script may give: JSON, not too much of it, whatever the script did to JSON itself.

use serde_json::json;

use crate::rig::{login, run};

#[test]
fn a_profile_comes_as_it_was_given() {
    let reply = run(&login(
        "callback(null, { user_id: 1, email, password, secret: configuration.SECRET, half: 'a\\ud800b', nothing: undefined });",
    ));
    let expected = json!({"user_id": 1, "email": "ann@example.com", "password": "pässword", "secret": "s", "half": "a\u{fffd}b"});
    assert_eq!(reply.value(), &expected);
}

#[test]
fn nothing_is_null() {
    for body in [
        "callback();",
        "callback(null);",
        "callback(undefined, undefined);",
    ] {
        assert_eq!(run(&login(body)).value(), &json!(null));
    }
}

#[test]
fn breaking_json_and_prototypes_breaks_nothing_of_ours() {
    let reply = run(&login(
        "JSON.stringify = () => '\"hacked\"';
         JSON.parse = () => ({ t: 'hacked' });
         Array.prototype.map = Array.prototype.push = null;
         String.prototype.slice = String.prototype.toWellFormed = () => 'hacked';
         Uint8Array.prototype.toBase64 = () => 'hacked';
         Function.prototype.call = Function.prototype.apply = () => 'hacked';
         Promise.prototype.then = null;
         Reflect.apply = null;
         Object.defineProperty(Object.prototype, 'get', { value: () => 'hacked', configurable: true });
         setTimeout(() => callback(null, { user_id: 1 }), 1);",
    ));
    assert_eq!(reply.value(), &json!({"user_id": 1}));
}

/// Values that cannot be sent, and some words of why.
macro_rules! bad {
    ($($name:ident: $words:literal, $body:literal;)+) => {$(
        #[test]
        fn $name() {
            let reply = run(&login($body));
            assert!(reply.bad().contains($words), "{}", reply.bad());
        }
    )+};
}

bad! {
    a_huge_result: "larger than 1048576 bytes", "callback(null, { user_id: 'x'.repeat(20 << 20) });";
    a_large_result: "larger than 1048576 bytes", "callback(null, { user_id: 1, list: new Array(200000).fill('abcdefg') });";
    a_result_large_only_in_utf8: "larger than 1048576 bytes", "callback(null, { user_id: 'ä'.repeat(700000) });";
    a_cyclic_result: "circular", "const a = {}; a.a = a; callback(null, a);";
    a_big_integer: "BigInt", "callback(null, { user_id: 1n });";
    a_function: "function", "callback(null, () => 1);";
    a_to_json_that_throws: "none", "callback(null, { toJSON() { throw new Error('none'); } });";
    a_proxy_that_throws: "trapped", "callback(null, new Proxy({}, { ownKeys() { throw new Error('trapped'); } }));";
}

#[test]
fn console_lines_have_a_budget() {
    let reply = run(&login(
        "console.log('first', { a: 1 }); console.error('second');
         for (let i = 0; i < 2000; i += 1) console.log('x'.repeat(100));
         callback(null, { user_id: 1 });",
    ));
    assert_eq!(
        reply.lines[0],
        ("log".to_owned(), "first { a: 1 }".to_owned())
    );
    assert_eq!(reply.lines[1], ("error".to_owned(), "second".to_owned()));
    assert_eq!(reply.lines.last().unwrap().1, "[log truncated]");
    let total: usize = reply.lines.iter().map(|line| line.1.len()).sum();
    assert!(total <= 64 << 10, "{total}");
    assert_eq!(reply.value(), &json!({"user_id": 1}));
}

#[test]
fn a_line_that_cannot_be_printed_is_said_to_be_so() {
    let reply = run(&login(
        "const trap = { get() { throw new Error('no'); } };
         console.log('%s', { [Symbol.toPrimitive]() { throw new Error('no'); }, toString: new Proxy(() => 1, trap) }, new Proxy({}, trap));
         callback(null, { user_id: 1 });",
    ));
    assert_eq!(reply.lines.len(), 1);
}
