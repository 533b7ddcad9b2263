//! What scripts do after their answer changes nothing, and is logged as a warning.

use std::fmt::{Debug, Write};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::rig::{Gate, found, let_go, login, login_script, settings, single};
use script::ScriptPool;

/// Keeps all warnings of the process, as text.
struct Warnings(Mutex<Vec<String>>, watch::Sender<usize>);

static WARNINGS: OnceLock<Warnings> = OnceLock::new();

struct Collector;

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let warnings = warnings();
        warnings.0.lock().unwrap().push(text.0);
        warnings.1.send_modify(|count| *count += 1);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

fn warnings() -> &'static Warnings {
    WARNINGS.get_or_init(|| Warnings(Mutex::default(), watch::Sender::new(0)))
}

/// Starts listening; must come before the scripts of a test run.
fn listen() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Collector).unwrap());
}

/// Waits for a warning about a connection, with some words.
async fn warned(connection: &str, words: &str) {
    let mut news = warnings().1.subscribe();
    let quoted = format!("{connection:?}");
    let seen = || {
        let all = warnings().0.lock().unwrap();
        all.iter()
            .any(|text| text.contains(&quoted) && text.contains(words))
    };
    let wait = async {
        while !seen() {
            news.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .expect("no warning came");
}

#[tokio::test]
async fn what_comes_after_the_answer_is_a_warning() {
    listen();
    let pool = ScriptPool::new(settings());
    for (connection, text, words) in [
        (
            "con_late_twice",
            include_str!("../corpus/double_callback.js"),
            "more than once",
        ),
        (
            "con_late_20ms",
            include_str!("../corpus/double_callback_late.js"),
            "twenty milliseconds later",
        ),
        (
            "con_late_throw",
            include_str!("../corpus/throw_after_callback.js"),
            "after the answer",
        ),
        (
            "con_late_reject",
            include_str!("../corpus/reject_after_callback.js"),
            "after the answer",
        ),
    ] {
        let program = login_script(connection, text);
        assert_eq!(found(login(&pool, &program).await.outcome)["user_id"], 1);
        warned(connection, words).await;
        // The worker survives: nothing of it reaches the next call.
        assert_eq!(found(login(&pool, &program).await.outcome)["user_id"], 1);
    }
}

/// The second callback of one call comes while the next call is open.
#[tokio::test]
async fn a_late_callback_cannot_answer_another_call() {
    listen();
    let pool = single();
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
    warned("con_late_other", "more than once").await;
    let_go(&mut script).await;
    assert_eq!(found(second.await.unwrap())["user_id"], "second");
}
