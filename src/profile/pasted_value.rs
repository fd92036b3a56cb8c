//! The value in a line of a shell, a document or a request.
//!
//! Invariant: it is a piece of the line as it stands there.

use super::mask::is_masked;

/// Why a pasted text gives no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSecret {
    /// There is nothing in it.
    #[error("nothing was pasted")]
    Nothing,
    /// It has several lines or words that do not make one secret.
    #[error(
        "what was pasted has several words or lines, and which of them belong to it is not \
         clear: paste it alone, in one line"
    )]
    Several,
    /// Its middle or its end is hidden.
    #[error("what was pasted is masked or shortened: copy it where it is shown whole")]
    Masked,
    /// It stands for a secret.
    #[error("what was pasted names a variable or a command, whose value only a shell knows")]
    Unexpanded,
    /// It is an example.
    #[error("what was pasted is a placeholder, not a secret")]
    Placeholder,
    /// It has characters that no secret has.
    #[error("what was pasted holds characters that no token or key has")]
    Unfit,
    /// It is far longer than any secret.
    #[error("what was pasted is longer than any token or key")]
    TooLong,
}

/// How many times a value may be wrapped: a header in quotes behind an option has three.
const DEPTH: u8 = 8;

/// The value of a line.
///
/// # Errors
/// See [`NoSecret`].
pub(super) fn value(line: &str) -> Result<&str, NoSecret> {
    value_within(line, DEPTH)
}

fn value_within(line: &str, depth: u8) -> Result<&str, NoSecret> {
    if line.contains("{{") {
        // Of a template.
        return Err(NoSecret::Unexpanded);
    }
    let line = unmarked(line.trim().trim_start_matches(['{', '(']).trim_start());
    let Some(depth) = depth.checked_sub(1) else { return Err(NoSecret::Several) };
    if let Some((inside, after)) = quoted(line)
        && is_tail(after)
    {
        return value_within(inside, depth);
    }
    if let Some((first, rest)) = line.split_once(' ')
        && PROMPTS.contains(&first)
    {
        return value_within(rest, depth);
    }
    if let Some(rest) = behind_command(line) {
        return value_within(named(rest, true).unwrap_or(rest), depth);
    }
    let rest = named(line, false).or_else(|| behind_scheme(line)).or_else(|| labelled(line));
    if let Some(rest) = rest {
        return value_within(rest, depth);
    }
    let (word, after) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match bare(word) {
        _ if is_masked(word) => Err(NoSecret::Masked),
        _ if !is_tail(after) => Err(NoSecret::Several),
        "" => Err(NoSecret::Nothing),
        value => Ok(value),
    }
}

/// A text without the emphasis, the brackets and the elements of a page that are around all
/// of it. One `_` at both ends may be of the secret.
fn unmarked(text: &str) -> &str {
    const PAIRS: [(&str, &str); 2] = [("[", "]"), ("&quot;", "&quot;")];
    const EMPHASIS: [&str; 7] = ["**", "*", "~~", "~", "||", "|", "__"];
    let pair = |(open, close): &(&str, &str)| text.strip_prefix(*open)?.strip_suffix(*close);
    // More of them than that hide something.
    let emphasis = |mark: &&str| {
        let inside = text.strip_prefix(*mark)?.strip_suffix(*mark)?;
        let is_more = inside.starts_with(&mark[..1]) || inside.ends_with(&mark[..1]);
        (!is_more).then_some(inside)
    };
    let element = || {
        let (name, rest) = text.strip_prefix('<')?.split_once('>')?;
        rest.strip_suffix('>')?.strip_suffix(name)?.strip_suffix("</")
    };
    let inside = PAIRS.iter().find_map(pair).or_else(|| EMPHASIS.iter().find_map(emphasis));
    let Some(inside) = inside.or_else(element).filter(|inside| !inside.is_empty()) else {
        return text;
    };
    unmarked(inside.trim())
}

/// Pairs of quotes; the typographic ones are mixed in practice.
const QUOTES: &str = "\"'`“”„‟«»‹›‘’‚‛「」『』<>";

/// What is in the quotes at the start of a text, and what comes behind them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    // A string of C (`$'v'`), and one in a string of JSON (`\"v\"`).
    let text = text.strip_prefix('$').filter(|rest| rest.starts_with('\'')).unwrap_or(text);
    let is_escaped = text.starts_with("\\\"");
    let text = text.strip_prefix('\\').filter(|_| is_escaped).unwrap_or(text);
    let quote = text.chars().next().filter(|c| QUOTES.contains(*c))?;
    let inside = &text[quote.len_utf8()..];
    let end = match quote {
        '"' | '\'' | '`' => inside.find(quote)?,
        '<' => inside.find('>')?,
        _ => inside.find(|c| QUOTES.contains(c))?,
    };
    let (value, after) = inside.split_at(end);
    let closing = after.chars().next().map_or(0, char::len_utf8);
    Some((value.strip_suffix('\\').filter(|_| is_escaped).unwrap_or(value), &after[closing..]))
}

/// Whether nothing but the end of a statement and a comment comes behind a value.
fn is_tail(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| QUOTES.contains(c) || ",;)]}.".contains(c)).trim();
    rest.is_empty() || ["#", "//", "/*", "-- ", "/M"].iter().any(|begin| rest.starts_with(begin))
}

/// A word without what stands around it: quotes that have lost the other one, the end of a
/// statement, the period of a sentence, a line end that is spelt out.
fn bare(word: &str) -> &str {
    let word = word.trim_end_matches(|c: char| QUOTES.contains(c) || ",;)".contains(c));
    let word = word.trim_start_matches(|c: char| QUOTES.contains(c));
    let word =
        ["\\r\\n", "\\n", "\\"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
    word.strip_suffix('.').unwrap_or(word)
}

/// The commands that give a value to a name, their options, and the prompts before them.
const COMMANDS: [&str; 18] = [
    "export", "set", "setenv", "setx", "declare", "typeset", "readonly", "local", "env", "const",
    "let", "var", "ENV", "ARG", "-H", "--header", "-e", "--env",
];
const PROMPTS: [&str; 5] = ["$", "%", ">", "-", "*"];

/// What comes behind a command that gives a value to a name; `None` where there is none.
fn behind_command(line: &str) -> Option<&str> {
    let (first, rest) = line.split_once(' ')?;
    if !COMMANDS.contains(&first) {
        return None;
    }
    let mut rest = rest.trim_start();
    while let Some((option, after)) = rest.split_once(' ')
        && option.starts_with('-')
        && !option.contains('=')
    {
        rest = after.trim_start();
    }
    Some(rest)
}

/// The value that is given to the name of a secret: `K=v`, `K v`, `"k": "v"`, `x-api-key: v`,
/// `$env:K = "v"`, `--api-key v`. In a command anything is a name.
fn named(text: &str, is_command: bool) -> Option<&str> {
    let (name, rest) = if let Some(quoted) = quoted(text) {
        quoted
    } else {
        let text = without_drive(text);
        let end = text.find(|c: char| c == '=' || c == ':' || c.is_whitespace())?;
        text.split_at(end)
    };
    let has_space = rest.starts_with(char::is_whitespace);
    let rest = rest.trim_start();
    let sign = ["=>", ":=", "=", ":"].into_iter().find(|sign| rest.starts_with(sign));
    let value = rest[sign.map_or(0, str::len)..].trim_start();
    let is_option = name.starts_with("--");
    // Base64 ends with `=`.
    if value.is_empty() || value.chars().all(|c| c == '=') || (sign.is_none() && !has_space) {
        return None;
    }
    let is_given = sign.is_some() || is_option || (is_command && is_variable(name));
    // Some keys have a colon.
    let is_any = is_command || (sign == Some("=") && name.len() > 1 && is_variable(name));
    (is_given && is_name(name, is_any)).then_some(value)
}

/// A name without the drive that PowerShell has its variables in: `$env:K`.
fn without_drive(text: &str) -> &str {
    match text.split_at_checked("$env:".len()) {
        Some((drive, name)) if drive.eq_ignore_ascii_case("$env:") => name,
        _ => text,
    }
}

/// What the names of secrets have in them.
const SECRETS: [&str; 9] =
    ["key", "token", "secret", "password", "auth", "credential", "bearer", "access", "environment"];

fn is_variable(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Whether a word names a secret by its letters, or is a name and `is_any` will do.
fn is_name(word: &str, is_any: bool) -> bool {
    let word = word.trim_start_matches("--");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.[]\"'".contains(c);
    if word.is_empty() || word.len() > 64 || !word.chars().all(is_plain) {
        return false;
    }
    let has_digit = word.contains(|c: char| c.is_ascii_digit());
    let small = word.to_ascii_lowercase();
    let is_secret = SECRETS.iter().any(|part| small.contains(part)) && !has_digit;
    is_secret || is_any || (is_variable(word) && word.contains('_'))
}

/// What comes behind the name of an authentication scheme: `Bearer v`.
fn behind_scheme(text: &str) -> Option<&str> {
    let (name, value) = text.split_once(char::is_whitespace)?;
    let is_scheme =
        ["bearer", "token", "api-key", "apikey"].contains(&name.to_ascii_lowercase().as_str());
    is_scheme.then(|| value.trim_start())
}

/// What a page or a person calls a secret: `Your API key: v`.
fn labelled(text: &str) -> Option<&str> {
    let (label, value) = text.split_once(": ")?;
    is_label(label).then(|| value.trim_start())
}

/// Whether words name a secret.
pub(super) fn is_label(text: &str) -> bool {
    let small = text.to_ascii_lowercase();
    text.chars().all(|c| c.is_alphabetic() || c == ' ')
        && SECRETS.iter().any(|part| small.contains(part))
}
