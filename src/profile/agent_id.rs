//! Agent ids, normalised as OpenClaw 2026.4.24 does.

/// The agent whose store the others read through to.
pub const MAIN_AGENT: &str = "main";

/// The id under which an agent named `name` is kept: lower case, `[a-z0-9_-]`, at most
/// 64 characters, `main` when nothing is left.
pub fn normalize_agent_id(name: &str) -> String {
    let name = name.trim();
    let lower = name.to_lowercase();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let already_valid = name.len() <= 64
        && name.chars().all(is_word)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if already_valid {
        return lower;
    }
    let mut id = String::with_capacity(lower.len());
    for character in lower.chars() {
        if is_word(character) {
            id.push(character);
        } else if !id.ends_with(GAP) {
            id.push(GAP);
        }
    }
    let id: String = id.replace(GAP, "-");
    let id: String = id.trim_matches('-').chars().take(64).collect();
    if id.is_empty() { MAIN_AGENT.to_owned() } else { id }
}

/// Marks a run of replaced characters apart from a dash that stood in the name.
const GAP: char = '\u{0}';

#[cfg(test)]
mod tests {
    use super::normalize_agent_id;

    #[test]
    fn ids_are_normalised_as_openclaw_does() {
        for (name, id) in [
            ("Work Bot", "work-bot"),
            ("a.b.c", "a-b-c"),
            ("a  b//c", "a-b-c"),
            (&"x".repeat(70), &"x".repeat(64)),
            ("-lead-", "lead"),
            ("Main", "main"),
            (" ", "main"),
            ("9lives", "9lives"),
            (&"a".repeat(64), &"a".repeat(64)),
            ("emoji🦞x", "emoji-x"),
            ("foo_", "foo_"),
            ("_under", "_under"),
            ("İstanbul", "i-stanbul"),
            ("ÜBER Café", "ber-caf"),
            ("日本語", "main"),
            ("UPPER_case-1", "upper_case-1"),
            (&"ab.".repeat(30), &format!("{}a", "ab-".repeat(21))),
        ] {
            assert_eq!(normalize_agent_id(name), *id, "{name}");
        }
    }
}
