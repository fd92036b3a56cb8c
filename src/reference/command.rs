//! Secrets behind a command: one run answers for every id that is asked of a provider.
//!
//! Protocol version 1: `{protocolVersion, provider, ids}` on standard input,
//! `{protocolVersion, values, errors?}` on standard output. What the command prints goes
//! into no message, except what it says about one id.

use super::error::{AnswerProblem, CommandProblem, ReferenceError, ReferenceLimit};
use super::provider::{ExecProvider, Limits};
use crate::config::Variables;
use crate::profile::secret_ref::is_command_id;
use crate::system::child::{self, Ended, Programs};
use crate::system::trust::{self, Insecure, OTHERS_WRITE};
use crate::text::printable;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

const PROTOCOL_VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'r> {
    protocol_version: u32,
    provider: &'r str,
    ids: &'r [&'r str],
}

/// The values of `ids`, each with its own result.
pub(super) fn values(
    alias: &str,
    provider: &ExecProvider,
    limits: Limits,
    (variables, programs): (&Variables<'_>, &Programs),
    ids: &[&str],
) -> Result<Vec<Result<Value, ReferenceError>>, ReferenceError> {
    let asked: Vec<&str> = ids.iter().copied().filter(|id| is_command_id(id)).collect();
    let answer = match asked.as_slice() {
        [] => Ok(Answer::default()),
        asked => ask(alias, provider, limits, (variables, programs), asked),
    };
    let answer = answer?;
    let value = |id: &&str| {
        if is_command_id(id) {
            return answer.value(&provider.command, id);
        }
        Err(ReferenceError::InvalidId {
            expected: "the id of a command has letters, digits and ._:/- and no .. in it",
        })
    };
    Ok(ids.iter().map(value).collect())
}

fn ask(
    alias: &str,
    provider: &ExecProvider,
    limits: Limits,
    (variables, programs): (&Variables<'_>, &Programs),
    ids: &[&str],
) -> Result<Answer, ReferenceError> {
    let failed = |reason| ReferenceError::Command { path: provider.command.clone(), reason };
    let program = trusted(provider)?;
    let request = Request { protocol_version: PROTOCOL_VERSION, provider: alias, ids };
    let request = serde_json::to_vec(&request)
        .map_err(|error| failed(CommandProblem::Request(error.to_string())))?;
    if request.len() > limits.request_bytes {
        let limit = ReferenceLimit::RequestBytes(limits.request_bytes);
        return Err(ReferenceError::TooMuch { alias: alias.to_owned(), limit });
    }
    let passed = provider.pass_env.iter().filter_map(|name| Some((name, variables.get(name)?)));
    let mut command = child::command_with(&program, passed);
    command.envs(provider.env.iter().map(|(name, value)| (name, value.expose())));
    command.args(&provider.args).current_dir(directory(&program));
    let child_limits = child::Limits {
        time: provider.timeout,
        silence: provider.no_output_timeout,
        output_bytes: provider.max_output_bytes,
    };
    let ended = programs
        .run(&mut command, request, child_limits)
        .map_err(|error| failed(CommandProblem::Run(error.to_string())))?;
    match ended {
        Ended::Exited(status, output) if status.success() => {
            Answer::parse(&output, provider.json_only, ids).map_err(|reason| failed(reason.into()))
        }
        // `exit status: 3`, or `signal: 9 (SIGKILL)`
        Ended::Exited(status, _) => Err(failed(CommandProblem::Ended(status))),
        Ended::TimedOut => {
            let limit = provider.timeout.as_millis();
            Err(failed(CommandProblem::TimedOut { limit }))
        }
        Ended::Silent => {
            let limit = provider.no_output_timeout.as_millis();
            Err(failed(CommandProblem::Silent { limit }))
        }
        Ended::TooMuchOutput => {
            let limit = provider.max_output_bytes;
            Err(failed(CommandProblem::TooMuchOutput { limit }))
        }
    }
}

/// The program, when nobody else can have put it there.
fn trusted(provider: &ExecProvider) -> Result<PathBuf, ReferenceError> {
    let refused = |insecure| ReferenceError::Unsafe { path: provider.command.clone(), insecure };
    let forbidden = (!provider.allow_insecure_path).then_some(OTHERS_WRITE);
    let program = trust::program(&provider.command, forbidden, provider.allow_symlink_command)
        .map_err(refused)?;
    // By its own path and by where that leads: `..` and links in it are no way out.
    let resolved = program.canonicalize().unwrap_or_else(|_| program.clone());
    let is_inside = |directory: &PathBuf| {
        let target = directory.canonicalize().unwrap_or_else(|_| directory.clone());
        resolved.starts_with(target)
    };
    if provider.trusted_dirs.is_empty() || provider.trusted_dirs.iter().any(is_inside) {
        return Ok(program);
    }
    Err(refused(Insecure::Elsewhere))
}

fn directory(program: &Path) -> &Path {
    program.parent().unwrap_or(Path::new("/"))
}

/// What a command answered.
#[derive(Default)]
struct Answer {
    values: serde_json::Map<String, Value>,
    errors: serde_json::Map<String, Value>,
}

impl Answer {
    fn parse(output: &[u8], json_only: bool, ids: &[&str]) -> Result<Self, AnswerProblem> {
        let text = std::str::from_utf8(output).map_err(|_| AnswerProblem::NoText)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(AnswerProblem::Nothing);
        }
        let single = |value: &str| match ids {
            [id] if !json_only => {
                let values = serde_json::Map::from_iter([((*id).to_owned(), value.into())]);
                Some(Self { values, ..Self::default() })
            }
            _ => None,
        };
        let mut answer = match serde_json::from_str(text) {
            Ok(Value::Object(answer)) => answer,
            Ok(Value::String(value)) => {
                return single(&value).ok_or(AnswerProblem::NoObject);
            }
            Ok(_) => return Err(AnswerProblem::NoObject),
            Err(_) => return single(text).ok_or(AnswerProblem::NotJson),
        };
        if answer.get("protocolVersion").and_then(Value::as_f64) != Some(PROTOCOL_VERSION.into()) {
            return Err(AnswerProblem::OtherVersion);
        }
        let mut member = |name: &str| match answer.remove(name) {
            Some(Value::Object(members)) => Some(members),
            _ => None,
        };
        let values = member("values").ok_or(AnswerProblem::NoValues)?;
        Ok(Self { values, errors: member("errors").unwrap_or_default() })
    }

    fn value(&self, command: &Path, id: &str) -> Result<Value, ReferenceError> {
        let failed = |reason| ReferenceError::Command { path: command.to_owned(), reason };
        if let Some(error) = self.errors.get(id) {
            let message = error["message"].as_str().map(|message| printable(message.trim(), 300));
            let message = message.filter(|message| !message.is_empty());
            return Err(failed(CommandProblem::NoValue { id: id.to_owned(), message }));
        }
        let value = self.values.get(id).cloned();
        value.ok_or_else(|| failed(CommandProblem::NotAnswered { id: id.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(output: &str, json_only: bool, ids: &[&str]) -> String {
        match Answer::parse(output.as_bytes(), json_only, ids) {
            Err(reason) => reason.to_string(),
            Ok(answer) => match answer.value(Path::new("/c"), ids[0]) {
                Ok(value) => value.to_string(),
                Err(error) => error.to_string(),
            },
        }
    }

    #[test]
    fn an_answer_is_read_as_the_protocol_has_it() {
        for (output, expected) in [
            (r#"{"protocolVersion":1,"values":{"a":"v","b":"w"}}"#, "\"v\""),
            (r#"{"protocolVersion":1.0,"values":{"a":5},"more":0}"#, "5"),
            (
                r#"{"protocolVersion":2,"values":{"a":"v"}}"#,
                "answered in another protocol version than 1",
            ),
            (r#"{"values":{"a":"v"}}"#, "answered in another protocol version than 1"),
            (r#"{"protocolVersion":1,"values":[]}"#, "answered without `values`"),
            (
                r#"{"protocolVersion":1,"values":{"b":"v"}}"#,
                "the command /c did not answer for `a`",
            ),
            (
                r#"{"protocolVersion":1,"values":{"a":"v"},"errors":{"a":{"message":" no\u001b such "}}}"#,
                "the command /c has no value for `a`: no such",
            ),
            (
                r#"{"protocolVersion":1,"values":{},"errors":{"a":0}}"#,
                "the command /c has no value for `a`",
            ),
            ("[1]", "printed JSON that is not an object"),
            ("\"v\"", "printed JSON that is not an object"),
            ("fake-secret", "printed something that is not JSON"),
            (" \n", "printed nothing"),
        ] {
            assert_eq!(answer(output, true, &["a"]), expected, "{output}");
        }
    }

    #[test]
    fn without_json_only_a_single_value_may_be_plain_text() {
        assert_eq!(answer(" v \n", false, &["a"]), "\"v\"");
        assert_eq!(answer("\"v w\"", false, &["a"]), "\"v w\"");
        assert_eq!(answer("5", false, &["a"]), "printed JSON that is not an object");
        assert_eq!(
            answer(r#"{"a":"v"}"#, false, &["a"]),
            "answered in another protocol version than 1"
        );
        assert_eq!(answer("v", false, &["a", "b"]), "printed something that is not JSON");
    }
}
