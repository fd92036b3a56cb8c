//! Cargo runs this before it compiles the program: how it is linked, and the tables in it.

#![allow(clippy::disallowed_methods, reason = "it runs before there is a program")]

mod linking;
mod origin;
mod tables;

use std::io::Write;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    writeln!(out, "cargo:rerun-if-changed=src/build")?;
    let directory = PathBuf::from(std::env::var("OUT_DIR")?);
    origin::tell(&mut out)?;
    linking::link(&directory, &mut out)?;
    for file in tables::write(&directory)? {
        writeln!(out, "cargo:rerun-if-changed={}", file.display())?;
    }
    Ok(())
}
