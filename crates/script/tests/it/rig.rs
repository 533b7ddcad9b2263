//! What tests share: a pool on the machine's Node, programs, and a gate that scripts wait at.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use domain::Password;
use script::{
    Call, EmbeddedRuntime, Failure, LoginOutcome, LookupOutcome, NodeRuntime, PoolSettings,
    Program, RawProfile, Runtime, ScriptName, ScriptPool,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub fn node() -> PathBuf {
    let found = Command::new("sh").args(["-c", "command -v node"]).output();
    let path = String::from_utf8(found.unwrap().stdout).unwrap();
    assert!(!path.trim().is_empty(), "these tests need Node 20 or newer");
    PathBuf::from(path.trim())
}

/// One of this crate's examples: they are built beside the tests.
pub fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().unwrap().with_file_name("examples").join(name);
    assert!(path.is_file(), "{} is not built", path.display());
    path
}

/// What confines itself and becomes a worker.
pub fn launcher() -> PathBuf {
    example("worker")
}

/// What runs the scripts of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Node,
    Embedded,
}

impl Engine {
    /// The runtime, without packages of an operator.
    fn runtime(self) -> Runtime {
        match self {
            Self::Node => Runtime::Node(NodeRuntime {
                command: node(),
                modules: None,
            }),
            Self::Embedded => Runtime::Embedded(EmbeddedRuntime::default()),
        }
    }

    /// What differs: the first on Node, the second in the embedded engine.
    pub fn either<T>(self, node: T, embedded: T) -> T {
        match self {
            Self::Node => node,
            Self::Embedded => embedded,
        }
    }
}

/// Makes two tests of each function that takes an engine: `node::…` and `embedded::…`.
macro_rules! on_every_runtime {
    ($($test:ident),+ $(,)?) => {
        mod node {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::rig::Engine::Node).await;
            })+
        }
        mod embedded {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::rig::Engine::Embedded).await;
            })+
        }
    };
}
pub(crate) use on_every_runtime;

pub fn settings(engine: Engine) -> PoolSettings {
    patient(engine.runtime())
}

/// Node with a modules folder.
pub fn on_node(modules: Option<PathBuf>) -> PoolSettings {
    patient(Runtime::Node(NodeRuntime {
        command: node(),
        modules,
    }))
}

fn patient(runtime: Runtime) -> PoolSettings {
    PoolSettings {
        // Generous: a busy machine must not fail a test that is not about time.
        timeout: Duration::from_mins(1),
        ..PoolSettings::new(launcher(), runtime)
    }
}

/// A folder that workers of another user may read.
pub fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A pool whose calls end after a second and a half.
pub fn hasty(engine: Engine) -> ScriptPool {
    ScriptPool::new(PoolSettings {
        timeout: Duration::from_millis(1500),
        ..settings(engine)
    })
}

/// A pool with one worker per connection: the second call meets the first one's worker.
pub fn single(engine: Engine) -> ScriptPool {
    ScriptPool::new(PoolSettings {
        workers_per_connection: 1,
        ..settings(engine)
    })
}

pub fn program(connection: &str, scripts: &[(ScriptName, &str)]) -> Arc<Program> {
    with_settings(connection, scripts, &[("SECRET", "s")])
}

pub fn with_settings(
    connection: &str,
    scripts: &[(ScriptName, &str)],
    configuration: &[(&str, &str)],
) -> Arc<Program> {
    let scripts = scripts
        .iter()
        .map(|(name, text)| (*name, (*text).to_owned()));
    let configuration = configuration
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()));
    let (scripts, configuration): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (scripts.collect(), configuration.collect());
    Arc::new(Program::new(connection.into(), scripts, configuration, false).unwrap())
}

pub fn login_script(connection: &str, text: &str) -> Arc<Program> {
    program(connection, &[(ScriptName::Login, text)])
}

pub async fn login(pool: &ScriptPool, program: &Arc<Program>) -> Call<LoginOutcome> {
    pool.login(program, "ann@example.com", &Password::from("pässword"))
        .await
}

/// Logs in once, on a pool of its own.
pub async fn login_once(engine: Engine, connection: &str, text: &str) -> LoginOutcome {
    let pool = ScriptPool::new(settings(engine));
    login(&pool, &login_script(connection, text)).await.outcome
}

/// Looks a user up once, on a pool of its own.
pub async fn look_up_once(engine: Engine, connection: &str, text: &str) -> LookupOutcome {
    let pool = ScriptPool::new(settings(engine));
    let program = program(connection, &[(ScriptName::GetUser, text)]);
    pool.get_user(&program, "ann@example.com").await.outcome
}

#[track_caller]
pub fn found(outcome: LoginOutcome) -> RawProfile {
    match outcome {
        LoginOutcome::Found(profile) => profile,
        other => panic!("not found: {other:?}"),
    }
}

#[track_caller]
pub fn failed(outcome: LoginOutcome) -> Failure {
    match outcome {
        LoginOutcome::Failed(failure) => failure,
        other => panic!("not failed: {other:?}"),
    }
}

/// The `n` of a profile: how many calls its worker has counted.
#[track_caller]
pub fn n(call: Call<LoginOutcome>) -> u64 {
    found(call.outcome)
        .get("n")
        .and_then(Value::as_u64)
        .unwrap()
}

/// Counts the calls of a worker.
pub const COUNT: &str = "function login(email, password, callback) {
    global.n = (global.n || 0) + 1;
    callback(null, { user_id: 1, n: global.n });
}";

/// A place where scripts wait: they connect, and go on when the test lets them.
pub struct Gate(TcpListener);

/// Waits at the gate; the socket stays open until the worker ends.
pub const WAIT: &str = "function login(email, password, callback) {
    global.n = (global.n || 0) + 1;
    require('net').connect(configuration.PORT, '127.0.0.1')
        .on('data', () => callback(null, { user_id: 1, n: global.n }));
}";

impl Gate {
    pub async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// A program that knows the gate.
    pub fn program(&self, connection: &str, text: &str) -> Arc<Program> {
        let port = self.port().to_string();
        with_settings(connection, &[(ScriptName::Login, text)], &[("PORT", &port)])
    }

    /// The next script that arrives.
    pub async fn arrival(&self) -> TcpStream {
        self.0.accept().await.unwrap().0
    }
}

pub async fn let_go(script: &mut TcpStream) {
    script.write_all(b"go").await.unwrap();
}

/// Waits until whoever holds the other end is dead.
pub async fn death(script: &mut TcpStream) {
    let gone = async { while matches!(script.read(&mut [0; 64]).await, Ok(1..)) {} };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .expect("it lives on");
}
