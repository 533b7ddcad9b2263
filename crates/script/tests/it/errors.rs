//! What scripts say, and what it means: the error classes, the absence of a profile, no script.

use std::sync::Arc;

use script::{
    Egress, FailureKind, LoginOutcome, LookupOutcome, Program, ProgramError, ScriptName, ScriptPool,
};

use crate::rig::{
    Engine, failed, found, login, login_once, login_script, look_up_once, on_every_runtime,
    program, settings,
};

on_every_runtime! {
    a_wrong_password_is_what_the_script_calls_one,
    a_refusal_keeps_its_words,
    any_other_error_is_nobody_s_wrong_password,
    no_profile_is_no_user,
    what_is_no_profile_is_a_bad_reply,
    a_lookup_fails_with_every_error,
    a_lookup_gives_a_profile,
    a_script_that_cannot_be_read_says_where,
    a_script_must_define_a_function,
    a_missing_script_starts_no_worker,
    a_script_of_more_than_100_kilobytes_is_refused,
}

/// A login script of one statement.
async fn saying(engine: Engine, connection: &str, statement: &str) -> LoginOutcome {
    let text = format!("function login(email, password, callback) {{ {statement} }}");
    login_once(engine, connection, &text).await
}

async fn a_wrong_password_is_what_the_script_calls_one(engine: Engine) {
    let said = saying(
        engine,
        "con_wrong",
        "callback(new WrongUsernameOrPasswordError(email, 'no such luck'))",
    );
    let expected = LoginOutcome::WrongPassword {
        user: Some("ann@example.com".into()),
        message: Some("no such luck".into()),
    };
    assert_eq!(said.await, expected);
    let bare = LoginOutcome::WrongPassword {
        user: None,
        message: None,
    };
    assert_eq!(
        saying(
            engine,
            "con_wrong_bare",
            "callback(new WrongUsernameOrPasswordError())"
        )
        .await,
        bare
    );
    // By its name, wherever the class came from, and however it arrived.
    let own = "const e = new Error(''); e.name = 'WrongUsernameOrPasswordError'; throw e;";
    assert_eq!(saying(engine, "con_wrong_own", own).await, bare);
}

async fn a_refusal_keeps_its_words(engine: Engine) {
    let refused = |name: &str, code: Option<&str>, message: &str| LoginOutcome::Refused {
        name: name.into(),
        code: code.map(Into::into),
        message: message.into(),
    };
    let said = saying(
        engine,
        "con_unauthorized",
        "callback(new UnauthorizedError('verify first'))",
    )
    .await;
    assert_eq!(said, refused("UnauthorizedError", None, "verify first"));
    let said = saying(
        engine,
        "con_validation",
        "callback(new ValidationError('code', 'words'))",
    )
    .await;
    assert_eq!(said, refused("ValidationError", Some("code"), "words"));
    let said = saying(
        engine,
        "con_validation_1",
        "callback(new ValidationError('words'))",
    )
    .await;
    assert_eq!(said, refused("ValidationError", Some("words"), "words"));
}

async fn any_other_error_is_nobody_s_wrong_password(engine: Engine) {
    for (connection, statement, words) in [
        (
            "con_error",
            "callback(new Error('boom'))",
            "Error: boom at login.js:1:",
        ),
        ("con_text", "callback('boom')", "boom"),
        (
            "con_object",
            "callback({ reason: 'boom' })",
            "{ reason: 'boom' }",
        ),
        ("con_empty", "callback('')", ""),
        ("con_zero", "callback(0)", "0"),
        (
            "con_both",
            "callback(new Error('boom'), { user_id: 1 })",
            "boom",
        ),
        (
            "con_code",
            "callback(Object.assign(new Error('boom'), { code: 42703 }))",
            "Error: boom (42703)",
        ),
    ] {
        let failure = failed(saying(engine, connection, statement).await);
        assert_eq!(failure.kind, FailureKind::Thrown, "{connection}");
        assert!(failure.message.contains(words), "{connection}: {failure}");
    }
}

async fn no_profile_is_no_user(engine: Engine) {
    for (connection, statement) in [
        ("con_none", "callback()"),
        ("con_null", "callback(null)"),
        ("con_null_null", "callback(null, null)"),
        ("con_undefined", "callback(undefined, undefined)"),
    ] {
        assert_eq!(
            saying(engine, connection, statement).await,
            LoginOutcome::NoSuchUser,
            "{connection}"
        );
    }
    let lookup = look_up_once(
        engine,
        "con_look_none",
        "function getByEmail(email, callback) { callback() }",
    );
    assert_eq!(lookup.await, LookupOutcome::NotFound);
}

async fn what_is_no_profile_is_a_bad_reply(engine: Engine) {
    for (connection, value, words) in [
        ("con_array", "[{ user_id: 1 }]", "an array"),
        ("con_true", "true", "a boolean"),
        ("con_false", "false", "a boolean"),
        ("con_zero_value", "0", "a number"),
        ("con_words", "'user'", "a string"),
        ("con_function", "() => 1", "the result is a function"),
        ("con_date", "new Date()", "a string"),
        ("con_nan", "{ user_id: NaN }", "user_id is missing"),
        ("con_no_id", "{ email }", "user_id is missing"),
        (
            "con_id_object",
            "{ user_id: {} }",
            "neither a string nor a number",
        ),
    ] {
        let failure = failed(saying(engine, connection, &format!("callback(null, {value})")).await);
        assert_eq!(
            failure.kind,
            FailureKind::BadReply,
            "{connection}: {failure}"
        );
        assert!(failure.message.contains(words), "{connection}: {failure}");
    }
}

async fn a_lookup_fails_with_every_error(engine: Engine) {
    for (connection, statement) in [
        (
            "con_look_wrong",
            "callback(new WrongUsernameOrPasswordError(email))",
        ),
        (
            "con_look_refused",
            "callback(new ValidationError('a', 'b'))",
        ),
        ("con_look_reject", "return Promise.reject()"),
        ("con_look_timer", "setTimeout(() => { throw null }, 1)"),
    ] {
        let text = format!("function getByEmail(email, callback) {{ {statement} }}");
        let LookupOutcome::Failed(failure) = look_up_once(engine, connection, &text).await else {
            panic!("{connection}")
        };
        assert_eq!(failure.kind, FailureKind::Thrown, "{connection}: {failure}");
    }
}

async fn a_lookup_gives_a_profile(engine: Engine) {
    let text =
        "async function getUser(email, callback) { callback(null, { user_id: 'a', email }) }";
    let LookupOutcome::Found(profile) = look_up_once(engine, "con_look", text).await else {
        panic!("not found")
    };
    assert_eq!(profile["email"], "ann@example.com");
}

async fn a_script_that_cannot_be_read_says_where(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let broken = "function login(email, password, callback) {\n  callback(null,, 1);\n}";
    let program = program(
        "con_syntax",
        &[
            (ScriptName::Login, broken),
            (
                ScriptName::GetUser,
                "function getUser(email, callback) { callback() }",
            ),
        ],
    );
    for _ in 0..2 {
        let failure = failed(login(&pool, &program).await.outcome);
        assert_eq!(failure.kind, FailureKind::Load);
        assert!(failure.message.contains("SyntaxError"), "{failure}");
        assert!(failure.message.contains("login.js:2"), "{failure}");
    }
    // The other scripts of the connection are none the worse for it.
    assert_eq!(
        pool.get_user(&program, "ann").await.outcome,
        LookupOutcome::NotFound
    );
}

async fn a_script_must_define_a_function(engine: Engine) {
    for (connection, text, words) in [
        ("con_comment", "// nothing here", "defines no function"),
        ("con_value", "const login = 7;", "defines no function"),
        ("con_throws", "throw new Error('at the top')", "at the top"),
    ] {
        let failure = failed(login_once(engine, connection, text).await);
        assert_eq!(failure.kind, FailureKind::Load, "{connection}");
        assert!(failure.message.contains(words), "{connection}: {failure}");
    }
}

async fn a_missing_script_starts_no_worker(engine: Engine) {
    let program = program("con_missing", &[(ScriptName::GetUser, " \n")]);
    let pool = ScriptPool::new(settings(engine));
    let failure = failed(login(&pool, &program).await.outcome);
    assert_eq!(failure.kind, FailureKind::Missing);
    assert!(failure.message.contains("implement the login script"));
    let LookupOutcome::Failed(failure) = pool.get_user(&program, "ann").await.outcome else {
        panic!("a blank script was called")
    };
    assert_eq!(failure.kind, FailureKind::Missing);
}

async fn a_script_of_more_than_100_kilobytes_is_refused(engine: Engine) {
    let text = |length: usize| {
        let script =
            "function login(email, password, callback) { callback(null, { user_id: 1 }) }//";
        format!("{script}{}", "x".repeat(length - script.len()))
    };
    let pool = ScriptPool::new(settings(engine));
    let longest = login_script("con_longest", &text(102_400));
    found(login(&pool, &longest).await.outcome);

    let scripts = [(ScriptName::Login, text(102_401))].into();
    let refused = Program::new("con_long".into(), scripts, [].into(), false).unwrap_err();
    let expected = ProgramError::TooLong {
        name: ScriptName::Login,
        length: 102_401,
    };
    assert_eq!(refused, expected);

    let smuggled = Arc::new(Program {
        connection: "con_smuggled".into(),
        scripts: [(ScriptName::Login, text(102_401))].into(),
        configuration: [].into(),
        script_context: false,
        egress: Egress::default(),
        runtime: None,
    });
    assert_eq!(
        failed(login(&pool, &smuggled).await.outcome).kind,
        FailureKind::Load
    );
}
