//! The authorization response in what a person pasted.
//!
//! Invariant: with an address only the `state` of this login is accepted, however the text
//! was bent on its way here; without one, only a word that can be a code, and never a piece
//! of an address, is sent to the server.

use super::bare_code::bare_code;
use super::pasted_address::{Found, has_parameter, in_address, is_of_another_login, keep_better};
use super::pasted_text::{Word, begins_address, readings, words};
use super::response::{AuthorizationCode, AuthorizationError, ExpectedResponse};
use crate::secret::Secret;

use AuthorizationError::Unreadable;

const CONTROL_CHARACTERS: AuthorizationError = Unreadable("it holds control characters");

/// How many words are joined one by one before the longest joins are tried.
const SHORT: usize = 32;
/// How many words at the end may not belong to an address.
const BEHIND: usize = 16;
/// How many words are looked at as the begin of an address.
const STARTS: usize = 12;

/// Reads what a user pasted: the full redirect URL, `code#state`, `code=…&state=…`, or
/// the bare code (which PKCE alone ties to this login), whatever browsers, chats, mail,
/// terminals, documents and logs have made of it. Says with the code whether a state came
/// with it.
///
/// # Errors
/// See [`AuthorizationError`].
pub fn parse_pasted(
    text: &str,
    expectation: &ExpectedResponse,
) -> Result<(AuthorizationCode, bool), AuthorizationError> {
    let readings = readings(text);
    let literal = readings.first().map(String::as_str).unwrap_or_default();
    if literal.trim().is_empty() {
        return Err(Unreadable("nothing was pasted"));
    }
    if literal.contains(|c: char| c.is_control() && c != '\n') {
        return Err(CONTROL_CHARACTERS);
    }
    let mut best = None;
    for reading in &readings {
        keep_better(&mut best, in_reading(reading, expectation));
        if let Some(Ok(code)) = best {
            return Ok((code, true));
        }
    }
    match best {
        Some(found) => found.map(|code| (code, true)),
        None => bare_code(literal, expectation).map(|code| (code, false)),
    }
}

/// Whether `text` holds this state, however it was bent.
pub fn holds_state(text: &str, state: &Secret) -> bool {
    let state = state.expose();
    readings(text).iter().any(|reading| {
        let joined: String = words(reading).iter().map(|word| word.text).collect();
        reading.contains(state) || joined.contains(state)
    })
}

/// Whether `text` may be an address whose end is missing: it has no state, or a shorter one
/// than this login.
pub fn is_begun(text: &str, expectation: &ExpectedResponse) -> bool {
    let joined: String = words(text).iter().map(|word| word.text).collect();
    let is_address = joined.contains("://") || has_parameter(&joined);
    let state = joined.rsplit_once("state=").map(|(_, rest)| rest.split('&').next());
    let is_short = |state: &str| state.len() < expectation.state.expose().len();
    is_address
        && state.flatten().is_none_or(is_short)
        && !joined.contains("code_challenge=")
        && !joined.contains("/success")
}

/// What one reading says; `None` when nothing like an address is in it.
fn in_reading(reading: &str, expectation: &ExpectedResponse) -> Option<Found> {
    let words = words(reading);
    let starts = (0..words.len()).filter(|at| may_be_response(words[*at].text));
    let mut best = None;
    for start in starts.take(STARTS) {
        let start = first_piece(&words, start);
        keep_better(&mut best, at_word(&words[start..], expectation));
        if let Some(Ok(_)) = best {
            break;
        }
    }
    best
}

fn may_be_response(word: &str) -> bool {
    word.contains("://") || word.contains('#') || word.contains("/success") || has_parameter(word)
}

/// Where a word begins that was cut at line ends.
fn first_piece(words: &[Word<'_>], mut start: usize) -> usize {
    while start > 0
        && !words[start].text.contains("://")
        && words[start - 1].is_alone()
        && words[start - 1].goes_on_in(&words[start])
    {
        start -= 1;
    }
    start
}

/// What the words say that begin with an address: the fewest that hold the state, with those
/// after them that belong to them by their looks.
fn at_word(words: &[Word<'_>], expectation: &ExpectedResponse) -> Option<Found> {
    let is_other = |pair: &[Word<'_>]| begins_address(pair[1].text) && !pair[0].text.ends_with('=');
    let longest = words.windows(2).position(is_other).map_or(words.len(), |at| at + 1);
    let short = 1..=longest.min(SHORT);
    let long = (longest.saturating_sub(BEHIND).max(SHORT) + 1..=longest).rev();
    let joined = |count: usize| words[..count].iter().map(|word| word.text).collect::<String>();
    let mut best = None;
    for count in short.chain(long) {
        let mut found = in_address(&joined(count), expectation);
        if found.as_ref().is_none_or(is_of_another_login) {
            keep_better(&mut best, found);
            continue;
        }
        let more = (count..longest).take_while(|at| words[at - 1].goes_on_in(&words[*at])).count();
        if more > 0 {
            let whole = in_address(&joined(count + more), expectation);
            let is_certain = words[count].text.starts_with('&');
            let is_whole = |whole: &Found| is_certain || !is_of_another_login(whole);
            found = whole.filter(is_whole).or(found);
        }
        let is_clear = !matches!(found, Some(Err(Unreadable(_))));
        keep_better(&mut best, found);
        if is_clear {
            break;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::bare_code::SHORTENED;
    use super::super::pasted_address::{START, SUCCESS};
    use super::*;
    use url::Url;

    const STATE: &str = "ho8nYlBWPXS-O5jksJNGZHPTusVDOCTMweF8T4IXBZg";
    const CODE: &str = "ac_Code.x-1_Y";
    const AT: &str = "http://localhost:1455/auth/callback";

    fn expectation() -> ExpectedResponse {
        ExpectedResponse {
            state: Secret::new(STATE),
            issuer: None,
            has_issuer: false,
            authorization_endpoint: Url::parse("https://as.example.test/authorize").unwrap(),
        }
    }

    fn pasted(text: &str) -> Result<(String, bool), AuthorizationError> {
        parse_pasted(text, &expectation())
            .map(|(code, has_state)| (code.0.expose().to_owned(), has_state))
    }

    #[track_caller]
    fn assert_taken(text: &str) {
        assert_eq!(pasted(text), Ok((CODE.to_owned(), true)), "{text:?}");
    }

    /// What browsers end on: the state last, the code last, and something else last.
    fn addresses() -> [String; 3] {
        [
            format!("{AT}?code={CODE}&scope=openid+profile+email+offline_access&state={STATE}"),
            format!("{AT}?state={STATE}&iss=https%3A%2F%2Fas.example.test&code={CODE}"),
            format!(
                "{AT}?state={STATE}&code={CODE}&scope=openid%20profile%20email&hd=example.test"
            ),
        ]
    }

    /// What a mail filter makes of an encoded address.
    fn defended(encoded: &str) -> String {
        let encoded = encoded.replace('-', "%2D").replace('_', "%5F");
        encoded.replace("%2F", "_").replace('%', "-")
    }

    fn wrapped(text: &str, width: usize, between: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let lines = characters.chunks(width).map(|line| line.iter().collect::<String>());
        lines.collect::<Vec<_>>().join(between)
    }

    #[test]
    fn an_address_is_taken_as_it_was_copied() {
        for address in addresses() {
            let encoded: String =
                url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
            let twice: String = url::form_urlencoded::byte_serialize(encoded.as_bytes()).collect();
            let path = address.strip_prefix("http://localhost:1455").unwrap();
            for text in [
                format!("{address}\r\n"),
                format!("\n\n{address}\n"),
                format!("<{address}>"),
                format!("`{address}`"),
                format!("“{address}”."),
                format!("«\u{a0}{address}\u{a0}»"),
                format!("[sign in]({address}), please"),
                format!("<a href=\"{}\">here</a>", address.replace('&', "&amp;")),
                address.replace('&', "&#38;"),
                format!("{{\"url\":\"{}\"}}", address.replace('&', "\\u0026")),
                format!("{{\"url\": \"{}\",", address.replace('/', "\\/")),
                address.replace('?', "\\?").replace('=', "\\=").replace('&', "\\&"),
                format!("curl '{address}' -v"),
                address.replace('&', "\\&"),
                address.replace('&', "^&"),
                format!("<{address}|localhost:1455/auth/callback?code>"),
                format!("<{address}|{address}>"),
                format!("\\href{{{address}}}{{here}}"),
                format!("\u{1b}[4m{address}\u{1b}[0m"),
                format!("fetch(\"{address}\", {{\"mode\": \"cors\"}});"),
                format!("[28/11 10:21] Ada: {address}"),
                address.replace("http://", "http:// "),
                address.replace('&', "&amp;amp;"),
                format!("GET {path} HTTP/1.1"),
                format!("127.0.0.1 - - [28/Nov/2025] \"GET {path} HTTP/1.1\" 404 -"),
                format!("Location: {address}"),
                format!("Here it is: {address}. Thanks!"),
                format!("*{address}*"),
                format!("\u{1b}[200~{address}\u{1b}[201~"),
                format!("\u{feff}{address}\u{200b}"),
                address.replace("auth", "au\u{200b}th").replace("state", "sta\u{2060}te"),
                encoded.clone(),
                twice.clone(),
                format!("https://www.google.com/url?q={encoded}&sa=D&ust=1"),
                format!("https://l.example.test/l.php?h=AT2&u={twice}"),
                format!("https://eu.safelinks.example.test/?url={encoded}&data=05%7C02&state=x"),
                format!("{address}\n{address}\n"),
                format!("{address}\nexit\n"),
                format!("{address} please"),
                address.replace("http://", ""),
                address.replace("http://localhost:1455", "https://127.0.0.1"),
                format!("view-source:{address}"),
                format!("{address}#_=_"),
                format!("{address}#"),
                format!("> {}", address.replace('&', "\n> &")),
                address.replace('?', "？").replace('&', "＆").replace('=', "＝"),
                format!("https://urldefense.example.test/v2/url?u={}&d=x", defended(&encoded)),
                format!("200~{address}201~"),
            ] {
                assert_taken(&text);
            }
        }
    }

    #[test]
    fn line_ends_within_an_address_do_no_harm() {
        for address in addresses() {
            for width in 20..address.len() {
                for between in ["\n", "\r\n", "\n    ", " \n", "\n> ", "\n│ "] {
                    assert_taken(&format!("{}\n", wrapped(&address, width, between)));
                }
            }
            for width in [60, 72, 76, 80, 100] {
                assert_taken(&format!(
                    "Open this:\n\n{}\n\nThanks",
                    wrapped(&address, width, "\n")
                ));
                assert_taken(&wrapped(&address.replace('&', "&amp;"), width, "\n"));
                let quoted_printable = address.replace('=', "=3D");
                assert_taken(&wrapped(&quoted_printable, width, "=\n"));
                assert_taken(&wrapped(&quoted_printable, width, "=\n> "));
            }
        }
    }

    #[test]
    fn what_stands_right_behind_a_state_is_not_of_it() {
        let address = format!("{AT}?code={CODE}&state={STATE}");
        for behind in [
            "*", "**", "_", "~~", "=", "/", "^", "$", "@", "、", "[here]", "[/url]", ";x", "__;!!x",
        ] {
            assert_taken(&format!("{address}{behind}"));
        }
        for behind in ["x", "-other", "_2", "~x", "0"] {
            let text = format!("{address}{behind}");
            assert_eq!(pasted(&text), Err(AuthorizationError::WrongState), "{text}");
        }
    }

    #[test]
    fn the_parameters_of_a_response_are_taken_from_a_list() {
        for text in [
            format!("code={CODE}\nstate={STATE}\n"),
            format!("code: {CODE}\nscope: openid profile\nstate: {STATE}"),
            format!("state\t{STATE}\ncode\t{CODE}\n"),
            format!("{{\"code\":\"{CODE}\",\"state\":\"{STATE}\"}}"),
            format!("{{\n  \"state\": \"{STATE}\",\n  \"code\": \"{CODE}\"\n}}"),
            format!("{{'code': ['{CODE}'], 'state': ['{STATE}']}}"),
            format!("code => {CODE}, state => {STATE}"),
        ] {
            assert_taken(&text);
        }
        let other = format!("code: {CODE}\nstate: other-state\n");
        assert!(pasted(&other).is_err());
        let refused = format!("error: access_denied\nstate: {STATE}\n");
        assert!(matches!(pasted(&refused), Err(AuthorizationError::Refused { .. })));
    }

    #[test]
    fn what_a_page_shows_to_be_copied_is_taken_with_its_state() {
        for text in [
            format!("{CODE}#{STATE}"),
            format!("`{CODE}#{STATE}`"),
            format!("_{CODE}#{STATE}_"),
            format!("Paste this code:\n\n{CODE}#{STATE}\n"),
            format!("{CODE}#{}\n{}", &STATE[..20], &STATE[20..]),
            format!("code={CODE}&state={STATE}"),
            format!("https://console.example.test/callback?code={CODE}#{STATE}"),
        ] {
            assert_taken(&text);
        }
        for code in ["_ab_", "~ab.", "-ab-", "a...b"] {
            for text in [format!("{code}#{STATE}"), format!("code={code}&state={STATE}")] {
                assert_eq!(pasted(&text), Ok((code.to_owned(), true)), "{text}");
            }
        }
        let long = format!("{}{CODE}", "Ab1_".repeat(20));
        let text = wrapped(&format!("{long}#{STATE}"), 80, "\n");
        assert_eq!(pasted(&text), Ok((long, true)));
    }

    #[test]
    fn the_state_of_another_login_is_refused_however_it_comes() {
        let other = "x".repeat(43);
        for address in addresses() {
            let address = address.replace(STATE, &other);
            let encoded: String =
                url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
            for text in [
                format!("<{address}>"),
                wrapped(&address, 80, "\n"),
                encoded.clone(),
                format!("https://r.example.test/?url={encoded}"),
                address.replace('&', "&amp;"),
            ] {
                assert_eq!(pasted(&text), Err(AuthorizationError::WrongState), "{text}");
            }
        }
        let repeated = format!("{AT}?code={CODE}&state={STATE}\n&state={other}");
        assert!(pasted(&repeated).is_err());
        let foreign = format!("{AT}?code={CODE}&state={STATE}\n&iss=https://evil.example.test");
        assert_eq!(pasted(&foreign), Err(AuthorizationError::WrongIssuer));
    }

    #[test]
    fn a_piece_of_an_address_is_no_code() {
        for address in addresses() {
            for width in [10, 30, 72, 80] {
                for line in wrapped(&address, width, "\n").lines() {
                    let is_of_code = CODE.contains(line) || line.contains(CODE);
                    match pasted(line) {
                        Ok((code, false)) => assert!(is_of_code, "{line} is sent as {code}"),
                        Ok((_, true)) => panic!("{line}"),
                        Err(_) => {}
                    }
                }
            }
        }
    }

    #[test]
    fn the_page_of_another_programs_login_is_told_from_an_address_that_was_cut() {
        for text in [
            "http://localhost:1455/success?id_token=fake&needs_setup=false",
            "localhost:1455/success?id_token=fake&needs_setup=false",
            "<http://localhost:1455/success>",
        ] {
            assert_eq!(pasted(text), Err(SUCCESS), "{text}");
        }
        let start =
            format!("https://as.example.test/authorize?code_challenge=x&state={STATE}&code=1");
        assert_eq!(pasted(&start), Err(START));
    }

    #[test]
    fn a_state_is_found_in_a_bent_address() {
        let state = Secret::new(STATE);
        for address in addresses() {
            assert!(holds_state(&wrapped(&address, 50, "\n> "), &state));
            assert!(!holds_state(&address, &Secret::new("another-state")));
        }
    }

    #[test]
    fn an_address_that_was_shortened_is_refused() {
        assert_eq!(pasted(&format!("{AT}?state={STATE}&code=ac_Co…")), Err(SHORTENED));
        assert_eq!(pasted(&format!("{AT}?code=ac_Co…Y&state={STATE}")), Err(SHORTENED));
    }
}
