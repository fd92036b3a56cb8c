//! Secrets of `models.json`, which OpenClaw generates for each agent.

use super::collector::Collector;
use super::known::{Known, is_header_marker, is_sensitive_header};
use super::object::entries;
use crate::profile::secret_ref::{Defaults, SecretRef, is_text};
use serde_json::Value;
use std::path::Path;

/// The longest file that is read.
const LONGEST: u64 = 5 * 1024 * 1024;

impl Collector<'_> {
    /// Looks at the providers of a model list.
    pub(super) fn scan_models(&mut self, file: &Path) {
        let Some(document) = self.object(file, Some(LONGEST)) else { return };
        let Some(providers) = document.get("providers").and_then(Value::as_object) else { return };
        for (provider, entry) in entries(providers) {
            let path = format!("providers.{provider}.apiKey");
            self.scan_model_value(file, path, &entry["apiKey"], provider, |known, text| {
                !known.is_marker(text)
            });
            let Some(headers) = entry["headers"].as_object() else { continue };
            for (name, value) in entries(headers) {
                let path = format!("providers.{provider}.headers.{name}");
                self.scan_model_value(file, path, value, provider, |_, text| {
                    !is_header_marker(text) && is_sensitive_header(name)
                });
            }
        }
    }

    fn scan_model_value(
        &mut self,
        file: &Path,
        path: String,
        value: &Value,
        provider: &str,
        is_secret: impl Fn(&Known, &str) -> bool,
    ) {
        if SecretRef::of(value, &Defaults::default()).is_some() {
            let message = "a reference that was not resolved when OpenClaw wrote this file: \
                           let it write the file again"
                .to_owned();
            self.find_unresolved((file, path), message, Some(provider));
        } else if is_text(value) && is_secret(&self.known, value.as_str().unwrap_or_default()) {
            self.find_plaintext((file, path), "a secret in plain text", (Some(provider), None));
        }
    }
}
