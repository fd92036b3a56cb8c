//! The program is linked statically where the C library is there for that: loading
//! libraries would take most of the time of a command.
//!
//! rustc can do this itself (`-C target-feature=+crt-static`), but then no build without
//! `--target` compiles procedural macros.

use std::env;
use std::io::{Result, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What rustc asks the linker for, and the archive that it is to get.
const ARCHIVES: [(&str, &str); 3] =
    [("libc.a", "libc.a"), ("libm.a", "libm.a"), ("libgcc_s.a", "libgcc_eh.a")];

/// Tells cargo how to link the program. The configuration `static_glibc` is set where that
/// is static: modules of the C library (nsswitch.conf) are out of reach then. The archives
/// are laid out in `directory`.
pub(super) fn link(directory: &Path, out: &mut impl Write) -> Result<()> {
    writeln!(out, "cargo:rustc-check-cfg=cfg(static_glibc)")?;
    let variable = |name| env::var(name).unwrap_or_default();
    let is_linux_gnu =
        variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_ENV") == "gnu";
    if !is_linux_gnu || variable("HOST") != variable("TARGET") || !is_recent() {
        return Ok(());
    }
    let Some(archives) = found() else { return Ok(()) };
    let directory = directory.join("archives");
    if directory.exists() {
        std::fs::remove_dir_all(&directory)?;
    }
    std::fs::create_dir_all(&directory)?;
    for (asked, archive) in archives {
        writeln!(out, "cargo:rerun-if-changed={}", archive.display())?;
        symlink(archive, directory.join(asked))?;
    }
    writeln!(out, "cargo:rustc-cfg=static_glibc")?;
    // Searched before every other directory, and without a shared library in it.
    writeln!(out, "cargo:rustc-link-arg-bins=-L{}", directory.display())?;
    for argument in ["-static-pie", "-Wl,--start-group,-lc,-lgcc,-lgcc_s,--end-group"] {
        writeln!(out, "cargo:rustc-link-arg-bins={argument}")?;
    }
    if has_packed_relocations() {
        writeln!(out, "cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs")?;
    }
    Ok(())
}

/// Whether the C library can start a program whose relative relocations are packed (`DT_RELR`,
/// glibc 2.36): a start takes fewer instructions, and the file is smaller.
fn has_packed_relocations() -> bool {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let version = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let minor = version.as_deref().and_then(|text| text.trim().strip_prefix("glibc 2."));
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 36)
}

/// Whether threads are in libc itself, as from glibc 2.34 on: their archive is empty.
fn is_recent() -> bool {
    let threads = file("libpthread.a").and_then(|archive| archive.metadata().ok());
    threads.is_some_and(|archive| archive.len() < 100) && file("rcrt1.o").is_some()
}

/// The archives by the names that are asked for; `None` when one is missing.
fn found() -> Option<Vec<(&'static str, PathBuf)>> {
    ARCHIVES.into_iter().map(|(asked, given)| Some((asked, file(given)?))).collect()
}

/// Where the C compiler finds a file of the C library.
fn file(name: &str) -> Option<PathBuf> {
    let compiler = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
    path.is_absolute().then_some(path).filter(|path| path.exists())
}
