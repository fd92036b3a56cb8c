//! The certificate authorities that the environment names in place of the system's. The
//! variables are those of the environment that is handed in; a blank one counts as unset,
//! which the libraries below do not see.

use super::Environment;
use reqwest::Certificate;
use rustls_native_certs::load_certs_from_paths;
use std::path::PathBuf;

/// The variables that name authorities.
pub(super) const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The files and directories that a variable names: `SSL_CERT_DIR` may be a list.
pub(super) fn named(environment: &Environment, variable: &str) -> Vec<PathBuf> {
    let Some(value) = environment.expanded(variable) else { return Vec::new() };
    if variable == VARIABLES[0] {
        return vec![value];
    }
    std::env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect()
}

/// The authorities in place of the system's; `None` where the system's are meant, and the
/// libraries below find them.
pub(super) fn of(environment: &Environment) -> Option<Vec<Certificate>> {
    let [file, dir] = VARIABLES;
    let (mut files, mut directories) = (named(environment, file), named(environment, dir));
    if files.is_empty() && directories.is_empty() {
        if !VARIABLES.iter().any(|name| environment.is_there(name)) {
            return None;
        }
        // They are there, and blank: the libraries would look nowhere.
        let system = openssl_probe::probe();
        files.extend(system.cert_file);
        directories.extend(system.cert_dir);
    }
    let files = files.iter().map(|file| load_certs_from_paths(Some(file), None));
    let directories = directories.iter().map(|path| load_certs_from_paths(None, Some(path)));
    let found = files.chain(directories).flat_map(|found| found.certs);
    Some(found.filter_map(|found| Certificate::from_der(&found).ok()).collect())
}
