//! Writes the manual pages and the completions of the program into a directory, from the same
//! commands that its help is made of: `cargo run --example manual -- DIRECTORY`.
//!
//! Invariant: the program has no part in it, so it does not grow by them.

use clap::Command;
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;
use std::fs::DirBuilder;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// The shells that have completions.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| Error::other("usage: manual DIRECTORY"))?;
    let (pages, completions) = (directory.join("man"), directory.join("completions"));
    for directory in [&pages, &completions] {
        DirBuilder::new().recursive(true).create(directory)?;
    }
    let mut command = openclaw_auth::cli::command();
    write_pages(&command, &pages)?;
    for shell in SHELLS {
        generate_to(shell, &mut command, "openclaw-auth", &completions)?;
    }
    Ok(())
}

/// Writes the page of a command, and those of the commands below it.
fn write_pages(command: &Command, directory: &Path) -> Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let page = Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("openclaw-auth ", env!("CARGO_PKG_VERSION")))
        .manual("openclaw-auth");
    let mut text = Vec::new();
    page.render(&mut text)?;
    // What follows the options in the help has no better heading in clap_mangen.
    let text = String::from_utf8_lossy(&text).replace(".SH EXTRA", ".SH NOTES");
    let file = directory.join(format!("{name}.1"));
    openclaw_auth::system::file::replace(&file, text.as_bytes())?;
    let subcommands = command.get_subcommands().filter(|command| !command.is_hide_set());
    subcommands.into_iter().try_for_each(|command| write_pages(command, directory))
}
