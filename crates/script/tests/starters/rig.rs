//! A template as a connection: its scripts, its settings, and both runtimes to run it on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use domain::Password;
use password::{ForeignOptions, Limits, verify_foreign};
use script::{
    EmbeddedRuntime, ForeignVerifier, LoginOutcome, LookupOutcome, NodeRuntime, PasswordQuestion,
    PoolSettings, Program, Runtime, Said, ScriptName, ScriptPool, Verdict,
};
use serde_json::Value;
use tempfile::TempDir;
use testkit::open;

fn checkout() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_owned()
}

pub fn templates() -> PathBuf {
    checkout().join("templates")
}

/// What runs the scripts: the embedded engine with the packages inside it, and Node with the same
/// packages in a folder.
pub fn runtimes(packages: &Packages) -> Vec<Runtime> {
    let found = Command::new("sh").args(["-c", "command -v node"]).output();
    let path = String::from_utf8(found.unwrap().stdout).unwrap();
    assert!(!path.trim().is_empty(), "these tests need Node 20 or newer");
    let node = NodeRuntime {
        command: PathBuf::from(path.trim()),
        modules: Some(packages.0.path().to_owned()),
    };
    vec![
        Runtime::Embedded(EmbeddedRuntime::default()),
        Runtime::Node(node),
    ]
}

/// The bundles of the embedded runtime, laid out as Node looks for packages and readable by the
/// workers' user.
pub struct Packages(TempDir);

impl Packages {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let modules = folder.path().join("node_modules");
        // Not bundled: the embedded runtime has them in itself.
        for name in ["bcryptjs", "process", "punycode"] {
            let installed = checkout().join("runtimes/packages/node_modules").join(name);
            open::copy(&installed, &modules.join(name)).unwrap();
        }
        let staged = tempfile::tempdir().unwrap();
        for name in ["ldapts", "mongodb", "mssql", "mysql2", "pg", "tedious"] {
            let package = staged.path().join(name);
            fs::create_dir(&package).unwrap();
            fs::copy(newest(name), package.join("bundle.js")).unwrap();
            // A bundle gives a function for each path inside its package.
            let index = "module.exports = require('./bundle.js')['']();";
            fs::write(package.join("index.js"), index).unwrap();
            open::copy(&package, &modules.join(name)).unwrap();
        }
        open::to_all(folder.path()).unwrap();
        Self(folder)
    }
}

/// The bundle of a package with the highest major version.
fn newest(name: &str) -> PathBuf {
    let folder = checkout().join(".local/packages");
    let bundles = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run tools/setup", folder.display()));
    let major = |path: &PathBuf| {
        let file = path.file_name()?.to_str()?.to_owned();
        let version = file.strip_prefix(name)?.strip_prefix('@')?.to_owned();
        version.split('.').next()?.parse::<u32>().ok()
    };
    let bundles = bundles.map(|entry| entry.unwrap().path());
    let ours = bundles.filter_map(|path| Some((major(&path)?, path)));
    ours.max()
        .unwrap_or_else(|| panic!("no bundle of {name}"))
        .1
}

/// The server's own verifier.
struct Server;

impl ForeignVerifier for Server {
    fn verify(&self, question: PasswordQuestion) -> Verdict<'_> {
        Box::pin(async move {
            let work = move || {
                let json = question.options.as_deref().map_or("{}", |json| json.get());
                let options = ForeignOptions::from_json(json)?;
                verify_foreign(
                    &question.password,
                    &question.hash,
                    &options,
                    &Limits::default(),
                )
            };
            let verdict = tokio::task::spawn_blocking(work).await.unwrap();
            verdict.map_err(|refused| refused.to_string())
        })
    }
}

/// What confines itself and becomes a worker: built beside the tests.
pub fn launcher() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent()
        .unwrap()
        .with_file_name("examples")
        .join("worker")
}

/// A template on one runtime, with settings.
pub struct Starter {
    pool: ScriptPool,
    program: Arc<Program>,
}

impl Starter {
    pub fn new(runtime: &Runtime, name: &str, configuration: &[(&str, &str)]) -> Self {
        let folder = templates().join(name);
        let mut scripts = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "js") {
                let key = path.file_stem().unwrap().to_str().unwrap();
                let key = ScriptName::parse(key).unwrap_or_else(|| panic!("{key} is no script"));
                scripts.insert(key, std::fs::read_to_string(&path).unwrap());
            }
        }
        let pool = ScriptPool::new(PoolSettings {
            // A busy machine must not fail a test that is not about time.
            timeout: Duration::from_mins(1),
            workers_per_connection: 1,
            // For the soak, which is about one worker.
            max_calls: 20_000,
            verifier: Some(Arc::new(Server)),
            ..PoolSettings::new(launcher(), runtime.clone())
        });
        let configuration: Vec<(String, String)> = configuration
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let program = program(name, scripts, &configuration);
        Self { pool, program }
    }

    pub async fn login(&self, name: &str, password: &str) -> LoginOutcome {
        let password = Password::from(password);
        self.pool
            .login(&self.program, name, &password)
            .await
            .outcome
    }

    pub async fn get_user(&self, email: &str) -> LookupOutcome {
        self.pool.get_user(&self.program, email).await.outcome
    }

    /// Calls another script of the template: what it called back, or the words of its error.
    pub async fn call(&self, script: ScriptName, arguments: Value) -> Result<Value, String> {
        let arguments = arguments.as_array().unwrap();
        let call = self.pool.try_script(&self.program, script, arguments).await;
        match call.outcome.said {
            Said::Value(value) => Ok(value),
            Said::Error { code, message, .. } => Err(code.unwrap_or(message)),
            Said::Nothing => panic!("{script}: {:?}", call.outcome.outcome),
        }
    }
}

fn program(
    connection: &str,
    scripts: BTreeMap<ScriptName, String>,
    configuration: &[(String, String)],
) -> Arc<Program> {
    let configuration = configuration
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    Arc::new(Program::new(connection.into(), scripts, configuration, false).unwrap())
}

/// Runs the body on every runtime.
#[macro_export]
macro_rules! on_every_runtime {
    (|$runtime:ident| $body:block) => {{
        let packages = $crate::rig::Packages::new();
        for $runtime in $crate::rig::runtimes(&packages) {
            $body
        }
    }};
}
