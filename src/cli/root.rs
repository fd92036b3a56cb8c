//! The root options: `--profile`, `--dev` and `--agent`.
//!
//! Invariant: before the first word, `--profile` names a state directory; after it, a credential,
//! and only where the command takes one. Elsewhere it is refused, so that nobody signs in to
//! another state directory without knowing.

use crate::cli::exit::typed::{self, Rest};
use crate::cli::exit::{Command, Failure, Hint};
use crate::system::Environment;
use std::ffi::OsString;

/// What the root options say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RootOptions {
    /// The profile of the installation: another state directory.
    pub(super) profile: Option<String>,
    /// The agent that commands mean when they name none.
    pub(super) agent: Option<String>,
    /// Whether nothing is said but errors, and what was asked for.
    pub(super) quiet: bool,
    /// How often `-v` stands there: how much is traced.
    pub(super) verbose: u8,
}

/// The profile that `--dev` stands for.
const DEV: &str = "dev";

/// How a command is told which credential it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// By an option `--profile`.
    Profile,
    /// By an option `--profile-id`.
    ProfileId,
    /// By a word of its own, behind so many of the command.
    Word(usize),
    /// It is about none.
    Nothing,
}

/// What tells how the command that these words begin takes a credential.
pub(super) type HowTaken = fn(&[String]) -> Takes;

/// Whether these words name no command yet, so that `--agent` means any that follows.
fn is_open(words: &[String]) -> bool {
    matches!(words, []) || words == ["models"]
}

/// Takes the root options out of the arguments. `how_taken` is asked about the words before a
/// `--profile`.
///
/// # Errors
/// An option without its value, a profile name that is none, or a `--profile` behind a command
/// that has no such option.
pub(super) fn take(
    args: Vec<OsString>,
    how_taken: HowTaken,
) -> Result<(RootOptions, Vec<OsString>), Failure> {
    let mut options = RootOptions::default();
    let mut rest: Vec<OsString> = Vec::with_capacity(args.len());
    let mut words: Vec<String> = Vec::new();
    let all = args.len();
    let mut args = args.into_iter();
    rest.extend(args.next());
    while let Some(argument) = args.next() {
        let text = argument.to_str().unwrap_or_default().to_owned();
        if text == "--" {
            rest.push(argument);
            rest.extend(args);
            break;
        }
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text.as_str(), None),
        };
        // OpenClaw's own commands about agents say in their way that the id is blank.
        if name == "--agent" && words.first().is_none_or(|word| word != "agents") {
            let next = || args.as_slice().first().and_then(|next| next.to_str());
            if inline.as_deref().or_else(next).is_some_and(|id| id.trim().is_empty()) {
                return Err(Failure::usage("--agent must not be blank; is a variable not set?"));
            }
        }
        let mut value = |name: &str| {
            inline
                .clone()
                .or_else(|| args.next().and_then(|next| next.into_string().ok()))
                .ok_or_else(|| Failure::usage(format!("{name} needs a value")))
        };
        match name {
            "--quiet" | "-q" => options.quiet = true,
            "--verbose" | "-v" => options.verbose = options.verbose.saturating_add(1),
            "-vv" => options.verbose = options.verbose.saturating_add(2),
            "--dev" => options.profile = Some(DEV.to_owned()),
            "--profile" if words.is_empty() => {
                options.profile = Some(checked(value(name)?)?);
            }
            "--profile" if how_taken(&words) != Takes::Profile => {
                let value = value(name)?;
                let behind = usize::from(inline.is_none());
                // The name of the program is none of what was typed.
                let at = all - args.as_slice().len() - behind - 2;
                let rest = typed::without(at, behind > 0);
                return Err(refused(&value, how_taken(&words), rest));
            }
            "--agent" if is_open(&words) => options.agent = Some(value(name)?),
            _ => {
                if !text.starts_with('-') {
                    words.push(text);
                }
                rest.push(argument);
            }
        }
    }
    Ok((options, rest))
}

/// The failure of a `--profile` that stands where it names nothing, with both that may be meant:
/// another state directory, and a credential. `rest` is what was typed besides.
fn refused(value: &str, takes: Takes, rest: Rest) -> Failure {
    let ours = || Command::new("openclaw-auth");
    let Rest { before, after, .. } = rest.clone().without_state();
    let elsewhere = ours().option("--profile", value).args(before).args(after);
    let hint = match takes {
        Takes::Profile | Takes::ProfileId => {
            let command = ours().args(rest.before).option("--profile-id", value);
            Hint::from(command.args(rest.after))
        }
        Takes::Word(depth) => {
            let Rest { before, after, .. } = rest.without_names(depth);
            Hint::from(ours().args(before).operand(value).args(after))
        }
        Takes::Nothing => {
            let token = Command::ours("token").option("--profile", value);
            Hint::new("a credential is named where a command takes one, as in: ").run(token)
        }
    };
    let hint = match checked(value.to_owned()) {
        Ok(_) => hint.then("; for another state directory: ").run(elsewhere),
        Err(_) => hint,
    };
    Failure::usage(
        "--profile names a state directory before the command alone, and this command takes no \
         credential by it",
    )
    .hint(hint)
}

fn checked(profile: String) -> Result<String, Failure> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !profile.is_empty() && profile.chars().all(is_word) {
        return Ok(profile);
    }
    Err(Failure::usage("--profile takes letters, digits, `_` and `-`"))
}

impl RootOptions {
    /// The environment as the options change it: a profile has a state directory of its
    /// own, unless one is named.
    pub(super) fn apply(&self, environment: Environment) -> Environment {
        let Some(profile) = &self.profile else { return environment };
        let has_state_dir = environment.has("OPENCLAW_STATE_DIR");
        let environment = environment.with("OPENCLAW_PROFILE", profile);
        match profile.as_str() {
            _ if has_state_dir => environment,
            "default" => environment.with("OPENCLAW_STATE_DIR", "~/.openclaw"),
            other => environment.with("OPENCLAW_STATE_DIR", format!("~/.openclaw-{other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::how_taken;

    fn taken(line: &str) -> (RootOptions, String) {
        let args = line.split(' ').map(OsString::from).collect();
        let (options, rest) = take(args, how_taken).unwrap();
        let rest: Vec<_> = rest.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        (options, rest.join(" "))
    }

    #[test]
    fn root_options_stand_before_the_command() {
        for line in ["x --profile p models status --json", "x --profile=p models status --json"] {
            let (options, rest) = taken(line);
            assert_eq!(options.profile.as_deref(), Some("p"));
            assert_eq!(rest, "x models status --json");
        }
        let (options, rest) = taken("x --dev --agent a models auth token --profile id --agent b");
        let wanted = RootOptions {
            profile: Some("dev".into()),
            agent: Some("a".into()),
            ..RootOptions::default()
        };
        assert_eq!(options, wanted);
        assert_eq!(rest, "x models auth token --profile id --agent b");
        let (options, rest) = taken("x models auth list --quiet --json");
        assert_eq!((options.quiet, &*rest), (true, "x models auth list --json"));
        let (options, rest) = taken("x -v models auth list --verbose -vv");
        assert_eq!((options.verbose, &*rest), (4, "x models auth list"));
        let (options, rest) = taken("x models --agent w status");
        assert_eq!((options.agent.as_deref(), &*rest), (Some("w"), "x models status"));
        for own in ["token", "refresh", "report", "session set"] {
            let line = format!("x models auth --agent a {own} --profile id");
            assert_eq!(taken(&line), (RootOptions::default(), line.clone()));
        }
        assert_eq!(taken("x agents add -- --profile").1, "x agents add -- --profile");
    }

    #[test]
    fn a_profile_name_is_a_word() {
        for name in ["", "a/b", "..", "a b"] {
            let args = ["x", "--profile", name].map(OsString::from).to_vec();
            assert!(take(args, how_taken).is_err(), "{name}");
        }
        assert!(take(vec!["x".into(), "--profile".into()], how_taken).is_err());
        for line in ["x list --agent  --json", "x --agent= list", "x logout a --agent  "] {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert!(take(args, how_taken).is_err(), "{line}");
        }
        assert!(take(vec!["x".into(), "list".into(), "--agent".into()], how_taken).is_ok());
    }
}
