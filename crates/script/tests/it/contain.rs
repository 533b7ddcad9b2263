//! Scripts that try to get out: `tests/corpus/contain.js`, on every runtime, each confined as in the
//! server. These tests need a kernel with Landlock that knows ports (6.7 or newer).
//!
//! The test run prints a table of what each script met (`cargo nextest run --no-capture contain`).

use std::process::{Command, Stdio};
use std::time::Duration;

use script::{
    EmbeddedRuntime, FailureKind, Isolation, LoginOutcome, PoolSettings, Runtime, ScriptPool,
    self_test,
};
use tokio::io::AsyncReadExt;

use crate::rig::{
    COUNT, Engine, Gate, death, example, failed, found, launcher, login, login_script, n, node,
    on_node, open_folder, settings,
};

/// What a script must meet.
enum Meets {
    /// An error with one of these words in it.
    Refusal(&'static [&'static str]),
    /// No more memory: an error, or the end of its process.
    NoMemory,
    /// The deadline, or the end of its process before.
    End,
    /// The end of its process, or that there is nothing to write to.
    Unheard,
}

use Meets::{End, NoMemory, Refusal, Unheard};

/// How an engine says that a script is at its end.
const SPENT: [&str; 2] = ["Script execution time exceeded", "out of memory"];

/// The corpus, in its order.
const CASES: &[(&str, Meets)] = &[
    ("memory_bomb", NoMemory),
    ("memory_bomb_buffer", NoMemory),
    ("thread_bomb", NoMemory),
    ("infinite_loop", End),
    ("infinite_microtask", End),
    ("regex_redos", End),
    ("read_users", Refusal(&["EACCES"])),
    ("read_secrets", Refusal(&["EACCES"])),
    ("list_home", Refusal(&["EACCES"])),
    ("list_processes", Refusal(&["EACCES"])),
    ("read_environment", Refusal(&["EACCES"])),
    ("read_parent_environment", Refusal(&["EACCES"])),
    ("write_tmp", Refusal(&["EACCES"])),
    ("write_here", Refusal(&["EACCES"])),
    ("link_here", Refusal(&["EACCES"])),
    ("spawn", Refusal(&["EPERM"])),
    ("spawn_around_require", Refusal(&["EPERM"])),
    ("spawn_by_binding", Refusal(&["EPERM"])),
    ("fork_by_cluster", Refusal(&["EPERM"])),
    ("signal_parent", Refusal(&["EPERM"])),
    ("signal_everybody", Refusal(&["EPERM"])),
    ("listen", Refusal(&["EACCES", "EPERM"])),
    ("local_socket", Refusal(&["EACCES", "EPERM"])),
    ("forge_frame", Unheard),
];

/// A runtime, its settings, and what it says of an API that it does not have.
type Candidate = (&'static str, PoolSettings, &'static [&'static str]);

fn runtimes() -> Vec<Candidate> {
    // Node has them all: what the system refuses is all that holds it.
    let embedded = Runtime::Embedded(EmbeddedRuntime::default());
    let embedded = PoolSettings::new(launcher(), embedded);
    vec![
        ("node", on_node(None), &[]),
        (
            "embedded",
            embedded,
            &["is not available", "Cannot find module", "not a function"],
        ),
    ]
}

/// The corpus by name.
fn scripts() -> Vec<(&'static str, &'static str)> {
    let text = include_str!("../corpus/contain.js");
    let parts = text.split("\n//# ").skip(1);
    parts.map(|part| part.split_once('\n').unwrap()).collect()
}

/// What a failure must be, told in the table's words; `None` when it is something else.
fn meets(expected: &Meets, outcome: &LoginOutcome, absent: &[&str]) -> Option<&'static str> {
    let LoginOutcome::Failed(failure) = outcome else {
        return None;
    };
    let is_ended = matches!(failure.kind, FailureKind::Timeout | FailureKind::Crashed);
    match expected {
        Refusal(words) if words.iter().any(|word| failure.message.contains(word)) => {
            Some("refused")
        }
        _ if absent.iter().any(|word| failure.message.contains(word)) => Some("absent"),
        NoMemory if failure.kind == FailureKind::Thrown => Some("no memory"),
        NoMemory if failure.kind == FailureKind::Crashed => Some("no memory, ended"),
        End if is_ended => Some("ended"),
        // An engine that looks at its own clock and memory says so itself.
        End if SPENT.iter().any(|word| failure.message.contains(word)) => Some("ended"),
        Unheard if failure.kind == FailureKind::Crashed => Some("ended"),
        Unheard if failure.message.contains("EACCES") => Some("refused"),
        _ => None,
    }
}

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// Runs a script in a pool in which a neighbour's worker lives, and asks that neighbour again.
async fn attempt(settings: PoolSettings, name: &str, text: &str) -> (LoginOutcome, u64) {
    let pool = ScriptPool::new(settings);
    let neighbour = login_script("con_neighbour", COUNT);
    assert_eq!(n(login(&pool, &neighbour).await), 1);
    let before = resident();
    let program = login_script(&format!("con_{name}"), text);
    let outcome = login(&pool, &program).await.outcome;
    // The same worker as before: what the script did has reached nobody else.
    assert_eq!(n(login(&pool, &neighbour).await), 2, "{name}");
    (outcome, resident().saturating_sub(before))
}

#[tokio::test]
async fn nothing_gets_out() {
    let names: Vec<_> = scripts().into_iter().map(|(name, _)| name).collect();
    let known: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "the corpus and its table");
    let mut escaped = Vec::new();
    for (runtime, settings, absent) in runtimes() {
        for ((name, expected), (_, text)) in CASES.iter().zip(scripts()) {
            let settings = match expected {
                End => PoolSettings {
                    timeout: Duration::from_secs(4),
                    ..settings.clone()
                },
                _ => settings.clone(),
            };
            let (outcome, grown) = attempt(settings, name, text).await;
            let verdict = meets(expected, &outcome, absent);
            let told = match &outcome {
                LoginOutcome::Failed(failure) => failure.to_string(),
                other => format!("{other:?}"),
            };
            println!(
                "{runtime:<9} {name:<24} {:<17} {told}",
                verdict.unwrap_or("ESCAPED")
            );
            assert!(grown < 64 << 10, "{name} cost the host {grown} KiB");
            if verdict.is_none() {
                escaped.push(format!("{runtime} {name}: {told}"));
            }
        }
    }
    assert!(escaped.is_empty(), "{escaped:#?}");
}

#[tokio::test]
async fn the_self_test_finds_everything_refused() {
    let report = self_test(&launcher(), settings(Engine::Node).uid)
        .await
        .unwrap();
    assert_eq!(report.let_happen(), [""; 0], "{report}");
    assert_eq!(report.level, Isolation::Full, "{report}");
    assert!(report.attempts.len() > 5);
    let is_root = rustix::process::geteuid().is_root();
    assert!(
        !is_root || report.uid == settings(Engine::Node).uid,
        "{report}"
    );
    println!("{report}");
}

/// Connects to the configured port under a name.
fn connecting(name: &str) -> String {
    format!(
        "function login(email, password, callback) {{
            require('net').connect(configuration.PORT, '{name}').on('error', callback)
                .on('connect', () => callback(null, {{ user_id: 1 }}));
        }}"
    )
}

#[tokio::test]
async fn names_resolve_and_all_ports_are_open_without_rules() {
    for (_, settings, _) in runtimes() {
        let pool = ScriptPool::new(settings);
        let gate = Gate::new().await;
        let program = gate.program("con_localhost", &connecting("localhost"));
        found(login(&pool, &program).await.outcome);
    }
}

/// Waits until this process has so many children.
async fn children(count: usize) {
    let alive = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let lists = tasks.map(|task| std::fs::read_to_string(task.path().join("children")));
        lists
            .flatten()
            .map(|list| list.split_whitespace().count())
            .sum::<usize>()
    };
    for _ in 0..3000 {
        if alive() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no spare worker was started");
}

#[tokio::test]
async fn a_worker_reaches_the_ports_of_its_rules_only() {
    for (_, settings, _) in runtimes() {
        let pool = ScriptPool::new(settings);
        let (listed, unlisted) = (Gate::new().await, Gate::new().await);
        let bounded = |gate: &Gate| {
            let program = gate.program("con_ports", &connecting("127.0.0.1"));
            let mut program = std::sync::Arc::into_inner(program).unwrap();
            let rule = format!("127.0.0.1:{}", listed.port()).parse().unwrap();
            program.egress.allow.push(rule);
            std::sync::Arc::new(program)
        };
        // A blank spare is there, and of no use: it was started without bounds.
        found(
            login(&pool, &login_script("con_other", COUNT))
                .await
                .outcome,
        );
        children(2).await;
        let failure = failed(login(&pool, &bounded(&unlisted)).await.outcome);
        assert!(failure.message.contains("EACCES"), "{failure}");
        found(login(&pool, &bounded(&listed)).await.outcome);
        let unbounded = unlisted.program("con_unbounded", &connecting("127.0.0.1"));
        found(login(&pool, &unbounded).await.outcome);
    }
}

#[tokio::test]
async fn a_worker_dies_with_its_host() {
    let gate = Gate::new().await;
    let mut host = Command::new(example("host"))
        .args([launcher(), node()])
        .arg(gate.port().to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut script = gate.arrival().await;
    script.read_exact(&mut [0; 4]).await.unwrap();
    // From here on the script hears nothing: only the system can end it.
    host.kill().unwrap();
    host.wait().unwrap();
    death(&mut script).await;
}

#[tokio::test]
async fn a_modules_folder_that_workers_cannot_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = open_folder();
    let modules = folder.path().join("node_modules");
    std::fs::create_dir(&modules).unwrap();
    std::fs::set_permissions(&modules, std::fs::Permissions::from_mode(0o000)).unwrap();
    let pool = ScriptPool::new(on_node(Some(folder.path().to_owned())));
    let failure = failed(
        login(&pool, &login_script("con_closed", COUNT))
            .await
            .outcome,
    );
    assert_eq!(failure.kind, FailureKind::Unavailable);
    let words = format!(
        "the modules folder {} cannot be read by user",
        modules.display()
    );
    assert!(failure.message.contains(&words), "{failure}");
}

#[test]
fn a_stage_that_was_not_started_by_its_host_refuses() {
    let run = |arguments: &[&str]| {
        let output = Command::new(launcher())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, words) = run(&["worker"]);
    assert_eq!(code, Some(126));
    assert!(words.contains("started by a server only"), "{words}");
    // Process 1 is not our parent, or else we would not be testing.
    let policy = r#"{"guest":"self-test","host":1,"uid":65534,"ports":null,"require":"full"}"#;
    let (code, words) = run(&["worker", policy]);
    assert_eq!(code, Some(126));
    assert!(words.contains("the host is gone"), "{words}");
}
