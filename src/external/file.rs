//! Reading the files of other programs.

use super::error::ExternalError;
use crate::system::file;
use std::io::ErrorKind;
use std::path::Path;
use zeroize::Zeroizing;

/// A larger file is no file of logins.
const LARGEST_FILE: u64 = 8 * 1024 * 1024;

/// The text of a file; `None` where there is none.
pub(super) fn text_of(path: &Path) -> Result<Option<Zeroizing<String>>, ExternalError> {
    match file::read_up_to(path, LARGEST_FILE) {
        Ok(read) => Ok(read.map(|(text, _)| Zeroizing::new(text))),
        // A link that leads nowhere.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ExternalError::Read { path: path.to_owned(), source }),
    }
}
