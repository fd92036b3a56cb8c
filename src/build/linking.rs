//! The program is linked statically where the C library is there for that: loading
//! libraries would take most of the time of a command.
//!
//! rustc can do this itself (`-C target-feature=+crt-static`), but then no build without
//! `--target` compiles procedural macros.

use std::env;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What rustc asks the linker for, and the archive that it is to get.
const ARCHIVES: [(&str, &str); 3] =
    [("libc.a", "libc.a"), ("libm.a", "libm.a"), ("libgcc_s.a", "libgcc_eh.a")];

/// What the linker of the program is told; nothing where the archives are missing. They are
/// laid out in `directory`.
pub(super) fn arguments(directory: &Path) -> std::io::Result<Vec<String>> {
    let variable = |name| env::var(name).unwrap_or_default();
    let is_linux_gnu =
        variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_ENV") == "gnu";
    let archives = directory.join("archives");
    if !is_linux_gnu || variable("HOST") != variable("TARGET") || !collect(&archives)? {
        return Ok(Vec::new());
    }
    Ok(vec![
        // Searched before every other directory, and without a shared library in it.
        format!("-L{}", archives.display()),
        "-static-pie".to_owned(),
        "-Wl,--start-group,-lc,-lgcc,-lgcc_s,--end-group".to_owned(),
    ])
}

/// Links the archives into a new directory; `false` when the compiler has not all of them.
fn collect(directory: &Path) -> std::io::Result<bool> {
    if directory.exists() {
        std::fs::remove_dir_all(directory)?;
    }
    std::fs::create_dir_all(directory)?;
    for (asked, given) in ARCHIVES {
        let Some(archive) = archive(given) else { return Ok(false) };
        symlink(archive, directory.join(asked))?;
    }
    Ok(true)
}

/// Where the C compiler finds an archive.
fn archive(name: &str) -> Option<PathBuf> {
    let compiler = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
    path.is_absolute().then_some(path).filter(|path| path.exists())
}
