//! `IDENTITY.md`: lines such as `- **Name:** Ada`, as OpenClaw 2026.4.24 reads them.

use crate::system::file;
use std::path::Path;

/// The name of the file in a workspace.
pub(super) const FILE_NAME: &str = "IDENTITY.md";

/// What the file says; every text is trimmed and not empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct IdentityFile {
    pub(super) name: Option<String>,
    pub(super) emoji: Option<String>,
    pub(super) theme: Option<String>,
    pub(super) creature: Option<String>,
    pub(super) vibe: Option<String>,
    pub(super) avatar: Option<String>,
}

impl IdentityFile {
    /// The file at `path`; `None` when it cannot be read or says nothing.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let (text, _) = file::read(path).ok()??;
        let identity = Self::parse(&text);
        (identity != Self::default()).then_some(identity)
    }

    fn parse(text: &str) -> Self {
        let mut identity = Self::default();
        for line in text.lines() {
            let line = line.trim();
            let line = line.strip_prefix('-').map_or(line, str::trim_start);
            let Some((label, value)) = line.split_once(':') else { continue };
            let label = label.replace(EMPHASIS, "").trim().to_lowercase();
            // In OpenClaw's order: `Name: *Ada*` loses its last star only.
            let value = value.trim_matches(EMPHASIS).trim();
            if value.is_empty() || is_placeholder(value) {
                continue;
            }
            let field = match label.as_str() {
                "name" => &mut identity.name,
                "emoji" => &mut identity.emoji,
                "theme" => &mut identity.theme,
                "creature" => &mut identity.creature,
                "vibe" => &mut identity.vibe,
                "avatar" => &mut identity.avatar,
                _ => continue,
            };
            *field = Some(value.to_owned());
        }
        identity
    }

    /// The theme, or what comes closest to one.
    pub(super) fn theme_or_similar(&self) -> Option<&str> {
        [&self.theme, &self.creature, &self.vibe].into_iter().flatten().next().map(String::as_str)
    }
}

const EMPHASIS: [char; 2] = ['*', '_'];

/// The hints of OpenClaw's template stand in parentheses.
fn is_placeholder(value: &str) -> bool {
    let value = value.trim_matches(|c: char| EMPHASIS.contains(&c) || c.is_whitespace());
    value.starts_with('(') && value.ends_with(')')
}

#[cfg(test)]
mod tests {
    use super::IdentityFile;

    #[test]
    fn labels_are_read_in_every_dress() {
        let text = "# IDENTITY\r\n- **Name:** Ada\r\n-Emoji: 🦞\n  * **Theme**: calm sea  \n__Vibe__: _sharp_\nCreature:\nAvatar: a/b:c.png\nNaming: no\n";
        let identity = IdentityFile::parse(text);
        assert_eq!(identity.name.as_deref(), Some("Ada"));
        assert_eq!(identity.emoji.as_deref(), Some("🦞"));
        assert_eq!(identity.theme.as_deref(), Some("calm sea"));
        assert_eq!(identity.vibe.as_deref(), Some("_sharp"));
        assert_eq!(identity.creature, None);
        assert_eq!(identity.avatar.as_deref(), Some("a/b:c.png"));
        assert_eq!(identity.theme_or_similar(), Some("calm sea"));
    }

    #[test]
    fn a_template_that_nobody_has_filled_in_says_nothing() {
        let text =
            "- **Name:**\n  _(a hint)_\n- **Vibe:** _(a hint: with a colon)_\n- **Emoji:** ()\n";
        assert_eq!(IdentityFile::parse(text), IdentityFile::default());
    }
}
