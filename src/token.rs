//! Opaque texts that are given out and taken back: a version, a body and a checksum, as base64 that is safe in a URL.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const CHECKSUM_BYTES: usize = 4;

/// What tells the texts of one kind from others.
pub(crate) struct Token {
    pub(crate) version: u8,
    /// Part of the checksum, so that a text of another kind is not taken for one of this.
    pub(crate) kind: &'static [u8],
    /// Longer texts are not decoded.
    pub(crate) max_characters: usize,
}

impl Token {
    pub(crate) fn seal(&self, body: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(1 + body.len() + CHECKSUM_BYTES);
        bytes.push(self.version);
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(&self.checksum(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The body of a sealed text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn open(&self, text: &str) -> Result<Vec<u8>, &'static str> {
        if text.len() > self.max_characters {
            return Err("it is not one of ours");
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "it is not one of ours")?;
        match bytes.first() {
            Some(version) if *version == self.version => {}
            Some(_) => return Err("it was made by another release"),
            None => return Err("it is empty"),
        }
        let (sealed, found) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or("it is damaged")?;
        if sealed.is_empty() || self.checksum(sealed) != *found {
            return Err("it is damaged");
        }
        bytes.truncate(bytes.len() - CHECKSUM_BYTES);
        bytes.remove(0);
        Ok(bytes)
    }

    fn checksum(&self, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(self.kind);
        checksum.update(bytes);
        checksum.finalize().to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Token = Token { version: 3, kind: b"ours", max_characters: 40 };

    #[test]
    fn a_body_is_read_back_whatever_it_is() {
        for length in 0..20 {
            let body: Vec<u8> = (0..length).collect();
            assert_eq!(OURS.open(&OURS.seal(&body)), Ok(body));
        }
    }

    #[test]
    fn another_kind_another_version_and_another_length_are_told_apart() {
        let of = |version, kind| Token { version, kind, max_characters: 40 }.seal(b"body");
        assert_eq!(OURS.open(&of(3, b"theirs")), Err("it is damaged"));
        assert_eq!(OURS.open(&of(2, b"ours")), Err("it was made by another release"));
        assert_eq!(OURS.open(""), Err("it is empty"));
        assert_eq!(OURS.open("Aw"), Err("it is damaged"));
        assert_eq!(OURS.open(&OURS.seal(&[0; 40])), Err("it is not one of ours"));
    }
}
