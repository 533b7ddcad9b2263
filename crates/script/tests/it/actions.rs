//! The scripts that change something: what they are given, and what their answers mean.

use std::sync::Arc;

use domain::Password;
use script::{
    ActionOutcome, FailureKind, Program, ScriptName, ScriptPool, ScriptRefusal, UserToCreate,
};
use serde_json::{Value, json};

use crate::rig::{Engine, hasty, on_every_runtime, program, settings};

on_every_runtime! {
    each_script_gets_its_documented_arguments,
    context_comes_behind_the_arguments,
    no_error_of_whatever_kind_is_success,
    what_is_no_answer_is_a_failure,
    nothing_changed_is_an_answer,
    a_refusal_keeps_its_code_and_words,
    a_missing_script_is_named,
}

const NAMES: [ScriptName; 7] = [
    ScriptName::Create,
    ScriptName::Verify,
    ScriptName::ChangePassword,
    ScriptName::ChangeEmail,
    ScriptName::Delete,
    ScriptName::ChangeUsername,
    ScriptName::ChangePhoneNumber,
];

const HOSTILE: &str = "\"}\\\0🔑\u{2028}";

/// Calls a script as the engine does; gives the outcome and the console's first line.
async fn call(
    pool: &ScriptPool,
    program: &Arc<Program>,
    name: ScriptName,
) -> (ActionOutcome, Option<String>) {
    let password = Password::from(HOSTILE);
    let Value::Object(members) = json!({"email": "ann@example.com", "app_metadata": {"a": [1]}})
    else {
        unreachable!()
    };
    let user = UserToCreate {
        members: &members,
        password: Some(&password),
    };
    let call = match name {
        ScriptName::Create => pool.create(program, &user).await,
        ScriptName::Verify => pool.verify(program, "ann@example.com").await,
        ScriptName::ChangePassword => {
            pool.change_password(program, "ann@example.com", &password)
                .await
        }
        ScriptName::ChangeEmail => {
            pool.change_email(program, "ann@example.com", "new@example.com", true)
                .await
        }
        ScriptName::Delete => pool.delete(program, "7").await,
        ScriptName::ChangeUsername => pool.change_username(program, "7", Some("ann")).await,
        ScriptName::ChangePhoneNumber => pool.change_phone_number(program, "7", None, false).await,
        ScriptName::Login | ScriptName::GetUser => unreachable!(),
    };
    (
        call.outcome,
        call.log.into_iter().next().map(|line| line.message),
    )
}

/// All seven scripts, each of one statement; `callback` is the last argument.
fn saying(connection: &str, statement: &str) -> Arc<Program> {
    let text =
        format!("function act(...args) {{ const callback = args[args.length - 1]; {statement} }}");
    program(connection, &NAMES.map(|name| (name, text.as_str())))
}

async fn each_script_gets_its_documented_arguments(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let words = "console.log(JSON.stringify(args.slice(0, -1))); callback(null, true)";
    let program = saying("con_arguments", words);
    for (name, expected) in [
        (
            ScriptName::Create,
            json!([{"email": "ann@example.com", "app_metadata": {"a": [1]}, "password": HOSTILE}]),
        ),
        (ScriptName::Verify, json!(["ann@example.com"])),
        (
            ScriptName::ChangePassword,
            json!(["ann@example.com", HOSTILE]),
        ),
        (
            ScriptName::ChangeEmail,
            json!(["ann@example.com", "new@example.com", true]),
        ),
        (ScriptName::Delete, json!(["7"])),
        (ScriptName::ChangeUsername, json!(["7", "ann"])),
        (ScriptName::ChangePhoneNumber, json!(["7", null, false])),
    ] {
        let (outcome, line) = call(&pool, &program, name).await;
        assert_eq!(outcome, ActionOutcome::Done, "{name}");
        let arguments: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert_eq!(arguments, expected, "{name}");
    }
}

async fn context_comes_behind_the_arguments(engine: Engine) {
    let text = "function create(user, context, callback) {
        if (user.email && Object.keys(context).length === 0) callback(null);
    }";
    let program = Arc::new(Program {
        connection: "con_action_context".into(),
        scripts: [(ScriptName::Create, text.to_owned())].into(),
        configuration: [].into(),
        script_context: true,
        egress: script::Egress::default(),
        runtime: None,
    });
    let pool = ScriptPool::new(settings(engine));
    let (outcome, _) = call(&pool, &program, ScriptName::Create).await;
    assert_eq!(outcome, ActionOutcome::Done);
}

async fn no_error_of_whatever_kind_is_success(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    for (number, statement) in [
        "throw null",
        "throw undefined",
        "throw false",
        "return Promise.reject()",
        "return Promise.reject(null)",
        "setTimeout(() => { throw null }, 1)",
        "Promise.reject(undefined)",
        "callback(false)",
        "callback(0, true)",
        "callback('')",
        "callback(new Error('boom'), true)",
        "callback(new WrongUsernameOrPasswordError('ann'))",
        "return { then(yes, no) { no() } }",
    ]
    .into_iter()
    .enumerate()
    {
        let program = saying(&format!("con_open_{number}"), statement);
        for name in NAMES {
            match call(&pool, &program, name).await.0 {
                ActionOutcome::Failed(failure) => {
                    assert_eq!(failure.kind, FailureKind::Thrown, "{statement}: {failure}");
                }
                other => panic!("{name}: {statement} gives {other:?}"),
            }
        }
    }
}

async fn what_is_no_answer_is_a_failure(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    for (number, value) in ["7", "'true'", "[true]", "() => true", "1n", "new Date()"]
        .into_iter()
        .enumerate()
    {
        let statement = format!("callback(null, {value})");
        let program = saying(&format!("con_no_answer_{number}"), &statement);
        for name in NAMES {
            match call(&pool, &program, name).await.0 {
                ActionOutcome::Failed(failure) => {
                    assert_eq!(failure.kind, FailureKind::BadReply, "{value}: {failure}");
                }
                other => panic!("{name}: {value} gives {other:?}"),
            }
        }
    }
    // A value that is returned, and not called back with, is none either.
    for (connection, statement) in [
        ("con_returned", "return true"),
        ("con_fulfilled", "return Promise.resolve(true)"),
    ] {
        match call(
            &hasty(engine),
            &saying(connection, statement),
            ScriptName::ChangePassword,
        )
        .await
        .0
        {
            ActionOutcome::Failed(failure) => assert_eq!(failure.kind, FailureKind::Timeout),
            other => panic!("{statement} gives {other:?}"),
        }
    }
}

async fn nothing_changed_is_an_answer(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let (no, nothing) = (
        saying("con_false", "callback(null, false)"),
        saying("con_undefined", "callback(null)"),
    );
    for name in NAMES {
        let (outcome, _) = call(&pool, &no, name).await;
        assert_eq!(outcome, ActionOutcome::NotChanged, "{name}");
        // `callback(null)` is what the templates of these two say when all went well.
        let is_done = matches!(name, ScriptName::Create | ScriptName::Delete);
        let expected = if is_done {
            ActionOutcome::Done
        } else {
            ActionOutcome::NotChanged
        };
        assert_eq!(call(&pool, &nothing, name).await.0, expected, "{name}");
    }
}

async fn a_refusal_keeps_its_code_and_words(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let refused = |name: &str, code: Option<&str>, message: &str| {
        ActionOutcome::Refused(ScriptRefusal {
            name: name.into(),
            code: code.map(Into::into),
            message: message.into(),
        })
    };
    let exists = saying(
        "con_exists",
        "callback(new ValidationError('user_exists', 'my error message'))",
    );
    let thrown = saying(
        "con_unauthorized_action",
        "throw new UnauthorizedError('not you')",
    );
    for name in NAMES {
        assert_eq!(
            call(&pool, &exists, name).await.0,
            refused("ValidationError", Some("user_exists"), "my error message")
        );
        assert_eq!(
            call(&pool, &thrown, name).await.0,
            refused("UnauthorizedError", None, "not you")
        );
    }
}

async fn a_missing_script_is_named(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let program = program("con_no_actions", &[]);
    for name in NAMES {
        match call(&pool, &program, name).await.0 {
            ActionOutcome::Failed(failure) => {
                assert_eq!(failure.kind, FailureKind::Missing);
                assert!(failure.message.contains(name.as_str()), "{failure}");
            }
            other => panic!("{name} gives {other:?}"),
        }
    }
}
