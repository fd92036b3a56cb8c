//! Secrets of the credential documents, present and legacy.

use super::collector::{Assignment, Collector, ROOT};
use super::finding::{Code, INFORMATION};
use super::object::entries;
use crate::config::Config;
use crate::ops::reference::explain;
use crate::profile::secret_ref::{SecretRef, is_text};
use crate::profile::{Kind, ProfileId};
use crate::reference::{Secrets, Wanted, misplaced};
use crate::store::Store;
use crate::text::chain;
use serde_json::{Map, Value};
use std::path::Path;

impl Collector<'_> {
    /// Looks at the profiles of a credential document.
    pub(super) fn scan_profiles(&mut self, file: &Path, config: &Config, secrets: &Secrets) {
        let Some(document) = self.object(file, None) else { return };
        let Some(profiles) = document.get("profiles") else { return };
        let Some(profiles) = profiles.as_object() else {
            let reason = "the profiles of the file are not an object".to_owned();
            self.find_unresolved((file, ROOT.to_owned()), reason, None);
            return;
        };
        self.scan_entries(file, profiles, config, secrets);
    }

    /// Looks at the profiles of a database.
    pub(super) fn scan_rows(&mut self, store: &Store, config: &Config, secrets: &Secrets) {
        let location = store.location();
        let Some(file) = location.path() else { return };
        let document = match store.profiles() {
            Ok(document) => document,
            Err(error) => {
                return self.find_unresolved((file, ROOT.to_owned()), chain(&error), None);
            }
        };
        if document.entry_count() == 0 {
            return;
        }
        self.files.push(file.to_owned());
        let profiles = document
            .entries()
            .filter_map(|(id, entry)| Some((id.to_owned(), serde_json::from_str(entry).ok()?)));
        self.scan_entries(file, &profiles.collect(), config, secrets);
    }

    fn scan_entries(
        &mut self,
        file: &Path,
        profiles: &Map<String, Value>,
        config: &Config,
        secrets: &Secrets,
    ) {
        for (id, entry) in entries(profiles) {
            let kind = entry["type"].as_str().and_then(Kind::from_name);
            let provider = entry["provider"].as_str().filter(|text| !text.trim().is_empty());
            let (Some(kind), Some(provider)) = (kind, provider) else { continue };
            let profile = Profile { id: &id.as_str().into(), provider, kind, entry };
            match kind {
                Kind::ApiKey => self.scan_value(file, &profile, "key", "keyRef", secrets),
                Kind::Token => self.scan_value(file, &profile, "token", "tokenRef", secrets),
                Kind::OAuth => self.scan_grant(file, &profile),
            }
            self.find_misplaced(file, &profile, config, secrets);
        }
    }

    fn scan_value(
        &mut self,
        file: &Path,
        profile: &Profile<'_>,
        field: &str,
        reference_field: &str,
        secrets: &Secrets,
    ) {
        let Profile { id, provider, kind, entry } = *profile;
        let value = &entry[field];
        let path = format!("profiles.{}.{field}", id.as_str());
        let reference = SecretRef::of(&entry[reference_field], &secrets.defaults)
            .or_else(|| SecretRef::of(value, &secrets.defaults));
        if let Some(reference) = reference {
            self.assignments.push(Assignment {
                file: file.to_owned(),
                path: path.clone(),
                reference,
                wanted: Wanted::Text,
                provider: Some(provider.to_owned()),
            });
            self.hold(provider, kind);
        }
        if is_text(value) {
            let about = (Some(provider), Some(id));
            let what = format!("the {field} of the profile is in plain text");
            self.find_plaintext((file, path), what, about);
            self.hold(provider, kind);
        }
    }

    fn scan_grant(&mut self, file: &Path, profile: &Profile<'_>) {
        let Profile { id, provider, kind, entry } = *profile;
        if is_text(&entry["access"]) || is_text(&entry["refresh"]) {
            let message = "an OAuth login, which references do not replace".to_owned();
            let at = (file, format!("profiles.{}", id.as_str()));
            self.find((Code::LegacyResidue, INFORMATION), at, message, (Some(provider), Some(id)));
            self.hold(provider, kind);
        }
    }

    fn find_misplaced(
        &mut self,
        file: &Path,
        profile: &Profile<'_>,
        config: &Config,
        secrets: &Secrets,
    ) {
        let Profile { id, provider, kind, entry } = *profile;
        let text = entry.to_string();
        for found in misplaced(&text, kind, config.auth_mode(id), &secrets.defaults) {
            let at = (file, format!("profiles.{}.{}", id.as_str(), found.field));
            let about = (Some(provider), Some(id));
            self.find((Code::ReferenceMisplaced, "error"), at, explain(&found, kind), about);
        }
    }

    fn hold(&mut self, provider: &str, kind: Kind) {
        self.held.entry(provider.into()).or_default().insert(kind.name());
    }

    /// Looks at the credential document of older versions.
    pub(super) fn scan_legacy(&mut self, file: &Path) {
        let document: Map<String, Value> = self.object(file, None).unwrap_or_default();
        for (provider, entry) in entries(&document) {
            if entry["type"] == Kind::ApiKey.name() && is_text(&entry["key"]) {
                let message = "a key in plain text in the document of an older version".to_owned();
                let at = (file, provider.clone());
                self.find((Code::LegacyResidue, "warn"), at, message, (Some(provider), None));
            }
        }
    }
}

/// A profile as its entry says it.
#[derive(Clone, Copy)]
struct Profile<'v> {
    id: &'v ProfileId,
    provider: &'v str,
    kind: Kind,
    entry: &'v Value,
}
