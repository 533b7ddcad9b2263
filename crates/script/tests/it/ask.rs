//! `require('ferry/password')`: what scripts may ask the host while they run.

use std::sync::Arc;

use script::{ForeignVerifier, PasswordQuestion, PoolSettings, ScriptPool, Verdict};
use serde_json::json;

use crate::rig::{Engine, failed, found, login, login_script, on_every_runtime, settings};

on_every_runtime! {
    scripts_verify_with_the_host_s_verifier,
    a_question_after_the_answer_is_not_heard,
    a_server_without_a_verifier_says_so,
}

/// Says yes to the hash that is the password backwards.
struct Backwards;

impl ForeignVerifier for Backwards {
    fn verify(&self, question: PasswordQuestion) -> Verdict<'_> {
        Box::pin(async move {
            if question.hash.is_empty() {
                return Err("the hash is empty".to_owned());
            }
            let salt = question
                .options
                .map_or(String::new(), |json| json.get().to_owned());
            let hash: String = question.password.expose().chars().rev().collect();
            Ok(question.hash == hash + &salt)
        })
    }
}

fn pool(engine: Engine) -> ScriptPool {
    ScriptPool::new(PoolSettings {
        verifier: Some(Arc::new(Backwards)),
        ..settings(engine)
    })
}

async fn scripts_verify_with_the_host_s_verifier(engine: Engine) {
    let text = r"async function login(email, password, callback) {
        const { verify } = require('ferry/password');
        const yes = await verify(password, 'drowssäp');
        const no = await verify(password, 'other');
        const salted = await verify(password, 'drowssäp{\u0022salt\u0022:1}', { salt: 1 });
        const refused = await verify(password, '').catch((error) => error.message);
        const odd = await verify(password, null).catch((error) => error.message);
        const many = await Promise.all([1, 2, 3, 4, 5].map(() => verify(password, 'drowssäp')));
        verify(password, 'drowssäp', (error, called) =>
            callback(error, { user_id: 1, yes, no, salted, refused, odd, many, called }));
    }";
    let profile = found(
        login(&pool(engine), &login_script("con_ask", text))
            .await
            .outcome,
    );
    assert_eq!(
        serde_json::Value::Object(profile),
        json!({
            "user_id": 1, "yes": true, "no": false, "salted": true, "refused": "the hash is empty",
            "odd": "verify takes a password and a hash, both texts",
            "many": [true, true, true, true, true], "called": true,
        })
    );
}

async fn a_question_after_the_answer_is_not_heard(engine: Engine) {
    let text = "function login(email, password, callback) {
        callback(null, { user_id: 1, late: String(global.late) });
        require('ferry/password').verify(password, 'x').catch((error) => { global.late = error.message; });
    }";
    let (pool, program) = (pool(engine), login_script("con_ask_late", text));
    login(&pool, &program).await;
    let second = found(login(&pool, &program).await.outcome);
    assert_eq!(
        second["late"],
        "the server answers questions only while a call runs"
    );
}

async fn a_server_without_a_verifier_says_so(engine: Engine) {
    let text = "async function login(email, password) {
        await require('ferry/password').verify(password, 'x');
    }";
    let pool = ScriptPool::new(settings(engine));
    let failure = failed(
        login(&pool, &login_script("con_ask_nobody", text))
            .await
            .outcome,
    );
    assert!(
        failure.message.contains("verifies no passwords"),
        "{failure}"
    );
}
