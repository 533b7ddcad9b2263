//! The shapes that scripts come in, and what is in their scope.

use std::sync::Arc;

use domain::Password;
use script::{Egress, LookupOutcome, Program, ScriptName, ScriptPool};

use crate::rig::{
    Engine, found, login, login_once, on_every_runtime, program, settings, single, with_settings,
};

on_every_runtime! {
    names_are_free,
    login_and_get_user_share_a_worker_and_nothing_else,
    context_comes_before_the_callback,
    configuration_is_in_scope_at_the_top_and_in_calls,
    odd_passwords_arrive_as_they_were_typed,
    the_error_classes_are_errors,
}

/// Connection and script: each gives the profile `{ user_id: 1 }`.
const SHAPES: &[(&str, &str)] = &[
    (
        "con_name",
        "function whatever(a, b, c) { c(null, { user_id: 1 }) }",
    ),
    (
        "con_anonymous",
        "function (a, b, c) { c(null, { user_id: 1 }) }",
    ),
    (
        "con_async_anonymous",
        "async function (a, b, c) { c(null, { user_id: 1 }) };\n",
    ),
    ("con_arrow", "(a, b, c) => { c(null, { user_id: 1 }) }"),
    (
        "con_async_arrow",
        "// a comment\nasync (a, b, c) => c(null, { user_id: 1 }); \n",
    ),
    (
        "con_const",
        "const check = async (a, b, c) => { c(null, { user_id: 1 }) };",
    ),
    (
        "con_exports",
        "module.exports = function (a, b, c) { c(null, { user_id: 1 }) }",
    ),
    (
        "con_strict",
        "'use strict';\nfunction login(a, b, c) { c(null, { user_id: 1 }) }",
    ),
    (
        "con_unicode",
        "function prüfe(a, b, c) { c(null, { user_id: 1 }) }",
    ),
    (
        "con_helper_first",
        "function helper() { return 1 }\nfunction main(a, b, c) { c(null, { user_id: helper() }) }",
    ),
    (
        "con_helper_last",
        "function login(a, b, c) { c(null, { user_id: helper() }) }\nfunction helper() { return 1 }",
    ),
    (
        "con_helper_const",
        "function main(a, b, c) { c(null, { user_id: helper() }) }\nconst helper = () => 1;",
    ),
    (
        "con_nested",
        "function main(a, b, c) { function inner(d) { d(null, { user_id: 1 }) }\n inner(c) }
             // function if() and function fetch() are words in a comment",
    ),
    (
        "con_required",
        "function main(a, b, c) { c(null, { user_id: 1 }) }
             const { inspect } = require('util'); const assert = (0, require)('assert');",
    ),
];

async fn names_are_free(engine: Engine) {
    for (connection, text) in SHAPES {
        let profile = found(login_once(engine, connection, text).await);
        assert_eq!(profile["user_id"], 1, "{connection}");
    }
}

async fn login_and_get_user_share_a_worker_and_nothing_else(engine: Engine) {
    let pool = single(engine);
    let program = program(
        "con_both_scripts",
        &[
            (
                ScriptName::Login,
                "let calls = 0;
                 function login(a, b, c) { calls += 1; global.seen = 'by login'; c(null, { user_id: calls }) }",
            ),
            (
                ScriptName::GetUser,
                "let calls = 0;
                 function getUser(a, c) { calls += 1; c(null, { user_id: calls, seen: global.seen }) }",
            ),
        ],
    );
    assert_eq!(found(login(&pool, &program).await.outcome)["user_id"], 1);
    assert_eq!(found(login(&pool, &program).await.outcome)["user_id"], 2);
    let LookupOutcome::Found(profile) = pool.get_user(&program, "ann").await.outcome else {
        panic!("not found")
    };
    assert_eq!(profile["user_id"], 1);
    assert_eq!(profile["seen"], "by login");
}

async fn context_comes_before_the_callback(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let scripts = [
        (
            ScriptName::Login,
            "function login(email, password, context, callback) {
                callback(null, { user_id: email, context, args: arguments.length })
            }",
        ),
        (
            ScriptName::GetUser,
            "function getUser(email, context, callback) {
                callback(null, { user_id: email, context, args: arguments.length })
            }",
        ),
    ];
    let program = Arc::new(Program {
        connection: "con_context".into(),
        scripts: scripts.map(|(name, text)| (name, text.to_owned())).into(),
        configuration: [].into(),
        script_context: true,
        egress: Egress::default(),
        runtime: None,
    });
    let profile = found(
        pool.login(&program, "ann", &Password::from("p"))
            .await
            .outcome,
    );
    assert_eq!(
        (&profile["context"], &profile["args"]),
        (&serde_json::json!({}), &4.into())
    );
    let LookupOutcome::Found(profile) = pool.get_user(&program, "ann").await.outcome else {
        panic!("not found")
    };
    assert_eq!(
        (&profile["context"], &profile["args"]),
        (&serde_json::json!({}), &3.into())
    );
}

async fn configuration_is_in_scope_at_the_top_and_in_calls(engine: Engine) {
    let text = "const atTheTop = configuration.SECRET;
        configuration.SECRET = 'changed';
        function login(a, b, callback) {
            const fromHelper = read();
            configuration = {};
            callback(null, { user_id: 1, atTheTop, fromHelper });
        }
        function read() { return configuration.SECRET }";
    let program = with_settings(
        "con_configuration",
        &[(ScriptName::Login, text)],
        &[("SECRET", "\"quoted\" \u{2028} \\ é")],
    );
    let pool = single(engine);
    for _ in 0..2 {
        let profile = found(login(&pool, &program).await.outcome);
        assert_eq!(profile["atTheTop"], "\"quoted\" \u{2028} \\ é");
        assert_eq!(profile["fromHelper"], "\"quoted\" \u{2028} \\ é");
    }
}

async fn odd_passwords_arrive_as_they_were_typed(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let program = program(
        "con_odd",
        &[(
            ScriptName::Login,
            "function login(email, password, callback) { callback(null, { user_id: 1, password }) }",
        )],
    );
    for password in [
        "",
        "\0\u{1}\u{7f}",
        "\"}{\\",
        "🔑\u{2028}",
        &"\0".repeat(50_000),
    ] {
        let call = pool.login(&program, "ann", &Password::from(password)).await;
        assert_eq!(found(call.outcome)["password"], password);
    }
}

async fn the_error_classes_are_errors(engine: Engine) {
    let text = "function login(a, b, callback) {
        const e = new ValidationError('username', 'taken');
        callback(null, { user_id: 1, said: [e instanceof Error, e.name, e.message, e.code,
            new WrongUsernameOrPasswordError('a', 'b').name, String(e),
            new UnauthorizedError('c').message] });
    }";
    let said = &found(login_once(engine, "con_classes", text).await)["said"];
    let expected = serde_json::json!([
        true,
        "ValidationError",
        "taken",
        "username",
        "WrongUsernameOrPasswordError",
        "ValidationError: taken",
        "c"
    ]);
    assert_eq!(said, &expected);
}
