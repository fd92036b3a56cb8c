//! `--version`, and what a report about a fault needs beside it: `--version -v`.

use std::ffi::OsString;

/// Where the program comes from, or `unknown` where it was not built in a repository.
pub(super) const COMMIT: &str = env!("OPENCLAW_AUTH_COMMIT");

/// What the program was compiled for.
pub(super) const TARGET: &str = env!("OPENCLAW_AUTH_TARGET");

/// The answer where `args`, the name of the program first, ask for the version alone.
pub(super) fn asked_for(args: &[OsString]) -> Option<String> {
    let texts: Option<Vec<&str>> = args.iter().skip(1).map(|arg| arg.to_str()).collect();
    let is_in_full = match texts?.as_slice() {
        // As clap prints it, without making every command first.
        ["--version" | "-V"] => {
            return Some(concat!("openclaw-auth ", env!("CARGO_PKG_VERSION"), "\n").to_owned());
        }
        ["-vV" | "-Vv"] => true,
        [a, b] => {
            let is_version = |text: &str| ["--version", "-V"].contains(&text);
            let is_more = |text: &str| ["-v", "--verbose"].contains(&text);
            is_version(a) && is_more(b) || is_more(a) && is_version(b)
        }
        _ => false,
    };
    is_in_full.then(in_full)
}

/// How the program is linked.
pub(super) const LINKING: &str = if cfg!(static_glibc) { "static" } else { "dynamic" };

/// The features that it was built with.
pub(super) const FEATURES: &str = if cfg!(feature = "sqlite") { "sqlite" } else { "none" };

fn in_full() -> String {
    format!(
        "openclaw-auth {}\ncommit: {COMMIT}\ntarget: {TARGET} ({LINKING})\nfeatures: {FEATURES}\n\
         openclaw: files of 2026.4.24 and later; databases of 2026.8.1 to 2026.9.6\n",
        env!("CARGO_PKG_VERSION")
    )
}
