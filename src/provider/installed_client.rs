//! The client of an installed program: its maker does not let others name it, but the
//! program on this machine carries its identifier and its secret, which is none (RFC 8252
//! section 8.5).

use crate::secret::Secret;
use crate::system::Environment;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// An installed program that carries a client.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InstalledClient {
    /// The program for people, with how to install it.
    label: String,
    /// Its command, which is looked for on `PATH`.
    command: String,
    /// The names of the source files that hold the client.
    files: Vec<String>,
    /// The folder of bundled sources, any of which may hold it.
    bundle: String,
    /// The constant with the client identifier.
    client_id: String,
    /// The constant with the client secret.
    client_secret: String,
}

impl std::fmt::Display for InstalledClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.label)
    }
}

/// A package has no deeper folders than this.
const DEEPEST: usize = 12;
/// So many entries of folders are looked at.
const MOST_ENTRIES: usize = 50_000;
/// A larger file is no source.
const LARGEST_SOURCE: u64 = 64 * 1024 * 1024;

impl InstalledClient {
    /// The client to make requests as: the `named` one with its `secret`, else that of the
    /// installed program. `stored` is the one that a refresh token is bound to; a secret does
    /// not go out with the name of another. `None` when there is no such client.
    pub(super) fn client(
        &self,
        stored: Option<&str>,
        named: Option<String>,
        secret: Option<Secret>,
        environment: &Environment,
    ) -> Option<(String, Option<Secret>)> {
        let is_it = |id: &str| stored.is_none_or(|stored| stored == id);
        let secret = match named {
            Some(id) if is_it(&id) => return Some((id, secret)),
            Some(_) => None,
            None => secret,
        };
        match self.find(environment).filter(|(id, _)| is_it(id)) {
            Some((id, of_program)) => Some((id, secret.or(Some(of_program)))),
            None => Some((stored?.to_owned(), Some(secret?))),
        }
    }

    /// The client identifier and secret in the installed program; `None` when it is not
    /// installed, or holds none that we recognise.
    fn find(&self, environment: &Environment) -> Option<(String, Secret)> {
        let command = environment
            .search_path()
            .into_iter()
            .map(|directory| directory.join(&self.command))
            .find_map(|command| command.canonicalize().ok())?;
        // The command is a file of the package, or of a folder in it.
        let package = command
            .ancestors()
            .skip(1)
            .take(4)
            .find(|directory| directory.join("package.json").is_file())?;
        let mut left = MOST_ENTRIES;
        self.find_below(package, false, 0, &mut left)
    }

    fn find_below(
        &self,
        directory: &Path,
        is_bundle: bool,
        depth: usize,
        left: &mut usize,
    ) -> Option<(String, Secret)> {
        let mut entries: Vec<_> = directory.read_dir().ok()?.flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut folders: Vec<(PathBuf, bool)> = Vec::new();
        for entry in entries {
            *left = left.checked_sub(1)?;
            let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !name.starts_with('.') && depth < DEEPEST {
                folders.push((path, is_bundle || name == self.bundle));
            } else if kind.is_file()
                && (self.files.contains(&name) || (is_bundle && is_source(&path)))
                && let Some(found) = self.read(&path)
            {
                return Some(found);
            }
        }
        // The folder of bundled sources first.
        folders.sort_by_key(|(_, is_bundle)| !is_bundle);
        folders
            .into_iter()
            .find_map(|(folder, is_bundle)| self.find_below(&folder, is_bundle, depth + 1, left))
    }

    fn read(&self, source: &Path) -> Option<(String, Secret)> {
        if source.metadata().ok()?.len() > LARGEST_SOURCE {
            return None;
        }
        let text = std::fs::read_to_string(source).ok()?;
        let id = constant(&text, &self.client_id)?;
        Some((id.to_owned(), Secret::new(constant(&text, &self.client_secret)?)))
    }
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "js")
}

/// The text that JavaScript source assigns to a constant: `NAME = "text"`.
fn constant<'s>(source: &'s str, name: &str) -> Option<&'s str> {
    source.match_indices(name).find_map(|(at, _)| {
        let value = source[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (text, _) = value[1..].split_once(quote)?;
        let is_plain = |c: char| c.is_ascii_graphic() && c != '\\';
        (!text.is_empty() && text.len() < 200 && text.chars().all(is_plain)).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed() -> InstalledClient {
        serde_json::from_value(serde_json::json!({
            "label": "Tool", "command": "tool", "files": ["oauth2.js"], "bundle": "bundle",
            "clientId": "OAUTH_CLIENT_ID", "clientSecret": "OAUTH_CLIENT_SECRET",
        }))
        .unwrap()
    }

    fn find_in(source: &str) -> Option<(String, Secret)> {
        let root = tempfile::tempdir().unwrap();
        let package = root.path().join("lib/tool");
        let file = package.join(source);
        let make = crate::system::file::create_private_directory;
        make(file.parent().unwrap()).unwrap();
        make(&root.path().join("bin")).unwrap();
        let text = "const OAUTH_CLIENT_IDS = 1;\nvar OAUTH_CLIENT_ID =\n  'fake-id.example.test';\
                    \nconst OAUTH_CLIENT_SECRET=\"fake-client-secret\";";
        let write = |path: &Path, text: &str| crate::system::file::replace(path, text.as_bytes());
        write(&file, text).unwrap();
        write(&package.join("package.json"), "{}").unwrap();
        write(&package.join("main.js"), "").unwrap();
        std::os::unix::fs::symlink(package.join("main.js"), root.path().join("bin/tool")).unwrap();
        installed().find(&Environment::of([("PATH", root.path().join("bin"))]))
    }

    #[test]
    fn the_client_of_an_installed_program_is_found() {
        for place in ["bundle/chunk-1.js", "node_modules/@x/core/dist/src/oauth2.js", "oauth2.js"] {
            let (id, secret) = find_in(place).unwrap_or_else(|| panic!("{place}"));
            assert_eq!(
                (id.as_str(), secret.expose()),
                ("fake-id.example.test", "fake-client-secret")
            );
        }
        assert!(find_in("other.js").is_none());
        assert!(installed().find(&Environment::of([("PATH", "/nonexistent")])).is_none());
    }

    #[test]
    fn a_program_in_the_working_directory_is_not_asked() {
        let directories = |path: &str| Environment::of([("PATH", path)]).search_path();
        assert_eq!(directories("/a:.:b::/c"), [Path::new("/a"), Path::new("/c")]);
    }

    #[test]
    fn a_secret_goes_out_with_its_own_client_alone() {
        let nowhere = Environment::of([("PATH", "/nonexistent")]);
        let client = |stored: Option<&str>, named: Option<&str>, secret: Option<&str>| {
            let (named, secret) = (named.map(str::to_owned), secret.map(Secret::new));
            let (id, secret) = installed().client(stored, named, secret, &nowhere)?;
            Some((id, secret.map(|secret| secret.expose().to_owned())))
        };
        let some = |id: &str, secret: Option<&str>| Some((id.into(), secret.map(str::to_owned)));
        assert_eq!(client(None, Some("a"), Some("fake-a")), some("a", Some("fake-a")));
        assert_eq!(client(None, Some("a"), None), some("a", None), "a public client");
        assert_eq!(client(Some("a"), Some("a"), None), some("a", None));
        assert_eq!(client(Some("b"), Some("a"), Some("fake-a")), None);
        assert_eq!(client(Some("b"), None, Some("fake-b")), some("b", Some("fake-b")));
        assert_eq!(client(Some("b"), None, None), None);
        assert_eq!(client(None, None, Some("fake-a")), None);
    }

    #[test]
    fn only_a_plain_text_is_a_constant() {
        assert_eq!(constant("ID = 'a'", "ID"), Some("a"));
        for source in ["ID = x", "ID", "ID == 'a'", "ID = ''", "ID = 'a\\'b'", "ID = 'open"] {
            assert_eq!(constant(source, "ID"), None, "{source}");
        }
    }
}
