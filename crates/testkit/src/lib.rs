//! The real things that Ferry's tests run against. Dev-only; nothing here is a double.
//!
//! * [`Postgres`] and [`Database`]: a private cluster, and fresh databases in it.
//! * [`Legacy`]: the store that users leave, filled by Django itself (`examples/django`).
//! * [`MariaDb`], [`Slapd`], [`WebService`]: other stores that users leave, and what they speak.
//! * [`Export`]: files of products that cannot run here, composed with hashes of random passwords.
//! * [`Server`]: the built `ferry` binary as a child process, and [`Api`] to talk to it.
//! * [`hash_vectors`]: password hashes, made on the spot by other programs.
//! * [`SmallDisk`]: a disk that can be filled.
//! * [`run_in_browser`]: Debian's Chromium, driven by a script of `browser/`.
//! * [`run_client`]: client libraries of others, driven by scripts of `clients/`; [`TlsFront`] before
//!   the server that they talk to.
//! * [`Smtp`]: a mail server that keeps what it receives.
//!
//! Nothing is borrowed from the machine: no running database, no fixed port, no folder outside a
//! temp one. Whatever a value started, dropping it ends; should the test process die instead, the
//! children notice that their standard input broke and end themselves.
//!
//! What Python and Django do for us needs `tools/setup` to have run once.

mod api;
mod browser;
mod checkout;
mod client_library;
mod exports;
mod hashes;
mod held;
mod legacy;
mod mariadb;
pub mod open;
mod postgres;
mod server;
mod slapd;
mod small_disk;
mod smtp;
mod tls_front;
mod web_service;

pub use api::{Answer, Api};
pub use browser::{pictures_folder, run_in_browser};
pub use client_library::run_client;
pub use exports::{Export, Exported};
pub use hashes::{HashVector, hash_vectors};
pub use legacy::{Kind, Legacy, Person};
pub use mariadb::MariaDb;
pub use postgres::{Database, Postgres};
pub use server::{Server, ServerBuilder};
pub use slapd::Slapd;
pub use small_disk::SmallDisk;
pub use smtp::{Mail, Smtp};
pub use tls_front::TlsFront;
pub use web_service::WebService;
