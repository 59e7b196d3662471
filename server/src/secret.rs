//! Secrets of links, and their hashes: a reader of the database or of a backup cannot use a link.

use crate::store::LinkHash;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Returns a new secret, 122 random bits safe in a URL, and its hash.
pub fn new_secret() -> (String, LinkHash) {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes());
    let hash = hash(&secret);
    (secret, hash)
}

/// Returns the hash of a secret.
pub fn hash(secret: &str) -> LinkHash {
    Sha256::digest(secret).into()
}

/// Parses a hash in the digits of [`hexadecimal`](crate::store::hexadecimal); `None` if it is none.
pub fn from_hex(text: &str) -> Option<LinkHash> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (n, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::hexadecimal;

    #[test]
    fn a_hash_is_written_in_digits_and_read_again() {
        let (secret, of) = new_secret();
        assert_eq!(hash(&secret), of);
        assert_eq!(from_hex(&hexadecimal(&of)), Some(of));
        for bad in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
        assert_ne!(new_secret(), new_secret());
    }
}
