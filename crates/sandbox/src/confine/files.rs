//! Landlock: what a worker may read and run, where it may connect to.
//!
//! Everything is refused that is not listed: no file can be written, no home folder, `/proc` or
//! list of users be read, no port be listened on. What is listed is what resolving a name, checking
//! a certificate and loading a library take.

use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};
use script::{Guest, Policy};

use super::elf;

/// The newest Landlock whose rights were looked at, one by one.
const KNOWN: ABI = ABI::V6;

/// Files and folders that every worker may read. A name that is not there is left out.
const READABLE: &[&str] = &[
    // names and addresses
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    // certificates, and Node's openssl.cnf, without which it exits
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    // libraries
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    // time zones
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
    "/dev/random",
];

/// What Landlock achieved.
pub struct Fence {
    /// In words.
    pub account: String,
    /// Whether files and ports are both refused.
    pub is_whole: bool,
}

/// Restricts this process as far as the kernel can.
pub fn restrict(policy: &Policy) -> io::Result<Fence> {
    let programs = programs(&policy.guest)?;
    let status = rules(policy, &programs)
        .and_then(RulesetCreated::restrict_self)
        .map_err(|error| io::Error::other(format!("Landlock: {error}")))?;
    let enforced = match status.ruleset {
        RulesetStatus::FullyEnforced => "fully enforced",
        RulesetStatus::PartiallyEnforced => "partly enforced",
        RulesetStatus::NotEnforced => "not enforced",
    };
    let is_enforced = status.ruleset != RulesetStatus::NotEnforced;
    Ok(match status.landlock {
        LandlockStatus::NotEnabled => fence("switched off in this kernel"),
        LandlockStatus::NotImplemented => fence("not in this kernel"),
        LandlockStatus::Available { effective_abi, .. } => Fence {
            account: format!("{effective_abi:?}, {enforced}"),
            // Ports came with the fourth. What came later (signals, abstract sockets) is refused
            // by the filter of system calls too.
            is_whole: is_enforced && effective_abi >= ABI::V4,
        },
    })
}

fn fence(account: &str) -> Fence {
    Fence {
        account: account.to_owned(),
        is_whole: false,
    }
}

/// What may be run: Node and its loader, because the stage becomes Node when it is restricted
/// already. The embedded engine runs in this process.
fn programs(guest: &Guest) -> io::Result<Vec<PathBuf>> {
    let Guest::Node { command, .. } = guest else {
        return Ok(Vec::new());
    };
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", command.display()));
    let command = command.canonicalize().map_err(named)?;
    let loader = elf::loader(&command).map_err(named)?;
    Ok(loader.into_iter().chain([command]).collect())
}

fn rules(policy: &Policy, programs: &[PathBuf]) -> Result<RulesetCreated, RulesetError> {
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::from_all(KNOWN))?;
    if policy.ports.is_some() {
        ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
    }
    let mut created = ruleset
        .create()?
        .add_rules(path_beneath_rules(READABLE, read))?
        .add_rules(path_beneath_rules(own_paths(&policy.guest, programs), read))?
        .add_rules(path_beneath_rules(programs, read | AccessFs::Execute))?;
    if let Ok(null) = PathFd::new("/dev/null") {
        let both = AccessFs::ReadFile | AccessFs::WriteFile;
        created = created.add_rule(PathBeneath::new(null, both))?;
    }
    for port in policy.ports.iter().flatten() {
        created = created.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    Ok(created)
}

/// What this guest reads besides what all do.
fn own_paths(guest: &Guest, programs: &[PathBuf]) -> Vec<PathBuf> {
    // Libraries that lie beside a loader or a Node of its own place, as in /opt or /nix.
    let mut paths: Vec<PathBuf> = programs
        .iter()
        .filter_map(|program| program.parent()?.parent().map(|above| above.join("lib")))
        .collect();
    match guest {
        Guest::Node {
            runner, modules, ..
        } => {
            paths.extend(runner.parent().map(Path::to_owned));
            // Not what lies beside: the folder may be a project with secrets of its own.
            paths.extend(modules.iter().map(|folder| folder.join("node_modules")));
        }
        Guest::Embedded { modules } => paths.extend(modules.clone()),
        Guest::SelfTest => {}
    }
    paths
}
