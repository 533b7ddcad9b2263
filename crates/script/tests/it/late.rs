//! What scripts do after their answer changes nothing, and can be watched.

use std::sync::Arc;
use std::time::Duration;

use script::{Happening, ScriptEvent, ScriptPool};
use tokio::sync::broadcast::Receiver;

use crate::rig::{
    Engine, Gate, found, let_go, login, login_script, on_every_runtime, settings, single,
};

on_every_runtime! {
    what_comes_after_the_answer_is_seen_and_changes_nothing,
    a_late_callback_cannot_answer_another_call,
}

/// Waits for what a script did too late: how, and in which words.
async fn late(news: &mut Receiver<Arc<ScriptEvent>>, connection: &str) -> (String, String) {
    let wait = async {
        loop {
            let event = news.recv().await.unwrap();
            if let (Happening::Late { how, error }, true) =
                (&event.what, event.connection.as_str() == connection)
            {
                return (how.clone(), error.clone().unwrap_or_default());
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .expect("nothing came")
}

async fn what_comes_after_the_answer_is_seen_and_changes_nothing(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let mut news = pool.watch();
    for (connection, text, how, words) in [
        (
            "con_late_twice",
            include_str!("../corpus/double_callback.js"),
            "callback",
            "",
        ),
        (
            "con_late_20ms",
            include_str!("../corpus/double_callback_late.js"),
            "callback",
            "twenty milliseconds later",
        ),
        (
            "con_late_throw",
            include_str!("../corpus/throw_after_callback.js"),
            "throw",
            "",
        ),
        (
            "con_late_reject",
            include_str!("../corpus/reject_after_callback.js"),
            "reject",
            "",
        ),
    ] {
        let program = login_script(connection, text);
        assert_eq!(found(login(&pool, &program).await.outcome)["user_id"], 1);
        let (seen, error) = late(&mut news, connection).await;
        assert_eq!(seen, how);
        assert!(error.contains(words), "{error}");
        // The worker survives: nothing of it reaches the next call.
        assert_eq!(found(login(&pool, &program).await.outcome)["user_id"], 1);
    }
}

/// The second callback of one call comes while the next call is open.
async fn a_late_callback_cannot_answer_another_call(engine: Engine) {
    let pool = single(engine);
    let mut news = pool.watch();
    let gate = Gate::new().await;
    let text = "function login(email, password, callback) {
        const earlier = global.earlier;
        global.earlier = callback;
        if (!earlier) return callback(null, { user_id: 'first' });
        earlier(null, { user_id: 'forged' });
        earlier(new WrongUsernameOrPasswordError('forged'));
        require('net').connect(configuration.PORT, '127.0.0.1')
            .on('data', () => callback(null, { user_id: 'second' }));
    }";
    let program = gate.program("con_late_other", text);
    assert_eq!(
        found(login(&pool, &program).await.outcome)["user_id"],
        "first"
    );
    let second = tokio::spawn(async move { login(&pool, &program).await.outcome });
    let mut script = gate.arrival().await;
    assert_eq!(late(&mut news, "con_late_other").await.0, "callback");
    let_go(&mut script).await;
    assert_eq!(found(second.await.unwrap())["user_id"], "second");
}
