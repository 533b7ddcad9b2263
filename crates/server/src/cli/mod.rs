//! The command line: arguments in, one function each out.

mod convert;
mod doctor;
mod export;
mod hash;
mod import;
mod jobs;
mod local_api;
mod passwords;
mod prove;
mod scripts;
mod upload;
mod users;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::config::{self, Config};

/// Ferry: an identity server that moves users in from any legacy store.
#[derive(Parser)]
#[command(name = "ferry", version, about, disable_help_subcommand = true)]
struct Arguments {
    /// Configuration file (TOML). Variables FERRY_… win over it.
    #[arg(long, global = true, env = "FERRY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server. Needs no configuration.
    Serve,
    /// Imports files of users through the running server.
    Import(import::ImportArguments),
    /// Looks at import jobs, puts them aside, lets them go on, gives them up.
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Exports users through the running server, on request with their credentials.
    Export(export::ExportArguments),
    /// Turns another product's export into a file for `ferry import`. Needs no server.
    Convert(convert::ConvertArguments),
    /// Names, verifies and describes password hashes, without a server.
    #[command(subcommand)]
    Hash(hash::HashCommand),
    /// Looks at users through the running server.
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Writes, tries, tests and watches action scripts.
    #[command(subcommand)]
    Scripts(scripts::ScriptsCommand),
    /// Checks folder, keys, database, Node and server, and says what is wrong.
    Doctor,
    /// Prints the licences of the packages that scripts find inside this program.
    Licenses,
    /// Shows the configuration's documentation.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Prints the documented example file.
    Example,
}

/// Runs what the arguments ask for.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ferry: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    if matches!(arguments.command, Command::Config(ConfigCommand::Example)) {
        print!("{}", config::example());
        return Ok(ExitCode::SUCCESS);
    }
    if matches!(arguments.command, Command::Licenses) {
        // Whoever reads only the first page has seen enough.
        let _ = std::io::stdout().write_all(sandbox::embedded::licenses().as_bytes());
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Convert(arguments) = arguments.command {
        return convert::run(&arguments);
    }
    if let Command::Hash(command) = arguments.command {
        return hash::run(command);
    }
    let config = Config::load(arguments.config.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Serve => {
                start_logging(&config)?;
                crate::serve::serve(config).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Import(arguments) => import::run(&config, arguments).await,
            Command::Jobs(command) => jobs::run(&config, command).await,
            Command::Export(arguments) => export::run(&config, arguments).await,
            Command::Users(command) => users::run(&config, command).await,
            Command::Scripts(command) => scripts::run(&config, command).await,
            Command::Doctor => doctor::run(&config).await,
            // Done above.
            Command::Convert(_)
            | Command::Hash(_)
            | Command::Licenses
            | Command::Config(ConfigCommand::Example) => Ok(ExitCode::SUCCESS),
        }
    })
}

fn start_logging(config: &Config) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log_filter)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.log_json {
        log.json().init();
    } else {
        log.init();
    }
    Ok(())
}
