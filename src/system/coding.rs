//! Content codings (RFC 9110 section 8.4) of answers: none is ever asked for, and some
//! servers pack all the same.
//!
//! Invariant: what is not packed as it says, or breaks off, gives what can be had of it.

use super::limits;
use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use oauth2::http::{HeaderMap, header};
use std::borrow::Cow;

/// A body without its content codings.
pub struct Unpacked<'a> {
    /// What it holds, at most [`limits::BODY`] bytes.
    pub bytes: Cow<'a, [u8]>,
    /// Whether it holds more than that.
    pub is_too_large: bool,
}

/// More layers than that are nobody's answer.
const MOST_LAYERS: usize = 4;

/// Takes the codings off a body: those that the header names, and gzip that it does not.
pub(super) fn unpack<'a>(headers: &HeaderMap, received: &'a [u8]) -> Unpacked<'a> {
    let mut body = Unpacked { bytes: Cow::Borrowed(received), is_too_large: false };
    let mut named = named(headers);
    for _ in 0..MOST_LAYERS {
        let inflated = match named.pop() {
            _ if is_gzip(&body.bytes) => gunzip(&body.bytes),
            Some(coding) if coding == "deflate" => deflated(&body.bytes),
            Some(_) => None,
            None => break,
        };
        let Some(inflated) = inflated else { continue };
        let is_too_large = inflated.end == End::TooLarge;
        body = Unpacked { bytes: Cow::Owned(inflated.bytes), is_too_large };
        if is_too_large {
            break;
        }
    }
    body
}

/// The codings that the header names, in the order in which they were applied.
fn named(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::CONTENT_ENCODING).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let names = texts.flat_map(|text| text.split(',')).map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !name.is_empty() && name != "identity").collect()
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1F, 0x8B, 8])
}

/// What comes out of a deflate stream.
struct Inflated {
    /// At most [`limits::BODY`] bytes.
    bytes: Vec<u8>,
    end: End,
    /// How many bytes of the stream were used.
    taken: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The stream has its end.
    Whole,
    /// It breaks off, or goes on as no stream does.
    Broken,
    TooLarge,
}

/// The members of a gzip file (RFC 1952), one behind the other; `None` when there is no head
/// of one. Check values are not looked at: a wrong one is no reason to drop what is there.
fn gunzip(bytes: &[u8]) -> Option<Inflated> {
    const TRAILER: usize = 8;
    let behind_head = |bytes| {
        let decoder = GzDecoder::new(bytes);
        decoder.header().is_some().then(|| decoder.into_inner())
    };
    let mut rest: &[u8] = behind_head(bytes)?;
    let mut all = inflate(rest, false, Vec::new());
    while all.end == End::Whole
        && let Some(next) = rest.get(all.taken + TRAILER..).and_then(behind_head)
    {
        rest = next;
        all = inflate(rest, false, all.bytes);
    }
    Some(all)
}

/// `deflate` is the zlib format (RFC 1950); some servers send the bare stream. `None` when it
/// is neither.
fn deflated(bytes: &[u8]) -> Option<Inflated> {
    let zlib = inflate(bytes, true, Vec::new());
    if !zlib.bytes.is_empty() {
        return Some(zlib);
    }
    let bare = inflate(bytes, false, Vec::new());
    // Text can look like the beginning of a bare stream.
    let is_text = bytes.first().is_some_and(|first| b"{[<\xEF \t\r\n".contains(first));
    (!bare.bytes.is_empty() && (bare.end == End::Whole || !is_text)).then_some(bare)
}

/// Inflates a stream as far as it can be, behind what `bytes` holds.
fn inflate(stream: &[u8], has_zlib_head: bool, mut bytes: Vec<u8>) -> Inflated {
    const STEP: usize = 64 * 1024;
    let mut inflater = Decompress::new(has_zlib_head);
    loop {
        let before = (inflater.total_in(), inflater.total_out());
        let taken = usize::try_from(before.0).unwrap_or(stream.len());
        bytes.reserve(STEP);
        let result = inflater.decompress_vec(&stream[taken..], &mut bytes, FlushDecompress::None);
        let stands_still = before == (inflater.total_in(), inflater.total_out());
        let end = match result {
            _ if bytes.len() > limits::BODY => End::TooLarge,
            Ok(Status::StreamEnd) => End::Whole,
            Ok(_) if !stands_still => continue,
            Ok(_) | Err(_) => End::Broken,
        };
        bytes.truncate(limits::BODY);
        let taken = usize::try_from(inflater.total_in()).unwrap_or(stream.len());
        return Inflated { bytes, end, taken };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const TEXT: &[u8] = br#"{"access_token":"fake-access","refresh_token":"fake-refresh"}"#;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(coding: &[&str], body: &[u8]) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        for coding in coding {
            headers.append(header::CONTENT_ENCODING, coding.parse().unwrap());
        }
        unpack(&headers, body).bytes.into_owned()
    }

    #[test]
    fn the_codings_of_the_header_are_taken_off() {
        for (coding, body) in [
            (&["gzip"][..], gzip(TEXT)),
            (&["x-gzip"], gzip(TEXT)),
            (&["GZIP"], gzip(TEXT)),
            (&["deflate"], zlib(TEXT)),
            (&["deflate"], deflate(TEXT)),
            (&["deflate, gzip"], gzip(&zlib(TEXT))),
            (&["gzip", "identity", "deflate"], zlib(&gzip(TEXT))),
            (&["gzip"], [gzip(&TEXT[..20]), gzip(&TEXT[20..])].concat()),
            (&["gzip"], [gzip(TEXT), b"behind it".to_vec()].concat()),
        ] {
            assert_eq!(unpacked(coding, &body), TEXT, "{coding:?}");
        }
    }

    #[test]
    fn a_header_that_is_wrong_or_missing_costs_nothing() {
        let first_bit = b"{ text that begins like a bare deflate stream";
        for (coding, body, expected) in [
            (&[][..], gzip(TEXT), TEXT),
            (&["identity"], gzip(TEXT), TEXT),
            (&["gzip"], TEXT.to_vec(), TEXT),
            (&["deflate"], TEXT.to_vec(), TEXT),
            (&["deflate"], first_bit.to_vec(), first_bit),
            (&["deflate"], gzip(TEXT), TEXT),
            (&["br"], TEXT.to_vec(), TEXT),
            (&["gzip"], gzip(&gzip(TEXT)), TEXT),
            (&["gzip"], Vec::new(), b""),
        ] {
            assert_eq!(unpacked(coding, &body), expected, "{coding:?}");
        }
    }

    #[test]
    fn what_breaks_off_gives_what_came() {
        let text = "{\"access_token\":\"fake\"}".repeat(2000);
        for (coding, body) in [("gzip", gzip(text.as_bytes())), ("deflate", zlib(text.as_bytes()))]
        {
            let got = unpacked(&[coding], &body[..body.len() / 2]);
            assert!(got.len() > 100 && text.as_bytes().starts_with(&got), "{coding}");
            // The check value is wrong, and the text is there.
            let mut odd = body.clone();
            let last = odd.len() - 1;
            odd[last] ^= 1;
            assert!(unpacked(&[coding], &odd) == text.as_bytes(), "{coding}");
            // Garbage in the middle: what stands before it is there.
            let mut odd = body.clone();
            let half = odd.len() / 2;
            odd[half..].fill(0xFF);
            let got = unpacked(&[coding], &odd);
            assert!(got.len() > 100 && got[..100] == text.as_bytes()[..100], "{coding}");
        }
    }

    #[test]
    fn a_bomb_is_cut_at_the_limit() {
        let body = gzip(&vec![b'a'; limits::BODY + 1]);
        let unpacked = unpack(&HeaderMap::new(), &body);
        assert!(unpacked.is_too_large && unpacked.bytes.len() == limits::BODY);
        let body = gzip(&vec![b'a'; limits::BODY]);
        assert!(!unpack(&HeaderMap::new(), &body).is_too_large);
    }
}
