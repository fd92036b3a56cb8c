//! Secrets of `openclaw.json`.

use super::collector::{Assignment, Collector};
use super::finding::Code;
use super::known::is_sensitive_header;
use crate::config::Config;
use crate::profile::ProviderId;
use crate::profile::secret_ref::{SecretRef, is_text};
use crate::reference::{Secrets, Wanted};
use std::path::Path;

impl Collector<'_> {
    /// Looks at every field of the configuration that may hold a secret. A variable in a
    /// text was replaced by its value where it is set: OpenClaw sees it so, too.
    pub(super) fn scan_configuration(&mut self, config: &Config, file: &Path, secrets: &Secrets) {
        let root = config.value();
        let fields = std::mem::take(&mut self.known.fields);
        for field in &fields {
            for place in field.path.places(root) {
                let value = place.value;
                let beside = field.reference.as_ref().map(|beside| beside.beside(root, &place));
                let provider = field.provider.and_then(|index| place.segments.get(index)).cloned();
                let reference = beside
                    .and_then(|beside| SecretRef::of(beside, &secrets.defaults))
                    .or_else(|| SecretRef::of(value, &secrets.defaults));
                if let Some(reference) = reference {
                    if field.shadowed
                        && let Some(provider) = &provider
                    {
                        let provider = ProviderId::from(provider.as_str()).normalized();
                        let of_provider = self.configured.entry(provider);
                        of_provider.or_default().push(place.path());
                    }
                    self.assignments.push(Assignment {
                        file: file.to_owned(),
                        path: place.path(),
                        reference,
                        wanted: if field.object { Wanted::TextOrObject } else { Wanted::Text },
                        provider,
                    });
                    continue;
                }
                let name = place.segments.last().map_or("", String::as_str);
                if field.sensitive_names_only && !is_sensitive_header(name) {
                    continue;
                }
                let is_object =
                    field.object && value.as_object().is_some_and(|object| !object.is_empty());
                if is_text(value) || is_object {
                    let about = (provider.as_deref(), None);
                    self.find_plaintext((file, place.path()), "a secret in plain text", about);
                }
            }
        }
        self.known.fields = fields;
    }

    /// Finds the references of the configuration that profiles make useless.
    pub(super) fn find_shadowed(&mut self) {
        for (provider, paths) in std::mem::take(&mut self.configured) {
            let Some(kinds) = self.held.get(&provider) else { continue };
            let kinds = kinds.iter().copied().collect::<Vec<_>>().join("/");
            for path in paths {
                let message = format!(
                    "profiles of {provider} ({kinds}) go before this reference, so that it may \
                     never be used"
                );
                let at = (Path::new("openclaw.json"), path);
                self.find((Code::Shadowed, "warn"), at, message, (Some(provider.as_str()), None));
            }
        }
    }
}
