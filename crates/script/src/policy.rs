//! What a worker is told before it is confined: the one argument of its command line, as JSON.
//!
//! Anybody on the machine can read a command line, so a policy holds no secret: paths, numbers,
//! ports. What a script may know comes later, in frames. `sandbox::confine` consumes it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::isolation::Isolation;

/// What becomes of a process that was started as a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What it runs, once it is confined.
    pub guest: Guest,
    /// Process id of the host: when it is gone, so is the worker.
    pub host: u32,
    /// User and group to become when started by root; 0 keeps the host's.
    pub uid: u32,
    /// The only TCP ports it may connect to; `None` leaves all open.
    pub ports: Option<Vec<u16>>,
    /// With less than this it must not run.
    pub require: Isolation,
}

/// What a confined process runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guest {
    /// The operator's Node.
    Node {
        /// Its absolute path.
        command: PathBuf,
        /// The runner's first file.
        runner: PathBuf,
        /// The folder that holds `node_modules`.
        modules: Option<PathBuf>,
    },
    /// The engine inside our own binary.
    Embedded {
        /// The folder that holds the operator's bundles.
        modules: Option<PathBuf>,
    },
    /// Nothing: it tries what must fail and prints an [`IsolationReport`](crate::IsolationReport).
    SelfTest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        let policy = Policy {
            guest: Guest::Node {
                command: "/usr/bin/node".into(),
                runner: "/tmp/r/runner.cjs".into(),
                modules: None,
            },
            host: 7,
            uid: 65534,
            ports: Some(vec![5432]),
            require: Isolation::NoLandlock,
        };
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        let text = r#"{"guest":"self-test","host":1,"uid":0,"ports":null,"require":"full"}"#;
        let policy: Policy = serde_json::from_str(text).unwrap();
        assert_eq!(policy.guest, Guest::SelfTest);
    }
}
