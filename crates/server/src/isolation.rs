//! How well the system holds script workers: tried at start, logged, told by `/health/ready`, and a
//! reason not to start when the operator requires more.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use script::{Isolation, IsolationReport};

use crate::config::ScriptConfig;

/// What the Node runtime leaves open, whatever the system can do.
pub const NODE_EGRESS: &str =
    "on Node, rules about hosts hold for TCP ports only: a listed port is open on every host";

/// Our own binary by the kernel's name, which stays right when the file is replaced under a running
/// server: workers are always of the server's own version.
pub fn launcher() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// Has one worker try to get out.
pub async fn test(scripts: &ScriptConfig) -> std::io::Result<IsolationReport> {
    script::self_test(Path::new(&launcher()), scripts.uid).await
}

/// Tests, and tells the log. `None` when workers cannot confine themselves at all: they will not
/// run. Fails when workers are held less well than required.
pub async fn ensure(scripts: &ScriptConfig) -> Result<Option<Isolation>> {
    let required = scripts.require_isolation;
    match test(scripts).await {
        Ok(report) if report.level < required => {
            bail!("scripts.require_isolation is {required}, but workers are held here by {report}")
        }
        Ok(report) => {
            if report.level == Isolation::Full {
                tracing::info!(isolation = %report, "action scripts are confined");
            } else {
                tracing::warn!(isolation = %report, "action scripts are not fully confined");
            }
            tracing::info!("{NODE_EGRESS}");
            Ok(Some(report.level))
        }
        Err(error) if required > Isolation::RlimitsOnly => {
            bail!("scripts.require_isolation is {required}, but no worker can be confined: {error}")
        }
        Err(error) => {
            tracing::error!(%error, "no worker can be confined: action scripts will not run");
            Ok(None)
        }
    }
}
