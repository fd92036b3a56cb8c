//! The backups from before the logins moved between documents and databases.
//!
//! Invariant: they are listed, and restored by nothing: their profiles have other names here.

use super::{Backup, Document, Location, Store, StoreFormat};

impl Store {
    /// The backups of the form in which the logins were before they moved, the newest first: each
    /// with where it is, and with what it holds where it can be read.
    pub fn backups_of_other_format(&self) -> Vec<(Backup, Location, Option<Document>)> {
        #[cfg(feature = "sqlite")]
        {
            let other = self.engine.other_than_first();
            let backups = other.backups().into_iter();
            let with_place = |backup: Backup| {
                let (location, document) =
                    (other.backup_location(&backup), other.read_backup(&backup).ok());
                (backup, location, document)
            };
            backups.map(with_place).collect()
        }
        #[cfg(not(feature = "sqlite"))]
        Vec::new()
    }

    /// The form in which the logins are.
    pub fn format(&self) -> StoreFormat {
        if self.is_in_database() { StoreFormat::Sqlite } else { StoreFormat::Json }
    }
}
