//! `ferry scripts test`: calls the scripts of a folder as its `fixtures.json` says, without a server.
//!
//! Nothing is kept here; what scripts do to the legacy store is real.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::profile::EmailCase;
use domain::{ConfigurationValue, ConnectionId, Json, Profile};
use engine::HashPool;
use script::{Call, Egress, PoolSettings, Program, Rule, ScriptName, ScriptPool, Trial};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::boot::{self, SystemEntropy};
use crate::config::{self, Config};

#[derive(Args)]
pub(in crate::cli) struct TestArguments {
    /// The folder: scripts, `fixtures.json`, perhaps `configuration.json`.
    folder: PathBuf,
    /// The scripts' configuration; `configuration.json` of the folder by default. The value "$NAME"
    /// stands for the environment variable NAME.
    #[arg(long, value_name = "FILE")]
    configuration: Option<PathBuf>,
    /// A host that the scripts may reach, as host:port; without any, all that a server would allow.
    #[arg(long = "egress", value_name = "HOST:PORT")]
    egress: Vec<Rule>,
}

/// One call and what must come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    script: String,
    args: Vec<Value>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    outcome: String,
    /// Members that the profile must have, each with this value.
    #[serde(default)]
    profile: Json,
}

/// Every word that a fixture may expect.
const OUTCOMES: [&str; 8] = [
    "found",
    "wrong_password",
    "no_such_user",
    "not_found",
    "refused",
    "failed",
    "done",
    "not_changed",
];

pub(super) async fn run(config: &Config, arguments: TestArguments) -> Result<ExitCode> {
    let folder = &arguments.folder;
    let fixtures: Vec<Fixture> = read(&folder.join("fixtures.json"))?;
    let calls = fixtures
        .iter()
        .enumerate()
        .map(|(index, fixture)| checked(fixture).with_context(|| format!("fixture {}", index + 1)))
        .collect::<Result<Vec<ScriptName>>>()?;
    let program = Arc::new(program(&arguments)?);
    let pool = ScriptPool::new(pool_settings(config)?);
    let mut failures = 0;
    for (fixture, script) in fixtures.iter().zip(calls) {
        let call = pool.try_script(&program, script, &fixture.args).await;
        if !report(fixture, &call) {
            failures += 1;
        }
    }
    pool.shut_down().await;
    println!("{} fixtures, {failures} failed", fixtures.len());
    Ok(if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The server's own pool, verifier included.
fn pool_settings(config: &Config) -> Result<PoolSettings> {
    let engine = &config.engine;
    let verifier = HashPool::new(engine.scheme, engine.hash_threads, Arc::new(SystemEntropy))?;
    Ok(PoolSettings {
        verifier: Some(Arc::new(verifier)),
        ..boot::pool_settings(&config.scripts)
    })
}

/// A fixture that makes sense, and the script that it calls.
fn checked(fixture: &Fixture) -> Result<ScriptName> {
    let name = &fixture.script;
    let script =
        ScriptName::parse(name).with_context(|| format!("{name:?} is the key of no script"))?;
    let parameters = script.parameters();
    if parameters.len() != fixture.args.len() {
        let (wanted, given) = (parameters.join(", "), fixture.args.len());
        bail!("{name} takes {wanted}; args has {given}");
    }
    let word = fixture.expect.outcome.as_str();
    if !OUTCOMES.contains(&word) {
        bail!(
            "{word:?} is no outcome: write one of {}",
            OUTCOMES.join(", ")
        );
    }
    Ok(script)
}

/// The folder as a connection.
fn program(arguments: &TestArguments) -> Result<Program> {
    let folder = &arguments.folder;
    let mut scripts = BTreeMap::new();
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("the folder {} can't be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "js") {
            continue;
        }
        let key = path.file_stem().and_then(std::ffi::OsStr::to_str);
        match key.and_then(ScriptName::parse) {
            Some(script) => drop(scripts.insert(script, text(&path)?)),
            None => println!("note  {} is named after no script", path.display()),
        }
    }
    let id = ConnectionId::from("fixtures");
    let mut program = Program::new(id, scripts, configuration(arguments)?, false)?;
    program.egress = Egress {
        allow: arguments.egress.clone(),
        ..Egress::default()
    };
    Ok(program)
}

fn configuration(arguments: &TestArguments) -> Result<BTreeMap<String, ConfigurationValue>> {
    let beside = arguments.folder.join("configuration.json");
    let path = match &arguments.configuration {
        Some(path) => path,
        None if beside.exists() => &beside,
        None => return Ok(BTreeMap::new()),
    };
    let texts: BTreeMap<String, String> = read(path)?;
    let valued = |(name, text): (String, String)| {
        let value = valued(text, config::variable);
        let value = value.with_context(|| format!("{}: {name}", path.display()))?;
        Ok((name, ConfigurationValue::from(value)))
    };
    texts.into_iter().map(valued).collect()
}

/// `$NAME` is the variable NAME, `$$…` a text that begins with one `$`, all else is itself.
fn valued(text: String, variable: impl Fn(&str) -> Option<String>) -> Result<String> {
    match text.strip_prefix('$') {
        None => Ok(text),
        Some(literal) if literal.starts_with('$') => Ok(literal.to_owned()),
        Some(name) => variable(name).with_context(|| {
            format!("the environment variable {name} is not set; $$ begins a text with $")
        }),
    }
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&text(path)?).with_context(|| path.display().to_string())
}

/// Prints a line about a call, and more when it did not come as expected.
fn report(fixture: &Fixture, call: &Call<Trial>) -> bool {
    let problem = problem(&fixture.expect, &call.outcome);
    let sign = if problem.is_none() { "ok  " } else { "FAIL" };
    let (script, outcome) = (&fixture.script, &fixture.expect.outcome);
    // The first argument says whom it is about. The others may be passwords.
    let whom = fixture.args.first();
    let whom = whom.map(|first| first.get("email").unwrap_or(first));
    let whom = whom.and_then(Value::as_str).unwrap_or_default();
    let Some(problem) = problem else {
        println!("{sign}  {script:<15} {whom}: {outcome}");
        return true;
    };
    println!("{sign}  {script:<15} {whom}: {problem}");
    for line in &call.log {
        println!("      console.{}: {}", line.level.as_str(), line.message);
    }
    false
}

/// What is not as expected.
fn problem(expected: &Expected, trial: &Trial) -> Option<String> {
    let (mut word, mut detail) = trial.outcome.in_words();
    if let Some(profile) = trial.outcome.profile() {
        // What a login would take for an outage.
        if let Err(fault) = Profile::normalise(profile.clone(), EmailCase::AsGiven) {
            (word, detail) = ("failed", Some(fault.to_string()));
        }
    }
    if word != expected.outcome {
        let detail = detail.map_or_else(String::new, |words| format!(" ({words})"));
        return Some(format!("expected {}, got {word}{detail}", expected.outcome));
    }
    let profile = trial.outcome.profile();
    let differs = |(name, wanted): (&String, &Value)| {
        let got = profile.and_then(|profile| profile.get(name));
        let told = got.map_or_else(|| "nothing".to_owned(), Value::to_string);
        (got != Some(wanted)).then(|| format!("expected {name} to be {wanted}, got {told}"))
    };
    expected.profile.iter().find_map(differs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_come_from_the_environment() {
        let variable = |name: &str| (name == "URL").then(|| "postgres://x".to_owned());
        let valued = |text: &str| valued(text.to_owned(), variable);
        assert_eq!(valued("plain").unwrap(), "plain");
        assert_eq!(valued("$URL").unwrap(), "postgres://x");
        assert_eq!(valued("$$URL").unwrap(), "$URL");
        assert!(valued("$ELSE").unwrap_err().to_string().contains("ELSE"));
    }
}
