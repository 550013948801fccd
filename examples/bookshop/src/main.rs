//! A small bookshop, cached. Run it with
//!
//! ```text
//! cargo run -p bookshop                      # the catalogue that ships with it, no server
//! cargo run -p bookshop -- --data FILE       # another catalogue of the same form
//! AFRESH_URL=redis://127.0.0.1/ cargo run -p bookshop     # twice: the second finds shared hits
//! ```
//!
//! The service is in `shop` (questions, `#[cached]`) and `edit` (changes, `#[invalidates]`);
//! `story` calls it and prints what came of each call. This file only starts it.

mod args;
mod cast;
mod data;
mod db;
mod edit;
mod print;
mod shop;
mod story;
mod visitor;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use afresh::Cache;

use crate::args::Command;
use crate::data::Catalogue;
use crate::db::Db;
use crate::print::Printer;
use crate::story::Story;

#[tokio::main]
async fn main() -> ExitCode {
    let file = match args::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            print!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Run(file)) => file,
        Err(problem) => {
            eprintln!("bookshop: {problem}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(file.as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bookshop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let (name, catalogue) = read(file)?;
    let shared = share(&catalogue).await?;
    let db = Db::seeded(&catalogue.records)?;
    match Story::new(db, &catalogue, shared, Printer::new())
        .tell(&name)
        .await
    {
        // Whoever read the output has seen enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        told => Ok(told?),
    }
}

/// The catalogue and its name. Lines that are no books are named on standard error.
fn read(file: Option<&Path>) -> Result<(String, Catalogue), String> {
    let (name, catalogue) = match file {
        Some(path) => {
            let name = path.display().to_string();
            let bytes = fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
            (name, Catalogue::parse(&bytes))
        }
        None => (
            data::BUILT_IN.0.to_owned(),
            Catalogue::parse(data::BUILT_IN.1),
        ),
    };
    for bad in &catalogue.bad {
        eprintln!("{name}:{}: {}; line skipped", bad.number, bad.problem);
    }
    if catalogue.records.is_empty() {
        return Err(format!("{name} holds no valid book"));
    }
    Ok((name, catalogue))
}

/// With `AFRESH_URL` set, whether the cache is shared. It would be without this function; but
/// each catalogue has its own book 7, so what is shared is kept apart by the catalogue.
async fn share(catalogue: &Catalogue) -> Result<bool, String> {
    let Some(url) = env::var_os("AFRESH_URL") else {
        return Ok(false);
    };
    let prefix = env::var("AFRESH_PREFIX").unwrap_or_else(|_| "bookshop".to_owned());
    let prefix = format!("{prefix}-{:016x}", catalogue.fingerprint());
    let cache = Cache::builder()
        .url(url.to_string_lossy())
        .prefix(prefix)
        .build()
        .await;
    let installed = cache.and_then(Cache::install);
    installed.map_err(|error| format!("cannot share through AFRESH_URL: {error}"))?;
    Ok(true)
}
