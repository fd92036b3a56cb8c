//! The floors: the cheapest programs that there can be, compiled like ours.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiled floors.
#[derive(Debug)]
pub(crate) struct Floors {
    /// A Rust program that does nothing.
    pub empty_rust: PathBuf,
    /// A static C program that does nothing.
    pub empty_c: Option<PathBuf>,
    /// Why there is no such C program.
    pub no_c: Option<String>,
    /// A Rust program that refreshes one grant once, whatever number of it runs.
    pub refresh: PathBuf,
}

/// As `[profile.release]` in `Cargo.toml` has it.
const RELEASE: [&str; 5] =
    ["opt-level=3", "lto=fat", "codegen-units=1", "panic=abort", "strip=symbols"];

/// Writes and compiles the floors in `directory`.
pub(crate) fn build(directory: &Path) -> Result<Floors> {
    let c = build_c(directory, "empty-c", "int main(void) { return 0; }\n");
    let (empty_c, no_c) = match c {
        Ok(program) => (Some(program), None),
        Err(reason) => (None, Some(format!("{reason:#}"))),
    };
    Ok(Floors {
        empty_rust: build_rust(directory, "empty-rust", "fn main() {}\n")?,
        refresh: build_rust(directory, "floor-refresh", include_str!("floor_refresh.rs"))?,
        empty_c,
        no_c,
    })
}

fn build_rust(directory: &Path, name: &str, source: &str) -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.arg("--edition=2024");
    for option in RELEASE {
        rustc.args(["-C", option]);
    }
    compile(rustc, directory, name, "rs", source)
}

/// A C program that reads two databases, linked to the SQLite that was built for ours.
pub(crate) fn build_sqlite(directory: &Path, release: &Path) -> Result<PathBuf> {
    let builds =
        std::fs::read_dir(release.join("build"))?.filter_map(|entry| Some(entry.ok()?.path()));
    let libraries = builds.map(|build| build.join("out/libsqlite3.a")).filter(|it| it.is_file());
    let library = libraries.max_by_key(|it| it.metadata().and_then(|it| it.modified()).ok());
    let library = library.context("SQLite was not built for the program")?;
    let source = directory.join("floor-sqlite.c");
    std::fs::write(&source, include_str!("floor_sqlite.c"))?;
    let built = directory.join("floor-sqlite");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-s", "-o"]).arg(&built).arg(&source).arg(&library);
    cc.args(["-lm", "-lpthread", "-ldl"]);
    let output = cc.output().with_context(|| format!("could not run {cc:?}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "could not compile floor_sqlite.c: {complaint}");
    Ok(built)
}

fn build_c(directory: &Path, name: &str, source: &str) -> Result<PathBuf> {
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-static", "-s"]);
    compile(cc, directory, name, "c", source)
}

fn compile(
    mut compiler: Command,
    directory: &Path,
    name: &str,
    extension: &str,
    source: &str,
) -> Result<PathBuf> {
    let source_file = directory.join(name).with_extension(extension);
    let built = directory.join(name).with_extension("built");
    std::fs::write(&source_file, source)
        .with_context(|| format!("could not write {}", source_file.display()))?;
    compiler.arg("-o").arg(&built).arg(&source_file);
    let output = compiler.output().with_context(|| format!("could not run {compiler:?}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "could not compile {name}: {complaint}");
    copy(&built, &directory.join(name))
}

/// Copies a program to a new file on disk; where it is.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    let copied = || -> std::io::Result<()> {
        let _ = std::fs::remove_file(to);
        std::fs::copy(from, to)?;
        std::fs::File::open(to)?.sync_all()
    };
    copied().with_context(|| format!("could not copy {}", from.display()))?;
    Ok(to.to_owned())
}
