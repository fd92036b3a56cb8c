//! The corpus and its changes.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use std::path::Path;

/// Pieces that parsers care about.
const PIECES: [&[u8]; 40] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b",",
    b":",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"0x",
    b"9223372036854775808",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\0",
    b"\x1b[2J",
    b"//",
    b"/*",
    b"*/",
    b"'",
    b"NaN",
    b"+Infinity",
    b"$include",
    b"${A}",
    b"__proto__",
    b"profiles",
    b"&state=",
    b"#",
    b"%00",
    b"%",
    b"://",
    b"?code=",
    b".",
    b"=",
    b"\r\n",
    b"\xe2\x80\xa8",
];

/// Longer inputs find nothing that shorter ones do not.
const LONGEST: usize = 16 * 1024;

/// The inputs of a target in the order of their names.
pub(crate) fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// An input of the corpus, changed in a few places.
pub(crate) fn change(corpus: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut input = corpus.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.gen_range(1..6) {
        let at = random.gen_range(0..=input.len());
        let end = (at + random.gen_range(0..16)).min(input.len());
        match random.gen_range(0..8) {
            0 if at < input.len() => input[at] ^= 1 << random.gen_range(0..8),
            1 if at < input.len() => input[at] = random.r#gen(),
            2 => drop(input.drain(at..end)),
            3 => input.truncate(at),
            4 => {
                let part = input[at..end].to_vec();
                let copies = random.gen_range(1..40);
                let part = part.repeat(copies);
                input.splice(at..at, part);
            }
            5 => {
                let other = corpus.choose(random).map(Vec::as_slice).unwrap_or_default();
                let from = random.gen_range(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            6 => {
                let deep = *[b'[', b'{', b'(', b'"'].choose(random).unwrap_or(&b'[');
                input.splice(at..at, vec![deep; random.gen_range(1..300)]);
            }
            _ => {
                let piece = PIECES.choose(random).copied().unwrap_or_default();
                input.splice(at..at, piece.iter().copied());
            }
        }
        input.truncate(LONGEST);
    }
    input
}
