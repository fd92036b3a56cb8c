//! Which OpenClaw is installed: by its `package.json`, behind the command on `PATH`. It is
//! never run.
//!
//! Invariant: nothing is looked for before somebody asks, and once at most.

use crate::system::{Environment, file};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The OpenClaw that is installed, once somebody asks.
#[derive(Clone, Debug, Default)]
pub struct InstalledOpenClaw(Arc<Lookup>);

#[derive(Debug, Default)]
struct Lookup {
    /// The value of `PATH`.
    path: Option<PathBuf>,
    found: OnceLock<Option<Installation>>,
}

/// An OpenClaw that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Its version, as `2026.9.6`.
    pub version: String,
    /// The directory of its package.
    pub package: PathBuf,
}

/// The first version that stores logins in the shared SQLite database: year and month.
const FIRST_WITH_DATABASE: (u32, u32) = (2026, 8);
/// The first version that stores logins in a database of each agent: year and month.
const FIRST_WITH_AGENT_DATABASES: (u32, u32) = (2026, 6);
/// The name of the command and of the package.
const NAME: &str = "openclaw";
/// No script that starts it is larger.
const LARGEST_SCRIPT: u64 = 64 * 1024;

impl InstalledOpenClaw {
    /// The one that is found by `PATH` of this environment.
    pub fn of(environment: &Environment) -> Self {
        let lookup = Lookup { path: environment.path("PATH"), found: OnceLock::new() };
        Self(Arc::new(lookup))
    }

    /// The first one on `PATH`.
    pub fn find(&self) -> Option<&Installation> {
        let look = || {
            let path = self.0.path.as_deref()?;
            // What it says of the working directory does not count.
            let mut directories = std::env::split_paths(path).filter(|it| it.is_absolute());
            directories.find_map(|directory| installation(&directory))
        };
        self.0.found.get_or_init(look).as_ref()
    }
}

impl Installation {
    /// Whether it stores logins in a SQLite database that all agents share.
    pub fn has_database(&self) -> bool {
        self.month().is_some_and(|version| version >= FIRST_WITH_DATABASE)
    }

    /// Whether it stores logins in a SQLite database of each agent, which it alone makes, and
    /// reads no others.
    pub fn has_agent_databases(&self) -> bool {
        let versions = FIRST_WITH_AGENT_DATABASES..FIRST_WITH_DATABASE;
        self.month().is_some_and(|version| versions.contains(&version))
    }

    /// The year and month of its version.
    fn month(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split(['.', '-']).map(str::parse::<u32>);
        let mut next = || parts.next().and_then(Result::ok);
        next().zip(next())
    }
}

/// The package that the command in `directory` is of; `None` where there is no such command.
fn installation(directory: &Path) -> Option<Installation> {
    let command = directory.join(NAME).canonicalize().ok().filter(|it| it.is_file())?;
    // The command is a file of the package, or of a folder in it; or a script that names it.
    package_above(&command).or_else(|| package_above(&named_in(&command, directory)?))
}

fn package_above(file: &Path) -> Option<Installation> {
    file.ancestors().skip(1).take(4).find_map(package_in)
}

fn package_in(directory: &Path) -> Option<Installation> {
    /// What is of interest of it.
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let (text, _) = file::read(&directory.join("package.json")).ok()??;
    let package: Package = serde_json::from_str(&text).ok()?;
    let is_it = package.name == NAME;
    is_it.then(|| Installation { version: package.version, package: directory.to_owned() })
}

/// The file of the package that a script starts, as package managers write them.
fn named_in(script: &Path, directory: &Path) -> Option<PathBuf> {
    let (text, _) = file::read_up_to(script, LARGEST_SCRIPT).ok()??;
    let inside = format!("/{NAME}/");
    let mut words = text.split(['"', '\'', ' ', '\n']).filter(|it| it.contains(&inside));
    words.find_map(|word| {
        let word = word.strip_prefix("$basedir/").or_else(|| word.strip_prefix("${basedir}/"));
        let named = match word {
            Some(relative) => directory.join(relative),
            None => return None,
        };
        named.canonicalize().ok().filter(|it| it.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn install(root: &Path, package: &str, name: &str, version: &str) -> PathBuf {
        let directory = root.join(package);
        file::create_private_directory(&directory).unwrap();
        let text = serde_json::json!({"name": name, "version": version}).to_string();
        file::replace(&directory.join("package.json"), text.as_bytes()).unwrap();
        file::replace(&directory.join("openclaw.mjs"), b"// never run").unwrap();
        directory
    }

    fn found(path: &str) -> Option<Installation> {
        InstalledOpenClaw::of(&Environment::of([("PATH", path)])).find().cloned()
    }

    #[test]
    fn it_is_found_behind_links_and_scripts_and_its_version_counts() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let bin = root.join("bin");
        file::create_private_directory(&bin).unwrap();
        let path = format!("relative:/nonexistent:{}", bin.display());
        assert_eq!(found(&path), None);
        let package = install(&root, "lib/node_modules/openclaw", "openclaw", "2026.9.6");
        symlink(package.join("openclaw.mjs"), bin.join("openclaw")).unwrap();
        let installed = found(&path).unwrap();
        assert_eq!((installed.version.as_str(), &installed.package), ("2026.9.6", &package));
        assert!(installed.has_database());
        // As pnpm writes it.
        let other = install(&root, "bin/global/5/node_modules/openclaw", "openclaw", "2026.4.24");
        std::fs::remove_file(bin.join("openclaw")).unwrap();
        let script = b"#!/bin/sh\nexec node  \"$basedir/global/5/node_modules/openclaw/openclaw.mjs\" \"$@\"\n";
        file::replace(&bin.join("openclaw"), script).unwrap();
        let installed = found(&path).unwrap();
        assert_eq!((installed.package.clone(), installed.has_database()), (other, false));
        // Something else of that name.
        install(&root, "bin/global/5/node_modules/openclaw", "other", "2026.9.6");
        assert_eq!(found(&path), None);
    }

    #[test]
    fn versions_are_told_by_year_and_month() {
        let has = |version: &str| {
            Installation { version: version.into(), package: PathBuf::new() }.has_database()
        };
        for version in ["2026.8.1", "2026.9.6", "2026.10.1-beta.2", "2027.1.1"] {
            assert!(has(version), "{version}");
        }
        for version in ["2026.4.24", "2026.7.35", "2025.12.1", "0.0.1", "", "next"] {
            assert!(!has(version), "{version}");
        }
        let between = |version: &str| {
            let package = PathBuf::new();
            Installation { version: version.into(), package }.has_agent_databases()
        };
        for version in ["2026.6.6", "2026.7.35", "2026.7.2-beta.6"] {
            assert!(between(version), "{version}");
        }
        for version in ["2026.5.9", "2026.8.1", "2025.7.1", "next"] {
            assert!(!between(version), "{version}");
        }
    }
}
