//! HTTP, configuration and the process. The only crate that knows HTTP; the only binary.

pub mod assets;
pub mod boot;
pub mod cli;
pub mod config;
pub mod cookies;
pub mod cors;
pub mod dbconnections;
pub mod error;
pub mod extract;
mod forwarded;
pub mod health;
pub mod isolation;
mod mail_viewer;
pub mod management;
pub mod metrics;
pub mod mfa;
pub mod oauth;
pub mod observe;
pub mod outbound;
pub mod pages;
pub mod presented;
pub mod routes;
pub mod serve;
pub mod state;
pub mod universal_login;
mod unread;
