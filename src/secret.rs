//! A secret string: an access token, a refresh token, an API key.
//!
//! Invariant: the value leaves through [`Secret::expose`] alone, so
//! `grep -rn 'expose()' src` lists every place that handles one in clear.

use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Wipes a text from memory, up to its capacity.
fn wipe(text: String) {
    let mut bytes = text.into_bytes();
    bytes.resize(bytes.capacity(), 0);
    zero(&mut bytes);
}

/// Zeroes bytes sixteen at a time: documents are large.
fn zero(bytes: &mut [u8]) {
    let (head, words, tail) = bytemuck::pod_align_to_mut::<u8, u128>(bytes);
    head.zeroize();
    words.zeroize();
    tail.zeroize();
}

/// A secret, wiped from memory when dropped. It has no `Display` and no `PartialEq`,
/// and its `Debug` prints `[redacted]`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of a secret value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// A secret as a person pastes it: without line breaks, outer spaces, and characters
    /// beyond Latin-1, which no token has and copying likes to add.
    pub fn from_input(input: &str) -> Self {
        let kept: String =
            input.chars().filter(|c| !matches!(c, '\r' | '\n') && u32::from(*c) <= 0xFF).collect();
        Self(kept.trim().to_owned())
    }

    /// The secret itself. Every caller is a place to audit.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it but white space.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// `sha256:<hex>` of the secret: names a grant in files and messages without
    /// giving it away.
    pub fn fingerprint(&self) -> String {
        format!("sha256:{:x}", Sha256::digest(self.0.as_bytes()))
    }

    /// Whether both hold the same value, compared in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(std::mem::take(&mut self.0));
    }
}

/// Bytes that hold a secret and need be no text: wiped from memory when dropped, and as
/// silent as [`Secret`].
#[derive(Clone)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes ownership of secret bytes.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes themselves. Every caller is a place to audit.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        bytes.resize(bytes.capacity(), 0);
        zero(&mut bytes);
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        assert_eq!(format!("{:?}", Secret::new("fake-secret")), "[redacted]");
        assert_eq!(format!("{:?}", SecretBytes::new(b"fake-secret".to_vec())), "[redacted]");
    }

    #[test]
    fn bytes_of_every_length_and_alignment_are_zeroed() {
        for (from, to) in (0..20).flat_map(|from| (from..60).map(move |to| (from, to))) {
            let mut bytes = [1; 60];
            zero(&mut bytes[from..to]);
            let expected: Vec<u8> = (0..60).map(|at| u8::from(!(from..to).contains(&at))).collect();
            assert_eq!(bytes[..], expected[..], "{from}..{to}");
        }
    }

    #[test]
    fn pasted_input_is_cleaned() {
        for (input, secret) in [
            ("  a b \n", "a b"),
            ("k\u{e9}y", "k\u{e9}y"),
            ("\u{feff}x\u{2028}\r\n", "x"),
            ("a\nb", "ab"),
        ] {
            assert_eq!(Secret::from_input(input).expose(), secret);
        }
    }

    #[test]
    fn the_fingerprint_is_the_sha256_of_the_value() {
        assert_eq!(
            Secret::new("abc").fingerprint(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
