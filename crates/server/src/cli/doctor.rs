//! `ferry doctor`: one line for each thing that must be right, and what to do when it is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use script::{Isolation, NodeRuntime, RuntimeName};
use serde_json::Value;

use super::local_api::LocalApi;
use crate::config::{Config, Database};
use crate::isolation::NODE_EGRESS;

enum Finding {
    Fine(String),
    Doubtful(String),
    Broken(String),
}

use Finding::{Broken, Doubtful, Fine};

pub(super) async fn run(config: &Config) -> Result<ExitCode> {
    let server = server(config).await;
    let is_up = matches!(server, Fine(_));
    let mut findings = vec![
        ("data folder", folder(&config.data_dir)),
        ("master key", master_key(config)),
        ("public URL", public_url(config)),
        ("server", server),
        ("node", node(config).await),
        ("modules", modules(config)),
        ("isolation", isolation(config).await),
        ("worker", worker(config).await),
        ("mail", mail(config)),
    ];
    if is_up {
        findings.push(("hashes", hashes(config).await));
    } else {
        findings.push(("database", database(config).await));
    }
    let mut is_broken = false;
    for (name, finding) in findings {
        let (sign, text) = match finding {
            Fine(text) => ("ok  ", text),
            Doubtful(text) => ("warn", text),
            Broken(text) => {
                is_broken = true;
                ("FAIL", text)
            }
        };
        println!("{sign}  {name:<12} {text}");
    }
    Ok(if is_broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn folder(path: &Path) -> Finding {
    match std::fs::metadata(path) {
        Err(_) => Doubtful(format!(
            "{} is not there yet; `ferry serve` makes it",
            path.display()
        )),
        Ok(meta) if !meta.is_dir() => Broken(format!("{} is not a folder", path.display())),
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => Doubtful(format!(
            "{} is open to others; chmod 700 it",
            path.display()
        )),
        Ok(_) => Fine(path.display().to_string()),
    }
}

fn master_key(config: &Config) -> Finding {
    if config.master_key.is_some() {
        return Fine("given by the configuration".into());
    }
    let path = config.data_dir.join("master.key");
    let shown = path.display();
    match (std::fs::read_to_string(&path), &config.database) {
        (Ok(text), _) if crate::boot::parse_master_key(&text).is_none() => {
            Broken(format!("{shown} is damaged: restore it from a backup"))
        }
        (Ok(_), Database::Postgres(_)) => Doubtful(format!(
            "{shown}: every server of this database needs the same key"
        )),
        (Ok(_), _) => Fine(format!("{shown}; keep a copy apart from the database's")),
        (Err(_), _) => Doubtful(format!("{shown} is not there yet; `ferry serve` makes it")),
    }
}

fn public_url(config: &Config) -> Finding {
    let url = config.public_url.as_str();
    let is_local = url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost");
    if url.starts_with("https://") || is_local {
        Fine(url.to_owned())
    } else {
        Doubtful(format!(
            "{url} sends passwords in the open; put TLS before it"
        ))
    }
}

async fn server(config: &Config) -> Finding {
    let url = format!("http://{}/health/ready", config.listen);
    match reqwest::get(&url).await {
        Ok(answer) if answer.status().is_success() => Fine(format!(
            "ready at {}: {}",
            config.listen,
            answer.text().await.unwrap_or_default()
        )),
        Ok(answer) => Broken(format!("{url} answers {}", answer.status())),
        Err(_) => Doubtful(format!("nothing listens at {}", config.listen)),
    }
}

/// How many hashes a thief of the store could guess at full speed.
async fn hashes(config: &Config) -> Finding {
    let found = match LocalApi::connect(config).await {
        Ok(api) => api.get("/ferry/password-hashes", &[]).await,
        Err(error) => Err(error),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Doubtful(format!("the server does not tell: {error:#}")),
    };
    let count = |name: &str| found.get(name).and_then(Value::as_i64).unwrap_or(0);
    let (fast, wrapped) = (count("fast"), count("wrapped"));
    let is_on = found.get("wrap_imported") == Some(&Value::Bool(true));
    match (fast, is_on) {
        (0, _) => Fine(format!(
            "none is fast; {wrapped} imported ones were, and are wrapped"
        )),
        (_, true) => Doubtful(format!(
            "{fast} imported ones are fast and about to be wrapped; {wrapped} are"
        )),
        (_, false) => Doubtful(format!(
            "{fast} imported ones are fast, and passwords.wrap_imported is off"
        )),
    }
}

async fn database(config: &Config) -> Finding {
    match &config.database {
        Database::Sqlite(path) if !path.exists() => Doubtful(format!(
            "{} is not there yet; `ferry serve` makes it",
            path.display()
        )),
        _ => match crate::boot::engine(config).await {
            Ok((engine, _lock)) => Fine(format!("{} opens", engine.store.database())),
            Err(error) => Broken(format!("{error:#}")),
        },
    }
}

async fn node(config: &Config) -> Finding {
    let scripts = &config.scripts;
    let Some(path) = NodeRuntime::locate(&scripts.node, &scripts.search_path) else {
        return match scripts.runtime {
            RuntimeName::Embedded => Fine("none found, and none needed".into()),
            RuntimeName::Node => Broken("none found: action scripts will not run".into()),
        };
    };
    let version = tokio::process::Command::new(&path)
        .arg("--version")
        .output()
        .await;
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let major = version.as_deref().ok().and_then(|text| {
        text.strip_prefix('v')?
            .split('.')
            .next()?
            .parse::<u32>()
            .ok()
    });
    match (version, major) {
        (Ok(version), Some(20..)) => Fine(format!("{} {version}", path.display())),
        (Ok(version), _) => Broken(format!(
            "{} {version}: 20 or newer is needed",
            path.display()
        )),
        (Err(error), _) => Broken(format!("{} does not run: {error}", path.display())),
    }
}

fn modules(config: &Config) -> Finding {
    let scripts = &config.scripts;
    let what = match scripts.runtime {
        RuntimeName::Embedded => "the packages inside",
        RuntimeName::Node => "Node's own modules",
    };
    match &scripts.modules {
        None => Fine(format!("none set: scripts can require {what}")),
        Some(path) if !path.is_dir() => Broken(format!("{} is no folder", path.display())),
        Some(path)
            if scripts.runtime == RuntimeName::Node && !path.join("node_modules").is_dir() =>
        {
            Broken(format!("{} holds no node_modules", path.display()))
        }
        Some(path) => Fine(path.display().to_string()),
    }
}

/// One worker tries to get out, as at a start of the server.
async fn isolation(config: &Config) -> Finding {
    let required = config.scripts.require_isolation;
    match crate::isolation::test(&config.scripts).await {
        Ok(report) if report.level < required => {
            Broken(format!("{report}; {required} is required"))
        }
        Ok(report) if report.level == Isolation::Full => Fine(format!("{report}; {NODE_EGRESS}")),
        Ok(report) => Doubtful(format!("{report}; {NODE_EGRESS}")),
        Err(error) => Broken(format!("workers cannot be confined, so none runs: {error}")),
    }
}

/// One worker of the configured runtime starts, confined.
async fn worker(config: &Config) -> Finding {
    match script::try_start(&crate::boot::pool_settings(&config.scripts)).await {
        Ok(()) => Fine(format!("one starts: {}", config.scripts.runtime.as_str())),
        Err(failure) => Doubtful(format!("none starts: {failure}")),
    }
}

fn mail(config: &Config) -> Finding {
    match &config.engine.mail.smtp_url {
        Some(_) => Fine("by SMTP".into()),
        None => Doubtful("no SMTP server set: mail is dropped as files in the data folder".into()),
    }
}
