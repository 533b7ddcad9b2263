//! Bounds, user, parent and privileges: what Unix has known for long.

use std::io;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, geteuid, getppid, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    Gid, Uid, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use script::Guest;

/// Writable memory of Node: V8's heap limit does not count Buffers. Its reservations of address
/// space are no data, which is why this is not a bound on the address space.
const NODE_DATA: u64 = 512 << 20;
/// Writable memory of the embedded engine.
pub const EMBEDDED_DATA: u64 = 256 << 20;
/// Open descriptors: some dozen sockets and what the runtime needs.
const DESCRIPTORS: u64 = 256;

/// Bounds memory and descriptors; forbids dumps, which hold passwords, and locked memory.
pub fn limit(guest: &Guest) -> io::Result<()> {
    let data = match guest {
        Guest::Node { .. } => NODE_DATA,
        Guest::Embedded { .. } | Guest::SelfTest => EMBEDDED_DATA,
    };
    for (resource, most) in [
        (Resource::Data, data),
        (Resource::Nofile, DESCRIPTORS),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
    ] {
        let bound = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, bound)?;
    }
    Ok(())
}

/// Becomes another user and group, of no other group, when this is root; 0 stays root.
pub fn become_user(id: u32) -> io::Result<()> {
    if id == 0 || !geteuid().is_root() {
        return Ok(());
    }
    if id == u32::MAX {
        return Err(io::Error::other("scripts.uid: that number means nobody"));
    }
    let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_groups(&[])
        .and_then(|()| set_thread_res_gid(group, group, group))
        .and_then(|()| set_thread_res_uid(user, user, user))
        .map_err(|error| {
            let message = format!(
                "root cannot become user {id} here ({error}): grant CAP_SETUID and CAP_SETGID, \
                 or set scripts.uid to 0"
            );
            io::Error::new(error.kind(), message)
        })
}

/// Has the system kill this process when its parent ends. It may have ended already: then the
/// signal was sent before anybody asked for it.
pub fn die_with(host: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let parent = getppid().map(Pid::as_raw_nonzero).map(i32::from);
    if parent.and_then(|parent| u32::try_from(parent).ok()) == Some(host) {
        Ok(())
    } else {
        Err(io::Error::other("the host is gone"))
    }
}

/// No program that is run can have more rights than this process has.
pub fn gain_nothing() -> io::Result<()> {
    Ok(set_no_new_privs(true)?)
}
