//! What the program says, in one file that can be read aloud: `tests/it/vocabulary.txt`.
//!
//! It holds the help of every command, then every sentence of the sources: of `cli` first, which
//! words failures, hints and prompts, then of the layers below. A change of a message is a change
//! of that file, so that whoever reads it sees the words side by side.

use crate::support::rig::Rig;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where the vocabulary is kept, below the root of the package.
const FILE: &str = "tests/it/vocabulary.txt";

#[test]
fn the_vocabulary_is_in_one_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let now = vocabulary(root);
    let kept = std::fs::read_to_string(root.join(FILE)).unwrap_or_default();
    if now == kept {
        return;
    }
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vocabulary.txt");
    std::fs::write(&written, &now).unwrap();
    let line = now.lines().zip(kept.lines()).position(|(now, kept)| now != kept);
    let line = line.unwrap_or_else(|| now.lines().count().min(kept.lines().count()));
    panic!(
        "the words have changed, in line {} first: read `diff {FILE} {written}`, and copy the \
         second over the first",
        line + 1,
        written = written.strip_prefix(root).unwrap_or(&written).display(),
    );
}

fn vocabulary(root: &Path) -> String {
    let mut text = String::from("# Help\n");
    help(&Rig::new(), &mut Vec::new(), &mut text);
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    files.retain(|file| !file.starts_with(root.join("src/build")));
    // What is worded for people stands first.
    files.sort_by_key(|file| (!file.starts_with(root.join("src/cli")), file.clone()));
    text.push_str("\n# Sentences\n");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        let mut sentences: Vec<String> = literals(code).filter(|it| is_sentence(it)).collect();
        sentences.dedup();
        if sentences.is_empty() {
            continue;
        }
        writeln!(text, "\n## {}", file.strip_prefix(root.join("src")).unwrap().display()).unwrap();
        for sentence in sentences {
            writeln!(text, "- {}", sentence.replace('\n', "\n  ")).unwrap();
        }
    }
    text
}

/// The help of the command at `path`, and of those below it.
fn help(rig: &Rig, path: &mut Vec<String>, text: &mut String) {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("--help");
    let shown = rig.run(&args).success();
    writeln!(text, "\n## openclaw-auth {}\n{}", path.join(" "), shown.trim_end()).unwrap();
    let commands = shown.split("\nCommands:\n").nth(1).unwrap_or_default();
    let names: Vec<String> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    for name in names {
        path.push(name);
        help(rig, path, text);
        path.pop();
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The string literals of a source, as they are when it runs; not those of comments, and not the
/// reasons of lints.
fn literals(code: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, from) = rest.split_at(at);
        rest = match from.as_bytes() {
            [b'/', b'/', ..] => from.split_once('\n').map_or("", |(_, rest)| rest),
            [b'"', ..] => {
                let hashes = before.len() - before.trim_end_matches('#').len();
                let is_raw = before.trim_end_matches('#').ends_with('r');
                let (literal, rest) =
                    if is_raw { raw(&from[1..], hashes) } else { escaped(&from[1..]) };
                if !before.trim_end().ends_with("reason =") {
                    found.push(literal);
                }
                rest
            }
            // A character; a lifetime has no second quote there.
            [b'\'', b'\\', _, ..] => from[2..].split_once('\'').map_or("", |(_, rest)| rest),
            [b'\'', ..] => {
                let mut characters = from[1..].char_indices();
                characters.next();
                match characters.next() {
                    Some((end, '\'')) => &from[end + 2..],
                    _ => &from[1..],
                }
            }
            _ => &from[1..],
        };
    }
    found.into_iter()
}

fn raw(text: &str, hashes: usize) -> (String, &str) {
    let end = format!("\"{}", "#".repeat(hashes));
    let (literal, rest) = text.split_once(&end).unwrap();
    (literal.to_owned(), rest)
}

fn escaped(text: &str) -> (String, &str) {
    let mut literal = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (literal, &text[at + 1..]),
            '\\' => match characters.next().unwrap().1 {
                'n' => literal.push('\n'),
                '\n' => {
                    let rest = characters.as_str();
                    let skipped = rest.len() - rest.trim_start().len();
                    for _ in 0..rest[..skipped].chars().count() {
                        characters.next();
                    }
                }
                other => literal.push(other),
            },
            other => literal.push(other),
        }
    }
    panic!("a literal without an end: {literal}");
}

/// Whether it is made of words, and not a name, a path or a format.
fn is_sentence(literal: &str) -> bool {
    let words = literal.split_whitespace();
    words.filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1).count() > 1
}

#[test]
fn literals_are_found_where_they_are() {
    let code = r##"let a = "one \
        two"; // "not this"
        #[expect(lint, reason = "nor this")]
        let b = ('"', '\'', "it's", r#"raw "x" text"#); fn f<'a>(a: &'a str) { g("last one") }"##;
    let found: Vec<String> = literals(code).collect();
    assert_eq!(found, ["one two", "it's", "raw \"x\" text", "last one"]);
    assert!(is_sentence("could not read {}") && !is_sentence("auth-profiles.json"));
}
