//! What sockets' errors are called in Node, and what can be set on a socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rquickjs::{Ctx, Error};
use rustix::io::Errno;
use rustix::net::sockopt;
use tokio::net::TcpStream;

use crate::embedded::value::{Report, refuse};

/// An error of the system as Node words it.
pub fn describe(syscall: &'static str, error: &io::Error, address: Option<SocketAddr>) -> Report {
    let code = code(error);
    let place = address
        .map(|address| format!(" {address}"))
        .unwrap_or_default();
    Report::new(code, syscall, format!("{syscall} {code}{place}"))
}

fn code(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::TimedOut {
        return "ETIMEDOUT";
    }
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => "ECONNREFUSED",
        Some(Errno::CONNRESET) => "ECONNRESET",
        Some(Errno::CONNABORTED) => "ECONNABORTED",
        Some(Errno::HOSTUNREACH) => "EHOSTUNREACH",
        Some(Errno::NETUNREACH) => "ENETUNREACH",
        Some(Errno::ADDRNOTAVAIL) => "EADDRNOTAVAIL",
        Some(Errno::PIPE) => "EPIPE",
        Some(Errno::ACCESS) => "EACCES",
        Some(Errno::PERM) => "EPERM",
        Some(Errno::MFILE) => "EMFILE",
        Some(Errno::INVAL) => "EINVAL",
        Some(Errno::NOTCONN) => "ENOTCONN",
        _ => "EIO",
    }
}

/// Refuses one socket too many.
pub fn too_many(ctx: &Ctx<'_>) -> Error {
    refuse(ctx, "EMFILE", "connect EMFILE: too many sockets are open")
}

/// Lets the system ask a silent peer from time to time, first after `ms`.
pub fn set_keep_alive(socket: &TcpStream, is_on: bool, ms: u32) -> io::Result<()> {
    sockopt::set_socket_keepalive(socket, is_on)?;
    if is_on && ms >= 1000 {
        sockopt::set_tcp_keepidle(socket, Duration::from_millis(u64::from(ms)))?;
    }
    Ok(())
}
