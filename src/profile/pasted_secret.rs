//! A token or an API key in what a person pasted: bare, quoted, as a line of a shell, a
//! document or a request, or broken into lines by a terminal.
//!
//! Invariant: the result is a piece of the text as it stands there, or, of a token whose form
//! is known, several pieces that have this form together and not alone. Whatever leaves a
//! doubt is refused. No reason quotes the text.

use super::pasted_check::check;
use super::pasted_value::{NoSecret, is_label, value};
use crate::text::{tidy, unframed};
use zeroize::Zeroizing;

/// What is known of the form of a secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form<'f> {
    /// What it begins with.
    pub prefix: Option<&'f str>,
    /// How many characters it has at least.
    pub min_length: usize,
    /// How many characters it usually has, where all have the same number.
    pub usual_length: Option<usize>,
}

/// The longest secret, in bytes.
const LONGEST: usize = 16 * 1024;

/// The secret in `text`.
///
/// # Errors
/// See [`NoSecret`].
pub fn pasted_secret(text: &str, form: Form<'_>) -> Result<Zeroizing<String>, NoSecret> {
    let text = Zeroizing::new(tidy(text));
    if text.len() > LONGEST {
        return Err(NoSecret::TooLong);
    }
    let lines: Vec<&str> = text.lines().map(unframed).filter(|line| !is_around(line)).collect();
    let alone = match lines.as_slice() {
        [] => Err(NoSecret::Nothing),
        [line] => value(line).map(|value| Zeroizing::new(value.to_owned())),
        _ => Err(NoSecret::Several),
    };
    let secret = match (alone, form.prefix) {
        (Err(NoSecret::Several), Some(prefix)) => joined(&lines, prefix, form)?,
        (alone, _) => alone?,
    };
    check(&secret, form.prefix)?;
    Ok(secret)
}

/// Whether a line is nothing but what stands around secrets: a comment, a fence, brackets, a
/// label.
fn is_around(line: &str) -> bool {
    line.strip_suffix(':').is_some_and(is_label)
        || line.starts_with('#')
        || line.starts_with("//")
        || line.starts_with("```")
        || line.chars().all(|c| "{}[](),;".contains(c))
}

/// A piece of a token that was cut has at least so many characters, or is the last one.
const PIECE: usize = 16;

/// The pieces of a token, put together: where they have its form, and the first alone has not.
fn joined(lines: &[&str], prefix: &str, form: Form<'_>) -> Result<Zeroizing<String>, NoSecret> {
    let first = lines.iter().position(|line| line.contains(prefix)).ok_or(NoSecret::Several)?;
    let at = lines[first].find(prefix).unwrap_or_default();
    let (before, begin) = lines[first].split_at(at);
    let is_one_word = |line: &&&str| !line.contains(char::is_whitespace);
    let others = &lines[first + 1..];
    let next = others.iter().take_while(is_one_word).count();
    let pieces: Vec<&str> =
        begin.split_whitespace().chain(others[..next].iter().copied()).collect();
    // What gives it a name, and quotes, stand around all of it.
    let line = Zeroizing::new(format!("{before}{}", pieces.concat()));
    let token = value(&line)?;
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !token.starts_with(prefix) || !token.chars().all(is_of_token) {
        return Err(NoSecret::Several);
    }
    let is_among_others = first > 0 || next < others.len();
    let has_length = match form.usual_length {
        Some(usual) if token.len() == usual => pieces.len() == 1 || pieces[0].len() != usual,
        _ => {
            let is_cut = pieces.iter().skip(1).all(|piece| piece.len() >= PIECE);
            let is_short = pieces[0].len() < form.min_length;
            !is_among_others && is_cut && is_short && token.len() >= form.min_length
        }
    };
    if has_length { Ok(Zeroizing::new(token.to_owned())) } else { Err(NoSecret::Several) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-or-v1-fakeFAKE0123_-x";
    const SETUP: Form<'_> =
        Form { prefix: Some("sk-ant-oat01-"), min_length: 80, usual_length: Some(108) };

    fn token() -> String {
        format!("sk-ant-oat01-{}AA", "FakeFake0-_".repeat(9).split_at(93).0)
    }

    fn read(text: &str, form: Form<'_>) -> Result<String, NoSecret> {
        pasted_secret(text, form).map(|secret| secret.to_string())
    }

    #[test]
    fn a_key_is_taken_out_of_what_stands_around_it() {
        for around in [
            "@",
            " @ ",
            "@\r\n",
            "\n\n@\n\n",
            "\u{feff}@\u{200b}",
            "\u{a0}@\u{a0}",
            "\"@\"",
            "'@'",
            "`@`",
            "“@”",
            "„@“",
            "‘@’",
            "«@»",
            "<@>",
            "\"@",
            "@\"",
            "\"'@'\"",
            "@;",
            "@,",
            "@.",
            "export OPENROUTER_API_KEY=\"@\"",
            "export OPENROUTER_API_KEY=@",
            "export K='@';",
            "OPENROUTER_API_KEY=@",
            "OPENROUTER_API_KEY = \"@\"",
            "OPENROUTER_API_KEY=@ # mine",
            "$ export OPENROUTER_API_KEY=@",
            "set -x OPENROUTER_API_KEY @",
            "set -gx K \"@\"",
            "set -Ux K @",
            "set K=@",
            "set \"OPENROUTER_API_KEY=@\"",
            "setx OPENROUTER_API_KEY \"@\"",
            "setx K @ /M",
            "setenv OPENROUTER_API_KEY @",
            "$env:OPENROUTER_API_KEY = \"@\"",
            "$Env:OPENROUTER_API_KEY='@'",
            "declare -x K=\"@\"",
            "ENV K=@",
            "ENV OPENROUTER_API_KEY @",
            "- OPENROUTER_API_KEY=@",
            "-e OPENROUTER_API_KEY=@",
            "--api-key @",
            "--api-key=@",
            "const apiKey = \"@\";",
            "process.env.OPENROUTER_API_KEY = '@'",
            "os.environ[\"API_KEY\"] = \"@\"",
            "\"key\": \"@\",",
            "\"apiKey\": \"@\"",
            "{\"apiKey\":\"@\"}",
            "{\n  \"apiKey\": \"@\"\n}\n",
            "apiKey: @",
            "api_key: '@'",
            "'api_key' => '@',",
            "api_key := `@`",
            "Bearer @",
            "bearer @",
            "Authorization: Bearer @",
            "authorization: bearer @",
            "x-api-key: @",
            "X-Api-Key:@",
            "-H \"Authorization: Bearer @\"",
            "-H 'x-api-key: @'",
            "\"Authorization\": \"Bearer @\",",
            "# my key\nOPENROUTER_API_KEY=@\n",
            "```sh\n@\n```",
            "\\\"@\\\"",
            "$'@'",
            "MYKEY=@",
            "OPENROUTER=@",
            "Environment=OPENROUTER_API_KEY=@",
            "Environment=\"OPENROUTER_API_KEY=@\"",
            "API key: @",
            "Your API key is: \"@\".",
            "Authorization: Api-Key @",
            "Authorization=Bearer @",
            "\u{1b}[32m@\u{1b}[0m",
            "\u{1b}[200~@\u{1b}[201~",
            "@\\n",
            "@ # from the dashboard",
            "OPENROUTER_API_KEY=\"@\" # from the dashboard",
            "@\u{2028}",
            "export K=“@”",
        ] {
            let text = around.replace('@', KEY);
            assert_eq!(read(&text, Form::default()).as_deref(), Ok(KEY), "{text}");
            let text = around.replace('@', &token());
            assert_eq!(read(&text, SETUP), Ok(token()), "{text}");
        }
    }

    #[test]
    fn a_key_is_taken_out_of_emphasis_brackets_and_elements() {
        for around in [
            "[@]",
            "*@*",
            "**@**",
            "__@__",
            "~~@~~",
            "||@||",
            "[\"@\"]",
            "&quot;@&quot;",
            "<code>@</code>",
            "<string>@</string>",
            "set --export OPENROUTER_API_KEY @",
            "API key:\n@\n",
        ] {
            let text = around.replace('@', KEY);
            assert_eq!(read(&text, Form::default()).as_deref(), Ok(KEY), "{text}");
            let text = around.replace('@', &token());
            assert_eq!(read(&text, SETUP), Ok(token()), "{text}");
        }
    }

    #[test]
    fn keys_of_every_alphabet_stay_as_they_are() {
        for key in [
            "a",
            "fake-key",
            "k\u{e9}y",
            "QWxhZGRpbg==",
            "abKEYcd==",
            "a+b/c=",
            "0f1e2d3c-aaaa:0123456789abcdef",
            "id.secret",
            "user:pass",
            "AKIA:abc/def",
            "key_live",
            "${OPENAI_API_KEY}",
            "tok:en",
            "e#f",
            "a//b",
            "(a",
            "a*b",
        ] {
            assert_eq!(
                read(key, Form::default()).as_deref(),
                Ok(key.trim_start_matches('(')),
                "{key}"
            );
        }
        assert_eq!(
            read("\"${OPENAI_API_KEY}\"\n", Form::default()).as_deref(),
            Ok("${OPENAI_API_KEY}")
        );
    }

    #[test]
    fn what_leaves_a_doubt_is_refused() {
        for (text, reason) in [
            ("", NoSecret::Nothing),
            (" \n\u{200b}\n", NoSecret::Nothing),
            ("\"\"", NoSecret::Nothing),
            ("OPENROUTER_API_KEY=", NoSecret::Nothing),
            ("export K=\"\"", NoSecret::Nothing),
            ("sk-one\nsk-two", NoSecret::Several),
            ("sk-one sk-two", NoSecret::Several),
            ("A_KEY=one\nB_KEY=two", NoSecret::Several),
            ("let me in", NoSecret::Several),
            ("set my key", NoSecret::Several),
            ("$ pass show", NoSecret::Several),
            ("> sk-one two", NoSecret::Several),
            ("{\"a_key\":\"one\",\"b_key\":\"two\"}", NoSecret::Unfit),
            ("curl -H 'x-api-key: one' https://api.example.test", NoSecret::Several),
            ("sk-or-v1-…50ec", NoSecret::Masked),
            ("sk-or-v1-...50ec", NoSecret::Masked),
            ("sk-or-v1-***50ec", NoSecret::Masked),
            ("export K=\"sk-••••50ec\"", NoSecret::Masked),
            ("sk-or-v1-...", NoSecret::Masked),
            ("***", NoSecret::Masked),
            ("$OPENAI_API_KEY", NoSecret::Unexpanded),
            ("export K=$(pass show key)", NoSecret::Several),
            ("$(cat)", NoSecret::Unexpanded),
            ("%OPENAI_API_KEY%", NoSecret::Unexpanded),
            ("<YOUR_API_KEY>", NoSecret::Placeholder),
            ("your-api-key-here", NoSecret::Placeholder),
            ("[REDACTED]", NoSecret::Placeholder),
            ("https://openrouter.ai/keys", NoSecret::Unfit),
            ("sk-\u{1b}abc", NoSecret::Unfit),
            ("a=b", NoSecret::Unfit),
            ("sk-а", NoSecret::Unfit),
            ("sk-a\\b", NoSecret::Unfit),
            ("[System.Environment]::SetEnvironmentVariable('K','sk-or','User')", NoSecret::Unfit),
            ("define('K','sk-or-1')", NoSecret::Unfit),
            ("key=sk-or-1&x=", NoSecret::Unfit),
            ("%22sk-or-1%22", NoSecret::Unfit),
            ("sk-or-1<br>", NoSecret::Unfit),
            ("--", NoSecret::Unfit),
            ("~/key.txt", NoSecret::Unfit),
            ("/run/secrets/key", NoSecret::Unfit),
            ("sk-or-v1-0123~~~~50ec", NoSecret::Masked),
            ("^C", NoSecret::Unfit),
            ("sk-or-v1-xxxxxxxx50ec", NoSecret::Masked),
            ("sk-or-v1-XXXXXXXXXXXX", NoSecret::Masked),
            ("sk-or-v1-______50ec", NoSecret::Masked),
            ("sk-or-v1-########50ec", NoSecret::Masked),
            ("sk-or-v1-××××50ec", NoSecret::Masked),
            ("sk-or-v1-", NoSecret::Masked),
            ("sk-or-v1-[hidden]", NoSecret::Placeholder),
            ("(hidden)", NoSecret::Placeholder),
            ("INSERT_KEY_HERE", NoSecret::Placeholder),
            ("insert-key-here", NoSecret::Placeholder),
            ("{\"apiKey\":null}", NoSecret::Placeholder),
            ("undefined", NoSecret::Placeholder),
            ("Bearer ", NoSecret::Placeholder),
            ("export OPENROUTER_API_KEY", NoSecret::Unexpanded),
            ("!op read x", NoSecret::Several),
            ("!cmd", NoSecret::Unexpanded),
            ("{{ secrets.KEY }}", NoSecret::Unexpanded),
            ("x-api-key:", NoSecret::Nothing),
        ] {
            assert_eq!(read(text, Form::default()), Err(reason), "{text:?}");
        }
        assert_eq!(read(&"x".repeat(LONGEST + 1), Form::default()), Err(NoSecret::TooLong));
    }

    #[test]
    fn a_token_in_several_lines_is_joined_where_its_form_says_so() {
        let token = token();
        for width in 20..108 {
            let lines: Vec<&str> = token
                .as_bytes()
                .chunks(width)
                .map(|line| std::str::from_utf8(line).unwrap())
                .collect();
            for between in ["\n", "\r\n", " ", "\n    "] {
                let text = lines.join(between);
                assert_eq!(read(&text, SETUP), Ok(token.clone()), "{text:?}");
                let text = lines.join("│\n│ ");
                assert_eq!(read(&text, SETUP), Ok(token.clone()), "{text:?}");
                let text = format!("export CLAUDE_CODE_OAUTH_TOKEN=\"{text}\"\n");
                assert_eq!(read(&text, SETUP), Ok(token.clone()), "{text:?}");
            }
            let text =
                format!("Your token:\n\n{}\n\nStore it well. It is gone.\n", lines.join("\n"));
            assert_eq!(read(&text, SETUP), Ok(token.clone()), "{text:?}");
        }
    }

    #[test]
    fn a_token_with_something_behind_it_is_refused() {
        let token = token();
        let (head, tail) = token.split_at(80);
        for text in [
            format!("{token}\nls\n"),
            format!("{token}\n{token}"),
            format!("{token}{token}"),
            format!("{head}\n{}", &tail[1..]),
            format!("{head}\n{tail}x"),
            format!("{head}\nls"),
            format!("{head}\nls -l"),
            format!("{}\nStore this token where nobody else finds it", &token[..60]),
            format!("{tail}\n{head}"),
        ] {
            assert_eq!(read(&text, SETUP), Err(NoSecret::Several), "{text}");
            assert!(read(&text, Form { usual_length: None, ..SETUP }).is_err(), "{text}");
        }
        for behind in ["#state", "|x", "@host", "!", "é"] {
            let text = format!("{token}{behind}");
            assert_eq!(read(&text, SETUP), Err(NoSecret::Unfit), "{text}");
        }
        // Of an unknown length, only what is too short alone is joined.
        let unknown = Form { usual_length: None, ..SETUP };
        let (head, tail) = token.split_at(60);
        assert_eq!(read(&format!("{head}\n{tail}"), unknown), Ok(token.clone()));
        let (head, tail) = token.split_at(85);
        assert_eq!(read(&format!("{head}\n{tail}"), unknown), Err(NoSecret::Several));
    }
}
