//! A template as a connection: its scripts, its settings, and the packages that it requires.
//!
//! `require('ferry/password')` is a package of a few lines here, which asks this process over a
//! socket; what answers is the server's own verifier.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use domain::Password;
use password::{ForeignOptions, Limits, verify_foreign};
use script::{
    LoginOutcome, LookupOutcome, NodeRuntime, PoolSettings, Program, Runtime, ScriptName,
    ScriptPool,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub fn templates() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().join("templates")
}

/// What runs the scripts, each with the packages of [`Packages`].
pub fn runtimes(packages: &Packages) -> Vec<Runtime> {
    let found = Command::new("sh").args(["-c", "command -v node"]).output();
    let path = String::from_utf8(found.unwrap().stdout).unwrap();
    assert!(!path.trim().is_empty(), "these tests need Node 20 or newer");
    vec![Runtime::Node(NodeRuntime {
        command: PathBuf::from(path.trim()),
        modules: Some(packages.folder.path().to_owned()),
    })]
}

/// A modules folder: the templates' own packages, and `ferry/password`.
pub struct Packages {
    folder: TempDir,
    answering: tokio::task::JoinHandle<()>,
}

impl Packages {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let modules = folder.path().join("node_modules");
        std::fs::create_dir_all(modules.join("ferry")).unwrap();
        let installed = templates().join("node_modules");
        let entries = std::fs::read_dir(&installed)
            .unwrap_or_else(|error| panic!("{}: {error}; run tools/setup", installed.display()));
        for entry in entries {
            let entry = entry.unwrap();
            symlink(entry.path(), modules.join(entry.file_name())).unwrap();
        }
        let module = include_str!("password.cjs").replace("PORT", &port.to_string());
        std::fs::write(modules.join("ferry/password.js"), module).unwrap();
        let answering = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(answer(socket));
            }
        });
        Self { folder, answering }
    }
}

impl Drop for Packages {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

async fn answer(mut socket: TcpStream) {
    let mut line = String::new();
    BufReader::new(&mut socket)
        .read_line(&mut line)
        .await
        .unwrap();
    let question: Value = serde_json::from_str(&line).unwrap();
    let right = ForeignOptions::from_json(&question["options"].to_string()).and_then(|options| {
        let password = Password::from(question["password"].as_str().unwrap());
        let stored = question["stored"].as_str().unwrap();
        verify_foreign(&password, stored, &options, &Limits::default())
    });
    let answer = match right {
        Ok(right) => json!({ "right": right }),
        Err(refused) => json!({ "error": refused.to_string() }),
    };
    socket
        .write_all(answer.to_string().as_bytes())
        .await
        .unwrap();
}

/// A template on one runtime, with settings.
pub struct Starter {
    pool: ScriptPool,
    program: Arc<Program>,
    scripts: BTreeMap<ScriptName, String>,
    configuration: Vec<(String, String)>,
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
            ..PoolSettings::new(runtime.clone())
        });
        let configuration: Vec<(String, String)> = configuration
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let program = program(name, scripts.clone(), &configuration);
        Self {
            pool,
            program,
            scripts,
            configuration,
        }
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

    /// Calls another script of the template, in the clothes of a `login`: what it called back, or
    /// the message of its error.
    pub async fn call(&self, script: ScriptName, arguments: Value) -> Result<Value, String> {
        let mut text = self.scripts[&script].clone();
        let function = text.split("\nfunction ").nth(1).unwrap();
        let function = function.split('(').next().unwrap().to_owned();
        write!(
            text,
            "function login(list, _, callback) {{
                const answer = (error, value) => callback(null, {{
                    user_id: 'answer', error: error ? String(error.code || error.message) : null,
                    value: value === undefined ? null : value,
                }});
                {function}(...JSON.parse(list), answer);
            }}"
        )
        .unwrap();
        let scripts = BTreeMap::from([(ScriptName::Login, text)]);
        let program = program(&format!("{script}"), scripts, &self.configuration);
        let list = arguments.to_string();
        let outcome = self
            .pool
            .login(&program, &list, &Password::from("x"))
            .await
            .outcome;
        match outcome {
            LoginOutcome::Found(answer) => match answer["error"].as_str() {
                None => Ok(answer["value"].clone()),
                Some(error) => Err(error.to_owned()),
            },
            other => panic!("{script}: {other:?}"),
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
        let packages = $crate::rig::Packages::new().await;
        for $runtime in $crate::rig::runtimes(&packages) {
            $body
        }
    }};
}
