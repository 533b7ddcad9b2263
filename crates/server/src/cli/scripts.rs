//! `ferry scripts`: write, try, test and watch action scripts.

mod fixtures;
mod logs;
mod templates;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum ScriptsCommand {
    /// Runs a script of a connection once and tells all about it. Nothing is written here; what the
    /// script itself does to the legacy store is real.
    Try(trial::TryArguments),
    /// Runs the fixtures of a folder of scripts, without a server: for your CI.
    Test(fixtures::TestArguments),
    /// Prints what the scripts of a connection write and how their calls end, as it happens.
    Logs {
        /// The connection's name.
        connection: String,
        /// Goes on until it is stopped. Without it, the tenant log's console lines so far.
        #[arg(long)]
        follow: bool,
    },
    /// Writes starter scripts for a kind of legacy store into a folder.
    New {
        /// Which; without it, prints what there is.
        #[arg(long, value_name = "NAME")]
        template: Option<String>,
        /// Where to; a folder named after the template by default.
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

pub(super) async fn run(config: &Config, command: ScriptsCommand) -> Result<ExitCode> {
    match command {
        ScriptsCommand::Try(arguments) => trial::run(config, arguments).await,
        ScriptsCommand::Test(arguments) => fixtures::run(config, arguments).await,
        ScriptsCommand::Logs { connection, follow } => logs::run(config, &connection, follow).await,
        ScriptsCommand::New { template, folder } => templates::run(template.as_deref(), folder),
    }
}
