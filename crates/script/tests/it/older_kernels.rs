//! Systems that can do less: a filter of system calls makes this kernel say that it has no Landlock,
//! or no such filters either. What is reached is told, and what is required is required.

use std::collections::BTreeMap;

use script::{FailureKind, Isolation, IsolationReport, PoolSettings, ScriptPool, self_test};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

use crate::rig::{COUNT, Engine, failed, found, launcher, login, login_script, settings};

/// Runs a test in a thread whose children do not have these system calls.
fn without<T: Send + 'static>(
    calls: &[libc::c_long],
    test: impl AsyncFnOnce() -> T + Send + 'static,
) -> T {
    let rules: BTreeMap<_, _> = calls.iter().map(|call| (*call, Vec::new())).collect();
    let absent = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let machine = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, absent, machine).unwrap();
    let filter = BpfProgram::try_from(filter).unwrap();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        seccompiler::apply_filter(&filter).unwrap();
        runtime.block_on(test())
    });
    thread.join().unwrap()
}

async fn report() -> IsolationReport {
    self_test(&launcher(), settings(Engine::Node).uid)
        .await
        .unwrap()
}

async fn call(require_isolation: Isolation) -> script::LoginOutcome {
    let pool = ScriptPool::new(PoolSettings {
        require_isolation,
        ..settings(Engine::Node)
    });
    login(&pool, &login_script("con_older", COUNT))
        .await
        .outcome
}

#[test]
fn without_landlock_files_and_ports_are_open_and_processes_are_not() {
    without(&[libc::SYS_landlock_create_ruleset], async || {
        let report = report().await;
        assert_eq!(report.level, Isolation::NoLandlock, "{report}");
        let open = report.let_happen();
        assert!(open.contains(&"reading /etc/passwd"), "{report}");
        assert!(open.contains(&"connecting to a port that is not listed"));
        assert!(!open.contains(&"starting a process"), "{report}");
        assert!(!open.contains(&"listening on a port"), "{report}");
        assert!(report.to_string().contains("Landlock: not in this kernel"));

        let failure = failed(call(Isolation::Full).await);
        assert_eq!(failure.kind, FailureKind::Unavailable);
        let words = "isolation is no-landlock here and full is required";
        assert!(failure.message.contains(words), "{failure}");
        found(call(Isolation::NoLandlock).await);
    });
}

#[test]
fn without_filters_bounds_are_all_there_is() {
    let calls = [libc::SYS_landlock_create_ruleset, libc::SYS_seccomp];
    without(&calls, async || {
        let report = report().await;
        assert_eq!(report.level, Isolation::RlimitsOnly, "{report}");
        let open = report.let_happen();
        assert!(open.contains(&"starting a process"), "{report}");
        assert!(!open.contains(&"taking more memory than allowed"));
        let failure = failed(call(Isolation::NoLandlock).await);
        assert_eq!(failure.kind, FailureKind::Unavailable);
        found(call(Isolation::RlimitsOnly).await);
    });
}
