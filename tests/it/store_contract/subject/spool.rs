//! The spool of a world.

use openclaw_auth::secret::Secret;
use openclaw_auth::store::{self, IssuedCredential, Spent, SpooledReply};
use openclaw_auth::system::file;
use serde_json::Value;
use std::path::PathBuf;

/// The replies that wait to be stored.
pub(in super::super) struct Spool {
    spool: store::Spool,
    places: [PathBuf; 2],
}

/// One of them.
pub(in super::super) struct Waiting {
    spool: store::Spool,
    reply: SpooledReply,
}

impl Waiting {
    pub(in super::super) fn access(&self) -> &str {
        self.reply.renewal.grant.access.expose()
    }

    pub(in super::super) fn refresh(&self) -> Option<&str> {
        self.reply.renewal.grant.refresh.as_ref().map(Secret::expose)
    }

    pub(in super::super) fn expires(&self) -> Option<i64> {
        self.reply.renewal.expires
    }

    /// A further field of the entry.
    pub(in super::super) fn field(&self, name: &str) -> Option<&Value> {
        let fields = &self.reply.renewal.fields;
        fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether it replaces this grant, and as which one, counted from the first.
    pub(in super::super) fn replaces(&self, grant: &str) -> Option<usize> {
        let hash = Secret::new(grant).fingerprint();
        self.reply.grants.iter().position(|known| *known == hash)
    }

    /// It is stored, and need not wait any more.
    pub(in super::super) fn discard(self) {
        assert!(self.spool.remove(&self.reply.location()));
    }

    /// Whether the server gave another refresh token for it.
    pub(in super::super) fn is_spent(&self) -> bool {
        self.reply.is_spent()
    }
}

impl Spool {
    pub(super) fn new(places: [PathBuf; 2]) -> Self {
        Self { spool: store::Spool::new(places.clone()), places }
    }

    /// Keeps what came of a grant that was posted.
    pub(in super::super) fn save(&self, posted: &str, renewal: &IssuedCredential) -> bool {
        self.spool.save(&Secret::new(posted), renewal).is_ok()
    }

    /// Lets what waits, and gave the grant that was posted, give this; whether any did.
    pub(in super::super) fn follow(&self, posted: &str, renewal: &IssuedCredential) -> bool {
        self.spool.follow(&Secret::new(posted), renewal).unwrap()
    }

    /// Whether a grant is spent by what waits.
    pub(in super::super) fn spent(&self, grant: &str) -> bool {
        self.spool.find_spent(&Secret::new(grant)).is_some()
    }

    /// Whether a grant is spent by what cannot be read.
    pub(in super::super) fn is_unreadable(&self, grant: &str) -> bool {
        matches!(self.spool.find_spent(&Secret::new(grant)), Some(Spent::Unreadable(_)))
    }

    /// Changes the texts of all that waits.
    pub(in super::super) fn damage(&self, change: impl Fn(&str) -> String) -> bool {
        let entries = self.places.iter().filter_map(|place| place.read_dir().ok());
        entries.flatten().flatten().all(|entry| {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            file::replace(&entry.path(), change(&text).as_bytes()).is_ok()
        })
    }

    pub(in super::super) fn pending(&self) -> Vec<Waiting> {
        let found = self.spool.pending().into_iter();
        found.map(|reply| Waiting { spool: self.spool.clone(), reply }).collect()
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
