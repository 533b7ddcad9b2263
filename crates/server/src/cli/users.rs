//! `ferry users`: a look at users.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::local_api::LocalApi;
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum UsersCommand {
    /// Prints the users with an e-mail address, in any letter case.
    Find {
        /// The address.
        email: String,
    },
}

pub(super) async fn run(config: &Config, command: UsersCommand) -> Result<ExitCode> {
    let UsersCommand::Find { email } = command;
    let api = LocalApi::connect(config).await?;
    let found = api.get("/users-by-email", &[("email", &email)]).await?;
    let users = found.as_array().map(Vec::as_slice).unwrap_or_default();
    for user in users {
        println!("{}", serde_json::to_string_pretty(user)?);
    }
    if users.is_empty() {
        eprintln!("no user has the address {email}");
        return Ok(ExitCode::FAILURE);
    }
    let blocked = users
        .iter()
        .filter(|user| user.get("blocked") == Some(&Value::Bool(true)))
        .count();
    eprintln!("{} found, {blocked} blocked", users.len());
    Ok(ExitCode::SUCCESS)
}
