//! `make bench`: what Ferry does in a second, beside the bare work that no server could avoid.
//!
//! Each line of the table compares Ferry with a baseline that is measured in the same run, in turns
//! with it, on the same machine: medians of several turns. The baselines (`bare`) parse, insert,
//! hash and sign with the same libraries and nothing around them; for action scripts it is Node. What is said about methods, and
//! the numbers of one machine, is in `docs/benchmarks.md`.
//!
//! | variable | |
//! |---|---|
//! | `BENCH_ROWS` | rows of the import file, 1,000,000 unless told, 50,000 at least |
//! | `BENCH_TURNS` | turns of each measurement, 3 unless told |
//! | `BENCH_ONLY` | names of sections, split by commas: see `SECTIONS` in `setup.rs` |

mod arrivals;
mod bare;
mod ferry;
mod generator;
mod lines;
mod rows;
mod runtimes;
mod setup;
mod statistics;
mod table;

use std::process::ExitCode;

use anyhow::Result;

use crate::setup::{SECTIONS, Setup};
use crate::table::Table;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Workers of the script pool are this program again, as they are the server's.
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("worker") {
        return sandbox::confine::worker(arguments.next().as_deref());
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let setup = Setup::from_environment()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut table = Table::new(setup.cores);
    for section in SECTIONS.iter().filter(|section| setup.wants(section)) {
        eprintln!("bench: {section}");
        runtime.block_on(measure(section, &setup, &mut table))?;
    }
    print!("{}", table.text());
    Ok(())
}

async fn measure(section: &str, setup: &Setup, table: &mut Table) -> Result<()> {
    match section {
        "sqlite" => lines::import::on_sqlite(setup, table).await,
        "postgres" => lines::import::on_postgres(setup, table).await,
        "beside" => lines::beside::measure(setup, table).await,
        "hashes" => lines::hashes::measure(setup, table),
        "login" => lines::login::measure(setup, table).await,
        "codes" => lines::codes::measure(setup, table).await,
        "timing" => lines::timing::measure(setup, table).await,
        "tokens" => lines::tokens::measure(setup, table).await,
        "crossing" => lines::crossing::measure(setup, table).await,
        "scripts" => lines::scripts::measure(setup, table).await,
        "hanging" => lines::hanging::measure(setup, table).await,
        _ => lines::start::measure(setup, table).await,
    }
}
