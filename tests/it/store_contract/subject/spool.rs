//! The spool of a world.

use openclaw_auth::secret::Secret;
use openclaw_auth::store::Renewal;
use openclaw_auth::store::recovery::{self, Recovery};
use openclaw_auth::system::file;
use serde_json::Value;
use std::path::PathBuf;

/// The replies that wait to be stored.
pub(in super::super) struct Spool {
    pub(super) places: [PathBuf; 2],
}

/// One of them.
pub(in super::super) struct Waiting {
    recovery: Recovery,
    pub(in super::super) access: String,
    pub(in super::super) refresh: Option<String>,
    pub(in super::super) expires: Option<i64>,
    pub(in super::super) region: Option<Value>,
}

impl Waiting {
    /// Whether it replaces this grant, and as which one, counted from the first.
    pub(in super::super) fn replaces(&self, grant: &str) -> Option<usize> {
        let hash = Secret::new(grant).fingerprint();
        self.recovery.grants.iter().position(|known| *known == hash)
    }

    /// It is stored, and need not wait any more.
    pub(in super::super) fn discard(self) {
        std::fs::remove_file(self.recovery.path).unwrap();
    }

    /// Whether the server gave another refresh token for it.
    pub(in super::super) fn is_spent(&self) -> bool {
        self.recovery.is_spent()
    }
}

impl Spool {
    /// Keeps what came of a grant that was posted.
    pub(in super::super) fn save(&self, posted: &str, renewal: &Renewal) -> bool {
        recovery::save(&self.places, &Secret::new(posted), renewal).is_ok()
    }

    /// Lets what waits, and gave the grant that was posted, give this; whether any did.
    pub(in super::super) fn follow(&self, posted: &str, renewal: &Renewal) -> bool {
        recovery::follow(&self.places, &Secret::new(posted), renewal).unwrap()
    }

    /// Whether a grant is spent by what waits.
    pub(in super::super) fn spent(&self, grant: &str) -> bool {
        recovery::find_spent(&self.places, &Secret::new(grant)).is_some()
    }

    pub(in super::super) fn pending(&self) -> Vec<Waiting> {
        let found = self.places.iter().flat_map(|place| recovery::pending(place));
        let waiting = found.map(|recovery| {
            let Renewal { grant, expires, fields, .. } = &recovery.renewal;
            Waiting {
                access: grant.access.expose().to_owned(),
                refresh: grant.refresh.as_ref().map(|it| it.expose().to_owned()),
                expires: *expires,
                region: fields.iter().find(|(name, _)| name == "region").map(|it| it.1.clone()),
                recovery,
            }
        });
        waiting.collect()
    }

    /// The usual place cannot be written.
    pub(in super::super) fn refuse_first_place(&self) {
        file::replace(&self.places[0], b"in the way").unwrap();
    }

    /// Something in it that is no reply.
    pub(in super::super) fn foreign_write(&self, text: &str) -> bool {
        file::create_private_directory(&self.places[0]).unwrap();
        file::replace(&self.places[0].join("foreign.json"), text.as_bytes()).is_ok()
    }
}
