//! TABLE and filter: system calls that a worker is refused.
//!
//! Refused is what starts or touches another process, what reaches beyond the file system and TCP
//! or UDP, and what a kernel's holes have been found in. Each refused call fails as if the user
//! lacked the right (EPERM), so that runtimes report an error and live on.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// Refused, whatever their arguments.
const REFUSED: &[c_long] = &[
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_execveat,
    // being a server
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // what other workers of the same user could share
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // name spaces and mounts
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // ways around this filter, and large surfaces of the kernel
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_memfd_create,
    libc::SYS_fanotify_init,
    // the machine
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
];

/// Calls that only this architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// The bit of x86's third calling convention, which carries all calls again under other numbers.
#[cfg(target_arch = "x86_64")]
const X32: c_long = 0x4000_0000;
/// Numbers that calls have in that convention only.
#[cfg(target_arch = "x86_64")]
const X32_OWN: std::ops::RangeInclusive<c_long> = 512..=547;

/// The protocols of sockets: TCP and UDP, also by default. MPTCP would slip past Landlock's ports.
const PROTOCOLS: [u64; 3] = [0, 6, 17];

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Installs the filter; `false` when this kernel or machine has none.
pub fn restrict(runs_programs: bool) -> bool {
    let id = u64::from(std::process::id());
    install(runs_programs, id).is_ok()
}

fn install(runs_programs: bool, id: u64) -> Result<(), seccompiler::Error> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    // The C library knows no flags of clone3 that a filter could read: it is told to use clone.
    let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let refused = rules(runs_programs, id)?;
    for (rules, errno) in [(absent, libc::ENOSYS), (refused, libc::EPERM)] {
        let filter = SeccompFilter::new(
            rules,
            SeccompAction::Allow,
            SeccompAction::Errno(errno.unsigned_abs()),
            architecture,
        )?;
        seccompiler::apply_filter(&BpfProgram::try_from(filter)?)?;
    }
    Ok(())
}

fn rules(runs_programs: bool, id: u64) -> Result<Rules, BackendError> {
    let mut rules = conditional(id)?;
    for call in REFUSED.iter().chain(REFUSED_HERE) {
        rules.insert(*call, Vec::new());
    }
    if !runs_programs {
        rules.insert(libc::SYS_execve, Vec::new());
    }
    #[cfg(target_arch = "x86_64")]
    {
        let twins: Vec<c_long> = rules.keys().map(|call| call | X32).collect();
        let own = X32_OWN.map(|call| call | X32);
        let clone3 = libc::SYS_clone3 | X32;
        rules.extend(
            twins
                .into_iter()
                .chain(own)
                .chain([clone3])
                .map(|call| (call, Vec::new())),
        );
    }
    Ok(rules)
}

/// Calls that are refused with some arguments only. The rules of a call are alternatives.
fn conditional(id: u64) -> Result<Rules, BackendError> {
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let fast_open = u64::from(libc::MSG_FASTOPEN.unsigned_abs());
    let inet = [libc::AF_INET, libc::AF_INET6].map(|family| u64::from(family.unsigned_abs()));
    Ok(BTreeMap::from([
        // A process; threads are fine.
        (libc::SYS_clone, vec![lacks(0, thread)?]),
        // Signals to anybody else; `abort` sends itself one.
        (libc::SYS_kill, vec![none_of(0, &[id])?]),
        (libc::SYS_tkill, vec![none_of(0, &[id])?]),
        (libc::SYS_tgkill, vec![none_of(0, &[id])?]),
        (libc::SYS_rt_sigqueueinfo, vec![none_of(0, &[id])?]),
        (libc::SYS_rt_tgsigqueueinfo, vec![none_of(0, &[id])?]),
        // The bounds of other workers.
        (libc::SYS_prlimit64, vec![none_of(0, &[0, id])?]),
        // Local sockets, netlink, packets, machine-to-host, the kernel's cryptography …
        (
            libc::SYS_socket,
            vec![none_of(0, &inet)?, none_of(2, &PROTOCOLS)?],
        ),
        // Connecting by sending, which Landlock's ports do not see.
        (libc::SYS_sendto, vec![has(3, fast_open)?]),
        (libc::SYS_sendmsg, vec![has(2, fast_open)?]),
        (libc::SYS_sendmmsg, vec![has(3, fast_open)?]),
    ]))
}

/// All these bits are clear in an argument.
fn lacks(argument: u8, bits: u64) -> Result<SeccompRule, BackendError> {
    compare(argument, &[(SeccompCmpOp::MaskedEq(bits), 0)])
}

/// All these bits are set in an argument.
fn has(argument: u8, bits: u64) -> Result<SeccompRule, BackendError> {
    compare(argument, &[(SeccompCmpOp::MaskedEq(bits), bits)])
}

/// An argument is none of these numbers.
fn none_of(argument: u8, numbers: &[u64]) -> Result<SeccompRule, BackendError> {
    let unequal: Vec<_> = numbers
        .iter()
        .map(|number| (SeccompCmpOp::Ne, *number))
        .collect();
    compare(argument, &unequal)
}

fn compare(argument: u8, tests: &[(SeccompCmpOp, u64)]) -> Result<SeccompRule, BackendError> {
    let conditions: Result<Vec<_>, _> = tests
        .iter()
        .map(|(how, with)| {
            // All these arguments are ints: the kernel reads their lower half only.
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how.clone(), *with)
        })
        .collect();
    SeccompRule::new(conditions?)
}
