//! The root options: `--profile`, `--dev` and `--agent`.
//!
//! As in OpenClaw they may stand before or after the command. A command that has an option
//! of the same name gets what stands after it.

use crate::cli::exit::Failure;
use crate::system::Environment;
use std::ffi::OsString;

/// What the root options say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RootOptions {
    /// The profile of the installation: another state directory.
    pub(super) profile: Option<String>,
    /// The agent that commands mean when they name none.
    pub(super) agent: Option<String>,
}

/// The profile that `--dev` stands for.
const DEV: &str = "dev";

/// What tells whether the command of these words has a `--profile` of its own, which names a
/// profile of a store.
pub(super) type HasProfile = fn(&[String]) -> bool;

/// Whether these words name no command yet, so that `--agent` means any that follows.
fn is_open(words: &[String]) -> bool {
    matches!(words, []) || words == ["models"]
}

/// Takes the root options out of the arguments. `has_profile` is asked about the words before a
/// `--profile`.
///
/// # Errors
/// An option without its value, or a profile name that is none.
pub(super) fn take(
    args: Vec<OsString>,
    has_profile: HasProfile,
) -> Result<(RootOptions, Vec<OsString>), Failure> {
    let mut options = RootOptions::default();
    let mut rest: Vec<OsString> = Vec::with_capacity(args.len());
    let mut words: Vec<String> = Vec::new();
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
        let mut value = |name: &str| {
            inline
                .clone()
                .or_else(|| args.next().and_then(|next| next.into_string().ok()))
                .ok_or_else(|| Failure::usage(format!("{name} needs a value")))
        };
        match name {
            "--dev" => options.profile = Some(DEV.to_owned()),
            "--profile" if !has_profile(&words) => {
                options.profile = Some(checked(value(name)?)?);
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
    use crate::cli::has_profile;

    fn taken(line: &str) -> (RootOptions, String) {
        let args = line.split(' ').map(OsString::from).collect();
        let (options, rest) = take(args, has_profile).unwrap();
        let rest: Vec<_> = rest.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        (options, rest.join(" "))
    }

    #[test]
    fn root_options_stand_before_or_after_the_command() {
        for line in ["x --profile p models status --json", "x models status --json --profile=p"] {
            let (options, rest) = taken(line);
            assert_eq!(options.profile.as_deref(), Some("p"));
            assert_eq!(rest, "x models status --json");
        }
        let (options, rest) = taken("x --dev --agent a models auth token --profile id --agent b");
        assert_eq!(options, RootOptions { profile: Some("dev".into()), agent: Some("a".into()) });
        assert_eq!(rest, "x models auth token --profile id --agent b");
        let (options, rest) = taken("x agents add report --profile p");
        assert_eq!((options.profile.as_deref(), &*rest), (Some("p"), "x agents add report"));
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
            assert!(take(args, has_profile).is_err(), "{name}");
        }
        assert!(take(vec!["x".into(), "--profile".into()], has_profile).is_err());
    }
}
