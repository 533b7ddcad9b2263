//! Scripts that try to get out: `tests/corpus/contain.js`, on every runtime, each confined as in the
//! server. These tests need a kernel with Landlock that knows ports (6.7 or newer).
//!
//! Every test run prints a table of what each script met.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use script::{FailureKind, Isolation, LoginOutcome, PoolSettings, ScriptPool, self_test};
use tokio::io::AsyncReadExt;

use crate::rig::{
    COUNT, Engine, Gate, death, example, failed, found, launcher, login, login_script, n, node,
    on_every_runtime, on_node, open_folder, settings,
};

on_every_runtime! {
    names_resolve_and_all_ports_are_open_without_rules,
    a_worker_reaches_the_ports_of_its_rules_only,
}

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
    /// The rules about hosts, in these words. On Node nothing: there the system can bound ports only
    /// (docs/scripts.md says so), and what happens depends on who is at home.
    HostRules(&'static str),
}

use Meets::{End, HostRules, NoMemory, Refusal, Unheard};

/// The one exception from containment.
const OPEN: &str = "open: hosts are";

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
    (
        "metadata_service",
        HostRules("link-local and metadata addresses are refused"),
    ),
    (
        "own_database",
        HostRules("this is the server's own database"),
    ),
    (
        "own_database_by_name",
        HostRules("this is the server's own database"),
    ),
];

/// How the embedded engine says that it has no such thing. Node has everything: what the system
/// refuses is all that holds it.
const ABSENT: [&str; 3] = ["is not available", "Cannot find module", "not a function"];

/// The corpus by name.
fn scripts() -> Vec<(&'static str, &'static str)> {
    let text = include_str!("../corpus/contain.js");
    let parts = text.split("\n//# ").skip(1);
    parts.map(|part| part.split_once('\n').unwrap()).collect()
}

/// What an outcome is, in the table's words; `None` when it is not what it must be.
fn meets(engine: Engine, expected: &Meets, outcome: &LoginOutcome) -> Option<&'static str> {
    if let (HostRules(_), Engine::Node) = (expected, engine) {
        return Some(OPEN);
    }
    let LoginOutcome::Failed(failure) = outcome else {
        return None;
    };
    let says = |words: &[&str]| words.iter().any(|word| failure.message.contains(word));
    let is_ended = matches!(failure.kind, FailureKind::Timeout | FailureKind::Crashed);
    match expected {
        Refusal(words) if says(words) => Some("refused"),
        HostRules(words) => (says(&["EACCES"]) && says(&[words])).then_some("refused"),
        _ if engine == Engine::Embedded && says(&ABSENT) => Some("absent"),
        NoMemory if failure.kind == FailureKind::Thrown => Some("no memory"),
        NoMemory if failure.kind == FailureKind::Crashed => Some("no memory, ended"),
        End if is_ended => Some("ended"),
        // An engine that looks at its own clock and memory says so itself.
        End if says(&SPENT) => Some("ended"),
        Unheard if failure.kind == FailureKind::Crashed => Some("ended"),
        Unheard if says(&["EACCES"]) => Some("refused"),
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

/// Runs a script in a pool in which a neighbour's worker lives, and asks that neighbour again. Gives
/// what came of it, and by how many KiB this process has grown.
async fn attempt(settings: PoolSettings, name: &str, text: &str) -> (LoginOutcome, u64) {
    let pool = ScriptPool::new(settings);
    let neighbour = login_script("con_neighbour", COUNT);
    assert_eq!(n(login(&pool, &neighbour).await), 1);
    let before = resident();
    let own_database = Gate::new().await;
    let program = own_database.program(&format!("con_{name}"), text);
    let mut program = Arc::into_inner(program).unwrap();
    let place = format!("127.0.0.1:{}", own_database.port());
    program.egress.own_database.push(place.parse().unwrap());
    let outcome = login(&pool, &Arc::new(program)).await.outcome;
    // The same worker as before: what the script did has reached nobody else.
    assert_eq!(n(login(&pool, &neighbour).await), 2, "{name}");
    (outcome, resident().saturating_sub(before))
}

/// Tries the whole corpus on a runtime; gives how many were contained, how many are open, and the
/// lines of those that got out.
async fn try_all(engine: Engine) -> (usize, usize, Vec<String>) {
    let (mut contained, mut open, mut escaped) = (0, 0, Vec::new());
    let mut out = std::io::stdout();
    for ((name, expected), (_, text)) in CASES.iter().zip(scripts()) {
        let settings = match expected {
            End => PoolSettings {
                timeout: Duration::from_secs(4),
                ..settings(engine)
            },
            _ => settings(engine),
        };
        let (outcome, grown) = attempt(settings, name, text).await;
        assert!(grown < 64 << 10, "{name} cost the host {grown} KiB");
        let told = match &outcome {
            LoginOutcome::Failed(failure) => failure.to_string(),
            other => format!("{other:?}"),
        };
        let verdict = meets(engine, expected, &outcome);
        match verdict {
            Some(OPEN) => open += 1,
            Some(_) => contained += 1,
            None => escaped.push(format!("{engine:?} {name}: {told}")),
        }
        let (runtime, verdict) = (
            engine.either("node", "embedded"),
            verdict.unwrap_or("ESCAPED"),
        );
        let line = format!("{runtime:<9} {name:<24} {verdict:<17} {told}");
        writeln!(out, "{line}").unwrap();
    }
    (contained, open, escaped)
}

/// Printed past the test harness, which keeps what a passing test prints to itself.
#[tokio::test]
async fn nothing_gets_out() {
    let names: Vec<_> = scripts().into_iter().map(|(name, _)| name).collect();
    let known: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "the corpus and its table");
    let (node, embedded) = tokio::join!(try_all(Engine::Node), try_all(Engine::Embedded));
    let [on_node, on_embedded] = [&node, &embedded].map(|(contained, open, _)| match open {
        0 => format!("{contained}"),
        open => format!("{contained} ({open} open: there is no rule about hosts)"),
    });
    let all = CASES.len();
    let line = format!(
        "containment: of {all} scripts contained on node {on_node}, on embedded {on_embedded}"
    );
    let mut out = std::io::stdout();
    writeln!(out, "{line}").unwrap();
    let escaped: Vec<_> = node.2.into_iter().chain(embedded.2).collect();
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

async fn names_resolve_and_all_ports_are_open_without_rules(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let gate = Gate::new().await;
    let program = gate.program("con_localhost", &connecting("localhost"));
    found(login(&pool, &program).await.outcome);
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

async fn a_worker_reaches_the_ports_of_its_rules_only(engine: Engine) {
    let pool = ScriptPool::new(settings(engine));
    let (listed, unlisted) = (Gate::new().await, Gate::new().await);
    let bounded = |gate: &Gate| {
        let program = gate.program("con_ports", &connecting("127.0.0.1"));
        let mut program = Arc::into_inner(program).unwrap();
        let rule = format!("127.0.0.1:{}", listed.port()).parse().unwrap();
        program.egress.allow.push(rule);
        Arc::new(program)
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
